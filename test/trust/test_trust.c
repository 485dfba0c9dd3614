/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <zlib.h>

#include "decoders.h"
#include "oracle.h"
#include "signer.h"
#include "trust/certificate.h"
#include "update/common.h"
#include "update/door.h"
#include "world.h"

/* A device that requires signatures, over the emulated board: what it takes, what it goes back to, which
 * keys it believes and how that changes, and what a thief of power can make of it. */

#define SLOT_1 0x20000u

static struct signer s;

/* Firmware: versions 1.0.0, 2.0.0, … signed by one key of the test, or by two; `plain` is not signed. */
struct firmware {
    uint8_t *bytes;
    size_t len;
};
static struct firmware plain, v1, v2, v3, by_other, by_both, secure_5, secure_7;

static uint8_t *plain_image(const char *version, uint32_t secure_version, size_t *len)
{
    struct sample_spec spec = {SAMPLE_DEFAULT, .version = version, .secure_version = secure_version};

    spec.seed = (uint32_t)version[0];
    spec.size = 9000;
    return sample_image(&spec, len);
}

static struct firmware make(const char *version, uint32_t secure_version, const enum signer_key *keys,
                            unsigned count)
{
    struct firmware f;
    size_t len;
    uint8_t *image = plain_image(version, secure_version, &len);

    f.bytes = signer_sign(&s, image, len, keys, count, &f.len);
    free(image);
    return f;
}

static int make_firmware(void **state)
{
    const enum signer_key rsa[] = {SIGNER_RSA, SIGNER_OTHER}, other[] = {SIGNER_OTHER};

    (void)state;
    signer_open(&s, OTAPULT_SOURCE_DIR "/test/support/signer.mjs");
    plain.bytes = plain_image("9.0.0", 0, &plain.len);
    v1 = make("1.0.0", 0, rsa, 1);
    v2 = make("2.0.0", 0, rsa, 1);
    v3 = make("3.0.0", 0, rsa, 1);
    by_other = make("4.0.0", 0, other, 1);
    by_both = make("5.0.0", 0, rsa, 2);
    secure_5 = make("6.0.0", 5, rsa, 1);
    secure_7 = make("7.0.0", 7, rsa, 1);
    return 0;
}

static int free_firmware(void **state)
{
    struct firmware *all[] = {&plain, &v1, &v2, &v3, &by_other, &by_both, &secure_5, &secure_7};

    (void)state;
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        free(all[i]->bytes);
    signer_close(&s);
    return 0;
}

/* ---- the device: what its firmware is built with stands in `built` and may change between boots ---- */

static struct {
    uint8_t keys[OTAPULT_KEYS_MAX][OTAPULT_KEY_DIGEST];
    size_t count;
    bool open;
    bool refuses_older;
} built;

static void build_with(size_t count, const uint8_t *a, const uint8_t *b)
{
    memset(&built, 0, sizeof built);
    built.count = count;
    if (count > 0)
        memcpy(built.keys[0], a, OTAPULT_KEY_DIGEST);
    if (count > 1)
        memcpy(built.keys[1], b, OTAPULT_KEY_DIGEST);
}

static void configure(void *ctx, struct otapult_config *config)
{
    (void)ctx;
    config->secure = built.open ? NULL : &otapult_secure;
    config->keys = (const uint8_t(*)[OTAPULT_KEY_DIGEST])built.keys;
    config->key_count = built.count;
    config->too_old = built.refuses_older ? otapult_is_older : NULL;
}

static void restart(struct world *w)
{
    world_pull_plug(w);
    assert_true(world_boot(w));
}

static int set_up(void **state)
{
    static struct world w;

    build_with(1, s.digest[SIGNER_RSA], NULL);
    world_init(&w, WORLD_TWO_OTA, v1.bytes, v1.len);
    w.configure = configure;
    assert_true(world_boot(&w));
    *state = &w;
    return 0;
}

static int tear_down(void **state)
{
    world_end(*state);
    return 0;
}

static int upload(struct world *w, const struct firmware *f)
{
    return world_upload(w, f->bytes, f->len, 1000);
}

static void update(struct world *w, const struct firmware *f, const char *version)
{
    assert_int_equal(upload(w, f), 0);
    assert_true(world_settle(w));
    assert_string_equal(world_version(w), version);
}

static struct otapult_status status(struct world *w)
{
    struct otapult_status now;

    otapult_status(w->ota, &now);
    return now;
}

static bool trusts(struct world *w, enum signer_key key)
{
    struct otapult_status now = status(w);

    for (unsigned n = 0; n < now.key_count; n++)
        if (memcmp(now.key[n], s.digest[key], 4) == 0)
            return true;
    return false;
}

static void assert_refused(struct world *w, const struct firmware *f, int err)
{
    struct otapult_status before = status(w);

    assert_int_equal(upload(w, f), err);
    assert_int_equal(status(w).slots.boot, before.slots.boot);
    assert_true(world_settle(w));
    assert_int_equal(status(w).slots.running, before.slots.running);
}

/* ---- uploads ---- */

static void signed_firmware_is_taken_and_boots(void **state)
{
    struct world *w = *state;

    assert_true(status(w).secure);
    assert_int_equal(status(w).key_count, 1);
    assert_true(trusts(w, SIGNER_RSA));
    update(w, &v2, "2.0.0");
    update(w, &v3, "3.0.0");
    update(w, &by_both, "5.0.0");
}

static void the_sector_is_in_flash_as_it_came(void **state)
{
    struct world *w = *state;

    assert_int_equal(upload(w, &v2), 0);
    assert_memory_equal(w->nor.data + SLOT_1, v2.bytes, v2.len);
}

/* By its length, before anything is erased: the way back stays. A packed file's length says nothing. */
static void an_unsigned_file_of_known_length_erases_nothing(void **state)
{
    struct world *w = *state;
    struct otapult_finding why;
    uint32_t ticket;

    update(w, &v2, "2.0.0");
    assert_int_equal(status(w).slots.next, 0);
    const uint8_t first = w->nor.data[0x10000];
    assert_int_equal(otapult_begin(w->ota, (uint32_t)plain.len, &ticket, &why), 0);
    assert_int_equal(otapult_tell_file(w->ota, ticket, (uint32_t)plain.len, (uint32_t)plain.len, false), 0);
    assert_int_equal(otapult_feed(w->ota, ticket, plain.bytes, plain.len, &why), OTAPULT_E_SIGNATURE_MISSING);
    assert_int_equal(w->nor.data[0x10000], first);
    assert_int_equal(otapult_tell_file(w->ota, ticket, 0, 0, false), OTAPULT_E_SIGNATURE_MISSING);

    /* what one client said of its file is not said of the next one's */
    assert_int_equal(otapult_begin(w->ota, (uint32_t)v3.len, &ticket, &why), 0);
    assert_int_equal(otapult_feed(w->ota, ticket, v3.bytes, 600, &why), 0);
    otapult_cancel(w->ota, ticket, OTAPULT_E_CONNECTION_LOST, &why);

    assert_int_equal(otapult_begin(w->ota, (uint32_t)v3.len, &ticket, &why), 0);
    assert_int_equal(otapult_tell_file(w->ota, ticket, (uint32_t)v3.len, (uint32_t)v3.len + 2, false), 0);
    assert_int_equal(otapult_feed(w->ota, ticket, v3.bytes, v3.len, &why), 0);
}

