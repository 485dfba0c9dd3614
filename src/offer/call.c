/* SPDX-License-Identifier: Apache-2.0 */
#include "offer/call.h"

#include <string.h>

#include "base/text.h"
#include "offer/url.h"

/* One question to a server, through as many requests as its redirects need. Every rule about the servers that
 * the device talks to is here and not in a port: how many redirects, and to which hosts, that no secret goes
 * along to another host, how long an answer may be. A header that cannot be read counts as absent. */

/* ---- headers of an answer ---- */

static bool is_name(const char *name, const char *wanted)
{
    return otapult_text_alike(name, strlen(name), wanted, strlen(wanted));
}

/* Reads digits up to the first other character. UNKNOWN: there are none, or too many for 32 bits. */
static uint32_t read_number(const char **at)
{
    uint32_t n = 0;
    const char *s = *at;

    for (; *s >= '0' && *s <= '9'; s++) {
        uint32_t digit = (uint32_t)(*s - '0');
        if (n > (OTAPULT_SIZE_UNKNOWN - 1 - digit) / 10)
            return OTAPULT_SIZE_UNKNOWN;
        n = n * 10 + digit;
    }
    bool none = s == *at;
    *at = s;
    return none ? OTAPULT_SIZE_UNKNOWN : n;
}

static uint32_t whole_number(const char *value)
{
    uint32_t n = read_number(&value);

    return *value == '\0' ? n : OTAPULT_SIZE_UNKNOWN;
}

/* "bytes 1000-1999/2000" */
static void read_content_range(struct otapult_call *c, const char *value)
{
    c->from = c->whole = OTAPULT_SIZE_UNKNOWN;
    if (strncmp(value, "bytes ", 6) != 0)
        return;
    value += 6;
    uint32_t from = read_number(&value);
    if (*value != '-')
        return;
    value++;
    if (read_number(&value) == OTAPULT_SIZE_UNKNOWN || *value != '/')
        return;
    c->from = from;
    c->whole = whole_number(value + 1);
}

/* The ETag goes back to the server as a header line, so it must not hold anything that could end the line:
 * visible ASCII only. */
static void keep_etag(struct otapult_call *c, const char *value)
{
    size_t len = strspn(value, "!\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`"
                               "abcdefghijklmnopqrstuvwxyz{|}~");

    c->etag[0] = '\0';
    if (value[len] == '\0' && len < sizeof c->etag)
        otapult_text_set(c->etag, sizeof c->etag, value);
}

static void call_header(void *to, const char *name, const char *value)
{
    struct otapult_call *c = to;

    if (is_name(name, "etag"))
        keep_etag(c, value);
    else if (is_name(name, "content-length"))
        c->length = whole_number(value);
    else if (is_name(name, "content-range"))
        read_content_range(c, value);
    else if (is_name(name, "retry-after"))
        c->retry_s = whole_number(value) == OTAPULT_SIZE_UNKNOWN ? 0 : whole_number(value);
    else if (is_name(name, "location") && !otapult_url_resolve(c->location, value, c->next))
        otapult_text_set(c->next, sizeof c->next, "too long");
}

/* ---- the answer ---- */

static int call_status(void *to, int status)
{
    struct otapult_call *c = to;

    c->status = status;
    return 0;
}

static bool is_redirect(const struct otapult_call *c)
{
    return (c->status == 301 || c->status == 302 || c->status == 303 || c->status == 307 ||
            c->status == 308) &&
           c->next[0] != '\0' && c->body == NULL;
}

static bool knows(const struct otapult_call *c)
{
    return c->known != NULL && c->known[0] != '\0';
}

static bool is_wanted(const struct otapult_call *c)
{
    return !is_redirect(c) &&
           (c->any_status || c->status == 200 || c->status == 206 || (c->status == 304 && knows(c)));
}

/* All headers have come. Called at the first byte of the body, or at the end of an answer without a body. */
static int begin(struct otapult_call *c)
{
    if (c->begun)
        return 0;
    c->begun = true;
    if (!is_wanted(c))
        return 0;
    if (c->length != OTAPULT_SIZE_UNKNOWN && c->length > c->max)
        return OTAPULT_E_SOURCE_ANSWER;
    return c->begin != NULL ? c->begin(c->to, c) : 0;
}

