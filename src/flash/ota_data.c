/* SPDX-License-Identifier: Apache-2.0 */
#include "flash/ota_data.h"

#include <string.h>

#include "base/bytes.h"

/* Which slot boots is decided by two records of 32 bytes, and this file is the only one of the core that
 * knows their bytes. The bootloader follows the record with the greater sequence number among those whose CRC
 * is right and whose state allows it; (number - 1) mod slots is the slot.
 *
 * The one idea: to choose is to write the other record with a greater number. A record is erased before it is
 * written, so while one is being written the other alone must give a right choice. spare() says which may be
 * lost, and activate, mark and erase all go by it or say why not.
 *
 * The bootloader may change the records between two boots, never while this code runs. */

#define SEQ_AT    0u
#define STATE_AT  24u
#define CRC_AT    28u
#define SEQ_EMPTY 0xFFFFFFFFu
#define SEQ_LAST  0xFFFFFFFEu

#define CRC32_POLYNOMIAL 0xEDB88320u /* reflected */

/* Not otapult_crc32(): the ROM's crc32_le(UINT32_MAX, …), which ESP-IDF calls here, inverts its first
 * argument, so the register starts at 0. The CRC covers the number alone: the bootloader changes the state
 * without it. */
uint32_t otapult_ota_crc(uint32_t seq)
{
    uint32_t crc = seq; /* a register of 0 that has taken in four little-endian bytes */
    for (int bit = 0; bit < 32; bit++)
        crc = (crc >> 1) ^ (crc & 1 ? CRC32_POLYNOMIAL : 0);
    return ~crc;
}

void otapult_ota_decode(const uint8_t raw[OTAPULT_OTA_RECORD_SIZE], struct otapult_ota_record *out)
{
    out->seq = otapult_le32(raw + SEQ_AT);
    out->state = otapult_le32(raw + STATE_AT);
    out->crc_ok = otapult_le32(raw + CRC_AT) == otapult_ota_crc(out->seq);
}

void otapult_ota_encode(uint32_t seq, uint32_t state, uint8_t raw[OTAPULT_OTA_RECORD_SIZE])
{
    memset(raw, 0xFF, OTAPULT_OTA_RECORD_SIZE); /* seq_label, which nobody reads, as ESP-IDF leaves it */
    otapult_put_le32(raw + SEQ_AT, seq);
    otapult_put_le32(raw + STATE_AT, state);
    otapult_put_le32(raw + CRC_AT, otapult_ota_crc(seq));
}

/* Holds a sequence number at all; its state may still keep the bootloader from following it. */
static bool is_written(const struct otapult_ota_record *r)
{
    return r->crc_ok && r->seq != SEQ_EMPTY;
}

static bool is_usable(const struct otapult_ota_record *r)
{
    return is_written(r) && r->state != OTAPULT_OTA_INVALID && r->state != OTAPULT_OTA_ABORTED;
}

/* Usable at the next boot: a bootloader with rollback begins by aborting what is still pending. */
static bool is_lasting(const struct otapult_ota_record *r)
{
    return is_usable(r) && r->state != OTAPULT_OTA_PENDING;
}

/* Of two equal numbers record 0 wins, as in bootloader_common_loader.c. */
static int newer(const struct otapult_ota_data *d)
{
    return d->record[1].seq > d->record[0].seq ? 1 : 0;
}

static int choose(const struct otapult_ota_data *d, bool first, bool second)
{
    if (first && second)
        return newer(d);
    return first ? 0 : second ? 1 : -1;
}

int otapult_ota_active(const struct otapult_ota_data *d)
{
    return choose(d, is_usable(&d->record[0]), is_usable(&d->record[1]));
}

int otapult_ota_slot_of(uint32_t seq, int count)
{
    return (int)((seq - 1u) % (uint32_t)count);
}

static enum otapult_slot_state state_word(uint32_t state)
{
    switch (state) {
    case OTAPULT_OTA_NEW: return OTAPULT_STATE_NEW;
    case OTAPULT_OTA_PENDING: return OTAPULT_STATE_PENDING_VERIFY;
    case OTAPULT_OTA_VALID: return OTAPULT_STATE_VALID;
    case OTAPULT_OTA_INVALID: return OTAPULT_STATE_INVALID;
    case OTAPULT_OTA_ABORTED: return OTAPULT_STATE_ABORTED;
    default: return OTAPULT_STATE_UNDEFINED;
    }
}

/* Also a record that is refused or aborted points to its slot: that is what the user wants to know of it. */
static bool points_to(const struct otapult_ota_record *r, int count, int slot)
{
    return is_written(r) && otapult_ota_slot_of(r->seq, count) == slot;
}

enum otapult_slot_state otapult_ota_state_of(const struct otapult_ota_data *d, int count, int slot)
{
    if (slot == OTAPULT_SLOT_FACTORY)
        return OTAPULT_STATE_UNDEFINED;
    if (count < 1)
        return OTAPULT_STATE_NONE;
    int n = choose(d, points_to(&d->record[0], count, slot), points_to(&d->record[1], count, slot));
    return n < 0 ? OTAPULT_STATE_NONE : state_word(d->record[n].state);
}

static uint32_t address_of(int record)
{
    return (uint32_t)record * OTAPULT_OTA_DATA_SECTOR;
}

