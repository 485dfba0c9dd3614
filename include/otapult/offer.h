/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OTAPULT_OFFER_H
#define OTAPULT_OFFER_H

#include "otapult/otapult.h"

/* Releases that the device fetches by itself. A source (a web folder, a server) says what there is; the device
 * keeps at most one such offer, shows it, and takes it when policy, window and application allow. What comes goes the
 * way of an upload: the same judge, read-back, trial and journal.
 *
 *   static union otapult_pull_memory memory;
 *   static const struct otapult_folder folder = {.url = "https://example.org/rover/otapult.json"};
 *   static const struct otapult_pull pull = {
 *       .code = &otapult_pulling, .memory = &memory, .id = "rover-7", .fetch = …, .clock = …,
 *       .source = &otapult_folder, .source_config = &folder, OTAPULT_PULL_DEFAULT};
 *   config.pull = &pull;            before otapult_start()
 *   otapult_pull_poll(o);           every 100 to 1000 ms, from a task of its own: it blocks for the network
 *
 * A firmware that leaves config.pull NULL carries none of its code. No address ever comes from a request: where
 * sources are is configuration, and what they name is resolved from there. */

/* ---- what is offered ---- */

#define OTAPULT_OFFER_URL    256u /* an address with its NUL; longer ones are refused */
#define OTAPULT_OFFER_NOTES  240u /* what is new, with its NUL; longer texts are cut */
#define OTAPULT_OFFER_ACTION 40u  /* what the source calls it, with its NUL */
#define OTAPULT_OFFER_FILES  2u

/* One file that gives the image; its first bytes tell a decoder what it is packed as. */
struct otapult_offer_file {
    char     url[OTAPULT_OFFER_URL];
    uint32_t size;       /* of the file as it is sent */
    uint8_t  sha256[32]; /* over that */
};

enum otapult_urgency { OTAPULT_ROUTINE, OTAPULT_URGENT };

struct otapult_offer {
    char     version[32], project[32]; /* "": the source does not say */
    char     build[OTAPULT_BUILD_ID_CHARS + 1]; /* the same */
    char     notes[2][OTAPULT_OFFER_NOTES];     /* English, Russian; "" where there are none */
    char     action[OTAPULT_OFFER_ACTION];      /* the source's own name of it, for its reports */
    uint32_t size;       /* of the image as flash will hold it; 0: the source does not say */
    uint8_t  sha256[32]; /* over that; where has_sha256 */
    bool     has_sha256;
    bool     downgrade;     /* the source means an older version on purpose */
    bool     version_is_label; /* the version is the source's word for it: that it is the same proves nothing */
    bool     only_write;    /* write and verify it, and let it wait: the source will say when it is to start */
    bool     not_now;       /* the source itself says: know it, do not install it yet */
    bool     needs_consent; /* a person must say yes, whatever the policy; the files come when the source was told of it */
    uint8_t  urgency;       /* enum otapult_urgency */
    uint8_t  file_count;    /* 0: there is no offer (or needs_consent) */
    const char *unfit;      /* there is a release, and why it is no offer to this robot: English, static; or NULL */
    struct otapult_offer_file file[OTAPULT_OFFER_FILES]; /* the first is tried first; the last is the plain one */
};

/* What offers are told apart by: the first bytes of the SHA-256 of the image, else of the last file, else of
 * the action. */
#define OTAPULT_OFFER_KEY 8u

/* ---- what it asks of the outside world ---- */

/* One request. Strings live until run() returns. */
struct otapult_fetch_request {
    const char *method;  /* "GET", "POST", "PUT" */
    const char *url;     /* http or https, already checked */
    const char *headers; /* "Name: value\r\n" lines, ASCII; "" for none. Host and Content-Length are the port's */
    const void *body;    /* NULL: none */
    size_t      body_len;

    /* Where the answer goes: its status once and each header, in any order, then its bytes. None is called after one
     * of them has returned an error, and that error is what run() returns. Interim answers (1xx) are not shown. */
    void *to;
    int  (*status)(void *to, int status);
    void (*header)(void *to, const char *name, const char *value);
    int  (*data)(void *to, const uint8_t *p, size_t n); /* may block as otapult_feed() does */
};

/* HTTP as a client: port/host with libcurl, port/esp-idf with esp_http_client. Called from the task of
 * otapult_pull_poll() alone. */
struct otapult_fetch {
    void *ctx;
    /* Returns 0 when the answer was complete, whatever its status. It follows no redirect, sends no cookie, asks for
     * no compression, and takes no longer than its own time limits for connecting and for silence.
     * https: the certificate is verified, for this host, by what the port is configured with; there is no way
     * round. Errors: SOURCE_UNREACHABLE: no connection; SOURCE_CERTIFICATE: the server is not who it should be;
     * SOURCE_LOST: it ended early, or fell silent; each with the library's words in why->text (static, or the
     * port's own until the next call). */
    int (*run)(void *ctx, const struct otapult_fetch_request *request, struct otapult_finding *why);
};

/* The time on the wall. */
struct otapult_wall_time {
    uint32_t unix_s;  /* seconds since 1970 in UTC, until 2106 */
    uint16_t minute;  /* of the day here: 0 to 1439 */
    uint8_t  weekday; /* here: 0 Sunday to 6 Saturday */
};
struct otapult_clock {
    void *ctx;
    /* false: it is not known, as before the first answer of a time server. Must not block. */
    bool (*now)(void *ctx, struct otapult_wall_time *out);
};

/* ---- configuration ---- */

enum otapult_pull_policy {
    OTAPULT_PULL_ASK,    /* only when a person says so */
    OTAPULT_PULL_URGENT, /* urgent ones by itself, others when a person says so */
    OTAPULT_PULL_AUTO,   /* by itself */
};

