/* SPDX-License-Identifier: Apache-2.0 */
#include <psa/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/* The other floor: SHA-256 of a file by the library that Otapult uses, twice: once on the stream, once
 * over what flash holds. Prints the CPU seconds of both passes. */

static double cpu(void)
{
    return (double)clock() / CLOCKS_PER_SEC;
}

int main(int argc, char **argv)
{
    static uint8_t data[16 * 1024 * 1024];
    uint8_t digest[32];
    size_t digest_len;
    FILE *f = argc > 1 ? fopen(argv[1], "rb") : NULL;

    if (f == NULL || psa_crypto_init() != PSA_SUCCESS)
        return 1;
    size_t len = fread(data, 1, sizeof data, f);
    fclose(f);
    double start = cpu();
    for (int pass = 0; pass < 2; pass++)
        if (psa_hash_compute(PSA_ALG_SHA_256, data, len, digest, sizeof digest, &digest_len) != PSA_SUCCESS)
            return 1;
    printf("%.6f\n", cpu() - start);
    return 0;
}
