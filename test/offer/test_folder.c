/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <nettle/sha2.h>
#include <stdio.h>
#include <string.h>

#include "fixed_signer.h"
#include "images.h"
#include "offer/manifest.h"
#include "offer/source.h"
#include "world.h"

/* A web folder as the device reads it: what its manifest says, whose signature counts, and what is too old.
 */

static struct world w;
static union otapult_pull_memory memory;
static struct otapult_pull pull;
static struct otapult_folder folder;
static uint8_t keys[1][OTAPULT_KEY_DIGEST];
static size_t key_count;

/* ---- the server ---- */

static char manifest[70000];
static size_t manifest_len; /* 0: up to the NUL */
static uint8_t sector[SIGNER_SECTOR + 16];
static size_t sector_len;
static unsigned requests, chunk;
static const char *etag;   /* of the manifest; NULL: its server has none */
static char asked[512];    /* the headers of the last request for it */
static unsigned unchanged; /* answers with 304 */
static int status_of_signature;

static int answer(void *ctx, const struct otapult_fetch_request *r, struct otapult_finding *why)
{
    bool signature = strstr(r->url, ".sig") != NULL;
    size_t text_len = manifest_len != 0 ? manifest_len : strlen(manifest);
    const uint8_t *bytes = signature ? sector : (const uint8_t *)manifest;
    size_t len = signature ? sector_len : text_len;
    const char *known = strstr(r->headers, "If-None-Match: ");

    (void)ctx;
    (void)why;
    requests++;
    if (!signature)
        snprintf(asked, sizeof asked, "%s", r->headers);
    if (!signature && etag != NULL && known != NULL && strncmp(known + 15, etag, strlen(etag)) == 0) {
        unchanged++;
        return r->status(r->to, 304);
    }
    int err = r->status(r->to, signature ? status_of_signature : 200);
    if (err == 0)
        r->header(r->to, "ETag", signature ? "\"sig\"" : etag != NULL ? etag : "");
    for (size_t at = 0; err == 0 && at < len; at += chunk)
        err = r->data(r->to, bytes + at, chunk < len - at ? chunk : len - at);
    return err;
}

static const struct otapult_fetch fetch = {.run = answer};

static void sign(enum fixed_key key)
{
    struct fixed_digests d;
    struct sha256_ctx h256;
    struct sha384_ctx h384;
    size_t len = manifest_len != 0 ? manifest_len : strlen(manifest);

    sha256_init(&h256);
    sha256_update(&h256, len, (const uint8_t *)manifest);
    sha256_digest(&h256, 32, d.sha256);
    sha384_init(&h384);
    sha384_update(&h384, len, (const uint8_t *)manifest);
    sha384_digest(&h384, 48, d.sha384);
    memset(sector, 0xFF, sizeof sector);
    fixed_signer_block(key, &d, sector);
    sector_len = SIGNER_SECTOR;
}

/* ---- a manifest ---- */

#define SHA   "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define OTHER "11112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define ROW(name, form, size, more)           \
    "{\"name\":\"" name "\",\"form\":\"" form \
    "\",\"chip\":\"ESP32-S3\",\"build\":\"0a0b0c0d\",\"size\":" size ",\"sha256\":\"" SHA "\"" more "}"
#define HEADING(version)                                                                                              \
    "\"otapult\":1,\"channel\":\"stable\",\"sequence\":5,\"date\":1790000000,\"project\":\"\",\"version\":\"" version \
    "\""
#define HEAD HEADING("3.0.0")
#define GOOD "{" HEAD ",\"files\":[" ROW("f.bin", "plain", "1000", "") "]}"

static void says(const char *text)
{
    snprintf(manifest, sizeof manifest, "%s", text);
    manifest_len = 0;
    sign(FIXED_P256);
}

/* ---- the device ---- */

static const struct otapult_decoder *const decoders[] = {&otapult_gzip, &otapult_patch, NULL};
static uint64_t decoder_memory[(OTAPULT_GZIP_RAM + OTAPULT_PATCH_RAM) / 8];

