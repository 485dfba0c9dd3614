/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_INTERRUPT_H
#define CLI_INTERRUPT_H

#include <stdbool.h>

/* Ctrl-C, SIGTERM, or SIGHUP of a terminal that is closed, once brings the command to an orderly end; a second time it
 * ends the process at once. May be called again. */
void interrupt_catch(void);
bool interrupted(void);

#endif
