/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OTAPULT_OFFER_SOURCE_H
#define OTAPULT_OFFER_SOURCE_H

#include "otapult/offer.h"

/* What a source is. All of it is called from the task of otapult_pull_poll(), one call at a time, and may block for
 * the network. Everything a server answers is hostile: bounded, read by scan.h, fetched by call.h. */

/* What a source works on. */
struct otapult_source_env {
    struct otapult            *device;
    const struct otapult_pull *pull;   /* the configuration: fetch, id, source_config */
    void     *memory;                  /* OTAPULT_SOURCE_RAM bytes, the source's own; zeros at start */
    struct otapult_app_desc running;   /* what runs; all zeros where it cannot be read */
    const char *owed; /* the action whose end is known and not told yet; NULL: none */
    uint32_t  asked;  /* questions so far */
    bool      unchanged; /* set by ask(): there is nothing else than at its last answer: what was offered stays, *out is
                          * not looked at */
    uint32_t  next_s; /* set by ask(): the server wants to be asked again in so many seconds; 0: the configuration's */
    /* The finding of an error. A text that is not static is put into `text`. */
    struct otapult_finding why;
    char      text[64];
};

/* What becomes of an offer. */
enum otapult_report_kind {
    OTAPULT_REPORT_TAKEN,     /* a person or the policy wants it; a source with needs_consent is asked again then */
    OTAPULT_REPORT_DENIED,    /* a person has skipped it */
    OTAPULT_REPORT_PROGRESS,  /* `done` of `total` bytes are here: at most ten times an offer */
    OTAPULT_REPORT_WRITTEN,   /* verified in flash; the restart comes, nothing is proved yet */
    OTAPULT_REPORT_STAGED,    /* verified in flash, and waits there: only_write was said */
    OTAPULT_REPORT_SUCCEEDED, /* it runs, and was confirmed by its own health checks */
    OTAPULT_REPORT_FAILED,    /* refused, or it went back: `text` is what the journal says */
};

struct otapult_report {
    enum otapult_report_kind kind;
    const char *action; /* of the offer */
    uint32_t    done, total;
    const char *text; /* English, one line; "" for none */
};

struct otapult_source {
    const char *name; /* for people, journal and API: "folder"; at most 12 characters */

    /* What of the configuration is wrong; NULL: nothing. `trusted`: keys whose signatures count on this device. */
    const char *(*fault)(const struct otapult_pull *pull, bool secure, unsigned trusted);

    /* What is there? 0: *out, which came in as zeros; its file_count 0 means nothing, or with `unfit` nothing that this robot may have. An error: see env->why, what was
     * offered before stays. */
    int (*ask)(struct otapult_source_env *env, struct otapult_offer *out);

    /* Header lines that go with each download of an offer; "" for none. They are not sent to another host.
     * Lives until the next call of the source. */
    const char *(*headers)(struct otapult_source_env *env);

    /* NULL: nobody wants to know. 0: told, or not wanted any more. OFFER_WITHDRAWN: stop, the source has taken
     * it back (PROGRESS and TAKEN only). Any other error: SUCCEEDED and FAILED are told again later, across
     * restarts; the rest is forgotten. */
    int (*report)(struct otapult_source_env *env, const struct otapult_report *report);
};

#endif
