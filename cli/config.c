/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "new_file.h"
#include "private_file.h"

/* Files are written with mode 0600, and folders that are missing are made with 0700: tokens open robots, and
 * known_devices decides which of them are trusted. */

#define LINE 512

void config_path(const char *name, char path[CONFIG_PATH])
{
    const char *config = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");

    if (config != NULL && config[0] == '/')
        snprintf(path, CONFIG_PATH, "%s/otapult/%s", config, name);
    else
        snprintf(path, CONFIG_PATH, "%s/.config/otapult/%s", home != NULL ? home : "", name);
}

/* Errors are left out: what is wrong with a folder, opening the file in it says. */
static void make_folders(const char *file)
{
    char path[CONFIG_PATH];

    snprintf(path, sizeof path, "%s", file);
    for (char *slash = strchr(path + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        mkdir(path, 0700);
        *slash = '/';
    }
}

FILE *config_append(const char *name)
{
    char path[CONFIG_PATH];

    config_path(name, path);
    make_folders(path);
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    return fd < 0 ? NULL : fdopen(fd, "a");
}

bool config_replace(const char *name, const char *text, size_t len)
{
    char path[CONFIG_PATH];

    config_path(name, path);
    make_folders(path);
    errno = new_file_save(path, 0600, text, len);
    return errno == 0;
}

/* ---- tokens: a line each, `host:port token` ---- */

/* The token of the robot at `where`, in the line itself; NULL: the line is another robot's. */
static char *token_of(char *line, const char *where)
{
    char *rest = line;
    const char *name = strsep(&rest, " \n");
    char *token = strsep(&rest, " \n");

    return token != NULL && token[0] != '\0' && strcmp(name, where) == 0 ? token : NULL;
}

static FILE *open_tokens(enum token_found *found)
{
    char path[CONFIG_PATH];
    bool shared;

    config_path("tokens", path);
    FILE *f = private_file_open(path, &shared);
    if (shared)
        *found = TOKEN_READABLE_BY_OTHERS;
    else
        *found = f != NULL || errno == ENOENT ? TOKEN_NONE : TOKEN_UNREADABLE;
    return f;
}

enum token_found token_find(const char *where, char token[TOKEN_MAX])
{
    char line[LINE];
    enum token_found found;
    FILE *f = open_tokens(&found);

    while (f != NULL && fgets(line, sizeof line, f) != NULL) {
        const char *of = token_of(line, where);
        if (of == NULL || strlen(of) >= TOKEN_MAX)
            continue;
        snprintf(token, TOKEN_MAX, "%s", of);
        found = TOKEN_FOUND; /* a later line counts more */
    }
    if (f != NULL)
        fclose(f);
    return found;
}

/* Copies the lines of all other robots. false, and errno: not all of them could be read. */
static bool copy_others(FILE *f, const char *where, FILE *out)
{
    char line[LINE], copy[LINE];

    while (fgets(line, sizeof line, f) != NULL) {
        memcpy(copy, line, sizeof copy);
        if (token_of(copy, where) == NULL)
            fputs(line, out);
    }
    return ferror(f) == 0;
}

/* Copies the lines of other robots and adds this one's. */
bool token_store(const char *where, const char *token)
{
    char *text = NULL;
    size_t len = 0;
    enum token_found found;
    FILE *f = open_tokens(&found);

    if (f == NULL && found != TOKEN_NONE)
        return false;
    FILE *out = open_memstream(&text, &len);
    bool good = out != NULL && (f == NULL || copy_others(f, where, out));
    if (f != NULL)
        fclose(f);
    if (out == NULL)
        return false;
    fprintf(out, "%s %s\n", where, token);
    good = fclose(out) == 0 && good && config_replace("tokens", text, len);
    free(text);
    return good;
}
