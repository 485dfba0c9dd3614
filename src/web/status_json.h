/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OTAPULT_WEB_STATUS_JSON_H
#define OTAPULT_WEB_STATUS_JSON_H

#include "otapult/json.h"
#include "update/door.h"

/* The device's state as JSON, in the shapes of docs/http-api.md. */

enum otapult_status_slots {
    OTAPULT_ALL_SLOTS, /* of any length: for a stream */
    OTAPULT_KEY_SLOTS, /* running, next and factory only: fits into OTAPULT_HTTP_EVENT - 32 */
};

void otapult_status_json(struct otapult_json *j, struct otapult *o, const struct otapult_view *v,
                         enum otapult_status_slots which, const struct otapult_language *language);

/* The entries of the log, newest first. */
void otapult_log_json(struct otapult_json *j, struct otapult *o, const struct otapult_language *language);

/* Member update: 8 hex digits, or null. */
void otapult_update_id_json(struct otapult_json *j, uint32_t id);

/* Members project, version and build of an image. */
void otapult_image_json(struct otapult_json *j, const struct otapult_app_desc *desc);

#endif
