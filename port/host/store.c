/* SPDX-License-Identifier: Apache-2.0 */
#include "store.h"

#include <string.h>
#include <zlib.h>

#include "base/bytes.h"
#include "otapult/error.h"

/* A half, 16 bytes of header and then records one behind the other:
 *
 *   header   "OTKV", generation, CRC-32 of both, 4 bytes 0xFF
 *   record   key length, 0x5A, value length (2), CRC-32 of these and of key and value; key, value;
 *            0xFF up to a multiple of 4
 *
 * The half with the newer header counts. Records are appended where erased bytes follow the log; where none
 * do, everything that holds moves to the other half, which begins to count with its header, written last;
 * then the old half is erased, so that no flipped bit can bring it back.
 *
 * A power cut can tear the last record and no other, because nothing is ever appended behind a torn one: the
 * log moves instead. So a bad record with nothing behind it was torn and never counted, and one with whole
 * records behind it is damage, as is a half whose header is bad and which holds whole records while the other
 * half does not count either. What a damaged record held nobody knows: keys that are not found behind it are
 * lost, which is another answer than absent, and stays so when the log moves: a record of the key "!" stands
 * in the place of the damage then. */
#define HEADER_SIZE 16u /* a block of flash encryption, as in the core: the header is written in one go */
#define RECORD_HEAD 8u
#define RECORD_MAX  (RECORD_HEAD + STORE_KEY_MAX + STORE_VALUE_MAX + 1)
#define RECORD_MARK 0x5Au
#define MAGIC       0x564B544Fu
#define ERASED      0xFFu
#define LOSS        "!"
#define CHUNK       512u
_Static_assert(RECORD_MAX % 4 == 0, "a record fills whole words");

struct record {
    uint8_t bytes[RECORD_MAX]; /* as stored */
    uint32_t size;             /* of them, the padding included */
};

/* A walk over the records of one half. */
struct cursor {
    struct store *s;
    uint32_t base, at, size; /* of the half; `at` is behind the last record */
    uint32_t generation;     /* 0: the half does not count */
    uint32_t sure;           /* behind the last damage: what is found from here on holds */
    bool lost;               /* there is damage, or was before the log moved */
    bool torn;               /* at the end: something lies there that is no record */
};

/* ---- records ---- */

static size_t key_size(const struct record *r)
{
    return r->bytes[0];
}

static size_t value_size(const struct record *r)
{
    return otapult_le16(r->bytes + 2);
}

static const uint8_t *value_of(const struct record *r)
{
    return r->bytes + RECORD_HEAD + key_size(r);
}

static uint32_t record_crc(const struct record *r)
{
    uLong crc = crc32(0, r->bytes, 4);
    return (uint32_t)crc32(crc, r->bytes + RECORD_HEAD, (uInt)(key_size(r) + value_size(r)));
}

static uint32_t padded_size(size_t key, size_t value)
{
    return (uint32_t)(RECORD_HEAD + key + value + 3) & ~3u;
}

static void make_record(struct record *r, const char *key, const void *src, size_t len)
{
    size_t key_len = strlen(key);
    memset(r->bytes, ERASED, sizeof r->bytes);
    r->bytes[0] = (uint8_t)key_len;
    r->bytes[1] = RECORD_MARK;
    r->bytes[2] = (uint8_t)len;
    r->bytes[3] = (uint8_t)(len >> 8);
    memcpy(r->bytes + RECORD_HEAD, key, key_len);
    if (len > 0)
        memcpy(r->bytes + RECORD_HEAD + key_len, src, len);
    otapult_put_le32(r->bytes + 4, record_crc(r));
    r->size = padded_size(key_len, len);
}

static bool has_key(const struct record *r, const uint8_t *key, size_t len)
{
    return key_size(r) == len && memcmp(r->bytes + RECORD_HEAD, key, len) == 0;
}

static bool same_key(const struct record *a, const struct record *b)
{
    return has_key(a, b->bytes + RECORD_HEAD, key_size(b));
}

/* ---- a half ---- */

static int read_at(const struct cursor *c, uint32_t off, void *dst, uint32_t len)
{
    return nor_read(c->s->nor, c->base + off, dst, len) == 0 ? 0 : OTAPULT_E_STORE;
}

static int open_half(struct cursor *c, struct store *s, unsigned half)
{
    uint8_t header[HEADER_SIZE];
    uint32_t size = s->size / (2 * NOR_SECTOR) * NOR_SECTOR;
    *c = (struct cursor){
        .s = s, .base = s->base + half * size, .at = HEADER_SIZE, .size = size, .sure = HEADER_SIZE};
    if (size == 0 || read_at(c, 0, header, sizeof header) != 0)
        return OTAPULT_E_STORE;
    if (otapult_le32(header) == MAGIC && otapult_le32(header + 8) == (uint32_t)crc32(0, header, 8))
        c->generation = otapult_le32(header + 4);
    return 0;
}

