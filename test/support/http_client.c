/* SPDX-License-Identifier: Apache-2.0 */
#include "http_client.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <cmocka.h>

void (*http_client_asked)(const char *name);
bool http_client_is_new;

static const char *find_header(void *ctx, const char *name, unsigned *count)
{
    const struct http_client *c = ctx;
    const char *value = NULL;
    unsigned n = 0;

    if (http_client_asked != NULL)
        http_client_asked(name);
    for (size_t i = 0; i < HTTP_HEADERS && c->headers[i].name != NULL; i++)
        if (strcasecmp(c->headers[i].name, name) == 0 && n++ == 0)
            value = c->headers[i].value;
    if (count != NULL)
        *count = n;
    return value;
}

static void take_head(void *ctx, int status, const char *type, const char *headers, const char *more)
{
    struct http_client *c = ctx;

    c->heads++;
    c->status = status;
    assert_true(snprintf(c->type, sizeof c->type, "%s", type) < (int)sizeof c->type);
    assert_true(snprintf(c->more, sizeof c->more, "%s%s", headers, more) < (int)sizeof c->more);
    assert_null(strstr(c->more, "Access-Control")); /* no CORS header, in any answer of any test */
}

static void take_body(void *ctx, const void *data, size_t len)
{
    struct http_client *c = ctx;

    assert_int_equal(c->heads, 1); /* the head comes first, and once */
    assert_true(len < sizeof c->text - c->len);
    memcpy(c->text + c->len, data, len);
    c->len += len;
    c->text[c->len] = '\0';
}

enum otapult_http_next http_client_begin(struct http_client *c, const struct otapult_site *sites,
                                         size_t site_count, const struct otapult_request *line,
                                         const struct http_header *headers)
{
    const struct otapult_reply reply = {c, take_head, take_body};

    memset(c, 0, sizeof *c);
    memset(&c->x, 0xA5, sizeof c->x); /* whatever it held before */
    for (size_t i = 0; headers != NULL && headers[i].name != NULL; i++) {
        assert_true(i < HTTP_HEADERS);
        c->headers[i] = headers[i];
    }
    c->request = *line;
    c->request.ctx = c;
    c->request.header = find_header;
    c->request.host_optional = !http_client_is_new;
    if (c->request.query == NULL)
        c->request.query = "";
    enum otapult_http_next next = otapult_http_begin(&c->x, sites, site_count, &c->request, reply);
    assert_int_equal(next == OTAPULT_HTTP_BODY, c->heads == 0);
    assert_true(c->heads <= 1);
    return next;
}

enum otapult_http_next http_client_send(struct http_client *c, const void *data, size_t len, size_t piece)
{
    enum otapult_http_next next = OTAPULT_HTTP_BODY;
    const uint8_t *p = data;

    for (size_t n; len > 0 && next == OTAPULT_HTTP_BODY; p += n, len -= n) {
        n = len < piece ? len : piece;
        next = otapult_http_body(&c->x, p, n);
    }
    assert_int_equal(c->heads, next == OTAPULT_HTTP_ANSWERED);
    return next;
}
