/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "feed.h"
#include "image/judge.h"
#include "oracle.h"
#include "sample_image.h"
#include "signer.h"

/* Signed files against the judge, as an upload meets it. Each test is named after what an attacker tries,
 * or after what a maker of firmware may do. Signatures come from Node's crypto: test/support/signer.mjs. */

#define SLOT 0x10000u

static struct signer s;
static uint8_t *image; /* unsigned, no multiple of 4096 long */
static size_t image_len, padded_len;
static uint8_t *file[SIGNER_KEYS]; /* the image, signed by each key alone */
static size_t file_len;

static int make_files(void **state)
{
    (void)state;
    signer_open(&s, OTAPULT_SOURCE_DIR "/test/support/signer.mjs");
    image = sample_image(&(struct sample_spec){SAMPLE_DEFAULT, .size = 9000, .seed = 3}, &image_len);
    for (enum signer_key k = 0; k < SIGNER_KEYS; k++)
        file[k] = signer_sign(&s, image, image_len, &k, 1, &file_len);
    padded_len = file_len - SIGNER_SECTOR;
    return 0;
}

static int free_files(void **state)
{
    (void)state;
    for (int k = 0; k < SIGNER_KEYS; k++)
        free(file[k]);
    free(image);
    signer_close(&s);
    return 0;
}

/* ---- asking the judge ---- */

static struct otapult_trust trusting(enum signer_key key)
{
    struct otapult_trust trust;
    otapult_trust_init(&trust, (const uint8_t(*)[OTAPULT_KEY_DIGEST])s.digest[key], 1);
    return trust;
}

static int feed(void *judge, const uint8_t *p, size_t n)
{
    return otapult_judge_feed(judge, p, n);
}

/* The last judgement, for what else it says. */
static struct otapult_judge judge;

static int ask(const struct otapult_trust *trust, const uint8_t *bytes, size_t len, unsigned how)
{
    const struct otapult_inspect_limits limits = {
        .slot_size = SLOT, .chip_id = OTAPULT_CHIP_ESP32S3, .trust = trust};

    otapult_judge_init(&judge, &limits, (uint32_t)len);
    if (feed_split(feed, &judge, bytes, len, how) != 0)
        return judge.err;
    return otapult_judge_finish(&judge);
}

/* At once, byte by byte and in random pieces: always the same word. */
static int judged(const struct otapult_trust *trust, const uint8_t *bytes, size_t len)
{
    int err = ask(trust, bytes, len, FEED_AT_ONCE);
    struct otapult_finding why = judge.why;

    for (unsigned how = FEED_BYTEWISE; how < 5; how++) {
        assert_int_equal(ask(trust, bytes, len, how), err);
        assert_int_equal(judge.why.at, why.at);
        assert_int_equal(judge.why.got, why.got);
        assert_int_equal(judge.why.want, why.want);
        assert_ptr_equal(judge.why.text, why.text);
    }
    return err;
}

static void assert_detail(const char *want)
{
    char detail[128];
    otapult_detail(judge.err, &judge.why, NULL, detail, sizeof detail);
    assert_string_equal(detail, want);
}

static void assert_detail_of(const char *format, const uint8_t digest[32])
{
    char want[128];
    snprintf(want, sizeof want, format, digest[0], digest[1], digest[2], digest[3]);
    assert_detail(want);
}

static uint8_t *copy_of(const uint8_t *bytes, size_t len, size_t more)
{
    uint8_t *copy = malloc(len + more);
    assert_non_null(copy);
    memcpy(copy, bytes, len);
    memset(copy + len, 0xFF, more);
    return copy;
}

/* Judges file[key] with `change` made to its sector. */
static int judged_with(const struct otapult_trust *trust, enum signer_key key,
                       void (*change)(uint8_t *sector))
{
    uint8_t *copy = copy_of(file[key], file_len, 0);
    change(copy + padded_len);
    int err = judged(trust, copy, file_len);
    free(copy);
    return err;
}

/* ---- what may be done ---- */

static void each_kind_of_key_is_accepted(void **state)
{
    (void)state;
    for (enum signer_key k = 0; k < SIGNER_KEYS; k++) {
        struct otapult_trust trust = trusting(k);
        uint8_t sha[32];
        assert_int_equal(judged(&trust, file[k], file_len), 0);
        assert_int_equal(judge.inspect.info.size, file_len);
        assert_int_equal(judge.inspect.info.image_size, image_len);
        assert_int_equal(judge.inspect.info.signatures, 1);
        assert_int_equal(judge.inspect.signature.signers, 1);
        oracle_sha256(file[k], file_len, sha);
        assert_memory_equal(judge.inspect.info.sha256, sha, 32);
    }
}

