/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "esp_board.h"
#include "life.h"
#include "login.h"
#include "signer.h"

/* What an attacker tries against a board: the ESP-IDF port on a fake of ESP-IDF, from the request to flash.
 * Each test is one row of the table in docs/security.md, named after what it tries, and runs in up to three
 * settings: the open profile, the secure one served without TLS, where nothing but the refusal to listen may
 * come out, and the secure one through TLS. After each of them the owner's next update must go through:
 * after_attack(). The build makes this program once more for the oldest version. */

#define COUNT(a) (sizeof(a) / sizeof(a)[0])
#define SLOT_1   0x20000u
#define PASSWORD "correct horse battery"
#define OWN_HOST "10.0.0.2"
#define EVIL     "evil.example"
#define FORM     "multipart/form-data; boundary="

static struct signer s;
static struct life l;
static bool secure;
static char password[64]; /* as it is now */
static char cookie[80], bearer[80];
static struct fake_connection connection;
static uint8_t keys[2][OTAPULT_KEY_DIGEST]; /* of the device: the release key, and the one after it */

/* Firmware. What is signed is `padded` bytes, then comes the sector. */
struct firmware {
    uint8_t *bytes;
    size_t len, padded;
};
static struct firmware v1, v2, unsigned_2, other_2, by_stranger, by_next, rsa_2, strange_names;

static struct firmware plain(const char *version, const char *project, uint32_t seed)
{
    struct sample_spec spec = {SAMPLE_DEFAULT, .version = version, .project = project, .seed = seed};
    struct firmware f;

    spec.size = 2000;
    f.bytes = sample_image(&spec, &f.len);
    f.padded = (f.len + SIGNER_SECTOR - 1) / SIGNER_SECTOR * SIGNER_SECTOR;
    return f;
}

static struct firmware signed_by(enum signer_key key, const char *version, const char *project, uint32_t seed)
{
    struct firmware raw = plain(version, project, seed), f = raw;

    f.bytes = signer_sign(&s, raw.bytes, raw.len, &key, 1, &f.len);
    free(raw.bytes);
    return f;
}

static int make_firmware(void **state)
{
    (void)state;
    signer_open(&s, OTAPULT_SOURCE_DIR "/test/support/signer.mjs");
    memcpy(keys[0], s.digest[SIGNER_P256], sizeof keys[0]);
    memcpy(keys[1], s.digest[SIGNER_RSA], sizeof keys[1]);
    v1 = signed_by(SIGNER_P256, "1.0.0", NULL, 1);
    v2 = signed_by(SIGNER_P256, "2.0.0", NULL, 2);
    unsigned_2 = plain("2.0.0", NULL, 2);
    other_2 = signed_by(SIGNER_P256, "2.0.0", NULL, 3);
    by_stranger = signed_by(SIGNER_OTHER, "2.0.0", NULL, 2);
    by_next = rsa_2 = signed_by(SIGNER_RSA, "2.0.0", NULL, 2);
    strange_names = signed_by(SIGNER_P256, "<img onerror=alert(1)>\"'&", "a\n\x1b[31mb\"</script>", 4);
    return 0;
}

static int free_firmware(void **state)
{
    struct firmware *all[] = {&v1, &v2, &unsigned_2, &other_2, &by_stranger, &rsa_2, &strange_names};

    (void)state;
    for (size_t i = 0; i < COUNT(all); i++)
        free(all[i]->bytes);
    signer_close(&s);
    return 0;
}

/* ---- requests ---- */

static bool through_tls(void)
{
    return l.tls;
}

static void ask(struct fake_request r)
{
    life_send(&l, &connection, &r);
}

static void expect(int status, const char *code)
{
    char want[64];

    snprintf(want, sizeof want, "\"code\":\"%s\"", code);
    if (connection.status != status || strstr(connection.body, want) == NULL)
        fail_msg("%d %s is not %d %s", connection.status, connection.body, status, code);
    assert_null(strstr(connection.sent, "Access-Control"));
}

static void expect_success(void)
{
    if (connection.status != 200)
        fail_msg("%d %s", connection.status, connection.body);
}

/* The secure profile without TLS says one thing to everybody, before it looks at anything else. */
static void expect_or_https(int status, const char *code)
{
    if (secure && !through_tls())
        expect(403, "https_required");
    else
        expect(status, code);
}

static const char *owner(void)
{
    char pair[80];

    snprintf(pair, sizeof pair, "admin:%s", password);
    return login_basic(pair);
}

/* The owner's request; in the open profile it is anybody's. */
static struct fake_request as_owner(struct fake_request r)
{
    return secure ? life_with(r, "Authorization", owner()) : r;
}

static struct fake_request as_browser(struct fake_request r)
{
    return secure ? life_with(r, "Cookie", cookie) : r;
}

static struct fake_request upload_of(const uint8_t *bytes, size_t len)
{
    return life_post("/api/ota/upload", "application/octet-stream", bytes, len);
}

static struct fake_request json(const char *path, const char *body)
{
    return life_post(path, "application/json", body, strlen(body));
}

static struct fake_request login(const char *with)
{
    static char body[200];

    snprintf(body, sizeof body, "{\"password\":\"%s\"}", with);
    return json("/api/ota/login", body);
}

static void take_cookie(void)
{
    const char *at = strstr(connection.sent, "Set-Cookie: ");

    assert_non_null(at);
    at += strlen("Set-Cookie: ");
    snprintf(cookie, sizeof cookie, "%.*s", (int)strcspn(at, ";"), at);
}

static void log_in(void)
{
    ask(login(password));
    expect_success();
    take_cookie();
}

