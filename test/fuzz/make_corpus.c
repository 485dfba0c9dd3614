/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <psa/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <zlib.h>

#include "code_maker.h"
#include "dns_sd.h"
#include "factory.h"
#include "fixed_signer.h"
#include "host_port.h"
#include "images.h"
#include "oracle.h"
#include "packed.h"
#include "patch_encoder.h"
#include "sample_image.h"
#include "table_maker.h"
#include "update/common.h"

/* make_corpus FOLDER: writes the seeds of each fuzz target to FOLDER/<target>/, always the same ones: images,
 * bodies, tables and records that are right, and ones that are wrong in one way each. What the first bytes
 * of an input mean stands at the top of its target. */

static const char *folder;

struct bytes {
    uint8_t at[0x12000];
    size_t len;
};

static void add(struct bytes *b, const void *p, size_t n)
{
    if (n > sizeof b->at - b->len)
        abort();
    memcpy(b->at + b->len, p, n);
    b->len += n;
}

static void add_text(struct bytes *b, const char *text)
{
    add(b, text, strlen(text));
}

static _Noreturn void give_up(const char *path)
{
    perror(path);
    exit(1);
}

static void save(const char *target, const char *name, const struct bytes *b)
{
    char path[4096];

    snprintf(path, sizeof path, "%s/%s", folder, target);
    if (mkdir(path, 0777) != 0 && errno != EEXIST)
        give_up(path);
    snprintf(path, sizeof path, "%s/%s/%s", folder, target, name);
    FILE *f = fopen(path, "wb");
    if (f == NULL || fwrite(b->at, 1, b->len, f) != b->len || fclose(f) != 0)
        give_up(path);
}

/* ---- images ---- */

static uint8_t *image(const struct sample_spec *spec, size_t *len)
{
    struct sample_spec s = *spec;

    if (s.size == 0)
        s.size = 1024;
    return sample_image(&s, len);
}

static const struct {
    const char *name;
    struct sample_spec spec;
} samples[] = {
    {"app", {SAMPLE_DEFAULT, .version = "1.2.3"}},
    {"app-1", {SAMPLE_DEFAULT, .seed = 1}},
    {"app-2", {SAMPLE_DEFAULT, .seed = 2, .project = "\xD1\x80\xD0\xBE\xD0\xB2\xD0\xB5\xD1\x80"}},
    {"app-3", {SAMPLE_DEFAULT, .seed = 3, .size = 1500}},
    {"app-revision", {.chip_id = 0xFFFF, .min_rev = 3, .max_rev = 99}},
    {"app-esp32", {.chip_id = 0, .max_rev = 0xFFFF}},
    {"app-c3", {.chip_id = 5, .max_rev = 0xFFFF}},
    {"no-hash", {SAMPLE_DEFAULT, .no_hash = true}},
    {"no-description", {SAMPLE_DEFAULT, .no_description = true}},
    {"bootloader", {SAMPLE_DEFAULT, .bootloader = true}},
};
#define SAMPLES (sizeof samples / sizeof *samples)

static void save_images(void)
{
    for (size_t i = 0; i < SAMPLES; i++) {
        size_t len;
        uint8_t *p = image(&samples[i].spec, &len);
        struct bytes in = {.len = 0}, judged = {.len = 0}, file = {.len = 0};

        add(&in, "\0\0\1\2", 4);
        add(&in, p, len);
        save("inspect", samples[i].name, &in);
        add(&judged, "\3", 1);
        add(&judged, p, len);
        save("judge", samples[i].name, &judged);
        add(&file, "\2\1", 2);
        add(&file, p, len);
        save("recognise", samples[i].name, &file);
        free(p);
    }
}

/* ---- packed files ---- */

