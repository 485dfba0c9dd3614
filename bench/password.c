/* SPDX-License-Identifier: Apache-2.0 */
#include <psa/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "trust/password.h"

/* What comparing a password costs: OTAPULT_PASSWORD_COST iterations here, and what follows for the board.
 * Portable SHA-256 does 1 to 2 MB/s on an ESP32-S3 at 240 MHz (approximate; the accelerator is faster, but
 * an iteration is too short for it to show), and an iteration hashes two blocks of 64 bytes. */
#define RUNS            5
#define ITERATION_BYTES 128.0
#define BOARD_SLOW      1e6
#define BOARD_FAST      2e6

static double seconds(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

int main(void)
{
    static const uint8_t password[] = "correct horse battery", salt[16] = {1};
    uint8_t out[32];
    double best = 1e9;

    if (psa_crypto_init() != PSA_SUCCESS)
        return EXIT_FAILURE;
    for (int run = 0; run < RUNS; run++) {
        double before = seconds();
        if (otapult_pbkdf2(password, sizeof password - 1, salt, sizeof salt, OTAPULT_PASSWORD_COST, out) != 0)
            return EXIT_FAILURE;
        double took = seconds() - before;
        best = took < best ? took : best;
    }
    printf("a password: %u iterations, %.1f ms here, %.1f to %.1f s on an ESP32-S3 (reckoned)\n",
           OTAPULT_PASSWORD_COST, best * 1e3, OTAPULT_PASSWORD_COST * ITERATION_BYTES / BOARD_FAST,
           OTAPULT_PASSWORD_COST * ITERATION_BYTES / BOARD_SLOW);
    return EXIT_SUCCESS;
}
