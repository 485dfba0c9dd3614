/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <zlib.h>

#include "base/bytes.h"
#include "decode/patch_tables.h"
#include "document.h"
#include "images.h"
#include "offer/source.h"
#include "oracle.h"
#include "packed.h"
#include "patch_encoder.h"
#include "update/door.h"
#include "world.h"

/* Power cuts, exhaustively. Each scenario is played again and again, and each time power goes at another
 * flash operation: before it, after it, or torn in the middle of it. No code of the device runs after the
 * cut. Then, every time:
 *   - the oracle, which shares no code with the device, says that an old or a new image boots, whole;
 *   - the device boots what the oracle said;
 *   - where the device fetches by itself, it ends with what is offered, whatever was there of it;
 *   - trying again ends well: a third image is uploaded, boots and is confirmed.
 * The same with a second cut during the recovery from the first.
 *
 * POWER=all in the environment plays every torn length and every second cut (make power); otherwise a
 * fixed part of them. A failing case prints the line that plays it alone. */

#define MAX_OPS 256

struct cut {
    unsigned op; /* 0: none */
    enum nor_cut how;
    uint32_t torn;
};

struct scenario {
    const char *name;
    enum world_layout layout;
    void (*prepare)(struct world *w); /* from the factory state, uncut; leaves flash as it should be */
    void (*act)(struct world *w);     /* begins with power coming on */
    void (*again)(struct world *w);   /* behind each cut, before the third image; NULL: nothing */
};

static void stop_here(const char *what, const char *found);

static uint8_t *bad, *packed, *packed_bad;
static size_t packed_len;
static struct patch_file patch, patch_bad; /* from v1 to v2 */
static uint64_t cuts_done, cases_done;
static bool play_all;

/* ---- scenarios ---- */

static void update_to(struct world *w, const uint8_t *image, size_t len)
{
    if (world_upload(w, image, len, 1024) == 0)
        (void)world_settle(w);
}

static void prepare_nothing(struct world *w)
{
    (void)w;
}

static void prepare_two_updates(struct world *w)
{
    assert_true(world_boot(w));
    update_to(w, v2, v2_len);
    update_to(w, v1, v1_len);
    assert_string_equal(world_version(w), "1.0.0");
}

static void prepare_remains(struct world *w)
{
    struct otapult_finding why;
    uint32_t ticket;

    prepare_two_updates(w);
    assert_int_equal(otapult_begin(w->ota, (uint32_t)v3_len, &ticket, &why), 0);
    assert_int_equal(otapult_feed(w->ota, ticket, v3, v3_len - 500, &why), 0);
}

/* A refused update has cost the way back. */
static void prepare_empty_slot(struct world *w)
{
    struct otapult_view v;

    prepare_two_updates(w);
    assert_int_equal(world_upload(w, bad, v2_len, 1024), OTAPULT_E_IMAGE_HASH);
    otapult_view(w->ota, &v);
    assert_int_equal(v.way_back.slot, OTAPULT_SLOT_NONE);
}

/* The factory app is the only way back. */
static void prepare_one_update(struct world *w)
{
    struct otapult_view v;

    assert_true(world_boot(w));
    update_to(w, v2, v2_len);
    assert_string_equal(world_version(w), "2.0.0");
    otapult_view(w->ota, &v);
    assert_int_equal(v.way_back.slot, OTAPULT_SLOT_FACTORY);
}

static void scribble(struct world *w, uint32_t at)
{
    for (uint32_t i = 0; i < 32; i++)
        w->nor.data[at + i] = (uint8_t)(w->nor.data[at + i] & (i * 73 + 11));
}

/* What runs then is not what is to come. */
static void prepare_one_torn(struct world *w)
{
    assert_true(world_boot(w));
    update_to(w, v3, v3_len);
    update_to(w, v1, v1_len);
    scribble(w, 0xD000);
}

static void prepare_both_torn(struct world *w)
{
    prepare_one_torn(w);
    scribble(w, 0xE000);
}

static void prepare_activated(struct world *w)
{
    prepare_two_updates(w);
    assert_int_equal(world_upload(w, v2, v2_len, 4096), 0);
}

static void prepare_power_lost_while_pending(struct world *w)
{
    prepare_two_updates(w);
    w->health = OTAPULT_HEALTH_WAIT;
    update_to(w, v2, v2_len);
    assert_string_equal(world_version(w), "2.0.0");
}

