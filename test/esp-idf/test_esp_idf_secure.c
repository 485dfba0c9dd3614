/* SPDX-License-Identifier: Apache-2.0 */
#define CONFIG_OTAPULT_SECURE 1 /* as Kconfig's switch does for the application's sources */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <gnutls/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "esp_board.h"
#include "esp_https_server.h"
#include "hex.h"
#include "life.h"
#include "signer.h"

/* The secure profile on the fake ESP-IDF. The build makes this program once more for the oldest version, and
 * for one without esp_https_server. */

static struct life l;
static uint8_t *v1, *v2, *v2_signed, *v0_signed;
static size_t v1_len, v2_len, v2_signed_len, v0_signed_len;
static struct signer signer;
static struct fake_connection connection;
static char length_text[24], authorization[160], console[8192], password[64];

/* ---- a board in the secure profile ---- */

static const char *digest_of(unsigned key)
{
    static char text[65];

    return hex_of(signer.digest[key], sizeof signer.digest[key], text);
}

static void init(void)
{
    static const char *const hosts[] = {"rover.local", NULL};
    const struct otapult_esp_config usual = OTAPULT_ESP_CONFIG_DEFAULT;

    life_init(&l, WORLD_TWO_OTA, v1, v1_len);
    l.config.secure = usual.secure;
    l.config.device.hosts = hosts;
}

/* The first start of a new device, with the one key that has signed the images. */
static void boot(void)
{
    init();
    assert_true(life_boot(&l, ESP_RST_POWERON));
    fake_idf.key_digests = digest_of(SIGNER_P256);
}

static void boot_again(void)
{
    const char *digests = fake_idf.key_digests;

    fake_httpd_power_off();
    l.server = NULL;
    assert_true(life_boot(&l, ESP_RST_POWERON));
    fake_idf.key_digests = digests;
}

static int tear_down(void **state)
{
    (void)state;
    fake_httpd_power_off();
    l.server = NULL;
    life_end(&l);
    return 0;
}

static void switch_radio(bool on)
{
    fake_idf.radio_on = on;
    otapult_esp_radio(on);
}

/* What goes to standard output in between is the board's console. */
static int kept_output = -1;
static FILE *output;

static void listen_to_console(void)
{
    fflush(stdout);
    kept_output = dup(STDOUT_FILENO);
    output = tmpfile();
    assert_non_null(output);
    dup2(fileno(output), STDOUT_FILENO);
}

static void hear_console(void)
{
    fflush(stdout);
    dup2(kept_output, STDOUT_FILENO);
    close(kept_output);
    rewind(output);
    console[fread(console, 1, sizeof console - 1, output)] = '\0';
    fclose(output);
    const char *line = strstr(console, "password of admin: ");
    if (line != NULL)
        sscanf(line, "password of admin: %63s", password);
}

static unsigned count(const char *text, const char *word)
{
    unsigned n = 0;

    for (const char *p = strstr(text, word); p != NULL; p = strstr(p + 1, word))
        n++;
    return n;
}

static esp_err_t serve(void)
{
    listen_to_console();
    esp_err_t err = otapult_serve(&l.config, NULL, &l.server);
    hear_console();
    return err;
}

/* ---- requests ---- */

static void log_in(struct fake_request *r)
{
    char pair[80];
    gnutls_datum_t text = {(uint8_t *)pair, 0}, base64;

    text.size = (unsigned)snprintf(pair, sizeof pair, "admin:%s", password);
    assert_int_equal(gnutls_base64_encode2(&text, &base64), 0);
    snprintf(authorization, sizeof authorization, "Basic %s", (const char *)base64.data);
    gnutls_free(base64.data);
    r->header[3] = (struct fake_header){"Authorization", authorization};
}

static struct fake_request get(const char *uri)
{
    return (struct fake_request){.method = HTTP_GET, .uri = uri, .header = {{"Host", "10.0.0.2"}}};
}

static struct fake_request upload_of(const uint8_t *image, size_t len)
{
    struct fake_request r = {
        .method = HTTP_POST,
        .uri = "/api/ota/upload",
        .header = {{"Host", "10.0.0.2"},
                   {"Content-Type", "application/octet-stream"},
                   {"Content-Length", length_text}},
        .body = image,
        .len = len,
    };

