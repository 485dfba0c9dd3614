/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "flash/ota_data.h"
#include "fuzz.h"
#include "oracle.h"
#include "table_maker.h"

/* OTA data that holds anything: what is activated is what the oracle's bootloader then goes for; what fails
 * changes nothing; what the device takes for the active record is what the bootloader follows.
 *
 * Input: count of slots, slot, state, which flash operation fails (0: none); then the two records. */
#define SETTINGS 4u
#define FLASH    0x12000u
#define OTA_DATA 0xD000u
#define SLOTS_AT 0xF000u

static uint8_t chip[FLASH];
static unsigned fails_at, calls;

static bool fails(void)
{
    return ++calls == fails_at;
}

static int read(void *ctx, uint32_t off, void *dst, uint32_t len)
{
    (void)ctx;
    FUZZ_EXPECT(off <= 0x2000 && len <= 0x2000 - off);
    memcpy(dst, chip + OTA_DATA + off, len);
    return fails() ? OTAPULT_E_FLASH_READ : 0;
}

static int write(void *ctx, uint32_t off, const void *src, uint32_t len)
{
    (void)ctx;
    FUZZ_EXPECT(off % 0x1000 == 0 && off < 0x2000 && len == 32);
    for (uint32_t i = 0; i < len; i++)
        FUZZ_EXPECT(chip[OTA_DATA + off + i] == 0xFF);
    bool failing = fails();
    memcpy(chip + OTA_DATA + off, src, failing ? len / 2 : len);
    return failing ? OTAPULT_E_FLASH_WRITE : 0;
}

static int erase(void *ctx, uint32_t off, uint32_t len)
{
    (void)ctx;
    FUZZ_EXPECT(off % 0x1000 == 0 && off < 0x2000 && len == 0x1000);
    if (fails())
        return OTAPULT_E_FLASH_ERASE;
    memset(chip + OTA_DATA + off, 0xFF, len);
    return 0;
}

static const struct otapult_flash flash = {
    .read = read, .write = write, .erase = erase, .size = 0x2000, .sector = 0x1000, .block = 0x1000};

/* Slots that hold nothing: only what is chosen counts. */
static void make_chip(unsigned count, const uint8_t *records, size_t len)
{
    struct table_part parts[17] = {{1, 0, OTA_DATA, 0x2000, "otadata"}};

    for (unsigned n = 0; n < count; n++)
        parts[1 + n] = (struct table_part){0, (uint8_t)(0x10 + n), SLOTS_AT, 0x1000, "app"};
    memset(chip, 0xFF, sizeof chip);
    table_make(chip + 0x8000, parts, count + 1);
    memcpy(chip + OTA_DATA, records, len < 32 ? len : 32);
    if (len > 32)
        memcpy(chip + OTA_DATA + 0x1000, records + 32, len - 32 < 32 ? len - 32 : 32);
}

static int chosen(void)
{
    return oracle_boot(chip, sizeof chip).chosen;
}

static bool is_pending(const struct otapult_ota_data *d)
{
    return d->record[0].state == OTAPULT_OTA_PENDING || d->record[1].state == OTAPULT_OTA_PENDING;
}

/* A bootloader with rollback first aborts what is pending, so what is active now may not be then. */
static void check_active(unsigned count)
{
    struct otapult_ota_data d;

    FUZZ_EXPECT(otapult_ota_read(&flash, &d) == 0);
    int active = otapult_ota_active(&d);
    FUZZ_EXPECT(active >= -1 && active <= 1);
    if (active >= 0 && !is_pending(&d))
        FUZZ_EXPECT(chosen() == otapult_ota_slot_of(d.record[active].seq, (int)count));
    for (int slot = -1; slot < (int)count; slot++)
        FUZZ_EXPECT(otapult_ota_state_of(&d, (int)count, slot) <= OTAPULT_STATE_UNDEFINED);
}