static void save_packed(const char *name, int bits, int strategy, gz_headerp header)
{
    size_t len;
    uint8_t *p = image(&samples[0].spec, &len);
    struct bytes b = {.len = 0};
    z_stream z = {.next_in = p, .avail_in = (uInt)len};

    add(&b, "\7", 1);
    z.next_out = b.at + 1;
    z.avail_out = sizeof b.at - 1;
    if (deflateInit2(&z, 9, Z_DEFLATED, bits, 8, strategy) != Z_OK ||
        (header != NULL && deflateSetHeader(&z, header) != Z_OK) || deflate(&z, Z_FINISH) != Z_STREAM_END)
        abort();
    b.len += z.total_out;
    deflateEnd(&z);
    save("gzip", name, &b);
    free(p);
}

/* The decoder can be entered in the middle of it. */
static void save_blocks(void)
{
    struct bytes b = {.len = 0};
    size_t len, packed_len;
    uint8_t *p = image(&samples[0].spec, &len);
    uint8_t *packed = packed_in_blocks(p, len, len / 5, &packed_len);

    add(&b, "\7", 1);
    add(&b, packed, packed_len);
    save("gzip", "blocks", &b);
    free(packed);
    free(p);
}

static void save_all_packed(void)
{
    static Bytef extra[] = "extra", name[] = "firmware.bin", comment[] = "a comment";
    gz_header header = {.extra = extra, .extra_len = 5, .name = name, .comment = comment, .hcrc = 1, .os = 3};

    save_packed("gzip", 31, Z_DEFAULT_STRATEGY, NULL);
    save_packed("fixed", 31, Z_FIXED, NULL);
    save_packed("huffman", 31, Z_HUFFMAN_ONLY, NULL);
    save_packed("parts", 31, Z_DEFAULT_STRATEGY, &header);
    save_packed("zlib", 15, Z_DEFAULT_STRATEGY, NULL);
    save_packed("zlib-512", 9, Z_RLE, NULL);
    save_blocks();
}

/* ---- patches of the bases that fuzz_patch.c has ---- */

static void save_patches(void)
{
    static uint8_t old[CODE_MAX], new[CODE_MAX];

    for (unsigned i = 0; i < 18; i++) {
        struct code code;
        struct patch_file patch;
        struct bytes b = {.len = 0};
        char name[16];
        code_begin_firmware(&code, (enum code_family)(i % 3), 12, 1);
        size_t old_size = code_link(&code, old);
        for (unsigned edits = i; edits > 0; edits--)
            code_edit(&code);
        if (!patch_encode(old, old_size, new, code_link(&code, new), &patch))
            abort();
        add(&b, (const uint8_t[]){(uint8_t)(i * 37), (uint8_t)(i % 3)}, 2);
        add(&b, patch.data, patch.size);
        snprintf(name, sizeof name, "edits-%u", i);
        save("patch", name, &b);
        free(patch.data);
    }
}

/* ---- other files, by their first bytes ---- */

static void save_file(const char *name, const void *mark, size_t mark_len, size_t at, size_t size)
{
    struct bytes b = {.len = 0};

    add(&b, "\1\0", 2);
    memset(b.at + 2, 0xFF, size);
    if (at > 0)
        memset(b.at + 2, 0, at);
    b.len += size;
    memcpy(b.at + 2 + at, mark, mark_len);
    save("recognise", name, &b);
}

#define FILE_WITH(name, mark, at, size) save_file(name, mark, sizeof mark - 1, at, size)

static void save_merged(void)
{
    const struct sample_spec spec = {SAMPLE_DEFAULT, .size = 1024};
    uint8_t table[OTAPULT_TABLE_SIZE];
    size_t len;

    factory_table(table);
    uint8_t *merged = sample_merged(&spec, table, sizeof table, &len);
    struct bytes b = {.len = 0};
    add(&b, "\x85\0", 2);
    add(&b, merged, len);
    save("recognise", "merged", &b);
    b.len = 2 + 0x8000; /* what a bootloader of exactly this size looks like */
    save("recognise", "merged-cut-at-table", &b);
    b.len = 2 + 0x8024;
    b.at[2 + 0x8000] = 0;
    save("recognise", "merged-without-table", &b);
    free(merged);
}

