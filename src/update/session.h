/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OTAPULT_UPDATE_SESSION_H
#define OTAPULT_UPDATE_SESSION_H

#include "flash/slot_writer.h"
#include "image/judge.h"

/* One file on its way into one slot: judge, then write, then read back and judge again. No locks, no
 * policy; the device (device.c) owns it. */
struct otapult_session {
    int                        err;
    struct otapult_finding     why;
    struct otapult_judge       judge;
    struct otapult_slot_writer writer;
};

void otapult_session_init(struct otapult_session *s, const struct otapult_flash *flash,
                          const struct otapult_inspect_limits *limits, uint32_t size);

/* How many bytes will come, where that was not known at init: before the first of them. A size that is wrong
 * only makes erasing slower. IMAGE_TOO_LARGE: the slot is smaller. */
OTAPULT_MUST_CHECK int otapult_session_expect(struct otapult_session *s, uint32_t size);

/* The next bytes of the file. Nothing is erased before the judge has accepted the head. */
OTAPULT_MUST_CHECK int otapult_session_feed(struct otapult_session *s, const uint8_t *p, size_t n);

/* The file is complete: flushes, reads the whole slot back through a fresh inspection (the signature is
 * verified again, over what flash holds), compares SHA-256 over received bytes with SHA-256 over flash,
 * then commits the header. 0: the slot holds exactly the file and may be activated;
 * s->judge.inspect.info describes it. */
OTAPULT_MUST_CHECK int otapult_session_finish(struct otapult_session *s);

/* Verifies the image in a slot as finish() does, reading only: with limits->trust, up to the end of its
 * signature sector; without, up to the end of the image. `scratch` is used as a read buffer. */
OTAPULT_MUST_CHECK int otapult_verify_slot(const struct otapult_flash *flash,
                                           const struct otapult_inspect_limits *limits,
                                           struct otapult_inspect *inspect, uint8_t *scratch,
                                           uint32_t scratch_len);

#endif
