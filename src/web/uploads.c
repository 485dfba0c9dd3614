/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/bytes.h"
#include "base/text.h"
#include "web/answer.h"
#include "web/gate.h"
#include "web/request.h"
#include "web/upload_request.h"

/* Resumable uploads: tus 1.0.0 (https://tus.io/protocols/resumable-upload), core, creation and termination.
 * There is one address, with the upload in its query, because the server of an application on a board
 * compares addresses as a whole. Everything but the bytes is in the headers; each request but OPTIONS names
 * the version it speaks.
 *
 * Here is only HTTP: headers become arguments, results become headers. What an upload is, how long it waits
 * and what of it survives a restart is decided in src/update/resume.c, behind door.h. */

#define PATH    "/api/ota/uploads"
#define VERSION "Tus-Resumable: 1.0.0\r\n"
#define TOKEN   16u

/* ---- answers ---- */

static enum otapult_http_next answer(struct otapult_exchange *x, int status, const char *headers)
{
    otapult_http_head(x, status, "text/plain", headers);
    return OTAPULT_HTTP_ANSWERED;
}

static void put_offset(struct otapult_text *t, uint32_t offset)
{
    otapult_text_str(t, "Upload-Offset: ");
    otapult_text_dec(t, offset);
    otapult_text_str(t, "\r\n");
}

static enum otapult_http_next answer_offset(struct otapult_exchange *x, int status,
                                            const struct otapult_upload *upload)
{
    char headers[120];
    struct otapult_text t;

    otapult_text_init(&t, headers, sizeof headers);
    otapult_text_str(&t, VERSION);
    put_offset(&t, upload->offset);
    otapult_text_str(&t, "Upload-Length: ");
    otapult_text_dec(&t, upload->length);
    otapult_text_str(&t, "\r\n");
    return answer(x, status, headers);
}

/* A refusal has the error's JSON as everywhere, and the headers by which a tus client finds its way on: at
 * the wrong offset the right one, at the wrong version those we speak. */
static enum otapult_http_next refuse(struct otapult_exchange *x, int err, struct otapult_finding *why)
{
    char headers[80];
    struct otapult_text t;

    otapult_text_init(&t, headers, sizeof headers);
    otapult_text_str(&t, VERSION);
    if (err == OTAPULT_E_UPLOAD_OFFSET)
        put_offset(&t, why->want);
    if (err == OTAPULT_E_TUS_VERSION)
        otapult_text_str(&t, "Tus-Version: 1.0.0\r\n");
    otapult_refuse_upload_with(x, err, why, headers);
    return OTAPULT_HTTP_ANSWERED;
}

/* ---- requests ---- */

static bool read_header(const struct otapult_exchange *x, const char *name, uint32_t *out)
{
    unsigned count;
    const char *value = otapult_header_of(x, name, &count);

    if (value == NULL || count != 1)
        return false;
    return otapult_read_number(value, strlen(value), out);
}

static int check_version(const struct otapult_exchange *x)
{
    unsigned count;
    const char *version = otapult_header_of(x, "Tus-Resumable", &count);

    return version != NULL && count == 1 && strcmp(version, "1.0.0") == 0 ? 0 : OTAPULT_E_TUS_VERSION;
}

/* The token in an address is the device's token XOR a mark of the login that created the upload. With another
 * password, or another API token of the same name, the mark is another and the address leads nowhere: a login
 * that was taken away cannot go on. Mixing twice gives the first again, so one function does both ways. */
static void mix(const struct otapult_exchange *x, uint8_t token[TOKEN])
{
    uint8_t mark[TOKEN];

    otapult_http_mark(x, mark);
    for (unsigned i = 0; i < TOKEN; i++)
        token[i] ^= mark[i];
}

/* Reads which upload is meant, and the client's name. A token that cannot be read belongs to no upload. */
static int read_token(const struct otapult_exchange *x, uint8_t token[TOKEN], char by[OTAPULT_WHO_NAME])
{
    size_t len = 0;
    const char *value = otapult_query_value(x, "upload", &len);

    otapult_http_who(x, by);
    bool good = value != NULL && len == 2 * TOKEN && otapult_read_hex(value, token, TOKEN);
    if (good)
        mix(x, token);
    return good ? 0 : OTAPULT_E_NO_UPLOAD;
}

