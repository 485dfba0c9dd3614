/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OTAPULT_PORT_H
#define OTAPULT_PORT_H

#include <stdbool.h>

#include "otapult/error.h"

/* What Otapult asks of the outside world. The core owns this header; a port implements it and promises
 * what stands here. A port is complete when the shared port test, test/support/port_contract.h, passes on it.
 *
 * Tasks: the core calls lock/unlock around its short, shared state, and while it holds the lock it calls no
 * other port function but now_ms, which must not take the lock itself. All other functions may be called from two
 * tasks at once: one that uploads, one that answers requests or polls. */

/* Flash of one slot. Offsets and lengths in bytes from the start of the slot.
 * The core promises: it writes only what it has erased since; erases start at a multiple of `sector`
 * and cover whole sectors, at most `block` bytes a call; a write lies inside one sector, begins at a
 * multiple of 16 and is a multiple of 16 long (one block of flash encryption; the end of the slot's
 * image is padded with 0xFF).
 * The port promises: 0 or an error of the table, which reaches the user unchanged. A call that loses
 * power may leave anything inside the range it was given, nothing outside it. Each call may block,
 * erase for one block erase (2 s at worst); none blocks longer. */
struct otapult_flash {
    void *ctx; /* the port's own; the core never looks inside */
    int (*read)(void *ctx, uint32_t off, void *dst, uint32_t len);
    int (*write)(void *ctx, uint32_t off, const void *src, uint32_t len);
    int (*erase)(void *ctx, uint32_t off, uint32_t len);
    uint32_t size;   /* of the slot; a multiple of `sector` */
    uint32_t sector; /* smallest erase; a power of two, at most 4096 */
    uint32_t block;  /* largest erase done in one go; a power of two, at least `sector` */
};

#define OTAPULT_SLOT_NONE    (-2)
#define OTAPULT_SLOT_FACTORY (-1)
#define OTAPULT_SLOTS_MAX    16

/* State of a slot's OTA data record: the words of ESP-IDF (esp_ota_img_states_t). */
enum otapult_slot_state {
    OTAPULT_STATE_NONE,           /* no record points to this slot */
    OTAPULT_STATE_NEW,            /* activated, never booted */
    OTAPULT_STATE_PENDING_VERIFY, /* booted, not yet confirmed */
    OTAPULT_STATE_VALID,          /* confirmed */
    OTAPULT_STATE_INVALID,        /* rejected by its own application */
    OTAPULT_STATE_ABORTED,        /* booted, never confirmed */
    OTAPULT_STATE_UNDEFINED,      /* no state kept (no rollback in the bootloader, or factory) */
};

struct otapult_slot {
    char                    label[17];
    uint32_t                address; /* in flash */
    uint32_t                size;
    enum otapult_slot_state state;
};

/* Slot indices: n of ota_n, or OTAPULT_SLOT_FACTORY, or OTAPULT_SLOT_NONE. */
struct otapult_slots {
    int  count;   /* of ota_0, ota_1, … without a gap */
    int  running; /* whose code runs now */
    int  boot;    /* what OTA data chooses for the next boot; not running: the bootloader fell back */
    int  next;    /* where the next update goes; NONE: there is no slot besides the running one */
    bool factory; /* the table has a factory app */
    bool ota_data; /* the table has an otadata partition fit for use */
    int  table_error; /* why no update may be written by this table (flash/layout.h), or 0 */
    struct otapult_finding table_why; /* its text, if there is one, stays as it is */
};

/* Why this boot happened. */
enum otapult_reset {
    OTAPULT_RESET_POWER,    /* power came (back), or brown-out */
    OTAPULT_RESET_SOFTWARE, /* restart() */
    OTAPULT_RESET_CRASH,    /* panic or exception */
    OTAPULT_RESET_WATCHDOG, /* any watchdog */
    OTAPULT_RESET_OTHER,    /* reset pin, deep sleep, unknown */
};

/* How much a line of the log matters to its reader. */
enum otapult_log_level {
    OTAPULT_LOG_ERROR,   /* something failed that should have worked: flash, store, a new firmware */
    OTAPULT_LOG_WARNING, /* the device did what it should, and somebody has to know: a refusal, a retry */
    OTAPULT_LOG_INFO,    /* what happens in an ordinary life */
};

/* A few words that keep their value over every reset but a loss of power: RTC memory on a chip. When power comes
 * they may hold anything; the core tells by a check word. */
struct otapult_retained {
    uint32_t word[4];
};

struct otapult_port {
    void *ctx;

    /* NULL: the device has none. Then crashes of a confirmed firmware are not counted, and every software restart
     * is taken for one that was meant. The core writes it without the lock, from start and poll only. */
    struct otapult_retained *retained;

    /* ---- slots ---- */
    int (*slots)(void *ctx, struct otapult_slots *out);
    int (*slot)(void *ctx, int index, struct otapult_slot *out); /* index as in struct otapult_slots */
    int (*open)(void *ctx, int index, struct otapult_flash *out); /* running slot: reading only */

    /* Make `index` the slot of the next boot: the factory app by erasing OTA data, a slot with state NEW. The port writes the older of the two OTA data
     * records and never touches the newer one meanwhile. On an error the old choice still holds. */
    int (*activate)(void *ctx, int index);
    /* The running slot's record from PENDING_VERIFY, or NEW where the bootloader left it so, to VALID. Only
     * called when running == boot. */
    int (*confirm)(void *ctx);
    /* The same to INVALID; does not restart. */
    int (*reject)(void *ctx);

    /* ---- key-value store: survives restarts and power cuts; a cut leaves the old or the new value.
     * Keys have at most 15 characters, values at most 256 bytes. ---- */
    int (*kv_get)(void *ctx, const char *key, void *dst, size_t cap, size_t *len); /* absent: 0, *len = 0 */
    int (*kv_set)(void *ctx, const char *key, const void *src, size_t len); /* len 0 removes the key */

    /* ---- the vault: the same, out of reach of whatever erases the store (every ESP-IDF example calls
     * nvs_flash_erase() on an error). Keys, password, tokens and the least security version are kept there.
     * Both NULL: the device has none, and they are kept in the store. ---- */
    int (*vault_get)(void *ctx, const char *key, void *dst, size_t cap, size_t *len);
    int (*vault_set)(void *ctx, const char *key, const void *src, size_t len);

    /* ---- the rest of the world ---- */
    uint32_t (*now_ms)(void *ctx); /* monotonic, wraps; also called under the lock */
    int (*random)(void *ctx, void *dst, size_t len); /* unpredictable bytes, or an error: never weak ones */
    enum otapult_reset (*reset_reason)(void *ctx);
    void (*restart)(void *ctx); /* may return; the device restarts soon after */
    void (*log)(void *ctx, enum otapult_log_level level, const char *line); /* one line, no newline */
    void (*lock)(void *ctx);
    void (*unlock)(void *ctx);
};

#endif
