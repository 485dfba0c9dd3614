/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "boot_image.h"
#include "fuzz.h"
#include "image/judge.h"
#include "oracle.h"

/* The judge against two other readers of the format, the oracle and the model of the bootloader.
 *
 * What the judge accepts, the oracle must accept, as the same number of bytes with the same SHA-256, and the
 * bootloader must load: else a refused or unbootable image would be activated. What the oracle accepts as a
 * whole file, the judge must accept, but for what only the judge looks at: a hash flag that is neither 0 nor
 * 1, segments that do not lie in one memory of the chip, and mapped segments that are empty.
 *
 * Input: split; then the file. */
#define SETTINGS  1u
#define CHIP_SIZE 0x40000u

static int feed(void *stage, const uint8_t *p, size_t n)
{
    return otapult_judge_feed(stage, p, n);
}

static int judge(struct otapult_judge *j, const uint8_t *file, size_t len, uint8_t split)
{
    const struct otapult_inspect_limits limits = {.slot_size = CHIP_SIZE,
                                                  .chip_id = OTAPULT_CHIP_ESP32S3,
                                                  .chip_rev = BOOT_CHIP_REVISION,
                                                  .block_rev = BOOT_CHIP_BLOCK_REVISION};

    otapult_judge_init(j, &limits, (uint32_t)len);
    (void)fuzz_feed_pieces(feed, j, file, len, split);
    return otapult_judge_finish(j);
}

static uint32_t get32(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

/* The bootloader's own memory, which the judge leaves out: an image over it is not loaded, and the previous
 * one returns. Source: as in boot_image.c. */
static bool lies_over_bootloader(const struct otapult_image_info *info)
{
    for (unsigned n = 0; n < info->segment_count; n++) {
        uint32_t from = info->segment[n].load_addr, len = info->segment[n].size;
        if (from >= 0x40370000u && from < 0x403E0000u)
            from -= 0x6F0000u;
        if (len > 0 && from < 0x3FCEB710u && from + len > 0x3FCDB700u && from >= 0x3FC80000u)
            return true;
    }
    return false;
}

/* What the bootloader holds against it; NULL: nothing. */
static const char *bootloaders_fault(const uint8_t *file, size_t len)
{
    static struct nor_flash nor;

    nor_open_memory(&nor, CHIP_SIZE);
    memcpy(nor.data, file, len);
    const char *fault = boot_image_fault(&nor, 0, CHIP_SIZE);
    nor_close(&nor);
    return fault;
}

static void check_accepted(const struct otapult_judge *j, const uint8_t *file, size_t len)
{
    struct oracle_image o;

    FUZZ_EXPECT(oracle_image_ok(file, len, &o));
    FUZZ_EXPECT(o.size == len && j->inspect.info.size == len);
    FUZZ_EXPECT(memcmp(o.sha256, j->inspect.info.sha256, 32) == 0);
    FUZZ_EXPECT(bootloaders_fault(file, len) == NULL || lies_over_bootloader(&j->inspect.info));
}

static bool is_only_the_judges(const struct otapult_judge *j, const uint8_t *file, size_t len)
{
    const char *text = j->why.text != NULL ? j->why.text : "";

    if (j->err == OTAPULT_E_IMAGE_EFUSE_REVISION) { /* the oracle reads a file, and knows no chip */
        const char *fault = bootloaders_fault(file, len);
        return fault != NULL && strstr(fault, "eFuse") != NULL;
    }

    if (j->err == OTAPULT_E_IMAGE_NO_HASH)
        return file[23] > 1;
    return j->err == OTAPULT_E_IMAGE_SEGMENT &&
           (strcmp(text, "an address outside this chip's memory") == 0 || strncmp(text, "no ", 3) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct otapult_judge j, split;
    struct oracle_image o;

    if (size < SETTINGS || size - SETTINGS > CHIP_SIZE)
        return 0;
    const uint8_t *file = data + SETTINGS;
    const size_t len = size - SETTINGS;

    int err = judge(&j, file, len, 0);
    FUZZ_EXPECT(judge(&split, file, len, data[0]) == err);
    FUZZ_EXPECT(split.why.at == j.why.at && split.why.got == j.why.got && split.why.want == j.why.want);
    FUZZ_EXPECT(err >= 0 && err < OTAPULT_ERROR_COUNT && err != OTAPULT_E_INTERNAL);
    if (err == 0)
        check_accepted(&j, file, len);
    else if (len > 24 && oracle_image_ok(file, len, &o) && o.size == len)
        FUZZ_EXPECT(is_only_the_judges(&j, file, len));
    return 0;
}

/* Now and then a segment goes where something interesting begins or ends. */
static void move_a_segment(uint8_t *image, size_t len, uint32_t random)
{
    static const uint32_t addresses[] = {
        0x3FC88000, 0x3FCDB700, 0x3FCEB710, 0x3FD00000, 0x40370000, 0x403CB700, 0x403E0000, 0x600FE000,
        0x50000000, 0x50002000, 0x0FFFFFFC, 0x10000000, 0x3C000000, 0x3E000000, 0x42000000, 0x44000000};
    size_t at = 24;

    for (uint32_t n = random % 6; n > 0 && at + 8 <= len; n--)
        at += 8 + (size_t)get32(image + at + 4);
    if (at + 8 > len)
        return;
    uint32_t to = addresses[random / 8 % 16] - random / 128 % 3 * 4;
    for (int i = 0; i < 4; i++)
        image[at + (size_t)i] = (uint8_t)(to >> 8 * i);
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed)
{
    uint32_t state = seed, how = fuzz_random(&state);

    size = LLVMFuzzerMutate(data, size, max_size);
    if (size <= SETTINGS)
        return size;
    if (how % 4 == 0)
        move_a_segment(data + SETTINGS, size - SETTINGS, fuzz_random(&state));
    if (how % 16 != 1)
        fuzz_mend_image(data + SETTINGS, size - SETTINGS, how >> 8 & how >> 16 & how >> 24);
    return size;
}
