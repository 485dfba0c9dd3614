/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OTAPULT_UPDATE_DOOR_H
#define OTAPULT_UPDATE_DOOR_H

#include "base/error_rows.h"
#include "otapult/http.h"

/* What src/web and src/offer may ask of the device, beside the public otapult.h: the only header of this room that they
 * include. The struct behind `struct otapult` stays in this room, and so does what else its files tell each
 * other. Each function is defined in the file that it is about. All of it from any task. */

/* ---- requests: for `by`, whom journal and status name; NULL is the device itself ---- */

/* As otapult_begin_with(), _activate_staged(), _end_update(), _confirm(), _rollback(), _restart(). */
OTAPULT_MUST_CHECK int otapult_begin_by(struct otapult *o, const char *by,
                                        const struct otapult_update_options *options, uint32_t size,
                                        uint32_t *ticket, struct otapult_update *past,
                                        struct otapult_finding *why);
/* As otapult_finish(); *done is what otapult_last_update() says at that moment. */
OTAPULT_MUST_CHECK int otapult_finish_with(struct otapult *o, uint32_t ticket, struct otapult_update *done,
                                           struct otapult_finding *why);
OTAPULT_MUST_CHECK int otapult_activate_staged_by(struct otapult *o, const char *by, struct otapult_finding *why);
OTAPULT_MUST_CHECK int otapult_end_update_by(struct otapult *o, const char *by, struct otapult_finding *why);
/* The same for the update of `ticket` alone: NO_UPDATE when another runs by now. */
OTAPULT_MUST_CHECK int otapult_end_update_of(struct otapult *o, uint32_t ticket, const char *by,
                                             struct otapult_finding *why);
OTAPULT_MUST_CHECK int otapult_confirm_by(struct otapult *o, const char *by, struct otapult_finding *why);
OTAPULT_MUST_CHECK int otapult_rollback_by(struct otapult *o, const char *by, bool force,
                                           struct otapult_finding *why);
OTAPULT_MUST_CHECK int otapult_restart_by(struct otapult *o, const char *by, struct otapult_finding *why);

/* An upload was refused by what its headers say, before it could begin: a line of the console says it. */
void otapult_tell_refusal(struct otapult *o, const char *by, int err, const struct otapult_finding *why, uint32_t size);

/* Before the first byte: the file has between `least` and `most` bytes. What otapult_begin_by() was told may be an upper
 * bound only; this lets a file whose length says that it cannot be signed be refused with its head, where a signature
 * is required. A packed file's length says nothing. `misnamed`: its name is not that of a firmware. What the bytes are
 * counts more than the name: only an image is refused with FILE_NAME, with its head and before anything is erased; any
 * other file with what it is. 0, or the error that has ended the update. */
OTAPULT_MUST_CHECK int otapult_tell_file(struct otapult *o, uint32_t ticket, uint32_t least, uint32_t most,
                                         bool misnamed);

/* The client of `ticket` has sent something, but no bytes of the file, as another field of a form: so the update does not
 * count as stalled. 0, or the error that has ended it. */
OTAPULT_MUST_CHECK int otapult_touch(struct otapult *o, uint32_t ticket);

/* Why the update of `ticket` has ended. Where it ended too long ago to be remembered, its client was silent so long that
 * it had stalled. A finding's text is copied into text[cap]. */
void otapult_why_ended(struct otapult *o, uint32_t ticket, struct otapult_finding *why, char *text, size_t cap);

/* The update of `ticket` has ended, and with it went the firmware that its slot held before. */
bool otapult_has_emptied(struct otapult *o, uint32_t ticket);

/* 0 while the update of `ticket` runs, or the error that has ended it. Does not touch it. */
OTAPULT_MUST_CHECK int otapult_has_ended(struct otapult *o, uint32_t ticket);

/* The login of `by` (NULL: everybody's) has ended for good. An upload that was begun with it cannot go on any more, so it
 * is ended now and does not hold the device for config.resume_ms. */
void otapult_end_login(struct otapult *o, const char *by);

/* A journal entry about password or tokens. */
void otapult_note_account(struct otapult *o, const char *text, const char *by);

/* ---- uploads that break off and go on: reached through struct otapult_resumable alone ---- */

/* There is one such upload at a time. Only the client that began it knows its token. */
struct otapult_upload {
    uint8_t  token[16];
    uint32_t length; /* of the file as it is sent */
    uint32_t offset; /* bytes of it that are safe; all of them, and it has ended well */
};

/* As otapult_begin_by(), without a ticket: the client says next what it sends, and meanwhile nothing is waited for but
 * config.resume_ms. INTERNAL: no random numbers. NO_UPLOAD: somebody has ended it already. */