static void unpacks(void *ctx, struct otapult_config *config)
{
    static const struct otapult_decoder *const decoders[] = {&otapult_gzip, NULL};
    static uint64_t memory[OTAPULT_GZIP_RAM / sizeof(uint64_t)];

    configure(ctx, config);
    config->decoders = decoders;
    config->decoder_memory = memory;
    config->decoder_memory_size = sizeof memory;
}

/* By zlib, to a length that no signed image has. */
static void the_length_of_a_packed_file_says_nothing(void **state)
{
    uLongf len = compressBound((uLong)v2.len);
    uint8_t *packed = malloc(len);
    struct world *w = *state;
    const struct otapult_image_info *info;
    struct otapult_finding why;
    uint32_t ticket;

    assert_int_equal(compress(packed, &len, v2.bytes, (uLong)v2.len), Z_OK);
    assert_int_not_equal(len % 4096, 0);
    w->configure = unpacks;
    restart(w);
    assert_int_equal(otapult_begin(w->ota, (uint32_t)len, &ticket, &why), 0);
    assert_int_equal(otapult_tell_file(w->ota, ticket, (uint32_t)len, (uint32_t)len, false), 0);
    assert_int_equal(otapult_feed(w->ota, ticket, packed, len, &why), 0);
    assert_int_equal(otapult_finish(w->ota, ticket, &info, &why), 0);
    assert_true(world_settle(w));
    assert_string_equal(world_version(w), "2.0.0");
    free(packed);
}

static void unpacks_runs(void *ctx, struct otapult_config *config)
{
    static const struct otapult_decoder *const decoders[] = {&decoder_runs, NULL};

    unpacks(ctx, config);
    config->decoders = decoders;
}

/* As a patch does, whose header says how long its result is. */
static void what_a_decoder_announces_that_cannot_be_signed_erases_nothing(void **state)
{
    const struct firmware *const files[] = {&plain, &v3};
    struct world *w = *state;
    struct otapult_finding why;
    uint32_t ticket;

    w->configure = unpacks_runs;
    restart(w);
    update(w, &v2, "2.0.0");
    for (size_t i = 0; i < 2; i++) {
        const struct firmware *f = files[i];
        const uint8_t first = w->nor.data[0x10000];
        size_t len;
        uint8_t *packed = pack_runs(f->bytes, f->len, (uint32_t)f->len, &len);
        assert_int_equal(otapult_begin(w->ota, (uint32_t)len, &ticket, &why), 0);
        assert_int_equal(otapult_feed(w->ota, ticket, packed, len, &why),
                         f == &plain ? OTAPULT_E_SIGNATURE_MISSING : 0);
        assert_true(f != &plain || w->nor.data[0x10000] == first);
        free(packed);
    }
}

static void attack_unsigned(void **state)
{
    struct world *w = *state;

    assert_refused(w, &plain, OTAPULT_E_SIGNATURE_MISSING);
    assert_int_equal(w->nor.data[SLOT_1], 0xFF); /* it never looks bootable */
    update(w, &v2, "2.0.0");
}

static void attack_signed_by_another_key(void **state)
{
    struct world *w = *state;

    assert_refused(w, &by_other, OTAPULT_E_SIGNATURE_WRONG);
    assert_int_equal(w->nor.data[SLOT_1], 0xFF);
}

static void an_open_device_takes_all_that_is_well_formed(void **state)
{
    struct world *w = *state;

    build_with(0, NULL, NULL);
    built.open = true;
    restart(w);
    assert_false(status(w).secure);
    update(w, &plain, "9.0.0");
    update(w, &by_other, "4.0.0");
}

/* ---- attacks between verification and activation ---- */

static struct world *tampered;
static int (*real_kv_set)(void *ctx, const char *key, const void *src, size_t len);
static int (*real_activate)(void *ctx, int index);

static void put_in_slot(const struct firmware *f)
{
    memset(tampered->nor.data + SLOT_1, 0xFF, 0x10000);
    memcpy(tampered->nor.data + SLOT_1, f->bytes, f->len);
}

static bool erase_fails(void *ctx, enum nor_op op, uint32_t addr, uint32_t len)
{
    (void)ctx, (void)len;
    return op == NOR_ERASE && addr >= SLOT_1;
}

static bool worn; /* what was put there cannot be erased, either */

/* The note of the trial is written after the slot was verified, and before it is activated. */
static int swap_before_activation(void *ctx, const char *key, const void *src, size_t len)
{
    if (strcmp(key, "ota.trial1") == 0 && len > 0)
        put_in_slot(&plain);
    if (strcmp(key, "ota.trial1") == 0 && len > 0 && worn)
        tampered->nor.fail = erase_fails;
    return real_kv_set(ctx, key, src, len);
}

static int spoil_inside_activation(void *ctx, int index)
{
    tampered->nor.data[SLOT_1 + 0x400] ^= 1;
    return real_activate(ctx, index);
}

static bool said_broken;

static void listen(void *ctx, enum otapult_log_level level, const char *line)
{
    (void)ctx;
    said_broken = said_broken || (level == OTAPULT_LOG_ERROR && strstr(line, "cannot be erased") != NULL);
}

static void wrap_store(void *ctx, struct otapult_port *port)
{
    (void)ctx;
    real_kv_set = port->kv_set;
    port->kv_set = swap_before_activation;
    port->log = listen;
    said_broken = false;
}

static void wrap_activate(void *ctx, struct otapult_port *port)
{
    (void)ctx;
    real_activate = port->activate;
    port->activate = spoil_inside_activation;
}

static void attack_flash_changed_between_verify_and_activate(void **state)
{
    struct world *w = tampered = *state;

    w->wrap = wrap_store;
    restart(w);
    assert_refused(w, &v2, OTAPULT_E_FLASH_READBACK);
    assert_int_equal(w->nor.data[SLOT_1], 0xFF); /* and what was put there does not boot as a fallback */
    assert_false(said_broken);
    worn = true;
    assert_refused(w, &v2, OTAPULT_E_FLASH_READBACK);
    assert_true(said_broken);
    worn = false;
    w->nor.fail = NULL;
    w->wrap = NULL;
    restart(w);
    assert_string_equal(world_version(w), "1.0.0");
    update(w, &v2, "2.0.0");
}

