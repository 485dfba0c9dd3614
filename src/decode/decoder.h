/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OTAPULT_DECODE_DECODER_H
#define OTAPULT_DECODE_DECODER_H

#include "base/error_rows.h"
#include "otapult/otapult.h"

/* A decoder turns a file as it was sent into what it stands for: a gzip file into what was packed, a patch
 * into the image it makes of the running one. It is an object which the configuration names
 * (config.decoders), so a firmware that does not name it does not link it. The chain (chain.h) asks each
 * decoder whether a file is its own, feeds the right one, and hands on what comes out: to one more decoder,
 * or to the session, which judges and writes it as if it had come over the wire.
 *
 * A decoder is trusted with nothing. Whatever it makes goes through recogniser, inspector, signature and
 * read-back; a decoder that lies can only make an update fail. What it owes is bounds:
 *
 *   memory   Its state is exactly the bytes it asked for in `memory`. No heap, no globals.
 *   input    Any split of the input, one byte a call too, gives the same output. Input may end anywhere.
 *   output   It hands on bytes as it makes them, in order, and stops at the first error that env->put()
 *            returns. It needs no bound of its own for the whole output: the slot's end is one.
 *   work     A call with n bytes of input does work that is bounded by n and by the bytes it hands on.
 *   errors   0 or an error of the table, with its finding in *env->why. An error of env->put() or of
 *            env->running() is returned unchanged, with the finding that is there already. After an error
 *            the chain calls nothing of this decoder again, so it need not remember it.
 *
 * All calls about one file come from one task, one after the other. A state may hold pointers into itself
 * (an inflate library's does), so it is never moved or copied between init() and finish(). There is nothing
 * to give back: an update that ends in the middle just never calls the decoder again.
 *
 * A decoder may know places of a file at which it can begin without what stands before: point() and go_on(). The
 * device keeps such a place through a restart, and with it what came out before, which is in flash. */

#define OTAPULT_DECODER_HEAD 16u /* a file's first bytes, by which a decoder tells its own */

/* A place of a file at which it can be gone on with. It is stored as it stands here, and nobody believes what comes out
 * of the store: whatever a wrong one makes is judged as every file is. */
struct otapult_decoder_point {
    uint32_t taken; /* bytes of the file before it */
    uint32_t made;  /* what they make, in bytes; 0: this is no point */
    uint32_t sum;   /* the decoder's own, as the rest is */
    uint8_t  form;  /* not 0, which is a place of a file that no decoder stands before */
    uint8_t  bits, last;
    uint8_t  none;  /* 0 */
};

/* What a decoder may use while one of its functions runs. It keeps no pointer to this. */
struct otapult_decoder_env {
    void *ctx; /* of the functions below; a decoder never looks inside */

    /* Says, at most once and before the first put(), how many bytes will come out: then flash is erased in
     * the sizes that fit best. What does not fit the slot is refused before anything is erased, and so is,
     * where signatures are required, a number that no signed file has. It is no promise: fewer or more bytes
     * are judged as they come. A decoder that cannot know says nothing. 0 or IMAGE_TOO_LARGE. */
    OTAPULT_MUST_CHECK int (*expect)(const struct otapult_decoder_env *env, uint32_t size);

    /* Hands on the next n bytes, any number at a time; a multiple of 4096 is written fastest. May block for
     * one sector erase. Keeps no pointer to p. 0 or the first error of what comes behind. */
    OTAPULT_MUST_CHECK int (*put)(const struct otapult_decoder_env *env, const uint8_t *p, size_t n);

    /* Opens the slot whose code runs now, for reading: write and erase of it refuse. It holds the running
     * image from its first byte, and does not change while an update runs. 0 or the error of the port;
     * SLOT_OPEN where nothing runs, as on a computer that only looks at a file. */
    OTAPULT_MUST_CHECK int (*running)(const struct otapult_decoder_env *env, struct otapult_flash *flash);

    /* For go_on() alone: reads n bytes, from `at` on, of what came out before the point. 0 or the error of the port. */
    OTAPULT_MUST_CHECK int (*recall)(const struct otapult_decoder_env *env, uint32_t at, uint8_t *dst, uint32_t n);

    struct otapult_finding *why; /* beside an error: what was found. All zeros before */
};

struct otapult_decoder {
    const char *name;   /* a word for people and for limits.accepts: "gzip" */
    uint32_t    memory; /* bytes of state; aligned for any type */
    bool        makes_image; /* what comes out is an app image: no decoder is asked about it again */

    /* Is a file that begins with head[n] this decoder's? n is OTAPULT_DECODER_HEAD, or less when the file
     * is shorter. Plain app images (0xE9) are never asked about. */
    bool (*recognises)(const uint8_t *head, size_t n);

    /* Prepares `state`, which may hold anything, for the first byte. */
    OTAPULT_MUST_CHECK int (*init)(void *state, const struct otapult_decoder_env *env);

    /* The next n > 0 bytes of the file, from the very first one on. */
    OTAPULT_MUST_CHECK int (*feed)(void *state, const struct otapult_decoder_env *env, const uint8_t *p,
                                   size_t n);

    /* The file is complete: hands on what is still held back. 0 only when the input ended where it may. */
    OTAPULT_MUST_CHECK int (*finish)(void *state, const struct otapult_decoder_env *env);

    /* Looks for a place at which go_on() can begin, once `made` bytes or more have come out, and keeps one of them.
     * true: it has been met, and is *point. A file may have none. NULL, as go_on is: the decoder knows no such places.
     * A caller that does not ask pays nothing for it. */
    bool (*point)(void *state, uint32_t made, struct otapult_decoder_point *point);

    /* After init(), instead of the bytes before the point; those behind it come next. point->made is not 0, the rest of
     * it may be anything. 0 or the first error of env->recall(). */
    OTAPULT_MUST_CHECK int (*go_on)(void *state, const struct otapult_decoder_env *env,
                                    const struct otapult_decoder_point *point);

    const struct otapult_error_rows *errors; /* that only this decoder gives; NULL: none */
};

/* SHA-256 of the first `len` bytes of a slot, read through scratch[scratch_len]: tells whether the running
 * image is the one a patch was made for. 0 or the port's error; IMAGE_TOO_LARGE: the slot is smaller. */
OTAPULT_MUST_CHECK int otapult_slot_sha256(const struct otapult_flash *flash, uint32_t len, uint8_t *scratch,
                                           uint32_t scratch_len, uint8_t sha256[32]);

#endif
