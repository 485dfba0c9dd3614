/* SPDX-License-Identifier: Apache-2.0 */
#include "known_devices.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "config.h"
#include "fault.h"
#include "regular_file.h"
#include "say.h"

/* Lines are only ever appended, so two commands at once do not lose each other's. A file with a line that
 * cannot be read is damaged and not empty: taking it for empty would make every robot a new one, and a
 * stranger could be noted in the place of one of them. */

#define LINE 512

const char *known_path(void)
{
    static char path[CONFIG_PATH];

    config_path("known_devices", path);
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
    FILE *f = regular_file_open(known_path());

    if (f == NULL)
        return errno == ENOENT ? KNOWN_NOT : KNOWN_UNREADABLE;
    while (known == KNOWN_NOT && fgets(line, sizeof line, f) != NULL)
        known = match(line, where, out);
    if (ferror(f))
        known = KNOWN_UNREADABLE;
    fclose(f);
    return known;
}

bool known_add(const char *where, const struct known_device *device)
{
    FILE *f = config_append("known_devices");

    bool good = f != NULL && fprintf(f, "%s %s %s\n", where, device->pin, device->fingerprint) > 0;
    if (f != NULL)
        good = fclose(f) == 0 && good;
    if (!good)
        trouble_say(TROUBLE_FILE_UNWRITABLE, "file", known_path(), strerror(errno));
    return good;
}

void known_list(void)
{
    char line[LINE];
    FILE *f = regular_file_open(known_path());

    while (f != NULL && fgets(line, sizeof line, f) != NULL) {
        size_t len = strcspn(line, " \n");
        if (len > 0 && line[0] != '#')
            printf("%s\n", say_clean(strndupa(line, len)));
    }
    if (f != NULL)
        fclose(f);
}
