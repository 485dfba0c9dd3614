/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "decode/chain.h"
#include "factory.h"
#include "host_port.h"
#include "otapult/http.h"
#include "patch_file.h"
#include "sample_image.h"
#include "update/common.h"
#include "web/multipart.h"

/* board-time [NEW [OLD]]: how long a real board would take for an update, by the flash emulator's time model:
 * what chain and session really do to flash, times data sheet figures. The file as it is, packed by gzip -9,
 * and as a patch from OLD, which runs. Also the RAM table. All serial: nothing overlaps.
 *
 * What unpacking costs a chip nobody has measured. The table has a guess beside the sums, not in them: the
 * time here, times how much slower a chip is at SHA-256 in portable C, which is known of both. A computer of
 * today is better at SHA-256 than at what a decoder does, so the guess is high. */

#define PIECE    1460u /* what a TCP segment brings */
#define SLOT     0x640000u
#define RUNS     7u    /* the quickest counts */
#define CHIP_SHA 1.5e6 /* bytes a second: portable SHA-256 on an ESP32-S3 at 240 MHz does 1 to 2 MB/s */

struct file {
    uint8_t *data;
    size_t size;
};

/* A form of the image, and what it costs a board beside receiving it. */
struct way {
    const char *name;
    struct file sent;
    struct nor_counters flash;
    double unpack; /* seconds on the chip, guessed */
};

static struct file load(const char *path)
{
    struct file f = {.data = malloc(8u << 20)};
    FILE *in = path != NULL ? fopen(path, "rb") : NULL;

    if (in == NULL || f.data == NULL) {
        free(f.data);
        return (struct file){0};
    }
    f.size = fread(f.data, 1, 8u << 20, in);
    fclose(in);
    return f;
}

static struct file make_image(const char *version, unsigned seed)
{
    struct sample_spec spec = {SAMPLE_DEFAULT, .version = version, .size = 1118160, .seed = seed};
    struct file f;

    f.data = sample_image(&spec, &f.size);
    return f;
}

static _Noreturn void give_up(const char *what)
{
    fprintf(stderr, "board-time: %s\n", what);
    exit(1);
}

