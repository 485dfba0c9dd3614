/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OTAPULT_WEB_ERROR_JSON_H
#define OTAPULT_WEB_ERROR_JSON_H

#include "otapult/error.h"
#include "otapult/json.h"

/* Errors in the shapes of docs/http-api.md. */

/* The body of an error answer. `why` may be NULL. `emptied`: the update that ended so has cost the firmware in the other
 * slot. */
void otapult_error_json(struct otapult_json *j, const char *key, int err, const struct otapult_finding *why,
                        bool emptied, const struct otapult_language *language);

/* The table of errors. */
void otapult_errors_json(struct otapult_json *j, const struct otapult_language *russian);

#endif
