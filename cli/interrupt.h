/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_INTERRUPT_H
#define CLI_INTERRUPT_H

#include <stdbool.h>

/* Ctrl-C or SIGTERM once brings the command to an orderly end; a second time it ends the process at once. */
void interrupt_catch(void);
bool interrupted(void);

#endif
