/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OTAPULT_OFFER_DDI_H
#define OTAPULT_OFFER_DDI_H

#include "offer/scan.h"
#include "otapult/offer.h"

/* What hawkBit answers to a robot (its Direct Device Integration API), read as a stream: the poll, and one action, which
 * is a deployment, a confirmation or a cancellation. Members it does not know are skipped. The answer is hostile as any
 * other: its caller bounds how long it may be (`max` in call.h), the struct below what is kept of it. */

enum otapult_ddi_link { OTAPULT_DDI_NOTHING, OTAPULT_DDI_DEPLOYMENT, OTAPULT_DDI_CONFIRMATION, OTAPULT_DDI_CANCEL };

#define OTAPULT_DDI_ID 20u /* digits of an action's number, with the NUL */

struct otapult_ddi {
    /* What the poll says. */
    uint32_t sleep_s; /* 0: not said, or not as HH:MM:SS */
    uint8_t  link;    /* enum otapult_ddi_link: what there is to do; a cancellation before all else */
    char     href[OTAPULT_OFFER_URL]; /* of it */

    /* What an action says. */
    char        id[OTAPULT_DDI_ID];
    char        stop_id[OTAPULT_DDI_ID]; /* of a cancellation: the action that ends */
    bool        only_download;
    const char *unfit; /* why this robot cannot take it, however well it is written; NULL: it can */

    /* Its own. */
    struct otapult_offer     *offer; /* NULL: of the poll or a cancellation */
    struct otapult_offer_file file;  /* the artifact that is being read */
    bool has_sha256, has_url, has_tls; /* of it */
    bool is_plain;  /* its name says that it is an image and nothing packed */
    bool skip;         /* "update":"skip": download, do not start */
    bool window;       /* it has a maintenance window, so `skip` means: not before the window opens */
    bool plain[OTAPULT_OFFER_FILES]; /* of the offer's files */
    uint8_t files_before; /* how many there were before this module */
    char    key[32], value[OTAPULT_OFFER_NOTES]; /* of the metadata that is being read */
    struct otapult_scan scan;
};

/* `offer`: all zeros, for a deployment or confirmation; NULL for the others. */
void otapult_ddi_init(struct otapult_ddi *d, struct otapult_offer *offer);

/* The next bytes. 0, or SOURCE_ANSWER; it stays. */
OTAPULT_MUST_CHECK int otapult_ddi_feed(struct otapult_ddi *d, const uint8_t *p, size_t n, struct otapult_finding *why);

/* The answer is complete, or SOURCE_ANSWER. A deployment's files: the one that is the image itself last, if it is there;
 * has_sha256 says so. Two files at most, all of one module. */
OTAPULT_MUST_CHECK int otapult_ddi_finish(struct otapult_ddi *d, struct otapult_finding *why);

#endif
