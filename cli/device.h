/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_DEVICE_H
#define CLI_DEVICE_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdint.h>

/* What GET /api/ota/status says, as far as it is there: robots with older firmware leave members out. Every
 * text is clean and terminated; "" where there is none. */

#define DEVICE_KEYS 3
#define DEVICE_WORD 68

struct device_image {
    bool there;
    char project[DEVICE_WORD], version[DEVICE_WORD], build[20];
};

struct device_event { /* of the log */
    char event[24], text[160], code[48], slot[20];
    char version[DEVICE_WORD], build[20];
    uint32_t seq, boot;
};

struct device {
    char name[DEVICE_WORD], state[24];
    char update[12]; /* the id of the update that runs or ran last */
    char running[20], next[20], boot_slot[20], waiting_for[160], running_state[24];
    struct device_image image; /* that runs */
    uint32_t boot, received, total, uptime_ms;
    bool pending, open, safe_mode;
    uint32_t confirm_left_ms, soak_left_ms;
    /* limits */
    char chip[DEVICE_WORD];
    uint32_t slot_size;
    long chip_revision, block_revision; /* -1: not told */
    bool takes_gzip, takes_patch;
    bool signature_enforced;
    unsigned keys;
    char key[DEVICE_KEYS][20]; /* the first digits of its digest */
    /* what waits to be activated */
    bool knows_staging, staged;
    struct device_image staged_image;
    char busy_for[24], busy_by[DEVICE_WORD];
    bool has_last;
    struct device_event last;
    bool has_error; /* its slots cannot be used */
};

/* false: `json` is no status of this API; *out is not to be used. */
bool device_read(struct device *out, const cJSON *json);
void device_read_event(struct device_event *out, const cJSON *json);

/* Clean text of a member, into dst[cap]; "" where it is none. */
void member_text(const cJSON *json, const char *key, char *dst, size_t cap);
uint32_t member_number(const cJSON *json, const char *key, uint32_t otherwise);
bool member_is_true(const cJSON *json, const char *key);

#endif
