/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "images.h"
#include "offer/policy.h"
#include "offer/source.h"
#include "oracle.h"
#include "packed.h"
#include "update/door.h"
#include "world.h"

/* A device that fetches by itself, from a source and a server that live in this file, and both of which may
 * be as bad as they like. Time moves when the test says so. */

static struct world w;
static uint8_t *big; /* 3.0.0, a slot nearly full */
static size_t big_len;
static char reports[1024];

/* ---- the source ---- */

static struct {
    struct otapult_offer offer; /* what it says; file_count 0: nothing */
    int err;
    unsigned asked;
    int report_err;   /* what it says to SUCCEEDED and FAILED */
    int progress_err; /* and to PROGRESS */
    uint32_t next_s;
} source;

static const char *no_fault(const struct otapult_pull *pull, bool secure, unsigned trusted)
{
    (void)secure;
    (void)trusted;
    return pull->source_config == NULL ? NULL : "as the test wants it";
}

static int ask(struct otapult_source_env *env, struct otapult_offer *out)
{
    assert_int_equal(out->file_count, 0);
    assert_int_equal(env->asked, source.asked);
    source.asked++;
    env->next_s = source.next_s;
    if (source.err != 0)
        env->why = (struct otapult_finding){.text = "no"};
    else
        *out = source.offer;
    return source.err;
}

static int report(struct otapult_source_env *env, const struct otapult_report *r)
{
    static const char *const names[] = {
        [OTAPULT_REPORT_TAKEN] = "taken",       [OTAPULT_REPORT_DENIED] = "denied",
        [OTAPULT_REPORT_PROGRESS] = "progress", [OTAPULT_REPORT_WRITTEN] = "written",
        [OTAPULT_REPORT_STAGED] = "staged",     [OTAPULT_REPORT_SUCCEEDED] = "succeeded",
        [OTAPULT_REPORT_FAILED] = "failed"};
    char line[160];

    (void)env;
    if (r->kind == OTAPULT_REPORT_PROGRESS && source.progress_err != 0)
        return source.progress_err;
    snprintf(line, sizeof line, "%s %s%s%s;", names[r->kind], r->action, r->text[0] != '\0' ? " " : "",
             r->text);
    strncat(reports, line, sizeof reports - strlen(reports) - 1);
    return r->kind >= OTAPULT_REPORT_SUCCEEDED ? source.report_err : 0;
}

static const char *headers(struct otapult_source_env *env)
{
    (void)env;
    return "Authorization: GatewayToken secret\r\n";
}

static const struct otapult_source quiet = {.name = "test", .fault = no_fault, .ask = ask};
static const struct otapult_source telling = {
    .name = "test", .fault = no_fault, .ask = ask, .headers = headers, .report = report};

/* ---- the server ---- */

static struct {
    const uint8_t *file;
    size_t len;
    size_t cuts[16]; /* bytes of the answer after which the connection ends, one a request; 0: never */
    unsigned requests;
    bool no_range, no_length, lies_about_range;
    int status, err; /* instead of an answer */
    const char *etag, *location;
    size_t chunk;
    char last_url[OTAPULT_OFFER_URL], last_headers[512];
    unsigned long long sent;
    size_t closes_window_at; /* the minute changes when so much is sent; 0: it does not */
} server;

static struct otapult_wall_time wall;

static void header(const struct otapult_fetch_request *r, const char *name, unsigned long value)
{
    char text[32];

    snprintf(text, sizeof text, "%lu", value);
    r->header(r->to, name, text);
}

static int say_head(const struct otapult_fetch_request *r, size_t from)
{
    char text[64];
    int err = r->status(r->to, from > 0 ? 206 : 200);

    if (err == 0 && from > 0) {
        snprintf(text, sizeof text, "bytes %zu-%zu/%zu", from + server.lies_about_range, server.len - 1,
                 server.len);
        r->header(r->to, "Content-Range", text);
    }
    if (err == 0 && !server.no_length)
        header(r, "content-LENGTH", server.len - from);
    if (err == 0)
        r->header(r->to, "ETag", server.etag);
    return err;
}

/* Where the request wants to begin, and may. */
static size_t begin_of(const struct otapult_fetch_request *r)
{
    const char *range = strstr(r->headers, "Range: bytes="), *condition = strstr(r->headers, "If-Range: ");
    size_t len = strlen(server.etag);

    if (range == NULL || server.no_range)
        return 0;
    if (condition != NULL && strncmp(condition + 10, server.etag, len) != 0)
        return 0;
    return strtoul(range + 13, NULL, 10);
}

static int answer(void *ctx, const struct otapult_fetch_request *r, struct otapult_finding *why)
{
    unsigned n = server.requests++;

    (void)ctx;
    snprintf(server.last_url, sizeof server.last_url, "%s", r->url);
    snprintf(server.last_headers, sizeof server.last_headers, "%s", r->headers);
    *why = (struct otapult_finding){.text = "the test"};
    if (server.err != 0)
        return server.err;
    if (server.status != 0) {
        int err = r->status(r->to, server.status);
        if (err == 0 && server.location != NULL)
            r->header(r->to, "Location", server.location);
        return err;
    }
    size_t from = begin_of(r), end = n < 16 && server.cuts[n] != 0 ? from + server.cuts[n] : server.len;
    int err = say_head(r, from);
    for (size_t at = from; err == 0 && at < end && at < server.len; at += server.chunk) {
        size_t part = server.chunk < end - at ? server.chunk : end - at;
        part = part < server.len - at ? part : server.len - at;
        server.sent += part;
        if (server.closes_window_at != 0 && server.sent >= server.closes_window_at)
            wall.minute = 241;
        err = r->data(r->to, server.file + at, part);
    }
    return err == 0 && end < server.len ? OTAPULT_E_SOURCE_LOST : err;
}

static const struct otapult_fetch fetch = {.run = answer};

/* ---- the clock ---- */

static bool has_clock;

static bool wall_now(void *ctx, struct otapult_wall_time *out)
{
    (void)ctx;
    *out = wall;
    return has_clock;
}

static const struct otapult_clock wall_clock_of_test = {.now = wall_now};

/* ---- the device ---- */

static union otapult_pull_memory memory;
static struct otapult_pull pull;

static bool resumes;
static uint32_t resume_step;

static void configure(void *ctx, struct otapult_config *config)
{
    static const struct otapult_decoder *const decoders[] = {&otapult_gzip, NULL};
    static uint64_t unpacking[OTAPULT_GZIP_RAM / sizeof(uint64_t)];

    (void)ctx;
    config->decoders = decoders;
    config->decoder_memory = unpacking;
    config->decoder_memory_size = sizeof unpacking;
    config->pull = &pull;
    config->resumable = resumes ? &otapult_resumable : NULL;
    config->resume_step = resume_step;
}

