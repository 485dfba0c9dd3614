/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <gnutls/x509.h>
#include <mbedtls/version.h>
#include <mbedtls/x509_crt.h>
#include <stdio.h>
#include <string.h>

#include "ram_port.h"
#include "trust/certificate.h"
#include "trust/der.h"

/* The certificate as GnuTLS reads it, which shares no code with what wrote it, and as mbedTLS does, which
 * ESP-IDF serves it with. */

/* PSA knows keys and no certificates, so mbedTLS's own reader is called. Only that of 3.x asks for random
 * numbers. */
#if MBEDTLS_VERSION_MAJOR == 3
#include <mbedtls/psa_util.h>
#define WITH_RANDOM , mbedtls_psa_get_random, MBEDTLS_PSA_RANDOM_STATE
#else
#define WITH_RANDOM
#endif

static struct ram_port board;
static struct otapult_identity id;
static struct otapult_finding why;
static gnutls_x509_crt_t crt;
static gnutls_x509_privkey_t key;

static const char *const names[] = {"rover.local", "rover", NULL};
static const uint8_t addresses[][16] = {
    {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF, 192, 168, 4, 1},
    {0x20, 0x01, 0x0D, 0xB8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1},
};
static const struct otapult_identity_for what = {names, addresses, 2};

static int own(void)
{
    return otapult_identity_own(&id, &board.port, &what, &why);
}

static int a_device(void **state)
{
    (void)state;
    ram_port_begin(&board);
    assert_int_equal(gnutls_x509_crt_init(&crt), 0);
    return gnutls_x509_privkey_init(&key);
}

static int forget(void **state)
{
    (void)state;
    gnutls_x509_crt_deinit(crt);
    gnutls_x509_privkey_deinit(key);
    return 0;
}

/* GnuTLS takes both, they belong together, and the signature is right. */
static void read_both(void)
{
    const gnutls_datum_t certificate = {id.certificate, id.certificate_len}, private = {id.key, id.key_len};
    unsigned verdict = 1;
    uint8_t a[32], b[32];
    size_t a_len = sizeof a, b_len = sizeof b;

    gnutls_x509_crt_deinit(crt);
    gnutls_x509_privkey_deinit(key);
    assert_int_equal(gnutls_x509_crt_init(&crt), 0);
    assert_int_equal(gnutls_x509_privkey_init(&key), 0);
    assert_int_equal(gnutls_x509_crt_import(crt, &certificate, GNUTLS_X509_FMT_DER), 0);
    assert_int_equal(gnutls_x509_privkey_import(key, &private, GNUTLS_X509_FMT_DER), 0);
    assert_int_equal(gnutls_x509_privkey_verify_params(key), 0);
    assert_int_equal(gnutls_x509_crt_get_key_id(crt, GNUTLS_KEYID_USE_SHA256, a, &a_len), 0);
    assert_int_equal(gnutls_x509_privkey_get_key_id(key, GNUTLS_KEYID_USE_SHA256, b, &b_len), 0);
    assert_memory_equal(a, b, sizeof a);
    assert_int_equal(gnutls_x509_crt_get_signature_algorithm(crt), GNUTLS_SIGN_ECDSA_SHA256);
    assert_int_equal(gnutls_x509_crt_verify(crt, &crt, 1, GNUTLS_VERIFY_DISABLE_CA_SIGN, &verdict), 0);
    assert_int_equal(verdict, 0);
}

/* ---- what is in it ---- */

static void assert_alternative(unsigned n, unsigned type, const void *value, size_t len)
{
    uint8_t found[80];
    size_t found_len = sizeof found;

    assert_int_equal(gnutls_x509_crt_get_subject_alt_name(crt, n, found, &found_len, NULL), type);
    assert_int_equal(found_len, len);
    assert_memory_equal(found, value, len);
}