static void make_token(const char *name)
{
    char body[64];

    snprintf(body, sizeof body, "{\"name\":\"%s\"}", name);
    ask(as_owner(json("/api/ota/tokens/create", body)));
    expect_success();
    const char *at = strstr(connection.body, "\"token\":\"");
    assert_non_null(at);
    snprintf(bearer, sizeof bearer, "Bearer %.32s", at + strlen("\"token\":\""));
}

/* ---- the device ---- */

static bool show_password(void *app, const char *text)
{
    (void)app;
    snprintf(password, sizeof password, "%s", text);
    return true;
}

/* A password was stored before this start, and the radio is on. */
static void before_the_start(void)
{
    const struct otapult_port *port = otapult_esp_port();
    uint8_t there[128];
    size_t len;

    fake_idf.radio_on = true;
    otapult_esp_radio(true);
    otapult_esp_open_store(&otapult_esp_board);
    assert_int_equal(port->kv_get(port->ctx, "usr.pw1", there, sizeof there, &len), 0);
    if (len == 0)
        login_store(port, password);
}

static void start(esp_reset_reason_t reset, bool with_tls)
{
    l.tls = with_tls;
    assert_true(life_start(&l, reset));
}

static void make_device(bool is_secure, bool with_tls)
{
    fake_httpd_power_off(); /* whatever a test that failed has left */
    secure = is_secure;
    strcpy(password, PASSWORD);
    life_init(&l, WORLD_TWO_OTA, v1.bytes, v1.len);
    l.begin = before_the_start;
    l.config.secure = secure ? &otapult_esp_secure : NULL;
    l.config.device.keys = (const uint8_t(*)[OTAPULT_KEY_DIGEST])keys;
    l.config.device.key_count = secure ? 2 : 0;
    l.config.device.show_password = show_password;
    start(ESP_RST_POWERON, with_tls);
}

static int open_device(void **state)
{
    (void)state;
    make_device(false, false);
    return 0;
}

static int secure_plain(void **state)
{
    (void)state;
    make_device(true, false);
    return 0;
}

static int secure_tls(void **state)
{
    (void)state;
    make_device(true, true);
    return 0;
}

static struct otapult_status status(void)
{
    struct otapult_status now;

    otapult_status(otapult_esp_device(), &now);
    return now;
}

/* No update under way, nothing to boot but what runs, nothing in the other slot that looks bootable. */
static void assert_unchanged(void)
{
    const struct otapult_status now = status();

    assert_int_equal(now.phase, OTAPULT_IDLE);
    assert_int_equal(now.slots.running, 0);
    assert_int_equal(now.slots.boot, 0);
    assert_int_equal(l.flash.nor.data[SLOT_1], 0xFF);
    assert_int_equal(l.holds, 0);
    assert_false(fake_idf.restarted);
    assert_string_equal(life_version(), "1.0.0");
}

/* The owner's next update, as a browser would send it, boots and stays; an hour later, when no delay of a
 * login is left. Where the attack came without TLS he turns it on. */
static int after_attack(void **state)
{
    static char form[0x8000];
    char boundary[71] = {0}, type[128];
    size_t len;

    (void)state;
    if (secure && !through_tls())
        start(ESP_RST_POWERON, true);
    fake_idf_pass(3600 * 1000000ull);
    memset(boundary, 'b', 70);
    snprintf(type, sizeof type, FORM "%s", boundary);
    len = life_form(form, sizeof form, boundary, "firmware.bin", 12, by_next.bytes, by_next.len);
    ask(as_owner(life_post("/api/ota/upload", type, form, len)));
    expect_success();
    assert_true(life_settle(&l));
    assert_string_equal(life_version(), "2.0.0");
    assert_false(status().pending);
    life_end(&l);
    return 0;
}

/* ---- firmware ---- */

/* Refused with `code` where signatures are required, with `open` where they are not. */
static void refused(const uint8_t *bytes, size_t len, const char *code, const char *open)
{
    ask(as_owner(upload_of(bytes, len)));
    expect_or_https(422, secure ? code : open);
    assert_unchanged();
}

static void attack_esp_idf_unsigned(void **state)
{
    struct firmware empty_sector = plain("2.0.0", NULL, 2);

    (void)state;
    refused(unsigned_2.bytes, unsigned_2.len, "signature_missing", NULL);
    refused(by_stranger.bytes, by_stranger.padded, "signature_missing", NULL);
    free(empty_sector.bytes);
    empty_sector.bytes = signer_pad(unsigned_2.bytes, unsigned_2.len, &empty_sector.padded);
    refused(empty_sector.bytes, empty_sector.padded + SIGNER_SECTOR, "image_trailing", NULL);
    free(empty_sector.bytes);
}

static void attack_esp_idf_signed_by_another_key(void **state)
{
    (void)state;
    refused(by_stranger.bytes, by_stranger.len, "signature_wrong", NULL);
    if (through_tls())
        assert_non_null(strstr(connection.body, "unknown key"));
}

static uint8_t *copy_of(const struct firmware *f, size_t more)
{
    uint8_t *copy = malloc(f->len + more);

    assert_non_null(copy);
    memcpy(copy, f->bytes, f->len);
    memset(copy + f->len, 0xFF, more);
    return copy;
}

static void attack_esp_idf_block_with_bad_crc(void **state)
{
    uint8_t *copy = copy_of(&v2, 0);

    (void)state;
    copy[v2.padded + 1196] ^= 1;
    refused(copy, v2.len, "signature_wrong", "signature_wrong");
    free(copy);
}