static bool sane(const struct cursor *c, const struct record *r)
{
    return key_size(r) >= 1 && key_size(r) <= STORE_KEY_MAX && r->bytes[1] == RECORD_MARK &&
           value_size(r) <= STORE_VALUE_MAX && padded_size(key_size(r), value_size(r)) <= c->size - c->at;
}

/* The record that begins at c->at, if a whole one does. */
static int record_here(const struct cursor *c, struct record *r, bool *whole)
{
    *whole = false;
    if (c->size - c->at < RECORD_HEAD)
        return 0;
    if (read_at(c, c->at, r->bytes, RECORD_HEAD) != 0)
        return OTAPULT_E_STORE;
    if (!sane(c, r))
        return 0;
    r->size = padded_size(key_size(r), value_size(r));
    if (read_at(c, c->at + RECORD_HEAD, r->bytes + RECORD_HEAD, r->size - RECORD_HEAD) != 0)
        return OTAPULT_E_STORE;
    *whole = otapult_le32(r->bytes + 4) == record_crc(r);
    return 0;
}

static int is_erased(const struct cursor *c, uint32_t from, uint32_t to, bool *yes)
{
    uint8_t there[CHUNK];
    *yes = true;
    for (uint32_t n; *yes && from < to; from += n) {
        n = to - from < CHUNK ? to - from : CHUNK;
        if (read_at(c, from, there, n) != 0)
            return OTAPULT_E_STORE;
        for (uint32_t i = 0; i < n; i++)
            *yes = *yes && there[i] == ERASED;
    }
    return 0;
}

/* From a place where no whole record begins to the next one: there is damage in between. Where none follows
 * the log ends here. */
static int skip_damage(struct cursor *c, struct record *r, bool *found)
{
    struct cursor next = *c;
    bool erased;
    int err = is_erased(c, c->at, c->size, &erased);
    c->torn = err == 0 && !erased;
    while (err == 0 && c->torn && !*found && next.size - next.at > RECORD_HEAD) {
        next.at += 4;
        err = record_here(&next, r, found);
    }
    if (err != 0 || !*found)
        return err;
    *c = next;
    c->sure = c->at;
    c->lost = true;
    c->torn = false;
    return 0;
}

/* The next whole record; *found is false at the end of the log. */
static int next_record(struct cursor *c, struct record *r, bool *found)
{
    *found = false;
    int err = record_here(c, r, found);
    if (err == 0 && !*found)
        err = skip_damage(c, r, found);
    if (err != 0 || !*found)
        return err;
    c->at += r->size;
    if (has_key(r, (const uint8_t *)LOSS, 1)) {
        c->sure = c->at;
        c->lost = true;
    }
    return 0;
}

/* The last record of `key`, which is the one that holds; leaves the cursor at the end of the log. */
static int find_last(struct cursor *c, const char *key, struct record *out, bool *found)
{
    struct record r;
    bool any;
    uint32_t at = 0;
    int err;
    while ((err = next_record(c, &r, &any)) == 0 && any) {
        if (!has_key(&r, (const uint8_t *)key, strlen(key)))
            continue;
        *out = r;
        at = c->at;
    }
    *found = at > c->sure;
    return err;
}

/* Does a half whose header does not count hold whole records? Then its header was damaged. */
static int has_records(struct cursor half, bool *yes)
{
    struct record r;
    return next_record(&half, &r, yes);
}

/* Finds the half that counts, and the other one. Where neither counts, now->lost says whether one of them did
 * once. */
static int open_store(struct cursor *now, struct cursor *other, struct store *s)
{
    struct cursor half[2];
    bool records = false;
    if (open_half(&half[0], s, 0) != 0 || open_half(&half[1], s, 1) != 0)
        return OTAPULT_E_STORE;
    unsigned newer = half[1].generation > half[0].generation;
    if (half[newer].generation == 0 && has_records(half[1], &records) != 0)
        return OTAPULT_E_STORE;
    if (records)
        newer = 1;
    else if (half[newer].generation == 0 && has_records(half[0], &records) != 0)
        return OTAPULT_E_STORE;
    *now = half[newer];
    *other = half[!newer];
    now->lost = records;
    if (now->generation == 0) /* nothing of it counts */
        now->sure = now->at = now->size;
    return 0;
}

static bool key_fits(const char *key)
{
    size_t len = strlen(key);
    return len >= 1 && len <= STORE_KEY_MAX && strcmp(key, LOSS) != 0;
}

int store_get(struct store *s, const char *key, void *dst, size_t cap, size_t *len)
{
    struct cursor now, other;
    struct record r;
    bool found;

    *len = 0;
    if (!key_fits(key) || open_store(&now, &other, s) != 0 || find_last(&now, key, &r, &found) != 0)
        return OTAPULT_E_STORE;
    if (!found)
        return now.lost ? OTAPULT_E_STORE : 0;
    *len = value_size(&r);
    memcpy(dst, value_of(&r), *len < cap ? *len : cap);
    return 0;
}

/* ---- writing ---- */

