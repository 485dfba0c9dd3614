/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OTAPULT_H
#define OTAPULT_H

#include "otapult/image.h"
#include "otapult/port.h"

/* Otapult: firmware updates over the air that prove what they say.
 *
 *   static union otapult_memory memory;
 *   struct otapult *o;
 *   otapult_start(&memory, &config, &o);    once, early in the application
 *   otapult_poll(o);                        every 50 to 500 ms, from one task
 *
 * and then either otapult/http.h, which serves page and API, or begin / feed / finish by hand.
 * Every function may be called from any task, unless it says otherwise. */

/* RAM of everything one update needs, from the HTTP body to the flash call: checked by the build. */
#define OTAPULT_RAM (sizeof(void *) > 4 ? 10880u : 10560u)

union otapult_memory {
    uint64_t      align;
    unsigned char bytes[OTAPULT_RAM];
};

struct otapult; /* lives in a union otapult_memory */

/* RAM of the login, for the secure profile: password, sessions, API tokens. Checked by the build. */
#define OTAPULT_USERS_RAM 1056

union otapult_users_memory {
    uint64_t      align;
    unsigned char bytes[OTAPULT_USERS_RAM];
};

/* ---- configuration ---- */

enum otapult_health { OTAPULT_HEALTH_WAIT, OTAPULT_HEALTH_PASS, OTAPULT_HEALTH_FAIL };

/* One health check of a firmware that waits for its confirmation. `probe` is called from otapult_poll()
 * until it passes or fails; it must not block. On FAIL it may say why in why[cap] (already ""). */
struct otapult_health_check {
    const char *name; /* a word for people: "network"; at most 23 characters */
    enum otapult_health (*probe)(void *app, char *why, size_t cap);
};

#define OTAPULT_CHECKS_MAX 32u

#define OTAPULT_KEY_DIGEST  32u /* bytes that name a signing key: `otapult key-digest` prints them */
#define OTAPULT_KEYS_MAX    3u  /* built in; as many again may be learned */
#define OTAPULT_REVOKED_MAX 7u

/* All of the secure profile. A firmware that does not name it does not carry its code either: the core
 * reaches signatures, users and their routes through this object alone. */
struct otapult_secure;
extern const struct otapult_secure otapult_secure;

/* What turns a file as sent into an app image. A firmware that does not name one does not carry its code
 * either. src/decode/decoder.h says what one is; these are there: */
struct otapult_decoder;

/* gzip and zlib files. What it needs is deflate's window of 32 KB and the library's state. */
extern const struct otapult_decoder otapult_gzip;
#define OTAPULT_GZIP_RAM 45184u

/* Patches: what turns the running image into another one, a hundredth of its size (`otapult patch`). */
extern const struct otapult_decoder otapult_patch;
#define OTAPULT_PATCH_RAM 32768u

/* Releases that the device fetches by itself: otapult/offer.h. */
struct otapult_pull;
/* The longest name of a device, in bytes of UTF-8. */
#define OTAPULT_NAME_MAX 40u

/* Uploads that break off and go on where they were, by tus 1.0: the addresses, and the note that survives a restart.
 * docs/transfer.md */
struct otapult_resumable;
extern const struct otapult_resumable otapult_resumable;

struct otapult_config {
    const struct otapult_port *port; /* must outlive the device */
    /* What people call this device, to tell it from its brothers: page, status and log say it. UTF-8 without
     * control characters, at most OTAPULT_NAME_MAX bytes; NULL or "": it has none. Must outlive the device. */
    const char *name;
    uint16_t chip_id;                /* of this device, OTAPULT_CHIP_… */
    uint16_t chip_rev;               /* major * 100 + minor */
    uint16_t block_rev;              /* of its eFuse block, the same way; 0: not known, and not asked for */

    /* May an update start now? false: no, and why[cap] says so to a person. Must be set; a device on
     * which nothing moves names otapult_always_ready(). Must not block. */
    bool (*ready)(void *app, char *why, size_t cap);
    /* true: an update or a restart is under way, keep every output safe and start nothing; false: it
     * ended without a restart. Called before the first flash operation of an update, and before every restart
     * that the device makes, whatever the reason; then `ready` is asked for up to rest_ms whether all is at
     * rest. Must be set; a device on which nothing moves names otapult_nothing_moves(). */
    void (*hold)(void *app, bool on);
    void *app; /* passed to the functions above and to the checks */