static void attack_flash_changed_before_a_rollback(void **state)
{
    struct world *w = tampered = *state;
    struct otapult_finding why;

    update(w, &v2, "2.0.0");
    update(w, &v3, "3.0.0"); /* runs from slot 0; slot 1 has 2.0.0 */
    assert_int_equal(status(w).slots.running, 0);
    w->wrap = wrap_store;
    restart(w);
    assert_int_equal(otapult_rollback(w->ota, &why), OTAPULT_E_FLASH_READBACK);
    assert_int_equal(status(w).slots.boot, 0);
    w->wrap = NULL;
    restart(w);
    assert_string_equal(world_version(w), "3.0.0");
}

/* Later than the core can look. On a board esp_ota_set_boot_partition() verifies once more, and Secure Boot
 * at every boot; here the bootloader's SHA-256 is what is left. */
static void a_change_during_activation_is_the_bootloaders_to_find(void **state)
{
    struct world *w = tampered = *state;

    w->wrap = wrap_activate;
    restart(w);
    assert_int_equal(upload(w, &v2), 0);
    w->wrap = NULL;
    assert_true(world_settle(w));
    assert_string_equal(world_version(w), "1.0.0");
}

static void lie_about_the_sector(void *ctx, uint32_t address, uint8_t *buf, uint32_t len)
{
    uint32_t at = SLOT_1 + (uint32_t)v2.len - SIGNER_SECTOR + 900; /* in the signature */

    (void)ctx;
    if (at >= address && at - address < len)
        buf[at - address] ^= 1;
}

static void attack_what_flash_holds_is_not_what_came(void **state)
{
    struct world *w = *state;

    w->nor.lie = lie_about_the_sector;
    assert_refused(w, &v2, OTAPULT_E_FLASH_READBACK);
    w->nor.lie = NULL;
    assert_int_equal(w->nor.data[SLOT_1], 0xFF);
}

/* ---- going back ---- */

static void attack_rollback_to_an_unsigned_image(void **state)
{
    struct world *w = tampered = *state;
    struct otapult_finding why;

    put_in_slot(&plain);
    restart(w); /* the device looks at a slot when it starts, or has written it */
    assert_int_equal(otapult_rollback(w->ota, &why), OTAPULT_E_NO_ROLLBACK);
    assert_string_equal(why.text, "the other slot's image is not signed by a trusted key");
    put_in_slot(&by_other);
    restart(w);
    assert_int_equal(otapult_rollback(w->ota, &why), OTAPULT_E_NO_ROLLBACK);
    assert_string_equal(why.text, "the other slot's image is not signed by a trusted key");
    put_in_slot(&v2);
    assert_int_equal(otapult_rollback(w->ota, &why), 0);
    assert_true(world_settle(w));
    assert_string_equal(world_version(w), "2.0.0");
}

/* An image that lost power in its trial is verified before it gets another. */
static void attack_swapped_while_the_power_was_off(void **state)
{
    struct world *w = tampered = *state;

    w->health = OTAPULT_HEALTH_WAIT;
    assert_int_equal(upload(w, &v2), 0);
    assert_true(world_settle(w)); /* it runs, and waits */
    assert_string_equal(world_version(w), "2.0.0");
    world_pull_plug(w);
    struct firmware theirs = {.bytes = plain_image("2.0.0", 0, &theirs.len)}; /* the same build, unsigned */
    put_in_slot(&theirs);
    free(theirs.bytes);
    assert_true(world_boot(w));
    assert_string_equal(world_version(w), "1.0.0");
}

/* ---- security version ---- */

static void attack_downgrade_below_the_security_version(void **state)
{
    struct world *w = *state;
    struct otapult_finding why;

    update(w, &secure_5, "6.0.0");
    assert_refused(w, &v2, OTAPULT_E_IMAGE_SECURITY_VERSION);
    assert_int_equal(w->nor.data[0x10000], 0xE9); /* refused by its head: the other slot is untouched */
    assert_int_equal(otapult_rollback(w->ota, &why), OTAPULT_E_NO_ROLLBACK);
    assert_string_equal(why.text, "the other slot's image has a security version that is too low");
    restart(w);
    assert_refused(w, &v2, OTAPULT_E_IMAGE_SECURITY_VERSION);
    update(w, &secure_7, "7.0.0");
    assert_refused(w, &secure_5, OTAPULT_E_IMAGE_SECURITY_VERSION);
}

static void the_least_security_version_moves_only_after_a_confirmed_boot(void **state)
{
    struct world *w = *state;

    assert_int_equal(upload(w, &secure_7), 0); /* activated, never booted */
    w->health = OTAPULT_HEALTH_FAIL;
    assert_true(world_settle(w)); /* booted and rejected */
    assert_string_equal(world_version(w), "1.0.0");
    w->health = OTAPULT_HEALTH_PASS;
    update(w, &v2, "2.0.0");
}

static void an_older_version_is_refused_by_policy(void **state)
{
    struct world *w = *state;
    struct otapult_finding why;

    built.refuses_older = true;
    restart(w);
    update(w, &v3, "3.0.0");
    assert_refused(w, &v2, OTAPULT_E_IMAGE_OLDER);
    assert_int_equal(otapult_rollback(w->ota, &why), 0); /* going back is another matter */
    assert_true(world_settle(w));
    assert_string_equal(world_version(w), "1.0.0");
}

/* ---- missing trust ---- */

static void attack_no_key_configured(void **state)
{
    struct world *w = *state;
    struct otapult_finding why;

    build_with(0, NULL, NULL);
    restart(w);
    assert_int_equal(status(w).trust_error, OTAPULT_E_SIGNATURE_NO_KEYS);
    assert_refused(w, &v2, OTAPULT_E_SIGNATURE_NO_KEYS);
    assert_refused(w, &plain, OTAPULT_E_SIGNATURE_NO_KEYS);
    assert_int_equal(otapult_rollback(w->ota, &why), OTAPULT_E_NO_ROLLBACK);
}

