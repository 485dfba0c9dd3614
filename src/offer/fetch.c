/* SPDX-License-Identifier: Apache-2.0 */
#include "offer/fetch.h"

#include <string.h>

#include "base/text.h"
#include "offer/settle.h"

/* One file of an offer, from the first request to the restart. A download is many requests: links drop,
 * servers cut, and a robot may be switched off in between. So each request begins behind the bytes that are
 * safe, and what the server then sends is believed only as the continuation of the same file: the ETag, the
 * range and, last of all, the SHA-256 of the whole have to agree. A server that begins anew is compared with
 * what is there, not written again.
 *
 * The device sees an upload with a ticket, as from any client. A person who ends it does so at the device,
 * and the next call with the ticket learns of it.
 *
 * Every end of a download is one of these, and they differ in what happens next:
 *
 *   put_off       it failed and may work later: after a while the source is asked again
 *   refuse        these bytes will not do, today or tomorrow: the source is told
 *   take_plain    the packed file failed: the plain one is next
 *   end_by_person a person ended it: it is not taken by itself before a day has passed
 *   end_for_now   the maintenance window is over: it waits for the next
 *   finish        it is written: begin_trial(), end_staged() or end_already() */

#define PART_OVER (-1) /* returned by data(): the connection is ended on purpose, to tell the source */

bool otapult_fetch_runs(const struct otapult_puller *p)
{
    return p->state == OTAPULT_PULL_FETCHING;
}

static const struct otapult_offer_file *file_of(const struct otapult_puller *p)
{
    return &p->offer.file[p->fetch.file];
}

/* ---- the end of a download ---- */

static void hold(struct otapult_puller *p, uint32_t ms)
{
    p->holding = true;
    p->hold_ms = otapult_puller_now(p) + ms;
}

static void leave(struct otapult_puller *p)
{
    otapult_puller_state(p, OTAPULT_PULL_OFFERED, NULL, 0);
}

/* Not the offer's fault. It is tried again when `hold_ms` has come, and the source is asked at the same
 * moment, because by then it may offer something else. Each time in a row it waits longer. */
static void put_off(struct otapult_puller *p, int err, const struct otapult_finding *why)
{
    leave(p);
    p->holds++;
    hold(p, otapult_ask_again(p->pull, p->holds, 0, p->holds) * 1000);
    otapult_puller_ask_at(p, p->hold_ms);
    p->kept.stage = OTAPULT_KEPT_NOTHING;
    otapult_puller_save(p);
    otapult_puller_ended(p, err, why);
}

static void refuse(struct otapult_puller *p, int err, const struct otapult_finding *why)
{
    char text[sizeof p->kept.text];

    leave(p);
    otapult_detail(err, why, NULL, text, sizeof text);
    otapult_settle_failed(p, text);
    otapult_puller_ended(p, err, why);
}

static bool is_announced(const struct otapult_puller *p)
{
    uint8_t digest[32];

    return p->fetch.hashed && p->fetch.got == file_of(p)->size &&
           otapult_sha256_peek(&p->fetch.sha, digest) == 0 &&
           memcmp(digest, file_of(p)->sha256, sizeof digest) == 0;
}

/* Would the same bytes meet the same error tomorrow? No where the fault is this robot's (`ours`), yes where
 * the head of the image was enough to see it (`known`). Any other error counts only when exactly the
 * announced file came: one that broke off or has another SHA-256 says nothing of the one that was offered. */
static bool is_final(const struct otapult_puller *p, int err)
{
    static const int ours[] = {OTAPULT_E_FLASH_ERASE,    OTAPULT_E_FLASH_WRITE,      OTAPULT_E_FLASH_READ,
                               OTAPULT_E_FLASH_READBACK, OTAPULT_E_ACTIVATE,         OTAPULT_E_STORE,
                               OTAPULT_E_SLOT_OPEN,      OTAPULT_E_OFFER_OTHER_FILE, OTAPULT_E_INTERNAL};
    static const int known[] = {OTAPULT_E_BUILD_REJECTED, OTAPULT_E_OTHER_PROJECT, OTAPULT_E_IMAGE_TOO_LARGE,
                                OTAPULT_E_IMAGE_OLDER};

    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
        if (err == ours[i])
            return false;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (err == known[i])
            return true;
    return is_announced(p);
}

static void take_plain(struct otapult_puller *p, int err, const struct otapult_finding *why)
{
    p->packed_failed = 1;
    p->mismatches = 0;
    p->kept.stage = OTAPULT_KEPT_NOTHING;
    leave(p);
    otapult_puller_ended(p, err, why);
}

