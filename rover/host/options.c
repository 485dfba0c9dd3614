/* SPDX-License-Identifier: Apache-2.0 */
#include "options.h"

#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PORT_MAX        65535
#define SECONDS_MAX     3600
#define RESTART_MAX     60000 /* ms */
#define SOAK_MAX        3600000
#define RATE_MAX        1000000
#define UPLOAD_TIME_MAX 86400
#define ASK_MAX         2000000

/* A figure as text, for messages. */
#define TEXT_OF(macro)  TEXT_OF_(macro)
#define TEXT_OF_(value) #value

static const char usage[] =
    "usage: rover [options]\n"
    "A virtual rover: the robot's firmware on an emulated 16 MB flash kept in a file.\n\n"
    "  --flash FILE     the flash file, a regular file; made with a factory firmware 1.0.0 when absent\n"
    "                   (flash.bin)\n"
    "  --port N         TCP port, 0 picks a free one (8080)\n"
    "  --bind ADDR      address to listen on (127.0.0.1), IPv6 as well; 0.0.0.0 opens it to the network, ::\n"
    "                   over IPv4 and IPv6\n"
    "  --name NAME      what it is called: in page, status and network (rover); NAME.local opens it, too\n"
    "  --host NAME      another name the rover is opened by, beside its addresses and rover.local\n"
    "  --reset          start over with a new flash file; what is no flash file is left alone\n"
    "  --fast           no simulated delays of flash and boot\n"
    "  --stall SECONDS  an upload that sends nothing for so long ends (15)\n"
    "  --min-rate BYTES  a second: one that sends less, over 30 s, ends (256); 0: never\n"
    "  --upload-time SECONDS  for which the rover waits for one in all (3600); 0: for ever\n"
    "  --same-project   firmware of another project is refused\n"
    "  --confirm SECONDS  a new firmware must pass its health checks within (60)\n"
    "  --soak MS        and go on passing them for so long (10000; 300 with --fast)\n"
    "  --restart MS     a restart begins MS after its answer, and takes as long (500; it takes 1500, or\n"
    "                   200 with --fast)\n"
    "  --table FILE     partition table of a new flash file, instead of the 16 MB one with two OTA slots\n"
    "  --factory FILE   factory firmware of a new flash file\n"
    "  --wear FILE      when it ends, writes how often it has erased each sector\n"
    "  --help           this text\n\n"
    "With --secure: signatures, HTTPS and login. Its first start shows a password, once: on a terminal, else in\n"
    "FILE.password beside the flash file.\n"
    "  --key-digest HEX of a key that signs firmware, as `otapult key-digest` prints it; up to three, with\n"
    "                   commas between, or again (--trust is the same)\n"
    "  --revoke HEX     a key with this digest never counts again; stays in the flash file\n"
    "  --cert FILE --key FILE  certificate and key in PEM, instead of the device's own\n"
    "  --http-port N    beside HTTPS: plain HTTP that redirects pages and refuses all else\n"
    "  --new-password   makes and prints a new password, revokes API tokens\n\n"
    "With --source it fetches releases by itself (docs/pull.md):\n"
    "  --source URL     of the otapult.json that `otapult release` writes\n"
    "  --source-policy ask|urgent|auto  who says yes: a person; to urgent ones the rover; always the rover (ask)\n"
    "  --source-window HH:MM-HH:MM  when the rover may say yes, in the time zone of TZ (at any time)\n"
    "  --source-ask SECONDS  from one question to the next (21600)\n"
    "  --source-channel NAME  only releases of this channel\n"
    "  --source-ca FILE  the only CA in PEM that its certificate may come from (the system's)\n"
    "  --source-pin PIN  and the key it must have, as curl pins one: sha256//…\n"
    "  --source-host NAME  another host that it may lead to; up to four\n"
    "  --source-key HEX  without --secure: the key that signs releases, as --key-digest\n"
    "  --source-unsigned  without --secure: releases without a signature count\n"
    "  --source-plain   http:// too, where releases are signed\n"
    "  --source-downgrade  a release that says so may be older than what runs\n"
    "  --id TEXT        whom it is to the source (the rover's name)\n\n"
    "With --hawkbit it fetches what a hawkBit server assigns to it (docs/hawkbit.md). --id and --source-policy, -window,\n"
    "-ask, -ca, -pin, -host, -plain and -downgrade hold for it, too:\n"
    "  --hawkbit URL    of the server: what stands before /TENANT/controller/v1\n"
    "  --hawkbit-tenant NAME  (DEFAULT)\n"
    "  --hawkbit-token FILE  that holds its token and that nobody else may read (else the variable\n"
    "                   " SOURCE_TOKEN " of the environment holds it)\n"
    "  --hawkbit-gateway  the token is the gateway's, not this robot's\n\n"
    "Ctrl-C switches it off; SIGUSR1 pulls its plug and puts it back.\n";

