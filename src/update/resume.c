/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/bytes.h"
#include "base/text.h"
#include "trust/secret.h"
#include "update/claim.h"
#include "update/intake.h"
#include "update/ticket.h"
#include "update/upload.h"

/* Uploads that break off and go on: otapult_create_upload() to otapult_drop_upload() of door.h, and downloads
 * that do: otapult_begin_download().
 *
 * While the device lives the session itself is what is safe: it waits, with the claim, until its client comes
 * back or resume_ms are over. For a restart there is a note in the store: the token, the client, the options;
 * and a point of the file up to which flash has the image, with the image's first 16 bytes, which flash does
 * not have. The note is written when an upload begins and after each resume_step bytes of the image. A plain
 * file's points lie behind each whole sector, a gzip file's where a deflate block begins: the window that it
 * needs there is read out of flash. A patch begins again after a restart. After a restart the note does not
 * hold the claim: another update may begin, and when it writes to the slot it removes the note.
 *
 * A download has no client who waits: when the network is gone for long it ends and gives the device back,
 * and its note stays. Its token is its file's SHA-256, which anybody may know. A client cannot take it over
 * all the same, because `by` must fit as well: that is the source's name, and a client's is "anyone", "admin"
 * or "token …".
 *
 * Locks: the note (o->upload) is written under the lock and by the claim's holder alone, so its holder may
 * read it without the lock. */

#define UPLOAD_KEY "ota.upload2" /* 2: the format, which is struct otapult_upload_note */
_Static_assert(sizeof(struct otapult_upload_note) == 104, "stored format of an upload");

static bool is_one(const struct otapult_upload_note *note)
{
    return !otapult_has_only(note->token, sizeof note->token, 0);
}

static void save(struct otapult *o, const struct otapult_upload_note *note)
{
    if (o->port->kv_set(o->port->ctx, UPLOAD_KEY, note, note != NULL ? sizeof *note : 0) != 0)
        otapult_log(o, OTAPULT_LOG_WARNING, "the store failed to keep how far an upload has come");
}

static void put(struct otapult *o, const struct otapult_upload_note *note)
{
    otapult_lock(o);
    o->upload = *note;
    otapult_unlock(o);
}

static void keep(struct otapult *o, const struct otapult_upload_note *note)
{
    o->upload_kept = true;
    save(o, note);
}

static void forget(struct otapult *o)
{
    if (!is_one(&o->upload))
        return;
    put(o, &(struct otapult_upload_note){.ended = 0});
    save(o, NULL);
}

/* ---- what the rest of the device tells ---- */

/* Is the point one of this file, in this slot? */
static bool fits(const struct otapult *o, const struct otapult_upload_note *note)
{
    const struct otapult_decoder_point *p = &note->point;
    const bool is_between = p->form == 0 && p->made % OTAPULT_SLOT_SECTOR != 0;

    return note->slot == o->slots.next && p->made > 0 && p->taken <= note->length && !is_between &&
           otapult_chain_fits(o->config.decoders, note->head, p);
}

/* Does flash have the image's first bytes, or some of them? The last step of an update writes them, and flash
 * takes a byte once only: so where that step has begun, the upload cannot go on. The same where the slot
 * cannot be read. */
static bool is_lost(struct otapult *o, const struct otapult_upload_note *note)
{
    uint8_t head[OTAPULT_SLOT_HELD];
    struct otapult_flash flash;

    return o->port->open(o->port->ctx, note->slot, &flash) != 0 || note->point.made > flash.size ||
           flash.read(flash.ctx, 0, head, sizeof head) != 0 || !otapult_has_only(head, sizeof head, 0xFF);
}

static const struct otapult_decoder_point no_point;

/* The point of a note counts only where it fits the table of slots of today, and where the power did not go
 * while the image's first bytes were written. Otherwise the upload keeps its address and begins again at its
 * first byte. */
static void start(struct otapult *o)
{
    struct otapult_upload_note note;
    size_t len = 0;

    if (o->port->kv_get(o->port->ctx, UPLOAD_KEY, &note, sizeof note, &len) != 0 || len != sizeof note)
        return;
    note.by[sizeof note.by - 1] = '\0';
    note.ended = 0;
    if (!fits(o, &note)) {
        note.point = no_point;
    } else if (is_lost(o, &note)) {
        note.point = no_point;
        save(o, &note); /* at once: when the first sector is erased, the next start cannot see it any more */
    }
    put(o, &note);
}