    /* All must pass together, and without a break for soak_ms, before a new firmware is confirmed; until then they
     * go on being asked. */
    const struct otapult_health_check *checks;
    size_t   check_count;               /* at most OTAPULT_CHECKS_MAX; 0: only otapult_confirm() confirms */
    uint32_t soak_ms;      /* 0: one good moment is enough, also for a firmware that crashes in the next */
    uint32_t confirm_ms;   /* deadline for all checks; when it passes and one does not, the firmware is rejected */
    uint32_t stall_ms;     /* an upload that brings no byte for so long ends */
    /* So does one that brings fewer bytes a second than min_rate, over a period of min_rate_ms; 0: no rate is too
     * low. And one for which the device has waited upload_ms in all; 0: for ever. Only the client's time counts,
     * not what erasing and unpacking take. */
    uint32_t min_rate, min_rate_ms;
    uint32_t upload_ms;
    /* Of a resumable upload: one that broke off is waited for so long instead of stall_ms, and the device is held for it;
     * the bytes of min_rate_ms have so much longer to come. A restart costs up to resume_step bytes of the image, of a gzip file up to two
     * of its blocks more, and a smaller step more writes to the store. */
    uint32_t resume_ms, resume_step;
    uint32_t restart_ms;   /* between 'success' and the restart, so that the answer gets out */
    uint32_t rest_ms;      /* how long a restart waits for the application to come to rest */
    uint32_t crash_window_ms; /* a crash sooner after the start counts */
    uint16_t crash_limit;  /* so many in a row, and the other firmware boots, or safe mode comes; 0: never */
    uint8_t  max_retries;  /* how often an image whose trial boot merely lost power is tried again */

    /* Names that people open the device by, beside its IP addresses and localhost: "rover.local"; NULL
     * behind the last. A request for any other host is refused. Must outlive the device; may be NULL. */
    const char *const *hosts;

    /* For clients that prefer Russian: &otapult_russian. NULL: they get English too, and no firmware carries the
     * texts. The page has its own words in both. */
    const struct otapult_language *russian;

    /* Resumable uploads: &otapult_resumable; NULL: none. */
    const struct otapult_resumable *resumable;

    /* The one switch: NULL is the open profile; with &otapult_secure everything that is to boot needs a
     * signature by a trusted key, no image below the least security version is taken, and requests need
     * HTTPS and a login. What is missing for that refuses, with the reason in the log and in the answer;
     * nothing is skipped. docs/security.md */
    const struct otapult_secure *secure;
    /* Trusted keys by their digests, at most OTAPULT_KEYS_MAX; must outlive the device. NULL and 0 are
     * allowed: then only keys of earlier firmware, from the store, are trusted. */
    const uint8_t (*keys)[OTAPULT_KEY_DIGEST];
    size_t   key_count;
    /* Refuses an upload as IMAGE_OLDER when it says true: otapult_is_older. NULL: older versions are taken;
     * page and command line warn before they send one. A rollback is always possible, down to the least
     * security version. Must not block. */
    bool (*too_old)(const struct otapult_version *image, const struct otapult_version *running);
    /* Refuses an upload as OTHER_PROJECT when its project is not the running firmware's, unless it is forced. */
    bool same_project;
    /* What uploads may be packed as, beside plain app images; NULL behind the last. NULL: plain ones only. */
    const struct otapult_decoder *const *decoders;
    /* What they work in: one update is unpacked at a time, so the largest need is enough; where one lies in
     * another (a patch in a gzip file) both need room, or such a file is refused. Aligned for a uint64_t.
     * NULL and 0 without decoders. All of these must outlive the device. */
    void    *decoder_memory;
    size_t   decoder_memory_size;
    /* For the login; without it every request of the secure profile is refused. Must outlive the device. */
    union otapult_users_memory *users;
    /* Where the device looks for releases by itself; NULL: nowhere, and nothing of that code is linked. */
    const struct otapult_pull *pull;
    /* Tells the owner a password that was made just now; it is shown once and kept nowhere. To a console
     * or a display, never over the network. false: nobody can have seen it, so it does not count. */
    bool (*show_password)(void *app, const char *password);
};

