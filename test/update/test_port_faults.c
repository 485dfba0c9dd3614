/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "faulty_port.h"
#include "images.h"
#include "oracle.h"
#include "update/door.h"
#include "world.h"

/* Failing port calls, exhaustively. Each scenario is played again and again on a whole device, and each
 * time another call of the port fails: call 1, 2, 3 … of each function, once and from then on, before or
 * after it was done, with another error of the table each time. A loop ends when its call is not reached.
 * Every time:
 *   - what comes out is the error that was put in; a store that fails does not fail an update;
 *   - hold() is balanced;
 *   - the oracle, which shares no code with the device, says that the old image still boots, and that the
 *     header of a refused image is not in flash;
 *   - with a healthy port again the next update works: in the same life, and in the next one.
 * A failing case prints the line that plays it alone. */

#define TARGET    0x20000u /* of an update: slot 1 */
#define SLOT_SIZE 0x10000u
#define HEADER    16u
#define NOT_TRIED (-1)

static struct image {
    uint8_t *bytes;
    size_t len;
} older, old, new, next, large, small; /* 0.9.0 in the target, 1.0.0 runs, 2.0.0 comes, then 3.0.0 */

static struct world w;
static struct faulty_port port;
static unsigned cases;

struct scenario {
    const char *name;
    bool pending;         /* begins with `new` activated */
    void (*act)(void);    /* begins with power coming on */
    const char *good_end; /* the version that boots after it when nothing fails */
    enum otapult_health health;
};

/* ---- one case ---- */

static const struct scenario *playing;
static struct faulty_plan plan;
static bool same_life;       /* the next update comes in the life of the failed one */
static int result;           /* of the upload or the rollback; NOT_TRIED: there was none */
static const char *good_end; /* the version that runs in the end, unless something may end otherwise */

static const char *const how_names[] = {"instead", "after", "short", "nothing", "flip"};

static _Noreturn void stop_here(const char *what, const char *found)
{
    print_error("%s: %s\nalone: PORT_FAULT=%s:%d:%u:%d:%d:%d:%u:%d build/asan/test/test_port_faults\n", what,
                found, playing->name, plan.call, plan.at, plan.for_good, plan.how, plan.err, plan.bit,
                same_life);
    print_error("(%s %u fails%s, %s, with %s)\n", faulty_call_name(plan.call), plan.at,
                plan.for_good ? " and all later ones" : "", how_names[plan.how],
                otapult_error_row(plan.err)->code);
    fail();
    abort();
}

static struct oracle_result ask_oracle(void)
{
    struct oracle_result r = oracle_boot(w.nor.data, WORLD_FLASH);

    if (!r.boots)
        stop_here("bricked", r.why);
    if (!r.image_ok)
        stop_here("an unverified image boots", r.image.fault);
    return r;
}

static bool boots(const char *version)
{
    return strcmp(ask_oracle().image.version, version) == 0;
}

static void boot(void)
{
    if (!world_boot(&w))
        stop_here("it does not start", "world_boot");
}

static void settle(void)
{
    if (!world_settle(&w))
        stop_here("it does not start again", "world_settle");
}

static bool is_flash(enum faulty_call call)
{
    return call == FAULTY_READ || call == FAULTY_WRITE || call == FAULTY_ERASE;
}

static bool is_store(enum faulty_call call)
{
    return call == FAULTY_KV_GET || call == FAULTY_KV_SET;
}

static bool is_lie(enum faulty_how how)
{
    return how >= FAULTY_SHORT;
}

/* A header in flash belongs to a whole image: the older one, untouched, or the new one when nothing but its
 * activation failed. */
static void check_header(void)
{
    struct oracle_image there;

    if (memcmp(w.nor.data + TARGET, new.bytes, HEADER) != 0)
        return;
    if (!oracle_image_ok(w.nor.data + TARGET, SLOT_SIZE, &there))
        stop_here("the header of a refused image is in flash", there.fault);
    if (strcmp(there.version, "2.0.0") == 0 && plan.call != FAULTY_ACTIVATE)
        stop_here("a refused image is in flash, and whole", there.version);
}

