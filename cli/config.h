/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_CONFIG_H
#define CLI_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* $XDG_CONFIG_HOME/otapult/, ~/.config/otapult/ where that is not set: known_devices, tokens, robots.ini. */

#define CONFIG_PATH 2200

void config_path(const char *name, char path[CONFIG_PATH]);

/* Opens a file there for writing, mode 0600, with the folders above it. NULL: errno says why. */
FILE *config_append(const char *name);

/* Writes the whole file there anew, mode 0600; a program that reads it meanwhile sees the old one. false: errno. */
bool config_replace(const char *name, const char *text, size_t len);

#define TOKEN_MAX 128

enum token_found { TOKEN_NONE, TOKEN_FOUND, TOKEN_READABLE_BY_OTHERS, TOKEN_UNREADABLE };

/* The API token stored for `host:port`. A file that others may read is not used. */
enum token_found token_find(const char *where, char token[TOKEN_MAX]);
/* Stores the token, beside those of other robots. false: errno says why; also where the file is there and cannot be read,
 * or others may read it: then it stays as it is, because its tokens would be lost. */
bool token_store(const char *where, const char *token);

#endif
