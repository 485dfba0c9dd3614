/* SPDX-License-Identifier: Apache-2.0 */
#include "patch_match.h"

#include <divsufsort.h>
#include <stdlib.h>
#include <string.h>

/* The result is covered from left to right by pieces of the base and by new bytes, so that the estimated cost
 * is least: a shortest path. A way through is a chain of nodes; the ways that could still win differ in how
 * far base and result are apart (the diagonal), and at most WAYS of them are kept. Candidates come from a
 * suffix array of the base in which addresses are blanked out, so that code matches wherever it has moved.
 *
 * Costs are in sixteenths of a bit, found by trying on the images of series-s3 and series-c3. */

#define WAYS          24
#define COST_NEW      (16 * 11 / 2) /* a new byte */
#define COST_CHANGED  (16 * 11)     /* a copied byte that has changed */
#define COST_MOVED    (16 * 13 / 5) /* one of an address that does not fit */
#define COST_COPY     (16 * 26)     /* beginning another copy */
#define COST_ODD      (16 * 6)      /* in the middle of a unit */
#define COST_END      (16 * 3)      /* ending one */
#define COST_HOPELESS (16 * 60)
#define SHORTEST      6u  /* match worth a look */
#define SURE          24u /* bytes after which no other match is looked for */

enum { NEW_BYTES = INT32_MAX };

struct node {
    uint32_t at;   /* in the result: from here on */
    int32_t apart; /* base minus result; NEW_BYTES */
    int32_t parent;
};

/* A way through, and its last piece. Most ways are given up before anything branches off: only then a piece
 * becomes a node. */
struct way {
    int32_t apart;
    int64_t cost;
    uint32_t begin; /* of the piece, in the result */
    int32_t parent;
    int32_t node; /* -1: not yet */
    uint32_t run; /* bytes since one differed */
};

struct matcher {
    const struct image *base, *result;
    uint8_t *blank_base, *blank_result; /* without addresses */
    uint8_t *named_base, *named_result; /* with what each address should be in the result */
    uint8_t *begins;                    /* of the base: 1 where a unit begins */
    int32_t *suffixes;
    struct node *node;
    size_t nodes, node_room;
    struct way way[WAYS];
    int ways;
    struct way fresh; /* that of new bytes */
    bool failed;
};

/* ---- copies of the images ---- */

/* Puts a name of the address into the field that holds it: 0 blanks it. Of a whole word the highest byte
 * stays: it says what kind of address this is. */
static void name(unsigned form, uint8_t *p, uint32_t id)
{
    const struct otapult_patch_form *f = &otapult_patch_forms[form];
    uint32_t w = 0;

    id ^= id >> 15;
    for (unsigned i = 0; i < f->bytes; i++)
        w |= (uint32_t)p[i] << 8 * i;
    for (unsigned i = 0; i < f->pieces; i++) {
        const struct otapult_patch_piece *piece = &f->piece[i];
        unsigned bits = piece->bits < 24 ? piece->bits : 24;
        uint32_t ones = (1u << bits) - 1;
        w = (w & ~(ones << piece->from)) | (id & ones) << piece->from;
        id >>= bits;
    }
    for (unsigned i = 0; i < f->bytes; i++)
        p[i] = (uint8_t)(w >> 8 * i);
}

/* Short jumps stay as they are: they say what code this is. */
static bool is_named(const struct image_unit *u)
{
    return u->form != OTAPULT_PATCH_NO_FORM && u->kind != OTAPULT_KIND_JUMP &&
           u->kind != OTAPULT_KIND_BRANCH && u->form != OTAPULT_PATCH_C_JUMP;
}

static void name_all(const struct image *m, match_moved moved, void *ctx, bool blank, uint8_t *copy,
                     uint8_t *begins)
{
    struct image_walk walk = {.known = 0};
    const struct image_segment *last = NULL;
    struct image_unit u;

    memcpy(copy, m->data, m->size);
    for (uint32_t at = 0; at < m->size; at += u.bytes) {
        const struct image_segment *s = image_at(m, at);
        if (s != last)
            memset(&walk, 0, sizeof walk);
        last = s;
        image_unit(m, &walk, at, m->size, &u);
        if (begins != NULL)
            begins[at] = 1;
        if (is_named(&u)) {
            uint32_t to = blank ? 0 : moved != NULL ? moved(ctx, u.target) : u.target;
            name(u.form, copy + at, to * 2654435761u);
        }
    }
}

