/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/language.h"
#include "otapult/image.h"

static void every_error_has_its_row(void **state)
{
    (void)state;
    for (int err = 1; err < OTAPULT_ERROR_COUNT; err++) {
        const struct otapult_error_row *row = otapult_error_row(err);
        assert_non_null(row->code);
        assert_int_equal(otapult_error_by_code(row->code), err); /* so codes are unique, too */
        assert_in_range(row->status, 400, 599);
        assert_true(strlen(row->detail) > 0 && strlen(row->hint) > 0 &&
                    strlen(otapult_hint(err, &otapult_russian)) > 0);
    }
    assert_string_equal(otapult_error_row(OTAPULT_E_IMAGE_MERGED)->code, "image_merged");
}

static void codes_are_for_programs(void **state)
{
    (void)state;
    for (int err = 1; err < OTAPULT_ERROR_COUNT; err++) {
        const char *code = otapult_error_row(err)->code;
        assert_in_range(strlen(code), 1, 24); /* the journal keeps so many */
        for (const char *c = code; *c; c++)
            assert_true(islower((unsigned char)*c) || isdigit((unsigned char)*c) || *c == '_');
    }
}

static void captions_are_those_of_the_brief(void **state)
{
    (void)state;
    static const char *const captions[] = {"Not enough space", "Update.begin() failed", "Update.end() failed",
                                           "No OTA partition", "Upload failed",         "Request failed"};
    bool used[6] = {false};
    for (int err = 1; err < OTAPULT_ERROR_COUNT; err++) {
        int found = -1;
        for (int i = 0; i < 6; i++)
            if (strcmp(otapult_error_row(err)->caption, captions[i]) == 0)
                found = i;
        assert_true(found >= 0);
        used[found] = true;
    }
    for (int i = 0; i < 6; i++)
        assert_true(used[i]);
}

static bool has_cyrillic(const char *text)
{
    return strstr(text, "\xD0") != NULL || strstr(text, "\xD1") != NULL;
}

/* The placeholders of a template, in whatever order, as one number. */
static unsigned placeholders_of(const char *template)
{
    static const char *const known[] = {"{at}",   "{got}", "{want}",   "{xgot}", "{xwant}", "{chip}",
                                        "{ours}", "{rev}", "{ourrev}", "{text}", "{key}"};
    unsigned found = 0;

    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        found |= strstr(template, known[i]) != NULL ? 1u << i : 0;
    return found;
}

static void details_say_the_same_in_both_languages(void **state)
{
    (void)state;
    for (int err = 1; err < OTAPULT_ERROR_COUNT; err++) {
        const struct otapult_error_row *row = otapult_error_row(err);
        assert_int_equal(placeholders_of(row->detail),
                         placeholders_of(otapult_texts(err, &otapult_russian).detail));
        assert_false(has_cyrillic(row->detail));
        if (strchr(row->detail, ' ') != NULL) /* one word is a placeholder, or a header's name */
            assert_true(has_cyrillic(otapult_texts(err, &otapult_russian).detail) ||
                        err == OTAPULT_E_CONTENT_LENGTH);
    }
}

static const struct {
    const char *english, *russian;
} words[] = {
#define OTAPULT_WORD(part, english, russian) {english, russian},
#include "otapult/words.def"
#undef OTAPULT_WORD
};

static void words_are_there_once_in_both_languages(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        assert_false(has_cyrillic(words[i].english));
        assert_true(has_cyrillic(words[i].russian) || strstr(words[i].russian, "Content-") != NULL);
        for (size_t k = 0; k < i; k++)
            assert_string_not_equal(words[i].english, words[k].english);
    }
}