static void configure(void *ctx, struct otapult_config *config)
{
    (void)ctx;
    config->pull = &pull;
    config->keys = (const uint8_t(*)[OTAPULT_KEY_DIGEST])keys;
    config->key_count = key_count;
    config->decoders = decoders;
    config->decoder_memory = decoder_memory;
    config->decoder_memory_size = sizeof decoder_memory;
}

static int set_up(void **state)
{
    (void)state;
    memset(&w, 0, sizeof w);
    folder = (struct otapult_folder){.url = "https://a.org/site/otapult.json"};
    pull = (struct otapult_pull){.code = &otapult_pulling,
                                 .source = &otapult_folder,
                                 .source_config = &folder,
                                 .fetch = &fetch,
                                 .memory = &memory,
                                 .id = "rover-7",
                                 .ask_s = 100,
                                 .retry_s = 100};
    memcpy(keys[0], fixed_key_digest(FIXED_P256), sizeof keys[0]);
    key_count = 1;
    chunk = 100;
    requests = unchanged = 0;
    etag = NULL;
    status_of_signature = 200;
    world_init(&w, WORLD_TWO_OTA, v1, v1_len);
    w.configure = configure;
    says(GOOD);
    assert_true(world_boot(&w));
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    world_end(&w);
    return 0;
}

static struct otapult_offer_view view(void)
{
    struct otapult_offer_view v;

    assert_true(otapult_offer_view(w.ota, false, &v));
    return v;
}

/* Asks once more and returns the error. */
static int ask(void)
{
    unsigned before = requests;

    for (unsigned n = 0; n < 400 && requests == before; n++) {
        w.clock += 1000;
        otapult_pull_poll(w.ota);
    }
    otapult_pull_poll(w.ota);
    return view().error;
}

static const char *offered(void)
{
    static struct otapult_offer_view v;

    v = view();
    return v.state == OTAPULT_PULL_OFFERED ? v.version : "";
}

/* ---- what it says ---- */

static void a_release_is_offered(void **state)
{
    (void)state;
    for (chunk = 1; chunk < 5000; chunk = chunk * 3 + 1) {
        assert_int_equal(ask(), 0);
        assert_string_equal(offered(), "3.0.0");
        assert_int_equal(view().size, 1000);
        assert_string_equal(view().build, "0a0b0c0d");
    }
}

static void the_smallest_file_that_fits_comes_first(void **state)
{
    char text[4096], build[OTAPULT_BUILD_ID_CHARS + 1];
    struct otapult_slot slot;
    struct otapult_image_info info;

    (void)state;
    assert_int_equal(otapult_slot(w.ota, 0, &slot, &info), 0);
    otapult_build_id(&info.desc, build);
    snprintf(
        text, sizeof text, "{" HEAD ",\"files\":[%s,%s,%s,%s,%s,%s]}", ROW("a.bin.gz", "gzip", "700", ""),
        ROW("f.bin", "plain", "1000", ""),
        "{\"name\":\"p.patch\",\"form\":\"patch\",\"chip\":\"ESP32-S3\",\"build\":\"0a0b0c0d\",\"size\":60,\"sha256\":\"" SHA
        "\",\"base\":\"ffffffff\"}",
        "{\"name\":\"x.bin\",\"form\":\"plain\",\"chip\":\"ESP32-C3\",\"build\":\"0a0b0c0d\",\"size\":10,\"sha256\":\"" SHA
        "\"}",
        ROW("u.zst", "zstd", "20", ""), ROW("b.bin.gz", "gzip", "800", ""));
    says(text);
    assert_int_equal(ask(), 0);
    assert_int_equal(view().size, 700);
    char *base = strstr(text, "ffffffff");
    memcpy(base, build, 8);
    says(text);
    assert_int_equal(ask(), 0);
    assert_int_equal(view().size, 60);
}

