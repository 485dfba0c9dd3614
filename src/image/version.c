/* SPDX-License-Identifier: Apache-2.0 */
#include <stdbool.h>
#include <string.h>

#include "otapult/image.h"

/* Which of two firmwares is newer, from the texts in their descriptions. A build tool or a person wrote those
 * texts, so there are three answers and "nobody can tell", and the last one never refuses an update. The
 * trust in a version is not decided here: against an attacker who wants an old firmware back stands the
 * security version, which is a number and signed (inspect.c, check_age).
 *
 * The page decides the same in ui/version.js; test/image/versions.txt holds both to the same answers. */

#define NUMBERS    3
#define MAX_DIGITS 9 /* as many as always fit 32 bits */

/* A version taken apart. Texts are not terminated where they end. */
struct parts {
    uint32_t number[NUMBERS];
    const char *pre; /* prerelease, what stands behind '-' */
    size_t pre_len;
    uint32_t commits; /* since the tag, of `git describe` */
};

void otapult_version_of(const struct otapult_app_desc *desc, struct otapult_version *out)
{
    memcpy(out->version, desc->version, sizeof out->version);
    memcpy(out->date, desc->date, sizeof out->date);
    memcpy(out->time, desc->time, sizeof out->time);
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Digits at *s, at most MAX_DIGITS of them; *s moves behind. */
static bool take_number(const char **s, const char *end, uint32_t *out)
{
    const char *from = *s;

    for (*out = 0; *s < end && is_digit(**s) && *s - from < MAX_DIGITS; (*s)++)
        *out = *out * 10 + (uint32_t)(**s - '0');
    return *s > from && (*s == end || !is_digit(**s));
}

/* ---- what git appends ---- */

static bool is_hex(const char *s, const char *end)
{
    for (; s < end; s++)
        if (!is_digit(*s) && (*s < 'a' || *s > 'f'))
            return false;
    return true;
}

static const char *last_dash(const char *from, const char *end)
{
    while (end > from)
        if (*--end == '-')
            return end;
    return NULL;
}

/* "-3-g1a2b3c4" at the end of [from, end): *end moves before it. */
static void take_describe(const char *from, const char **end, uint32_t *commits)
{
    const char *hash = last_dash(from, *end);
    const char *count = hash != NULL ? last_dash(from, hash) : NULL;
    uint32_t n;

    /* git shortens a hash to 4 digits at least. With fewer it is a prerelease that somebody chose to call so.
     */
    if (count == NULL || hash[1] != 'g' || *end - hash < 6 || !is_hex(hash + 2, *end))
        return;
    const char *at = count + 1;
    if (take_number(&at, hash, &n) && at == hash) {
        *commits = n;
        *end = count;
    }
}

/* What stands behind the numbers, from its end: git appends to what was there, a prerelease as well. "-dirty"
 * does not count: two builds from the same commit, one of them with changes, are of one age. */
static void take_suffix(const char *from, const char *end, struct parts *out)
{
    static const char dirty[] = "-dirty";
    const size_t len = sizeof dirty - 1;

    if ((size_t)(end - from) >= len && memcmp(end - len, dirty, len) == 0)
        end -= len;
    take_describe(from, &end, &out->commits);
    if (from < end && *from == '-') {
        out->pre = from + 1;
        out->pre_len = (size_t)(end - out->pre);
    }
}

/* ---- Semantic Versioning ---- */

/* false: it is no version. Lenient where build tools are: "v" in front, two numbers. */
static bool parse(const char *s, struct parts *out)
{
    const char *end = s + strcspn(s, "+"); /* section 10: what is behind a plus does not count */
    unsigned n = 0;

    *out = (struct parts){0};
    if (*s == 'v' || *s == 'V')
        s++;
    for (;; s++) { /* a dot asks for one more number */
        if (!take_number(&s, end, &out->number[n++]))
            return false;
        if (s == end || *s != '.' || n == NUMBERS)
            break;
    }
    if (n < 2 || (s < end && *s != '-')) /* one number may as well be a hash, or a count of builds */
        return false;
    take_suffix(s, end, out);
    return true;
}

static enum otapult_age order(bool less, bool more)
{
    return less ? OTAPULT_OLDER : more ? OTAPULT_NEWER : OTAPULT_SAME_AGE;
}

static size_t identifier(const char *s, size_t len)
{
    const char *dot = memchr(s, '.', len);
    return dot != NULL ? (size_t)(dot - s) : len;
}

/* Nothing but digits? Then *s loses its leading zeros, so that of two numbers the longer one is the greater.
 */
static bool is_number(const char **s, size_t *len)
{
    const bool any = *len > 0;

    for (size_t i = 0; i < *len; i++)
        if (!is_digit((*s)[i]))
            return false;
    for (; *len > 0 && **s == '0'; (*len)--)
        (*s)++;
    return any;
}

/* Section 11 of Semantic Versioning: numbers by value, of any length, and before words; words by their bytes.
 */
static enum otapult_age compare_identifiers(const char *a, size_t a_len, const char *b, size_t b_len)
{
    const bool a_is = is_number(&a, &a_len), b_is = is_number(&b, &b_len);

    if (a_is != b_is)
        return order(a_is, b_is);
    if (a_is && a_len != b_len)
        return order((a_len < b_len), true);
    int way = memcmp(a, b, a_len < b_len ? a_len : b_len);
    return way != 0 ? order((way < 0), (way > 0)) : order((a_len < b_len), (a_len > b_len));
}

static enum otapult_age compare_prereleases(const struct parts *a, const struct parts *b)
{
    const char *x = a->pre, *y = b->pre;
    size_t x_len = a->pre_len, y_len = b->pre_len;

    if (x_len == 0 || y_len == 0) /* a release comes after its prereleases */
        return order((x_len > y_len), (x_len < y_len));
    while (x_len > 0 && y_len > 0) {
        size_t i = identifier(x, x_len), j = identifier(y, y_len);
        enum otapult_age age = compare_identifiers(x, i, y, j);
        if (age != OTAPULT_SAME_AGE)
            return age;
        i += i < x_len;
        j += j < y_len;
        x += i;
        x_len -= i;
        y += j;
        y_len -= j;
    }
    return order((x_len < y_len), (x_len > y_len));
}

/* The commits since a tag come last, though Semantic Versioning has no word for them: "1.0.0-3-g1a2b3c4" is
 * built after 1.0.0, and by section 9 it would be a prerelease before it. */
static enum otapult_age compare_parts(const struct parts *a, const struct parts *b)
{
    for (unsigned i = 0; i < NUMBERS; i++)
        if (a->number[i] != b->number[i])
            return order((a->number[i] < b->number[i]), true);
    enum otapult_age age = compare_prereleases(a, b);
    return age != OTAPULT_SAME_AGE ? age : order((a->commits < b->commits), (a->commits > b->commits));
}

/* ---- build dates ---- */

/* Two characters, the first of which may be a space: so C pads the day in __DATE__ (C11, 6.10.8.1). */
static bool take_two(const char *s, uint32_t *value)
{
    char digits[2] = {s[0] == ' ' ? '0' : s[0], s[0] == '\0' ? '\0' : s[1]};

    *value = (uint32_t)(digits[0] - '0') * 10 + (uint32_t)(digits[1] - '0');
    return is_digit(digits[0]) && is_digit(digits[1]);
}

/* "Jan  1 2026" and "12:00:00" of the C compiler, as one number that grows with time. */
static bool parse_date(const struct otapult_version *v, uint64_t *out)
{
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    uint32_t month = 0, day, century, year, hour, minute, second;

    while (month < 12 && memcmp(months + 3 * month, v->date, 3) != 0)
        month++;
    if (month == 12 || strlen(v->date) != 11 || strlen(v->time) != 8)
        return false;
    if (!take_two(v->date + 4, &day) || !take_two(v->date + 7, &century) || !take_two(v->date + 9, &year) ||
        !take_two(v->time, &hour) || !take_two(v->time + 3, &minute) || !take_two(v->time + 6, &second))
        return false;
    *out = ((((((uint64_t)century * 100 + year) * 12 + month) * 32 + day) * 24 + hour) * 60 + minute) * 60 +
           second;
    return true;
}

enum otapult_age otapult_compare_versions(const struct otapult_version *a, const struct otapult_version *b)
{
    struct parts x, y;
    uint64_t then, now;

    /* Only when both are versions. One that is none beside one that is: the dates are all they have in
     * common. */
    if (parse(a->version, &x) && parse(b->version, &y))
        return compare_parts(&x, &y);
    if (parse_date(a, &then) && parse_date(b, &now))
        return order((then < now), (then > now));
    return OTAPULT_AGE_UNKNOWN;
}

bool otapult_is_older(const struct otapult_version *a, const struct otapult_version *b)
{
    return otapult_compare_versions(a, b) == OTAPULT_OLDER;
}
