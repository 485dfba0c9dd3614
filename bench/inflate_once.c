/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <time.h>
#include <zlib.h>

/* The third floor of a packed upload: zlib unpacks a gzip file, and what comes out is thrown away. Prints the
 * CPU seconds. */

static double cpu(void)
{
    return (double)clock() / CLOCKS_PER_SEC;
}

int main(int argc, char **argv)
{
    static unsigned char data[16 * 1024 * 1024], out[65536];
    z_stream z = {0};
    FILE *f = argc > 1 ? fopen(argv[1], "rb") : NULL;
    int result = Z_OK;

    if (f == NULL || inflateInit2(&z, 31) != Z_OK)
        return 1;
    z.next_in = data;
    z.avail_in = (uInt)fread(data, 1, sizeof data, f);
    fclose(f);
    double start = cpu();
    while (result == Z_OK) {
        z.next_out = out;
        z.avail_out = sizeof out;
        result = inflate(&z, Z_NO_FLUSH);
    }
    printf("%.6f\n", cpu() - start);
    inflateEnd(&z);
    return result == Z_STREAM_END ? 0 : 1;
}