static void a_release_of_others_is_nothing(void **state)
{
    static const char *const none[] = {
        "{" HEAD ",\"percentage\":3,\"files\":[" ROW("f.bin", "plain", "1000", "") "]}",
        "{" HEAD ",\"percentage\":3,\"files\":[]}",
        "{" HEADING("1.0.0") ",\"files\":[]}", /* it runs already */
        "{" HEADING("0.9.0") ",\"minimum\":\"1.0.1\",\"files\":[" ROW("f.bin", "plain", "1000", "") "]}",
    };
    static const char *const some[] = {
        "{" HEAD ",\"minimum\":\"1.0.0\",\"files\":[" ROW("f.bin", "plain", "1000", "") "]}",
        "{" HEAD ",\"percentage\":4,\"files\":[" ROW("f.bin", "plain", "1000", "") "]}",
    };

    (void)state;
    for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
        says(none[i]);
        assert_int_equal(ask(), 0);
        assert_string_equal(view().version, "");
        assert_null(view().wait);
    }
    for (size_t i = 0; i < sizeof some / sizeof *some; i++) {
        says(some[i]);
        assert_int_equal(ask(), 0);
        assert_string_equal(offered(), "3.0.0");
    }
}

static void a_release_that_is_not_for_this_robot_is_seen_and_says_why(void **state)
{
    static const struct {
        const char *text, *wait;
    } unfit[] = {
        {"{" HEAD ",\"files\":[]}", "it has no file for this robot"},
        /* no plain one to fall back to */
        {"{" HEAD ",\"files\":[" ROW("a.gz", "gzip", "70", "") "]}", "it has no file for this robot"},
        {"{" HEAD ",\"minimum\":\"1.0.1\",\"files\":[" ROW("f.bin", "plain", "1000", "") "]}",
         "it wants a newer version here first"},
    };
    struct otapult_finding why;

    (void)state;
    for (size_t i = 0; i < sizeof unfit / sizeof *unfit; i++) {
        says(GOOD);
        assert_int_equal(ask(), 0);
        assert_string_equal(offered(), "3.0.0");
        says(unfit[i].text);
        assert_int_equal(ask(), 0);
        assert_int_equal(view().state, OTAPULT_PULL_IDLE);
        assert_string_equal(view().version, "3.0.0");
        assert_string_equal(view().wait, unfit[i].wait);
        assert_int_equal(otapult_offer_choose(w.ota, OTAPULT_OFFER_INSTALL, NULL, &why), OTAPULT_E_NO_OFFER);
    }
    says("{" HEAD ",\"percentage\":3,\"files\":[" ROW("f.bin", "plain", "1000", "") "]}");
    assert_int_equal(ask(), 0);
    assert_string_equal(view().version, "");
    assert_null(view().wait);
}

static void notes_are_cut_and_made_printable(void **state)
{
    char text[2048], notes[600];

    (void)state;
    memset(notes, 'n', sizeof notes);
    notes[sizeof notes - 1] = '\0';
    snprintf(text, sizeof text,
             "{" HEAD ",\"notes\":{\"en\":\"\\u001b[31m%s\",\"ru\":\"Да\",\"de\":7},\"files\":[%s]}", notes,
             ROW("f.bin", "plain", "1000", ""));
    says(text);
    assert_int_equal(ask(), 0);
    assert_memory_equal(view().notes, "?[31mnnn", 8);
    assert_string_equal(view().notes + strlen(view().notes) - 3, "…");
    assert_in_range(strlen(view().notes), 200, OTAPULT_OFFER_NOTES - 1);
}

