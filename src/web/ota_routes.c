/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "otapult/offer.h"
#include "update/door.h"
#include "web/answer.h"
#include "web/body.h"
#include "web/error_json.h"
#include "web/header.h"
#include "web/multipart.h"
#include "web/page.h"
#include "web/request.h"
#include "web/status_json.h"
#include "web/upload_request.h"

/* The routes of every device. A route turns a request into one call of the device and the result into an
 * answer; it decides nothing about updates. The longest part is an upload in one request, because two kinds
 * of body, a form and raw bytes, have to become the same calls.
 *
 * All of it runs in the server adapter's tasks, several at once. What a request needs later lies in its
 * exchange. */

/* ---- looking ---- */

static enum otapult_http_next get_page(struct otapult_exchange *x)
{
    otapult_http_asset(x, &otapult_page);
    return OTAPULT_HTTP_ANSWERED;
}

static enum otapult_http_next get_status(struct otapult_exchange *x)
{
    struct otapult_answer a;
    struct otapult_view v;

    otapult_view(x->app, &v);
    otapult_answer_begin(&a, x, 200);
    otapult_status_json(&a.json, x->app, &v, OTAPULT_ALL_SLOTS, x->language);
    otapult_answer_end(&a);
    return OTAPULT_HTTP_ANSWERED;
}

static enum otapult_http_next get_log(struct otapult_exchange *x)
{
    struct otapult_answer a;

    otapult_answer_begin(&a, x, 200);
    otapult_log_json(&a.json, x->app, x->language);
    otapult_answer_end(&a);
    return OTAPULT_HTTP_ANSWERED;
}

static enum otapult_http_next get_errors(struct otapult_exchange *x)
{
    struct otapult_answer a;

    otapult_answer_begin(&a, x, 200);
    otapult_errors_json(&a.json, otapult_russian_texts(x->guard));
    otapult_answer_end(&a);
    return OTAPULT_HTTP_ANSWERED;
}

/* ---- events ---- */

#define IDLE_BEATS 5 /* while nothing happens, one event in so many calls */

static enum otapult_http_next get_events(struct otapult_exchange *x)
{
    (void)x;
    return OTAPULT_HTTP_STREAM;
}

/* A number that changes with the offer's state: the first letter of its name tells the states apart. */
static uint32_t offer_mark(struct otapult *o)
{
    const struct otapult_pull *pull = otapult_device_pull(o);
    char version[32];

    if (pull == NULL)
        return 0;
    const char *state = pull->code->brief(o, version);
    return (uint8_t)state[0];
}

/* Differs when something else than a clock has moved since the last event. A sum and no copy of the status,
 * because every open page would keep one; should two different states once give the same sum, the next idle
 * beat shows it. */
static uint32_t mark_of(struct otapult *o, const struct otapult_status *s)
{
    uint32_t mark = s->received * 31 + offer_mark(o);

    mark = mark * 31 + (uint32_t)s->phase;
    mark = mark * 31 + (uint32_t)s->claim;
    mark = mark * 31 + (uint32_t)s->pending;
    return mark * 31 + (uint32_t)s->slots.boot;
}

static bool is_due(struct otapult_exchange *x, const struct otapult_status *s)
{
    uint32_t mark = mark_of(x->app, s);
    bool due = s->claim != OTAPULT_FREE || x->count % IDLE_BEATS == 0 || mark != x->mark;
    x->mark = mark;
    x->count++;
    return due;
}

static void next_event(struct otapult_exchange *x, struct otapult_json *out)
{
    static const char head[] = "event: status\ndata: ", tail[] = "\n\n";
    struct otapult_view v;

    otapult_view(x->app, &v);
    if (is_due(x, &v.status)) {
        otapult_json_raw(out, head);
        otapult_status_json(out, x->app, &v, OTAPULT_KEY_SLOTS, x->language);
    } else {
        otapult_json_raw(out, ":"); /* a comment: clients skip it, and a lost connection shows itself */
    }
    otapult_json_raw(out, tail);
}

/* ---- an upload ---- */

/* What other fields and the form itself may take, beside a file that fills the slot: before the file anything
 * up to FORM_FIELDS, behind it up to FORM_TAIL. */
#define FORM_FIELDS (64u * 1024u)
#define FORM_TAIL   4096u

/* Refuses and ends the update, where it still runs. The update ends first: until then it would answer BUSY to
 * a client that has read the refusal and tries again at once. */
