/* SPDX-License-Identifier: Apache-2.0 */
#include "life.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "esp_board.h"

#define HANDLERS (OTAPULT_ESP_HANDLERS + 4)

static bool is_ready(void *app, char *why, size_t cap)
{
    const struct life *l = app;

    if (!l->ready)
        strncpy(why, "driving", cap - 1);
    return l->ready;
}

static void hold(void *app, bool on)
{
    struct life *l = app;
    l->holds += on ? 1 : -1;
}

static enum otapult_health self_test(void *app, char *why, size_t cap)
{
    const struct life *l = app;

    if (l->health == OTAPULT_HEALTH_FAIL)
        strncpy(why, "told to fail", cap - 1);
    return l->health;
}

void life_init(struct life *l, enum world_layout layout, const uint8_t *image, size_t len)
{
    static const struct otapult_health_check checks[] = {{"self-test", self_test}};
    const struct otapult_esp_config config = OTAPULT_ESP_CONFIG_DEFAULT;

    *l = (struct life){.config = config, .ready = true, .health = OTAPULT_HEALTH_PASS};
    l->config.device.ready = is_ready;
    l->config.device.hold = hold;
    l->config.device.app = l;
    l->config.device.checks = checks;
    l->config.device.check_count = 1;
    l->config.device.soak_ms = 0;
    world_init(&l->flash, layout, image, len);
}

void life_end(struct life *l)
{
    if (l->server != NULL)
        (void)httpd_stop(l->server);
    world_end(&l->flash);
}

bool life_boot(struct life *l, esp_reset_reason_t reset)
{
    if (l->server != NULL)
        (void)httpd_stop(l->server);
    l->server = NULL;
    l->holds = 0;
    boot_model_run(&l->flash.nor, &l->boot);
    if (l->boot.ok)
        fake_idf_power_on(&l->flash.nor, l->boot.slot, reset);
    return l->boot.ok;
}

static void serve_plainly(struct life *l)
{
    httpd_config_t server = HTTPD_DEFAULT_CONFIG();

    server.max_uri_handlers = HANDLERS;
    server.stack_size = OTAPULT_ESP_SERVER_STACK;
    assert_int_equal(httpd_start(&l->server, &server), ESP_OK);
    assert_int_equal(otapult_mount(l->server, &l->config), ESP_OK);
}

static void serve_through_tls(struct life *l)
{
    static const uint8_t pem[] = "-----BEGIN";
    const struct otapult_esp_tls tls = {pem, sizeof pem, pem, sizeof pem};

    assert_int_equal(otapult_serve(&l->config, &tls, &l->server), ESP_OK);
}

bool life_start(struct life *l, esp_reset_reason_t reset)
{
    if (!life_boot(l, reset))
        return false;
    if (l->begin != NULL)
        l->begin();
    if (l->tls)
        serve_through_tls(l);
    else if (l->own)
        assert_int_equal(otapult_serve(&l->config, NULL, &l->server), ESP_OK);
    else
        serve_plainly(l);
    return true;
}

bool life_settle(struct life *l)
{
    for (int polls = 0; polls < 30; polls++) {
        fake_tasks_run();
        fake_httpd_work();
        fake_idf_pass(100000);
        if (fake_idf.restarted && !life_start(l, ESP_RST_SW))
            return false;
    }
    return true;
}

const char *life_version(void)
{
    static struct otapult_image_info info;
    struct otapult_slot slot;
    struct otapult_status s;

    otapult_status(otapult_esp_device(), &s);
    if (otapult_slot(otapult_esp_device(), s.slots.running, &slot, &info) != 0)
        return "";
    return info.desc.version;
}

/* ---- requests ---- */

struct fake_request life_get(const char *uri)
{
    return (struct fake_request){.method = HTTP_GET, .uri = uri, .header = {{"Host", "10.0.0.2"}}};
}

struct fake_request life_post(const char *uri, const char *type, const void *body, size_t len)
{
    static char lengths[4][24];
    static unsigned next;
    char *length = lengths[next++ % 4];

    snprintf(length, sizeof lengths[0], "%zu", len);
    return (struct fake_request){
        .method = HTTP_POST,
        .uri = uri,
        .header = {{"Host", "10.0.0.2"}, {"Content-Type", type}, {"Content-Length", length}},
        .body = body,
        .len = len,
    };
}

struct fake_request life_with(struct fake_request r, const char *name, const char *value)
{
    size_t n = 0;

    while (r.header[n].name != NULL)
        n++;
    assert_true(n < sizeof r.header / sizeof *r.header);
    r.header[n] = (struct fake_header){name, value};
    return r;
}

struct fake_request life_tus(int method, const char *uri, const void *body, size_t len)
{
    struct fake_request r = life_post(uri, "application/offset+octet-stream", body, len);

    r.method = method;
    return life_with(r, "Tus-Resumable", "1.0.0");
}

const char *life_create_upload(struct life *l, size_t length)
{
    static struct fake_connection c;
    static char uri[80];
    char text[24];
    struct fake_request r;

    snprintf(text, sizeof text, "%zu", length);
    r = life_with(life_tus(HTTP_POST, "/api/ota/uploads", "", 0), "Upload-Length", text);
    life_send(l, &c, &r);
    assert_int_equal(c.status, 201);
    const char *location = strstr(c.sent, "Location: ");
    assert_non_null(location);
    snprintf(uri, sizeof uri, "/api/ota/%.*s", (int)strcspn(location + 10, "\r"), location + 10);
    return uri;
}

long life_safe_offset(struct life *l, const char *uri)
{
    static struct fake_connection c;
    const struct fake_request r = life_tus(HTTP_HEAD, uri, "", 0);

    life_send(l, &c, &r);
    const char *line = strstr(c.sent, "Upload-Offset: ");
    return c.status == 200 && line != NULL ? strtol(line + 15, NULL, 10) : -1;
}

size_t life_form(char *dst, size_t cap, const char *boundary, const void *name, size_t name_len,
                 const void *data, size_t len)
{
    int at = snprintf(dst, cap, "--%s\r\nContent-Disposition: form-data; name=\"firmware\"; filename=\"",
                      boundary);
    size_t n = (size_t)at;

    assert_true(n + name_len + len + strlen(boundary) + 100 < cap);
    memcpy(dst + n, name, name_len);
    n += name_len;
    n += (size_t)snprintf(dst + n, cap - n, "\"\r\nContent-Type: application/octet-stream\r\n\r\n");
    memcpy(dst + n, data, len);
    n += len;
    return n + (size_t)snprintf(dst + n, cap - n, "\r\n--%s--\r\n", boundary);
}

void life_send(struct life *l, struct fake_connection *c, const struct fake_request *r)
{
    fake_httpd_request(l->server, r, c);
    if (otapult_esp_board.upload_task != NULL)
        fake_task_run(otapult_esp_board.upload_task);
    fake_httpd_work();
    if (c->sent_len > 0)
        fake_httpd_parse(c);
}
