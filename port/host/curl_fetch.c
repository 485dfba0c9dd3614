/* SPDX-License-Identifier: Apache-2.0 */
#include "curl_fetch.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One HTTP request through libcurl, for the virtual board. Redirects, ranges and trying again are the core's
 * (src/offer/call.c), as on a board, so libcurl's own are off. What is promised to the core stands in
 * otapult/offer.h. */

/* One request while it runs. */
struct transfer {
    const struct otapult_fetch_request *request;
    struct curl_fetch *fetch;
    int status; /* of the answer that its headers come from; 1xx are passed over */
    int err;    /* of the callback that took the answer, by which it ends the transfer */
    bool came;  /* a byte of it did */
};

/* ---- the answer ---- */

static int take_line(struct transfer *t, char *line)
{
    char *value = strchr(line, ':');

    if (strncmp(line, "HTTP/", 5) == 0) {
        const char *code = strchr(line, ' ');
        t->status = code != NULL ? atoi(code) : 0;
        return t->status >= 200 ? t->request->status(t->request->to, t->status) : 0;
    }
    if (value == NULL || t->status < 200)
        return 0;
    *value++ = '\0';
    value += strspn(value, " \t");
    t->request->header(t->request->to, line, value);
    return 0;
}

/* Longer lines are read over: no header that the core asks for has a value of 1 KB. */
static size_t on_header(char *data, size_t size, size_t n, void *ctx)
{
    struct transfer *t = ctx;
    char line[1024];
    size_t len = size * n;

    t->came = true;
    if (len >= sizeof line)
        return len;
    memcpy(line, data, len);
    line[len] = '\0';
    line[strcspn(line, "\r\n")] = '\0';
    t->err = take_line(t, line);
    return t->err == 0 ? len : len + 1;
}

static size_t on_data(char *data, size_t size, size_t n, void *ctx)
{
    struct transfer *t = ctx;

    t->came = true;
    t->err = t->request->data(t->request->to, (const uint8_t *)data, size * n);
    return t->err == 0 ? size * n : size * n + 1;
}

static int on_progress(void *ctx, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
    struct transfer *t = ctx;

    (void)a;
    (void)b;
    (void)c;
    (void)d;
    return atomic_load(&t->fetch->stop) ? 1 : 0;
}

/* ---- the request ---- */

static struct curl_slist *add_line(struct curl_slist *list, const char *line, size_t len)
{
    char text[512];

    snprintf(text, sizeof text, "%.*s", (int)len, line);
    struct curl_slist *longer = curl_slist_append(list, text);
    return longer != NULL ? longer : list;
}

/* "Expect:" without a value takes libcurl's own header out: esp_http_client sends none, and a server must not
 * behave otherwise to the virtual board. */
static struct curl_slist *header_lines(const char *headers)
{
    struct curl_slist *list = curl_slist_append(NULL, "Expect:");

    while (*headers != '\0') {
        size_t len = strcspn(headers, "\r\n");
        list = add_line(list, headers, len);
        headers += len;
        headers += strspn(headers, "\r\n");
    }
    return list;
}

static void set_trust(CURL *curl, const struct curl_fetch_options *o)
{
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 1L);
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 2L);
    if (o->ca != NULL) {
        curl_easy_setopt(curl, CURLOPT_CAINFO, o->ca);
        curl_easy_setopt(curl, CURLOPT_CAPATH, NULL);
    }
    if (o->pin != NULL)
        curl_easy_setopt(curl, CURLOPT_PINNEDPUBLICKEY, o->pin);
}

static void set_limits(CURL *curl, const struct curl_fetch_options *o)
{
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, (long)(o->connect_s != 0 ? o->connect_s : 15));
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 16L);
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, (long)(o->silence_s != 0 ? o->silence_s : 30));
}

static void set_request(CURL *curl, const struct otapult_fetch_request *r, struct curl_slist *lines)
{
    curl_easy_setopt(curl, CURLOPT_URL, r->url);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, lines);
    if (r->body != NULL) {
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, r->body);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)r->body_len);
    }
    if (r->body != NULL || strcmp(r->method, "GET") != 0)
        curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, r->method);
}

static void set_answer(CURL *curl, struct transfer *t)
{
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, t);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_data);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, t);
    curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_progress);
    curl_easy_setopt(curl, CURLOPT_XFERINFODATA, t);
    curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, t->fetch->error);
}

/* ---- its end ---- */

static int error_of(CURLcode code, bool came)
{
    switch (code) {
    case CURLE_OK: return 0;
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_PINNEDPUBKEYNOTMATCH:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_CERTPROBLEM: return OTAPULT_E_SOURCE_CERTIFICATE;
    case CURLE_PARTIAL_FILE:
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR:
    case CURLE_GOT_NOTHING: return OTAPULT_E_SOURCE_LOST;
    default: return came ? OTAPULT_E_SOURCE_LOST : OTAPULT_E_SOURCE_UNREACHABLE;
    }
}

static int run(void *ctx, const struct otapult_fetch_request *request, struct otapult_finding *why)
{
    struct curl_fetch *f = ctx;
    struct transfer t = {.request = request, .fetch = f};
    struct curl_slist *lines = header_lines(request->headers);

    curl_easy_reset(f->curl); /* connections stay */
    f->error[0] = '\0';
    set_trust(f->curl, &f->options);
    set_limits(f->curl, &f->options);
    set_request(f->curl, request, lines);
    set_answer(f->curl, &t);
    CURLcode code = atomic_load(&f->stop) ? CURLE_ABORTED_BY_CALLBACK : curl_easy_perform(f->curl);
    curl_slist_free_all(lines);
    if (t.err != 0)
        return t.err;
    if (code != CURLE_OK)
        *why = (struct otapult_finding){.text = f->error[0] != '\0' ? f->error : curl_easy_strerror(code)};
    return error_of(code, t.came);
}

bool curl_fetch_init(struct curl_fetch *f, const struct curl_fetch_options *options)
{
    *f = (struct curl_fetch){.fetch = {.ctx = f, .run = run}, .options = *options};
    f->curl = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK ? curl_easy_init() : NULL;
    return f->curl != NULL;
}

void curl_fetch_stop(struct curl_fetch *f)
{
    atomic_store(&f->stop, true);
}

void curl_fetch_free(struct curl_fetch *f)
{
    curl_easy_cleanup(f->curl);
    f->curl = NULL;
}
