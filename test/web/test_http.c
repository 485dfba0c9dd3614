/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "http_client.h"
#include "update/door.h"
#include "web/page.h"

#define COUNT(a)  (sizeof(a) / sizeof(a)[0])
#define SLOT_SIZE 100000u

/* ---- a device that does as the test says ---- */

static struct fake {
    struct otapult_status status;
    struct otapult_slot slot[OTAPULT_SLOTS_MAX + 1]; /* the last one is the factory's */
    struct otapult_image_info image[OTAPULT_SLOTS_MAX + 1];
    int slot_error;
    struct otapult_log_entry log[OTAPULT_LOG_ENTRIES + 1];
    unsigned log_count;

    uint32_t ticket; /* of the update that runs, 0: none */
    int ended_with;  /* what an old ticket is told */
    struct otapult_finding why_ended;

    int begin_error, feed_error, finish_error, confirm_error, rollback_error, restart_error, end_error;
    struct otapult_finding why;
    size_t feed_error_at; /* bytes of the file */

    uint32_t size; /* as begin() was told */
    struct otapult_update_options options;
    struct otapult_update past; /* id 0: it was not asked for before */
    uint32_t least, most;       /* of its length, as told */
    bool misnamed;
    int told; /* as refused before it could begin */
    uint32_t told_size;
    uint8_t file[4096];
    size_t len;
    unsigned begins, touches, finishes, cancels, confirms, rollbacks, restarts, ends, activations;
    int activate_error;
    uint32_t resume_ms;
    bool forced; /* the last rollback */
    struct otapult_way_back way_back;
    bool already; /* what comes is what runs */
    bool emptied; /* what ends costs the other slot's firmware */
    int cancel_error;
    struct otapult_finding cancel_why;
    const char *name; /* NULL: left-leg */
} dev;

static struct otapult *const device = (struct otapult *)&dev;

static unsigned slot_number(int index)
{
    return index == OTAPULT_SLOT_FACTORY ? OTAPULT_SLOTS_MAX : (unsigned)index;
}

int otapult_begin_by(struct otapult *o, const char *by, const struct otapult_update_options *options,
                     uint32_t size, uint32_t *ticket, struct otapult_update *past,
                     struct otapult_finding *why)
{
    dev.options = *options;
    *past = dev.past;
    *ticket = 0;
    if (past->id != 0)
        return 0;
    assert_ptr_equal(o, device);
    assert_string_equal(by, "anyone");
    dev.begins++;
    dev.size = size;
    *why = dev.why;
    if (dev.begin_error != 0)
        return dev.begin_error;
    *ticket = dev.ticket = 7;
    dev.status.phase = OTAPULT_RECEIVING;
    dev.status.claim = OTAPULT_FOR_UPLOAD;
    return 0;
}

int otapult_feed(struct otapult *o, uint32_t ticket, const uint8_t *data, size_t len,
                 struct otapult_finding *why)
{
    assert_ptr_equal(o, device);
    *why = (struct otapult_finding){0};
    if (ticket != dev.ticket)
        return dev.ended_with;
    assert_true(len <= sizeof dev.file - dev.len);
    memcpy(dev.file + dev.len, data, len);
    dev.len += len;
    if (dev.feed_error == 0 || dev.len < dev.feed_error_at)
        return 0;
    *why = dev.why;
    dev.ticket = 0;
    return dev.feed_error;
}

/* What becomes of it, the device keeps of the second slot's image. */
int otapult_finish_with(struct otapult *o, uint32_t ticket, struct otapult_update *out,
                        struct otapult_finding *why)
{
    const struct otapult_image_info *info = &dev.image[1];

    assert_ptr_equal(o, device);
    dev.finishes++;
    if (ticket != dev.ticket)
        return dev.ended_with;
    *why = dev.why;
    dev.ticket = 0;
    *out = (struct otapult_update){.id = 0x1f2e3d4c, .slot = 1, .size = info->size};
    out->outcome = dev.options.later ? OTAPULT_UPDATE_STAGED : OTAPULT_UPDATE_ACTIVATED;
    if (dev.already)
        out->outcome = OTAPULT_UPDATE_ALREADY;
    memcpy(out->sha256, info->sha256, sizeof out->sha256);
    memcpy(out->version, info->desc.version, sizeof out->version);
    memcpy(out->project, info->desc.project, sizeof out->project);
    otapult_build_id(&info->desc, out->build);
    return dev.finish_error;
}

int otapult_activate_staged_by(struct otapult *o, const char *by, struct otapult_finding *why)
{
    assert_ptr_equal(o, device);
    assert_string_equal(by, "anyone");
    dev.activations++;
    *why = dev.why;
    return dev.activate_error;
}

void otapult_cancel(struct otapult *o, uint32_t ticket, int err, const struct otapult_finding *why)
{
    assert_ptr_equal(o, device);
    if (ticket != dev.ticket || ticket == 0)
        return;
    dev.cancels++;
    dev.cancel_error = err;
    dev.cancel_why = *why;
    dev.ticket = 0;
}

int otapult_tell_file(struct otapult *o, uint32_t ticket, uint32_t least, uint32_t most, bool misnamed)
{
    assert_ptr_equal(o, device);
    assert_int_equal(dev.len, 0);
    dev.least = least;
    dev.most = most;
    dev.misnamed = misnamed;
    return ticket == dev.ticket ? 0 : dev.ended_with;
}

void otapult_tell_refusal(struct otapult *o, const char *by, int err, const struct otapult_finding *why,
                          uint32_t size)
{
    assert_ptr_equal(o, device);
    assert_string_equal(by, "anyone");
    assert_non_null(why);
    dev.told = err;
    dev.told_size = size;
}

int otapult_touch(struct otapult *o, uint32_t ticket)
{
    assert_ptr_equal(o, device);
    dev.touches++;
    return ticket == dev.ticket ? 0 : dev.ended_with;
}

bool otapult_has_emptied(struct otapult *o, uint32_t ticket)
{
    assert_ptr_equal(o, device);
    (void)ticket;
    return dev.emptied;
}

int otapult_has_ended(struct otapult *o, uint32_t ticket)
{
    assert_ptr_equal(o, device);
    return ticket == dev.ticket ? 0 : dev.ended_with;
}

void otapult_why_ended(struct otapult *o, uint32_t ticket, struct otapult_finding *why, char *text,
                       size_t cap)
{
    assert_ptr_equal(o, device);
    assert_int_equal(ticket, 7);
    *why = dev.why_ended;
    snprintf(text, cap, "%s", why->text == NULL ? "" : why->text);
    why->text = text;
}

int otapult_end_update_by(struct otapult *o, const char *by, struct otapult_finding *why)
{
    assert_ptr_equal(o, device);
    assert_string_equal(by, "anyone");
    dev.ends++;
    *why = dev.why;
    return dev.end_error;
}

int otapult_confirm_by(struct otapult *o, const char *by, struct otapult_finding *why)
{
    assert_ptr_equal(o, device);
    assert_string_equal(by, "anyone");
    dev.confirms++;
    *why = dev.why;
    return dev.confirm_error;
}

int otapult_rollback_by(struct otapult *o, const char *by, bool force, struct otapult_finding *why)
{
    assert_ptr_equal(o, device);
    assert_string_equal(by, "anyone");
    dev.rollbacks++;
    dev.forced = force;
    *why = dev.why;
    return dev.rollback_error;
}

int otapult_restart_by(struct otapult *o, const char *by, struct otapult_finding *why)
{
    assert_ptr_equal(o, device);
    assert_string_equal(by, "anyone");
    dev.restarts++;
    *why = dev.why;
    return dev.restart_error;
}

void otapult_status(struct otapult *o, struct otapult_status *out)
{
    assert_ptr_equal(o, device);
    *out = dev.status;
}

const struct otapult_language *otapult_russian_texts(const struct otapult *o)
{
    (void)o;
    return &otapult_russian;
}

uint32_t otapult_next_slot_size(struct otapult *o)
{
    assert_ptr_equal(o, device);
    if (dev.status.claim != OTAPULT_FREE || dev.slot_error != 0 ||
        dev.status.slots.next < OTAPULT_SLOT_FACTORY)
        return 0;
    return dev.slot[slot_number(dev.status.slots.next)].size;
}

void otapult_slot_label(struct otapult *o, int index, char dst[17])
{
    assert_ptr_equal(o, device);
    dst[0] = '\0';
    if (index != OTAPULT_SLOT_NONE && dev.slot_error == 0)
        memcpy(dst, dev.slot[slot_number(index)].label, 17);
}

void otapult_look_at_slot(struct otapult *o, int index, struct otapult_slot_view *slot)
{
    assert_ptr_equal(o, device);
    memset(slot, 0, sizeof *slot);
    slot->index = index;
    if (dev.slot_error != 0)
        return;
    slot->slot = dev.slot[slot_number(index)];
    slot->has_image = dev.image[slot_number(index)].size != 0;
    slot->readable = true;
    slot->image = dev.image[slot_number(index)].desc;
}

static void view_slot(struct otapult_view *v, int index)
{
    bool there = false;

    for (unsigned n = 0; n < v->slot_count; n++)
        there = there || v->slot[n].index == index;
    if (!there && index != OTAPULT_SLOT_NONE && v->slot_count < OTAPULT_VIEW_SLOTS)
        otapult_look_at_slot(device, index, &v->slot[v->slot_count++]);
}

/* The factory's slot, and as many of the others as the view holds. */
void otapult_view(struct otapult *o, struct otapult_view *out)
{
    assert_ptr_equal(o, device);
    memset(out, 0, sizeof *out);
    out->status = dev.status;
    out->way_back = dev.way_back;
    if (dev.log_count > 0)
        out->last = dev.log[0];
    if (dev.status.slots.factory)
        view_slot(out, OTAPULT_SLOT_FACTORY);
    view_slot(out, dev.status.slots.running);
    view_slot(out, dev.status.slots.next);
    view_slot(out, dev.status.slots.boot);
    for (int i = 0; i < dev.status.slots.count; i++)
        view_slot(out, i);
}