/* Is there a record that outlasts the next boot? Without one that boot may as well choose anything. */
static bool has_choice(void)
{
    struct otapult_ota_data d;

    otapult_ota_decode(chip + OTA_DATA, &d.record[0]);
    otapult_ota_decode(chip + OTA_DATA + 0x1000, &d.record[1]);
    for (int n = 0; n < 2; n++)
        if (d.record[n].state == OTAPULT_OTA_PENDING)
            d.record[n].state = OTAPULT_OTA_ABORTED;
    return otapult_ota_active(&d) >= 0;
}

static void check_activate(unsigned count, int slot, uint32_t state)
{
    static uint8_t before[FLASH];
    const int was = chosen();
    const bool had_choice = has_choice();

    memcpy(before, chip, sizeof chip);
    calls = 0;
    int err = otapult_ota_activate(&flash, (int)count, slot, state);
    bool failed = fails_at != 0 && calls >= fails_at;
    if (err == 0)
        FUZZ_EXPECT(!failed && chosen() == slot);
    else
        FUZZ_EXPECT((failed || err == OTAPULT_E_ACTIVATE) && (!had_choice || chosen() == was));
    if (err == OTAPULT_E_ACTIVATE)
        FUZZ_EXPECT(memcmp(before, chip, sizeof chip) == 0);
}

/* The state of the active record, in place: confirmed, it is still chosen; rejected, it is not, unless there
 * is nothing else. */
static void check_mark(unsigned count)
{
    struct otapult_ota_data d;

    fails_at = 0;
    FUZZ_EXPECT(otapult_ota_read(&flash, &d) == 0);
    int active = otapult_ota_active(&d);
    int err = otapult_ota_mark(&flash, OTAPULT_OTA_VALID);
    FUZZ_EXPECT(err == (active < 0 ? OTAPULT_E_CONFIRM : 0));
    if (active < 0)
        return;
    FUZZ_EXPECT(chosen() == otapult_ota_slot_of(d.record[active].seq, (int)count));
    FUZZ_EXPECT(otapult_ota_mark(&flash, OTAPULT_OTA_INVALID) == 0);
    FUZZ_EXPECT(otapult_ota_read(&flash, &d) == 0);
    FUZZ_EXPECT(d.record[active].state == OTAPULT_OTA_INVALID && otapult_ota_active(&d) != active);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint32_t states[] = {OTAPULT_OTA_NEW, OTAPULT_OTA_VALID, OTAPULT_OTA_UNDEFINED,
                                      OTAPULT_OTA_PENDING};

    if (size < SETTINGS)
        return 0;
    const unsigned count = 1 + data[0] % 16u;
    const int slot = (int)(data[1] % 18u) - 1;

    fails_at = 0;
    make_chip(count, data + SETTINGS, size - SETTINGS);
    check_active(count);
    fails_at = data[3] % 9u;
    check_activate(count, slot, states[data[2] % 4u]);
    check_mark(count);
    return 0;
}

/* Mends a CRC, and draws sequence numbers near each other and near their ends. */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed)
{
    static const uint32_t numbers[] = {0,          1,          2,          3,         0x7FFFFFFF,
                                       0x80000000, 0xFFFFFFFC, 0xFFFFFFFD, 0xFFFFFFFE};
    uint32_t state = seed;

    size = LLVMFuzzerMutate(data, size, max_size);
    for (size_t n = 0; n < 2 && size >= SETTINGS + 32 * (n + 1); n++) {
        uint8_t *record = data + SETTINGS + 32 * n;
        uint32_t how = fuzz_random(&state), seq = numbers[how / 64 % 9] + how / 1024 % 3;
        for (int i = 0; how % 4 == 0 && i < 4; i++)
            record[i] = (uint8_t)(seq >> 8 * i);
        if (how % 8 == 1)
            memset(record + 24, how / 16 % 6 < 5 ? 0 : 0xFF, 4);
        if (how % 8 == 1 && how / 16 % 6 < 5)
            record[24] = (uint8_t)(how / 16 % 6);
        uint32_t crc = otapult_ota_crc((uint32_t)record[0] | (uint32_t)record[1] << 8 |
                                       (uint32_t)record[2] << 16 | (uint32_t)record[3] << 24);
        for (int i = 0; how / 4096 % 4 != 0 && i < 4; i++)
            record[28 + i] = (uint8_t)(crc >> 8 * i);
    }
    return size;
}
