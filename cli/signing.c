/* SPDX-License-Identifier: Apache-2.0 */
#include "signing.h"
#include "say.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "trust/der.h"

/* Puts a block into the signature sector (trust/signature.h has its layout). The digest, and so the
 * signature, covers all bytes before the sector and none of it: that is why another signature can be appended
 * later. */

#define DIGEST_AT  4u
#define ANSWER_MAX 512u /* bytes of a signature, in any of its forms */

bool signing_begin(struct signing *s, const struct input *in, const struct otapult_image_info *info)
{
    size_t padded = (info->image_size + OTAPULT_SIGNATURE_SECTOR - 1) &
                    ~(size_t)(OTAPULT_SIGNATURE_SECTOR - 1);

    *s = (struct signing){.size = padded + OTAPULT_SIGNATURE_SECTOR, .blocks = info->signatures};
    s->data = malloc(s->size);
    if (s->data == NULL) {
        complain("not enough memory");
        return false;
    }
    memset(s->data, 0xFF, s->size);
    memcpy(s->data, in->data, in->size);
    s->sector = s->data + padded;
    return true;
}

void signing_free(struct signing *s)
{
    free(s->data);
}

/* ---- a signature from elsewhere ---- */

/* Writes digest[len] to the command's standard input and reads what it prints. A digest fits into any pipe,
 * so the one is done before the other begins. */
static ssize_t talk(int to, int from, const uint8_t *digest, size_t len, uint8_t answer[ANSWER_MAX])
{
    size_t have = 0;
    ssize_t n = write(to, digest, len);
    const bool unread = n < 0 && errno == EPIPE; /* the command may do without */

    close(to);
    if (n != (ssize_t)len && !unread)
        return -1;
    while (have < ANSWER_MAX && (n = read(from, answer + have, ANSWER_MAX - have)) > 0)
        have += (size_t)n;
    return n < 0 ? -1 : (ssize_t)have;
}

static void become_command(const char *command, const int in[2], const int out[2])
{
    signal(SIGPIPE, SIG_DFL);
    dup2(in[0], STDIN_FILENO);
    dup2(out[1], STDOUT_FILENO);
    close(in[0]);
    close(in[1]);
    close(out[0]);
    close(out[1]);
    execl("/bin/sh", "sh", "-c", command, (char *)NULL);
    _exit(127);
}

/* Bytes of the answer; -1: the command failed. */
static ssize_t ask(const char *command, const uint8_t *digest, size_t len, uint8_t answer[ANSWER_MAX])
{
    int in[2], out[2], status = -1;

    if (pipe(in) != 0 || pipe(out) != 0)
        return -1;
    signal(SIGPIPE, SIG_IGN); /* the command need not read */
    pid_t child = fork();
    if (child == 0)
        become_command(command, in, out);
    close(in[0]);
    close(out[1]);
    ssize_t got = child > 0 ? talk(in[1], out[0], digest, len, answer) : -1;
    close(out[0]);
    while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    return status == 0 ? got : -1;
}

/* r and s, either one behind the other or as DER's SEQUENCE of two INTEGERs. */
static bool take_ecdsa(const uint8_t *answer, size_t len, size_t number, uint8_t *signature)
{
    struct otapult_der all = {answer, answer + len}, both;

    if (len == 2 * number) {
        memcpy(signature, answer, len);
        return true;
    }
    return otapult_der_take(&all, OTAPULT_DER_SEQUENCE, &both) && all.at == all.end &&
           otapult_der_take_number(&both, OTAPULT_DER_INTEGER, signature, number) &&
           otapult_der_take_number(&both, OTAPULT_DER_INTEGER, signature + number, number) &&
           both.at == both.end;
}

static bool sign_elsewhere(const char *command, const struct otapult_signature_layout *l,
                           const uint8_t *digest, uint8_t signature[384])
{
    uint8_t answer[ANSWER_MAX];
    ssize_t len = ask(command, digest, l->digest_size, answer);

    if (len < 0) {
        complain("the sign command failed");
        return false;
    }
    bool ok = l->curve != 0 ? take_ecdsa(answer, (size_t)len, l->number_size, signature)
                            : len == l->signature_size;
    if (ok && l->curve == 0)
        memcpy(signature, answer, l->signature_size);
    if (!ok)
        complain("the sign command printed %zd bytes that are no signature of this kind", len);
    return ok;
}

/* ---- a block ---- */

static bool is_signed_by(const struct signing *s, const struct key *key)
{
    uint8_t ours[OTAPULT_KEY_DIGEST], theirs[OTAPULT_KEY_DIGEST];

    if (!key_digest(key, ours))
        return false;
    for (unsigned i = 0; i < s->blocks; i++)
        if (otapult_signature_key(s->sector + i * OTAPULT_SIGNATURE_BLOCK, theirs) == 0 &&
            memcmp(ours, theirs, sizeof ours) == 0)
            return true;
    return false;
}

static void put_reversed(uint8_t *dst, const uint8_t *src, size_t n)
{
    for (size_t i = 0; i < n; i++)
        dst[i] = src[n - 1 - i];
}

static void put_signature(uint8_t *block, const struct otapult_signature_layout *l, const uint8_t *signature)
{
    size_t number = l->curve != 0 ? l->number_size : l->signature_size;

    for (size_t at = 0; at < l->signature_size; at += number)
        put_reversed(block + l->signature_at + at, signature + at, number);
}

static bool fill_block(uint8_t *block, const struct signing *s, const struct key *key, const char *command)
{
    const struct otapult_signature_layout *l = otapult_signature_layout(key->scheme);
    psa_algorithm_t alg = l->digest_size == 32 ? PSA_ALG_SHA_256 : PSA_ALG_SHA_384;
    uint8_t signature[384];
    size_t len;

    memset(block, 0, OTAPULT_SIGNATURE_BLOCK);
    memcpy(block, l->kind, sizeof l->kind);
    memcpy(block + l->key_at, key->bytes, l->key_size);
    if (psa_hash_compute(alg, s->data, (size_t)(s->sector - s->data), block + DIGEST_AT, l->digest_size,
                         &len) != PSA_SUCCESS)
        return false;
    bool ok = command != NULL ? sign_elsewhere(command, l, block + DIGEST_AT, signature)
                              : key_sign(key, block + DIGEST_AT, signature);
    if (!ok)
        return false;
    put_signature(block, l, signature);
    otapult_signature_seal(block);
    return true;
}

bool signing_add(struct signing *s, const struct key *key, const char *command)
{
    if (s->blocks == OTAPULT_SIGNATURE_BLOCKS) {
        complain("there are three signatures already, and no room for more");
        return false;
    }
    if (is_signed_by(s, key)) {
        complain("this key has signed the image already");
        return false;
    }
    if (!fill_block(s->sector + s->blocks * OTAPULT_SIGNATURE_BLOCK, s, key, command))
        return false;
    s->blocks++;
    return true;
}