static void offer(const char *version, const uint8_t *image, size_t len)
{
    struct otapult_offer *o = &source.offer;

    memset(o, 0, sizeof *o);
    snprintf(o->version, sizeof o->version, "%s", version);
    snprintf(o->action, sizeof o->action, "action-1");
    o->file_count = 1;
    o->has_sha256 = true;
    snprintf(o->file[0].url, sizeof o->file[0].url, "https://files.example/%s.bin", version);
    o->file[0].size = (uint32_t)len;
    oracle_sha256(image, len, o->file[0].sha256);
    oracle_sha256(image, len, o->sha256);
    server.file = image;
    server.len = len;
}

static int set_up(void **state)
{
    (void)state;
    memset(&source, 0, sizeof source);
    memset(&server, 0, sizeof server);
    memset(&w, 0, sizeof w);
    reports[0] = '\0';
    server.etag = "\"one\"";
    server.chunk = 1000;
    has_clock = resumes = false;
    resume_step = 4096;
    pull = (struct otapult_pull){.code = &otapult_pulling,
                                 .source = &telling,
                                 .fetch = &fetch,
                                 .clock = &wall_clock_of_test,
                                 .memory = &memory,
                                 .id = "rover-7",
                                 .policy = OTAPULT_PULL_AUTO,
                                 .ask_s = 1000,
                                 .retry_s = 60};
    world_init(&w, WORLD_TWO_OTA, v1, v1_len);
    w.configure = configure;
    assert_true(world_boot(&w));
    offer("3.0.0", big, big_len);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    world_end(&w);
    return 0;
}

static int make_images(void **state)
{
    big = images_one("3.0.0", 3, 60000, &big_len);
    return images_make(state);
}

static int free_images(void **state)
{
    free(big);
    return images_free(state);
}

static void pass(uint32_t seconds)
{
    for (uint32_t s = 0; s < seconds; s++) {
        w.clock += 1000;
        otapult_pull_poll(w.ota);
        otapult_pull_poll(w.ota);
        otapult_poll(w.ota);
        if (w.board.restart) {
            w.reset = OTAPULT_RESET_SOFTWARE;
            source.asked = 0;
            assert_true(world_boot(&w));
        }
    }
}

/* The question, the beginning, the first request, while no time passes. */
static void first_request(void)
{
    for (unsigned n = 0; n < 8 && server.requests == 0; n++)
        otapult_pull_poll(w.ota);
    assert_int_equal(server.requests, 1);
}

static struct otapult_offer_view view(void)
{
    struct otapult_offer_view v;

    assert_true(otapult_offer_view(w.ota, false, &v));
    return v;
}

static int choose(enum otapult_offer_choice choice)
{
    struct otapult_finding why;

    return otapult_offer_choose(w.ota, choice, "admin", &why);
}

static const struct otapult_log_entry *newest(void)
{
    static struct otapult_log_entry e;

    memset(&e, 0, sizeof e);
    (void)otapult_log_entry(w.ota, 0, &e);
    return &e;
}

static void assert_waits(const char *for_what)
{
    struct otapult_offer_view v = view();

    assert_int_equal(v.state, OTAPULT_PULL_OFFERED);
    assert_non_null(v.wait);
    assert_string_equal(v.wait, for_what);
    assert_string_equal(world_version(&w), "1.0.0");
}

/* ---- the good way ---- */

static void an_offer_is_fetched_tried_and_only_then_reported(void **state)
{
    (void)state;
    pass(30);
    assert_string_equal(world_version(&w), "3.0.0");
    assert_string_equal(reports, "progress action-1;progress action-1;progress action-1;written action-1;"
                                 "succeeded action-1;succeeded action-1 it runs already;");
    assert_non_null(strstr(server.last_headers, "GatewayToken"));
    assert_int_equal(view().state, OTAPULT_PULL_IDLE);
    assert_int_equal(newest()->event, OTAPULT_EV_CONFIRMED);
}

static void who_started_it_stands_in_the_journal(void **state)
{
    struct otapult_log_entry e;

    (void)state;
    pass(30);
    assert_true(otapult_log_entry(w.ota, 1, &e));
    assert_int_equal(e.event, OTAPULT_EV_ACTIVATED);
    assert_string_equal(e.by, "test");
}

static void one_that_goes_back_is_a_failure_and_is_not_taken_again(void **state)
{
    (void)state;
    w.health = OTAPULT_HEALTH_FAIL;
    pass(30);
    w.health = OTAPULT_HEALTH_PASS;
    assert_string_equal(world_version(&w), "1.0.0");
    assert_string_equal(strstr(reports, "failed action-1"),
                        "failed action-1 rejected: health check \"self-test\": told to fail;");
    assert_null(strstr(reports, "succeeded"));
    unsigned requests = server.requests;
    pass(5000);
    assert_int_equal(server.requests, requests);
    assert_waits("it was refused on this robot");
    assert_int_equal(choose(OTAPULT_OFFER_INSTALL), 0); /* a person may */
    pass(60);
    assert_string_equal(world_version(&w), "3.0.0");
}

static void go_back(void)
{
    struct otapult_finding why;

    assert_int_equal(otapult_rollback(w.ota, &why), 0);
    pass(30);
    assert_string_equal(world_version(&w), "1.0.0");
}

static int (*real_set)(void *ctx, const char *key, const void *src, size_t len);

static int set_but_trial(void *ctx, const char *key, const void *src, size_t len)
{
    return strcmp(key, "ota.trial1") == 0 ? OTAPULT_E_STORE : real_set(ctx, key, src, len);
}

static void lose_trials(void *ctx, struct otapult_port *port)
{
    (void)ctx;
    real_set = port->kv_set;
    port->kv_set = set_but_trial;
}

/* Seconds until it runs; then its power goes. false: it never runs. */
static bool lose_power_in_its_trial(void)
{
    for (unsigned s = 0; s < 5000; s += 10) {
        pass(10);
        if (strcmp(world_version(&w), "3.0.0") != 0)
            continue;
        world_pull_plug(&w);
        source.asked = 0;
        assert_true(world_boot(&w));
        return true;
    }
    return false;
}

/* A store that keeps no trials, and power that goes in each: nobody knows why it does not run. */
static void what_never_runs_is_not_fetched_for_ever(void **state)
{
    const struct otapult_source *const sources[] = {&quiet, &telling};
    (void)state;

    for (size_t i = 0; i < 2; i++) {
        world_end(&w);
        set_up(NULL);
        pull.source = sources[i];
        w.wrap = lose_trials;
        w.health = OTAPULT_HEALTH_WAIT;
        assert_true(world_boot(&w));
        unsigned trials = 0;
        while (trials < 20 && lose_power_in_its_trial())
            trials++;
        assert_int_equal(trials, 3);
        assert_waits("it was refused on this robot");
        assert_string_equal(newest()->text, "another firmware runs again and again");
        assert_true(i == 0 ||
                    strstr(reports, "failed action-1 another firmware runs again and again;") != NULL);
        w.health = OTAPULT_HEALTH_PASS;
        assert_int_equal(choose(OTAPULT_OFFER_INSTALL), 0); /* a person may try again */
        pass(60);
        assert_string_equal(world_version(&w), "3.0.0");
    }
}

