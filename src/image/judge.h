/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OTAPULT_IMAGE_JUDGE_H
#define OTAPULT_IMAGE_JUDGE_H

#include "image/inspect.h"
#include "image/recognise.h"

/* Recognise, then inspect: the whole judgement over a file, the same for an upload, `otapult check`,
 * the read-back of a slot and the fuzzers.
 *
 * There are two stages because they answer different people. The inspector knows one format and says what is
 * wrong with an image; of a zip file it could only say "not 0xE9". The recogniser knows some forty formats by
 * their first bytes and tells the user what was sent instead.
 *
 * The recogniser keeps the first OTAPULT_HEAD_SIZE bytes of the file in recognise.head. The inspector gets them
 * from there when the file is an app image. The session (src/update/session.c) writes them from there too, once
 * both stages have said yes: until then nothing in the slot is erased. */
struct otapult_judge {
    int                      err;
    struct otapult_finding   why;
    struct otapult_recognise recognise;
    struct otapult_inspect   inspect; /* gets no byte before the recogniser has said: an app image */
};

/* `size`: of the file, an upper bound, or OTAPULT_SIZE_UNKNOWN. It only makes some refusals earlier: it is
 * not compared with the slot here. */
void otapult_judge_init(struct otapult_judge *j, const struct otapult_inspect_limits *limits,
                        uint32_t size);

/* Feed the next bytes, any split. 0 or the first error, which stays. */
OTAPULT_MUST_CHECK int otapult_judge_feed(struct otapult_judge *j, const uint8_t *p, size_t n);

/* No more bytes come. 0: an app image, whole and right; j->inspect.info describes it. */
OTAPULT_MUST_CHECK int otapult_judge_finish(struct otapult_judge *j);

/* Is the file an app image for this device, as far as its first OTAPULT_HEAD_SIZE bytes tell? From there on
 * its bytes may go to the slot. False before, and after an error. */
bool otapult_judge_accepted(const struct otapult_judge *j);

#endif
