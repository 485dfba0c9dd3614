/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "command.h"
#include "fault.h"
#include "input.h"
#include "key.h"
#include "say.h"

/* `otapult verify`: the judge of the robot, with a trust that has the given keys only. */

/* Adds the digest of --key to those that were given. */
static bool add_key(struct options *o)
{
    struct key key;

    if (o->key == NULL)
        return true;
    if (!key_read(o->key, false, &key))
        return false;
    bool ok = key_digest(&key, o->key_digest[o->key_count++]);
    key_free(&key);
    return ok;
}

static void print_json(const struct input *in, unsigned ours, unsigned all)
{
    char text[512];
    struct otapult_json j;

    otapult_json_init(&j, text, sizeof text);
    otapult_json_open(&j, NULL, '{');
    otapult_json_bool(&j, "success", true);
    otapult_json_str(&j, "file", in->name);
    otapult_json_num(&j, "signatures", all);
    otapult_json_num(&j, "by_given_keys", ours);
    otapult_json_close(&j, '}');
    json_print(&j);
}

static void print_ok(const struct input *in, const struct otapult_judge *judge)
{
    unsigned ours = 0;

    for (unsigned bits = judge->inspect.signature.signers; bits != 0; bits >>= 1)
        ours += bits & 1;
    if (say_as_json()) {
        print_json(in, ours, judge->inspect.info.signatures);
        return;
    }
    printf("ok %s: %u of %u signatures by what was given\n", in->name, ours, judge->inspect.info.signatures);
}

static int verify(const struct options *given)
{
    static struct otapult_judge judge;
    struct options options = *given;
    struct input in;

    size_t keys = options.key_count + (options.key != NULL);

    if (keys == 0 || keys > OPTIONS_KEYS) {
        complain("verify: wants --key or --key-digest, three keys at most");
        return STATUS_USAGE;
    }
    if (!add_key(&options) || !input_read(options.file, &in))
        return STATUS_NO;
    int err = input_judge_any(&in, &options, &judge);
    if (err == 0)
        print_ok(&in, &judge);
    else
        error_say(err, &judge.why, in.name);
    input_free(&in);
    return err == 0 ? STATUS_OK : STATUS_NO;
}

static int run(const struct options *options)
{
    return options_each(options, verify);
}

const struct verb verb_verify = {
    .name = "verify",
    .gist = "is it signed by that key?",
    .operands = "FILE…",
    .summary = "says whether firmware is signed by a key",
    .about =
        "Verifies each FILE ('-': standard input) as a robot does that trusts the key and nobody else: the "
        "whole image, its signature sector, and that nothing stands behind it.",
    .exits = "0 it is, 1 it is not or a FILE cannot be read, 2 wrong usage.",
    .examples = "otapult verify signed.bin --key release.pem",
    .least = 1,
    .most = OPERANDS_ANY,
    .completes = {COMPLETES_FILE, COMPLETES_FILE},
    .group = GROUP_KEYS,
    .options =
        (const struct verb_option[]){
            {OPTION_KEY, "the key, private or public"},
            {OPTION_KEY_DIGEST, "its digest; up to three, with commas between: one of them must have signed"},
            {OPTION_JSON, NULL},
            {OPTION_NONE, NULL}},
    .run = run,
};