/* Three times through both slots, the last time by rollback: the journal says "rolled back to 3.0.0", which
 * is no word against it. Then it is assigned anew, and power goes in its trial, which the store keeps nothing
 * of. */
static void a_rollback_that_led_to_it_is_no_word_against_it(void **state)
{
    (void)state;
    pass(30);
    assert_string_equal(world_version(&w), "3.0.0");
    go_back();
    struct otapult_finding why;
    assert_int_equal(otapult_rollback(w.ota, &why), 0); /* forward */
    pass(30);
    assert_string_equal(world_version(&w), "3.0.0");
    go_back();
    snprintf(source.offer.action, sizeof source.offer.action, "action-2");
    w.wrap = lose_trials;
    w.health = OTAPULT_HEALTH_WAIT;
    source.asked = 0;
    assert_true(world_boot(&w));
    assert_true(lose_power_in_its_trial());
    reports[0] = '\0';
    w.health = OTAPULT_HEALTH_PASS;
    pass(2000);
    assert_null(strstr(reports, "failed"));
    assert_string_equal(world_version(&w), "3.0.0");
}

/* Power goes with the confirmation, before the task that fetches sees it. */
static void what_was_confirmed_and_left_before_anybody_looked_has_succeeded(void **state)
{
    struct otapult_finding why;
    (void)state;
    pull.source = &telling;
    w.health = OTAPULT_HEALTH_WAIT;
    assert_true(world_boot(&w));
    source.asked = 0;
    for (unsigned s = 0; s < 100 && strcmp(world_version(&w), "3.0.0") != 0; s++)
        pass(1);
    w.health = OTAPULT_HEALTH_PASS;
    otapult_poll(w.ota);
    assert_int_equal(newest()->event, OTAPULT_EV_CONFIRMED);
    assert_int_equal(otapult_rollback(w.ota, &why), 0);
    otapult_poll(w.ota);
    assert_true(w.board.restart);
    w.reset = OTAPULT_RESET_SOFTWARE;
    source.asked = 0;
    assert_true(world_boot(&w));
    assert_string_equal(world_version(&w), "1.0.0");
    pass(3000);
    assert_non_null(strstr(reports, "succeeded action-1;"));
    assert_null(strstr(reports, "failed"));
    assert_string_equal(world_version(&w), "1.0.0");
    assert_waits("it ran here, and somebody went back from it");
}

static void what_somebody_went_back_from_waits_for_a_person(void **state)
{
    (void)state;
    pull.source = &quiet;
    pass(1200);
    assert_string_equal(world_version(&w), "3.0.0");
    go_back();
    pass(5000);
    assert_string_equal(world_version(&w), "1.0.0");
    assert_waits("it ran here, and somebody went back from it");
    assert_int_equal(choose(OTAPULT_OFFER_INSTALL), 0);
    pass(1200);
    assert_string_equal(world_version(&w), "3.0.0");
    go_back();
    offer("2.0.0", v2, v2_len); /* another one is another question */
    pass(2100);
    assert_string_equal(world_version(&w), "2.0.0");
}

/* An operator who assigns it once more has seen that. */
static void what_is_assigned_anew_is_taken_again(void **state)
{
    (void)state;
    pass(1200);
    assert_string_equal(world_version(&w), "3.0.0");
    go_back();
    pass(3000);
    assert_string_equal(world_version(&w), "1.0.0");
    snprintf(source.offer.action, sizeof source.offer.action, "action-2");
    pass(3000);
    assert_string_equal(world_version(&w), "3.0.0");
}

static void a_verdict_is_told_until_it_is_heard(void **state)
{
    (void)state;
    source.report_err = OTAPULT_E_SOURCE_UNREACHABLE;
    pass(30);
    reports[0] = '\0';
    pass(3000);
    world_pull_plug(&w);
    source.asked = 0;
    assert_true(world_boot(&w));
    pass(300);
    assert_non_null(strstr(reports, "succeeded action-1;"));
    source.report_err = 0;
    pass(2000);
    reports[0] = '\0';
    source.offer.file_count = 0;
    pass(3000);
    assert_null(strstr(reports, "succeeded action-1;"));
}

/* A source that does not say which build it is. */
static void what_runs_already_is_not_fetched_again(void **state)
{
    struct otapult_status s;

    (void)state;
    offer("", v1, v1_len);
    pass(30);
    otapult_status(w.ota, &s);
    assert_int_equal(s.boot, 1);
    assert_non_null(strstr(reports, "succeeded action-1 it runs already;"));
    assert_null(strstr(reports, "written"));
    unsigned requests = server.requests;
    pass(3000);
    assert_int_equal(server.requests, requests);
    assert_int_equal(view().state, OTAPULT_PULL_IDLE);
}

/* ---- a bad network ---- */

static void what_breaks_off_goes_on_where_it_was(void **state)
{
    (void)state;
    pull.source = &quiet;
    assert_true(world_boot(&w));
    for (unsigned i = 0; i < 6; i++)
        server.cuts[i] = 7000;
    pass(120);
    assert_string_equal(world_version(&w), "3.0.0");
    assert_int_equal(server.requests, 7);
    assert_int_equal(server.sent, big_len);
    assert_non_null(strstr(server.last_headers, "If-Range: \"one\""));
}

/* Any strong validator, byte for byte, also one that is no legal HTTP. */
static void a_weak_validator_is_not_sent_back(void **state)
{
    (void)state;
    pull.source = &quiet;
    assert_true(world_boot(&w));
    server.etag = "W/\"one\"";
    server.cuts[0] = 7000;
    pass(60);
    assert_string_equal(world_version(&w), "3.0.0");
    assert_null(strstr(server.last_headers, "If-Range"));
}

static void a_server_that_begins_anew_is_compared(void **state)
{
    (void)state;
    pull.source = &quiet;
    assert_true(world_boot(&w));
    server.no_range = true;
    server.cuts[0] = server.cuts[1] = 30000;
    server.cuts[2] = 45000;
    pass(120);
    assert_string_equal(world_version(&w), "3.0.0");
    assert_int_equal(server.sent, 30000 + 30000 + 45000 + big_len);
}

static void another_file_behind_a_break_is_noticed(void **state)
{
    static uint8_t other[65536];

    (void)state;
    pull.source = &quiet;
    assert_true(world_boot(&w));
    memcpy(other, big, big_len);
    other[100] ^= 1;
    server.cuts[0] = 30000;
    first_request();
    server.file = other;
    server.etag = "\"two\"";
    pass(20);
    assert_string_equal(world_version(&w), "1.0.0");
    assert_int_equal(view().error, OTAPULT_E_OFFER_OTHER_FILE);
    assert_string_equal(view().why_text, "it changed on the way");
    server.file = big;
    pass(2000);
    assert_string_equal(world_version(&w), "3.0.0");
}