static enum otapult_http_next end_upload(struct otapult_exchange *x, int err, struct otapult_finding *why)
{
    otapult_cancel(x->app, x->ticket, err, why);
    otapult_refuse_upload(x, err, why);
    return OTAPULT_HTTP_ANSWERED;
}

/* What is told to otapult_begin(). Raw bytes: exactly the file. A form: other fields do not count against the
 * slot, and how much they take is known only when the file's part begins. A body that would be too long even
 * with the most fields is refused before it is sent. */
static uint32_t announced_size(struct otapult_exchange *x)
{
    if (!x->multipart)
        return x->length;
    uint32_t room = x->mark = otapult_next_slot_size(x->app); /* 0: otapult_begin() will say what is wrong */
    return room > 0 && x->length > room && x->length - room <= FORM_FIELDS ? room : x->length;
}

static struct otapult_multipart *parser_of(struct otapult_exchange *x)
{
    return (struct otapult_multipart *)(void *)&x->form;
}

/* Is this a body that can hold a file? Prepares the parser of a form. */
static int read_kind(struct otapult_exchange *x, struct otapult_finding *why)
{
    unsigned count = 0;
    const char *type = x->req->header(x->req->ctx, "Content-Type", &count);

    if (type == NULL || count > 1)
        return OTAPULT_E_CONTENT_TYPE;
    x->multipart = otapult_value_is(type, "multipart/form-data");
    if (x->multipart) {
        int err = otapult_multipart_init(parser_of(x), type);
        *why = parser_of(x)->why;
        return err;
    }
    return otapult_value_is(type, "application/octet-stream") ? 0 : OTAPULT_E_CONTENT_TYPE;
}

static int refuse_empty(const struct otapult_exchange *x, struct otapult_finding *why)
{
    if (x->length != 0)
        return 0;
    why->text = "it is empty";
    return x->multipart ? OTAPULT_E_MULTIPART : OTAPULT_E_FILE_EMPTY;
}

/* Refuses what the headers alone forbid. The device logs each refusal of its own; these never reach it, so it
 * is told of them. */
static int read_headers(struct otapult_exchange *x, struct otapult_update_options *options,
                        struct otapult_finding *why)
{
    char by[OTAPULT_WHO_NAME];

    int err = read_kind(x, why);
    if (err == 0)
        err = refuse_empty(x, why);
    if (err == 0)
        err = otapult_upload_options(x, options, why);
    if (err != 0) {
        otapult_http_who(x, by);
        otapult_tell_refusal(x->app, by, err, why, x->length);
    }
    return err;
}

static int begin_update(struct otapult_exchange *x, const struct otapult_update_options *options,
                        struct otapult_finding *why)
{
    struct otapult_update past;
    char by[OTAPULT_WHO_NAME];

    otapult_http_who(x, by);
    int err = otapult_begin_by(x->app, by, options, announced_size(x), &x->ticket, &past, why);
    if (err == 0 && x->ticket == 0) /* it was sent before, and is done */
        otapult_answer_update(x, &past);
    return err;
}

static enum otapult_http_next begin_upload(struct otapult_exchange *x)
{
    struct otapult_update_options options;
    struct otapult_finding why = {0};

    int err = read_headers(x, &options, &why);
    if (err == 0)
        err = begin_update(x, &options, &why);
    if (err != 0)
        otapult_http_error(x, err, &why);
    return x->answered ? OTAPULT_HTTP_ANSWERED : OTAPULT_HTTP_BODY;
}

/* Takes the file's bytes, out of a raw body or a form. */
struct file_sink {
    struct otapult_exchange *x;
    struct otapult_finding why;
    bool failed;
};

/* The file's part of a form begins: what is left of the body is the file, its closing delimiter, perhaps the
 * end of a line, and at most a few other fields. */
static uint32_t rest_of(struct otapult_exchange *x)
{
    const struct otapult_multipart *form = parser_of(x);
    uint32_t around = form->pos + form->delimiter_len + 2u;

    return x->length > around ? x->length - around : 0;
}

static int check_room(struct otapult_exchange *x, uint32_t file, struct otapult_finding *why)
{
    if (x->mark == 0 || file <= x->mark || file - x->mark <= FORM_TAIL)
        return 0;
    *why = (struct otapult_finding){.got = file, .want = x->mark};
    return OTAPULT_E_IMAGE_TOO_LARGE;
}