static void save_files(void)
{
    FILE_WITH("elf",
              "\x7F"
              "ELF\1\1\1",
              0, 600);
    FILE_WITH("uf2", "UF2\n\x57\x51\x5D\x9E", 0, 600);
    FILE_WITH("gzip", "\x1F\x8B\x08", 0, 600);
    FILE_WITH("zip", "PK\3\4", 0, 40);
    FILE_WITH("tar", "ustar", 257, 600);
    FILE_WITH("littlefs", "littlefs", 8, 600);
    FILE_WITH("table", "\xAA\x50\1\2\0\x90\0\0\0\x40\0\0nvs", 0, 3072);
    FILE_WITH("ota-data", "\1\0\0\0\xFF\xFF", 0, 600);
    FILE_WITH("nvs", "\xFE\xFF\xFF\xFF\0\0\0\0\xFE", 0, 600);
    FILE_WITH("fat", "\xEB\xFE\x90MSDOS5.0\0\x10\1\1\0\1\0\2\0\1\xF8", 0, 600);
    FILE_WITH("hex", ":020000040800F2\r\n", 0, 600);
    FILE_WITH("text", "<!doctype html>\n", 0, 16);
    FILE_WITH("esp8266", "\xE9\1\2\x40\x64\xF0\x10\x40\0\0\x10\x40", 0, 600);
    FILE_WITH("spiffs-empty", "\x20\5\2\x20", 0xFC, 600);
    FILE_WITH("erased", "", 0, 0x10030);
    FILE_WITH("erased-8192", "", 0, 8192);
    FILE_WITH("zeros", "\0", 599, 600);
    save_merged();
}

/* ---- forms ---- */

#define PART(name, more) "--X\r\nContent-Disposition: form-data; name=\"" name "\"" more "\r\n"
#define FIRMWARE         PART("firmware", "; filename=\"firmware.bin\"")
#define END              "\r\n--X--\r\n"

static const struct {
    const char *name, *body;
} forms[] = {
    {"plain", FIRMWARE "Content-Type: application/octet-stream\r\n\r\ndata" END},
    {"preamble", "hello\r\n--Y\r\n" FIRMWARE "\r\ndata" END "epilogue"},
    {"fields",
     PART("a", "") "\r\n1\r\n" FIRMWARE "\r\ndata\r\n" PART("b", "; filename=\"x.txt\"") "\r\n2" END},
    {"empty", FIRMWARE "\r\n" END},
    {"no-body", FIRMWARE "\r\n--X--"},
    {"padding", FIRMWARE "\r\ndata\r\n--X \t \r\n" PART("a", "") "\r\n\r\n--X--\r\n"},
    {"false-ends", FIRMWARE "\r\n\r\n--Xa\r\n--X-a\r\n--X\ra\r\n-\r\r\n\r\n--" END},
    {"extended", PART("firmware", "; filename*=UTF-8''%D0%BF.bin") "\r\ndata" END},
    {"quoted", PART("firmware", "; filename=\"a\\\"b;c.bin\" ;; size=4") "\r\ndata" END},
    {"token", "--X\r\ncontent-disposition:form-data;NAME=firmware;FileName=a.BIN\r\n\r\ndata" END},
    {"two-firmware", FIRMWARE "\r\n1\r\n" FIRMWARE "\r\n2" END},
    {"not-bin", PART("firmware", "; filename=\"a.elf\"") "\r\ndata" END},
    {"no-field", PART("a", "") "\r\n1" END},
    {"no-disposition", "--X\r\nContent-Type: text/plain\r\n\r\n1" END},
    {"encoding", FIRMWARE "Content-Transfer-Encoding: base64\r\n\r\ndata" END},
    {"encoding-8bit", FIRMWARE "Content-Transfer-Encoding: 8bit\r\n\r\ndata" END},
    {"cut", FIRMWARE "\r\ndata\r\n--X"},
    {"broken", "--X\r\nContent-Disposition: form-data; name\r\n\r\n1" END},
};