static void check_refusal(void)
{
    int expected = is_lie(plan.how) ? OTAPULT_E_FLASH_READBACK : plan.err;

    if (port.struck == 0 || is_store(plan.call))
        stop_here("refused", otapult_error_row(result)->code);
    if (result != expected)
        stop_here("not the error that was put in", otapult_error_row(result)->code);
    if (!boots("1.0.0"))
        stop_here("a failed update was activated", ask_oracle().image.version);
    check_header();
}

static void update_again(const struct image *image)
{
    faulty_port_arm(&port, NULL);
    otapult_poll(w.ota);
    int err = world_upload(&w, image->bytes, image->len, 4096);
    if (err != 0)
        stop_here("the next update failed", otapult_error_row(err)->code);
    settle();
}

static void update_to_new(void)
{
    update_again(&new);
    good_end = "2.0.0";
}

/* ---- scenarios ---- */

static void check_holds(void)
{
    if (w.holds != (result == 0))
        stop_here("hold() is not balanced", result == 0 ? "after a success" : "after a failure");
}

/* It is read to find out whether it is what comes; what is written is not taken from there, as here the first
 * bytes differ. */
static bool of_what_runs(void)
{
    struct otapult_update u;

    otapult_last_update(w.ota, &u);
    return port.struck_slot != u.slot;
}

static void act_update(void)
{
    boot();
    otapult_poll(w.ota);
    unsigned before = port.struck;
    result = world_upload(&w, new.bytes, new.len, 1000);
    check_holds();
    if (result == 0 && port.struck > before && plan.call == FAULTY_READ && !of_what_runs())
        stop_here("flash was not proven", "after a read that lied");
    if (result != 0)
        check_refusal();
    else if (!boots("2.0.0"))
        stop_here("a success that does not boot", ask_oracle().image.version);
    if (result != 0 && same_life)
        update_to_new();
    else
        settle();
}

/* After a call that failed once the device has found out what it wanted to know, and done what it wanted. */
static void act_settle(void)
{
    struct otapult_status s;

    boot();
    settle();
    otapult_status(w.ota, &s);
    if (!plan.for_good && (s.pending || s.slots_error != 0))
        stop_here("it still waits", s.waiting_for);
}

static void check_no_rollback(void)
{
    int expected = is_lie(plan.how) ? OTAPULT_E_NO_ROLLBACK : plan.err;

    if (port.struck == 0 || is_store(plan.call))
        stop_here("not rolled back", otapult_error_row(result)->code);
    if (result != expected)
        stop_here("not the error that was put in", otapult_error_row(result)->code);
    if (!boots("1.0.0"))
        stop_here("a failed rollback took place", ask_oracle().image.version);
}

static void act_rollback(void)
{
    struct otapult_finding why;

    boot();
    otapult_poll(w.ota);
    result = otapult_rollback(w.ota, &why);
    check_holds();
    if (result != 0)
        check_no_rollback();
    if (result != 0 && same_life)
        update_to_new();
    else
        settle();
}

static void act_go_back(void)
{
    struct otapult_finding why;

    boot();
    otapult_poll(w.ota);
    result = otapult_rollback(w.ota, &why);
    check_holds();
    if (result != 0 && (port.struck == 0 || is_store(plan.call) || result != plan.err))
        stop_here("not rolled back", otapult_error_row(result)->code);
    if (result != 0 && same_life) {
        faulty_port_arm(&port, NULL);
        result = otapult_rollback(w.ota, &why);
        check_holds();
    }
    if (result == 0 && !boots("1.0.0"))
        stop_here("a rollback that did not take place", ask_oracle().image.version);
    settle();
}

static void act_power_lost(void)
{
    w.health = OTAPULT_HEALTH_WAIT;
    boot();
    settle();
    world_pull_plug(&w);
    w.health = OTAPULT_HEALTH_PASS;
    boot();
    settle();
}

/* Of an image that fits into one sector: the writer's buffer still holds all of it at the read-back. */
#define SMALL_UPDATE "small-update"

