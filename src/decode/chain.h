/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OTAPULT_DECODE_CHAIN_H
#define OTAPULT_DECODE_CHAIN_H

#include "decode/decoder.h"

/* What stands between the door and the session: looks at the first bytes of a file, and leads it through the
 * decoder that knows them; what comes out is looked at again, because a patch may lie in a gzip file. A file
 * that no decoder knows goes straight on, and so does everything where no decoder is configured.
 *
 *   door → [gzip] → [patch] → env->put
 *
 * At most OTAPULT_CHAIN_DECODERS stand in a row, and none twice: a gzip file in a gzip file comes out as a
 * gzip file, which the session refuses by name. That bounds memory, stack and work.
 *
 * `env` in feed and finish is what lies behind the chain. It is handed over at every call, so that the chain
 * holds no pointer to its owner; decoders' memory is not the chain's either. */

#define OTAPULT_CHAIN_DECODERS 2u

/* A place where a file may begin: at the door, and behind each decoder. */
struct otapult_chain_stage {
    bool     decided;   /* `decoder` is known */
    uint8_t  head_size; /* first bytes, kept until then */
    uint8_t  head[OTAPULT_DECODER_HEAD];
    uint32_t size;      /* of all that comes, as far as it was announced; or OTAPULT_SIZE_UNKNOWN */
    const struct otapult_decoder *decoder; /* NULL: what comes goes straight to env->put */
    void    *state;                        /* of the decoder */
};

struct otapult_chain {
    const struct otapult_decoder *const *decoders; /* NULL behind the last; NULL: none */
    uint8_t *memory; /* what is left of it for the next decoder */
    size_t   memory_size;
    int      err;
    struct otapult_finding why;
    struct otapult_chain_stage stage[OTAPULT_CHAIN_DECODERS + 1];
};

/* What is wrong with these decoders and their memory, in words that live on; NULL: nothing. For the start,
 * where a firmware that was configured wrong says so instead of refusing every packed file later. */
const char *otapult_chain_fault(const struct otapult_decoder *const *decoders, const void *memory,
                                size_t memory_size);

/* `size`: of the file as it is sent, an upper bound, or OTAPULT_SIZE_UNKNOWN. Keeps the pointers. */
void otapult_chain_init(struct otapult_chain *c, const struct otapult_decoder *const *decoders, void *memory,
                        size_t memory_size, uint32_t size);

/* Is this a point of a file that begins with head[], and do these decoders know how to go on there? A plain file, of
 * form 0, makes what it is. It says nothing of whether the file is there. */
bool otapult_chain_fits(const struct otapult_decoder *const *decoders, const uint8_t head[OTAPULT_DECODER_HEAD],
                        const struct otapult_decoder_point *point);

/* After init, instead of the file's first bytes, which an earlier session has seen: finds the decoder by them, and hands
 * none of them on. 0, or the error of env->expect() or of a decoder's init(). */
OTAPULT_MUST_CHECK int otapult_chain_has_seen(struct otapult_chain *c, const struct otapult_decoder_env *env,
                                            const uint8_t head[OTAPULT_DECODER_HEAD]);

/* Then: the next bytes of the file are those behind the point, which fits. env->recall() reads what came out before it.
 * 0, or the error of that. */
OTAPULT_MUST_CHECK int otapult_chain_go_on(struct otapult_chain *c, const struct otapult_decoder_env *env,
                                           const struct otapult_decoder_point *point);

/* A point of a packed file behind which `made` bytes of the image, or more, have come out; asks for one to be found. It
 * is false until there is one, and for a file that goes through two decoders, or one that knows no points. */
OTAPULT_MUST_CHECK bool otapult_chain_point(struct otapult_chain *c, uint32_t made,
                                            struct otapult_decoder_point *point);

/* The next bytes of the file, any split. Calls env->expect() once at the most, before the first env->put().
 * 0 or the first error, with its finding in *env->why; it stays. */
OTAPULT_MUST_CHECK int otapult_chain_feed(struct otapult_chain *c, const struct otapult_decoder_env *env,
                                          const uint8_t *p, size_t n);

/* No more bytes come: everything that is still held back goes to env->put(). */
OTAPULT_MUST_CHECK int otapult_chain_finish(struct otapult_chain *c, const struct otapult_decoder_env *env);

/* The decoder of stage n, from 0: "gzip"; NULL: there is none, or it is not known yet. */
const char *otapult_chain_name(const struct otapult_chain *c, unsigned n);

#endif