static void attack_esp_idf_signature_of_another_image(void **state)
{
    uint8_t *copy = copy_of(&v2, 0);

    (void)state;
    memcpy(copy + v2.padded, other_2.bytes + other_2.padded, SIGNER_SECTOR);
    refused(copy, v2.len, "signature_wrong", "signature_wrong");
    free(copy);
}

static void attack_esp_idf_image_longer_than_what_is_signed(void **state)
{
    uint8_t *copy = copy_of(&v2, SIGNER_SECTOR), *sector = copy + v2.padded;

    (void)state;
    memcpy(copy + v2.len, sector, SIGNER_SECTOR);
    memset(sector, 0xFF, SIGNER_SECTOR);
    refused(copy, v2.len + SIGNER_SECTOR, "image_trailing", "image_trailing");
    memcpy(sector, unsigned_2.bytes, 1000); /* and with something in it */
    refused(copy, v2.len + SIGNER_SECTOR, "image_trailing", "image_trailing");
    free(copy);
}

static void attack_esp_idf_two_images_concatenated(void **state)
{
    uint8_t *copy = copy_of(&v2, other_2.len);

    (void)state;
    memcpy(copy + v2.len, other_2.bytes, other_2.len);
    refused(copy, v2.len + other_2.len, "image_trailing", "image_trailing");
    memcpy(copy + v2.padded, other_2.bytes, other_2.len); /* the first one unsigned */
    refused(copy, v2.padded + other_2.len, "image_trailing", "image_trailing");
    free(copy);
}

static void attack_esp_idf_bytes_after_the_signature_sector(void **state)
{
    static const size_t more[] = {1, 16, 100, SIGNER_SECTOR};
    uint8_t *copy = copy_of(&v2, SIGNER_SECTOR);

    (void)state;
    for (size_t i = 0; i < COUNT(more); i++)
        refused(copy, v2.len + more[i], more[i] % SIGNER_SECTOR == 0 ? "image_trailing" : "signature_missing",
                "image_trailing");
    memcpy(copy + v2.len, v2.bytes + v2.padded, SIGNER_SECTOR);
    refused(copy, v2.len + SIGNER_SECTOR, "image_trailing", "image_trailing");
    free(copy);
}

/* A flipped bit of the magic makes it no signature at all. */
static void refused_with_bit(uint8_t *file, size_t len, uint8_t *block, unsigned bit, bool seal)
{
    block[bit / 8] ^= (uint8_t)(1u << bit % 8);
    if (seal)
        signer_seal(block);
    const char *code = bit < 8 ? "image_trailing" : "signature_wrong";
    refused(file, len, code, code);
    block[bit / 8] ^= (uint8_t)(1u << bit % 8);
}

/* Each of them where somebody looks at it; elsewhere, and on the oldest version, whose core is the same, some
 * are enough. */
static unsigned bit_step(void)
{
    return ESP_BOARD_HANDS_OVER && through_tls() ? 1 : 61;
}

static void attack_esp_idf_every_single_bit_of_a_block_flipped(void **state)
{
    uint8_t *copy = copy_of(&v2, 0);

    (void)state;
    for (unsigned bit = 0; bit < SIGNER_BLOCK * 8; bit += bit_step())
        refused_with_bit(copy, v2.len, copy + v2.padded, bit, false);
    free(copy);
}

/* By somebody who knows how to compute a CRC; all that is used of a block of P-256. */
static void attack_esp_idf_every_single_bit_flipped_and_the_crc_put_right(void **state)
{
    uint8_t *copy = copy_of(&v2, 0);

    (void)state;
    for (unsigned bit = 0; bit < (101 + 64) * 8; bit += bit_step())
        refused_with_bit(copy, v2.len, copy + v2.padded, bit, true);
    free(copy);
}

static void attack_esp_idf_valid_block_revoked_key(void **state)
{
    const esp_reset_reason_t reset[] = {ESP_RST_SW, ESP_RST_POWERON, ESP_RST_PANIC};

    (void)state;
    assert_int_equal(otapult_revoke_key(otapult_esp_device(), keys[0]), 0);
    refused(v2.bytes, v2.len, "signature_wrong", NULL);
    if (through_tls())
        assert_non_null(strstr(connection.body, "revoked key"));
    for (size_t i = 0; i < COUNT(reset); i++) { /* the firmware has it built in, and does not bring it back */
        start(reset[i], l.tls);
        assert_int_equal(status().key_count, 1);
        refused(v2.bytes, v2.len, "signature_wrong", NULL);
    }
}

/* ---- between verification and activation ---- */

static int (*real_kv_set)(void *ctx, const char *key, const void *src, size_t len);
static int (*real_activate)(void *ctx, int index);
static unsigned tampered;

/* The note of the trial is written after the slot was verified, and before it is activated. */
static int swap_before_activation(void *ctx, const char *key, const void *src, size_t len)
{
    if (strcmp(key, "ota.trial1") == 0 && len > 0) {
        memset(l.flash.nor.data + SLOT_1, 0xFF, 0x10000);
        memcpy(l.flash.nor.data + SLOT_1, by_stranger.bytes, by_stranger.len);
        tampered++;
    }
    return real_kv_set(ctx, key, src, len);
}

static void attack_esp_idf_flash_changed_between_verify_and_activate(void **state)
{
    (void)state;
    tampered = 0;
    real_kv_set = otapult_esp_board.port.kv_set;
    otapult_esp_board.port.kv_set = swap_before_activation;
    ask(as_owner(upload_of(v2.bytes, v2.len)));
    otapult_esp_board.port.kv_set = real_kv_set;
    if (through_tls())
        assert_int_equal(tampered, 1);
    expect_or_https(500, "flash_readback");
    assert_unchanged(); /* what was put there does not boot as a fallback either */
}