    snprintf(length_text, sizeof length_text, "%zu", len);
    return r;
}

static void send_to(httpd_handle_t server, struct fake_request r)
{
    fake_httpd_request(server, &r, &connection);
    if (otapult_esp_board.upload_task != NULL)
        fake_task_run(otapult_esp_board.upload_task);
    fake_httpd_work();
    if (connection.sent_len > 0)
        fake_httpd_parse(&connection);
}

static void expect_answer(int status, const char *word)
{
    if (connection.status != status || strstr(connection.sent, word) == NULL)
        print_error("status %d: %s\n", connection.status, connection.sent);
    assert_int_equal(connection.status, status);
    assert_non_null(strstr(connection.sent, word));
}

static void expect_status(int status, const char *word)
{
    struct fake_request r = get("/api/ota/status");

    log_in(&r);
    send_to(l.server, r);
    expect_answer(status, word);
}

static void expect_upload(const uint8_t *image, size_t len, int status, const char *word)
{
    struct fake_request r = upload_of(image, len);

    log_in(&r);
    send_to(l.server, r);
    expect_answer(status, word);
}

/* ---- one switch ---- */

static void the_switch_is_in_the_default(void **state)
{
    const struct otapult_esp_config usual = OTAPULT_ESP_CONFIG_DEFAULT;

    (void)state;
    boot(); /* for tear_down() */
    assert_ptr_equal(usual.secure, &otapult_esp_secure);
}

static void half_a_profile_does_not_start(void **state)
{
    (void)state;
    boot();
    l.config.secure = NULL;
    l.config.device.secure = &otapult_secure;
    assert_int_equal(otapult_esp_start(&l.config), ESP_ERR_INVALID_ARG);
    assert_non_null(strstr(fake_idf.log, "E otapult: device.secure without its other half"));
    assert_null(otapult_esp_device());
    assert_int_equal(otapult_serve(&l.config, NULL, &l.server), ESP_ERR_INVALID_ARG);
    assert_int_equal(fake_httpd_servers(), 0);
}

static void the_profile_is_the_one_it_was_started_in(void **state)
{
    (void)state;
    boot();
    l.config.secure = NULL;
    assert_int_equal(otapult_esp_start(&l.config), ESP_OK);
    l.config.secure = &otapult_esp_secure;
    assert_int_equal(otapult_serve(&l.config, NULL, &l.server), ESP_ERR_INVALID_ARG);
    assert_int_equal(otapult_mount(l.server, &l.config), ESP_ERR_INVALID_ARG);
    assert_int_equal(fake_httpd_servers(), 0);
}

/* ---- keys ---- */

static unsigned keys_of(const char *digests)
{
    struct otapult_status s;

    boot_again();
    fake_idf.key_digests = digests;
    listen_to_console();
    assert_int_equal(otapult_esp_start(&l.config), ESP_OK);
    hear_console();
    otapult_status(otapult_esp_device(), &s);
    assert_true(s.secure);
    return s.key_count;
}

static void digests_that_cannot_be_read_start_nothing(void **state)
{
    char good[65], text[5 * 66];

    (void)state;
    boot();
    strcpy(good, digest_of(SIGNER_P256));
    for (int n = 0; n < 9; n++) {
        boot_again();
        switch (n) {
        case 0: snprintf(text, sizeof text, "%.63s", good); break;
        case 1: snprintf(text, sizeof text, "%s0", good); break;
        case 2: snprintf(text, sizeof text, "%s,", good); break;
        case 3: snprintf(text, sizeof text, ",%s", good); break;
        case 4: snprintf(text, sizeof text, "%s %s", good, good); break;
        case 5: snprintf(text, sizeof text, "%.63sg", good); break;
        case 6: snprintf(text, sizeof text, "%s,%s,%s,%s", good, good, good, good); break;
        case 7: snprintf(text, sizeof text, "y"); break;
        default: snprintf(text, sizeof text, "%s,%.62s", good, good); break;
        }
        fake_idf.key_digests = text;
        assert_int_equal(otapult_esp_start(&l.config), ESP_ERR_INVALID_ARG);
        assert_non_null(
            strstr(fake_idf.log, "E otapult: nothing starts: CONFIG_OTAPULT_KEY_DIGESTS must be"));
        assert_null(otapult_esp_device());
        assert_int_equal(otapult_serve(&l.config, NULL, NULL), ESP_ERR_INVALID_ARG);
        assert_int_equal(fake_httpd_servers(), 0);
    }
}