static void assert_other_file(const char *what)
{
    struct otapult_status s;

    pass(30);
    assert_int_equal(view().error, OTAPULT_E_OFFER_OTHER_FILE);
    assert_string_equal(view().why_text, what);
    otapult_status(w.ota, &s);
    assert_int_equal(s.claim, OTAPULT_FREE);
    pass(4000);
    assert_waits("it was refused on this robot"); /* after three attempts */
    assert_string_equal(world_version(&w), "1.0.0");
}

static void a_file_of_another_size_is_not_taken(void **state)
{
    (void)state;
    server.len -= 16;
    assert_other_file("its size");
}

static void a_file_that_says_no_size_and_is_longer_is_not_taken(void **state)
{
    static uint8_t longer[65536 + 100];

    (void)state;
    memcpy(longer, big, big_len);
    server.file = longer;
    server.len = big_len + 16;
    server.no_length = true;
    assert_other_file("its size");
}

static void a_file_with_another_digest_is_not_taken(void **state)
{
    (void)state;
    source.offer.file[0].sha256[5] ^= 1;
    assert_other_file("its SHA-256");
}

/* The file is what was offered, the image in it is not. */
static void an_image_with_another_digest_is_not_taken(void **state)
{
    (void)state;
    source.offer.sha256[5] ^= 1;
    assert_other_file("its SHA-256");
}

static void a_part_from_elsewhere_is_not_taken(void **state)
{
    (void)state;
    pull.source = &quiet;
    assert_true(world_boot(&w));
    server.cuts[0] = 30000;
    server.lies_about_range = true;
    pass(30);
    assert_int_equal(view().error, OTAPULT_E_OFFER_OTHER_FILE);
}

/* A robot is not held at rest for a server that is not there. */
static void the_first_request_that_brings_nothing_gives_the_robot_back(void **state)
{
    struct otapult_status s;

    (void)state;
    server.err = OTAPULT_E_SOURCE_UNREACHABLE;
    pass(5);
    otapult_status(w.ota, &s);
    assert_int_equal(s.claim, OTAPULT_FREE);
    assert_int_equal(w.holds, 0);
    unsigned requests = server.requests;
    assert_in_range(requests, 1, 2);
    pass(3600);
    assert_in_range(server.requests, requests + 3, requests + 12); /* and asks less and less often */
    server.err = 0;
    pass(2000);
    assert_string_equal(world_version(&w), "3.0.0");
}

static void silence_in_the_middle_ends_after_five_minutes(void **state)
{
    struct otapult_status s;

    (void)state;
    pull.source = &quiet;
    assert_true(world_boot(&w));
    server.cuts[0] = 30000;
    first_request();
    server.err = OTAPULT_E_SOURCE_LOST;
    pass(200);
    otapult_status(w.ota, &s);
    assert_int_equal(s.claim, OTAPULT_FOR_UPLOAD); /* no client of the usual patience */
    pass(200);
    otapult_status(w.ota, &s);
    assert_int_equal(s.claim, OTAPULT_FREE);
    assert_string_equal(newest()->code, "source_lost");
}

/* ---- redirects ---- */

static void redirects_stay_where_they_are_configured_to(void **state)
{
    static const char *const bad[] = {"file:///etc/passwd",         "http://files.example/x",
                                      "https://evil.example/x",     "https://files.example@evil.example/x",
                                      "https://files.example/loop", "//evil.example/"};

    (void)state;
    server.status = 302;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        server.location = bad[i];
        server.requests = 0;
        pass(4000);
        assert_int_equal(view().error, OTAPULT_E_SOURCE_REDIRECT);
        assert_null(strstr(server.last_url, "evil"));
    }
}

static void a_named_host_is_followed_without_the_token(void **state)
{
    static const char *const hosts[] = {"cdn.example", NULL};

    (void)state;
    pull.redirect_hosts = hosts;
    server.status = 302;
    server.location = "https://cdn.example/file";
    pass(5);
    assert_string_equal(server.last_url, "https://cdn.example/file");
    assert_null(strstr(server.last_headers, "GatewayToken"));
}

/* ---- policy ---- */

static void a_person_is_asked(void **state)
{
    (void)state;
    pull.policy = OTAPULT_PULL_ASK;
    pass(100);
    assert_waits("somebody has to say yes");
    assert_int_equal(choose(OTAPULT_OFFER_LATER), 0);
    assert_int_equal(choose(OTAPULT_OFFER_INSTALL), 0);
    pass(30);
    assert_string_equal(world_version(&w), "3.0.0");
    assert_int_equal(choose(OTAPULT_OFFER_INSTALL), OTAPULT_E_NO_OFFER);
}

static void urgent_ones_need_no_person(void **state)
{
    (void)state;
    pull.policy = OTAPULT_PULL_URGENT;
    pass(100);
    assert_waits("somebody has to say yes");
    source.offer.urgency = OTAPULT_URGENT;
    pass(1200);
    assert_string_equal(world_version(&w), "3.0.0");
}

static void later_is_a_day(void **state)
{
    (void)state;
    w.ready = false;
    pass(10);
    assert_waits("the robot is not ready");
    assert_int_equal(choose(OTAPULT_OFFER_LATER), 0);
    w.ready = true;
    pass(86390);
    assert_waits("somebody has said: later");
    pass(1100);
    assert_string_equal(world_version(&w), "3.0.0");
}

static void a_skipped_one_stays_skipped(void **state)
{
    (void)state;
    w.ready = false;
    pass(10);
    assert_int_equal(choose(OTAPULT_OFFER_SKIP), 0);
    pass(10);
    assert_non_null(strstr(reports, "denied action-1"));
    w.ready = true;
    world_pull_plug(&w);
    source.asked = 0;
    assert_true(world_boot(&w));
    pass(3000);
    assert_waits("somebody has skipped it");
    offer("2.0.0", v2, v2_len); /* another one is another question */
    pass(1200);
    assert_string_equal(world_version(&w), "2.0.0");
}

static void what_is_older_is_not_even_a_person_s(void **state)
{
    (void)state;
    pull.source = &quiet;
    assert_true(world_boot(&w));
    assert_int_equal(world_upload(&w, v2, v2_len, 1000), 0);
    assert_true(world_settle(&w));
    source.asked = 0;
    offer("1.0.0", v1, v1_len);
    pass(30);
    assert_string_equal(view().wait, "it is older than what runs");
    assert_int_equal(choose(OTAPULT_OFFER_INSTALL), OTAPULT_E_OFFER_OLDER);
    source.offer.downgrade = true; /* says the source, and nobody has allowed it */
    pass(1200);
    assert_int_equal(choose(OTAPULT_OFFER_INSTALL), OTAPULT_E_OFFER_OLDER);
    pull.downgrade = true;
    pass(60);
    assert_string_equal(world_version(&w), "1.0.0");
}

