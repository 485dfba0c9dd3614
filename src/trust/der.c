/* SPDX-License-Identifier: Apache-2.0 */
#include "trust/der.h"

#include <string.h>

/* ---- writing ---- */

/* Once something did not fit, `full` stays and nothing more is written: callers ask once, at the end. */
void otapult_der_put(struct otapult_der_writer *w, const void *bytes, size_t len)
{
    if (w->full || len > (size_t)(w->at - w->begin)) {
        w->full = true;
        return;
    }
    w->at -= len;
    memcpy(w->at, bytes, len);
}

static void put_byte(struct otapult_der_writer *w, size_t byte)
{
    const uint8_t b = (uint8_t)byte;

    otapult_der_put(w, &b, 1);
}

void otapult_der_wrap(struct otapult_der_writer *w, uint8_t tag, const uint8_t *end)
{
    const size_t len = (size_t)(end - w->at);

    put_byte(w, len);
    if (len > 0xFF)
        put_byte(w, len >> 8);
    if (len > 0x7F)
        put_byte(w, len > 0xFF ? 0x82 : 0x81);
    put_byte(w, tag);
}

/* No zero in front but the one that keeps a number positive. */
void otapult_der_put_number(struct otapult_der_writer *w, const uint8_t *n, size_t len)
{
    const uint8_t *end = w->at;

    while (len > 1 && *n == 0) {
        n++;
        len--;
    }
    otapult_der_put(w, n, len);
    if (*n >= 0x80)
        put_byte(w, 0);
    otapult_der_wrap(w, OTAPULT_DER_INTEGER, end);
}

/* ---- reading ---- */

static bool take_length(struct otapult_der *d, size_t *len)
{
    if (d->at == d->end)
        return false;
    const uint8_t first = *d->at++;
    unsigned bytes = first & 0x7F;
    *len = first;
    if (first < 0x80)
        return true;
    if (bytes == 0 || bytes > 2 || (size_t)(d->end - d->at) < bytes)
        return false;
    for (*len = 0; bytes > 0; bytes--)
        *len = *len << 8 | *d->at++;
    return true;
}

bool otapult_der_take(struct otapult_der *d, uint8_t tag, struct otapult_der *content)
{
    size_t len;

    if (d->at == d->end || *d->at != tag)
        return false;
    d->at++;
    if (!take_length(d, &len) || len > (size_t)(d->end - d->at))
        return false;
    *content = (struct otapult_der){d->at, d->at + len};
    d->at += len;
    return true;
}

/* Its first byte says how many bits of the last one are unused. */
bool otapult_der_take_bits(struct otapult_der *d, struct otapult_der *content)
{
    if (!otapult_der_take(d, OTAPULT_DER_BIT_STRING, content) || content->at == content->end ||
        *content->at != 0)
        return false;
    content->at++;
    return true;
}

bool otapult_der_take_number(struct otapult_der *d, uint8_t tag, uint8_t *dst, size_t size)
{
    struct otapult_der n;

    if (!otapult_der_take(d, tag, &n) || n.at == n.end || (tag == OTAPULT_DER_INTEGER && *n.at >= 0x80))
        return false;
    while (n.at < n.end && *n.at == 0)
        n.at++;
    const size_t len = (size_t)(n.end - n.at);
    if (len > size)
        return false;
    memset(dst, 0, size - len);
    memcpy(dst + size - len, n.at, len);
    return true;
}