/* Before the first byte of the file. The length is right where the file is the form's last part. */
static int begin_file(struct otapult_exchange *x, struct otapult_finding *why)
{
    const uint32_t end_of_line = 2;
    uint32_t file = x->multipart ? rest_of(x) : x->length;
    uint32_t less = x->multipart && file > end_of_line ? end_of_line : 0;

    int err = x->multipart ? check_room(x, file, why) : 0;
    return err != 0 ? err
                    : otapult_tell_file(x->app, x->ticket, file - less, file,
                                        x->multipart && parser_of(x)->misnamed);
}

static int take_file(void *ctx, const uint8_t *p, size_t n)
{
    struct file_sink *sink = ctx;
    struct otapult_exchange *x = sink->x;

    int err = x->count == 0 ? begin_file(x, &sink->why) : 0;
    if (err == 0)
        err = otapult_feed(x->app, x->ticket, p, n, &sink->why);
    sink->failed = err != 0;
    if (err == 0)
        x->count += (uint32_t)n;
    return err;
}

/* The form is broken. If the update had ended before (stalled, cancelled), that is the reason the client is
 * told. */
static int form_error(struct otapult_exchange *x, int err, struct otapult_finding *why)
{
    int ended = otapult_touch(x->app, x->ticket);

    if (ended != 0)
        return ended;
    *why = parser_of(x)->why;
    return err;
}

/* A piece without a byte of the file, as of another field, keeps the update alive all the same. */
static int take_form(struct file_sink *sink, const uint8_t *data, size_t len)
{
    struct otapult_exchange *x = sink->x;
    uint32_t before = x->count;

    int err = otapult_multipart_feed(parser_of(x), data, len, take_file, sink);
    if (sink->failed)
        return err;
    if (err != 0)
        return form_error(x, err, &sink->why);
    return x->count == before ? otapult_touch(x->app, x->ticket) : 0;
}

static enum otapult_http_next upload_body(struct otapult_exchange *x, const uint8_t *data, size_t len)
{
    struct file_sink sink = {.x = x};

    int err = x->multipart ? take_form(&sink, data, len) : take_file(&sink, data, len);
    return err == 0 ? OTAPULT_HTTP_BODY : end_upload(x, err, &sink.why);
}

static int finish_form(struct otapult_exchange *x, struct otapult_finding *why)
{
    int err = otapult_multipart_finish(parser_of(x));

    return err == 0 ? 0 : form_error(x, err, why);
}

static void upload_end(struct otapult_exchange *x)
{
    struct otapult_update update;
    struct otapult_finding why = {0};

    int err = x->multipart ? finish_form(x, &why) : 0;
    if (err == 0 && x->count == 0)
        err = OTAPULT_E_FILE_EMPTY;
    if (err != 0) {
        end_upload(x, err, &why);
        return;
    }
    err = otapult_finish_with(x->app, x->ticket, &update, &why);
    if (err != 0) {
        otapult_refuse_upload(x, err, &why);
        return;
    }
    otapult_answer_update(x, &update);
}

/* The client sends nothing, and its update may have ended: then it need not wait any longer. */
static void upload_idle(struct otapult_exchange *x)
{
    struct otapult_finding why;

    int err = otapult_has_ended(x->app, x->ticket);
    if (err != 0)
        otapult_refuse_upload(x, err, &why);
}

static void upload_lost(struct otapult_exchange *x)
{
    const struct otapult_finding why = {.got = x->count};

    otapult_cancel(x->app, x->ticket, x->ended != 0 ? x->ended : OTAPULT_E_CONNECTION_LOST, &why);
}

/* ---- buttons ---- */

typedef int deed(struct otapult *o, const char *by, struct otapult_finding *why);

/* Does what the button says, in the name of the user who pressed it. */
static void press(struct otapult_exchange *x, deed *do_it, const char *done)
{
    struct otapult_finding why = {0};
    char by[OTAPULT_WHO_NAME];

    otapult_http_who(x, by);
    int err = do_it(x->app, by, &why);
    if (err != 0)
        otapult_http_error(x, err, &why);
    else
        otapult_http_success(x, done, "");
}

static void confirm_end(struct otapult_exchange *x)
{
    press(x, otapult_confirm_by, "Confirmed.");
}

static void activate_end(struct otapult_exchange *x)
{
    press(x, otapult_activate_staged_by, "Rebooting...");
}

static void cancel_end(struct otapult_exchange *x)
{
    press(x, otapult_end_update_by, "Ended.");
}

static void reboot_end(struct otapult_exchange *x)
{
    press(x, otapult_restart_by, "Rebooting...");
}