OTAPULT_MUST_CHECK int otapult_create_upload(struct otapult *o, const char *by,
                                             const struct otapult_update_options *options, uint32_t length,
                                             struct otapult_upload *out, struct otapult_update *past,
                                             struct otapult_finding *why);

/* What is safe of it. NO_UPLOAD: there is none of that token, or it is another's, or has ended badly. */
OTAPULT_MUST_CHECK int otapult_find_upload(struct otapult *o, const char *by, const uint8_t token[16],
                                           struct otapult_upload *out);

/* The client goes on from `offset`: a new ticket, and an older client of the same upload, whose connection may hang
 * still, has lost its own. After a restart the device begins anew, as otapult_begin_by(), and reads back what is in
 * flash already. NO_UPLOAD; UPLOAD_OFFSET, and out->offset is the right one; BUSY: the older client is inside, ask
 * again. May block for a read of what is there. */
OTAPULT_MUST_CHECK int otapult_continue_upload(struct otapult *o, const char *by, const uint8_t token[16],
                                               uint32_t offset, uint32_t *ticket, struct otapult_upload *out,
                                               struct otapult_finding *why);

/* The upload's owner gives it up: as otapult_end_update_by(), and NO_UPLOAD; BUSY also where the upload broke off and
 * something else is under way now. */
OTAPULT_MUST_CHECK int otapult_drop_upload(struct otapult *o, const char *by, const uint8_t token[16],
                                           struct otapult_finding *why);

/* ---- the same for a file that the device fetches by itself ---- */

/* The file is named by its own SHA-256, so nothing else of it need be kept. */
struct otapult_sha256;
struct otapult_download {
    uint8_t  sha256[32]; /* of the file as it is sent */
    uint32_t size;       /* of the same */
    uint32_t at;         /* set: bytes of it that are there already */
    struct otapult_sha256 *sha; /* set: over those bytes */
    bool     hashed;     /* set: *sha holds that. false: the bytes were of a packed file, and are not kept anywhere */
};

/* As otapult_begin_by(). With config.resumable a file that broke off by a restart, or was given up because the
 * network was gone, goes on behind its last whole step; what flash has of it is read back. A packed one does only where
 * options->sha256 names its image, because its own SHA-256 cannot be told then. Else d->at is 0. The errors of
 * otapult_continue_upload(), too: then what was there is forgotten, and the next time begins anew. */
OTAPULT_MUST_CHECK int otapult_begin_download(struct otapult *o, const char *by,
                                              const struct otapult_update_options *options, struct otapult_download *d,
                                              uint32_t *ticket, struct otapult_finding *why);

/* The device's part of it: update/resume.c. */
struct otapult_resume;
extern const struct otapult_resume otapult_resume_uploads;

struct otapult_resumable {
    const struct otapult_resume *resume;
    const struct otapult_error_rows *errors; /* that only these uploads give */
    /* They take the places of the ones in ota_routes.c that say there is no such address. */
    const struct otapult_route *routes;
    size_t                      route_count;
};

/* Of the configuration; NULL: there are none. */
const struct otapult_resumable *otapult_device_resumable(const struct otapult *o);
uint32_t otapult_device_resume_ms(const struct otapult *o); /* 0: there are none */

/* ---- looking ---- */

/* What the configuration names for clients that prefer Russian; NULL: they get English. */
const struct otapult_language *otapult_russian_texts(const struct otapult *o);

/* Size of the slot that an update would go to if it began now; 0: none would. */
uint32_t otapult_next_slot_size(struct otapult *o);

/* Why this table of slots takes no update: its table_error, NO_OTA_PARTITION, ONLY_SLOT_RUNS, NO_OTA_DATA, or 0. */
OTAPULT_MUST_CHECK int otapult_table_refusal(const struct otapult_slots *slots, struct otapult_finding *why);

/* The label of slot `index`, "" when there is no such slot or the port cannot tell. */
void otapult_slot_label(struct otapult *o, int index, char dst[17]);

/* All that answers show, as it was at one moment. The slots in it are what the device has kept since it last read
 * them, which it does whenever one of them has changed: a view calls nothing of the port but its clock and its
 * lock. Up to OTAPULT_VIEW_SLOTS: where the table has more, the running, the next, the boot slot and the
 * factory app are among them. */
#define OTAPULT_VIEW_SLOTS 5u