static void a_bad_manifest_is_an_error_and_the_old_offer_stays(void **state)
{
    static const char *const bad[] = {
        "",
        "[]",
        "null",
        "{}",
        "<html>not found</html>",
        "{" HEAD "}x",
        "{" HEAD ",\"files\":{}}",
        "{" HEAD ",\"files\":[1]}",
        "{" HEAD ",\"files\":[[]]}",
        "{" HEAD ",\"files\":\"f\"}",
        "{" HEAD ",\"files\":[{}]}",
        "{" HEAD ",\"version\":\"3.0.0\",\"files\":[]}", /* twice */
        "{\"otapult\":2,"
        "\"channel\":\"stable\",\"sequence\":5,\"date\":1,\"project\":\"\",\"version\":\"3\",\"files\":[]}",
        "{\"otapult\":\"1\"}",
        "{\"otapult\":1.0}",
        "{\"otapult\":-1}",
        "{\"otapult\":{}}",
        "{\"otapult\":true}",
        "{\"otapult\":1,\"sequence\":4294967296}",
        "{\"otapult\":1,\"version\":\"a version that does not fit into its thirty-two bytes\"}",
        "{" HEAD ",\"notes\":{\"en\":5},\"files\":[]}",
        "{" HEAD ",\"urgent\":\"yes\",\"files\":[]}",
        "{" HEAD ",\"urgent\":null,\"files\":[]}",
        "{" HEAD ",\"expires\":\"soon\",\"files\":[]}",
        "{" HEAD ",\"files\":[" ROW("../f.bin", "plain", "1000", "") "]}",
        "{" HEAD ",\"files\":[" ROW("https://evil/f.bin", "plain", "1000", "") "]}",
        "{" HEAD ",\"files\":[" ROW(".htaccess", "plain", "1000", "") "]}",
        "{" HEAD ",\"files\":[" ROW("", "plain", "1000", "") "]}",
        "{" HEAD ",\"files\":[" ROW("f bin", "plain", "1000", "") "]}",
        "{" HEAD ",\"files\":[" ROW("f.bin", "plain", "0", "") "]}",
        "{" HEAD ",\"files\":[" ROW("f.bin", "plain", "\"1000\"", "") "]}",
        "{" HEAD ",\"files\":[" ROW("f.bin", "plain", "1000", ",\"sha256\":\"" SHA "\"") "]}",
        "{" HEAD ",\"files\":[" ROW("f.bin", "plain", "1000", ",\"image_sha256\":\"00\"") "]}",
        "{" HEAD ",\"files\":[" ROW("f.bin", "plain", "1000", ",\"image_sha256\":\"" OTHER "\"") "]}",
        "{" HEAD ",\"files\":[" ROW("f.bin", "plain", "1000", ",\"image_size\":999") "]}",
        "{" HEAD ",\"files\":[" ROW("f.bin", "plain", "1000", "") "," ROW("f.gz", "gzip", "500",
                                                                          ",\"image_size\":1001") "]}",
        "{" HEAD ",\"files\":[" ROW("f.gz", "gzip", "500", ",\"image_sha256\":\"" OTHER "\"") "," ROW(
            "f.bin", "plain", "1000", "") "]}",
        "{" HEAD ",\"files\":[" ROW("f.bin", "plain", "4294967295", "") "]}",
        "{\"otapult\":1,\"sequence\":4294967295}",
        "{" HEAD ",\"files\":[" ROW("f.bin", "plain", "1000", "") "," ROW("g.bin", "plain", "1000", "") "]}",
    };

    (void)state;
    assert_int_equal(ask(), 0);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        says(bad[i]);
        if (ask() != OTAPULT_E_SOURCE_ANSWER)
            fail_msg("%s: %d", bad[i], view().error);
        assert_string_equal(offered(), "3.0.0");
    }
}

static void a_manifest_without_an_end_ends(void **state)
{
    (void)state;
    memset(manifest, ' ', sizeof manifest);
    manifest_len = OTAPULT_MANIFEST_MAX + 1;
    assert_int_equal(ask(), OTAPULT_E_SOURCE_ANSWER);
    assert_string_equal(view().why_text, "it is too long");
}

static void another_channel_is_refused(void **state)
{
    (void)state;
    folder.channel = "beta";
    assert_int_equal(ask(), OTAPULT_E_SOURCE_ANSWER);
    folder.channel = "stable";
    assert_int_equal(ask(), 0);
}

/* ---- whose it is ---- */