#define OTAPULT_CONFIG_DEFAULT                                                                        \
    .chip_id = OTAPULT_CHIP_ESP32S3, .soak_ms = 10000, .confirm_ms = 60000, .stall_ms = 15000,        \
    .min_rate = 256, .min_rate_ms = 30000, .upload_ms = 3600000, .resume_ms = 120000,                 \
    .resume_step = 65536, .restart_ms = 500, .rest_ms = 10000, .crash_window_ms = 60000,              \
    .crash_limit = 5, .max_retries = 3

/* A `ready` and a `hold` for devices on which nothing moves: always true, and nothing to do. */
bool otapult_always_ready(void *app, char *why, size_t cap);
void otapult_nothing_moves(void *app, bool on);

/* Starts the device after a boot: finds out what runs and, when the last update did not stay,
 * why; re-activates it when it only lost power (may then call port->restart). Copies `config`.
 * Blocks for a few flash reads and key-value accesses; in the secure profile's first start also for the
 * hashing of a new password. `memory` may hold anything.
 * Errors: CONFIG, and the log says what is wrong: no `port`; a name that cannot be; no `ready`; a check_count or key_count without
 * checks or keys, or above OTAPULT_CHECKS_MAX or OTAPULT_KEYS_MAX; decoder_memory that is missing, not aligned,
 * or smaller than a decoder needs. INTERNAL: PSA Crypto does not start. After
 * both *out is NULL and nothing was begun. Errors of the port's slots and store do not stop the device: they
 * are logged, and uploads are refused with them. Nor does what the login lacks: it is logged, and every
 * request is refused with NOT_SECURED. */
OTAPULT_MUST_CHECK int otapult_start(union otapult_memory *memory, const struct otapult_config *config,
                                     struct otapult **out);

/* For a person at the device: a button held, a command on its console. Makes a new random password
 * and shows it; every session ends, every API token goes, delays of earlier attempts are forgotten. Where the
 * store lost something of keys or logins, so that both are locked, this unlocks them with what is left, and
 * the log says which keys are revoked now and which security version is the least. A key of HTTPS that the store
 * lost, or damaged, is made anew by the next start, and the log says so.
 * Errors: OPEN_PROFILE; NOT_SECURED (no memory for the login); PASSWORD_CHANGING, INTERNAL (no random numbers,
 * no show_password), STORE: then the old password still holds. */
OTAPULT_MUST_CHECK int otapult_new_password(struct otapult *o);

/* Is the device in safe mode? Then its firmware has crashed crash_limit times in a row, each time within
 * crash_window_ms, and there is no other firmware that was confirmed before. The application asks after the
 * start, and then brings up its network and the page, and nothing that moves: so the device can be updated. Does
 * not change until the next boot. It ends with an update, a rollback, a restart by hand or a loss of power.
 * Needs port->retained; without it crashes of a confirmed firmware are not counted. */
bool otapult_safe_mode(const struct otapult *o);

/* The application is about to restart the device itself, on purpose. A software restart without this is taken
 * for a crash, because a panic handler restarts a chip in the same way. */
void otapult_announce_restart(struct otapult *o);

/* Stalled uploads, health checks, confirmation deadline, the restart that is due. From one task only.
 * Blocks for an OTA data write when a confirmation or rejection is due. */
void otapult_poll(struct otapult *o);

/* ---- an update ---- */

/* Starts an update. `size`: of the file as it is sent, or an upper bound (a multipart body's Content-Length), or
 * OTAPULT_SIZE_UNKNOWN. Touches no flash. Sets *ticket (never 0), which names this update in the other
 * calls: one that has ended meanwhile answers its old ticket with the error that ended it.
 * Errors: BUSY, REBOOTING, UNCONFIRMED, NOT_READY, NO_OTA_PARTITION, NO_OTA_DATA, LOCKED,
 * SIGNATURE_NO_KEYS, SLOT_OPEN, IMAGE_TOO_LARGE, or the port's. On an error nothing has changed and *why
 * says more. */
OTAPULT_MUST_CHECK int otapult_begin(struct otapult *o, uint32_t size, uint32_t *ticket,
                                     struct otapult_finding *why);

