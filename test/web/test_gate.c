/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "http_client.h"
#include "login.h"
#include "trust/certificate.h"
#include "trust/password.h"
#include "trust/users.h"
#include "update/common.h"
#include "world.h"

/* The gate in front of a whole device: what a request must bring, in both profiles. */

#define COUNT(a) (sizeof(a) / sizeof(a)[0])
#define PASSWORD "correct horse battery"

static struct world world;
static union otapult_users_memory users_memory;
static bool secure, with_users, with_tls;
static uint8_t *image;
static size_t image_len;

static const uint8_t keys[1][OTAPULT_KEY_DIGEST] = {{1}};
static const char *const names[] = {"rover.local", "robot.example", NULL};

static bool password_wanted;

static bool show_password(void *app, const char *password)
{
    (void)app;
    if (password_wanted)
        return true;
    fail_msg("a password was made: %s", password);
    return false;
}

static void configure(void *ctx, struct otapult_config *config)
{
    (void)ctx;
    config->secure = secure ? &otapult_secure : NULL;
    config->users = with_users ? &users_memory : NULL;
    config->hosts = names;
    config->keys = keys;
    config->key_count = 1;
    config->show_password = show_password;
    config->resumable = &otapult_resumable;
}

/* A password is there already. */
static void store_password(void *ctx, struct otapult_port *port)
{
    struct otapult_password there;
    size_t len;

    (void)ctx;
    assert_int_equal(port->kv_get(port->ctx, "usr.pw1", &there, sizeof there, &len), 0);
    if (len == 0)
        login_store(port, PASSWORD);
}

static void boot(void)
{
    assert_true(world_boot(&world));
}

static int begin_world(bool is_secure)
{
    const struct sample_spec spec = {SAMPLE_DEFAULT, .version = "1.0.0", .size = 20000, .seed = 1};
    const struct sample_spec next = {SAMPLE_DEFAULT, .version = "2.0.0", .size = 20000, .seed = 2};
    size_t len;
    uint8_t *first = sample_image(&spec, &len);

    secure = with_tls = is_secure;
    with_users = true;
    world_init(&world, WORLD_TWO_OTA, first, len);
    free(first);
    image = sample_image(&next, &image_len);
    world.configure = configure;
    world.wrap = store_password;
    boot();
    return 0;
}

static int a_secure_device(void **state)
{
    (void)state;
    return begin_world(true);
}

static int an_open_device(void **state)
{
    (void)state;
    return begin_world(false);
}

static int end_device(void **state)
{
    (void)state;
    world_end(&world);
    free(image);
    return 0;
}

/* ---- a client ---- */

static struct http_client client;
static char cookie[80]; /* that a login has set */

static unsigned own_calls;

static enum otapult_http_next own_begin(struct otapult_exchange *x)
{
    own_calls++;
    otapult_http_json(x, 200, "{}", 2);
    return OTAPULT_HTTP_ANSWERED;
}

/* An application's own address, of which nothing is said but where it is. */
static const struct otapult_route own_routes[] = {
    {.method = "GET", .path = "/own", .begin = own_begin},
    {.method = "POST", .path = "/own", .begin = own_begin},
};

static enum otapult_http_next begin_as(struct http_client *c, const char *method, const char *path,
                                       const struct http_header *headers)
{
    const struct otapult_request line = {.method = method, .path = path, .tls = with_tls, .https_port = 8443};
    struct otapult_site sites[2] = {{.routes = own_routes, .count = COUNT(own_routes)}};

    otapult_site(&sites[1], world.ota); /* behind it: the order does not matter */
    return http_client_begin(c, sites, 2, &line, headers);
}

static enum otapult_http_next begin(const char *method, const char *path, const struct http_header *headers)
{
    return begin_as(&client, method, path, headers);
}

/* A whole request with a short body. */
static int ask(const char *method, const char *path, const struct http_header *headers, const char *body)
{
    if (begin(method, path, headers) == OTAPULT_HTTP_BODY) {
        (void)otapult_http_body(&client.x, (const uint8_t *)body, strlen(body));
        otapult_http_end(&client.x);
    }
    return client.status;
}

static void assert_code(int status, const char *code)
{
    char want[64];

    snprintf(want, sizeof want, "\"code\":\"%s\"", code);
    if (client.status != status || strstr(client.text, want) == NULL)
        fail_msg("%d %s is not %d %s", client.status, client.text, status, code);
}

/* As somebody does who knows the old one. */
static int change_password(const char *text, size_t len)
{
    struct otapult_users *known = otapult_device_users(world.ota);
    struct otapult_who old = login_owner(known);

    return otapult_users_change(known, &old, text, len);
}

static void log_in(void)
{
    char *at;

    assert_int_equal(ask("POST", "/api/ota/login", HEADERS(JSON), "{\"password\":\"" PASSWORD "\"}"), 200);
    at = strstr(client.more, "Set-Cookie: ");
    assert_non_null(at);
    at += strlen("Set-Cookie: ");
    snprintf(cookie, sizeof cookie, "%.*s", (int)strcspn(at, ";"), at);
}

static char bearer[80];

static void make_token(const char *name)
{
    char body[64], *at;

    snprintf(body, sizeof body, "{\"name\":\"%s\"}", name);
    assert_int_equal(ask("POST", "/api/ota/tokens/create", HEADERS({"Cookie", cookie}, JSON), body), 200);
    at = strstr(client.text, "\"token\":\"");
    assert_non_null(at);
    snprintf(bearer, sizeof bearer, "Bearer %.32s", at + strlen("\"token\":\""));
}

/* ---- levels ---- */

static bool is_public(const struct otapult_route *r)
{
    static const char *const paths[] = {"/api/ota", "/api/ota/account", "/api/ota/login", "/api/ota/logout"};

    for (size_t i = 0; i < COUNT(paths); i++) {
        if (strcmp(r->path, paths[i]) == 0)
            return true;
    }
    return false;
}

/* Every address there is, also one that a later change adds. */
static void without_a_login_nothing_works_but_what_leads_to_it(void **state)
{
    struct otapult_site site;
    unsigned guarded = 0;

    (void)state;
    otapult_site(&site, world.ota);
    for (size_t i = 0; i < site.count; i++) {
        const struct otapult_route *r = &site.routes[i];
        enum otapult_http_next next = begin(r->method, r->path, HEADERS(JSON, {"Content-Length", "70000"}));
        if (is_public(r)) {
            assert_int_not_equal(client.status, 401);
            continue;
        }
        assert_int_equal(next, OTAPULT_HTTP_ANSWERED); /* before the first byte of the body */
        assert_code(401, "login_required");
        guarded++;
    }
    assert_true(guarded >= 11);
    begin("HEAD", "/api/ota/status", NULL);
    assert_code(401, "login_required");
}

