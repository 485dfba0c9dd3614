/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ROVER_H
#define ROVER_H

#include "otapult/http.h"

/* The robot application: a two-wheeled rover with a home page, a drive pad and Otapult beside it. The
 * same source runs on the board and on the virtual rover; what differs stands in struct rover_hardware. */

#define ROVER_DRIVE_MS 1000u /* a drive command holds so long */

struct rover_hardware {
    void *ctx;
    /* Motor power in per cent, -100 to 100. Takes effect at once. */
    void (*motors)(void *ctx, int left, int right);
    /* Is the network up? WAIT while it comes up, FAIL with a reason when it cannot. */
    enum otapult_health (*network)(void *ctx, char *why, size_t cap);
    /* Did the page answer a request of the device's own? As above. */
    enum otapult_health (*page)(void *ctx, char *why, size_t cap);
    /* Do the motors answer their self-test? As above. */
    enum otapult_health (*drive)(void *ctx, char *why, size_t cap);
};

struct rover {
    const struct otapult_port   *port; /* clock and lock */
    const struct rover_hardware *hardware;
    struct otapult              *ota;

    /* under lock */
    int      left, right; /* per cent */
    bool     held;        /* an update runs, or safe mode: stand still */
    uint32_t until_ms;    /* when the last drive command ends */
    uint32_t moved_ms;    /* up to when position and heading are computed */
    double   x, y;        /* metres from the start */
    double   heading;     /* degrees, 90 is up, counter-clockwise */

    /* the polling task's */
    bool     page_answered; /* at page_ms */
    uint32_t page_ms;
};

#define ROVER_CHECKS 3

/* Fills the rover's part of Otapult's configuration: ready, hold, app and checks[ROVER_CHECKS], which must
 * outlive the device. Then the caller starts Otapult and calls rover_start(). */
void rover_configure(struct rover *r, struct otapult_config *config,
                     struct otapult_health_check checks[ROVER_CHECKS], const struct rover_hardware *hardware);
void rover_start(struct rover *r, struct otapult *ota);

/* Stops the motors when the last drive command has ended. From the task that polls Otapult. */
void rover_poll(struct rover *r);

/* The rover's routes: /, /api/status, /api/drive. */
void rover_site(struct otapult_site *site, struct rover *r);

/* The home page, packed from ui/. */
extern const struct otapult_asset rover_home_page;

#endif
