/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "images.h"
#include "oracle.h"
#include "packed.h"
#include "update/common.h"
#include "world.h"

/* What the store says of an upload that broke off before the restart, and what flash says, neither of them to
 * be believed: a device that finds them at its start. A client goes on with the offset that it is told, and
 * perhaps the power goes once more. Nothing but the very image that the client has may come out, the running
 * slot is what it was, and the device is free afterwards: a plain upload works, and the note is gone.
 *
 * Input: flags, split; the note as it is stored; then changes of what is in flash, three bytes each: where,
 * and what is turned there. Without changes flash holds the client's image up to where the note says, but for
 * its first 16 bytes. The client has the image as it is, or packed in blocks. */
enum { ODD_LENGTH = 1, WRONG_OFFSET = 2, OTHER_FILE = 4, POWER_CUT = 8, BREAKS_OFF = 16, PACKED = 32 };

#define NOTE      sizeof(struct otapult_upload_note)
#define SETTINGS  2u
#define KEY       "ota.upload2"
#define SLOT_0    0x10000u
#define SLOT_1    0x20000u
#define SLOT_SIZE 0x10000u

struct file {
    uint8_t *bytes;
    size_t len;
};

static struct world w;
static uint8_t flash[WORLD_FLASH]; /* 1.0.0 runs in slot 0, slot 1 is blank */
static struct file sent, other, next;
static struct file sent_packed, other_packed;

static void end(void)
{
    world_end(&w);
    free(sent_packed.bytes);
    free(other_packed.bytes);
    free(sent.bytes);
    free(other.bytes);
    free(next.bytes);
}

static void configure(void *ctx, struct otapult_config *config)
{
    static const struct otapult_decoder *const decoders[] = {&otapult_gzip, NULL};
    static uint64_t memory[OTAPULT_GZIP_RAM / sizeof(uint64_t)];

    (void)ctx;
    config->resumable = &otapult_resumable;
    config->resume_step = 4096;
    config->decoders = decoders;
    config->decoder_memory = memory;
    config->decoder_memory_size = sizeof memory;
}

static void begin(void)
{
    size_t len;
    uint8_t *old = images_one("1.0.0", 1, 1024, &len);

    sent.bytes = images_one("2.0.0", 2, 20000, &sent.len);
    other.bytes = images_one("2.0.1", 4, 20000, &other.len);
    next.bytes = images_one("3.0.0", 3, 1024, &next.len);
    sent_packed.bytes = packed_in_blocks(sent.bytes, sent.len, PACKED_BLOCK, &sent_packed.len);
    other_packed.bytes = packed_in_blocks(other.bytes, other.len, PACKED_BLOCK, &other_packed.len);
    world_init(&w, WORLD_TWO_OTA, old, len);
    free(old);
    w.configure = configure;
    FUZZ_EXPECT(world_boot(&w) && world_settle(&w));
    world_save(&w, flash);
    (void)atexit(end);
}

/* ---- what is left of the upload ---- */

static void leave_flash(const struct otapult_upload_note *note, const uint8_t *changes, size_t len)
{
    const size_t whole = note->point.made + -note->point.made % OTAPULT_SLOT_SECTOR;
    const size_t at = whole < sent.len ? whole : sent.len;

    memcpy(w.nor.data + SLOT_1, sent.bytes, at);
    memset(w.nor.data + SLOT_1, 0xFF, OTAPULT_SLOT_HELD);
    for (size_t i = 0; i + 3 <= len; i += 3)
        w.nor.data[SLOT_1 + changes[i] + 256 * changes[i + 1]] ^= changes[i + 2];
}

static void leave(const struct otapult_upload_note *note, const uint8_t *data, size_t size)
{
    const size_t len = data[0] & ODD_LENGTH ? data[1] % NOTE : NOTE;
    const struct otapult_port *port = &w.board.port;

    world_restore(&w, flash);
    FUZZ_EXPECT(world_boot(&w));
    FUZZ_EXPECT(port->kv_set(port->ctx, KEY, note, len) == 0);
    world_pull_plug(&w);
    leave_flash(note, data + SETTINGS + NOTE, size - SETTINGS - NOTE);
    FUZZ_EXPECT(world_boot(&w));
}

/* ---- its client ---- */

struct client {
    uint32_t ticket;
    struct otapult_finding why;
    struct otapult_upload found;
    char by[OTAPULT_WHO_NAME];
    uint8_t token[16];
};

static bool is_error(int err)
{
    return err > 0 && err < OTAPULT_ERROR_COUNT && err != OTAPULT_E_INTERNAL;
}

