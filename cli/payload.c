/* SPDX-License-Identifier: Apache-2.0 */
#include "payload.h"

#include <gnutls/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

/* One file for many robots. What is the same for all of them is done once: hashing, packing, judging for a
 * set of limits, the patch from a build. What takes seconds is done before the first robot is asked, or in
 * another process (maker.h), because the wire's one loop must not stand still. */

static void hex_of(const uint8_t *bytes, size_t n, char *dst)
{
    for (size_t i = 0; i < n; i++)
        snprintf(dst + 2 * i, 3, "%02x", bytes[i]);
}

static void note_hashes(struct payload *p)
{
    uint8_t digest[32];

    if (gnutls_hash_fast(GNUTLS_DIG_SHA256, p->in.data, p->in.size, digest) == 0)
        hex_of(digest, 32, p->sha256);
    if (gnutls_hash_fast(GNUTLS_DIG_MD5, p->in.data, p->in.size, digest) == 0)
        hex_of(digest, 16, p->md5);
}

/* What a patch makes cannot be judged here without the build that it is from: the robot does so. */
static int read_patch(struct payload *p)
{
    struct otapult_finding why = {0};
    int err = patch_read(p->in.data, p->in.size, &p->patch, &why);

    if (err != 0)
        return error_say(err, &why, p->in.name);
    p->is_patch = true;
    hex_of(p->patch.result.build, sizeof p->patch.result.build, p->build);
    hex_of(p->patch.base.build, sizeof p->patch.base.build, p->base);
    otapult_text_set(p->version, sizeof p->version, p->patch.result.version);
    return 0;
}

static int read_image(struct payload *p)
{
    static struct otapult_judge judge;
    const struct options any = {OPTIONS_DEFAULT};
    int err = input_unpack(&p->in, &judge.why);

    if (err == 0)
        err = input_judge_any(&p->in, &any, &judge);
    if (err != 0)
        return error_say(err, &judge.why, p->in.name);
    p->info = judge.inspect.info;
    otapult_build_id(&p->info.desc, p->build);
    otapult_text_set(p->version, sizeof p->version, p->info.desc.version);
    if (otapult_is_unnamed(p->info.desc.project))
        complain("warning: %s: %s", p->in.name, OTAPULT_UNNAMED);
    anatomy_of(p->in.data, 0, p->in.size, &p->anatomy);
    return 0;
}

/* Done before the first robot is asked, because it takes a second, in which no transfer would go on. The
 * packed file is kept only where it is smaller. */
static void pack(struct payload *p)
{
    if (p->is_patch)
        return;
    if (patch_gzip(p->in.data, p->in.size, &p->gzip) && p->gzip.size < p->in.size)
        return;
    free(p->gzip.data);
    p->gzip.data = NULL;
}

int payload_read(struct payload *p, const char *path, const char *builds)
{
    *p = (struct payload){0};
    if (!input_read(path, &p->in))
        return STATUS_NO;
    int status = patch_recognise(p->in.data, p->in.size) ? read_patch(p) : read_image(p);
    if (status == 0 && builds != NULL)
        status = builds_folder_read(builds, &p->builds);
    if (status != 0) {
        payload_free(p);
        return status;
    }
    note_hashes(p);
    pack(p);
    return 0;
}

void payload_free(struct payload *p)
{
    maker_end(&p->maker);
    for (unsigned i = 0; i < p->patches; i++)
        free(p->patch_from[i].file.data);
    p->patches = 0;
    builds_folder_free(&p->builds);
    input_free(&p->in);
    free(p->gzip.data);
    p->gzip.data = NULL;
}

/* ---- would it be taken? ---- */

static struct otapult_inspect_limits limits_of(const struct payload *p, const struct device *d)
{
    struct otapult_inspect_limits l = {.slot_size = d->slot_size, .chip_id = p->info.chip_id};

    chip_by_name(d->chip, &l.chip_id); /* a chip unknown here is the robot's to judge */
    l.chip_rev = d->chip_revision >= 0 ? (uint16_t)d->chip_revision : input_wanted_revision(&p->in);
    if (d->block_revision >= 0)
        l.block_rev = (uint16_t)d->block_revision;
    return l;
}

static bool alike(const struct otapult_inspect_limits *a, const struct otapult_inspect_limits *b)
{
    return a->slot_size == b->slot_size && a->chip_id == b->chip_id && a->chip_rev == b->chip_rev &&
           a->block_rev == b->block_rev;
}

static int judge_for(struct payload *p, const struct otapult_inspect_limits *l)
{
    static struct otapult_judge judge;

    if (p->judged && alike(&p->limits, l))
        return p->err;
    p->judged = true;
    p->limits = *l;
    if (p->in.size > l->slot_size) {
        p->why = (struct otapult_finding){.got = (uint32_t)p->in.size, .want = l->slot_size};
        return p->err = OTAPULT_E_IMAGE_TOO_LARGE;
    }
    p->err = input_judge_limits(&p->in, l, &judge);
    p->why = judge.why;
    return p->err;
}

