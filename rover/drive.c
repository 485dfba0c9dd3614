/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <string.h>

#include "rover_internal.h"

#define FULL_SPEED    0.5 /* metres a second at 100 % */
#define PAGE_HOLDS_MS 1000u
#define WHEELBASE     0.2 /* metres between the wheels */
#define DEGREE        (3.14159265358979323846 / 180.0)

void rover_lock(struct rover *r)
{
    r->port->lock(r->port->ctx);
}

void rover_unlock(struct rover *r)
{
    r->port->unlock(r->port->ctx);
}

static uint32_t now(const struct rover *r)
{
    return r->port->now_ms(r->port->ctx);
}

/* Under lock: where the rover has got to since the last call. Exact enough for a drawing. */
static void move(struct rover *r, uint32_t until)
{
    double seconds = (int32_t)(until - r->moved_ms) / 1000.0;
    double left = r->left * FULL_SPEED / 100, right = r->right * FULL_SPEED / 100;

    r->moved_ms = until;
    if (seconds <= 0)
        return;
    double turn = (right - left) / WHEELBASE * seconds / DEGREE;
    double course = (r->heading + turn / 2) * DEGREE;
    r->x += (left + right) / 2 * seconds * cos(course);
    r->y += (left + right) / 2 * seconds * sin(course);
    r->heading = fmod(r->heading + turn + 3600, 360);
}

/* Under lock. */
static void set_motors(struct rover *r, int left, int right)
{
    r->left = left;
    r->right = right;
    r->hardware->motors(r->hardware->ctx, left, right);
}

/* Under lock: position up to now, and a stop when the last command has ended. */
static void advance(struct rover *r)
{
    uint32_t t = now(r);
    bool over = (r->left != 0 || r->right != 0) && (int32_t)(t - r->until_ms) >= 0;

    move(r, over ? r->until_ms : t);
    if (over)
        set_motors(r, 0, 0);
    r->moved_ms = t;
}

void rover_poll(struct rover *r)
{
    rover_lock(r);
    advance(r);
    rover_unlock(r);
}

bool rover_drive(struct rover *r, int left, int right)
{
    rover_lock(r);
    advance(r);
    bool allowed = !r->held || (left == 0 && right == 0);
    if (allowed) {
        set_motors(r, left, right);
        r->until_ms = now(r) + ROVER_DRIVE_MS;
    }
    rover_unlock(r);
    return allowed;
}

void rover_look(struct rover *r, struct rover *copy)
{
    rover_lock(r);
    advance(r);
    *copy = *r;
    rover_unlock(r);
}

/* ---- what Otapult asks ---- */

static bool ready(void *app, char *why, size_t cap)
{
    static const char reason[] = "I am driving";
    struct rover seen;

    rover_look(app, &seen);
    if (seen.left == 0 && seen.right == 0)
        return true;
    if (cap >= sizeof reason)
        memcpy(why, reason, sizeof reason);
    return false;
}

static void hold(void *app, bool on)
{
    struct rover *r = app;

    rover_lock(r);
    advance(r);
    r->held = on || (r->ota != NULL && otapult_safe_mode(r->ota));
    if (r->held)
        set_motors(r, 0, 0);
    rover_unlock(r);
}

static enum otapult_health check_network(void *app, char *why, size_t cap)
{
    struct rover *r = app;
    return r->hardware->network(r->hardware->ctx, why, cap);
}

/* A request of one's own takes its time, and checks are asked at every poll: an answer holds for a second. */
static enum otapult_health check_page(void *app, char *why, size_t cap)
{
    struct rover *r = app;

    if (r->page_answered && now(r) - r->page_ms < PAGE_HOLDS_MS)
        return OTAPULT_HEALTH_PASS;
    enum otapult_health health = r->hardware->page(r->hardware->ctx, why, cap);
    r->page_answered = health == OTAPULT_HEALTH_PASS;
    r->page_ms = now(r);
    return health;
}

static enum otapult_health check_drive(void *app, char *why, size_t cap)
{
    struct rover *r = app;
    return r->hardware->drive(r->hardware->ctx, why, cap);
}

void rover_configure(struct rover *r, struct otapult_config *config,
                     struct otapult_health_check checks[ROVER_CHECKS], const struct rover_hardware *hardware)
{
    checks[0] = (struct otapult_health_check){"network", check_network};
    checks[1] = (struct otapult_health_check){"page", check_page};
    checks[2] = (struct otapult_health_check){"drive", check_drive};
    config->ready = ready;
    config->hold = hold;
    config->app = r;
    config->checks = checks;
    config->check_count = ROVER_CHECKS;
    *r = (struct rover){.port = config->port, .hardware = hardware, .heading = 90};
    r->moved_ms = now(r);
}

void rover_start(struct rover *r, struct otapult *ota)
{
    r->ota = ota;
    rover_lock(r);
    r->held = otapult_safe_mode(ota);
    set_motors(r, 0, 0);
    rover_unlock(r);
}
