/* SPDX-License-Identifier: Apache-2.0 */
#include "update/known.h"

#include <string.h>

#include "base/text.h"

/* A build and not a slot is remembered: a build that has failed may be sent again, into any slot. */

#define FAILED_KEY "ota.failed1" /* 1: the format, which is the struct below */

/* Newest first; "" behind the last. */
struct failures {
    char build[OTAPULT_FAILURES][OTAPULT_BUILD_ID_CHARS + 1];
};
_Static_assert(sizeof(struct failures) == 72, "stored format of the failures");

static void load(const struct otapult_port *port, struct failures *f)
{
    size_t len = 0;

    if (port->kv_get(port->ctx, FAILED_KEY, f, sizeof *f, &len) != 0 || len != sizeof *f)
        memset(f, 0, sizeof *f);
    for (size_t i = 0; i < OTAPULT_FAILURES; i++)
        f->build[i][OTAPULT_BUILD_ID_CHARS] = '\0';
}

static void save(const struct otapult_port *port, const struct failures *f)
{
    if (port->kv_set(port->ctx, FAILED_KEY, f, sizeof *f) != 0)
        port->log(port->ctx, OTAPULT_LOG_ERROR, "the store failed to keep which builds have failed here");
}

/* The place of a build in the list; OTAPULT_FAILURES: it is not there. */
static size_t place_of(const struct failures *f, const char *build)
{
    size_t n = 0;

    while (n < OTAPULT_FAILURES && strcmp(f->build[n], build) != 0)
        n++;
    return n;
}

static void take_out(struct failures *f, size_t at)
{
    memmove(f->build[at], f->build[at + 1], (OTAPULT_FAILURES - 1 - at) * sizeof *f->build);
    memset(f->build[OTAPULT_FAILURES - 1], 0, sizeof *f->build);
}

bool otapult_has_failed(const struct otapult_port *port, const char *build)
{
    struct failures f;

    load(port, &f);
    return build[0] != '\0' && place_of(&f, build) < OTAPULT_FAILURES;
}

void otapult_remember_failure(const struct otapult_port *port, const char *build)
{
    struct failures f;

    if (build[0] == '\0')
        return;
    load(port, &f);
    size_t at = place_of(&f, build);
    if (at == 0)
        return; /* the newest already */
    if (at == OTAPULT_FAILURES)
        at = OTAPULT_FAILURES - 1; /* the oldest is forgotten */
    memmove(f.build[1], f.build[0], at * sizeof *f.build);
    otapult_text_set(f.build[0], sizeof *f.build, build);
    save(port, &f);
}

void otapult_forget_failure(const struct otapult_port *port, const char *build)
{
    struct failures f;

    load(port, &f);
    size_t at = place_of(&f, build);
    if (at == OTAPULT_FAILURES)
        return;
    take_out(&f, at);
    save(port, &f);
}