static const struct scenario scenarios[] = {
    {"update", false, act_update, "2.0.0", OTAPULT_HEALTH_PASS},
    {SMALL_UPDATE, false, act_update, "2.0.0", OTAPULT_HEALTH_PASS},
    {"rollback", false, act_rollback, "0.9.0", OTAPULT_HEALTH_PASS},
    {"confirm", true, act_settle, "2.0.0", OTAPULT_HEALTH_PASS},
    {"reject", true, act_settle, "1.0.0", OTAPULT_HEALTH_FAIL},
    {"go-back", true, act_go_back, "1.0.0", OTAPULT_HEALTH_WAIT},
    {"power-lost", true, act_power_lost, "2.0.0", OTAPULT_HEALTH_PASS},
};
#define SCENARIOS (sizeof scenarios / sizeof *scenarios)

/* ---- after it ---- */

/* Where one failure may still cost something: a store that fails, the second try of an image that lost
 * power, and a failed activation, all of it. */
static bool may_end_otherwise(void)
{
    if (port.struck == 0)
        return false;
    if (result > 0 && !same_life)
        return true;
    if (playing->act == act_power_lost)
        return plan.for_good || is_store(plan.call) || is_flash(plan.call) || plan.call == FAULTY_OPEN ||
               plan.call == FAULTY_ACTIVATE;
    return plan.for_good && !is_store(plan.call);
}

static void check_end(void)
{
    faulty_port_arm(&port, NULL);
    world_pull_plug(&w);
    if (!boots(good_end) && !may_end_otherwise())
        stop_here("one failing call changed the end", ask_oracle().image.version);
}

/* The journal may lack something, but tells no lie: what runs and stays did not come back. */
static void check_journal(void)
{
    struct otapult_log_entry e;

    for (unsigned n = 0; n < OTAPULT_LOG_ENTRIES; n++) {
        if (!otapult_log_entry(w.ota, n, &e) || strcmp(e.version, "2.0.0") != 0)
            continue;
        if (e.event == OTAPULT_EV_CRASHED || e.event == OTAPULT_EV_NOT_LOADED)
            stop_here("the journal says of what runs", otapult_event_name(e.event));
    }
}

/* Slots that cannot be read in a whole life: the firmware does not know that it is on trial. */
static bool knew_nothing(void)
{
    return plan.for_good && (plan.call == FAULTY_SLOTS || plan.call == FAULTY_SLOT);
}

static void recover(void)
{
    struct oracle_result expected = ask_oracle();

    w.health = OTAPULT_HEALTH_PASS;
    boot();
    if (w.first_slot != expected.slot)
        stop_here("another slot booted", "than the oracle said");
    settle();
    check_journal();
    if (strcmp(world_version(&w), "1.0.0") != 0 && playing->health == OTAPULT_HEALTH_FAIL && !knew_nothing())
        stop_here("what was rejected returned", world_version(&w));
    update_again(&next);
    world_pull_plug(&w);
    if (!boots("3.0.0"))
        stop_here("the next update did not stay", ask_oracle().image.version);
}

/* false: the call was not reached. */
static bool play(const uint8_t *base)
{
    world_restore(&w, base);
    w.health = playing->health;
    result = NOT_TRIED;
    good_end = playing->good_end;
    faulty_port_arm(&port, &plan);
    playing->act();
    bool struck = port.struck > 0;
    check_end();
    recover();
    cases++;
    return struck;
}

/* ---- all cases ---- */

/* Another error of the table each time. */
static int next_error(void)
{
    return 1 + (int)(cases % (OTAPULT_ERROR_COUNT - 1));
}

static void play_calls(const uint8_t *base)
{
    bool reached = true;

    for (plan.at = 1; reached; plan.at++)
        for (int here = 0; here < 2 && reached; here++) {
            same_life = here == 1;
            plan.err = next_error();
            reached = play(base);
        }
}

static void play_ways(const uint8_t *base, enum faulty_call call)
{
    for (int how = FAULTY_INSTEAD; how <= FAULTY_AFTER; how++)
        for (int good = 0; good < 2; good++) {
            plan = (struct faulty_plan){.call = call, .how = (enum faulty_how)how, .for_good = good};
            play_calls(base);
        }
}