static double cpu_seconds(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* How many times longer than here a chip computes. */
static double chip_factor(const struct file *image)
{
    uint8_t digest[32];
    size_t n;
    double least = 1e9;

    for (unsigned i = 0; i < RUNS; i++) {
        double begin = cpu_seconds();
        if (psa_hash_compute(PSA_ALG_SHA_256, image->data, image->size, digest, sizeof digest, &n) != 0)
            give_up("SHA-256");
        least = fmin(least, cpu_seconds() - begin);
    }
    return (double)image->size / CHIP_SHA / least;
}

/* ---- the way in: a chain, and a session or nothing behind it ---- */

static struct host_port board;

static int expect(const struct otapult_decoder_env *env, uint32_t size)
{
    return env->ctx != NULL ? otapult_session_expect(env->ctx, size) : 0;
}

static int put(const struct otapult_decoder_env *env, const uint8_t *p, size_t n)
{
    return env->ctx != NULL ? otapult_session_feed(env->ctx, p, n) : 0;
}

static int running(const struct otapult_decoder_env *env, struct otapult_flash *flash)
{
    (void)env;
    return board.port.open(board.port.ctx, 0, flash);
}

static void feed(const struct file *f, struct otapult_session *session)
{
    static const struct otapult_decoder *const decoders[] = {&otapult_gzip, &otapult_patch, NULL};
    static uint64_t memory[(OTAPULT_GZIP_RAM + OTAPULT_PATCH_RAM) / 8];
    static struct otapult_chain chain;
    struct otapult_finding why = {0};
    const struct otapult_decoder_env env = {
        .ctx = session, .expect = expect, .put = put, .running = running, .why = &why};
    int err = 0;

    otapult_chain_init(&chain, decoders, memory, sizeof memory, (uint32_t)f->size);
    for (size_t at = 0; err == 0 && at < f->size; at += PIECE)
        err = otapult_chain_feed(&chain, &env, f->data + at, f->size - at < PIECE ? f->size - at : PIECE);
    if (err == 0)
        err = otapult_chain_finish(&chain, &env);
    if (err != 0)
        give_up(otapult_error_row(err)->code);
}

/* Writes it into the second slot of a chip that runs `base`, and then once more into nothing. */
static void measure(struct way *way, const struct file *base, double factor, bool sectors_only)
{
    static struct otapult_session session;
    static struct nor_flash nor;
    struct otapult_flash flash;
    const struct otapult_inspect_limits limits = {.slot_size = SLOT, .chip_id = OTAPULT_CHIP_ESP32S3};
    uint8_t table[OTAPULT_TABLE_SIZE];

    nor_open_memory(&nor, 16u << 20);
    factory_table(table);
    if (!factory_flash(&nor, table, base->data, base->size) ||
        !host_port_boot(&board, &nor, OTAPULT_RESET_POWER) || board.port.open(board.port.ctx, 1, &flash) != 0)
        give_up("the board does not boot");
    if (sectors_only)
        flash.block = flash.sector;
    memset(&nor.count, 0, sizeof nor.count);
    otapult_session_init(&session, &flash, &limits, OTAPULT_SIZE_UNKNOWN);
    feed(&way->sent, &session);
    if (otapult_session_finish(&session) != 0 || otapult_session_commit(&session) != 0)
        give_up("the image is refused");
    way->flash = nor.count;
    way->unpack = 1e9;
    for (unsigned i = 0; i < RUNS; i++) {
        double begin = cpu_seconds();
        feed(&way->sent, NULL);
        way->unpack = fmin(way->unpack, (cpu_seconds() - begin) * factor);
    }
    host_port_end(&board);
    nor_close(&nor);
}

/* ---- what is printed ---- */

static const unsigned rates[] = {50, 500, 1000, 2500}; /* kB/s */

static double flash_seconds(const struct way *w)
{
    return (double)(w->flash.erase_us + w->flash.program_us + w->flash.read_us) / 1e6;
}

static void print_plain(const struct way *w, bool sectors_only)
{
    const struct nor_counters *c = &w->flash;

    printf("\nerased by %s: %llu block and %llu sector erases, %llu programs\n\n",
           sectors_only ? "4 KB sectors (for comparison)" : "64 KB blocks",
           (unsigned long long)c->block_erases, (unsigned long long)c->sector_erases,
           (unsigned long long)c->programs);
    printf("| rate | receive | erase | program | read-back | all, serial |\n|---|---|---|---|---|---|\n");
    for (size_t i = 0; i < sizeof rates / sizeof *rates; i++) {
        double receive = (double)w->sent.size / rates[i] / 1000;
        printf("| %u kB/s | %.2f s | %.2f s | %.2f s | %.2f s | **%.2f s** |\n", rates[i], receive,
               (double)c->erase_us / 1e6, (double)c->program_us / 1e6, (double)c->read_us / 1e6,
               receive + flash_seconds(w));
    }
}

static void print_ways(const struct way *ways, size_t count)
{
    printf("\nby form: receive + flash, and what unpacking may add\n\n| as | bytes |");
    for (size_t r = 0; r < sizeof rates / sizeof *rates; r++)
        printf(" at %u kB/s |", rates[r]);
    printf(" unpacking, guessed |\n|---|---|---|---|---|---|---|\n");
    for (const struct way *w = ways; w < ways + count; w++) {
        printf("| %s | %zu |", w->name, w->sent.size);
        for (size_t r = 0; r < sizeof rates / sizeof *rates; r++)
            printf(" %.1f s |", (double)w->sent.size / rates[r] / 1000 + flash_seconds(w));
        if (w == ways)
            printf(" none |\n");
        else
            printf(" up to %.0f s |\n", ceil(w->unpack));
    }
}

/* The forms of `image` for a board that runs `base`. */
static size_t make_ways(struct way ways[3], const struct file *base, const struct file *image)
{
    struct patch_file packed, patch;
    bool is_gzip = true;

    ways[0] = (struct way){.name = "firmware.bin", .sent = *image};
    if (!patch_gzip(image->data, image->size, &packed) ||
        !patch_make(base->data, base->size, image->data, image->size, &patch, &is_gzip))
        give_up("no memory");
    ways[1] = (struct way){.name = "firmware.bin.gz", .sent = {packed.data, packed.size}};
    ways[2] = (struct way){.name = "a patch", .sent = {patch.data, patch.size}};
    return is_gzip ? 2 : 3; /* too little in common for a patch */
}

static void print_times(const struct file *base, const struct file *image)
{
    struct way ways[3], by_sectors = {.sent = *image};
    const size_t count = make_ways(ways, base, image);
    const double factor = chip_factor(image);

    for (size_t i = 0; i < count; i++)
        measure(&ways[i], base, factor, false);
    measure(&by_sectors, base, factor, true);
    print_plain(&ways[0], false);
    print_plain(&by_sectors, true);
    print_ways(ways, count);
    free(ways[1].sent.data);
    free(ways[2].sent.data);
}

static void print_ram(void)
{
    printf("\n| RAM of one update | bytes |\n|---|---|\n");
    printf("| the device, all below included | %zu |\n", sizeof(struct otapult));
    printf("| – recogniser | %zu |\n", sizeof(struct otapult_recognise));
    printf("| – inspector, with its SHA-256 (%zu) | %zu |\n", sizeof(struct otapult_sha256),
           sizeof(struct otapult_inspect));
    printf("| – slot writer, with its sector buffer (%u) | %zu |\n", OTAPULT_SLOT_SECTOR,
           sizeof(struct otapult_slot_writer));
    printf("| – multipart parser | %zu |\n", sizeof(struct otapult_multipart));
    printf("| an HTTP exchange | %zu |\n", sizeof(struct otapult_exchange));
    printf("| limit, asserted by the build | %u |\n", OTAPULT_RAM);
}

int main(int argc, char **argv)
{
    struct file image = load(argc > 1 ? argv[1] : NULL), base = load(argc > 2 ? argv[2] : NULL);

    if (psa_crypto_init() != PSA_SUCCESS)
        return 1;
    if (image.data == NULL || base.data == NULL) {
        printf("(no such files; generated images of about the same size instead, which nothing packs)\n");
        image = make_image("2.0.0", 40);
        base = make_image("1.9.0", 39);
    }
    printf("modelled time of an update of %zu bytes on a board\n(4 KB erase %.1f ms, 64 KB erase %.0f ms, "
           "256-byte page %.2f ms)\n",
           image.size, nor_timing_default.sector_erase / 1e3, nor_timing_default.block_erase / 1e3,
           nor_timing_default.page_program / 1e3);
    print_times(&base, &image);
    print_ram();
    free(image.data);
    free(base.data);
    return 0;
}
