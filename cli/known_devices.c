/* SPDX-License-Identifier: Apache-2.0 */
#include "known_devices.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "say.h"

#define LINE 512

static const char *folder(void)
{
    static char path[2048];
    const char *config = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");

    if (config != NULL && config[0] == '/')
        snprintf(path, sizeof path, "%s/otapult", config);
    else
        snprintf(path, sizeof path, "%s/.config/otapult", home != NULL ? home : "");
    return path;
}

const char *known_path(void)
{
    static char path[2100];

    snprintf(path, sizeof path, "%s/known_devices", folder());
    return path;
}

/* KNOWN_NOT: this line is another device's. */
static enum known match(char *line, const char *where, struct known_device *out)
{
    char *rest = line;
    const char *name = strsep(&rest, " \n"), *pin = strsep(&rest, " \n"), *fingerprint = strsep(&rest, " \n");

    if (name[0] == '\0' || name[0] == '#')
        return KNOWN_NOT;
    if (fingerprint == NULL || strncmp(pin, "sha256//", 8) != 0 || strlen(pin) >= sizeof out->pin ||
        strlen(fingerprint) >= sizeof out->fingerprint)
        return KNOWN_UNREADABLE;
    if (strcmp(name, where) != 0)
        return KNOWN_NOT;
    snprintf(out->pin, sizeof out->pin, "%s", pin);
    snprintf(out->fingerprint, sizeof out->fingerprint, "%s", fingerprint);
    return KNOWN_YES;
}

enum known known_find(const char *where, struct known_device *out)
{
    char line[LINE];
    enum known known = KNOWN_NOT;
    FILE *f = fopen(known_path(), "r");

    if (f == NULL)
        return errno == ENOENT ? KNOWN_NOT : KNOWN_UNREADABLE;
    while (known == KNOWN_NOT && fgets(line, sizeof line, f) != NULL)
        known = match(line, where, out);
    if (ferror(f))
        known = KNOWN_UNREADABLE;
    fclose(f);
    return known;
}

static void make_folders(void)
{
    char path[2048];

    snprintf(path, sizeof path, "%s", folder());
    for (char *slash = strchr(path + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        mkdir(path, 0700);
        *slash = '/';
    }
    mkdir(path, 0700); /* what is wrong with any of them, opening the file says */
}

bool known_add(const char *where, const struct known_device *device)
{
    make_folders();
    int fd = open(known_path(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    FILE *f = fd < 0 ? NULL : fdopen(fd, "a");

    bool good = f != NULL && fprintf(f, "%s %s %s\n", where, device->pin, device->fingerprint) > 0;
    if (f != NULL)
        good = fclose(f) == 0 && good;
    if (!good)
        fprintf(stderr, "otapult: cannot write %s: %s\n", known_path(), strerror(errno));
    return good;
}

void known_list(void)
{
    char line[LINE];
    FILE *f = fopen(known_path(), "r");

    while (f != NULL && fgets(line, sizeof line, f) != NULL) {
        size_t len = strcspn(line, " \n");
        if (len > 0 && line[0] != '#')
            printf("%s\n", say_clean(strndupa(line, len)));
    }
    if (f != NULL)
        fclose(f);
}