static void act_update(struct world *w)
{
    if (world_boot(w) && world_settle(w))
        update_to(w, v2, v2_len);
}

static void act_settle(struct world *w)
{
    if (world_boot(w))
        (void)world_settle(w);
}

static void act_reject(struct world *w)
{
    w->health = OTAPULT_HEALTH_FAIL;
    act_settle(w);
}

static void act_rollback(struct world *w)
{
    struct otapult_finding why;

    if (world_boot(w) && otapult_rollback(w->ota, &why) == 0)
        (void)world_settle(w);
}

static void act_rollback_to_factory(struct world *w)
{
    act_rollback(w);
    assert_string_equal(world_version(w), "1.0.0");
}

static void act_refused(struct world *w)
{
    if (!world_boot(w))
        return;
    assert_int_equal(world_upload(w, bad, v2_len, 1024), OTAPULT_E_IMAGE_HASH);
    (void)world_settle(w);
}

static void act_gzip(struct world *w)
{
    if (world_boot(w) && world_settle(w))
        update_to(w, packed, packed_len);
}

/* The image is whole and in flash when the sum behind it is found wrong. */
static void act_gzip_refused(struct world *w)
{
    if (world_boot(w))
        assert_int_equal(world_upload(w, packed_bad, packed_len, 1024), OTAPULT_E_GZIP_DAMAGED);
}

static void act_patch(struct world *w)
{
    if (world_boot(w) && world_settle(w))
        update_to(w, patch.data, patch.size);
}

/* The image is whole and in flash when it is found to be another than the patch says. */
static void act_patch_refused(struct world *w)
{
    if (world_boot(w))
        assert_int_equal(world_upload(w, patch_bad.data, patch_bad.size, 1024), OTAPULT_E_PATCH_DAMAGED);
}

static void act_stage(struct world *w)
{
    if (world_boot(w) && world_settle(w))
        assert_int_equal(world_stage(w, v2, v2_len, 1024), 0);
}

static void prepare_staged(struct world *w)
{
    prepare_two_updates(w);
    assert_int_equal(world_stage(w, v2, v2_len, 4096), 0);
}

static void act_activate(struct world *w)
{
    struct otapult_finding why;

    if (world_boot(w) && otapult_activate_staged(w->ota, &why) == 0)
        (void)world_settle(w);
}

static void act_replace_staged(struct world *w)
{
    if (world_boot(w) && world_settle(w))
        update_to(w, v3, v3_len);
}

/* ---- uploads that go on ---- */

/* What is sent: v2 as it is, or in blocks that a packed file can be entered at. */
static struct {
    uint8_t *bytes;
    size_t len;
} whole, in_blocks, *sent;

static unsigned entered; /* packed uploads that went on in the middle */

/* Sends what is missing, in pieces, up to `end` of the file, and finishes it when that is all. */
static int go_on(struct world *w, const uint8_t token[16], size_t end)
{
    struct otapult_upload upload;
    struct otapult_update done;
    struct otapult_finding why;
    uint32_t ticket;

    int err = otapult_find_upload(w->ota, "anyone", token, &upload);
    if (err == 0)
        err = otapult_continue_upload(w->ota, "anyone", token, upload.offset, &ticket, &upload, &why);
    entered += err == 0 && sent == &in_blocks && upload.offset > 0;
    for (size_t at = upload.offset; err == 0 && at < end; at += 1000)
        err = otapult_feed(w->ota, ticket, sent->bytes + at, end - at < 1000 ? end - at : 1000, &why);
    return err == 0 && end == sent->len ? otapult_finish_with(w->ota, ticket, &done, &why) : err;
}

static uint8_t upload_token[16];

static void begin_upload(struct world *w, size_t end)
{
    static const struct otapult_update_options plain;
    struct otapult_upload upload;
    struct otapult_update past = {.id = 0};
    struct otapult_finding why;

    assert_int_equal(
        otapult_create_upload(w->ota, "anyone", &plain, (uint32_t)sent->len, &upload, &past, &why), 0);
    memcpy(upload_token, upload.token, sizeof upload_token);
    assert_int_equal(go_on(w, upload_token, end), 0);
}

static void prepare_half_sent(struct world *w)
{
    sent = &whole;
    prepare_two_updates(w);
    begin_upload(w, sent->len - 500);
}