/* The version of an offer is the server's word, and its file may be signed and old all the same. */
static void an_older_image_is_not_taken_under_a_newer_label(void **state)
{
    (void)state;
    pull.source = &quiet;
    assert_true(world_boot(&w));
    assert_int_equal(world_upload(&w, v2, v2_len, 1000), 0);
    assert_true(world_settle(&w));
    pull.source = &telling;
    source.asked = 0;
    assert_true(world_boot(&w));
    offer("9.9.9", v1, v1_len);
    source.offer.downgrade = true; /* which this robot does not allow */
    pass(1200);
    assert_string_equal(world_version(&w), "2.0.0");
    assert_string_equal(reports, "failed action-1 older than the running firmware 2.0.0;");
    assert_int_equal(choose(OTAPULT_OFFER_INSTALL), 0); /* what is older is not a person's either */
    pass(1200);
    assert_string_equal(world_version(&w), "2.0.0");
    pull.downgrade = true;
    strcpy(source.offer.action, "action-2");
    pass(1200);
    assert_string_equal(world_version(&w), "1.0.0");
}

/* Zeros say "none" where what is known of offers is kept. */
static void a_file_whose_digest_is_all_zeros_is_an_offer_like_others(void **state)
{
    (void)state;
    memset(source.offer.sha256, 0, sizeof source.offer.sha256);
    memset(source.offer.file[0].sha256, 0, sizeof source.offer.file[0].sha256);
    pull.policy = OTAPULT_PULL_ASK;
    pass(30);
    assert_waits("somebody has to say yes");
    assert_string_equal(reports, "");
    assert_int_equal(choose(OTAPULT_OFFER_INSTALL), 0);
    pass(4000);
    assert_string_equal(world_version(&w), "1.0.0");
    assert_non_null(strstr(reports, "failed action-1 what came is not what was offered (its SHA-256);"));
    assert_null(strstr(reports, "succeeded"));
}

static void another_project_is_not_even_a_person_s(void **state)
{
    (void)state;
    pull.source = &quiet;
    assert_true(world_boot(&w));
    strcpy(source.offer.project, "kettle");
    pass(30);
    assert_waits("it is another project's");
    assert_int_equal(choose(OTAPULT_OFFER_INSTALL), OTAPULT_E_OTHER_PROJECT);
}

static void a_source_that_waits_for_the_end_is_told_what_will_not_be(void **state)
{
    (void)state;
    strcpy(source.offer.project, "kettle");
    pass(5000); /* some questions, and it is still offered */
    assert_string_equal(reports, "failed action-1 it is another project's;");
    assert_int_equal(server.requests, 0);
    strcpy(source.offer.action, "action-2");
    pass(1200);
    assert_string_equal(reports,
                        "failed action-1 it is another project's;failed action-2 it is another project's;");
    source.offer.project[0] = '\0';
    strcpy(source.offer.action, "action-3"); /* somebody has looked at it: it is judged anew */
    pass(1200);
    assert_string_equal(world_version(&w), "3.0.0");
}

static void what_is_only_to_be_written_waits_and_is_started_without_a_second_download(void **state)
{
    (void)state;
    source.offer.only_write = source.offer.has_sha256 = true;
    source.offer.size = source.offer.file[0].size;
    memcpy(source.offer.sha256, source.offer.file[0].sha256, sizeof source.offer.sha256);
    pass(3000);
    assert_non_null(strstr(reports, "staged action-1;"));
    assert_null(strstr(reports, "succeeded"));
    assert_string_equal(world_version(&w), "1.0.0");
    unsigned requests = server.requests;
    source.offer.only_write = false;
    strcpy(source.offer.action, "action-2");
    pass(1200);
    assert_string_equal(world_version(&w), "3.0.0");
    assert_int_equal(server.requests, requests);
    assert_non_null(strstr(reports, "written action-2;succeeded action-2;"));
}

static void what_runs_already_is_a_success_without_a_restart(void **state)
{
    uint32_t boot;
    struct otapult_status s;

    (void)state;
    offer("label", v1, v1_len);
    source.offer.version_is_label = true;
    otapult_status(w.ota, &s);
    boot = s.boot;
    pass(30);
    assert_non_null(strstr(reports, "succeeded action-1 it runs already;"));
    otapult_status(w.ota, &s);
    assert_int_equal(s.boot, boot);
    assert_int_equal(view().state, OTAPULT_PULL_IDLE);
}

static void a_label_that_is_the_same_proves_nothing(void **state)
{
    (void)state;
    offer("1.0.0", big, big_len);
    source.offer.version_is_label = true;
    pass(30);
    assert_string_equal(world_version(&w), "3.0.0");
}

static void without_a_clock_nothing_happens_by_itself_in_a_window(void **state)
{
    (void)state;
    pull.window = (struct otapult_window){.from = 120, .to = 240};
    pass(10);
    assert_waits("the robot does not know the time, so not its maintenance window");
    has_clock = true;
    wall = (struct otapult_wall_time){.unix_s = 0, .minute = 180}; /* 1970 */
    pass(10);
    assert_waits("the robot does not know the time, so not its maintenance window");
    wall = (struct otapult_wall_time){.unix_s = 1790000000, .minute = 100};
    pass(10);
    assert_waits("its maintenance window is closed");
    wall.minute = 200;
    pass(30);
    assert_string_equal(world_version(&w), "3.0.0");
}

/* It begins five minutes before the end, and the server has much time. */
static void what_is_not_there_when_the_window_ends_waits_for_the_next_one(void **state)
{
    struct otapult_status s;

    (void)state;
    resumes = has_clock = true;
    pull.window = (struct otapult_window){.from = 120, .to = 240};
    wall = (struct otapult_wall_time){.unix_s = 1790000000, .minute = 235};
    pull.source = &quiet;
    assert_true(world_boot(&w));
    server.cuts[0] = server.cuts[1] = 20000;
    first_request();
    wall.minute = 241;
    pass(600);
    assert_waits("its maintenance window is closed");
    assert_string_equal(newest()->code, "offer_window");
    otapult_status(w.ota, &s);
    assert_int_equal(s.claim, OTAPULT_FREE);
    assert_int_equal(server.requests, 1);
    wall.minute = 200;
    pass(30);
    assert_string_equal(world_version(&w), "3.0.0");
    assert_non_null(strstr(server.last_headers, "Range: bytes="));
}

