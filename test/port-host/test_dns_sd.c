/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "dns_sd.h"

/* Messages of other responders byte for byte, put down by hand after RFC 1035 and RFC 6763. */

/* An answer as avahi writes it: no question, names compressed against each other, the address first. */
static const uint8_t avahi[] = {
    0x12, 0x34, 0x84, 0, 0, 0, 0, 4, 0, 0, 0, 0,
    /* 12: rover-1.local A 10.0.0.7 */
    7, 'r', 'o', 'v', 'e', 'r', '-', '1', 5, 'l', 'o', 'c', 'a', 'l', 0, 0, 1, 0x80, 1, 0, 0, 0, 120, 0, 4,
    10, 0, 0, 7,
    /* 41: _http._tcp.local PTR "Rover 1.x"._http._tcp.local */
    5, '_', 'h', 't', 't', 'p', 4, '_', 't', 'c', 'p', 0xC0, 20, 0, 12, 0, 1, 0, 0, 0, 120, 0, 12, 9, 'R',
    'o', 'v', 'e', 'r', ' ', '1', '.', 'x', 0xC0, 41,
    /* 76: SRV 0 0 8443 rover-1.local */
    0xC0, 64, 0, 33, 0x80, 1, 0, 0, 0, 120, 0, 8, 0, 0, 0, 0, 0x20, 0xFB, 0xC0, 12,
    /* 96: TXT */
    0xC0, 64, 0, 16, 0x80, 1, 0, 0, 0, 120, 0, 30, 9, 'o', 't', 'a', 'p', 'u', 'l', 't', '=', '1', 5, 't',
    'l', 's', '=', '1', 13, 'v', 'e', 'r', 's', 'i', 'o', 'n', '=', '2', '.', '0', '.', '0'};

static struct dns_robots robots;

static void take(const uint8_t *message, size_t size)
{
    uint8_t *exact = malloc(size > 0 ? size : 1);

    assert_non_null(exact);
    memcpy(exact, message, size);
    dns_robots_take(&robots, exact, size, "192.0.2.9");
    free(exact);
}

static void test_compressed_names(void **state)
{
    (void)state;
    robots.count = 0;
    take(avahi, sizeof avahi);
    assert_int_equal(robots.count, 1);
    const struct dns_robot *r = &robots.robot[0];
    assert_string_equal(r->instance, "Rover 1\\.x._http._tcp.local");
    assert_string_equal(r->host, "rover-1.local");
    assert_string_equal(r->address, "10.0.0.7");
    assert_int_equal(r->port, 8443);
    assert_true(r->otapult && r->tls);
    assert_string_equal(r->version, "2.0.0");
}

/* Wherever a message ends too early, nothing is read behind it; and no byte of it may do harm. */
static void test_cut_anywhere_and_every_bit(void **state)
{
    uint8_t bent[sizeof avahi];

    (void)state;
    for (size_t size = 0; size < sizeof avahi; size++) {
        robots.count = 0;
        take(avahi, size);
        assert_true(robots.count <= 1);
    }
    for (size_t bit = 0; bit < 8 * sizeof avahi; bit++) {
        memcpy(bent, avahi, sizeof bent);
        bent[bit / 8] ^= (uint8_t)(1u << bit % 8);
        robots.count = 0;
        take(bent, sizeof bent);
        assert_true(robots.count <= 4);
    }
}

static void test_rings(void **state)
{
    static const uint8_t self[] = {0,    0,  0x84, 0,  0, 0, 0, 1, 0, 0, 0, 0,
                                   0xC0, 12, 0,    12, 0, 1, 0, 0, 0, 0, 0, 0};
    static const uint8_t two[] = {0,  0,    0x84, 0, 0,  0, 0, 1, 0, 0, 0, 0, 0xC0,
                                  14, 0xC0, 12,   0, 12, 0, 1, 0, 0, 0, 0, 0, 0};

    (void)state;
    robots.count = 0;
    take(self, sizeof self);
    take(two, sizeof two);
    assert_int_equal(robots.count, 0);
}

/* A question is no answer, and an answer is not answered. */
static void test_questions(void **state)
{
    static const char *const texts[] = {"otapult=1", NULL};
    const struct dns_own own = {"Rover", "rover.local", 80, {10, 0, 0, 1}, texts};
    uint8_t question[DNS_SD_MESSAGE], answer[DNS_SD_MESSAGE];
    size_t len = dns_write_question(question, 0x1234, DNS_SD_SERVICE, DNS_PTR, true);
    /* header, _http._tcp.local, PTR, IN with the bit that asks for unicast */
    static const uint8_t expected[] = {0x12, 0x34, 0,   0,   0,   1,   0, 0,   0,    0,   0,   0,
                                       5,    '_',  'h', 't', 't', 'p', 4, '_', 't',  'c', 'p', 5,
                                       'l',  'o',  'c', 'a', 'l', 0,   0, 12,  0x80, 1};

    (void)state;
    assert_int_equal(len, sizeof expected);
    assert_memory_equal(question, expected, len);
    robots.count = 0;
    take(question, len);
    assert_int_equal(robots.count, 0);
    size_t n = dns_write_answer(answer, &own, question, len, true);
    assert_true(n > 0);
    assert_memory_equal(answer, question, 2);
    assert_int_equal(dns_write_answer(question, &own, answer, n, true), 0);
    len = dns_write_question(question, 1, "_ipp._tcp.local", DNS_PTR, true);
    assert_int_equal(dns_write_answer(answer, &own, question, len, true), 0);
    len = dns_write_question(question, 1, "ROVER.local", DNS_A, true);
    assert_true(dns_write_answer(answer, &own, question, len, false) > 0);
}

static void test_too_long(void **state)
{
    uint8_t question[DNS_SD_MESSAGE];
    char name[400];

    (void)state;
    memset(name, 'a', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    assert_int_equal(dns_write_question(question, 1, name, DNS_A, true), 0);
    for (size_t i = 40; i < sizeof name; i += 41)
        name[i - 1] = '.';
    assert_int_equal(dns_write_question(question, 1, name, DNS_A, true), 0);
}

/* A network of more robots than there is room for. */
static void test_more_than_there_is_room_for(void **state)
{
    uint8_t many[sizeof avahi];

    (void)state;
    robots.count = 0;
    memcpy(many, avahi, sizeof many);
    for (unsigned i = 0; i < 2 * DNS_ROBOTS_MAX; i++) {
        many[65] = (uint8_t)('A' + i / 20);
        many[66] = (uint8_t)('A' + i % 20);
        take(many, sizeof many);
    }
    assert_int_equal(robots.count, DNS_ROBOTS_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_compressed_names),
        cmocka_unit_test(test_cut_anywhere_and_every_bit),
        cmocka_unit_test(test_rings),
        cmocka_unit_test(test_questions),
        cmocka_unit_test(test_too_long),
        cmocka_unit_test(test_more_than_there_is_room_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
