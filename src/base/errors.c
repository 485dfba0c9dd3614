/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/text.h"
#include "otapult/image.h"

static const struct otapult_error_row rows[] = {
#define OTAPULT_ERROR(symbol, code, caption, status, detail, en, ru) \
    [OTAPULT_E_##symbol] = {code, caption, status, detail, en, ru},
#include "otapult/errors.def"
#undef OTAPULT_ERROR
};

const struct otapult_error_row *otapult_error_row(int err)
{
    if (err <= OTAPULT_OK || err >= OTAPULT_ERROR_COUNT)
        err = OTAPULT_E_INTERNAL;
    return &rows[err];
}

int otapult_error_by_code(const char *code)
{
    for (int err = OTAPULT_OK + 1; err < OTAPULT_ERROR_COUNT; err++)
        if (strcmp(rows[err].code, code) == 0)
            return err;
    return OTAPULT_OK;
}

static const struct {
    const char *word, *en, *ru;
} claims[OTAPULT_CLAIM_COUNT] = {
    [OTAPULT_FREE] = {NULL, "", ""},
#define OTAPULT_CLAIM(symbol, word, en, ru) [OTAPULT_FOR_##symbol] = {word, en, ru},
#include "otapult/errors.def"
#undef OTAPULT_CLAIM
};

const char *otapult_claim_name(enum otapult_claim claim)
{
    return claim < OTAPULT_CLAIM_COUNT ? claims[claim].word : NULL;
}

/* ---- templates ---- */

/* No sentinel gets into a text. */
static void put_size(struct otapult_text *t, uint32_t v)
{
    if (v == OTAPULT_SIZE_UNKNOWN)
        otapult_text_str(t, "?");
    else
        otapult_text_dec(t, v);
}

static void put_chip(struct otapult_text *t, uint32_t id)
{
    otapult_text_str(t, otapult_chip_name(id));
}

static void put_revision(struct otapult_text *t, uint32_t rev)
{
    otapult_text_str(t, "v");
    otapult_text_dec(t, rev / 100);
    otapult_text_str(t, ".");
    otapult_text_dec(t, rev % 100);
}

static void put_key(struct otapult_text *t, uint32_t id)
{
    const uint8_t bytes[] = {(uint8_t)(id >> 24), (uint8_t)(id >> 16), (uint8_t)(id >> 8), (uint8_t)id};
    if (id == 0)
        return;
    otapult_text_str(t, " ");
    otapult_text_digest(t, bytes, sizeof bytes);
}

/* The placeholders of errors.def, {text} and {claim} apart. */
static const struct {
    const char *name;
    size_t field;
    void (*put)(struct otapult_text *t, uint32_t v);
} placeholders[] = {
    {"{at}", offsetof(struct otapult_finding, at), otapult_text_hex},
    {"{got}", offsetof(struct otapult_finding, got), put_size},
    {"{want}", offsetof(struct otapult_finding, want), put_size},
    {"{xgot}", offsetof(struct otapult_finding, got), otapult_text_hex},
    {"{xwant}", offsetof(struct otapult_finding, want), otapult_text_hex},
    {"{chip}", offsetof(struct otapult_finding, got), put_chip},
    {"{ours}", offsetof(struct otapult_finding, want), put_chip},
    {"{rev}", offsetof(struct otapult_finding, got), put_revision},
    {"{ourrev}", offsetof(struct otapult_finding, want), put_revision},
    {"{key}", offsetof(struct otapult_finding, want), put_key},
};

/* Writes the value of the placeholder s[len]; false: it is none. */
static bool put_placeholder(struct otapult_text *t, const char *s, size_t len,
                            const struct otapult_finding *finding)
{
    if (strncmp(s, "{text}", len) == 0) {
        otapult_text_str(t, finding->text ? finding->text : "");
        return true;
    }
    for (size_t i = 0; i < sizeof placeholders / sizeof *placeholders; i++)
        if (strncmp(s, placeholders[i].name, len) == 0) {
            const void *value = (const char *)finding + placeholders[i].field;
            placeholders[i].put(t, *(const uint32_t *)value);
            return true;
        }
    return false;
}

static void fill_in(struct otapult_text *t, const char *s, const struct otapult_finding *finding)
{
    while (*s) {
        size_t n = 1 + strcspn(s, "}");
        if (*s != '{' || !put_placeholder(t, s, n, finding)) {
            n = 1 + strcspn(s + 1, "{");
            otapult_text_bytes(t, s, n);
        }
        s += n;
    }
}

/* The row's template, with that of the claim in its place. */
static void fill_in_row(struct otapult_text *t, const char *s, const struct otapult_finding *finding)
{
    static const char claim[] = "{claim}";
    const char *at = strstr(s, claim);
    const uint32_t n = finding->at < OTAPULT_CLAIM_COUNT ? finding->at : OTAPULT_FREE;

    if (at == NULL) {
        fill_in(t, s, finding);
        return;
    }
    otapult_text_bytes(t, s, (size_t)(at - s));
    fill_in(t, claims[n].en, finding);
    otapult_text_str(t, at + sizeof claim - 1);
}

void otapult_detail(int err, const struct otapult_finding *finding, char *dst, size_t cap)
{
    struct otapult_text t;

    otapult_text_init(&t, dst, cap);
    if (err != OTAPULT_OK)
        fill_in_row(&t, otapult_error_row(err)->detail, finding);
}