static void save_forms(void)
{
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        struct bytes b = {.len = 0};
        add(&b, "\0\1\0", 3);
        add_text(&b, forms[i].body);
        save("multipart", forms[i].name, &b);
    }
    static const char *const types[] = {
        "multipart/form-data; boundary=X", "multipart/form-data;boundary=\"X\"; a=b",
        "Multipart/Form-Data ; BOUNDARY=X", "text/plain", "multipart/form-data"};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        char name[16];
        struct bytes b = {.len = 0};
        snprintf(name, sizeof name, "type-%zu", i);
        add(&b, "\x80\5\1", 3);
        add_text(&b, types[i]);
        add_text(&b, "\n" FIRMWARE "\r\ndata" END);
        save("multipart", name, &b);
    }
}

/* A header line of `len` bytes, its CR LF included. */
static void add_line(struct bytes *b, size_t len)
{
    add_text(b, "x:");
    for (size_t n = 4; n < len; n++)
        add_text(b, "l");
    add_text(b, "\r\n");
}

/* A part whose headers are `len` bytes, the empty line included, the longest line of them `line`. */
static void save_headers(const char *name, size_t len, size_t line)
{
    static const char disposition[] = "Content-Disposition: form-data; name=firmware; filename=a.bin\r\n";
    struct bytes b = {.len = 0};

    add(&b, "\0\7\0", 3);
    add_text(&b, "--X\r\n");
    add_text(&b, disposition);
    add_line(&b, line);
    for (len -= sizeof disposition - 1 + line + 2; len > 200; len -= 100)
        add_line(&b, 100);
    add_line(&b, len);
    add_text(&b, "\r\ndata" END);
    save("multipart", name, &b);
}

/* ---- uploads ---- */

static void save_upload(const char *name, uint8_t kind, const char *before, const uint8_t *p, size_t len,
                        const char *after)
{
    struct bytes b = {.len = 0};

    add(&b, (const uint8_t[]){kind, 3, 1}, 3);
    add_text(&b, before);
    add(&b, p, len);
    add_text(&b, after);
    save("upload", name, &b);
}

static void save_uploads(void)
{
    for (size_t i = 0; i < SAMPLES; i++) {
        size_t len;
        uint8_t *p = image(&samples[i].spec, &len);
        save_upload(samples[i].name, 0, FIRMWARE "\r\n", p, len, END);
        free(p);
    }
    size_t len;
    uint8_t *p = image(&samples[0].spec, &len);
    save_upload("raw", 1, "", p, len, "");
    save_upload("raw-chunked", 1 | 2, "", p, len, "");
    save_upload("raw-cut", 1, "", p, len / 2, "");
    save_upload("raw-trailing", 1, "", p, len, "x");
    save_upload("chunked", 2, FIRMWARE "\r\n", p, len, END);
    save_upload("lost", 4, FIRMWARE "\r\n", p, len / 2, "");
    save_upload("wrong-length", 8, FIRMWARE "\r\n", p, len, END);
    save_upload("polled", 16, FIRMWARE "\r\n", p, len, END);
    save_upload("two-fields", 0, PART("a", "") "\r\n1\r\n" FIRMWARE "\r\n", p, len, END "epilogue");
    save_upload("text", 0, FIRMWARE "\r\n", (const uint8_t *)"hello", 5, END);
    free(p);
}

/* ---- tables and records ---- */

static void save_table(const char *name, const uint8_t *table, size_t len)
{
    struct bytes b = {.len = 0};

    add(&b, "\x10", 1);
    add(&b, table, len);
    save("partition_table", name, &b);
}

static void save_tables(void)
{
    static const struct table_part parts[] = {
        {1, 2, 0x9000, 0x4000, "nvs"},        {1, 0, 0xD000, 0x2000, "otadata"},
        {0, 0, 0x10000, 0x10000, "factory"},  {0, 0x10, 0x20000, 0x10000, "ota_0"},
        {0, 0x11, 0x30000, 0x10000, "ota_1"}, {0, 0x13, 0x40000, 0x10000, "ota_3"},
        {0, 0x20, 0xFF0000, 0x10000, "test"},
    };
    uint8_t table[OTAPULT_TABLE_SIZE];

    factory_table(table);
    save_table("default", table, 0x120);
    save_table("default-whole", table, sizeof table);
    save_table("cut", table, 0xC0);
    memset(table + 0xC0, 0xAA, 0x20);
    save_table("behind-md5", table, 0x120);
    table_make(table, parts, 7);
    save_table("no-md5", table, 0x120);
    table[5] = 0xFF;
    table[6] = 0xFF;
    save_table("outside", table, 0x120);
}

