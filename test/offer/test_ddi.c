/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "feed.h"
#include "offer/ddi.h"

/* Answers of the kind that real servers gave, and what must not be taken for one. */

#define COUNT(a) (sizeof(a) / sizeof(a)[0])
#define D        "https://h/DEFAULT/controller/v1/r"
#define SHA      "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define LINKS(href) \
    "\"_links\":{\"download-http\":{\"href\":\"" href "\"},\"md5sum-http\":{\"href\":\"" href ".MD5SUM\"}}"
#define FILE(name, size, href)                                                                    \
    "{\"filename\":\"" name "\",\"hashes\":{\"sha1\":\"bd5f\",\"md5\":\"fcc0\",\"sha256\":\"" SHA \
    "\"},\"size\":" #size "," LINKS(href) "}"
#define CHUNK(files)       "{\"part\":\"os\",\"version\":\"2.0.0\",\"name\":\"fw\",\"artifacts\":[" files "]}"
#define DEPLOYMENT(how, c) "{\"id\":\"7\",\"deployment\":{" how ",\"chunks\":[" c "]}}"
#define FORCED             "\"download\":\"forced\",\"update\":\"forced\""
#define SOFT               "\"download\":\"attempt\",\"update\":\"attempt\""
#define SKIP               "\"download\":\"forced\",\"update\":\"skip\""
#define ONE                CHUNK(FILE("a.bin", 100, "a"))

static struct otapult_ddi ddi;
static struct otapult_offer offer;
static struct otapult_finding why;

static int feed(void *stage, const uint8_t *p, size_t n)
{
    return otapult_ddi_feed(stage, p, n, &why);
}

static int read_answer(const char *text, bool action, unsigned how)
{
    memset(&offer, 0, sizeof offer);
    why = (struct otapult_finding){0};
    otapult_ddi_init(&ddi, action ? &offer : NULL);
    int err = feed_split(feed, &ddi, (const uint8_t *)text, strlen(text), how);
    return err == 0 ? otapult_ddi_finish(&ddi, &why) : err;
}

static void a_poll_says_what_there_is_to_do(void **state)
{
    static const struct {
        const char *text;
        uint32_t sleep_s;
        unsigned link;
        const char *href;
    } cases[] = {
        {"{\"config\":{\"polling\":{\"sleep\":\"00:05:00\"}}}", 300, OTAPULT_DDI_NOTHING, ""},
        {"{\"config\":{\"polling\":{\"sleep\":\"12:00:01\"}},\"_links\":{\"configData\":{\"href\":\"" D
         "/c\"}}}",
         43201, OTAPULT_DDI_NOTHING, ""},
        {"{\"_links\":{\"deploymentBase\":{\"href\":\"" D "/deploymentBase/1?c=-4\"}}}", 0,
         OTAPULT_DDI_DEPLOYMENT, D "/deploymentBase/1?c=-4"},
        {"{\"_links\":{\"confirmationBase\":{\"href\":\"x\"},\"deploymentBase\":{\"href\":\"y\"}}}", 0,
         OTAPULT_DDI_CONFIRMATION, "x"},
        {"{\"_links\":{\"cancelAction\":{\"href\":\"x\"},\"deploymentBase\":{\"href\":\"y\"}}}", 0,
         OTAPULT_DDI_CANCEL, "x"},
        {"{\"_links\":{\"installedBase\":{\"href\":\"x\"}}}", 0, OTAPULT_DDI_NOTHING, ""},
        {"{\"config\":{\"polling\":{\"sleep\":300}}}", 0, OTAPULT_DDI_NOTHING, ""},
        {"{\"config\":{\"polling\":{\"sleep\":\"5 minutes\"}}}", 0, OTAPULT_DDI_NOTHING, ""},
        {"{\"config\":{\"polling\":{\"sleep\":\"00:0:0x\"}}}", 0, OTAPULT_DDI_NOTHING, ""},
        {"[]", 0, OTAPULT_DDI_NOTHING, ""},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++)
        for (unsigned how = 0; how < 8; how++) {
            assert_int_equal(read_answer(cases[i].text, false, how), 0);
            assert_int_equal(ddi.sleep_s, cases[i].sleep_s);
            assert_int_equal(ddi.link, cases[i].link);
            assert_string_equal(ddi.href, cases[i].href);
        }
}

