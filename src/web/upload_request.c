/* SPDX-License-Identifier: Apache-2.0 */
#include "web/upload_request.h"

#include <string.h>

#include "web/answer.h"
#include "web/request.h"
#include "web/status_json.h"

/* Has the update ended without its client's doing? The device's patience was over, or a person pressed
 * cancel. */
static bool ended_meanwhile(int err)
{
    return err == OTAPULT_E_STALLED || err == OTAPULT_E_UPLOAD_TOO_SLOW || err == OTAPULT_E_UPLOAD_ENDED;
}

void otapult_refuse_upload_with(struct otapult_exchange *x, int err, struct otapult_finding *why,
                                const char *headers)
{
    /* *why is empty then. The device kept what was found when the update ended. */
    if (ended_meanwhile(err))
        otapult_why_ended(x->app, x->ticket, why, x->small, sizeof x->small);
    if (otapult_has_emptied(x->app, x->ticket))
        otapult_http_error_emptied(x, err, why, headers);
    else
        otapult_http_error_with(x, err, why, headers);
}

void otapult_refuse_upload(struct otapult_exchange *x, int err, struct otapult_finding *why)
{
    otapult_refuse_upload_with(x, err, why, "");
}

typedef bool reader(const char *text, size_t len, uint32_t *out);

/* Reads an option from the address, or else from the header that scripts use. An option that is not there
 * leaves *out as it is. false: it is there and cannot be read. */
static bool read_option(const struct otapult_exchange *x, const char *name, const char *header, reader *read,
                        uint32_t *out)
{
    unsigned count = 0;
    size_t len = 0;
    const char *value = otapult_query_value(x, name, &len);

    if (value == NULL) {
        value = otapult_header_of(x, header, &count);
        len = value != NULL ? strlen(value) : 0;
    }
    return value == NULL || (read(value, len, out) && *out != 0);
}

int otapult_upload_options(const struct otapult_exchange *x, struct otapult_update_options *options,
                           struct otapult_finding *why)
{
    size_t len;

    *options = (struct otapult_update_options){.force = otapult_query_is(x, "force=1"),
                                               .later = otapult_query_is(x, "activate=later")};
    if (!read_option(x, "boot", "Otapult-Boot", otapult_read_number, &options->boot))
        why->text = "boot is not a number";
    else if (!read_option(x, "id", "Otapult-Update", otapult_read_id, &options->id))
        why->text = "the id of an upload has 8 hex digits, not all 0";
    else if (otapult_query_value(x, "activate", &len) != NULL && !options->later)
        why->text = "activate is not later";
    return why->text != NULL ? OTAPULT_E_BAD_REQUEST : 0;
}

static const char *message_of(uint8_t outcome)
{
    switch (outcome) {
    case OTAPULT_UPDATE_STAGED: return "Firmware written and verified. It waits to be started.";
    case OTAPULT_UPDATE_ALREADY: return "This firmware runs already. Nothing was written.";
    default: return "Firmware uploaded successfully. Rebooting...";
    }
}

void otapult_answer_update(struct otapult_exchange *x, const struct otapult_update *update)
{
    const bool staged = update->outcome == OTAPULT_UPDATE_STAGED;
    const bool already = update->outcome == OTAPULT_UPDATE_ALREADY;
    struct otapult_answer a;
    char slot[17];

    otapult_slot_label(x->app, update->slot, slot);
    otapult_answer_begin(&a, x, 200);
    otapult_json_open(&a.json, NULL, '{');
    otapult_json_bool(&a.json, "success", true);
    otapult_json_str(&a.json, "message", message_of(update->outcome));
    if (staged)
        otapult_json_bool(&a.json, "staged", true);
    if (already)
        otapult_json_bool(&a.json, "already", true);
    otapult_update_id_json(&a.json, update->id);
    otapult_json_str(&a.json, "slot", slot);
    otapult_json_str(&a.json, "project", update->project);
    otapult_json_str(&a.json, "version", update->version);
    otapult_json_str(&a.json, "build", update->build);
    otapult_json_num(&a.json, "size", update->size);
    otapult_json_hex(&a.json, "sha256", update->sha256, sizeof update->sha256);
    otapult_json_close(&a.json, '}');
    otapult_answer_end(&a);
}