/* A packed file may be at fault where the plain one is not: that one is next. An error that may pass is tried
 * again, each time later; but a source that waits for the end of its action hears of it after
 * OTAPULT_FETCH_TRIES. */
static void end_refused(struct otapult_puller *p, int err, const struct otapult_finding *why)
{
    if (p->fetch.file + 1 < p->offer.file_count)
        take_plain(p, err, why);
    else if (!is_final(p, err) && (p->pull->source->report == NULL || ++p->mismatches < OTAPULT_FETCH_TRIES))
        put_off(p, err, why);
    else
        refuse(p, err, why);
}

static void end_by_person(struct otapult_puller *p)
{
    leave(p);
    p->later = true;
    p->later_ms = otapult_puller_now(p);
    memset(p->kept.chosen, 0, sizeof p->kept.chosen);
    p->kept.stage = OTAPULT_KEPT_NOTHING;
    otapult_puller_save(p);
}

/* The device has ended the update, with `err`. */
static void end_by_device(struct otapult_puller *p, int err, const struct otapult_finding *why)
{
    if (err == OTAPULT_E_UPLOAD_ENDED)
        end_by_person(p);
    else
        end_refused(p, err, why);
}

/* The maintenance window is over. Nothing has failed: no waiting time grows, the source is not asked, and the
 * offer waits for the next window. */
static void end_for_now(struct otapult_puller *p)
{
    const struct otapult_finding why = {.got = p->fetch.got};

    otapult_cancel(p->device, p->fetch.ticket, OTAPULT_E_OFFER_WINDOW, &why);
    leave(p);
    p->kept.stage = OTAPULT_KEPT_NOTHING;
    otapult_puller_save(p);
}

static void end_here(struct otapult_puller *p, int err, const struct otapult_finding *why)
{
    otapult_cancel(p->device, p->fetch.ticket, err, why);
    if (err == OTAPULT_E_OFFER_OTHER_FILE) {
        end_refused(p, err, why);
        return;
    }
    put_off(p, err, why);
    if (err == OTAPULT_E_OFFER_WITHDRAWN)
        otapult_puller_offer(p, NULL);
}

/* ---- the answer ---- */

/* The window bounds the whole download: what is finished restarts the robot, and that must not happen outside
 * of it. What a person has chosen has no window. */
static bool is_over_time(const struct otapult_puller *p)
{
    struct otapult_circumstances c = {0};

    if (otapult_puller_chosen(p))
        return false;
    otapult_puller_window(p, &c);
    return c.closed || c.clockless;
}

static int other_file(struct otapult_puller *p, const char *what)
{
    p->env.why = (struct otapult_finding){.text = what};
    return OTAPULT_E_OFFER_OTHER_FILE;
}

/* Also stored, because the download may go on after a restart. */
static void keep_etag(struct otapult_puller *p, const char *etag)
{
    struct otapult_fetching *f = &p->fetch;
    bool same = strcmp(f->etag, etag) == 0;

    otapult_text_set(f->etag, sizeof f->etag, etag);
    if (!same && otapult_device_resumable(p->device) != NULL)
        otapult_kept_etag(p->port, file_of(p)->sha256, etag);
}

/* A server that answers 200 where a part was asked for knows no parts, or has another file by now; compare()
 * finds out which. */
static int begin_answer(void *to, const struct otapult_call *c)
{
    struct otapult_puller *p = to;
    struct otapult_fetching *f = &p->fetch;
    const struct otapult_offer_file *file = file_of(p);
    uint32_t from = c->status == 206 ? f->got : 0;

    if (c->status == 206 && c->from != f->got)
        return other_file(p, "another part of it");
    if (c->status == 206 && c->whole != OTAPULT_SIZE_UNKNOWN && c->whole != file->size)
        return other_file(p, "its size");
    if (c->length != OTAPULT_SIZE_UNKNOWN && c->length != file->size - from)
        return other_file(p, "its size");
    f->again = f->got > 0 && c->status == 200;
    f->compared = 0;
    otapult_sha256_init(&f->compare);
    keep_etag(p, c->etag);
    return 0;
}

/* *same: how many of these n bytes the device has already. When all that it has came again, their SHA-256
 * must be that of the first time. Where that is not known (`hashed`), the image's SHA-256 at the end is what
 * decides. */
