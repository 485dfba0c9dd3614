/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OTAPULT_WEB_STATUS_JSON_H
#define OTAPULT_WEB_STATUS_JSON_H

#include "otapult/json.h"
#include "otapult/otapult.h"

/* The device's state as JSON, in the shapes of docs/http-api.md. */

enum otapult_status_slots {
    OTAPULT_ALL_SLOTS, /* of any length: for a stream */
    OTAPULT_KEY_SLOTS, /* running, next and factory only: fits into OTAPULT_HTTP_EVENT - 32 */
};

/* Reads the head of each slot it lists from flash. */
void otapult_status_json(struct otapult_json *j, struct otapult *o, enum otapult_status_slots which,
                         enum otapult_language language);

/* The entries of the log, newest first. */
void otapult_log_json(struct otapult_json *j, struct otapult *o, enum otapult_language language);

/* The label of a slot into dst, "" when there is no such slot or the port cannot tell. */
void otapult_slot_label(struct otapult *o, int index, char dst[17]);

/* Members project, version and build of an image. */
void otapult_image_json(struct otapult_json *j, const struct otapult_app_desc *desc);

#endif