static void put_record(uint8_t raw[32], uint32_t seq, uint32_t state)
{
    uint32_t crc = oracle_ota_crc(seq);

    memset(raw, 0xFF, 32);
    for (int i = 0; i < 4; i++) {
        raw[i] = (uint8_t)(seq >> 8 * i);
        raw[24 + i] = (uint8_t)(state >> 8 * i);
        raw[28 + i] = (uint8_t)(crc >> 8 * i);
    }
}

static void save_records(void)
{
    static const uint32_t pairs[][4] = {{1, 2, 0xFFFFFFFF, 0xFFFFFFFF},
                                        {1, 2, 2, 0},
                                        {3, 2, 2, 2},
                                        {5, 1, 4, 2},
                                        {4, 2, 5, 1},
                                        {7, 3, 6, 4},
                                        {0xFFFFFFFE, 2, 1, 2},
                                        {0, 2, 0, 2},
                                        {9, 0xFFFFFFFF, 9, 0xFFFFFFFF}};

    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        char name[16];
        uint8_t raw[64];
        struct bytes b = {.len = 0};
        put_record(raw, pairs[i][0], pairs[i][1]);
        put_record(raw + 32, pairs[i][2], pairs[i][3]);
        snprintf(name, sizeof name, "pair-%zu", i);
        add(&b, (const uint8_t[]){(uint8_t)(1 + i % 3), (uint8_t)(1 + i % 2), (uint8_t)i, (uint8_t)(i * 2)},
            4);
        add(&b, raw, sizeof raw);
        save("ota_data", name, &b);
    }
}

/* ---- signatures: as fuzz_signature.c has what is signed ---- */

static void save_sector(const char *name, uint8_t settings, const enum fixed_key *keys, size_t count)
{
    static const struct fixed_digests signed_bytes = {"what was signed, by its SHA-256",
                                                      "and the same image once more, by its SHA-384..."};
    struct bytes b = {.at = {1, settings}, .len = 2 + SIGNER_SECTOR};

    memset(b.at + 2, 0xFF, SIGNER_SECTOR);
    for (size_t i = 0; i < count; i++)
        fixed_signer_block(keys[i], &signed_bytes, b.at + 2 + i * SIGNER_BLOCK);
    save("signature", name, &b);
}

static void save_sectors(void)
{
    static const enum fixed_key keys[] = {FIXED_RSA, FIXED_P256, FIXED_P384, FIXED_OTHER, FIXED_RSA};

    save_sector("rsa", 1, keys, 1);
    save_sector("p256", 7, keys + 1, 1);
    save_sector("p384", 4, keys + 2, 1);
    save_sector("another", 7, keys + 3, 1);
    save_sector("three", 7, keys, 3);
    save_sector("three-of-which-one", 4, keys + 1, 3);
    save_sector("two", 1, keys + 3, 2);
    save_sector("revoked", 3 | 8, keys, 2);
    save_sector("own", 16, keys + 3, 2);
    save_sector("no-trust", 32, keys, 3);
    save_sector("nobody", 0, keys, 3);
    save_sector("empty", 7, keys, 0);
}

/* ---- headers: as fuzz_gate.c names them ---- */

