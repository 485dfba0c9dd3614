/* SPDX-License-Identifier: Apache-2.0 */
#include "trust/trust.h"

#include <string.h>

/* Questions to a trust that is loaded; nothing here writes. trust_store.c has put only such keys into it as
 * are neither revoked nor public, so no question looks at the lists again.
 *
 * Numbers of keys: 0 to OTAPULT_KEYS_MAX - 1 are the built-in ones as the application lists them, those
 * behind them the stored ones. A signature keeps them as bits of one byte (signature.h). */

_Static_assert(OTAPULT_KEYS_ALL <= 8, "`signers` of a signature has a bit for each key");

const uint8_t *otapult_trust_key(const struct otapult_trust *t, unsigned n)
{
    if (n < t->built_in_count)
        return t->usable & 1u << n ? t->built_in[n] : NULL;
    if (n < OTAPULT_KEYS_MAX)
        return NULL;
    n -= OTAPULT_KEYS_MAX;
    return n < t->stored_count ? t->stored[n] : NULL;
}

static bool is_key(const struct otapult_trust *t, unsigned n, const uint8_t digest[OTAPULT_KEY_DIGEST])
{
    const uint8_t *key = otapult_trust_key(t, n);
    return key != NULL && memcmp(key, digest, OTAPULT_KEY_DIGEST) == 0;
}

/* A key that is both built in and stored counts once. */
unsigned otapult_trust_count(const struct otapult_trust *t)
{
    unsigned count = 0, first;

    for (unsigned n = 0; n < OTAPULT_KEYS_ALL; n++) {
        const uint8_t *key = otapult_trust_key(t, n);
        if (key != NULL && otapult_trust_ask(t, key, &first) == OTAPULT_KEY_TRUSTED && first == n)
            count++;
    }
    return count;
}

/* By the first four bytes alone, which will do: the key does not count in any case, and this only chooses the
 * word for it. */
static bool is_revoked(const struct otapult_trust *t, const uint8_t digest[OTAPULT_KEY_DIGEST])
{
    for (unsigned i = 0; i < t->revoked_count; i++)
        if (t->revoked_id[i] == otapult_key_id(digest))
            return true;
    return false;
}

enum otapult_standing otapult_trust_ask(const struct otapult_trust *t,
                                        const uint8_t digest[OTAPULT_KEY_DIGEST], unsigned *n)
{
    for (unsigned i = 0; i < OTAPULT_KEYS_ALL; i++) {
        if (!is_key(t, i, digest))
            continue;
        if (n != NULL)
            *n = i;
        return OTAPULT_KEY_TRUSTED;
    }
    if (is_revoked(t, digest))
        return OTAPULT_KEY_REVOKED;
    return otapult_key_is_public(digest) ? OTAPULT_KEY_PUBLIC : OTAPULT_KEY_UNKNOWN;
}