static void gnutls_reads_what_was_asked_for(void **state)
{
    char text[128];
    uint8_t serial[32];
    size_t len = sizeof text, serial_len = sizeof serial;
    unsigned usage = 0, critical = 0;

    (void)state;
    assert_int_equal(own(), 0);
    read_both();
    assert_int_equal(gnutls_x509_crt_get_version(crt), 3);
    assert_int_equal(gnutls_x509_crt_get_serial(crt, serial, &serial_len), 0);
    assert_int_equal(serial_len, 16);
    assert_int_equal(serial[0] & 0xC0, 0x40);
    assert_int_equal(gnutls_x509_crt_get_dn(crt, text, &len), 0);
    assert_string_equal(text, "CN=rover.local");
    len = sizeof text;
    assert_int_equal(gnutls_x509_crt_get_issuer_dn(crt, text, &len), 0);
    assert_string_equal(text, "CN=rover.local");
    assert_int_equal(gnutls_x509_crt_get_activation_time(crt), 1735689600);
    assert_int_equal(gnutls_x509_crt_get_expiration_time(crt), 253402300799); /* the last second of 9999 */
    assert_int_equal(gnutls_x509_crt_get_key_usage(crt, &usage, &critical), 0);
    assert_int_equal(usage, GNUTLS_KEY_DIGITAL_SIGNATURE);
    assert_int_equal(critical, 1);
    len = sizeof text;
    assert_int_equal(gnutls_x509_crt_get_key_purpose_oid(crt, 0, text, &len, &critical), 0);
    assert_string_equal(text, GNUTLS_KP_TLS_WWW_SERVER);
    assert_alternative(0, GNUTLS_SAN_DNSNAME, "localhost", 9);
    assert_alternative(1, GNUTLS_SAN_DNSNAME, "rover.local", 11);
    assert_alternative(2, GNUTLS_SAN_DNSNAME, "rover", 5);
    assert_alternative(3, GNUTLS_SAN_IPADDRESS, addresses[0] + 12, 4);
    assert_alternative(4, GNUTLS_SAN_IPADDRESS, addresses[1], 16);
    assert_int_equal(gnutls_x509_crt_get_subject_alt_name(crt, 5, text, &len, NULL),
                     GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE);
}

static void without_names_it_is_for_localhost(void **state)
{
    const struct otapult_identity_for nothing = {NULL, NULL, 0};
    char text[64];
    size_t len = sizeof text;

    (void)state;
    assert_int_equal(otapult_identity_own(&id, &board.port, &nothing, &why), 0);
    read_both();
    assert_int_equal(gnutls_x509_crt_get_dn(crt, text, &len), 0);
    assert_string_equal(text, "CN=localhost");
    assert_alternative(0, GNUTLS_SAN_DNSNAME, "localhost", 9);
}

/* 64 characters, as RFC 5280 has it. It stands among the alternative names either way. */
static void a_name_longer_than_a_common_name_may_be_is_none(void **state)
{
    char name[66], wanted[80], text[80];
    const char *const one[] = {name, NULL};
    const struct otapult_identity_for called = {one, NULL, 0};

    (void)state;
    for (size_t n = 64; n <= 65; n++) {
        size_t len = sizeof text;
        ram_port_begin(&board);
        memset(name, 'r', n);
        name[n] = '\0';
        snprintf(wanted, sizeof wanted, "CN=%s", n == 64 ? name : "localhost");
        assert_int_equal(otapult_identity_own(&id, &board.port, &called, &why), 0);
        read_both();
        assert_int_equal(gnutls_x509_crt_get_dn(crt, text, &len), 0);
        assert_string_equal(text, wanted);
        assert_alternative(1, GNUTLS_SAN_DNSNAME, name, n);
    }
}

static void the_fingerprint_is_the_one_of_browsers(void **state)
{
    char text[OTAPULT_FINGERPRINT], wanted[OTAPULT_FINGERPRINT];
    uint8_t digest[32];
    size_t len = sizeof digest;

    (void)state;
    assert_int_equal(own(), 0);
    read_both();
    assert_int_equal(gnutls_x509_crt_get_fingerprint(crt, GNUTLS_DIG_SHA256, digest, &len), 0);
    for (size_t i = 0; i < len; i++)
        snprintf(wanted + 3 * i, 4, i + 1 < len ? "%02X:" : "%02X", digest[i]);
    otapult_identity_fingerprint(&id, text);
    assert_string_equal(text, wanted);
}