static void play_lies(const uint8_t *base, enum faulty_call call)
{
    static const unsigned bits[] = {0, 9, 259, 1603, 4095 * 8 + 5};

    for (size_t i = 0; i < sizeof bits / sizeof *bits; i++) {
        plan = (struct faulty_plan){.call = call, .how = FAULTY_FLIP, .bit = bits[i]};
        play_calls(base);
    }
    for (int how = FAULTY_SHORT; call == FAULTY_READ && how <= FAULTY_NOTHING; how++) {
        plan = (struct faulty_plan){.call = call, .how = (enum faulty_how)how};
        play_calls(base);
    }
}

static void update_to(const struct image *image)
{
    assert_int_equal(world_upload(&w, image->bytes, image->len, 4096), 0);
    assert_true(world_settle(&w));
}

/* 1.0.0 runs in slot 0, 0.9.0 lies in slot 1, or 2.0.0 there and is activated. */
static void prepare(uint8_t *base)
{
    new = strcmp(playing->name, SMALL_UPDATE) == 0 ? small : large;
    world_init(&w, WORLD_TWO_OTA, old.bytes, old.len);
    w.wrap = faulty_port_wrap;
    w.wrap_ctx = &port;
    memset(&port, 0, sizeof port);
    assert_true(world_boot(&w));
    update_to(&older);
    update_to(&old);
    if (playing->pending)
        assert_int_equal(world_upload(&w, new.bytes, new.len, 4096), 0);
    world_pull_plug(&w);
    world_save(&w, base);
}

static void play_scenario(void **state)
{
    static uint8_t base[WORLD_FLASH];
    unsigned before = cases;

    playing = *state;
    prepare(base);
    for (int call = 0; call < FAULTY_CALLS; call++)
        play_ways(base, (enum faulty_call)call);
    play_lies(base, FAULTY_READ);
    play_lies(base, FAULTY_KV_GET);
    print_message("%-12s %u cases\n", playing->name, cases - before);
    world_end(&w);
}

static void play_one_case(void **state)
{
    static uint8_t base[WORLD_FLASH];
    char name[16] = "";
    int call, good, how, here;

    assert_int_equal(sscanf(*state, "%15[^:]:%d:%u:%d:%d:%d:%u:%d", name, &call, &plan.at, &good, &how,
                            &plan.err, &plan.bit, &here),
                     8);
    plan.call = (enum faulty_call)call;
    plan.how = (enum faulty_how)how;
    plan.for_good = good != 0;
    same_life = here != 0;
    for (size_t i = 0; i < SCENARIOS; i++)
        if (strcmp(scenarios[i].name, name) == 0)
            playing = &scenarios[i];
    assert_non_null(playing);
    prepare(base);
    play(base);
    world_end(&w);
}

static struct image make(const char *version, uint32_t seed, uint32_t size)
{
    struct image image;

    image.bytes = images_one(version, seed, size, &image.len);
    return image;
}

static int make_images(void **state)
{
    (void)state;
    older = make("0.9.0", 9, 5000);
    old = make("1.0.0", 1, 5000);
    large = make("2.0.0", 2, 9000);
    small = make("2.0.0", 3, 2000);
    next = make("3.0.0", 3, 5000);
    return 0;
}

static int free_images(void **state)
{
    (void)state;
    free(older.bytes);
    free(old.bytes);
    free(large.bytes);
    free(small.bytes);
    free(next.bytes);
    return 0;
}

int main(void)
{
    struct CMUnitTest tests[SCENARIOS];
    char *alone = getenv("PORT_FAULT");

    for (size_t i = 0; i < SCENARIOS; i++)
        tests[i] = (struct CMUnitTest){scenarios[i].name, play_scenario, NULL, NULL,
                                       (void *)(uintptr_t)&scenarios[i]};
    const struct CMUnitTest one[] = {{alone, play_one_case, NULL, NULL, alone}};
    return alone != NULL ? cmocka_run_group_tests(one, make_images, free_images)
                         : cmocka_run_group_tests_name("port faults", tests, make_images, free_images);
}
