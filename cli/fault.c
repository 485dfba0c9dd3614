/* SPDX-License-Identifier: Apache-2.0 */
#include "fault.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "command.h"
#include "words.h"

/* Three sources of errors get one shape here, so that a script sees the same members whatever went wrong:
 * troubles of this side (trouble.def), errors of the judge (errors.def), and answers of a robot, whose words
 * are its own. */

#define JSON_MAX 4096

static void set(char *dst, size_t cap, const char *text)
{
    otapult_text_clean(dst, cap, (const uint8_t *)text, strlen(text));
}

#define SET(member, text) set(f->member, sizeof f->member, text)

void fault_of_trouble(struct fault *f, enum trouble_id id, const char *detail)
{
    const struct trouble_row *row = trouble_row(id);

    f->status = row->status;
    SET(code, row->code);
    SET(caption, row->caption);
    SET(detail, detail);
    SET(hint, trouble_hint(id));
}

void fault_of_error(struct fault *f, int err, const struct otapult_finding *why)
{
    const struct otapult_error_row *row = otapult_error_row(err);
    char detail[192];

    otapult_detail(err, why, say_in_russian() ? &otapult_russian : NULL, detail, sizeof detail);
    f->status = STATUS_NO;
    SET(code, row->code);
    SET(caption, row->caption);
    SET(detail, detail);
    SET(hint, otapult_hint(err, say_in_russian() ? &otapult_russian : NULL));
}

static const char *member(const cJSON *json, const char *key)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, key));

    return text != NULL ? text : "";
}

bool fault_of_answer(struct fault *f, long http_status, const cJSON *json)
{
    if (http_status == 401) {
        fault_of_trouble(f, TROUBLE_LOGIN, member(json, "detail"));
        return true;
    }
    if (http_status < 400 || member(json, "code")[0] == '\0')
        return false;
    f->status = STATUS_NO;
    SET(code, member(json, "code"));
    SET(caption, member(json, "error"));
    SET(detail, member(json, "detail"));
    SET(hint, member(json, "hint"));
    return true;
}

void json_fault(struct otapult_json *j, const struct fault *f)
{
    otapult_json_bool(j, "success", false);
    otapult_json_str(j, "error", f->caption);
    otapult_json_str(j, "code", f->code);
    otapult_json_str(j, "detail", f->detail);
    otapult_json_str(j, "hint", f->hint);
}

static void say_json(const struct fault *f, const char *kind, const char *subject)
{
    char text[JSON_MAX];
    struct otapult_json j;

    otapult_json_init(&j, text, sizeof text);
    otapult_json_open(&j, NULL, '{');
    otapult_json_str(&j, kind, say_clean(subject));
    json_fault(&j, f);
    otapult_json_close(&j, '}');
    json_print(&j);
}

int fault_say(const struct fault *f, const char *kind, const char *subject)
{
    if (say_as_json())
        say_json(f, kind, subject);
    complain("%s: %s%s%s", subject[0] != '\0' ? say_clean(subject) : "''", f->caption,
             f->detail[0] != '\0' ? ": " : "", f->detail);
    if (!say_is_quiet() && f->hint[0] != '\0')
        fprintf(stderr, "  hint   %s\n", f->hint);
    return f->status;
}

int error_say(int err, const struct otapult_finding *why, const char *file)
{
    struct fault f;

    if (!say_as_json()) {
        put_error(stderr, file, err, why);
        return STATUS_NO;
    }
    fault_of_error(&f, err, why);
    return fault_say(&f, "file", file);
}

int trouble_say(enum trouble_id id, const char *kind, const char *subject, const char *detail)
{
    struct fault fault;

    fault_of_trouble(&fault, id, detail);
    return fault_say(&fault, kind, subject);
}
