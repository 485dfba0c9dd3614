/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OTAPULT_UPDATE_COMMON_H
#define OTAPULT_UPDATE_COMMON_H

#include "decode/chain.h"
#include "flash/layout.h"
#include "trust/trust.h"
#include "update/door.h"
#include "update/journal.h"
#include "update/pace.h"
#include "update/session.h"
#include "update/trial.h"

/* The device, and what every file of this room needs. Only files of this room include this header; src/web
 * has door.h. Each file uses only what stands below it:
 *
 *   device      start, poll
 *   boot        what the last boot meant
 *   guard       crashes in a row, safe mode
 *   back        rollback, restart
 *   keys        users, keys, self-test; reached through o->keys alone
 *   upload      one file from begin to finish
 *   staged      what was written and waits
 *   resume      uploads that break off and go on; reached through o->resume alone
 *   intake      its bytes: decoders, then the session
 *   confirm     health checks, confirm, reject
 *   arm         makes a slot the next boot's
 *   slot_image  what lies in a slot            status what anybody may know
 *   way_back    where a rollback would go
 *   outcome     what became of the last update
 *   claim       who holds the device, and for what          ticket   which client, and is it inside
 *   common      struct otapult, lock, log, notes, the table of slots
 *   report      lines of the log
 *   session     same      trial     journal     known     pace     self_test
 *
 * Tasks. Requests come from the server's tasks, and poll() from a task of its own. What keeps them apart:
 *
 *   the lock    guards the words that stand under it below, and only for as long as it takes to read or write
 *               them. Under it nobody calls a function of the port, but the clock's; no callback of the
 *               application; nothing of the session. So a task that waits for it never waits for flash, and
 *               no callback can wait for a lock that its own caller holds.
 *   the claim   is for everything that takes longer. The task that has taken it (claim.h) may write to flash and use
 *               the session's memory, without the lock; no other task may, until it is given back.
 *   the ticket  (ticket.h) lets an upload hold the claim across many calls of its client. Between them poll() may end an
 *               upload that has stalled; `inside` says that a call is under way, and then it may not.
 *
 * poll() is called by one task only: it alone runs health checks and ends what has stalled, so `passed` needs
 * no claim while a check runs, and a check never runs twice at once. */
/* An upload that may go on later, as the store has it. */
struct otapult_upload_note {
    uint8_t  token[16]; /* all zeros: there is none */
    char     by[OTAPULT_WHO_NAME];
    uint32_t id, length;
    struct otapult_decoder_point point; /* where the file goes on after a restart: flash has the image that its bytes before
                                           this point make, up to the end of the last sector. All zeros: at the beginning */
    uint8_t  head[OTAPULT_DECODER_HEAD]; /* the file's first bytes */
    uint8_t  held[OTAPULT_SLOT_HELD];    /* the image's first bytes, which are not in flash */
    int8_t   slot;
    uint8_t  force, later;
    uint8_t  ended;     /* the upload ended well; in RAM only */
};

/* What the rest of this room tells resume.c, through o->resume. */
struct otapult_resume {
    void (*start)(struct otapult *o);          /* reads the note of an upload that broke off */
    void (*took)(struct otapult *o);           /* by the call that is inside: bytes of the file came */
    void (*ended)(struct otapult *o, int err); /* by the claim's holder: the update that runs has ended, 0: well */
    void (*erasing)(struct otapult *o);        /* by the claim's holder: the slot is about to be written */
    /* otapult_begin_download() */
    int  (*download)(struct otapult *o, const char *by, const struct otapult_update_options *options,
                     struct otapult_download *d, uint32_t *ticket, struct otapult_finding *why);
};

/* What it asks of keys.c, through o->keys: the secure profile, which a firmware of the open one does not link. */
struct otapult_keys {
    /* Before anything is verified. */
    void (*start)(struct otapult *o);
    /* What refuses every update: LOCKED, SIGNATURE_NO_KEYS, or 0. */
    int (*refusal)(const struct otapult *o, struct otapult_finding *why);
    /* Its part of the status; under lock. */
    void (*status)(const struct otapult *o, struct otapult_status *out);
    /* The running firmware stays: its security version is the least from now on and, with `learn`, those of its
     * built-in keys that have signed it are carried over into the store, for which the slot is read. Only for
     * the claim's holder. */
    void (*settle)(struct otapult *o, bool learn);
    void (*poll)(struct otapult *o);
    /* Just before a restart of the device's own. */
    void (*leave)(struct otapult *o);
};

#define OTAPULT_ENDED 4u /* more clients than that do not send at once */

struct otapult {
    const struct otapult_port *port;

