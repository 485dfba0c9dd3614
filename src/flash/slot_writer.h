/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OTAPULT_FLASH_SLOT_WRITER_H
#define OTAPULT_FLASH_SLOT_WRITER_H

#include "otapult/port.h"

/* Writes an image into a slot so that it never looks bootable before it is. It judges nothing: its owner (the session)
 * decides which bytes come and when commit() may be called.
 *
 * The invariant: until commit() is called the first OTAPULT_SLOT_HELD bytes of the slot read 0xFF (or
 * are what a torn erase left of an older image). Only these 16 are held back, because they hold the magic and the
 * chip, without which no bootloader tries a slot, and they are one block of flash encryption. The steps that keep it:
 *   1. feed() erases the first block before anything else, so an older image loses its header first;
 *   2. feed() programs every byte but the first 16, each sector once, erasing just ahead;
 *   3. the owner verifies what flash holds, through read() below, which shows the held bytes in place;
 *   4. commit() programs the 16 held bytes and reads them back.
 * A caller that stops in between needs to do nothing: the slot has no header then. */

#define OTAPULT_SLOT_HELD   16u
#define OTAPULT_SLOT_SECTOR 4096u

struct otapult_slot_writer {
    struct otapult_flash flash;
    uint32_t size;     /* expected, an upper bound, or OTAPULT_SIZE_UNKNOWN */
    uint32_t received; /* bytes taken */
    uint32_t written;  /* bytes programmed, the held ones included */
    uint32_t erased;   /* everything below this offset is erased or programmed */
    bool     touched;   /* an erase was tried: what was in the slot is gone */
    bool     committed; /* the header was programmed, or tried: nothing may follow */
    int      err;
    struct otapult_finding why;
    uint8_t  held[OTAPULT_SLOT_HELD];
    uint8_t  sector[OTAPULT_SLOT_SECTOR]; /* the one being filled; flash.sector bytes of it are used */
};

/* Keeps a copy of `flash`. Touches nothing yet. A flash whose geometry is not as otapult/port.h says
 * makes every later call return SLOT_OPEN. */
void otapult_slot_writer_init(struct otapult_slot_writer *w, const struct otapult_flash *flash,
                              uint32_t size);

/* After init: the slot holds the first `at` bytes of the file but the held ones, which are held[]; an earlier writer
 * has written them. `at`: whole sectors, or the end of the file. The owner reads it back: nothing here
 * believes it. SLOT_OPEN later on where `at` lies behind the slot. */
void otapult_slot_writer_resume(struct otapult_slot_writer *w, const uint8_t held[OTAPULT_SLOT_HELD], uint32_t at);

/* The next bytes. Erases by blocks where at least a quarter of one is still to come, else by sectors.
 * Programs a sector that lies in p[n] as a whole straight from there.
 * Errors: IMAGE_TOO_LARGE at the first byte that does not fit; FLASH_ERASE / _WRITE, or the port's;
 * INTERNAL after commit(), or after flush() has closed a sector that was not full. */
OTAPULT_MUST_CHECK int otapult_slot_writer_feed(struct otapult_slot_writer *w, const uint8_t *p, size_t n);

/* Programs the last, partial sector (padded with 0xFF to 16 bytes). A second call does nothing. */
OTAPULT_MUST_CHECK int otapult_slot_writer_flush(struct otapult_slot_writer *w);

/* Reads back what the slot will hold after commit(): flash, with the held bytes in their place.
 * INTERNAL: the range does not lie in the slot. */
OTAPULT_MUST_CHECK int otapult_slot_writer_read(struct otapult_slot_writer *w, uint32_t off, uint8_t *dst,
                                                uint32_t len);

/* Programs the held bytes and reads them back. Only after everything else was verified, and once.
 * FLASH_READBACK: they read differently. After this and any other error of the flash the slot is made
 * unbootable again: its first sector is erased, as far as flash still does that. INTERNAL: not flushed,
 * no 16 bytes, or committed before. */
OTAPULT_MUST_CHECK int otapult_slot_writer_commit(struct otapult_slot_writer *w);

#endif