static int compare(struct otapult_puller *p, const uint8_t *data, size_t n, size_t *same)
{
    struct otapult_fetching *f = &p->fetch;
    uint8_t was[32], is[32];
    uint32_t left = f->again ? f->got - f->compared : 0;

    *same = n < left ? n : left;
    if (*same == 0)
        return 0;
    otapult_sha256_feed(&f->compare, data, *same);
    f->compared += (uint32_t)*same;
    if (f->compared < f->got)
        return 0;
    f->again = false;
    if (!f->hashed)
        return 0;
    if (otapult_sha256_peek(&f->sha, was) != 0 || otapult_sha256_peek(&f->compare, is) != 0)
        return OTAPULT_E_INTERNAL;
    return memcmp(was, is, sizeof was) == 0 ? 0 : other_file(p, "it changed on the way");
}

static bool part_is_over(struct otapult_puller *p)
{
    struct otapult_fetching *f = &p->fetch;
    uint32_t part = file_of(p)->size / OTAPULT_FETCH_PARTS + 1;

    if (p->pull->source->report == NULL || f->got / part <= f->parts)
        return false;
    f->parts = (uint8_t)(f->got / part);
    return true;
}

static int fetch_data(void *to, const uint8_t *data, size_t n)
{
    struct otapult_puller *p = to;
    struct otapult_fetching *f = &p->fetch;
    size_t same;

    if (is_over_time(p))
        return OTAPULT_E_OFFER_WINDOW;
    int err = compare(p, data, n, &same);
    data += same;
    n -= same;
    if (err != 0 || n == 0)
        return err;
    if (n > file_of(p)->size - f->got)
        return other_file(p, "its size");
    f->err = otapult_feed(p->device, f->ticket, data, n, &p->env.why);
    otapult_sha256_feed(&f->sha, data, n); /* even if refused: were they the bytes that were offered? */
    f->got += (uint32_t)n;
    return f->err == 0 && part_is_over(p) ? PART_OVER : f->err;
}

/* ---- one attempt ---- */

/* A weak ETag (W/…) is not allowed in If-Range. Without If-Range the server may send a part of another file;
 * the SHA-256 at the end notices. */
static void ask_for_rest(const struct otapult_fetching *f, char *dst, size_t cap)
{
    struct otapult_text t;

    otapult_text_init(&t, dst, cap);
    if (f->got == 0)
        return;
    otapult_text_str(&t, "Range: bytes=");
    otapult_text_dec(&t, f->got);
    otapult_text_str(&t, "-\r\n");
    if (f->etag[0] == '\0' || strncmp(f->etag, "W/", 2) == 0)
        return;
    otapult_text_str(&t, "If-Range: ");
    otapult_text_str(&t, f->etag);
    otapult_text_str(&t, "\r\n");
}

static int run(struct otapult_puller *p, struct otapult_finding *why)
{
    struct otapult_fetching *f = &p->fetch;
    char range[32 + OTAPULT_CALL_ETAG + 16];

    ask_for_rest(f, range, sizeof range);
    memset(&f->call, 0, sizeof f->call);
    f->call.url = file_of(p)->url;
    f->call.headers = p->pull->source->headers != NULL ? p->pull->source->headers(&p->env) : NULL;
    f->call.range = range;
    f->call.max = OTAPULT_SIZE_UNKNOWN - 1;
    f->call.to = p;
    f->call.begin = begin_answer;
    f->call.data = fetch_data;
    p->env.why = (struct otapult_finding){0};
    return otapult_call_run(&f->call, p->pull, why);
}

static bool may_pass(const struct otapult_fetching *f, int err)
{
    int status = f->call.status;

    if (err == OTAPULT_E_SOURCE_STATUS)
        return status >= 500 || status == 429 || status == 408;
    return err == OTAPULT_E_SOURCE_UNREACHABLE || err == OTAPULT_E_SOURCE_LOST;
}

/* The connection is gone, or there was none: again in a second, two, four, … */
static void broke_off(struct otapult_puller *p, int err, const struct otapult_finding *why)
{
    struct otapult_fetching *f = &p->fetch;
    uint32_t now = otapult_puller_now(p);

    if (f->got - f->mark >= OTAPULT_FETCH_STEP) {
        f->mark = f->got;
        f->mark_ms = now;
        f->failures = 0;
    }
    if (f->got == f->from || !may_pass(f, err) || now - f->mark_ms >= OTAPULT_FETCH_PATIENCE) {
        end_here(p, err, why);
        return;
    }
    uint32_t wait = f->failures < 5 ? 1000u << f->failures : 30000u;
    f->failures++;
    f->next_ms = now + wait / 2 + otapult_spread(p->pull->id, now, wait / 2 + 1);
}