/* The note in the store is of a point in the middle. */
static void prepare_half_sent_gzip(struct world *w)
{
    struct otapult_upload upload;

    sent = &in_blocks;
    prepare_two_updates(w);
    begin_upload(w, sent->len - 500);
    world_pull_plug(w);
    assert_true(world_boot(w));
    assert_int_equal(otapult_find_upload(w->ota, "anyone", upload_token, &upload), 0);
    assert_in_range(upload.offset, 1, sent->len - 500);
}

static void prepare_to_break_off(struct world *w)
{
    sent = &whole;
    prepare_two_updates(w);
}

static void prepare_to_break_off_gzip(struct world *w)
{
    sent = &in_blocks;
    prepare_two_updates(w);
}

/* Its first cut is in the life that broke off, where notes are written. */
static void act_break_off(struct world *w)
{
    if (!world_boot(w) || !world_settle(w))
        return;
    begin_upload(w, sent->len - 500);
    world_pull_plug(w);
    if (world_boot(w) && go_on(w, upload_token, sent->len) == 0)
        (void)world_settle(w);
}

/* A cut may have taken the note with it: then nothing goes on, and nothing is lost. */
static void act_resume(struct world *w)
{
    if (!world_boot(w) || !world_settle(w))
        return;
    int err = go_on(w, upload_token, sent->len);
    assert_true(err == 0 || err == OTAPULT_E_NO_UPLOAD);
    if (err == 0)
        (void)world_settle(w);
}

/* What the client does behind each cut. */
static void go_on_again(struct world *w)
{
    int err = go_on(w, upload_token, sent->len);

    if (err != 0 && err != OTAPULT_E_NO_UPLOAD)
        stop_here("the upload does not go on", otapult_error_row(err)->code);
    if (err == 0 && (!world_settle(w) || strcmp(world_version(w), "2.0.0") != 0))
        stop_here("what went on does not run", world_version(w));
}

/* ---- the device fetches by itself ---- */

static struct {
    size_t end;               /* of the one answer that breaks off; 0: none does */
    unsigned ranges, entered; /* requests for the rest, of all cases, and of a packed file */
} server;

static int send_file(void *ctx, const struct otapult_fetch_request *r, struct otapult_finding *why)
{
    const char *range = strstr(r->headers, "Range: bytes=");
    size_t from = range != NULL ? strtoul(range + 13, NULL, 10) : 0;
    size_t end = server.end != 0 ? server.end : sent->len;
    char text[64];

    (void)ctx;
    *why = (struct otapult_finding){0};
    assert_true(from < sent->len && (from == 0 || strstr(r->headers, "If-Range: \"two\"\r\n") != NULL));
    server.end = 0;
    server.ranges += from > 0;
    server.entered += from > 0 && sent == &in_blocks;
    int err = r->status(r->to, from > 0 ? 206 : 200);
    snprintf(text, sizeof text, "bytes %zu-%zu/%zu", from, sent->len - 1, sent->len);
    if (from > 0)
        r->header(r->to, "Content-Range", text);
    r->header(r->to, "ETag", "\"two\"");
    for (size_t at = from; err == 0 && at < end; at += 1000)
        err = r->data(r->to, sent->bytes + at, end - at < 1000 ? end - at : 1000);
    return err == 0 && end < sent->len ? OTAPULT_E_SOURCE_LOST : err;
}

static const char *no_fault(const struct otapult_pull *pull, bool secure, unsigned trusted)
{
    (void)pull;
    (void)secure;
    (void)trusted;
    return NULL;
}

static int offer_v2(struct otapult_source_env *env, struct otapult_offer *out)
{
    (void)env;
    strcpy(out->version, "2.0.0");
    out->file_count = 1;
    strcpy(out->file[0].url, "https://files.example/v2.bin");
    out->file[0].size = (uint32_t)sent->len;
    out->size = (uint32_t)v2_len;
    oracle_sha256(v2, v2_len, out->sha256);
    oracle_sha256(sent->bytes, sent->len, out->file[0].sha256);
    out->has_sha256 = true;
    return 0;
}

static void unpacks(void *ctx, struct otapult_config *config);

static void fetches(void *ctx, struct otapult_config *config)
{
    static const struct otapult_fetch fetch = {.run = send_file};
    static const struct otapult_source source = {.name = "test", .fault = no_fault, .ask = offer_v2};
    static union otapult_pull_memory memory;
    static const struct otapult_pull pull = {.code = &otapult_pulling,
                                             .source = &source,
                                             .fetch = &fetch,
                                             .memory = &memory,
                                             .id = "rover-7",
                                             .policy = OTAPULT_PULL_AUTO,
                                             .ask_s = 60,
                                             .retry_s = 10};

    unpacks(ctx, config);
    config->pull = &pull;
}

