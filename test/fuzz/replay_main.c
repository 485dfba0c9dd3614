/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fuzz.h"

/* A fuzz target without libFuzzer: plays every file of the target's seeds and of its findings, then a fixed
 * number of mutations of them, always the same. An input that ends the program is kept in a file first;
 * `<program> FILE` plays it alone. */

#define LARGEST    0x12000u
#define MUTATIONS  FUZZ_MUTATIONS
#define SEEDS_MOST 4096u

#pragma weak LLVMFuzzerCustomMutator
#pragma weak __sanitizer_set_death_callback
void __sanitizer_set_death_callback(void (*callback)(void));

struct input {
    uint8_t *bytes;
    size_t len;
};

static struct input inputs[SEEDS_MOST];
static size_t count;
static struct input now; /* being played */
static const char *program;
static uint32_t state = 1;

/* ---- when it ends badly ---- */

static void keep_input(void)
{
    FILE *f = now.bytes != NULL ? fopen(FUZZ_INPUT, "wb") : NULL;

    if (f == NULL)
        return;
    fwrite(now.bytes, 1, now.len, f);
    fclose(f);
    fprintf(stderr, "to play this input alone: %s %s\n", program, FUZZ_INPUT);
}

static void on_abort(int signal)
{
    (void)signal;
    keep_input();
    _exit(1);
}

static void play(const uint8_t *bytes, size_t len)
{
    uint8_t *copy = malloc(len > 0 ? len : 1); /* ends where memory ends, for the sanitizer */

    if (copy == NULL)
        abort();
    memcpy(copy, bytes, len);
    now = (struct input){copy, len};
    (void)LLVMFuzzerTestOneInput(copy, len);
    now = (struct input){NULL, 0};
    free(copy);
}

/* ---- files ---- */

static void take_file(const char *path)
{
    FILE *f = fopen(path, "rb");
    struct input in = {malloc(LARGEST), 0};

    if (f == NULL || in.bytes == NULL || count == SEEDS_MOST) {
        perror(path);
        exit(1);
    }
    in.len = fread(in.bytes, 1, LARGEST, f);
    fclose(f);
    inputs[count++] = in;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static void take_folder(const char *folder)
{
    struct dirent **entries;
    int n = scandir(folder, &entries, NULL, by_name);

    for (int i = 0; i < n; i++) {
        char path[4096];
        snprintf(path, sizeof path, "%s/%s", folder, entries[i]->d_name);
        if (entries[i]->d_name[0] != '.')
            take_file(path);
        free(entries[i]);
    }
    if (n >= 0)
        free(entries);
}

/* ---- mutations ---- */

static uint32_t below(uint32_t n)
{
    return n == 0 ? 0 : fuzz_random(&state) % n;
}

static size_t insert(uint8_t *data, size_t size, size_t max_size)
{
    size_t at = below((uint32_t)size + 1), n = 1 + below(16);

    if (n > max_size - size)
        return size;
    memmove(data + at + n, data + at, size - at);
    for (size_t i = 0; i < n; i++)
        data[at + i] = (uint8_t)below(256);
    return size + n;
}

static size_t cut_out(uint8_t *data, size_t size)
{
    size_t at = below((uint32_t)size), n = 1 + below(below(4) == 0 ? (uint32_t)size : 16);

    n = n < size - at ? n : size - at;
    memmove(data + at, data + at + n, size - at - n);
    return size - n;
}

/* Copies a stretch of another input, or of this one, over this one. */
static size_t splice(uint8_t *data, size_t size)
{
    const struct input *from = &inputs[below((uint32_t)count)];
    size_t n = 1 + below(64), at = below((uint32_t)size), src = below((uint32_t)from->len);

    n = n < size - at ? n : size - at;
    n = n < from->len - src ? n : from->len - src;
    memcpy(data + at, from->bytes + src, n);
    return size;
}

static void change_byte(uint8_t *data, size_t size)
{
    static const uint8_t values[] = {0, 1, 0x7F, 0x80, 0xFF, '\r', '\n', '-', '"', ';', 0xE9, 0xAA, 0xEB};
    size_t at = below((uint32_t)(below(3) == 0 && size > 64 ? 64 : size));

    switch (below(3)) {
    case 0: data[at] ^= (uint8_t)(1u << below(8)); break;
    case 1: data[at] = values[below(sizeof values)]; break;
    default: data[at] = (uint8_t)below(256); break;
    }
}

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size)
{
    for (uint32_t n = 1 + below(4); n > 0 && size > 0; n--)
        switch (below(8)) {
        case 0: size = insert(data, size, max_size); break;
        case 1: size = cut_out(data, size); break;
        case 2: size = splice(data, size); break;
        default: change_byte(data, size); break;
        }
    return size;
}

static void play_mutation(void)
{
    static uint8_t data[LARGEST];
    const struct input *seed = &inputs[below((uint32_t)count)];
    size_t len = seed->len;

    memcpy(data, seed->bytes, len);
    if (LLVMFuzzerCustomMutator != NULL)
        len = LLVMFuzzerCustomMutator(data, len, sizeof data, fuzz_random(&state));
    else
        len = LLVMFuzzerMutate(data, len, sizeof data);
    play(data, len);
}

/* ---- the program ---- */

static int play_all(void)
{
    take_folder(FUZZ_SEEDS);
    take_folder(FUZZ_FINDINGS);
    if (count == 0) {
        fputs("no seeds in " FUZZ_SEEDS "\n", stderr);
        return 1;
    }
    for (size_t i = 0; i < count; i++)
        play(inputs[i].bytes, inputs[i].len);
    for (unsigned n = 0; n < MUTATIONS; n++)
        play_mutation();
    /* in the words of cmocka, which tools/run-tests counts: each file is a test, all mutations are one */
    printf("%zu inputs, %u mutations of them\n", count, MUTATIONS);
    printf("[==========] %zu test(s) run.\n[  PASSED  ] %zu test(s).\n", count + 1, count + 1);
    return 0;
}

int main(int argc, char **argv)
{
    int status = 0;

    program = argv[0];
    signal(SIGABRT, on_abort);
    if (__sanitizer_set_death_callback != NULL)
        __sanitizer_set_death_callback(keep_input);
    if (argc < 2)
        status = play_all();
    for (int i = 1; i < argc; i++) {
        take_file(argv[i]);
        play(inputs[count - 1].bytes, inputs[count - 1].len);
    }
    for (size_t i = 0; i < count; i++)
        free(inputs[i].bytes);
    return status;
}