int otapult_ota_read(const struct otapult_flash *f, struct otapult_ota_data *out)
{
    for (int n = 0; n < 2; n++) {
        uint8_t raw[OTAPULT_OTA_RECORD_SIZE];
        int err = f->read(f->ctx, address_of(n), raw, sizeof raw);
        if (err != 0)
            return err;
        otapult_ota_decode(raw, &out->record[n]);
    }
    return 0;
}

static bool is_same(const struct otapult_ota_record *a, const struct otapult_ota_record *b)
{
    return a->seq == b->seq && a->state == b->state && a->crc_ok == b->crc_ok;
}

/* Read twice before a record is overwritten: one wrong bit in the active one would pick the wrong record. */
static int read_surely(const struct otapult_flash *f, struct otapult_ota_data *out)
{
    struct otapult_ota_data again;
    int err = otapult_ota_read(f, out);
    if (err == 0)
        err = otapult_ota_read(f, &again);
    if (err != 0)
        return err;
    bool same = is_same(&out->record[0], &again.record[0]) && is_same(&out->record[1], &again.record[1]);
    return same ? 0 : OTAPULT_E_FLASH_READBACK;
}

/* Torn anywhere, the record reads as empty or its CRC is wrong, and the other one decides. It is read back
 * because flash may lie: a number with one wrong bit may point to the other slot. */
static int write_record(const struct otapult_flash *f, int n, uint32_t seq, uint32_t state)
{
    uint8_t raw[OTAPULT_OTA_RECORD_SIZE], back[OTAPULT_OTA_RECORD_SIZE] = {0};
    otapult_ota_encode(seq, state, raw);

    int err = f->erase(f->ctx, address_of(n), OTAPULT_OTA_DATA_SECTOR);
    if (err == 0)
        err = f->write(f->ctx, address_of(n), raw, sizeof raw);
    if (err == 0)
        err = f->read(f->ctx, address_of(n), back, sizeof back);
    if (err == 0 && memcmp(raw, back, sizeof raw) != 0)
        err = OTAPULT_E_FLASH_READBACK;
    return err;
}

/* The smallest number above `seq` that points to `slot`; SEQ_EMPTY when the numbers are used up.
 * When `slot` is the active one already, this is seq + count, in the other record: ESP-IDF rewrites the
 * active record then (6.0+), whose loss would lose the choice, or repeats its number (up to 5.5), a tie
 * in which record 0 wins whatever was just written. */
static uint32_t seq_above(uint32_t seq, int count, int slot)
{
    const uint32_t n = (uint32_t)count;
    const uint32_t steps = 1u + ((uint32_t)slot + n - seq % n) % n;
    return steps > SEQ_LAST - seq ? SEQ_EMPTY : seq + steps;
}

/* The record that may be lost: not the one which decides the next boot, should power go meanwhile. */
static int spare(const struct otapult_ota_data *d)
{
    int keep = choose(d, is_lasting(&d->record[0]), is_lasting(&d->record[1]));
    if (keep < 0)
        keep = otapult_ota_active(d);
    return keep < 0 ? 0 : 1 - keep;
}

/* The states with which a slot may be chosen. To choose one as pending, invalid or aborted is to choose the
 * other. */
static bool will_boot(uint32_t state)
{
    return state == OTAPULT_OTA_NEW || state == OTAPULT_OTA_VALID || state == OTAPULT_OTA_UNDEFINED;
}

int otapult_ota_activate(const struct otapult_flash *f, int count, int slot, uint32_t state)
{
    struct otapult_ota_data d;
    if (slot < 0 || slot >= count || !will_boot(state))
        return OTAPULT_E_ACTIVATE;
    int err = read_surely(f, &d);
    if (err != 0)
        return err;

    /* Above the active one's, not above the greatest: a record that is refused never decides, however great
     * its number is. */
    const int active = otapult_ota_active(&d);
    const uint32_t seq = active < 0 ? (uint32_t)slot + 1u : seq_above(d.record[active].seq, count, slot);
    if (seq == SEQ_EMPTY)
        return OTAPULT_E_ACTIVATE;

    const int n = spare(&d);
    err = write_record(f, n, seq, state);
    if (err != 0) /* it may be there all the same: it must not decide the next boot */
        (void)f->erase(f->ctx, address_of(n), OTAPULT_OTA_DATA_SECTOR);
    return err;
}

int otapult_ota_mark(const struct otapult_flash *f, uint32_t state)
{
    struct otapult_ota_data d;
    int err = read_surely(f, &d);
    if (err != 0)
        return err;
    const int active = otapult_ota_active(&d);
    if (active < 0)
        return state == OTAPULT_OTA_INVALID ? OTAPULT_E_REJECT : OTAPULT_E_CONFIRM;
    if (d.record[active].state == state)
        return 0; /* nothing to lose by a write that changes nothing */
    /* In place: the only write that touches the record which decides. A cut leaves the other record, the old
     * firmware's, and that boots. Writing VALID into the other record would destroy the old one while this
     * one is still pending, and what is pending a bootloader with rollback aborts: nothing would be left to
     * boot. */
    return write_record(f, active, d.record[active].seq, state);
}

int otapult_ota_erase(const struct otapult_flash *f)
{
    struct otapult_ota_data d;
    int err = read_surely(f, &d);
    if (err != 0)
        return err;
    const int last = otapult_ota_active(&d) == 0 ? 0 : 1;
    err = f->erase(f->ctx, address_of(1 - last), OTAPULT_OTA_DATA_SECTOR);
    return err != 0 ? err : f->erase(f->ctx, address_of(last), OTAPULT_OTA_DATA_SECTOR);
}