static void a_window_may_end_while_bytes_come(void **state)
{
    (void)state;
    has_clock = true;
    pull.window = (struct otapult_window){.from = 120, .to = 240};
    wall = (struct otapult_wall_time){.unix_s = 1790000000, .minute = 239};
    server.closes_window_at = 30000;
    pass(60);
    assert_waits("its maintenance window is closed");
    assert_in_range(server.sent, 30000, 31000);
    assert_int_equal(choose(OTAPULT_OFFER_INSTALL), 0); /* a person needs none */
    pass(60);
    assert_string_equal(world_version(&w), "3.0.0");
}

static void a_person_needs_no_window(void **state)
{
    (void)state;
    pull.window = (struct otapult_window){.from = 120, .to = 240};
    pass(10);
    assert_int_equal(choose(OTAPULT_OFFER_INSTALL), 0);
    pass(30);
    assert_string_equal(world_version(&w), "3.0.0");
}

static void an_update_by_hand_ends_nothing_and_is_ended_by_a_person(void **state)
{
    struct otapult_finding why;

    (void)state;
    pull.source = &quiet;
    assert_true(world_boot(&w));
    server.cuts[0] = 30000;
    first_request();
    assert_int_equal(view().state, OTAPULT_PULL_FETCHING);
    assert_int_equal(world_upload(&w, v2, v2_len, 1000), OTAPULT_E_BUSY);
    assert_int_equal(otapult_end_update(w.ota, &why), 0);
    pass(10);
    assert_waits("somebody has said: later");
}

static unsigned turn; /* behind so many unlocks somebody else has the device; 0: nobody */
static uint32_t theirs;

static void somebody_else(struct world *world)
{
    struct otapult_finding why;

    if (turn == 0 || --turn != 0)
        return;
    int err = otapult_end_update(world->ota, &why);
    if (err == 0 || err == OTAPULT_E_NO_UPDATE)
        err = otapult_begin(world->ota, (uint32_t)v2_len, &theirs, &why);
    assert_true(err == 0 || err == OTAPULT_E_BUSY); /* the word has just ended it */
}

/* The download is over, and somebody's upload runs, before the word ends what comes. */
static void a_word_ends_nobody_elses_update(void **state)
{
    (void)state;
    for (unsigned n = 1, met = 1; met != 0; n++) {
        assert_true(world_boot(&w));
        source.asked = server.requests = 0;
        server.cuts[0] = 30000;
        first_request();
        assert_int_equal(view().state, OTAPULT_PULL_FETCHING);
        theirs = 0;
        turn = n;
        w.unlocked = somebody_else;
        assert_int_equal(choose(OTAPULT_OFFER_LATER), 0);
        w.unlocked = NULL;
        met = turn == 0;
        if (theirs != 0)
            assert_int_equal(otapult_has_ended(w.ota, theirs), 0);
        if (theirs != 0)
            otapult_cancel(w.ota, theirs, OTAPULT_E_CONNECTION_LOST, &(struct otapult_finding){0});
    }
}

static void a_withdrawn_one_is_given_up(void **state)
{
    (void)state;
    source.progress_err = OTAPULT_E_OFFER_WITHDRAWN;
    pass(1);
    source.offer.file_count = 0;
    pass(100);
    assert_string_equal(world_version(&w), "1.0.0");
    assert_int_equal(view().state, OTAPULT_PULL_IDLE);
    assert_string_equal(newest()->code, "offer_withdrawn");
}

static void consent_comes_before_the_files(void **state)
{
    (void)state;
    source.offer.needs_consent = true;
    source.offer.file_count = 0;
    pass(5);
    assert_waits("somebody has to say yes"); /* whatever the policy */
    assert_int_equal(choose(OTAPULT_OFFER_INSTALL), 0);
    pass(900);
    assert_string_equal(reports,
                        "taken action-1;taken action-1;"); /* it was asked once more, and no oftener */
    source.offer.needs_consent = false;
    source.offer.file_count = 1;
    pass(1200);
    assert_string_equal(world_version(&w), "3.0.0");
}

/* ---- a bad file, a bad source ---- */

static void a_packed_file_that_is_none_leads_to_the_plain_one(void **state)
{
    static uint8_t nonsense[3000];

    (void)state;
    pull.source = &quiet;
    assert_true(world_boot(&w));
    memcpy(nonsense, "this is no firmware", 19);
    source.offer.file[1] = source.offer.file[0];
    source.offer.file_count = 2;
    source.offer.file[0].size = sizeof nonsense;
    oracle_sha256(nonsense, sizeof nonsense, source.offer.file[0].sha256);
    server.file = nonsense;
    server.len = sizeof nonsense;
    first_request();
    server.file = big;
    server.len = big_len;
    pass(60);
    assert_string_equal(world_version(&w), "3.0.0");
}

static void a_file_that_is_no_firmware_is_told_and_left_alone(void **state)
{
    static uint8_t nonsense[3000];

    (void)state;
    memcpy(nonsense, "this is no firmware", 19);
    offer("3.0.0", nonsense, sizeof nonsense);
    pass(3000);
    assert_non_null(strstr(reports, "failed action-1"));
    assert_int_equal(server.requests, 3); /* it may have been the server's fault */
    assert_waits("it was refused on this robot");
}

static void a_source_that_does_not_answer_is_asked_less_and_noted_once(void **state)
{
    struct otapult_log_entry e;
    unsigned noted = 0;

    (void)state;
    source.err = OTAPULT_E_SOURCE_UNREACHABLE;
    pass(7200);
    assert_in_range(source.asked, 8, 25);
    for (unsigned n = 0; otapult_log_entry(w.ota, n, &e); n++)
        noted += e.event == OTAPULT_EV_SOURCE;
    assert_int_equal(noted, 1);
    source.err = 0;
    pass(1200);
    assert_string_equal(world_version(&w), "3.0.0");
}

static void the_clock_of_the_device_may_wrap(void **state)
{
    (void)state;
    source.offer.file_count = 0;
    w.clock = UINT32_MAX - 500000;
    assert_true(world_boot(&w));
    source.asked = 0;
    pass(2500);
    assert_in_range(source.asked, 2, 4);
    source.offer.file_count = 1;
    pass(1200);
    assert_string_equal(world_version(&w), "3.0.0");
}

/* ---- power ---- */

static void a_cut_in_the_middle_begins_again(void **state)
{
    (void)state;
    pull.source = &quiet;
    pull.policy = OTAPULT_PULL_ASK;
    assert_true(world_boot(&w));
    server.cuts[0] = 30000;
    pass(2);
    assert_int_equal(choose(OTAPULT_OFFER_INSTALL), 0);
    first_request();
    assert_int_equal(view().state, OTAPULT_PULL_FETCHING);
    world_pull_plug(&w);
    source.asked = 0;
    assert_true(world_boot(&w));
    pass(60); /* the person's word still holds */
    assert_string_equal(world_version(&w), "3.0.0");
}

