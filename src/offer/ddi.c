/* SPDX-License-Identifier: Apache-2.0 */
#include "offer/ddi.h"

#include <string.h>

#include "base/text.h"

/* Two kinds of complaint. wrong(): the answer is not what the API says, so nothing of it counts. unfit(): the
 * answer is fine, and this robot cannot do what it asks; then it is read to its end, because the operator is
 * told why, and for that the id of the action is needed, wherever it stands. */

static int wrong(struct otapult_ddi *d, const char *fault)
{
    d->scan.fault = fault;
    return OTAPULT_E_SOURCE_ANSWER;
}

static void unfit(struct otapult_ddi *d, const char *why)
{
    if (d->unfit == NULL)
        d->unfit = why;
}

/* ---- the poll ---- */

static bool two_digits(const char *s, uint32_t *out)
{
    if (s[0] < '0' || s[0] > '9' || s[1] < '0' || s[1] > '9')
        return false;
    *out = (uint32_t)(s[0] - '0') * 10 + (uint32_t)(s[1] - '0');
    return true;
}

/* "00:05:00". Anything else counts as nothing said: it is only a wish, and no reason to refuse the answer. */
static uint32_t read_sleep(const char *s)
{
    uint32_t h, m, sec;

    if (strlen(s) != 8 || s[2] != ':' || s[5] != ':' || !two_digits(s, &h) || !two_digits(s + 3, &m) ||
        !two_digits(s + 6, &sec))
        return 0;
    return h * 3600 + m * 60 + sec;
}

/* Keeps the link that counts most, by the order of enum otapult_ddi_link. */
static int take_link(struct otapult_ddi *d, enum otapult_ddi_link link)
{
    if (link < d->link)
        return 0;
    d->link = (uint8_t)link;
    return otapult_scan_text(&d->scan, d->href, sizeof d->href) ? 0 : wrong(d, "an address that is too long");
}

static int found_in_poll(struct otapult_ddi *d)
{
    const struct otapult_scan *s = &d->scan;

    if (otapult_scan_is(s, "config.polling.sleep"))
        d->sleep_s = s->type == OTAPULT_SCAN_STRING ? read_sleep(s->value) : 0;
    if (otapult_scan_is(s, "_links.cancelAction.href"))
        return take_link(d, OTAPULT_DDI_CANCEL);
    if (otapult_scan_is(s, "_links.confirmationBase.href"))
        return take_link(d, OTAPULT_DDI_CONFIRMATION);
    if (otapult_scan_is(s, "_links.deploymentBase.href"))
        return take_link(d, OTAPULT_DDI_DEPLOYMENT);
    return 0;
}

/* ---- an action ---- */

/* It becomes part of an address: digits and nothing else. hawkBit sends a string; a number means the same. */
static int take_id(struct otapult_ddi *d, char dst[OTAPULT_DDI_ID])
{
    const struct otapult_scan *s = &d->scan;
    bool texts = s->type == OTAPULT_SCAN_STRING || s->type == OTAPULT_SCAN_NUMBER;

    if (!texts || s->len == 0 || s->len >= OTAPULT_DDI_ID || strspn(s->value, "0123456789") != s->len)
        return wrong(d, "an action's id that is none");
    otapult_text_set(dst, OTAPULT_DDI_ID, s->value);
    return 0;
}

static void take_window(struct otapult_ddi *d)
{
    d->window = true;
    d->offer->not_now = strcmp(d->scan.value, "available") != 0;
}

/* ---- its files ---- */

static bool ends_with(const char *s, const char *end)
{
    size_t n = strlen(s), m = strlen(end);

    return n >= m && strcmp(s + n - m, end) == 0;
}

/* "download" is taken before "download-http". A server that has one address only calls it download-http, also
 * where it begins with https. */
static int take_url(struct otapult_ddi *d, bool tls)
{
    if (d->has_tls && !tls)
        return 0;
    d->has_url = true;
    d->has_tls = tls;
    return otapult_scan_text(&d->scan, d->file.url, sizeof d->file.url)
               ? 0
               : wrong(d, "an address that is too long");
}

static void begin_file(struct otapult_ddi *d)
{
    memset(&d->file, 0, sizeof d->file);
    d->has_sha256 = d->has_url = d->has_tls = d->is_plain = false;
}

/* The plain image goes last, because files are tried in their order: it is fetched when the packed file was
 * refused. */
static void end_file(struct otapult_ddi *d)
{
    struct otapult_offer *o = d->offer;

    if (d->files_before > 0)
        unfit(d, "more than one module with files");
    if (!d->has_sha256 || !d->has_url || d->file.size == 0)
        unfit(d, "a file without size, SHA-256 or address");
    if (o->file_count == OTAPULT_OFFER_FILES) {
        unfit(d, "more than two files");
        return;
    }
    unsigned at = o->file_count++;
    if (at > 0 && d->plain[0] && d->is_plain)
        unfit(d, "two images");
    bool first = at > 0 && d->plain[0] && !d->is_plain;
    if (first) {
        o->file[1] = o->file[0];
        d->plain[1] = d->plain[0];
        at = 0;
    }
    o->file[at] = d->file;
    d->plain[at] = d->is_plain;
}

#define ARTIFACT "*.chunks.*.artifacts.*"