static void an_application_cannot_forget_the_login(void **state)
{
    (void)state;
    own_calls = 0;
    begin("GET", "/own", NULL);
    assert_code(401, "login_required");
    begin("POST", "/own", NULL);
    assert_code(401, "login_required");
    assert_int_equal(own_calls, 0);
    begin("GET", "/own", HEADERS({"Authorization", login_basic("admin:" PASSWORD)}));
    assert_int_equal(own_calls, 1);
}

static void the_open_profile_asks_nobody(void **state)
{
    static const char *const accounts[] = {"login", "password", "tokens/create", "tokens/revoke"};
    char path[64];

    (void)state;
    assert_int_equal(ask("GET", "/api/ota/status", NULL, ""), 200);
    assert_non_null(strstr(client.text, "\"open\":true"));
    assert_int_equal(ask("GET", "/own", NULL, ""), 200);
    assert_int_equal(ask("GET", "/api/ota/status", HEADERS({"Authorization", "Bearer nonsense"}), ""), 200);
    ask("GET", "/api/ota/tokens", NULL, "");
    assert_code(409, "open_profile");
    for (size_t i = 0; i < COUNT(accounts); i++) {
        snprintf(path, sizeof path, "/api/ota/%s", accounts[i]);
        ask("POST", path, HEADERS(JSON), "{\"password\":\"x\"}");
        assert_code(409, "open_profile");
    }
    ask("POST", "/api/ota/logout", NULL, "");
    assert_code(409, "open_profile");
}

/* Secure and something missing: everything is refused, with the reason; nothing is skipped. */
static void half_a_secure_profile_refuses_everything(void **state)
{
    struct otapult_site site;

    (void)state;
    with_users = false;
    boot();
    otapult_site(&site, world.ota);
    for (size_t i = 0; i < site.count; i++) {
        begin(site.routes[i].method, site.routes[i].path,
              HEADERS({"Authorization", login_basic("admin:" PASSWORD)}, JSON));
        assert_code(503, "not_secured");
        assert_non_null(strstr(client.text, "no memory for the login"));
    }
    begin("GET", "/own", NULL);
    assert_code(503, "not_secured");
}

/* ---- TLS ---- */

static void plain_http_redirects_pages_and_refuses_the_rest(void **state)
{
    struct otapult_site site;

    (void)state;
    with_tls = false;
    otapult_site(&site, world.ota);
    for (size_t i = 0; i < site.count; i++) {
        begin(site.routes[i].method, site.routes[i].path,
              HEADERS({"Host", "rover.local"}, {"Authorization", login_basic("admin:" PASSWORD)}, JSON));
        if (site.routes[i].level == OTAPULT_PAGE)
            assert_int_equal(client.status, 307);
        else
            assert_code(403, "https_required");
    }
    begin("POST", "/own", NULL);
    assert_code(403, "https_required");
}

static void a_redirect_goes_to_the_same_host(void **state)
{
    static const struct {
        const char *host, *location;
    } cases[] = {
        {"rover.local", "Location: https://rover.local:8443/api/ota\r\n"},
        {"rover.local:8080", "Location: https://rover.local:8443/api/ota\r\n"},
        {"192.168.1.7:80", "Location: https://192.168.1.7:8443/api/ota\r\n"},
        {"[fe80::1]:80", "Location: https://[fe80::1]:8443/api/ota\r\n"},
        {"ROBOT.example", "Location: https://ROBOT.example:8443/api/ota\r\n"},
    };

    (void)state;
    with_tls = false;
    for (size_t i = 0; i < COUNT(cases); i++) {
        begin("GET", "/api/ota", HEADERS({"Host", cases[i].host}));
        assert_int_equal(client.status, 307);
        assert_non_null(strstr(client.more, cases[i].location));
    }
    begin("GET", "/api/ota", HEADERS({"Host", "evil.example"})); /* not where the request would like it */
    assert_code(421, "foreign_host");
    begin("GET", "/api/ota", NULL);
    assert_code(403, "https_required");
}

/* ---- requests from elsewhere ---- */

static void rebinding_host(void **state)
{
    static const char *const good[] = {
        "192.168.1.7", "192.168.1.7:8080", "127.0.0.1", "localhost",   "localhost:1",   "LOCALHOST",
        "[::1]",       "[::1]:8080",       "[fe80::1]", "rover.local", "Rover.Local:1", "robot.example:65535",
        "10.0.0.1:"};
    static const char *const foreign[] = {"evil.example",
                                          "rover.local.evil.example",
                                          "evil-rover.local",
                                          "xrover.local",
                                          "rover.local.",
                                          "rover",
                                          "",
                                          ":8080",
                                          "localhost.evil.example",
                                          "127.0.0.1.evil.example",
                                          "127.0.0.1.nip.io",
                                          "1.2.3",
                                          "1.2.3.4.5",
                                          "256.1.1.1",
                                          "1.2.3.0x4",
                                          "0x7f000001",
                                          "2130706433",
                                          "1..2.3",
                                          "1.2.3.",
                                          "0001.2.3.4",
                                          "[::1",
                                          "[]",
                                          "[evil:example]",
                                          "[::1]evil",
                                          "rover.local@evil.example",
                                          "rover.local:80:80",
                                          "rover.local:x",
                                          "rover.local:123456",
                                          "rover.local/",
                                          "rover.local evil.example",
                                          "rover.local\tx",
                                          "rover.local\x01",
                                          "rover.local\x7F",
                                          "rover.local\xFF",
                                          "\xD1\x80.local",
                                          "rover|local",
                                          "rover{local}",
                                          "[::1\x80]",
                                          "[::1"};

    (void)state;
    for (size_t i = 0; i < COUNT(good); i++) {
        begin("GET", "/api/ota", HEADERS({"Host", good[i]}));
        if (client.status != 200)
            fail_msg("%s: %s", good[i], client.text);
    }
    for (size_t i = 0; i < COUNT(foreign); i++) {
        static const char *const paths[] = {"/api/ota", "/api/ota/status", "/own"};
        for (size_t p = 0; p < COUNT(paths); p++) {
            begin("GET", paths[p], HEADERS({"Host", foreign[i]}));
            if (client.status != 421 && client.status != 400)
                fail_msg("%s: %d", foreign[i], client.status);
        }
        assert_int_equal(begin("POST", "/api/ota/upload", HEADERS({"Host", foreign[i]})),
                         OTAPULT_HTTP_ANSWERED);
        if (client.status == 400)
            assert_code(400, "bad_request"); /* it is no Host at all */
        else
            assert_code(421, "foreign_host");
    }
    begin("GET", "/api/ota", HEADERS({"Host", "evil.example"}));
    assert_code(421, "foreign_host");
    begin("GET", "/api/ota", HEADERS({"Host", "rover.local"}, {"Host", "rover.local"}));
    assert_code(400, "bad_request");
}