static void only_a_trusted_key_signs(void **state)
{
    (void)state;
    sign(FIXED_OTHER);
    assert_int_equal(ask(), OTAPULT_E_SOURCE_SIGNATURE);
    assert_string_equal(offered(), "");
    sign(FIXED_P256);
    manifest[strlen(manifest) - 1] = ' '; /* one byte of it */
    strcat(manifest, "}");
    assert_int_equal(ask(), OTAPULT_E_SOURCE_SIGNATURE);
    says(GOOD);
    sector[200] ^= 1;
    assert_int_equal(ask(), OTAPULT_E_SOURCE_SIGNATURE);
    says(GOOD);
    for (size_t len = 0; len <= SIGNER_SECTOR + 1; len += len < SIGNER_SECTOR - 1 ? SIGNER_SECTOR - 1 : 1) {
        sector_len = len;
        int err = ask();
        if (len == SIGNER_SECTOR)
            assert_int_equal(err, 0);
        else
            assert_true(err == OTAPULT_E_SOURCE_SIGNATURE || err == OTAPULT_E_SOURCE_ANSWER);
    }
    status_of_signature = 404;
    assert_int_equal(ask(), OTAPULT_E_SOURCE_STATUS);
}

static void every_kind_of_key_signs(void **state)
{
    (void)state;
    for (enum fixed_key key = 0; key < FIXED_KEYS; key++) {
        memcpy(keys[0], fixed_key_digest(key), sizeof keys[0]);
        assert_true(world_boot(&w));
        sign(key);
        assert_int_equal(ask(), 0);
        assert_string_equal(offered(), "3.0.0");
    }
}

static void without_keys_unsigned_must_be_said_to_be_enough(void **state)
{
    static union otapult_memory spare;
    struct otapult_config config = {.port = &w.board.port, OTAPULT_CONFIG_DEFAULT, .pull = &pull};
    struct otapult *o;

    (void)state;
    config.ready = otapult_always_ready;
    config.hold = otapult_nothing_moves;
    assert_int_equal(otapult_start(&spare, &config, &o), OTAPULT_E_CONFIG);
    folder.unsigned_is_enough = true;
    assert_int_equal(otapult_start(&spare, &config, &o), 0);
    pull.plain_http = true; /* and nobody vouches for anything */
    assert_int_equal(otapult_start(&spare, &config, &o), OTAPULT_E_CONFIG);
    config.keys = (const uint8_t(*)[OTAPULT_KEY_DIGEST])keys;
    config.key_count = 1;
    assert_int_equal(otapult_start(&spare, &config, &o), 0);
    pull.plain_http = false;
    folder.url = "http://a.org/otapult.json";
    assert_int_equal(otapult_start(&spare, &config, &o), OTAPULT_E_CONFIG);
    folder.url = "https://a.org/otapult.json?key=5";
    assert_int_equal(otapult_start(&spare, &config, &o), OTAPULT_E_CONFIG);
}

/* ---- how old it is ---- */

static struct otapult_wall_time wall;

static bool wall_now(void *ctx, struct otapult_wall_time *out)
{
    (void)ctx;
    *out = wall;
    return true;
}

static const struct otapult_clock clock_of_test = {.now = wall_now};

static void numbered(unsigned sequence, unsigned date, const char *more)
{
    char text[1024];

    snprintf(
        text, sizeof text,
        "{\"otapult\":1,\"channel\":\"stable\",\"sequence\":%u,\"date\":%u,\"project\":\"\",\"version\":\"3.0.0\"%s,\"files\":[%s]}",
        sequence, date, more, ROW("f.bin", "plain", "1000", ""));
    says(text);
}

static void a_lower_number_is_refused_also_after_a_restart(void **state)
{
    (void)state;
    numbered(7, 1790000000, "");
    assert_int_equal(ask(), 0);
    numbered(6, 1790000000, "");
    assert_int_equal(ask(), OTAPULT_E_SOURCE_OLD);
    world_pull_plug(&w);
    assert_true(world_boot(&w));
    assert_int_equal(ask(), OTAPULT_E_SOURCE_OLD);
    numbered(7, 1789999999, "");
    assert_int_equal(ask(), OTAPULT_E_SOURCE_OLD);
    numbered(7, 1790000000, "");
    assert_int_equal(ask(), 0);
    numbered(900, 1790000000, ""); /* what is not signed moves nothing */
    sign(FIXED_OTHER);
    assert_int_equal(ask(), OTAPULT_E_SOURCE_SIGNATURE);
    numbered(8, 1790000001, "");
    assert_int_equal(ask(), 0);
    folder.url = "https://b.org/otapult.json"; /* another folder counts for itself */
    numbered(1, 1780000000, "");
    assert_int_equal(ask(), 0);
}

