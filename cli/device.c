/* SPDX-License-Identifier: Apache-2.0 */
#include "device.h"

#include <string.h>

#include "base/text.h"

/* A status is what a robot says of itself, and any machine can claim to be a robot. So each member is checked
 * for its type, each text is cleaned for the terminal and cut, and what is missing becomes "", 0 or -1: the
 * rest of the command never sees JSON. */

void member_text(const cJSON *json, const char *key, char *dst, size_t cap)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, key));

    otapult_text_clean(dst, cap, (const uint8_t *)(text != NULL ? text : ""),
                       text != NULL ? strlen(text) : 0);
}

#define TEXT(json, key, member) member_text(json, key, member, sizeof(member))

uint32_t member_number(const cJSON *json, const char *key, uint32_t otherwise)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(json, key);
    double n = cJSON_IsNumber(item) ? item->valuedouble : -1;

    return n >= 0 && n <= 4294967295.0 ? (uint32_t)n : otherwise;
}

bool member_is_true(const cJSON *json, const char *key)
{
    return cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(json, key));
}

static const cJSON *member(const cJSON *json, const char *key)
{
    return cJSON_GetObjectItemCaseSensitive(json, key);
}

static void read_image(struct device_image *out, const cJSON *json)
{
    out->there = cJSON_IsObject(json);
    TEXT(json, "project", out->project);
    TEXT(json, "version", out->version);
    TEXT(json, "build", out->build);
}

static void read_slots(struct device *out, const cJSON *slots)
{
    const cJSON *slot;

    cJSON_ArrayForEach(slot, slots)
    {
        if (!member_is_true(slot, "running"))
            continue;
        read_image(&out->image, member(slot, "image"));
        TEXT(slot, "state", out->running_state);
    }
}

static void read_accepts(struct device *out, const cJSON *accepts)
{
    const cJSON *item;

    cJSON_ArrayForEach(item, accepts)
    {
        const char *word = cJSON_GetStringValue(item);
        out->takes_gzip |= word != NULL && strcmp(word, "gzip") == 0;
        out->takes_patch |= word != NULL && strcmp(word, "patch") == 0;
    }
}

static void read_limits(struct device *out, const cJSON *limits)
{
    TEXT(limits, "chip", out->chip);
    out->slot_size = member_number(limits, "slot_size", 0);
    out->chip_revision = cJSON_IsNumber(member(limits, "chip_revision"))
                             ? (long)member_number(limits, "chip_revision", 0)
                             : -1;
    out->block_revision = cJSON_IsNumber(member(limits, "efuse_block_revision"))
                              ? (long)member_number(limits, "efuse_block_revision", 0)
                              : -1;
    read_accepts(out, member(limits, "accepts"));
}

static void read_signature(struct device *out, const cJSON *signature)
{
    const cJSON *item;

    out->signature_enforced = member_is_true(signature, "enforced");
    cJSON_ArrayForEach(item, member(signature, "keys"))
    {
        const char *key = cJSON_GetStringValue(item);
        if (key != NULL && out->keys < DEVICE_KEYS)
            otapult_text_clean(out->key[out->keys++], sizeof out->key[0], (const uint8_t *)key, strlen(key));
    }
}

void device_read_event(struct device_event *out, const cJSON *json)
{
    *out = (struct device_event){0};
    TEXT(json, "event", out->event);
    TEXT(json, "text", out->text);
    TEXT(json, "code", out->code);
    TEXT(json, "slot", out->slot);
    TEXT(json, "version", out->version);
    TEXT(json, "build", out->build);
    out->seq = member_number(json, "seq", 0);
    out->boot = member_number(json, "boot", 0);
}

static void read_rest(struct device *out, const cJSON *json)
{
    const cJSON *staged = member(json, "staged"), *busy = member(json, "busy"), *last = member(json, "last");

    out->pending = member_is_true(json, "pending");
    out->open = member_is_true(json, "open");
    out->safe_mode = member_is_true(json, "safe_mode");
    out->confirm_left_ms = member_number(json, "confirm_left_ms", 0);
    out->soak_left_ms = member_number(json, "soak_left_ms", 0);
    out->knows_staging = staged != NULL;
    out->staged = cJSON_IsObject(staged);
    read_image(&out->staged_image, member(staged, "image"));
    TEXT(busy, "for", out->busy_for);
    TEXT(busy, "by", out->busy_by);
    out->has_last = cJSON_IsObject(last);
    device_read_event(&out->last, last);
    out->has_error = cJSON_IsObject(member(json, "error"));
}

/* The members that every firmware of this API has had. */
static bool is_status(const cJSON *json)
{
    return cJSON_IsString(member(json, "state")) && cJSON_IsArray(member(json, "slots")) &&
           cJSON_IsObject(member(json, "limits")) && cJSON_IsObject(member(json, "signature")) &&
           cJSON_IsNumber(member(json, "boot"));
}

bool device_read(struct device *out, const cJSON *json)
{
    if (!is_status(json))
        return false;
    *out = (struct device){0};
    TEXT(json, "name", out->name);
    TEXT(json, "state", out->state);
    TEXT(json, "update", out->update);
    TEXT(json, "running", out->running);
    TEXT(json, "next", out->next);
    TEXT(json, "boot_slot", out->boot_slot);
    TEXT(json, "waiting_for", out->waiting_for);
    out->boot = member_number(json, "boot", 0);
    out->received = member_number(json, "received", 0);
    out->total = member_number(json, "total", 0);
    out->uptime_ms = member_number(json, "uptime_ms", 0);
    read_slots(out, member(json, "slots"));
    read_limits(out, member(json, "limits"));
    read_signature(out, member(json, "signature"));
    read_rest(out, json);
    return true;
}