/* The last point before which the file makes `least` bytes of the image or more, all of them in sectors that
 * are written. false: there is none. */
static bool find_point(struct otapult *o, uint32_t least, struct otapult_decoder_point *point)
{
    const struct otapult_chain_stage *s = &o->chain.stage[0];
    const uint32_t written = o->session.writer.written, whole = written - written % OTAPULT_SLOT_SECTOR;

    if (s->decoder != NULL)
        return otapult_chain_point(&o->chain, least, point) && point->made <= whole;
    *point = (struct otapult_decoder_point){.taken = whole, .made = whole};
    return s->decided && whole >= least;
}

/* Stores how far the upload has come, once that is `step` bytes more than the store has. */
static void note_progress(struct otapult *o, uint32_t step)
{
    struct otapult_upload_note note = o->upload;

    if (!o->resumable || !find_point(o, note.point.made + step, &note.point))
        return;
    memcpy(note.head, o->chain.stage[0].head, sizeof note.head);
    memcpy(note.held, o->session.writer.held, sizeof note.held);
    put(o, &note);
    keep(o, &note);
}

static void took(struct otapult *o)
{
    note_progress(o, o->config.resume_step);
}

/* Only a download, whose own client the device is, goes on after its end: its client comes back by itself. */
static bool may_go_on(const struct otapult *o, int err)
{
    return o->own_pace && (err == OTAPULT_E_SOURCE_UNREACHABLE || err == OTAPULT_E_SOURCE_LOST ||
                           err == OTAPULT_E_OFFER_WINDOW);
}

/* An upload that ended well stays in RAM until the next one, because its client may have lost the answer and
 * ask for it. In the store it is no longer needed. */
static void ended(struct otapult *o, int err)
{
    struct otapult_upload_note note = o->upload;

    if (!o->resumable)
        return;
    if (may_go_on(o, err)) {
        note_progress(o, OTAPULT_SLOT_SECTOR);
        return;
    }
    if (err != 0 && !o->upload_kept) {
        put(o, &(struct otapult_upload_note){.ended = 0});
        start(o); /* this upload wrote nothing, so the store still has the note of the one before */
        return;
    }
    if (err != 0) {
        forget(o);
        return;
    }
    note.ended = 1;
    put(o, &note);
    if (o->upload_kept)
        save(o, NULL);
}

/* The update that runs writes to the slot now, so the upload that broke off there before is lost: its note
 * goes, or the running upload's own takes its place. */
static void erasing(struct otapult *o)
{
    if (!o->resumable)
        forget(o);
    else if (!o->upload_kept)
        keep(o, &o->upload);
}

/* ---- what clients ask for ---- */

/* A port may have no random numbers, as a board whose radio is off. In the open profile a token that can be
 * guessed will do, because anybody may upload there anyway; in the secure profile that is an error. */
static int make_token(struct otapult *o, uint8_t token[16])
{
    const uint32_t words[] = {o->journal.boot, o->tickets, otapult_now(o), 1};

    if (o->port->random(o->port->ctx, token, 16) == 0)
        return 0;
    memcpy(token, words, sizeof words);
    return o->keys == NULL ? 0 : OTAPULT_E_INTERNAL;
}

/* Makes *note the note of the update that has just begun. It enters as any call does: since the begin
 * somebody may have ended the update, and then neither note nor counters are its own any more. `received`
 * counts at once what came before the upload broke off, because a client may ask while that is still being
 * read back.
 *
 * fresh: the store does not have the note yet. It gets it now, so that the upload keeps its address over a
 * restart. But where the store has the note of an upload that broke off, that one is still good until its
 * slot is erased; then the new note waits for erasing(). */