/* Until what is offered runs, and is known to. */
static void fetch(struct world *w)
{
    unsigned more = 5;

    for (unsigned n = 0; n < 300 && more > 0; n++) {
        w->clock += 1000;
        otapult_pull_poll(w->ota);
        if (!world_settle(w))
            return;
        more -= strcmp(world_version(w), "2.0.0") == 0;
    }
}

static void prepare_pull(struct world *w)
{
    prepare_to_break_off(w);
    w->configure = fetches;
    server.end = 0;
}

static void prepare_pull_gzip(struct world *w)
{
    prepare_pull(w);
    sent = &in_blocks;
}

static void act_pull(struct world *w)
{
    if (world_boot(w) && world_settle(w))
        fetch(w);
}

/* The connection ends, and the power goes before there is another. */
static void act_pull_breaks_off(struct world *w)
{
    if (!world_boot(w) || !world_settle(w))
        return;
    server.end = sent->len - 500;
    for (unsigned n = 0; n < 10 && server.end != 0; n++)
        otapult_pull_poll(w->ota);
    world_pull_plug(w);
    act_pull(w);
}

static void pull_again(struct world *w)
{
    server.end = 0;
    if (strcmp(world_version(w), "3.0.0") == 0)
        return;
    fetch(w);
    if (strcmp(world_version(w), "2.0.0") != 0)
        stop_here("what is offered does not come", world_version(w));
}

/* ---- firmware that keeps crashing ---- */

#define CRASH_LIMIT 2 /* of every scenario here: each crash more would be the same life once more */

/* Panics soon after its start, again and again, until the guard has decided. */
static bool crash_on(struct world *w)
{
    for (int i = 0; i < CRASH_LIMIT; i++) {
        w->reset = OTAPULT_RESET_CRASH;
        if (!world_boot(w))
            return false;
    }
    return true;
}

static void fall_back(struct world *w, const char *to)
{
    if (!world_boot(w) || !world_settle(w) || !crash_on(w))
        return;
    assert_string_equal(world_version(w), to);
    assert_false(otapult_safe_mode(w->ota));
    (void)world_settle(w);
}

static void act_crash(struct world *w)
{
    fall_back(w, "2.0.0");
}

static void act_crash_to_factory(struct world *w)
{
    fall_back(w, "1.0.0");
}

/* The other slot's image has lost a bit since it was confirmed. */
static void prepare_no_way_back(struct world *w)
{
    prepare_two_updates(w);
    assert_int_equal(w->board.boot.slot, 0);
    w->nor.data[0x20000 + v2_len - 100] ^= 1;
}

static bool crash_into_safe_mode(struct world *w)
{
    if (!world_boot(w) || !world_settle(w) || !crash_on(w))
        return false;
    assert_string_equal(world_version(w), "1.0.0");
    assert_true(otapult_safe_mode(w->ota));
    return true;
}

static void act_crash_into_safe_mode(struct world *w)
{
    if (crash_into_safe_mode(w)) {
        (void)world_settle(w);
        assert_true(otapult_safe_mode(w->ota));
    }
}

static void act_update_out_of_safe_mode(struct world *w)
{
    if (!crash_into_safe_mode(w))
        return;
    update_to(w, v2, v2_len);
    assert_string_equal(world_version(w), "2.0.0");
    assert_false(otapult_safe_mode(w->ota));
}

