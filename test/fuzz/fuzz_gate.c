/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "fuzz.h"
#include "http_client.h"
#include "login.h"
#include "trust/users.h"
#include "update/common.h"
#include "world.h"

/* The gate before every route of a device in the secure profile: whatever the headers say, nobody gets in who
 * does not hold the password, a session or a token, nobody through a foreign name or from a foreign page,
 * nobody without TLS, and no length that another server might read in another way. And who holds one and
 * asks nothing strange gets in. The second opinion on each header below reads generously: what it calls wrong
 * must be refused.
 *
 * Input: the address; TLS, and who the client is; then a header a line, its name by the first letter of the
 * line. In a value \1 stands for an API token, \2 for a session's id, \3 for what `curl -u` sends, so that
 * an input needs to know no secret, and secrets with something before, behind and inside are tried. */
#define SETTINGS 2u
#define PASSWORD "correct horse battery"
#define HOUR_MS  3600001u

static struct world w;
static union otapult_users_memory users;
static char token[OTAPULT_SECRET], session[OTAPULT_SECRET], basic[80];
static bool own_called;

static const char *const names[][2] = {
    {"A", "Authorization"},  {"B", "Cookie"},          {"C", "Host"},
    {"D", "Origin"},         {"E", "Content-Length"},  {"F", "Content-Type"},
    {"G", "Sec-Fetch-Site"}, {"H", "Sec-Fetch-Mode"},  {"I", "Transfer-Encoding"},
    {"J", "User-Agent"},     {"K", "Accept-Language"}, {"L", "X-Other"},
};
#define NAMES (sizeof names / sizeof *names)

/* ---- the device ---- */

static void configure(void *ctx, struct otapult_config *config)
{
    static const char *const hosts[] = {"rover.local", NULL};
    static const uint8_t keys[1][OTAPULT_KEY_DIGEST] = {{1}};

    (void)ctx;
    config->secure = &otapult_secure;
    config->users = &users;
    config->hosts = hosts;
    config->keys = keys;
    config->key_count = 1;
}

static void store_password(void *ctx, struct otapult_port *port)
{
    (void)ctx;
    login_store(port, PASSWORD);
}

static void end(void)
{
    world_end(&w);
}

static void begin(void)
{
    struct sample_spec spec = {SAMPLE_DEFAULT, .size = 1024};
    struct otapult_finding why;
    size_t len;
    uint8_t *image = sample_image(&spec, &len);

    world_init(&w, WORLD_TWO_OTA, image, len);
    free(image);
    w.configure = configure;
    w.wrap = store_password;
    FUZZ_EXPECT(world_boot(&w) && world_settle(&w));
    FUZZ_EXPECT(otapult_users_token_make(otapult_device_users(w.ota), "fuzz", token, &why) == 0);
    snprintf(basic, sizeof basic, "%s", login_basic("admin:" PASSWORD));
    (void)atexit(end);
}

static enum otapult_http_next own_begin(struct otapult_exchange *x)
{
    own_called = true;
    otapult_http_json(x, 200, "{}", 2);
    return OTAPULT_HTTP_ANSWERED;
}

static const struct otapult_route own_routes[] = {{.method = "GET", .path = "/own", .begin = own_begin},
                                                  {.method = "POST", .path = "/own", .begin = own_begin}};

/* ---- the request ---- */

static struct http_header headers[HTTP_HEADERS + 1];
static char values[HTTP_HEADERS][1024];

static size_t add(char *value, size_t at, const char *more, size_t len)
{
    len = len < sizeof values[0] - 1 - at ? len : sizeof values[0] - 1 - at;
    memcpy(value + at, more, len);
    return at + len;
}

/* A line without its name. No server lets a NUL or a line's end through. */
static void make_value(char *value, const uint8_t *p, size_t len)
{
    size_t n = 0;

    for (size_t i = 0; i < len; i++) {
        const char *secret = p[i] == 1 ? token : p[i] == 2 ? session : p[i] == 3 ? basic + 6 : NULL;
        if (secret != NULL)
            n = add(value, n, secret, strlen(secret));
        else if (p[i] != 0 && p[i] != '\r')
            n = add(value, n, (const char *)&p[i], 1);
    }
    value[n] = '\0';
}