/* Later than the core can look: esp_ota_set_boot_partition() verifies once more. */
static int spoil_inside_activation(void *ctx, int index)
{
    l.flash.nor.data[SLOT_1 + 0x400] ^= 1;
    tampered++;
    return real_activate(ctx, index);
}

static void attack_esp_idf_flash_changed_inside_the_activation(void **state)
{
    (void)state;
    tampered = 0;
    real_activate = otapult_esp_board.port.activate;
    otapult_esp_board.port.activate = spoil_inside_activation;
    ask(as_owner(upload_of(v2.bytes, v2.len)));
    otapult_esp_board.port.activate = real_activate;
    if (!secure || through_tls())
        assert_int_equal(tampered, 1);
    expect_or_https(500, "activate_failed");
    assert_int_equal(status().slots.boot, 0);
    start(ESP_RST_POWERON, l.tls);
    assert_string_equal(life_version(), "1.0.0");
}

/* ---- logins ---- */

static void attack_esp_idf_empty_prefix_superset_and_absent_password(void **state)
{
    static const char *const wrong[] = {
        "",           "c",          "correct horse batter", PASSWORD "x",
        " " PASSWORD, PASSWORD " ", "CORRECT HO",           PASSWORD PASSWORD PASSWORD};
    char pair[80];

    (void)state;
    for (size_t i = 0; i < COUNT(wrong); i++) {
        snprintf(pair, sizeof pair, "admin:%s", wrong[i]);
        ask(life_with(life_get("/api/ota/status"), "Authorization", login_basic(pair)));
        expect_or_https(401, "login_failed");
        fake_idf_pass(120 * 1000000u);
        ask(login(wrong[i]));
        expect_or_https(401, "login_failed");
        assert_null(strstr(connection.sent, "Set-Cookie"));
        fake_idf_pass(120 * 1000000u);
        ask(life_with(upload_of(v2.bytes, v2.len), "Authorization", login_basic(pair)));
        expect_or_https(401, "login_failed");
        fake_idf_pass(120 * 1000000u);
    }
    ask(upload_of(v2.bytes, v2.len));
    expect_or_https(401, "login_required");
    ask(json("/api/ota/login", "{}"));
    expect_or_https(400, "bad_request");
    ask(json("/api/ota/login", ""));
    expect_or_https(400, "bad_request");
    assert_unchanged();
}

/* Every address there is: without a login nothing works but what leads to it, without TLS not even that. */
static void attack_esp_idf_every_address_without_a_login(void **state)
{
    struct otapult_site site;
    unsigned guarded = 0;

    (void)state;
    otapult_site(&site, otapult_esp_device());
    for (size_t i = 0; i < site.count; i++) {
        const struct otapult_route *route = &site.routes[i];
        struct fake_request r = json(route->path, "{\"name\":\"x\"}");
        if (strcmp(route->method, "GET") == 0)
            r = life_get(route->path);
        ask(r);
        bool open = route->level == OTAPULT_PUBLIC || route->level == OTAPULT_PAGE;
        guarded += !open;
        if (!open || !through_tls())
            expect_or_https(401, "login_required");
    }
    assert_true(guarded >= 11);
    assert_unchanged();
}

static void attack_esp_idf_token_replay_after_revocation(void **state)
{
    const bool with_tls = through_tls();
    struct fake_request r;

    (void)state;
    start(ESP_RST_POWERON, true); /* only there can a token be made */
    make_token("ci");
    r = life_with(upload_of(v2.bytes, v2.len), "Authorization", bearer);
    ask(life_with(life_get("/api/ota/status"), "Authorization", bearer));
    expect_success();
    if (!with_tls) {
        start(ESP_RST_POWERON, false);
        ask(r);
        expect(403, "https_required");
        start(ESP_RST_POWERON, true);
    }
    ask(as_owner(json("/api/ota/tokens/revoke", "{\"name\":\"ci\"}")));
    expect_success();
    ask(r);
    expect(401, "login_failed");
    start(ESP_RST_POWERON, with_tls);
    ask(r);
    expect_or_https(401, "login_failed");
    assert_unchanged();
}

static void attack_esp_idf_session_fixation(void **state)
{
    char planted[] = "__Host-otapult=0123456789abcdef0123456789abcdef", first[80];

    (void)state;
    ask(life_with(login(password), "Cookie", planted));
    if (!through_tls()) {
        expect(403, "https_required");
        assert_null(strstr(connection.sent, "Set-Cookie"));
        return;
    }
    expect_success();
    take_cookie();
    assert_string_not_equal(cookie, planted);
    ask(life_with(life_get("/api/ota/status"), "Cookie", planted));
    expect(401, "login_required");

    memcpy(first, cookie, sizeof first);
    ask(life_with(login(password), "Cookie", first));
    expect_success();
    take_cookie();
    assert_string_not_equal(cookie, first); /* a new id, and the old one is gone */
    ask(life_with(life_get("/api/ota/status"), "Cookie", first));
    expect(401, "login_required");
    ask(life_with(life_get("/api/ota/status"), "Cookie", cookie));
    expect_success();
}

