/* SPDX-License-Identifier: Apache-2.0 */
#include "flash.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "console.h"
#include "factory.h"
#include "host_port.h"
#include "power.h"
#include "sample_image.h"

#define FLASH_SIZE (16u * 1024 * 1024)

static void elapse(void *ctx, uint64_t us)
{
    (void)ctx;
    power_sleep_us(us);
}

/* From the moment the plug is out nothing reaches the flash, whatever the program still does. */
static bool without_power(void *ctx, enum nor_op op, uint32_t address, uint32_t len)
{
    (void)ctx;
    (void)op;
    (void)address;
    (void)len;
    return power_is_cut();
}

/* ---- what a factory puts in ---- */

/* NULL: standard error says why. */
static uint8_t *read_file(const char *path, size_t *len)
{
    FILE *f = fopen(path, "rb");
    uint8_t *data = malloc(FLASH_SIZE);

    *len = f != NULL && data != NULL ? fread(data, 1, FLASH_SIZE, f) : 0;
    if (*len == 0) {
        console_complain("cannot read %s: %s", path, errno != 0 ? strerror(errno) : "it is empty");
        free(data);
        data = NULL;
    }
    if (f != NULL)
        fclose(f);
    return data;
}

static bool make_table(uint8_t table[OTAPULT_TABLE_SIZE], const char *path)
{
    size_t len;

    factory_table(table);
    if (path == NULL)
        return true;
    uint8_t *given = read_file(path, &len);
    if (given == NULL)
        return false;
    memset(table, 0xFF, OTAPULT_TABLE_SIZE);
    memcpy(table, given, len < OTAPULT_TABLE_SIZE ? len : OTAPULT_TABLE_SIZE);
    free(given);
    return true;
}

static uint8_t *make_firmware(const char *path, size_t *len)
{
    const struct sample_spec spec = {SAMPLE_DEFAULT, .version = "1.0.0", .size = 600000, .seed = 1};

    return path != NULL ? read_file(path, len) : sample_image(&spec, len);
}

/* false: standard error says why. */
static bool lay_factory_state(struct nor_flash *nor, const struct options *options)
{
    uint8_t table[OTAPULT_TABLE_SIZE];
    size_t len;

    if (!make_table(table, options->table))
        return false;
    uint8_t *image = make_firmware(options->factory, &len);
    if (image == NULL)
        return false;
    bool fits = factory_flash(nor, table, image, len);
    free(image);
    if (!fits)
        console_complain("the partition table is wrong, or the factory firmware does not fit into it");
    return fits;
}

/* ---- the file ---- */

static const char *why_not(int err)
{
    switch (err) {
    case EWOULDBLOCK: return "another rover has it open";
    case EINVAL: return "it is there, but is no flash file of 16 MB; --reset makes a new one";
    default: return strerror(err);
    }
}

/* A file that was made and got no factory state would be one that nothing boots from. */
static void fill(struct nor_flash *nor, const struct options *options)
{
    if (lay_factory_state(nor, options))
        return;
    unlink(options->flash);
    exit(2);
}

void flash_open(struct nor_flash *nor, const struct options *options)
{
    bool created = false;

    if (options->reset)
        unlink(options->flash);
    int err = nor_open_file(nor, options->flash, FLASH_SIZE, &created);
    if (err != 0) {
        console_complain("cannot use %s: %s", options->flash, why_not(err));
        exit(2);
    }
    if (created)
        fill(nor, options);
    else if (options->table != NULL || options->factory != NULL)
        console_complain("%s is there, so --table and --factory do nothing; --reset makes a new one",
                         options->flash);
    if (!options->fast)
        nor->elapse = elapse;
    nor->fail = without_power;
}

bool flash_write_wear(const struct nor_flash *nor, const char *path)
{
    FILE *f = fopen(path, "w");

    for (size_t n = 0; f != NULL && n < nor->size / NOR_SECTOR; n++)
        fprintf(f, "0x%06zx %u\n", n * NOR_SECTOR, (unsigned)nor->wear[n]);
    if (f != NULL && fclose(f) == 0)
        return true;
    console_complain("cannot write %s: %s", path, strerror(errno));
    return false;
}