static void attack_a_published_test_key_is_configured(void **state)
{
    /* MCUboot's root-rsa-3072.pem and root-ec-p256.pem, esptool's rsa_secure_boot_signing_key.pem: the whole
     * digests, as espsecure prints them */
    static const uint8_t published[][OTAPULT_KEY_DIGEST] = {
        {0xA0, 0xC1, 0xF7, 0xEC, 0x25, 0x35, 0x0E, 0xEE, 0x54, 0x5D, 0x79, 0xCA, 0x2E, 0x5F, 0xFD, 0xD8,
         0xE7, 0x9D, 0x57, 0x62, 0x89, 0x7E, 0xAD, 0x79, 0x70, 0x50, 0x90, 0x9A, 0xD4, 0x9E, 0x05, 0x65},
        {0xFC, 0x90, 0x2E, 0xCC, 0x33, 0x34, 0x4E, 0xFA, 0x79, 0x33, 0xA3, 0x32, 0xF5, 0x45, 0x41, 0x6B,
         0xFC, 0x26, 0x62, 0x5F, 0xE9, 0xF0, 0xCC, 0xCF, 0xE4, 0xBB, 0xD0, 0xEB, 0x6E, 0x34, 0x60, 0x8A},
        {0xCB, 0x27, 0x91, 0xA3, 0x71, 0xB0, 0xC0, 0x32, 0x2B, 0xF7, 0x37, 0x04, 0x78, 0xBA, 0x09, 0x62,
         0x22, 0x4C, 0xAB, 0x1C, 0xF2, 0x28, 0x78, 0x79, 0xC4, 0x29, 0x67, 0x3E, 0x7D, 0xA8, 0x44, 0x63},
    };
    struct world *w = *state;

    for (size_t i = 0; i < sizeof published / sizeof *published; i++) {
        build_with(1, published[i], NULL);
        restart(w);
        assert_int_equal(status(w).trust_error, OTAPULT_E_SIGNATURE_NO_KEYS);
        assert_refused(w, &v2, OTAPULT_E_SIGNATURE_NO_KEYS);
        build_with(2, published[i], s.digest[SIGNER_RSA]);
        restart(w);
        assert_int_equal(status(w).key_count, 1);
    }
    update(w, &v2, "2.0.0");
}

static const uint8_t self_tests_key[OTAPULT_KEY_DIGEST] = {
    0x70, 0x81, 0xAA, 0x62, 0xA2, 0x4B, 0x71, 0x20, 0xFD, 0x01, 0xD6, 0xA4, 0xC5, 0x8B, 0xBF, 0x9E,
    0x73, 0x31, 0x1B, 0x79, 0x1F, 0x99, 0xEC, 0xB0, 0xD4, 0xE1, 0x85, 0xDC, 0x20, 0x28, 0x72, 0x71,
};

/* With it a signature which must be refused is right. */
static void attack_a_self_test_that_fails_locks(void **state)
{
    struct world *w = *state;
    struct otapult_finding why;
    uint32_t ticket;

    build_with(2, s.digest[SIGNER_RSA], self_tests_key);
    restart(w);
    assert_int_equal(status(w).trust_error, OTAPULT_E_LOCKED);
    assert_string_equal(status(w).locked, "a signature by an unknown key was taken");
    assert_int_equal(otapult_begin(w->ota, (uint32_t)v2.len, &ticket, &why), OTAPULT_E_LOCKED);
    assert_string_equal(why.text, "a signature by an unknown key was taken");
    assert_int_equal(otapult_rollback(w->ota, &why), OTAPULT_E_LOCKED);
    assert_int_equal(otapult_revoke_key(w->ota, self_tests_key), OTAPULT_E_LOCKED);
    assert_string_equal(world_version(w), "1.0.0"); /* the robot itself works */
}

static void a_locked_device_learns_nothing(void **state)
{
    struct world *w = *state;

    assert_int_equal(upload(w, &secure_5), 0);
    build_with(2, s.digest[SIGNER_RSA], self_tests_key);
    assert_true(world_settle(w));
    assert_string_equal(world_version(w), "6.0.0");
    assert_int_equal(status(w).trust_error, OTAPULT_E_LOCKED);
    assert_int_equal(w->ota->trust.least_security, 0);
    build_with(0, NULL, NULL);
    restart(w);
    assert_int_equal(status(w).key_count, 0);
}

static const char *broken_key;
static unsigned good_gets; /* of it, before it breaks */
static int (*real_kv_get)(void *ctx, const char *key, void *dst, size_t cap, size_t *len);

static int break_one_key(void *ctx, const char *key, void *dst, size_t cap, size_t *len)
{
    if (strcmp(key, broken_key) == 0 && (good_gets == 0 || good_gets-- == 0))
        return OTAPULT_E_STORE;
    return real_kv_get(ctx, key, dst, cap, len);
}

static void wrap_get(void *ctx, struct otapult_port *port)
{
    (void)ctx;
    real_kv_get = port->kv_get;
    port->kv_get = break_one_key;
}

static void attack_a_store_that_forgets_revocations_locks(void **state)
{
    static const char *const keys[] = {"ota.revoked1", "ota.keys1", "ota.security1"};
    struct world *w = *state;
    struct otapult_trust trust;

    w->wrap = wrap_get;
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        broken_key = keys[i];
        restart(w);
        assert_int_equal(status(w).trust_error, OTAPULT_E_LOCKED);
        assert_int_equal(status(w).key_count, 0);
        assert_int_equal(otapult_copy_trust(w->ota, &trust), 0); /* nor may a source believe one */
        assert_refused(w, &v2, OTAPULT_E_LOCKED);
    }
    w->wrap = NULL;
    restart(w);
    /* what no version of this code has written is no list, either */
    assert_int_equal(w->board.port.kv_set(w->board.port.ctx, "ota.revoked1", "abc", 3), 0);
    restart(w);
    assert_refused(w, &v2, OTAPULT_E_LOCKED);
}

/* The seal was whole, and then a value cannot be read all the same. */
static void attack_a_store_that_forgets_them_a_moment_later_locks(void **state)
{
    static const char *const keys[] = {"ota.revoked1", "ota.keys1", "ota.security1"};
    struct world *w = *state;

    w->wrap = wrap_get;
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        broken_key = keys[i];
        good_gets = 1;
        restart(w);
        good_gets = 0;
        assert_string_equal(status(w).locked, "the store does not say which keys are revoked");
        assert_int_equal(status(w).key_count, 0);
        assert_refused(w, &v2, OTAPULT_E_LOCKED);
    }
    w->wrap = NULL;
}

/* ---- what the owner is told at the device ---- */

static char console[4096];
static char shown[64];

static void keep_lines(void *ctx, enum otapult_log_level level, const char *line)
{
    (void)ctx;
    assert_true(strlen(console) + strlen(line) + 4 < sizeof console);
    strcat(console, level == OTAPULT_LOG_ERROR ? "E " : level == OTAPULT_LOG_WARNING ? "W " : "I ");
    strcat(strcat(console, line), "\n");
}

static void wrap_log(void *ctx, struct otapult_port *port)
{
    wrap_get(ctx, port);
    port->log = keep_lines;
}

static bool show_it(void *app, const char *password)
{
    (void)app;
    strcpy(shown, password);
    return true;
}

static void configure_login(void *ctx, struct otapult_config *config)
{
    static union otapult_users_memory users;

    configure(ctx, config);
    config->users = &users;
    config->show_password = show_it;
}

static void starts_and_says(struct world *w, const char *line)
{
    console[0] = '\0';
    restart(w);
    if (strstr(console, line) == NULL)
        fail_msg("not on the console: %s\n%s", line, console);
}

