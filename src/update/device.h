/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OTAPULT_UPDATE_DEVICE_H
#define OTAPULT_UPDATE_DEVICE_H

#include "update/journal.h"
#include "update/session.h"
#include "update/trial.h"
#include "trust/users.h"
#include "web/multipart.h"

/* The secure profile, as the rest reaches it; src/web/profile.c says which function is which. */
struct otapult_secure {
    /* ---- signatures: update/secure.c ---- */
    void (*start)(struct otapult *o); /* before anything is verified */
    /* What refuses every update: LOCKED, SIGNATURE_NO_KEYS, or 0. */
    int (*refusal)(const struct otapult *o, struct otapult_finding *why);
    void (*status)(const struct otapult *o, struct otapult_status *out); /* its part; under lock */
    /* The running firmware stays: its security version is the least from now on and, with `keys`, those of
     * its built-in keys that have signed it are carried over into the store, for which the slot is read.
     * Nobody else may be at work: at start, or in a phase of the caller's. */
    void (*settle)(struct otapult *o, bool keys);
    /* The same, keys too, when it was confirmed just now. Waits for nobody: what a rollback or a restart
     * under way prevents is lost but for the security version, which the next start finds. */
    void (*confirmed)(struct otapult *o);

    /* ---- users: update/secure.c, web/login.c ---- */
    void (*poll)(struct otapult *o);
    void (*leave)(struct otapult *o); /* just before a restart of the device's own */
    /* What a request needs beside the gate's other checks: TLS, a login. Sets x->who, or answers. */
    void (*admit)(struct otapult_exchange *x);
    bool (*still)(const struct otapult_exchange *x); /* is it still so? */
    void (*name)(const struct otapult_exchange *x, char name[OTAPULT_WHO_NAME]);
    /* They take the places of the ones in ota_routes.c that say that the profile is open. */
    const struct otapult_route *routes;
    size_t route_count;
};

/* The device: one update at a time, who may touch it, and what becomes of it. What stands under `lock`
 * is read and written only between port->lock and port->unlock; the session and the parser belong to the
 * holder of the ticket while `inside` is not 0, and to nobody's reader otherwise. */
struct otapult {
    const struct otapult_port   *port;

    /* under lock */
    enum otapult_phase phase;
    uint32_t           ticket;      /* of the update that runs, 0: none */
    uint32_t           last_ticket; /* that ended last */
    int                last_err;    /* and with what */
    uint32_t           tickets;     /* given out */
    unsigned           inside;      /* calls of the holder under way */
    uint32_t           touched_ms;  /* when the holder was last inside */
    uint32_t           received, written, total;
    uint32_t           restart_at_ms;
    int                target;      /* slot of the update */
    uint32_t           passed;      /* health checks, one bit each */
    uint32_t           pending_since_ms;
    bool               pending;     /* the running firmware waits for its confirmation */
    bool               deciding;    /* its confirmation or rejection is being written */
    bool               resolved;    /* what this boot means is known */
    int                slots_error;
    struct otapult_slots slots;

    struct otapult_users        *users; /* NULL: nobody can log in */
    const char                  *locked;  /* why updates are locked; NULL: they are not */
    struct otapult_config        config;
    struct otapult_journal       journal;
    struct otapult_inspect_limits limits;
    struct otapult_version       running; /* where older versions are refused; else empty */
    struct otapult_trust         trust;   /* written under lock, and never while the holder may read it */
    char               reason[64];  /* of the last `ready` that said no */
    char               holder[OTAPULT_WHO_NAME]; /* who holds the ticket, for the journal */

    /* the holder's */
    struct otapult_multipart parser;
    struct otapult_session   session;
};

/* ---- for src/web: an upload's parser lives here, because there is only one upload ---- */

/* Begins a call of the ticket's holder: between enter and leave the update cannot be ended by anybody
 * else. Returns 0, or the error that has ended this ticket (then do not call leave). Nests. */
OTAPULT_MUST_CHECK int otapult_enter(struct otapult *o, uint32_t ticket);
void otapult_leave(struct otapult *o, uint32_t ticket);

/* The parser's memory. To be touched only between enter and leave. */
struct otapult_multipart *otapult_upload_parser(struct otapult *o);

/* Size of the slot that an update would go to if it began now; 0: none would. */
uint32_t otapult_room(struct otapult *o);

/* The slot of the update that runs, or ran last. */
int otapult_target(const struct otapult *o);

/* What the port says of slot `index`, without a look into its flash. 0, or the port's error. */
OTAPULT_MUST_CHECK int otapult_slot_row(struct otapult *o, int index, struct otapult_slot *slot);

/* What the image in slot `index` says of itself; all zeros, and *found false, where there is none. 0, or the
 * error of the port, which could not read it. */