static void answer_rollback(struct otapult_exchange *x, const char *slot)
{
    struct otapult_answer a;

    otapult_answer_begin(&a, x, 200);
    otapult_json_open(&a.json, NULL, '{');
    otapult_json_bool(&a.json, "success", true);
    otapult_json_str(&a.json, "message", "Rolling back. Rebooting...");
    otapult_json_str(&a.json, "slot", slot);
    otapult_json_close(&a.json, '}');
    otapult_answer_end(&a);
}

static void rollback_end(struct otapult_exchange *x)
{
    struct otapult_finding why = {0};
    struct otapult_status s;
    char slot[17], by[OTAPULT_WHO_NAME];

    otapult_http_who(x, by);
    int err = otapult_rollback_by(x->app, by, otapult_query_is(x, "force=1"), &why);
    if (err != 0) {
        otapult_http_error(x, err, &why);
        return;
    }
    otapult_status(x->app, &s);
    /* Where OTA data still names the running slot, that was rejected, and the bootloader falls back to the
     * other. */
    otapult_slot_label(x->app, s.slots.boot != s.slots.running ? s.slots.boot : s.slots.next, slot);
    answer_rollback(x, slot);
}

/* ---- what only some configurations have ---- */

static enum otapult_http_next refuse_absent(struct otapult_exchange *x)
{
    otapult_http_error(x, OTAPULT_E_NOT_FOUND, NULL);
    return OTAPULT_HTTP_ANSWERED;
}

static enum otapult_http_next refuse_open(struct otapult_exchange *x)
{
    otapult_http_error(x, OTAPULT_E_OPEN_PROFILE, NULL);
    return OTAPULT_HTTP_ANSWERED;
}

/* ---- what only a device with a source has ---- */

static enum otapult_http_next refuse_offer(struct otapult_exchange *x)
{
    otapult_http_error(x, OTAPULT_E_NO_SOURCE, NULL);
    return OTAPULT_HTTP_ANSWERED;
}

/* ---- the table ---- */

#define POST(name, end_)                                                           \
    {                                                                              \
        .method = "POST", .path = "/api/ota/" name, .begin = otapult_begin_button, \
        .body = otapult_http_small_body, .end = (end_), .level = OTAPULT_ADMIN     \
    }

#define UPLOADS(method_)                                                                                \
    {                                                                                                   \
        .method = (method_), .path = "/api/ota/uploads", .begin = refuse_absent, .level = OTAPULT_ADMIN \
    }

#define OPEN(method_, name, level_)                                                            \
    {                                                                                          \
        .method = (method_), .path = "/api/ota/" name, .begin = refuse_open, .level = (level_) \
    }

void otapult_site(struct otapult_site *site, struct otapult *o)
{
    static const struct otapult_route routes[] = {
        {.method = "GET", .path = "/api/ota", .begin = get_page, .level = OTAPULT_PAGE},
        {.method = "GET", .path = "/api/ota/status", .begin = get_status},
        {.method = "GET", .path = "/api/ota/events", .begin = get_events, .event = next_event},
        {.method = "GET", .path = "/api/ota/log", .begin = get_log},
        {.method = "GET", .path = "/api/ota/errors", .begin = get_errors},
        {.method = "POST",
         .path = "/api/ota/upload",
         .begin = begin_upload,
         .body = upload_body,
         .end = upload_end,
         .lost = upload_lost,
         .level = OTAPULT_ADMIN,
         .idle = upload_idle},
        UPLOADS("POST"),
        UPLOADS("HEAD"),
        UPLOADS("PATCH"),
        UPLOADS("DELETE"),
        UPLOADS("OPTIONS"),
        POST("activate", activate_end),
        POST("cancel", cancel_end),
        POST("confirm", confirm_end),
        POST("rollback", rollback_end),
        POST("reboot", reboot_end),
        {.method = "GET", .path = "/api/ota/offer", .begin = refuse_offer},
        {.method = "POST", .path = "/api/ota/offer", .begin = refuse_offer},
        OPEN("GET", "account", OTAPULT_PAGE),
        OPEN("GET", "tokens", OTAPULT_OWNER),
        OPEN("POST", "login", OTAPULT_PUBLIC),
        OPEN("POST", "logout", OTAPULT_PUBLIC),
        OPEN("POST", "password", OTAPULT_OWNER),
        OPEN("POST", "tokens/create", OTAPULT_OWNER),
        OPEN("POST", "tokens/revoke", OTAPULT_OWNER),
    };

    site->routes = routes;
    site->count = sizeof routes / sizeof *routes;
    site->app = site->guard = o;
}
