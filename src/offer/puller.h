/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OTAPULT_OFFER_PULLER_H
#define OTAPULT_OFFER_PULLER_H

#include "offer/call.h"
#include "offer/kept.h"
#include "offer/policy.h"
#include "offer/source.h"
#include "trust/sha256.h"
#include "update/door.h"

/* What lies in a union otapult_pull_memory, and what every file of the puller needs. Each uses only what stands
 * below it:
 *
 *   pull      start, poll: what is due now
 *   choose    a person's word; what anybody may know
 *   fetch     the download, from begin to finish, with its resumptions
 *   settle    what became of what was written, after the restart; reports that are due
 *   puller    struct otapult_puller, lock, errors, the offer's key
 *   kept      policy      call      url      scan
 *
 * Tasks. Requests choose and look; all the rest is the task of otapult_pull_poll(). What both see is under
 * the port's lock, for as long as a copy takes. */

/* One file of the offer on its way. */
struct otapult_fetching {
    uint32_t ticket;    /* others read it too, under the lock while the state is FETCHING */
    uint8_t  file;      /* of the offer's files */
    uint8_t  parts;     /* of OTAPULT_FETCH_PARTS that are told to the source */
    uint8_t  failures;  /* attempts in a row that brought nothing */
    bool     again;     /* the server sends it from the beginning: what is here already is only compared */
    bool     hashed;    /* `sha` is; false: of a packed file that goes on after a restart it cannot be */
    uint32_t got;       /* bytes that the device has */
    uint32_t from;      /* as many were in flash already when it began, from an attempt that broke off */
    uint32_t mark, mark_ms; /* how many it had when it last got on, and when */
    uint32_t next_ms;   /* the next attempt */
    int      err;       /* of the device, which has ended the update with it */
    struct otapult_sha256 sha;     /* over them */
    struct otapult_sha256 compare; /* over what is sent again */
    uint32_t compared;
    char     etag[OTAPULT_CALL_ETAG]; /* of the answer that they are from */
    struct otapult_call call;
};

struct otapult_puller {
    struct otapult            *device;
    const struct otapult_port *port;
    const struct otapult_pull *pull;

    /* under lock */
    struct otapult_offer offer; /* file_count 0, and no needs_consent: there is none */
    uint8_t  key[OTAPULT_OFFER_KEY]; /* of it */
    uint8_t  state;             /* enum otapult_pull_state */
    const char *wait;
    int      bar;               /* the error that answers a person's INSTALL; 0: it may be installed */
    bool     has_word;          /* a person's word that the poll has not looked at yet */
    uint8_t  word;              /* enum otapult_offer_choice */
    int      error;             /* of the last question or attempt */
    struct otapult_finding why;
    char     why_text[64];
    bool     asked;             /* at asked_ms */
    uint32_t asked_ms, next_ms; /* the last question, and when the next is due */

    /* the poll's */
    struct otapult_kept kept;
    bool     settled;    /* what was kept at start is understood */
    bool     later;      /* a person said so at later_ms */
    uint32_t later_ms;
    uint32_t failures;   /* questions in a row without an answer */
    uint32_t mismatches; /* files of this offer that were not the announced ones */
    uint32_t hold_ms;    /* nothing is begun before: the device was busy, or a download failed */
    bool     holding;
    uint32_t holds;      /* failed downloads in a row */
    uint32_t report_ms;  /* a report is told again then */
    uint32_t reports;    /* failed ones in a row */
    uint8_t  same[OTAPULT_OFFER_KEY]; /* of an offer that was found to be what runs; zeros: none */
    bool     failed;     /* what is offered has failed on this robot: looked up when it came, not at each poll */
    bool     consented;  /* TAKEN was told since the last question */
    bool     hurried;    /* and once the source was asked for the files at once */
    uint8_t  packed_failed; /* a packed file of this offer was refused: the plain one is next */
    int      noted;      /* the error that stands in the journal */
    struct otapult_source_env env;
    union { /* a question and a download exclude each other */
        struct otapult_offer    fresh;
        struct otapult_fetching fetch;
    };
    union {
        uint64_t      align;
        unsigned char source[OTAPULT_SOURCE_RAM];
    };
};
_Static_assert(sizeof(struct otapult_puller) <= OTAPULT_PULL_RAM, "as offer.h says");

/* The puller of a device that has one. */
struct otapult_puller *otapult_puller_of(const struct otapult *o);

void otapult_puller_lock(const struct otapult_puller *p);
void otapult_puller_unlock(const struct otapult_puller *p);
uint32_t otapult_puller_now(const struct otapult_puller *p);

/* Has the moment `at` come? */
bool otapult_puller_due(const struct otapult_puller *p, uint32_t at);

bool otapult_has_offer(const struct otapult_offer *offer);

/* Never all zeros. */
void otapult_offer_key(const struct otapult_offer *offer, uint8_t key[OTAPULT_OFFER_KEY]);

/* Puts *offer (NULL: none) in place of the one that is there. One that is unfit is kept to be shown. */
void otapult_puller_offer(struct otapult_puller *p, const struct otapult_offer *offer);

void otapult_puller_state(struct otapult_puller *p, enum otapult_pull_state state, const char *wait, int bar);

/* Has a person chosen what is offered? Then there is no window. */
bool otapult_puller_chosen(const struct otapult_puller *p);

/* Sets `clockless` or `closed`, where it is so now. */
void otapult_puller_window(const struct otapult_puller *p, struct otapult_circumstances *c);

void otapult_puller_ask_at(struct otapult_puller *p, uint32_t ms);

/* What a question or an attempt ended with, 0 for good. An error that was not the last one gets into the journal, and
 * only then: it holds twelve entries, and a server may be away for weeks. */
void otapult_puller_ended(struct otapult_puller *p, int err, const struct otapult_finding *why);

void otapult_puller_save(const struct otapult_puller *p);

#endif
