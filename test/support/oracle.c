/* SPDX-License-Identifier: Apache-2.0 */
#include "oracle.h"

#include <gnutls/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint32_t u32(const uint8_t *p)
{
    uint32_t v = 0;
    for (int i = 3; i >= 0; i--)
        v = v * 256 + p[i];
    return v;
}

static void set_u32(uint8_t *p, uint32_t v)
{
    for (int i = 0; i < 4; i++, v /= 256)
        p[i] = (uint8_t)(v % 256);
}

static uint32_t u16(const uint8_t *p)
{
    return p[0] + 256u * p[1];
}

/* By the library that the core does not use. */
void oracle_sha256(const uint8_t *p, size_t n, uint8_t digest[32])
{
    if (gnutls_hash_fast(GNUTLS_DIG_SHA256, p, n, digest) != 0)
        abort();
}

/* ---- the image ---- */

/* What a walk over header and segments finds; `p` holds `reach` bytes, of which `room` are the slot's. */
struct walk {
    const uint8_t *p;
    size_t reach, room;
    uint32_t address; /* of p in flash; in a file 0 */
    bool loading;     /* as the bootloader does it: no more and no fewer checks */
    bool drom, irom;
    uint32_t end; /* behind the checksum byte */
    uint8_t sum;
};

static bool in(uint32_t x, uint32_t from, uint32_t to)
{
    return x >= from && x < to;
}

static bool may_be_copied_to(uint32_t from, uint32_t len)
{
    uint32_t last = from + len - 1;
    bool dram = in(from, 0x3FC88000, 0x3FD00000) && in(last, 0x3FC88000, 0x3FD00000);
    bool iram = in(from, 0x40370000, 0x403E0000) && in(last, 0x40370000, 0x403E0000);
    bool rtc_fast = in(from, 0x600FE000, 0x60100000) && in(last, 0x600FE000, 0x60100000);
    bool rtc_slow = in(from, 0x50000000, 0x50002000) && in(last, 0x50000000, 0x50002000);
    /* The bootloader's code and data end at the ROM's stack, and begin with its loader at 0x403CB700. */
    if (dram && last >= 0x3FCDB700 && from < 0x3FCEB710)
        return false;
    if (iram && last >= 0x403CB700 && from < 0x403DB710)
        return false;
    return dram || iram || rtc_fast || rtc_slow;
}

/* The bootloader reads these where an app description has them, and does not ask whether it is one. */
static bool fits_block_revision(const struct walk *w, size_t data)
{
    if (w->reach - data < 180)
        return true;
    uint32_t least = u16(w->p + data + 176), most = u16(w->p + data + 178), ours = 103;
    return (least == 65535 || ours >= least) && (most == 0 || most == 65535 || ours <= most);
}

static const char *walk_segment(struct walk *w, size_t *at)
{
    if (w->reach - *at < 8)
        return "segment header outside";
    uint32_t to = u32(w->p + *at), len = u32(w->p + *at + 4);
    *at += 8;
    bool drom = in(to, 0x3C000000, 0x3E000000), irom = in(to, 0x42000000, 0x44000000);
    w->drom |= drom;
    w->irom |= irom;
    if (len >= 16 * 1024 * 1024 || len % 4 != 0)
        return "segment length";
    if ((drom || irom) && ((w->address + *at) & 0xFFFF) != (to & 0xFFFF))
        return "segment page";
    if (w->loading && !drom && !irom && to >= 0x10000000 && len != 0 && !may_be_copied_to(to, len))
        return "load address";
    if (len > w->reach - *at)
        return "segment data outside";
    if (w->loading && *at == 32 && len != 0 && !fits_block_revision(w, *at))
        return "eFuse block revision";
    for (uint32_t i = 0; i < len; i++)
        w->sum ^= w->p[*at + i];
    *at += len;
    return NULL;
}

static const char *walk_end(struct walk *w, size_t at)
{
    size_t end = at / 16 * 16 + 16;
    if (end > w->reach)
        return "checksum outside";
    if (w->p[end - 1] != w->sum)
        return "checksum";
    for (size_t i = at; i < end - 1; i++)
        if (!w->loading && w->p[i] != 0)
            return "padding";
    w->end = (uint32_t)end;
    bool hashed = w->p[23] != 0;
    if (end + (hashed ? 32 : 0) > w->room)
        return "longer than the slot";
    if (!hashed)
        return w->loading ? NULL : "no SHA-256";

    uint8_t digest[32];
    oracle_sha256(w->p, end, digest);
    return memcmp(digest, w->p + end, 32) == 0 ? NULL : "SHA-256";
}

