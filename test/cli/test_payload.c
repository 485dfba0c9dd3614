/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include <cmocka.h>

#include "images.h"
#include "payload.h"

/* What otapult push holds of its file before a robot is asked, and which of its forms a robot gets. */

static char path[] = "/tmp/otapult-payload-XXXXXX";
static uint8_t *flat; /* firmware that packs well */
static size_t flat_len;

static int make_file(void **state)
{
    int fd = mkstemp(path);

    (void)state;
    flat = images_one("2.0.0", 2, 100000, &flat_len);
    bool good = fd >= 0 && flat != NULL && write(fd, flat, flat_len) == (ssize_t)flat_len;
    if (fd >= 0)
        close(fd);
    return good ? 0 : -1;
}

static int drop_file(void **state)
{
    (void)state;
    free(flat);
    return unlink(path);
}

/* zlib's own reader of gzip files. */
static size_t unpack(const uint8_t *p, size_t n, uint8_t *dst, size_t room)
{
    z_stream z = {
        .next_in = (z_const Bytef *)p, .avail_in = (uInt)n, .next_out = dst, .avail_out = (uInt)room};

    assert_int_equal(inflateInit2(&z, 16 + MAX_WBITS), Z_OK);
    assert_int_equal(inflate(&z, Z_FINISH), Z_STREAM_END);
    size_t got = z.total_out;
    inflateEnd(&z);
    return got;
}

/* The loop of the transfers has no time for it. */
static void it_is_packed_before_a_robot_is_asked(void **state)
{
    struct payload p;
    uint8_t *back = malloc(flat_len);

    (void)state;
    assert_int_equal(payload_read(&p, path, NULL), 0);
    assert_non_null(p.gzip.data);
    assert_true(p.gzip.size < flat_len);
    assert_int_equal(unpack(p.gzip.data, p.gzip.size, back, flat_len), flat_len);
    assert_memory_equal(back, flat, flat_len);
    free(back);
    payload_free(&p);
}

static void a_robot_gets_the_form_that_it_takes(void **state)
{
    struct payload p;
    size_t len;
    const char *word;

    (void)state;
    assert_int_equal(payload_read(&p, path, NULL), 0);
    assert_ptr_equal(payload_form(&p, &(struct device){.takes_gzip = true}, false, &len, &word), p.gzip.data);
    assert_string_equal(word, "gzip");
    assert_int_equal(len, p.gzip.size);
    assert_ptr_equal(payload_form(&p, &(struct device){.takes_gzip = false}, false, &len, &word), p.in.data);
    assert_string_equal(word, "plain");
    assert_int_equal(len, flat_len);
    payload_free(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_packed_before_a_robot_is_asked),
        cmocka_unit_test(a_robot_gets_the_form_that_it_takes),
    };

    return cmocka_run_group_tests(tests, make_file, drop_file);
}
