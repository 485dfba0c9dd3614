/* SPDX-License-Identifier: Apache-2.0 */
#include "trust/certificate.h"

#include <psa/crypto.h>
#include <string.h>

#include "trust/der.h"
#include "trust/secret.h"

/* The device's own key and certificate: X.509 (RFC 5280) for a key on P-256, in as few bytes of DER as
 * browsers take. It is signed by nobody but itself, so a client can trust nothing but the fact that it is the
 * same as before. So it is made once and kept. A damaged certificate is made again for the same key; a
 * damaged key is an error, because another one would look to every client like an attacker's. */

#define PART        OTAPULT_IDENTITY_PART
#define PARTS       OTAPULT_IDENTITY_PARTS
#define NUMBER      32u                /* bytes of a number of P-256 */
#define POINT       (1u + 2u * NUMBER) /* 4, X, Y */
#define SIGNING     PSA_ALG_DETERMINISTIC_ECDSA(PSA_ALG_SHA_256)
#define SERIAL      16u
#define SUBJECT_MAX 64u /* of a common name, RFC 5280 */
#define TAIL        96u /* room for what stands behind the part that is signed */
#define TAIL_MOST   87u /* what that takes: the algorithm, 12, and a signature with its headers */
#define KEY_TRIES   4u  /* one number in 2^32 is none */

_Static_assert(TAIL > TAIL_MOST, "the last part of a certificate is never full: it says where the end is");

/* A key while it is used: PSA's handle, and its public half. */
struct pair {
    mbedtls_svc_key_id_t key;
    uint8_t point[POINT];
};

static int fail(struct otapult_finding *why, int err, const char *text)
{
    *why = (struct otapult_finding){.text = text};
    return err;
}

/* ---- what is the same in all of them ---- */

static const uint8_t curve[] = {0x06, 0x08, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07}; /* P-256 */

/* SubjectPublicKeyInfo of a P-256 key, up to its point */
static const uint8_t public_key[] = {0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2A, 0x86, 0x48,
                                     0xCE, 0x3D, 0x02, 0x01, 0x06, 0x08, 0x2A, 0x86, 0x48,
                                     0xCE, 0x3D, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00};

static const uint8_t ecdsa_sha256[] = {0x30, 0x0A, 0x06, 0x08, 0x2A, 0x86,
                                       0x48, 0xCE, 0x3D, 0x04, 0x03, 0x02};

static const uint8_t version_3[] = {0xA0, 0x03, 0x02, 0x01, 0x02};

/* Up to 2049 RFC 5280 wants two digits for a year. */
static const char validity[] = "\x30\x20\x17\x0D"
                               "250101000000Z"
                               "\x18\x0F"
                               "99991231235959Z";

static const uint8_t common_name[] = {0x06, 0x03, 0x55, 0x04, 0x03};

/* keyUsage, critical: digitalSignature; extKeyUsage: serverAuth */
static const uint8_t usage[] = {0x30, 0x0E, 0x06, 0x03, 0x55, 0x1D, 0x0F, 0x01, 0x01, 0xFF, 0x04, 0x04, 0x03,
                                0x02, 0x07, 0x80, 0x30, 0x13, 0x06, 0x03, 0x55, 0x1D, 0x25, 0x04, 0x0C, 0x30,
                                0x0A, 0x06, 0x08, 0x2B, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x01};

static const uint8_t alternative_names[] = {0x06, 0x03, 0x55, 0x1D, 0x11};

/* ---- the key ---- */

/* 0; STORE: that number is no key; INTERNAL: nobody can tell. */
static int import_key(struct pair *p, const uint8_t number[NUMBER])
{
    psa_key_attributes_t attributes = psa_key_attributes_init();
    size_t len = 0;

    psa_set_key_type(&attributes, PSA_KEY_TYPE_ECC_KEY_PAIR(PSA_ECC_FAMILY_SECP_R1));
    psa_set_key_bits(&attributes, 8 * NUMBER);
    psa_set_key_usage_flags(&attributes, PSA_KEY_USAGE_SIGN_HASH | PSA_KEY_USAGE_VERIFY_HASH);
    psa_set_key_algorithm(&attributes, SIGNING);
    psa_status_t status = psa_import_key(&attributes, number, NUMBER, &p->key);
    if (status != PSA_SUCCESS)
        return status == PSA_ERROR_INVALID_ARGUMENT ? OTAPULT_E_STORE : OTAPULT_E_INTERNAL;
    if (psa_export_public_key(p->key, p->point, sizeof p->point, &len) == PSA_SUCCESS && len == POINT)
        return 0;
    (void)psa_destroy_key(p->key);
    return OTAPULT_E_INTERNAL;
}

