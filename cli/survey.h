/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_SURVEY_H
#define CLI_SURVEY_H

#include "anatomy.h"
#include "flash/ota_data.h"
#include "flash/partition_table.h"

/* What stands where in a file: images, a partition table, OTA data. A merged image has all of them,
 * other files one of them, or nothing that is known here. */

#define SURVEY_IMAGES 20

struct survey {
    unsigned       image_count;
    struct anatomy image[SURVEY_IMAGES];

    const uint8_t *table; /* into the file; NULL: there is none */
    uint32_t       table_at;
    unsigned       partitions;
    enum otapult_table_fault fault;

    bool           has_ota_data;
    uint32_t       ota_data_at;
    struct otapult_ota_data ota_data;
};

/* `err`: the judge's word on the file, which says what to look for. Keeps pointers into data[size]. */
void survey(struct survey *s, int err, const uint8_t *data, size_t size);

/* What kind of file `err` speaks of, in one word for programs: "app", "merged", "bootloader",
 * "partition_table", "ota_data", "other". */
const char *survey_kind(int err);

/* Fit for updates over the air? NULL: the table is. Else what it lacks. */
const char *table_lacks(const struct survey *s);

/* The names of ESP-IDF: "app" and "ota_0"; the number in hex where there is none. */
#define PARTITION_NAME 16
void partition_type(const struct otapult_partition *p, char dst[PARTITION_NAME]);
void partition_subtype(const struct otapult_partition *p, char dst[PARTITION_NAME]);

/* The slot OTA data chooses, where the table says how many there are; -1: none. */
int survey_boot_slot(const struct survey *s);

#endif