static void tell_progress(struct otapult_puller *p)
{
    struct otapult_fetching *f = &p->fetch;

    if (otapult_tell(p, OTAPULT_REPORT_PROGRESS, f->got, file_of(p)->size, "") == OTAPULT_E_OFFER_WITHDRAWN)
        end_here(p, OTAPULT_E_OFFER_WITHDRAWN, &(struct otapult_finding){0});
}

/* ---- the good end ---- */

/* The device restarts by itself now. WRITTEN is stored before that, so that the next start knows what to look
 * for. */
static void begin_trial(struct otapult_puller *p)
{
    struct otapult_status s;

    otapult_status(p->device, &s);
    p->kept.stage = OTAPULT_KEPT_WRITTEN;
    p->kept.boot = s.boot;
    otapult_puller_save(p);
    otapult_puller_state(p, OTAPULT_PULL_TRYING, NULL, 0);
    otapult_puller_ended(p, 0, &(struct otapult_finding){0});
    otapult_mention(p, OTAPULT_REPORT_WRITTEN, "");
}

/* The image waits in its slot, and the source wanted no more. Where the report is lost the source offers the
 * same again, otapult_fetch_is_staged() finds it, and the report is told once more. */
static void end_staged(struct otapult_puller *p)
{
    p->kept.stage = OTAPULT_KEPT_NOTHING;
    otapult_puller_save(p);
    otapult_puller_ended(p, 0, &(struct otapult_finding){0});
    otapult_mention(p, OTAPULT_REPORT_STAGED, "");
    otapult_puller_offer(p, NULL);
}

/* The file is byte for byte what runs, and that is confirmed: without a confirmation nothing is begun
 * (policy.c). `same` keeps it from being fetched again before the next restart. */
static void end_already(struct otapult_puller *p)
{
    memcpy(p->same, p->key, sizeof p->same);
    otapult_settle_succeeded(p, "it runs already");
    otapult_puller_ended(p, 0, &(struct otapult_finding){0});
    otapult_puller_offer(p, NULL);
}

static void finish(struct otapult_puller *p)
{
    const struct otapult_image_info *info;
    struct otapult_finding why;
    struct otapult_update u;

    if (p->fetch.hashed && !is_announced(p)) {
        end_here(p, OTAPULT_E_OFFER_OTHER_FILE, &(struct otapult_finding){.text = "its SHA-256"});
        return;
    }
    int err = otapult_finish(p->device, p->fetch.ticket, &info, &why);
    if (err != 0) {
        end_by_device(p, err, &why);
        return;
    }
    p->holds = 0;
    otapult_last_update(p->device, &u);
    if (u.outcome == OTAPULT_UPDATE_ALREADY)
        end_already(p);
    else if (p->offer.only_write)
        end_staged(p);
    else
        begin_trial(p);
}

void otapult_fetch_poll(struct otapult_puller *p)
{
    struct otapult_fetching *f = &p->fetch;
    struct otapult_finding why = {0};

    int ended = otapult_has_ended(p->device, f->ticket);
    if (ended != 0) {
        end_by_device(p, ended, &why);
        return;
    }
    if (is_over_time(p)) {
        end_for_now(p);
        return;
    }
    if (!otapult_puller_due(p, f->next_ms))
        return;
    /* After a restart all bytes may be there already: the power went between the last one and finish(). */
    int err = f->got < file_of(p)->size ? run(p, &why) : 0;
    if (f->err != 0)
        end_by_device(p, f->err, &p->env.why);
    else if (err == OTAPULT_E_OFFER_WINDOW || (err == 0 && is_over_time(p)))
        end_for_now(p);
    else if (err == PART_OVER)
        tell_progress(p);
    else if (err == OTAPULT_E_OFFER_OTHER_FILE)
        end_here(p, err, &p->env.why);
    else if (err != 0 || f->got < file_of(p)->size)
        broke_off(p, err != 0 ? err : OTAPULT_E_SOURCE_LOST, &why);
    else
        finish(p);
}

/* ---- the beginning ---- */

static const char *busy_word(int err)
{
    return err == OTAPULT_E_NOT_READY ? "the robot is not ready" : "the robot is busy";
}

#define BUSY_MS 5000u

static bool is_busy(int err)
{
    return err == OTAPULT_E_NOT_READY || err == OTAPULT_E_BUSY || err == OTAPULT_E_REBOOTING ||
           err == OTAPULT_E_UNCONFIRMED;
}

static void wait_for_robot(struct otapult_puller *p, int err)
{
    otapult_puller_state(p, OTAPULT_PULL_OFFERED, busy_word(err), 0);
    hold(p, BUSY_MS);
}

