/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OTAPULT_OFFER_KEPT_H
#define OTAPULT_OFFER_KEPT_H

#include "offer/call.h"
#include "otapult/offer.h"

/* What is known of offers across restarts, in the key-value store. A store that fails costs the memory, not the
 * update: it is logged. Only for the task of otapult_pull_poll(). */

enum otapult_kept_stage {
    OTAPULT_KEPT_NOTHING,
    OTAPULT_KEPT_COMING,    /* bytes of it come, or came before the power went */
    OTAPULT_KEPT_WRITTEN,   /* it was activated; what became of it is not known yet */
    OTAPULT_KEPT_SUCCEEDED, /* and this is not told to the source yet */
    OTAPULT_KEPT_FAILED,
};

#define OTAPULT_KEPT_KEYS 4u

struct otapult_kept {
    uint8_t  skipped[OTAPULT_KEPT_KEYS][OTAPULT_OFFER_KEY]; /* newest first; zeros behind the last */
    uint8_t  refused[OTAPULT_KEPT_KEYS][OTAPULT_OFFER_KEY];
    uint8_t  chosen[OTAPULT_OFFER_KEY]; /* by a person; zeros: none */
    uint8_t  proved[OTAPULT_OFFER_KEY]; /* confirmed here last; zeros: none */
    uint8_t  tried[OTAPULT_OFFER_KEY];  /* what the rest is about */
    uint32_t update; /* id of the update, as in struct otapult_update */
    uint32_t boot;   /* in which it was written */
    uint8_t  stage;  /* enum otapult_kept_stage */
    uint8_t  again;  /* times that `tried` was written, and another firmware ran, and nobody knew why */
    uint8_t  told;   /* the source knows how `action` ended */
    uint8_t  spare;
    char     action[OTAPULT_OFFER_ACTION];
    char     text[80]; /* FAILED: what the journal says */
};

void otapult_kept_load(struct otapult_kept *k, const struct otapult_port *port);
void otapult_kept_save(const struct otapult_kept *k, const struct otapult_port *port);

/* The ETag of the file of that SHA-256, to ask the server for the rest after a restart. "": not known. */
void otapult_kept_etag(const struct otapult_port *port, const uint8_t file[32], const char *etag);
void otapult_kept_load_etag(const struct otapult_port *port, const uint8_t file[32], char etag[OTAPULT_CALL_ETAG]);

bool otapult_kept_has(uint8_t (*keys)[OTAPULT_OFFER_KEY], const uint8_t key[OTAPULT_OFFER_KEY]);
void otapult_kept_add(uint8_t (*keys)[OTAPULT_OFFER_KEY], const uint8_t key[OTAPULT_OFFER_KEY]);
void otapult_kept_remove(uint8_t (*keys)[OTAPULT_OFFER_KEY], const uint8_t key[OTAPULT_OFFER_KEY]);

#endif
