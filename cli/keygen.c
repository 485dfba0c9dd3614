/* SPDX-License-Identifier: Apache-2.0 */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "command.h"
#include "key.h"
#include "options.h"
#include "say.h"

/* `otapult keygen` and `otapult key-digest`. The private key goes to its file and nowhere else; what is
 * printed is the digest of the public half. */

static void print_json(const struct options *o, const struct key *key, const char *hex)
{
    char text[1024];
    struct otapult_json j;

    otapult_json_init(&j, text, sizeof text);
    otapult_json_open(&j, NULL, '{');
    otapult_json_bool(&j, "success", true);
    otapult_json_str(&j, "file", say_clean(o->file));
    otapult_json_str(&j, "scheme", key_scheme_word(key->scheme));
    otapult_json_str(&j, "key_digest", hex);
    otapult_json_close(&j, '}');
    json_print(&j);
}

/* The digest alone on its line, so that a script can take it. */
static bool print_digest(const struct options *o, const struct key *key)
{
    uint8_t digest[OTAPULT_KEY_DIGEST];
    char hex[2 * OTAPULT_KEY_DIGEST + 1];
    struct otapult_text t;

    if (!key_digest(key, digest))
        return false;
    otapult_text_init(&t, hex, sizeof hex);
    otapult_text_digest(&t, digest, sizeof digest);
    if (say_as_json())
        print_json(o, key, hex);
    else
        puts(hex);
    return true;
}

/* Is there a .git, a folder or a worktree's file, beside it or above? */
static bool lies_in_git(const char *file)
{
    char folder[PATH_MAX], git[PATH_MAX + 8];

    if (realpath(file, folder) == NULL)
        return false;
    for (char *end = strrchr(folder, '/'); end != NULL; end = strrchr(folder, '/')) {
        *end = '\0';
        snprintf(git, sizeof git, "%s/.git", folder);
        if (access(git, F_OK) == 0)
            return true;
    }
    return false;
}

static int run_keygen(const struct options *options)
{
    struct key key;

    if (!key_generate(options->file, options->scheme, &key) || !print_digest(options, &key))
        return STATUS_NO;
    if (lies_in_git(options->file))
        complain(
            say_in_russian()
                ? "предупреждение: %s лежит в рабочем каталоге git, и следующий коммит может забрать закрытый ключ: "
                  "перенесите его"
                : "warning: %s lies in a git work tree, where the next commit may take a private key along: move "
                  "it elsewhere",
            say_clean(options->file));
    remark(say_in_russian()
               ? "%s — закрытый ключ. Не держите его на роботах и в репозиториях и сохраните копию: без "
                 "него обновлений больше не будет."
               : "%s holds a private key. Keep it away from robots and repositories, and keep a copy: "
                 "without it there are no more updates.",
           options->file);
    return STATUS_OK;
}

static int digest_of(const struct options *options)
{
    struct key key;

    if (!key_read(options->file, false, &key))
        return STATUS_NO;
    bool ok = print_digest(options, &key);
    key_free(&key);
    return ok ? STATUS_OK : STATUS_NO;
}

static int run_key_digest(const struct options *options)
{
    return options_each(options, digest_of);
}

const struct verb verb_keygen = {
    .name = "keygen",
    .gist = "make a signing key",
    .operands = "FILE",
    .summary = "makes a key that signs firmware",
    .about =
        "Writes a new private key to FILE as PEM, mode 0600, and prints its key digest. Never writes over a "
        "file that is there.",
    .exits = "0 made, 1 it could not be, 2 wrong usage.",
    .examples = "otapult keygen release.pem",
    .least = 1,
    .most = 1,
    .completes = {COMPLETES_FILE},
    .group = GROUP_KEYS,
    .options = (const struct verb_option[]){{OPTION_SCHEME, NULL}, {OPTION_JSON, NULL}, {OPTION_NONE, NULL}},
    .run = run_keygen,
};

const struct verb verb_key_digest = {
    .name = "key-digest",
    .gist = "what a robot knows it by",
    .operands = "FILE…",
    .summary = "prints what a robot knows a key by",
    .about =
        "Prints the digest of the key in each FILE, private or public PEM: 64 hex digits, for the robot's "
        "configuration, --key-digest, and eFuses (espsecure digest-sbv2-public-key writes the same).",
    .exits = "0 printed, 1 there is no such key in a FILE, 2 wrong usage.",
    .examples = "otapult key-digest release.pem",
    .least = 1,
    .most = OPERANDS_ANY,
    .completes = {COMPLETES_FILE, COMPLETES_FILE},
    .group = GROUP_KEYS,
    .options = (const struct verb_option[]){{OPTION_JSON, NULL}, {OPTION_NONE, NULL}},
    .run = run_key_digest,
};
