/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "web/multipart.h"

#define COUNT(a) (sizeof(a) / sizeof(a)[0])
#define CT       "multipart/form-data; boundary="
#define FIRMWARE "Content-Disposition: form-data; name=\"firmware\"; filename=\"firmware.bin\"\r\n"

static uint32_t dice;

static uint32_t roll(uint32_t sides)
{
    dice = dice * 1664525u + 1013904223u;
    return (dice >> 8) % sides;
}

/* ---- what a body gives ---- */

struct outcome {
    int err;
    struct otapult_finding why;
    uint8_t file[8192];
    size_t len, calls;
    bool misnamed;
    int fail_with; /* the sink's answer once it has `fail_at` bytes; 0: it takes all */
    size_t fail_at;
};

static int collect(void *ctx, const uint8_t *p, size_t n)
{
    struct outcome *o = ctx;

    assert_true(n > 0 && n <= sizeof o->file - o->len);
    memcpy(o->file + o->len, p, n);
    o->len += n;
    o->calls++;
    return o->fail_with != 0 && o->len >= o->fail_at ? o->fail_with : 0;
}

enum split { AT_ONCE, BYTEWISE, AT_RANDOM, SPLITS };

static size_t piece(enum split split, size_t left)
{
    size_t n = split == AT_ONCE ? left : split == BYTEWISE ? 1 : 1 + roll(40);
    return n < left ? n : left;
}

