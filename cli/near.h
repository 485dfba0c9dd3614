/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_NEAR_H
#define CLI_NEAR_H

/* The word of the list that `typed` was probably meant to be; NULL: none is near. */
const char *nearest_word(const char *typed, const char *(*word_at)(const void *list, unsigned index),
                         const void *list);

#endif
