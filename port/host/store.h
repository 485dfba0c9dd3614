/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OTAPULT_HOST_STORE_H
#define OTAPULT_HOST_STORE_H

#include "nor_flash.h"

/* The key-value store of the virtual board: a log of records in its nvs partition, so that what the
 * device remembers lives in the flash file and loses power with it. Not ESP-IDF's NVS format: the board
 * uses the real one. Two halves; when one is full the live records move to the other, and a half counts
 * only when its header was written last. A cut leaves the old or the new value of a key. */

struct store {
    struct nor_flash *nor;
    uint32_t base, size; /* of the partition: a multiple of 2 sectors is used, at least 2 */
};

#define STORE_KEY_MAX   15u
#define STORE_VALUE_MAX 256u

/* Copies the value of `key` into dst[cap]; *len is its length, 0 when the key is absent. A value longer
 * than `cap` is cut, *len is still its whole length. A partition that holds anything else is an empty
 * store. 0, or STORE (key of 0 or more than 15 characters, or "!"; flash failed; or the store is damaged and
 * what it held of this key is lost: so it stays until the key is set or removed). */
OTAPULT_MUST_CHECK int store_get(struct store *s, const char *key, void *dst, size_t cap, size_t *len);

/* Sets `key` to src[len]; len 0 removes it and src may be NULL. Writes nothing when that is what the key
 * holds. 0, or STORE (as above, value too long, or the store is full: then nothing has changed). */
OTAPULT_MUST_CHECK int store_set(struct store *s, const char *key, const void *src, size_t len);

#endif
