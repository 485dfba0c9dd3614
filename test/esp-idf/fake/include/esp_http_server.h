/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FAKE_ESP_HTTP_SERVER_H
#define FAKE_ESP_HTTP_SERVER_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "esp_err.h"
#include "freertos/FreeRTOS.h"
#include "sdkconfig.h"

/* esp_http_server/include/esp_http_server.h, src/httpd_txrx.c, httpd_parse.c, httpd_uri.c, httpd_main.c and
 * httpd_sess.c, v5.1 to v6.0.2; methods from http_parser/http_parser.h. What differs between versions is
 * said where it does. */
enum http_method {
    HTTP_DELETE = 0,
    HTTP_GET = 1,
    HTTP_HEAD = 2,
    HTTP_POST = 3,
    HTTP_PUT = 4,
    HTTP_OPTIONS = 6,
    HTTP_PATCH = 28
};
typedef enum http_method httpd_method_t;
#if ESP_IDF_VERSION >= ESP_IDF_VERSION_VAL(5, 3, 0)
#define HTTP_ANY INT_MAX /* of a handler: every method */
#endif

#define ESP_ERR_HTTPD_BASE           0xb000
#define ESP_ERR_HTTPD_HANDLERS_FULL  (ESP_ERR_HTTPD_BASE + 1)
#define ESP_ERR_HTTPD_HANDLER_EXISTS (ESP_ERR_HTTPD_BASE + 2)
#define ESP_ERR_HTTPD_RESULT_TRUNC   (ESP_ERR_HTTPD_BASE + 4)
#define ESP_ERR_HTTPD_ALLOC_MEM      (ESP_ERR_HTTPD_BASE + 7)
#define ESP_ERR_HTTPD_TASK           (ESP_ERR_HTTPD_BASE + 8)

#define HTTPD_SOCK_ERR_FAIL    (-1)
#define HTTPD_SOCK_ERR_INVALID (-2)
#define HTTPD_SOCK_ERR_TIMEOUT (-3)

#define ESP_HTTPD_DEF_CTRL_PORT 32768

typedef void *httpd_handle_t;
typedef void (*httpd_free_ctx_fn_t)(void *ctx);
typedef void (*httpd_work_fn_t)(void *arg);

/* Only the fields that the port or the fake looks at; the real struct has more, and more in each version. */
typedef struct httpd_config {
    unsigned task_priority;
    size_t   stack_size;
    uint16_t server_port;
    uint16_t ctrl_port; /* UDP; two servers need different ones */
    uint16_t max_open_sockets;
    uint16_t max_uri_handlers;
    uint16_t max_resp_headers;
    bool     lru_purge_enable;  /* full: the connection unused for longest goes, none of an async request */
    uint16_t recv_wait_timeout; /* seconds */
    uint16_t send_wait_timeout;
} httpd_config_t;

#define HTTPD_DEFAULT_CONFIG()                                                                        \
    {                                                                                                 \
        .task_priority = tskIDLE_PRIORITY + 5, .stack_size = 4096, .server_port = 80,                 \
        .ctrl_port = ESP_HTTPD_DEF_CTRL_PORT, .max_open_sockets = 7, .max_uri_handlers = 8,           \
        .max_resp_headers = 8, .lru_purge_enable = false, .recv_wait_timeout = 5,                     \
        .send_wait_timeout = 5,                                                                       \
    }

typedef struct httpd_req {
    httpd_handle_t handle;
    int            method; /* enum http_method */
    const char     uri[CONFIG_HTTPD_MAX_URI_LEN + 1]; /* with the query */
    size_t         content_len; /* 0: no body, or one in chunks; 32 bits of what was announced */
    void          *aux;
    void          *user_ctx; /* of the handler's registration */
    void          *sess_ctx;
    httpd_free_ctx_fn_t free_ctx;
    bool           ignore_sess_ctx_changes;
} httpd_req_t;

typedef struct httpd_uri {
    const char    *uri;
    httpd_method_t method;
    esp_err_t (*handler)(httpd_req_t *r);
    void          *user_ctx;
} httpd_uri_t;

/* INVALID_ARG, NO_MEM, HTTPD_TASK, or FAIL when a port is taken. The configuration is copied. */
esp_err_t httpd_start(httpd_handle_t *handle, const httpd_config_t *config);
esp_err_t httpd_stop(httpd_handle_t handle);

/* The path is copied. HANDLERS_FULL; HANDLER_EXISTS: path and method, or path and HTTP_ANY, are there. Path
 * without query, compared whole by default. A path that has handlers for other methods only: 405. */