/* ---- values ---- */

static bool number(const char *text, unsigned long min, unsigned long max, unsigned *out)
{
    char *end;
    unsigned long n = strtoul(text, &end, 10);

    if (text[0] < '0' || text[0] > '9' || *end != '\0' || n < min || n > max)
        return false;
    *out = (unsigned)n;
    return true;
}

/* As above, into what is -1 where the option is not given. */
static bool number_or_none(const char *text, unsigned long max, int *out)
{
    unsigned n;

    if (!number(text, 0, max, &n))
        return false;
    *out = (int)n;
    return true;
}

static bool text(const char *value, const char **out)
{
    *out = value;
    return value[0] != '\0';
}

/* ---- what each option sets; false: the value is not what the option wants ---- */

static bool set_flash(struct options *o, const char *value)
{
    return text(value, &o->flash);
}

static bool set_port(struct options *o, const char *value)
{
    return number(value, 0, PORT_MAX, &o->port);
}

static bool set_bind(struct options *o, const char *value)
{
    return text(value, &o->bind);
}

static bool set_host(struct options *o, const char *value)
{
    struct secure_options *s = &o->secure;

    if (s->host_count == SECURE_HOSTS_MAX || !text(value, &s->hosts[s->host_count]))
        return false;
    s->host_count++;
    return true;
}

/* Letters, digits and dashes, as in a host's name, which is made of it. */
static bool set_name(struct options *o, const char *value)
{
    static char host[80];
    size_t len = strspn(value, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-");

    if (len == 0 || len > 40 || value[len] != '\0')
        return false;
    o->name = value;
    snprintf(host, sizeof host, "%s.local", value);
    return set_host(o, host);
}

static bool set_reset(struct options *o, const char *value)
{
    (void)value;
    return o->reset = true;
}

static bool set_fast(struct options *o, const char *value)
{
    (void)value;
    return o->fast = true;
}

static bool set_stall(struct options *o, const char *value)
{
    return number(value, 1, SECONDS_MAX, &o->stall_s);
}

static bool set_min_rate(struct options *o, const char *value)
{
    return number_or_none(value, RATE_MAX, &o->min_rate);
}

static bool set_upload_time(struct options *o, const char *value)
{
    return number_or_none(value, UPLOAD_TIME_MAX, &o->upload_s);
}

static bool set_same_project(struct options *o, const char *value)
{
    (void)value;
    return o->same_project = true;
}

static bool set_confirm(struct options *o, const char *value)
{
    return number(value, 1, SECONDS_MAX, &o->confirm_s);
}

static bool set_soak(struct options *o, const char *value)
{
    return number_or_none(value, SOAK_MAX, &o->soak_ms);
}

static bool set_restart(struct options *o, const char *value)
{
    return number_or_none(value, RESTART_MAX, &o->restart_ms);
}

static bool set_table(struct options *o, const char *value)
{
    return text(value, &o->table);
}

static bool set_factory(struct options *o, const char *value)
{
    return text(value, &o->factory);
}

static bool set_wear(struct options *o, const char *value)
{
    return text(value, &o->wear);
}

static bool set_secure(struct options *o, const char *value)
{
    (void)value;
    return o->secure.on = true;
}

/* One digest or several with commas between; the option may be given again. */
static bool set_key_digest(struct options *o, const char *value)
{
    return otapult_read_digests(value, o->secure.keys, OTAPULT_KEYS_MAX, &o->secure.key_count);
}

static bool set_revoke(struct options *o, const char *value)
{
    size_t count = 0;

    o->secure.revokes = otapult_read_digests(value, &o->secure.revoked, 1, &count);
    return o->secure.revokes;
}

static bool set_cert(struct options *o, const char *value)
{
    return text(value, &o->secure.certificate);
}

static bool set_key(struct options *o, const char *value)
{
    return text(value, &o->secure.key);
}

static bool set_http_port(struct options *o, const char *value)
{
    return number_or_none(value, PORT_MAX, &o->http_port);
}

static bool set_new_password(struct options *o, const char *value)
{
    (void)value;
    return o->secure.new_password = true;
}

static bool set_source(struct options *o, const char *value)
{
    return text(value, &o->source.folder);
}

static bool set_source_policy(struct options *o, const char *value)
{
    static const char *const names[] = {
        [OTAPULT_PULL_ASK] = "ask", [OTAPULT_PULL_URGENT] = "urgent", [OTAPULT_PULL_AUTO] = "auto"};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(value, names[i]) == 0) {
            o->source.policy = (uint8_t)i;
            return true;
        }
    return false;
}

