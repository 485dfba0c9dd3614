/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <string.h>

#include "base/text.h"
#include "offer/call.h"
#include "offer/manifest.h"
#include "offer/policy.h"
#include "offer/source.h"
#include "offer/url.h"
#include "trust/sha256.h"
#include "trust/signature.h"
#include "update/door.h"

/* A web folder: otapult.json, and otapult.json.sig beside it, a signature sector as it stands behind a signed
 * image, over the manifest's bytes. One signature so covers all files, for their SHA-256 stand in the
 * manifest.
 *
 * The order of the checks matters: signature, channel, age. The highest sequence and date that the device has
 * seen are stored in the last one, and only a manifest that is signed and of the right channel may raise
 * them: any other could keep the device from every real release to come. */

struct folder {
    /* Of the last good manifest since the start. */
    char known[OTAPULT_CALL_ETAG]; /* "": there was none, or its server has no ETags */
    uint32_t known_expires, known_date;

    /* Of one question to the server; set to zeros before each. */
    struct otapult_call call;
    struct otapult_trust trust;
    unsigned trusted; /* keys that count; 0: none, and the configuration says that this is enough */
    uint8_t sha256[32], sha384[OTAPULT_SHA384_SIZE]; /* of the manifest */
    uint32_t sequence, date, expires, percentage;
    char channel[24], minimum[32];
    char url[OTAPULT_OFFER_URL];
    struct otapult_source_env *env;
    union { /* one after the other */
        struct {
            struct otapult_manifest manifest;
            struct otapult_sha256 h256;
            struct otapult_sha384 h384;
        };
        struct {
            struct otapult_signature signature;
            uint32_t taken;
        };
    };
};
_Static_assert(sizeof(struct folder) <= OTAPULT_SOURCE_RAM, "a source's memory");

/* ---- configuration ---- */

static const char *folder_fault(const struct otapult_pull *pull, bool secure, unsigned trusted)
{
    const struct otapult_folder *c = pull->source_config;

    if (c == NULL || c->url == NULL)
        return "a folder without its address";
    if (otapult_url_fault(c->url, pull->plain_http) != NULL || strchr(c->url, '?') != NULL ||
        strlen(c->url) + sizeof ".sig" > OTAPULT_OFFER_URL)
        return "a folder whose address is none: https://…/otapult.json";
    if (secure && c->unsigned_is_enough)
        return "unsigned_is_enough in the secure profile";
    if (!secure && trusted == 0 && !c->unsigned_is_enough)
        return "a folder without keys: name them, or say unsigned_is_enough";
    if (pull->plain_http && !secure && trusted == 0)
        return "plain_http without signatures";
    return NULL;
}

/* ---- the manifest ---- */

static int take_manifest(void *to, const uint8_t *p, size_t n)
{
    struct folder *f = to;

    otapult_sha256_feed(&f->h256, p, n);
    if (f->trusted > 0)
        f->trust.verifier->sha384_feed(&f->h384, p, n);
    return otapult_manifest_feed(&f->manifest, p, n, &f->env->why);
}

static void prepare(struct folder *f, struct otapult_source_env *env, struct otapult_offer *out, char *build)
{
    const struct otapult_folder *c = env->pull->source_config;

    memset(&f->call, 0, sizeof *f - offsetof(struct folder, call));
    f->env = env;
    f->trusted = otapult_copy_trust(env->device, &f->trust);
    otapult_build_id(&env->running, build);
    otapult_manifest_init(&f->manifest, out);
    f->manifest.device = env->device;
    f->manifest.url = c->url;
    f->manifest.running = build;
    otapult_sha256_init(&f->h256);
    if (f->trusted > 0)
        f->trust.verifier->sha384_init(&f->h384);
    f->call.url = c->url;
    f->call.known = f->known;
    f->call.max = OTAPULT_MANIFEST_MAX;
    f->call.to = f;
    f->call.data = take_manifest;
}

