/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_USAGE_H
#define CLI_USAGE_H

#include <stdio.h>

#include "options.h"

/* What the tables of verbs and options say, laid out for a terminal of 80 columns. */

void usage_overview(FILE *to, const struct verb *const *verbs); /* fits a screen of 24 lines */
void usage_line(FILE *to, const struct verb *verb);
void usage_text(const struct verb *verb);

/* "-j, --jobs N" */
#define OPTION_SPELT 64
void option_spelt(const struct option_row *row, char dst[OPTION_SPELT]);
const char *option_words(const struct verb_option *option);
extern const char *const group_names[GROUPS];

#endif
