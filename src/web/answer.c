/* SPDX-License-Identifier: Apache-2.0 */
#include "web/answer.h"

#include <string.h>

#include "web/error_json.h"
#include "web/request.h"

/* Every answer of the core leaves through otapult_http_head(), so that no route can forget the headers below:
 * answers change from second to second and some hold secrets (no-store), a file's name must not decide what a
 * browser takes an answer for (nosniff), and no other site's page may load one (CORP). */

#define JSON_TYPE "application/json; charset=utf-8"
#define EVERY_ANSWER                                                 \
    "Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n" \
    "Cross-Origin-Resource-Policy: same-origin\r\n"

void otapult_http_head(struct otapult_exchange *x, int status, const char *content_type, const char *headers)
{
    x->answered = true;
    x->reply.head(x->reply.ctx, status, content_type, EVERY_ANSWER, headers);
}

/* ---- JSON ---- */

void otapult_answer_begin_with(struct otapult_answer *a, struct otapult_exchange *x, int status,
                               const char *headers)
{
    otapult_http_head(x, status, JSON_TYPE, headers);
    otapult_json_stream(&a->json, a->buf, sizeof a->buf, x->reply.body, x->reply.ctx);
}

void otapult_answer_begin(struct otapult_answer *a, struct otapult_exchange *x, int status)
{
    otapult_answer_begin_with(a, x, status, "");
}

void otapult_answer_end(struct otapult_answer *a)
{
    otapult_json_flush(&a->json);
}

void otapult_http_success(struct otapult_exchange *x, const char *message, const char *headers)
{
    struct otapult_answer a;

    otapult_answer_begin_with(&a, x, 200, headers);
    otapult_json_open(&a.json, NULL, '{');
    otapult_json_bool(&a.json, "success", true);
    otapult_json_str(&a.json, "message", message);
    otapult_json_close(&a.json, '}');
    otapult_answer_end(&a);
}

static void answer_error(struct otapult_exchange *x, int err, const struct otapult_finding *why, bool emptied,
                         const char *headers)
{
    struct otapult_answer a;

    otapult_answer_begin_with(&a, x, otapult_error_row(err)->status, headers);
    otapult_error_json(&a.json, NULL, err, why, emptied, x->language);
    otapult_answer_end(&a);
}

void otapult_http_error_with(struct otapult_exchange *x, int err, const struct otapult_finding *why,
                             const char *headers)
{
    answer_error(x, err, why, false, headers);
}

void otapult_http_error_emptied(struct otapult_exchange *x, int err, const struct otapult_finding *why,
                                const char *headers)
{
    answer_error(x, err, why, true, headers);
}

void otapult_http_error(struct otapult_exchange *x, int err, const struct otapult_finding *why)
{
    otapult_http_error_with(x, err, why, "");
}

void otapult_http_json(struct otapult_exchange *x, int status, const char *json, size_t len)
{
    otapult_http_head(x, status, JSON_TYPE, "");
    x->reply.body(x->reply.ctx, json, len);
}

/* ---- pages ---- */

void otapult_http_asset(struct otapult_exchange *x, const struct otapult_asset *asset)
{
    otapult_http_head(x, 200, "text/html; charset=utf-8", asset->headers);
    x->reply.body(x->reply.ctx, asset->gzip, asset->len);
}

/* Text out of a request or a table, between the tags of a page. An attacker chooses what the detail of an
 * error quotes (a Host, a method), so all of it is escaped, and the page's policy below allows no script
 * anyway. */
static void put_html(struct otapult_exchange *x, const char *text)
{
    static const struct {
        const char *plain, *escaped;
    } marks[] = {{"<", "&lt;"}, {">", "&gt;"}, {"&", "&amp;"}, {"\"", "&quot;"}};

    while (*text != '\0') {
        size_t n = strcspn(text, "<>&\"");

        x->reply.body(x->reply.ctx, text, n);
        text += n;
        for (size_t i = 0; *text != '\0' && i < sizeof marks / sizeof *marks; i++)
            if (*text == *marks[i].plain)
                x->reply.body(x->reply.ctx, marks[i].escaped, strlen(marks[i].escaped));
        text += *text != '\0';
    }
}

static void put_tags(struct otapult_exchange *x, const char *tags)
{
    x->reply.body(x->reply.ctx, tags, strlen(tags));
}

static void answer_error_page(struct otapult_exchange *x, int err, const struct otapult_finding *why)
{
    const struct otapult_error_row *row = otapult_error_row(err);
    char detail[OTAPULT_DETAIL];

    otapult_detail(err, why, x->language, detail, sizeof detail);
    otapult_http_head(x, row->status, "text/html; charset=utf-8",
                      "Content-Security-Policy: default-src 'none'; frame-ancestors 'none'\r\n");
    put_tags(x,
             x->language == NULL ? "<!DOCTYPE html><html lang=\"en\">" : "<!DOCTYPE html><html lang=\"ru\">");
    put_tags(x, "<meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\"><title>");
    put_html(x, row->caption);
    put_tags(x, "</title><h1>");
    put_html(x, detail);
    put_tags(x, "</h1><p>");
    put_html(x, otapult_hint(err, x->language));
    put_tags(x, "</p></html>\n");
}

void otapult_http_refuse(struct otapult_exchange *x, int err, const struct otapult_finding *why)
{
    static const struct otapult_finding nothing;

    if (otapult_opens_page(x))
        answer_error_page(x, err, why == NULL ? &nothing : why);
    else
        otapult_http_error(x, err, why);
}
