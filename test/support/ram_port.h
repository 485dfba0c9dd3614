/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TEST_RAM_PORT_H
#define TEST_RAM_PORT_H

#include "otapult/port.h"

/* A port without slots: key-value store, clock, random numbers and lock, in memory. It holds the core to
 * its promise to call nothing but lock and unlock while it holds the lock. */

#define RAM_PORT_KEYS 32u

struct ram_port {
    struct otapult_port port; /* hand this to the core; its ctx is this struct */
    struct {
        char    key[16];
        uint8_t value[256];
        size_t  len; /* 0: the place is free */
    } kv[RAM_PORT_KEYS];
    uint32_t clock;   /* ms; stands still unless a test moves it */
    uint32_t random;  /* state of a generator that repeats itself in every run */
    unsigned writes;  /* of the store, that changed something */
    unsigned locked;
    enum otapult_reset reset; /* why this boot happened; a test sets it, ram_port_begin() to SOFTWARE */
    int      get_error, set_error, random_error; /* what these calls return; 0: they work */
    char     log[256]; /* the last line */
    enum otapult_log_level log_level; /* and its level */
    /* called in kv_set before anything happens; NULL: nothing is */
    void (*before_set)(void *ctx, const char *key);
    void *before_ctx;
};

void ram_port_begin(struct ram_port *p);

/* The stored value of `key` and its length, NULL when there is none. */
const uint8_t *ram_port_value(const struct ram_port *p, const char *key, size_t *len);

/* True when these bytes stand anywhere in the store. */
bool ram_port_holds(const struct ram_port *p, const void *bytes, size_t len);

#endif