static void what_has_expired_is_refused_by_a_good_clock(void **state)
{
    (void)state;
    pull.clock = &clock_of_test;
    numbered(7, 1790000000, ",\"expires\":1790086400");
    wall.unix_s = 1790086400;
    assert_int_equal(ask(), 0);
    wall.unix_s++;
    assert_int_equal(ask(), OTAPULT_E_SOURCE_EXPIRED);
    wall.unix_s = 100; /* 1970: nobody knows */
    assert_int_equal(ask(), 0);
    wall.unix_s = 1780000000; /* before the manifest was made: a wrong clock */
    assert_int_equal(ask(), 0);
}

/* ---- what is known already ---- */

static void what_has_not_changed_is_not_sent_again(void **state)
{
    (void)state;
    etag = "W/\"5\""; /* a weak one is enough to know a text again */
    assert_int_equal(ask(), 0);
    assert_string_equal(asked, "");
    for (unsigned n = 1; n < 4; n++) {
        assert_int_equal(ask(), 0);
        assert_string_equal(asked, "If-None-Match: W/\"5\"\r\n");
        assert_int_equal(unchanged, n);
        assert_int_equal(requests, 2 + n); /* nor is its signature asked for */
        assert_string_equal(offered(), "3.0.0");
    }
    numbered(6, 1790000000, "");
    etag = "\"6\"";
    assert_int_equal(ask(), 0);
    assert_int_equal(unchanged, 3);
    world_pull_plug(&w);
    assert_true(world_boot(&w)); /* which knows nothing */
    assert_int_equal(ask(), 0);
    assert_string_equal(asked, "");
    assert_string_equal(offered(), "3.0.0");
}

static void what_was_no_good_is_not_known(void **state)
{
    (void)state;
    etag = "\"5\"";
    sign(FIXED_OTHER);
    assert_int_equal(ask(), OTAPULT_E_SOURCE_SIGNATURE);
    assert_int_equal(ask(), OTAPULT_E_SOURCE_SIGNATURE);
    assert_int_equal(unchanged, 0);
    assert_string_equal(offered(), "");
}

static void what_is_known_expires_all_the_same(void **state)
{
    (void)state;
    pull.clock = &clock_of_test;
    etag = "\"7\"";
    numbered(7, 1790000000, ",\"expires\":1790086400");
    wall.unix_s = 1790086400;
    assert_int_equal(ask(), 0);
    wall.unix_s++;
    assert_int_equal(ask(), OTAPULT_E_SOURCE_EXPIRED);
    assert_int_equal(unchanged, 1);
}

/* Nobody has asked for it. */
static void an_answer_of_304_without_a_question_is_an_error(void **state)
{
    (void)state;
    status_of_signature = 304;
    assert_int_equal(ask(), OTAPULT_E_SOURCE_STATUS);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_release_is_offered),
        TEST(the_smallest_file_that_fits_comes_first),
        TEST(a_release_of_others_is_nothing),
        TEST(a_release_that_is_not_for_this_robot_is_seen_and_says_why),
        TEST(notes_are_cut_and_made_printable),
        TEST(a_bad_manifest_is_an_error_and_the_old_offer_stays),
        TEST(a_manifest_without_an_end_ends),
        TEST(another_channel_is_refused),
        TEST(only_a_trusted_key_signs),
        TEST(every_kind_of_key_signs),
        TEST(without_keys_unsigned_must_be_said_to_be_enough),
        TEST(a_lower_number_is_refused_also_after_a_restart),
        TEST(what_has_expired_is_refused_by_a_good_clock),
        TEST(what_has_not_changed_is_not_sent_again),
        TEST(what_was_no_good_is_not_known),
        TEST(what_is_known_expires_all_the_same),
        TEST(an_answer_of_304_without_a_question_is_an_error),
    };
    return cmocka_run_group_tests(tests, images_make, images_free);
}
