/* SPDX-License-Identifier: Apache-2.0 */
#include "key.h"

#include <errno.h>
#include <fcntl.h>
#include <mbedtls/pk.h>
#include <mbedtls/version.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "fault.h"
#include "regular_file.h"
#include "say.h"
#include "trust/der.h"

/* Keys in the two forms that a signature needs: PSA signs with the private one, and the block carries the
 * public one as the chip's ROM reads it (ESP-IDF, "Secure Boot v2"): little-endian, and for RSA with the two
 * constants of Montgomery's multiplication, which the ROM does not compute. */

#define PEM_MAX 8192u
#define DER_MAX 4096u
#define LIMBS   96u /* of an RSA-3072 modulus */

static const char *const words[OTAPULT_SCHEMES] = {
    [OTAPULT_RSA_3072] = "rsa3072",
    [OTAPULT_ECDSA_P256] = "ecdsa256",
    [OTAPULT_ECDSA_P384] = "ecdsa384",
};

const char *key_scheme_word(enum otapult_signature_scheme scheme)
{
    return words[scheme];
}

static bool fail(const char *path, const char *why)
{
    complain("%s: %s", say_clean(path), why);
    return false;
}

static bool no_key(const char *path, const char *why)
{
    trouble_say(TROUBLE_NO_KEY, "file", path, why);
    return false;
}

/* ---- the public key, as a block has it ---- */

static void put_reversed(uint8_t *dst, const uint8_t *src, size_t n)
{
    for (size_t i = 0; i < n; i++)
        dst[i] = src[n - 1 - i];
}

/* r = 2r mod n; n has its top bit set, and r < n. Lowest limb first. */
static void double_modulo(uint32_t r[LIMBS], const uint32_t n[LIMBS])
{
    uint32_t less[LIMBS], carry = 0;
    uint64_t borrow = 0;

    for (unsigned i = 0; i < LIMBS; i++) {
        uint32_t top = r[i] >> 31;
        r[i] = r[i] << 1 | carry;
        carry = top;
    }
    for (unsigned i = 0; i < LIMBS; i++) {
        uint64_t d = (uint64_t)r[i] - n[i] - borrow;
        less[i] = (uint32_t)d;
        borrow = d >> 63;
    }
    if (carry != 0 || borrow == 0)
        memcpy(r, less, sizeof less);
}

/* R^2 mod n, R = 2^3072: what the chip's Montgomery multiplication starts from. */
static void put_r_squared(uint8_t *dst, const uint8_t *modulus)
{
    uint32_t n[LIMBS], r[LIMBS] = {1};

    for (unsigned i = 0; i < LIMBS; i++)
        n[i] = otapult_le32(modulus + 4 * i);
    for (unsigned i = 0; i < 2 * 32 * LIMBS; i++)
        double_modulo(r, n);
    for (unsigned i = 0; i < LIMBS; i++)
        otapult_put_le32(dst + 4 * i, r[i]);
}

/* -1/n modulo 2^32; each step doubles the bits that are right. */
static uint32_t minus_inverse(uint32_t n)
{
    uint32_t x = n;

    for (int i = 0; i < 5; i++)
        x *= 2 - n * x;
    return 0 - x;
}

/* RSAPublicKey: n and e. */
static bool put_rsa(struct otapult_der public_key, struct key *out)
{
    uint8_t n[384], e[4];
    struct otapult_der numbers;

    if (!otapult_der_take(&public_key, OTAPULT_DER_SEQUENCE, &numbers) ||
        !otapult_der_take_number(&numbers, OTAPULT_DER_INTEGER, n, sizeof n) ||
        !otapult_der_take_number(&numbers, OTAPULT_DER_INTEGER, e, sizeof e) || n[0] < 0x80 ||
        (n[383] & 1) == 0)
        return false;
    out->scheme = OTAPULT_RSA_3072;
    put_reversed(out->bytes, n, 384);
    put_reversed(out->bytes + 384, e, 4);
    put_r_squared(out->bytes + 388, out->bytes);
    otapult_put_le32(out->bytes + 772, minus_inverse(otapult_le32(out->bytes)));
    return true;
}

