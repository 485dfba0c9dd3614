/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "decode/decoder.h"
#include "patch_encoder.h"

/* patch-cost OLD NEW: makes the patch and applies it as a device does; one JSON object with its size, the CPU
 * time of both, and the most memory that the program had. */

#define PIECE 1460u /* what a TCP segment brings */
#define SLOT  0x1000000u

struct file {
    uint8_t *data;
    size_t size;
};

static struct file old, new;
static size_t made;

static struct file load(const char *path)
{
    struct file f = {.data = malloc(SLOT)};
    FILE *in = fopen(path, "rb");

    if (in == NULL || f.data == NULL) {
        perror(path);
        exit(1);
    }
    f.size = fread(f.data, 1, SLOT, in);
    fclose(in);
    return f;
}

static double cpu_seconds(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int read_slot(void *ctx, uint32_t off, void *dst, uint32_t len)
{
    (void)ctx;
    memcpy(dst, old.data + off, len);
    return 0;
}

static int running(const struct otapult_decoder_env *env, struct otapult_flash *flash)
{
    (void)env;
    *flash = (struct otapult_flash){.read = read_slot, .size = SLOT, .sector = 4096, .block = 65536};
    return 0;
}

static int expect(const struct otapult_decoder_env *env, uint32_t size)
{
    (void)env;
    return size == new.size ? 0 : 1;
}

static int put(const struct otapult_decoder_env *env, const uint8_t *p, size_t n)
{
    (void)env;
    if (n > new.size - made || memcmp(new.data + made, p, n) != 0)
        return 1;
    made += n;
    return 0;
}

static int apply(const struct patch_file *patch)
{
    static uint64_t state[OTAPULT_PATCH_RAM / 8];
    struct otapult_finding why = {0};
    const struct otapult_decoder_env env = {.expect = expect, .put = put, .running = running, .why = &why};
    int err = otapult_patch.init(state, &env);

    for (size_t at = 0; err == 0 && at < patch->size; at += PIECE) {
        size_t left = patch->size - at;
        err = otapult_patch.feed(state, &env, patch->data + at, left < PIECE ? left : PIECE);
    }
    return err == 0 ? otapult_patch.finish(state, &env) : err;
}

int main(int argc, char **argv)
{
    struct patch_file patch;
    struct rusage usage;

    if (argc != 3) {
        fputs("usage: patch-cost OLD NEW\n", stderr);
        return 2;
    }
    old = load(argv[1]);
    new = load(argv[2]);
    double begin = cpu_seconds();
    if (!patch_encode(old.data, old.size, new.data, new.size, &patch))
        return 1;
    double encoded = cpu_seconds();
    getrusage(RUSAGE_SELF, &usage);
    if (apply(&patch) != 0 || made != new.size) {
        fputs("patch-cost: what comes out is not the result\n", stderr);
        return 1;
    }
    printf(
        "{\"size\":%zu,\"result\":%zu,\"encode_s\":%.3f,\"decode_s\":%.4f,\"peak_mb\":%.1f,\"decoder_ram\":%u}\n",
        patch.size, new.size, encoded - begin, cpu_seconds() - encoded, (double)usage.ru_maxrss / 1024,
        (unsigned)otapult_patch.memory);
    free(patch.data);
    return 0;
}