/* How an update is asked for. All zeros: as otapult_begin() does. */
struct otapult_update_options {
    uint32_t id;    /* the client's own, by which it knows its update again; 0: the device makes one */
    uint32_t boot;  /* the boot (struct otapult_status) it was meant for; 0: any */
    bool     force; /* also a build that has failed on this device, another project's, or the one that runs */
    bool     later; /* write and verify now, and wait: otapult_activate_staged() makes it boot */
    bool     own_pace; /* the device itself fetches it and looks after its pace: stall_ms, min_rate and upload_ms are
                        * not held against it */
    const uint8_t *sha256; /* 32 bytes that flash must hold in the end, else OFFER_OTHER_FILE and nothing is activated;
                            * NULL: any. Must live until the update ends */
    /* As config.too_old, where that is NULL, for this update. */
    bool (*too_old)(const struct otapult_version *image, const struct otapult_version *running);
};

enum otapult_outcome {
    OTAPULT_UPDATE_NONE,
    OTAPULT_UPDATE_RUNS,
    OTAPULT_UPDATE_FAILED,    /* the journal says why */
    OTAPULT_UPDATE_ACTIVATED, /* written, verified, and the next boot's; what became of it then, the journal says */
    OTAPULT_UPDATE_STAGED,    /* written and verified; waits for otapult_activate_staged() */
    OTAPULT_UPDATE_ALREADY,   /* byte for byte what runs: nothing was written, nothing restarts */
};

/* What became of an update. */
struct otapult_update {
    uint32_t id;      /* 0: there was none */
    uint32_t boot;    /* in which boot */
    uint32_t size;    /* of what was written; this and what follows: ACTIVATED, STAGED and ALREADY only */
    uint8_t  sha256[32];
    char     version[32], project[32];
    char     build[OTAPULT_BUILD_ID_CHARS + 1];
    uint8_t  outcome; /* enum otapult_outcome */
    int8_t   slot;
};

/* As otapult_begin(). One request may come twice, because a browser or a proxy sends it again when it has lost the
 * answer. An update of the same id, or one meant for a boot that has passed, is therefore not done again: where
 * it ended well, 0 with the ticket 0, and *past (may be NULL) says how it ended, or else the error that it ended with,
 * whose finding holds until the next update ends; a lost connection, silence or slowness apart: then it begins
 * anew. The update of that id may still run: its connection is lost then, and it gives way.
 * Errors: those of otapult_begin(), and BOOT_PASSED. */
OTAPULT_MUST_CHECK int otapult_begin_with(struct otapult *o, const struct otapult_update_options *options,
                                          uint32_t size, uint32_t *ticket, struct otapult_update *past,
                                          struct otapult_finding *why);

/* The update that runs, or ran last. */
void otapult_last_update(struct otapult *o, struct otapult_update *out);

/* The next `len` bytes of the file, in order; any split will do, even one byte a call. Not from two
 * tasks at once. May block for one block erase; of a packed file for as many as what comes out needs, and for
 * a read of the running slot where a patch begins. The first error ends the update: the slot is not
 * bootable, the device is free for the next one, *why says more. */
OTAPULT_MUST_CHECK int otapult_feed(struct otapult *o, uint32_t ticket, const uint8_t *data, size_t len,
                                    struct otapult_finding *why);

/* The file is complete: verifies what flash holds, makes the slot the boot slot and has poll() restart
 * the device. *info describes what was written and stays until then. With options.later the slot only waits, with
 * no header yet, the device goes on, and *info stays until the next update begins. So it does where the file is byte
 * for byte what runs: that is not written (otapult_last_update() says ALREADY) unless by force. May block for a read of the whole
 * slot, two where signatures are required: the second is the last thing before the slot is made the boot
 * slot.
 * Errors as feed, FLASH_READBACK, and the port's of activate(); STORE with options.later; on an error the old firmware
 * stays the boot firmware. */
OTAPULT_MUST_CHECK int otapult_finish(struct otapult *o, uint32_t ticket,
                                      const struct otapult_image_info **info, struct otapult_finding *why);

/* Ends the update for a reason of the caller's (CONNECTION_LOST, …). An old ticket: does nothing. */
void otapult_cancel(struct otapult *o, uint32_t ticket, int err, const struct otapult_finding *why);