/* Numbers of a signature are written without zeros in front, and with one where the first bit is set. Among
 * these beginnings of chance, found by trying, is one with a zero in front, which is one in 128. */
static void every_signature_is_written_right(void **state)
{
    unsigned sizes[80] = {0};

    (void)state;
    for (unsigned n = 290; n < 320; n++) {
        struct otapult_der d, all, part;
        ram_port_begin(&board);
        board.random = n;
        assert_int_equal(own(), 0);
        read_both();
        d = (struct otapult_der){id.certificate, id.certificate + id.certificate_len};
        assert_true(otapult_der_take(&d, OTAPULT_DER_SEQUENCE, &all));
        assert_true(otapult_der_take(&all, OTAPULT_DER_SEQUENCE, &part));
        assert_true(otapult_der_take(&all, OTAPULT_DER_SEQUENCE, &part));
        assert_true(otapult_der_take(&all, OTAPULT_DER_BIT_STRING, &part));
        sizes[part.end - part.at]++;
    }
    assert_true(sizes[73] > 0 && sizes[72] > 0 && sizes[71] > 0 && sizes[70] > 0);
}

static void mbedtls_takes_both(void **state)
{
    mbedtls_x509_crt certificate;
    mbedtls_pk_context private;
    uint32_t verdict = 1;

    (void)state;
    assert_int_equal(own(), 0);
    mbedtls_x509_crt_init(&certificate);
    mbedtls_pk_init(&private);
    assert_int_equal(mbedtls_x509_crt_parse(&certificate, id.certificate, id.certificate_len), 0);
    assert_int_equal(mbedtls_pk_parse_key(&private, id.key, id.key_len, NULL, 0 WITH_RANDOM), 0);
    assert_int_equal(mbedtls_pk_check_pair(&certificate.pk, &private WITH_RANDOM), 0);
    assert_int_equal(
        mbedtls_x509_crt_verify(&certificate, &certificate, NULL, "rover.local", &verdict, NULL, NULL), 0);
    mbedtls_x509_crt_free(&certificate);
    mbedtls_pk_free(&private);
}

/* ---- kept ---- */

/* It is written from the end of its room and then moved to the beginning. */
static void no_second_copy_of_the_key_is_left(void **state)
{
    (void)state;
    memset(&id, 0xA5, sizeof id);
    assert_int_equal(own(), 0);
    for (size_t i = id.key_len; i < sizeof id.key; i++)
        assert_int_equal(id.key[i], 0);
}

static void it_is_made_once(void **state)
{
    static struct otapult_identity first;

    (void)state;
    assert_int_equal(own(), 0);
    first = id;
    unsigned writes = board.writes;
    memset(&id, 0xA5, sizeof id);
    board.random_error = OTAPULT_E_INTERNAL; /* nothing is drawn any more */
    assert_int_equal(own(), 0);
    assert_int_equal(id.key_len, first.key_len);
    assert_memory_equal(id.key, first.key, first.key_len);
    assert_int_equal(id.certificate_len, first.certificate_len);
    assert_memory_equal(id.certificate, first.certificate, first.certificate_len);
    assert_int_equal(board.writes, writes);
}

/* Every length there is, the multiples of a part among them: what was stored is what is loaded. What does not
 * fit is an error, and not cut. */
static void any_length_is_kept_whole(void **state)
{
    static char name[900];
    const char *const one[] = {name, NULL};
    const struct otapult_identity_for for_one = {one, NULL, 0};
    unsigned made = 0, refused = 0, even = 0;

    (void)state;
    ram_port_begin(&board);
    for (size_t len = 1; len < sizeof name - 1; len++) {
        name[len - 1] = 'a';
        assert_int_equal(board.port.kv_set(&board, "tls.crta", "x", 1), 0);
        if (otapult_identity_own(&id, &board.port, &for_one, &why) != 0) {
            refused++;
            continue;
        }
        assert_int_equal(refused, 0);
        made++;
        even += id.certificate_len % OTAPULT_IDENTITY_PART == 0;
        unsigned writes = board.writes;
        assert_int_equal(otapult_identity_own(&id, &board.port, &for_one, &why), 0);
        assert_int_equal(board.writes, writes);
    }
    assert_true(made > 400 && refused > 20 && even > 0);
    assert_string_equal(why.text, "no certificate could be made");
}