/* The body of an answer that nobody wants is bounded too: a server could send it for ever. */
#define UNWANTED_MAX 4096u

static int call_data(void *to, const uint8_t *p, size_t n)
{
    struct otapult_call *c = to;
    bool wanted = is_wanted(c);
    uint32_t max = wanted ? c->max : UNWANTED_MAX;

    int err = begin(c);
    if (err != 0)
        return err;
    if (n > max - c->got)
        return OTAPULT_E_SOURCE_ANSWER;
    c->got += (uint32_t)n;
    return wanted && c->status != 304 && c->data != NULL ? c->data(c->to, p, n) : 0;
}

/* ---- the way there ---- */

static const char *redirect_fault(const struct otapult_call *c, const struct otapult_pull *pull)
{
    if (c->redirects >= OTAPULT_CALL_REDIRECTS)
        return "too often";
    const char *fault = otapult_url_fault(c->next, pull->plain_http);
    if (fault != NULL)
        return fault;
    if (strncmp(c->location, "https:", 6) == 0 && strncmp(c->next, "https:", 6) != 0)
        return "an address without TLS";
    if (!otapult_url_same_origin(c->url, c->next) && !otapult_url_host_in(c->next, pull->redirect_hosts))
        return "another host";
    return NULL;
}

/* The headers of the request may hold a token: they go to the source's own host alone. */
static int run_once(struct otapult_call *c, const struct otapult_pull *pull, struct otapult_finding *why)
{
    char lines[512];
    struct otapult_text t;
    bool home = otapult_url_same_origin(c->url, c->location);

    otapult_text_init(&t, lines, sizeof lines);
    otapult_text_str(&t, c->headers != NULL && home ? c->headers : "");
    otapult_text_str(&t, c->range != NULL ? c->range : "");
    otapult_text_str(&t, knows(c) ? "If-None-Match: " : "");
    otapult_text_str(&t, knows(c) ? c->known : "");
    otapult_text_str(&t, knows(c) ? "\r\n" : "");
    const struct otapult_fetch_request request = {
        .method = c->method != NULL ? c->method : "GET",
        .url = c->location,
        .headers = lines,
        .body = c->body,
        .body_len = c->body_len,
        .to = c,
        .status = call_status,
        .header = call_header,
        .data = call_data,
    };
    c->status = 0;
    c->length = c->from = c->whole = OTAPULT_SIZE_UNKNOWN;
    c->retry_s = c->got = 0;
    c->etag[0] = c->next[0] = '\0';
    c->begun = false;
    if (t.full)
        return OTAPULT_E_INTERNAL;
    int err = pull->fetch->run(pull->fetch->ctx, &request, why);
    return err == 0 ? begin(c) : err;
}

/* Where an error's own page is too long, the error's status is reported, because it says more. */
static int judge(struct otapult_call *c, int err, struct otapult_finding *why)
{
    if (err == OTAPULT_E_SOURCE_ANSWER && !is_wanted(c))
        err = 0;
    if (err == OTAPULT_E_SOURCE_ANSWER && why->text == NULL)
        *why = (struct otapult_finding){.got = c->got, .text = "it is too long"};
    if (err == OTAPULT_E_SOURCE_LOST)
        why->got = c->got;
    if (err != 0 || is_wanted(c))
        return err;
    *why = (struct otapult_finding){.got = (uint32_t)c->status};
    return OTAPULT_E_SOURCE_STATUS;
}

/* A redirect whose own body broke off, or was too long, is followed all the same. */
int otapult_call_run(struct otapult_call *c, const struct otapult_pull *pull, struct otapult_finding *why)
{
    const char *fault = otapult_url_fault(c->url, pull->plain_http);

    *why = (struct otapult_finding){.text = fault};
    if (fault != NULL)
        return OTAPULT_E_SOURCE_REDIRECT;
    otapult_text_set(c->location, sizeof c->location, c->url);
    for (c->redirects = 0;; c->redirects++) {
        int err = run_once(c, pull, why);
        if (!is_redirect(c))
            return judge(c, err, why);
        fault = redirect_fault(c, pull);
        *why = (struct otapult_finding){.text = fault};
        if (fault != NULL)
            return OTAPULT_E_SOURCE_REDIRECT;
        memcpy(c->location, c->next, sizeof c->location);
    }
}