bool otapult_log_entry(struct otapult *o, unsigned n, struct otapult_log_entry *out)
{
    assert_ptr_equal(o, device);
    if (n >= dev.log_count)
        return false;
    *out = dev.log[n];
    return true;
}

const char *otapult_event_name(int event)
{
    return event == OTAPULT_EV_POWER_LOST ? "power_lost" : "confirmed";
}

/* The open profile; test_gate.c has the secure one. */
const struct otapult_secure *otapult_profile(const struct otapult *o)
{
    assert_ptr_equal(o, device);
    return NULL;
}

const struct otapult_pull *otapult_device_pull(const struct otapult *o)
{
    (void)o;
    return NULL;
}

struct otapult_users *otapult_device_users(const struct otapult *o)
{
    assert_ptr_equal(o, device);
    return NULL;
}

const char *const *otapult_device_hosts(const struct otapult *o)
{
    static const char *const hosts[] = {"rover.local", "a", NULL};

    assert_ptr_equal(o, device);
    return hosts;
}

void otapult_note_account(struct otapult *o, const char *text, const char *by)
{
    fail_msg("%p %s %s", (void *)o, text, by);
}

uint16_t otapult_device_revision(const struct otapult *o)
{
    assert_ptr_equal(o, device);
    return 2;
}

uint16_t otapult_device_block_revision(const struct otapult *o)
{
    assert_ptr_equal(o, device);
    return 103;
}

uint16_t otapult_device_chip(const struct otapult *o)
{
    assert_ptr_equal(o, device);
    return OTAPULT_CHIP_ESP32S3;
}

const char *otapult_device_accepts(const struct otapult *o, size_t n)
{
    static const char *const accepts[] = {"plain", "gzip", NULL};
    assert_ptr_equal(o, device);
    return accepts[n];
}

const char *otapult_name(const struct otapult *o)
{
    assert_ptr_equal(o, device);
    return dev.name != NULL ? dev.name : "left-leg";
}

const struct otapult_resumable *otapult_device_resumable(const struct otapult *o)
{
    (void)o;
    return NULL;
}

uint32_t otapult_device_resume_ms(const struct otapult *o)
{
    (void)o;
    return dev.resume_ms;
}

uint32_t otapult_device_stall_ms(const struct otapult *o)
{
    assert_ptr_equal(o, device);
    return 15000;
}

const struct otapult_asset otapult_page = {(const uint8_t *)"gzipped", 7, "Content-Encoding: gzip\r\n"};
const struct otapult_asset otapult_account_page = {(const uint8_t *)"account", 7, ""};

static void set_image(struct otapult_image_info *info, const char *version, uint8_t build)
{
    info->size = 262144;
    strcpy(info->desc.project, "rover");
    strcpy(info->desc.version, version);
    strcpy(info->desc.idf, "v5.3.2");
    strcpy(info->desc.date, "Jan  1 2026");
    strcpy(info->desc.time, "12:00:00");
    memset(info->desc.build, build, sizeof info->desc.build);
    memset(info->sha256, build, sizeof info->sha256);
}

static int a_device(void **state)
{
    (void)state;
    memset(&dev, 0, sizeof dev);
    dev.ended_with = OTAPULT_E_STALLED;
    dev.way_back = (struct otapult_way_back){OTAPULT_SLOT_NONE, .none = "no other slot holds a firmware"};
    dev.why_ended.got = 15;
    dev.status.total = OTAPULT_SIZE_UNKNOWN;
    dev.status.slots = (struct otapult_slots){.count = 2, .next = 1, .ota_data = true};
    dev.status.uptime_ms = 12345;
    dev.status.boot = 1;
    dev.slot[0] = (struct otapult_slot){"app0", 0x10000, SLOT_SIZE, OTAPULT_STATE_VALID};
    dev.slot[1] = (struct otapult_slot){"app1", 0x650000, SLOT_SIZE, OTAPULT_STATE_NONE};
    set_image(&dev.image[0], "1.0.0", 0x0A);
    return 0;
}

/* ---- a client ---- */

static struct http_client client;

static void begin_with_query(const char *path, const char *query, const struct http_header *headers)
{
    const struct otapult_request line = {.method = "POST", .path = path, .query = query};
    struct otapult_site site;

    otapult_site(&site, device);
    (void)http_client_begin(&client, &site, 1, &line, headers);
}

static enum otapult_http_next begin_at(const struct otapult_site *sites, size_t count, const char *method,
                                       const char *path, const struct http_header *headers)
{
    char way[80];
    char *query = strchr(path, '?');
    struct otapult_request line = {.method = method, .path = path};

    if (query != NULL) {
        snprintf(way, sizeof way, "%s", path);
        way[query - path] = '\0';
        line.path = way;
        line.query = query + 1;
    }
    return http_client_begin(&client, sites, count, &line, headers);
}

static enum otapult_http_next begin(const char *method, const char *path, const struct http_header *headers)
{
    struct otapult_site site;

    otapult_site(&site, device);
    return begin_at(&site, 1, method, path, headers);
}

static enum otapult_http_next send(const void *data, size_t len, size_t piece)
{
    return http_client_send(&client, data, len, piece);
}

static void assert_contains(const char *text, const char *part)
{
    if (strstr(text, part) == NULL)
        fail_msg("'%s' is not in '%s'", part, text);
}

/* The answer is the error body of `err`, whole, and with its status. */
static void assert_error(int err, const char *detail)
{
    const struct otapult_error_row *row = otapult_error_row(err);
    char want[256];

    assert_int_equal(client.heads, 1);
    snprintf(want, sizeof want, "{\"success\":false,\"error\":\"%s\",\"code\":\"%s\",\"detail\":\"%s",
             row->caption, row->code, detail);
    if (strncmp(client.text, want, strlen(want)) != 0)
        fail_msg("%s\nis not\n%s", client.text, want);
    assert_int_equal(client.status, row->status);
    assert_string_equal(client.type, "application/json; charset=utf-8");
    assert_int_equal(client.text[client.len - 1], '}');
}

/* ---- routes ---- */

static void an_unknown_address_is_404(void **state)
{
    static const char *const paths[] = {"/api/ota/", "/api/ota/upload2", "/API/OTA", "", "/api", "*"};

    (void)state;
    for (size_t i = 0; i < COUNT(paths); i++) {
        assert_int_equal(begin("GET", paths[i], NULL), OTAPULT_HTTP_ANSWERED);
        assert_error(OTAPULT_E_NOT_FOUND, "nothing is here\"");
    }
}

static void another_method_is_405_with_allow(void **state)
{
    (void)state;
    begin("GET", "/api/ota/upload", NULL);
    assert_error(OTAPULT_E_METHOD, "this address takes POST\"");
    assert_contains(client.more, "Allow: POST\r\n");
    begin("DELETE", "/api/ota", NULL);
    assert_error(OTAPULT_E_METHOD, "this address takes GET, HEAD\"");
    assert_contains(client.more, "Allow: GET, HEAD\r\n");
    begin("post", "/api/ota/upload", NULL);
    assert_int_equal(client.status, 405);
    assert_int_equal(dev.begins, 0);
}

static void head_is_looked_up_as_get(void **state)
{
    (void)state;
    begin("HEAD", "/api/ota", NULL);
    assert_int_equal(client.status, 200);
    begin("HEAD", "/api/ota/upload", NULL);
    assert_int_equal(client.status, 405);
}

static void the_page_is_sent_with_its_headers(void **state)
{
    (void)state;
    begin("GET", "/api/ota", NULL);
    assert_int_equal(client.status, 200);
    assert_string_equal(client.type, "text/html; charset=utf-8");
    assert_contains(client.more, "Content-Encoding: gzip\r\n");
    assert_string_equal(client.text, "gzipped");
}

static enum otapult_http_next say_second(struct otapult_exchange *x)
{
    assert_string_equal(x->app, "second");
    otapult_http_json(x, 201, "{}", 2);
    return OTAPULT_HTTP_ANSWERED;
}

static enum otapult_http_next say_nothing(struct otapult_exchange *x)
{
    (void)x;
    return OTAPULT_HTTP_ANSWERED;
}

static enum otapult_http_next want_body(struct otapult_exchange *x)
{
    (void)x;
    return OTAPULT_HTTP_BODY;
}

static void end_silently(struct otapult_exchange *x)
{
    (void)x;
}

static void an_application_mounts_its_own_routes(void **state)
{
    static const struct otapult_route routes[] = {
        {.method = "GET", .path = "/api/ota/upload", .begin = say_second},
        {.method = "PUT", .path = "/api/ota", .begin = say_second},
    };
    struct otapult_site sites[2];

    (void)state;
    otapult_site(&sites[0], device);
    sites[1] = (struct otapult_site){.routes = routes, .count = COUNT(routes), .app = "second"};
    begin_at(sites, 2, "GET", "/api/ota/upload", NULL);
    assert_int_equal(client.status, 201);
    assert_string_equal(client.text, "{}");
    begin_at(sites, 2, "PATCH", "/api/ota", NULL);
    assert_contains(client.more, "Allow: GET, HEAD, PUT\r\n");
    begin_at(sites, 0, "GET", "/", NULL);
    assert_int_equal(client.status, 404);
}

