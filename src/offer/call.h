/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OTAPULT_OFFER_CALL_H
#define OTAPULT_OFFER_CALL_H

#include "otapult/offer.h"

/* One request to a source, with the redirects it leads to. */

#define OTAPULT_CALL_REDIRECTS 4u
#define OTAPULT_CALL_ETAG      96u /* with its NUL; a longer one is as none */

struct otapult_call {
    /* The caller's, all zeros where not needed. */
    const char *method;  /* NULL: GET */
    const char *url;
    const char *headers; /* NULL: none; not sent where a redirect leads to another host */
    const char *range;   /* header lines of a resumption, sent everywhere; NULL: none */
    const void *body;    /* with POST and PUT no redirect is followed */
    size_t      body_len;
    uint32_t    max;     /* bytes of the answer's body; more is SOURCE_ANSWER */
    bool        any_status; /* the caller looks at `status` itself: bodies of all of them are handed on */
    const char *known;   /* the ETag of what the caller has: then 304 is an answer, too, without a body. NULL, or "": it has
                          * nothing */
    void       *to;
    int (*begin)(void *to, const struct otapult_call *c); /* the headers are in; may be NULL */
    int (*data)(void *to, const uint8_t *p, size_t n);    /* may be NULL: the body is dropped */

    /* What came. */
    int      status;
    uint32_t length;             /* of the body; OTAPULT_SIZE_UNKNOWN where it was not said */
    uint32_t from, whole;        /* of Content-Range; UNKNOWN where it was not said */
    uint32_t retry_s;            /* of Retry-After; 0: not said */
    uint32_t got;                /* bytes of the body */
    char     etag[OTAPULT_CALL_ETAG]; /* byte for byte, as If-Range wants it back */
    char     location[OTAPULT_OFFER_URL]; /* where it came from at last */

    /* Its own. */
    char     next[OTAPULT_OFFER_URL];
    uint8_t  redirects;
    bool     begun;
};

/* Runs it. 0: the answer is complete, its status 200 or 206, 304 where something is `known`, or, with any_status, whatever it is.
 * SOURCE_STATUS: another status. SOURCE_REDIRECT: too many, to another host, to http:// or to what is no address.
 * SOURCE_ANSWER: longer than `max`. The errors of the fetch port, and of begin() and data(). */
OTAPULT_MUST_CHECK int otapult_call_run(struct otapult_call *c, const struct otapult_pull *pull,
                                        struct otapult_finding *why);

#endif