static const struct {
    const char *name, *lines;
} requests[] = {
    {"nothing", ""},
    {"password", "ABasic \3\nCrover.local\nFapplication/json\n"},
    {"basic", "ABasic \3\nC10.0.0.2:8080\n"},
    {"basic-blanks", "AbAsIc   \3\nClocalhost\n"},
    {"basic-superset", "ABasic \3x\n"},
    {"basic-user", "ABasic cm9vdDpjb3JyZWN0IGhvcnNlIGJhdHRlcnk=\n"},
    {"token", "ABearer \1\nC[::1]:80\n"},
    {"token-superset", "ABearer \0010\n"},
    {"token-twice", "ABearer \1\nABearer \1\n"},
    {"session", "B__Host-otapult=\2\nCrover.local\nDhttps://rover.local\nGsame-origin\nHcors\n"},
    {"session-among", "Ba=b; __Host-otapult=\2; c=d\nCrover.local\n"},
    {"session-planted", "B__Host-otapult=0123456789abcdef0123456789abcdef\n"},
    {"session-first-counts", "B__Host-otapult=; __Host-otapult=\2\n"},
    {"origin", "ABasic \3\nCrover.local\nDhttps://rover.local.evil.example\n"},
    {"origin-null", "ABasic \3\nCrover.local\nDnull\n"},
    {"host", "ABasic \3\nCevil.example\n"},
    {"host-address", "ABasic \3\nC10.0.0.2.evil.example\n"},
    {"hosts", "ABasic \3\nCrover.local\nCrover.local\n"},
    {"fetch", "B__Host-otapult=\2\nCrover.local\nGcross-site\nHnavigate\n"},
    {"length", "ABasic \3\nE12\nFapplication/json\n"},
    {"length-negative", "ABasic \3\nE-1\n"},
    {"length-large", "ABasic \3\nE99999999999\nFapplication/octet-stream\n"},
    {"lengths", "ABasic \3\nE12\nE12\n"},
    {"length-and-chunks", "ABasic \3\nE12\nIchunked\n"},
    {"chunks", "ABasic \3\nIchunked\nFmultipart/form-data; boundary=X\n"},
    {"browser", "JMozilla/5.0\nKru,en;q=0.5\nGnone\nHnavigate\n"},
};

static void save_requests(void)
{
    for (size_t i = 0; i < sizeof requests / sizeof *requests; i++)
        for (uint8_t n = 0; n < 24; n += 4) { /* several addresses, and once without TLS */
            struct bytes b = {.at = {(uint8_t)(n + i), n == 8 ? 0 : 9}, .len = 2};
            char name[64];
            add_text(&b, requests[i].lines);
            snprintf(name, sizeof name, "%s-%u", requests[i].name, n);
            save("gate", name, &b);
        }
}

/* ---- messages of a network ---- */

static void save_messages(void)
{
    static const char *const texts[] = {"otapult=1", "name=Rover 1", "version=2.0.0", "tls=1", NULL};
    static const uint8_t ring[] = {0,    0,  0x84, 0,  0, 0, 0, 1, 0, 0, 0, 0,
                                   0xC0, 12, 0,    12, 0, 1, 0, 0, 0, 0, 0, 0};
    const struct dns_own own = {"Rover 1.x", "rover-1.local", 8443, {10, 0, 0, 7}, texts};
    struct bytes question = {.len = 0}, answer = {.len = 0}, address = {.len = 0}, b = {.len = 0};

    question.len = dns_write_question(question.at, 0x1234, DNS_SD_SERVICE, DNS_PTR, true);
    save("dns_sd", "question", &question);
    answer.len = dns_write_answer(answer.at, &own, question.at, question.len, true);
    save("dns_sd", "answer", &answer);
    address.len = dns_write_question(address.at, 1, "rover-1.local", DNS_A, false);
    save("dns_sd", "address", &address);
    add(&b, ring, sizeof ring);
    save("dns_sd", "ring", &b);
}

/* ---- answers of an update server ---- */

