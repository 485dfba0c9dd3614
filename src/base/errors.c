/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#define ROW_OF_core(...) __VA_ARGS__
#include "base/error_part.h"
#include "base/language.h"
#include "base/text.h"
#include "otapult/image.h"

/* Makes text of an error's number and its finding. A stage that refuses knows neither language nor HTTP: it
 * gives a number and what it found where. Only here, at the end, that becomes a sentence, so each sentence
 * exists once and a translation cannot be forgotten at one of the places that refuse. */

static const struct otapult_error_row rows[] = {
#include "otapult/errors.def"
#undef OTAPULT_ERROR
};

static const struct otapult_error_rows core = {rows, sizeof rows / sizeof *rows};

/* Weak references: they link nothing, and stay NULL where no other object refers to that part's rows. */
#if defined(__GNUC__)
#define PART(part) extern const struct otapult_error_rows otapult_errors_of_##part __attribute__((weak));
OTAPULT_ERROR_PARTS(PART)
#undef PART
#endif

#define PART(part) &otapult_errors_of_##part,
static const struct otapult_error_rows *const parts[OTAPULT_PARTS] = {&core, OTAPULT_ERROR_PARTS(PART)};
#undef PART

/* Where a row is: the part that has it, and which of that part's rows. */
struct place {
    size_t part, row;
};

/* false: no part of this firmware gives that error. Searched, not indexed: an index by number would need a
 * place for each row that is not linked, and an answer is about to be sent, beside which a search costs
 * nothing. */
static bool find(int err, struct place *at)
{
    for (at->part = 0; at->part < OTAPULT_PARTS; at->part++)
        for (at->row = 0; parts[at->part] != NULL && at->row < parts[at->part]->count; at->row++)
            if (parts[at->part]->rows[at->row].error == err)
                return true;
    return false;
}

static struct place place_of(int err)
{
    struct place at;

    if (!find(err, &at))
        (void)find(OTAPULT_E_INTERNAL, &at);
    return at;
}

static const struct otapult_error_row *row_at(struct place at)
{
    return &parts[at.part]->rows[at.row];
}

const struct otapult_error_row *otapult_error_row(int err)
{
    return row_at(place_of(err));
}

int otapult_error_by_code(const char *code)
{
    for (size_t p = 0; p < OTAPULT_PARTS; p++)
        for (size_t i = 0; parts[p] != NULL && i < parts[p]->count; i++)
            if (strcmp(parts[p]->rows[i].code, code) == 0)
                return parts[p]->rows[i].error;
    return OTAPULT_OK;
}

static const struct {
    const char *word, *sentence;
} claims[OTAPULT_CLAIM_COUNT] = {
    [OTAPULT_FREE] = {NULL, ""},
#define OTAPULT_CLAIM(symbol, word, en, ru) [OTAPULT_FOR_##symbol] = {word, en},
#include "otapult/errors.def"
#undef OTAPULT_CLAIM
};

const char *otapult_claim_name(enum otapult_claim claim)
{
    return claim < OTAPULT_CLAIM_COUNT ? claims[claim].word : NULL;
}

/* ---- in the reader's language ---- */

struct otapult_language_row otapult_texts(int err, const struct otapult_language *language)
{
    const struct place at = place_of(err);

    if (language != NULL)
        return (*language->parts[at.part])->rows[at.row];
    return (struct otapult_language_row){row_at(at)->detail, row_at(at)->hint};
}

const char *otapult_hint(int err, const struct otapult_language *language)
{
    return otapult_texts(err, language).hint;
}

/* NULL: this part has no such word. */
static const char *find_in_part(const char *english, size_t len, const struct otapult_language_part *part)
{
    for (const struct otapult_language_word *w = part->words; w->english != NULL; w++)
        if (strlen(w->english) == len && memcmp(w->english, english, len) == 0)
            return w->own;
    return NULL;
}

/* NULL: the table has no row of those bytes. */
static const char *find_word(const char *english, size_t len, const struct otapult_language *language)
{
    const char *own = NULL;

    for (size_t p = 0; own == NULL && language != NULL && p < OTAPULT_PARTS; p++)
        if (language->parts[p] != NULL)
            own = find_in_part(english, len, *language->parts[p]);
    return own;
}

const char *otapult_in_language(const char *english, const struct otapult_language *language)
{
    const char *own = find_word(english, strlen(english), language);
    return own != NULL ? own : english;
}

void otapult_put_in_language(struct otapult_text *t, const char *english, size_t len,
                             const struct otapult_language *language)
{
    const char *own = find_word(english, len, language);

    if (own != NULL)
        otapult_text_str(t, own);
    else
        otapult_text_bytes(t, english, len);
}

/* ---- details ---- */

/* A detail while it is written. */
struct detail {
    struct otapult_text text;
    const struct otapult_language *language;
};

static void put_word(struct detail *d, const char *text)
{
    otapult_text_str(&d->text, otapult_in_language(text, d->language));
}

/* OTAPULT_SIZE_UNKNOWN gets into no text as a number. */
static void put_size(struct detail *d, uint32_t v)
{
    if (v == OTAPULT_SIZE_UNKNOWN)
        otapult_text_str(&d->text, "?");
    else
        otapult_text_dec(&d->text, v);
}