static void the_console_says_whom_the_device_trusts(void **state)
{
    struct world *w = *state;
    static const char warning[] = "W a built-in key is a published test key and does not count";
    /* ESP-IDF's ecdsa384_priv_key.pem */
    const uint8_t published[OTAPULT_KEY_DIGEST] = {0x51, 0x92, 0xD6, 0x6D, 0xC5, 0xE5, 0xE4, 0xDB};
    char first[80];

    w->configure = configure_login;
    w->wrap = wrap_log;
    broken_key = "none";
    shown[0] = '\0';
    snprintf(first, sizeof first, "I signature: enforced, keys %02x%02x%02x%02x\n", s.digest[SIGNER_RSA][0],
             s.digest[SIGNER_RSA][1], s.digest[SIGNER_RSA][2], s.digest[SIGNER_RSA][3]);
    starts_and_says(w, first);
    assert_null(strstr(console, warning));
    assert_int_not_equal(shown[0], '\0'); /* and made a password */
    build_with(0, NULL, NULL);
    starts_and_says(w, "E updates are refused: a signature is required, and no trusted key is there");
    assert_null(strstr(console, first));
    build_with(1, published, NULL);
    starts_and_says(w, warning);
    build_with(2, s.digest[SIGNER_RSA], published);
    built.count = 1; /* what lies behind the last is none */
    starts_and_says(w, first);
    assert_null(strstr(console, warning));
    w->wrap = NULL;
}

/* A value is lost; the owner makes a new password at the device, and it goes on with what is left. */
static void the_owner_ends_a_lock_at_the_device(void **state)
{
    const uint8_t other[OTAPULT_KEY_DIGEST] = {0xAB, 0xCD, 0xEF, 1};
    struct world *w = *state;
    struct otapult_log_entry e;
    char line[128];

    w->configure = configure_login;
    w->wrap = wrap_log;
    broken_key = "none";
    restart(w);
    assert_int_equal(otapult_revoke_key(w->ota, other), 0);
    assert_int_equal(w->board.port.kv_set(w->board.port.ctx, "usr.pw1", NULL, 0), 0);
    starts_and_says(w, "E updates and logins stay locked until the owner makes a new password at the device");
    snprintf(line, sizeof line, "E updates are locked: %s\n", status(w).locked);
    assert_non_null(strstr(console, line));
    assert_refused(w, &v2, OTAPULT_E_LOCKED);
    console[0] = shown[0] = '\0';
    assert_int_equal(otapult_new_password(w->ota), 0);
    assert_int_equal(status(w).claim, OTAPULT_FREE);
    assert_true(otapult_log_entry(w->ota, 0, &e));
    assert_int_equal(e.event, OTAPULT_EV_ACCOUNT);
    assert_string_equal(e.text, "new password made at the device");
    assert_int_not_equal(shown[0], '\0');
    assert_non_null(strstr(console, "W sealed anew; least security version 0, revoked keys: abcdef01\n"));
    assert_non_null(strstr(console, "I signature: enforced"));
    starts_and_says(w, "I signature: enforced");
    assert_null(strstr(console, "locked"));
    update(w, &v2, "2.0.0");
    w->wrap = NULL;
}

static size_t stored_identity(struct world *w)
{
    uint8_t key[OTAPULT_IDENTITY_PART];
    size_t len = 0;

    assert_int_equal(real_kv_get(w->board.port.ctx, OTAPULT_IDENTITY_KEY, key, sizeof key, &len), 0);
    return len;
}

/* It is not sealed. One that is none any more is removed, so that the next start makes another. */
static void a_lost_key_of_https_goes_with_a_new_password(void **state)
{
    struct world *w = *state;

    w->configure = configure_login;
    w->wrap = wrap_log;
    broken_key = "none";
    restart(w);
    console[0] = '\0';
    assert_int_equal(otapult_new_password(w->ota), 0);
    assert_null(strstr(console, "HTTPS")); /* there is none yet */
    assert_int_equal(w->board.port.kv_set(w->board.port.ctx, OTAPULT_IDENTITY_KEY, "key", 3), 0);
    assert_int_equal(otapult_new_password(w->ota), 0);
    assert_non_null(strstr(console, "W the key of HTTPS was lost; the next start makes another"));
    assert_int_equal(stored_identity(w), 0);
    w->wrap = NULL;
}

static const char *unwritable;

static int fail_one_set(void *ctx, const char *key, const void *src, size_t len)
{
    return strcmp(key, unwritable) == 0 ? OTAPULT_E_STORE : real_kv_set(ctx, key, src, len);
}

static void wrap_log_and_set(void *ctx, struct otapult_port *port)
{
    wrap_log(ctx, port);
    real_kv_set = port->kv_set;
    port->kv_set = fail_one_set;
}

/* Nothing is on the console yet. */
static void restart_where(struct world *w, const char *key)
{
    unwritable = key;
    restart(w);
    console[0] = '\0';
}

/* It runs and is confirmed all the same. */
static void what_a_confirmed_firmware_brings_and_cannot_be_stored_is_said(void **state)
{
    static const char no_key[] = "E a new key could not be stored: the store failed, or is full",
                      no_version[] = "E the store failed: the least security version holds until the restart";
    struct world *w = *state;

    w->wrap = wrap_log_and_set;
    broken_key = "none";
    restart_where(w, "ota.keys1");
    assert_int_equal(upload(w, &by_both), 0);
    build_with(2, s.digest[SIGNER_RSA], s.digest[SIGNER_OTHER]);
    assert_true(world_settle(w));
    assert_non_null(strstr(console, no_key));
    assert_null(strstr(console, no_version));
    restart_where(w, "ota.security1");
    update(w, &secure_5, "6.0.0");
    assert_non_null(strstr(console, no_version));
    assert_null(strstr(console, no_key));
    restart_where(w, "none");
    update(w, &secure_7, "7.0.0");
    assert_null(strstr(console, no_version));
    assert_null(strstr(console, no_key));
    w->wrap = NULL;
}

/* A device whose seal is broken, whose owner asks for a new password. */
static int ask_for_a_password(struct world *w)
{
    console[0] = shown[0] = '\0';
    return otapult_new_password(w->ota);
}

static void a_broken_seal_with_no_revoked_key_says_so(void **state)
{
    struct world *w = *state;

    w->configure = configure_login;
    w->wrap = wrap_log;
    broken_key = "none";
    restart(w);
    w->ota->seal.broken = "for this test";
    assert_int_equal(ask_for_a_password(w), 0);
    assert_non_null(strstr(console, "W sealed anew; least security version 0, revoked keys: none\n"));
    assert_int_equal(status(w).trust_error, 0);
    w->wrap = NULL;
}