static uint16_t write_key(uint8_t dst[PART], const uint8_t number[NUMBER], const uint8_t point[POINT])
{
    static const uint8_t version_1[] = {OTAPULT_DER_INTEGER, 1, 1};
    uint8_t *end = dst + PART;
    struct otapult_der_writer w = {dst, end, false};

    otapult_der_put(&w, point, POINT);
    otapult_der_put(&w, "", 1); /* no bits of the last byte are unused */
    otapult_der_wrap(&w, OTAPULT_DER_BIT_STRING, end);
    otapult_der_wrap(&w, OTAPULT_DER_EXPLICIT(1), end);
    const uint8_t *mark = w.at;
    otapult_der_put(&w, curve, sizeof curve);
    otapult_der_wrap(&w, OTAPULT_DER_EXPLICIT(0), mark);
    mark = w.at;
    otapult_der_put(&w, number, NUMBER);
    otapult_der_wrap(&w, OTAPULT_DER_OCTET_STRING, mark);
    otapult_der_put(&w, version_1, sizeof version_1);
    otapult_der_wrap(&w, OTAPULT_DER_SEQUENCE, end);
    const size_t len = (size_t)(end - w.at);
    memmove(dst, w.at, len);
    otapult_forget(dst + len, PART - len);
    return (uint16_t)len;
}

/* ECPrivateKey of this curve: the number, and the point that belongs to it, if the key is whole. */
static bool parse_key(const uint8_t *der, size_t len, uint8_t number[NUMBER], const uint8_t **point)
{
    struct otapult_der d = {der, der + len}, key, part, bits;
    uint8_t version;

    if (!otapult_der_take(&d, OTAPULT_DER_SEQUENCE, &key) || d.at != d.end ||
        !otapult_der_take_number(&key, OTAPULT_DER_INTEGER, &version, 1) || version != 1 ||
        !otapult_der_take_number(&key, OTAPULT_DER_OCTET_STRING, number, NUMBER) ||
        !otapult_der_take(&key, OTAPULT_DER_EXPLICIT(0), &part) ||
        (size_t)(part.end - part.at) != sizeof curve || memcmp(part.at, curve, sizeof curve) != 0 ||
        !otapult_der_take(&key, OTAPULT_DER_EXPLICIT(1), &part) || key.at != key.end ||
        !otapult_der_take_bits(&part, &bits) || part.at != part.end || bits.end - bits.at != POINT)
        return false;
    *point = bits.at;
    return true;
}

/* 0; STORE: it is damaged; INTERNAL: nobody can tell. On an error *p holds no key. */
static int read_key(const uint8_t *der, size_t len, struct pair *p)
{
    uint8_t number[NUMBER];
    const uint8_t *point;

    int err = parse_key(der, len, number, &point) ? import_key(p, number) : OTAPULT_E_STORE;
    otapult_forget(number, sizeof number);
    if (err != 0 || memcmp(point, p->point, POINT) == 0)
        return err;
    (void)psa_destroy_key(p->key);
    return OTAPULT_E_STORE;
}

static bool make_key(struct otapult_identity *id, const struct otapult_port *port, struct pair *p)
{
    uint8_t number[NUMBER];
    bool good = false;

    for (unsigned n = 0; n < KEY_TRIES && !good; n++)
        good = port->random(port->ctx, number, sizeof number) == 0 && import_key(p, number) == 0;
    if (good)
        id->key_len = write_key(id->key, number, p->point);
    otapult_forget(number, sizeof number);
    return good;
}

static int load_key(const struct otapult_port *port, uint8_t key[PART], size_t *len)
{
    *len = 0;
    int err = port->kv_get(port->ctx, OTAPULT_IDENTITY_KEY, key, PART, len);
    return err != 0 || *len > PART ? OTAPULT_E_STORE : 0;
}

/* On an error *p holds no key. */
static int own_key(struct otapult_identity *id, const struct otapult_port *port, struct pair *p,
                   struct otapult_finding *why)
{
    size_t len;