static void the_configuration_s_digests_come_before_kconfig_s(void **state)
{
    char good[65];

    (void)state;
    boot();
    strcpy(good, digest_of(SIGNER_P256));
    boot_again();
    fake_idf.key_digests = good;
    l.config.key_digests = "not hex";
    assert_int_equal(otapult_esp_start(&l.config), ESP_ERR_INVALID_ARG);
    assert_non_null(strstr(fake_idf.log, "nothing starts: key_digests must be"));
    boot_again();
    fake_idf.key_digests = "not hex";
    l.config.key_digests = good;
    assert_int_equal(otapult_esp_start(&l.config), ESP_OK);
}

static void up_to_three_digests_are_trusted(void **state)
{
    char text[200], upper[65];

    (void)state;
    boot();
    assert_int_equal(keys_of(""), 0);
    assert_int_equal(keys_of(strcpy(text, digest_of(SIGNER_P256))), 1);
    for (size_t i = 0; i < 65; i++)
        upper[i] = (char)(text[i] >= 'a' ? text[i] - 'a' + 'A' : text[i]);
    assert_int_equal(keys_of(upper), 1);
    snprintf(text + 64, sizeof text - 64, ",%s", digest_of(SIGNER_RSA));
    assert_int_equal(keys_of(text), 2);
    snprintf(text + 129, sizeof text - 129, ",%s", digest_of(SIGNER_OTHER));
    assert_int_equal(keys_of(text), 3);
}

static void the_applications_own_keys_come_first(void **state)
{
    static uint8_t own[1][OTAPULT_KEY_DIGEST];

    (void)state;
    boot();
    memcpy(own[0], signer.digest[SIGNER_RSA], sizeof own[0]);
    l.config.device.keys = (const uint8_t(*)[OTAPULT_KEY_DIGEST])own;
    l.config.device.key_count = 1;
    assert_int_equal(keys_of("not looked at"), 1);
}

/* ---- chance ---- */

static void the_first_start_needs_no_radio(void **state)
{
    uint8_t bytes[8];

    (void)state;
    boot();
    listen_to_console();
    assert_int_equal(otapult_esp_start(&l.config), ESP_OK);
    hear_console();
    assert_int_equal(count(console, "password of admin: "), 1);
    assert_true(fake_idf.adc_noises > 1);
    assert_false(fake_idf.adc_noise);
    const struct otapult_port *port = otapult_esp_port(); /* and only the start: */
    assert_int_not_equal(port->random(port->ctx, bytes, sizeof bytes), 0);
}

static void a_radio_that_is_on_is_left_alone(void **state)
{
    (void)state;
    boot();
    switch_radio(true);
    listen_to_console();
    assert_int_equal(otapult_esp_start(&l.config), ESP_OK); /* the fake punishes anything else */
    hear_console();
    assert_int_equal(count(console, "password of admin: "), 1);
    assert_int_equal(fake_idf.adc_noises, 0);
}

static void the_open_profile_leaves_the_adc_alone(void **state)
{
    (void)state;
    boot();
    l.config.secure = NULL;
    assert_int_equal(otapult_esp_start(&l.config), ESP_OK);
    assert_int_equal(fake_idf.adc_noises, 0);
}

/* ---- the password ---- */

static void the_password_is_printed_once_and_not_logged(void **state)
{
    (void)state;
    boot();
    listen_to_console();
    assert_int_equal(otapult_esp_start(&l.config), ESP_OK);
    hear_console();
    assert_int_equal(count(console, password), 1);
    assert_int_equal(count(fake_idf.log, password), 0);
    boot_again();
    listen_to_console();
    assert_int_equal(otapult_esp_start(&l.config), ESP_OK);
    hear_console();
    assert_int_equal(count(console, "password"), 0);
    switch_radio(true);
    fake_idf.random = 77; /* the fake's chance begins anew with each life */
    char first[sizeof password];
    memcpy(first, password, sizeof first);
    listen_to_console();
    assert_int_equal(otapult_new_password(otapult_esp_device()), 0);
    hear_console();
    assert_int_equal(count(console, "password of admin: "), 1);
    assert_string_not_equal(password, first);
}