static uint8_t pin[32];

static void take_pin(uint8_t to[32])
{
    size_t len = 32;

    read_both();
    assert_int_equal(gnutls_x509_privkey_get_key_id(key, GNUTLS_KEYID_USE_SHA256, to, &len), 0);
}

static unsigned sets, cut_at;

static void count_sets(void *ctx, const char *name)
{
    struct ram_port *p = ctx;

    (void)name;
    if (++sets == cut_at)
        p->set_error = OTAPULT_E_STORE; /* and every later one: no code runs any more */
}

/* Power goes before the store's nth change, for every n. The next start has a whole pair, the same at the
 * one after it, and a key that was stored once stays. */
static void cut_everywhere(const struct ram_port *before, bool key_is_there)
{
    for (cut_at = 1;; cut_at++) {
        uint8_t now[32];
        board = *before;
        board.port.ctx = &board;
        board.before_set = count_sets;
        board.before_ctx = &board;
        sets = 0;
        bool was_cut = own() != 0;
        board.before_set = NULL;
        board.set_error = 0;
        assert_int_equal(own(), 0);
        take_pin(now);
        if (key_is_there)
            assert_memory_equal(now, pin, sizeof pin);
        unsigned writes = board.writes;
        assert_int_equal(own(), 0);
        assert_int_equal(board.writes, writes);
        if (!was_cut)
            break;
        key_is_there = key_is_there || cut_at > 1;
        memcpy(pin, now, sizeof pin);
    }
    assert_true(cut_at > 3);
}

static void power_may_go_at_the_first_start(void **state)
{
    static struct ram_port fresh;

    (void)state;
    fresh = board;
    cut_everywhere(&fresh, false);
}

/* Another certificate of the same length is on its way into the same places: parts of both lie there then. */
static void power_may_go_while_one_is_replaced(void **state)
{
    static struct ram_port damaged;

    (void)state;
    assert_int_equal(own(), 0);
    take_pin(pin);
    id.certificate[200] ^= 1;
    assert_int_equal(board.port.kv_set(&board, "tls.crta", id.certificate, OTAPULT_IDENTITY_PART), 0);
    damaged = board;
    cut_everywhere(&damaged, true);
}

/* The second part of an earlier certificate behind the first of this one: in form all is well. */
static void parts_of_two_certificates_are_none(void **state)
{
    static struct otapult_identity first;
    uint8_t now[32];

    (void)state;
    assert_int_equal(own(), 0);
    take_pin(pin);
    first = id;
    do { /* until both are of one length */
        assert_int_equal(board.port.kv_set(&board, "tls.crta", "x", 1), 0);
        assert_int_equal(own(), 0);
    } while (id.certificate_len != first.certificate_len);
    assert_int_equal(board.port.kv_set(&board, "tls.crta", first.certificate, OTAPULT_IDENTITY_PART), 0);
    unsigned writes = board.writes;
    assert_int_equal(own(), 0);
    assert_true(board.writes > writes);
    take_pin(now);
    assert_memory_equal(now, pin, sizeof pin);
}