static void make_headers(const uint8_t *p, size_t len)
{
    size_t count = 0;

    memset(headers, 0, sizeof headers);
    while (len > 0 && count < HTTP_HEADERS) {
        const uint8_t *line_end = memchr(p, '\n', len);
        size_t line = line_end != NULL ? (size_t)(line_end - p) : len;
        for (size_t n = 0; n < NAMES && line > 0; n++)
            if (p[0] == names[n][0][0]) {
                make_value(values[count], p + 1, line - 1);
                headers[count] = (struct http_header){names[n][1], values[count]};
                count++;
            }
        line += line_end != NULL;
        p += line;
        len -= line;
    }
}

/* The first value of a header, and how often it is there. */
static const char *value_of(const char *name, unsigned *count)
{
    const char *value = NULL;

    *count = 0;
    for (size_t i = 0; headers[i].name != NULL; i++)
        if (strcmp(headers[i].name, name) == 0 && (*count)++ == 0)
            value = headers[i].value;
    return value;
}

/* ---- the second opinion ---- */

static int digit(char c)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *at = strchr(digits, c);

    return c == '\0' || at == NULL ? -1 : (int)(at - digits);
}

/* Is `text` one of the ways to write the owner's name and password in base64? Signs that carry nothing are
 * let through. */
static bool is_password(const char *text)
{
    char plain[1024];
    unsigned bits = 0, have = 0;
    size_t n = 0;

    for (; *text != '\0' && n < sizeof plain - 1; text++) {
        if (digit(*text) < 0)
            continue;
        bits = (bits << 6 | (unsigned)digit(*text)) & 0xFFFF;
        have += 6;
        if (have >= 8) {
            have -= 8;
            plain[n++] = (char)(bits >> have & 0xFF);
        }
    }
    plain[n] = '\0';
    return strcmp(plain, "admin:" PASSWORD) == 0;
}

enum who { NOBODY, PASSWORD_HOLDER, TOKEN_HOLDER, SESSION_HOLDER };

/* Whose request may this be at the most? */
static enum who may_be(void)
{
    unsigned count;
    const char *value = value_of("Authorization", &count);

    if (count > 1)
        return NOBODY;
    if (value != NULL && strncasecmp(value, "Bearer ", 7) == 0)
        return strstr(value, token) != NULL && strlen(value + 6 + strspn(value + 6, " ")) == 32 ? TOKEN_HOLDER
                                                                                                : NOBODY;
    if (value != NULL)
        return strncasecmp(value, "Basic ", 6) == 0 && is_password(value + 6) ? PASSWORD_HOLDER : NOBODY;
    value = value_of("Cookie", &count);
    char pair[80];
    snprintf(pair, sizeof pair, "__Host-otapult=%s", session);
    return value != NULL && strstr(value, pair) != NULL ? SESSION_HOLDER : NOBODY;
}

/* Can a browser take this for another name than ours? An address is no name; what is in brackets is one. */
static bool may_be_our_host(void)
{
    unsigned count;
    const char *host = value_of("Host", &count);

    if (host == NULL || count > 1)
        return host == NULL;
    if (host[0] == '[')
        return strchr(host, ']') != NULL;
    size_t name = strcspn(host, ":");
    return strspn(host, "0123456789.") == name || (name == 9 && strncasecmp(host, "localhost", 9) == 0) ||
           (name == 11 && strncasecmp(host, "rover.local", 11) == 0);
}

static bool may_be_our_page(bool get)
{
    unsigned origins, hosts, sites, modes;
    const char *origin = value_of("Origin", &origins), *host = value_of("Host", &hosts);
    const char *site = value_of("Sec-Fetch-Site", &sites), *mode = value_of("Sec-Fetch-Mode", &modes);

    if (site != NULL && strcmp(site, "same-origin") != 0 && strcmp(site, "none") != 0 &&
        !(get && mode != NULL && strcmp(mode, "navigate") == 0))
        return false;
    if (get || origin == NULL)
        return true;
    size_t host_len = host == NULL ? 0 : strlen(host), len = strlen(origin);
    return host_len > 0 && len >= host_len && strcasecmp(origin + len - host_len, host) == 0 &&
           strncasecmp(origin, "https://", 8) == 0;
}