static char shown[64];

static bool show(void *app, const char *text)
{
    (void)app;
    snprintf(shown, sizeof shown, "%s", text);
    return true;
}

static void an_application_may_show_it_itself(void **state)
{
    (void)state;
    boot();
    l.config.device.show_password = show;
    listen_to_console();
    assert_int_equal(otapult_esp_start(&l.config), ESP_OK);
    hear_console();
    assert_true(strlen(shown) > 0);
    assert_string_equal(console, "");
}

/* ---- servers ---- */

static void a_plain_server_refuses_everything(void **state)
{
    httpd_config_t plain = HTTPD_DEFAULT_CONFIG();
    struct fake_request r;

    (void)state;
    boot();
    plain.max_uri_handlers = OTAPULT_ESP_HANDLERS;
    plain.stack_size = OTAPULT_ESP_SERVER_STACK;
    assert_int_equal(httpd_start(&l.server, &plain), ESP_OK);
    listen_to_console();
    assert_int_equal(otapult_mount(l.server, &l.config), ESP_OK);
    hear_console();
    assert_int_equal(count(fake_idf.log, "E otapult: the secure profile on a server without TLS"), 1);
    expect_status(403, "https_required");
    r = get("/api/ota");
    send_to(l.server, r);
    expect_answer(403, "https_required");
    expect_upload(v2_signed, v2_signed_len, 403, "https_required");
    assert_true(life_settle(&l));
    assert_false(fake_idf.restarted);
}

#if CONFIG_ESP_HTTPS_SERVER_ENABLE
static void read_certificate(gnutls_x509_crt_t crt, gnutls_x509_privkey_t key)
{
    gnutls_datum_t der;
    size_t len;

    der.data = (uint8_t *)(uintptr_t)fake_httpd_certificate(l.server, &len);
    der.size = (unsigned)len;
    assert_int_equal(gnutls_x509_crt_import(crt, &der, GNUTLS_X509_FMT_DER), 0);
    der.data = (uint8_t *)(uintptr_t)fake_httpd_key(l.server, &len);
    der.size = (unsigned)len;
    assert_int_equal(gnutls_x509_privkey_import(key, &der, GNUTLS_X509_FMT_DER), 0);
}

/* The fingerprint of what the server shows; it fits the key, and is for the device's name. */
static void take_fingerprint(char text[100])
{
    gnutls_x509_crt_t crt;
    gnutls_x509_privkey_t key;
    uint8_t a[32], b[32], digest[32];
    size_t a_len = 32, b_len = 32, len = 32;

    assert_int_equal(gnutls_x509_crt_init(&crt), 0);
    assert_int_equal(gnutls_x509_privkey_init(&key), 0);
    read_certificate(crt, key);
    assert_int_equal(gnutls_x509_crt_get_key_id(crt, GNUTLS_KEYID_USE_SHA256, a, &a_len), 0);
    assert_int_equal(gnutls_x509_privkey_get_key_id(key, GNUTLS_KEYID_USE_SHA256, b, &b_len), 0);
    assert_memory_equal(a, b, sizeof a);
    assert_true(gnutls_x509_crt_check_hostname(crt, "rover.local") != 0);
    assert_int_equal(gnutls_x509_crt_get_fingerprint(crt, GNUTLS_DIG_SHA256, digest, &len), 0);
    for (size_t i = 0; i < len; i++)
        snprintf(text + 3 * i, 4, i + 1 < len ? "%02X:" : "%02X", digest[i]);
    gnutls_x509_crt_deinit(crt);
    gnutls_x509_privkey_deinit(key);
}

static void it_serves_https_with_its_own_certificate(void **state)
{
    char first[100], line[160], later[100];

    (void)state;
    boot();
    assert_int_equal(serve(), ESP_OK);
    assert_int_equal(fake_httpd_servers(), 1);
    assert_ptr_equal(fake_httpd_on(8080), l.server);
    assert_non_null(httpd_get_global_transport_ctx(l.server));
    assert_true(fake_httpd_config(l.server)->stack_size >= OTAPULT_ESP_SERVER_STACK + 4096);
    take_fingerprint(first);
    snprintf(line, sizeof line, "otapult: certificate SHA-256 %s\n", first);
    assert_int_equal(count(console, line), 1);
    assert_false(fake_idf.adc_noise);

    boot_again();
    assert_int_equal(serve(), ESP_OK);
    take_fingerprint(later);
    assert_string_equal(later, first);
    assert_int_equal(count(console, line), 1);
    assert_int_equal(count(console, "password"), 0);
}