/* Ends the update that runs, whichever client began it: somebody else wants the device. Its client is told UPLOAD_ENDED, and so
 * is the journal. At once, or where a call of its client is under way, before that writes another sector: the
 * device is free when the status says so.
 * Errors: NO_UPDATE; REBOOTING; BUSY: it is being activated, or the device is held for something else. */
OTAPULT_MUST_CHECK int otapult_end_update(struct otapult *o, struct otapult_finding *why);

/* Makes what was staged the next boot's, and restarts. What was verified then is verified again: the slot is read, its
 * SHA-256 compared, its signature checked with the keys and the least security version of now. Staged firmware
 * survives restarts, and ends with the next update that is written: there is one slot for both.
 * Errors: NO_STAGED; BUSY, REBOOTING, NOT_READY, UNCONFIRMED, LOCKED, SIGNATURE_NO_KEYS; BUILD_REJECTED: it has failed
 * here since; SIGNATURE_WRONG, SIGNATURE_MISSING, IMAGE_SECURITY_VERSION: it is not trusted any more; STAGED_CHANGED:
 * flash holds something else by now, and nothing is staged any more; or the port's. On an error the old firmware stays
 * the boot firmware. Blocks for a read of the slot, two where signatures are required. */
OTAPULT_MUST_CHECK int otapult_activate_staged(struct otapult *o, struct otapult_finding *why);

/* ---- after the restart ---- */

/* The running firmware stays. Errors: NOT_PENDING when it does not wait for that; BUSY, REBOOTING; the port's of
 * confirm(), and then it goes on waiting. Where signatures are required, blocks for a read of the slot when the
 * firmware brings a key that is not stored yet. */
OTAPULT_MUST_CHECK int otapult_confirm(struct otapult *o);

/* Back to the other slot's image, which is verified first; then restarts. Also while the running
 * firmware is pending verify (it is rejected then). Errors: BUSY, REBOOTING, NOT_READY, NO_ROLLBACK
 * with the reason, or the port's. Blocks for a read of the whole slot. */
OTAPULT_MUST_CHECK int otapult_rollback(struct otapult *o, struct otapult_finding *why);

/* Restarts soon, as after an update. Errors: BUSY, REBOOTING, NOT_READY. */
OTAPULT_MUST_CHECK int otapult_restart(struct otapult *o, struct otapult_finding *why);

/* ---- keys, where signatures are required ---- */

/* The key with this digest never counts again on this device, even where firmware has it built in; it
 * need not be known. Stored; there is no way back but USB. What runs goes on running, but the other
 * slot's image may have lost its signature, and with it the way back.
 * Errors: KEY_LAST when no trusted key would be left; KEYS_FULL: OTAPULT_REVOKED_MAX keys are revoked already;
 * STORE; BUSY, REBOOTING; LOCKED; OPEN_PROFILE where signatures are not required. After an error nothing has
 * changed. Blocks for a few accesses to the key-value store. */
OTAPULT_MUST_CHECK int otapult_revoke_key(struct otapult *o, const uint8_t digest[OTAPULT_KEY_DIGEST]);

/* Key digests as `otapult key-digest` prints them, 64 hex digits each, commas between and nothing else: added
 * behind the *count that are in keys[max] already. false: not of that form, or one too many; then *count says
 * how many of them could be read. */
OTAPULT_MUST_CHECK bool otapult_read_digests(const char *text, uint8_t (*keys)[OTAPULT_KEY_DIGEST], size_t max,
                                             size_t *count);

/* ---- looking ---- */

enum otapult_phase {
    OTAPULT_IDLE,
    OTAPULT_RECEIVING,
    OTAPULT_VERIFYING, /* all bytes are in flash; reading them back */
    OTAPULT_REBOOTING, /* done; the restart is due */
};

