/* SPDX-License-Identifier: Apache-2.0 */
#include "trust/key.h"

#include "base/bytes.h"

uint32_t otapult_key_id(const uint8_t digest[OTAPULT_KEY_DIGEST])
{
    uint32_t id = (uint32_t)digest[0] << 24 | (uint32_t)digest[1] << 16 | (uint32_t)digest[2] << 8 |
                  digest[3];
    return id == 0 ? 1 : id;
}

bool otapult_read_digests(const char *text, uint8_t (*keys)[OTAPULT_KEY_DIGEST], size_t max, size_t *count)
{
    for (;;) {
        if (*count >= max || !otapult_read_hex(text, keys[*count], OTAPULT_KEY_DIGEST))
            return false;
        ++*count;
        text += 2 * OTAPULT_KEY_DIGEST;
        if (*text == '\0')
            return true;
        if (*text++ != ',')
            return false;
    }
}