/* ---- suffix array ---- */

static uint32_t common(const struct matcher *m, uint32_t base, uint32_t result)
{
    uint32_t n = 0, most = m->base->size - base;

    if (most > m->result->size - result)
        most = m->result->size - result;
    while (n < most && m->blank_base[base + n] == m->blank_result[result + n])
        n++;
    return n;
}

/* Finds the longest match in the base for the result's bytes at `at`: its length, and its place in *base. */
static uint32_t longest(const struct matcher *m, uint32_t at, uint32_t *base)
{
    uint32_t low = 0, high = m->base->size - 1;

    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2, place = (uint32_t)m->suffixes[middle];
        uint32_t most = m->base->size - place;
        if (most > m->result->size - at)
            most = m->result->size - at;
        if (memcmp(m->blank_base + place, m->blank_result + at, most) < 0)
            low = middle;
        else
            high = middle;
    }
    uint32_t a = common(m, (uint32_t)m->suffixes[low], at), b = common(m, (uint32_t)m->suffixes[high], at);
    *base = (uint32_t)m->suffixes[a > b ? low : high];
    return a > b ? a : b;
}

/* ---- ways ---- */

static bool grow_nodes(struct matcher *m)
{
    size_t room = m->node_room > 0 ? m->node_room * 2 : 4096;
    struct node *node = room <= INT32_MAX ? realloc(m->node, room * sizeof *node) : NULL;

    if (node == NULL) {
        m->failed = true;
        return false;
    }
    m->node = node;
    m->node_room = room;
    return true;
}

/* The node of a way's last piece; -1: no memory. */
static int32_t node_of(struct matcher *m, struct way *w)
{
    if (w->node >= 0 || (m->nodes == m->node_room && !grow_nodes(m)))
        return w->node;
    m->node[m->nodes] = (struct node){.at = w->begin, .apart = w->apart, .parent = w->parent};
    w->node = (int32_t)m->nodes++;
    return w->node;
}

static void begin_piece(struct way *w, uint32_t at, int32_t parent, int64_t cost)
{
    w->begin = at;
    w->parent = parent;
    w->node = -1;
    w->cost = cost;
}

/* Begins to follow a diagonal. Where there are WAYS of them already the dearest makes room. */
static void add_way(struct matcher *m, int32_t apart)
{
    int slot = m->ways;

    for (int i = 0; i < m->ways; i++)
        if (m->way[i].apart == apart)
            return;
    if (m->ways < WAYS) {
        m->ways++;
    } else {
        slot = 0;
        for (int i = 1; i < WAYS; i++)
            if (m->way[i].cost > m->way[slot].cost)
                slot = i;
    }
    m->way[slot] = (struct way){.apart = apart, .cost = INT64_MAX, .parent = -1, .node = -1};
}

/* Looks for a new place of the base, but only while no way has gone on without a difference for a while: the
 * search is what takes the time. */
static void look_for_matches(struct matcher *m, uint32_t at)
{
    uint32_t base;

    if (m->base->size < 2)
        return;
    for (int i = 0; i < m->ways; i++)
        if (m->way[i].run > SURE)
            return;
    if (longest(m, at, &base) >= SHORTEST)
        add_way(m, (int32_t)(base - at));
}

static bool base_has(const struct matcher *m, int64_t at)
{
    return at >= 0 && at < m->base->size;
}

static struct way *cheapest(struct matcher *m)
{
    struct way *best = &m->fresh;

    for (int i = 0; i < m->ways; i++)
        if (m->way[i].cost < best->cost)
            best = &m->way[i];
    return best;
}

/* Each way may begin anew behind the best one. Returns the best one's cost. */
static int64_t branch(struct matcher *m, uint32_t at)
{
    struct way *best = cheapest(m);

    for (int i = 0; i < m->ways; i++) {
        struct way *w = &m->way[i];
        int64_t from = (int64_t)at + w->apart;
        int64_t cost = best->cost + COST_COPY + (base_has(m, from) && m->begins[from] == 0 ? COST_ODD : 0);
        if (w != best && w->cost > cost)
            begin_piece(w, at, node_of(m, best), cost);
    }
    if (m->fresh.cost > best->cost + COST_END)
        begin_piece(&m->fresh, at, node_of(m, best), best->cost + COST_END);
    return best->cost;
}

