/* SPDX-License-Identifier: Apache-2.0 */
#include "der.h"

#include <string.h>

static bool take_length(struct der *d, size_t *len)
{
    if (d->at == d->end)
        return false;
    uint8_t first = *d->at++;
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

bool der_take(struct der *d, uint8_t tag, struct der *content)
{
    size_t len;

    if (d->at == d->end || *d->at++ != tag || !take_length(d, &len) || len > (size_t)(d->end - d->at))
        return false;
    *content = (struct der){d->at, d->at + len};
    d->at += len;
    return true;
}

bool der_take_number(struct der *d, uint8_t *dst, size_t size)
{
    struct der n;

    if (!der_take(d, DER_INTEGER, &n) || n.at == n.end || *n.at >= 0x80)
        return false;
    while (n.at < n.end && *n.at == 0)
        n.at++;
    size_t len = (size_t)(n.end - n.at);
    if (len > size)
        return false;
    memset(dst, 0, size - len);
    memcpy(dst + size - len, n.at, len);
    return true;
}