/* 30000 bytes come, and the power goes. */
static void lose_power_while_it_comes(void)
{
    resumes = true;
    pull.source = &quiet;
    assert_true(world_boot(&w));
    server.cuts[0] = 30000;
    first_request();
    assert_int_equal(view().state, OTAPULT_PULL_FETCHING);
    world_pull_plug(&w);
    source.asked = 0;
    assert_true(world_boot(&w));
}

#define IN_FLASH 28672u /* whole sectors of 30000 */

static void a_cut_in_the_middle_goes_on_where_uploads_do(void **state)
{
    (void)state;
    lose_power_while_it_comes();
    pass(60);
    assert_string_equal(world_version(&w), "3.0.0");
    assert_string_equal(server.last_headers, "Range: bytes=28672-\r\nIf-Range: \"one\"\r\n");
    assert_int_equal(server.requests, 2);
    assert_int_equal(server.sent, 30000 + big_len - IN_FLASH);
}

static void a_server_that_knows_no_parts_is_compared_with_an_earlier_life(void **state)
{
    (void)state;
    lose_power_while_it_comes();
    server.no_range = true;
    pass(60);
    assert_string_equal(world_version(&w), "3.0.0");
    assert_int_equal(server.requests, 2);
}

static void another_file_behind_a_restart_is_noticed(void **state)
{
    static uint8_t other[70000];

    (void)state;
    lose_power_while_it_comes();
    memcpy(other, big, big_len);
    other[1000] ^= 1;
    server.file = other;
    server.etag = "\"two\"";
    pass(3);
    assert_string_equal(newest()->code, "offer_other_file");
    assert_non_null(strstr(newest()->text, "it changed on the way"));
    server.file = big;
    pass(300);
    assert_string_equal(world_version(&w), "3.0.0");
}

static void a_slot_that_has_changed_behind_a_restart_is_noticed(void **state)
{
    struct otapult_status s;

    (void)state;
    lose_power_while_it_comes();
    w.nor.data[0x20000 + 32] ^= 1; /* in the description's magic word */
    pass(3);
    assert_string_equal(newest()->code, "image_no_description");
    otapult_status(w.ota, &s);
    assert_int_equal(s.claim, OTAPULT_FREE);
    assert_int_equal(server.requests, 1);
    pass(300);
    assert_string_equal(world_version(&w), "3.0.0");
    assert_string_equal(server.last_headers, "");
}

/* What is offered is `big` in a gzip file. */
static uint8_t *offer_packed(size_t *len)
{
    uint8_t *packed = packed_in_blocks(big, big_len, PACKED_BLOCK, len);

    server.file = packed;
    server.len = *len;
    source.offer.file[0].size = (uint32_t)*len;
    oracle_sha256(packed, *len, source.offer.file[0].sha256);
    return packed;
}

/* Where the last request wanted to begin. */
static unsigned long asked_from(void)
{
    const char *range = strstr(server.last_headers, "Range: bytes=");

    return range != NULL ? strtoul(range + 13, NULL, 10) : 0;
}

static void a_packed_file_goes_on_behind_a_cut(void **state)
{
    size_t len;
    uint8_t *packed = offer_packed(&len);

    (void)state;
    for (unsigned n = 0; n < 2; n++) {
        lose_power_while_it_comes();
        server.no_range = n == 1; /* then what came before is passed over */
        pass(60);
        assert_string_equal(world_version(&w), "3.0.0");
        assert_in_range(asked_from(), 30000 - 4096 - 2 * PACKED_BLOCK - 4096, 30000);
        assert_int_equal(server.requests, 2);
        if (n == 1)
            break;
        assert_int_equal(server.sent, 30000 + len - asked_from());
        tear_down(state);
        set_up(state);
        free(packed);
        packed = offer_packed(&len);
    }
    free(packed);
}

/* Its own SHA-256 cannot be told any more; the image's can. */
static void another_packed_file_behind_a_restart_is_noticed(void **state)
{
    size_t len, other_len;
    uint8_t *packed = offer_packed(&len), *image = images_one("3.0.0", 4, 60000, &other_len);
    uint8_t *other = packed_in_blocks(image, other_len, PACKED_BLOCK, &other_len);

    (void)state;
    lose_power_while_it_comes();
    server.file = other;
    pass(3);
    assert_true(asked_from() > 0);
    assert_string_equal(newest()->code, "image_checksum");
    assert_string_equal(world_version(&w), "1.0.0");
    server.file = packed;
    pass(300);
    assert_string_equal(world_version(&w), "3.0.0");
    free(image);
    free(other);
    free(packed);
}

/* Each window ends when another 15000 bytes have come, in a life of its own: some are sent twice, but fewer
 * than come. */
static void a_packed_file_comes_through_windows_that_are_too_short_for_it(void **state)
{
    size_t len;
    uint8_t *packed = offer_packed(&len);
    unsigned windows = 0;
    unsigned long began = 0;

    (void)state;
    resumes = has_clock = true;
    pull.window = (struct otapult_window){.from = 120, .to = 240};
    wall = (struct otapult_wall_time){.unix_s = 1790000000, .minute = 200};
    assert_true(world_boot(&w));
    while (strcmp(world_version(&w), "3.0.0") != 0) {
        assert_in_range(++windows, 1, 8);
        wall.minute = 200;
        server.closes_window_at = server.sent + 15000;
        pass(100);
        assert_true(windows == 1 || asked_from() > began);
        began = asked_from();
    }
    assert_in_range(windows, len / 15000, 8);
    free(packed);
}

static void a_packed_file_whose_image_nobody_names_begins_anew(void **state)
{
    size_t len;
    uint8_t *packed = offer_packed(&len);

    (void)state;
    source.offer.has_sha256 = false;
    lose_power_while_it_comes();
    pass(60);
    assert_string_equal(world_version(&w), "3.0.0");
    assert_int_equal(asked_from(), 0);
    assert_int_equal(server.sent, 30000 + len);
    free(packed);
}

static void another_release_behind_a_restart_begins_anew(void **state)
{
    (void)state;
    lose_power_while_it_comes();
    offer("2.0.0", v2, v2_len);
    pass(60);
    assert_string_equal(world_version(&w), "2.0.0");
    assert_string_equal(server.last_headers, "");
}

/* What lies in the slot then is another's. */
static void an_upload_behind_a_restart_ends_what_was_there(void **state)
{
    (void)state;
    lose_power_while_it_comes();
    assert_int_equal(world_upload(&w, v2, v2_len - 100, 1000), OTAPULT_E_IMAGE_TRUNCATED);
    pass(60);
    assert_string_equal(world_version(&w), "3.0.0");
    assert_string_equal(server.last_headers, "");
}

