/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OTAPULT_WEB_ANSWER_H
#define OTAPULT_WEB_ANSWER_H

#include "otapult/http.h"

/* Answers that only the files of this room give; the others are declared in otapult/http.h. `headers`: lines
 * as in struct otapult_reply, "" for none. */

void otapult_answer_begin_with(struct otapult_answer *a, struct otapult_exchange *x, int status,
                               const char *headers);
void otapult_http_error_with(struct otapult_exchange *x, int err, const struct otapult_finding *why,
                             const char *headers);

/* As otapult_http_error_with(), for the end of an update that has cost the firmware in the other slot. */
void otapult_http_error_emptied(struct otapult_exchange *x, int err, const struct otapult_finding *why,
                                const char *headers);

/* As otapult_http_error(), and as a page to a person who opened the address in a browser. */
void otapult_http_refuse(struct otapult_exchange *x, int err, const struct otapult_finding *why);

/* {"success":true,"message":…} */
void otapult_http_success(struct otapult_exchange *x, const char *message, const char *headers);

/* An answer that is only a head: a redirect, or an event stream before its first event. */
void otapult_http_head(struct otapult_exchange *x, int status, const char *content_type,
                       const char *headers);

#endif
