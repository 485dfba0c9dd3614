/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FAKE_CLIENT_H
#define FAKE_CLIENT_H

#include "esp_http_client.h"

/* The server at the other end of esp_http_client: one answer, and what was asked. */
struct fake_http_server {
    esp_err_t   open;          /* what connecting gives */
    int         tls_code, tls_flags;
    int         status;        /* 0: no answer comes */
    const char *head[4][2];    /* name and value */
    const char *body;
    size_t      body_len, piece; /* comes in pieces */
    size_t      breaks_at;     /* so many bytes come, and the connection ends; 0: it does not */
    bool        no_memory;
    /* what was asked */
    esp_http_client_config_t config;
    char        url[300], headers[512], sent[512];
    unsigned    requests, alive;
};
extern struct fake_http_server fake_http_server;

/* A server that has been asked nothing, and answers 200 with `body` in such pieces. */
void fake_http_server_begin(const char *body, size_t piece);

#endif