static void what_the_store_does_not_take_leaves_the_lock(void **state)
{
    struct world *w = *state;

    w->configure = configure_login;
    w->wrap = wrap_log_and_set;
    broken_key = unwritable = "none";
    restart(w);
    w->ota->seal.broken = "for this test";
    unwritable = "ota.seal1";
    assert_int_equal(ask_for_a_password(w), OTAPULT_E_STORE);
    assert_string_equal(console, "");
    assert_string_equal(shown, "");
    assert_int_equal(status(w).claim, OTAPULT_FREE);
    assert_string_equal(w->ota->seal.broken, "for this test");
    unwritable = "none";
    assert_int_equal(w->board.port.kv_set(w->board.port.ctx, OTAPULT_IDENTITY_KEY, "key", 3), 0);
    unwritable = OTAPULT_IDENTITY_KEY;
    assert_int_equal(ask_for_a_password(w), OTAPULT_E_STORE);
    assert_null(strstr(console, "HTTPS"));
    assert_string_equal(shown, "");
    unwritable = "none";
    assert_int_equal(ask_for_a_password(w), 0);
    assert_non_null(strstr(console, "HTTPS"));
    assert_string_not_equal(shown, "");
    w->wrap = NULL;
}

static void the_seal_is_not_renewed_during_an_update(void **state)
{
    struct world *w = *state;
    struct otapult_finding why;
    uint32_t ticket;

    w->configure = configure_login;
    w->wrap = wrap_log;
    broken_key = "none";
    restart(w);
    assert_int_equal(otapult_begin(w->ota, (uint32_t)v2.len, &ticket, &why), 0);
    w->ota->seal.broken = "for this test";
    assert_int_equal(ask_for_a_password(w), OTAPULT_E_BUSY);
    assert_string_equal(shown, "");
    assert_int_equal(otapult_feed(w->ota, ticket, v2.bytes, v2.len, &why), 0); /* it goes on */
    otapult_cancel(w->ota, ticket, OTAPULT_E_CONNECTION_LOST, &why);
    assert_int_equal(ask_for_a_password(w), 0);
    w->wrap = NULL;
}

static void a_device_without_memory_for_logins_makes_no_password(void **state)
{
    struct world *w = *state;

    assert_int_equal(otapult_new_password(w->ota), OTAPULT_E_NOT_SECURED);
    built.open = true;
    restart(w);
    assert_int_equal(otapult_new_password(w->ota), OTAPULT_E_OPEN_PROFILE);
    assert_int_equal(otapult_revoke_key(w->ota, s.digest[SIGNER_OTHER]), OTAPULT_E_OPEN_PROFILE);
}

/* The open profile trusts nobody, but a source of releases may ask for a signature all the same. */
static void keys_are_there_for_a_source_in_any_profile(void **state)
{
    struct world *w = *state;
    struct otapult_trust trust;

    assert_int_equal(otapult_copy_trust(w->ota, &trust), 1);
    assert_memory_equal(otapult_trust_key(&trust, 0), s.digest[SIGNER_RSA], OTAPULT_KEY_DIGEST);
    built.open = true;
    restart(w);
    memset(&trust, 0xA5, sizeof trust);
    assert_int_equal(otapult_copy_trust(w->ota, &trust), 1);
    assert_memory_equal(otapult_trust_key(&trust, 0), s.digest[SIGNER_RSA], OTAPULT_KEY_DIGEST);
}

/* ---- rotation ---- */

static void a_new_key_comes_with_a_firmware_that_names_it_and_is_signed_by_both(void **state)
{
    struct world *w = *state;

    assert_refused(w, &by_other, OTAPULT_E_SIGNATURE_WRONG);
    assert_int_equal(upload(w, &by_both), 0);
    build_with(2, s.digest[SIGNER_RSA], s.digest[SIGNER_OTHER]); /* what 5.0.0 is built with */
    assert_true(world_settle(w));
    assert_string_equal(world_version(w), "5.0.0");

    /* whatever runs next trusts it, too: also firmware that was built before there was a new key */
    build_with(1, s.digest[SIGNER_RSA], NULL);
    restart(w);
    assert_true(trusts(w, SIGNER_OTHER));
    assert_int_equal(status(w).key_count, 2);
    update(w, &by_other, "4.0.0");
}

/* Also where the key it replaces was learned before, and stands behind it. */
static void a_new_key_is_learned_wherever_the_firmware_names_it(void **state)
{
    struct world *w = *state;

    update(w, &v2, "2.0.0"); /* which learns the only key there is */
    assert_int_equal(upload(w, &by_both), 0);
    build_with(2, s.digest[SIGNER_OTHER], s.digest[SIGNER_RSA]);
    assert_true(world_settle(w));
    assert_string_equal(world_version(w), "5.0.0");
    build_with(0, NULL, NULL);
    restart(w);
    assert_true(trusts(w, SIGNER_OTHER) && trusts(w, SIGNER_RSA));
}

static uint64_t bytes_read;

static void count_bytes(void *ctx, uint32_t address, uint8_t *buf, uint32_t len)
{
    (void)ctx;
    (void)address;
    (void)buf;
    bytes_read += len;
}

/* From the first byte to the confirmation. */
static uint64_t read_during_update(struct world *w, const struct firmware *f, const uint8_t *second_key)
{
    assert_int_equal(upload(w, f), 0);
    build_with(second_key != NULL ? 2 : 1, s.digest[SIGNER_RSA], second_key);
    bytes_read = 0;
    w->nor.lie = count_bytes;
    assert_true(world_settle(w));
    w->nor.lie = NULL;
    return bytes_read;
}

/* Only for a key that may be learned: to see whether it has signed it. */
static void a_confirmed_firmware_is_read_again_for_a_new_key_alone(void **state)
{
    struct world *w = *state;

    update(w, &v2, "2.0.0");
    update(w, &v3, "3.0.0");
    const uint64_t without = read_during_update(w, &v2, NULL);
    update(w, &v3, "3.0.0");
    const uint64_t with = read_during_update(w, &v2, s.digest[SIGNER_OTHER]); /* which has not */
    assert_true(with >= without + v2.len);
    assert_true(with < without + 2 * v2.len);
}

/* The sector is covered by no signature, so anybody can add a block of his own to genuine firmware. */
static void attack_a_strangers_block_added_to_genuine_firmware(void **state)
{
    struct world *w = *state;

    update(w, &by_both, "5.0.0"); /* the firmware does not name the other key */
    assert_false(trusts(w, SIGNER_OTHER));
    restart(w);
    assert_false(trusts(w, SIGNER_OTHER));
    assert_refused(w, &by_other, OTAPULT_E_SIGNATURE_WRONG);
}

