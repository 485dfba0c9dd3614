/* SPDX-License-Identifier: Apache-2.0 */
#include "oracle.h"

#include <stdio.h>
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

/* ---- SHA-256, FIPS 180-4 ---- */

static const uint32_t K[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

static uint32_t rotr(uint32_t x, unsigned n)
{
    return x >> n | x << (32 - n);
}

static void sha_block(uint32_t h[8], const uint8_t *p)
{
    uint32_t w[64], v[8];
    for (int t = 0; t < 16; t++)
        w[t] = (uint32_t)p[4 * t] << 24 | (uint32_t)p[4 * t + 1] << 16 | (uint32_t)p[4 * t + 2] << 8 |
               p[4 * t + 3];
    for (int t = 16; t < 64; t++)
        w[t] = (rotr(w[t - 2], 17) ^ rotr(w[t - 2], 19) ^ w[t - 2] >> 10) + w[t - 7] +
               (rotr(w[t - 15], 7) ^ rotr(w[t - 15], 18) ^ w[t - 15] >> 3) + w[t - 16];
    memcpy(v, h, sizeof v);
    for (int t = 0; t < 64; t++) {
        uint32_t t1 = v[7] + (rotr(v[4], 6) ^ rotr(v[4], 11) ^ rotr(v[4], 25)) +
                      ((v[4] & v[5]) ^ (~v[4] & v[6])) + K[t] + w[t];
        uint32_t t2 = (rotr(v[0], 2) ^ rotr(v[0], 13) ^ rotr(v[0], 22)) +
                      ((v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]));
        memmove(v + 1, v, 7 * sizeof *v);
        v[4] += t1;
        v[0] = t1 + t2;
    }
    for (int i = 0; i < 8; i++)
        h[i] += v[i];
}

void oracle_sha256(const uint8_t *p, size_t n, uint8_t digest[32])
{
    uint32_t h[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                     0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
    uint8_t last[128] = {0};
    size_t whole = n / 64 * 64, rest = n - whole, tail = rest < 56 ? 64 : 128;

    for (size_t at = 0; at < whole; at += 64)
        sha_block(h, p + at);
    if (rest > 0)
        memcpy(last, p + whole, rest);
    last[rest] = 0x80;
    for (size_t i = 0; i < 8; i++)
        last[tail - 1 - i] = (uint8_t)((uint64_t)n * 8 >> 8 * i);
    for (size_t at = 0; at < tail; at += 64)
        sha_block(h, last + at);
    for (size_t i = 0; i < 32; i++)
        digest[i] = (uint8_t)(h[i / 4] >> (24 - 8 * (i % 4)));
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
