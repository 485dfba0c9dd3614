/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OTAPULT_WEB_UPLOAD_REQUEST_H
#define OTAPULT_WEB_UPLOAD_REQUEST_H

#include "update/door.h"

/* What uploads have in common, whichever way their bytes come. */

/* id, boot, force and activate, of the address or of the headers for scripts. 0 or BAD_REQUEST. */
OTAPULT_MUST_CHECK int otapult_upload_options(const struct otapult_exchange *x, struct otapult_update_options *options,
                                              struct otapult_finding *why);

/* Answers with the error; where somebody else has ended the update of x->ticket, with what is known of that. */
void otapult_refuse_upload(struct otapult_exchange *x, int err, struct otapult_finding *why);
void otapult_refuse_upload_with(struct otapult_exchange *x, int err, struct otapult_finding *why,
                                const char *headers);

/* Answers that it is written and activated, or staged. */
void otapult_answer_update(struct otapult_exchange *x, const struct otapult_update *update);

#endif
