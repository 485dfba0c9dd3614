/* SPDX-License-Identifier: Apache-2.0 */
#include "flash/slot_writer.h"

#include <string.h>

#include "otapult/otapult.h"

/* Three counts follow each other and say all there is to know: written <= received <= erased. What lies
 * between written and received is in sector[]; when it is a whole sector it is programmed and written catches
 * up. Only the uploading task comes here, so nothing is locked.
 *
 * Why each sector is programmed once: with flash encryption on, a block of 16 bytes that is programmed a
 * second time reads as garbage (ESP32-S3 TRM, "External Memory Encryption and Decryption"), and without it
 * bits can only go from 1 to 0. The held 16 bytes are such a block, never touched before commit(). */

static int fail(struct otapult_slot_writer *w, int err, struct otapult_finding why)
{
    w->err = err;
    w->why = why;
    return err;
}

static int fail_at(struct otapult_slot_writer *w, int err, uint32_t at)
{
    return fail(w, err, (struct otapult_finding){.at = at});
}

static bool is_power_of_two(uint32_t n)
{
    return n != 0 && (n & (n - 1)) == 0;
}

/* The sector has to be larger than the held bytes, or there would be nothing to program of the first one; and
 * no larger than sector[]. */
static bool has_fit_geometry(const struct otapult_flash *f)
{
    return is_power_of_two(f->sector) && is_power_of_two(f->block) && f->sector >= 2 * OTAPULT_SLOT_HELD &&
           f->sector <= OTAPULT_SLOT_SECTOR && f->block >= f->sector && f->size % f->sector == 0;
}

void otapult_slot_writer_init(struct otapult_slot_writer *w, const struct otapult_flash *flash, uint32_t size)
{
    memset(w, 0, sizeof *w);
    w->flash = *flash;
    w->size = size;
    if (!has_fit_geometry(flash))
        (void)fail(w, OTAPULT_E_SLOT_OPEN,
                   (struct otapult_finding){.got = flash->size, .want = flash->sector});
}

void otapult_slot_writer_resume(struct otapult_slot_writer *w, const uint8_t held[OTAPULT_SLOT_HELD],
                                uint32_t at)
{
    const uint32_t sector = w->flash.sector;

    if (w->err == 0 && at > w->flash.size)
        (void)fail(w, OTAPULT_E_SLOT_OPEN, (struct otapult_finding){.got = at, .want = w->flash.size});
    if (w->err != 0)
        return;
    memcpy(w->held, held, OTAPULT_SLOT_HELD);
    w->received = w->written = at;
    w->touched = true;
    w->erased = at + -at % sector; /* flush() had erased to the end of its sector */
}

/* Erasing a block of 64 KB takes about as long as erasing four of its sixteen sectors (data sheets of 16 MB
 * NOR chips: typically 150 ms a block and 45 ms a sector). A block is erased only where it lies in the slot
 * as a whole: behind the slot's end is somebody else's data. */
static bool is_worth_a_block(const struct otapult_slot_writer *w)
{
    const struct otapult_flash *f = &w->flash;
    if (w->erased % f->block != 0 || f->block > f->size - w->erased)
        return false;
    return w->size >= w->erased + f->block / 4; /* OTAPULT_SIZE_UNKNOWN is more than any slot has */
}

static int erase_ahead(struct otapult_slot_writer *w)
{
    const uint32_t len = is_worth_a_block(w) ? w->flash.block : w->flash.sector;
    w->touched = true; /* before the call: an erase that fails, or loses power, may have done its work */
    int err = w->flash.erase(w->flash.ctx, w->erased, len);
    if (err != 0)
        return fail_at(w, err, w->erased);
    w->erased += len;
    return 0;
}

/* Programs src[len] as the sector at `written`; of the first one, all but the bytes held back. */
static int program(struct otapult_slot_writer *w, const uint8_t *src, uint32_t len)
{
    uint32_t at = w->written, skip = 0;
    if (at == 0) {
        memcpy(w->held, src, OTAPULT_SLOT_HELD);
        skip = OTAPULT_SLOT_HELD;
    }
    if (len > skip) {
        int err = w->flash.write(w->flash.ctx, at + skip, src + skip, len - skip);
        if (err != 0)
            return fail_at(w, err, at + skip);
    }
    w->written = w->received;
    return 0;
}

/* Takes n bytes that do not reach beyond the sector being filled. A sector that lies in the input as a
 * whole is programmed from there. An error is in w->err. */
