/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "command.h"
#include "fault.h"
#include "new_file.h"
#include "output.h"
#include "say.h"
#include "signing.h"

/* `otapult sign`. What is written was read back by the robot's own judge first: a signing device that answers
 * with a signature of another key, or of another digest, must not cost a robot its update. */

/* ---- the file that comes out ---- */

static bool is_standard_output(const struct options *o)
{
    return o->out != NULL && output_is_standard(o->out);
}

static const char *target_of(const struct options *o)
{
    return o->out != NULL ? o->out : o->file;
}

static bool has_other_names(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && st.st_nlink > 1;
}

/* Into the file itself, so that it stays the file of all its names. What is in front of the signature does
 * not change, so a crash in between costs the signature alone. */
static int write_over(const char *path, const uint8_t *data, size_t size)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return errno;
    int err = new_file_write(fd, data, size);
    if (err == 0 && fsync(fd) != 0)
        err = errno;
    close(fd);
    return err;
}

static int save_where_asked(const struct options *o, const uint8_t *data, size_t size)
{
    if (o->in_place && has_other_names(o->file))
        return write_over(o->file, data, size);
    return output_save(target_of(o), data, size);
}

/* A program that reads the file meanwhile sees the old one or the new one, but for write_over(). */
static bool save(const struct options *o, const uint8_t *data, size_t size)
{
    int err = save_where_asked(o, data, size);
    if (err == 0)
        return true;
    complain("%s: %s", is_standard_output(o) ? "standard output" : target_of(o),
             err == ENOTSUP ? "is no regular file, so it is left alone; --out - writes to standard output"
                            : strerror(err));
    return false;
}

/* ---- signing ---- */

static const char *wrong_usage(const struct options *o)
{
    if ((o->key != NULL) == (o->sign_command != NULL))
        return "wants either --key or --sign-command";
    if ((o->sign_command != NULL) != (o->public_key != NULL))
        return "--sign-command and --pub-key go together";
    if ((o->out != NULL) == o->in_place)
        return "wants either --out or --in-place";
    if (strcmp(o->file, "-") == 0)
        return "wants a file, not standard input";
    if (o->out == NULL)
        return NULL;
    return input_is_same_file(o->file, o->out) ? "would write over its input; say --in-place"
                                               : output_wrong(o->out, o->json);
}

static const char *unfit(const struct options *o, const struct otapult_image_info *info)
{
    if (info->signatures > 0 && !o->append)
        return "is signed already; --append adds another signature";
    return info->signatures == 0 && o->append ? "is not signed yet; leave out --append" : NULL;
}

/* What was made is read as a robot reads it, before it is let out. */
static bool holds(const struct signing *s, const struct key *key)
{
    static struct otapult_judge judge;
    const struct input in = {.data = s->data, .size = s->size};
    struct options options = {OPTIONS_DEFAULT};

    options.key_count = 1;
    if (key_digest(key, options.key_digest[0]) && input_judge_any(&in, &options, &judge) == 0)
        return true;
    complain("the signature does not fit the key; nothing was written");
    return false;
}

static void print_json(const struct options *o, const struct signing *s, const struct key *key)
{
    char text[1024];
    struct otapult_json j;

    otapult_json_init(&j, text, sizeof text);
    otapult_json_open(&j, NULL, '{');
    otapult_json_bool(&j, "success", true);
    otapult_json_str(&j, "out", say_clean(target_of(o)));
    otapult_json_str(&j, "scheme", key_scheme_word(key->scheme));
    otapult_json_num(&j, "signatures", s->blocks);
    otapult_json_num(&j, "size", (uint32_t)s->size);
    otapult_json_close(&j, '}');
    json_print(&j);
}

static int sign(const struct options *o, const struct input *in, const struct otapult_image_info *info)
{
    struct signing signing;
    struct key key;

    if (!key_read(o->key != NULL ? o->key : o->public_key, o->key != NULL, &key))
        return STATUS_NO;
    bool ok = signing_begin(&signing, in, info) && signing_add(&signing, &key, o->sign_command) &&
              holds(&signing, &key) && save(o, signing.data, signing.size);
    if (ok && say_as_json())
        print_json(o, &signing, &key);
    else if (ok)
        fprintf(is_standard_output(o) ? stderr : stdout,
                "%s: signed with %s, %u of %u signatures, %zu bytes\n",
                is_standard_output(o) ? in->name : target_of(o), key_scheme_word(key.scheme), signing.blocks,
                OTAPULT_SIGNATURE_BLOCKS, signing.size);
    signing_free(&signing);
    key_free(&key);
    return ok ? STATUS_OK : STATUS_NO;
}

static int run(const struct options *options)
{
    static struct otapult_judge judge;
    struct input in;
    const char *why = wrong_usage(options);

    if (why != NULL) {
        complain("sign: %s", why);
        return STATUS_USAGE;
    }
    if (!input_read(options->file, &in))
        return STATUS_NO;
    int status = STATUS_NO, err = input_judge_any(&in, options, &judge);
    why = err == 0 ? unfit(options, &judge.inspect.info) : NULL;
    if (err != 0)
        error_say(err, &judge.why, in.name);
    else if (why != NULL)
        complain("%s %s", in.name, why);
    else
        status = sign(options, &in, &judge.inspect.info);
    input_free(&in);
    return status;
}

const struct verb verb_sign = {
    .name = "sign",
    .gist = "sign firmware",
    .operands = "FILE",
    .summary = "signs firmware for robots that ask for it",
    .about =
        "Adds a signature of Secure Boot V2 to FILE, a whole app image, as espsecure does: 0xFF up to a multiple "
        "of 4096 bytes, then one sector with the signature. What comes out was verified.\n"
        "\n"
        "With --sign-command the key may live in an HSM: the command gets the digest to be signed on standard "
        "input (32 bytes of SHA-256; 48 of SHA-384 for ecdsa384) and prints the signature as bytes: RSA-PSS with "
        "a salt of 32 bytes, or ECDSA as r and s or DER.",
    .exits = "0 signed, 1 not, 2 wrong usage.",
    .examples = "otapult sign firmware.bin --key release.pem --out signed.bin\n"
                "otapult sign f.bin --out s.bin --pub-key pub.pem --sign-command \\\n"
                "  'openssl pkeyutl -sign -inkey KEY -pkeyopt digest:sha256 \\\n"
                "   -pkeyopt rsa_padding_mode:pss -pkeyopt rsa_pss_saltlen:digest'",
    .least = 1,
    .most = 1,
    .completes = {COMPLETES_FILE},
    .group = GROUP_KEYS,
    .options = (const struct verb_option[]){{OPTION_KEY, NULL},
                                            {OPTION_SIGN_COMMAND, NULL},
                                            {OPTION_PUB_KEY, NULL},
                                            {OPTION_OUT, "where the signed file goes; - is standard output"},
                                            {OPTION_IN_PLACE,
                                             "into FILE itself, which keeps its mode and its links"},
                                            {OPTION_APPEND, NULL},
                                            {OPTION_JSON, NULL},
                                            {OPTION_NONE, NULL}},
    .run = run,
};
