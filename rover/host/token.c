/* SPDX-License-Identifier: Apache-2.0 */
#include "token.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "console.h"
#include "private_file.h"

static bool keep(const char *text, const char *where, char dst[TOKEN_SIZE])
{
    size_t len = strcspn(text, "\r\n");

    if (len == 0 || len >= TOKEN_SIZE) {
        console_complain("%s: no token of 1 to %u characters", where, TOKEN_SIZE - 1);
        return false;
    }
    memcpy(dst, text, len);
    dst[len] = '\0';
    return true;
}

static bool read_file(const char *file, char dst[TOKEN_SIZE])
{
    char text[TOKEN_SIZE + 2] = "";
    bool shared;
    FILE *f = private_file_open(file, &shared);

    if (shared)
        console_complain("%s: others may read it: chmod 600 %s", file, file);
    else if (f == NULL)
        console_complain("%s: cannot be read", file);
    if (f == NULL)
        return false;
    bool good = fgets(text, sizeof text, f) != NULL || !ferror(f);
    fclose(f);
    return good && keep(text, file, dst);
}

bool token_read(const char *file, const char *variable, char dst[TOKEN_SIZE])
{
    const char *text = getenv(variable);

    if (file != NULL)
        return read_file(file, dst);
    if (text != NULL)
        return keep(text, variable, dst);
    console_complain("--hawkbit without a token: --hawkbit-token FILE, or %s in the environment", variable);
    return false;
}
