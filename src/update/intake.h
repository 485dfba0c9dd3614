/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OTAPULT_UPDATE_INTAKE_H
#define OTAPULT_UPDATE_INTAKE_H

#include "update/common.h"

/* The way of a file's bytes, from the door to the session: decoders unpack them where the file is packed, and the
 * session judges and writes what comes out. All of it is for the upload's client, inside. */

/* Prepares for a file of `size` bytes as it is sent (or an upper bound, or OTAPULT_SIZE_UNKNOWN). */
void otapult_intake_init(struct otapult *o, const struct otapult_flash *slot, uint32_t size);

/* Then: a file that is byte for byte what runs is not written (otapult_session_is_running() says so at its end).
 * begin_writing, whose context is `o`, is otapult_same_begin()'s go_on. 0, or the port's error of opening the running
 * slot. */
OTAPULT_MUST_CHECK int otapult_intake_compare(struct otapult *o,
                                              int (*begin_writing)(void *ctx, struct otapult_finding *why));

/* The next bytes. 0, or the first error of decoder, judge or flash, with its finding in *why. */
OTAPULT_MUST_CHECK int otapult_intake_feed(struct otapult *o, const uint8_t *data, size_t len,
                                           struct otapult_finding *why);

/* After init, instead of the file's bytes before note->point, which fits and is not at the file's begin. An earlier
 * session wrote to the slot what they make, up to the end of a sector; that is read and judged as it was then. 0, or
 * what is wrong with it. */
OTAPULT_MUST_CHECK int otapult_intake_resume(struct otapult *o, const struct otapult_upload_note *note,
                                             struct otapult_finding *why);

/* The file is complete: 0 when the decoders agree. The session's own finish is the caller's. */
OTAPULT_MUST_CHECK int otapult_intake_finish(struct otapult *o, struct otapult_finding *why);

#endif