/* An uncompressed point: 4, X, Y. */
static bool put_point(struct otapult_der point, enum otapult_signature_scheme scheme, struct key *out)
{
    const struct otapult_signature_layout *l = otapult_signature_layout(scheme);

    if (point.end - point.at != l->key_size || point.at[0] != 4)
        return false;
    out->scheme = scheme;
    out->bytes[0] = l->curve;
    put_reversed(out->bytes + 1, point.at + 1, l->number_size);
    put_reversed(out->bytes + 1 + l->number_size, point.at + 1 + l->number_size, l->number_size);
    return true;
}

/* AlgorithmIdentifiers, what is in the SEQUENCE: RFC 3279, RFC 5480. */
static const struct algorithm {
    uint8_t len, bytes[19];
    enum otapult_signature_scheme scheme;
} algorithms[] = {
    {13, {0x06, 0x09, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, 0x01, 0x05, 0x00}, OTAPULT_RSA_3072},
    {19,
     {0x06, 0x07, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x02, 0x01, 0x06, 0x08, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03,
      0x01, 0x07},
     OTAPULT_ECDSA_P256},
    {16,
     {0x06, 0x07, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x02, 0x01, 0x06, 0x05, 0x2B, 0x81, 0x04, 0x00, 0x22},
     OTAPULT_ECDSA_P384},
};

static bool put_public(struct otapult_der spki, struct key *out)
{
    struct otapult_der key, algorithm, bits;

    if (!otapult_der_take(&spki, OTAPULT_DER_SEQUENCE, &key) ||
        !otapult_der_take(&key, OTAPULT_DER_SEQUENCE, &algorithm) || !otapult_der_take_bits(&key, &bits))
        return false;
    for (size_t i = 0; i < sizeof algorithms / sizeof *algorithms; i++) {
        const struct algorithm *a = &algorithms[i];
        if (algorithm.end - algorithm.at != a->len || memcmp(algorithm.at, a->bytes, a->len) != 0)
            continue;
        return a->scheme == OTAPULT_RSA_3072 ? put_rsa(bits, out) : put_point(bits, a->scheme, out);
    }
    return false;
}

static bool take_public(mbedtls_pk_context *pk, struct key *out)
{
    uint8_t der[DER_MAX];
    int len = mbedtls_pk_write_pubkey_der(pk, der, sizeof der); /* at the end of the buffer */

    return len > 0 && put_public((struct otapult_der){der + sizeof der - len, der + sizeof der}, out);
}

/* ---- the private key, for PSA ---- */

static const struct {
    psa_key_type_t type;
    size_t bits;
    psa_algorithm_t alg;
} kinds[OTAPULT_SCHEMES] = {
    [OTAPULT_RSA_3072] = {PSA_KEY_TYPE_RSA_KEY_PAIR, 3072, PSA_ALG_RSA_PSS(PSA_ALG_SHA_256)},
    [OTAPULT_ECDSA_P256] = {PSA_KEY_TYPE_ECC_KEY_PAIR(PSA_ECC_FAMILY_SECP_R1), 256,
                            PSA_ALG_ECDSA(PSA_ALG_SHA_256)},
    [OTAPULT_ECDSA_P384] = {PSA_KEY_TYPE_ECC_KEY_PAIR(PSA_ECC_FAMILY_SECP_R1), 384,
                            PSA_ALG_ECDSA(PSA_ALG_SHA_384)},
};

static psa_key_attributes_t attributes_of(enum otapult_signature_scheme scheme, psa_key_usage_t usage)
{
    psa_key_attributes_t attributes = psa_key_attributes_init();

    psa_set_key_type(&attributes, kinds[scheme].type);
    psa_set_key_bits(&attributes, kinds[scheme].bits);
    psa_set_key_algorithm(&attributes, kinds[scheme].alg);
    psa_set_key_usage_flags(&attributes, usage);
    return attributes;
}

/* Finds the part of mbedTLS's DER that PSA imports: all of PKCS#1, but of SEC 1 only the number. */
static bool private_part(struct otapult_der whole, enum otapult_signature_scheme scheme,
                         struct otapult_der *out)
{
    struct otapult_der in, version;

