/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "trust/der.h"

/* DER by the byte, as X.690 writes it. */

#define COUNT(a) (sizeof(a) / sizeof(a)[0])

static uint8_t room[70000], content[70000];

static struct otapult_der_writer writer(size_t size)
{
    memset(room, 0xA5, sizeof room);
    return (struct otapult_der_writer){room, room + size, false};
}

/* 8.1.3: a length takes one byte up to 127, then as few as it needs behind one that says how many. */
static const struct {
    size_t len;
    uint8_t head[4];
    size_t head_len;
} lengths[] = {
    {0, {4, 0}, 2},
    {1, {4, 1}, 2},
    {127, {4, 127}, 2},
    {128, {4, 0x81, 128}, 3},
    {255, {4, 0x81, 255}, 3},
    {256, {4, 0x82, 1, 0}, 4},
    {65535, {4, 0x82, 255, 255}, 4},
};

static void a_header_is_as_short_as_can_be(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(lengths); i++) {
        const size_t whole = lengths[i].head_len + lengths[i].len;
        struct otapult_der_writer w = writer(whole);
        otapult_der_put(&w, content, lengths[i].len);
        otapult_der_wrap(&w, OTAPULT_DER_OCTET_STRING, room + whole);
        assert_false(w.full); /* to the last byte of the room */
        assert_ptr_equal(w.at, room);
        assert_memory_equal(room, lengths[i].head, lengths[i].head_len);

        struct otapult_der d = {room, room + whole}, found;
        assert_true(otapult_der_take(&d, OTAPULT_DER_OCTET_STRING, &found));
        assert_ptr_equal(d.at, d.end);
        assert_ptr_equal(found.at, room + lengths[i].head_len);
        assert_int_equal(found.end - found.at, lengths[i].len);
    }
}

/* Whatever it is that does not fit; and what is short enough again does not make it whole. */
static void what_does_not_fit_is_said_and_stays_said(void **state)
{
    (void)state;
    for (size_t size = 0; size < 7; size++) {
        struct otapult_der_writer w = writer(size);
        uint8_t *end = w.at;
        otapult_der_put(&w, content, 3);
        otapult_der_wrap(&w, OTAPULT_DER_OCTET_STRING, end);
        otapult_der_put(&w, content, 1);
        assert_int_equal(w.full, size < 6);
        otapult_der_put(&w, content, 0);
        assert_int_equal(w.full, size < 6);
        assert_int_equal(room[size], 0xA5);
    }
}

/* 8.3: two's complement, in as few bytes as it needs. */
static void numbers_are_positive_and_without_zeros_in_front(void **state)
{
    static const struct {
        uint8_t number[3], len, written[6], size;
    } cases[] = {
        {{0}, 1, {2, 1, 0}, 3},
        {{0, 0, 0}, 3, {2, 1, 0}, 3},
        {{0x7F}, 1, {2, 1, 0x7F}, 3},
        {{0x80}, 1, {2, 2, 0, 0x80}, 4},
        {{0, 0x80, 1}, 3, {2, 3, 0, 0x80, 1}, 5},
        {{0, 1, 0}, 3, {2, 2, 1, 0}, 4},
        {{0xFF, 0, 0}, 3, {2, 4, 0, 0xFF, 0, 0}, 6},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct otapult_der_writer w = writer(cases[i].size);
        uint8_t back[3];
        otapult_der_put_number(&w, cases[i].number, cases[i].len);
        assert_false(w.full);
        assert_ptr_equal(w.at, room);
        assert_memory_equal(room, cases[i].written, cases[i].size);

        struct otapult_der d = {room, room + cases[i].size};
        assert_true(otapult_der_take_number(&d, OTAPULT_DER_INTEGER, back, cases[i].len));
        assert_memory_equal(back, cases[i].number, cases[i].len);
        assert_ptr_equal(d.at, d.end);
    }
}

static bool takes(const uint8_t *der, size_t len, size_t *found)
{
    struct otapult_der d = {der, der + len}, c;

    if (!otapult_der_take(&d, der[0], &c))
        return false;
    *found = (size_t)(c.end - c.at);
    return true;
}

