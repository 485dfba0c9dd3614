/* SPDX-License-Identifier: Apache-2.0 */
#include "decode/decoder.h"

#include "trust/sha256.h"

int otapult_slot_sha256(const struct otapult_flash *flash, uint32_t len, uint8_t *scratch,
                        uint32_t scratch_len, uint8_t sha256[32])
{
    struct otapult_sha256 sha;

    if (len > flash->size)
        return OTAPULT_E_IMAGE_TOO_LARGE;
    otapult_sha256_init(&sha);
    for (uint32_t off = 0, n; off < len; off += n) {
        n = len - off < scratch_len ? len - off : scratch_len;
        int err = flash->read(flash->ctx, off, scratch, n);
        if (err != 0)
            return err;
        otapult_sha256_feed(&sha, scratch, n);
    }
    return otapult_sha256_peek(&sha, sha256) == 0 ? 0 : OTAPULT_E_INTERNAL;
}