static void save_answers(void)
{
#define LINK(name) "\"" name "\":{\"href\":\"https://h/DEFAULT/controller/v1/r/" name "/7?c=1\"}"
#define FILES                                                                                                                    \
    "{\"filename\":\"a.bin.gz\",\"hashes\":{\"sha256\":"                                                                         \
    "\"00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\"},\"size\":60,"                                         \
    "\"_links\":{" LINK("download") "," LINK(                                                                                    \
        "download-http") "}},"                                                                                                   \
                         "{\"filename\":\"a.bin\",\"hashes\":{\"sha256\":"                                                       \
                         "\"ffeeddccbbaa99887766554433221100ffeeddccbbaa99887766554433221100\"},\"size\":100,\"_links\":{" LINK( \
                             "download-http") "}}"
#define ACTION(how)                                                                  \
    how ",\"chunks\":[{\"version\":\"2.0\",\"artifacts\":[" FILES "],\"metadata\":[" \
        "{\"key\":\"otapult.version\",\"value\":\"2.0.1\"},{\"key\":\"otapult.notes.ru\",\"value\":\"\\u042f\"}]}]"
    static const struct {
        const char *name, *text;
        uint8_t action;
    } answers[] = {
        {"idle", "{\"config\":{\"polling\":{\"sleep\":\"00:05:00\"}}}", 0},
        {"poll",
         "{\"config\":{\"polling\":{\"sleep\":\"00:05:00\"}},\"_links\":{" LINK("deploymentBase") "," LINK(
             "configData") "}}",
         0},
        {"poll-cancel",
         "{\"_links\":{" LINK("deploymentBase") "," LINK("cancelAction") "," LINK("confirmationBase") "}}",
         0},
        {"cancel", "{\"id\":\"7\",\"cancelAction\":{\"stopId\":\"7\"}}", 0},
        {"deployment",
         "{\"id\":\"7\",\"deployment\":{" ACTION("\"download\":\"forced\",\"update\":\"forced\"") "}}", 1},
        {"window",
         "{\"id\":7,\"confirmation\":{" ACTION(
             "\"update\":\"skip\",\"maintenanceWindow\":\"unavailable\"") "}}",
         1},
    };

    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
        struct bytes b = {.at = {answers[i].action, 0x90}, .len = 2};
        add_text(&b, answers[i].text);
        save("ddi", answers[i].name, &b);
    }
}

/* The first byte cuts the text. */
static void save_manifests(void)
{
#define FUZZ_ROW(name, form, size, more)                             \
    "{\"name\":\"" name "\",\"form\":\"" form                        \
    "\",\"chip\":\"ESP32-S3\",\"build\":\"0a0b0c0d\",\"size\":" size \
    ",\"sha256\":\"00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\"" more "}"
    static const char *const texts[] = {
        "\x03{\"otapult\":1,\"channel\":\"stable\",\"sequence\":5,\"date\":1790000000,\"project\":\"rover\",\"version\":"
        "\"3.0.0\",\"minimum\":\"1.0.0\",\"percentage\":10,\"urgent\":true,\"notes\":{\"en\":\"a\\u00e9\",\"ru\":\"Да\"},"
        "\"files\":[" FUZZ_ROW("f.bin", "plain", "1000", "") "," FUZZ_ROW(
            "f.bin.gz", "gzip", "700",
            "") "," FUZZ_ROW("f.patch", "patch", "60",
                             ",\"base\":\"0a0b0c0d\"") "],\"others\":[{\"name\":\"sbom\"}]}",
        "\x90{\"otapult\":2,\"channel\":\"a\",\"sequence\":1,\"date\":1,\"project\":\"\",\"version\":\"1\",\"files\":[]}",
        "\x01[[[[[[[[1e5]]]]]]]]",
    };

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        char name[16];
        struct bytes b = {.len = 0};
        add_text(&b, texts[i]);
        snprintf(name, sizeof name, "%zu", i);
        save("manifest", name, &b);
    }
}

/* ---- uploads that broke off: as fuzz_resume.c names them ---- */

static struct otapult_upload_note note_of(const uint8_t *image, const uint8_t *file, size_t len)
{
    struct otapult_upload_note note = {.token = "0123456789abcdef", .by = "anyone", .id = 7, .slot = 1};

    note.length = (uint32_t)len;
    memcpy(note.held, image, sizeof note.held);
    memcpy(note.head, file, sizeof note.head);
    return note;
}