    if (load_key(port, id->key, &len) != 0)
        return fail(why, OTAPULT_E_STORE,
                    "the store cannot be read; if its key is lost, a new password makes another");
    id->key_len = (uint16_t)len;
    int err = len > 0 ? read_key(id->key, len, p) : 0;
    if (err != 0)
        return fail(why, err,
                    err == OTAPULT_E_STORE ? "the stored key is damaged; a new password makes another"
                                           : "crypto does not read the stored key");
    if (len > 0)
        return 0;
    if (!make_key(id, port, p))
        return fail(why, OTAPULT_E_INTERNAL, "no key could be made");
    if (port->kv_set(port->ctx, OTAPULT_IDENTITY_KEY, id->key, id->key_len) == 0)
        return 0;
    (void)psa_destroy_key(p->key);
    return fail(why, OTAPULT_E_STORE, "the key could not be stored");
}

int otapult_identity_drop_lost(const struct otapult_port *port, bool *dropped)
{
    uint8_t key[PART];
    struct pair p;
    size_t len;

    int err = load_key(port, key, &len);
    if (err == 0 && len > 0) {
        err = read_key(key, len, &p);
        if (err == 0)
            (void)psa_destroy_key(p.key);
    }
    otapult_forget(key, sizeof key);
    *dropped = err == OTAPULT_E_STORE;
    if (*dropped)
        err = port->kv_set(port->ctx, OTAPULT_IDENTITY_KEY, NULL, 0) == 0 ? 0 : OTAPULT_E_STORE;
    return err;
}

/* ---- writing the certificate ---- */

static void put_element(struct otapult_der_writer *w, uint8_t tag, const void *content, size_t len)
{
    const uint8_t *end = w->at;

    otapult_der_put(w, content, len);
    otapult_der_wrap(w, tag, end);
}

static void put_name(struct otapult_der_writer *w, const char *name)
{
    const uint8_t *end = w->at;

    put_element(w, OTAPULT_DER_UTF8, name, strlen(name));
    otapult_der_put(w, common_name, sizeof common_name);
    otapult_der_wrap(w, OTAPULT_DER_SEQUENCE, end);
    otapult_der_wrap(w, OTAPULT_DER_SET, end);
    otapult_der_wrap(w, OTAPULT_DER_SEQUENCE, end);
}

/* RFC 5280, section 4.2.1.6: dNSName is [2], iPAddress [7]. */
static void put_alternative_names(struct otapult_der_writer *w, const struct otapult_identity_for *what)
{
    static const uint8_t ipv4[12] = {[10] = 0xFF, [11] = 0xFF};
    const uint8_t *end = w->at;
    size_t names = 0;

    for (size_t i = what->address_count; i-- > 0;) {
        const uint8_t *a = what->addresses[i];
        const size_t skip = memcmp(a, ipv4, sizeof ipv4) == 0 ? sizeof ipv4 : 0;
        put_element(w, OTAPULT_DER_CONTEXT(7), a + skip, 16 - skip);
    }
    while (what->names != NULL && what->names[names] != NULL)
        names++;
    while (names-- > 0)
        put_element(w, OTAPULT_DER_CONTEXT(2), what->names[names], strlen(what->names[names]));
    put_element(w, OTAPULT_DER_CONTEXT(2), "localhost", 9);
    otapult_der_wrap(w, OTAPULT_DER_SEQUENCE, end);
    otapult_der_wrap(w, OTAPULT_DER_OCTET_STRING, end);
    otapult_der_put(w, alternative_names, sizeof alternative_names);
    otapult_der_wrap(w, OTAPULT_DER_SEQUENCE, end);
}

static const char *subject_of(const struct otapult_identity_for *what)
{
    const char *first = what->names != NULL ? what->names[0] : NULL;

    return first != NULL && strlen(first) <= SUBJECT_MAX ? first : "localhost";
}

/* The part that is signed. */
static void put_content(struct otapult_der_writer *w, const struct otapult_identity_for *what,
                        const uint8_t point[POINT], const uint8_t serial[SERIAL])
{
    const uint8_t *end = w->at;

    put_alternative_names(w, what);
    otapult_der_put(w, usage, sizeof usage);
    otapult_der_wrap(w, OTAPULT_DER_SEQUENCE, end);
    otapult_der_wrap(w, OTAPULT_DER_EXPLICIT(3), end);
    otapult_der_put(w, point, POINT);
    otapult_der_put(w, public_key, sizeof public_key);
    put_name(w, subject_of(what));
    otapult_der_put(w, validity, sizeof validity - 1);
    put_name(w, subject_of(what));
    otapult_der_put(w, ecdsa_sha256, sizeof ecdsa_sha256);
    otapult_der_put_number(w, serial, SERIAL);
    otapult_der_put(w, version_3, sizeof version_3);
    otapult_der_wrap(w, OTAPULT_DER_SEQUENCE, end);
}

