/* SPDX-License-Identifier: Apache-2.0 */
#include "mhd_body.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "mhd_internal.h"

#define PIECE  4096u              /* a sector of flash */
#define KEPT   OTAPULT_HTTP_DRAIN /* at most: more than any slot holds */
#define ASK_MS 200                /* how often the core is asked while nothing comes */

/* Two threads and one mutex. The connection's thread appends at `len`, the body's takes at `taken`; both wait
 * on `moved`. The mutex is never held during a call of the core, which may block for an erase. *core belongs
 * to the body's thread from start to finish or abandon, which both join it; so the exchange needs no lock of
 * its own. */

struct mhd_body {
    struct otapult_exchange *core; /* the thread's, while it runs */
    mhd_body_speak *speak;
    void *ctx;
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t moved;

    /* under the mutex */
    uint8_t *bytes; /* [taken, len) wait for the core */
    size_t taken, len, cap;
    bool complete, abandoned;
    bool answered;
};

/* ---- the body's thread ---- */

/* Nothing has come for a while. */
static void ask(struct mhd_body *b)
{
    pthread_mutex_unlock(&b->mutex);
    bool answered = otapult_http_idle(b->core) == OTAPULT_HTTP_ANSWERED;
    if (answered)
        b->speak(b->ctx);
    pthread_mutex_lock(&b->mutex);
    b->answered |= answered;
}

/* Under the mutex. The next piece, into `piece`; 0: there are no more. */
static size_t next_piece(struct mhd_body *b, uint8_t piece[PIECE])
{
    struct timespec until = mhd_after_ms(ASK_MS);

    while (b->taken == b->len && !b->complete && !b->abandoned && !b->answered) {
        if (pthread_cond_clockwait(&b->moved, &b->mutex, CLOCK_MONOTONIC, &until) == 0)
            continue;
        ask(b);
        until = mhd_after_ms(ASK_MS);
    }
    size_t n = b->len - b->taken < PIECE ? b->len - b->taken : PIECE;
    if (n == 0 || b->abandoned || b->answered)
        return 0;
    memcpy(piece, b->bytes + b->taken, n);
    b->taken += n;
    return n;
}

static void *feed(void *arg)
{
    struct mhd_body *b = arg;
    uint8_t piece[PIECE];
    size_t n;

    pthread_mutex_lock(&b->mutex);
    while ((n = next_piece(b, piece)) > 0) {
        pthread_mutex_unlock(&b->mutex);
        bool answered = otapult_http_body(b->core, piece, n) == OTAPULT_HTTP_ANSWERED;
        pthread_mutex_lock(&b->mutex);
        b->answered |= answered;
        pthread_cond_broadcast(&b->moved);
    }
    pthread_cond_broadcast(&b->moved);
    pthread_mutex_unlock(&b->mutex);
    return NULL;
}

/* ---- the connection's thread ---- */

struct mhd_body *mhd_body_start(struct otapult_exchange *core, mhd_body_speak *speak, void *ctx)
{
    struct mhd_body *b = calloc(1, sizeof *b);

    if (b == NULL)
        return NULL;
    b->core = core;
    b->speak = speak;
    b->ctx = ctx;
    pthread_mutex_init(&b->mutex, NULL);
    pthread_cond_init(&b->moved, NULL);
    if (pthread_create(&b->thread, NULL, feed, b) == 0)
        return b;
    pthread_cond_destroy(&b->moved);
    pthread_mutex_destroy(&b->mutex);
    free(b);
    return NULL;
}

/* Under the mutex. */
static bool make_room(struct mhd_body *b, size_t len)
{
    while (!b->answered && b->len - b->taken > KEPT)
        pthread_cond_wait(&b->moved, &b->mutex);
    if (b->taken == b->len)
        b->taken = b->len = 0;
    if (b->len + len <= b->cap)
        return true;
    size_t cap = 2 * (b->len + len); /* doubled, so that a body of megabytes is not copied for each piece */
    uint8_t *bytes = realloc(b->bytes, cap);
    if (bytes == NULL)
        return false;
    b->bytes = bytes;
    b->cap = cap;
    return true;
}

bool mhd_body_put(struct mhd_body *b, const char *data, size_t len)
{
    pthread_mutex_lock(&b->mutex);
    bool good = make_room(b, len);
    if (good) {
        memcpy(b->bytes + b->len, data, len);
        b->len += len;
    }
    pthread_cond_broadcast(&b->moved);
    pthread_mutex_unlock(&b->mutex);
    return good;
}

bool mhd_body_is_answered(struct mhd_body *b)
{
    pthread_mutex_lock(&b->mutex);
    bool answered = b->answered;
    pthread_mutex_unlock(&b->mutex);
    return answered;
}

static void end(struct mhd_body *b, bool *how)
{
    pthread_mutex_lock(&b->mutex);
    *how = true;
    pthread_cond_broadcast(&b->moved);
    pthread_mutex_unlock(&b->mutex);
    pthread_join(b->thread, NULL);
    pthread_cond_destroy(&b->moved);
    pthread_mutex_destroy(&b->mutex);
    free(b->bytes);
    free(b);
}

void mhd_body_finish(struct mhd_body *b)
{
    end(b, &b->complete);
}

void mhd_body_abandon(struct mhd_body *b)
{
    end(b, &b->abandoned);
}
