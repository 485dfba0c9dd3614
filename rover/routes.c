/* SPDX-License-Identifier: Apache-2.0 */
#include <cjson/cJSON.h>
#include <stdio.h>
#include <string.h>

#include "rover_internal.h"

static enum otapult_http_next get_home(struct otapult_exchange *x)
{
    otapult_http_asset(x, &rover_home_page);
    return OTAPULT_HTTP_ANSWERED;
}

/* ---- GET /api/status ---- */

static void put_fixed(struct otapult_json *j, const char *key, double value)
{
    char text[24];

    snprintf(text, sizeof text, "%.3f", value);
    otapult_json_number(j, key, text);
}

static void put_firmware(struct otapult_json *j, struct otapult *o)
{
    struct otapult_status status;
    struct otapult_slot slot;
    struct otapult_image_info info;
    char build[OTAPULT_BUILD_ID_CHARS + 1];

    otapult_status(o, &status);
    otapult_json_open(j, "firmware", '{');
    if (otapult_slot(o, status.slots.running, &slot, &info) == 0 && info.size != 0) {
        otapult_build_id(&info.desc, build);
        otapult_json_str(j, "project", info.desc.project);
        otapult_json_str(j, "version", info.desc.version);
        otapult_json_str(j, "build", build);
        otapult_json_str(j, "slot", slot.label);
    }
    otapult_json_close(j, '}');
    otapult_json_num(j, "uptime_ms", status.uptime_ms);
}

static enum otapult_http_next get_status(struct otapult_exchange *x)
{
    struct rover *r = x->app;
    struct rover seen;
    struct otapult_answer a;

    rover_look(r, &seen);
    otapult_answer_begin(&a, x, 200);
    otapult_json_open(&a.json, NULL, '{');
    otapult_json_bool(&a.json, "driving", seen.left != 0 || seen.right != 0);
    otapult_json_int(&a.json, "left", seen.left);
    otapult_json_int(&a.json, "right", seen.right);
    otapult_json_bool(&a.json, "held", seen.held);
    put_fixed(&a.json, "x", seen.x);
    put_fixed(&a.json, "y", seen.y);
    put_fixed(&a.json, "heading", seen.heading);
    put_firmware(&a.json, r->ota);
    otapult_json_close(&a.json, '}');
    otapult_answer_end(&a);
    return OTAPULT_HTTP_ANSWERED;
}

/* ---- POST /api/drive ---- */

static bool read_power(const cJSON *body, const char *name, int *power)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(body, name);

    if (!cJSON_IsNumber(item) || !(item->valuedouble >= -100 && item->valuedouble <= 100))
        return false;
    *power = (int)item->valuedouble;
    return true;
}

static bool read_command(const struct otapult_exchange *x, int *left, int *right)
{
    cJSON *body = cJSON_ParseWithLength(x->small, x->len);
    bool good = read_power(body, "left", left) && read_power(body, "right", right);

    cJSON_Delete(body);
    return good;
}

static void refuse_to_drive(struct otapult_exchange *x)
{
    const struct rover *r = x->app;
    const bool safe = r->ota != NULL && otapult_safe_mode(r->ota);

    otapult_http_error(
        x, OTAPULT_E_HELD,
        &(struct otapult_finding){.text = safe ? "safe mode" : "an update or a restart is under way"});
}

static void end_drive(struct otapult_exchange *x)
{
    int left, right;

    if (!read_command(x, &left, &right))
        otapult_http_error(x, OTAPULT_E_BAD_REQUEST,
                           &(struct otapult_finding){.text = "left and right are numbers from -100 to 100"});
    else if (!rover_drive(x->app, left, right))
        refuse_to_drive(x);
    else
        (void)get_status(x);
}

void rover_site(struct otapult_site *site, struct rover *r)
{
    static const struct otapult_route routes[] = {
        {.method = "GET", .path = "/", .begin = get_home, .level = OTAPULT_PAGE},
        {.method = "GET", .path = "/api/status", .begin = get_status},
        {.method = "POST",
         .path = "/api/drive",
         .begin = otapult_http_begin_json,
         .body = otapult_http_small_body,
         .end = end_drive},
    };
    *site = (struct otapult_site){.routes = routes, .count = sizeof routes / sizeof *routes, .app = r};
}
