/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OTAPULT_IMAGE_JUDGE_H
#define OTAPULT_IMAGE_JUDGE_H

#include "image/inspect.h"

/* Recognise, then inspect: the whole judgement over a file, the same for an upload, `otapult check`,
 * the read-back of a slot and the fuzzers. */
struct otapult_judge {
    int                    err;
    struct otapult_finding why;
    enum otapult_kind      kind;    /* what the recogniser has said */
    struct otapult_inspect inspect; /* with the recogniser in it */
};

/* `size`: of the file, an upper bound, or OTAPULT_SIZE_UNKNOWN. A size that is known is compared with
 * the slot only by the caller (it may be an upper bound). */
void otapult_judge_init(struct otapult_judge *j, const struct otapult_inspect_limits *limits,
                        uint32_t size);
OTAPULT_MUST_CHECK int otapult_judge_feed(struct otapult_judge *j, const uint8_t *p, size_t n);
OTAPULT_MUST_CHECK int otapult_judge_finish(struct otapult_judge *j);

/* How many of `n` bytes to feed at the most, for who wants to know whether they are those of an app image: the
 * head comes alone, and lies in otapult_judge_head() as long as nothing more is fed. */
size_t otapult_judge_portion(const struct otapult_judge *j, size_t n);
const uint8_t *otapult_judge_head(const struct otapult_judge *j); /* OTAPULT_HEAD_SIZE bytes */

/* True once header and app description were accepted: the file is an app image for this device, and
 * its bytes may go to the slot. */
bool otapult_judge_accepted(const struct otapult_judge *j);

#endif