static const char *walk_image(struct walk *w)
{
    const uint8_t *p = w->p;
    if (w->room > 0x1000000)
        return "slot too large";
    if (w->reach < 24)
        return "no header";
    if (p[0] != 0xE9)
        return "magic";
    if (u16(p + 12) != 9)
        return "chip";
    uint32_t least = u16(p + 15), most = u16(p + 17), ours = 2;
    if (ours < least || (most != 0 && most != 65535 && ours > most))
        return "chip revision";
    if (p[1] > 16)
        return "segment count";

    size_t at = 24;
    w->sum = 0xEF;
    for (int i = 0; i < p[1]; i++) {
        const char *fault = walk_segment(w, &at);
        if (fault)
            return fault;
    }
    return walk_end(w, at);
}

static const char *strict_fault(struct walk *w)
{
    const char *fault = walk_image(w);
    if (fault)
        return fault;
    if (!w->drom || !w->irom)
        return "no application: DROM or IROM is missing";
    if (w->end < 0x120 || u32(w->p + 28) < 256 || u32(w->p + 0x20) != 0xABCD5432)
        return "no app description";
    return NULL;
}

bool oracle_image_ok(const uint8_t *p, size_t max, struct oracle_image *out)
{
    struct walk w = {.p = p, .reach = max, .room = max};
    memset(out, 0, sizeof *out);
    out->fault = strict_fault(&w);
    if (out->fault)
        return false;

    out->size = w.end + 32;
    memcpy(out->version, p + 0x30, 32);
    memcpy(out->project, p + 0x50, 32);
    for (size_t i = 0; i < 4; i++)
        snprintf(out->build + 2 * i, 3, "%02x", p[0xB0 + i]);
    oracle_sha256(p, out->size, out->sha256);
    return true;
}

/* ---- the partition table ---- */

struct part {
    uint32_t at, size;
};

struct layout {
    struct part ota_data, factory, test, ota[16];
    uint32_t count;
};

static void take_entry(struct layout *l, const uint8_t *e)
{
    struct part part = {u32(e + 4), u32(e + 8)};
    if (e[2] == 1 && e[3] == 0)
        l->ota_data = part;
    if (e[2] == 0 && e[3] == 0)
        l->factory = part;
    if (e[2] == 0 && e[3] == 0x20)
        l->test = part;
    if (e[2] == 0 && e[3] >= 0x10 && e[3] <= 0x1F) {
        l->ota[e[3] - 0x10] = part;
        l->count++;
    }
}

static bool read_layout(struct layout *l, const uint8_t *flash, size_t size)
{
    memset(l, 0, sizeof *l);
    if (size < 0x9000)
        return false;
    for (const uint8_t *e = flash + 0x8000; e < flash + 0x8C00; e += 32) {
        if (e[0] == 0xEB && e[1] == 0xEB)
            continue;
        if (e[0] != 0xAA || e[1] != 0x50)
            return e > flash + 0x8000 && e[0] == 0xFF && e[1] == 0xFF;
        if (u32(e + 4) > size || u32(e + 8) > size - u32(e + 4))
            return false;
        take_entry(l, e);
    }
    return false;
}

/* ---- the choice ---- */

uint32_t oracle_ota_crc(uint32_t seq)
{
    uint8_t bytes[4];
    uint32_t reg = 0;
    set_u32(bytes, seq);
    for (int i = 0; i < 4; i++)
        for (int bit = 0; bit < 8; bit++) {
            uint32_t out = (reg ^ (uint32_t)(bytes[i] >> bit)) & 1;
            reg = reg / 2 ^ (out ? 0xEDB88320 : 0);
        }
    return reg ^ 0xFFFFFFFF;
}

enum { NEW = 0, PENDING = 1, VALID = 2, INVALID = 3, ABORTED = 4 };

static uint8_t *record(struct oracle_result *r, int n)
{
    return r->ota_data + 0x1000 * n;
}

static uint32_t seq_of(struct oracle_result *r, int n)
{
    return u32(record(r, n));
}

static uint32_t state_of(struct oracle_result *r, int n)
{
    return u32(record(r, n) + 24);
}

static bool crc_right(struct oracle_result *r, int n)
{
    return u32(record(r, n) + 28) == oracle_ota_crc(seq_of(r, n));
}

