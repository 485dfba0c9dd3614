/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "trust/key.h"

/* The list of public_keys.def, as bytes. Eight bytes of each digest are enough: that another key begins with
 * the same eight happens by chance once in 2^64, and somebody who makes such a key on purpose has only his
 * own refused. */
#define NAMED_BY 8u

static const uint8_t public_keys[][NAMED_BY] = {
#define BYTES(...)  \
    {               \
        __VA_ARGS__ \
    }
#define OTAPULT_PUBLIC_KEY(bytes, source) bytes,
#include "trust/public_keys.def"
#undef OTAPULT_PUBLIC_KEY
#undef BYTES
};

bool otapult_key_is_public(const uint8_t digest[OTAPULT_KEY_DIGEST])
{
    for (size_t i = 0; i < sizeof public_keys / sizeof *public_keys; i++)
        if (memcmp(public_keys[i], digest, NAMED_BY) == 0)
            return true;
    return false;
}