/* When a device may take an offer by itself; a person may at any time. */
struct otapult_window {
    uint16_t from, to; /* minutes of the day, local time; from > to: over midnight; equal: at any time, without a clock too */
    uint8_t  days;     /* bit n: weekday n, of the moment it begins; 0: every day */
};

struct otapult_source;  /* src/offer/source.h says what one is; these are there: */
struct otapult_pulling; /* the code: reached through the configuration alone */
extern const struct otapult_pulling otapult_pulling;

/* RAM: the offer, the state, the source's own. Checked by the build. */
#define OTAPULT_SOURCE_RAM 3072u
#define OTAPULT_PULL_RAM   (OTAPULT_SOURCE_RAM + 3328u)

union otapult_pull_memory {
    uint64_t      align;
    unsigned char bytes[OTAPULT_PULL_RAM];
};

/* All of it must outlive the device. */
struct otapult_pull {
    const struct otapult_pulling *code;   /* &otapult_pulling */
    const struct otapult_source  *source; /* &otapult_folder, … */
    const void                   *source_config; /* struct otapult_folder, … */
    const struct otapult_fetch   *fetch;
    const struct otapult_clock   *clock; /* NULL: there is none, and nothing that needs a window happens by itself */
    union otapult_pull_memory    *memory;
    const char *id; /* the robot's own, such as its serial number: spreads requests, says whose turn it is */

    uint32_t first_s; /* the first question comes at most so long after the start */
    uint32_t ask_s;   /* from one to the next, unless the source says otherwise; a tenth of it is spread by `id` */
    uint32_t retry_s; /* after a failure; doubled with each, up to ask_s */
    uint8_t  policy;  /* enum otapult_pull_policy */
    bool     downgrade;  /* may an offer that says so be below what runs? */
    bool     plain_http; /* http:// too: only where signatures are required */
    struct otapult_window window;
    const char *const *redirect_hosts; /* hosts a redirect may lead to, beside the source's own; NULL behind the
                                        * last; may be NULL */
};

#define OTAPULT_PULL_DEFAULT .first_s = 300, .ask_s = 21600, .retry_s = 60

/* ---- sources ---- */

/* A folder on any web server, as `otapult release` writes it: docs/pull.md. */
extern const struct otapult_source otapult_folder;
struct otapult_folder {
    const char *url; /* of otapult.json */
    const char *channel; /* NULL: whatever the folder is; else it must be this one */
    /* The open profile only: its manifest counts without a signature where config.keys names no key. */
    bool        unsigned_is_enough;
};

/* hawkBit, or any server that speaks its DDI: docs/hawkbit.md. config.pull's id is the robot's controllerId there. What is
 * assigned as forced is urgent, as soft a routine; the server's own interval of polling replaces ask_s. */
extern const struct otapult_source otapult_hawkbit;
struct otapult_hawkbit {
    const char *url;     /* what stands before /TENANT/controller/v1: "https://hawkbit.example.org" */
    const char *tenant;  /* NULL: "DEFAULT" */
    const char *token;   /* of this robot, or of the gateway */
    bool        gateway; /* it is the gateway's */
};

/* ---- calls ---- */

/* One step of whatever is due: a question, a piece of a download, a report. Blocks as long as the network and the
 * flash do. From one task only, and not the one of otapult_poll(). Does nothing without config.pull. */
void otapult_pull_poll(struct otapult *o);

enum otapult_offer_choice { OTAPULT_OFFER_INSTALL, OTAPULT_OFFER_LATER, OTAPULT_OFFER_SKIP };

/* A person's word on the offer. INSTALL: as soon as the application is ready, whatever policy and window say; LATER:
 * not by itself before a day has passed or the device restarts; SKIP: never again, unless a person says INSTALL.
 * `by` as in the journal, NULL: the device. From any task; nothing is fetched here.
 * Errors: NO_SOURCE, NO_OFFER; OFFER_OLDER, OTHER_PROJECT: not even a person; LATER and SKIP while it comes: those of
 * otapult_end_update(). */
OTAPULT_MUST_CHECK int otapult_offer_choose(struct otapult *o, enum otapult_offer_choice choice, const char *by,
                                            struct otapult_finding *why);

enum otapult_pull_state {
    OTAPULT_PULL_IDLE,     /* no offer; where there is a release all the same, `wait` says why it is none */
    OTAPULT_PULL_OFFERED,  /* there is one; `wait` says what it waits for */
    OTAPULT_PULL_FETCHING, /* it comes: the status of the device has the numbers */
    OTAPULT_PULL_TRYING,   /* written; its trial is not over */
};

/* What anybody may know of it. */
struct otapult_offer_view {
    uint8_t     state; /* enum otapult_pull_state */
    const char *source;
    /* OFFERED and FETCHING; IDLE: of a release that is not for this robot, else "": */
    char        version[32], project[32], build[OTAPULT_BUILD_ID_CHARS + 1];
    char        notes[OTAPULT_OFFER_NOTES];
    uint32_t    size;   /* to be fetched */
    bool        urgent;
    const char *wait;   /* what it waits for, English, static; NULL: for nothing */
    /* Of the last question: */
    int         error;  /* 0: it was answered */
    struct otapult_finding why;
    char        why_text[64];
    uint32_t    asked_s; /* ago; OTAPULT_SIZE_UNKNOWN: not yet */
    uint32_t    next_s;  /* until the next one */
};

/* false: the device has no source. From any task. */
bool otapult_offer_view(struct otapult *o, bool russian, struct otapult_offer_view *out);

#endif
