/* SPDX-License-Identifier: Apache-2.0 */
#include "images.h"

#include <stdlib.h>

#include "sample_image.h"
#include "world.h"

#define SIZE 9000

uint8_t *v1, *v2, *v3;
size_t v1_len, v2_len, v3_len;

uint8_t *images_one(const char *version, uint32_t seed, uint32_t size, size_t *len)
{
    const struct sample_spec spec = {SAMPLE_DEFAULT, .version = version, .seed = seed, .size = size};

    return sample_image(&spec, len);
}

int images_make_of(uint32_t size)
{
    v1 = images_one("1.0.0", 1, size, &v1_len);
    v2 = images_one("2.0.0", 2, size, &v2_len);
    v3 = images_one("3.0.0", 3, size, &v3_len);
    return v1 != NULL && v2 != NULL && v3 != NULL ? 0 : -1;
}

int images_make(void **state)
{
    (void)state;
    return images_make_of(SIZE);
}

int images_free(void **state)
{
    (void)state;
    free(v1);
    free(v2);
    free(v3);
    return 0;
}

int images_world(void **state)
{
    static struct world w;

    world_init(&w, WORLD_TWO_OTA, v1, v1_len);
    *state = &w;
    return world_boot(&w) ? 0 : -1;
}

int images_world_end(void **state)
{
    world_end(*state);
    return 0;
}
