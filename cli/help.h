/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_HELP_H
#define CLI_HELP_H

#include <stdio.h>

#include "options.h"

/* What the two tables say, laid out for a terminal of 80 columns, for man, and for docs/cli.md. */

void help_overview(FILE *to);              /* fits a screen of 24 lines */
void help_usage(FILE *to, const struct verb *verb);
void help_text(const struct verb *verb);

/* A whole page: of otapult(1) where `verb` is NULL, else of otapult-VERB(1). */
void manual_man(const struct verb *verb);
/* A section of docs/cli.md; NULL: the sections of all verbs, and the table of exit statuses. */
void manual_markdown(const struct verb *verb);

/* "-j, --jobs N" */
#define OPTION_SPELT 64
void option_spelt(const struct option_row *row, char dst[OPTION_SPELT]);
const char *option_words(const struct verb_option *option);
extern const char *const group_names[GROUPS];

#endif