static void the_open_profile_minds_hosts_and_origins_too(void **state)
{
    (void)state;
    ask("POST", "/api/ota/reboot", HEADERS({"Host", "evil.example"}), "");
    assert_code(421, "foreign_host");
    ask("POST", "/api/ota/reboot", HEADERS({"Host", "rover.local"}, {"Origin", "http://evil.example"}), "");
    assert_code(403, "foreign_origin");
    ask("POST", "/own", HEADERS({"Host", "rover.local"}, {"Sec-Fetch-Site", "cross-site"}), "");
    assert_code(403, "foreign_origin");
}

static void a_page_without_tls_is_another_site(void **state)
{
    static const struct {
        const char *origin;
        bool ours;
    } cases[] = {{"https://rover.local", true},
                 {"HTTPS://rover.local", true},
                 {"http://rover.local", false},
                 {"https://rover.local:8443", false},
                 {"null", false},
                 {"", false},
                 {"https://evil.example", false},
                 {"https:rover.local", false},
                 {"file://", false},
                 {"https://rover.local:443", false},
                 {"wss://rover.local", false},
                 {"https://", false},
                 {"https://rover.local\\@evil", false},
                 {"xhttps://rover.local", false}};

    (void)state;
    log_in();
    for (size_t i = 0; i < COUNT(cases); i++) {
        enum otapult_http_next next =
            begin("POST", "/api/ota/confirm",
                  HEADERS({"Host", "rover.local"}, {"Origin", cases[i].origin}, {"Cookie", cookie}));
        assert_int_equal(next == OTAPULT_HTTP_BODY, cases[i].ours);
        if (!cases[i].ours)
            assert_code(403, "foreign_origin");
    }
}

