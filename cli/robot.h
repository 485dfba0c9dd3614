/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_ROBOT_H
#define CLI_ROBOT_H

#include "address.h"
#include "config.h"
#include "device.h"
#include "fault.h"
#include "known_devices.h"
#include "wire.h"

/* One robot: how it is called, how one gets in, and, once it was asked, what it is. Its public key is pinned
 * on first use, and nothing is sent to a robot that shows another one: neither a request nor a password. */

struct robot {
    const char *name; /* as people call it; lives as long as the robot */
    struct address address;
    bool  first_use;  /* one that is not known yet is noted */
    long  timeout_s;
    const char *token, *password; /* from the command line, inventory or environment; NULL: none */
    const char *given_pin;        /* from the inventory; NULL: known_devices */
    char  connect_to[64];         /* what multicast DNS said its name stands for; "" */
    /* found out when it is asked */
    bool  met, tls;
    char  base[200], where[160]; /* "https://rover.local:8443", "rover.local:8443" */
    char  pin[64], fingerprint[96];
    char  stored_token[TOKEN_MAX];
    struct device device; /* as it answered last */
    char *status_text;    /* the same as it came, for --json; NULL */
    long  http_status;    /* of that answer */
    struct fault fault;   /* of the last call; status 0: there is none */
    const char *under_way; /* what is known of a call that has not been answered; NULL: none is under way */
    /* while it is asked */
    struct wire *wire;
    unsigned door;    /* of the ports and schemes that it may have */
    bool  silent;     /* one of them did not even refuse */
    char  tried[300]; /* what came of the earlier ones */
    const char *wanted; /* the member that an answer must have */
    void *ctx;
    void (*asked)(void *ctx, struct robot *r);
    void (*answered)(void *ctx, struct robot *r, const struct wire_answer *a);
};

void robot_free(struct robot *r);

/* What people called it, and what it calls itself where that is another name: "192.168.1.7 (left-leg)". */
#define ROBOT_CALLED 300
void robot_called(const struct robot *r, char dst[ROBOT_CALLED]);

/* Finds the robot, under either scheme where none is given and at 443, 80 and 8080 where neither a scheme nor a port is,
 * and asks for its status; `done` is called once, with r->fault, or with r->device. Again later: the same robot by the
 * same way. */
void robot_ask(struct robot *r, struct wire *w, void (*done)(void *ctx, struct robot *r), void *ctx);

/* What is the same in every request to it; the caller adds the rest. `url` has room for base and path. */
#define ROBOT_URL 700
void robot_request(const struct robot *r, const char *path, struct wire_request *request, char url[ROBOT_URL]);

/* A POST without a body; `answered` is called with r->fault set where the robot refused, or does not say that it
 * did it. */
void robot_order(struct robot *r, struct wire *w, const char *path,
                 void (*answered)(void *ctx, struct robot *r, const struct wire_answer *a), void *ctx);

/* A GET; `answered` is called with r->fault set where nothing came of it, or nothing with `member`. */
void robot_get(struct robot *r, struct wire *w, const char *path, const char *member,
               void (*answered)(void *ctx, struct robot *r, const struct wire_answer *a), void *ctx);

/* Goes on until all calls are answered and no timer is set, or until Ctrl-C. Nobody is called after that. */
void robots_wait(struct wire *w);

/* After robots_wait(): a robot whose call was not answered gets the fault INTERRUPTED. */
void robot_leave(struct robot *r);

/* Does the answer come from the robot? Not when the wire failed, nor when a proxy says in its place that it did not
 * get through (429, 502 to 504 without a body of this API): what was asked is asked again then. */
bool robot_was_reached(const struct wire_answer *a);

/* What an answer says against: a wire that failed, a refusal of the robot, or an answer that is none of this
 * API. false: nothing, it is a success of this API. */
bool robot_fault(struct fault *f, const struct wire_answer *a);

/* The same; and an answer whose `member` is missing or false is none of this API. */
bool robot_fault_without(struct fault *f, const struct wire_answer *a, const char *member);

/* The same of an order, whose answer has `success`; a lost answer is a fault of its own, ANSWER_LOST. */
bool robot_order_fault(struct fault *f, const struct wire_answer *a);

void wire_fault(struct fault *f, const struct wire_answer *a);

#endif