struct otapult_slot_view {
    int index;
    struct otapult_slot slot; /* all zeros but the index where the port could not read its row */
    bool has_image;           /* its first bytes describe one */
    bool readable;            /* they could be read */
    bool failed;              /* the image has been rejected on this device, or crashed, or did not load */
    struct otapult_app_desc image;
};

/* Where a rollback would go to. */
struct otapult_way_back {
    int slot;          /* OTAPULT_SLOT_NONE: nowhere */
    const char *none;  /* then, why not */
    const char *doubt; /* what speaks against its image, which boots only by force; NULL: nothing */
};

struct otapult_view {
    struct otapult_way_back  way_back;
    struct otapult_status    status;
    struct otapult_log_entry last; /* seq 0: there is none */
    unsigned                 slot_count;
    struct otapult_slot_view slot[OTAPULT_VIEW_SLOTS]; /* factory first, then by number */
};
void otapult_view(struct otapult *o, struct otapult_view *out);

/* A slot that had no room in the view; no update goes there before the next start. Reads its first bytes. */
void otapult_look_at_slot(struct otapult *o, int index, struct otapult_slot_view *out);

/* Of the configuration: the profile, NULL is the open one; names of this host, or NULL; the device's chip; an
 * upload's patience. */
const struct otapult_secure *otapult_profile(const struct otapult *o);
const char *const *otapult_device_hosts(const struct otapult *o);
uint16_t otapult_device_chip(const struct otapult *o);
uint16_t otapult_device_revision(const struct otapult *o);       /* of the chip, major * 100 + minor */
uint16_t otapult_device_block_revision(const struct otapult *o); /* of its eFuse block; 0: not known */
const char *otapult_device_accepts(const struct otapult *o, size_t n); /* "plain", "gzip", …; NULL behind the last */
uint32_t otapult_device_stall_ms(const struct otapult *o);

/* Who may log in; NULL: nobody can. */
struct otapult_users *otapult_device_users(const struct otapult *o);

/* ---- for releases that the device fetches by itself ---- */

const struct otapult_pull *otapult_device_pull(const struct otapult *o); /* NULL: it fetches none */
const struct otapult_port *otapult_device_port(const struct otapult *o);

/* What the running firmware says of itself; all zeros, and false, where that cannot be read. Reads the slot's first
 * bytes, from any task. */
bool otapult_running_desc(struct otapult *o, struct otapult_app_desc *out);

/* Has this build been rejected on this device, or crashed, or not loaded? */
bool otapult_has_failed_here(const struct otapult *o, const char *build);

/* The keys whose signatures count, copied into *out: in the secure profile the device's trust, else a trust in config.keys.
 * Returns how many keys count. */
struct otapult_trust;
unsigned otapult_copy_trust(struct otapult *o, struct otapult_trust *out);

/* A journal entry about the source: its error, or 0 and a text. */
void otapult_note_source(struct otapult *o, const char *by, int err, const struct otapult_finding *why);

/* The code of it, reached through the configuration alone; src/web/pulling.c names all of it. */
struct otapult_offer_view;
struct otapult_pulling {
    const struct otapult_error_rows *errors; /* that only fetching gives */
    /* What is wrong with the configuration; NULL: nothing. */
    const char *(*fault)(const struct otapult_config *config);
    void (*start)(struct otapult *o);
    /* As otapult_offer_view(). */
    bool (*view)(struct otapult *o, bool russian, struct otapult_offer_view *out);
    /* Of the status: its version into version[32]. Returns the state's word. */
    const char *(*brief)(struct otapult *o, char *version);
    /* They take the places of the ones in ota_routes.c that say that there is no source. */
    const struct otapult_route *routes;
    size_t                      route_count;
};

/* ---- the secure profile ---- */

/* The device's part of it: update/keys.c. */
struct otapult_keys;
extern const struct otapult_keys otapult_secure_keys;

/* The whole. What a firmware does not name is not linked, so the rest reaches it through this object alone;
 * src/web/profile.c is the only file that names all of it. */
struct otapult_secure {
    const struct otapult_keys *keys;
    const struct otapult_error_rows *errors; /* that only this profile gives */

    /* What a request needs beside the gate's other checks: TLS, a login. Sets x->who, or answers. */
    void (*admit)(struct otapult_exchange *x);
    bool (*still)(const struct otapult_exchange *x); /* is it still so? */
    void (*name)(const struct otapult_exchange *x, char name[OTAPULT_WHO_NAME]);
    void (*mark)(const struct otapult_exchange *x, uint8_t mark[16]); /* otapult_http_mark() */
    /* They take the places of the ones in ota_routes.c that say that the profile is open. */
    const struct otapult_route *routes;
    size_t                      route_count;
};

#endif