/* It ends with a point of its own, wherever the last step was. */
static void what_was_given_up_for_the_network_goes_on_later(void **state)
{
    struct otapult_status s;

    (void)state;
    resumes = true;
    resume_step = 16384;
    pull.source = &quiet;
    assert_true(world_boot(&w));
    server.cuts[0] = 30000;
    first_request();
    server.err = OTAPULT_E_SOURCE_LOST;
    pass(400);
    otapult_status(w.ota, &s);
    assert_int_equal(s.claim, OTAPULT_FREE);
    server.err = 0;
    pass(1200);
    assert_string_equal(world_version(&w), "3.0.0");
    assert_string_equal(server.last_headers, "Range: bytes=28672-\r\nIf-Range: \"one\"\r\n");
}

/* The device is held for a server that answers. */
static void one_that_goes_on_gives_the_robot_back_at_once_too(void **state)
{
    struct otapult_status s;

    (void)state;
    lose_power_while_it_comes();
    server.err = OTAPULT_E_SOURCE_UNREACHABLE;
    pass(3);
    assert_int_equal(server.requests, 2);
    otapult_status(w.ota, &s);
    assert_int_equal(s.claim, OTAPULT_FREE);
    server.err = 0;
    pass(300);
    assert_string_equal(world_version(&w), "3.0.0");
    assert_non_null(strstr(server.last_headers, "Range: bytes=28672-"));
}

/* ---- configuration ---- */

static void a_wrong_configuration_is_refused(void **state)
{
    struct otapult_pull good = pull;
    struct otapult_config config = {.port = &w.board.port, OTAPULT_CONFIG_DEFAULT, .pull = &pull};
    static union otapult_memory spare;
    struct otapult *o;

    (void)state;
    config.ready = otapult_always_ready;
    config.hold = otapult_nothing_moves;
    assert_int_equal(otapult_start(&spare, &config, &o), 0);
    for (unsigned n = 0; n < 9; n++) {
        pull = good;
        switch (n) {
        case 0: pull.code = NULL; break;
        case 1: pull.memory = NULL; break;
        case 2: pull.fetch = NULL; break;
        case 3: pull.source = NULL; break;
        case 4: pull.id = ""; break;
        case 5: pull.ask_s = 0; break;
        case 6: pull.retry_s = 0; break;
        case 7: pull.window.to = 1440; break;
        default: pull.source_config = ""; break;
        }
        assert_int_equal(otapult_start(&spare, &config, &o), OTAPULT_E_CONFIG);
    }
}

static void a_device_without_a_source_says_so(void **state)
{
    struct otapult_offer_view v;

    (void)state;
    w.configure = NULL;
    assert_true(world_boot(&w));
    otapult_pull_poll(w.ota);
    assert_false(otapult_offer_view(w.ota, false, &v));
    assert_int_equal(choose(OTAPULT_OFFER_INSTALL), OTAPULT_E_NO_SOURCE);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

static const struct CMUnitTest tests[] = {
    TEST(an_offer_is_fetched_tried_and_only_then_reported),
    TEST(who_started_it_stands_in_the_journal),
    TEST(one_that_goes_back_is_a_failure_and_is_not_taken_again),
    TEST(what_never_runs_is_not_fetched_for_ever),
    TEST(a_rollback_that_led_to_it_is_no_word_against_it),
    TEST(what_was_confirmed_and_left_before_anybody_looked_has_succeeded),
    TEST(what_somebody_went_back_from_waits_for_a_person),
    TEST(what_is_assigned_anew_is_taken_again),
    TEST(a_verdict_is_told_until_it_is_heard),
    TEST(what_runs_already_is_not_fetched_again),
    TEST(what_breaks_off_goes_on_where_it_was),
    TEST(a_weak_validator_is_not_sent_back),
    TEST(a_server_that_begins_anew_is_compared),
    TEST(another_file_behind_a_break_is_noticed),
    TEST(a_file_of_another_size_is_not_taken),
    TEST(a_file_that_says_no_size_and_is_longer_is_not_taken),
    TEST(a_file_with_another_digest_is_not_taken),
    TEST(an_image_with_another_digest_is_not_taken),
    TEST(a_part_from_elsewhere_is_not_taken),
    TEST(the_first_request_that_brings_nothing_gives_the_robot_back),
    TEST(silence_in_the_middle_ends_after_five_minutes),
    TEST(redirects_stay_where_they_are_configured_to),
    TEST(a_named_host_is_followed_without_the_token),
    TEST(a_person_is_asked),
    TEST(urgent_ones_need_no_person),
    TEST(later_is_a_day),
    TEST(a_skipped_one_stays_skipped),
    TEST(what_is_older_is_not_even_a_person_s),
    TEST(an_older_image_is_not_taken_under_a_newer_label),
    TEST(a_file_whose_digest_is_all_zeros_is_an_offer_like_others),
    TEST(another_project_is_not_even_a_person_s),
    TEST(a_source_that_waits_for_the_end_is_told_what_will_not_be),
    TEST(what_is_only_to_be_written_waits_and_is_started_without_a_second_download),
    TEST(what_runs_already_is_a_success_without_a_restart),
    TEST(a_label_that_is_the_same_proves_nothing),
    TEST(without_a_clock_nothing_happens_by_itself_in_a_window),
    TEST(what_is_not_there_when_the_window_ends_waits_for_the_next_one),
    TEST(a_window_may_end_while_bytes_come),
    TEST(a_person_needs_no_window),
    TEST(an_update_by_hand_ends_nothing_and_is_ended_by_a_person),
    TEST(a_word_ends_nobody_elses_update),
    TEST(a_withdrawn_one_is_given_up),
    TEST(consent_comes_before_the_files),
    TEST(a_packed_file_that_is_none_leads_to_the_plain_one),
    TEST(a_file_that_is_no_firmware_is_told_and_left_alone),
    TEST(a_source_that_does_not_answer_is_asked_less_and_noted_once),
    TEST(the_clock_of_the_device_may_wrap),
    TEST(a_cut_in_the_middle_begins_again),
    TEST(a_cut_in_the_middle_goes_on_where_uploads_do),
    TEST(a_server_that_knows_no_parts_is_compared_with_an_earlier_life),
    TEST(another_file_behind_a_restart_is_noticed),
    TEST(a_slot_that_has_changed_behind_a_restart_is_noticed),
    TEST(a_packed_file_goes_on_behind_a_cut),
    TEST(another_packed_file_behind_a_restart_is_noticed),
    TEST(a_packed_file_comes_through_windows_that_are_too_short_for_it),
    TEST(a_packed_file_whose_image_nobody_names_begins_anew),
    TEST(another_release_behind_a_restart_begins_anew),
    TEST(an_upload_behind_a_restart_ends_what_was_there),
    TEST(what_was_given_up_for_the_network_goes_on_later),
    TEST(one_that_goes_on_gives_the_robot_back_at_once_too),
    TEST(a_wrong_configuration_is_refused),
    TEST(a_device_without_a_source_says_so),
};

int main(void)
{
    return cmocka_run_group_tests(tests, make_images, free_images);
}