static void a_russian_detail_has_russian_words(void **state)
{
    static const struct {
        int err;
        struct otapult_finding finding;
        const char *want;
    } cases[] = {
        {OTAPULT_OK, {.text = "ignored"}, ""},
        {OTAPULT_E_IMAGE_MERGED,
         {.at = 0x8000, .text = "partition table"},
         "объединённый образ: таблица разделов, смещение 0x8000"},
        {OTAPULT_E_FILE_ARCHIVE, {.text = "zip"}, "архив (zip)"},
        {OTAPULT_E_LOGIN_FAILED, {.text = "password"}, "не подходит пароль"},
        {OTAPULT_E_IMAGE_WRONG_CHIP,
         {.got = 0x1234, .want = 9},
         "чип в файле: неизвестный чип, у этого устройства: ESP32-S3"},
        {OTAPULT_E_NOT_READY, {.text = "Ich fahre"}, "робот отвечает: Ich fahre"},
        {OTAPULT_E_SIGNATURE_WRONG,
         {.got = 1, .want = 0x01020304, .text = "revoked key"},
         "блок подписи 1: отозванный ключ 01020304"},
    };
    char dst[OTAPULT_DETAIL];

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        otapult_detail(cases[i].err, &cases[i].finding, &otapult_russian, dst, sizeof dst);
        assert_string_equal(dst, cases[i].want);
    }
}

/* Rows whose kept detail cannot be taken apart: two values without anything between, a sentence with values
 * of its own. */
static bool stays_english(const char *template)
{
    return strstr(template, "}{") != NULL || strstr(template, "{claim}") != NULL;
}

static void a_detail_kept_in_english_is_told_again_in_russian(void **state)
{
    static const struct otapult_finding finding = {
        .at = 0x8000, .got = 5, .want = 9, .text = "partition table"};
    char english[OTAPULT_DETAIL], want[OTAPULT_DETAIL], dst[OTAPULT_DETAIL];
    int told = 0;

    (void)state;
    for (int err = OTAPULT_OK + 1; err < OTAPULT_ERROR_COUNT; err++) {
        const char *template = otapult_error_row(err)->detail;
        otapult_detail(err, &finding, NULL, english, sizeof english);
        otapult_detail(err, &finding, &otapult_russian, want, sizeof want);
        otapult_russian.retell(err, english, dst, sizeof dst);
        assert_string_equal(dst, stays_english(template) ? english : want);
        told += !stays_english(template);

        for (size_t len = strlen(english); len-- > 0;) { /* as the journal may have cut it */
            english[len] = '\0';
            otapult_russian.retell(err, english, dst, sizeof dst);
            assert_true(strcmp(dst, english) == 0 || strncmp(dst, want, 2) == 0);
        }
        otapult_russian.retell(err, "nothing of the kind: 7", dst, sizeof dst);
        if (strlen(template) > strlen("{text}"))
            assert_string_equal(dst, "nothing of the kind: 7");
    }
    assert_true(told > 100);
}

static void the_numbers_of_a_detail_are_known(void **state)
{
    (void)state;
    assert_int_equal(otapult_detail_shows(OTAPULT_E_REBOOTING), 0);
    assert_int_equal(otapult_detail_shows(OTAPULT_E_IMAGE_MERGED), OTAPULT_SHOWS_AT);
    assert_int_equal(otapult_detail_shows(OTAPULT_E_LOGIN_DELAYED), OTAPULT_SHOWS_GOT);
    assert_int_equal(otapult_detail_shows(OTAPULT_E_TOKENS_FULL), OTAPULT_SHOWS_WANT);
    assert_int_equal(otapult_detail_shows(OTAPULT_E_IMAGE_WRONG_CHIP),
                     OTAPULT_SHOWS_GOT | OTAPULT_SHOWS_WANT);
    assert_int_equal(otapult_detail_shows(OTAPULT_E_IMAGE_CHECKSUM),
                     OTAPULT_SHOWS_AT | OTAPULT_SHOWS_GOT | OTAPULT_SHOWS_WANT);
}

