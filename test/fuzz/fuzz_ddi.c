/* SPDX-License-Identifier: Apache-2.0 */
#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "offer/ddi.h"

/* Answers of an update server: whatever they hold, any split gives the same, what comes out is within its
 * bounds and fit to stand in an address or a header, and what was believed is really there, as cJSON sees it.
 *
 * Input: 1: an action, else a poll; split; then the answer. */
#define SETTINGS 2u

struct run {
    struct otapult_ddi ddi;
    struct otapult_offer offer;
    struct otapult_finding why;
    int err;
};

static int feed(void *stage, const uint8_t *p, size_t n)
{
    struct run *r = stage;

    return otapult_ddi_feed(&r->ddi, p, n, &r->why);
}

static void read_answer(struct run *r, const uint8_t *p, size_t n, bool action, uint8_t split)
{
    memset(r, 0, sizeof *r);
    otapult_ddi_init(&r->ddi, action ? &r->offer : NULL);
    r->err = fuzz_feed_pieces(feed, r, p, n, split);
    if (r->err == 0)
        r->err = otapult_ddi_finish(&r->ddi, &r->why);
    FUZZ_EXPECT(r->err == 0 || r->err == OTAPULT_E_SOURCE_ANSWER);
    FUZZ_EXPECT(r->err == 0 || r->why.text != NULL);
}

static void expect_text(const char *s, size_t cap)
{
    const char *end = memchr(s, '\0', cap);

    FUZZ_EXPECT(end != NULL);
    for (; *s != '\0'; s++)
        FUZZ_EXPECT((unsigned char)*s >= ' ' && *s != 0x7F);
}

static void expect_id(const char *s)
{
    FUZZ_EXPECT(memchr(s, '\0', OTAPULT_DDI_ID) != NULL && strspn(s, "0123456789") == strlen(s));
}

static void check_bounds(const struct run *r)
{
    const struct otapult_offer *o = &r->offer;

    expect_text(r->ddi.href, sizeof r->ddi.href);
    expect_id(r->ddi.id);
    expect_id(r->ddi.stop_id);
    FUZZ_EXPECT(r->ddi.sleep_s <= 99 * 3600 + 99 * 60 + 99);
    FUZZ_EXPECT(o->file_count <= OTAPULT_OFFER_FILES);
    for (unsigned i = 0; i < OTAPULT_OFFER_FILES; i++)
        expect_text(o->file[i].url, sizeof o->file[i].url);
    expect_text(o->version, sizeof o->version);
    expect_text(o->project, sizeof o->project);
    expect_text(o->build, sizeof o->build);
    expect_text(o->notes[0], sizeof o->notes[0]);
    expect_text(o->notes[1], sizeof o->notes[1]);
    if (r->err == 0 && r->ddi.offer != NULL && r->ddi.unfit == NULL)
        for (unsigned i = 0; i < o->file_count; i++)
            FUZZ_EXPECT(o->file[i].size > 0 && (o->file_count == 1 || o->has_sha256 || !r->ddi.plain[i]));
}

static void expect_same(const struct otapult_offer *a, const struct otapult_offer *b)
{
    FUZZ_EXPECT(a->file_count == b->file_count && a->size == b->size && a->has_sha256 == b->has_sha256);
    FUZZ_EXPECT(a->urgency == b->urgency && a->not_now == b->not_now);
    FUZZ_EXPECT(strcmp(a->version, b->version) == 0 && strcmp(a->notes[1], b->notes[1]) == 0);
    for (unsigned i = 0; i < OTAPULT_OFFER_FILES; i++) {
        FUZZ_EXPECT(strcmp(a->file[i].url, b->file[i].url) == 0 && a->file[i].size == b->file[i].size);
        FUZZ_EXPECT(memcmp(a->file[i].sha256, b->file[i].sha256, sizeof a->file[i].sha256) == 0);
    }
}

/* ---- as cJSON sees it ---- */

/* Is there, at any of the places of `path` (member names; "*" is any), the string `text`? */
static bool has_string(const cJSON *at, const char *const *path, const char *text)
{
    if (*path == NULL)
        return cJSON_IsString(at) && strcmp(at->valuestring, text) == 0;
    for (const cJSON *child = at->child; child != NULL; child = child->next) {
        bool any = strcmp(*path, "*") == 0;
        bool same = child->string != NULL && strcmp(child->string, *path) == 0;
        if ((any || same) && has_string(child, path + 1, text))
            return true;
    }
    return false;
}

static bool is_ascii(const char *s)
{
    for (; *s != '\0'; s++)
        if ((unsigned char)*s >= 0x80 || *s == '?') /* what is no character became one of these */
            return false;
    return true;
}

static void check_poll(const struct run *r, const cJSON *root)
{
    static const char *const names[] = {"", "deploymentBase", "confirmationBase", "cancelAction"};
    const char *const path[] = {"_links", names[r->ddi.link], "href", NULL};

    if (r->ddi.link != OTAPULT_DDI_NOTHING && is_ascii(r->ddi.href))
        FUZZ_EXPECT(has_string(root, path, r->ddi.href));
}

static void check_action(const struct run *r, const cJSON *root)
{
    static const char *const plain[] = {"*",      "chunks",        "*",    "artifacts", "*",
                                        "_links", "download-http", "href", NULL};
    static const char *const tls[] = {"*",      "chunks",   "*",    "artifacts", "*",
                                      "_links", "download", "href", NULL};

    for (unsigned i = 0; i < r->offer.file_count; i++) {
        const char *url = r->offer.file[i].url;
        if (url[0] != '\0' && is_ascii(url))
            FUZZ_EXPECT(has_string(root, plain, url) || has_string(root, tls, url));
    }
}

static void compare(const struct run *r, const uint8_t *p, size_t n)
{
    cJSON *root = cJSON_ParseWithLength((const char *)p, n);

    if (root != NULL && r->err == 0) {
        if (r->ddi.offer == NULL)
            check_poll(r, root);
        else
            check_action(r, root);
    }
    FUZZ_EXPECT(root != NULL || r->err != 0 || n == 0);
    cJSON_Delete(root);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct run once, pieces;

    if (size < SETTINGS)
        return 0;
    const uint8_t *p = data + SETTINGS;
    size_t n = size - SETTINGS;
    bool action = (data[0] & 1) != 0;

    read_answer(&once, p, n, action, 0);
    read_answer(&pieces, p, n, action, data[1] | 1);
    FUZZ_EXPECT(once.err == pieces.err && once.why.got == pieces.why.got);
    expect_same(&once.offer, &pieces.offer);
    FUZZ_EXPECT(strcmp(once.ddi.href, pieces.ddi.href) == 0 && strcmp(once.ddi.id, pieces.ddi.id) == 0);
    check_bounds(&once);
    compare(&once, p, n);
    return 0;
}
