/* SPDX-License-Identifier: Apache-2.0 */
#include "trust/key.h"

uint32_t otapult_key_id(const uint8_t digest[OTAPULT_KEY_DIGEST])
{
    uint32_t id = (uint32_t)digest[0] << 24 | (uint32_t)digest[1] << 16 | (uint32_t)digest[2] << 8 |
                  digest[3];
    return id == 0 ? 1 : id;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static bool read_digest(const char *hex, uint8_t digest[OTAPULT_KEY_DIGEST])
{
    for (unsigned i = 0; i < 2 * OTAPULT_KEY_DIGEST; i++) { /* ends at the NUL, too */
        const int digit = hex_digit(hex[i]);
        if (digit < 0)
            return false;
        digest[i / 2] = (uint8_t)(digest[i / 2] << 4 | digit);
    }
    return true;
}

bool otapult_read_digests(const char *text, uint8_t (*keys)[OTAPULT_KEY_DIGEST], size_t max, size_t *count)
{
    for (;;) {
        if (*count >= max || !read_digest(text, keys[*count]))
            return false;
        ++*count;
        text += 2 * OTAPULT_KEY_DIGEST;
        if (*text == '\0')
            return true;
        if (*text++ != ',')
            return false;
    }
}