static void every_request_gets_an_answer(void **state)
{
    static const struct otapult_route routes[] = {
        {.method = "GET", .path = "/silent", .begin = say_nothing},
        {.method = "POST", .path = "/no-body", .begin = want_body},
        {.method = "POST",
         .path = "/no-end",
         .begin = want_body,
         .body = otapult_http_small_body,
         .end = end_silently},
    };
    const struct otapult_site site = {.routes = routes, .count = COUNT(routes)};

    (void)state;
    begin_at(&site, 1, "GET", "/silent", NULL);
    assert_error(OTAPULT_E_INTERNAL, "");
    begin_at(&site, 1, "POST", "/no-body", NULL);
    assert_error(OTAPULT_E_INTERNAL, "");
    begin_at(&site, 1, "POST", "/no-end", NULL);
    otapult_http_end(&client.x);
    assert_error(OTAPULT_E_INTERNAL, "");
    assert_int_equal(otapult_http_event(&client.x, client.text, sizeof client.text), 0);
}

static void every_answer_has_the_same_protection(void **state)
{
    static const char *const paths[] = {"/api/ota",     "/api/ota/status", "/api/ota/events",
                                        "/api/ota/log", "/api/ota/errors", "/nothing"};

    (void)state;
    for (size_t i = 0; i < COUNT(paths); i++) {
        begin("GET", paths[i], HEADERS({"Origin", "http://evil.example"}, {"Host", "rover.local"}));
        assert_contains(client.more, "Cache-Control: no-store\r\n");
        assert_contains(client.more, "X-Content-Type-Options: nosniff\r\n");
        assert_null(strstr(client.more, "Access-Control"));
        assert_string_equal(client.more + strlen(client.more) - 2, "\r\n");
    }
}

static void get_changes_nothing(void **state)
{
    static const char *const paths[] = {"/api/ota/upload", "/api/ota/confirm", "/api/ota/rollback",
                                        "/api/ota/reboot"};

    (void)state;
    for (size_t i = 0; i < COUNT(paths); i++) {
        begin("GET", paths[i], NULL);
        assert_int_equal(client.status, 405);
    }
    assert_int_equal(dev.begins + dev.confirms + dev.rollbacks + dev.restarts, 0);
}

/* ---- language, origin, length ---- */