static void hints_are_in_their_languages(void **state)
{
    (void)state;
    for (int err = 1; err < OTAPULT_ERROR_COUNT; err++) {
        const struct otapult_error_row *row = otapult_error_row(err);
        for (const char *c = row->hint; *c; c++)
            assert_true((unsigned char)*c < 0x80 || strncmp(c, "\xE2\x80\xA6", 3) == 0 ||
                        (*c & 0xC0) == 0x80);
        if (err != OTAPULT_E_NO_FIELD) /* a curl line reads the same in both */
            assert_true(strstr(otapult_hint(err, &otapult_russian), "\xD0") != NULL);
    }
}

static void an_unknown_number_is_internal(void **state)
{
    (void)state;
    const struct otapult_error_row *internal = otapult_error_row(OTAPULT_E_INTERNAL);
    assert_string_equal(internal->code, "internal");
    assert_ptr_equal(otapult_error_row(0), internal);
    assert_ptr_equal(otapult_error_row(-1), internal);
    assert_ptr_equal(otapult_error_row(OTAPULT_ERROR_COUNT), internal);
    assert_ptr_equal(otapult_error_row(1 << 30), internal);
}

static void an_unknown_code_is_none(void **state)
{
    (void)state;
    assert_int_equal(otapult_error_by_code("image_merge"), OTAPULT_OK);
    assert_int_equal(otapult_error_by_code("image_mergedx"), OTAPULT_OK);
    assert_int_equal(otapult_error_by_code(""), OTAPULT_OK);
}

static const struct {
    int err;
    struct otapult_finding finding;
    const char *want;
} details[] = {
    {OTAPULT_OK, {.text = "ignored"}, ""},
    {OTAPULT_E_IMAGE_TOO_LARGE,
     {.got = 7000000, .want = 6553600},
     "the file needs 7000000 bytes, the slot has 6553600"},
    {OTAPULT_E_IMAGE_MERGED,
     {.at = 0x8000, .text = "partition table"},
     "a merged image: partition table, at 0x8000"},
    {OTAPULT_E_IMAGE_WRONG_CHIP, {.got = 0x0000, .want = 0x0009}, "built for ESP32, this device is ESP32-S3"},
    {OTAPULT_E_IMAGE_WRONG_CHIP,
     {.got = 0x1234, .want = 0x0009},
     "built for an unknown chip, this device is ESP32-S3"},
    {OTAPULT_E_IMAGE_CHIP_REVISION, {.got = 100, .want = 2}, "needs chip revision v1.0, this chip is v0.2"},
    {OTAPULT_E_IMAGE_EFUSE_REVISION,
     {.got = 104, .want = 103},
     "needs eFuse block revision v1.4, this chip has v1.3"},
    {OTAPULT_E_IMAGE_CHECKSUM,
     {.at = 0xD9B4F, .got = 0x7E, .want = 0},
     "checksum at 0xd9b4f is 0x7e, the data gives 0x0"},
    {OTAPULT_E_NOT_READY, {.text = "driving at 50 %"}, "the robot says: driving at 50 %"},
    {OTAPULT_E_NOT_READY, {.text = "{got}{"}, "the robot says: {got}{"},
    {OTAPULT_E_FILE_SEALED, {.text = NULL}, ""},
    {OTAPULT_E_BUSY,
     {.at = OTAPULT_FOR_UPLOAD, .got = 3, .want = 9},
     "another update is running, 3 of 9 bytes so far"},
    {OTAPULT_E_BUSY,
     {.at = OTAPULT_FOR_UPLOAD, .got = 5000, .want = OTAPULT_SIZE_UNKNOWN},
     "another update is running, 5000 of ? bytes so far"},
    {OTAPULT_E_BUSY, {.at = OTAPULT_FOR_ROLLBACK}, "the device is going back to its other firmware"},
    {OTAPULT_E_BUSY, {.at = OTAPULT_FOR_RESTART}, "a restart is being prepared"},
    {OTAPULT_E_BUSY, {.at = OTAPULT_FOR_CONFIRM}, "the running firmware is being confirmed"},
    {OTAPULT_E_BUSY, {.at = OTAPULT_FOR_KEYS}, "the signing keys are being changed"},
    {OTAPULT_E_BUSY, {.at = OTAPULT_FOR_SLOTS}, "the slots are being read again after an error"},
    {OTAPULT_E_BUSY, {.at = OTAPULT_CLAIM_COUNT}, ""},
    {OTAPULT_E_FILE_BLANK, {.got = 0xFF}, "only 0xff bytes so far, nothing else"},
    {OTAPULT_E_IMAGE_BOOTLOADER, {.got = 9}, "a bootloader for ESP32-S3, not an application"},
    {-5, {.text = "inspector"}, "a state that cannot be (inspector)"},
};