static const struct scenario scenarios[] = {
    {"update", WORLD_TWO_OTA, prepare_two_updates, act_update, NULL},
    {"first-update", WORLD_TWO_OTA, prepare_nothing, act_update, NULL},
    {"remains", WORLD_TWO_OTA, prepare_remains, act_update, NULL},
    {"one-torn", WORLD_TWO_OTA, prepare_one_torn, act_update, NULL},
    {"both-torn", WORLD_TWO_OTA, prepare_both_torn, act_update, NULL},
    {"confirm", WORLD_TWO_OTA, prepare_activated, act_settle, NULL},
    {"reject", WORLD_TWO_OTA, prepare_activated, act_reject, NULL},
    {"rollback", WORLD_TWO_OTA, prepare_two_updates, act_rollback, NULL},
    {"re-activate", WORLD_TWO_OTA, prepare_power_lost_while_pending, act_settle, NULL},
    {"refused", WORLD_TWO_OTA, prepare_two_updates, act_refused, NULL},
    {"empty-slot", WORLD_TWO_OTA, prepare_empty_slot, act_update, NULL},
    {"factory", WORLD_FACTORY_OTA, prepare_nothing, act_update, NULL},
    {"factory-rollback", WORLD_FACTORY_OTA, prepare_one_update, act_rollback_to_factory, NULL},
    {"gzip", WORLD_TWO_OTA, prepare_two_updates, act_gzip, NULL},
    {"gzip-refused", WORLD_TWO_OTA, prepare_two_updates, act_gzip_refused, NULL},
    {"patch", WORLD_TWO_OTA, prepare_two_updates, act_patch, NULL},
    {"patch-refused", WORLD_TWO_OTA, prepare_two_updates, act_patch_refused, NULL},
    {"staged", WORLD_TWO_OTA, prepare_two_updates, act_stage, NULL},
    {"staged-then-activated", WORLD_TWO_OTA, prepare_staged, act_activate, NULL},
    {"breaks-off", WORLD_TWO_OTA, prepare_to_break_off, act_break_off, go_on_again},
    {"breaks-off-gzip", WORLD_TWO_OTA, prepare_to_break_off_gzip, act_break_off, go_on_again},
    {"resumed-after-restart", WORLD_TWO_OTA, prepare_half_sent, act_resume, go_on_again},
    {"resumed-after-restart-gzip", WORLD_TWO_OTA, prepare_half_sent_gzip, act_resume, go_on_again},
    {"staged-then-replaced", WORLD_TWO_OTA, prepare_staged, act_replace_staged, NULL},
    {"pull", WORLD_TWO_OTA, prepare_pull, act_pull, pull_again},
    {"pull-breaks-off", WORLD_TWO_OTA, prepare_pull, act_pull_breaks_off, pull_again},
    {"pull-breaks-off-gzip", WORLD_TWO_OTA, prepare_pull_gzip, act_pull_breaks_off, pull_again},
    {"crash-guard", WORLD_TWO_OTA, prepare_two_updates, act_crash, NULL},
    {"crash-guard-to-factory", WORLD_FACTORY_OTA, prepare_one_update, act_crash_to_factory, NULL},
    {"safe-mode", WORLD_TWO_OTA, prepare_nothing, act_crash_into_safe_mode, NULL},
    {"safe-mode-update", WORLD_TWO_OTA, prepare_no_way_back, act_update_out_of_safe_mode, NULL},
};
#define SCENARIOS (sizeof scenarios / sizeof *scenarios)

/* ---- one case ---- */

static const struct scenario *playing;
static struct cut first, second;

static void stop_here(const char *what, const char *found)
{
    print_error("%s: %s\nalone: POWER_CASE=%s:%u:%d:%u:%u:%d:%u build/asan/test/test_power\n", what, found,
                playing->name, first.op, first.how, first.torn, second.op, second.how, second.torn);
    fail();
}

static bool one_of_ours(const char *version)
{
    return strcmp(version, "1.0.0") == 0 || strcmp(version, "2.0.0") == 0 || strcmp(version, "3.0.0") == 0;
}

static int ask_oracle(const struct world *w)
{
    struct oracle_result r = oracle_boot(w->nor.data, WORLD_FLASH);

    if (!r.boots)
        stop_here("bricked", r.why);
    if (!r.image_ok || !one_of_ours(r.image.version))
        stop_here("an unverified image boots", r.image.fault != NULL ? r.image.fault : r.image.version);
    return r.slot;
}

/* Runs `what` with power going at cut->op. true: it went. */
static bool with_cut(struct world *w, const struct cut *cut, void (*what)(struct world *w))
{
    static jmp_buf end_of_life;

    if (setjmp(end_of_life) != 0) {
        nor_disarm(&w->nor);
        world_pull_plug(w);
        cuts_done++;
        return true;
    }
    if (cut->op != 0)
        nor_arm(&w->nor, cut->op, cut->how, cut->torn, cut->op * 2654435761u + cut->torn, &end_of_life);
    what(w);
    nor_disarm(&w->nor);
    world_pull_plug(w);
    return false;
}

