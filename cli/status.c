/* SPDX-License-Identifier: Apache-2.0 */
#include <cjson/cJSON.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "command.h"
#include "options.h"
#include "remote.h"

/* What the device says is printed as text, whatever it holds. */
static void print_field(const char *name, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void print_field(const char *name, const char *format, ...)
{
    char raw[400], clean[400];
    va_list args;

    va_start(args, format);
    vsnprintf(raw, sizeof raw, format, args);
    va_end(args);
    otapult_text_clean(clean, sizeof clean, (const uint8_t *)raw, strlen(raw));
    printf("  %-12s %s\n", name, clean);
}

static const char *text_of(const cJSON *object, const char *key)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, key));

    return text != NULL ? text : "-";
}

static bool is_true(const cJSON *object, const char *key)
{
    return cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(object, key));
}

static void print_running(const cJSON *status)
{
    const cJSON *slot;

    cJSON_ArrayForEach(slot, cJSON_GetObjectItemCaseSensitive(status, "slots"))
    {
        const cJSON *image = cJSON_GetObjectItemCaseSensitive(slot, "image");
        if (is_true(slot, "running"))
            print_field("runs", "%s %s, build %s, in %s (%s)", text_of(image, "project"),
                        text_of(image, "version"), text_of(image, "build"), text_of(slot, "label"),
                        text_of(slot, "state"));
    }
}

static void print_signature(const cJSON *status)
{
    const cJSON *signature = cJSON_GetObjectItemCaseSensitive(status, "signature"), *key;
    char keys[128] = "";
    struct otapult_text t;

    if (!is_true(signature, "enforced")) {
        print_field("signature", "not required");
        return;
    }
    otapult_text_init(&t, keys, sizeof keys);
    cJSON_ArrayForEach(key, cJSON_GetObjectItemCaseSensitive(signature, "keys"))
    {
        const char *digest = cJSON_GetStringValue(key);
        otapult_text_str(&t, " ");
        otapult_text_str(&t, digest != NULL ? digest : "?");
    }
    print_field("signature", "enforced, %s%s", keys[0] != '\0' ? "keys" : "no keys", keys);
}

static void print_status(const struct remote *r, const cJSON *status)
{
    printf("%s\n", r->base);
    if (r->tls)
        print_field("certificate", "%s", r->shown.fingerprint);
    print_running(status);
    print_field("state", "%s", text_of(status, "state"));
    if (is_true(status, "pending"))
        print_field("waits for", "%s", text_of(status, "waiting_for"));
    if (strcmp(text_of(status, "boot_slot"), text_of(status, "running")) != 0)
        print_field("boots next", "%s", text_of(status, "boot_slot"));
    print_signature(status);
    print_field("access",
                is_true(status, "open") ? "open: anyone on this network can upload" : "login required");
}

static int refuse(const struct remote *r, const struct remote_answer *answer, const cJSON *json)
{
    char detail[200], hint[400];
    const char *said = text_of(json, "detail"), *advice = text_of(json, "hint");

    otapult_text_clean(detail, sizeof detail, (const uint8_t *)said, strlen(said));
    otapult_text_clean(hint, sizeof hint, (const uint8_t *)advice, strlen(advice));
    fprintf(stderr, "otapult: %s answers %ld: %s\n", r->where, answer->status, detail);
    if (answer->status == 401)
        fprintf(stderr, "  hint   set OTAPULT_TOKEN to an API token, or OTAPULT_PASSWORD\n");
    else
        fprintf(stderr, "  hint   %s\n", hint);
    return STATUS_NO;
}

static int tell(const struct remote *r, const struct remote_answer *answer, bool as_json)
{
    cJSON *json = answer->body == NULL ? NULL : cJSON_ParseWithLength(answer->body, answer->len);
    int status = STATUS_OK;

    if (answer->status != 200 || !cJSON_IsObject(json))
        status = refuse(r, answer, json);
    else if (as_json)
        puts(answer->body);
    else
        print_status(r, json);
    cJSON_Delete(json);
    return status;
}

static int run(const struct options *options)
{
    struct remote r;
    struct remote_answer answer = {0};

    int status = STATUS_NO;
    if (remote_open(&r, options->file, options->first_use) && remote_get(&r, "/api/ota/status", &answer))
        status = tell(&r, &answer, options->json);
    remote_answer_free(&answer);
    return status;
}

const struct verb verb_status = {
    .name = "status",
    .gist = "what a robot runs",
    .operands = "URL",
    .summary = "asks a robot what it runs, and who it is",
    .about =
        "Shows what the device at URL (https://rover.local:8443) runs, whether it requires signatures and a "
        "login, and its certificate's SHA-256 fingerprint, as on its console.\n"
        "\n"
        "A device keeps its key: one that shows another than last time is refused, loudly. Who asks comes "
        "from the environment: OTAPULT_TOKEN, an API token, or OTAPULT_PASSWORD.",
    .exits = "0 it answered, 1 it did not, refused, or is not the one of last time, 2 wrong usage.",
    .least = 1,
    .most = 1,
    .completes = {COMPLETES_ROBOT},
    .group = GROUP_ROBOTS,
    .options =
        (const struct verb_option[]){{OPTION_FIRST_USE, NULL}, {OPTION_JSON, NULL}, {OPTION_NONE, NULL}},
    .run = run,
};