/* Relative, so that it is right behind a reverse proxy, too. */
static enum otapult_http_next answer_created(struct otapult_exchange *x, struct otapult_upload *upload)
{
    char headers[160];
    struct otapult_text t;

    mix(x, upload->token);
    otapult_text_init(&t, headers, sizeof headers);
    otapult_text_str(&t, VERSION "Location: uploads?upload=");
    otapult_text_digest(&t, upload->token, TOKEN);
    otapult_text_str(&t, "\r\nUpload-Offset: 0\r\n");
    return answer(x, 201, headers);
}

static int read_creation(const struct otapult_exchange *x, struct otapult_update_options *options,
                         uint32_t *length, struct otapult_finding *why)
{
    int err = check_version(x);

    if (err == 0 && (!read_header(x, "Upload-Length", length) || *length == 0)) {
        why->text = "no Upload-Length from 1 on";
        err = OTAPULT_E_BAD_REQUEST;
    }
    return err == 0 ? otapult_upload_options(x, options, why) : err;
}

/* The end of a login ends what it has begun. Where both happen at once it may have looked for this upload
 * before there was one; so the upload looks for its login once it is there. */
static int begin_upload(struct otapult_exchange *x, const char *by,
                        const struct otapult_update_options *options, uint32_t length,
                        struct otapult_upload *upload, struct otapult_update *past,
                        struct otapult_finding *why)
{
    int err = otapult_create_upload(x->app, by, options, length, upload, past, why);

    if (err != 0 || past->id != 0 || otapult_gate_still(x))
        return err;
    err = otapult_drop_upload(x->app, by, upload->token, why);
    return err == 0 || err == OTAPULT_E_NO_UPLOAD ? OTAPULT_E_LOGIN_ENDED : err;
}

static enum otapult_http_next create(struct otapult_exchange *x)
{
    struct otapult_update_options options;
    struct otapult_upload upload;
    struct otapult_update past = {.id = 0};
    struct otapult_finding why = {0};
    char by[OTAPULT_WHO_NAME];
    uint32_t length = 0;

    otapult_http_who(x, by);
    int err = read_creation(x, &options, &length, &why);
    if (err != 0) {
        otapult_tell_refusal(x->app, by, err, &why, length);
        return refuse(x, err, &why);
    }
    err = begin_upload(x, by, &options, length, &upload, &past, &why);
    if (err != 0)
        return refuse(x, err, &why);
    if (past.id == 0)
        return answer_created(x, &upload);
    otapult_answer_update(x, &past); /* it was sent before, and is done */
    return OTAPULT_HTTP_ANSWERED;
}

static int find(const struct otapult_exchange *x, struct otapult_upload *out)
{
    uint8_t token[TOKEN];
    char by[OTAPULT_WHO_NAME];

    int err = read_token(x, token, by);
    return err == 0 ? otapult_find_upload(x->app, by, token, out) : err;
}

static enum otapult_http_next look(struct otapult_exchange *x)
{
    struct otapult_upload upload;
    struct otapult_finding why = {0};

    int err = check_version(x);
    if (err == 0)
        err = find(x, &upload);
    return err == 0 ? answer_offset(x, 200, &upload) : refuse(x, err, &why);
}

static enum otapult_http_next drop(struct otapult_exchange *x)
{
    struct otapult_finding why = {0};
    uint8_t token[TOKEN];
    char by[OTAPULT_WHO_NAME];

    int err = check_version(x);
    if (err == 0)
        err = read_token(x, token, by);
    if (err == 0)
        err = otapult_drop_upload(x->app, by, token, &why);
    return err == 0 ? answer(x, 204, VERSION) : refuse(x, err, &why);
}

static enum otapult_http_next tell_limits(struct otapult_exchange *x)
{
    const uint32_t slot = otapult_next_slot_size(x->app);
    char headers[160];
    struct otapult_text t;

    otapult_text_init(&t, headers, sizeof headers);
    otapult_text_str(&t, VERSION "Tus-Version: 1.0.0\r\nTus-Extension: creation,termination\r\n");
    if (slot != 0) { /* 0: not known while something else holds the device */
        otapult_text_str(&t, "Tus-Max-Size: ");
        otapult_text_dec(&t, slot);
        otapult_text_str(&t, "\r\n");
    }
    return answer(x, 204, headers);
}

