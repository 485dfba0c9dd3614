/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OTAPULT_UPDATE_SESSION_H
#define OTAPULT_UPDATE_SESSION_H

#include "flash/slot_writer.h"
#include "image/judge.h"
#include "update/same.h"

/* One file on its way into one slot: judge, then write, then read back and judge again. No locks, no
 * policy; the device (device.c) owns it. */
struct otapult_session {
    int                        err;
    const uint8_t             *expected; /* SHA-256 of the image that is wanted, must last as long; NULL (so after init): any */
    struct otapult_finding     why;
    struct otapult_judge       judge;
    struct otapult_same        same;   /* holds back what runs already */
    struct otapult_slot_writer writer;
};

void otapult_session_init(struct otapult_session *s, const struct otapult_flash *flash,
                          const struct otapult_inspect_limits *limits, uint32_t size);

/* Before the first byte: writes nothing while the file is what `running` holds; see same.h. */
void otapult_session_compare(struct otapult_session *s, const struct otapult_flash *running,
                             int (*go_on)(void *ctx, struct otapult_finding *why), void *ctx);

/* After finish(): the file was judged as ever, and is byte for byte what runs. Nothing was written. */
bool otapult_session_is_running(const struct otapult_session *s);

/* How many bytes will come, where that was not known at init: before the first of them. A size that is wrong
 * only makes erasing slower. IMAGE_TOO_LARGE: the slot is smaller. */
OTAPULT_MUST_CHECK int otapult_session_expect(struct otapult_session *s, uint32_t size);

/* Between which bounds the image's length is known to lie, where it is: before the first byte. */
void otapult_session_length(struct otapult_session *s, uint32_t least, uint32_t most);

/* The next bytes of the file. Nothing is erased before the judge has accepted the head. */
OTAPULT_MUST_CHECK int otapult_session_feed(struct otapult_session *s, const uint8_t *p, size_t n);

/* After init and expect, instead of the file's first bytes: `at` of them, whole sectors, were written by an earlier
 * session whose writer held held[]. Flash is read and judged as if it came over the wire. 0: s stands where that session
 * stood. */
OTAPULT_MUST_CHECK int otapult_session_resume(struct otapult_session *s, const uint8_t held[OTAPULT_SLOT_HELD],
                                              uint32_t at);

/* After resume(): reads what that session had, below `at`, for a decoder that needs it to go on. The error of the port, or
 * INTERNAL: it lies outside of the slot. */
OTAPULT_MUST_CHECK int otapult_session_recall(struct otapult_session *s, uint32_t from, uint8_t *dst, uint32_t n);

/* The file is complete: flushes, reads the whole slot back through a fresh inspection (the signature is
 * verified again, over what flash holds), compares SHA-256 over received bytes with SHA-256 over flash.
 * 0: the slot holds exactly the file but its first 16 bytes, which s->writer.held holds, so it does not boot
 * yet; s->judge.inspect.info describes it. */
OTAPULT_MUST_CHECK int otapult_session_finish(struct otapult_session *s);

/* After finish(), or again(): writes the first 16 bytes, where they are not there. 0: the slot holds the file and may be activated. */
OTAPULT_MUST_CHECK int otapult_session_commit(struct otapult_session *s);

/* Instead of init, feed and finish, for a slot that an earlier session finished, and did not commit as far as
 * anybody knows: the file has `size` bytes, begins with held[] and has that SHA-256. Reads the slot through a fresh
 * inspection, as finish() does. 0: s stands where that one stood, or behind its commit. FLASH_READBACK: it is a right
 * image, and another one, or its first 16 bytes are half there; the inspector's error, which is s->judge.err then: it is
 * none, or none for these limits; or the port's. */
OTAPULT_MUST_CHECK int otapult_session_again(struct otapult_session *s, const struct otapult_flash *flash,
                                             const struct otapult_inspect_limits *limits,
                                             const uint8_t held[OTAPULT_SLOT_HELD], uint32_t size,
                                             const uint8_t sha256[32]);

/* Verifies the image in a slot as finish() does, reading only: with limits->trust, up to the end of its
 * signature sector; without, up to the end of the image. `scratch` is used as a read buffer. */
OTAPULT_MUST_CHECK int otapult_verify_slot(const struct otapult_flash *flash,
                                           const struct otapult_inspect_limits *limits,
                                           struct otapult_inspect *inspect, uint8_t *scratch,
                                           uint32_t scratch_len);

#endif
