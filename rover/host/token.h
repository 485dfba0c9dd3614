/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ROVER_HOST_TOKEN_H
#define ROVER_HOST_TOKEN_H

#include <stdbool.h>

/* A secret that never stands on a command line, where everybody on the computer can read it. */

#define TOKEN_SIZE 160u

/* Out of `file`, which its owner alone may read (mode 0600), without the line's end; NULL: out of the environment's
 * `variable`. false: standard error says why. */
bool token_read(const char *file, const char *variable, char dst[TOKEN_SIZE]);

#endif