static void what_is_no_element_is_not_taken(void **state)
{
    static const struct {
        uint8_t der[6];
        size_t len;
    } wrong[] = {
        {{4}, 1},                /* no length */
        {{4, 1}, 2},             /* its content is missing */
        {{4, 2, 9}, 3},          /* a part of it */
        {{4, 0x80, 0, 0}, 4},    /* 8.1.3.6: of no definite length */
        {{4, 0x81}, 2},          /* no length again */
        {{4, 0x82, 0}, 3},       /* half of it */
        {{4, 0x81, 2, 9}, 4},    /* longer than there is */
        {{4, 0x83, 0, 0, 0}, 5}, /* longer than this reader goes */
        {{4, 0xFF, 0, 0, 0}, 5},
    };
    struct otapult_der d = {content, content}, c;
    size_t found;

    (void)state;
    for (size_t i = 0; i < COUNT(wrong); i++)
        assert_false(takes(wrong[i].der, wrong[i].len, &found));
    assert_true(takes((const uint8_t[]){4, 0x81, 1, 9}, 4, &found));
    assert_int_equal(found, 1);
    assert_true(takes((const uint8_t[]){4, 0x82, 0, 1, 9}, 5, &found));
    assert_int_equal(found, 1);
    for (unsigned first = 0x80; first <= 0xFF; first++) { /* and with as much behind it as anybody may want */
        memset(room, 0, sizeof room);
        room[0] = 4;
        room[1] = (uint8_t)first;
        assert_int_equal(takes(room, sizeof room, &found), first == 0x81 || first == 0x82);
    }
    assert_false(otapult_der_take(&d, 0, &c)); /* nothing at all */
    d = (struct otapult_der){lengths[1].head, lengths[1].head + 2};
    assert_false(otapult_der_take(&d, 5, &c)); /* of another tag */
}

static void what_is_no_such_number_is_not_taken(void **state)
{
    static const struct {
        uint8_t der[6];
        size_t len;
    } wrong[] = {
        {{2, 0}, 2},          /* of no bytes */
        {{2, 1, 0x80}, 3},    /* negative */
        {{2, 2, 0xFF, 1}, 4}, /* negative */
        {{2, 3, 1, 0, 0}, 5}, /* too large for two bytes */
        {{4, 1, 1}, 3},       /* of another kind */
    };
    uint8_t to[2];
    struct otapult_der d;

    (void)state;
    for (size_t i = 0; i < COUNT(wrong); i++) {
        d = (struct otapult_der){wrong[i].der, wrong[i].der + wrong[i].len};
        assert_false(otapult_der_take_number(&d, OTAPULT_DER_INTEGER, to, sizeof to));
    }
    const uint8_t octets[] = {4, 1, 0x80}, seven[] = {2, 1, 0x7F}, zeros[] = {2, 4, 0, 0, 0x12, 0x34};
    d = (struct otapult_der){octets, octets + sizeof octets}; /* in an OCTET STRING a byte is a byte */
    assert_true(otapult_der_take_number(&d, OTAPULT_DER_OCTET_STRING, to, sizeof to));
    assert_memory_equal(to, "\x00\x80", 2);
    d = (struct otapult_der){seven, seven + sizeof seven};
    assert_true(otapult_der_take_number(&d, OTAPULT_DER_INTEGER, to, sizeof to));
    assert_memory_equal(to, "\x00\x7F", 2);
    d = (struct otapult_der){zeros, zeros + sizeof zeros};
    assert_true(otapult_der_take_number(&d, OTAPULT_DER_INTEGER, to, sizeof to));
    assert_memory_equal(to, "\x12\x34", 2);
    const uint8_t more[] = {2, 1, 0, 0, 0, 0}; /* zeros behind it are none of its */
    d = (struct otapult_der){more, more + sizeof more};
    assert_true(otapult_der_take_number(&d, OTAPULT_DER_INTEGER, to, sizeof to));
    assert_memory_equal(to, "\x00\x00", 2);
    assert_ptr_equal(d.at, more + 3);
}

static void bits_are_whole_bytes(void **state)
{
    static const uint8_t good[] = {3, 3, 0, 0xAB, 0xCD}, empty[] = {3, 1, 0};
    static const uint8_t wrong[][4] = {{3, 0}, {3, 2, 1, 0x80}, {4, 2, 0, 0x80}};
    struct otapult_der d, c;

    (void)state;
    d = (struct otapult_der){good, good + sizeof good};
    assert_true(otapult_der_take_bits(&d, &c));
    assert_int_equal(c.end - c.at, 2);
    assert_memory_equal(c.at, good + 3, 2);
    assert_ptr_equal(d.at, d.end);
    d = (struct otapult_der){empty, empty + sizeof empty};
    assert_true(otapult_der_take_bits(&d, &c));
    assert_ptr_equal(c.at, c.end);
    for (size_t i = 0; i < COUNT(wrong); i++) {
        d = (struct otapult_der){wrong[i], wrong[i] + 2 + wrong[i][1]};
        assert_false(otapult_der_take_bits(&d, &c));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_header_is_as_short_as_can_be),
        cmocka_unit_test(what_does_not_fit_is_said_and_stays_said),
        cmocka_unit_test(numbers_are_positive_and_without_zeros_in_front),
        cmocka_unit_test(what_is_no_element_is_not_taken),
        cmocka_unit_test(what_is_no_such_number_is_not_taken),
        cmocka_unit_test(bits_are_whole_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