static void where_no_signature_is_required_signed_and_unsigned_are_taken(void **state)
{
    (void)state;
    assert_int_equal(judged(NULL, image, image_len), 0);
    assert_int_equal(judge.inspect.info.size, image_len);
    assert_int_equal(judge.inspect.info.signatures, 0);
    for (enum signer_key k = 0; k < SIGNER_KEYS; k++) {
        assert_int_equal(judged(NULL, file[k], file_len), 0);
        assert_int_equal(judge.inspect.info.size, file_len);
        assert_int_equal(judge.inspect.info.signatures, 1);
    }
}

static void an_image_that_ends_on_a_sector_needs_no_padding(void **state)
{
    (void)state;
    size_t len, signed_len;
    enum signer_key key = SIGNER_P256;
    struct otapult_trust trust = trusting(key);
    uint8_t *whole = sample_image(&(struct sample_spec){SAMPLE_DEFAULT, .size = 0x3000}, &len);
    uint8_t *with = signer_sign(&s, whole, len, &key, 1, &signed_len);

    assert_int_equal(len, 0x3000);
    assert_int_equal(signed_len, 0x4000);
    assert_int_equal(judged(&trust, with, signed_len), 0);
    assert_int_equal(judged(&trust, whole, len), OTAPULT_E_SIGNATURE_MISSING);
    free(whole);
    free(with);
}

/* Any of the blocks may be the one that counts. */
static void three_blocks_are_three_chances(void **state)
{
    (void)state;
    const enum signer_key keys[] = {SIGNER_OTHER, SIGNER_P384, SIGNER_P256};
    size_t len;
    uint8_t *three = signer_sign(&s, image, image_len, keys, 3, &len);

    for (unsigned i = 0; i < 3; i++) {
        struct otapult_trust trust = trusting(keys[i]);
        assert_int_equal(judged(&trust, three, len), 0);
        assert_int_equal(judge.inspect.info.signatures, 3);
    }
    struct otapult_trust trust = trusting(SIGNER_RSA);
    assert_int_equal(judged(&trust, three, len), OTAPULT_E_SIGNATURE_WRONG);
    assert_detail_of("signature block 0: unknown key %02x%02x%02x%02x", s.digest[SIGNER_OTHER]);
    /* of the three the one that says most, and of two such the first */
    trust.revoked_id[trust.revoked_count++] = otapult_key_id(s.digest[SIGNER_P384]);
    trust.revoked_id[trust.revoked_count++] = otapult_key_id(s.digest[SIGNER_P256]);
    assert_int_equal(judged(&trust, three, len), OTAPULT_E_SIGNATURE_WRONG);
    assert_detail_of("signature block 1: revoked key %02x%02x%02x%02x", s.digest[SIGNER_P384]);
    free(three);
}

static void it_may_be_copied_at_any_byte_of_the_sector(void **state)
{
    (void)state;
    struct otapult_trust trust = trusting(SIGNER_P256);
    const struct otapult_inspect_limits limits = {
        .slot_size = SLOT, .chip_id = OTAPULT_CHIP_ESP32S3, .trust = &trust};
    struct otapult_inspect in, copy;

    otapult_inspect_init(&in, &limits);
    assert_int_equal(otapult_inspect_feed(&in, file[SIGNER_P256], padded_len), 0);
    for (size_t at = padded_len; at < file_len; at++) {
        copy = in;
        memset(&in, 0xA5, sizeof in);
        in = copy;
        assert_int_equal(otapult_inspect_feed(&in, file[SIGNER_P256] + at, 1), 0);
    }
    assert_int_equal(otapult_inspect_finish(&in), 0);
}

/* Not even where the first block of it is right. */
static void a_sector_that_is_not_whole_is_no_signature(void **state)
{
    (void)state;
    static const uint8_t no_sha384[OTAPULT_SHA384_SIZE];
    const struct otapult_trust trust = trusting(SIGNER_RSA);
    const uint8_t *sector = file[SIGNER_RSA] + padded_len;
    struct otapult_signature signature;
    struct otapult_finding why;
    uint8_t sha256[32];

    oracle_sha256(file[SIGNER_RSA], padded_len, sha256);
    otapult_signature_init(&signature, &trust, sha256, no_sha384);
    assert_int_equal(otapult_signature_feed(&signature, sector, SIGNER_SECTOR - 1, &why), 0);
    assert_int_equal(otapult_signature_finish(&signature, &why), OTAPULT_E_SIGNATURE_WRONG);
    assert_string_equal(why.text, "not whole");
    assert_int_equal(why.want, 0); /* it names no key */
    assert_int_equal(otapult_signature_feed(&signature, sector + SIGNER_SECTOR - 1, 2, &why),
                     OTAPULT_E_INTERNAL);
    assert_int_equal(otapult_signature_feed(&signature, sector + SIGNER_SECTOR - 1, 1, &why), 0);
    assert_int_equal(otapult_signature_finish(&signature, &why), 0);
}