static void details_say_what_was_found(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof details / sizeof *details; i++) {
        char dst[128];
        otapult_detail(details[i].err, &details[i].finding, NULL, dst, sizeof dst);
        assert_string_equal(dst, details[i].want);
    }
}

/* A template with a placeholder that nobody fills would show its braces. */
static void every_placeholder_is_known_and_fits(void **state)
{
    (void)state;
    char text[61];
    memset(text, 'w', 60);
    text[60] = '\0';
    struct otapult_finding worst = {.at = UINT32_MAX, .got = UINT32_MAX, .want = UINT32_MAX, .text = text};
    for (int n = 2; n < 2 * OTAPULT_ERROR_COUNT; n++) {
        char dst[2 * OTAPULT_DETAIL];
        otapult_detail(n / 2, &worst, n % 2 ? &otapult_russian : NULL, dst, sizeof dst);
        assert_null(strpbrk(dst, "{}"));
        assert_true(strlen(dst) < OTAPULT_DETAIL);
    }
}

static void a_detail_is_cut_where_its_buffer_ends(void **state)
{
    (void)state;
    struct otapult_finding finding = {.at = 0x8000, .text = "partition table"};
    for (size_t cap = 1; cap <= 43; cap++) {
        char *dst = malloc(cap); /* of exactly that size, for the sanitizer */
        otapult_detail(OTAPULT_E_IMAGE_MERGED, &finding, NULL, dst, cap);
        assert_int_equal(strlen(dst), cap - 1 < 42 ? cap - 1 : 42);
        assert_int_equal(strncmp(dst, "a merged image: partition table, at 0x8000", cap - 1), 0);
        free(dst);
    }
}

static void chips_have_their_names(void **state)
{
    (void)state;
    assert_string_equal(otapult_chip_name(OTAPULT_CHIP_ESP32S3), "ESP32-S3");
    assert_string_equal(otapult_chip_name(0x0000), "ESP32");
    assert_string_equal(otapult_chip_name(0x0002), "ESP32-S2");
    assert_string_equal(otapult_chip_name(0x0005), "ESP32-C3");
    assert_string_equal(otapult_chip_name(0x0012), "ESP32-P4");
    assert_string_equal(otapult_chip_name(0x0020), "ESP32-S31");
    assert_string_equal(otapult_chip_name(0x0001), "an unknown chip");
    assert_string_equal(otapult_chip_name(0xFFFF), "an unknown chip");
    assert_string_equal(otapult_chip_name(0x10009), "an unknown chip");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_error_has_its_row),
        cmocka_unit_test(codes_are_for_programs),
        cmocka_unit_test(captions_are_those_of_the_brief),
        cmocka_unit_test(hints_are_in_their_languages),
        cmocka_unit_test(details_say_the_same_in_both_languages),
        cmocka_unit_test(words_are_there_once_in_both_languages),
        cmocka_unit_test(a_russian_detail_has_russian_words),
        cmocka_unit_test(a_detail_kept_in_english_is_told_again_in_russian),
        cmocka_unit_test(the_numbers_of_a_detail_are_known),
        cmocka_unit_test(an_unknown_number_is_internal),
        cmocka_unit_test(an_unknown_code_is_none),
        cmocka_unit_test(details_say_what_was_found),
        cmocka_unit_test(every_placeholder_is_known_and_fits),
        cmocka_unit_test(a_detail_is_cut_where_its_buffer_ends),
        cmocka_unit_test(chips_have_their_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
