/* SPDX-License-Identifier: Apache-2.0 */
#include "decode/patch_map.h"

#include <string.h>

/* Both tables are searched by bisection, because a question comes with every address of an image: hundreds of
 * thousands of them, on a chip. */

/* ---- blocks ---- */

static bool comes_before(const struct otapult_patch_block *a, const struct otapult_patch_block *b)
{
    return a->base < b->base || (a->base == b->base && a->result < b->result);
}

void otapult_patch_map_sort(struct otapult_patch_map *m)
{
    uint32_t kept = 0, end = 0;

    for (uint32_t i = 0; i < m->blocks; i++) { /* insertion sort: at most 512 */
        uint32_t k = i;
        for (; k > 0 && comes_before(&m->block[i], &m->block[m->by_base[k - 1]]); k--)
            m->by_base[k] = m->by_base[k - 1];
        m->by_base[k] = (uint16_t)i;
    }
    for (uint32_t i = 0; i < m->blocks; i++) {
        const struct otapult_patch_block *b = &m->block[m->by_base[i]];
        if (kept > 0 && b->base + b->size <= end)
            continue;
        end = b->base + b->size;
        m->by_base[kept++] = m->by_base[i];
    }
    m->sorted = (uint16_t)kept;
}

/* The last block that begins at or before `at`; NULL: none. */
static const struct otapult_patch_block *block_before(const struct otapult_patch_map *m, uint32_t at)
{
    uint32_t low = 0, high = m->sorted;

    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (m->block[m->by_base[middle]].base <= at)
            low = middle + 1;
        else
            high = middle;
    }
    return low > 0 ? &m->block[m->by_base[low - 1]] : NULL;
}

static void ask_blocks(const struct otapult_patch_map *m, const struct otapult_patch_base *b,
                       const struct otapult_patch_image *result, uint32_t address,
                       struct otapult_patch_evidence *e)
{
    const struct otapult_patch_segment *s = otapult_patch_segment_of(&b->image, address);
    if (s == NULL)
        return;
    uint32_t at = s->at + (address - s->address);
    const struct otapult_patch_block *k = block_before(m, at);
    if (k == NULL)
        return;
    uint32_t to = k->result + (at - k->base);
    const struct otapult_patch_segment *d = otapult_patch_segment_at(result, to);
    if (d == NULL)
        return;
    e->block_shift = d->address + (to - d->at) - address;
    e->inside = at - k->base < k->size;
    e->below_block = !e->inside;
}

/* ---- learned addresses ---- */

/* The first that is not below `address`. */
static uint32_t find(const struct otapult_patch_map *m, uint32_t address)
{
    uint32_t low = 0, high = m->learneds;

    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (m->learned[middle].address < address)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

void otapult_patch_map_ask(const struct otapult_patch_map *m, const struct otapult_patch_base *b,
                           const struct otapult_patch_image *result, uint32_t address,
                           struct otapult_patch_evidence *e)
{
    uint32_t i = find(m, address), above = i;
    int region = otapult_patch_region(b, address);

    memset(e, 0, sizeof *e);
    ask_blocks(m, b, result, address, e);
    if (i < m->learneds && m->learned[i].address == address) {
        e->exact = true;
        e->exact_shift = m->learned[i].shift;
        above++;
    }
    if (i > 0 && otapult_patch_region(b, m->learned[i - 1].address) == region) {
        e->lower = true;
        e->lower_shift = m->learned[i - 1].shift;
    }
    if (above < m->learneds && otapult_patch_region(b, m->learned[above].address) == region) {
        e->upper = true;
        e->upper_shift = m->learned[above].shift;
    }
}

void otapult_patch_map_learn(struct otapult_patch_map *m, uint32_t address, uint32_t shift)
{
    uint32_t i = find(m, address);

    if (i < m->learneds && m->learned[i].address == address) {
        m->learned[i].shift = shift;
        return;
    }
    if (m->learneds == OTAPULT_PATCH_LEARNED) {
        uint32_t out = m->oldest++ % OTAPULT_PATCH_LEARNED;
        memmove(&m->learned[out], &m->learned[out + 1],
                (OTAPULT_PATCH_LEARNED - 1 - out) * sizeof m->learned[0]);
        m->learneds--;
        i = find(m, address);
    }
    memmove(&m->learned[i + 1], &m->learned[i], (m->learneds - i) * sizeof m->learned[0]);
    m->learned[i] = (struct otapult_patch_learned){.address = address, .shift = shift};
    m->learneds++;
}
