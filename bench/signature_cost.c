/* SPDX-License-Identifier: Apache-2.0 */
#include <psa/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "fixed_signer.h"
#include "image/inspect.h"
#include "sample_image.h"

/* What the signature check costs alone: the same signed image through the same stage with and without a
 * trust, turn by turn, for each kind of key and one to three blocks. Without one the blocks' form is looked
 * at and no more. An upload is inspected twice, on the stream and on what flash holds; in the secure profile
 * once more before the slot is activated. Prints medians; asserts nothing. */
#define RUNS  9
#define SIZE  6000000u
#define PIECE 4096u /* as flash is read back */

static const char *const names[] = {"RSA-3072", "P-256", "P-384"};
#define KINDS 3 /* of fixed_signer.h: FIXED_RSA, FIXED_P256, FIXED_P384 */

static struct fixed_digests digests;
static uint8_t *file; /* image, padding, sector */
static size_t padded;

static _Noreturn void give_up(const char *what)
{
    fprintf(stderr, "signature-cost: %s\n", what);
    exit(EXIT_FAILURE);
}

static double cpu_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static int by_size(const void *a, const void *b)
{
    const double *x = a, *y = b;

    return (*x > *y) - (*x < *y);
}

static double median(double times[RUNS])
{
    qsort(times, RUNS, sizeof *times, by_size);
    return times[RUNS / 2];
}

/* ---- what is measured ---- */

static void make_file(void)
{
    const struct sample_spec spec = {SAMPLE_DEFAULT, .size = SIZE, .seed = 1};
    size_t len, done;
    uint8_t *image = sample_image(&spec, &len);

    file = signer_pad(image, len, &padded);
    free(image);
    if (psa_hash_compute(PSA_ALG_SHA_256, file, padded, digests.sha256, sizeof digests.sha256, &done) != 0 ||
        psa_hash_compute(PSA_ALG_SHA_384, file, padded, digests.sha384, sizeof digests.sha384, &done) != 0)
        give_up("no hash");
}

static struct otapult_trust trust_in(enum fixed_key key)
{
    struct otapult_trust trust;

    otapult_trust_init(&trust, (const uint8_t(*)[OTAPULT_KEY_DIGEST])fixed_key_digest(key), 1);
    return trust;
}

static double inspect(const struct otapult_trust *trust)
{
    const struct otapult_inspect_limits limits = {
        .slot_size = 16u << 20, .chip_id = OTAPULT_CHIP_ESP32S3, .trust = trust};
    static struct otapult_inspect in;
    const double before = cpu_ms();
    int err = 0;

    otapult_inspect_init(&in, &limits);
    for (size_t at = 0; at < padded + SIGNER_SECTOR && err == 0; at += PIECE)
        err = otapult_inspect_feed(&in, file + at, PIECE);
    if (err != 0 || otapult_inspect_finish(&in) != 0)
        give_up("the image is refused");
    return cpu_ms() - before;
}

/* The sector alone, with its blocks verified, or only their form looked at. */
static double look_at_sector(const struct otapult_trust *trust)
{
    struct otapult_signature signature;
    struct otapult_finding why;
    const double before = cpu_ms();

    otapult_signature_init(&signature, trust, digests.sha256, digests.sha384);
    if (otapult_signature_feed(&signature, file + padded, SIGNER_SECTOR, &why) != 0 ||
        otapult_signature_finish(&signature, &why) != 0)
        give_up("the sector is refused");
    return cpu_ms() - before;
}

static void measure(enum fixed_key key, unsigned blocks)
{
    double without[RUNS], with[RUNS], ratio[RUNS], verification[RUNS];
    const struct otapult_trust trust = trust_in(key);

    memset(file + padded, 0xFF, SIGNER_SECTOR);
    for (unsigned n = 0; n < blocks; n++)
        fixed_signer_block(key, &digests, file + padded + n * SIGNER_BLOCK);
    for (unsigned run = 0; run < RUNS; run++) {
        without[run] = inspect(NULL);
        with[run] = inspect(&trust);
        ratio[run] = with[run] / without[run];
        verification[run] = (look_at_sector(&trust) - look_at_sector(NULL)) / blocks;
    }
    printf("| %s | %u | %.1f ms | %.1f ms | %.2f | %.2f ms |\n", names[key], blocks, median(without),
           median(with), median(ratio), median(verification));
}

int main(void)
{
    if (psa_crypto_init() != PSA_SUCCESS)
        return EXIT_FAILURE;
    make_file();
    printf("the signature check alone: an image of %.0f MB inspected, CPU, medians of %d turns%s\n\n",
           SIZE / 1e6, RUNS, OTAPULT_P384 ? "; with a trust it is hashed by SHA-384, too" : "");
    printf(
        "| key | blocks | without trust | with trust | ratio | one verification |\n|---|---|---|---|---|---|\n");
    for (unsigned key = 0; key < KINDS; key++)
        for (unsigned blocks = 1; blocks <= OTAPULT_SIGNATURE_BLOCKS; blocks++)
            measure((enum fixed_key)key, blocks);
    free(file);
    return EXIT_SUCCESS;
}
