/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_WIRE_H
#define CLI_WIRE_H

#include <curl/curl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* All talk with robots: libcurl's multi interface in one loop and one thread, however many robots there are.
 * Nothing blocks: a caller that sends is called back when its answer is there, one that waits when its time has come.
 * So no robot needs a thread, and no state of a job is seen by two. */

struct wire;

struct wire_answer {
    CURLcode err;       /* CURLE_OK: `status` is the robot's */
    bool     told;      /* there was a connection and the request went out, or part of it */
    long     os_error;  /* errno of a connection that was not made */
    long     status;    /* of HTTP; 0: none came */
    char    *body;      /* terminated, freed after the call; NULL where there is none */
    size_t   len;
    char     location[400], tus[16]; /* headers Location and Tus-Resumable; "" where there is none */
    int64_t  offset;    /* header Upload-Offset; -1 */
    char     pin[64], fingerprint[96]; /* of the certificate, where one was shown */
};

struct wire_request {
    const char *method;     /* NULL: GET, or POST where there is a body */
    const char *url;        /* the whole of it */
    const char *name;       /* of the robot, for --verbose */
    const char *connect_to; /* address that the host's name stands for; "" or NULL: let it be looked up */
    const char *pin;        /* public key that the robot must show, "sha256//…"; NULL: not TLS, or shake_hands */
    const char *token, *password; /* at most one; sent through TLS only. NULL: none */
    bool        shake_hands;      /* connect, look at the certificate, ask nothing */
    const char *header[4];        /* beside what curl sends; NULL: no more */
    const void *body;             /* stays until `done` */
    size_t      body_len;
    const char *type;             /* Content-Type of the body */
    const char *field, *file_name; /* the body goes as a form: of this field; NULL: as it is */
    bool        expect;            /* ask whether the body is wanted before it is sent */
    long        timeout_s;         /* of the connection, and of the whole where there is no long body */
    void       *ctx;
    void (*done)(void *ctx, const struct wire_answer *answer);
    void (*sent)(void *ctx, uint64_t sent); /* NULL, or how far the body is, now and then */
};

struct wire_timer {
    uint64_t due; /* of the wire's clock */
    void *ctx;
    void (*fire)(void *ctx);
    struct wire_timer *next;
};

struct wire *wire_open(void); /* NULL: libcurl does not start */
void wire_close(struct wire *w); /* what is still under way is cut off, without a call */

/* The same of a wire that goes on: nobody is called any more, and no timer fires. */
void wire_cut(struct wire *w);

/* `done` comes once, from wire_run(), whatever happens. A request that changes something is not repeated where its
 * answer is lost (`told`): whether that does harm is for the caller to know. */
void wire_send(struct wire *w, const struct wire_request *request);
/* The timer must not be set already. */
void wire_after(struct wire *w, struct wire_timer *timer, unsigned ms);

/* Until nothing is under way and no timer is set, or `stop` says so (NULL: never). */
void wire_run(struct wire *w, bool (*stop)(void *ctx), void *ctx);

uint64_t wire_now(void); /* ms, of a clock that only goes forward */


#endif
