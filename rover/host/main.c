/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "host_port.h"
#include "mhd_server.h"
#include "rover.h"
#include "sample_image.h"
#include "secure.h"

/* The virtual rover: the robot application on an emulated board. Power comes when the program starts and
 * goes when it ends; between, each restart is a life of its own that begins with the bootloader. */

#define FLASH_SIZE (16u * 1024 * 1024)

struct options {
    const char *flash, *bind, *table, *factory, *wear;
    unsigned port, stall_s, confirm_s;
    int restart_ms; /* -1: the core's default, and what the simulation is made for */
    int http_port;  /* -1: none */
    bool reset, fast;
    struct secure_options secure;
};

/* They stay when the rover restarts. */
struct ports {
    uint16_t main, http;
};

/* One life: from a reset to the next. */
struct life {
    const struct options *options;
    struct host_port board;
    union otapult_memory memory;
    struct otapult *ota;
    struct rover rover;
    struct mhd_server *server, *redirects;
    union otapult_users_memory users;
    uint16_t port;
    enum sample_temper temper;
    uint32_t after_ms; /* of the temper */
};

static volatile sig_atomic_t power_off, power_cycle;

static void on_signal(int number)
{
    if (number == SIGUSR1)
        power_cycle = 1;
    else
        power_off = 1;
}

static void sleep_us(uint64_t us)
{
    struct timespec t = {(time_t)(us / 1000000), (long)(us % 1000000 * 1000)};

    while (nanosleep(&t, &t) != 0 && errno == EINTR && !power_off)
        ;
}