static void any_damaged_byte_is_noticed(void **state)
{
    static struct ram_port whole;
    char name[] = "tls.crt?";
    uint8_t key_der[OTAPULT_IDENTITY_PART];

    (void)state;
    assert_int_equal(own(), 0);
    memcpy(key_der, id.key, sizeof key_der);
    whole = board;
    for (name[7] = 'a'; name[7] <= 'c'; name[7]++) {
        size_t len;
        const uint8_t *value = ram_port_value(&whole, name, &len);
        for (size_t at = 0; at < len; at++) {
            uint8_t changed[OTAPULT_IDENTITY_PART];
            board = whole;
            board.port.ctx = &board;
            memcpy(changed, value, len);
            changed[at] ^= (uint8_t)(1u << at % 8);
            assert_int_equal(board.port.kv_set(&board, name, changed, len), 0);
            unsigned writes = board.writes;
            assert_int_equal(own(), 0);
            assert_true(board.writes > writes);
            assert_memory_equal(id.key, key_der, id.key_len);
        }
    }
}

/* As the virtual board made them before the core did. */
static void store_one_of_gnutls(unsigned version)
{
    uint8_t der[1024];
    size_t len = sizeof der;

    assert_int_equal(gnutls_x509_privkey_generate(key, GNUTLS_PK_ECDSA,
                                                  GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0),
                     0);
    assert_int_equal(gnutls_x509_privkey_export(key, GNUTLS_X509_FMT_DER, der, &len), 0);
    assert_int_equal(board.port.kv_set(&board, "tls.key", der, len), 0);
    assert_int_equal(gnutls_x509_crt_set_version(crt, version), 0);
    assert_int_equal(gnutls_x509_crt_set_serial(crt, "\x41\x42", 2), 0);
    assert_int_equal(gnutls_x509_crt_set_activation_time(crt, 1735689600), 0);
    assert_int_equal(gnutls_x509_crt_set_expiration_time(crt, GNUTLS_X509_NO_WELL_DEFINED_EXPIRATION), 0);
    assert_int_equal(gnutls_x509_crt_set_dn_by_oid(crt, GNUTLS_OID_X520_COMMON_NAME, 0, "rover", 5), 0);
    assert_int_equal(gnutls_x509_crt_set_key(crt, key), 0);
    assert_int_equal(gnutls_x509_crt_sign2(crt, crt, key, GNUTLS_DIG_SHA256, 0), 0);
    len = sizeof der;
    assert_int_equal(gnutls_x509_crt_export(crt, GNUTLS_X509_FMT_DER, der, &len), 0);
    for (char name[] = "tls.crta"; name[7] <= 'd'; name[7]++) {
        const size_t at = (size_t)(name[7] - 'a') * 256, left = len > at ? len - at : 0;
        assert_int_equal(board.port.kv_set(&board, name, der + at, left < 256 ? left : 256), 0);
    }
}

static void identities_of_earlier_firmware_stay(void **state)
{
    (void)state;
    for (int n = 0; n < 20; n++) {
        uint8_t now[32];
        size_t len = sizeof pin;
        assert_int_equal(forget(NULL), 0);
        assert_int_equal(a_device(NULL), 0);
        store_one_of_gnutls(3);
        assert_int_equal(gnutls_x509_privkey_get_key_id(key, GNUTLS_KEYID_USE_SHA256, pin, &len), 0);
        unsigned writes = board.writes;
        assert_int_equal(own(), 0);
        assert_int_equal(board.writes, writes);
        take_pin(now);
        assert_memory_equal(now, pin, sizeof pin);
    }
}

/* Signed by the right key as it is: browsers want no version but 3. */
static void a_certificate_of_another_form_is_made_anew(void **state)
{
    uint8_t now[32];
    size_t len = sizeof pin;

    (void)state;
    store_one_of_gnutls(1);
    assert_int_equal(gnutls_x509_privkey_get_key_id(key, GNUTLS_KEYID_USE_SHA256, pin, &len), 0);
    unsigned writes = board.writes;
    assert_int_equal(own(), 0);
    assert_true(board.writes > writes);
    read_both();
    assert_int_equal(gnutls_x509_crt_get_version(crt), 3);
    take_pin(now);
    assert_memory_equal(now, pin, sizeof pin);
}

static char unreadable[9];
static int (*real_get)(void *ctx, const char *name, void *dst, size_t cap, size_t *len);

static int get_but_one(void *ctx, const char *name, void *dst, size_t cap, size_t *len)
{
    int err = real_get(ctx, name, dst, cap, len);

    return strcmp(name, unreadable) == 0 ? OTAPULT_E_STORE : err;
}