static int found_in_artifact(struct otapult_ddi *d)
{
    const struct otapult_scan *s = &d->scan;

    if (otapult_scan_is(s, ARTIFACT) && s->type == OTAPULT_SCAN_OPEN)
        begin_file(d);
    else if (otapult_scan_is(s, ARTIFACT) && s->type == OTAPULT_SCAN_CLOSE)
        end_file(d);
    else if (otapult_scan_is(s, ARTIFACT ".filename"))
        d->is_plain = s->type == OTAPULT_SCAN_STRING && ends_with(s->value, ".bin");
    else if (otapult_scan_is(s, ARTIFACT ".size"))
        return otapult_scan_number(s, &d->file.size) ? 0 : wrong(d, "a size that is none");
    else if (otapult_scan_is(s, ARTIFACT ".hashes.sha256"))
        d->has_sha256 = otapult_scan_hex(s, d->file.sha256, sizeof d->file.sha256);
    else if (otapult_scan_is(s, ARTIFACT "._links.download.href"))
        return take_url(d, true);
    else if (otapult_scan_is(s, ARTIFACT "._links.download-http.href"))
        return take_url(d, false);
    return 0;
}

/* ---- its metadata: what hawkBit itself does not know of firmware ---- */

static void end_metadata(struct otapult_ddi *d)
{
    struct otapult_offer *o = d->offer;
    const struct {
        const char *key;
        char *dst;
        size_t cap;
    } known[] = {
        {"otapult.version", o->version, sizeof o->version},
        {"otapult.project", o->project, sizeof o->project},
        {"otapult.build", o->build, sizeof o->build},
        {"otapult.notes", o->notes[0], sizeof o->notes[0]},
        {"otapult.notes.ru", o->notes[1], sizeof o->notes[1]},
    };

    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcmp(d->key, known[i].key) == 0)
            otapult_text_set(known[i].dst, known[i].cap, d->value);
}

#define METADATA "*.chunks.*.metadata.*"

static void found_in_metadata(struct otapult_ddi *d)
{
    const struct otapult_scan *s = &d->scan;

    if (otapult_scan_is(s, METADATA) && s->type == OTAPULT_SCAN_OPEN)
        d->key[0] = d->value[0] = '\0';
    else if (otapult_scan_is(s, METADATA) && s->type == OTAPULT_SCAN_CLOSE)
        end_metadata(d);
    else if (otapult_scan_is(s, METADATA ".key"))
        (void)otapult_scan_text(s, d->key, sizeof d->key);
    else if (otapult_scan_is(s, METADATA ".value"))
        (void)otapult_scan_text(s, d->value, sizeof d->value);
}

/* ---- all of it ---- */

static int found_in_action(struct otapult_ddi *d)
{
    const struct otapult_scan *s = &d->scan;

    if (otapult_scan_is(s, "*.download"))
        d->offer->urgency = strcmp(s->value, "forced") == 0 ? OTAPULT_URGENT : OTAPULT_ROUTINE;
    else if (otapult_scan_is(s, "*.update"))
        d->skip = strcmp(s->value, "skip") == 0;
    else if (otapult_scan_is(s, "*.maintenanceWindow"))
        take_window(d);
    else if (otapult_scan_is(s, "*.chunks.*") && s->type == OTAPULT_SCAN_CLOSE)
        d->files_before = d->offer->file_count;
    else if (otapult_scan_is(s, "*.chunks.*.version") && d->offer->version[0] == '\0')
        (void)otapult_scan_text(s, d->offer->version, sizeof d->offer->version);
    found_in_metadata(d);
    return found_in_artifact(d);
}

static int ddi_found(void *to, const struct otapult_scan *s)
{
    struct otapult_ddi *d = to;

    if (otapult_scan_is(s, "id"))
        return take_id(d, d->id);
    if (otapult_scan_is(s, "cancelAction.stopId"))
        return take_id(d, d->stop_id);
    return d->offer != NULL ? found_in_action(d) : found_in_poll(d);
}

void otapult_ddi_init(struct otapult_ddi *d, struct otapult_offer *offer)
{
    memset(d, 0, sizeof *d);
    d->offer = offer;
    otapult_scan_init(&d->scan, ddi_found, d);
}

int otapult_ddi_feed(struct otapult_ddi *d, const uint8_t *p, size_t n, struct otapult_finding *why)
{
    return otapult_scan_feed(&d->scan, p, n, why);
}

static void finish_offer(struct otapult_ddi *d)
{
    struct otapult_offer *o = d->offer;
    const struct otapult_offer_file *last = &o->file[o->file_count > 0 ? o->file_count - 1 : 0];

    if (o->file_count == 0)
        unfit(d, "no file");
    d->only_download = d->skip && !d->window;
    if (o->file_count == 0 || !d->plain[o->file_count - 1])
        return;
    o->size = last->size;
    o->has_sha256 = true;
    memcpy(o->sha256, last->sha256, sizeof o->sha256);
}

int otapult_ddi_finish(struct otapult_ddi *d, struct otapult_finding *why)
{
    int err = otapult_scan_finish(&d->scan, why);

    if (err == 0 && d->offer != NULL && d->id[0] == '\0')
        err = OTAPULT_E_SOURCE_ANSWER;
    if (err != 0 && why->text == NULL)
        why->text = "an action without id";
    if (err == 0 && d->offer != NULL)
        finish_offer(d);
    return err;
}