static void a_deployment_is_an_offer(void **state)
{
    (void)state;
    for (unsigned how = 0; how < 8; how++) {
        assert_int_equal(read_answer(DEPLOYMENT(FORCED, ONE), true, how), 0);
        assert_null(ddi.unfit);
        assert_string_equal(ddi.id, "7");
        assert_string_equal(offer.version, "2.0.0");
        assert_int_equal(offer.file_count, 1);
        assert_string_equal(offer.file[0].url, "a");
        assert_int_equal(offer.file[0].size, 100);
        assert_int_equal(offer.file[0].sha256[31], 0xFF);
        assert_int_equal(offer.size, 100);
        assert_true(offer.has_sha256);
        assert_int_equal(offer.urgency, OTAPULT_URGENT);
        assert_false(ddi.only_download || offer.not_now);
    }
}

static void how_it_is_meant(void **state)
{
    static const struct {
        const char *text;
        bool urgent, not_now, only_download;
    } cases[] = {
        {DEPLOYMENT(FORCED, ONE), true, false, false},
        {DEPLOYMENT(SOFT, ONE), false, false, false},
        {DEPLOYMENT(SKIP, ONE), true, false, true},
        {DEPLOYMENT(SKIP ",\"maintenanceWindow\":\"unavailable\"", ONE), true, true, false},
        {DEPLOYMENT("\"maintenanceWindow\":\"unavailable\"," SKIP, ONE), true, true, false},
        {DEPLOYMENT(FORCED ",\"maintenanceWindow\":\"available\"", ONE), true, false, false},
        {"{\"confirmation\":{" FORCED ",\"chunks\":[" ONE "]},\"id\":7}", true, false, false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        assert_int_equal(read_answer(cases[i].text, true, FEED_BYTEWISE), 0);
        assert_null(ddi.unfit);
        assert_int_equal(offer.urgency == OTAPULT_URGENT, cases[i].urgent);
        assert_int_equal(offer.not_now, cases[i].not_now);
        assert_int_equal(ddi.only_download, cases[i].only_download);
        assert_int_equal(offer.file_count, 1);
    }
}

static void the_image_itself_stands_last(void **state)
{
    static const char *const orders[] = {
        DEPLOYMENT(FORCED, CHUNK(FILE("a.bin", 100, "a") "," FILE("a.bin.gz", 60, "b"))),
        DEPLOYMENT(FORCED, CHUNK(FILE("a.bin.gz", 60, "b") "," FILE("a.bin", 100, "a"))),
    };

    (void)state;
    for (size_t i = 0; i < COUNT(orders); i++) {
        assert_int_equal(read_answer(orders[i], true, FEED_AT_ONCE), 0);
        assert_null(ddi.unfit);
        assert_int_equal(offer.file_count, 2);
        assert_string_equal(offer.file[0].url, "b");
        assert_string_equal(offer.file[1].url, "a");
        assert_int_equal(offer.size, 100);
        assert_true(offer.has_sha256);
    }
    assert_int_equal(read_answer(DEPLOYMENT(FORCED, CHUNK(FILE("a.gz", 60, "b"))), true, FEED_AT_ONCE), 0);
    assert_false(offer.has_sha256); /* it is of what is packed */
}

static void the_address_with_tls_is_taken(void **state)
{
#define BOTH(first, second)                                                                     \
    DEPLOYMENT(FORCED, CHUNK("{\"filename\":\"a.bin\",\"size\":1,\"hashes\":{\"sha256\":\"" SHA \
                             "\"},\"_links\":{\"" first "\":{\"href\":\"" first "\"},\"" second \
                             "\":{\"href\":\"" second "\"}}}"))
    (void)state;
    assert_int_equal(read_answer(BOTH("download", "download-http"), true, FEED_AT_ONCE), 0);
    assert_string_equal(offer.file[0].url, "download");
    assert_int_equal(read_answer(BOTH("download-http", "download"), true, FEED_AT_ONCE), 0);
    assert_string_equal(offer.file[0].url, "download");
}

static void metadata_says_what_hawkbit_does_not_know(void **state)
{
#define META(key, value) "{\"key\":\"" key "\",\"value\":\"" value "\"}"
    static const char chunk[] = DEPLOYMENT(
        FORCED,
        "{\"version\":\"autumn\",\"artifacts\":[" FILE("a.bin", 9, "a") "],\"metadata\":[" META("x", "y") "," META(
            "otapult.version",
            "3.1.0") "," META("otapult.project",
                              "rover") "," META("otapult.build",
                                                "00aa") "," META("otapult.notes",
                                                                 "What is \\u001b new") "," META("otapult.notes.ru",
                                                                                                 "Новое") "]}");

    (void)state;
    assert_int_equal(read_answer(chunk, true, FEED_BYTEWISE), 0);
    assert_string_equal(offer.version, "3.1.0");
    assert_string_equal(offer.project, "rover");
    assert_string_equal(offer.build, "00aa");
    assert_string_equal(offer.notes[0], "What is ? new");
    assert_string_equal(offer.notes[1], "Новое");
}

static void a_cancellation_names_its_action(void **state)
{
    (void)state;
    assert_int_equal(
        read_answer("{\"id\":\"12\",\"cancelAction\":{\"stopId\":\"11\"}}", false, FEED_BYTEWISE), 0);
    assert_string_equal(ddi.id, "12");
    assert_string_equal(ddi.stop_id, "11");
}

static void what_a_robot_cannot_take_is_named(void **state)
{
    static const struct {
        const char *text, *why;
    } cases[] = {
        {DEPLOYMENT(FORCED, ""), "no file"},
        {DEPLOYMENT(FORCED, CHUNK("")), "no file"},
        {DEPLOYMENT(FORCED, ONE "," ONE), "more than one module with files"},
        {DEPLOYMENT(FORCED, CHUNK(FILE("a.bin", 1, "a") "," FILE("b.bin", 1, "b"))), "two images"},
        {DEPLOYMENT(FORCED, CHUNK(FILE("a", 1, "a") "," FILE("b", 1, "b") "," FILE("c", 1, "c"))),
         "more than two files"},
        {DEPLOYMENT(FORCED, CHUNK("{\"filename\":\"a.bin\",\"size\":5}")),
         "a file without size, SHA-256 or address"},
        {DEPLOYMENT(FORCED, CHUNK("{\"size\":1,\"hashes\":{\"sha256\":\"00\"}," LINKS("a") "}")),
         "a file without size, SHA-256 or address"},
        {DEPLOYMENT(FORCED, CHUNK("{\"hashes\":{\"sha256\":\"" SHA "\"}," LINKS("a") "}")),
         "a file without size, SHA-256 or address"},
        {"{\"id\":\"1\"}", "no file"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        assert_int_equal(read_answer(cases[i].text, true, FEED_BYTEWISE), 0);
        assert_non_null(ddi.unfit);
        assert_string_equal(ddi.unfit, cases[i].why);
    }
}

static void what_is_no_answer_is_refused(void **state)
{
    static const char *const cases[] = {
        "",
        "{",
        "nothing",
        "{\"id\":\"1/../2\"}",
        "{\"id\":\"\"}",
        "{\"id\":\"12345678901234567890\"}",
        "{\"id\":true}",
        "{\"id\":-1}",
        "{\"deployment\":{}}",
        "{\"id\":\"1\"}x",
        DEPLOYMENT(FORCED, CHUNK(FILE("a.bin", -1, "a"))),
        DEPLOYMENT(FORCED, CHUNK(FILE("a.bin", 4294967296, "a"))),
        DEPLOYMENT(FORCED, CHUNK(FILE("a.bin", 1.5, "a"))),
        "[[[[[[[[[]]]]]]]]]",
    };
    char longer[400], path[OTAPULT_OFFER_URL + 1] = {0};

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        assert_int_equal(read_answer(cases[i], true, FEED_BYTEWISE), OTAPULT_E_SOURCE_ANSWER);
        assert_non_null(why.text);
        int err = otapult_ddi_feed(&ddi, (const uint8_t *)"{}", 2, &why);
        assert_true(err == OTAPULT_E_SOURCE_ANSWER || ddi.id[0] == '\0');
    }
    memset(path, 'x', OTAPULT_OFFER_URL);
    snprintf(longer, sizeof longer, "{\"_links\":{\"deploymentBase\":{\"href\":\"%s\"}}}", path);
    assert_int_equal(read_answer(longer, false, FEED_AT_ONCE), OTAPULT_E_SOURCE_ANSWER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_poll_says_what_there_is_to_do),
        cmocka_unit_test(a_deployment_is_an_offer),
        cmocka_unit_test(how_it_is_meant),
        cmocka_unit_test(the_image_itself_stands_last),
        cmocka_unit_test(the_address_with_tls_is_taken),
        cmocka_unit_test(metadata_says_what_hawkbit_does_not_know),
        cmocka_unit_test(a_cancellation_names_its_action),
        cmocka_unit_test(what_a_robot_cannot_take_is_named),
        cmocka_unit_test(what_is_no_answer_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