/* ---- attacks: no signature, or another's ---- */

static void attack_unsigned(void **state)
{
    (void)state;
    struct otapult_trust trust = trusting(SIGNER_RSA);
    uint8_t *padded = copy_of(file[SIGNER_RSA], padded_len, SIGNER_SECTOR);

    assert_int_equal(judged(&trust, image, image_len), OTAPULT_E_SIGNATURE_MISSING);
    assert_int_equal(judge.why.at, image_len);
    /* padding is no signature: to any length short of the sector, and a sector of nothing */
    for (size_t len = image_len + 1; len <= padded_len; len++)
        assert_int_equal(ask(&trust, padded, len, FEED_AT_ONCE), OTAPULT_E_SIGNATURE_MISSING);
    assert_int_equal(judged(&trust, padded, padded_len + SIGNER_SECTOR), OTAPULT_E_IMAGE_TRAILING);
    assert_int_equal(judged(NULL, padded, padded_len), OTAPULT_E_IMAGE_TRAILING);
    assert_int_equal(judge.why.at, image_len);
    free(padded);
}

/* Where the length is known, what cannot be signed is refused with its head. */
static void a_length_that_no_signed_file_has_is_refused_at_once(void **state)
{
    (void)state;
    struct otapult_trust trust = trusting(SIGNER_RSA);
    static const struct {
        uint32_t least, most;
        int err;
    } cases[] = {
        {0, 0, 0},                                 /* not known */
        {4096, 4096, OTAPULT_E_SIGNATURE_MISSING}, /* no room for an image */
        {4000, 8191, OTAPULT_E_SIGNATURE_MISSING},
        {8191, 8191, OTAPULT_E_SIGNATURE_MISSING},
        {8192, 8192, 0},
        {8193, 8193, OTAPULT_E_SIGNATURE_MISSING},
        {8190, 8192, 0},
        {8192, 8194, 0},
        {8191, 8193, 0},
        {8193, 8195, OTAPULT_E_SIGNATURE_MISSING},
        {8189, 8191, OTAPULT_E_SIGNATURE_MISSING},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (unsigned with = 0; with < 2; with++) {
            static struct otapult_inspect in;
            struct otapult_inspect_limits l = {.slot_size = 0x100000, .chip_id = OTAPULT_CHIP_ESP32S3};
            l.trust = with ? &trust : NULL; /* who asks for no signature asks for no length */
            l.least_length = cases[i].least;
            l.most_length = cases[i].most;
            otapult_inspect_init(&in, &l);
            assert_int_equal(otapult_inspect_feed(&in, image, OTAPULT_HEAD_SIZE), with ? cases[i].err : 0);
            if (with && cases[i].err != 0) {
                assert_int_equal(in.why.at, cases[i].least);
                assert_string_equal(in.why.text, "no signed file ends at");
            }
        }
}

static void attack_nobody_is_trusted(void **state)
{
    (void)state;
    struct otapult_trust nobody;
    otapult_trust_init(&nobody, NULL, 0);
    assert_int_equal(judged(&nobody, image, image_len), OTAPULT_E_SIGNATURE_MISSING);
    for (enum signer_key k = 0; k < SIGNER_KEYS; k++)
        assert_int_equal(judged(&nobody, file[k], file_len), OTAPULT_E_SIGNATURE_WRONG);
}

static void attack_signed_by_another_key(void **state)
{
    (void)state;
    for (enum signer_key mine = 0; mine < SIGNER_KEYS; mine++)
        for (enum signer_key theirs = 0; theirs < SIGNER_KEYS; theirs++) {
            struct otapult_trust trust = trusting(mine);
            if (mine == theirs)
                continue;
            assert_int_equal(judged(&trust, file[theirs], file_len), OTAPULT_E_SIGNATURE_WRONG);
            assert_detail_of("signature block 0: unknown key %02x%02x%02x%02x", s.digest[theirs]);
        }
}

/* Another's signature behind the trusted key. */
static void attack_the_trusted_key_with_another_keys_signature(void **state)
{
    (void)state;
    struct otapult_trust trust = trusting(SIGNER_RSA);
    uint8_t *copy = copy_of(file[SIGNER_RSA], file_len, 0), *block = copy + padded_len;

    memcpy(block + 812, file[SIGNER_OTHER] + padded_len + 812, 384);
    signer_seal(block);
    assert_int_equal(judged(&trust, copy, file_len), OTAPULT_E_SIGNATURE_WRONG);
    assert_detail_of("signature block 0: the signature is wrong, key %02x%02x%02x%02x", s.digest[SIGNER_RSA]);
    free(copy);
}

static void spoil_crc(uint8_t *sector)
{
    sector[1196] ^= 1;
}

static void attack_block_with_bad_crc(void **state)
{
    (void)state;
    for (enum signer_key k = 0; k < SIGNER_KEYS; k++) {
        struct otapult_trust trust = trusting(k);
        assert_int_equal(judged_with(&trust, k, spoil_crc), OTAPULT_E_SIGNATURE_WRONG);
        assert_detail("signature block 0: its CRC is wrong");
        assert_int_equal(judged_with(NULL, k, spoil_crc), OTAPULT_E_SIGNATURE_WRONG);
    }
}

static void attack_revoked_key(void **state)
{
    (void)state;
    struct otapult_trust trust = trusting(SIGNER_RSA);
    trust.usable = 0;
    trust.revoked_id[trust.revoked_count++] = otapult_key_id(s.digest[SIGNER_RSA]);
    assert_int_equal(judged(&trust, file[SIGNER_RSA], file_len), OTAPULT_E_SIGNATURE_WRONG);
    assert_detail_of("signature block 0: revoked key %02x%02x%02x%02x", s.digest[SIGNER_RSA]);
    assert_int_equal(judged(&trust, file[SIGNER_OTHER], file_len), OTAPULT_E_SIGNATURE_WRONG);
    assert_detail_of("signature block 0: unknown key %02x%02x%02x%02x", s.digest[SIGNER_OTHER]);
}

/* One good signature does not excuse a wrong one of a key that is trusted, too. */
static void attack_a_wrong_block_beside_a_good_one(void **state)
{
    (void)state;
    const enum signer_key keys[] = {SIGNER_P256, SIGNER_RSA};
    uint8_t both[2][OTAPULT_KEY_DIGEST];
    struct otapult_trust trust;
    size_t len;
    uint8_t *two = signer_sign(&s, image, image_len, keys, 2, &len),
            *second = two + padded_len + SIGNER_BLOCK;

    memcpy(both[0], s.digest[SIGNER_P256], 32);
    memcpy(both[1], s.digest[SIGNER_RSA], 32);
    otapult_trust_init(&trust, (const uint8_t(*)[OTAPULT_KEY_DIGEST])both, 2);
    assert_int_equal(judged(&trust, two, len), 0);
    assert_int_equal(judge.inspect.signature.signers, 3);
    second[812] ^= 1;
    signer_seal(second);
    assert_int_equal(judged(&trust, two, len), OTAPULT_E_SIGNATURE_WRONG);
    assert_int_equal(judge.why.got, 1);
    free(two);
}

/* ---- attacks: other data ---- */

static void attack_signature_of_another_image(void **state)
{
    (void)state;
    size_t len, padded;
    uint8_t *other = sample_image(&(struct sample_spec){SAMPLE_DEFAULT, .size = 9000, .seed = 4}, &len);
    uint8_t *mixed = signer_pad(other, len, &padded);

    assert_int_equal(padded, padded_len);
    for (enum signer_key k = 0; k < SIGNER_KEYS; k++) {
        struct otapult_trust trust = trusting(k);
        memcpy(mixed + padded, file[k] + padded_len, SIGNER_SECTOR);
        assert_int_equal(judged(&trust, mixed, file_len), OTAPULT_E_SIGNATURE_WRONG);
        assert_detail("signature block 0: its digest is of other data");
        /* with the digest put right it is the signature that does not fit */
        if (k != SIGNER_P384) {
            oracle_sha256(mixed, padded, mixed + padded + 4);
            signer_seal(mixed + padded);
            assert_int_equal(judged(&trust, mixed, file_len), OTAPULT_E_SIGNATURE_WRONG);
            assert_detail_of("signature block 0: the signature is wrong, key %02x%02x%02x%02x", s.digest[k]);
        }
    }
    free(other);
    free(mixed);
}

/* More behind what was signed, between the image and its signature. */
static void attack_image_longer_than_what_is_signed(void **state)
{
    (void)state;
    struct otapult_trust trust = trusting(SIGNER_RSA);
    uint8_t *longer = copy_of(file[SIGNER_RSA], padded_len, 2 * SIGNER_SECTOR);

    memcpy(longer + padded_len + SIGNER_SECTOR, file[SIGNER_RSA] + padded_len, SIGNER_SECTOR);
    assert_int_equal(judged(&trust, longer, file_len + SIGNER_SECTOR), OTAPULT_E_IMAGE_TRAILING);
    memcpy(longer + padded_len, image, SIGNER_SECTOR);
    assert_int_equal(judged(&trust, longer, file_len + SIGNER_SECTOR), OTAPULT_E_IMAGE_TRAILING);

    /* padding that is not 0xFF, also where the attacker could sign */
    uint8_t *copy = copy_of(file[SIGNER_RSA], file_len, 0);
    for (size_t at = image_len; at < padded_len; at += 97) {
        copy[at] = 0x7F;
        assert_int_equal(ask(&trust, copy, file_len, FEED_AT_ONCE), OTAPULT_E_IMAGE_TRAILING);
        assert_int_equal(judge.why.at, image_len);
        copy[at] = 0xFF;
    }
    free(copy);
    free(longer);
}

/* A longer last segment inside an image whose checksum and SHA-256 are right again. */
static void attack_a_changed_image_with_the_old_signature(void **state)
{
    (void)state;
    struct otapult_trust trust = trusting(SIGNER_P256);
    uint8_t *copy = copy_of(file[SIGNER_P256], file_len, 0);

    copy[0x300] ^= 0x10;
    copy[0x304] ^= 0x10; /* the checksum does not notice */
    oracle_sha256(copy, image_len - 32, copy + image_len - 32);
    assert_int_equal(judged(&trust, copy, file_len), OTAPULT_E_SIGNATURE_WRONG);
    assert_detail("signature block 0: its digest is of other data");
    free(copy);
}

static void attack_two_images_concatenated(void **state)
{
    (void)state;
    struct otapult_trust trust = trusting(SIGNER_RSA);
    uint8_t *pair = copy_of(file[SIGNER_RSA], file_len, file_len);

    memcpy(pair + file_len, file[SIGNER_RSA], file_len);
    assert_int_equal(judged(&trust, pair, 2 * file_len), OTAPULT_E_IMAGE_TRAILING);
    assert_int_equal(judge.why.at, file_len);
    assert_int_equal(judged(NULL, pair, 2 * file_len), OTAPULT_E_IMAGE_TRAILING);

    /* an unsigned one before a signed one */
    memcpy(pair, file[SIGNER_RSA], padded_len);
    memcpy(pair + padded_len, file[SIGNER_RSA], file_len);
    assert_int_equal(judged(&trust, pair, padded_len + file_len), OTAPULT_E_IMAGE_TRAILING);
    memcpy(pair + image_len, file[SIGNER_RSA], file_len);
    assert_int_equal(judged(&trust, pair, image_len + file_len), OTAPULT_E_IMAGE_TRAILING);
    free(pair);
}

static void attack_bytes_after_the_signature_sector(void **state)
{
    (void)state;
    uint8_t *longer = copy_of(file[SIGNER_RSA], file_len, SIGNER_SECTOR);
    struct otapult_trust trust = trusting(SIGNER_RSA);
    static const uint8_t bytes[] = {0x00, 0xFF, 0xE7, 0xE9};

    for (size_t i = 0; i < sizeof bytes; i++) {
        longer[file_len] = bytes[i];
        assert_int_equal(judged(&trust, longer, file_len + 1), OTAPULT_E_IMAGE_TRAILING);
        assert_int_equal(judge.why.at, file_len);
        assert_int_equal(judged(NULL, longer, file_len + 1), OTAPULT_E_IMAGE_TRAILING);
    }
    free(longer);
}

/* As espsecure makes it of a signed file; the device would look at the first only. */
static void attack_two_signature_sectors(void **state)
{
    (void)state;
    uint8_t *longer = copy_of(file[SIGNER_RSA], file_len, SIGNER_SECTOR);
    struct otapult_trust trust = trusting(SIGNER_RSA);

    signer_block(&s, SIGNER_OTHER, longer, file_len, 32, longer + file_len);
    assert_int_equal(judged(&trust, longer, file_len + SIGNER_SECTOR), OTAPULT_E_IMAGE_TRAILING);
    assert_int_equal(judged(NULL, longer, file_len + SIGNER_SECTOR), OTAPULT_E_IMAGE_TRAILING);
    free(longer);
}

static void attack_every_truncation(void **state)
{
    (void)state;
    struct otapult_trust trust = trusting(SIGNER_RSA);

    for (size_t len = image_len; len < file_len; len += len < padded_len ? 1 : 7) {
        int err = ask(&trust, file[SIGNER_RSA], len, FEED_AT_ONCE);
        assert_int_equal(err, len > padded_len ? OTAPULT_E_IMAGE_TRUNCATED : OTAPULT_E_SIGNATURE_MISSING);
        if (len > padded_len) {
            assert_int_equal(judge.why.at, len);
            assert_int_equal(judge.why.got, file_len - len);
        }
    }
}

static void the_signature_must_fit_the_slot(void **state)
{
    (void)state;
    struct otapult_trust trust = trusting(SIGNER_RSA);
    struct otapult_inspect_limits limits = {
        .slot_size = (uint32_t)padded_len, .chip_id = OTAPULT_CHIP_ESP32S3, .trust = &trust};

    /* known as soon as the segments are, and not only when the slot is full */
    otapult_judge_init(&judge, &limits, OTAPULT_SIZE_UNKNOWN);
    assert_int_equal(otapult_judge_feed(&judge, file[SIGNER_RSA], image_len - 64), OTAPULT_E_IMAGE_TOO_LARGE);
    limits.trust = NULL;
    otapult_judge_init(&judge, &limits, OTAPULT_SIZE_UNKNOWN);
    assert_int_equal(otapult_judge_feed(&judge, file[SIGNER_RSA], padded_len), 0);
    assert_int_equal(otapult_judge_feed(&judge, file[SIGNER_RSA] + padded_len, 1), OTAPULT_E_IMAGE_TOO_LARGE);
    limits.slot_size = (uint32_t)file_len;
    limits.trust = &trust;
    otapult_judge_init(&judge, &limits, OTAPULT_SIZE_UNKNOWN);
    assert_int_equal(otapult_judge_feed(&judge, file[SIGNER_RSA], file_len), 0);
    assert_int_equal(otapult_judge_finish(&judge), 0);
}

/* ---- attacks: the block itself ---- */

/* The stage alone, so that a case costs no hash of the image. */
static int stage(const struct otapult_trust *trust, const uint8_t *sector)
{
    static uint8_t sha256[32];
    struct otapult_signature signature;
    struct otapult_finding why = {0};

    if (sha256[0] == 0)
        oracle_sha256(file[SIGNER_RSA], padded_len, sha256);
    otapult_signature_init(&signature, trust, sha256, file[SIGNER_P384] + padded_len + 4);
    int err = otapult_signature_feed(&signature, sector, SIGNER_SECTOR, &why);
    return err == 0 ? otapult_signature_finish(&signature, &why) : err;
}

/* Where the block ends its CRC no longer helps, and a whole verification comes first: there the form alone
 * is asked for each bit, and the rest for one bit of every third byte. */
static void attack_every_single_bit_of_the_sector_flipped(void **state)
{
    (void)state;
    for (enum signer_key k = 0; k < SIGNER_KEYS; k++) {
        struct otapult_trust trust = trusting(k);
        uint8_t *sector = copy_of(file[k] + padded_len, SIGNER_SECTOR, 0);

        assert_int_equal(stage(&trust, sector), 0);
        for (size_t bit = 0; bit < SIGNER_SECTOR * 8u; bit++) {
            bool both = bit < SIGNER_BLOCK * 8u || (k == SIGNER_RSA && bit % 24 == bit / 24 % 8);
            sector[bit / 8] ^= (uint8_t)(1u << bit % 8);
            if (stage(NULL, sector) == 0 || (both && stage(&trust, sector) != OTAPULT_E_SIGNATURE_WRONG))
                fail_msg("key %d, bit %u of byte %u", k, (unsigned)(bit % 8), (unsigned)(bit / 8));
            sector[bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
        free(sector);
    }
}

/* The same by someone who knows how to compute a CRC: now it is the checks behind it that must hold. */
static void attack_every_single_bit_of_the_block_flipped_and_the_crc_put_right(void **state)
{
    (void)state;
    for (enum signer_key k = 0; k < SIGNER_KEYS; k++) {
        struct otapult_trust trust = trusting(k);
        uint8_t *sector = copy_of(file[k] + padded_len, SIGNER_SECTOR, 0);

        for (size_t bit = 0; bit < 1196u * 8u; bit++) {
            sector[bit / 8] ^= (uint8_t)(1u << bit % 8);
            signer_seal(sector);
            if (stage(&trust, sector) != OTAPULT_E_SIGNATURE_WRONG)
                fail_msg("key %d, bit %u of byte %u", k, (unsigned)(bit % 8), (unsigned)(bit / 8));
            sector[bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
        signer_seal(sector);
        assert_int_equal(stage(&trust, sector), 0); /* and back again */
        free(sector);
    }
}

static void unknown_scheme(uint8_t *sector)
{
    sector[1] = 4;
    signer_seal(sector);
}

static void a_curve_that_is_gone(uint8_t *sector)
{
    sector[36] = 1; /* P-192 */
    signer_seal(sector);
}

static void first_block_empty(uint8_t *sector)
{
    memcpy(sector + SIGNER_BLOCK, sector, SIGNER_BLOCK);
    memset(sector, 0xFF, SIGNER_BLOCK);
    sector[0] = 0xE7; /* else it is no sector at all */
}

static void second_block_empty(uint8_t *sector)
{
    memcpy(sector + 2 * SIGNER_BLOCK, sector, SIGNER_BLOCK);
}

static void a_byte_behind_the_zeros(uint8_t *sector)
{
    sector[1215] = 1; /* the CRC does not reach so far */
}

static void second_block_half_empty(uint8_t *sector)
{
    sector[SIGNER_BLOCK + 1] = 0;
}

static void second_block_without_magic(uint8_t *sector)
{
    sector[SIGNER_BLOCK] = 0;
}

static void attack_blocks_of_a_strange_form(void **state)
{
    (void)state;
    static const struct {
        enum signer_key key;
        void (*change)(uint8_t *sector);
        const char *detail;
    } cases[] = {
        {SIGNER_RSA, unknown_scheme, "signature block 0: a kind that is not known here"},
        {SIGNER_P256, a_curve_that_is_gone, "signature block 0: a kind that is not known here"},
        {SIGNER_RSA, first_block_empty, "signature block 0: its CRC is wrong"},
        {SIGNER_RSA, second_block_empty, "signature block 1: empty, and another follows"},
        {SIGNER_RSA, second_block_half_empty, "signature block 1: bytes where 0xFF belongs"},
        {SIGNER_RSA, second_block_without_magic, "signature block 1: no signature block"},
        {SIGNER_RSA, a_byte_behind_the_zeros, "signature block 0: bytes where zeros belong"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct otapult_trust trust = trusting(cases[i].key);
        assert_int_equal(judged_with(&trust, cases[i].key, cases[i].change), OTAPULT_E_SIGNATURE_WRONG);
        assert_detail(cases[i].detail);
        assert_int_equal(judged_with(NULL, cases[i].key, cases[i].change), OTAPULT_E_SIGNATURE_WRONG);
    }
}

/* A key that its owner trusts and that no library can do anything with. */
static void attack_keys_that_are_none(void **state)
{
    (void)state;
    static const struct {
        enum signer_key key;
        uint16_t at, len;
        uint8_t value;
    } cases[] = {
        {SIGNER_RSA, 36, 384, 0x00},  {SIGNER_RSA, 36, 384, 0xFF},  {SIGNER_RSA, 36, 1, 0x02},
        {SIGNER_RSA, 419, 1, 0x00},   {SIGNER_RSA, 420, 4, 0x00},   {SIGNER_RSA, 420, 4, 0xFF},
        {SIGNER_RSA, 420, 1, 0x02},   {SIGNER_RSA, 812, 384, 0x00}, {SIGNER_RSA, 812, 384, 0xFF},
        {SIGNER_P256, 37, 64, 0x00},  {SIGNER_P256, 37, 64, 0xFF},  {SIGNER_P256, 37, 32, 0x00},
        {SIGNER_P256, 101, 64, 0x00}, {SIGNER_P256, 101, 32, 0x00}, {SIGNER_P256, 101, 64, 0xFF},
        {SIGNER_P384, 53, 96, 0x00},  {SIGNER_P384, 149, 96, 0x00}, {SIGNER_P384, 149, 96, 0xFF},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint8_t *sector = copy_of(file[cases[i].key] + padded_len, SIGNER_SECTOR, 0), digest[1][32];
        struct otapult_trust trust;

        memset(sector + cases[i].at, cases[i].value, cases[i].len);
        signer_seal(sector);
        assert_int_equal(otapult_signature_key(sector, digest[0]), 0);
        otapult_trust_init(&trust, (const uint8_t(*)[OTAPULT_KEY_DIGEST])digest, 1);
        assert_int_equal(stage(&trust, sector), OTAPULT_E_SIGNATURE_WRONG);
        free(sector);
    }
}

/* The chip's own check takes a salt of 32 bytes only: what is taken here must boot there. */
static void attack_another_salt(void **state)
{
    (void)state;
    static const unsigned salts[] = {0, 20, 31, 33, 64};
    struct otapult_trust trust = trusting(SIGNER_RSA);
    uint8_t *sector = copy_of(file[SIGNER_RSA] + padded_len, SIGNER_SECTOR, 0);

    for (size_t i = 0; i < sizeof salts / sizeof *salts; i++) {
        signer_block(&s, SIGNER_RSA, file[SIGNER_RSA], padded_len, salts[i], sector);
        assert_int_equal(stage(&trust, sector), OTAPULT_E_SIGNATURE_WRONG);
    }
    free(sector);
}

/* ---- attacks: older firmware ---- */

static void attack_a_security_version_below_the_least(void **state)
{
    (void)state;
    size_t len;
    uint8_t *five =
        sample_image(&(struct sample_spec){SAMPLE_DEFAULT, .size = 9000, .secure_version = 5}, &len);
    struct otapult_inspect_limits limits = {.slot_size = SLOT, .chip_id = OTAPULT_CHIP_ESP32S3};

    for (limits.least_security = 4; limits.least_security <= 6; limits.least_security++) {
        otapult_judge_init(&judge, &limits, (uint32_t)len);
        int err = feed_split(feed, &judge, five, len, 7);
        assert_int_equal(err, limits.least_security > 5 ? OTAPULT_E_IMAGE_SECURITY_VERSION : 0);
        assert_true(otapult_judge_accepted(&judge) == (err == 0));
    }
    assert_detail("security version 5, this device takes 6 and later");

    /* known from the head: nothing was erased for it */
    otapult_judge_init(&judge, &limits, (uint32_t)len);
    assert_int_equal(otapult_judge_feed(&judge, five, OTAPULT_HEAD_SIZE), OTAPULT_E_IMAGE_SECURITY_VERSION);
    free(five);
}

static void an_older_version_is_refused_where_that_is_wanted(void **state)
{
    (void)state;
    struct otapult_version running = {.version = "1.0.1"};
    struct otapult_inspect_limits limits = {
        .slot_size = SLOT, .chip_id = OTAPULT_CHIP_ESP32S3, .running = &running, .too_old = otapult_is_older};

    otapult_judge_init(&judge, &limits, (uint32_t)image_len); /* the sample is 1.0.0 */
    assert_int_equal(feed_split(feed, &judge, image, image_len, 7), OTAPULT_E_IMAGE_OLDER);
    assert_detail("older than the running firmware 1.0.1");
    memcpy(running.version, "1.0.0", 6);
    otapult_judge_init(&judge, &limits, (uint32_t)image_len);
    assert_int_equal(feed_split(feed, &judge, image, image_len, 7), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_kind_of_key_is_accepted),
        cmocka_unit_test(where_no_signature_is_required_signed_and_unsigned_are_taken),
        cmocka_unit_test(an_image_that_ends_on_a_sector_needs_no_padding),
        cmocka_unit_test(three_blocks_are_three_chances),
        cmocka_unit_test(it_may_be_copied_at_any_byte_of_the_sector),
        cmocka_unit_test(a_sector_that_is_not_whole_is_no_signature),
        cmocka_unit_test(attack_unsigned),
        cmocka_unit_test(a_length_that_no_signed_file_has_is_refused_at_once),
        cmocka_unit_test(attack_nobody_is_trusted),
        cmocka_unit_test(attack_signed_by_another_key),
        cmocka_unit_test(attack_the_trusted_key_with_another_keys_signature),
        cmocka_unit_test(attack_block_with_bad_crc),
        cmocka_unit_test(attack_revoked_key),
        cmocka_unit_test(attack_a_wrong_block_beside_a_good_one),
        cmocka_unit_test(attack_signature_of_another_image),
        cmocka_unit_test(attack_image_longer_than_what_is_signed),
        cmocka_unit_test(attack_a_changed_image_with_the_old_signature),
        cmocka_unit_test(attack_two_images_concatenated),
        cmocka_unit_test(attack_bytes_after_the_signature_sector),
        cmocka_unit_test(attack_two_signature_sectors),
        cmocka_unit_test(attack_every_truncation),
        cmocka_unit_test(the_signature_must_fit_the_slot),
        cmocka_unit_test(attack_every_single_bit_of_the_sector_flipped),
        cmocka_unit_test(attack_every_single_bit_of_the_block_flipped_and_the_crc_put_right),
        cmocka_unit_test(attack_blocks_of_a_strange_form),
        cmocka_unit_test(attack_keys_that_are_none),
        cmocka_unit_test(attack_another_salt),
        cmocka_unit_test(attack_a_security_version_below_the_least),
        cmocka_unit_test(an_older_version_is_refused_where_that_is_wanted),
    };
    return cmocka_run_group_tests(tests, make_files, free_files);
}