/* r and s one after the other, as PSA has them, become an ECDSA-Sig-Value in a BIT STRING. */
static void put_signature(struct otapult_der_writer *w, const uint8_t signature[2 * NUMBER])
{
    const uint8_t *end = w->at;

    otapult_der_put_number(w, signature + NUMBER, NUMBER);
    otapult_der_put_number(w, signature, NUMBER);
    otapult_der_wrap(w, OTAPULT_DER_SEQUENCE, end);
    otapult_der_put(w, "", 1);
    otapult_der_wrap(w, OTAPULT_DER_BIT_STRING, end);
}

static bool sign(const struct pair *p, const uint8_t *content, size_t len, uint8_t signature[2 * NUMBER])
{
    uint8_t digest[32];
    size_t n = 0;

    return psa_hash_compute(PSA_ALG_SHA_256, content, len, digest, sizeof digest, &n) == PSA_SUCCESS &&
           psa_sign_hash(p->key, SIGNING, digest, n, signature, 2 * NUMBER, &n) == PSA_SUCCESS &&
           n == 2 * NUMBER;
}

/* The content is written first, with room behind it for what its signature will take. */
static bool write_certificate(struct otapult_identity *id, const struct otapult_identity_for *what,
                              const struct pair *p, const uint8_t serial[SERIAL])
{
    uint8_t tail[TAIL], signature[2 * NUMBER], *const dst = id->certificate;
    struct otapult_der_writer t = {tail, tail + TAIL, false};
    struct otapult_der_writer w = {dst, dst + sizeof id->certificate - TAIL, false};
    uint8_t *const content_end = w.at;

    put_content(&w, what, p->point, serial);
    if (w.full || !sign(p, w.at, (size_t)(content_end - w.at), signature))
        return false;
    put_signature(&t, signature);
    otapult_der_put(&t, ecdsa_sha256, sizeof ecdsa_sha256);
    const size_t tail_len = (size_t)(tail + TAIL - t.at);
    memcpy(content_end, t.at, tail_len);
    otapult_der_wrap(&w, OTAPULT_DER_SEQUENCE, content_end + tail_len);
    id->certificate_len = (uint16_t)(content_end + tail_len - w.at);
    memmove(dst, w.at, id->certificate_len);
    return !w.full && !t.full;
}

/* ---- reading it ---- */

static bool has_key(struct otapult_der content, const struct pair *p)
{
    static const uint8_t before[] = {OTAPULT_DER_EXPLICIT(0), OTAPULT_DER_INTEGER,  OTAPULT_DER_SEQUENCE,
                                     OTAPULT_DER_SEQUENCE,    OTAPULT_DER_SEQUENCE, OTAPULT_DER_SEQUENCE};
    struct otapult_der skipped;

    for (size_t i = 0; i < sizeof before; i++)
        if (!otapult_der_take(&content, before[i], &skipped))
            return false;
    return (size_t)(content.end - content.at) >= sizeof public_key + POINT &&
           memcmp(content.at, public_key, sizeof public_key) == 0 &&
           memcmp(content.at + sizeof public_key, p->point, POINT) == 0;
}

static bool take_signature(struct otapult_der *d, uint8_t signature[2 * NUMBER])
{
    struct otapult_der algorithm, bits, value;

    return otapult_der_take(d, OTAPULT_DER_SEQUENCE, &algorithm) &&
           (size_t)(algorithm.end - algorithm.at) == sizeof ecdsa_sha256 - 2 &&
           memcmp(algorithm.at, ecdsa_sha256 + 2, sizeof ecdsa_sha256 - 2) == 0 &&
           otapult_der_take_bits(d, &bits) && otapult_der_take(&bits, OTAPULT_DER_SEQUENCE, &value) &&
           otapult_der_take_number(&value, OTAPULT_DER_INTEGER, signature, NUMBER) &&
           otapult_der_take_number(&value, OTAPULT_DER_INTEGER, signature + NUMBER, NUMBER);
}

/* Its own signature is verified as well: a power cut may have left parts of two certificates, which fit
 * together in every other respect. */