static bool may_be_a_length(void)
{
    unsigned lengths, codings;
    const char *length = value_of("Content-Length", &lengths);
    const char *coding = value_of("Transfer-Encoding", &codings);

    if (lengths + codings > 1)
        return false;
    if (length != NULL)
        return length[0] != '\0' && strspn(length, "0123456789") == strlen(length);
    return coding == NULL; /* no device takes chunks */
}

/* ---- what came of it ---- */

static struct http_client client;

static bool is_refusal_of(const char *code)
{
    char want[64];

    snprintf(want, sizeof want, "\"code\":\"%s\"", code);
    return client.status >= 400 && strstr(client.text, want) != NULL;
}

static bool gate_refused(void)
{
    static const char *const codes[] = {"content_length", "foreign_host",   "foreign_origin",
                                        "https_required", "login_required", "login_failed",
                                        "login_delayed",  "owner_required", "bad_request"};

    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
        if (is_refusal_of(codes[i]))
            return client.status == 400 || client.status == 421 ||
                   (client.status >= 401 && client.status < 430);
    return false;
}

static void check(const struct otapult_route *route, const struct otapult_request *line)
{
    const bool get = strcmp(line->method, "GET") == 0 || strcmp(line->method, "HEAD") == 0;
    const bool refused = gate_refused();
    const bool open = route->level == OTAPULT_PUBLIC || route->level == OTAPULT_PAGE;
    const enum who who = may_be();
    const bool fits = may_be_a_length() && may_be_our_host() && may_be_our_page(get);

    FUZZ_EXPECT(client.status != 500 && client.status != 503);
    FUZZ_EXPECT(!own_called || (strcmp(route->path, "/own") == 0 && !refused));
    FUZZ_EXPECT(fits || refused);
    FUZZ_EXPECT(line->tls || refused || client.status == 307);
    FUZZ_EXPECT(open || who != NOBODY || refused);
    FUZZ_EXPECT(route->level != OTAPULT_OWNER || who != TOKEN_HOLDER || refused);
    FUZZ_EXPECT(strstr(client.more, "Set-Cookie") == NULL || (open && !refused));
    FUZZ_EXPECT(!is_refusal_of("login_delayed")); /* one attempt an hour */
}

/* Nothing but the owner's credentials, as programs send them. */
static void check_owner(const struct otapult_site *sites, const struct otapult_route *route,
                        const struct otapult_request *line)
{
    const struct http_header own[] = {
        {"Authorization", basic}, {"Content-Type", "application/json"}, {NULL, NULL}};
    struct otapult_request again = *line;

    again.tls = true;
    enum otapult_http_next next = http_client_begin(&client, sites, 2, &again, own);
    FUZZ_EXPECT(!gate_refused());
    FUZZ_EXPECT(next != OTAPULT_HTTP_ANSWERED || client.status < 400 || route->begin != own_begin);
    if (next != OTAPULT_HTTP_ANSWERED)
        otapult_http_lost(&client.x);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct otapult_site sites[2] = {{.routes = own_routes, .count = 2}};
    struct otapult_request line = {.query = "", .https_port = 443};

    if (size < SETTINGS)
        return 0;
    if (w.ota == NULL)
        begin();
    otapult_site(&sites[1], w.ota);
    w.clock += HOUR_MS; /* no delay of an earlier input is left, and no session */
    otapult_poll(w.ota);
    struct otapult_users *known = otapult_device_users(w.ota);
    FUZZ_EXPECT(otapult_users_login(known, login_owner(known), session) == 0);
    const size_t n = data[0] % (2 + sites[1].count);
    const struct otapult_route *route = n < 2 ? &own_routes[n] : &sites[1].routes[n - 2];
    line.method = route->method;
    line.path = route->path;
    line.tls = data[1] % 8 != 0;
    line.source[15] = data[1] >> 3;
    own_called = false;

    make_headers(data + SETTINGS, size - SETTINGS);
    if (http_client_begin(&client, sites, 2, &line, headers) != OTAPULT_HTTP_ANSWERED)
        otapult_http_lost(&client.x);
    check(route, &line);
    if (data[1] % 16 == 9)
        check_owner(sites, route, &line);
    return 0;
}