static void what_a_browser_says_of_a_request_counts(void **state)
{
    static const struct {
        const char *method, *site, *mode;
        bool ours;
    } cases[] = {
        {"POST", "same-origin", "cors", true},     {"POST", "none", "navigate", true},
        {"POST", "same-site", "cors", false},      {"POST", "cross-site", "cors", false},
        {"POST", "cross-site", "navigate", false}, /* a form */
        {"POST", "same-site", "navigate", false},  {"POST", "", "cors", false},
        {"POST", "Same-Origin", "cors", false},    {"GET", "cross-site", "navigate", true}, /* a link */
        {"GET", "same-site", "navigate", true},    {"GET", "cross-site", "no-cors", false}, /* an image tag */
        {"GET", "cross-site", "cors", false},      {"GET", "same-origin", "cors", true},
        {"GET", "cross-site", NULL, false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        begin(cases[i].method, "/own",
              HEADERS({"Authorization", login_basic("admin:" PASSWORD)}, {"Sec-Fetch-Site", cases[i].site},
                      {cases[i].mode != NULL ? "Sec-Fetch-Mode" : NULL, cases[i].mode}));
        if (cases[i].ours)
            assert_int_equal(client.status, 200);
        else
            assert_code(403, "foreign_origin");
    }
}

/* A form has one of three content types, whatever page it is on. */
static void no_form_presses_a_button_or_speaks_json(void **state)
{
    static const char *const forms[] = {"application/x-www-form-urlencoded",
                                        "multipart/form-data; boundary=x", "text/plain",
                                        "TEXT/PLAIN; charset=utf-8"};
    static const char *const buttons[] = {"confirm", "rollback", "reboot", "logout"};
    static const char *const json[] = {"login", "password", "tokens/create", "tokens/revoke"};
    char path[64];

    (void)state;
    log_in();
    for (size_t f = 0; f < COUNT(forms); f++) {
        for (size_t i = 0; i < COUNT(buttons); i++) {
            snprintf(path, sizeof path, "/api/ota/%s", buttons[i]);
            begin("POST", path, HEADERS({"Cookie", cookie}, {"Content-Type", forms[f]}));
            assert_code(400, "bad_request");
            snprintf(path, sizeof path, "/api/ota/%s", json[i]);
            begin("POST", path, HEADERS({"Cookie", cookie}, {"Content-Type", forms[f]}));
            assert_code(400, "bad_request");
        }
    }
    begin("POST", "/api/ota/login", NULL);
    assert_code(400, "bad_request");
    begin("POST", "/api/ota/login", HEADERS(JSON, JSON));
    assert_code(400, "bad_request");
    begin("POST", "/api/ota/login", HEADERS({"Content-Type", "application/jsonp"}));
    assert_code(400, "bad_request");
}

/* ---- who ---- */

static void only_programs_are_told_of_basic(void **state)
{
    (void)state;
    begin("GET", "/api/ota/status", HEADERS({"User-Agent", "curl/8.0"}));
    assert_non_null(strstr(client.more, "WWW-Authenticate: Basic realm=\"Otapult\""));
    begin("GET", "/api/ota/status", HEADERS({"User-Agent", "Mozilla/5.0 (X11)"}));
    assert_null(strstr(client.more, "WWW-Authenticate"));
    begin("GET", "/api/ota/status", HEADERS({"Sec-Fetch-Site", "same-origin"}, {"Sec-Fetch-Mode", "cors"}));
    assert_code(401, "login_required");
    assert_null(strstr(client.more, "WWW-Authenticate"));
}

static void empty_prefix_superset_and_absent_password(void **state)
{
    static const char *const wrong[] = {"admin:",
                                        "admin:c",
                                        "admin:correct horse batter",
                                        "admin:" PASSWORD "x",
                                        "admin: " PASSWORD,
                                        ":" PASSWORD,
                                        "root:" PASSWORD,
                                        "Admin:" PASSWORD,
                                        "admin" PASSWORD,
                                        "admin",
                                        PASSWORD,
                                        "",
                                        "admin::" PASSWORD};
    static const char *const malformed[] = {"Basic",
                                            "Basic ",
                                            "Basic !!!!",
                                            "Basic YWRtaW4",
                                            "Basic YWRtaW46Y29ycmVjdCBob3JzZSBiYXR0ZXJ5 x",
                                            "Basic=YWRtaW46Y29ycmVjdCBob3JzZSBiYXR0ZXJ5",
                                            "YWRtaW46Y29ycmVjdCBob3JzZSBiYXR0ZXJ5",
                                            "Digest username=\"admin\"",
                                            "",
                                            "Basic\tYWRtaW46Y29ycmVjdCBob3JzZSBiYXR0ZXJ5"};
    static char long_one[9000] = "Basic ";

    (void)state;
    for (size_t i = 0; i < COUNT(wrong); i++) {
        begin("GET", "/api/ota/status", HEADERS({"Authorization", login_basic(wrong[i])}));
        assert_code(401, "login_failed");
        world.clock += 120000;
    }
    for (size_t i = 0; i < COUNT(malformed); i++) {
        begin("GET", "/api/ota/status", HEADERS({"Authorization", malformed[i]}));
        assert_code(401, "login_failed");
        world.clock += 120000;
    }
    memset(long_one + 6, 'Y', sizeof long_one - 7);
    begin("GET", "/api/ota/status", HEADERS({"Authorization", long_one}));
    assert_code(401, "login_failed");
    begin("GET", "/api/ota/status",
          HEADERS({"Authorization", login_basic("admin:" PASSWORD)}, {"Authorization", "Bearer x"}));
    assert_code(401, "login_failed");
    begin("GET", "/api/ota/status", NULL);
    assert_code(401, "login_required");
    assert_int_equal(
        ask("GET", "/api/ota/status", HEADERS({"Authorization", login_basic("admin:" PASSWORD)}), ""), 200);
    assert_int_equal(ask("GET", "/api/ota/status",
                         HEADERS({"Authorization", "bAsIc   YWRtaW46Y29ycmVjdCBob3JzZSBiYXR0ZXJ5"}), ""),
                     200);
}

static void passwords_of_64_characters_work_through_basic(void **state)
{
    char pair[80] = "admin:";

    (void)state;
    memset(pair + 6, 'p', 64);
    assert_int_equal(change_password(pair + 6, 64), 0);
    assert_int_equal(ask("GET", "/api/ota/status", HEADERS({"Authorization", login_basic(pair)}), ""), 200);
    pair[70] = 'p';
    begin("GET", "/api/ota/status", HEADERS({"Authorization", login_basic(pair)}));
    assert_code(401, "login_failed");
}

static void wrong_length_tokens(void **state)
{
    char value[160];

    (void)state;
    log_in();
    make_token("ci");
    assert_int_equal(ask("GET", "/api/ota/status", HEADERS({"Authorization", bearer}), ""), 200);
    for (size_t len = strlen("Bearer "); len < strlen(bearer); len++) {
        snprintf(value, sizeof value, "%.*s", (int)len, bearer);
        begin("GET", "/api/ota/status", HEADERS({"Authorization", value}));
        assert_code(401, "login_failed");
    }
    snprintf(value, sizeof value, "%s%s", bearer, bearer + 7);
    begin("GET", "/api/ota/status", HEADERS({"Authorization", value}));
    assert_code(401, "login_failed");
    snprintf(value, sizeof value, "%s ", bearer);
    begin("GET", "/api/ota/status", HEADERS({"Authorization", value}));
    assert_code(401, "login_failed");
}

/* A stolen token cannot make others, nor lock the owner out. */
static void a_token_does_not_make_tokens_or_passwords(void **state)
{
    static const char *const paths[] = {"/api/ota/password", "/api/ota/tokens/create",
                                        "/api/ota/tokens/revoke"};

    (void)state;
    log_in();
    make_token("ci");
    for (size_t i = 0; i < COUNT(paths); i++) {
        begin("POST", paths[i], HEADERS({"Authorization", bearer}, JSON));
        assert_code(403, "owner_required");
    }
    begin("GET", "/api/ota/tokens", HEADERS({"Authorization", bearer}));
    assert_code(403, "owner_required");
    begin("GET", "/api/ota/tokens", HEADERS({"Authorization", login_basic("admin:" PASSWORD)}));
    assert_int_equal(client.status, 200);
    assert_non_null(strstr(client.text, "{\"name\":\"ci\",\"boot\":1,"));
    assert_null(strstr(client.text, bearer + 7));
}

static void token_replay_after_revocation(void **state)
{
    (void)state;
    log_in();
    make_token("ci");
    assert_int_equal(
        ask("POST", "/api/ota/tokens/revoke", HEADERS({"Cookie", cookie}, JSON), "{\"name\":\"ci\"}"), 200);
    begin("GET", "/api/ota/status", HEADERS({"Authorization", bearer}));
    assert_code(401, "login_failed");
    world_pull_plug(&world);
    boot();
    begin("GET", "/api/ota/status", HEADERS({"Authorization", bearer}));
    assert_code(401, "login_failed");
}

/* ---- sessions ---- */

static void cookie_flags(void **state)
{
    static const char tail[] = "; Path=/; HttpOnly; Secure; SameSite=Strict\r\n";
    const char *at, *end;

    (void)state;
    log_in();
    at = strstr(client.more, "Set-Cookie: __Host-otapult=");
    assert_non_null(at);
    end = strchr(at, ';');
    assert_int_equal(end - at, strlen("Set-Cookie: __Host-otapult=") + 32);
    assert_memory_equal(end, tail, strlen(tail));
    assert_null(strstr(at + 1, "Set-Cookie"));
    assert_null(strstr(client.text, cookie + strlen("__Host-otapult="))); /* no script sees it */
}

static void a_cookie_among_others_is_found_and_no_other(void **state)
{
    char value[256];
    const char *id = cookie + strlen("__Host-otapult=");

    (void)state;
    log_in();
    snprintf(value, sizeof value, "a=b; %s; c=d", cookie);
    assert_int_equal(ask("GET", "/api/ota/status", HEADERS({"Cookie", value}), ""), 200);
    static const char *const forms[] = {"otapult=%s",          "x__Host-otapult=%s",
                                        "__host-otapult=%s",   "__Host-otapult=\"%s\"",
                                        "__Host-otapult=%s0",  "__Host-otapult%s",
                                        "a=__Host-otapult=%s", "__Host-otapult= %s",
                                        "__Host-otapult2=%s",  "__Host-otapult=; __Host-otapult=%s"};
    for (size_t i = 0; i < COUNT(forms); i++) {
        char *to = value;
        const char *mark = strstr(forms[i], "%s");
        to += snprintf(to, sizeof value, "%.*s", (int)(mark - forms[i]), forms[i]);
        snprintf(to, 128, "%s%s", id, mark + 2);
        begin("GET", "/api/ota/status", HEADERS({"Cookie", value}));
        assert_code(401, "login_required");
    }
}

static void session_fixation(void **state)
{
    char planted[] = "__Host-otapult=0123456789abcdef0123456789abcdef", first[80];

    (void)state;
    assert_int_equal(
        ask("POST", "/api/ota/login", HEADERS(JSON, {"Cookie", planted}), "{\"password\":\"" PASSWORD "\"}"),
        200);
    assert_null(strstr(client.more, planted));
    begin("GET", "/api/ota/status", HEADERS({"Cookie", planted}));
    assert_code(401, "login_required");

    log_in();
    memcpy(first, cookie, sizeof first);
    assert_int_equal(
        ask("POST", "/api/ota/login", HEADERS(JSON, {"Cookie", first}), "{\"password\":\"" PASSWORD "\"}"),
        200);
    assert_null(strstr(client.more, first)); /* a new id, and the old one is gone */
    begin("GET", "/api/ota/status", HEADERS({"Cookie", first}));
    assert_code(401, "login_required");
}

static void a_logout_takes_the_cookie_away(void **state)
{
    (void)state;
    log_in();
    assert_int_equal(ask("POST", "/api/ota/logout", HEADERS({"Cookie", cookie}), ""), 200);
    assert_non_null(strstr(client.more, "Set-Cookie: __Host-otapult=; Path=/; HttpOnly; Secure; "
                                        "SameSite=Strict; Max-Age=0\r\n"));
    begin("GET", "/api/ota/status", HEADERS({"Cookie", cookie}));
    assert_code(401, "login_required");
    assert_int_equal(ask("POST", "/api/ota/logout", NULL, ""), 200);
}

static void a_password_change_asks_for_the_old_one(void **state)
{
    char old[80];

    (void)state;
    log_in();
    memcpy(old, cookie, sizeof old);
    log_in();
    ask("POST", "/api/ota/password", HEADERS({"Cookie", cookie}, JSON), "{\"new\":\"a new password\"}");
    assert_code(400, "bad_request");
    ask("POST", "/api/ota/password", HEADERS({"Cookie", cookie}, JSON),
        "{\"password\":\"no\",\"new\":\"a new password\"}");
    assert_code(401, "login_failed");
    ask("POST", "/api/ota/password", HEADERS({"Cookie", cookie}, JSON),
        "{\"password\":\"" PASSWORD "\",\"new\":\"short\"}");
    assert_code(400, "password_length");
    assert_non_null(strstr(client.text, "has 5 bytes"));
    assert_int_equal(ask("POST", "/api/ota/password", HEADERS({"Cookie", cookie}, JSON),
                         "{\"password\":\"" PASSWORD "\",\"new\":\"a new password\"}"),
                     200);
    const char *fresh = strstr(client.more, "Set-Cookie: ") + strlen("Set-Cookie: ");
    char value[80];
    snprintf(value, sizeof value, "%.*s", (int)strcspn(fresh, ";"), fresh);
    assert_int_equal(ask("GET", "/api/ota/status", HEADERS({"Cookie", value}), ""), 200);
    begin("GET", "/api/ota/status", HEADERS({"Cookie", cookie}));
    assert_code(401, "login_required");
    begin("GET", "/api/ota/status", HEADERS({"Cookie", old}));
    assert_code(401, "login_required");
    begin("GET", "/api/ota/status", HEADERS({"Authorization", login_basic("admin:" PASSWORD)}));
    assert_code(401, "login_failed");
    assert_int_equal(
        ask("GET", "/api/ota/status", HEADERS({"Authorization", login_basic("admin:a new password")}), ""),
        200);
}

static void a_login_that_comes_too_early_is_told_when(void **state)
{
    (void)state;
    for (int n = 0; n < 5; n++) {
        ask("POST", "/api/ota/login", HEADERS(JSON), "{\"password\":\"guess\"}");
        assert_code(401, "login_failed");
    }
    ask("POST", "/api/ota/login", HEADERS(JSON), "{\"password\":\"" PASSWORD "\"}");
    assert_code(429, "login_delayed");
    assert_non_null(strstr(client.more, "Retry-After: 1\r\n"));
    assert_null(strstr(client.more, "Set-Cookie"));
    begin("GET", "/api/ota/status", HEADERS({"Authorization", login_basic("admin:" PASSWORD)}));
    assert_code(429, "login_delayed");
    world.clock += 1000;
    assert_int_equal(
        ask("GET", "/api/ota/status", HEADERS({"Authorization", login_basic("admin:" PASSWORD)}), ""), 200);
}

static void an_open_session_passes_while_others_guess(void **state)
{
    (void)state;
    log_in();
    for (int n = 0; n < 10000; n++) {
        ask("POST", "/api/ota/login", HEADERS(JSON), "{\"password\":\"guess\"}");
        world.clock += 50;
        if (n % 100 == 0)
            assert_int_equal(ask("GET", "/api/ota/status", HEADERS({"Cookie", cookie}), ""), 200);
    }
}

/* ---- an upload and the login that began it ---- */

static struct http_client uploader;

static enum otapult_http_next begin_upload(const struct http_header *who)
{
    static char length[24]; /* the exchange goes on asking */

    snprintf(length, sizeof length, "%zu", (image_len + 4095) / 4096 * 4096); /* as if it were signed */
    return begin_as(
        &uploader, "POST", "/api/ota/upload",
        HEADERS(who[0], {"Content-Type", "application/octet-stream"}, {"Content-Length", length}));
}

static enum otapult_http_next send_half(void)
{
    return otapult_http_body(&uploader.x, image, image_len / 2);
}

/* The rest of it, to the end. */
static void send_rest(void)
{
    (void)otapult_http_body(&uploader.x, image + image_len / 2, image_len - image_len / 2);
    otapult_http_end(&uploader.x);
}

static void assert_upload_ended(const char *by)
{
    struct otapult_log_entry e;
    struct otapult_status s;
    unsigned n = 0;

    if (uploader.status != 401 || strstr(uploader.text, "\"code\":\"login_ended\"") == NULL)
        fail_msg("%d %s", uploader.status, uploader.text);
    do {
        assert_true(otapult_log_entry(world.ota, n++, &e)); /* changes of the account are above it */
    } while (e.event != OTAPULT_EV_REFUSED);
    assert_string_equal(e.code, "login_ended");
    assert_string_equal(e.by, by);
    otapult_status(world.ota, &s);
    assert_int_equal(s.phase, OTAPULT_IDLE);
    assert_int_equal(s.slots.boot, s.slots.running);
    assert_int_equal(world.holds, 0);
}

static void upload_started_before_a_logout(void **state)
{
    (void)state;
    log_in();
    assert_int_equal(begin_upload(HEADERS({"Cookie", cookie})), OTAPULT_HTTP_BODY);
    assert_int_equal(send_half(), OTAPULT_HTTP_BODY);
    assert_int_equal(ask("POST", "/api/ota/logout", HEADERS({"Cookie", cookie}), ""), 200);
    send_rest();
    assert_upload_ended("admin");

    log_in(); /* and the next one works at once */
    assert_int_equal(begin_upload(HEADERS({"Cookie", cookie})), OTAPULT_HTTP_BODY);
    otapult_http_lost(&uploader.x);
}

static void upload_complete_but_for_its_end_before_a_logout(void **state)
{
    (void)state;
    log_in();
    assert_int_equal(begin_upload(HEADERS({"Cookie", cookie})), OTAPULT_HTTP_BODY);
    assert_int_equal(otapult_http_body(&uploader.x, image, image_len), OTAPULT_HTTP_BODY);
    assert_int_equal(ask("POST", "/api/ota/logout", HEADERS({"Cookie", cookie}), ""), 200);
    otapult_http_end(&uploader.x);
    assert_upload_ended("admin");
}

static void upload_started_before_a_password_change(void **state)
{
    const char *const body = "{\"password\":\"" PASSWORD "\",\"new\":\"a new password\"}";

    (void)state;
    assert_int_equal(begin_upload(HEADERS({"Authorization", login_basic("admin:" PASSWORD)})),
                     OTAPULT_HTTP_BODY);
    assert_int_equal(send_half(), OTAPULT_HTTP_BODY);
    log_in();
    assert_int_equal(ask("POST", "/api/ota/password", HEADERS({"Cookie", cookie}, JSON), body), 200);
    send_rest();
    assert_upload_ended("admin");
}

static void upload_started_before_its_token_was_revoked(void **state)
{
    (void)state;
    log_in();
    make_token("ci");
    assert_int_equal(begin_upload(HEADERS({"Authorization", bearer})), OTAPULT_HTTP_BODY);
    assert_int_equal(send_half(), OTAPULT_HTTP_BODY);
    assert_int_equal(
        ask("POST", "/api/ota/tokens/revoke", HEADERS({"Cookie", cookie}, JSON), "{\"name\":\"ci\"}"), 200);
    send_rest();
    assert_upload_ended("token ci");
}

static void a_long_upload_keeps_its_session_alive(void **state)
{
    size_t at = 0;

    (void)state;
    log_in();
    assert_int_equal(begin_upload(HEADERS({"Cookie", cookie})), OTAPULT_HTTP_BODY);
    for (; at + 1000 < image_len; at += 1000) {
        assert_int_equal(otapult_http_body(&uploader.x, image + at, 1000), OTAPULT_HTTP_BODY);
        world.clock += 10000; /* the stall's limit is 15 s, the session's 15 min: more than that in all */
    }
    world.clock += 100 * 60000;
    (void)otapult_http_body(&uploader.x, image + at, image_len - at);
    assert_upload_ended("admin");
}

static void events_end_with_the_login(void **state)
{
    static char event[OTAPULT_HTTP_EVENT];

    (void)state;
    log_in();
    assert_int_equal(begin_as(&uploader, "GET", "/api/ota/events", HEADERS({"Cookie", cookie})),
                     OTAPULT_HTTP_STREAM);
    assert_int_not_equal(otapult_http_event(&uploader.x, event, sizeof event), 0);
    assert_int_equal(ask("POST", "/api/ota/logout", HEADERS({"Cookie", cookie}), ""), 200);
    assert_int_equal(otapult_http_event(&uploader.x, event, sizeof event), 0);
}

/* ---- the journal ---- */

static bool flash_holds(const char *text)
{
    return memmem(world.nor.data, world.nor.size, text, strlen(text)) != NULL;
}

static void the_journal_says_who_and_never_the_secret(void **state)
{
    struct otapult_log_entry e;

    (void)state;
    log_in();
    make_token("ci");
    assert_true(otapult_log_entry(world.ota, 0, &e));
    assert_int_equal(e.event, OTAPULT_EV_ACCOUNT);
    assert_string_equal(e.text, "token made: ci");
    assert_string_equal(e.by, "admin");
    assert_int_equal(begin_upload(HEADERS({"Authorization", bearer})), OTAPULT_HTTP_BODY);
    (void)otapult_http_body(&uploader.x,
                            (const uint8_t *)"\x7f"
                                             "ELF and so on, long enough to be known",
                            40);
    otapult_http_end(&uploader.x);
    assert_true(otapult_log_entry(world.ota, 0, &e));
    assert_int_equal(e.event, OTAPULT_EV_REFUSED);
    assert_string_equal(e.by, "token ci");
    begin("GET", "/api/ota/log", HEADERS({"Cookie", cookie}));
    assert_non_null(strstr(client.text, "\"by\":\"token ci\""));
    assert_false(flash_holds(PASSWORD));
    assert_false(flash_holds(bearer + 7));
    assert_false(flash_holds(cookie + strlen("__Host-otapult=")));
}

static void in_the_open_profile_it_was_anyone(void **state)
{
    struct otapult_log_entry e;

    (void)state;
    assert_int_equal(begin_upload(HEADERS({"X-Nothing", ""})), OTAPULT_HTTP_BODY);
    assert_int_equal(otapult_http_body(&uploader.x, image, image_len), OTAPULT_HTTP_BODY);
    otapult_http_end(&uploader.x);
    assert_int_equal(uploader.status, 200);
    assert_true(otapult_log_entry(world.ota, 0, &e));
    assert_int_equal(e.event, OTAPULT_EV_ACTIVATED);
    assert_string_equal(e.by, "anyone");
    assert_true(world_settle(&world));
    assert_true(otapult_log_entry(world.ota, 0, &e));
    assert_int_equal(e.event, OTAPULT_EV_CONFIRMED);
    assert_string_equal(e.by, ""); /* its own checks did */
}

/* ---- an upload that goes on ---- */

#define UPLOAD_LENGTH "20481" /* no signed file is so long: they end with a sector */

static char upload_query[80];

static enum otapult_http_next begin_at_uploads(const char *method, const char *query,
                                               const struct http_header *headers)
{
    const struct otapult_request line = {
        .method = method, .path = "/api/ota/uploads", .query = query, .tls = true};
    struct otapult_site site;

    otapult_site(&site, world.ota);
    return http_client_begin(&client, &site, 1, &line, headers);
}

static int ask_uploads(const char *method, const char *query, const struct http_header *who)
{
    (void)begin_at_uploads(method, query,
                           HEADERS(who[0], {"Tus-Resumable", "1.0.0"}, {"Upload-Length", UPLOAD_LENGTH},
                                   {"Content-Length", "0"}));
    return client.status;
}

static void create_upload(const struct http_header *who)
{
    assert_int_equal(ask_uploads("POST", "", who), 201);
    const char *location = strstr(client.more, "Location: uploads?");
    assert_non_null(location);
    assert_int_equal(sscanf(location, "Location: uploads?%79[^\r]", upload_query), 1);
}

static enum otapult_claim held_for(void)
{
    struct otapult_status s;

    otapult_status(world.ota, &s);
    return s.claim;
}

/* Nobody can go on with it, so it holds the device no longer. */
static void an_upload_that_waits_gives_the_device_back_with_its_login(void **state)
{
    const char *const change = "{\"password\":\"" PASSWORD "\",\"new\":\"a new password\"}";
    struct otapult_log_entry e;

    (void)state;
    log_in();
    make_token("ci");
    make_token("other");
    create_upload(HEADERS({"Authorization", bearer}));
    assert_int_equal(
        ask("POST", "/api/ota/tokens/revoke", HEADERS({"Cookie", cookie}, JSON), "{\"name\":\"ci\"}"), 200);
    assert_int_equal(held_for(), OTAPULT_FOR_UPLOAD); /* another's */
    assert_int_equal(
        ask("POST", "/api/ota/tokens/revoke", HEADERS({"Cookie", cookie}, JSON), "{\"name\":\"other\"}"),
        200);
    assert_int_equal(held_for(), OTAPULT_FREE);
    assert_true(otapult_log_entry(world.ota, 1, &e));
    assert_string_equal(e.code, "upload_ended");
    assert_string_equal(e.by, "token other");

    create_upload(HEADERS({"Cookie", cookie}));
    assert_int_equal(ask("POST", "/api/ota/password", HEADERS({"Cookie", cookie}, JSON), change), 200);
    assert_int_equal(held_for(), OTAPULT_FREE);
    create_upload(HEADERS({"Authorization", login_basic("admin:a new password")}));
    password_wanted = true;
    assert_int_equal(otapult_new_password(world.ota), 0);
    password_wanted = false;
    assert_int_equal(held_for(), OTAPULT_FREE);
}

static void revoke_while_it_begins(const char *name)
{
    struct otapult_finding why = {0};

    if (strcmp(name, "Upload-Length") != 0) /* asked for behind the gate */
        return;
    http_client_asked = NULL;
    assert_int_equal(otapult_users_token_revoke(otapult_device_users(world.ota), "ci", &why), 0);
    otapult_end_login(world.ota, "token ci");
}

/* The revocation finds no upload yet, and the gate has let the request in. */
static void an_upload_that_begins_while_its_login_ends_is_none(void **state)
{
    (void)state;
    log_in();
    make_token("ci");
    http_client_asked = revoke_while_it_begins;
    assert_int_equal(ask_uploads("POST", "", HEADERS({"Authorization", bearer})), 401);
    assert_null(http_client_asked);
    assert_non_null(strstr(client.text, "\"login_ended\""));
    assert_int_equal(held_for(), OTAPULT_FREE);
}

/* Whose token was revoked, or who knew the old password, has lost what he began; and nobody gets it by a
 * name. */
static void an_upload_that_waits_ends_with_what_its_login_rests_on(void **state)
{
    (void)state;
    log_in();
    make_token("ci");
    create_upload(HEADERS({"Authorization", bearer}));
    world_pull_plug(&world);
    boot();
    assert_int_equal(ask_uploads("HEAD", upload_query, HEADERS({"Authorization", bearer})), 200);
    log_in();
    assert_int_equal(
        ask("POST", "/api/ota/tokens/revoke", HEADERS({"Cookie", cookie}, JSON), "{\"name\":\"ci\"}"), 200);
    make_token("ci");
    assert_int_equal(ask_uploads("HEAD", upload_query, HEADERS({"Authorization", bearer})), 404);

    create_upload(HEADERS({"Cookie", cookie}));
    log_in(); /* another session of the same password */
    assert_int_equal(ask_uploads("HEAD", upload_query, HEADERS({"Cookie", cookie})), 200);
    assert_int_equal(change_password("another password", 16), 0);
    assert_int_equal(
        ask_uploads("HEAD", upload_query, HEADERS({"Authorization", login_basic("admin:another password")})),
        404);
}

/* Before the slot is erased for it. */
static void an_upload_that_cannot_be_signed_is_refused_with_its_first_bytes(void **state)
{
    (void)state;
    log_in();
    make_token("ci");
    create_upload(HEADERS({"Authorization", bearer}));
    assert_int_equal(begin_at_uploads("PATCH", upload_query,
                                      HEADERS({"Authorization", bearer}, {"Tus-Resumable", "1.0.0"},
                                              {"Content-Type", "application/offset+octet-stream"},
                                              {"Upload-Offset", "0"}, {"Content-Length", "1000"})),
                     OTAPULT_HTTP_BODY);
    assert_int_equal(http_client_send(&client, image, 1000, 1000), OTAPULT_HTTP_ANSWERED);
    assert_non_null(strstr(client.text, "\"signature_missing\""));
    assert_int_equal(world.nor.data[0x20000], 0xFF);
    assert_int_equal(held_for(), OTAPULT_FREE);
}

static int (*real_random)(void *ctx, void *dst, size_t len);
static bool no_random;

static int random_or_not(void *ctx, void *dst, size_t len)
{
    return no_random ? OTAPULT_E_INTERNAL : real_random(ctx, dst, len);
}

static void may_lose_random(void *ctx, struct otapult_port *port)
{
    store_password(ctx, port);
    real_random = port->random;
    port->random = random_or_not;
}

/* Its name would be one that others guess. */
static void without_random_numbers_no_upload_begins(void **state)
{
    (void)state;
    world.wrap = may_lose_random;
    world_pull_plug(&world);
    boot();
    log_in();
    make_token("ci");
    no_random = true;
    assert_int_equal(ask_uploads("POST", "", HEADERS({"Authorization", bearer})), 500);
    assert_int_equal(held_for(), OTAPULT_FREE);
    no_random = false;
    assert_int_equal(ask_uploads("POST", "", HEADERS({"Authorization", bearer})), 201);
}

/* ---- the owner at the device ---- */

static bool identity_lost;
static int (*real_get)(void *ctx, const char *key, void *dst, size_t cap, size_t *len);
static int (*real_set)(void *ctx, const char *key, const void *src, size_t len);

static int get_but_identity(void *ctx, const char *key, void *dst, size_t cap, size_t *len)
{
    return identity_lost && strcmp(key, OTAPULT_IDENTITY_KEY) == 0 ? OTAPULT_E_STORE
                                                                   : real_get(ctx, key, dst, cap, len);
}

/* As the virtual board's store: what is lost stays so until it is set or removed. */
static int set_and_find_again(void *ctx, const char *key, const void *src, size_t len)
{
    identity_lost = identity_lost && strcmp(key, OTAPULT_IDENTITY_KEY) != 0;
    return real_set(ctx, key, src, len);
}

static void lose_identity(void *ctx, struct otapult_port *port)
{
    store_password(ctx, port);
    real_get = port->kv_get;
    real_set = port->kv_set;
    port->kv_get = get_but_identity;
    port->kv_set = set_and_find_again;
}

static void a_new_password_makes_way_for_a_key_of_https_that_was_lost(void **state)
{
    const struct otapult_identity_for what = {NULL, NULL, 0};
    struct otapult_port *port = &world.board.port;
    struct otapult_identity first, second;
    struct otapult_finding why;

    (void)state;
    world.wrap = lose_identity;
    world_pull_plug(&world);
    boot();
    assert_int_equal(otapult_identity_own(&first, port, &what, &why), 0);
    password_wanted = identity_lost = true;
    assert_int_equal(otapult_identity_own(&second, port, &what, &why), OTAPULT_E_STORE);
    assert_true(identity_lost);
    assert_int_equal(otapult_new_password(world.ota), 0);
    assert_int_equal(otapult_identity_own(&second, port, &what, &why), 0);
    assert_memory_not_equal(first.key, second.key, first.key_len);
    assert_int_equal(otapult_new_password(world.ota), 0); /* one that is there stays */
    assert_int_equal(otapult_identity_own(&first, port, &what, &why), 0);
    assert_memory_equal(first.key, second.key, first.key_len);
    second.key[20] ^= 1; /* it reads well, and is none */
    assert_int_equal(real_set(port->ctx, OTAPULT_IDENTITY_KEY, second.key, second.key_len), 0);
    assert_int_equal(otapult_identity_own(&second, port, &what, &why), OTAPULT_E_STORE);
    assert_int_equal(otapult_new_password(world.ota), 0);
    assert_int_equal(otapult_identity_own(&second, port, &what, &why), 0);
    assert_memory_not_equal(first.key, second.key, first.key_len);
    password_wanted = false;
}

static void a_session_sees_the_restart_it_asked_for(void **state)
{
    (void)state;
    log_in();
    assert_int_equal(ask("POST", "/api/ota/reboot", HEADERS({"Cookie", cookie}), ""), 200);
    assert_true(world_settle(&world));
    assert_int_equal(ask("GET", "/api/ota/status", HEADERS({"Cookie", cookie}), ""), 200);
    world_pull_plug(&world);
    boot();
    begin("GET", "/api/ota/status", HEADERS({"Cookie", cookie}));
    assert_code(401, "login_required");
}

int main(void)
{
#define SECURE(f) cmocka_unit_test_setup_teardown(f, a_secure_device, end_device)
#define OPEN(f)   cmocka_unit_test_setup_teardown(f, an_open_device, end_device)
    const struct CMUnitTest tests[] = {
        SECURE(without_a_login_nothing_works_but_what_leads_to_it),
        SECURE(an_application_cannot_forget_the_login),
        OPEN(the_open_profile_asks_nobody),
        SECURE(half_a_secure_profile_refuses_everything),
        SECURE(plain_http_redirects_pages_and_refuses_the_rest),
        SECURE(a_redirect_goes_to_the_same_host),
        SECURE(rebinding_host),
        OPEN(the_open_profile_minds_hosts_and_origins_too),
        SECURE(a_page_without_tls_is_another_site),
        SECURE(what_a_browser_says_of_a_request_counts),
        SECURE(no_form_presses_a_button_or_speaks_json),
        SECURE(only_programs_are_told_of_basic),
        SECURE(empty_prefix_superset_and_absent_password),
        SECURE(passwords_of_64_characters_work_through_basic),
        SECURE(wrong_length_tokens),
        SECURE(a_token_does_not_make_tokens_or_passwords),
        SECURE(token_replay_after_revocation),
        SECURE(cookie_flags),
        SECURE(a_cookie_among_others_is_found_and_no_other),
        SECURE(session_fixation),
        SECURE(a_logout_takes_the_cookie_away),
        SECURE(a_password_change_asks_for_the_old_one),
        SECURE(a_login_that_comes_too_early_is_told_when),
        SECURE(an_open_session_passes_while_others_guess),
        SECURE(upload_started_before_a_logout),
        SECURE(upload_complete_but_for_its_end_before_a_logout),
        SECURE(upload_started_before_a_password_change),
        SECURE(upload_started_before_its_token_was_revoked),
        SECURE(a_long_upload_keeps_its_session_alive),
        SECURE(events_end_with_the_login),
        SECURE(the_journal_says_who_and_never_the_secret),
        OPEN(in_the_open_profile_it_was_anyone),
        SECURE(a_session_sees_the_restart_it_asked_for),
        SECURE(an_upload_that_begins_while_its_login_ends_is_none),
        SECURE(an_upload_that_waits_ends_with_what_its_login_rests_on),
        SECURE(an_upload_that_cannot_be_signed_is_refused_with_its_first_bytes),
        SECURE(without_random_numbers_no_upload_begins),
        SECURE(an_upload_that_waits_gives_the_device_back_with_its_login),
        SECURE(a_new_password_makes_way_for_a_key_of_https_that_was_lost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
