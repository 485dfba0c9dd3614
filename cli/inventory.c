/* SPDX-License-Identifier: Apache-2.0 */
#include "inventory.h"

#include <errno.h>
#include <ini.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "private_file.h"
#include "regular_file.h"

/* An inventory: `[robot NAME]` and what is known of it.
 *
 *   [robot rover-1]
 *   host = rover-1.local:8443       the name itself unless said
 *   groups = hall, canary           words that @hall on the command line stands for
 *   token_file = /run/secrets/rover
 *   pin = sha256//…                 of its public key: it need not be met first
 *   kind = wled                     how one sends to it, where it is no Otapult device
 *   timeout = 10 */

#define SECTION "robot "

struct entry {
    char *name, *host, *groups, *token_file, *pin, *kind;
    long timeout_s;
};

struct inventory {
    struct entry *entry;
    size_t count;
    char wrong[300];
};

static void entry_free(struct entry *e)
{
    free(e->name);
    free(e->host);
    free(e->groups);
    free(e->token_file);
    free(e->pin);
    free(e->kind);
}

static void inventory_free(struct inventory *i)
{
    for (size_t n = 0; n < i->count; n++)
        entry_free(&i->entry[n]);
    free(i->entry);
}

static bool keep(char **to, const char *value)
{
    free(*to);
    *to = strdup(value);
    return *to != NULL;
}

static bool set_timeout(struct entry *e, const char *value)
{
    char *end;
    long n = strtol(value, &end, 10);

    e->timeout_s = n;
    return end != value && *end == '\0' && n >= 1 && n <= 600;
}

static bool set(struct entry *e, const char *key, const char *value)
{
    const struct {
        const char *key;
        char **to;
    } texts[] = {{"host", &e->host},
                 {"groups", &e->groups},
                 {"token_file", &e->token_file},
                 {"pin", &e->pin},
                 {"kind", &e->kind}};

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        if (strcmp(key, texts[i].key) == 0)
            return keep(texts[i].to, value);
    }
    return strcmp(key, "timeout") == 0 && set_timeout(e, value);
}

static struct entry *entry_of(struct inventory *inv, const char *name)
{
    if (inv->count > 0 && strcmp(inv->entry[inv->count - 1].name, name) == 0)
        return &inv->entry[inv->count - 1];
    struct entry *more = realloc(inv->entry, (inv->count + 1) * sizeof *more);
    if (more == NULL)
        return NULL;
    inv->entry = more;
    more[inv->count] = (struct entry){.name = strdup(name)};
    return more[inv->count].name != NULL ? &more[inv->count++] : NULL;
}

/* libinih's: 0 is wrong. */
static int take(void *ctx, const char *section, const char *key, const char *value)
{
    struct inventory *inv = ctx;

    if (inv->wrong[0] != '\0')
        return 0;
    bool named = strncmp(section, SECTION, strlen(SECTION)) == 0 && section[strlen(SECTION)] != '\0';
    struct entry *e = named ? entry_of(inv, section + strlen(SECTION)) : NULL;
    if (e != NULL && set(e, key, value))
        return 1;
    snprintf(inv->wrong, sizeof inv->wrong, "%s%s%s%s", named ? "" : "section [", named ? "" : section,
             named ? "cannot be: " : "] is not [robot NAME]", named ? key : "");
    return 0;
}

/* ---- which robots are meant ---- */

static bool in_group(const struct entry *e, const char *group)
{
    size_t n = strlen(group);

    for (const char *at = e->groups; at != NULL && *at != '\0';) {
        at += strspn(at, ", \t");
        size_t len = strcspn(at, ", \t");
        if (len == n && strncmp(at, group, n) == 0)
            return true;
        at += len;
    }
    return false;
}

static bool is_meant(const struct entry *e, const char *word)
{
    return word[0] == '@' ? in_group(e, word + 1) || strcmp(word, "@all") == 0 : strcmp(e->name, word) == 0;
}

/* Reads a token out of its file. NULL: *why says what is wrong, or *shared that other users may read the
 * file. */
static char *read_token(const char *path, bool *shared, const char **why)
{
    char token[TOKEN_MAX] = "";
    FILE *f = private_file_open(path, shared);

    *why = f != NULL ? "holds no token" : regular_file_words(errno);
    if (f != NULL && fgets(token, sizeof token, f) == NULL)
        token[0] = '\0';
    if (f != NULL)
        fclose(f);
    token[strcspn(token, " \r\n")] = '\0';
    return token[0] != '\0' ? strdup(token) : NULL;
}

static int add(struct fleet *fleet, const struct options *options, const struct entry *e)
{
    struct fleet_member *m = fleet_add(fleet, options, e->name, e->host != NULL ? e->host : e->name);
    const char *why;
    bool shared;

    if (m == NULL)
        return STATUS_USAGE;
    if (e->timeout_s > 0)
        m->robot.timeout_s = e->timeout_s;
    if (e->pin != NULL && m->pin == NULL)
        m->robot.given_pin = m->pin = strdup(e->pin);
    if (e->kind != NULL && m->kind == NULL)
        m->kind = strdup(e->kind);
    if (e->token_file == NULL || m->token != NULL)
        return 0;
    m->robot.token = m->token = read_token(e->token_file, &shared, &why);
    if (shared)
        return trouble_say(TROUBLE_TOKENS_OPEN, "file", e->token_file, "");
    return m->token != NULL ? 0 : trouble_say(TROUBLE_FILE_UNREADABLE, "file", e->token_file, why);
}

static int add_meant(struct fleet *fleet, const struct options *options, const struct inventory *inv,
                     const char *word, bool *taken)
{
    int status = 0;

    for (size_t i = 0; i < inv->count && status == 0; i++) {
        if (!is_meant(&inv->entry[i], word))
            continue;
        *taken = true;
        status = add(fleet, options, &inv->entry[i]);
    }
    return status;
}

static int read_file(const char *path, struct inventory *inv)
{
    FILE *f = regular_file_open(path);

    if (f == NULL)
        return trouble_say(TROUBLE_FILE_UNREADABLE, "file", path, regular_file_words(errno));
    int line = ini_parse_file(f, take, inv);
    fclose(f);
    if (line == 0 && inv->wrong[0] == '\0')
        return 0;
    complain("%s:%d: %s", say_clean(path), line,
             inv->wrong[0] != '\0' ? say_clean(inv->wrong) : "is no line of an inventory");
    return STATUS_USAGE;
}

int inventory_read(const char *path, struct fleet *fleet, const struct options *options, char *const *wanted,
                   size_t count, bool *taken)
{
    struct inventory inv = {0};
    int status = read_file(path, &inv);

    for (size_t i = 0; i < count && status == 0; i++)
        status = add_meant(fleet, options, &inv, wanted[i], &taken[i]);
    inventory_free(&inv);
    return status;
}

void inventory_list(void)
{
    struct inventory inv = {0};
    char path[CONFIG_PATH];

    config_path("robots.ini", path);
    FILE *f = regular_file_open(path);
    if (f != NULL) {
        ini_parse_file(f, take, &inv);
        fclose(f);
    }
    for (size_t i = 0; i < inv.count; i++)
        printf("%s\n", say_clean(inv.entry[i].name));
    inventory_free(&inv);
}