/* A digest with a typing error would otherwise be trusted for ever. */
static void a_key_that_has_not_signed_is_not_carried_over(void **state)
{
    struct world *w = *state;

    assert_int_equal(upload(w, &v2), 0);
    build_with(2, s.digest[SIGNER_RSA], s.digest[SIGNER_OTHER]);
    assert_true(world_settle(w));
    build_with(1, s.digest[SIGNER_RSA], NULL);
    restart(w);
    assert_false(trusts(w, SIGNER_OTHER));
}

static void attack_a_new_key_of_firmware_that_was_never_confirmed(void **state)
{
    struct world *w = *state;

    assert_int_equal(upload(w, &by_both), 0);
    build_with(2, s.digest[SIGNER_RSA], s.digest[SIGNER_OTHER]);
    w->health = OTAPULT_HEALTH_FAIL;
    otapult_poll(w->ota);
    w->reset = OTAPULT_RESET_SOFTWARE;
    assert_true(world_boot(w)); /* 5.0.0 runs, and is pending */
    assert_string_equal(world_version(w), "5.0.0");
    otapult_poll(w->ota); /* and rejects itself */
    build_with(1, s.digest[SIGNER_RSA], NULL);
    w->reset = OTAPULT_RESET_SOFTWARE;
    assert_true(world_boot(w));
    assert_string_equal(world_version(w), "1.0.0");
    assert_false(trusts(w, SIGNER_OTHER));
}

/* ---- revocation ---- */

static void attack_valid_block_revoked_key(void **state)
{
    struct world *w = *state;
    struct otapult_finding why;

    build_with(2, s.digest[SIGNER_RSA], s.digest[SIGNER_OTHER]);
    restart(w);
    update(w, &v2, "2.0.0");
    assert_int_equal(otapult_revoke_key(w->ota, s.digest[SIGNER_RSA]), 0);
    assert_false(trusts(w, SIGNER_RSA));
    assert_refused(w, &v3, OTAPULT_E_SIGNATURE_WRONG);
    assert_int_equal(otapult_rollback(w->ota, &why), OTAPULT_E_NO_ROLLBACK);
    restart(w); /* built in as it is */
    assert_false(trusts(w, SIGNER_RSA));
    assert_refused(w, &v3, OTAPULT_E_SIGNATURE_WRONG);
    update(w, &by_other, "4.0.0");
    update(w, &by_both, "5.0.0"); /* its second block counts */
}

static void a_learned_key_can_be_revoked(void **state)
{
    struct world *w = *state;

    a_new_key_comes_with_a_firmware_that_names_it_and_is_signed_by_both(state);
    assert_int_equal(otapult_revoke_key(w->ota, s.digest[SIGNER_OTHER]), 0);
    restart(w);
    assert_false(trusts(w, SIGNER_OTHER));
    assert_true(trusts(w, SIGNER_RSA));
    build_with(2, s.digest[SIGNER_RSA], s.digest[SIGNER_OTHER]); /* and does not come back with a build */
    restart(w);
    assert_false(trusts(w, SIGNER_OTHER));
}

/* Signed and verified when it came; its key is revoked while it waits. */
static void attack_staged_before_its_key_was_revoked(void **state)
{
    struct world *w = *state;
    struct otapult_finding why;

    build_with(2, s.digest[SIGNER_RSA], s.digest[SIGNER_OTHER]);
    restart(w);
    assert_int_equal(world_stage(w, by_other.bytes, by_other.len, 1000), 0);
    assert_int_equal(otapult_revoke_key(w->ota, s.digest[SIGNER_OTHER]), 0);
    assert_int_equal(otapult_activate_staged(w->ota, &why), OTAPULT_E_SIGNATURE_WRONG);
    assert_string_equal(why.text, "revoked key");
    assert_int_equal(w->nor.data[SLOT_1], 0xFF);
    assert_string_equal(status(w).staged.version, "4.0.0");
    assert_int_equal(world_stage(w, v2.bytes, v2.len, 1000), 0);
    restart(w);
    assert_int_equal(otapult_activate_staged(w->ota, &why), 0);
    assert_true(world_settle(w));
    assert_string_equal(world_version(w), "2.0.0");
}

/* Staged while nothing had to be signed; the firmware that runs now wants a signature. */
static void attack_staged_in_the_open_profile(void **state)
{
    struct world *w = *state;
    struct otapult_finding why;

    built.open = true;
    restart(w);
    assert_int_equal(world_stage(w, plain.bytes, plain.len, 1000), 0);
    built.open = false;
    restart(w);
    assert_int_equal(otapult_activate_staged(w->ota, &why), OTAPULT_E_SIGNATURE_MISSING);
    assert_int_equal(w->nor.data[SLOT_1], 0xFF);
}

static void attack_revoke_the_last_key(void **state)
{
    struct world *w = *state;

    assert_int_equal(otapult_revoke_key(w->ota, s.digest[SIGNER_RSA]), OTAPULT_E_KEY_LAST);
    build_with(2, s.digest[SIGNER_RSA], s.digest[SIGNER_RSA]); /* twice the same is one */
    restart(w);
    assert_int_equal(otapult_revoke_key(w->ota, s.digest[SIGNER_RSA]), OTAPULT_E_KEY_LAST);
    assert_int_equal(otapult_revoke_key(w->ota, s.digest[SIGNER_P256]), 0); /* one that is not trusted: yes */
    update(w, &v2, "2.0.0");
}

static void the_list_of_revoked_keys_has_an_end(void **state)
{
    struct world *w = *state;
    uint8_t digest[OTAPULT_KEY_DIGEST] = {0};

    for (unsigned i = 0; i < OTAPULT_REVOKED_MAX; i++) {
        digest[0] = (uint8_t)(i + 1);
        assert_int_equal(otapult_revoke_key(w->ota, digest), 0);
        assert_int_equal(otapult_revoke_key(w->ota, digest), 0); /* again costs nothing */
    }
    digest[0] = 0xEE;
    assert_int_equal(otapult_revoke_key(w->ota, digest), OTAPULT_E_KEYS_FULL);
    restart(w);
    update(w, &v2, "2.0.0");
}

static void nothing_is_revoked_during_an_update(void **state)
{
    struct world *w = *state;
    struct otapult_finding why;
    uint32_t ticket;

    assert_int_equal(otapult_begin(w->ota, (uint32_t)v2.len, &ticket, &why), 0);
    assert_int_equal(otapult_revoke_key(w->ota, s.digest[SIGNER_P256]), OTAPULT_E_BUSY);
    otapult_cancel(w->ota, ticket, OTAPULT_E_CONNECTION_LOST, &why);
    assert_int_equal(otapult_revoke_key(w->ota, s.digest[SIGNER_P256]), 0);
    assert_int_equal(status(w).phase, OTAPULT_IDLE);
}

/* ---- power cuts: at every flash operation, torn in its middle too ---- */