struct otapult_status {
    enum otapult_phase phase;   /* of an update; IDLE while the device is held for something else */
    enum otapult_claim claim;   /* what the device is held for; REBOOTING: what the restart is for */
    char     by[28];            /* who asked for that: as in struct otapult_log_entry */
    uint32_t update;   /* id of the update that runs or ran last; 0: none */
    uint32_t received; /* bytes of the file as it is sent; of a finished update too, until the next */
    uint32_t written;  /* bytes in flash: of a packed file more than were received */
    uint32_t total;    /* to be received; OTAPULT_SIZE_UNKNOWN where it is not known; may be an upper bound */
    struct otapult_slots slots;
    struct otapult_update staged; /* what waits in its slot; id 0: nothing */
    bool     pending;           /* the running firmware waits for its confirmation */
    uint32_t confirm_left_ms;   /* until it is rejected, when pending */
    uint32_t soak_left_ms;      /* for which all checks have still to pass, when pending */
    bool     safe_mode;
    char     waiting_for[24];   /* the health check that has not passed yet, when pending */
    int      slots_error;       /* of port->slots at start: uploads are refused with it */
    uint32_t uptime_ms;
    uint32_t boot;              /* boots since the store was made; 0: the store does not work */
    bool     secure;            /* signatures are required */
    int      trust_error;       /* LOCKED or SIGNATURE_NO_KEYS: uploads are refused with it */
    const char *locked;         /* why LOCKED */
    uint8_t  key_count;         /* trusted keys, each by the first four bytes of its digest */
    uint8_t  key[2 * OTAPULT_KEYS_MAX][4];
};

/* config.name; "" where it has none. From any task. */
const char *otapult_name(const struct otapult *o);

/* A consistent copy of the state. Never blocks for longer than another task's copy. */
void otapult_status(struct otapult *o, struct otapult_status *out);

/* Slot `index`, and what its first bytes say is in it: *info->size is 0 when there is no image (or one
 * whose header is not written yet). Proves nothing about the rest. Not for the slot being written. */
OTAPULT_MUST_CHECK int otapult_slot(struct otapult *o, int index, struct otapult_slot *slot,
                                    struct otapult_image_info *info);

/* What happened, newest first. Kept in the key-value store; the last OTAPULT_LOG_ENTRIES are kept. */
#define OTAPULT_LOG_ENTRIES 12

enum otapult_event {
    OTAPULT_EV_NONE,
    OTAPULT_EV_REFUSED,     /* an upload ended with `code` */
    OTAPULT_EV_ACTIVATED,   /* an upload was written and verified, and is the next boot's */
    OTAPULT_EV_CONFIRMED,   /* it runs and stays */
    OTAPULT_EV_REJECTED,    /* its own application rejected it: `text` says which check, and why */
    OTAPULT_EV_CRASHED,     /* it came back: crash or watchdog before the confirmation */
    OTAPULT_EV_POWER_LOST,  /* it came back: power was lost before the confirmation; it is tried again */
    OTAPULT_EV_GAVE_UP,     /* as POWER_LOST, but for the last time */
    OTAPULT_EV_NOT_LOADED,  /* it came back: the bootloader could not load it */
    OTAPULT_EV_ROLLED_BACK, /* somebody asked for the other slot */
    OTAPULT_EV_ACCOUNT,     /* password or tokens changed: `text` says how */
    OTAPULT_EV_CRASH_LOOP,  /* it kept crashing after its confirmation: `text` says what follows */
    OTAPULT_EV_STAGED,      /* an upload was written and verified, and waits */
    OTAPULT_EV_SOURCE,      /* the source of releases answers with `code` now, or with what is not to be had */
};

struct otapult_log_entry {
    uint32_t seq;      /* counts up from 1 */
    uint32_t boot;     /* in which boot */
    uint32_t uptime_s; /* and when in it */
    uint32_t size;     /* of the image, 0 where it is not known */
    int8_t   slot;     /* the one the entry is about */
    uint8_t  event;    /* enum otapult_event */
    uint8_t  tries;    /* boots of the image so far, POWER_LOST and GAVE_UP; crashes, CRASH_LOOP */
    char     code[25]; /* of the error table, REFUSED only */
    char     version[32], project[32];
    char     build[OTAPULT_BUILD_ID_CHARS + 1];
    char     text[80];
    char     by[28];   /* who asked for it: "admin", "token ci", "anyone"; "" when the device itself did */
};

/* The word of an event in the API: "refused", "activated", … */
const char *otapult_event_name(int event);

/* Entry n, 0 is the newest, below OTAPULT_LOG_ENTRIES. false: that one is not there; an older one may be
 * (an entry is missing when the store failed). */
bool otapult_log_entry(struct otapult *o, unsigned n, struct otapult_log_entry *out);

#endif