/* The fake's clients take turns: the attacker is the one with an IPv4 address, the owner has the other. */
static void attack_esp_idf_login_brute_force(void **state)
{
    unsigned looked_at = 0;

    (void)state;
    if (through_tls())
        log_in();
    for (unsigned n = 0; n < 10000; n++) {
        ask(login("a guess"));
        looked_at += connection.status == 401;
        if (connection.status != 429)
            expect_or_https(401, "login_failed");
        else
            expect_or_https(429, "login_delayed");
        ask(as_browser(life_get("/api/ota/status"))); /* the owner's session, meanwhile */
        if (through_tls())
            expect_success();
        fake_idf_pass(50000);
        if (n % 1000 == 999 && through_tls()) {
            ask(life_get("/api/ota")); /* gives the turn on */
            ask(login(password));      /* a new one, in the midst of it */
            expect_success();
            take_cookie();
        }
    }
    assert_in_range(looked_at, through_tls() ? 5 : 0, 40); /* of 10,000 in 500 s */
    assert_unchanged();
}

static void a_second_passes(void *ctx)
{
    (void)ctx;
    fake_idf_pass(1000000);
}

/* A short body that comes a byte at a time: it needs no password, and is read in the server's one task. */
static void attack_esp_idf_slowloris_in_a_body(void **state)
{
    static fake_step steps[4 * OTAPULT_HTTP_SMALL_BODY];
    char body[OTAPULT_HTTP_SMALL_BODY + 1] = "";
    const uint64_t before = fake_idf.now_us;
    struct fake_request r;

    (void)state;
    for (unsigned timeouts = 0; timeouts < 4; timeouts++) { /* of the socket, before each byte */
        memset(body, ' ', sizeof body - 1);
        r = json(secure ? "/api/ota/login" : "/api/ota/reboot", body);
        for (size_t i = 0; i < COUNT(steps); i++)
            steps[i] = i % 4 < timeouts ? (through_tls() ? -0x6900 : HTTPD_SOCK_ERR_TIMEOUT) : 1;
        r.steps = steps;
        r.step_count = COUNT(steps);
        r.on_read = a_second_passes;
        ask(r);
        assert_false(connection.open);
        assert_unchanged();
    }
    assert_true(fake_idf.now_us - before < 4 * 30 * 1000000u);
}

/* ---- uploads and the login that began them ---- */

static struct meanwhile {
    unsigned reads, at;
    void (*what)(void);
} meanwhile;

static void on_read(void *ctx)
{
    (void)ctx;
    if (++meanwhile.reads == meanwhile.at)
        meanwhile.what();
}

/* An upload with `header`, in whose middle something happens; the login it came with is gone by then. */
static void interrupted(const char *header, const char *value, void (*what)(void), const char *by)
{
    struct fake_request r = life_with(upload_of(v2.bytes, v2.len), header, value);
    struct otapult_log_entry e;
    unsigned n = 0;

    meanwhile = (struct meanwhile){.at = 140, .what = what};
    r.on_read = on_read;
    ask(r);
    assert_true(meanwhile.reads >= meanwhile.at);
    expect(401, "login_ended");
    do {
        assert_true(otapult_log_entry(otapult_esp_device(), n++, &e)); /* the account's events are above it */
    } while (e.event != OTAPULT_EV_REFUSED);
    assert_string_equal(e.code, "login_ended");
    assert_string_equal(e.by, by);
    assert_unchanged();
}

/* Somebody at the device: on the oldest versions no other request comes through while an upload runs. */
static void new_password_at_the_device(void)
{
    assert_int_equal(otapult_new_password(otapult_esp_device()), 0);
}

static void attack_esp_idf_upload_started_before_a_new_password(void **state)
{
    char own[sizeof cookie];

    (void)state;
    log_in();
    memcpy(own, cookie, sizeof own);
    interrupted("Cookie", own, new_password_at_the_device, "admin");
    assert_string_not_equal(password, PASSWORD);
    make_token("ci");
    interrupted("Authorization", bearer, new_password_at_the_device, "token ci");
    interrupted("Authorization", owner(), new_password_at_the_device, "admin");
}

#if ESP_BOARD_HANDS_OVER
static void ask_beside(struct fake_request r)
{
    static struct fake_connection second;

    fake_httpd_request(l.server, &r, &second);
    assert_int_equal(second.status, 200);
}

static void log_out(void)
{
    ask_beside(life_with(json("/api/ota/logout", ""), "Cookie", cookie));
}

static void change_password(void)
{
    ask_beside(
        life_with(json("/api/ota/password", "{\"password\":\"" PASSWORD "\",\"new\":\"another password\"}"),
                  "Cookie", cookie));
    strcpy(password, "another password");
}

static void revoke_token(void)
{
    ask_beside(life_with(json("/api/ota/tokens/revoke", "{\"name\":\"ci\"}"), "Cookie", cookie));
}

static void attack_esp_idf_upload_started_before_a_logout(void **state)
{
    (void)state;
    log_in();
    interrupted("Cookie", cookie, log_out, "admin");
}

static void attack_esp_idf_upload_started_before_a_password_change(void **state)
{
    (void)state;
    log_in();
    interrupted("Authorization", owner(), change_password, "admin");
}

static void attack_esp_idf_upload_started_before_its_token_was_revoked(void **state)
{
    (void)state;
    make_token("ci");
    log_in();
    interrupted("Authorization", bearer, revoke_token, "token ci");
}
#endif

/* ---- requests from elsewhere ---- */

static const char *const buttons[] = {"/api/ota/confirm", "/api/ota/rollback", "/api/ota/reboot",
                                      "/api/ota/logout"};

/* The victim is logged in, in this very browser. */
static void the_victim_logs_in(void)
{
    cookie[0] = '\0';
    if (through_tls())
        log_in();
}