/* The request for the signature uses the memory of the manifest: what is needed of that is copied out. */
static int keep(struct folder *f)
{
    const struct otapult_manifest *m = &f->manifest;

    memcpy(f->known, f->call.etag, sizeof f->known); /* if it proves good */
    f->sequence = m->sequence;
    f->date = m->date;
    f->expires = m->expires;
    f->percentage = m->percentage;
    memcpy(f->channel, m->channel, sizeof f->channel);
    memcpy(f->minimum, m->minimum, sizeof f->minimum);
    if (otapult_sha256_peek(&f->h256, f->sha256) != 0)
        return OTAPULT_E_INTERNAL;
    return f->trusted > 0 && f->trust.verifier->sha384_finish(&f->h384, f->sha384) != 0 ? OTAPULT_E_INTERNAL
                                                                                        : 0;
}

static int fetch_manifest(struct folder *f)
{
    struct otapult_finding why = {0};
    int err = otapult_call_run(&f->call, f->env->pull, &why);

    f->env->unchanged = err == 0 && f->call.status == 304;
    if (f->env->unchanged)
        return 0;
    if (err == 0)
        err = otapult_manifest_finish(&f->manifest, &f->env->why);
    else if (f->env->why.text == NULL)
        f->env->why = why;
    f->env->next_s = err != 0 ? f->call.retry_s : 0;
    return err == 0 ? keep(f) : err;
}

/* ---- its signature ---- */

static int unsigned_by(struct folder *f, const struct otapult_finding *why)
{
    f->env->why = (struct otapult_finding){.text = why->text, .want = why->want};
    return OTAPULT_E_SOURCE_SIGNATURE;
}

static int take_signature(void *to, const uint8_t *p, size_t n)
{
    struct folder *f = to;
    struct otapult_finding why = {0};

    if (n > OTAPULT_SIGNATURE_SECTOR - f->taken)
        return unsigned_by(f, &(struct otapult_finding){.text = "otapult.json.sig is too long"});
    f->taken += (uint32_t)n;
    return otapult_signature_feed(&f->signature, p, n, &why) == 0 ? 0 : unsigned_by(f, &why);
}

static int judge_signature(struct folder *f)
{
    struct otapult_finding why = {0};

    if (f->taken != OTAPULT_SIGNATURE_SECTOR)
        return unsigned_by(f, &(struct otapult_finding){.text = "otapult.json.sig is too short"});
    return otapult_signature_finish(&f->signature, &why) == 0 ? 0 : unsigned_by(f, &why);
}

static int check_signature(struct folder *f)
{
    const struct otapult_folder *c = f->env->pull->source_config;
    struct otapult_finding why = {0};
    struct otapult_text t;

    if (f->trusted == 0)
        return c->unsigned_is_enough
                   ? 0
                   : unsigned_by(f, &(struct otapult_finding){.text = "no key is trusted on this robot"});
    otapult_text_init(&t, f->url, sizeof f->url);
    otapult_text_str(&t, c->url);
    otapult_text_str(&t, ".sig");
    otapult_signature_init(&f->signature, &f->trust, f->sha256, f->sha384);
    f->taken = 0;
    memset(&f->call, 0, sizeof f->call);
    f->call.url = f->url;
    f->call.max = OTAPULT_SIGNATURE_SECTOR;
    f->call.to = f;
    f->call.data = take_signature;
    int err = otapult_call_run(&f->call, f->env->pull, &why);
    if (err == 0)
        return judge_signature(f);
    if (f->env->why.text == NULL)
        f->env->why = why;
    return err;
}

/* ---- is it the newest? ---- */

#define SEEN_KEY "ota.folder1" /* 1: the format, which is struct seen */

/* The highest sequence and date that this device has seen of one folder. A manifest below them is refused: a
 * server, or an attacker on the way to it, could otherwise send an old one: its signature is still right. */
struct seen {
    uint32_t folder; /* which one, by a number of its address and channel */
    uint32_t sequence, date;
};

static uint32_t number_of(const struct folder *f)
{
    const struct otapult_folder *c = f->env->pull->source_config;

    return otapult_spread(c->url, otapult_spread(f->channel, 0, UINT32_MAX), UINT32_MAX);
}

static void load_seen(const struct folder *f, struct seen *s)
{
    const struct otapult_port *port = otapult_device_port(f->env->device);
    size_t len = 0;

    if (port->kv_get(port->ctx, SEEN_KEY, s, sizeof *s, &len) != 0 || len != sizeof *s ||
        s->folder != number_of(f))
        *s = (struct seen){.folder = number_of(f)};
}