static void say(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void say(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    printf("rover: ");
    vprintf(format, args);
    printf("\n");
    fflush(stdout);
    va_end(args);
}

/* ---- the simulated hardware ---- */

static void set_motors(void *ctx, int left, int right)
{
    (void)ctx;
    (void)left;
    (void)right; /* the rover itself keeps the figures which the page draws */
}

static enum otapult_health check_network(void *ctx, char *why, size_t cap)
{
    const struct life *life = ctx;
    uint32_t patience = life->options->fast ? 300 : 3000;

    if (life->server != NULL)
        return OTAPULT_HEALTH_PASS;
    if (life->board.port.now_ms(life->board.port.ctx) < patience)
        return OTAPULT_HEALTH_WAIT;
    snprintf(why, cap, "no answer from the access point");
    return OTAPULT_HEALTH_FAIL;
}

static enum otapult_health check_page(void *ctx, char *why, size_t cap)
{
    const struct life *life = ctx;
    const struct options *o = life->options;

    (void)why;
    (void)cap;
    bool answers = life->server != NULL && secure_page_answers(o->bind, life->port, o->secure.on);
    return answers ? OTAPULT_HEALTH_PASS : OTAPULT_HEALTH_WAIT;
}

static enum otapult_health check_drive(void *ctx, char *why, size_t cap)
{
    const struct life *life = ctx;

    (void)why;
    (void)cap;
    return life->temper == SAMPLE_NEVER_CONFIRMS ? OTAPULT_HEALTH_WAIT : OTAPULT_HEALTH_PASS;
}

/* ---- flash ---- */

static void elapse(void *ctx, uint64_t us)
{
    (void)ctx;
    sleep_us(us);
}

/* From the moment the plug is out nothing reaches the flash, whatever the program still does. */
static bool without_power(void *ctx, enum nor_op op, uint32_t address, uint32_t len)
{
    (void)ctx;
    (void)op;
    (void)address;
    (void)len;
    return power_cycle != 0;
}

static uint8_t *read_file(const char *path, size_t *len)
{
    FILE *f = fopen(path, "rb");
    uint8_t *data = malloc(FLASH_SIZE);

    if (f == NULL || data == NULL) {
        fprintf(stderr, "rover: cannot read %s: %s\n", path, strerror(errno));
        exit(2);
    }
    *len = fread(data, 1, FLASH_SIZE, f);
    fclose(f);
    return data;
}

static bool lay_factory_state(struct nor_flash *nor, const struct options *options)
{
    const struct sample_spec spec = {SAMPLE_DEFAULT, .version = "1.0.0", .size = 600000, .seed = 1};
    uint8_t table[OTAPULT_TABLE_SIZE];
    uint8_t *given = NULL;
    size_t len;

    host_default_table(table);
    if (options->table != NULL) {
        given = read_file(options->table, &len);
        memset(table, 0xFF, sizeof table);
        memcpy(table, given, len < sizeof table ? len : sizeof table);
        free(given);
    }
    uint8_t *image = options->factory != NULL ? read_file(options->factory, &len) : sample_image(&spec, &len);
    bool fits = host_flash_factory(nor, table, image, len);
    free(image);
    return fits;
}

static void open_flash(struct nor_flash *nor, const struct options *options)
{
    bool created = false;

    if (options->reset)
        unlink(options->flash);
    int err = nor_open_file(nor, options->flash, FLASH_SIZE, &created);
    if (err != 0) {
        fprintf(stderr, "rover: cannot use %s: %s\n", options->flash,
                err == EWOULDBLOCK ? "another rover has it open"
                : err == EINVAL    ? "it is there, but is no flash file of 16 MB; --reset makes a new one"
                                   : strerror(err));
        exit(2);
    }
    if (created && !lay_factory_state(nor, options)) {
        fprintf(stderr, "rover: the factory firmware does not fit the partition table\n");
        unlink(options->flash);
        exit(2);
    }
    if (!options->fast)
        nor->elapse = elapse;
    nor->fail = without_power;
}

static bool write_wear(const struct nor_flash *nor, const char *path)
{
    FILE *f = fopen(path, "w");

    for (size_t n = 0; f != NULL && n < nor->size / NOR_SECTOR; n++)
        fprintf(f, "0x%06zx %u\n", n * NOR_SECTOR, (unsigned)nor->wear[n]);
    if (f != NULL && fclose(f) == 0)
        return true;
    fprintf(stderr, "rover: cannot write %s: %s\n", path, strerror(errno));
    return false;
}

/* ---- one life ---- */

static void introduce(const struct life *life)
{
    struct otapult_slot slot;
    struct otapult_image_info info;
    char build[OTAPULT_BUILD_ID_CHARS + 1] = "?";
    const struct boot_result *boot = &life->board.boot;

    if (otapult_slot(life->ota, boot->slot, &slot, &info) != 0 || info.size == 0) {
        say("booted, but what runs cannot be read");
        return;
    }
    otapult_build_id(&info.desc, build);
    say("booted %s: %s %s, build %s (%s%s)", slot.label, info.desc.project, info.desc.version, build,
        boot->why, boot->fell_back ? "; its image did not load, so another slot runs" : "");
}

static void read_temper(struct life *life)
{
    struct otapult_flash flash;
    uint8_t head[1024];
    uint32_t after = 0;

    life->temper = SAMPLE_HEALTHY;
    if (life->board.port.open(life->board.port.ctx, life->board.boot.slot, &flash) == 0 &&
        flash.read(flash.ctx, 0, head, sizeof head) == 0)
        life->temper = sample_temper_of(head, sizeof head, &after);
    life->after_ms = after * 1000;
}

static struct mhd_server *listen_at(struct life *life, uint16_t port, const struct mhd_tls *tls)
{
    static struct otapult_site sites[2];

    otapult_site(&sites[0], life->ota);
    rover_site(&sites[1], &life->rover);
    struct mhd_server *server =
        mhd_server_start(life->options->bind, port, sites, 2, life->options->stall_s + 5, tls);
    if (server == NULL)
        fprintf(stderr, "rover: cannot listen on %s:%u: %s\n", life->options->bind, port, strerror(errno));
    return server;
}

/* Beside HTTPS: says where it is. */
static bool serve_redirects(struct life *life, struct ports *ports)
{
    const struct mhd_tls tls = {.https_port = life->port};

    if (life->options->http_port < 0)
        return true;
    life->redirects = listen_at(life, ports->http, &tls);
    if (life->redirects == NULL)
        return false;
    ports->http = mhd_server_port(life->redirects);
    say("redirecting from http://%s:%u/", life->options->bind, ports->http);
    return true;
}

static bool serve(struct life *life, struct ports *ports)
{
    const struct options *o = life->options;
    struct tls_identity id = {0};

    if (life->temper == SAMPLE_NO_NETWORK)
        return true;
    if (o->secure.on && !secure_identity(&o->secure, &life->board.port, &id)) {
        tls_identity_free(&id);
        return false;
    }
    const struct mhd_tls tls = {.certificate = id.certificate, .key = id.key};
    life->server = listen_at(life, ports->main, &tls);
    tls_identity_free(&id);
    if (life->server == NULL)
        return false;
    ports->main = life->port = mhd_server_port(life->server);
    if (o->secure.on && !serve_redirects(life, ports))
        return false;
    say("listening on %s://%s:%u/", o->secure.on ? "https" : "http", o->bind, life->port);
    return true;
}

static void stop_serving(struct life *life)
{
    if (life->server != NULL)
        mhd_server_stop(life->server);
    if (life->redirects != NULL)
        mhd_server_stop(life->redirects);
    life->server = life->redirects = NULL;
}

static void make_password(struct life *life)
{
    static bool done;

    if (life->options->secure.new_password && !done && otapult_new_password(life->ota) != 0)
        fprintf(stderr, "rover: no new password: the profile is open, or the store failed\n");
    done = true;
}

static void revoke_key(struct life *life)
{
    const struct secure_options *o = &life->options->secure;

    if (!o->revokes)
        return;
    int err = otapult_revoke_key(life->ota, o->revoked);
    if (err != 0)
        say("the key was not revoked: %s", otapult_error_row(err)->detail);
    else
        say("key %02x%02x%02x%02x is revoked", o->revoked[0], o->revoked[1], o->revoked[2], o->revoked[3]);
}

static bool start(struct life *life, const struct rover_hardware *hardware, struct ports *ports)
{
    static struct otapult_health_check checks[ROVER_CHECKS];
    struct otapult_config config = {.port = &life->board.port, OTAPULT_CONFIG_DEFAULT};

    config.stall_ms = life->options->stall_s * 1000;
    config.confirm_ms = life->options->confirm_s * 1000;
    if (life->options->restart_ms >= 0)
        config.restart_ms = (uint32_t)life->options->restart_ms;
    rover_configure(&life->rover, &config, checks, hardware);
    secure_configure(&life->options->secure, &config, &life->users);
    if (otapult_start(&life->memory, &config, &life->ota) != 0) {
        fprintf(stderr, "rover: the crypto library does not start\n");
        return false;
    }
    rover_start(&life->rover, life->ota);
    introduce(life);
    make_password(life);
    revoke_key(life);
    return serve(life, ports);
}

/* What the firmware does wrong, if it is of that kind: true ends the life for *why. */
static bool misbehaves(struct life *life, enum otapult_reset *why)
{
    uint32_t age = life->board.port.now_ms(life->board.port.ctx);

    if (life->temper == SAMPLE_CRASH_LATER && age >= life->after_ms) {
        say("the firmware crashes");
        *why = OTAPULT_RESET_CRASH;
        return true;
    }
    if (life->temper == SAMPLE_HANG) {
        say("the firmware hangs; the watchdog bites");
        stop_serving(life);
        sleep_us(life->options->fast ? 200000 : 5000000);
        *why = OTAPULT_RESET_WATCHDOG;
        return true;
    }
    return false;
}

/* Until the next reset; says why it came. */
static enum otapult_reset run(struct life *life)
{
    enum otapult_reset why = OTAPULT_RESET_POWER;

    while (!power_off && !power_cycle) {
        if (misbehaves(life, &why))
            return why;
        otapult_poll(life->ota);
        rover_poll(&life->rover);
        if (life->board.restart)
            return OTAPULT_RESET_SOFTWARE;
        sleep_us(life->options->fast ? 10000 : 50000);
    }
    return why;
}

/* false: the device is dead, or cannot be simulated. */
static bool live(const struct options *options, struct nor_flash *nor, struct ports *ports,
                 enum otapult_reset *reset)
{
    static struct life life;
    const struct rover_hardware hardware = {&life, set_motors, check_network, check_page, check_drive};

    memset(&life, 0, sizeof life);
    life.options = options;
    if (power_cycle) {
        say("power is back");
        *reset = OTAPULT_RESET_POWER;
    }
    power_cycle = 0;
    if (!host_port_boot(&life.board, nor, *reset)) {
        if (power_cycle)
            return true;
        fprintf(stderr, "rover: nothing boots: %s\n", life.board.boot.why);
        return false;
    }
    read_temper(&life);
    bool alive = true;
    if (life.temper == SAMPLE_CRASH_AT_BOOT) {
        say("the firmware crashes at boot");
        *reset = OTAPULT_RESET_CRASH;
    } else {
        alive = start(&life, &hardware, ports);
        if (alive)
            *reset = run(&life);
    }
    stop_serving(&life);
    host_port_end(&life.board);
    return alive;
}

/* ---- command line ---- */

static const char usage[] =
    "usage: rover [options]\n"
    "A virtual rover: the robot's firmware on an emulated 16 MB flash kept in a file.\n\n"
    "  --flash FILE     the flash file; made with a factory firmware 1.0.0 when absent (flash.bin)\n"
    "  --port N         TCP port, 0 picks a free one (8080)\n"
    "  --bind ADDR      address to listen on (127.0.0.1); 0.0.0.0 opens it to the network\n"
    "  --reset          start over with a new flash file\n"
    "  --fast           no simulated delays of flash and boot\n"
    "  --stall SECONDS  an upload that sends nothing for so long ends (15)\n"
    "  --confirm SECONDS  a new firmware must pass its health checks within (60)\n"
    "  --restart MS     a restart begins MS after its answer, and takes as long (500; it takes 1500, or\n"
    "                   200 with --fast)\n"
    "  --table FILE     partition table of a new flash file, instead of the 16 MB one with two OTA slots\n"
    "  --factory FILE   factory firmware of a new flash file\n"
    "  --secure         signatures, HTTPS and login; prints the first password once\n"
    "  --key-digest HEX of a key that signs firmware, as `otapult key-digest` prints it; up to three, with\n"
    "                   commas between, or again (--trust is the same)\n"
    "  --revoke HEX     a key with this digest never counts again; stays in the flash file\n"
    "  --cert FILE --key FILE  certificate and key in PEM, instead of the device's own\n"
    "  --http-port N    beside HTTPS: plain HTTP that redirects pages and refuses all else\n"
    "  --new-password   makes and prints a new password, revokes API tokens\n"
    "  --host NAME      another name the rover is opened by, beside its addresses and rover.local\n"
    "  --wear FILE      when it ends, writes how often it has erased each sector\n"
    "  --help           this text\n\n"
    "Ctrl-C switches it off; SIGUSR1 pulls its plug and puts it back.\n";

static void bad_usage(const char *name, const char *value)
{
    fprintf(stderr, "rover: --%s %s: not a number in range\n", name, value);
    exit(2);
}

static unsigned number(const char *name, const char *value, unsigned max)
{
    char *end;
    unsigned long n = strtoul(value, &end, 10);

    if (value[0] < '0' || value[0] > '9' || *end != '\0' || n > max)
        bad_usage(name, value);
    return (unsigned)n;
}

static void require(bool good, const char *name)
{
    if (good)
        return;
    fprintf(stderr, "rover: --%s %s: not of its form, or one too many; see rover --help\n", name, optarg);
    exit(2);
}

static void parse(int argc, char **argv, struct options *o)
{
    static const struct option longs[] = {
        {"flash", 1, NULL, 'f'},      {"port", 1, NULL, 'p'},      {"bind", 1, NULL, 'b'},
        {"reset", 0, NULL, 'r'},      {"fast", 0, NULL, 'q'},      {"stall", 1, NULL, 's'},
        {"confirm", 1, NULL, 'c'},    {"table", 1, NULL, 't'},     {"factory", 1, NULL, 'F'},
        {"restart", 1, NULL, 'R'},    {"secure", 0, NULL, 'S'},    {"trust", 1, NULL, 'T'},
        {"key-digest", 1, NULL, 'T'}, {"revoke", 1, NULL, 'V'},    {"cert", 1, NULL, 'C'},
        {"key", 1, NULL, 'K'},        {"http-port", 1, NULL, 'H'}, {"new-password", 0, NULL, 'N'},
        {"host", 1, NULL, 'n'},       {"wear", 1, NULL, 'w'},      {"help", 0, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    int c;

    *o = (struct options){.flash = "flash.bin",
                          .bind = "127.0.0.1",
                          .port = 8080,
                          .stall_s = 15,
                          .confirm_s = 60,
                          .restart_ms = -1,
                          .http_port = -1};
    secure_options_init(&o->secure);
    while ((c = getopt_long(argc, argv, "h", longs, NULL)) != -1) {
        switch (c) {
        case 'f': o->flash = optarg; break;
        case 'p': o->port = number("port", optarg, 65535); break;
        case 'b': o->bind = optarg; break;
        case 'r': o->reset = true; break;
        case 'q': o->fast = true; break;
        case 's': o->stall_s = number("stall", optarg, 3600); break;
        case 'c': o->confirm_s = number("confirm", optarg, 3600); break;
        case 'R': o->restart_ms = (int)number("restart", optarg, 60000); break;
        case 't': o->table = optarg; break;
        case 'F': o->factory = optarg; break;
        case 'S': o->secure.on = true; break;
        case 'T': require(secure_add_key(&o->secure, optarg), "key-digest"); break;
        case 'V': require(secure_revoke_key(&o->secure, optarg), "revoke"); break;
        case 'C': o->secure.certificate = optarg; break;
        case 'K': o->secure.key = optarg; break;
        case 'H': o->http_port = (int)number("http-port", optarg, 65535); break;
        case 'N': o->secure.new_password = true; break;
        case 'n': require(secure_add_host(&o->secure, optarg), "host"); break;
        case 'w': o->wear = optarg; break;
        case 'h': fputs(usage, stdout); exit(0);
        default: fputs("rover: see rover --help\n", stderr); exit(2);
        }
    }
    if (optind < argc) {
        fprintf(stderr, "rover: unexpected argument %s; see rover --help\n", argv[optind]);
        exit(2);
    }
}

static void catch_signals(void)
{
    struct sigaction action = {.sa_handler = on_signal};

    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGUSR1, &action, NULL);
    signal(SIGPIPE, SIG_IGN);
}

static unsigned off_ms(const struct options *options)
{
    if (options->restart_ms >= 0)
        return (unsigned)options->restart_ms;
    return options->fast ? 200 : 1500;
}

int main(int argc, char **argv)
{
    struct options options;
    struct nor_flash nor;
    enum otapult_reset reset = OTAPULT_RESET_POWER;

    parse(argc, argv, &options);
    catch_signals();
    open_flash(&nor, &options);
    struct ports ports = {(uint16_t)options.port, (uint16_t)(options.http_port < 0 ? 0 : options.http_port)};
    bool alive = true;
    while (alive && !power_off) {
        alive = live(&options, &nor, &ports, &reset);
        if (alive && !power_off) {
            say("restarting");
            sleep_us(off_ms(&options) * 1000u);
        }
    }
    if (options.wear != NULL)
        alive &= write_wear(&nor, options.wear);
    nor_close(&nor);
    return alive ? 0 : 1;
}