int otapult_slot_desc(struct otapult *o, int index, struct otapult_app_desc *desc, bool *found);

/* Says who holds the ticket, for the journal. To be called once, between begin and the first byte. */
void otapult_name_holder(struct otapult *o, uint32_t ticket, const char *by);

/* As otapult_confirm() and otapult_rollback(), for whom the journal names. */
OTAPULT_MUST_CHECK int otapult_confirm_by(struct otapult *o, const char *by);
OTAPULT_MUST_CHECK int otapult_rollback_by(struct otapult *o, const char *by, struct otapult_finding *why);

/* A journal entry about password or tokens. */
void otapult_note_account(struct otapult *o, const char *text, const char *by);

/* The gate's: NULL is the open profile; who may log in (NULL: nobody can); names of this host or NULL. */
const struct otapult_secure *otapult_profile(const struct otapult *o);
struct otapult_users *otapult_device_users(const struct otapult *o);
const char *const *otapult_device_hosts(const struct otapult *o);

/* The device's chip, for the status. */
uint16_t otapult_device_chip(const struct otapult *o);
uint32_t otapult_device_stall_ms(const struct otapult *o);

/* ---- between the files of this room ---- */

/* Under the port's lock. */
void otapult_lock(struct otapult *o);
void otapult_unlock(struct otapult *o);
uint32_t otapult_now(const struct otapult *o);
void otapult_log(const struct otapult *o, const char *line);

/* Tells the application to keep still, or that it need not any more. Not under lock. */
void otapult_hold(struct otapult *o, bool on);

/* Reads what the port says of its slots into o->slots; on an error they stay, and o->slots_error is it. */
void otapult_refresh_slots(struct otapult *o);

/* Another call about a slot failed with `err`: uploads are refused with it until poll() gets through. */
void otapult_slots_failed(struct otapult *o, int err);

/* The restart, after config.restart_ms. Under lock. */
void otapult_restart_soon(struct otapult *o);

/* A journal entry about `slot`; any of trial, code and text may be NULL. */
void otapult_note(struct otapult *o, enum otapult_event event, int slot, const struct otapult_trial *trial,
                  const char *code, const char *text);

/* The same, asked for by `by`. */
void otapult_note_by(struct otapult *o, enum otapult_event event, int slot,
                     const struct otapult_trial *trial, const char *code, const char *text, const char *by);

/* Asks the application whether an update or a restart may happen now: 0 or NOT_READY. */
OTAPULT_MUST_CHECK int otapult_ask_ready(struct otapult *o, struct otapult_finding *why);

/* Makes `slot` the next boot's, with a trial to go with it: saved before, armed after. `trial` has slot,
 * build, version, project and size set. Where signatures are required the slot is verified once more, last
 * of all. 0, FLASH_READBACK (it is not what was verified before) or the port's error, and then the old
 * choice still holds. */
OTAPULT_MUST_CHECK int otapult_arm(struct otapult *o, struct otapult_trial *trial);

/* Describes an image for its trial and the journal; `size` 0 where its end is not known. */
void otapult_describe(struct otapult_trial *trial, int slot, const struct otapult_app_desc *desc,
                      uint32_t size);

/* What the image in the running slot says of itself, in the session's memory, which must be free. NULL: nothing. */
const struct otapult_app_desc *otapult_running_image(struct otapult *o);

/* Verifies slot `index` with the session's memory, which must be free. 0, LOCKED, or what is wrong. */
OTAPULT_MUST_CHECK int otapult_verify(struct otapult *o, int index, struct otapult_finding *why);

/* Limits for a slot of `size` bytes; `upload`: for what comes from outside, not for what is there. */
void otapult_set_limits(struct otapult *o, uint32_t size, bool upload);

/* ---- secure.c: of struct otapult_secure ---- */

void otapult_secure_start(struct otapult *o);
int otapult_secure_refusal(const struct otapult *o, struct otapult_finding *why);
void otapult_secure_status(const struct otapult *o, struct otapult_status *out);
void otapult_secure_settle(struct otapult *o, bool keys);
void otapult_secure_confirmed(struct otapult *o);
void otapult_secure_poll(struct otapult *o);
void otapult_secure_leave(struct otapult *o);

/* ---- health.c, upload.c ---- */

/* At start: reads the slots, finds the fate of the last trial, and what follows from it. Where the port's
 * slots fail, o->slots_error says so and everything is still to be done. */
void otapult_resolve_boot(struct otapult *o);

/* From poll: once more what the port's slots have refused. */
void otapult_poll_slots(struct otapult *o);

/* From poll: health checks and the deadline of the confirmation. */
void otapult_poll_health(struct otapult *o);

/* From poll: an upload that brings nothing. */
void otapult_poll_stall(struct otapult *o);

#endif
