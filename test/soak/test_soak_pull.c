/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <nettle/sha2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fixed_signer.h"
#include "hex.h"
#include "images.h"
#include "oracle.h"
#include "otapult/offer.h"
#include "world.h"

/* Days of a robot whose server is no good and whose clock is none: 24 hours each, in seconds of this
 * computer. The server drops, lies, is away, is slow, answers with nonsense or another file; SNTP comes late,
 * or goes back, or says 1970; power goes. Whatever happens:
 *   - nothing is begun nor activated outside of the maintenance window, or without a clock;
 *   - the server is not asked oftener than back-off allows, and nobody else is asked at all;
 *   - a firmware that was rejected here is not fetched again by itself;
 *   - every download that ends badly, and every new error of the source, has its line in the journal;
 *   - an update server hears of success only while that version runs, confirmed;
 *   - in the end, with a server that is well and a clock that is right, the newest release runs.
 * A failing day prints the line that plays it alone. SEED=N plays day N, DAYS=N so many. */

#define HOUR        3600u
#define DAY         (24 * HOUR)
#define ASK_S       900u
#define RETRY_S     60u
#define WINDOW_FROM 120u /* minutes of the day here, which is two hours ahead of UTC */
#define BEGINNING   1790000000u

/* An hour of failures: a question after 30 seconds at the earliest, then after 60, 120, 240 and 450; an
 * answer begins that anew, and is followed by 810 seconds. A download has its own: 5 minutes without 16 KB,
 * in steps that double up to 30 seconds, four times in a file of 60 KB. */
#define QUESTIONS_AN_HOUR 28u
#define REQUESTS_AN_HOUR  160u

static struct world w;
static union otapult_pull_memory memory;
static unsigned seed;
static uint16_t window_to; /* a short one, or the whole morning */
static uint32_t dice;

static void stop_here(const char *what)
{
    print_error("%s\nalone: SEED=%u build/asan/test/test_soak_pull\n", what, seed);
    fail();
}