static void another_device_has_another_certificate(void **state)
{
    char first[100], other[100];

    (void)state;
    boot();
    assert_int_equal(serve(), ESP_OK);
    take_fingerprint(first);
    uint32_t chance = fake_idf.random;
    tear_down(NULL);
    boot();
    fake_idf.random = chance;
    assert_int_equal(serve(), ESP_OK);
    take_fingerprint(other);
    assert_string_not_equal(first, other);
}

static void the_radio_may_come_between_start_and_server(void **state)
{
    (void)state;
    boot();
    listen_to_console();
    assert_int_equal(otapult_esp_start(&l.config), ESP_OK);
    hear_console();
    unsigned before = fake_idf.adc_noises;
    switch_radio(true);
    assert_int_equal(serve(), ESP_OK);
    assert_int_equal(fake_idf.adc_noises, before);
}

static void it_wants_a_login_and_a_signature(void **state)
{
    (void)state;
    boot();
    assert_int_equal(serve(), ESP_OK);
    switch_radio(true);
    send_to(l.server, get("/api/ota/status"));
    expect_answer(401, "login_required");
    send_to(l.server, upload_of(v2_signed, v2_signed_len));
    expect_answer(401, "login_required");
    expect_status(200, "\"enforced\":true");
    expect_upload(v2, v2_len, 422, "signature_missing");
    expect_upload(v2_signed, v2_signed_len, 200, "\"success\":true");
    assert_int_equal(otapult_esp_board.secure == &otapult_esp_secure, true);
}

static void without_keys_it_serves_and_takes_nothing(void **state)
{
    (void)state;
    boot();
    fake_idf.key_digests = "";
    assert_int_equal(serve(), ESP_OK);
    expect_upload(v2_signed, v2_signed_len, 501, "signature_no_keys");
}

static void an_older_version_is_refused_where_kconfig_says_so(void **state)
{
    (void)state;
    boot();
    assert_int_equal(serve(), ESP_OK);
    expect_upload(v0_signed, v0_signed_len, 422, "image_older");
}

static void the_users_certificate_is_used_as_it_is(void **state)
{
    static const uint8_t pem[] = "-----BEGIN";
    const struct otapult_esp_tls tls = {pem, sizeof pem, pem, sizeof pem};
    size_t len;

    (void)state;
    boot();
    listen_to_console();
    assert_int_equal(otapult_serve(&l.config, &tls, &l.server), ESP_OK);
    hear_console();
    assert_memory_equal(fake_httpd_certificate(l.server, &len), pem, sizeof pem);
    assert_int_equal(count(console, "certificate"), 0);
}

static void without_a_store_nothing_is_served(void **state)
{
    (void)state;
    boot();
    fake_idf.nvs_error = ESP_ERR_NVS_NO_FREE_PAGES;
    assert_int_equal(serve(), ESP_FAIL);
    assert_non_null(
        strstr(fake_idf.log, "E otapult: no HTTPS, so nothing is served: the store cannot be read"));
    assert_int_equal(fake_httpd_servers(), 0);
    fake_idf.nvs_error = ESP_OK;
    boot_again();
    assert_int_equal(serve(), ESP_OK);
}

/* A server of the application's that speaks TLS. */
static void it_can_be_mounted_on_a_server_with_tls(void **state)
{
    static const uint8_t pem[] = "-----BEGIN";
    httpd_ssl_config_t config = HTTPD_SSL_CONFIG_DEFAULT();

    (void)state;
    boot();
    config.httpd.max_uri_handlers = OTAPULT_ESP_HANDLERS;
    config.servercert = config.prvtkey_pem = pem;
    config.servercert_len = config.prvtkey_len = sizeof pem;
    assert_int_equal(httpd_ssl_start(&l.server, &config), ESP_OK);
    listen_to_console();
    assert_int_equal(otapult_mount(l.server, &l.config), ESP_OK);
    hear_console();
    assert_int_equal(count(fake_idf.log, "without TLS"), 0);
    expect_status(200, "\"enforced\":true");
}