    /* under lock */
    enum otapult_claim claim;
    char     by[OTAPULT_WHO_NAME]; /* for whom it was taken; "": for nobody but the device itself */
    bool     verifying;            /* the upload is complete; flash is read back */
    bool     restarting;           /* at restart_at_ms; the claim is never given back then */
    uint32_t restart_at_ms;
    const char *restart_why; /* for the log; NULL: it is there already */
    uint32_t ticket;      /* of the update that runs, 0: none */
    uint32_t tickets;     /* given out */
    struct otapult_ended {
        uint32_t ticket; /* 0: this place is empty */
        int      err;    /* what it ended with */
        struct otapult_finding why; /* its text, if there is one, is `text` below */
        char     text[64];
        bool     emptied; /* its slot held a firmware before, and holds none now */
    } ended[OTAPULT_ENDED]; /* tickets whose clients may still ask, in turn */
    unsigned ended_next;
    bool     had_image;   /* the slot of the update that runs held a firmware when it began */
    uint32_t update_ticket; /* of `update` */
    bool     inside;      /* a call of the ticket's client is under way */
    bool     ending;      /* somebody else has ended the update: its client is told at its next sector */
    bool     settled;     /* too late for that: the slot becomes the boot slot */
    bool     own_pace;    /* of the update that runs: its client is the device itself */
    char     ended_by[OTAPULT_WHO_NAME];
    struct otapult_pace pace;
    uint32_t received, written, total;
    struct otapult_update update; /* that runs, or ran last */
    int      target;      /* slot of the update that runs, or ran last */
    struct otapult_upload_note upload; /* of the resumable upload that runs, broke off or ended well */
    bool     resumable;   /* the update that runs is the one of `upload` */
    bool     upload_kept; /* the store has the note of `upload`; false: perhaps that of one that broke off before */
    struct otapult_update staged; /* what waits in its slot; id 0: nothing */
    uint32_t passed;      /* health checks, one bit each */
    uint32_t pending_since_ms;
    bool     pending;     /* the running firmware waits for its confirmation */
    bool     soaking;     /* all checks pass, without a break since soaking_since_ms */
    uint32_t soaking_since_ms;
    int      slots_error;
    struct otapult_slots slots;
    unsigned seen_count;  /* what is shown of the slots, as it was last read */
    struct otapult_slot_view seen[OTAPULT_VIEW_SLOTS];
    bool     look_again;  /* something of it could not be read: poll() tries again */
    struct otapult_trust trust; /* written with the claim as well: its holder may read it without the lock */

    /* set by start, and by nobody afterwards */
    const struct otapult_keys     *keys;  /* NULL: the open profile */
    const struct otapult_resume   *resume; /* NULL: no upload goes on */
    struct otapult_users          *users; /* NULL: nobody can log in */
    struct otapult_seal            seal;   /* over what `trust` and `users` have in the store */
    const char                    *locked; /* why updates are locked; NULL: they are not */
    struct otapult_config          config;
    struct otapult_journal         journal;

    /* poll's, and before it start's */
    enum otapult_reset reset;        /* why this life began, as the guard sees it */
    uint32_t           crashes;      /* in a row, before this life */
    int                crashed_slot; /* whose they were */
    bool               noted;        /* how this life goes, or ends, stands in port->retained */
    bool               safe_mode;    /* written at start only */

    /* the claim's holder's */
    bool                           held;     /* the application keeps still */
    bool                           resolved; /* what this boot means is known */
    bool                           force, later; /* options of the update that runs */
    bool                           misnamed;     /* the name of its file is not that of a firmware */
    struct otapult_inspect_limits  limits;
    struct otapult_version         running;  /* where older versions are refused; else empty */
    char                           refused[OTAPULT_LAYOUT_TEXT]; /* words of the last refusal before the first erase */
    char                           reason[64]; /* of the last `ready` that said no */
    uint32_t                       came;       /* bytes of the file as it is sent; readers have `received` */
    uint32_t                       again;      /* bytes that the decoder will make once more and flash has already: dropped */
    uint32_t                       least_length, most_length; /* of it, where they are known; the latter 0: not */
    struct otapult_chain           chain;      /* what unpacks them */
    struct otapult_session         session;    /* what gets the image that they are */
};

/* ---- common.c ---- */

void otapult_lock(struct otapult *o);
void otapult_unlock(struct otapult *o);
uint32_t otapult_now(const struct otapult *o);
void otapult_log(const struct otapult *o, enum otapult_log_level level, const char *line);

/* A call about a slot failed with `err`: uploads are refused with it until poll() gets through. */
void otapult_slots_failed(struct otapult *o, int err);

/* A journal entry, and its line in the log, about `slot`; any of trial, code, text and by may be NULL. */
void otapult_note(struct otapult *o, enum otapult_event event, int slot, const struct otapult_trial *trial,
                  const char *code, const char *text, const char *by);

/* Describes an image for its trial and the journal; `size` 0 where its end is not known. */
void otapult_describe(struct otapult_trial *trial, int slot, const struct otapult_app_desc *desc,
                      uint32_t size);

#endif
