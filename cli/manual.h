/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_MANUAL_H
#define CLI_MANUAL_H

#include "options.h"

/* The tables of verbs and options as pages for man and as sections of docs/cli.md. */

/* A whole page: of otapult-VERB(1), or otapult(1) with the list of all. */
void manual_man_verb(const struct verb *verb);
void manual_man(const struct verb *const *verbs);

/* A section of docs/cli.md, or those of all verbs and the table of exit statuses. */
void manual_markdown_verb(const struct verb *verb);
void manual_markdown(const struct verb *const *verbs);

#endif