static void save_a_note(const char *name, uint8_t flags, const struct otapult_upload_note *note,
                        const char *changes)
{
    struct bytes b = {.at = {flags, 0x91}, .len = 2};

    add(&b, note, sizeof *note);
    add_text(&b, changes);
    save("resume", name, &b);
}

static void save_note(const char *name, uint8_t flags, uint32_t at, uint8_t later, const char *changes)
{
    size_t len;
    uint8_t *image = images_one("2.0.0", 2, 20000, &len);
    struct otapult_upload_note note = note_of(image, image, len);

    note.point = (struct otapult_decoder_point){.taken = at, .made = at};
    note.later = later;
    save_a_note(name, flags, &note, changes);
    free(image);
}

static int swallow(const struct otapult_decoder_env *env, const uint8_t *p, size_t n)
{
    (void)env;
    (void)p;
    (void)n;
    return 0;
}

/* The first one behind `made` bytes of the image, as the decoder itself finds it. */
static struct otapult_decoder_point point_behind(const uint8_t *file, size_t len, uint32_t made)
{
    static uint64_t state[OTAPULT_GZIP_RAM / sizeof(uint64_t)];
    struct otapult_finding why;
    const struct otapult_decoder_env env = {.put = swallow, .why = &why};
    struct otapult_decoder_point point;

    int err = otapult_gzip.init(state, &env);
    (void)otapult_gzip.point(state, made, &point);
    if (err == 0)
        err = otapult_gzip.feed(state, &env, file, len);
    if (err != 0 || !otapult_gzip.point(state, made, &point))
        give_up("point");
    return point;
}

static void save_packed_note(const char *name, uint8_t flags, uint32_t made, const char *changes)
{
    size_t len, packed_len;
    uint8_t *image = images_one("2.0.0", 2, 20000, &len);
    uint8_t *packed = packed_in_blocks(image, len, PACKED_BLOCK, &packed_len);
    struct otapult_upload_note note = note_of(image, packed, packed_len);

    note.point = point_behind(packed, packed_len, made);
    save_a_note(name, flags | 32, &note, changes);
    free(packed);
    free(image);
}

static void save_notes(void)
{
    save_note("nothing-yet", 0, 0, 0, "");
    save_note("half", 0, 8192, 0, "");
    save_note("most", 0, 16384, 0, "");
    save_note("later", 0, 12288, 1, "");
    save_note("twice", 16, 4096, 0, "");
    save_note("twice-and-power", 16 | 8, 4096, 0, "");
    save_note("wrong-offset", 2, 8192, 0, "");
    save_note("other-file", 4, 8192, 0, "");
    save_note("short", 1, 8192, 0, "");
    save_note("changed", 0, 8192, 0, "\x40\x10\x01");
    save_note("changed-behind", 0, 8192, 0, "\x40\x30\x01");
    save_note("head-in-flash", 0, 8192, 0, "\x05\xFF\xFF");
    save_packed_note("packed", 0, 4096, "");
    save_packed_note("packed-later", 0, 12000, "");
    save_packed_note("packed-other-file", 4, 12000, "");
    save_packed_note("packed-changed", 0, 12000, "\x40\x10\x01");
    save_packed_note("packed-twice", 16, 4096, "");
    save_packed_note("packed-twice-and-power", 16 | 8, 4096, "");
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fputs("usage: make_corpus FOLDER\n", stderr);
        return 2;
    }
    folder = argv[1];
    if (mkdir(folder, 0777) != 0 && errno != EEXIST)
        give_up(folder);
    save_images();
    save_all_packed();
    save_patches();
    save_files();
    save_forms();
    save_headers("longest-line", 1000, 256 + 2);
    save_headers("line-too-long", 1000, 257 + 2);
    save_headers("longest-headers", 2048, 100);
    save_headers("headers-too-long", 2049, 100);
    save_uploads();
    save_tables();
    save_records();
    save_sectors();
    save_requests();
    save_messages();
    save_answers();
    save_manifests();
    save_notes();
    return 0;
}
