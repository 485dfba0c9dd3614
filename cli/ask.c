/* SPDX-License-Identifier: Apache-2.0 */
#include "ask.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "named.h"

/* Two ways to ask. ask_robots() wants nothing but the status: it waits for all robots and hands them on in
 * the order of the command line, so the same call prints the same lines however fast each robot is. A talk
 * has more questions, and may print as soon as there is something to say. */

int ask_robots(const struct options *options, int (*each)(struct robot *r, const struct options *options))
{
    struct fleet fleet;
    int status = fleet_open(&fleet, options, options->operand, options->operands);

    if (status != 0)
        return status;
    status = fleet_ask(&fleet, each, options);
    fleet_free(&fleet);
    return status;
}

static int talk_with(struct fleet *fleet, struct wire *w, const struct talk *talk)
{
    int worst = STATUS_OK;

    for (size_t i = 0; i < fleet->count; i++)
        talk->begin(talk->ctx, &fleet->member[i].robot, w);
    robots_wait(w);
    for (size_t i = 0; i < fleet->count; i++) {
        robot_leave(&fleet->member[i].robot);
        int status = talk->end(talk->ctx, &fleet->member[i].robot);
        worst = status > worst ? status : worst;
    }
    return worst;
}

int talk_with_robots(const struct options *options, const struct talk *talk)
{
    struct fleet fleet;
    int status = fleet_open(&fleet, options, options->operand, options->operands);

    if (status != 0)
        return status;
    struct wire *w = wire_open();
    status = w != NULL ? talk_with(&fleet, w, talk) : STATUS_NO;
    if (w != NULL)
        wire_close(w);
    fleet_free(&fleet);
    return status;
}

/* cJSON escapes what is below a space; what else a terminal obeys, or is not UTF-8, is spelt here. */
static void put_json(const char *text)
{
    say_answered();
    size_t len = strlen(text);

    for (size_t at = 0; at < len;) {
        uint32_t code = 0;
        size_t n = otapult_text_printable((const uint8_t *)text + at, len - at);
        if (n > 0)
            fwrite(text + at, 1, n, stdout);
        else if ((n = otapult_text_character((const uint8_t *)text + at, len - at, &code)) > 0)
            printf("\\u%04x", (unsigned)code);
        else
            putchar('?');
        at += n + (n == 0);
    }
    putchar('\n');
}

void print_robot_json(const struct robot *r, const char *text)
{
    cJSON *json = cJSON_Parse(text);

    cJSON_DeleteItemFromObjectCaseSensitive(json, "robot");
    cJSON_AddStringToObject(json, "robot", r->name);
    char *line = json != NULL ? cJSON_PrintUnformatted(json) : NULL;
    if (line != NULL)
        put_json(line);
    free(line);
    cJSON_Delete(json);
}

int print_done(const struct robot *r, const char *message)
{
    char text[1024];
    struct otapult_json j;

    otapult_json_init(&j, text, sizeof text);
    otapult_json_open(&j, NULL, '{');
    otapult_json_bool(&j, "success", true);
    otapult_json_str(&j, "robot", r->name);
    otapult_json_str(&j, "message", message);
    otapult_json_close(&j, '}');
    return json_print(&j);
}

void image_text(const struct device_image *image, char dst[IMAGE_TEXT])
{
    snprintf(dst, IMAGE_TEXT, "%s (%s)", image->version[0] != '\0' ? image->version : "?",
             image->build[0] != '\0' ? image->build : "?");
}
