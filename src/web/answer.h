/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OTAPULT_WEB_ANSWER_H
#define OTAPULT_WEB_ANSWER_H

#include "otapult/http.h"
#include "web/json.h"

/* An answer in JSON of any length, sent as it is written:
 *
 *   struct otapult_answer a;
 *   otapult_answer_begin(&a, x, 200);
 *   otapult_json_open(&a.json, NULL, '{'); …
 *   otapult_answer_end(&a);
 */
struct otapult_answer {
    struct otapult_json json;
    char                buf[256];
};

void otapult_answer_begin(struct otapult_answer *a, struct otapult_exchange *x, int status);
void otapult_answer_begin_with(struct otapult_answer *a, struct otapult_exchange *x, int status,
                               const char *headers); /* as in struct otapult_reply */
void otapult_answer_end(struct otapult_answer *a);

#endif