static void recover(struct world *w)
{
    w->health = OTAPULT_HEALTH_PASS;
    int expected = ask_oracle(w);
    if (!world_boot(w))
        stop_here("bricked", "the bootloader found nothing");
    if (w->first_slot != expected)
        stop_here("another slot booted", "than the oracle said");
    if (!world_settle(w))
        stop_here("bricked", "after the recovery");
    if (playing->again != NULL)
        playing->again(w);
    if (world_upload(w, v3, v3_len, 4096) != 0)
        stop_here("the next upload failed", world_version(w));
    (void)world_settle(w);
    if (strcmp(world_version(w), "3.0.0") != 0)
        stop_here("the next update does not run", world_version(w));
}

static void see_it_stays(struct world *w)
{
    (void)ask_oracle(w);
    recover(w);
    world_pull_plug(w);
    (void)ask_oracle(w);
    if (!world_boot(w) || strcmp(world_version(w), "3.0.0") != 0)
        stop_here("it did not stay", world_version(w));
    cases_done++;
}

/* false: the first cut lies behind the scenario's last operation, or the second behind the recovery's. */
static bool play(struct world *w, const uint8_t *base)
{
    world_restore(w, base);
    bool was_cut = with_cut(w, &first, playing->act);
    if (was_cut && second.op != 0)
        was_cut = with_cut(w, &second, recover);
    see_it_stays(w);
    return was_cut;
}

/* ---- all cases ---- */

struct op_log {
    unsigned count;
    enum nor_op op[MAX_OPS];
    uint32_t at[MAX_OPS], len[MAX_OPS];
};

static void log_unit(struct op_log *log, enum nor_op op, uint32_t address, uint32_t len)
{
    assert_true(log->count < MAX_OPS);
    log->op[log->count] = op;
    log->at[log->count] = address;
    log->len[log->count++] = len;
}

static bool log_op(void *ctx, enum nor_op op, uint32_t address, uint32_t len)
{
    struct op_log *log = ctx;

    if (op == NOR_PROGRAM)
        log_unit(log, op, address, len);
    while (op == NOR_ERASE && len > 0) { /* units, as the emulator counts them */
        uint32_t unit = len >= NOR_BLOCK && address % NOR_BLOCK == 0 ? NOR_BLOCK : NOR_SECTOR;
        log_unit(log, op, address, unit);
        len -= unit;
        address += unit;
    }
    return false;
}

/* Torn lengths worth trying for an operation of `len` bytes: every single byte up to 40 and the last ones,
 * and a coarser grid between. */
static uint32_t next_torn(uint32_t torn, uint32_t len)
{
    uint32_t step = play_all ? 61 : 509;

    if (torn < (play_all ? 40u : 17u))
        return torn + 1;
    if (len > 4 && torn < len - 4)
        return torn + step < len - 4 ? torn + step : len - 4;
    return torn + 1;
}

static void play_second_cuts(struct world *w, const uint8_t *base, unsigned stride)
{
    static const struct cut ways[] = {{0, NOR_CUT_BEFORE, 0},
                                      {0, NOR_CUT_TORN, 1},
                                      {0, NOR_CUT_TORN, 20},
                                      {0, NOR_CUT_TORN, 1500},
                                      {0, NOR_CUT_AFTER, 0}};
    bool was_cut = true;

    for (unsigned op = 1; was_cut; op++) {
        if ((op + first.op) % stride != 0 && op > 2)
            continue;
        for (size_t i = 0; i < sizeof ways / sizeof *ways && was_cut; i++) {
            second = ways[i];
            second.op = op;
            was_cut = play(w, base);
        }
    }
    second = (struct cut){0};
}

static void play_op(struct world *w, const uint8_t *base, unsigned op, uint32_t len)
{
    first = (struct cut){op, NOR_CUT_BEFORE, 0};
    play(w, base);
    play_second_cuts(w, base, play_all ? 1 : 7);
    first.how = NOR_CUT_TORN;
    for (uint32_t torn = 1; torn < len; torn = next_torn(torn, len)) {
        first.torn = torn;
        play(w, base);
        if (torn == 17 || (play_all && torn % 16 == 0))
            play_second_cuts(w, base, play_all ? 1 : 13);
    }
    first = (struct cut){op, NOR_CUT_AFTER, 0};
    play(w, base);
    play_second_cuts(w, base, play_all ? 1 : 9);
}