/* ---- bytes ---- */

static int check_piece(const struct otapult_exchange *x, uint32_t *offset, struct otapult_finding *why)
{
    unsigned count;
    const char *type = otapult_header_of(x, "Content-Type", &count);

    int err = check_version(x);
    if (err != 0)
        return err;
    if (type == NULL || count != 1 || strcmp(type, "application/offset+octet-stream") != 0)
        return OTAPULT_E_CONTENT_TYPE;
    if (read_header(x, "Upload-Offset", offset))
        return 0;
    why->text = "no Upload-Offset";
    return OTAPULT_E_BAD_REQUEST;
}

static int take_ticket(struct otapult_exchange *x, uint32_t offset, struct otapult_upload *upload,
                       struct otapult_finding *why)
{
    uint8_t token[TOKEN];
    char by[OTAPULT_WHO_NAME];

    int err = read_token(x, token, by);
    if (err == 0)
        err = otapult_continue_upload(x->app, by, token, offset, &x->ticket, upload, why);
    /* Looked at when the ticket is there, for only then the offset is known to be the right one; the upload
     * waits for another piece as after a lost connection. */
    if (err == 0 && x->length > upload->length - offset) {
        why->text = "the body is longer than what is missing";
        err = OTAPULT_E_BAD_REQUEST;
    }
    return err;
}

static enum otapult_http_next begin_piece(struct otapult_exchange *x)
{
    struct otapult_upload upload;
    struct otapult_finding why = {0};
    uint32_t offset;

    int err = check_piece(x, &offset, &why);
    if (err == 0)
        err = take_ticket(x, offset, &upload, &why);
    if (err != 0)
        return refuse(x, err, &why);
    return x->ticket == 0 ? answer_offset(x, 204, &upload) : OTAPULT_HTTP_BODY; /* 0: it has ended well */
}

static enum otapult_http_next take_piece(struct otapult_exchange *x, const uint8_t *data, size_t len)
{
    struct otapult_finding why;

    int err = otapult_feed(x->app, x->ticket, data, len, &why);
    return err == 0 ? OTAPULT_HTTP_BODY : refuse(x, err, &why);
}

/* Is the file complete? Then it is verified here. */
static int finish(struct otapult_exchange *x, struct otapult_upload *upload, struct otapult_finding *why)
{
    struct otapult_update done;

    int err = otapult_has_ended(x->app, x->ticket);
    if (err == 0)
        err = find(x, upload);
    if (err == 0 && upload->offset == upload->length)
        err = otapult_finish_with(x->app, x->ticket, &done, why);
    return err;
}

static void end_piece(struct otapult_exchange *x)
{
    struct otapult_upload upload;
    struct otapult_finding why = {0};

    int err = finish(x, &upload, &why);
    if (err == 0)
        answer_offset(x, 204, &upload);
    else
        refuse(x, err, &why);
}

/* The connection broke. The bytes that came are safe, and the upload waits for more. When all have come, no
 * client will send another piece, so the file is verified here, without anybody to answer to. */
static void lose_piece(struct otapult_exchange *x)
{
    struct otapult_upload upload;
    struct otapult_finding why = {0};

    if (x->ended == 0)
        (void)finish(x, &upload, &why);
}

static void wait_for_piece(struct otapult_exchange *x)
{
    struct otapult_finding why = {0};

    int err = otapult_has_ended(x->app, x->ticket);
    if (err != 0)
        refuse(x, err, &why);
}

/* ---- the object ---- */

static const struct otapult_route routes[] = {
    {.method = "POST", .path = PATH, .begin = create},
    {.method = "HEAD", .path = PATH, .begin = look},
    {.method = "PATCH",
     .path = PATH,
     .begin = begin_piece,
     .body = take_piece,
     .end = end_piece,
     .lost = lose_piece,
     .idle = wait_for_piece},
    {.method = "DELETE", .path = PATH, .begin = drop},
    {.method = "OPTIONS", .path = PATH, .begin = tell_limits},
};

/* A firmware that names this object links all of this file; no other file of the core names it. */
const struct otapult_resumable otapult_resumable = {
    .resume = &otapult_resume_uploads,
    .errors = &otapult_errors_of_resume,
    .routes = routes,
    .route_count = sizeof routes / sizeof *routes,
};
