/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_INTERRUPT_H
#define CLI_INTERRUPT_H

#include <stdbool.h>

/* Ctrl-C (and SIGTERM) once: an orderly end. Twice: at once, as ever. */
void interrupt_catch(void);
bool interrupted(void);

#endif