    *out = whole;
    if (scheme == OTAPULT_RSA_3072)
        return true;
    return otapult_der_take(&whole, OTAPULT_DER_SEQUENCE, &in) &&
           otapult_der_take(&in, OTAPULT_DER_INTEGER, &version) &&
           otapult_der_take(&in, OTAPULT_DER_OCTET_STRING, out) &&
           (size_t)(out->end - out->at) == kinds[scheme].bits / 8;
}

static bool take_private(mbedtls_pk_context *pk, struct key *out)
{
    uint8_t der[DER_MAX];
    struct otapult_der part;
    psa_key_attributes_t attributes = attributes_of(out->scheme, PSA_KEY_USAGE_SIGN_HASH);

    int len = mbedtls_pk_write_key_der(pk, der, sizeof der);
    bool ok =
        len > 0 &&
        private_part((struct otapult_der){der + sizeof der - len, der + sizeof der}, out->scheme, &part) &&
        psa_import_key(&attributes, part.at, (size_t)(part.end - part.at), &out->id) == PSA_SUCCESS;
    explicit_bzero(der, sizeof der);
    out->has_private = ok;
    return ok;
}

/* ---- PEM ---- */

#if MBEDTLS_VERSION_MAJOR == 3
static int take_random(void *ctx, unsigned char *dst, size_t len)
{
    (void)ctx;
    return psa_generate_random(dst, len) == PSA_SUCCESS ? 0 : -1;
}
#define WITH_RANDOM , take_random, NULL
#else
#define WITH_RANDOM
#endif

/* Unbuffered, so that no copy is left in memory that nobody wipes. */
static bool read_text(const char *path, char *text, size_t cap)
{
    FILE *f = regular_file_open(path);

    if (f == NULL)
        return no_key(path, regular_file_words(errno));
    setvbuf(f, NULL, _IONBF, 0);
    size_t len = fread(text, 1, cap - 1, f);
    bool ok = !ferror(f) && len < cap - 1;
    fclose(f);
    text[len] = '\0';
    return ok ? true : no_key(path, "it is too long, or cannot be read");
}

static const char *parse(mbedtls_pk_context *pk, const char *text, bool sign, bool *is_private)
{
    const unsigned char *bytes = (const unsigned char *)text;
    size_t len = strlen(text) + 1;

    *is_private = strstr(text, "PRIVATE KEY-----") != NULL;
    if (strstr(text, "ENCRYPTED") != NULL)
        return "an encrypted key; decrypt it, or sign with --sign-command";
    if (sign && !*is_private)
        return "no private key in PEM";
    int err = *is_private ? mbedtls_pk_parse_key(pk, bytes, len, NULL, 0 WITH_RANDOM)
                          : mbedtls_pk_parse_public_key(pk, bytes, len);
    return err == 0 ? NULL : "no key in PEM that can be read";
}

static const char *take_key(mbedtls_pk_context *pk, bool with_private, struct key *out)
{
    if (!take_public(pk, out))
        return "neither RSA-3072 nor ECDSA P-256 nor P-384";
    return !with_private || take_private(pk, out) ? NULL : "the crypto library does not take this key";
}

bool key_read(const char *path, bool sign, struct key *out)
{
    char text[PEM_MAX];
    mbedtls_pk_context pk;
    bool is_private = false;

    *out = (struct key){0};
    if (!read_text(path, text, sizeof text)) {
        explicit_bzero(text, sizeof text);
        return false;
    }
    mbedtls_pk_init(&pk);
    const char *why = parse(&pk, text, sign, &is_private);
    if (why == NULL)
        why = take_key(&pk, sign, out);
    mbedtls_pk_free(&pk);
    explicit_bzero(text, sizeof text);
    return why == NULL ? true : no_key(path, why);
}

void key_free(struct key *k)
{
    if (k->has_private)
        (void)psa_destroy_key(k->id);
    k->has_private = false;
}

/* ---- making one ---- */

/* The number of an ECDSA key as SEC 1's ECPrivateKey, from which mbedTLS finds the public half: SEQUENCE,
 * version 1, OCTET STRING, [0] with the curve. */