/* The store says what it holds of it, and that this is wrong. */
static void a_certificate_that_cannot_be_read_is_made_anew(void **state)
{
    (void)state;
    for (char part = 'a'; part <= 'b'; part++) { /* it has no third */
        ram_port_begin(&board);
        assert_int_equal(own(), 0);
        real_get = board.port.kv_get;
        board.port.kv_get = get_but_one;
        snprintf(unreadable, sizeof unreadable, "tls.crt%c", part);
        unsigned writes = board.writes;
        assert_int_equal(own(), 0);
        assert_true(board.writes > writes);
        read_both();
    }
}

/* ---- refusals ---- */

static void assert_refused(int err, const char *text)
{
    static const struct otapult_identity none;

    memset(&id, 0xA5, sizeof id);
    assert_int_equal(own(), err);
    assert_string_equal(why.text, text);
    assert_memory_equal(&id, &none, sizeof id);
}

static void a_damaged_key_is_no_key(void **state)
{
    static struct ram_port whole;

    (void)state;
    assert_int_equal(own(), 0);
    whole = board;
    for (size_t len = 1; len < id.key_len; len += 7) {
        uint8_t cut[OTAPULT_IDENTITY_PART];
        const uint8_t *value = ram_port_value(&whole, "tls.key", &(size_t){0});
        memcpy(cut, value, len);
        board = whole;
        board.port.ctx = &board;
        assert_int_equal(board.port.kv_set(&board, "tls.key", cut, len), 0);
        assert_refused(OTAPULT_E_STORE, "the stored key is damaged; a new password makes another");
        assert_int_equal(own(), OTAPULT_E_STORE);
    }
    const uint8_t junk[OTAPULT_IDENTITY_PART] = {0x30}; /* no longer than a part may be */
    assert_int_equal(board.port.kv_set(&board, "tls.key", junk, sizeof junk), 0);
    assert_refused(OTAPULT_E_STORE, "the stored key is damaged; a new password makes another");
}

static bool drop(void)
{
    bool dropped;

    assert_int_equal(otapult_identity_drop_lost(&board.port, &dropped), 0);
    return dropped;
}

/* Another number would be a key as well, of which nobody has noted the certificate. */
/* The library has room for 32 keys, so a look leaves none behind. */
static void a_good_key_is_looked_at_and_stays(void **state)
{
    (void)state;
    assert_int_equal(own(), 0);
    unsigned writes = board.writes;
    for (unsigned n = 0; n < 100; n++)
        assert_false(drop());
    assert_int_equal(board.writes, writes);
    assert_int_equal(board.port.kv_set(&board, "tls.key", "x", 1), 0); /* one byte is none */
    assert_true(drop());
    assert_int_equal(own(), 0);
}

/* In form all is well. The curve has no point for it. */
static void a_key_beyond_the_curve_is_damaged(void **state)
{
    uint8_t der[OTAPULT_IDENTITY_PART];

    (void)state;
    assert_int_equal(own(), 0);
    const size_t len = id.key_len;
    memcpy(der, id.key, len);
    memset(der + 7, 0xFF, 32); /* the number: behind the sequence's head, the version, its own head */
    assert_int_equal(board.port.kv_set(&board, "tls.key", der, len), 0);
    assert_refused(OTAPULT_E_STORE, "the stored key is damaged; a new password makes another");
    assert_true(drop());
    assert_int_equal(own(), 0);
}