static int append(struct cursor *c, const struct record *r)
{
    if (r->size > c->size - c->at || nor_program(c->s->nor, c->base + c->at, r->bytes, r->size) != 0)
        return OTAPULT_E_STORE;
    c->at += r->size;
    return 0;
}

static int write_header(const struct cursor *c, uint32_t generation)
{
    uint8_t header[HEADER_SIZE];
    memset(header, ERASED, sizeof header);
    otapult_put_le32(header, MAGIC);
    otapult_put_le32(header + 4, generation);
    otapult_put_le32(header + 8, (uint32_t)crc32(0, header, 8));
    return nor_program(c->s->nor, c->base, header, sizeof header) == 0 ? 0 : OTAPULT_E_STORE;
}

/* True when a later record of the log has the same key. That reads the rest of the log for each record, up to
 * 20 KB for each of a few dozen keys; a list of what was seen would need memory, and the log moves rarely. */
static int superseded(struct cursor rest, const struct record *r, bool *yes)
{
    struct record later;
    bool any;
    int err;
    *yes = false;
    while (!*yes && (err = next_record(&rest, &later, &any)) == 0 && any)
        *yes = same_key(&later, r);
    return *yes ? 0 : err;
}

/* Hands each record that still holds, but for the key of `besides`, to the half `to`; only adds up their
 * sizes in to->at while `dry`. A removal is nothing to keep, but where other keys are lost. */
static int move_records(struct cursor from, struct cursor *to, const struct record *besides, bool dry)
{
    struct record r;
    bool any, dead;
    int err;
    while ((err = next_record(&from, &r, &any)) == 0 && any) {
        if (same_key(&r, besides) || (value_size(&r) == 0 && !to->lost))
            continue;
        if ((err = superseded(from, &r, &dead)) != 0)
            return err;
        if (dead)
            continue;
        if (dry)
            to->at += r.size;
        else if ((err = append(to, &r)) != 0)
            return err;
    }
    return err;
}

/* All that the new half is to hold: the mark of a loss, what is sure, and `r`. */
static int fill_half(struct cursor *to, const struct cursor *from, const struct record *r, bool dry)
{
    struct record loss;
    int err = 0;
    make_record(&loss, LOSS, "1", 1);
    to->lost = from->lost;
    if (from->lost && dry)
        to->at += loss.size;
    else if (from->lost)
        err = append(to, &loss);
    if (err == 0)
        err = move_records(*from, to, r, dry);
    if (err != 0 || (value_size(r) == 0 && !from->lost))
        return err;
    if (dry)
        to->at += r->size;
    return dry ? 0 : append(to, r);
}

static int erase_half(const struct cursor *c)
{
    bool erased;
    if (is_erased(c, 0, c->size, &erased) != 0)
        return OTAPULT_E_STORE;
    return erased || nor_erase(c->s->nor, c->base, c->size) == 0 ? 0 : OTAPULT_E_STORE;
}

/* Everything that holds, and `r`, into the other half. It begins to count with its header, written last; then
 * the old one goes. An erase that fails costs nothing now: the next call of store_set() tries again. */
static int move_to(struct cursor *to, struct cursor from, const struct record *r)
{
    struct cursor room = *to;
    from.at = from.sure;
    room.at = to->at = HEADER_SIZE;
    if (fill_half(&room, &from, r, true) != 0 || room.at > room.size || from.generation == UINT32_MAX)
        return OTAPULT_E_STORE;
    int err = erase_half(to);
    if (err == 0)
        err = fill_half(to, &from, r, false);
    if (err == 0)
        err = write_header(to, from.generation + 1);
    if (err == 0)
        (void)erase_half(&from);
    return err;
}

/* The first record of a store. Its header comes first: a half with records and without a header is damage. */
static int begin(struct cursor *first, const struct record *r)
{
    if (r->size > first->size - HEADER_SIZE)
        return OTAPULT_E_STORE;
    first->at = HEADER_SIZE;
    int err = erase_half(first);
    if (err == 0)
        err = write_header(first, 1);
    return err == 0 ? append(first, r) : err;
}

static bool holds(const struct record *r, bool found, const void *src, size_t len)
{
    size_t now = found ? value_size(r) : 0;
    return now == len && (len == 0 || memcmp(value_of(r), src, len) == 0);
}

static bool has_room(const struct cursor *c, const struct record *r)
{
    return !c->torn && r->size <= c->size - c->at;
}

int store_set(struct store *s, const char *key, const void *src, size_t len)
{
    struct cursor now, other;
    struct record r;
    bool found;

    if (!key_fits(key) || len > STORE_VALUE_MAX || open_store(&now, &other, s) != 0 ||
        find_last(&now, key, &r, &found) != 0)
        return OTAPULT_E_STORE;
    if ((found || !now.lost) && holds(&r, found, src, len))
        return 0;
    make_record(&r, key, src, len);
    if (now.generation == 0 && !now.lost)
        return begin(&now, &r);
    if (other.generation != 0) /* a move whose end was cut off */
        (void)erase_half(&other);
    return now.generation != 0 && has_room(&now, &r) ? append(&now, &r) : move_to(&other, now, &r);
}