#define HOLDS(fact)           \
    do {                      \
        if (!(fact))          \
            stop_here(#fact); \
    } while (0)

static uint32_t below(uint32_t n)
{
    dice ^= dice << 13;
    dice ^= dice >> 17;
    dice ^= dice << 5;
    return dice % n;
}

/* ---- the time ---- */

static struct {
    uint32_t s;     /* since the day began */
    uint32_t begin; /* what time it was then */
    enum { CLOCK_UNKNOWN, CLOCK_RIGHT, CLOCK_1970, CLOCK_OFF, CLOCK_NONSENSE } clock;
    int32_t off;
    uint32_t next_clock, next_mood, next_cut;
} now;

static uint32_t unix_here(void)
{
    uint32_t right = now.begin + now.s;

    if (now.clock == CLOCK_1970)
        return now.s;
    return now.clock == CLOCK_OFF ? right + (uint32_t)now.off : right;
}

static bool wall_now(void *ctx, struct otapult_wall_time *out)
{
    uint32_t s = unix_here();

    (void)ctx;
    *out = (struct otapult_wall_time){.unix_s = s,
                                      .minute = (uint16_t)((s + 2 * HOUR) / 60 % 1440),
                                      .weekday = (uint8_t)(((s + 2 * HOUR) / DAY + 4) % 7)};
    if (now.clock == CLOCK_NONSENSE)
        out->minute = 1441;
    return now.clock != CLOCK_UNKNOWN;
}

/* May something happen by itself? As the documents say it, and not as the device does. */
static bool may_happen(void)
{
    uint32_t minute = (unix_here() + 2 * HOUR) / 60 % 1440;
    bool known = now.clock == CLOCK_RIGHT || now.clock == CLOCK_OFF;

    return known && minute >= WINDOW_FROM && minute < window_to;
}

static void change_clock(void)
{
    static const uint8_t ways[] = {CLOCK_RIGHT, CLOCK_RIGHT, CLOCK_UNKNOWN, CLOCK_1970,
                                   CLOCK_OFF,   CLOCK_OFF,   CLOCK_NONSENSE};

    now.clock = ways[below(sizeof ways)];
    now.off = (int32_t)below(2 * DAY) - (int32_t)DAY;
    if (below(4) == 0)
        now.off = (int32_t)below(60 * DAY);
    now.next_clock = now.s + 600 + below(3 * HOUR);
}

/* ---- the releases ---- */

struct release {
    uint8_t *image;
    size_t len;
    char version[8];
    char manifest[1024];
    uint8_t signature[SIGNER_SECTOR];
    char sha256[65];
};

static struct release releases[2]; /* 2.0.0, which may be no good, and 3.0.0 */
static bool first_is_bad, hawkbit;
static unsigned published; /* the one that is there */
static bool rejected;      /* 2.0.0 was, on this robot */
static bool again;         /* and was assigned once more: then its first bytes are looked at */

static void make_release(struct release *r, const char *version, unsigned number)
{
    struct fixed_digests d;
    struct sha384_ctx h;
    uint8_t sha256[32];
    char build[9];

    strcpy(r->version, version);
    r->image = images_one(version, number + 2, 50000, &r->len);
    oracle_sha256(r->image, r->len, sha256);
    hex_of(sha256, sizeof sha256, r->sha256);
    hex_of(r->image + 32 + 144, 4, build); /* of its ELF's SHA-256 */
    snprintf(
        r->manifest, sizeof r->manifest,
        "{\"otapult\":1,\"channel\":\"stable\",\"sequence\":%u,\"date\":%u,\"expires\":%u,\"project\":\"\","
        "\"version\":\"%s\",\"files\":[{\"name\":\"%s.bin\",\"form\":\"plain\",\"chip\":\"ESP32-S3\","
        "\"build\":\"%s\",\"size\":%zu,\"sha256\":\"%s\"}]}",
        number + 5, BEGINNING - 1000 + number, BEGINNING + 40 * DAY, version, version, build, r->len,
        r->sha256);
    oracle_sha256((const uint8_t *)r->manifest, strlen(r->manifest), d.sha256);
    sha384_init(&h);
    sha384_update(&h, strlen(r->manifest), (const uint8_t *)r->manifest);
    sha384_digest(&h, sizeof d.sha384, d.sha384);
    memset(r->signature, 0xFF, sizeof r->signature);
    fixed_signer_block(FIXED_P256, &d, r->signature);
}

/* ---- the server ---- */

enum mood {
    WELL,
    AWAY,
    STRANGER,
    BROKEN,
    BUSY,
    DROPS,
    NO_PARTS,
    SLOW,
    NONSENSE,
    OTHER_FILE,
    LIES,
    ELSEWHERE,
    ENDLESS,
    OLD,
    MOODS
};

static struct {
    enum mood mood;
    unsigned questions, requests;           /* of this hour */
    unsigned most_questions, most_requests; /* of all hours */
    unsigned action;                        /* hawkBit's, which is open; 0: none */
    unsigned last_action, cancelled;
    unsigned release_of[16]; /* by action */
    unsigned successes;
} server;

/* An answer as it should be. */
struct reply {
    int status;
    const uint8_t *body;
    size_t len;
    const char *etag;
    bool file;
};

static char page[2048];

static struct reply say(int status, const char *text)
{
    return (struct reply){.status = status, .body = (const uint8_t *)text, .len = strlen(text)};
}

static const struct release *shown(void)
{
    return &releases[server.mood == OLD ? 0 : published];
}

static struct reply find_file(const char *url)
{
    unsigned n = strstr(url, "/3.0.0.bin") != NULL;

    HOLDS(!(rejected && n == 0 && !again)); /* never again by itself */
    return (struct reply){200, releases[n].image, releases[n].len, n == 0 ? "\"two\"" : "\"three\"", true};
}

static struct reply folder_reply(const char *url)
{
    if (strstr(url, ".sig") != NULL)
        return (struct reply){200, shown()->signature, SIGNER_SECTOR, NULL, false};
    if (strstr(url, ".bin") != NULL)
        return find_file(url);
    server.questions++;
    return say(200, shown()->manifest);
}

#define BASE "https://a.org/DEFAULT/controller/v1/rover-7"

static struct reply hawkbit_poll(void)
{
    char link[200] = "";

    server.questions++;
    if (server.cancelled != 0)
        snprintf(link, sizeof link, "\"cancelAction\":{\"href\":\"" BASE "/cancelAction/%u\"}",
                 server.cancelled);
    else if (server.action != 0)
        snprintf(link, sizeof link, "\"deploymentBase\":{\"href\":\"" BASE "/deploymentBase/%u?c=1\"}",
                 server.action);
    snprintf(page, sizeof page, "{\"config\":{\"polling\":{\"sleep\":\"00:15:00\"}},\"_links\":{%s}}", link);
    return say(200, page);
}

static struct reply hawkbit_action(void)
{
    const struct release *r = &releases[server.release_of[server.action]];

    snprintf(
        page, sizeof page,
        "{\"id\":\"%u\",\"deployment\":{\"download\":\"forced\",\"update\":\"forced\",\"chunks\":[{\"part\":\"os\","
        "\"version\":\"%s\",\"name\":\"fw\",\"artifacts\":[{\"filename\":\"%s.bin\",\"hashes\":{\"sha256\":\"%s\"},"
        "\"size\":%zu,\"_links\":{\"download\":{\"href\":\"" BASE
        "/softwaremodules/1/artifacts/%s.bin\"}}}]}]}}",
        server.action, r->version, r->version, r->sha256, r->len, r->version);
    return say(200, page);
}

static void see_success(unsigned action)
{
    struct otapult_status s;

    otapult_status(w.ota, &s);
    HOLDS(!s.pending && strcmp(world_version(&w), releases[server.release_of[action]].version) == 0);
    HOLDS(!(first_is_bad && server.release_of[action] == 0));
    server.successes++;
}

static struct reply hawkbit_feedback(const struct otapult_fetch_request *r)
{
    const char *body = r->body != NULL ? r->body : "";
    unsigned action =
        (unsigned)strtoul(strstr(r->url, "Base/") != NULL ? strstr(r->url, "Base/") + 5 : "0", NULL, 10);
    bool closed = strstr(body, "\"closed\"") != NULL;

    if (strstr(r->url, "cancelAction/") != NULL) {
        server.cancelled = 0;
        return say(200, "");
    }
    if (action != server.action && action != server.cancelled)
        return say(410, "");
    if (closed && strstr(body, "\"success\"") != NULL)
        see_success(action);
    if (closed)
        *(action == server.action ? &server.action : &server.cancelled) = 0;
    return say(200, "");
}

static struct reply hawkbit_reply(const struct otapult_fetch_request *r)
{
    if (strstr(r->url, "/configData") != NULL)
        return say(200, "");
    if (strcmp(r->method, "POST") == 0)
        return hawkbit_feedback(r);
    if (strstr(r->url, "/cancelAction/") != NULL) {
        snprintf(page, sizeof page, "{\"id\":\"%u\",\"cancelAction\":{\"stopId\":\"%u\"}}", server.cancelled,
                 server.cancelled);
        return say(server.cancelled != 0 ? 200 : 404, page);
    }
    if (strstr(r->url, "/deploymentBase/") != NULL)
        return server.action != 0 ? hawkbit_action() : say(404, "");
    return strstr(r->url, ".bin") != NULL ? find_file(r->url) : hawkbit_poll();
}

/* ---- what becomes of it on the way ---- */

static void pass_seconds(uint32_t s)
{
    now.s += s;
    w.clock += s * 1000;
}

static int send_head(const struct otapult_fetch_request *r, const struct reply *a, size_t from)
{
    char text[64];
    bool lies = server.mood == LIES;
    int err = r->status(r->to, from > 0 ? 206 : a->status);

    if (err == 0 && from > 0) {
        snprintf(text, sizeof text, "bytes %zu-%zu/%zu", from + (lies ? 7 : 0), a->len - 1, a->len);
        r->header(r->to, "Content-Range", text);
    }
    snprintf(text, sizeof text, "%zu", a->len - from + (lies ? below(100) : 0));
    if (err == 0 && server.mood != ENDLESS)
        r->header(r->to, "Content-Length", text);
    if (err == 0 && a->etag != NULL)
        r->header(r->to, "ETag", server.mood == OTHER_FILE ? "\"other\"" : a->etag);
    if (err == 0 && server.mood == BUSY)
        r->header(r->to, "Retry-After", "600");
    return err;
}

static int send_body(const struct otapult_fetch_request *r, const struct reply *a, size_t from)
{
    uint8_t piece[1024];
    size_t end = server.mood == DROPS ? from + below((uint32_t)(a->len - from) + 1) : a->len;
    int err = 0;

    for (size_t at = from; err == 0 && at < end; at += sizeof piece) {
        size_t n = end - at < sizeof piece ? end - at : sizeof piece;
        memcpy(piece, a->body + at, n);
        if (server.mood == OTHER_FILE && a->file && at >= 30 * sizeof piece)
            piece[n - 1] ^= 0x55;
        if (server.mood == SLOW && strcmp(r->method, "GET") == 0)
            pass_seconds(below(40));
        err = r->data(r->to, piece, n);
    }
    for (unsigned more = 0; err == 0 && server.mood == ENDLESS && more < 500; more++)
        err = r->data(r->to, memset(piece, ' ', sizeof piece), sizeof piece);
    return err == 0 && end < a->len ? OTAPULT_E_SOURCE_LOST : err;
}

static struct reply spoil(struct reply a)
{
    static const char *const nonsense[] = {"",
                                           "{",
                                           "[]",
                                           "null",
                                           "{\"id\":7}",
                                           "<html>",
                                           "{\"otapult\":1,\"files\":[{}]}",
                                           "{\"config\":{\"polling\":{\"sleep\":\"soon\"}},\"_links\":[1]}"};

    if (server.mood == BROKEN || server.mood == BUSY)
        return say(server.mood == BROKEN ? 500 : 503, "an error page");
    if (server.mood == NONSENSE && !a.file)
        return say(200, nonsense[below(sizeof nonsense / sizeof *nonsense)]);
    return a;
}

static size_t begin_of(const struct otapult_fetch_request *r, const struct reply *a)
{
    const char *range = strstr(r->headers, "Range: bytes="), *condition = strstr(r->headers, "If-Range: ");

    if (!a->file || a->status != 200 || range == NULL || server.mood == NO_PARTS)
        return 0;
    if (condition != NULL && strncmp(condition + 10, a->etag, strlen(a->etag)) != 0)
        return 0;
    size_t from = strtoul(range + 13, NULL, 10);
    HOLDS(from < a->len);
    return from;
}

/* As a server says it that has ETags for texts, too: by their SHA-256. */
static bool is_known(const struct otapult_fetch_request *r, struct reply *a)
{
    static char etag[40];
    uint8_t sha256[32];

    if (a->file || a->status != 200 || a->len == 0 || seed % 4 == 1)
        return false;
    oracle_sha256(a->body, a->len, sha256);
    etag[0] = '"';
    hex_of(sha256, 8, etag + 1);
    strcat(etag, "\"");
    a->etag = etag;
    const char *known = strstr(r->headers, "If-None-Match: ");
    return known != NULL && strncmp(known + 15, etag, strlen(etag)) == 0;
}

static int answer(void *ctx, const struct otapult_fetch_request *r, struct otapult_finding *why)
{
    (void)ctx;
    *why = (struct otapult_finding){.text = "the soak"};
    HOLDS(strncmp(r->url, "https://a.org/", 14) == 0);
    server.requests++;
    if (server.mood == AWAY || server.mood == STRANGER) {
        server.questions += strstr(r->url, ".bin") == NULL && strcmp(r->method, "GET") == 0;
        return server.mood == AWAY ? OTAPULT_E_SOURCE_UNREACHABLE : OTAPULT_E_SOURCE_CERTIFICATE;
    }
    struct reply a = spoil(hawkbit ? hawkbit_reply(r) : folder_reply(r->url));
    if (server.mood == ELSEWHERE) {
        int err = r->status(r->to, 302);
        if (err == 0)
            r->header(r->to, "Location", "https://evil.example/");
        return err;
    }
    if (is_known(r, &a))
        return r->status(r->to, 304);
    size_t from = begin_of(r, &a);
    int err = send_head(r, &a, from);
    return err == 0 ? send_body(r, &a, from) : err;
}

/* ---- the device ---- */

static const struct otapult_fetch fetch = {.run = answer};
static const struct otapult_clock clock_of_day = {.now = wall_now};
static const struct otapult_folder folder = {.url = "https://a.org/site/otapult.json"};
static const struct otapult_hawkbit ddi = {.url = "https://a.org", .token = "secret"};
static uint8_t keys[1][OTAPULT_KEY_DIGEST];
static struct otapult_pull pull;

static void configure(void *ctx, struct otapult_config *config)
{
    (void)ctx;
    pull = (struct otapult_pull){.code = &otapult_pulling,
                                 .source = hawkbit ? &otapult_hawkbit : &otapult_folder,
                                 .source_config = hawkbit ? (const void *)&ddi : &folder,
                                 .fetch = &fetch,
                                 .clock = &clock_of_day,
                                 .memory = &memory,
                                 .id = "rover-7",
                                 .policy = OTAPULT_PULL_AUTO,
                                 .first_s = 300,
                                 .ask_s = ASK_S,
                                 .retry_s = RETRY_S,
                                 .window = {.from = WINDOW_FROM, .to = window_to}};
    config->pull = &pull;
    config->resumable = seed % 3 != 0 ? &otapult_resumable : NULL;
    config->resume_step = 8192;
    config->keys = (const uint8_t(*)[OTAPULT_KEY_DIGEST])keys;
    config->key_count = 1;
}

/* ---- what must hold ---- */

static struct {
    uint8_t state;
    int error;
    uint32_t seq;
} seen;

static void see_journal(void)
{
    struct otapult_log_entry e;

    for (unsigned n = 0; otapult_log_entry(w.ota, n, &e); n++)
        rejected = rejected || (first_is_bad && e.event == OTAPULT_EV_REJECTED);
}

static bool journal_has(const char *code)
{
    struct otapult_log_entry e;

    for (unsigned n = 0; n < 4 && otapult_log_entry(w.ota, n, &e); n++)
        if (strcmp(e.code, code) == 0)
            return true;
    return false;
}

static uint32_t newest(void)
{
    struct otapult_log_entry e;

    return otapult_log_entry(w.ota, 0, &e) ? e.seq : 0;
}

static void look(void)
{
    struct otapult_offer_view v;

    HOLDS(otapult_offer_view(w.ota, false, &v));
    if (v.state == OTAPULT_PULL_FETCHING && seen.state != OTAPULT_PULL_FETCHING)
        HOLDS(may_happen());
    if (v.state == OTAPULT_PULL_TRYING && seen.state == OTAPULT_PULL_FETCHING)
        HOLDS(may_happen());
    if (v.state != OTAPULT_PULL_FETCHING && seen.state == OTAPULT_PULL_FETCHING)
        HOLDS(newest() != seen.seq);
    if (v.error != 0 && v.error != seen.error)
        HOLDS(journal_has(otapult_error_row(v.error)->code));
    seen.state = v.state;
    seen.error = v.error;
    seen.seq = newest();
}

static void begin_life(void)
{
    HOLDS(world_boot(&w));
    seen.state = OTAPULT_PULL_IDLE;
    seen.error = 0;
    seen.seq = newest();
    bool is_bad = first_is_bad && strcmp(world_version(&w), "2.0.0") == 0;
    HOLDS(!(is_bad && rejected));
    w.health = is_bad ? OTAPULT_HEALTH_FAIL : OTAPULT_HEALTH_PASS;
    see_journal();
}

static void end_hour(void)
{
    HOLDS(server.questions <= QUESTIONS_AN_HOUR);
    HOLDS(server.requests <= REQUESTS_AN_HOUR);
    server.most_questions = server.questions > server.most_questions ? server.questions
                                                                     : server.most_questions;
    server.most_requests = server.requests > server.most_requests ? server.requests : server.most_requests;
    server.questions = server.requests = 0;
}

/* ---- a day ---- */

static void assign(unsigned release)
{
    published = release;
    if (!hawkbit)
        return;
    server.cancelled = server.action;
    server.action = ++server.last_action;
    server.release_of[server.action] = release;
}

static void a_moment(void)
{
    pass_seconds(seen.state == OTAPULT_PULL_FETCHING || seen.state == OTAPULT_PULL_TRYING ? 1 : 5);
    for (unsigned n = 0; n < 2; n++) {
        otapult_pull_poll(w.ota);
        look();
    }
    otapult_poll(w.ota);
    if (w.board.restart) {
        w.reset = OTAPULT_RESET_SOFTWARE;
        begin_life();
    }
}

static void what_is_due(void)
{
    if (now.s >= now.next_clock)
        change_clock();
    if (now.s >= now.next_mood) {
        server.mood = below(3) == 0 ? WELL : (enum mood)below(MOODS);
        now.next_mood = now.s + 120 + below(HOUR);
    }
    if (now.s < now.next_cut)
        return;
    now.next_cut = now.s + HOUR + below(12 * HOUR);
    world_pull_plug(&w);
    begin_life();
}

static void begin_day(void)
{
    memset(&w, 0, sizeof w);
    memset(&server, 0, sizeof server);
    memset(&now, 0, sizeof now);
    dice = seed * 2654435761u + 1;
    first_is_bad = seed % 2 == 0;
    hawkbit = seed / 2 % 2 == 0;
    rejected = again = false;
    window_to = seed % 5 < 3 ? 240 : 720;
    now.begin = BEGINNING + below(DAY);
    now.clock = CLOCK_UNKNOWN; /* SNTP is late */
    now.next_clock = below(3 * HOUR);
    now.next_cut = below(DAY);
    world_init(&w, WORLD_TWO_OTA, v1, v1_len);
    w.configure = configure;
    w.clock = UINT32_MAX - below(DAY * 1000); /* it wraps some time */
    assign(0);
    begin_life();
}

static void play_day(void)
{
    uint32_t next_hour = HOUR;
    bool third = false;

    begin_day();
    while (now.s < DAY) {
        what_is_due();
        a_moment();
        if (now.s >= 15 * HOUR && rejected && hawkbit && server.action == 0 && !again) {
            again = true;
            assign(0); /* the operator does not believe it */
        }
        if (now.s >= 18 * HOUR && !third) {
            third = true;
            assign(1);
        }
        if (now.s >= next_hour) {
            end_hour();
            next_hour += HOUR;
        }
    }
}

static void all_is_well(void)
{
    server.mood = WELL;
    now.clock = CLOCK_RIGHT;
    if (hawkbit && server.action == 0 && server.cancelled == 0 && strcmp(world_version(&w), "3.0.0") != 0)
        assign(1); /* it was told of wrong files for too long; the operator has looked at it */
    for (uint32_t end = now.s + 26 * HOUR; now.s < end;)
        a_moment();
    HOLDS(strcmp(world_version(&w), "3.0.0") == 0);
    HOLDS(!hawkbit || (server.action == 0 && server.cancelled == 0 && server.successes > 0));
}

static void days_with_a_bad_server_and_a_bad_clock(void **state)
{
    const char *alone = getenv("SEED"), *many = getenv("DAYS");
    unsigned from = alone != NULL ? (unsigned)atoi(alone) : 0;
    unsigned to = alone != NULL ? from + 1 : many != NULL ? (unsigned)atoi(many) : 8;
    unsigned questions = 0, requests = 0;

    (void)state;
    for (seed = from; seed < to; seed++) {
        play_day();
        all_is_well();
        questions = server.most_questions > questions ? server.most_questions : questions;
        requests = server.most_requests > requests ? server.most_requests : requests;
        world_end(&w);
    }
    print_message("%u days; in one hour at most %u questions, %u requests\n", to - from, questions, requests);
}

static int make_all(void **state)
{
    memcpy(keys[0], fixed_key_digest(FIXED_P256), sizeof keys[0]);
    make_release(&releases[0], "2.0.0", 0);
    make_release(&releases[1], "3.0.0", 1);
    return images_make(state);
}

static int free_all(void **state)
{
    free(releases[0].image);
    free(releases[1].image);
    return images_free(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(days_with_a_bad_server_and_a_bad_clock)};

    return cmocka_run_group_tests_name("soak_pull", tests, make_all, free_all);
}