/* The body as bytes that end at an unmapped page. */
static const uint8_t *guarded(const void *body, size_t len)
{
    static uint8_t *page_end;
    size_t page = (size_t)sysconf(_SC_PAGESIZE), room = 8 * page;

    if (page_end == NULL) {
        uint8_t *p = mmap(NULL, room + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        assert_true(p != MAP_FAILED);
        assert_int_equal(mprotect(p + room, page, PROT_NONE), 0);
        page_end = p + room;
    }
    assert_true(len <= room);
    memcpy(page_end - len, body, len);
    return page_end - len;
}

static void parse(struct outcome *o, const char *content_type, const void *body, size_t len, enum split split)
{
    struct otapult_multipart m;
    const uint8_t *p = guarded(body, len);

    o->len = o->calls = 0;
    memset(&m, 0xA5, sizeof m);
    o->err = otapult_multipart_init(&m, content_type);
    while (o->err == 0 && len > 0) {
        size_t n = piece(split, len);
        o->err = otapult_multipart_feed(&m, p, n, collect, o);
        p += n;
        len -= n;
    }
    if (o->err == 0)
        o->err = otapult_multipart_finish(&m);
    o->why = m.why;
    o->misnamed = m.misnamed;
    assert_int_equal(otapult_multipart_feed(&m, p, 0, collect, o), o->err); /* the first error stays */
    assert_int_equal(otapult_multipart_finish(&m), o->err);
}

/* The same by every split; the outcome is that of the last. */
static void parse_all_ways(struct outcome *o, const char *content_type, const void *body, size_t len)
{
    static struct outcome first;

    parse(o, content_type, body, len, AT_ONCE);
    first = *o;
    for (int i = 1; i < 6; i++) {
        parse(o, content_type, body, len, i == 1 ? BYTEWISE : AT_RANDOM);
        assert_int_equal(o->err, first.err);
        if (o->err != 0) {
            assert_int_equal(o->why.at, first.why.at);
            assert_ptr_equal(o->why.text, first.why.text);
        } else {
            assert_int_equal(o->len, first.len);
            assert_memory_equal(o->file, first.file, o->len);
        }
    }
}

static struct outcome parsed; /* by assert_file() */

static void assert_file(const char *content_type, const char *body, const char *file)
{
    struct outcome *o = &parsed;

    parse_all_ways(o, content_type, body, strlen(body));
    if (o->err != 0)
        fail_msg("%s: %s at %u\n%s", otapult_error_row(o->err)->code, o->why.text, (unsigned)o->why.at, body);
    assert_int_equal(o->len, strlen(file));
    assert_memory_equal(o->file, file, o->len);
}

static void assert_refused(const char *body, int err, const char *text)
{
    static struct outcome o;

    parse_all_ways(&o, CT "AB", body, strlen(body));
    if (o.err != err)
        fail_msg("%s instead of %s\n%s", otapult_error_row(o.err)->code, otapult_error_row(err)->code, body);
    if (text != NULL)
        assert_string_equal(o.why.text, text);
}

/* ---- bodies as they come ---- */

static void takes_the_file_of_a_browser(void **state)
{
    (void)state;
    assert_file(CT "----WebKitFormBoundary7MA4YWxkTrZu0gW",
                "------WebKitFormBoundary7MA4YWxkTrZu0gW\r\n"
                "Content-Disposition: form-data; name=\"firmware\"; filename=\"firmware.bin\"\r\n"
                "Content-Type: application/octet-stream\r\n\r\n"
                "\xE9"
                "abc\r\n------WebKitFormBoundary7MA4YWxkTrZu0gW--\r\n",
                "\xE9"
                "abc");
}

static void takes_the_file_of_curl(void **state)
{
    (void)state;
    assert_file(CT "------------------------d74496d66958873e",
                "--------------------------d74496d66958873e\r\n"
                "Content-Disposition: form-data; name=\"firmware\"; filename=\"firmware.bin\"\r\n"
                "Content-Type: application/octet-stream\r\n\r\n"
                "data\r\n--------------------------d74496d66958873e--\r\n",
                "data");
}

static void reads_over_other_fields(void **state)
{
    (void)state;
    assert_file(CT "AB",
                "--AB\r\nContent-Disposition: form-data; name=\"note\"\r\n\r\nhello\r\n"
                "--AB\r\nContent-Disposition: form-data; name=\"other\"; filename=\"x.txt\"\r\n\r\n\r\n"
                "--AB\r\n" FIRMWARE "\r\nfile\r\n"
                "--AB\r\nContent-Disposition: form-data; name=\"Firmware\"\r\n\r\nlater\r\n--AB--",
                "file");
}

static void takes_preamble_padding_and_epilogue(void **state)
{
    (void)state;
    assert_file(CT "AB",
                "This is a multipart message.\r\n-- nothing\r\n--A\r\n--AB \t \r\n" FIRMWARE
                "\r\nfile\r\n--AB--  \r\nepilogue\r\n--AB\r\n",
                "file");
    assert_file(CT "AB", "\r\n--AB\r\n" FIRMWARE "\r\nfile\r\n--AB--", "file");
}

static void a_file_may_look_like_its_surroundings(void **state)
{
    static const char *const files[] = {
        "",
        "\r\n",
        "\r\r\n\r\r\n",
        "ends in --\r\n",
        "--\r\n",
        "x--AB--",
        "x--AB\r\n",
        "\n--AB\r\n",
        "\r\n--A\r\n--A\r\n-\r\n--",
        "\r\r\n--A",
        "\r\n--ABC", /* the boundary is a prefix of data */
        "\r\n--AB-x",
        "\r\n--AB-\r\n--AB-\r\n",
        "\r\n--AB\r",
        "\r\n--AB\r\r\n--A",
        "\r\n--AB\rx\r\n--AB\r",
        "\r\n--AB\n",
    };

    (void)state;
    for (size_t i = 0; i < COUNT(files); i++) {
        char body[256];
        snprintf(body, sizeof body, "--AB\r\n" FIRMWARE "\r\n%s\r\n--AB--\r\n", files[i]);
        assert_file(CT "AB", body, files[i]);
    }
}

static void a_part_may_end_with_its_headers(void **state)
{
    (void)state;
    assert_file(CT "AB",
                "--AB\r\nContent-Disposition: form-data; name=x\r\n\r\n--AB\r\n" FIRMWARE
                "\r\nfile\r\n--AB--",
                "file");
    assert_file(CT "AB", "--AB\r\n" FIRMWARE "\r\n--AC\r\n--AB--", "--AC");
}

static void takes_headers_in_every_spelling(void **state)
{
    static const char *const headers[] = {
        "content-disposition: form-data; name=\"firmware\"; filename=\"a.bin\"",
        "CONTENT-DISPOSITION:FORM-DATA;NAME=firmware;FILENAME=a.BIN",
        "Content-Disposition:  form-data ;  filename=\"a.bin\" ; name=\"firmware\" ",
        "Content-Disposition: form-data; name=\"firmware\"; filename=\"say \\\"hi\\\".bin\"",
        "Content-Disposition: form-data; name=\"firmware\"; filename=\"say %22hi%22.bin\"",
        "Content-Disposition: form-data; name=\"firmware\"; filename=\"C:\\dir\\a.bin\"",
        "Content-Disposition: form-data; name=\"firmware\"; filename=\"a; name=b.bin\"",
        "Content-Disposition: form-data; name=\"firm\\ware\"; filename=\"прошивка.bin\"",
        "Content-Disposition: form-data; name=\"firmware\"; filename*=UTF-8''a.bin; filename=\"a.txt\"",
        "Content-Disposition: form-data; name=\"firmware\"; filename=\"????.???\"; filename*=UTF-8''%D0%B0.bin",
        "Content-Disposition: form-data; name=\"firmware\"; filename*=UTF-8''na%20me.bin",
        "Content-Type: application/octet-stream\r\nX-Any: \"thing\"\r\n"
        "Content-Disposition: form-data; name=\"firmware\"; filename=\"a.bin\"; size=12",
        "Content-Transfer-Encoding: binary\r\n"
        "Content-Disposition: form-data; name=\"firmware\"; filename=\"a.bin\"",
        "Content-Disposition: form-data; name=\"firmware\"; filename=\"a.bin\"\r\n"
        "content-transfer-encoding: 8BIT",
    };

    (void)state;
    for (size_t i = 0; i < COUNT(headers); i++) {
        char body[512];
        snprintf(body, sizeof body, "--AB\r\n%s\r\n\r\nfile\r\n--AB--\r\n", headers[i]);
        assert_file(CT "AB", body, "file");
    }
}

static void large_runs_reach_the_sink_in_one_call(void **state)
{
    static struct outcome o;
    static char body[6000];
    int head = snprintf(body, sizeof body, "--AB\r\n" FIRMWARE "\r\n");

    (void)state;
    memset(body + head, '\r', 4000);
    strcpy(body + head + 4000, "\r\n--AB--\r\n");
    parse(&o, CT "AB", body, strlen(body), AT_ONCE);
    assert_int_equal(o.err, 0);
    assert_int_equal(o.len, 4000);
    assert_int_equal(o.calls, 1);
}

/* ---- bodies that are refused ---- */

static void refuses_broken_bodies(void **state)
{
    static const struct {
        const char *body, *text;
    } cases[] = {
        {"", "it ends without its closing boundary"},
        {"no delimiter at all", "it ends without its closing boundary"},
        {"--AB\r\n" FIRMWARE "\r\nfile", "it ends without its closing boundary"},
        {"--AB\r\n" FIRMWARE "\r\nfile\r\n--AB", "it ends without its closing boundary"},
        {"--AB\r\n" FIRMWARE "\r\nfile\r\n--AB-", "it ends without its closing boundary"},
        {"--AB\r\n" FIRMWARE, "it ends without its closing boundary"},
        {"--AB x\r\n", "text behind a boundary"},
        {"--AB \rx", "CR without LF behind a boundary"},
        {"--AB\r\n\r\nfile\r\n--AB--", "a part without Content-Disposition"},
        {"--AB\r\nContent-Type: text/plain\r\n\r\nfile\r\n--AB--", "a part without Content-Disposition"},
        {"--AB\r\n" FIRMWARE FIRMWARE "\r\n", "two Content-Disposition in one part"},
        {"--AB\r\nContent-Disposition: attachment; name=\"firmware\"\r\n", "a part is not form-data"},
        {"--AB\r\nContent-Disposition: form-data\r\n", "a part without a name"},
        {"--AB\r\nContent-Disposition: form-data; name=a; name=b\r\n", "two names in one part"},
        {"--AB\r\nContent-Disposition: form-data; name=a; filename=b; filename=c\r\n",
         "two file names in one part"},
        {"--AB\r\nContent-Disposition: form-data; name=a; filename*=UTF-8''b; filename*=UTF-8''c\r\n",
         "two file names in one part"},
        {"--AB\r\nContent-Disposition: form-data; name=\"firm\r\n", "a broken Content-Disposition"},
        {"--AB\r\nContent-Disposition: form-data; name=\"a\\\"\r\n", "a broken Content-Disposition"},
        {"--AB\r\nContent-Disposition: form-data; name=a b\r\n", "a broken Content-Disposition"},
        {"--AB\r\nContent-Disposition: form-data; name\r\n", "a broken Content-Disposition"},
        {"--AB\r\nContent-Disposition: form-data; =a\r\n", "a broken Content-Disposition"},
        {"--AB\r\nContent-Disposition: form-data; name=\"a\"b\r\n", "a broken Content-Disposition"},
        {"--AB\r\nno colon\r\n", "a part's header line without a name"},
        {"--AB\r\n: value\r\n", "a part's header line without a name"},
        {"--AB\r\nname : value\r\n", "a part's header line without a name"},
        {"--AB\r\nA: b\r\n folded\r\n", "a part's header line without a name"},
        {"--AB\r\nA: b\n", "a control character in a part's headers"},
        {"--AB\r\nA: b\x7F\r\n", "a control character in a part's headers"},
        {"--AB\r\nA: b\rc\r\n", "CR without LF in a part's headers"},
        {"--AB\r\nContent-Transfer-Encoding: base64\r\n" FIRMWARE "\r\n",
         "a Content-Transfer-Encoding other than binary"},
        {"--AB\r\n" FIRMWARE "\r\nfile\r\n--AB\r\n" FIRMWARE "\r\nmore\r\n--AB--", "two firmware fields"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++)
        assert_refused(cases[i].body, OTAPULT_E_MULTIPART, cases[i].text);
}

static void a_nul_in_a_header_is_refused(void **state)
{
    static const char body[] = "--AB\r\nA: b\0c\r\n" FIRMWARE "\r\nfile\r\n--AB--";
    static struct outcome o;

    (void)state;
    parse_all_ways(&o, CT "AB", body, sizeof body - 1);
    assert_int_equal(o.err, OTAPULT_E_MULTIPART);
    assert_int_equal(o.why.at, 10);
}

static void tells_other_file_names(void **state)
{
    static const char *const parameters[] = {
        "; filename=\"\"",
        "; filename=\".bin\"",
        "; filename=\"firmware.elf\"",
        "; filename=\"firmware.bin.zip\"",
        "; filename=\"firmware.bin \"",
        "; filename=bin",
        "; filename*=UTF-8''.bin",
        "; filename*=UTF-8''a.txt",
        "; filename*=UTF-8''a.txt; filename=a.bin",
    };

    (void)state;
    for (size_t i = 0; i < COUNT(parameters); i++) {
        char body[256];
        snprintf(body, sizeof body,
                 "--AB\r\nContent-Disposition: form-data; name=\"firmware\"%s\r\n\r\nx\r\n--AB--",
                 parameters[i]);
        assert_file(CT "AB", body, "x");
        assert_true(parsed.misnamed);
    }
    assert_file(CT "AB", "--AB\r\n" FIRMWARE "\r\nx\r\n--AB--", "x");
    assert_false(parsed.misnamed);
}

static void refuses_a_form_without_the_field(void **state)
{
    (void)state;
    assert_refused("--AB--", OTAPULT_E_NO_FIELD, NULL);
    assert_refused("--AB\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.bin\"\r\n\r\n"
                   "x\r\n--AB--",
                   OTAPULT_E_NO_FIELD, NULL);
    assert_refused("--AB\r\nContent-Disposition: form-data; name=\"firmware2\"; filename=\"a.bin\"\r\n\r\n"
                   "x\r\n--AB--",
                   OTAPULT_E_NO_FIELD, NULL);
    /* curl -F firmware=firmware.bin, without its @ */
    assert_refused("--AB\r\nContent-Disposition: form-data; name=\"firmware\"\r\n\r\nfirmware.bin\r\n--AB--",
                   OTAPULT_E_NO_FIELD, NULL);
}

/* A header line of `line` characters, in a part that is otherwise right. */
static void body_with_line(char *body, size_t cap, size_t line)
{
    char filler[OTAPULT_PART_LINE + 8];

    memset(filler, 'x', sizeof filler);
    filler[1] = ':';
    snprintf(body, cap, "--AB\r\n%.*s\r\n" FIRMWARE "\r\nfile\r\n--AB--", (int)line, filler);
}

/* 255 bytes, the most that file systems take, as browsers and curl write them. */
static void takes_the_longest_file_name(void **state)
{
    static const struct {
        const char *plain, *sent;
    } letters[] = {{"x", "x"}, {"Ж", "Ж"}, {"Ж", "%D0%96"}, {"\"", "\\\""}, {"\"", "%22"}};

    (void)state;
    for (size_t i = 0; i < COUNT(letters); i++) {
        char name[1024] = "", body[2048], file[1200];

        for (size_t len = strlen(letters[i].plain) == 2 ? 1 : 0; len + 4 < 255;
             len += strlen(letters[i].plain))
            strcat(name, letters[i].sent);
        strcat(name, ".bin");
        for (size_t way = 0; way < 2; way++) {
            if (way == 1 && strchr(name, '"') != NULL)
                continue; /* no client writes that */
            snprintf(file, sizeof file, way == 0 ? "filename=\"%s\"" : "filename=\"x\"; filename*=UTF-8''%s",
                     name);
            snprintf(body, sizeof body,
                     "--AB\r\nContent-Disposition: form-data; name=\"firmware\"; %s\r\n\r\nfile\r\n--AB--",
                     file);
            assert_file(CT "AB", body, "file");
        }
    }
}

static void a_header_line_has_a_limit(void **state)
{
    char body[2048];

    (void)state;
    body_with_line(body, sizeof body, OTAPULT_PART_LINE);
    assert_file(CT "AB", body, "file");
    body_with_line(body, sizeof body, OTAPULT_PART_LINE + 1);
    assert_refused(body, OTAPULT_E_MULTIPART, "a part's header line is too long");
}

static void the_headers_of_a_part_have_a_limit(void **state)
{
    (void)state;
    for (unsigned over = 0; over <= 1; over++) {
        char body[4096] = "--AB\r\n" FIRMWARE;
        unsigned left = OTAPULT_PART_HEADERS - (unsigned)strlen(FIRMWARE) - 2 + over;

        for (; left > 200; left -= 100)
            sprintf(body + strlen(body), "A:%096d\r\n", 0);
        sprintf(body + strlen(body), "A:%0*d\r\n\r\nfile\r\n--AB--", (int)left - 4, 0);
        if (over == 0)
            assert_file(CT "AB", body, "file");
        else
            assert_refused(body, OTAPULT_E_MULTIPART, "a part's headers are too long");
    }
}

static void the_sinks_error_comes_out(void **state)
{
    static const char body[] = "--AB\r\n" FIRMWARE "\r\n0123456789\r\n--AB--";
    static struct outcome o;

    (void)state;
    for (int split = 0; split < SPLITS; split++) {
        o.fail_with = OTAPULT_E_FLASH_WRITE;
        o.fail_at = 5;
        parse(&o, CT "AB", body, sizeof body - 1, (enum split)split);
        assert_int_equal(o.err, OTAPULT_E_FLASH_WRITE);
        assert_true(o.len >= 5 && o.len <= 10);
    }
}

/* ---- boundaries ---- */

static int init_with(const char *content_type, struct otapult_finding *why)
{
    struct otapult_multipart m;
    int err = otapult_multipart_init(&m, content_type);

    *why = m.why;
    return err;
}

static void takes_boundaries_as_the_rfc_has_them(void **state)
{
    static const char *const right[] = {
        "multipart/form-data; boundary=a",
        "Multipart/Form-Data;BOUNDARY=a",
        " multipart/form-data ; charset=utf-8 ; boundary=\"a\"",
        "multipart/form-data; boundary=\"a b'()+_,-./:=?c\"",
        "multipart/form-data; boundary=a'()+_,-./:=?",
        "multipart/form-data; boundary=\"\\a\"",
        "multipart/form-data; boundary=0123456789012345678901234567890123456789012345678901234567890123456789",
    };
    struct otapult_finding why;

    (void)state;
    for (size_t i = 0; i < COUNT(right); i++)
        assert_int_equal(init_with(right[i], &why), 0);
    assert_file("multipart/form-data; boundary=\"a b:c\"", "--a b:c\r\n" FIRMWARE "\r\nfile\r\n--a b:c--",
                "file");
}

static void refuses_other_boundaries(void **state)
{
    static const struct {
        const char *content_type, *text;
    } wrong[] = {
        {"multipart/form-data", "missing"},
        {"multipart/form-data;", "missing"},
        {"multipart/form-data; charset=utf-8", "missing"},
        {"multipart/form-data; boundary=\"\"", "empty"},
        {"multipart/form-data; boundary=a; boundary=a", "given twice"},
        {"multipart/form-data; boundary=\"a \"", "ending in a space"},
        {"multipart/form-data; boundary=a*b", "not made of the characters that RFC 2046 allows"},
        {"multipart/form-data; boundary=\"a\tb\"", "not made of the characters that RFC 2046 allows"},
        {"multipart/form-data; boundary=\xC3\xA4", "not made of the characters that RFC 2046 allows"},
        {"multipart/form-data; boundary=", "in a header that cannot be read"},
        {"multipart/form-data; boundary=\"a", "in a header that cannot be read"},
        {"multipart/form-data; boundary", "in a header that cannot be read"},
        {"multipart/form-data; x; boundary=a", "in a header that cannot be read"},
        {"multipart/form-data; boundary=a b", "in a header that cannot be read"},
        {"multipart/form-data; boundary=01234567890123456789012345678901234567890123456789012345678901234567890",
         "longer than 70 characters"},
    };
    static char huge[65536 + 64] = "multipart/form-data; boundary=";
    struct otapult_finding why;

    (void)state;
    for (size_t i = 0; i < COUNT(wrong); i++) {
        assert_int_equal(init_with(wrong[i].content_type, &why), OTAPULT_E_BOUNDARY);
        assert_string_equal(why.text, wrong[i].text);
    }
    memset(huge + strlen(huge), 'a', 65536);
    assert_int_equal(init_with(huge, &why), OTAPULT_E_BOUNDARY);
}

static void refuses_other_content_types(void **state)
{
    static const char *const wrong[] = {"", "multipart/mixed; boundary=a", "multipart/form-dat; boundary=a",
                                        "multipart/form-data2; boundary=a",
                                        "text/plain; multipart/form-data"};
    struct otapult_finding why;

    (void)state;
    for (size_t i = 0; i < COUNT(wrong); i++)
        assert_int_equal(init_with(wrong[i], &why), OTAPULT_E_CONTENT_TYPE);
}

/* ---- bodies of random parts, whose file is known ---- */

struct generated {
    char boundary[OTAPULT_BOUNDARY_MAX + 1], content_type[128];
    uint8_t body[16384], file[4096];
    size_t len, file_len, data_at; /* of the file in the body */
};

static void put(struct generated *g, const void *p, size_t n)
{
    assert_true(n <= sizeof g->body - g->len);
    memcpy(g->body + g->len, p, n);
    g->len += n;
}

static void put_text(struct generated *g, const char *s)
{
    put(g, s, strlen(s));
}

/* Bytes that come as near to a delimiter as data may. */
static size_t make_data(const struct generated *g, uint8_t *dst, size_t cap)
{
    char delimiter[80], near[8][96];
    size_t n = 0, want = roll((uint32_t)cap - 100);

    snprintf(delimiter, sizeof delimiter, "\r\n--%s", g->boundary);
    snprintf(near[0], sizeof near[0], "\r");
    snprintf(near[1], sizeof near[1], "\r\n");
    snprintf(near[2], sizeof near[2], "\r\n--");
    snprintf(near[3], sizeof near[3], "%.*s", (int)roll((uint32_t)strlen(delimiter)), delimiter);
    snprintf(near[4], sizeof near[4], "%s_", delimiter);
    snprintf(near[5], sizeof near[5], "%s-_", delimiter);
    snprintf(near[6], sizeof near[6], "%s\r_", delimiter);
    snprintf(near[7], sizeof near[7], "%s--", delimiter + 1);
    while (n < want) {
        const char *s = near[roll(8)];
        if (roll(3) == 0) {
            dst[n++] = (uint8_t)(roll(4) == 0 ? '-' : (int)roll(256));
            if (dst[n - 1] == '\r') /* chance must not build what only `near` may */
                dst[n - 1] = 'r';
        } else {
            memcpy(dst + n, s, strlen(s));
            n += strlen(s);
        }
    }
    return n;
}

static bool holds_delimiter_line(const struct generated *g, const uint8_t *p, size_t n)
{
    char delimiter[80];
    size_t len = (size_t)snprintf(delimiter, sizeof delimiter, "\r\n--%s", g->boundary);

    for (size_t i = 0; i + len + 2 <= n; i++) {
        if (memcmp(p + i, delimiter, len) != 0)
            continue;
        if (p[i + len] == ' ' || p[i + len] == '\t' || memcmp(p + i + len, "\r\n", 2) == 0 ||
            memcmp(p + i + len, "--", 2) == 0)
            return true;
    }
    return false;
}

/* Data whose surroundings too hold no delimiter line but the true one behind it. */
static size_t make_safe_data(const struct generated *g, uint8_t *dst, size_t cap)
{
    static uint8_t around[4096 + 256];
    size_t n;

    do {
        n = make_data(g, dst, cap);
        memcpy(around, "\r\n", 2);
        memcpy(around + 2, dst, n);
        memcpy(around + 2 + n, "\r\n--", 4);
    } while (holds_delimiter_line(g, around, n + 6));
    return n;
}

static void put_other_part(struct generated *g)
{
    uint8_t data[300];
    char head[160];

    snprintf(head, sizeof head, "--%s%s\r\nContent-Disposition: form-data; name=\"field%u\"\r\n\r\n",
             g->boundary, roll(4) == 0 ? " \t" : "", (unsigned)roll(100));
    put_text(g, head);
    put(g, data, make_safe_data(g, data, sizeof data));
    put_text(g, "\r\n");
}

static void put_firmware_part(struct generated *g)
{
    char head[200];

    snprintf(head, sizeof head, "--%s\r\n%s" FIRMWARE "%s\r\n", g->boundary, roll(2) ? "X-A: b\r\n" : "",
             roll(2) ? "Content-Type: application/octet-stream\r\n" : "");
    put_text(g, head);
    g->data_at = g->len;
    g->file_len = make_safe_data(g, g->file, sizeof g->file);
    put(g, g->file, g->file_len);
    put_text(g, "\r\n");
}

static void generate(struct generated *g, unsigned parts_before, unsigned parts_behind)
{
    static const char letters[] = "abcXYZ019'()+_,-./:=?";
    size_t n = 1 + roll(roll(2) ? 4 : OTAPULT_BOUNDARY_MAX);

    memset(g, 0, sizeof *g);
    for (size_t i = 0; i < n; i++)
        g->boundary[i] = letters[roll(sizeof letters - 1)];
    snprintf(g->content_type, sizeof g->content_type, "multipart/form-data; boundary=\"%s\"", g->boundary);
    if (roll(4) == 0)
        put_text(g, "preamble\r\n");
    while (parts_before-- > 0)
        put_other_part(g);
    put_firmware_part(g);
    while (parts_behind-- > 0)
        put_other_part(g);
    put_text(g, "--");
    put_text(g, g->boundary);
    put_text(g, roll(2) ? "--\r\n" : "--");
}

static void random_bodies_give_their_file(void **state)
{
    static struct generated g;
    static struct outcome o;

    (void)state;
    for (uint32_t seed = 1; seed <= 1500; seed++) {
        dice = seed;
        generate(&g, roll(4), roll(4));
        parse_all_ways(&o, g.content_type, g.body, g.len);
        if (o.err != 0 || o.len != g.file_len || memcmp(o.file, g.file, o.len) != 0)
            fail_msg("seed %u: %s, %zu of %zu bytes", (unsigned)seed, otapult_error_row(o.err)->code, o.len,
                     g.file_len);
    }
}

/* Is byte i one of the file, or one whose removal cannot be told from that of its twin in the file? */
static bool damages_file(const struct generated *g, size_t i, bool remove)
{
    size_t end = g->data_at + g->file_len;
    bool twin = (i == end && g->body[i] == g->body[i - 1]) ||
                (i + 1 == g->data_at && g->body[i] == g->body[i + 1]);

    return (i >= g->data_at && i < end) || (remove && twin);
}

/* Nothing that happens to one byte of the form may change the file without an error. The firmware is the
 * last part: damage to the delimiter behind it would have to make up another one. */
static void one_damaged_byte_changes_no_file(void **state)
{
    static struct generated g;
    static struct outcome o;
    static uint8_t damaged[sizeof g.body];
    unsigned refused = 0, same = 0;

    (void)state;
    for (uint32_t seed = 1; seed <= 12; seed++) {
        dice = seed;
        generate(&g, roll(3), 0);
        for (size_t i = 0; i < g.len; i++) {
            bool remove = i % 2 == 0;
            bool of_file = damages_file(&g, i, remove);

            memcpy(damaged, g.body, g.len);
            if (remove)
                memmove(damaged + i, damaged + i + 1, g.len - i - 1);
            else
                damaged[i] ^= (uint8_t)(1u << roll(8));
            parse(&o, g.content_type, damaged, g.len - remove, roll(2) ? AT_ONCE : AT_RANDOM);
            if (o.err != 0)
                refused++;
            else if (!of_file) {
                same++;
                if (o.len != g.file_len || memcmp(o.file, g.file, o.len) != 0)
                    fail_msg("seed %u, byte %zu, %s", (unsigned)seed, i, remove ? "removed" : "changed");
            }
        }
    }
    assert_true(refused > 500 && same > 500);
}

static void random_bytes_never_hurt(void **state)
{
    static const char alphabet[] = "\r\n-AB:; \"=\\";
    static struct outcome o;
    uint8_t body[400];

    (void)state;
    dice = 7;
    for (int i = 0; i < 20000; i++) {
        size_t n = roll(sizeof body), head = roll(2) ? (size_t)snprintf((char *)body, 7, "--AB\r\n") : 0;
        for (size_t k = head; k < n; k++)
            body[k] = (uint8_t)alphabet[roll(sizeof alphabet - 1)];
        parse(&o, CT "AB", body, n, AT_RANDOM);
        assert_true(o.err != 0 && o.len == 0); /* none of them has a firmware field */
    }
}

/* A stage may be copied at any byte. */
static void a_copy_goes_on_where_the_original_was(void **state)
{
    static const char body[] = "--AB\r\n" FIRMWARE "\r\nfile\r\n--A\r\n--ABC\r\n--AB--";
    const uint8_t *bytes = (const uint8_t *)body;

    (void)state;
    for (size_t cut = 0; cut <= sizeof body - 1; cut++) {
        static struct outcome o;
        struct otapult_multipart m, copy;

        memset(&o, 0, sizeof o);
        assert_int_equal(otapult_multipart_init(&m, CT "AB"), 0);
        assert_int_equal(otapult_multipart_feed(&m, bytes, cut, collect, &o), 0);
        copy = m;
        memset(&m, 0xA5, sizeof m);
        assert_int_equal(otapult_multipart_feed(&copy, bytes + cut, sizeof body - 1 - cut, collect, &o), 0);
        assert_int_equal(otapult_multipart_finish(&copy), 0);
        assert_int_equal(o.len, strlen("file\r\n--A\r\n--ABC"));
    }
}

static void knows_bin_names(void **state)
{
    (void)state;
    assert_true(otapult_is_firmware_name("a.bin"));
    assert_true(otapult_is_firmware_name("firmware.BiN"));
    assert_false(otapult_is_firmware_name(".bin"));
    assert_false(otapult_is_firmware_name("bin"));
    assert_false(otapult_is_firmware_name(""));
    assert_true(otapult_is_firmware_name("a.bin.gz"));
    assert_true(otapult_is_firmware_name("a.Patch"));
    assert_false(otapult_is_firmware_name("a.bin.gzip"));
    assert_false(otapult_is_firmware_name(".gz"));
    assert_false(otapult_is_firmware_name("gz"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_the_file_of_a_browser),
        cmocka_unit_test(takes_the_file_of_curl),
        cmocka_unit_test(reads_over_other_fields),
        cmocka_unit_test(takes_preamble_padding_and_epilogue),
        cmocka_unit_test(a_file_may_look_like_its_surroundings),
        cmocka_unit_test(a_part_may_end_with_its_headers),
        cmocka_unit_test(takes_headers_in_every_spelling),
        cmocka_unit_test(large_runs_reach_the_sink_in_one_call),
        cmocka_unit_test(refuses_broken_bodies),
        cmocka_unit_test(a_nul_in_a_header_is_refused),
        cmocka_unit_test(tells_other_file_names),
        cmocka_unit_test(refuses_a_form_without_the_field),
        cmocka_unit_test(takes_the_longest_file_name),
        cmocka_unit_test(a_header_line_has_a_limit),
        cmocka_unit_test(the_headers_of_a_part_have_a_limit),
        cmocka_unit_test(the_sinks_error_comes_out),
        cmocka_unit_test(takes_boundaries_as_the_rfc_has_them),
        cmocka_unit_test(refuses_other_boundaries),
        cmocka_unit_test(refuses_other_content_types),
        cmocka_unit_test(random_bodies_give_their_file),
        cmocka_unit_test(one_damaged_byte_changes_no_file),
        cmocka_unit_test(random_bytes_never_hurt),
        cmocka_unit_test(a_copy_goes_on_where_the_original_was),
        cmocka_unit_test(knows_bin_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