static bool out_of_the_race(struct oracle_result *r, int n)
{
    return seq_of(r, n) == 0xFFFFFFFF || state_of(r, n) == INVALID || state_of(r, n) == ABORTED;
}

/* The bootloader changes a record by erasing its sector and writing 32 bytes. */
static void set_state(struct oracle_result *r, int n, uint32_t state)
{
    set_u32(record(r, n) + 24, state);
    memset(record(r, n) + 32, 0xFF, 0x1000 - 32);
}

static int active_record(struct oracle_result *r)
{
    bool a = !out_of_the_race(r, 0) && crc_right(r, 0), b = !out_of_the_race(r, 1) && crc_right(r, 1);
    if (a && b)
        return seq_of(r, 0) >= seq_of(r, 1) ? 0 : 1;
    if (a)
        return 0;
    if (b)
        return 1;
    return -1;
}

/* Which index the bootloader goes for; *initial: OTA data has never been written. */
static int choose(struct oracle_result *r, const struct layout *l, bool *initial)
{
    for (int n = 0; n < 2; n++)
        if (state_of(r, n) == PENDING)
            set_state(r, n, ABORTED);

    if ((out_of_the_race(r, 0) && out_of_the_race(r, 1)) || l->count == 0) {
        if (l->factory.at != 0)
            return ORACLE_FACTORY;
        *initial = (seq_of(r, 0) == 0xFFFFFFFF || !crc_right(r, 0)) &&
                   (seq_of(r, 1) == 0xFFFFFFFF || !crc_right(r, 1));
        return 0;
    }
    int active = active_record(r);
    if (active < 0)
        return ORACLE_FACTORY;
    if (state_of(r, active) == NEW)
        set_state(r, active, PENDING);
    return (int)((seq_of(r, active) - 1) % l->count);
}

static bool try_slot(struct oracle_result *r, const struct layout *l, int index, const uint8_t *flash,
                     size_t size)
{
    struct part part = {0, 0};
    if (index == ORACLE_FACTORY)
        part = l->factory;
    else if (index == ORACLE_TEST)
        part = l->test;
    else if (index >= 0 && index < 16 && (uint32_t)index < l->count)
        part = l->ota[index];
    if (part.size == 0)
        return false;

    struct walk w = {.p = flash + part.at,
                     .reach = size - part.at,
                     .room = part.size,
                     .address = part.at,
                     .loading = true};
    if (walk_image(&w) != NULL)
        return false;
    r->boots = true;
    r->slot = index;
    r->slot_at = part.at;
    r->slot_size = part.size;
    r->image_ok = oracle_image_ok(flash + part.at, part.size, &r->image);
    return true;
}

static void load(struct oracle_result *r, const struct layout *l, const uint8_t *flash, size_t size)
{
    bool done = false;
    for (int i = r->chosen; i >= ORACLE_FACTORY && !done; i--)
        done = try_slot(r, l, i, flash, size);
    for (int i = r->chosen + 1; i < (int)l->count && !done; i++)
        done = try_slot(r, l, i, flash, size);
    if (!done && !try_slot(r, l, ORACLE_TEST, flash, size))
        r->why = "nothing loads";
}

static void write_first_record(struct oracle_result *r)
{
    memset(r->ota_data, 0xFF, 0x1000);
    set_u32(record(r, 0), (uint32_t)r->slot + 1);
    set_u32(record(r, 0) + 24, VALID);
    set_u32(record(r, 0) + 28, oracle_ota_crc((uint32_t)r->slot + 1));
}

struct oracle_result oracle_boot(const uint8_t *flash, size_t size)
{
    struct oracle_result r = {.chosen = ORACLE_NONE, .slot = ORACLE_NONE, .why = "it boots"};
    struct layout l;
    bool initial = false;

    if (!read_layout(&l, flash, size)) {
        r.why = "the partition table is wrong";
        return r;
    }
    if (l.ota_data.at == 0) {
        r.chosen = ORACLE_FACTORY;
    } else if (l.ota_data.size < 0x2000 || l.ota_data.at % 0x1000 != 0) {
        r.why = "OTA data is unreadable";
        return r;
    } else {
        r.ota_data_at = l.ota_data.at;
        memcpy(r.ota_data, flash + l.ota_data.at, sizeof r.ota_data);
        r.chosen = choose(&r, &l, &initial);
    }
    load(&r, &l, flash, size);
    if (initial && r.boots && r.slot >= 0)
        write_first_record(&r);
    return r;
}
