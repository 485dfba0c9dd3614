/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TEST_HTTP_CLIENT_H
#define TEST_HTTP_CLIENT_H

#include "otapult/http.h"

/* A client of the HTTP side without a server: one request, and what is answered. */

struct http_header {
    const char *name, *value;
};

#define HTTP_HEADERS 8

/* A list of headers, for a call: HEADERS({"Host", "10.0.0.1"}, JSON). NULL: none. */
#define HEADERS(...) ((const struct http_header[]){__VA_ARGS__, {NULL, NULL}})
#define JSON                               \
    {                                      \
        "Content-Type", "application/json" \
    }

struct http_client {
    struct http_header      headers[HTTP_HEADERS]; /* up to the first without a name */
    unsigned                heads; /* answers that began: 0 or 1 */
    int                     status; /* 0: no answer */
    char                    type[64], more[1200]; /* Content-Type, and the other lines of the head */
    char                    text[65536]; /* the answer's body, terminated */
    size_t                  len;
    struct otapult_request  request;
    struct otapult_exchange x;
};

/* Asks for method, path and query as `line` has them, with these headers. Answers must come once, the head
 * first, and say nothing that lets other sites in: asserted. */
enum otapult_http_next http_client_begin(struct http_client *c, const struct otapult_site *sites,
                                         size_t site_count, const struct otapult_request *line,
                                         const struct http_header *headers);

/* The next bytes of the body, `piece` at a time. */
enum otapult_http_next http_client_send(struct http_client *c, const void *data, size_t len, size_t piece);

/* Called for each header that is asked for: what happens meanwhile. NULL: nothing. */
extern void (*http_client_asked)(const char *name);

/* Requests are HTTP/1.1, which must have a Host, instead of 1.0. */
extern bool http_client_is_new;

#endif