static void attack_esp_idf_cross_origin_form_post(void **state)
{
    static const char *const types[] = {"application/x-www-form-urlencoded", "text/plain", FORM "x"};
    static char form[0x8000];
    size_t len = life_form(form, sizeof form, "x", "firmware.bin", 12, v2.bytes, v2.len);

    (void)state;
    the_victim_logs_in();
    for (size_t t = 0; t < COUNT(types); t++) {
        for (size_t i = 0; i < COUNT(buttons); i++) {
            struct fake_request r = as_browser(life_post(buttons[i], types[t], "a=b", 3));
            ask(life_with(r, "Origin", "http://" EVIL));
            expect(403, "foreign_origin");
            ask(life_with(r, "Origin", "null"));
            expect(403, "foreign_origin");
            ask(life_with(r, "Sec-Fetch-Site", "cross-site"));
            expect(403, "foreign_origin");
            ask(r); /* a browser that tells nothing of it */
            if (!secure && i == COUNT(buttons) - 1)
                expect(409, "open_profile"); /* nobody is logged in, so nobody is logged out */
            else
                expect_or_https(400, "bad_request");
        }
    }
    ask(life_with(as_browser(life_post("/api/ota/upload", FORM "x", form, len)), "Origin", "http://" EVIL));
    expect(403, "foreign_origin");
    ask(life_with(login(password), "Origin", "http://" EVIL));
    expect(403, "foreign_origin");
    assert_unchanged();
}

/* A page of the same robot that came without TLS was written by whoever sits in between. */
static void attack_esp_idf_cross_origin_from_plain_http(void **state)
{
    struct fake_request r;

    (void)state;
    the_victim_logs_in();
    r = life_with(as_browser(json("/api/ota/reboot", "")), "Origin", "http://" OWN_HOST);
    ask(r);
    expect(403, "foreign_origin");
    assert_unchanged();
}

static void attack_esp_idf_cross_origin_fetch(void **state)
{
    static const char *const paths[] = {"/api/ota/status", "/api/ota/log", "/api/ota/errors",
                                        "/api/ota/events"};
    static const char *const modes[] = {"cors", "no-cors"};

    (void)state;
    the_victim_logs_in();
    for (size_t m = 0; m < COUNT(modes); m++) {
        for (size_t i = 0; i < COUNT(paths); i++) {
            struct fake_request r = life_with(as_browser(life_get(paths[i])), "Sec-Fetch-Site", "cross-site");
            ask(life_with(r, "Sec-Fetch-Mode", modes[m]));
            expect(403, "foreign_origin");
        }
        for (size_t i = 0; i < COUNT(buttons); i++) {
            struct fake_request r =
                life_with(as_browser(json(buttons[i], "")), "Sec-Fetch-Site", "same-site");
            ask(life_with(r, "Sec-Fetch-Mode", modes[m]));
            expect(403, "foreign_origin");
        }
    }
    ask(life_with(as_browser(upload_of(v2.bytes, v2.len)), "Sec-Fetch-Site", "cross-site"));
    expect(403, "foreign_origin");
    assert_unchanged();
}

/* What a page can load without asking. It is a GET, and a GET changes nothing. */
static void attack_esp_idf_image_tag(void **state)
{
    (void)state;
    the_victim_logs_in();
    for (size_t i = 0; i < COUNT(buttons); i++) {
        ask(as_browser(life_get(buttons[i])));
        assert_in_range(connection.status, 403, 405); /* before 5.3 it is the server's own 404 or 405 */
        struct fake_request r = life_with(as_browser(life_get(buttons[i])), "Sec-Fetch-Site", "cross-site");
        ask(life_with(r, "Sec-Fetch-Mode", "no-cors"));
        assert_in_range(connection.status, 403, 405);
    }
    struct fake_request r =
        life_with(as_browser(life_get("/api/ota/status")), "Sec-Fetch-Site", "cross-site");
    ask(life_with(r, "Sec-Fetch-Mode", "no-cors"));
    expect(403, "foreign_origin");
    assert_unchanged();
}

static void attack_esp_idf_rebinding_host(void **state)
{
    static const char *const hosts[] = {EVIL,    OWN_HOST "." EVIL, OWN_HOST ".nip.io",
                                        "",      "0x0a000002",      OWN_HOST "@" EVIL,
                                        "robot", "rover.local"};

    (void)state;
    the_victim_logs_in();
    for (size_t i = 0; i < COUNT(hosts); i++) {
        struct fake_request tries[] = {
            life_get("/api/ota"),
            as_browser(life_get("/api/ota/status")),
            as_browser(json("/api/ota/reboot", "")),
            as_browser(upload_of(v2.bytes, v2.len)),
            login(password),
        };
        for (size_t n = 0; n < COUNT(tries); n++) {
            tries[n].header[0].value = hosts[i];
            ask(tries[n]);
            bool is_host = hosts[i][0] != '\0' && strchr(hosts[i], '@') == NULL;
            if (is_host)
                expect(421, "foreign_host");
            else
                expect(400, "bad_request");
        }
    }
    assert_unchanged();
}

/* ---- requests that are wrong ---- */

static void attack_esp_idf_boundary_of_0_71_and_64_K_characters(void **state)
{
    static const size_t lengths[] = {0, 71, 72, 1024, 65536};
    static char type[sizeof FORM + 65536], form[0x30000];

    (void)state;
    for (size_t i = 0; i < COUNT(lengths); i++) {
        strcpy(type, FORM);
        memset(type + sizeof FORM - 1, 'b', lengths[i]);
        type[sizeof FORM - 1 + lengths[i]] = '\0';
        size_t len = life_form(form, sizeof form, type + sizeof FORM - 1, "a.bin", 5, v2.bytes, v2.len);
        ask(as_owner(life_post("/api/ota/upload", type, form, len)));
        /* a header for which the port has no room counts as empty */
        expect_or_https(lengths[i] > 300 ? 415 : 400,
                        lengths[i] > 300 ? "content_type" : "multipart_boundary");
        assert_unchanged();
    }
} /* a boundary of 70 is what after_attack() sends */

