/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TEST_WORLD_H
#define TEST_WORLD_H

#include "host_port.h"
#include "otapult/otapult.h"
#include "sample_image.h"

/* A whole device in memory for tests: small emulated flash, bootloader model, host port and the core. A
 * world outlives its lives; each life is one boot. All of it is plain data but the flash, so that a world
 * can be wound back with world_restore(). */

#define WORLD_FLASH 0x40000u /* 256 KB: table, nvs, otadata, two or three app slots of 64 KB */

enum world_layout { WORLD_TWO_OTA, WORLD_FACTORY_OTA, WORLD_FACTORY_ONLY, WORLD_RECOVERY, WORLD_THREE_OTA };

struct world {
    struct nor_flash     nor;
    struct host_port     board;
    union otapult_memory memory;
    struct otapult      *ota;
    bool                 up;      /* a life is under way */
    int                  first_slot; /* that the last world_boot() booted first */
    enum otapult_reset   reset;   /* why the next life begins */
    uint32_t             clock;   /* ms; stands still unless a test moves it */
    bool                 locked;  /* the port's lock is held; nothing of the application may be called then */
    struct otapult_retained retained; /* garbage when a life begins with power */
    /* what the application says in its lives */
    bool                ready;
    enum otapult_health health; /* of the one check, "self-test" */
    int                 holds;  /* hold(true) minus hold(false) */
    int                 begun;  /* what otapult_begin() said, called from inside the last hold(true) */
    /* Called in each life with the configuration as it is above; may change it. NULL: nothing is. */
    void (*configure)(void *ctx, struct otapult_config *config);
    void *configure_ctx;
    /* Called in each life when the port is made and before the core sees it; NULL: nothing is. May change
     * *port, its ctx too. Stays through world_restore(). */
    void (*wrap)(void *ctx, struct otapult_port *port);
    void *wrap_ctx;
    /* Called whenever the port's lock is given back: another task's turn, if it had come just then. NULL: none. */
    void (*unlocked)(struct world *w);
};

/* Builds flash with the layout and `image` as factory firmware. */
void world_init(struct world *w, enum world_layout layout, const uint8_t *image, size_t len);
void world_end(struct world *w);

/* Flash as it is, into a buffer of WORLD_FLASH bytes, and back (a life under way ends without a word). */
void world_save(const struct world *w, uint8_t *copy);
void world_restore(struct world *w, const uint8_t *copy);

/* Boots: bootloader, port, otapult_start. false: nothing boots. When the core asks for a restart at once
 * (a re-activation) it boots again. */
bool world_boot(struct world *w);

/* Uploads in pieces of `piece` bytes. 0 or the error; the restart that follows is done by world_settle(). */
int world_upload(struct world *w, const uint8_t *image, size_t len, size_t piece);

/* The same, to be activated later. */
int world_stage(struct world *w, const uint8_t *image, size_t len, size_t piece);

/* Polls until nothing is due any more: confirmations, rejections, restarts (which boot again). */
bool world_settle(struct world *w);

/* Boots and uploads: the image runs in the other slot, and its health check says neither yes nor no. */
void world_begin_trial(struct world *w, const uint8_t *image, size_t len);

/* What the device shows, until the next call. */
const struct otapult_view *world_view(struct world *w);

/* The power goes, now; what the device was doing is forgotten. */
void world_pull_plug(struct world *w);

/* Version of the image in the slot that runs, or "" when no life is under way. */
const char *world_version(struct world *w);

#endif
