/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "command.h"
#include "key.h"
#include "options.h"
#include "report.h"

/* The digest alone on its line, so that a script can take it. */
static bool print_digest(const struct key *key)
{
    uint8_t digest[OTAPULT_KEY_DIGEST];
    char hex[2 * OTAPULT_KEY_DIGEST + 1];
    struct otapult_text t;

    if (!key_digest(key, digest))
        return false;
    otapult_text_init(&t, hex, sizeof hex);
    otapult_text_digest(&t, digest, sizeof digest);
    puts(hex);
    return true;
}

static int run_keygen(const struct options *options)
{
    struct key key;

    if (!key_generate(options->file, options->scheme, &key) || !print_digest(&key))
        return STATUS_NO;
    fprintf(stderr,
            "otapult: %s holds a private key. Keep it away from robots and repositories, and keep a copy:\n"
            "without it there are no more updates.\n",
            options->file);
    return STATUS_OK;
}

static int run_key_digest(const struct options *options)
{
    struct key key;

    if (!key_read(options->file, false, &key))
        return STATUS_NO;
    bool ok = print_digest(&key);
    key_free(&key);
    return ok ? STATUS_OK : STATUS_NO;
}

const struct verb verb_keygen = {
    .name = "keygen",
    .arguments = "FILE [--scheme rsa3072|ecdsa256|ecdsa384]",
    .summary = "make a key that signs firmware",
    .help =
        "Writes a new private key to FILE as PEM, mode 0600, and prints its key digest. Never writes over\n"
        "a file that is there.\n"
        "\n"
        "  --scheme NAME   rsa3072 unless said: the only one that an ESP32-S3's hardware Secure Boot\n"
        "                  knows; the others are ecdsa256 and ecdsa384\n"
        "\n"
        "Exit status: 0 made, 1 it could not be, 2 wrong usage.\n",
    .accepts = "S",
    .run = run_keygen,
};

const struct verb verb_key_digest = {
    .name = "key-digest",
    .arguments = "FILE",
    .summary = "print what a robot knows a key by",
    .help = "Prints the digest of the key in FILE, private or public PEM: 64 hex digits, for the robot's\n"
            "configuration, --key-digest, and eFuses (espsecure digest-sbv2-public-key writes the same).\n"
            "\n"
            "Exit status: 0 printed, 1 there is no such key in FILE, 2 wrong usage.\n",
    .accepts = "",
    .run = run_key_digest,
};