static void attack_esp_idf_raw_body_to_the_multipart_url(void **state)
{
    static char form[0x8000];
    size_t len = life_form(form, sizeof form, "x", "a.bin", 5, v2.bytes, v2.len);

    (void)state;
    ask(as_owner(life_post("/api/ota/upload", FORM "x", v2.bytes, v2.len))); /* an image, and no form */
    expect_or_https(400, "multipart_malformed");
    ask(as_owner(life_post("/api/ota/upload", "application/octet-stream", form, len)));
    expect_or_https(415, "file_unknown");
    ask(as_owner(life_post("/api/ota/upload", "text/plain", v2.bytes, v2.len)));
    expect_or_https(415, "content_type");
    ask(as_owner(life_post("/api/ota/upload", "", v2.bytes, v2.len)));
    expect_or_https(415, "content_type");
    assert_unchanged();
}

static void attack_esp_idf_content_length_that_is_none(void **state)
{
    static const char *const lengths[] = {"-1", "-8192", "+5", "0x2000", "", "1e4", "5, 5", "5 5"};

    (void)state;
    for (size_t i = 0; i < COUNT(lengths); i++) {
        struct fake_request r = as_owner(upload_of(v2.bytes, v2.len));
        r.header[2].value = lengths[i];
        ask(r);
        expect(400, "content_length");
        assert_unchanged();
    }
}

static void attack_esp_idf_content_length_beyond_32_bits(void **state)
{
    static const char *const lengths[] = {"4294967296", "4294975488", "18446744073709551616",
                                          "99999999999999999999999999"};

    (void)state;
    for (size_t i = 0; i < COUNT(lengths); i++) {
        struct fake_request r = as_owner(upload_of(v2.bytes, v2.len));
        r.header[2].value = lengths[i];
        ask(r);
        expect_or_https(413, "image_too_large");
        assert_false(connection.open); /* what follows is not taken for another request */
        assert_unchanged();
    }
}

static void attack_esp_idf_content_length_with_transfer_encoding(void **state)
{
    static const char *const codings[] = {"chunked", "identity", "gzip, chunked", "", "CHUNKED"};

    (void)state;
    for (size_t i = 0; i < COUNT(codings); i++) {
        struct fake_request r = as_owner(upload_of(v2.bytes, v2.len));
        ask(life_with(r, "Transfer-Encoding", codings[i]));
        expect(400, "content_length");
        assert_false(connection.open);
        r.header[2] = (struct fake_header){"Transfer-Encoding", codings[i]}; /* and without a length */
        ask(r);
        expect(400, "content_length");
        assert_false(connection.open);
        assert_unchanged();
    }
}

/* ---- names ---- */

static void assert_free_of(const char *text, size_t len, const char *marks)
{
    for (size_t i = 0; i < len; i++)
        if (((uint8_t)text[i] < 0x20 && text[i] != '\n') || strchr(marks, text[i]) != NULL)
            fail_msg("character %d at %u of: %s", text[i], (unsigned)i, text);
}

/* Nothing of a name gets out as it is into an answer, which a browser might take for HTML. */
static void assert_escaped(const char *text, size_t len)
{
    assert_free_of(text, len, "<>\x7f");
}

/* Nor to the terminal that shows the console: it obeys control characters, and no HTML. */
static void assert_tame(const char *text)
{
    assert_free_of(text, strlen(text), "\x7f");
}

static void attack_esp_idf_names_in_the_file_name(void **state)
{
#define NAME(text)            \
    {                         \
        text, sizeof text - 1 \
    }
    static const struct {
        const char *text;
        size_t len;
    } names[] = {NAME("a\\\"b.bin"),
                 NAME("a\"; filename=\"b.bin"),
                 NAME("<b>.elf"),
                 NAME("a\r\nX-Evil: 1\r\n.bin"),
                 NAME("a\0b.bin"),
                 NAME("x.elf\0.bin"),
                 NAME("../../x.elf"),
                 NAME("\x1b[31mx.elf"),
                 NAME("<script>alert(1)</script>"),
                 NAME("\xff\xfe")};
    static char form[0x1000];

    (void)state;
    for (size_t i = 0; i < COUNT(names); i++) {
        size_t len = life_form(form, sizeof form, "x", names[i].text, names[i].len, "not an image", 12);
        ask(as_owner(life_post("/api/ota/upload", FORM "x", form, len)));
        assert_in_range(connection.status, 400, 499);
        assert_true(connection.body[0] == '{');
        assert_escaped(connection.body, connection.body_len);
        assert_null(strstr(connection.sent, "X-Evil"));
        assert_unchanged();
    }
    assert_tame(fake_idf.log);
}

static void attack_esp_idf_names_in_version_and_project(void **state)
{
    static const char *const paths[] = {"/api/ota/status", "/api/ota/log"};

    (void)state;
    ask(as_owner(upload_of(strange_names.bytes, strange_names.len)));
    if (secure && !through_tls()) {
        expect(403, "https_required");
        return;
    }
    expect_success();
    assert_escaped(connection.body, connection.body_len);
    assert_true(life_settle(&l));
    assert_string_equal(life_version(), "<img onerror=alert(1)>\"'&"); /* it boots: names are no reason */
    for (size_t i = 0; i < COUNT(paths); i++) {
        ask(as_owner(life_get(paths[i])));
        expect_success();
        assert_escaped(connection.body, connection.body_len);
        assert_non_null(strstr(connection.body, "alert(1)"));
    }
    assert_tame(fake_idf.log);
}