static void unpacks(void *ctx, struct otapult_config *config)
{
    static const struct otapult_decoder *const decoders[] = {&otapult_gzip, &otapult_patch, NULL};
    static uint64_t memory[OTAPULT_GZIP_RAM / sizeof(uint64_t)];

    (void)ctx;
    config->crash_limit = CRASH_LIMIT;
    config->resumable = &otapult_resumable;
    config->resume_step = 2048;
    config->decoders = decoders;
    config->decoder_memory = memory;
    config->decoder_memory_size = sizeof memory;
}

/* The world as the scenario begins, and the operations it makes when nothing is cut. */
static void set_scene(struct world *w, uint8_t *base)
{
    world_init(w, playing->layout, v1, v1_len);
    w->configure = unpacks;
    playing->prepare(w);
    world_pull_plug(w);
    world_save(w, base);
}

static void log_scenario(struct world *w, const uint8_t *base, struct op_log *log)
{
    log->count = 0;
    world_restore(w, base);
    w->nor.fail = log_op;
    w->nor.fault_ctx = log;
    (void)with_cut(w, &first, playing->act);
    w->nor.fail = NULL;
    assert_true(log->count >= 4);
}

static void play_scenario(void **state)
{
    static struct world w;
    static uint8_t base[WORLD_FLASH];
    static struct op_log log;

    playing = *state;
    first = second = (struct cut){0};
    set_scene(&w, base);
    log_scenario(&w, base, &log);

    uint64_t before = cuts_done;
    for (unsigned op = 1; op <= log.count; op++)
        play_op(&w, base, op, log.len[op - 1]);
    first = (struct cut){log.count + 1, NOR_CUT_BEFORE, 0};
    assert_false(play(&w, base)); /* the log was complete */
    print_message("%-12s %u flash operations, %llu cuts\n", playing->name, log.count,
                  (unsigned long long)(cuts_done - before));
    world_end(&w);
}

static void play_one_case(void **state)
{
    static struct world w;
    static uint8_t base[WORLD_FLASH];
    char name[32] = "";
    int how1 = 0, how2 = 0;
    const char *line = *state;

    assert_int_equal(sscanf(line, "%31[^:]:%u:%d:%u:%u:%d:%u", name, &first.op, &how1, &first.torn,
                            &second.op, &how2, &second.torn),
                     7);
    first.how = (enum nor_cut)how1;
    second.how = (enum nor_cut)how2;
    for (size_t i = 0; i < SCENARIOS; i++)
        if (strcmp(scenarios[i].name, name) == 0)
            playing = &scenarios[i];
    assert_non_null(playing);
    set_scene(&w, base);
    play(&w, base);
    world_end(&w);
}

/* ---- the table of docs/safety.md: every operation of one update, and what the next boot finds ---- */

static const char *place_of(uint32_t at)
{
    static const struct {
        uint32_t from;
        const char *name;
    } places[] = {{0x20000, "new slot"},
                  {0x10000, "running slot"},
                  {0xE000, "OTA data record 1"},
                  {0xD000, "OTA data record 0"},
                  {0x9000, "store"}};

    for (size_t i = 0; i < sizeof places / sizeof *places; i++)
        if (at >= places[i].from)
            return places[i].name;
    return "nowhere";
}

static const char *found_after(struct world *w, const uint8_t *base, enum nor_cut how, uint32_t torn,
                               unsigned op)
{
    first = (struct cut){op, how, torn};
    world_restore(w, base);
    assert_true(with_cut(w, &first, playing->act));
    ask_oracle(w);
    return strcmp(oracle_boot(w->nor.data, WORLD_FLASH).image.version, "2.0.0") == 0 ? "new" : "old";
}

static void print_op(FILE *out, struct world *w, const uint8_t *base, const struct op_log *log, unsigned i)
{
    fprintf(out, "| %u | %s | %s at 0x%05x, %u bytes |", i + 1, place_of(log->at[i]),
            log->op[i] == NOR_ERASE ? "erase" : "program", (unsigned)log->at[i], (unsigned)log->len[i]);
    fprintf(out, " %s |", found_after(w, base, NOR_CUT_BEFORE, 0, i + 1));
    fprintf(out, " %s |", found_after(w, base, NOR_CUT_TORN, log->len[i] / 2, i + 1));
    fprintf(out, " %s |\n", found_after(w, base, NOR_CUT_AFTER, 0, i + 1));
}