esp_err_t httpd_register_uri_handler(httpd_handle_t handle, const httpd_uri_t *uri_handler);
/* NOT_FOUND: there is no such pair. */
esp_err_t httpd_unregister_uri_handler(httpd_handle_t handle, const char *uri, httpd_method_t method);

/* Which refusals of its own a server lets a handler answer; the numbers differ between versions. */
typedef enum {
    HTTPD_500_INTERNAL_SERVER_ERROR = 0,
    HTTPD_501_METHOD_NOT_IMPLEMENTED,
    HTTPD_505_VERSION_NOT_SUPPORTED,
    HTTPD_400_BAD_REQUEST,
    HTTPD_401_UNAUTHORIZED,
    HTTPD_403_FORBIDDEN,
    HTTPD_404_NOT_FOUND,
    HTTPD_405_METHOD_NOT_ALLOWED,
    HTTPD_408_REQ_TIMEOUT,
    HTTPD_411_LENGTH_REQUIRED,
    HTTPD_414_URI_TOO_LONG,
    HTTPD_431_REQ_HDR_FIELDS_TOO_LARGE,
    HTTPD_ERR_CODE_MAX
} httpd_err_code_t;
typedef esp_err_t (*httpd_err_handler_func_t)(httpd_req_t *r, httpd_err_code_t error);

/* The handler answers in the server's place. For 404 and 405 ESP_OK keeps the connection; after every other it
 * is closed, and of the request nothing may be asked: it was not read to its end. */
esp_err_t httpd_register_err_handler(httpd_handle_t handle, httpd_err_code_t error,
                                     httpd_err_handler_func_t handler_fn);

/* A handler runs in the server's one task, between request and request. ESP_OK: what is left of the body is
 * read and dropped, the connection stays. Anything else: the connection is closed at once.
 *
 * The functions below are for a handler, with its request, or for the task that has an async copy. */

/* > 0: so many bytes of the body, at most `buf_len`. 0: the body is complete, or the peer has closed.
 * < 0: HTTPD_SOCK_ERR_…, or esp-tls's codes on a TLS connection: -0x6900 and -0x6880 for a timeout.
 * Up to 128 bytes may have come with the headers: these are copied first, then the socket is read for what
 * is missing in buf; if that gives an error other than HTTPD_SOCK_ERR_TIMEOUT, they are lost. From 5.3.5,
 * 5.4.4 and 5.5.3 on they are lost, too, where the peer has closed: 0. */
int httpd_req_recv(httpd_req_t *r, char *buf, size_t buf_len);

/* Sends as it is. Bytes sent, perhaps fewer than asked for; < 0: as above. */
int httpd_send(httpd_req_t *r, const char *buf, size_t buf_len);

/* The value of the first header of that name, without case. NOT_FOUND; HTTPD_RESULT_TRUNC: it did not fit,
 * val holds the beginning, terminated (nothing where val_size is 0). Spaces before the value are skipped,
 * those behind it are not. */
esp_err_t httpd_req_get_hdr_value_str(httpd_req_t *r, const char *field, char *val, size_t val_size);

/* The connection's socket. */
int httpd_req_to_sockfd(httpd_req_t *r);

#if ESP_IDF_VERSION >= ESP_IDF_VERSION_VAL(5, 2, 0)
/* A copy of the request that another task may use, headers and body too, after the handler has returned
 * ESP_OK; the server leaves the connection alone until _complete(). NO_MEM: it is a matter of the heap.
 * Not so before 5.2.4, and in 5.3 before 5.3.2: there the server's task drops the body meanwhile. */
esp_err_t httpd_req_async_handler_begin(httpd_req_t *r, httpd_req_t **out);
/* Frees the copy. Before 5.4.3 and 5.5.2 the server listens to the connection again only after it was woken
 * by something else; later it is woken here, FAIL when that fails: the copy is freed all the same. */
esp_err_t httpd_req_async_handler_complete(httpd_req_t *r);
#endif

/* What a transport keeps with the connection: esp_https_server its TLS session; NULL on a plain one. */
void *httpd_sess_get_transport_ctx(httpd_handle_t handle, int sockfd);

/* The same of the server: esp_https_server its certificate and key; NULL on a plain one. */
void *httpd_get_global_transport_ctx(httpd_handle_t handle);

/* From any task: has the server's task close the connection. NOT_FOUND: there is none. */
esp_err_t httpd_sess_trigger_close(httpd_handle_t handle, int sockfd);

/* From any task: has the server's task call work(arg). */
esp_err_t httpd_queue_work(httpd_handle_t handle, httpd_work_fn_t work, void *arg);

#endif
