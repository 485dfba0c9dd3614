/* SPDX-License-Identifier: Apache-2.0 */
#include "web/error_json.h"

/* The numbers of the detail, for programs: no client has to read one out of a sentence. Those that the
 * sentence does not show are left out, for an unused field of a finding means nothing. */
static void figures_json(struct otapult_json *j, int err, const struct otapult_finding *why)
{
    const unsigned shown = otapult_detail_shows(err);

    if ((shown & OTAPULT_SHOWS_AT) != 0)
        otapult_json_num(j, "at", why->at);
    if ((shown & OTAPULT_SHOWS_GOT) != 0)
        otapult_json_num(j, "got", why->got);
    if ((shown & OTAPULT_SHOWS_WANT) != 0)
        otapult_json_num(j, "want", why->want);
}

void otapult_error_json(struct otapult_json *j, const char *key, int err, const struct otapult_finding *why,
                        bool emptied, const struct otapult_language *language)
{
    static const char lost[] =
        "The other slot is empty now: the firmware before this one is gone; the running one is untouched.";
    static const struct otapult_finding nothing;
    const struct otapult_error_row *row = otapult_error_row(err);
    char detail[OTAPULT_DETAIL];

    if (why == NULL)
        why = &nothing;
    otapult_detail(err, why, language, detail, sizeof detail);
    otapult_json_open(j, key, '{');
    otapult_json_bool(j, "success", false);
    otapult_json_str(j, "error", row->caption);
    otapult_json_str(j, "code", row->code);
    otapult_json_str(j, "detail", detail);
    otapult_json_sentences(j, "hint", otapult_hint(err, language),
                           emptied ? otapult_in_language(lost, language) : NULL);
    if (emptied)
        otapult_json_bool(j, "emptied", true);
    figures_json(j, err, why);
    otapult_json_close(j, '}');
}

static void row_json(struct otapult_json *j, int err, const struct otapult_language *russian)
{
    const struct otapult_error_row *row = otapult_error_row(err);

    if (row->error != err) /* of a part that this firmware does not name */
        return;
    otapult_json_open(j, NULL, '{');
    otapult_json_str(j, "code", row->code);
    otapult_json_str(j, "error", row->caption);
    otapult_json_num(j, "status", row->status);
    otapult_json_str(j, "en", row->hint);
    if (russian != NULL)
        otapult_json_str(j, "ru", otapult_hint(err, russian));
    otapult_json_close(j, '}');
}

void otapult_errors_json(struct otapult_json *j, const struct otapult_language *russian)
{
    otapult_json_open(j, NULL, '{');
    otapult_json_open(j, "errors", '[');
    for (int err = OTAPULT_OK + 1; err < OTAPULT_ERROR_COUNT; err++)
        row_json(j, err, russian);
    otapult_json_close(j, ']');
    otapult_json_close(j, '}');
}