static void put_hex(struct detail *d, uint32_t v)
{
    otapult_text_hex(&d->text, v);
}

static void put_chip(struct detail *d, uint32_t id)
{
    put_word(d, otapult_chip_name(id));
}

static void put_revision(struct detail *d, uint32_t rev)
{
    otapult_text_str(&d->text, "v");
    otapult_text_dec(&d->text, rev / 100);
    otapult_text_str(&d->text, ".");
    otapult_text_dec(&d->text, rev % 100);
}

/* The first four bytes of a key's digest, as `otapult key-digest` begins. 0: no key is meant, and no blank is
 * left. */
static void put_key(struct detail *d, uint32_t id)
{
    const uint8_t bytes[] = {(uint8_t)(id >> 24), (uint8_t)(id >> 16), (uint8_t)(id >> 8), (uint8_t)id};
    if (id == 0)
        return;
    otapult_text_str(&d->text, " ");
    otapult_text_digest(&d->text, bytes, sizeof bytes);
}

/* The placeholders of errors.def, {text} and {claim} apart. */
static const struct {
    const char *name;
    size_t field;
    void (*print)(struct detail *d, uint32_t v);
    unsigned shown;
} placeholders[] = {
    {"{at}", offsetof(struct otapult_finding, at), put_hex, OTAPULT_SHOWS_AT},
    {"{got}", offsetof(struct otapult_finding, got), put_size, OTAPULT_SHOWS_GOT},
    {"{want}", offsetof(struct otapult_finding, want), put_size, OTAPULT_SHOWS_WANT},
    {"{xgot}", offsetof(struct otapult_finding, got), put_hex, OTAPULT_SHOWS_GOT},
    {"{xwant}", offsetof(struct otapult_finding, want), put_hex, OTAPULT_SHOWS_WANT},
    {"{chip}", offsetof(struct otapult_finding, got), put_chip, OTAPULT_SHOWS_GOT},
    {"{ours}", offsetof(struct otapult_finding, want), put_chip, OTAPULT_SHOWS_WANT},
    {"{rev}", offsetof(struct otapult_finding, got), put_revision, OTAPULT_SHOWS_GOT},
    {"{ourrev}", offsetof(struct otapult_finding, want), put_revision, OTAPULT_SHOWS_WANT},
    {"{key}", offsetof(struct otapult_finding, want), put_key, OTAPULT_SHOWS_WANT},
};

#define PLACEHOLDERS (sizeof placeholders / sizeof *placeholders)

/* Writes the value of the placeholder s[len]; false: it is none. */
static bool put_placeholder(struct detail *d, const char *s, size_t len,
                            const struct otapult_finding *finding)
{
    if (strncmp(s, "{text}", len) == 0) {
        put_word(d, finding->text ? finding->text : "");
        return true;
    }
    for (size_t i = 0; i < PLACEHOLDERS; i++)
        if (strncmp(s, placeholders[i].name, len) == 0) {
            const void *value = (const char *)finding + placeholders[i].field;
            placeholders[i].print(d, *(const uint32_t *)value);
            return true;
        }
    return false;
}

/* Values are never looked through for placeholders again: a file's name may well be "{text}". */
static void fill_in(struct detail *d, const char *s, const struct otapult_finding *finding)
{
    while (*s) {
        size_t n = 1 + strcspn(s, "}");
        if (*s != '{' || !put_placeholder(d, s, n, finding)) {
            n = 1 + strcspn(s + 1, "{");
            otapult_text_bytes(&d->text, s, n);
        }
        s += n;
    }
}

/* The row's template, with that of the claim in its place. The claim's own sentence has placeholders, so it
 * is filled in and not inserted as a value; finding->at, which is otherwise an offset, says which claim. */
static void fill_in_row(struct detail *d, const char *s, const struct otapult_finding *finding)
{
    static const char claim[] = "{claim}";
    const char *at = strstr(s, claim);
    const uint32_t n = finding->at < OTAPULT_CLAIM_COUNT ? finding->at : OTAPULT_FREE;

    if (at == NULL) {
        fill_in(d, s, finding);
        return;
    }
    otapult_text_bytes(&d->text, s, (size_t)(at - s));
    fill_in(d, d->language == NULL ? claims[n].sentence : d->language->claims[n], finding);
    otapult_text_str(&d->text, at + sizeof claim - 1);
}

void otapult_detail(int err, const struct otapult_finding *finding, const struct otapult_language *language,
                    char *dst, size_t cap)
{
    struct detail d = {.language = language};

    otapult_text_init(&d.text, dst, cap);
    if (err != OTAPULT_OK)
        fill_in_row(&d, otapult_texts(err, language).detail, finding);
}

unsigned otapult_detail_shows(int err)
{
    const char *template = otapult_error_row(err)->detail;
    unsigned shown = 0;

    for (size_t i = 0; i < PLACEHOLDERS; i++)
        if (strstr(template, placeholders[i].name) != NULL)
            shown |= placeholders[i].shown;
    return shown;
}