static size_t wrap_number(uint8_t *der, size_t size, enum otapult_signature_scheme scheme)
{
    static const uint8_t curve_256[] = {0xA0, 0x0A, 0x06, 0x08, 0x2A, 0x86,
                                        0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07};
    static const uint8_t curve_384[] = {0xA0, 0x07, 0x06, 0x05, 0x2B, 0x81, 0x04, 0x00, 0x22};
    const uint8_t *curve = scheme == OTAPULT_ECDSA_P256 ? curve_256 : curve_384;
    size_t curve_len = scheme == OTAPULT_ECDSA_P256 ? sizeof curve_256 : sizeof curve_384;
    const uint8_t head[] = {OTAPULT_DER_SEQUENCE,
                            (uint8_t)(5 + size + curve_len),
                            OTAPULT_DER_INTEGER,
                            1,
                            1,
                            OTAPULT_DER_OCTET_STRING,
                            (uint8_t)size};

    memmove(der + sizeof head, der, size);
    memcpy(der, head, sizeof head);
    memcpy(der + sizeof head + size, curve, curve_len);
    return sizeof head + size + curve_len;
}

/* A new private key as PEM. */
static bool make_pem(enum otapult_signature_scheme scheme, char pem[PEM_MAX], struct key *out)
{
    uint8_t der[DER_MAX];
    size_t len = 0;
    mbedtls_svc_key_id_t id;
    mbedtls_pk_context pk;
    psa_key_attributes_t attributes = attributes_of(scheme, PSA_KEY_USAGE_EXPORT);

    if (psa_generate_key(&attributes, &id) != PSA_SUCCESS)
        return false;
    bool ok = psa_export_key(id, der, sizeof der, &len) == PSA_SUCCESS;
    (void)psa_destroy_key(id);
    if (ok && scheme != OTAPULT_RSA_3072)
        len = wrap_number(der, len, scheme);
    mbedtls_pk_init(&pk);
    ok = ok && mbedtls_pk_parse_key(&pk, der, len, NULL, 0 WITH_RANDOM) == 0 &&
         mbedtls_pk_write_key_pem(&pk, (unsigned char *)pem, PEM_MAX) == 0 && take_public(&pk, out);
    mbedtls_pk_free(&pk);
    explicit_bzero(der, sizeof der);
    return ok;
}

static bool write_new(const char *path, const char *text)
{
    size_t len = strlen(text);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

    if (fd < 0)
        return fail(path, errno == EEXIST ? "is there already; a key is never overwritten" : strerror(errno));
    bool ok = fchmod(fd, 0600) == 0 && write(fd, text, len) == (ssize_t)len && fsync(fd) == 0;
    ok = close(fd) == 0 && ok;
    if (ok)
        return true;
    unlink(path);
    return fail(path, "cannot be written");
}

bool key_generate(const char *path, enum otapult_signature_scheme scheme, struct key *out)
{
    char pem[PEM_MAX];

    *out = (struct key){0};
    bool ok = make_pem(scheme, pem, out) || fail(path, "the crypto library makes no such key");
    ok = ok && write_new(path, pem);
    explicit_bzero(pem, sizeof pem);
    return ok;
}

/* ---- using one ---- */

bool key_digest(const struct key *k, uint8_t digest[OTAPULT_KEY_DIGEST])
{
    size_t len = 0;

    return psa_hash_compute(PSA_ALG_SHA_256, k->bytes, otapult_signature_layout(k->scheme)->key_size, digest,
                            OTAPULT_KEY_DIGEST, &len) == PSA_SUCCESS &&
           len == OTAPULT_KEY_DIGEST;
}

bool key_sign(const struct key *k, const uint8_t *digest, uint8_t signature[384])
{
    const struct otapult_signature_layout *l = otapult_signature_layout(k->scheme);
    size_t len = 0;

    return psa_sign_hash(k->id, kinds[k->scheme].alg, digest, l->digest_size, signature, 384, &len) ==
               PSA_SUCCESS &&
           len == l->signature_size;
}