static void could_not_begin(struct otapult_puller *p, int err, const struct otapult_finding *why)
{
    if (is_busy(err))
        wait_for_robot(p, err);
    else if (err == OTAPULT_E_IMAGE_TOO_LARGE)
        end_refused(p, err, why);
    else
        put_off(p, err, why);
}

static void keep_begin(struct otapult_puller *p, const struct otapult_update *u)
{
    p->kept.update = u->id;
    p->kept.boot = u->boot;
    p->kept.stage = OTAPULT_KEPT_COMING;
    p->kept.told = 0;
    if (memcmp(p->kept.tried, p->key, sizeof p->kept.tried) != 0)
        p->kept.again = 0;
    memcpy(p->kept.tried, p->key, sizeof p->kept.tried);
    memcpy(p->kept.action, p->offer.action, sizeof p->kept.action);
    otapult_puller_save(p);
}

static int begin_file(struct otapult_puller *p, const struct otapult_update_options *options,
                      struct otapult_finding *why)
{
    struct otapult_fetching *f = &p->fetch;
    struct otapult_download d = {.size = file_of(p)->size, .sha = &f->sha};

    memcpy(d.sha256, file_of(p)->sha256, sizeof d.sha256);
    int err = otapult_begin_download(p->device, p->pull->source->name, options, &d, &f->ticket, why);
    if (err == 0 && d.at > 0)
        otapult_kept_load_etag(p->port, d.sha256, f->etag);
    f->hashed = d.hashed;
    f->got = f->from = f->mark = d.at;
    return err;
}

/* The image's own version is asked as well: the one in the offer is only what the source says. */
static bool is_older(const struct otapult_version *image, const struct otapult_version *running)
{
    return otapult_offer_is_older(image->version, running->version);
}

void otapult_fetch_begin(struct otapult_puller *p)
{
    struct otapult_fetching *f = &p->fetch;
    bool downgrade = p->offer.downgrade && p->pull->downgrade;
    const struct otapult_update_options options = {.force = otapult_puller_chosen(p),
                                                   .later = p->offer.only_write,
                                                   .own_pace = true,
                                                   .sha256 = p->offer.has_sha256 ? p->offer.sha256 : NULL,
                                                   .too_old = downgrade ? NULL : is_older};
    struct otapult_finding why;
    struct otapult_update u;

    memset(f, 0, sizeof *f);
    f->file = p->packed_failed != 0 && p->offer.file_count > 1;
    int err = begin_file(p, &options, &why);
    if (err != 0) {
        could_not_begin(p, err, &why);
        return;
    }
    p->holding = false;
    f->next_ms = f->mark_ms = otapult_puller_now(p);
    otapult_puller_state(p, OTAPULT_PULL_FETCHING, NULL, 0);
    otapult_last_update(p->device, &u);
    keep_begin(p, &u);
}

/* ---- what lies there already ---- */

static void staged_of(const struct otapult_puller *p, struct otapult_update *u)
{
    struct otapult_status s;

    otapult_status(p->device, &s);
    *u = s.staged;
}

bool otapult_fetch_is_staged(const struct otapult_puller *p)
{
    struct otapult_update u;

    staged_of(p, &u);
    return p->offer.has_sha256 && u.id != 0 && memcmp(u.sha256, p->offer.sha256, sizeof u.sha256) == 0;
}

/* An image that is no longer trusted, or has failed here since, is refused. For any other reason it is put
 * off; where flash does not hold it any more the next attempt fetches it. */
static void could_not_start(struct otapult_puller *p, int err, const struct otapult_finding *why)
{
    if (is_busy(err))
        wait_for_robot(p, err);
    else if (err == OTAPULT_E_BUILD_REJECTED || err == OTAPULT_E_SIGNATURE_WRONG ||
             err == OTAPULT_E_SIGNATURE_MISSING || err == OTAPULT_E_IMAGE_SECURITY_VERSION)
        refuse(p, err, why);
    else
        put_off(p, err, why);
}

void otapult_fetch_start_staged(struct otapult_puller *p)
{
    struct otapult_finding why = {0};
    struct otapult_update u;

    if (p->offer.only_write) {
        end_staged(p);
        return;
    }
    staged_of(p, &u);
    keep_begin(p, &u);
    int err = otapult_activate_staged_by(p->device, p->pull->source->name, &why);
    if (err == 0) {
        begin_trial(p);
        return;
    }
    p->kept.stage = OTAPULT_KEPT_NOTHING;
    otapult_puller_save(p);
    could_not_start(p, err, &why);
}
