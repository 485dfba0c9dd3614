/* SPDX-License-Identifier: Apache-2.0 */
#include "signer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *const names[SIGNER_KEYS] = {"rsa", "other", "p256", "p384"};

static _Noreturn void stop(const char *what)
{
    perror(what);
    abort();
}

static void run(const struct signer *s, const char *verb, const char *a, const char *b, const char *c,
                const char *d)
{
    int status = -1;
    pid_t child = fork();

    if (child == 0) {
        execlp("node", "node", s->script, verb, a, b, c, d, (char *)NULL);
        _exit(127);
    }
    if (child < 0 || waitpid(child, &status, 0) != child || status != 0)
        stop("node test/support/signer.mjs");
}

static void path_of(const struct signer *s, const char *name, const char *ending, char dst[128])
{
    snprintf(dst, 128, "%s/%s%s", s->folder, name, ending);
}

static void read_exactly(const char *path, uint8_t *dst, size_t len)
{
    FILE *f = fopen(path, "rb");

    if (f == NULL || fread(dst, 1, len, f) != len || fgetc(f) != EOF)
        stop(path);
    fclose(f);
}

static void write_file(const char *path, const uint8_t *data, size_t len)
{
    FILE *f = fopen(path, "wb");

    if (f == NULL || fwrite(data, 1, len, f) != len || fclose(f) != 0)
        stop(path);
}

void signer_open(struct signer *s, const char *script)
{
    char path[128];

    s->script = script;
    snprintf(s->folder, sizeof s->folder, "/tmp/otapult-signer-XXXXXX");
    if (mkdtemp(s->folder) == NULL)
        stop("mkdtemp");
    run(s, "keys", s->folder, NULL, NULL, NULL);
    for (unsigned i = 0; i < SIGNER_KEYS; i++) {
        path_of(s, names[i], ".digest", path);
        read_exactly(path, s->digest[i], 32);
    }
}

void signer_close(struct signer *s)
{
    static const char *const endings[] = {".pem", ".pub.pem", ".digest"};
    char path[128];

    for (unsigned i = 0; i < SIGNER_KEYS; i++)
        for (unsigned n = 0; n < 3; n++) {
            path_of(s, names[i], endings[n], path);
            unlink(path);
        }
    path_of(s, "data", "", path);
    unlink(path);
    path_of(s, "block", "", path);
    unlink(path);
    rmdir(s->folder);
}

void signer_block(const struct signer *s, enum signer_key key, const uint8_t *data, size_t len, unsigned salt,
                  uint8_t block[SIGNER_BLOCK])
{
    char pem[128], in[128], out[128], salt_word[12];

    path_of(s, names[key], ".pem", pem);
    path_of(s, "data", "", in);
    path_of(s, "block", "", out);
    snprintf(salt_word, sizeof salt_word, "%u", salt);
    write_file(in, data, len);
    run(s, "block", pem, in, out, salt_word);
    read_exactly(out, block, SIGNER_BLOCK);
}

uint8_t *signer_pad(const uint8_t *image, size_t len, size_t *padded_len)
{
    *padded_len = (len + SIGNER_SECTOR - 1) / SIGNER_SECTOR * SIGNER_SECTOR;
    uint8_t *out = malloc(*padded_len + SIGNER_SECTOR);
    if (out == NULL)
        stop("malloc");
    memset(out, 0xFF, *padded_len + SIGNER_SECTOR);
    memcpy(out, image, len);
    return out;
}

uint8_t *signer_sign(const struct signer *s, const uint8_t *image, size_t len, const enum signer_key *keys,
                     unsigned count, size_t *out_len)
{
    size_t padded;
    uint8_t *out = signer_pad(image, len, &padded);

    for (unsigned i = 0; i < count; i++)
        signer_block(s, keys[i], out, padded, 32, out + padded + (size_t)i * SIGNER_BLOCK);
    *out_len = padded + SIGNER_SECTOR;
    return out;
}

void signer_seal(uint8_t block[SIGNER_BLOCK])
{
    uint32_t crc = 0xFFFFFFFF;

    for (unsigned i = 0; i < 1196; i++)
        for (unsigned bit = 0; bit < 8; bit++) {
            uint32_t in = (uint32_t)(block[i] >> bit) & 1;
            crc = ((crc ^ in) & 1) ? crc / 2 ^ 0xEDB88320 : crc / 2;
        }
    for (unsigned i = 0; i < 4; i++)
        block[1196 + i] = (uint8_t)(~crc >> 8 * i);
}
