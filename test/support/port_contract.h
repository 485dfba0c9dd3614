/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TEST_PORT_CONTRACT_H
#define TEST_PORT_CONTRACT_H

#include "otapult/port.h"

/* The shared port test: what include/otapult/port.h promises, tried out on a port. A port is complete
 * when this passes on it. Needs neither a test framework nor an operating system, and about 10 KB of
 * static RAM, so that it runs on a board, too.
 *
 * It begins with a device that runs a confirmed image, has an otadata partition and a slot besides the
 * running one, and it writes into that slot, into OTA data, and into keys that begin with "pt.". */
struct port_contract {
    const struct otapult_port *port; /* of the life under way */
    const uint8_t *image;            /* one that this device boots */
    size_t         image_len;

    /* Restarts the device and sets `port` to that of its next life; false: it does not boot. NULL: not
     * possible here; what needs a restart is left out. */
    bool (*reboot)(struct port_contract *c);
    /* A promise was broken: an expression of port_contract.c, or "NAME is not implemented". Must not return. */
    void (*broken)(struct port_contract *c, const char *promise, int line);
    void *ctx; /* for the two functions above */
};

void port_contract_test(struct port_contract *c);

#endif
