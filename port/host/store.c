/* SPDX-License-Identifier: Apache-2.0 */
#include "store.h"

#include <string.h>

#include "base/bytes.h"
#include "otapult/error.h"

/* A half, 16 bytes of header and then records one behind the other:
 *
 *   header   "OTKV", generation, CRC-32 of both, 4 bytes 0xFF
 *   record   key length, 0x5A, value length (2), CRC-32 of these and of key and value; key, value;
 *            0xFF up to a multiple of 4
 *
 * The half with the newer header counts. A record that a power cut tore fails its CRC: it is stepped over
 * where its head is whole, else the log ends there. Records are appended where erased bytes follow the
 * log; where none do, everything that holds moves to the other half. */
#define HEADER_SIZE 16u
#define RECORD_HEAD 8u
#define RECORD_MAX  (RECORD_HEAD + STORE_KEY_MAX + STORE_VALUE_MAX + 1)
#define RECORD_MARK 0x5Au
#define MAGIC       0x564B544Fu
#define ERASED      0xFFu
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
};

/* The usual CRC-32, four bits a step. */
static uint32_t crc32_more(uint32_t crc, const uint8_t *p, size_t n)
{
    static const uint32_t steps[16] = {0x00000000, 0x1DB71064, 0x3B6E20C8, 0x26D930AC, 0x76DC4190, 0x6B6B51F4,
                                       0x4DB26158, 0x5005713C, 0xEDB88320, 0xF00F9344, 0xD6D6A3E8, 0xCB61B38C,
                                       0x9B64C2B0, 0x86D3D2D4, 0xA00AE278, 0xBDBDF21C};
    while (n-- > 0) {
        crc ^= *p++;
        crc = crc >> 4 ^ steps[crc & 15];
        crc = crc >> 4 ^ steps[crc & 15];
    }
    return crc;
}

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
    uint32_t crc = crc32_more(0xFFFFFFFFu, r->bytes, 4);
    return ~crc32_more(crc, r->bytes + RECORD_HEAD, key_size(r) + value_size(r));
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
    *c = (struct cursor){.s = s, .base = s->base + half * size, .at = HEADER_SIZE, .size = size};
    if (size == 0 || read_at(c, 0, header, sizeof header) != 0)
        return OTAPULT_E_STORE;
    if (otapult_le32(header) == MAGIC && otapult_le32(header + 8) == ~crc32_more(0xFFFFFFFFu, header, 8))
        c->generation = otapult_le32(header + 4);
    return 0;
}

/* The half that counts, and the other one. */
static int open_store(struct cursor *now, struct cursor *other, struct store *s)
{
    struct cursor half[2];
    if (open_half(&half[0], s, 0) != 0 || open_half(&half[1], s, 1) != 0)
        return OTAPULT_E_STORE;
    unsigned newer = half[1].generation > half[0].generation;
    *now = half[newer];
    *other = half[!newer];
    return 0;
}

static bool sane(const struct cursor *c, const struct record *r)
{
    return key_size(r) >= 1 && key_size(r) <= STORE_KEY_MAX && r->bytes[1] == RECORD_MARK &&
           value_size(r) <= STORE_VALUE_MAX && padded_size(key_size(r), value_size(r)) <= c->size - c->at;
}

/* The next whole record; *found is false at the end of the log, where no record begins. */
static int next_record(struct cursor *c, struct record *r, bool *found)
{
    *found = false;
    while (c->generation != 0 && c->size - c->at >= RECORD_HEAD) {
        if (read_at(c, c->at, r->bytes, RECORD_HEAD) != 0)
            return OTAPULT_E_STORE;
        if (r->bytes[0] == ERASED)
            return 0;
        if (!sane(c, r))
            return 0;
        r->size = padded_size(key_size(r), value_size(r));
        if (read_at(c, c->at + RECORD_HEAD, r->bytes + RECORD_HEAD, r->size - RECORD_HEAD) != 0)
            return OTAPULT_E_STORE;
        c->at += r->size;
        if (otapult_le32(r->bytes + 4) == record_crc(r)) {
            *found = true;
            return 0;
        }
    }
    return 0;
}

/* The last record of `key`, which is the one that holds; leaves the cursor at the end of the log. */
static int find_last(struct cursor *c, const char *key, struct record *out, bool *found)
{
    struct record r;
    bool any;
    int err;
    *found = false;
    while ((err = next_record(c, &r, &any)) == 0 && any) {
        if (!has_key(&r, (const uint8_t *)key, strlen(key)))
            continue;
        *out = r;
        *found = true;
    }
    return err;
}

static bool key_fits(const char *key)
{
    size_t len = strlen(key);
    return len >= 1 && len <= STORE_KEY_MAX;
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
        return 0;
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
    otapult_put_le32(header + 8, ~crc32_more(0xFFFFFFFFu, header, 8));
    return nor_program(c->s->nor, c->base, header, sizeof header) == 0 ? 0 : OTAPULT_E_STORE;
}

/* True when a later record of the log has the same key. */
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
 * sizes in to->at while `dry`. */
static int move_records(struct cursor from, struct cursor *to, const struct record *besides, bool dry)
{
    struct record r;
    bool any, dead;
    int err;
    while ((err = next_record(&from, &r, &any)) == 0 && any) {
        if (value_size(&r) == 0 || same_key(&r, besides))
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

/* Everything that holds, and `r`, into the other half. It begins to count with its header, written last. */
static int move_to(struct cursor *to, struct cursor from, const struct record *r)
{
    struct cursor room = *to;
    bool removal = value_size(r) == 0;
    from.at = room.at = HEADER_SIZE;
    if (move_records(from, &room, r, true) != 0 || room.at > room.size ||
        (!removal && r->size > room.size - room.at))
        return OTAPULT_E_STORE;
    if (from.generation == UINT32_MAX || nor_erase(to->s->nor, to->base, to->size) != 0)
        return OTAPULT_E_STORE;

    to->at = HEADER_SIZE;
    int err = move_records(from, to, r, false);
    if (err == 0 && !removal)
        err = append(to, r);
    return err == 0 ? write_header(to, from.generation + 1) : err;
}

/* A torn record or foreign bytes may lie behind the log: only erased bytes are programmed. */
static int room_behind(const struct cursor *c, uint32_t len, bool *room)
{
    uint8_t there[RECORD_MAX];
    *room = c->generation != 0 && len <= c->size - c->at;
    if (!*room)
        return 0;
    if (read_at(c, c->at, there, len) != 0)
        return OTAPULT_E_STORE;
    for (uint32_t i = 0; i < len; i++)
        *room = *room && there[i] == ERASED;
    return 0;
}

static bool holds(const struct record *r, bool found, const void *src, size_t len)
{
    size_t now = found ? value_size(r) : 0;
    return now == len && (len == 0 || memcmp(value_of(r), src, len) == 0);
}

int store_set(struct store *s, const char *key, const void *src, size_t len)
{
    struct cursor now, other;
    struct record r;
    bool found, room;

    if (!key_fits(key) || len > STORE_VALUE_MAX || open_store(&now, &other, s) != 0 ||
        find_last(&now, key, &r, &found) != 0)
        return OTAPULT_E_STORE;
    if (holds(&r, found, src, len))
        return 0;
    make_record(&r, key, src, len);
    if (room_behind(&now, r.size, &room) != 0)
        return OTAPULT_E_STORE;
    return room ? append(&now, &r) : move_to(&other, now, &r);
}