static int adopt(struct otapult *o, uint32_t ticket, const struct otapult_upload_note *note, bool fresh)
{
    const bool waits = is_one(&o->upload) && !o->upload.ended && o->upload.point.made > 0;

    if (otapult_enter(o, ticket) != 0)
        return OTAPULT_E_NO_UPLOAD;
    otapult_lock(o);
    o->least_length = o->most_length = note->length;
    o->upload = *note;
    o->upload_kept = !fresh;
    o->received = o->came = note->point.taken;
    o->resumable = true;
    otapult_unlock(o);
    if (fresh && !waits)
        keep(o, note);
    otapult_leave(o);
    return 0;
}

int otapult_create_upload(struct otapult *o, const char *by, const struct otapult_update_options *options,
                          uint32_t length, struct otapult_upload *out, struct otapult_update *past,
                          struct otapult_finding *why)
{
    struct otapult_upload_note note = {.length = length, .force = options->force, .later = options->later};
    uint32_t ticket;

    int err = otapult_begin_by(o, by, options, length, &ticket, past, why);
    if (err != 0 || ticket == 0)
        return err;
    if (make_token(o, note.token) != 0) {
        *why = (struct otapult_finding){.text = "no random numbers"};
        otapult_cancel(o, ticket, OTAPULT_E_INTERNAL, why);
        return OTAPULT_E_INTERNAL;
    }
    otapult_text_set(note.by, sizeof note.by, by);
    note.id = o->update.id; /* nobody else writes the two while the claim is taken */
    note.slot = (int8_t)o->target;
    err = adopt(o, ticket, &note, true);
    if (err != 0)
        return err;
    *out = (struct otapult_upload){.length = length};
    memcpy(out->token, note.token, sizeof out->token);
    return 0;
}

/* Under lock. An upload that runs and has no ticket is being ended by another task just now. It is not found,
 * because a client that got a new ticket for it would write at the same time as that task, and after the
 * claim was given back. */
static int find(const struct otapult *o, const char *by, const uint8_t token[16], struct otapult_upload *out)
{
    const struct otapult_upload_note *u = &o->upload;
    const bool ending = o->resumable && o->ticket == 0;

    if (!is_one(u) || ending || !otapult_same_secret(u->token, token, sizeof u->token) ||
        strcmp(u->by, by) != 0)
        return OTAPULT_E_NO_UPLOAD;
    *out = (struct otapult_upload){.length = u->length, .offset = u->point.taken};
    memcpy(out->token, token, sizeof out->token);
    if (o->resumable)
        out->offset = o->received;
    else if (u->ended)
        out->offset = u->length;
    return 0;
}

int otapult_find_upload(struct otapult *o, const char *by, const uint8_t token[16],
                        struct otapult_upload *out)
{
    otapult_lock(o);
    int err = find(o, by, token, out);
    otapult_unlock(o);
    return err;
}

/* Reads out of flash, and judges, what was written before the upload broke off. */
static int read_back(struct otapult *o, uint32_t ticket, const struct otapult_upload_note *note,
                     struct otapult_finding *why)
{
    int err = otapult_enter(o, ticket);
    if (err != 0)
        return err;
    if (note->point.made > 0)
        err = otapult_intake_resume(o, note, why);
    otapult_leave(o);
    return err;
}

/* Goes on after a restart. To the rest of the device this is a new update with the id of the old one. */
static int begin_again(struct otapult *o, const struct otapult_upload_note *note, uint32_t *ticket,
                       struct otapult_finding *why)
{
    const struct otapult_update_options options = {
        .id = note->id, .force = note->force != 0, .later = note->later != 0};
    struct otapult_update past;

    int err = otapult_begin_by(o, note->by, &options, note->length, ticket, &past, why);
    if (err == 0 && *ticket == 0) /* the same update ended well before: nothing is left to send */
        err = OTAPULT_E_NO_UPLOAD;
    if (err != 0)
        return err;
    /* Before this task had the claim another update may have written to the slot, and removed the note. */
    err = memcmp(&o->upload, note, sizeof *note) == 0 ? adopt(o, *ticket, note, false) : OTAPULT_E_NO_UPLOAD;
    if (err == 0)
        err = read_back(o, *ticket, note, why);
    if (err != 0)
        otapult_cancel(o, *ticket, err, why); /* removes the note as well, or each request would fail again */
    return err;
}

/* Under lock. The old connection loses the ticket in any case. Where one of its calls is still inside, the
 * new one cannot go on yet and gets BUSY; but the old one can do no more, so that the next try succeeds. */
