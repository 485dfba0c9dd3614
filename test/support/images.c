/* SPDX-License-Identifier: Apache-2.0 */
#include "images.h"

#include <stdlib.h>

#include "sample_image.h"

#define SIZE 9000

uint8_t *v1, *v2, *v3;
size_t v1_len, v2_len, v3_len;

uint8_t *images_one(const char *version, uint32_t seed, uint32_t size, size_t *len)
{
    const struct sample_spec spec = {SAMPLE_DEFAULT, .version = version, .seed = seed, .size = size};

    return sample_image(&spec, len);
}

int images_make(void **state)
{
    (void)state;
    v1 = images_one("1.0.0", 1, SIZE, &v1_len);
    v2 = images_one("2.0.0", 2, SIZE, &v2_len);
    v3 = images_one("3.0.0", 3, SIZE, &v3_len);
    return v1 != NULL && v2 != NULL && v3 != NULL ? 0 : -1;
}

int images_free(void **state)
{
    (void)state;
    free(v1);
    free(v2);
    free(v3);
    return 0;
}