static void every_flipped_bit_of_a_key_is_noticed_and_the_owner_makes_another(void **state)
{
    static struct ram_port whole;
    struct otapult_identity first;

    (void)state;
    assert_false(drop()); /* there is none yet */
    assert_int_equal(own(), 0);
    assert_false(drop());
    first = id;
    whole = board;
    for (size_t bit = 0; bit < 8u * first.key_len; bit++) {
        uint8_t key_of_it[OTAPULT_IDENTITY_PART];
        memcpy(key_of_it, first.key, first.key_len);
        key_of_it[bit / 8] ^= (uint8_t)(1u << bit % 8);
        board = whole;
        board.port.ctx = &board;
        assert_int_equal(board.port.kv_set(&board, "tls.key", key_of_it, first.key_len), 0);
        assert_int_equal(own(), OTAPULT_E_STORE);
        assert_int_equal(own(), OTAPULT_E_STORE); /* never by itself */
        assert_true(drop());
        if (bit % 101 != 0)
            continue;
        assert_int_equal(own(), 0);
        assert_memory_not_equal(first.key, id.key, id.key_len);
        assert_false(drop());
    }
}

static void a_store_that_fails_is_no_identity(void **state)
{
    (void)state;
    board.get_error = OTAPULT_E_STORE;
    assert_refused(OTAPULT_E_STORE,
                   "the store cannot be read; if its key is lost, a new password makes another");
    board.get_error = 0;
    board.set_error = OTAPULT_E_STORE;
    assert_refused(OTAPULT_E_STORE, "the key could not be stored");
    board.set_error = 0;
    assert_int_equal(own(), 0);
    assert_int_equal(board.port.kv_set(&board, "tls.crta", "x", 1), 0);
    board.set_error = OTAPULT_E_STORE;
    assert_refused(OTAPULT_E_STORE, "the certificate could not be stored");
}

static void without_random_numbers_nothing_is_made(void **state)
{
    (void)state;
    board.random_error = OTAPULT_E_INTERNAL;
    assert_refused(OTAPULT_E_INTERNAL, "no key could be made");
    assert_int_equal(board.writes, 0);
    board.random_error = 0;
    assert_int_equal(own(), 0);
    assert_int_equal(board.port.kv_set(&board, "tls.crta", "x", 1), 0);
    board.random_error = OTAPULT_E_INTERNAL;
    assert_refused(OTAPULT_E_INTERNAL, "no certificate could be made");
}

static unsigned ones;

/* Above the curve's order for the first `ones` times. */
static int random_ones(void *ctx, void *dst, size_t len)
{
    (void)ctx;
    memset(dst, ones > 0 ? 0xFF : 0x5A, len);
    ones -= ones > 0;
    return 0;
}

static void a_number_that_is_no_key_is_not_used(void **state)
{
    (void)state;
    board.port.random = random_ones;
    ones = 2;
    assert_int_equal(own(), 0);
    read_both();
    assert_int_equal(ones, 0);
    ram_port_begin(&board);
    board.port.random = random_ones;
    ones = 1000;
    assert_refused(OTAPULT_E_INTERNAL, "no key could be made");
    assert_int_equal(board.writes, 0);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, a_device, forget)
    const struct CMUnitTest tests[] = {
        TEST(gnutls_reads_what_was_asked_for),
        TEST(without_names_it_is_for_localhost),
        TEST(a_name_longer_than_a_common_name_may_be_is_none),
        TEST(mbedtls_takes_both),
        TEST(the_fingerprint_is_the_one_of_browsers),
        TEST(every_signature_is_written_right),
        TEST(no_second_copy_of_the_key_is_left),
        TEST(it_is_made_once),
        TEST(any_length_is_kept_whole),
        TEST(power_may_go_at_the_first_start),
        TEST(power_may_go_while_one_is_replaced),
        TEST(parts_of_two_certificates_are_none),
        TEST(any_damaged_byte_is_noticed),
        TEST(identities_of_earlier_firmware_stay),
        TEST(a_certificate_of_another_form_is_made_anew),
        TEST(a_certificate_that_cannot_be_read_is_made_anew),
        TEST(a_damaged_key_is_no_key),
        TEST(a_good_key_is_looked_at_and_stays),
        TEST(a_key_beyond_the_curve_is_damaged),
        TEST(every_flipped_bit_of_a_key_is_noticed_and_the_owner_makes_another),
        TEST(a_store_that_fails_is_no_identity),
        TEST(without_random_numbers_nothing_is_made),
        TEST(a_number_that_is_no_key_is_not_used),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