/* ---- beside it, without TLS ---- */

static void a_second_server_sends_pages_on(void **state)
{
    struct fake_request r = get("/api/ota");
    httpd_handle_t plain;

    (void)state;
    boot();
    l.config.redirect_port = 80;
    assert_int_equal(serve(), ESP_OK);
    plain = fake_httpd_on(80);
    assert_non_null(plain);
    assert_null(httpd_get_global_transport_ctx(plain));
    assert_int_not_equal(fake_httpd_config(plain)->ctrl_port, fake_httpd_config(l.server)->ctrl_port);
    send_to(plain, r);
    expect_answer(307, "\r\nLocation: https://10.0.0.2:8080/api/ota\r\n");
    assert_true(connection.complete);
    r.header[0].value = "rover.local:80";
    send_to(plain, r);
    expect_answer(307, "\r\nLocation: https://rover.local:8080/api/ota\r\n");
    r.header[0].value = "evil.example";
    send_to(plain, r);
    expect_answer(421, "foreign_host");
    send_to(l.server, get("/api/ota"));
    expect_answer(200, "Content-Encoding: gzip");
}

static void it_takes_nothing_itself(void **state)
{
    struct fake_request r = upload_of(v2_signed, v2_signed_len);

    (void)state;
    boot();
    l.config.redirect_port = 80;
    assert_int_equal(serve(), ESP_OK);
    log_in(&r);
    r.header[4] = (struct fake_header){"Expect", "100-continue"};
    send_to(fake_httpd_on(80), r);
    expect_answer(403, "https_required");
    assert_int_equal(connection.read, 0);
    assert_false(atomic_load(&otapult_esp_board.uploading));
    r = get("/api/ota/status");
    log_in(&r);
    send_to(fake_httpd_on(80), r);
    expect_answer(403, "https_required");
}

/* Its requests run in another task, in the middle of the other server's. */
static void ask_the_second_server(void *ctx)
{
    static struct fake_connection other;
    static struct fake_request r;
    unsigned *asked = ctx;

    if (++*asked != 20)
        return;
    r = get("/api/ota");
    fake_httpd_request(fake_httpd_on(80), &r, &other);
    fake_httpd_parse(&other);
    assert_int_equal(other.status, 307);
}

static void it_disturbs_no_upload(void **state)
{
    struct fake_request r = upload_of(v2_signed, v2_signed_len);
    unsigned asked = 0;

    (void)state;
    boot();
    l.config.redirect_port = 80;
    assert_int_equal(serve(), ESP_OK);
    log_in(&r);
    r.on_read = ask_the_second_server;
    r.ctx = &asked;
    send_to(l.server, r);
    expect_answer(200, "\"success\":true");
    assert_true(asked > 20);
}

static void it_ends_with_the_first(void **state)
{
    (void)state;
    boot();
    l.config.redirect_port = 80;
    assert_int_equal(serve(), ESP_OK);
    assert_int_equal(fake_httpd_servers(), 2);
    assert_int_equal(otapult_unmount(), ESP_OK);
    assert_null(fake_httpd_on(80));
    assert_int_equal(httpd_ssl_stop(l.server), ESP_OK);
    assert_int_equal(serve(), ESP_OK);
    assert_int_equal(fake_httpd_servers(), 2);
}

static void both_serve_or_none(void **state)
{
    (void)state;
    boot();
    l.config.redirect_port = fake_idf.taken_port = 80;
    assert_int_equal(serve(), ESP_FAIL);
    assert_int_equal(fake_httpd_servers(), 0);
    l.config.redirect_port = 81;
    assert_int_equal(serve(), ESP_OK);
    assert_int_equal(fake_httpd_servers(), 2);
}

static void the_open_profile_has_nothing_to_send_on_to(void **state)
{
    (void)state;
    boot();
    l.config.secure = NULL;
    l.config.redirect_port = 80;
    assert_int_equal(otapult_serve(&l.config, NULL, &l.server), ESP_ERR_INVALID_ARG);
    assert_int_equal(fake_httpd_servers(), 0);
}
#else
static void without_the_component_nothing_is_served(void **state)
{
    static const uint8_t pem[] = "-----BEGIN";
    const struct otapult_esp_tls tls = {pem, sizeof pem, pem, sizeof pem};

    (void)state;
    boot();
    l.config.redirect_port = 80;
    assert_int_equal(serve(), ESP_ERR_NOT_SUPPORTED);
    assert_int_equal(otapult_serve(&l.config, &tls, &l.server), ESP_ERR_NOT_SUPPORTED);
    assert_int_equal(fake_httpd_servers(), 0);
    assert_int_equal(count(fake_idf.log, "E otapult: built without CONFIG_ESP_HTTPS_SERVER_ENABLE"), 2);
    assert_int_equal(count(console, "certificate"), 0);
}