static bool set_source_window(struct options *o, const char *value)
{
    return source_read_window(value, &o->source.window);
}

static bool set_source_ask(struct options *o, const char *value)
{
    return number(value, 1, ASK_MAX, &o->source.ask_s);
}

static bool set_source_channel(struct options *o, const char *value)
{
    return text(value, &o->source.channel);
}

static bool set_source_ca(struct options *o, const char *value)
{
    return text(value, &o->source.ca);
}

static bool set_source_pin(struct options *o, const char *value)
{
    return strncmp(value, "sha256//", 8) == 0 && text(value, &o->source.pin);
}

static bool set_source_host(struct options *o, const char *value)
{
    struct source_options *s = &o->source;

    if (s->host_count == SOURCE_HOSTS_MAX || !text(value, &s->hosts[s->host_count]))
        return false;
    s->host_count++;
    return true;
}

static bool set_source_key(struct options *o, const char *value)
{
    return otapult_read_digests(value, o->source.keys, OTAPULT_KEYS_MAX, &o->source.key_count);
}

static bool set_source_unsigned(struct options *o, const char *value)
{
    (void)value;
    return o->source.no_signature = true;
}

static bool set_source_plain(struct options *o, const char *value)
{
    (void)value;
    return o->source.plain = true;
}

static bool set_source_downgrade(struct options *o, const char *value)
{
    (void)value;
    return o->source.downgrade = true;
}

static bool set_hawkbit(struct options *o, const char *value)
{
    return text(value, &o->source.hawkbit);
}

static bool set_hawkbit_tenant(struct options *o, const char *value)
{
    return text(value, &o->source.tenant);
}

static bool set_hawkbit_token(struct options *o, const char *value)
{
    return text(value, &o->source.token);
}

static bool set_hawkbit_gateway(struct options *o, const char *value)
{
    (void)value;
    return o->source.gateway = true;
}

static bool set_id(struct options *o, const char *value)
{
    return text(value, &o->source.id);
}

static bool show_help(struct options *o, const char *value)
{
    (void)o;
    (void)value;
    fputs(usage, stdout);
    exit(0);
}

#define A_FILE "the name of a file"
#define A_PORT "a number from 0 to " TEXT_OF(PORT_MAX) ", where 0 picks a free port"
#define A_TIME "a number of seconds from 1 to " TEXT_OF(SECONDS_MAX)
#define DIGITS "64 hex digits, as `otapult key-digest` prints them"
#define KEYS   DIGITS "; three keys at most, with commas between"
_Static_assert(OTAPULT_KEYS_MAX == 3 && SECURE_HOSTS_MAX - SECURE_HOSTS_OWN == 6 && SOURCE_HOSTS_MAX == 4,
               "as the texts say");

/* What an option belongs to. */
enum part { OF_ALL, OF_SECURE, OF_ANY_SOURCE, OF_FOLDER, OF_HAWKBIT };