/* One byte further: each way pays for it, and those that are hopelessly behind the best are given up. */
static void advance(struct matcher *m, uint32_t at, int64_t best, bool named)
{
    m->fresh.cost += COST_NEW;
    for (int i = 0; i < m->ways;) {
        struct way *w = &m->way[i];
        int64_t from = (int64_t)at + w->apart;
        if (!base_has(m, from)) {
            *w = m->way[--m->ways];
            continue;
        }
        w->run++;
        if (m->blank_base[from] != m->blank_result[at]) {
            w->cost += COST_CHANGED;
            w->run = 0;
        } else if (named && m->named_base[from] != m->named_result[at]) {
            w->cost += COST_MOVED;
        }
        if (w->cost > best + COST_COPY + COST_HOPELESS)
            *w = m->way[--m->ways];
        else
            i++;
    }
}

/* Walks back from the node at the end. */
static bool collect(const struct matcher *m, int32_t last, struct match_list *list)
{
    size_t count = 0, k;
    uint32_t end = m->result->size;

    for (int32_t i = last; i >= 0; i = m->node[i].parent)
        count++;
    list->block = calloc(count + 1, sizeof *list->block);
    list->count = 0;
    if (list->block == NULL)
        return false;
    k = count;
    for (int32_t i = last; i >= 0; i = m->node[i].parent) {
        const struct node *n = &m->node[i];
        if (n->apart != NEW_BYTES && end > n->at)
            list->block[--k] = (struct match_block){
                .base = (uint32_t)((int64_t)n->at + n->apart), .result = n->at, .size = end - n->at};
        end = n->at;
    }
    list->count = count - k;
    memmove(list->block, list->block + k, list->count * sizeof *list->block);
    return true;
}

bool matcher_run(struct matcher *m, match_moved moved, void *ctx, struct match_list *list)
{
    const bool named = moved != NULL;

    *list = (struct match_list){.block = NULL};
    if (named) {
        name_all(m->base, moved, ctx, false, m->named_base, NULL);
        name_all(m->result, NULL, NULL, false, m->named_result, NULL);
    }
    m->nodes = 0;
    m->ways = 0;
    m->fresh = (struct way){.apart = NEW_BYTES, .parent = -1, .node = -1};
    for (uint32_t at = 0; at < m->result->size && !m->failed; at++) {
        look_for_matches(m, at);
        advance(m, at, branch(m, at), named);
    }
    int32_t last = node_of(m, cheapest(m));
    return !m->failed && collect(m, last, list);
}

/* ---- making and freeing ---- */

struct matcher *matcher_new(const struct image *base, const struct image *result)
{
    struct matcher *m = calloc(1, sizeof *m);

    if (m == NULL)
        return NULL;
    m->base = base;
    m->result = result;
    m->blank_base = malloc(base->size + 1u);
    m->named_base = malloc(base->size + 1u);
    m->begins = calloc(base->size + 1u, 1);
    m->blank_result = malloc(result->size + 1u);
    m->named_result = malloc(result->size + 1u);
    m->suffixes = malloc((base->size + 1u) * sizeof *m->suffixes);
    if (m->blank_base == NULL || m->named_base == NULL || m->begins == NULL || m->blank_result == NULL ||
        m->named_result == NULL || m->suffixes == NULL) {
        matcher_free(m);
        return NULL;
    }
    name_all(base, NULL, NULL, true, m->blank_base, m->begins);
    name_all(result, NULL, NULL, true, m->blank_result, NULL);
    if (base->size > 0 && divsufsort(m->blank_base, m->suffixes, (int32_t)base->size) != 0) {
        matcher_free(m);
        return NULL;
    }
    return m;
}

void matcher_free(struct matcher *m)
{
    if (m == NULL)
        return;
    free(m->blank_base);
    free(m->named_base);
    free(m->begins);
    free(m->blank_result);
    free(m->named_result);
    free(m->suffixes);
    free(m->node);
    free(m);
}