static void an_open_device_speaks_no_tls_either(void **state)
{
    static const uint8_t pem[] = "-----BEGIN";
    const struct otapult_esp_tls tls = {pem, sizeof pem, pem, sizeof pem};

    (void)state;
    boot();
    l.config.secure = NULL;
    assert_int_equal(otapult_serve(&l.config, &tls, &l.server), ESP_ERR_NOT_SUPPORTED);
    assert_int_equal(fake_httpd_servers(), 0);
    assert_int_equal(otapult_serve(&l.config, NULL, &l.server), ESP_OK);
}
#endif

static void make_images(void)
{
    static const enum signer_key by[] = {SIGNER_P256};
    struct sample_spec spec = {SAMPLE_DEFAULT, .version = "1.0.0", .size = 9000, .seed = 1};
    size_t v0_len;

    signer_open(&signer, OTAPULT_SOURCE_DIR "/test/support/signer.mjs");
    v1 = sample_image(&spec, &v1_len);
    spec.version = "2.0.0";
    spec.seed = 2;
    v2 = sample_image(&spec, &v2_len);
    v2_signed = signer_sign(&signer, v2, v2_len, by, 1, &v2_signed_len);
    spec.version = "0.9.0";
    uint8_t *v0 = sample_image(&spec, &v0_len);
    v0_signed = signer_sign(&signer, v0, v0_len, by, 1, &v0_signed_len);
    free(v0);
}

#define TEST_CASE(name) cmocka_unit_test_teardown(name, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_CASE(the_switch_is_in_the_default),
        TEST_CASE(half_a_profile_does_not_start),
        TEST_CASE(the_profile_is_the_one_it_was_started_in),
        TEST_CASE(digests_that_cannot_be_read_start_nothing),
        TEST_CASE(the_configuration_s_digests_come_before_kconfig_s),
        TEST_CASE(up_to_three_digests_are_trusted),
        TEST_CASE(the_applications_own_keys_come_first),
        TEST_CASE(the_first_start_needs_no_radio),
        TEST_CASE(a_radio_that_is_on_is_left_alone),
        TEST_CASE(the_open_profile_leaves_the_adc_alone),
        TEST_CASE(the_password_is_printed_once_and_not_logged),
        TEST_CASE(an_application_may_show_it_itself),
        TEST_CASE(a_plain_server_refuses_everything),
#if CONFIG_ESP_HTTPS_SERVER_ENABLE
        TEST_CASE(it_serves_https_with_its_own_certificate),
        TEST_CASE(another_device_has_another_certificate),
        TEST_CASE(the_radio_may_come_between_start_and_server),
        TEST_CASE(it_wants_a_login_and_a_signature),
        TEST_CASE(without_keys_it_serves_and_takes_nothing),
        TEST_CASE(an_older_version_is_refused_where_kconfig_says_so),
        TEST_CASE(the_users_certificate_is_used_as_it_is),
        TEST_CASE(without_a_store_nothing_is_served),
        TEST_CASE(it_can_be_mounted_on_a_server_with_tls),
        TEST_CASE(a_second_server_sends_pages_on),
        TEST_CASE(it_takes_nothing_itself),
        TEST_CASE(it_disturbs_no_upload),
        TEST_CASE(it_ends_with_the_first),
        TEST_CASE(both_serve_or_none),
        TEST_CASE(the_open_profile_has_nothing_to_send_on_to),
#else
        TEST_CASE(without_the_component_nothing_is_served),
        TEST_CASE(an_open_device_speaks_no_tls_either),
#endif
    };

    make_images();
    int failed = cmocka_run_group_tests_name("esp_idf_secure", tests, NULL, NULL);
    free(v1);
    free(v2);
    free(v2_signed);
    free(v0_signed);
    signer_close(&signer);
    return failed;
}