static void take(struct otapult_slot_writer *w, const uint8_t *p, uint32_t n)
{
    const uint32_t fill = w->received - w->written;
    /* Just ahead and not all at the beginning: erasing 6 MB takes many seconds, in which the client hears
     * nothing. At received 0 this takes the old image's header away before anything else happens to the slot.
     */
    if (w->received == w->erased && erase_ahead(w) != 0)
        return;
    w->received += n;
    if (n < w->flash.sector) {
        memcpy(w->sector + fill, p, n);
        p = w->sector;
    }
    if (fill + n == w->flash.sector)
        (void)program(w, p, w->flash.sector);
}

/* Seldom met: the inspector refuses a length that does not fit before its bytes come. What is left are
 * callers without an inspector, and files whose size nobody knew. */
static int refuse_too_large(struct otapult_slot_writer *w)
{
    const uint32_t slot = w->flash.size;
    const bool told = w->size != OTAPULT_SIZE_UNKNOWN && w->size > slot;
    return fail(w, OTAPULT_E_IMAGE_TOO_LARGE,
                (struct otapult_finding){.at = slot, .got = told ? w->size : slot + 1, .want = slot});
}

/* After flush() a sector that is not full was programmed: nothing may follow in it. */
static bool is_closed(const struct otapult_slot_writer *w)
{
    return w->committed || w->written % w->flash.sector != 0;
}

int otapult_slot_writer_feed(struct otapult_slot_writer *w, const uint8_t *p, size_t n)
{
    if (w->err == 0 && n > 0 && is_closed(w))
        return fail_at(w, OTAPULT_E_INTERNAL, w->received);
    while (w->err == 0 && n > 0) {
        if (w->received == w->flash.size)
            return refuse_too_large(w);
        const uint32_t room = w->flash.sector - (w->received - w->written);
        const uint32_t len = n < room ? (uint32_t)n : room;
        take(w, p, len);
        p += len;
        n -= len;
    }
    return w->err;
}

/* Padded to 16 bytes because flash encryption writes whole blocks. 0xFF is what erased flash holds, so the
 * padding is nothing where flash is not encrypted. */
int otapult_slot_writer_flush(struct otapult_slot_writer *w)
{
    if (w->err != 0 || w->received == w->written)
        return w->err;
    const uint32_t fill = w->received - w->written;
    const uint32_t padding = -fill % OTAPULT_SLOT_HELD;
    memset(w->sector + fill, 0xFF, padding);
    return program(w, w->sector, fill + padding);
}

int otapult_slot_writer_read(struct otapult_slot_writer *w, uint32_t off, uint8_t *dst, uint32_t len)
{
    if (w->err != 0)
        return w->err;
    if (off > w->flash.size || len > w->flash.size - off)
        return fail(w, OTAPULT_E_INTERNAL,
                    (struct otapult_finding){.at = off, .got = len, .want = w->flash.size});
    if (off < OTAPULT_SLOT_HELD && len > 0) {
        const uint32_t left = OTAPULT_SLOT_HELD - off;
        const uint32_t n = len < left ? len : left;
        memcpy(dst, w->held + off, n);
        off += n;
        dst += n;
        len -= n;
    }
    int err = len > 0 ? w->flash.read(w->flash.ctx, off, dst, len) : 0;
    return err != 0 ? fail_at(w, err, off) : 0;
}

/* Reads back at once: a header that came out wrong might still be one that a bootloader tries. */
static int program_held(struct otapult_slot_writer *w)
{
    const struct otapult_flash *f = &w->flash;
    uint8_t back[OTAPULT_SLOT_HELD] = {0};
    int err = f->write(f->ctx, 0, w->held, sizeof w->held);
    if (err == 0)
        err = f->read(f->ctx, 0, back, sizeof back);
    if (err == 0 && memcmp(back, w->held, sizeof back) != 0)
        err = OTAPULT_E_FLASH_READBACK;
    return err;
}

int otapult_slot_writer_commit(struct otapult_slot_writer *w)
{
    if (w->err != 0)
        return w->err;
    if (w->committed || w->written != w->received || w->received < OTAPULT_SLOT_HELD)
        return fail_at(w, OTAPULT_E_INTERNAL, w->received);
    w->committed = true; /* whatever comes of it: the same 16 bytes are never programmed twice */
    int err = program_held(w);
    if (err == 0)
        return 0;
    /* Half a header may be in flash by now. If this erase fails too there is nothing left to try. */
    (void)w->flash.erase(w->flash.ctx, 0, w->flash.sector);
    return fail_at(w, err, 0);
}