/* True: the device knows it, and how much is safe. */
static bool find(struct client *c)
{
    struct otapult_status s;

    int err = otapult_find_upload(w.ota, c->by, c->token, &c->found);
    FUZZ_EXPECT(err == 0 || err == OTAPULT_E_NO_UPLOAD);
    otapult_status(w.ota, &s);
    FUZZ_EXPECT(s.phase == OTAPULT_IDLE && w.holds == 0); /* it holds nothing */
    if (err == 0)
        FUZZ_EXPECT(c->found.offset <= c->found.length);
    return err == 0;
}

static int feed(void *stage, const uint8_t *p, size_t n)
{
    struct client *c = stage;

    return otapult_feed(w.ota, c->ticket, p, n, &c->why);
}

static int go_on(struct client *c, const struct file *file, uint8_t how, uint8_t split)
{
    const uint32_t at = c->found.offset + (how & WRONG_OFFSET ? 1 : 0);
    const size_t all = c->found.length < file->len ? c->found.length : file->len;
    const size_t from = at < all ? at : all, part = how & BREAKS_OFF ? (all - from) / 2 : all - from;
    struct otapult_update done;

    int err = otapult_continue_upload(w.ota, c->by, c->token, at, &c->ticket, &c->found, &c->why);
    FUZZ_EXPECT((how & WRONG_OFFSET) == 0 || err == OTAPULT_E_UPLOAD_OFFSET);
    if (err == 0)
        err = fuzz_feed_pieces(feed, c, file->bytes + from, part, split);
    if (err == 0 && (how & BREAKS_OFF) == 0)
        err = otapult_finish_with(w.ota, c->ticket, &done, &c->why);
    FUZZ_EXPECT(err == 0 || is_error(err));
    return err;
}

/* ---- after it ---- */

static void check_flash(bool good, bool later, const struct file *file)
{
    struct oracle_result r = oracle_boot(w.nor.data, WORLD_FLASH);

    FUZZ_EXPECT(r.boots && r.image_ok);
    FUZZ_EXPECT(memcmp(w.nor.data + SLOT_0, flash + SLOT_0, SLOT_SIZE) == 0);
    FUZZ_EXPECT(r.slot == (good && !later ? 1 : 0));
    if (good)
        FUZZ_EXPECT(memcmp(w.nor.data + SLOT_1 + OTAPULT_SLOT_HELD, file->bytes + OTAPULT_SLOT_HELD,
                           file->len - OTAPULT_SLOT_HELD) == 0);
    if (good && !later)
        FUZZ_EXPECT(memcmp(w.nor.data + SLOT_1, file->bytes, OTAPULT_SLOT_HELD) == 0);
}

static void check_next_update(struct client *c)
{
    FUZZ_EXPECT(world_settle(&w));
    FUZZ_EXPECT(world_upload(&w, next.bytes, next.len, 700) == 0);
    FUZZ_EXPECT(otapult_find_upload(w.ota, c->by, c->token, &c->found) == OTAPULT_E_NO_UPLOAD);
    FUZZ_EXPECT(world_settle(&w));
    FUZZ_EXPECT(strcmp(world_version(&w), "3.0.0") == 0);
    world_pull_plug(&w);
}

/* The client comes back to a device that lost its power; else the device ends its first attempt. */
static void break_off(struct client *c, bool cut)
{
    if (!cut) {
        otapult_cancel(w.ota, c->ticket, OTAPULT_E_CONNECTION_LOST, &c->why);
        return;
    }
    world_pull_plug(&w);
    FUZZ_EXPECT(world_boot(&w));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct otapult_upload_note note;
    struct client c = {.ticket = 0};
    bool good = false;

    if (size < SETTINGS + NOTE)
        return 0;
    if (next.bytes == NULL)
        begin();
    memcpy(&note, data + SETTINGS, NOTE);
    memcpy(c.by, note.by, sizeof c.by - 1);
    memcpy(c.token, note.token, sizeof c.token);
    const struct file *image = data[0] & OTHER_FILE ? &other : &sent, *file = image;
    if (data[0] & PACKED)
        file = image == &other ? &other_packed : &sent_packed;
    uint8_t how = data[0] & (WRONG_OFFSET | BREAKS_OFF);

    leave(&note, data, size);
    if (find(&c))
        good = go_on(&c, file, how, data[1]) == 0 && how == 0;
    if (how & BREAKS_OFF) {
        break_off(&c, (data[0] & POWER_CUT) != 0);
        if (find(&c))
            good = go_on(&c, file, 0, data[1]) == 0;
    }
    check_flash(good, note.later != 0, image);
    check_next_update(&c);
    return 0;
}