static void hints_are_russian_for_who_reads_russian(void **state)
{
    static const struct {
        const char *accept;
        bool russian;
    } cases[] = {
        {NULL, false},     {"ru", true},     {"ru-RU,ru;q=0.9,en;q=0.8", true},
        {"RU", true},      {"ru;q=1", true}, {" ru, en", true},
        {"en, ru", false}, {"rue", false},   {"run-DM,ru", false},
        {"", false},       {"*", false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        begin("GET", "/nothing", HEADERS({cases[i].accept ? "Accept-Language" : NULL, cases[i].accept}));
        assert_contains(client.text,
                        otapult_hint(OTAPULT_E_NOT_FOUND, cases[i].russian ? &otapult_russian : NULL));
    }
}

static void posts_of_other_sites_are_refused(void **state)
{
    static const struct {
        const char *origin, *host;
        bool allowed;
    } cases[] = {
        {"http://rover.local", "rover.local", true},
        {"http://rover.local:8080", "rover.local:8080", true},
        {"https://ROVER.local", "rover.LOCAL", true},
        {"http://[fe80::1]:80", "[fe80::1]:80", true},
        {"http://evil.example", "rover.local", false},
        {"http://rover.local.evil.example", "rover.local", false},
        {"http://rover.local", "a", false},
        {"http://rover.local:8081", "rover.local:8080", false},
        {"http://user@rover.local", "rover.local", false},
        {"http://rover.local/", "rover.local", false},
        {"null", "rover.local", false},
        {"", "rover.local", false},
        {"rover.local", "rover.local", false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        enum otapult_http_next next =
            begin("POST", "/api/ota/confirm", HEADERS({"Origin", cases[i].origin}, {"Host", cases[i].host}));
        assert_int_equal(next == OTAPULT_HTTP_BODY, cases[i].allowed);
        if (!cases[i].allowed)
            assert_error(OTAPULT_E_FOREIGN_ORIGIN, "the request comes from another site: ");
    }
    assert_int_equal(begin("POST", "/api/ota/confirm", HEADERS({"Host", "a"})), OTAPULT_HTTP_BODY);
    begin("POST", "/api/ota/confirm", HEADERS({"Origin", "http://a"}));
    assert_int_equal(client.status, 403);
    begin("POST", "/api/ota/confirm", HEADERS({"Origin", "http://a"}, {"Origin", "http://b"}, {"Host", "a"}));
    assert_int_equal(client.status, 403);
    begin("POST", "/api/ota/confirm", HEADERS({"Origin", "http://a"}, {"Host", "a"}, {"Host", "b"}));
    assert_error(OTAPULT_E_BAD_REQUEST, "more than one Host");
}

static void a_new_request_has_one_host(void **state)
{
    static const char *const none[] = {"", " ", "a b", "rover.local:x", "rover.local:123456", "[::1", "a/"};

    (void)state;
    http_client_is_new = true;
    begin("GET", "/api/ota/status", NULL);
    assert_error(OTAPULT_E_BAD_REQUEST, "HTTP/1.1 without a Host\"");
    begin("GET", "/api/ota/status", HEADERS({"Host", "a"}, {"Host", "a"}));
    assert_error(OTAPULT_E_BAD_REQUEST, "more than one Host\"");
    for (size_t i = 0; i < COUNT(none); i++) {
        begin("GET", "/api/ota/status", HEADERS({"Host", none[i]}));
        assert_error(OTAPULT_E_BAD_REQUEST, "a Host that is none\"");
    }
    begin("GET", "/api/ota/status", HEADERS({"Host", "a"}));
    assert_int_equal(client.status, 200);
    http_client_is_new = false;
    begin("GET", "/api/ota/status", NULL);
    assert_int_equal(client.status, 200);
}

/* As a client writes that takes the device for a proxy. */
static void a_target_may_name_the_host(void **state)
{
    static const char *const ways[] = {"http://a/api/ota/status", "HTTP://A/api/ota/status",
                                       "https://a/api/ota/status"};
    static const char *const paths[] = {"http:/a/api/ota/status",
                                        "httpx://a/api/ota/status",
                                        "http://a/api/ota/statu",
                                        "http:",
                                        "http://",
                                        "ftp://a/api/ota/status",
                                        ":",
                                        "http//a/api/ota/status"};

    (void)state;
    for (size_t i = 0; i < COUNT(ways); i++) {
        begin("GET", ways[i], HEADERS({"Host", "a"}));
        assert_int_equal(client.status, 200);
        begin("GET", ways[i], HEADERS({"Host", "rover.local"}));
        assert_error(OTAPULT_E_BAD_REQUEST, "a target that names another host than Host\"");
        begin("PUT", ways[i], HEADERS({"Host", "a"}));
        assert_error(OTAPULT_E_METHOD, "this address takes GET, HEAD");
    }
    for (size_t i = 0; i < COUNT(paths); i++) {
        begin("GET", paths[i], HEADERS({"Host", "a"}));
        assert_error(OTAPULT_E_NOT_FOUND, "nothing is here");
    }
    begin("GET", "http://stranger/api/ota/status", HEADERS({"Host", "stranger"}));
    assert_int_equal(client.status, 421);
    assert_string_equal(otapult_http_path("http://a"), "/");
    assert_string_equal(otapult_http_path("/http://a/b"), "/http://a/b");
}

static void a_person_gets_a_page(void **state)
{
    const struct http_header person = {"Accept", "text/html,application/xhtml+xml,*/*;q=0.8"};

    (void)state;
    begin("GET", "/api/ota", HEADERS(person, {"Host", "a&b"}, {"Accept-Language", "ru"}));
    assert_int_equal(client.status, 421);
    assert_string_equal(client.type, "text/html; charset=utf-8");
    assert_contains(client.more, "Content-Security-Policy: default-src 'none'");
    assert_contains(client.text, "<h1>запрос к хосту a&amp;b, ");
    assert_contains(client.text, "config.hosts");
    begin("GET", "/nowhere", HEADERS(person, {"Host", "a"}, {"Sec-Fetch-Mode", "navigate"}));
    assert_int_equal(client.status, 404);
    assert_contains(client.text, "<h1>nothing is here</h1>");
}

/* Scripts, also those of pages, and programs: what the browser opens for a person is known by both headers.
 */
static void everybody_else_gets_json(void **state)
{
    static const struct http_header others[] = {{"Accept", "*/*"},
                                                {"Accept", "application/json"},
                                                {"X", ""},
                                                {"Accept", "application/json, text/html"}};

    (void)state;
    for (size_t i = 0; i < COUNT(others); i++) {
        begin("GET", "/nowhere", HEADERS(others[i]));
        assert_error(OTAPULT_E_NOT_FOUND, "nothing is here\"");
    }
    begin("GET", "/nowhere", HEADERS({"Accept", "text/html"}, {"Sec-Fetch-Mode", "cors"}));
    assert_error(OTAPULT_E_NOT_FOUND, "nothing is here\"");
    begin("POST", "/nowhere", HEADERS({"Accept", "text/html"}));
    assert_error(OTAPULT_E_NOT_FOUND, "nothing is here\"");
}

static void an_origin_is_shown_safely(void **state)
{
    static char origin[2000] = "http://<script>\x01\xFF";

    (void)state;
    memset(origin + strlen(origin), 'x', 1900);
    begin("POST", "/api/ota/confirm", HEADERS({"Origin", origin}, {"Host", "a"}));
    assert_error(OTAPULT_E_FOREIGN_ORIGIN,
                 "the request comes from another site: http://\\u003cscript\\u003e\\u0001?xxx");
    assert_true(client.len < 700);
}

#define RAW                                        \
    {                                              \
        "Content-Type", "application/octet-stream" \
    }

static void a_length_is_digits_once_and_alone(void **state)
{
    static const struct {
        struct http_header a, b;
        const char *detail;
    } cases[] = {
        {{"Content-Length", "-1"}, {NULL, NULL}, "not a number"},
        {{"Content-Length", "+1"}, {NULL, NULL}, "not a number"},
        {{"Content-Length", ""}, {NULL, NULL}, "not a number"},
        {{"Content-Length", "5, 5"}, {NULL, NULL}, "not a number"},
        {{"Content-Length", "0x10"}, {NULL, NULL}, "not a number"},
        {{"Content-Length", "5 "}, {NULL, NULL}, "not a number"},
        {{"Content-Length", "5:"}, {NULL, NULL}, "not a number"}, /* what stands beside 9 and 0 in ASCII */
        {{"Content-Length", "5/"}, {NULL, NULL}, "not a number"},
        {{"Content-Length", "5"}, {"content-length", "5"}, "given more than once"},
        {{"Content-Length", "5"}, {"Transfer-Encoding", "chunked"}, "given beside Transfer-Encoding"},
        {{"Transfer-Encoding", "gzip"}, {NULL, NULL}, "missing, and this server takes no chunks"},
        {{"Transfer-Encoding", "gzip, chunked"}, {NULL, NULL}, "missing, and this server takes no chunks"},
        {{"Transfer-Encoding", "chunked"},
         {"Transfer-Encoding", "chunked"},
         "missing, and this server takes no chunks"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        char detail[96];
        snprintf(detail, sizeof detail, "Content-Length: %s\"", cases[i].detail);
        begin("POST", "/api/ota/upload", HEADERS(RAW, cases[i].a, cases[i].b));
        assert_error(OTAPULT_E_CONTENT_LENGTH, detail);
    }
    assert_int_equal(dev.begins, 0);
}

static void the_size_is_told_to_the_device(void **state)
{
    static const struct {
        const char *length;
        uint32_t size;
    } cases[] = {
        {"1", 1},
        {"0000000000000000000000000000000000012", 12},
        {"4294967293", 0xFFFFFFFDu},
        {"4294967294", 0xFFFFFFFEu},
        {"4294967295", 0xFFFFFFFEu},
        {"4294967296", 0xFFFFFFFEu},
        {"99999999999999999999999999999999999999", 0xFFFFFFFEu},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        begin("POST", "/api/ota/upload", HEADERS(RAW, {"Content-Length", cases[i].length}));
        assert_int_equal(dev.size, cases[i].size);
    }
}

/* ---- upload ---- */

#define FORM                                               \
    {                                                      \
        "Content-Type", "multipart/form-data; boundary=AB" \
    }
#define FORM_HEAD \
    "--AB\r\nContent-Disposition: form-data; name=\"firmware\"; filename=\"firmware.bin\"\r\n\r\n"

static const char form[] = FORM_HEAD "the file\r\n--AB--\r\n";

static void a_forms_size_leaves_room_for_the_form(void **state)
{
    static const struct {
        uint32_t length, size;
    } cases[] = {
        {1, 1},
        {SLOT_SIZE, SLOT_SIZE},
        {SLOT_SIZE + 1, SLOT_SIZE},
        {SLOT_SIZE + 65536, SLOT_SIZE},
        {SLOT_SIZE + 65537, SLOT_SIZE + 65537},
        {0xFFFFFFFEu, 0xFFFFFFFEu},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        char length[16];
        snprintf(length, sizeof length, "%u", (unsigned)cases[i].length);
        a_device(NULL);
        assert_int_equal(begin("POST", "/api/ota/upload", HEADERS(FORM, {"Content-Length", length})),
                         OTAPULT_HTTP_BODY);
        assert_int_equal(dev.size, cases[i].size);
    }
}

/* A form with `before` bytes in another field; its length leaves `rest` bytes from the file's first byte to
 * the end of the body. */
static enum otapult_http_next begin_file_behind(size_t before, size_t rest)
{
    static char body[70000];
    char length[24];
    int at = snprintf(body, sizeof body, "--AB\r\nContent-Disposition: form-data; name=x\r\n\r\n");

    memset(body + at, 'x', before);
    at += (int)before;
    at += snprintf(body + at, sizeof body - (size_t)at,
                   "\r\n--AB\r\nContent-Disposition: form-data; name=firmware; filename=a.bin\r\n\r\n");
    snprintf(length, sizeof length, "%zu", (size_t)at + rest);
    a_device(NULL);
    begin("POST", "/api/ota/upload", HEADERS(FORM, {"Content-Length", length}));
    send(body, (size_t)at, 1000);
    return client.heads > 0 ? OTAPULT_HTTP_ANSWERED : send("the file", 8, 8);
}

static void other_fields_do_not_count_against_the_slot(void **state)
{
    static const size_t fields[] = {0, 10, 4096, 60000};
    const size_t closing = strlen("\r\n--AB--");

    (void)state;
    for (size_t i = 0; i < COUNT(fields); i++) {
        assert_int_equal(begin_file_behind(fields[i], SLOT_SIZE + closing), OTAPULT_HTTP_BODY);
        assert_int_equal(dev.len, 8);
        assert_int_equal(begin_file_behind(fields[i], SLOT_SIZE + closing + 4096), OTAPULT_HTTP_BODY);
        if (fields[i] > 60000 - 4096)
            continue; /* the next one is refused by its length alone */
        assert_int_equal(begin_file_behind(fields[i], SLOT_SIZE + closing + 4097), OTAPULT_HTTP_ANSWERED);
        assert_error(OTAPULT_E_IMAGE_TOO_LARGE, "the file needs 104097 bytes, the slot has 100000\"");
        assert_int_equal(dev.len, 0); /* and nothing is erased for it */
        assert_int_equal(dev.cancels, 1);
    }
}

/* It is right where the file is the last part; the last line of a form may end or not. */
static void the_files_length_is_told_before_its_first_byte(void **state)
{
    const size_t closing = strlen("\r\n--AB--");

    (void)state;
    begin_file_behind(10, 3000 + closing);
    assert_int_equal(dev.least, 2998);
    assert_int_equal(dev.most, 3000);
    begin_file_behind(0, 1 + closing);
    assert_int_equal(dev.least, 1);
    assert_int_equal(dev.most, 1);
    a_device(NULL);
    begin("POST", "/api/ota/upload", HEADERS(RAW, {"Content-Length", "9"}));
    (void)send("123456789", 9, 1);
    assert_int_equal(dev.least, 9);
    assert_int_equal(dev.most, 9);
}

static void what_the_file_is_called_is_told_too(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        const char *body = i == 0
                               ? FORM_HEAD "x\r\n--AB--"
                               : "--AB\r\nContent-Disposition: form-data; name=firmware; filename=a.zip\r\n"
                                 "\r\nx\r\n--AB--";
        a_device(NULL);
        begin("POST", "/api/ota/upload", HEADERS(FORM, {"Content-Length", "120"}));
        (void)send(body, strlen(body), 7);
        assert_int_equal(dev.len, 1);
        assert_int_equal(dev.misnamed, i);
    }
    a_device(NULL);
    begin("POST", "/api/ota/upload", HEADERS(RAW, {"Content-Length", "9"}));
    (void)send("123456789", 9, 1);
    assert_false(dev.misnamed);
}

static void the_headers_alone_can_refuse(void **state)
{
    static const struct {
        struct http_header type, length;
        int err;
        const char *detail;
    } cases[] = {
        {{"X-Nothing", ""}, {"Content-Length", "5"}, OTAPULT_E_CONTENT_TYPE, ""},
        {{"Content-Type", ""}, {"Content-Length", "5"}, OTAPULT_E_CONTENT_TYPE, ""},
        {{"Content-Type", "text/plain"}, {"Content-Length", "5"}, OTAPULT_E_CONTENT_TYPE, ""},
        {{"Content-Type", "application/octet-stream2"}, {"Content-Length", "5"}, OTAPULT_E_CONTENT_TYPE, ""},
        {{"Content-Type", "multipart/mixed; boundary=a"},
         {"Content-Length", "5"},
         OTAPULT_E_CONTENT_TYPE,
         ""},
        {{"Content-Type", "multipart/form-data"},
         {"Content-Length", "5"},
         OTAPULT_E_BOUNDARY,
         "the multipart boundary is missing"},
        {RAW, {"Content-Length", "0"}, OTAPULT_E_FILE_EMPTY, ""},
        {RAW, {"X-Nothing", ""}, OTAPULT_E_FILE_EMPTY, ""},
        {FORM, {"Content-Length", "0"}, OTAPULT_E_MULTIPART, "broken multipart body: it is empty"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        dev.told = 0;
        begin("POST", "/api/ota/upload", HEADERS(cases[i].type, cases[i].length));
        assert_error(cases[i].err, cases[i].detail);
        assert_int_equal(dev.told, cases[i].err); /* its console has a line of it */
        assert_int_equal(dev.told_size, strcmp(cases[i].length.value, "5") == 0 ? 5 : 0);
    }
    begin("POST", "/api/ota/upload", HEADERS(RAW, RAW, {"Content-Length", "5"}));
    assert_error(OTAPULT_E_CONTENT_TYPE, "");
    assert_int_equal(dev.begins, 0);

    dev.told = 0;
    dev.begin_error = OTAPULT_E_BUSY;
    dev.why = (struct otapult_finding){.at = OTAPULT_FOR_UPLOAD, .got = 3, .want = 9};
    begin("POST", "/api/ota/upload", HEADERS(FORM, {"Content-Length", "50"}));
    assert_error(OTAPULT_E_BUSY, "another update is running, 3 of 9 bytes so far\"");
    assert_int_equal(dev.told, 0); /* the device itself has a line of that */
    otapult_http_lost(&client.x);
    assert_int_equal(dev.cancels, 0);
}

static void assert_success(void)
{
    assert_int_equal(client.status, 200);
    assert_string_equal(
        client.text,
        "{\"success\":true,\"message\":\"Firmware uploaded successfully. Rebooting...\","
        "\"update\":\"1f2e3d4c\",\"slot\":\"app1\",\"project\":\"rover\",\"version\":\"2.0.0\",\"build\":\"1f1f1f1f\","
        "\"size\":262144,\"sha256\":"
        "\"1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f1f\"}");
    assert_int_equal(dev.finishes, 1);
    assert_int_equal(dev.cancels, 0);
    assert_int_equal(dev.len, 8);
    assert_memory_equal(dev.file, "the file", 8);
}

static void a_file_goes_into_the_device(void **state)
{
    static const struct {
        struct http_header type;
        const char *body;
    } kinds[] = {
        {RAW, "the file"},
        {{"Content-Type", "application/octet-stream; charset=binary"}, "the file"},
        {FORM, form},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(kinds); i++) {
        for (size_t piece = 1; piece <= strlen(kinds[i].body); piece += 6) {
            a_device(NULL);
            set_image(&dev.image[1], "2.0.0", 0x1F);
            char length[24];
            snprintf(length, sizeof length, "%zu", strlen(kinds[i].body));
            begin("POST", "/api/ota/upload", HEADERS(kinds[i].type, {"Content-Length", length}));
            assert_int_equal(send(kinds[i].body, strlen(kinds[i].body), piece), OTAPULT_HTTP_BODY);
            otapult_http_end(&client.x);
            assert_success();
            otapult_http_lost(&client.x); /* after the answer it is nothing */
            assert_int_equal(dev.cancels, 0);
        }
    }
}

static void a_file_that_is_refused_ends_the_upload(void **state)
{
    (void)state;
    for (int multipart = 0; multipart <= 1; multipart++) {
        const char *body = multipart ? form : "the file";

        a_device(NULL);
        dev.feed_error = OTAPULT_E_IMAGE_MERGED;
        dev.feed_error_at = 3;
        dev.why = (struct otapult_finding){.at = 0x8000, .text = "partition table"};
        begin("POST", "/api/ota/upload",
              multipart ? HEADERS(FORM, {"Content-Length", "99"}) : HEADERS(RAW, {"Content-Length", "99"}));
        assert_int_equal(send(body, strlen(body), 1), OTAPULT_HTTP_ANSWERED);
        assert_error(OTAPULT_E_IMAGE_MERGED, "a merged image: partition table, at 0x8000\"");
        assert_int_equal(dev.cancels, 0); /* the device has ended it by itself */
        assert_int_equal(otapult_http_body(&client.x, (const uint8_t *)"x", 1), OTAPULT_HTTP_ANSWERED);
        otapult_http_end(&client.x);
        otapult_http_lost(&client.x);
        assert_int_equal(client.heads, 1);
        assert_int_equal(dev.len, 3);
        assert_int_equal(dev.finishes, 0);
    }
}

static void a_broken_form_cancels_the_update(void **state)
{
    static const struct {
        const char *body;
        int err;
        const char *detail;
    } cases[] = {
        {FORM_HEAD "the file\r\n--AB", OTAPULT_E_MULTIPART,
         "broken multipart body: it ends without its closing boundary, body offset 0x"},
        {"--AB\r\nbroken\r\n", OTAPULT_E_MULTIPART, "broken multipart body: a part's header line"},
        {"--AB--", OTAPULT_E_NO_FIELD, ""},
        {FORM_HEAD "\r\n--AB--", OTAPULT_E_FILE_EMPTY, ""},
        {"--AB\r\nContent-Disposition: form-data; name=firmware\r\n\r\nx\r\n--AB--", OTAPULT_E_NO_FIELD, ""},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        a_device(NULL);
        begin("POST", "/api/ota/upload", HEADERS(FORM, {"Content-Length", "99"}));
        (void)send(cases[i].body, strlen(cases[i].body), 7);
        otapult_http_end(&client.x);
        assert_error(cases[i].err, cases[i].detail);
        assert_int_equal(dev.cancels, 1);
        assert_int_equal(dev.cancel_error, cases[i].err);
        assert_int_equal(dev.finishes, 0);
    }
}

static void the_devices_verdict_is_the_answer(void **state)
{
    (void)state;
    dev.finish_error = OTAPULT_E_IMAGE_HASH;
    dev.why = (struct otapult_finding){.at = 0x1234};
    begin("POST", "/api/ota/upload", HEADERS(RAW, {"Content-Length", "8"}));
    (void)send("the file", 8, 8);
    otapult_http_end(&client.x);
    assert_error(OTAPULT_E_IMAGE_HASH, "the SHA-256 at 0x1234 ");
}

static void a_lost_connection_cancels_once(void **state)
{
    (void)state;
    begin("POST", "/api/ota/upload", HEADERS(FORM, {"Content-Length", "999"}));
    (void)send(form, strlen(FORM_HEAD) + 5, 9);
    otapult_http_lost(&client.x);
    otapult_http_lost(&client.x);
    otapult_http_end(&client.x);
    assert_int_equal(dev.cancels, 1);
    assert_int_equal(dev.cancel_error, OTAPULT_E_CONNECTION_LOST);
    assert_int_equal(dev.cancel_why.got, 5); /* of the file, not of the form */
    assert_int_equal(client.heads, 0);
}

/* The first client stalled and lost its update; a second one uploads now. Nothing of it may be touched. */
static void a_client_that_stalled_leaves_the_next_alone(void **state)
{
    (void)state;
    for (int multipart = 0; multipart <= 1; multipart++) {
        a_device(NULL);
        begin("POST", "/api/ota/upload",
              multipart ? HEADERS(FORM, {"Content-Length", "99"}) : HEADERS(RAW, {"Content-Length", "99"}));
        (void)send(form, 10, 10);
        size_t len = dev.len;
        dev.ticket = 8;
        assert_int_equal(send(form + 10, strlen(form) - 10, 7), OTAPULT_HTTP_ANSWERED);
        assert_error(OTAPULT_E_STALLED, "no byte came for 15 s\"");
        assert_int_equal(dev.len, len);
        assert_int_equal(dev.ticket, 8);
    }
}

static void a_client_that_stalled_at_the_end_is_told_so(void **state)
{
    (void)state;
    for (int multipart = 0; multipart <= 1; multipart++) {
        a_device(NULL);
        begin("POST", "/api/ota/upload",
              multipart ? HEADERS(FORM, {"Content-Length", "99"}) : HEADERS(RAW, {"Content-Length", "99"}));
        (void)send(form, strlen(form), 50);
        dev.ticket = 8;
        otapult_http_end(&client.x);
        assert_error(OTAPULT_E_STALLED, "no byte came for 15 s\"");
        assert_int_equal(dev.ticket, 8);
    }
}

static void an_upload_says_what_it_was_meant_for(void **state)
{
    static const struct {
        const char *query;
        struct http_header header;
        uint32_t boot, id;
        bool force, later;
    } good[] = {
        {"", {NULL, NULL}, 0, 0, false, false},
        {"id=1f2E3d4c&boot=12", {NULL, NULL}, 12, 0x1F2E3D4C, false, false},
        {"x=1&force=1", {NULL, NULL}, 0, 0, true, false},
        {"force=10&xforce=1", {NULL, NULL}, 0, 0, false, false},
        {"", {"Otapult-Boot", "7"}, 7, 0, false, false},
        {"", {"Otapult-Update", "00000001"}, 0, 1, false, false},
        {"force=1&activate=later", {NULL, NULL}, 0, 0, true, true},
    };
    static const char *const bad[] = {"activate=now", "activate=laterx", "id=1f2e3d4",
                                      "id=1f2e3d4g",  "id=00000000",     "boot=x",
                                      "boot=0",       "boot=+1",         "boot=-1"};

    (void)state;
    for (size_t i = 0; i < COUNT(good); i++) {
        const struct http_header headers[] = {RAW, {"Content-Length", "9"}, good[i].header, {NULL, NULL}};
        a_device(NULL);
        begin_with_query("/api/ota/upload", good[i].query, headers);
        assert_int_equal(dev.begins, 1);
        assert_int_equal(dev.options.boot, good[i].boot);
        assert_int_equal(dev.options.id, good[i].id);
        assert_int_equal(dev.options.force, good[i].force);
        assert_int_equal(dev.options.later, good[i].later);
    }
    for (size_t i = 0; i < COUNT(bad); i++) {
        a_device(NULL);
        begin_with_query("/api/ota/upload", bad[i], HEADERS(RAW, {"Content-Length", "9"}));
        assert_int_equal(client.status, 400);
        assert_int_equal(dev.begins, 0);
    }
}

static void an_upload_that_was_done_before_is_answered_as_then(void **state)
{
    (void)state;
    dev.past =
        (struct otapult_update){.id = 0xAB, .size = 77, .slot = 1, .version = "2.0.0", .project = "rover"};
    begin("POST", "/api/ota/upload", HEADERS(RAW, {"Content-Length", "9"}));
    assert_int_equal(client.status, 200);
    assert_contains(client.text, "\"success\":true");
    assert_contains(client.text, "\"update\":\"000000ab\",\"slot\":\"app1\",\"project\":\"rover\"");
    assert_int_equal(dev.begins, 0);
}

static void a_staged_upload_is_answered_as_one(void **state)
{
    (void)state;
    begin_with_query("/api/ota/upload", "activate=later", HEADERS(RAW, {"Content-Length", "9"}));
    (void)send("123456789", 9, 9);
    otapult_http_end(&client.x);
    assert_int_equal(client.status, 200);
    assert_contains(client.text,
                    "waits to be started.\",\"staged\":true,\"update\":\"1f2e3d4c\",\"slot\":\"app1\"");
}

static void what_runs_already_is_answered_so(void **state)
{
    (void)state;
    begin_with_query("/api/ota/upload", "", HEADERS(RAW, {"Content-Length", "9"}));
    dev.already = true;
    (void)send("123456789", 9, 9);
    otapult_http_end(&client.x);
    assert_int_equal(client.status, 200);
    assert_contains(client.text,
                    "{\"success\":true,\"message\":\"This firmware runs already. Nothing was written.\","
                    "\"already\":true,\"update\":\"1f2e3d4c\",\"slot\":\"app1\"");
}

static void what_an_upload_has_cost_is_said(void **state)
{
    static const struct {
        bool emptied;
        const char *language, *hint;
    } cases[] = {
        {false, "en", NULL},
        {true, "en",
         " The other slot is empty now: the firmware before this one is gone; the running one is untouched.\","
         "\"emptied\":true,\"at\":"},
        {true, "ru",
         " Другой раздел теперь пуст: прежней прошивки больше нет; текущая не тронута.\",\"emptied\":true"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        a_device(NULL);
        begin_with_query("/api/ota/upload", "",
                         HEADERS(RAW, {"Content-Length", "9"}, {"Accept-Language", cases[i].language}));
        dev.emptied = cases[i].emptied;
        dev.feed_error = OTAPULT_E_IMAGE_CHECKSUM;
        (void)send("123456789", 9, 9);
        assert_int_equal(client.status, 422);
        if (cases[i].emptied)
            assert_contains(client.text, cases[i].hint);
        else
            assert_null(strstr(client.text, "emptied"));
    }
}

static void a_silent_client_hears_that_its_update_has_ended(void **state)
{
    (void)state;
    begin("POST", "/api/ota/upload", HEADERS(RAW, {"Content-Length", "99"}));
    (void)send(form, 10, 10);
    assert_int_equal(otapult_http_idle(&client.x), OTAPULT_HTTP_BODY);
    assert_int_equal(client.heads, 0);
    dev.ticket = 8;
    dev.ended_with = OTAPULT_E_UPLOAD_ENDED;
    dev.why_ended = (struct otapult_finding){.text = "admin"};
    assert_int_equal(otapult_http_idle(&client.x), OTAPULT_HTTP_ANSWERED);
    assert_error(OTAPULT_E_UPLOAD_ENDED, "ended by admin\"");
    assert_int_equal(dev.touches, 0); /* waiting is no sign of life */
    assert_int_equal(otapult_http_idle(&client.x), OTAPULT_HTTP_ANSWERED);
}

/* ---- buttons ---- */

static void press(const char *path)
{
    assert_int_equal(begin("POST", path, HEADERS({"Content-Length", "0"})), OTAPULT_HTTP_BODY);
    otapult_http_end(&client.x);
}

static void buttons_answer_as_documented(void **state)
{
    (void)state;
    press("/api/ota/confirm");
    assert_string_equal(client.text, "{\"success\":true,\"message\":\"Confirmed.\"}");
    press("/api/ota/reboot");
    assert_string_equal(client.text, "{\"success\":true,\"message\":\"Rebooting...\"}");
    press("/api/ota/rollback");
    assert_string_equal(client.text,
                        "{\"success\":true,\"message\":\"Rolling back. Rebooting...\",\"slot\":\"app1\"}");
    dev.status.slots.boot = OTAPULT_SLOT_FACTORY;
    strcpy(dev.slot[OTAPULT_SLOTS_MAX].label, "factory");
    press("/api/ota/rollback");
    assert_contains(client.text, "\"slot\":\"factory\"");
    assert_int_equal(dev.confirms, 1);
    assert_int_equal(dev.restarts, 1);
    assert_int_equal(dev.rollbacks, 2);
}

static void a_rollback_is_forced_by_that_word_alone(void **state)
{
    static const struct {
        const char *path;
        bool forced;
    } cases[] = {{"/api/ota/rollback", false},          {"/api/ota/rollback?force=1", true},
                 {"/api/ota/rollback?force=0", false},  {"/api/ota/rollback?force=10", false},
                 {"/api/ota/rollback?xforce=1", false}, {"/api/ota/rollback?a=b&force=1", true},
                 {"/api/ota/rollback?force=1&a", true}, {"/api/ota/rollback?force", false}};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        press(cases[i].path);
        assert_int_equal(dev.forced, cases[i].forced);
    }
}

static void the_status_says_where_a_rollback_would_go(void **state)
{
    (void)state;
    set_image(&dev.image[1], "0.9.0", 0x0B);
    dev.way_back = (struct otapult_way_back){.slot = 1};
    begin("GET", "/api/ota/status", NULL);
    assert_contains(client.text, "\"way_back\":{\"slot\":\"app1\",");
    assert_contains(client.text, "\"needs_force\":false,\"why\":null},\"no_way_back\":null,");
    dev.way_back.doubt = "it has failed on this device";
    begin("GET", "/api/ota/status", NULL);
    assert_contains(client.text, "\"needs_force\":true,\"why\":\"it has failed on this device\"}");
}

static void buttons_give_the_devices_errors(void **state)
{
    (void)state;
    dev.confirm_error = OTAPULT_E_NOT_PENDING;
    press("/api/ota/confirm");
    assert_error(OTAPULT_E_NOT_PENDING, "");
    press("/api/ota/activate");
    assert_int_equal(dev.activations, 1);
    assert_string_equal(client.text, "{\"success\":true,\"message\":\"Rebooting...\"}");
    dev.activate_error = OTAPULT_E_NO_STAGED;
    press("/api/ota/activate");
    assert_error(OTAPULT_E_NO_STAGED, "no firmware waits to be started\"");
    press("/api/ota/cancel");
    assert_int_equal(dev.ends, 1);
    assert_contains(client.text, "\"success\":true");
    dev.end_error = OTAPULT_E_NO_UPDATE;
    press("/api/ota/cancel");
    assert_error(OTAPULT_E_NO_UPDATE, "no update is running\"");
    dev.rollback_error = OTAPULT_E_NO_ROLLBACK;
    dev.why.text = "the other slot is empty";
    press("/api/ota/rollback");
    assert_error(OTAPULT_E_NO_ROLLBACK, "the other slot is empty\"");
    dev.restart_error = OTAPULT_E_NOT_READY;
    dev.why.text = "it drives";
    press("/api/ota/reboot");
    assert_error(OTAPULT_E_NOT_READY, "the robot says: it drives\"");
}

static void a_button_takes_a_short_body_only(void **state)
{
    static const char body[OTAPULT_HTTP_SMALL_BODY] = "{";

    (void)state;
    begin("POST", "/api/ota/confirm", HEADERS({"Content-Length", "255"}));
    assert_int_equal(send(body, sizeof body - 1, 100), OTAPULT_HTTP_BODY);
    assert_int_equal(client.x.small[sizeof body - 1], 0);
    otapult_http_end(&client.x);
    assert_int_equal(client.status, 200);

    for (size_t piece = 1; piece <= sizeof body; piece += 51) {
        begin("POST", "/api/ota/confirm", HEADERS({"Content-Length", "255"}));
        assert_int_equal(send(body, sizeof body, piece), OTAPULT_HTTP_ANSWERED);
        assert_error(OTAPULT_E_BODY_TOO_LARGE, "the body is larger than 255 bytes\"");
        otapult_http_end(&client.x);
    }
    static const char *const lengths[] = {"256", "4000000000", "99999999999999999999"};
    for (size_t i = 0; i < COUNT(lengths); i++) { /* what says itself that it is too long is not waited for */
        assert_int_equal(begin("POST", "/api/ota/confirm", HEADERS({"Content-Length", lengths[i]})),
                         OTAPULT_HTTP_ANSWERED);
        assert_error(OTAPULT_E_BODY_TOO_LARGE, "the body is larger than 255 bytes\"");
    }
    assert_int_equal(dev.confirms, 1);
}

/* Whichever way a request ends: what it sent may be a password. */
static void a_short_body_is_forgotten(void **state)
{
    static const char secret[] = "{\"password\":\"hush\"}", nothing[sizeof secret];

    (void)state;
    for (int lost = 0; lost < 2; lost++) {
        begin("POST", "/api/ota/confirm", HEADERS({"Content-Length", "255"}));
        assert_int_equal(send(secret, sizeof secret, 7), OTAPULT_HTTP_BODY);
        if (lost)
            otapult_http_lost(&client.x);
        else
            otapult_http_end(&client.x);
        assert_memory_equal(client.x.small, nothing, sizeof nothing);
    }
}

/* ---- status, log, errors ---- */

static void the_status_has_the_documented_shape(void **state)
{
    (void)state;
    begin("GET", "/api/ota/status", NULL);
    assert_int_equal(client.status, 200);
    assert_string_equal(
        client.text,
        "{\"name\":\"left-leg\",\"state\":\"idle\",\"update\":null,\"received\":0,\"written\":0,\"total\":null,"
        "\"running\":\"app0\",\"next\":\"app1\",\"boot_slot\":\"app0\",\"safe_mode\":false,\"pending\":false,\"busy\":null,"
        "\"slots\":[{\"label\":\"app0\",\"size\":100000,\"state\":\"valid\",\"running\":true,"
        "\"image\":{\"project\":\"rover\",\"version\":\"1.0.0\",\"build\":\"0a0a0a0a\",\"idf\":\"v5.3.2\","
        "\"date\":\"Jan  1 2026\",\"time\":\"12:00:00\"}},"
        "{\"label\":\"app1\",\"size\":100000,\"state\":\"empty\",\"running\":false,\"image\":null}],\"staged\":null,"
        "\"way_back\":null,\"no_way_back\":\"no other slot holds a firmware\",\"last\":null,\"limits\":{\"chip\":\"ESP32-S3\",\"chip_revision\":2,\"efuse_block_revision\":103,\"slot_size\":100000,\"stall_ms\":15000,\"resume_ms\":null,\"accepts\":[\"plain\",\"gzip\"]},"
        "\"signature\":{\"enforced\":false,\"keys\":[]},\"offer\":null,\"open\":true,\"boot\":1,\"uptime_ms\":12345}");
}

static void what_is_staged_is_shown_with_its_slot(void **state)
{
    struct otapult_update *u = &dev.status.staged;

    (void)state;
    *u = (struct otapult_update){
        .id = 1, .slot = 1, .size = 9, .version = "2.0.0", .project = "rover", .build = "0b0b0b0b"};
    begin("GET", "/api/ota/status", NULL);
    assert_contains(client.text, "\"state\":\"staged\",\"running\":false,\"image\":null}]");
    assert_contains(client.text, "\"staged\":{\"slot\":\"app1\",\"size\":9,\"sha256\":\"00");
    assert_contains(client.text,
                    "00\",\"image\":{\"project\":\"rover\",\"version\":\"2.0.0\",\"build\":\"0b0b0b0b\"}},");
}

static void a_device_without_a_name_says_null(void **state)
{
    (void)state;
    dev.name = "";
    begin("GET", "/api/ota/status", NULL);
    assert_contains(client.text, "{\"name\":null,\"state\":");
    begin("GET", "/api/ota/log", NULL);
    assert_contains(client.text, "{\"name\":null,\"entries\":");
    dev.name = NULL;
}

static void the_status_follows_an_update(void **state)
{
    (void)state;
    set_image(&dev.image[1], "0.9.0", 1);
    dev.status.phase = OTAPULT_RECEIVING;
    dev.status.received = 70000;
    dev.status.written = 65536;
    dev.status.total = 262144;
    begin("GET", "/api/ota/status", NULL);
    assert_contains(
        client.text,
        "\"state\":\"receiving\",\"update\":null,\"received\":70000,\"written\":65536,\"total\":262144,");
    assert_contains(client.text, "\"label\":\"app1\",\"size\":100000,\"state\":\"empty\",\"running\":false,"
                                 "\"image\":null}");
    dev.status.phase = OTAPULT_VERIFYING;
    begin("GET", "/api/ota/status", NULL);
    assert_contains(client.text, "\"state\":\"verifying\"");
    assert_null(strstr(client.text, "0.9.0"));
    dev.status.phase = OTAPULT_REBOOTING;
    begin("GET", "/api/ota/status", NULL);
    assert_contains(client.text, "\"state\":\"rebooting\"");
    assert_contains(client.text, "\"version\":\"0.9.0\"");
}

static void the_status_tells_what_a_trial_waits_for(void **state)
{
    (void)state;
    dev.status.pending = true;
    dev.status.confirm_left_ms = 4321;
    dev.status.soak_left_ms = 1234;
    strcpy(dev.status.waiting_for, "network");
    dev.slot[0].state = OTAPULT_STATE_PENDING_VERIFY;
    begin("GET", "/api/ota/status", NULL);
    assert_contains(
        client.text,
        "\"pending\":true,\"confirm_left_ms\":4321,\"soak_left_ms\":1234,\"waiting_for\":\"network\",");
    assert_contains(client.text, "\"state\":\"pending_verify\"");
    dev.status.waiting_for[0] = '\0';
    begin("GET", "/api/ota/status", NULL);
    assert_contains(client.text, "\"waiting_for\":null,");
}

static void the_status_names_every_slot_state(void **state)
{
    static const char *const names[] = {"none",    "new",     "pending_verify", "valid",
                                        "invalid", "aborted", "undefined"};

    (void)state;
    set_image(&dev.image[1], "0.9.0", 0x0B);
    for (size_t i = 0; i < COUNT(names); i++) {
        char want[64];
        snprintf(want, sizeof want, "\"label\":\"app1\",\"size\":100000,\"state\":\"%s\"", names[i]);
        dev.slot[1].state = (enum otapult_slot_state)i;
        begin("GET", "/api/ota/status", NULL);
        assert_contains(client.text, want);
    }
}

static void the_status_says_why_slots_cannot_be_used(void **state)
{
    static const char part[] = "\"error\":{\"success\":false,\"error\":\"No OTA partition\",\"code\":\"%s\"";
    char want[128];

    (void)state;
    dev.status.slots = (struct otapult_slots){.running = OTAPULT_SLOT_FACTORY,
                                              .boot = OTAPULT_SLOT_FACTORY,
                                              .next = OTAPULT_SLOT_NONE,
                                              .factory = true};
    dev.slot[OTAPULT_SLOTS_MAX] =
        (struct otapult_slot){"factory", 0x10000, SLOT_SIZE, OTAPULT_STATE_UNDEFINED};
    begin("GET", "/api/ota/status", HEADERS({"Accept-Language", "ru"}));
    snprintf(want, sizeof want, part, "no_ota_partition");
    assert_contains(client.text, want);
    assert_contains(client.text, "OTA-разделов, кроме текущего: 0, нужно: 1");
    assert_contains(client.text, "\"got\":0,\"want\":1}");
    assert_contains(client.text, otapult_hint(OTAPULT_E_NO_OTA_PARTITION, &otapult_russian));
    assert_contains(client.text, "\"running\":\"factory\",\"next\":null,\"boot_slot\":\"factory\"");
    assert_contains(client.text, "\"slot_size\":0");

    dev.status.slots.next = 0;
    begin("GET", "/api/ota/status", NULL);
    snprintf(want, sizeof want, part, "no_ota_data");
    assert_contains(client.text, want);

    dev.status.slots_error = OTAPULT_E_FLASH_READ;
    begin("GET", "/api/ota/status", NULL);
    assert_contains(client.text, "\"code\":\"flash_read\"");
}

static void a_slot_that_cannot_be_read_has_no_image(void **state)
{
    (void)state;
    dev.slot_error = OTAPULT_E_FLASH_READ;
    begin("GET", "/api/ota/status", NULL);
    assert_contains(client.text, "\"running\":null,\"next\":null,");
    assert_contains(client.text,
                    "{\"label\":null,\"size\":0,\"state\":\"none\",\"running\":true,\"image\":null}");
}

static void fill_log(unsigned count)
{
    dev.log_count = count;
    for (unsigned i = 0; i < count; i++) {
        dev.log[i] = (struct otapult_log_entry){.seq = count - i,
                                                .boot = 2,
                                                .uptime_s = 1,
                                                .slot = 1,
                                                .event = OTAPULT_EV_CONFIRMED,
                                                .size = 262144};
        strcpy(dev.log[i].project, "rover");
        strcpy(dev.log[i].version, "2.0.0");
        strcpy(dev.log[i].build, "1f2e3d4c");
    }
}

static void the_log_has_the_documented_shape(void **state)
{
    (void)state;
    begin("GET", "/api/ota/log", NULL);
    assert_string_equal(client.text, "{\"name\":\"left-leg\",\"entries\":[]}");

    fill_log(2);
    dev.log[1] = (struct otapult_log_entry){.seq = 1,
                                            .event = OTAPULT_EV_POWER_LOST,
                                            .tries = 3,
                                            .slot = OTAPULT_SLOT_NONE,
                                            .text = "a\"b",
                                            .by = "admin",
                                            .code = "stalled"};
    begin("GET", "/api/ota/log", NULL);
    assert_string_equal(
        client.text,
        "{\"name\":\"left-leg\",\"entries\":[{\"seq\":2,\"event\":\"confirmed\",\"boot\":2,\"uptime_s\":1,\"slot\":\"app1\","
        "\"size\":262144,\"project\":\"rover\",\"version\":\"2.0.0\",\"build\":\"1f2e3d4c\",\"code\":null,"
        "\"tries\":0,\"text\":\"\",\"by\":null},"
        "{\"seq\":1,\"event\":\"power_lost\",\"boot\":0,\"uptime_s\":0,\"slot\":null,\"size\":0,"
        "\"project\":null,\"version\":null,\"build\":null,\"code\":\"stalled\",\"tries\":3,\"text\":\"a\\\"b\","
        "\"by\":\"admin\"}]}");

    fill_log(OTAPULT_LOG_ENTRIES + 1);
    begin("GET", "/api/ota/log", NULL);
    assert_contains(client.text, "{\"seq\":2,");
    assert_null(strstr(client.text, "{\"seq\":1,"));
    begin("GET", "/api/ota/status", NULL);
    assert_contains(client.text, "\"last\":{\"seq\":13,");
}

static void a_crash_loop_is_told_in_the_readers_language(void **state)
{
    static const struct {
        const char *kept, *english, *russian;
    } cases[] = {
        {"5 crashes in a row; safe mode", "\"5 crashes in a row; safe mode\"",
         "\"сбоев подряд: 5; безопасный режим\""},
        {"12 crashes in a row; the other slot's firmware boots instead", "boots instead\"",
         "\"сбоев подряд: 12; вместо неё запускается прошивка из другого раздела\""},
        {"as no firmware of today says it", "\"as no firmware", "\"as no firmware of today says it\""},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        fill_log(1);
        dev.log[0] = (struct otapult_log_entry){.seq = 1, .event = OTAPULT_EV_CRASH_LOOP};
        snprintf(dev.log[0].text, sizeof dev.log[0].text, "%s", cases[i].kept);
        begin("GET", "/api/ota/log", NULL);
        assert_contains(client.text, cases[i].english);
        begin("GET", "/api/ota/log", HEADERS({"Accept-Language", "ru"}));
        assert_contains(client.text, cases[i].russian);
    }
}

static void the_errors_are_all_listed(void **state)
{
    const char *at;

    (void)state;
    begin("GET", "/api/ota/errors", NULL);
    assert_int_equal(strncmp(client.text, "{\"errors\":[{\"code\":\"", 20), 0);
    at = client.text;
    for (int err = 1; err < OTAPULT_ERROR_COUNT; err++) {
        const struct otapult_error_row *row = otapult_error_row(err);
        char want[128];
        snprintf(want, sizeof want, "{\"code\":\"%s\",\"error\":\"%s\",\"status\":%u,\"en\":\"", row->code,
                 row->caption, (unsigned)row->status);
        at = strstr(at, want);
        if (at == NULL)
            fail_msg("%s", want);
    }
    assert_string_equal(client.text + client.len - 3, "}]}");
}

/* ---- events ---- */

static char event[OTAPULT_HTTP_EVENT];

static size_t next_event(void)
{
    memset(event, 0xA5, sizeof event);
    size_t n = otapult_http_event(&client.x, event, sizeof event);
    assert_true(n > 0 && n < sizeof event);
    event[n] = '\0';
    return n;
}

static bool is_status(void)
{
    next_event();
    if (event[0] == ':')
        assert_string_equal(event, ":\n\n");
    return event[0] == 'e';
}

static void an_event_is_the_status(void **state)
{
    static char status[OTAPULT_HTTP_EVENT];
    char want[sizeof status + 64];

    (void)state;
    begin("GET", "/api/ota/status", NULL);
    strcpy(status, client.text);
    assert_int_equal(begin("GET", "/api/ota/events", NULL), OTAPULT_HTTP_STREAM);
    assert_int_equal(client.status, 200);
    assert_string_equal(client.type, "text/event-stream");
    assert_int_equal(client.len, 0);
    next_event();
    snprintf(want, sizeof want, "event: status\ndata: %s\n\n", status);
    assert_string_equal(event, want);
    assert_int_equal(otapult_http_event(&client.x, event, OTAPULT_HTTP_EVENT - 1), 0);
}

static void events_come_as_often_as_there_is_news(void **state)
{
    (void)state;
    begin("GET", "/api/ota/events", NULL);
    for (int i = 0; i < 20; i++) {
        dev.status.uptime_ms += OTAPULT_HTTP_EVENT_MS; /* no news */
        assert_int_equal(is_status(), i % 5 == 0);
    }
    assert_true(is_status());
    dev.status.claim = OTAPULT_FOR_UPLOAD;
    for (int i = 0; i < 7; i++)
        assert_true(is_status());
    dev.status.claim = OTAPULT_FREE;
    assert_true(is_status()); /* the end of it is news */
    assert_false(is_status());
    dev.status.slots.boot = 1;
    assert_true(is_status());
    otapult_http_lost(&client.x);
    assert_int_equal(dev.cancels, 0);
}

static void fill(char *dst, size_t cap)
{
    memset(dst, '<', cap - 1); /* six characters each in JSON */
    dst[cap - 1] = '\0';
}

/* The longest status there can be: every text as long as it may be, every character escaped, every slot an
 * event lists, and the longest error. */
static void longest_entry(void)
{
    dev.log_count = 1;
    dev.log[0] = (struct otapult_log_entry){.seq = UINT32_MAX,
                                            .boot = UINT32_MAX,
                                            .uptime_s = UINT32_MAX,
                                            .size = UINT32_MAX,
                                            .event = OTAPULT_EV_POWER_LOST,
                                            .tries = 255};
    fill(dev.log[0].code, sizeof dev.log[0].code);
    fill(dev.log[0].version, sizeof dev.log[0].version);
    fill(dev.log[0].project, sizeof dev.log[0].project);
    fill(dev.log[0].build, sizeof dev.log[0].build);
    strcpy(dev.log[0].by, "token a-name-of-20-chars.");
    fill(dev.log[0].text, sizeof dev.log[0].text);
}

static void longest_status(void)
{
    dev.status = (struct otapult_status){
        .received = UINT32_MAX,
        .written = UINT32_MAX,
        .total = UINT32_MAX - 1,
        .slots = {.count = 16, .running = 14, .boot = 15, .next = 13, .factory = true, .ota_data = true},
        .pending = true,
        .confirm_left_ms = UINT32_MAX,
        .soak_left_ms = UINT32_MAX,
        .uptime_ms = UINT32_MAX,
        .boot = UINT32_MAX};
    fill(dev.status.waiting_for, sizeof dev.status.waiting_for);
    dev.status.staged = (struct otapult_update){.id = 1, .slot = 13, .size = UINT32_MAX};
    fill(dev.status.staged.project, sizeof dev.status.staged.project);
    fill(dev.status.staged.version, sizeof dev.status.staged.version);
    fill(dev.status.staged.build, sizeof dev.status.staged.build);
    dev.resume_ms = UINT32_MAX;
    dev.status.claim = OTAPULT_FOR_ROLLBACK;
    fill(dev.status.by, sizeof dev.status.by);
    for (size_t i = 0; i <= OTAPULT_SLOTS_MAX; i++) {
        struct otapult_app_desc *d = &dev.image[i].desc;

        dev.slot[i].size = UINT32_MAX;
        dev.slot[i].state = OTAPULT_STATE_PENDING_VERIFY;
        dev.image[i].size = 1;
        fill(dev.slot[i].label, sizeof dev.slot[i].label);
        fill(d->project, sizeof d->project);
        fill(d->version, sizeof d->version);
        fill(d->idf, sizeof d->idf);
        fill(d->date, sizeof d->date);
        fill(d->time, sizeof d->time);
    }
    longest_entry();
    dev.way_back = (struct otapult_way_back){13, .doubt = "it did not confirm itself when it ran last"};
}

static void an_event_holds_the_longest_status(void **state)
{
    size_t longest = 0;

    (void)state;
    longest_status();
    for (int err = 0; err < OTAPULT_ERROR_COUNT; err++) {
        dev.status.slots_error = err;
        begin("GET", "/api/ota/events", HEADERS({"Accept-Language", "ru"}));
        size_t n = next_event();
        longest = n > longest ? n : longest;
        assert_string_equal(event + n - 3, "}\n\n");
    }
    print_message("the longest event has %zu bytes\n", longest);
    assert_true(longest > OTAPULT_HTTP_EVENT / 2); /* else the constant wastes memory */
}

static void a_status_lists_sixteen_slots(void **state)
{
    unsigned slots = 0;

    (void)state;
    longest_status();
    begin("GET", "/api/ota/status", NULL);
    for (const char *p = client.text; (p = strstr(p, "{\"label\"")) != NULL; p++)
        slots++;
    assert_int_equal(slots, 17);
    assert_string_equal(client.text + client.len - 23, "\"uptime_ms\":4294967295}");
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup(f, a_device)
    const struct CMUnitTest tests[] = {
        TEST(an_unknown_address_is_404),
        TEST(another_method_is_405_with_allow),
        TEST(head_is_looked_up_as_get),
        TEST(the_page_is_sent_with_its_headers),
        TEST(an_application_mounts_its_own_routes),
        TEST(every_request_gets_an_answer),
        TEST(every_answer_has_the_same_protection),
        TEST(get_changes_nothing),
        TEST(hints_are_russian_for_who_reads_russian),
        TEST(posts_of_other_sites_are_refused),
        TEST(a_new_request_has_one_host),
        TEST(a_target_may_name_the_host),
        TEST(a_person_gets_a_page),
        TEST(everybody_else_gets_json),
        TEST(an_origin_is_shown_safely),
        TEST(a_length_is_digits_once_and_alone),
        TEST(the_size_is_told_to_the_device),
        TEST(a_forms_size_leaves_room_for_the_form),
        TEST(other_fields_do_not_count_against_the_slot),
        TEST(the_files_length_is_told_before_its_first_byte),
        TEST(what_the_file_is_called_is_told_too),
        TEST(the_headers_alone_can_refuse),
        TEST(a_file_goes_into_the_device),
        TEST(a_file_that_is_refused_ends_the_upload),
        TEST(a_broken_form_cancels_the_update),
        TEST(the_devices_verdict_is_the_answer),
        TEST(a_lost_connection_cancels_once),
        TEST(a_client_that_stalled_leaves_the_next_alone),
        TEST(a_client_that_stalled_at_the_end_is_told_so),
        TEST(a_staged_upload_is_answered_as_one),
        TEST(what_an_upload_has_cost_is_said),
        TEST(a_silent_client_hears_that_its_update_has_ended),
        TEST(an_upload_says_what_it_was_meant_for),
        TEST(an_upload_that_was_done_before_is_answered_as_then),
        TEST(what_runs_already_is_answered_so),
        TEST(buttons_answer_as_documented),
        TEST(buttons_give_the_devices_errors),
        TEST(a_button_takes_a_short_body_only),
        TEST(a_short_body_is_forgotten),
        TEST(a_rollback_is_forced_by_that_word_alone),
        TEST(the_status_says_where_a_rollback_would_go),
        TEST(the_status_has_the_documented_shape),
        TEST(what_is_staged_is_shown_with_its_slot),
        TEST(a_device_without_a_name_says_null),
        TEST(the_status_follows_an_update),
        TEST(the_status_tells_what_a_trial_waits_for),
        TEST(the_status_names_every_slot_state),
        TEST(the_status_says_why_slots_cannot_be_used),
        TEST(a_slot_that_cannot_be_read_has_no_image),
        TEST(a_crash_loop_is_told_in_the_readers_language),
        TEST(the_log_has_the_documented_shape),
        TEST(the_errors_are_all_listed),
        TEST(an_event_is_the_status),
        TEST(events_come_as_often_as_there_is_news),
        TEST(an_event_holds_the_longest_status),
        TEST(a_status_lists_sixteen_slots),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