/* Which address a path means is the server's to say; it compares it whole, where no route is a pattern. */
static void attack_esp_idf_path_tricks(void **state)
{
    static const char *const tricks[] = {"/api/ota/../ota/status",
                                         "//api/ota/status",
                                         "/api/ota/status/",
                                         "/api/ota/%73tatus",
                                         "/API/OTA/STATUS",
                                         "/api/ota/status;x",
                                         "/api/ota/status%00",
                                         "/api/./ota/status",
                                         "/api\\ota\\status",
                                         "/api/ota/status%2f",
                                         "*",
                                         "/api/ota/account/../status"};
    static const char *const queries[] = {"/api/ota/status?/api/ota", "/api/ota/status?",
                                          "/api/ota/log?path=/api/ota/account",
                                          "/api/ota/tokens?/../account"};
    struct otapult_site site;

    (void)state;
    for (size_t i = 0; i < COUNT(tricks); i++) {
        ask(as_owner(life_get(tricks[i])));
        assert_int_equal(connection.status, 404);
    }
    for (size_t i = 0; secure && i < COUNT(queries); i++) {
        ask(life_get(queries[i])); /* a query makes no other address of it */
        expect_or_https(401, "login_required");
    }
    otapult_site(&site, otapult_esp_device());
    for (size_t i = 0; i < site.count; i++)
        assert_int_equal(strcspn(site.routes[i].path, "*?"), strlen(site.routes[i].path));
    assert_unchanged();
}

/* ---- plain HTTP where TLS is asked for ---- */

static void attack_esp_idf_plain_http(void **state)
{
    struct otapult_site site;

    (void)state;
    otapult_site(&site, otapult_esp_device());
    for (size_t i = 0; i < site.count; i++) {
        const struct otapult_route *route = &site.routes[i];
        ask(as_owner(strcmp(route->method, "GET") == 0 ? life_get(route->path) : json(route->path, "{}")));
        expect(403, "https_required");
        assert_null(strstr(connection.sent, "Set-Cookie"));
    }
    ask(as_owner(upload_of(v2.bytes, v2.len)));
    expect(403, "https_required");
    assert_unchanged();
}

#define OPEN(f)                                         \
    {                                                   \
#f ", open", f, open_device, after_attack, NULL \
    }
#define PLAIN(f)                                          \
    {                                                     \
#f ", plain", f, secure_plain, after_attack, NULL \
    }
#define TLS(f)                                        \
    {                                                 \
#f ", TLS", f, secure_tls, after_attack, NULL \
    }
#define SECURE(f) PLAIN(f), TLS(f)
#define EVERY(f)  OPEN(f), PLAIN(f), TLS(f)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SECURE(attack_esp_idf_unsigned),
        SECURE(attack_esp_idf_signed_by_another_key),
        EVERY(attack_esp_idf_block_with_bad_crc),
        EVERY(attack_esp_idf_signature_of_another_image),
        EVERY(attack_esp_idf_image_longer_than_what_is_signed),
        EVERY(attack_esp_idf_two_images_concatenated),
        EVERY(attack_esp_idf_bytes_after_the_signature_sector),
        EVERY(attack_esp_idf_every_single_bit_of_a_block_flipped),
        SECURE(attack_esp_idf_every_single_bit_flipped_and_the_crc_put_right),
        SECURE(attack_esp_idf_valid_block_revoked_key),
        SECURE(attack_esp_idf_flash_changed_between_verify_and_activate),
        EVERY(attack_esp_idf_flash_changed_inside_the_activation),
        SECURE(attack_esp_idf_empty_prefix_superset_and_absent_password),
        SECURE(attack_esp_idf_every_address_without_a_login),
        SECURE(attack_esp_idf_token_replay_after_revocation),
        SECURE(attack_esp_idf_session_fixation),
        SECURE(attack_esp_idf_login_brute_force),
        EVERY(attack_esp_idf_slowloris_in_a_body),
        TLS(attack_esp_idf_upload_started_before_a_new_password),
#if ESP_BOARD_HANDS_OVER
        TLS(attack_esp_idf_upload_started_before_a_logout),
        TLS(attack_esp_idf_upload_started_before_a_password_change),
        TLS(attack_esp_idf_upload_started_before_its_token_was_revoked),
#endif
        EVERY(attack_esp_idf_cross_origin_form_post),
        TLS(attack_esp_idf_cross_origin_from_plain_http),
        EVERY(attack_esp_idf_cross_origin_fetch),
        EVERY(attack_esp_idf_image_tag),
        EVERY(attack_esp_idf_rebinding_host),
        EVERY(attack_esp_idf_boundary_of_0_71_and_64_K_characters),
        EVERY(attack_esp_idf_raw_body_to_the_multipart_url),
        EVERY(attack_esp_idf_content_length_that_is_none),
        EVERY(attack_esp_idf_content_length_beyond_32_bits),
        EVERY(attack_esp_idf_content_length_with_transfer_encoding),
        EVERY(attack_esp_idf_names_in_the_file_name),
        EVERY(attack_esp_idf_names_in_version_and_project),
        EVERY(attack_esp_idf_path_tricks),
        PLAIN(attack_esp_idf_plain_http),
    };
    return cmocka_run_group_tests_name("esp_idf_attacks", tests, make_firmware, free_firmware);
}