static bool is_whole(const uint8_t *der, size_t len, const struct pair *p)
{
    struct otapult_der d = {der, der + len}, all, content;
    uint8_t digest[32], signature[2 * NUMBER];
    size_t n = 0;

    if (!otapult_der_take(&d, OTAPULT_DER_SEQUENCE, &all) || d.at != d.end)
        return false;
    const uint8_t *begin = all.at;
    if (!otapult_der_take(&all, OTAPULT_DER_SEQUENCE, &content) || !has_key(content, p))
        return false;
    const size_t signed_len = (size_t)(all.at - begin);
    return take_signature(&all, signature) && all.at == all.end &&
           psa_hash_compute(PSA_ALG_SHA_256, begin, signed_len, digest, sizeof digest, &n) == PSA_SUCCESS &&
           psa_verify_hash(p->key, SIGNING, digest, n, signature, sizeof signature) == PSA_SUCCESS;
}

/* ---- the store ---- */

static void part_key(unsigned n, char key[9])
{
    memcpy(key, "tls.crt?", 9);
    key[7] = (char)('a' + n);
}

static bool load_certificate(struct otapult_identity *id, const struct otapult_port *port,
                             const struct pair *p)
{
    size_t len = 0, part = PART;
    char key[9];

    for (unsigned n = 0; n < PARTS && part == PART; n++) {
        part_key(n, key);
        if (port->kv_get(port->ctx, key, id->certificate + len, PART, &part) != 0 || part > PART)
            return false;
        len += part;
    }
    id->certificate_len = (uint16_t)len;
    return is_whole(id->certificate, len, p);
}

static bool store_certificate(const struct otapult_identity *id, const struct otapult_port *port)
{
    const uint8_t *der = id->certificate;
    size_t len = id->certificate_len;
    char key[9];

    for (unsigned n = 0; n < PARTS; n++) {
        const size_t part = len < PART ? len : PART;
        part_key(n, key);
        if (port->kv_set(port->ctx, key, der, part) != 0)
            return false;
        der += part;
        len -= part;
    }
    return true;
}

/* ---- the identity ---- */

static int own_certificate(struct otapult_identity *id, const struct otapult_port *port,
                           const struct otapult_identity_for *what, const struct pair *p,
                           struct otapult_finding *why)
{
    uint8_t serial[SERIAL];

    if (load_certificate(id, port, p))
        return 0;
    if (port->random(port->ctx, serial, sizeof serial) != 0)
        return fail(why, OTAPULT_E_INTERNAL, "no certificate could be made");
    serial[0] = (serial[0] & 0x3F) | 0x40; /* a positive number of 16 bytes, with no zero in front */
    if (!write_certificate(id, what, p, serial))
        return fail(why, OTAPULT_E_INTERNAL, "no certificate could be made");
    return store_certificate(id, port) ? 0
                                       : fail(why, OTAPULT_E_STORE, "the certificate could not be stored");
}

/* The key is stored first: a key without a certificate gets one at the next start, a certificate without its
 * key is worth nothing. */
int otapult_identity_own(struct otapult_identity *id, const struct otapult_port *port,
                         const struct otapult_identity_for *what, struct otapult_finding *why)
{
    struct pair p;

    *why = (struct otapult_finding){0};
    int err = psa_crypto_init() == PSA_SUCCESS ? own_key(id, port, &p, why)
                                               : fail(why, OTAPULT_E_INTERNAL, "crypto does not start");
    if (err == 0) {
        err = own_certificate(id, port, what, &p, why);
        (void)psa_destroy_key(p.key);
    }
    if (err != 0)
        otapult_forget(id, sizeof *id);
    return err;
}

void otapult_identity_fingerprint(const struct otapult_identity *id, char text[OTAPULT_FINGERPRINT])
{
    static const char digits[] = "0123456789ABCDEF";
    uint8_t digest[32];
    size_t len = 0;

    text[0] = '\0';
    if (psa_hash_compute(PSA_ALG_SHA_256, id->certificate, id->certificate_len, digest, sizeof digest,
                         &len) != PSA_SUCCESS)
        return;
    for (size_t i = 0; i < len; i++) {
        text[3 * i] = digits[digest[i] >> 4];
        text[3 * i + 1] = digits[digest[i] & 15];
        text[3 * i + 2] = i + 1 < len ? ':' : '\0';
    }
}