static void save_seen(const struct folder *f, const struct seen *s)
{
    const struct otapult_port *port = otapult_device_port(f->env->device);

    if (port->kv_set(port->ctx, SEEN_KEY, s, sizeof *s) != 0)
        port->log(port->ctx, OTAPULT_LOG_ERROR, "the store failed to keep which release was seen");
}

static int old(struct folder *f, int err, uint32_t got, uint32_t want)
{
    f->env->why = (struct otapult_finding){.got = got, .want = want};
    return err;
}

/* A clock that is behind the date of the newest manifest is wrong, so it does not say that anything has
 * expired. */
static bool is_expired(const struct folder *f, uint32_t expires, uint32_t date, uint32_t *now)
{
    const struct otapult_clock *clock = f->env->pull->clock;
    struct otapult_wall_time t;

    if (expires == 0 || clock == NULL || !clock->now(clock->ctx, &t) || !otapult_time_is_good(&t))
        return false;
    *now = t.unix_s;
    return t.unix_s > expires && t.unix_s >= date;
}

static int check_age(struct folder *f)
{
    struct seen s;
    uint32_t now = 0;

    load_seen(f, &s);
    if (f->sequence < s.sequence || f->date < s.date)
        return old(f, OTAPULT_E_SOURCE_OLD, f->sequence, s.sequence);
    if (f->sequence > s.sequence || f->date > s.date) {
        s.sequence = f->sequence;
        s.date = f->date;
        save_seen(f, &s);
    }
    return is_expired(f, f->expires, s.date, &now) ? old(f, OTAPULT_E_SOURCE_EXPIRED, f->expires, now) : 0;
}

/* ---- is it for this robot? ---- */

static int check_channel(struct folder *f)
{
    const struct otapult_folder *c = f->env->pull->source_config;

    if (c->channel == NULL || strcmp(c->channel, f->channel) == 0)
        return 0;
    f->env->why = (struct otapult_finding){.text = "it is of another channel"};
    return OTAPULT_E_SOURCE_ANSWER;
}

static const char *unfit(const struct folder *f, const struct otapult_offer *out)
{
    if (out->file_count == 0)
        return "it has no file for this robot";
    return otapult_offer_is_older(f->env->running.version, f->minimum) ? "it wants a newer version here first"
                                                                       : NULL;
}

/* What is offered to others first (`percentage`) does not exist for this robot yet. Of what it cannot take
 * the reason is shown, because a robot that stays behind should say why; but not where the release is what it
 * has, or older. */
static void leave_out(const struct folder *f, struct otapult_offer *out)
{
    const char *running = f->env->running.version;

    out->unfit = unfit(f, out);
    if (!otapult_is_its_turn(f->env->pull->id, out->version, f->percentage) ||
        (out->unfit != NULL &&
         (strcmp(out->version, running) == 0 || otapult_offer_is_older(out->version, running))))
        memset(out, 0, sizeof *out);
    if (out->unfit != NULL)
        out->file_count = 0;
}

/* The server says that the manifest is the one this device has checked before (304). Only time has passed
 * since, so only its age is looked at. */
static int check_known(struct folder *f)
{
    uint32_t now = 0;

    return is_expired(f, f->known_expires, f->known_date, &now)
               ? old(f, OTAPULT_E_SOURCE_EXPIRED, f->known_expires, now)
               : 0;
}

static int check_new(struct folder *f)
{
    int err = check_signature(f);

    if (err == 0)
        err = check_channel(f);
    if (err == 0)
        err = check_age(f);
    f->known_expires = f->expires;
    f->known_date = f->date;
    return err;
}

static int folder_ask(struct otapult_source_env *env, struct otapult_offer *out)
{
    struct folder *f = env->memory;
    char build[OTAPULT_BUILD_ID_CHARS + 1];

    prepare(f, env, out, build);
    int err = fetch_manifest(f);
    if (err == 0)
        err = env->unchanged ? check_known(f) : check_new(f);
    if (err == 0 && !env->unchanged)
        leave_out(f, out);
    if (err != 0)
        f->known[0] = '\0'; /* the next answer is read again */
    return err;
}

const struct otapult_source otapult_folder = {
    .name = "folder",
    .fault = folder_fault,
    .ask = folder_ask,
};