static void print_table(FILE *out)
{
    static struct world w;
    static uint8_t base[WORLD_FLASH];
    static struct op_log log;

    playing = &scenarios[0];
    first = second = (struct cut){0};
    set_scene(&w, base);
    log_scenario(&w, base, &log);
    fputs("| # | where | what | before it | torn | after it |\n|---|---|---|---|---|---|\n", out);
    for (unsigned i = 0; i < log.count; i++)
        print_op(out, &w, base, &log, i);
    world_end(&w);
}

static void the_document_has_the_table(void **state)
{
    char *table = NULL;
    size_t len = 0;

    (void)state;
    FILE *out = open_memstream(&table, &len);
    print_table(out);
    fclose(out);
    document_has(OTAPULT_SOURCE_DIR "/docs/safety.md", "POWER=table test_power", table);
    free(table);
}

static void enough_was_cut(void **state)
{
    (void)state;
    print_message("%llu power cuts, %llu recoveries, 0 bricks, 0 boots of an unverified image\n",
                  (unsigned long long)cuts_done, (unsigned long long)cases_done);
    assert_true(cuts_done >= 20000);
    assert_true(server.ranges > 100); /* downloads that went on, and did not only begin anew */
    assert_true(entered > 100 && server.entered > 100);
}

static uint8_t *pack(const uint8_t *p, size_t n, size_t *len)
{
    z_stream z = {.next_in = (z_const Bytef *)p, .avail_in = (uInt)n, .avail_out = (uInt)n + 100};

    z.next_out = malloc(z.avail_out);
    uint8_t *out = z.next_out;
    if (deflateInit2(&z, 9, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY) != Z_OK ||
        deflate(&z, Z_FINISH) != Z_STREAM_END)
        abort();
    *len = z.total_out;
    deflateEnd(&z);
    return out;
}

/* The bad one promises another SHA-256, under checksums that fit. */
static void make_patches(void)
{
    if (!patch_encode(v1, v1_len, v2, v2_len, &patch) || !patch_encode(v1, v1_len, v2, v2_len, &patch_bad))
        abort();
    size_t header = OTAPULT_PATCH_HEADER + (size_t)patch.data[92] + patch.data[93];
    patch_bad.data[48] ^= 1;
    otapult_put_le32(patch_bad.data + header, otapult_crc32(0, patch_bad.data, header));
    otapult_put_le32(patch_bad.data + patch_bad.size - 4,
                     otapult_crc32(0, patch_bad.data, patch_bad.size - 4));
}

int main(void)
{
    struct CMUnitTest tests[SCENARIOS + 2];
    const char *alone = getenv("POWER_CASE"), *mode = getenv("POWER");

    play_all = mode != NULL && strcmp(mode, "all") == 0;
    v1 = images_one("1.0.0", 1, 5000, &v1_len);
    v2 = images_one("2.0.0", 2, 5000, &v2_len);
    v3 = images_one("3.0.0", 3, 5000, &v3_len);
    bad = malloc(v2_len);
    memcpy(bad, v2, v2_len);
    bad[v2_len - 1] ^= 1; /* the appended SHA-256 */
    whole.bytes = v2;
    whole.len = v2_len;
    in_blocks.bytes = packed_in_blocks(v2, v2_len, 1500, &in_blocks.len);
    packed = pack(v2, v2_len, &packed_len);
    packed_bad = pack(v2, v2_len, &packed_len);
    packed_bad[packed_len - 8] ^= 1; /* the CRC */
    make_patches();
    for (size_t i = 0; i < SCENARIOS; i++)
        tests[i] = (struct CMUnitTest){scenarios[i].name, play_scenario, NULL, NULL,
                                       (void *)(uintptr_t)&scenarios[i]};
    tests[SCENARIOS] = (struct CMUnitTest){"enough_was_cut", enough_was_cut, NULL, NULL, NULL};
    tests[SCENARIOS + 1] =
        (struct CMUnitTest){"the_document_has_the_table", the_document_has_the_table, NULL, NULL, NULL};
    const struct CMUnitTest one[] = {{alone, play_one_case, NULL, NULL, (void *)(uintptr_t)alone}};

    if (mode != NULL && strcmp(mode, "table") == 0) {
        print_table(stdout);
        return 0;
    }
    int failed = alone != NULL ? cmocka_run_group_tests(one, NULL, NULL)
                               : cmocka_run_group_tests_name("power", tests, NULL, NULL);
    (void)images_free(NULL);
    free(bad);
    free(in_blocks.bytes);
    free(packed);
    free(packed_bad);
    free(patch.data);
    free(patch_bad.data);
    return failed;
}