static const struct row {
    const char *name;
    const char *wants; /* what its value is; NULL: it takes none */
    bool (*set)(struct options *o, const char *value);
    enum part of; /* without which it means nothing */
} rows[] = {
    {"flash", A_FILE, set_flash, OF_ALL},
    {"port", A_PORT, set_port, OF_ALL},
    {"bind", "an address of this machine, such as 127.0.0.1", set_bind, OF_ALL},
    {"name", "letters, digits and dashes, 40 at most", set_name, OF_ALL},
    {"host", "a name; there is room for six", set_host, OF_ALL},
    {"reset", NULL, set_reset, OF_ALL},
    {"fast", NULL, set_fast, OF_ALL},
    {"stall", A_TIME, set_stall, OF_ALL},
    {"min-rate", "a number of bytes a second from 0 to " TEXT_OF(RATE_MAX), set_min_rate, OF_ALL},
    {"upload-time", "a number of seconds from 0 to " TEXT_OF(UPLOAD_TIME_MAX), set_upload_time, OF_ALL},
    {"same-project", NULL, set_same_project, OF_ALL},
    {"confirm", A_TIME, set_confirm, OF_ALL},
    {"soak", "a number of milliseconds from 0 to " TEXT_OF(SOAK_MAX), set_soak, OF_ALL},
    {"restart", "a number of milliseconds from 0 to " TEXT_OF(RESTART_MAX), set_restart, OF_ALL},
    {"table", A_FILE, set_table, OF_ALL},
    {"factory", A_FILE, set_factory, OF_ALL},
    {"wear", A_FILE, set_wear, OF_ALL},
    {"secure", NULL, set_secure, OF_ALL},
    {"key-digest", KEYS, set_key_digest, OF_SECURE},
    {"trust", KEYS, set_key_digest, OF_SECURE},
    {"revoke", DIGITS, set_revoke, OF_SECURE},
    {"cert", A_FILE, set_cert, OF_SECURE},
    {"key", A_FILE, set_key, OF_SECURE},
    {"http-port", A_PORT, set_http_port, OF_SECURE},
    {"new-password", NULL, set_new_password, OF_SECURE},
    {"source", "an address", set_source, OF_ALL},
    {"source-policy", "ask, urgent or auto", set_source_policy, OF_ANY_SOURCE},
    {"source-window", "two different times of the day, such as 02:00-04:30", set_source_window,
     OF_ANY_SOURCE},
    {"source-ask", "a number of seconds from 1 to " TEXT_OF(ASK_MAX), set_source_ask, OF_ANY_SOURCE},
    {"source-channel", "a name", set_source_channel, OF_FOLDER},
    {"source-ca", A_FILE, set_source_ca, OF_ANY_SOURCE},
    {"source-pin", "sha256// and a digest in Base64", set_source_pin, OF_ANY_SOURCE},
    {"source-host", "a name; there is room for four", set_source_host, OF_ANY_SOURCE},
    {"source-key", KEYS, set_source_key, OF_FOLDER},
    {"source-unsigned", NULL, set_source_unsigned, OF_FOLDER},
    {"source-plain", NULL, set_source_plain, OF_ANY_SOURCE},
    {"source-downgrade", NULL, set_source_downgrade, OF_ANY_SOURCE},
    {"hawkbit", "an address", set_hawkbit, OF_ALL},
    {"hawkbit-tenant", "a name", set_hawkbit_tenant, OF_HAWKBIT},
    {"hawkbit-token", A_FILE, set_hawkbit_token, OF_HAWKBIT},
    {"hawkbit-gateway", NULL, set_hawkbit_gateway, OF_HAWKBIT},
    {"id", "what this robot is called", set_id, OF_ANY_SOURCE},
    {"help", NULL, show_help, OF_ALL},
};
#define ROWS      (sizeof rows / sizeof rows[0])
#define FIRST_ROW 256 /* above every character, so that getopt_long tells rows from letters */
#define HELP_ROW  (FIRST_ROW + (int)ROWS - 1)

/* ---- the command line ---- */

