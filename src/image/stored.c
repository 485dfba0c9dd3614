/* SPDX-License-Identifier: Apache-2.0 */
#include "image/stored.h"

#include "base/bytes.h"
#include "image/format.h"

static bool is_inside(const struct otapult_flash *flash, uint32_t at, uint32_t len)
{
    return at <= flash->size && len <= flash->size - at;
}

/* Finds the image's own SHA-256. Behind the last segment come zeros and one checksum byte, up to a multiple
 * of 16 bytes, and then the SHA-256. *at is 0 where the headers lead out of the slot, or there is none. */
static int find_digest(const struct otapult_flash *flash, const uint8_t head[OTAPULT_HEAD_SIZE], uint32_t *at)
{
    uint8_t segment[OTAPULT_SEGMENT_HEADER];
    uint32_t end = OTAPULT_IMAGE_HEADER;

    *at = 0;
    if (head[OTAPULT_HEADER_HASH] != 1)
        return 0;
    for (unsigned n = 0; n < head[OTAPULT_HEADER_SEGMENTS]; n++) {
        if (!is_inside(flash, end, sizeof segment))
            return 0;
        int err = flash->read(flash->ctx, end, segment, sizeof segment);
        if (err != 0)
            return err;
        const uint32_t size = otapult_le32(segment + 4);
        if (!is_inside(flash, end + (uint32_t)sizeof segment, size))
            return 0;
        end += (uint32_t)sizeof segment + size;
    }
    end += 16 - end % 16;
    if (is_inside(flash, end, OTAPULT_IMAGE_DIGEST))
        *at = end;
    return 0;
}

int otapult_name_stored(const struct otapult_flash *flash, const uint8_t head[OTAPULT_HEAD_SIZE],
                        struct otapult_app_desc *desc)
{
    uint8_t digest[sizeof desc->build];
    uint32_t at;

    if (!otapult_desc_has_no_build(desc))
        return 0;
    int err = find_digest(flash, head, &at);
    if (err == 0 && at != 0) {
        err = flash->read(flash->ctx, at, digest, sizeof digest);
        if (err == 0)
            otapult_name_build(desc, digest);
    }
    return err;
}