static bool is_signed_for(const struct payload *p, const struct device *d)
{
    char hex[2 * OTAPULT_KEY_DIGEST + 1];

    for (unsigned i = 0; i < p->anatomy.signatures; i++) {
        hex_of(p->anatomy.signature[i].key, OTAPULT_KEY_DIGEST, hex);
        for (unsigned k = 0; k < d->keys; k++) {
            if (d->key[k][0] != '\0' && strncmp(hex, d->key[k], strlen(d->key[k])) == 0)
                return true;
        }
    }
    return d->keys == 0;
}

static bool signature_unfit(const struct payload *p, const struct device *d, struct fault *f)
{
    const struct otapult_finding why = {.at = p->info.image_size, .text = "the image ends at"};
    char detail[160] = "";

    if (!d->signature_enforced)
        return false;
    if (p->info.signatures == 0) {
        fault_of_error(f, OTAPULT_E_SIGNATURE_MISSING, &why);
        return true;
    }
    if (is_signed_for(p, d))
        return false;
    snprintf(detail, sizeof detail, "it is signed by none of the keys this robot trusts:");
    for (unsigned k = 0; k < d->keys; k++)
        snprintf(detail + strlen(detail), sizeof detail - strlen(detail), " %s", d->key[k]);
    fault_of_trouble(f, TROUBLE_BUILD_UNFIT, detail);
    return true;
}

/* A patch is for robots that run its base, have room for what it makes, and know patches. */
static bool patch_unfit(const struct payload *p, const struct device *d, struct fault *f)
{
    char detail[300];

    if (!d->takes_patch) {
        fault_of_trouble(f, TROUBLE_BUILD_UNFIT, "it takes no patches");
        return true;
    }
    if (p->patch.result.size > d->slot_size) {
        const struct otapult_finding why = {.got = p->patch.result.size, .want = d->slot_size};
        fault_of_error(f, OTAPULT_E_IMAGE_TOO_LARGE, &why);
        return true;
    }
    if (strcmp(d->image.build, p->base) == 0)
        return false;
    snprintf(detail, sizeof detail, "the patch is for build %s, this robot runs %s", p->base, d->image.build);
    fault_of_trouble(f, TROUBLE_PATCH_BASE, detail);
    return true;
}

bool payload_unfit(struct payload *p, const struct device *d, struct fault *f)
{
    if (p->is_patch)
        return patch_unfit(p, d, f);
    const struct otapult_inspect_limits l = limits_of(p, d);
    int err = judge_for(p, &l);

    if (err == 0)
        return signature_unfit(p, d, f);
    fault_of_error(f, err, &p->why);
    return true;
}

/* ---- its forms ---- */

static struct payload_patch *patch_from(struct payload *p, const char *build)
{
    for (unsigned i = 0; i < p->patches; i++) {
        if (strcmp(p->patch_from[i].from, build) == 0)
            return &p->patch_from[i];
    }
    if (p->patches == PAYLOAD_PATCHES)
        return NULL;
    struct payload_patch *patch = &p->patch_from[p->patches++];
    otapult_text_set(patch->from, sizeof patch->from, build);
    return patch;
}

/* The patch for what this robot runs; NULL: it takes none, or no builds were given to make one from. */
static struct payload_patch *patch_for(struct payload *p, const struct device *d, bool no_patch)
{
    return d->takes_patch && !no_patch && p->builds.count > 0 ? patch_from(p, d->image.build) : NULL;
}

/* Runs in a process of its own. false: the robot's build is not among those given, or a patch would not be
 * smaller. */
static bool make_patch(void *ctx, struct patch_file *out)
{
    const struct payload *p = ctx;
    struct build from;
    bool is_gzip = false;

    return builds_find(&p->builds, p->making->from, &from) &&
           patch_make(from.in.data, from.in.size, p->in.data, p->in.size, out, &is_gzip) && !is_gzip;
}

static void look_at_maker(struct payload *p)
{
    if (p->making == NULL || maker_ask(&p->maker, &p->making->file) == MAKER_BUSY)
        return;
    p->making->made = true;
    p->making = NULL;
}

/* One at a time: each takes a hundred times the file in memory. */
bool payload_waits(struct payload *p, const struct device *d, bool no_patch)
{
    struct payload_patch *patch = patch_for(p, d, no_patch);

    look_at_maker(p);
    if (patch == NULL || patch->made)
        return false;
    if (p->making == NULL) {
        p->making = patch;
        if (!maker_begin(&p->maker, make_patch, p)) {
            p->making = NULL;
            patch->made = true; /* without a patch: the whole file */
        }
    }
    return !patch->made;
}

const uint8_t *payload_form(struct payload *p, const struct device *d, bool no_patch, size_t *len,
                            const char **word)
{
    const struct payload_patch *patch = patch_for(p, d, no_patch);

    if (patch != NULL && patch->file.data != NULL) {
        *len = patch->file.size;
        *word = "patch";
        return patch->file.data;
    }
    if (d->takes_gzip && p->gzip.data != NULL) {
        *len = p->gzip.size;
        *word = "gzip";
        return p->gzip.data;
    }
    *len = p->in.size;
    *word = p->is_patch ? "patch" : "plain";
    return p->in.data;
}