static void refuse(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

static void refuse(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    fprintf(stderr, "rover: ");
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    exit(2);
}

static const struct row *row_of(int letter)
{
    return letter >= FIRST_ROW && letter <= HELP_ROW ? &rows[letter - FIRST_ROW] : NULL;
}

static bool begins_several(const char *word)
{
    unsigned count = 0;

    for (size_t i = 0; i < ROWS; i++)
        count += strncmp(word + 2, rows[i].name, strlen(word + 2)) == 0;
    return count > 1;
}

/* getopt_long has said no to `word`: an option that is none, or one with a value that takes none. */
static void refuse_word(const char *word)
{
    if (row_of(optopt) != NULL)
        refuse("%s: takes no value", word);
    if (optopt != 0)
        refuse("-%c: there is no such option; see rover --help", optopt);
    refuse("%s: %s; see rover --help", word,
           begins_several(word) ? "several options begin so" : "there is no such option");
}

static void take(struct options *o, const struct row *row, bool given[ROWS])
{
    given[row - rows] = true;
    if (!row->set(o, optarg))
        refuse("--%s %s: wants %s", row->name, optarg, row->wants);
}

/* Nothing of a part that is not there may be half on, or be thought to be on. */
static void check_part(const struct options *o, const struct row *row)
{
    const bool folder = o->source.folder != NULL, hawkbit = o->source.hawkbit != NULL;

    if (row->of == OF_SECURE && !o->secure.on)
        refuse("--%s is of the secure profile: add --secure, or leave it out", row->name);
    if (row->of == OF_FOLDER && !folder)
        refuse("--%s means nothing without --source", row->name);
    if (row->of == OF_ANY_SOURCE && !folder && !hawkbit)
        refuse("--%s means nothing without --source or --hawkbit", row->name);
    if (row->of == OF_HAWKBIT && !hawkbit)
        refuse("--%s means nothing without --hawkbit", row->name);
}

static void check_together(const struct options *o, const bool given[ROWS])
{
    const struct source_options *s = &o->source;

    if (s->folder != NULL && s->hawkbit != NULL)
        refuse("--source and --hawkbit: a rover has one source");
    for (size_t i = 0; i < ROWS; i++) {
        if (given[i])
            check_part(o, &rows[i]);
    }
    if (o->secure.on && (s->key_count > 0 || s->no_signature))
        refuse(
            "--source-key and --source-unsigned are of the open profile: with --secure the keys of --key-digest "
            "count");
    if ((o->secure.certificate != NULL) != (o->secure.key != NULL))
        refuse("--%s without --%s: they go together", o->secure.key == NULL ? "cert" : "key",
               o->secure.key == NULL ? "key" : "cert");
}

static void list_options(struct option longs[ROWS + 1])
{
    for (size_t i = 0; i < ROWS; i++) {
        int takes = rows[i].wants != NULL ? required_argument : no_argument;
        longs[i] = (struct option){rows[i].name, takes, NULL, FIRST_ROW + (int)i};
    }
    longs[ROWS] = (struct option){NULL, 0, NULL, 0};
}

static void read_words(struct options *o, int argc, char **argv, bool given[ROWS])
{
    struct option longs[ROWS + 1];
    int letter;

    list_options(longs);
    while ((letter = getopt_long(argc, argv, ":h", longs, NULL)) != -1) {
        if (letter == ':')
            refuse("--%s: its value is missing: %s", row_of(optopt)->name, row_of(optopt)->wants);
        if (letter == '?')
            refuse_word(argv[optind - 1]);
        take(o, row_of(letter == 'h' ? HELP_ROW : letter), given);
    }
    if (optind < argc)
        refuse("%s: not an option; a flash file is named with --flash, see rover --help", argv[optind]);
}

void options_parse(struct options *o, int argc, char **argv)
{
    bool given[ROWS] = {false};

    *o = (struct options){.flash = "flash.bin",
                          .name = "rover",
                          .bind = "127.0.0.1",
                          .port = 8080,
                          .stall_s = 15,
                          .confirm_s = 60,
                          .soak_ms = -1,
                          .min_rate = -1,
                          .upload_s = -1,
                          .restart_ms = -1,
                          .http_port = -1,
                          .secure = {SECURE_OPTIONS_DEFAULT}};
    read_words(o, argc, argv, given);
    check_together(o, given);
}
