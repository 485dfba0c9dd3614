/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "ask.h"
#include "interrupt.h"
#include "named.h"
#include "regular_file.h"

/* `otapult login`. The robot is asked first and without a login, so that its key is known before the password
 * is typed: a password must not go to a stranger. */

/* Makes an API token on a robot with its password, and keeps the token instead of the password. */

#define PASSWORD_MAX 80

/* Reads the password. A terminal does not show it while it is typed. */
static bool read_password(const char *robot, char password[PASSWORD_MAX])
{
    struct termios before, silent;
    bool typed = tcgetattr(STDIN_FILENO, &before) == 0;

    if (typed) {
        fprintf(stderr, "password of admin on %s: ", robot);
        silent = before;
        silent.c_lflag &= ~(tcflag_t)ECHO;
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent);
    }
    bool good = fgets(password, PASSWORD_MAX, stdin) != NULL;
    if (typed) {
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
        fputc('\n', stderr);
    }
    if (good)
        password[strcspn(password, "\r\n")] = '\0';
    return good && password[0] != '\0';
}

/* On a terminal the owner is asked at once what he would otherwise repeat the command for. */
static bool compare_certificate(const struct robot *r)
{
    char answer[16];

    if (isatty(STDIN_FILENO) != 1 || strcmp(r->fault.code, trouble_row(TROUBLE_UNKNOWN_DEVICE)->code) != 0)
        return false;
    fprintf(stderr,
            "%s is not known yet. Its certificate is\n  %s\nDoes the robot's console show the same? [y/N] ",
            r->where, r->fingerprint);
    return fgets(answer, sizeof answer, stdin) != NULL && (answer[0] == 'y' || answer[0] == 'Y');
}

static void asked(void *ctx, struct robot *r)
{
    (void)ctx;
    (void)r;
}

/* 20 characters at most: the name says where the token is used. */
static void token_name(char name[24])
{
    char host[16] = "otapult";

    if (gethostname(host, sizeof host) != 0 || host[0] == '\0')
        snprintf(host, sizeof host, "otapult");
    host[sizeof host - 1] = '\0';
    host[strspn(host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_")] = '\0';
    snprintf(name, 24, "%.12s-%04x", host[0] != '\0' ? host : "otapult", (unsigned)getpid() & 0xFFFFu);
}

static void wait_for(struct wire *w, struct robot *r)
{
    robots_wait(w);
    robot_leave(r);
}

struct made {
    struct robot *robot;
    char token[TOKEN_MAX];
};

static void token_came(void *ctx, const struct wire_answer *a)
{
    struct made *made = ctx;

    made->robot->under_way = NULL;
    if (robot_fault(&made->robot->fault, a))
        return;
    cJSON *json = cJSON_ParseWithLength(a->body, a->len);
    member_text(json, "token", made->token, sizeof made->token);
    cJSON_Delete(json);
    if (made->token[0] == '\0')
        fault_of_trouble(&made->robot->fault, TROUBLE_NOT_OTAPULT, "it made no token");
}

static void make_token(struct wire *w, struct made *made, const char *password)
{
    struct wire_request q;
    char url[ROBOT_URL], name[24], body[64];

    token_name(name);
    snprintf(body, sizeof body, "{\"name\":\"%s\"}", name);
    robot_request(made->robot, "/api/ota/tokens/create", &q, url);
    q.token = NULL;
    q.password = password;
    q.body = body;
    q.body_len = strlen(body);
    q.type = "application/json";
    q.ctx = made;
    q.done = token_came;
    made->robot->fault = (struct fault){0};
    made->robot->under_way = "a token may have been made";
    wire_send(w, &q);
    wait_for(w, made->robot);
}

static int keep(const struct made *made)
{
    char path[CONFIG_PATH];

    config_path("tokens", path);
    if (!token_store(made->robot->where, made->token))
        return trouble_say(TROUBLE_FILE_UNWRITABLE, "file", path, regular_file_words(errno));
    remark("a token of %s is in %s", made->robot->where, path);
    return say_as_json() ? print_done(made->robot, "a token is kept") : STATUS_OK;
}

/* The robot is asked without a login first. A secure robot answers 401, and only then gets the password. */
static int log_in(struct wire *w, struct robot *r)
{
    struct made made = {.robot = r};
    char typed[PASSWORD_MAX];
    const char *password = getenv("OTAPULT_PASSWORD");

    robot_ask(r, w, asked, NULL);
    wait_for(w, r);
    if (compare_certificate(r)) {
        r->first_use = true;
        robot_ask(r, w, asked, NULL);
        wait_for(w, r);
    }
    if (r->fault.status == 0) {
        remark("%s asks for no login%s", r->name, r->device.open ? "" : ", or has let you in already");
        return say_as_json() ? print_done(r, "asks for no login") : STATUS_OK;
    }
    if (r->http_status != 401)
        return fault_say(&r->fault, "robot", r->name);
    if (password == NULL && !read_password(r->name, typed)) {
        complain("login: no password");
        return STATUS_USAGE;
    }
    make_token(w, &made, password != NULL ? password : typed);
    explicit_bzero(typed, sizeof typed);
    return made.token[0] != '\0' ? keep(&made) : fault_say(&r->fault, "robot", r->name);
}

static int run(const struct options *options)
{
    struct fleet fleet;
    int worst = fleet_open(&fleet, options, options->operand, options->operands);

    if (worst != 0)
        return worst;
    struct wire *w = wire_open();
    for (size_t i = 0; w != NULL && i < fleet.count && !interrupted(); i++) {
        struct robot *r = &fleet.member[i].robot;
        r->token = r->password = NULL;
        int status = log_in(w, r);
        worst = status > worst ? status : worst;
    }
    if (w != NULL)
        wire_close(w);
    fleet_free(&fleet);
    return worst;
}

const struct verb verb_login = {
    .name = "login",
    .gist = "make and keep a token",
    .operands = "ROBOT…",
    .summary = "makes an API token on a robot and keeps it",
    .about =
        "Asks for the password of admin (or takes OTAPULT_PASSWORD, or the first line of standard input), makes an "
        "API token with it, and keeps the token in $XDG_CONFIG_HOME/otapult/tokens, mode 0600; the password is "
        "kept nowhere. On a terminal it shows the certificate of a robot that is not known yet, to be compared.\n"
        "\n"
        "Which login counts: --token, the inventory's token_file, OTAPULT_TOKEN, the token kept, OTAPULT_PASSWORD. "
        "All are sent through TLS only, to the robot whose key is known.",
    .exits =
        "0 a token is kept, or none is needed, 1 refused, 2 wrong usage, 3 no answer, 4 wrong password or a "
        "stranger.",
    .examples = "otapult login rover.local\notapult login https://192.168.4.1:8443 --insecure-first-use",
    .least = 1,
    .most = OPERANDS_ANY,
    .completes = {COMPLETES_ROBOT, COMPLETES_ROBOT},
    .group = GROUP_ROBOTS,
    .options = (const struct verb_option[]){{OPTION_INVENTORY, ALL_OF_INVENTORY},
                                            {OPTION_FIRST_USE, NULL},
                                            {OPTION_TIMEOUT, NULL},
                                            {OPTION_JSON, NULL},
                                            {OPTION_NONE, NULL}},
    .run = run,
};