static int take_over(struct otapult *o, uint32_t offset, uint32_t *ticket, const struct otapult_upload *found,
                     struct otapult_finding *why)
{
    const bool inside = o->inside;

    if (o->resumable)
        *ticket = otapult_change_ticket(o);
    *why = (struct otapult_finding){.at = o->claim, .got = o->received, .want = o->total};
    if (o->resumable && inside)
        return OTAPULT_E_BUSY;
    *why = (struct otapult_finding){.got = offset, .want = found->offset};
    return offset == found->offset ? 0 : OTAPULT_E_UPLOAD_OFFSET;
}

int otapult_continue_upload(struct otapult *o, const char *by, const uint8_t token[16], uint32_t offset,
                            uint32_t *ticket, struct otapult_upload *out, struct otapult_finding *why)
{
    *why = (struct otapult_finding){0};
    *ticket = 0;
    otapult_lock(o);
    int err = find(o, by, token, out);
    if (err == 0)
        err = take_over(o, offset, ticket, out, why);
    const struct otapult_upload_note note = o->upload;
    const bool broke_off = !o->resumable && !note.ended;
    otapult_unlock(o);
    return err == 0 && broke_off ? begin_again(o, &note, ticket, why) : err;
}

/* An upload that runs is ended. One that broke off is only a note by now; the claim is taken to
 * remove it, because only the claim's holder writes notes. */
int otapult_drop_upload(struct otapult *o, const char *by, const uint8_t token[16],
                        struct otapult_finding *why)
{
    struct otapult_upload found;
    bool mine = false;

    *why = (struct otapult_finding){0};
    otapult_lock(o);
    int err = find(o, by, token, &found);
    const bool runs = o->resumable;
    if (err == 0)
        err = runs ? otapult_end_locked(o, by, &mine, why)
                   : otapult_take_locked(o, OTAPULT_FOR_UPLOAD, by, why);
    otapult_unlock(o);
    if (mine)
        otapult_end_taken(o);
    if (err == 0 && !runs) {
        forget(o);
        otapult_give_back(o);
    }
    return err;
}

/* ---- downloads ---- */

/* Is that the note of this download? A packed file goes on only where the SHA-256 of its image is known. Its
 * own cannot be checked at the end: the bytes before the point are not in flash, and nothing else has their
 * digest. */
static bool is_of(const struct otapult_upload_note *note, const char *by, const struct otapult_download *d,
                  const struct otapult_update_options *options)
{
    if (note->point.form != 0 && options->sha256 == NULL)
        return false;
    return memcmp(note->token, d->sha256, sizeof note->token) == 0 && note->length == d->size &&
           !note->ended && strcmp(note->by, by) == 0;
}

/* The digest of a plain file up to its point is that of the image, which the judge has made while it read
 * flash. */
static int go_on(struct otapult *o, const struct otapult_upload_note *note, struct otapult_download *d,
                 uint32_t ticket, struct otapult_finding *why)
{
    int err = read_back(o, ticket, note, why);
    if (err != 0) {
        otapult_cancel(o, ticket, err, why);
        return err;
    }
    d->hashed = note->point.form == 0;
    *d->sha = o->session.judge.inspect.sha;
    d->at = note->point.taken;
    return 0;
}

static int download(struct otapult *o, const char *by, const struct otapult_update_options *options,
                    struct otapult_download *d, uint32_t *ticket, struct otapult_finding *why)
{
    struct otapult_upload_note note;

    int err = otapult_begin_by(o, by, options, d->size, ticket, NULL, why);
    if (err != 0)
        return err;
    note = o->upload; /* nobody else writes it while the claim is taken */
    const bool again = is_of(&note, by, d, options);
    if (!again) {
        note = (struct otapult_upload_note){.length = d->size, .slot = (int8_t)o->target};
        memcpy(note.token, d->sha256, sizeof note.token);
        otapult_text_set(note.by, sizeof note.by, by);
    }
    err = adopt(o, *ticket, &note, !again);
    return err == 0 ? go_on(o, &note, d, *ticket, why) : err;
}

const struct otapult_resume otapult_resume_uploads = {
    .start = start, .took = took, .ended = ended, .erasing = erasing, .download = download};
