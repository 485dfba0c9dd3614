/* SPDX-License-Identifier: Apache-2.0 */
#include "update/self_test.h"

#include <string.h>

#define SAMPLE_SIZE 336u
#define BLOCK_USED  165u

/* The smallest image the inspector takes: header, a DROM segment of nothing but its description, an IROM
 * segment of four bytes, checksum and SHA-256. No least security version is above its own. */
/* clang-format off */
static const uint8_t sample[SAMPLE_SIZE] = {
    0xE9, 0x02, 0x02, 0x4F, 0x00, 0x70, 0x37, 0x40, 0xEE, 0x00, 0x00, 0x00, 0x09, 0x00, 0x00, 0x00,
    0x00, 0xFF, 0xFF, 0x00, 0x00, 0x00, 0x00, 0x01, 0x20, 0x00, 0x00, 0x3C, 0x00, 0x01, 0x00, 0x00,
    0x32, 0x54, 0xCD, 0xAB, 0xFF, 0xFF, 0xFF, 0xFF,
    [0x30] = '0',
    [0x50] = 's', 'e', 'l', 'f', '-', 't', 'e', 's', 't',
    [0x120] = 0x28, 0x01, 0x00, 0x42, 0x04,
    [0x12F] = 0xF8,
    0xF7, 0x81, 0x9D, 0x47, 0x9A, 0x24, 0x5C, 0x74, 0x7C, 0xA3, 0x09, 0x43, 0x27, 0x55, 0xFE, 0x5A,
    0x79, 0x6C, 0xD1, 0xE9, 0xD8, 0x75, 0xEE, 0xE1, 0x1D, 0xD0, 0x97, 0x09, 0x79, 0xC7, 0xAA, 0xE1,
};
/* clang-format on */

/* Its signature with an ECDSA P-256 key that was made for this and kept nowhere. */
static const uint8_t block[BLOCK_USED] = {
    0xE7, 0x03, 0x00, 0x00, 0x5C, 0x58, 0xF3, 0xC3, 0x6C, 0x6D, 0x1B, 0xD5, 0x92, 0x2B, 0x27, 0x13, 0xED,
    0xB6, 0x41, 0xEE, 0x5C, 0x2D, 0xFD, 0xC6, 0x4A, 0xE4, 0x56, 0x50, 0x19, 0xB8, 0xDE, 0x83, 0x86, 0xBE,
    0x0B, 0xE1, 0x02, 0x0E, 0xBD, 0x6E, 0x85, 0x6D, 0xF9, 0x05, 0xE2, 0x60, 0xD3, 0xBA, 0x36, 0xD5, 0x0A,
    0x0F, 0xB3, 0xD2, 0x08, 0x3F, 0xEC, 0x65, 0xB8, 0xF1, 0x28, 0xDD, 0xE3, 0xD1, 0x0D, 0xDA, 0x2F, 0xD3,
    0xD4, 0xFC, 0xE9, 0x3F, 0x5B, 0xF4, 0x86, 0x3E, 0xBF, 0x3B, 0x2D, 0x13, 0xD0, 0x25, 0xDB, 0xB1, 0xAC,
    0x28, 0x69, 0xCC, 0xFA, 0x5C, 0xE7, 0x56, 0xA0, 0x14, 0x89, 0x72, 0xF0, 0x96, 0x25, 0xD8, 0xFC, 0x72,
    0xFD, 0x17, 0xDB, 0x82, 0x1B, 0x88, 0x75, 0x00, 0x73, 0x80, 0xA3, 0xC9, 0x97, 0x9F, 0xEF, 0x4A, 0xB3,
    0x1A, 0xE4, 0x7E, 0x12, 0x1D, 0xF8, 0xCB, 0x8A, 0xE5, 0x95, 0xAF, 0xFF, 0x1C, 0x19, 0xCA, 0x8C, 0xFC,
    0xE6, 0x64, 0xEB, 0x70, 0xA6, 0x0B, 0xAE, 0xF1, 0xC5, 0xEF, 0x3B, 0x33, 0xF1, 0xD0, 0xE0, 0x87, 0x81,
    0x82, 0xF4, 0x2D, 0x20, 0x6C, 0x8B, 0x48, 0xE8, 0x4F, 0x96, 0xE9, 0x5A,
};

static void lay_sector(uint8_t sector[OTAPULT_SIGNATURE_SECTOR])
{
    memset(sector, 0, OTAPULT_SIGNATURE_BLOCK);
    memcpy(sector, block, sizeof block);
    memset(sector + OTAPULT_SIGNATURE_BLOCK, 0xFF, OTAPULT_SIGNATURE_SECTOR - OTAPULT_SIGNATURE_BLOCK);
}

static int feed_fill(struct otapult_judge *j)
{
    uint8_t fill[64];
    int err = 0;

    memset(fill, 0xFF, sizeof fill);
    for (uint32_t left = OTAPULT_SIGNATURE_SECTOR - SAMPLE_SIZE; left > 0 && err == 0;) {
        uint32_t n = left < sizeof fill ? left : sizeof fill;
        err = otapult_judge_feed(j, fill, n);
        left -= n;
    }
    return err;
}

/* What the checks of an upload say to the sample, with `sector` behind it or, NULL, without. */
static int judge(struct otapult_judge *j, const uint8_t *sector, const struct otapult_trust *trust)
{
    const struct otapult_inspect_limits limits = {.slot_size = 2 * OTAPULT_SIGNATURE_SECTOR,
                                                  .chip_id = OTAPULT_CHIP_ESP32S3,
                                                  .least_security = trust->least_security,
                                                  .trust = trust};

    otapult_judge_init(j, &limits, OTAPULT_SIZE_UNKNOWN);
    int err = otapult_judge_feed(j, sample, sizeof sample);
    if (err == 0 && sector != NULL)
        err = feed_fill(j);
    if (err == 0 && sector != NULL)
        err = otapult_judge_feed(j, sector, OTAPULT_SIGNATURE_SECTOR);
    return err == 0 ? otapult_judge_finish(j) : err;
}

/* The other way round: with its key trusted the sample is taken, but not with one bit of the signature
 * changed. Says that the crypto library tells right from wrong, and does not merely refuse. */
static const char *test_own_key(struct otapult_judge *j, uint8_t sector[OTAPULT_SIGNATURE_SECTOR])
{
    uint8_t key[1][OTAPULT_KEY_DIGEST];
    struct otapult_trust own;

    if (otapult_signature_key(sector, key[0]) != 0)
        return "a signing key cannot be read";
    otapult_trust_init(&own, (const uint8_t(*)[OTAPULT_KEY_DIGEST])key, 1);
    if (judge(j, sector, &own) != 0)
        return "a right signature was refused";
    sector[BLOCK_USED - 1] ^= 1;
    otapult_signature_seal(sector);
    return judge(j, sector, &own) == OTAPULT_E_SIGNATURE_WRONG ? NULL : "a wrong signature was taken";
}

const char *otapult_self_test(struct otapult_judge *j, uint8_t scratch[OTAPULT_SIGNATURE_SECTOR],
                              const struct otapult_trust *trust)
{
    if (judge(j, NULL, trust) != OTAPULT_E_SIGNATURE_MISSING)
        return "an image without a signature was taken";
    lay_sector(scratch);
    otapult_signature_seal(scratch);
    if (judge(j, scratch, trust) != OTAPULT_E_SIGNATURE_WRONG)
        return "a signature by an unknown key was taken";
    return test_own_key(j, scratch);
}
