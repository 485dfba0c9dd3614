/* SPDX-License-Identifier: Apache-2.0 */
#include "flash.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "console.h"
#include "factory.h"
#include "flash_file.h"
#include "host_port.h"
#include "power.h"
#include "regular_file.h"
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
    FILE *f = regular_file_open(path);
    uint8_t *data = malloc(FLASH_SIZE);

    *len = f != NULL && data != NULL ? fread(data, 1, FLASH_SIZE, f) : 0;
    if (*len == 0) {
        console_complain("cannot read %s: %s", path, errno != 0 ? regular_file_words(errno) : "it is empty");
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
    char why[FACTORY_WHY];
    size_t len;

    if (!make_table(table, options->table))
        return false;
    uint8_t *image = make_firmware(options->factory, &len);
    if (image == NULL)
        return false;
    bool fits = factory_flash(nor, table, image, len);
    free(image);
    if (!fits)
        factory_refusal(nor, table, len, why);
    const char *fault = fits ? factory_fault(nor) : why;
    if (fault != NULL)
        console_complain("%s%s", fits ? "the factory firmware does not boot: " : "", fault);
    return fault == NULL;
}

/* ---- the file ---- */

static const char *why_not(int err, bool reset)
{
    switch (err) {
    case EWOULDBLOCK: return "another rover has it open";
    case EEXIST: return "another rover has made it just now";
    case ENOTSUP: return "it is no regular file, so it is left alone";
    case EINVAL:
        return reset ? "it is there, but is no flash file of 16 MB, so --reset leaves it alone"
                     : "it is there, but is no flash file of 16 MB; name another one";
    default: return strerror(err);
    }
}

static _Noreturn void give_up(const struct options *options, int err)
{
    console_complain("cannot use %s: %s", options->flash, why_not(err, options->reset));
    exit(2);
}

/* Only a chip with a firmware on it gets a file. */
static void fill(struct flash_file *file, struct nor_flash *nor, const struct options *options)
{
    if (!lay_factory_state(nor, options)) {
        flash_file_drop(file);
        exit(2);
    }
    int err = flash_file_keep(file);
    if (err != 0)
        give_up(options, err);
}

void flash_open(struct nor_flash *nor, const struct options *options)
{
    struct flash_file file;
    unsigned how = (options->reset ? FLASH_FILE_RESET : 0u) | (options->secure.on ? FLASH_FILE_PRIVATE : 0u);

    int err = flash_file_open(&file, nor, options->flash, FLASH_SIZE, how);
    if (err != 0)
        give_up(options, err);
    if (file.fresh)
        fill(&file, nor, options);
    else if (options->table != NULL || options->factory != NULL)
        console_complain("%s is there, so --table and --factory do nothing; --reset makes a new one",
                         options->flash);
    if (!options->fast)
        nor->elapse = elapse;
    nor->fail = without_power;
}

static int write_wear(const struct nor_flash *nor, struct new_file *file)
{
    int err = 0;

    for (size_t n = 0; err == 0 && n < nor->size / NOR_SECTOR; n++)
        if (dprintf(file->fd, "0x%06zx %u\n", n * NOR_SECTOR, (unsigned)nor->wear[n]) < 0)
            err = errno;
    return err;
}

bool flash_write_wear(const struct nor_flash *nor, const char *path)
{
    struct new_file file;
    int err = new_file_begin(&file, path, new_file_usual_mode());

    if (err == 0) {
        err = write_wear(nor, &file);
        if (err != 0)
            new_file_drop(&file);
        else
            err = new_file_keep(&file, true);
    }
    if (err != 0)
        console_complain("cannot write %s: %s", path, why_not(err, false));
    return err == 0;
}