static bool cut_during(struct world *w, uint64_t op, enum nor_cut how, void (*what)(struct world *w))
{
    static jmp_buf end_of_life;

    if (setjmp(end_of_life) != 0) {
        nor_disarm(&w->nor);
        world_pull_plug(w);
        return true;
    }
    nor_arm(&w->nor, op, how, 8, (uint32_t)op, &end_of_life);
    what(w);
    nor_disarm(&w->nor);
    return false;
}

static void revoke_rsa(struct world *w)
{
    if (world_boot(w))
        assert_int_equal(otapult_revoke_key(w->ota, s.digest[SIGNER_OTHER]), 0);
}

static void power_goes_during_a_revocation(void **state)
{
    static uint8_t base[WORLD_FLASH];
    static const enum nor_cut hows[] = {NOR_CUT_BEFORE, NOR_CUT_TORN, NOR_CUT_AFTER};
    struct world *w = *state;
    unsigned cuts = 0;

    a_new_key_comes_with_a_firmware_that_names_it_and_is_signed_by_both(state); /* OTHER is stored */
    world_pull_plug(w);
    world_save(w, base);
    for (size_t how = 0; how < 3; how++) {
        bool was_cut = true;
        for (uint64_t op = 1; was_cut; op++) {
            world_restore(w, base);
            was_cut = cut_during(w, op, hows[how], revoke_rsa);
            cuts += was_cut;
            restart(w);
            assert_int_equal(status(w).trust_error, 0); /* whatever happened: the old list or the new */
            assert_true(trusts(w, SIGNER_RSA));
            if (!was_cut)
                assert_false(trusts(w, SIGNER_OTHER));
            assert_int_equal(otapult_revoke_key(w->ota, s.digest[SIGNER_OTHER]), 0);
            restart(w);
            assert_false(trusts(w, SIGNER_OTHER));
        }
    }
    assert_in_range(cuts, 6, 300);
}

static void confirm_rotation(struct world *w)
{
    if (world_boot(w))
        (void)world_settle(w);
}

/* Once the new firmware is confirmed its key is carried over, wherever the power went; and never before. */
static void power_goes_during_a_rotation(void **state)
{
    static uint8_t base[WORLD_FLASH];
    static const enum nor_cut hows[] = {NOR_CUT_BEFORE, NOR_CUT_TORN, NOR_CUT_AFTER};
    struct world *w = *state;
    unsigned cuts = 0;

    assert_int_equal(upload(w, &by_both), 0);
    world_pull_plug(w);
    world_save(w, base);
    for (size_t how = 0; how < 3; how++) {
        bool was_cut = true;
        for (uint64_t op = 1; was_cut; op++) {
            build_with(2, s.digest[SIGNER_RSA], s.digest[SIGNER_OTHER]);
            world_restore(w, base);
            was_cut = cut_during(w, op, hows[how], confirm_rotation);
            cuts += was_cut;
            restart(w);
            assert_true(world_settle(w));
            bool confirmed = strcmp(world_version(w), "5.0.0") == 0;
            build_with(1, s.digest[SIGNER_RSA], NULL);
            restart(w);
            assert_int_equal(status(w).trust_error, 0);
            assert_true(trusts(w, SIGNER_RSA));
            assert_int_equal(trusts(w, SIGNER_OTHER), confirmed);
        }
    }
    assert_in_range(cuts, 6, 600);
}

#define WITH_WORLD(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_WORLD(signed_firmware_is_taken_and_boots),
        WITH_WORLD(the_sector_is_in_flash_as_it_came),
        WITH_WORLD(an_unsigned_file_of_known_length_erases_nothing),
        WITH_WORLD(the_length_of_a_packed_file_says_nothing),
        WITH_WORLD(what_a_decoder_announces_that_cannot_be_signed_erases_nothing),
        WITH_WORLD(attack_unsigned),
        WITH_WORLD(attack_signed_by_another_key),
        WITH_WORLD(an_open_device_takes_all_that_is_well_formed),
        WITH_WORLD(attack_flash_changed_between_verify_and_activate),
        WITH_WORLD(attack_flash_changed_before_a_rollback),
        WITH_WORLD(a_change_during_activation_is_the_bootloaders_to_find),
        WITH_WORLD(attack_what_flash_holds_is_not_what_came),
        WITH_WORLD(attack_rollback_to_an_unsigned_image),
        WITH_WORLD(attack_swapped_while_the_power_was_off),
        WITH_WORLD(attack_downgrade_below_the_security_version),
        WITH_WORLD(the_least_security_version_moves_only_after_a_confirmed_boot),
        WITH_WORLD(an_older_version_is_refused_by_policy),
        WITH_WORLD(attack_no_key_configured),
        WITH_WORLD(attack_a_published_test_key_is_configured),
        WITH_WORLD(attack_a_self_test_that_fails_locks),
        WITH_WORLD(a_locked_device_learns_nothing),
        WITH_WORLD(attack_a_store_that_forgets_revocations_locks),
        WITH_WORLD(attack_a_store_that_forgets_them_a_moment_later_locks),
        WITH_WORLD(the_console_says_whom_the_device_trusts),
        WITH_WORLD(the_owner_ends_a_lock_at_the_device),
        WITH_WORLD(a_lost_key_of_https_goes_with_a_new_password),
        WITH_WORLD(what_a_confirmed_firmware_brings_and_cannot_be_stored_is_said),
        WITH_WORLD(a_broken_seal_with_no_revoked_key_says_so),
        WITH_WORLD(what_the_store_does_not_take_leaves_the_lock),
        WITH_WORLD(the_seal_is_not_renewed_during_an_update),
        WITH_WORLD(a_device_without_memory_for_logins_makes_no_password),
        WITH_WORLD(keys_are_there_for_a_source_in_any_profile),
        WITH_WORLD(a_new_key_comes_with_a_firmware_that_names_it_and_is_signed_by_both),
        WITH_WORLD(a_new_key_is_learned_wherever_the_firmware_names_it),
        WITH_WORLD(a_confirmed_firmware_is_read_again_for_a_new_key_alone),
        WITH_WORLD(attack_a_strangers_block_added_to_genuine_firmware),
        WITH_WORLD(a_key_that_has_not_signed_is_not_carried_over),
        WITH_WORLD(attack_a_new_key_of_firmware_that_was_never_confirmed),
        WITH_WORLD(attack_valid_block_revoked_key),
        WITH_WORLD(a_learned_key_can_be_revoked),
        WITH_WORLD(attack_staged_before_its_key_was_revoked),
        WITH_WORLD(attack_staged_in_the_open_profile),
        WITH_WORLD(attack_revoke_the_last_key),
        WITH_WORLD(the_list_of_revoked_keys_has_an_end),
        WITH_WORLD(nothing_is_revoked_during_an_update),
        WITH_WORLD(power_goes_during_a_revocation),
        WITH_WORLD(power_goes_during_a_rotation),
    };
    return cmocka_run_group_tests(tests, make_firmware, free_firmware);
}
