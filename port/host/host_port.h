/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OTAPULT_HOST_PORT_H
#define OTAPULT_HOST_PORT_H

#include <pthread.h>

#include "boot_model.h"
#include "flash/layout.h"
#include "nor_flash.h"
#include "otapult/port.h"
#include "store.h"

/* struct otapult_port over the emulated flash: what the core sees of a virtual board.
 * One struct a life of the device: host_port_boot() begins one after each reset. A power cut leaves by
 * longjmp and may leave `records` locked: the struct is dead then, host_port_end() is all it is good for. */

struct host_port {
    struct nor_flash  *nor;
    struct boot_result boot;
    struct store       store, vault; /* the latter in the partition "otapult", where the table has one */
    uint8_t            table[OTAPULT_TABLE_SIZE]; /* as it was at boot */
    unsigned           entries;
    int                table_error; /* of otapult_layout_fault() */
    struct otapult_finding table_why;
    char               table_text[OTAPULT_LAYOUT_TEXT];
    enum otapult_reset reset;
    uint64_t           born_us;
    bool               restart; /* the core asked for a restart */
    bool               quiet;   /* log lines are dropped */
    pthread_mutex_t    mutex;   /* the core's lock and unlock; never held during a flash operation */
    pthread_mutex_t    records; /* one task at a time reads or writes OTA data, or the store */
    struct slot_ctx {
        struct host_port *port;
        uint32_t          base, size;
        bool              read_only;
    } slot[OTAPULT_SLOTS_MAX + 2];
    struct otapult_port port; /* hand this to the core */
};

/* Runs the bootloader model and binds the port to what booted. false: nothing boots (h->boot.why). What
 * `h` held does not matter. A running test app, which is no slot, is OTAPULT_SLOT_NONE to the core. */
bool host_port_boot(struct host_port *h, struct nor_flash *nor, enum otapult_reset reset);
void host_port_end(struct host_port *h);

#endif
