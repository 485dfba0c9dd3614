/* SPDX-License-Identifier: Apache-2.0 */
#include "life.h"

#include <string.h>

#include "boot_image.h"
#include "console.h"
#include "power.h"

#define FAST_SOAK_MS 300 /* as --fast makes flash quick */

static void introduce(const struct life *life)
{
    struct otapult_slot slot;
    struct otapult_image_info info;
    char build[OTAPULT_BUILD_ID_CHARS + 1] = "?";
    const struct boot_result *boot = &life->board.boot;

    if (otapult_slot(life->ota, boot->slot, &slot, &info) != 0 || info.size == 0) {
        console_say("booted, but what runs cannot be read");
        return;
    }
    otapult_build_id(&info.desc, build);
    console_say("booted %s: %s %s, build %s (%s%s)", slot.label, info.desc.project, info.desc.version, build,
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

static void make_password(struct life *life)
{
    static bool done;
    int err = life->options->secure.new_password && !done ? otapult_new_password(life->ota) : 0;

    if (err != 0)
        console_complain("no new password: %s", otapult_error_row(err)->hint);
    done = true;
}

static void revoke_key(struct life *life)
{
    const struct secure_options *o = &life->options->secure;

    if (!o->revokes)
        return;
    int err = otapult_revoke_key(life->ota, o->revoked);
    if (err != 0)
        console_complain("the key was not revoked: %s. %s", otapult_error_row(err)->detail,
                         otapult_error_row(err)->hint);
    else
        console_say("key %02x%02x%02x%02x is revoked", o->revoked[0], o->revoked[1], o->revoked[2],
                    o->revoked[3]);
}

static const struct otapult_decoder *const decoders[] = {&otapult_gzip, &otapult_patch, NULL};

static void set_pace(const struct options *o, struct otapult_config *config)
{
    if (o->min_rate >= 0)
        config->min_rate = (uint32_t)o->min_rate;
    if (o->upload_s >= 0)
        config->upload_ms = (uint32_t)o->upload_s * 1000;
}

/* How firmware may come. */
static void set_forms(struct life *life, struct otapult_config *config)
{
    config->resumable = &otapult_resumable;
    config->decoders = decoders;
    config->decoder_memory = life->decoder_memory;
    config->decoder_memory_size = sizeof life->decoder_memory;
}

/* The checks ask it as long as the life lasts. */
static bool start(struct life *life, struct ports *ports)
{
    static struct rover_hardware hardware;
    static struct otapult_health_check checks[ROVER_CHECKS];
    struct otapult_config config = {.port = &life->board.port,
                                    .name = life->options->name,
                                    .block_rev = BOOT_CHIP_BLOCK_REVISION,
                                    .russian = &otapult_russian,
                                    OTAPULT_CONFIG_DEFAULT};

    config.stall_ms = life->options->stall_s * 1000;
    config.confirm_ms = life->options->confirm_s * 1000;
    if (life->options->soak_ms >= 0)
        config.soak_ms = (uint32_t)life->options->soak_ms;
    else if (life->options->fast)
        config.soak_ms = FAST_SOAK_MS;
    set_pace(life->options, &config);
    config.same_project = life->options->same_project;
    if (life->options->restart_ms >= 0)
        config.restart_ms = (uint32_t)life->options->restart_ms;
    set_forms(life, &config);
    hardware = hardware_of(life);
    rover_configure(&life->rover, &config, checks, &hardware);
    secure_configure(&life->options->secure, life->options->flash, &config, &life->users);
    if (!source_configure(&life->options->source, life->options->name, &config))
        return false;
    int err = otapult_start(&life->memory, &config, &life->ota);
    if (err != 0) {
        console_complain(err == OTAPULT_E_CONFIG ? "the options do not go together; the line above says why"
                                                 : "the crypto library does not start");
        return false;
    }
    rover_start(&life->rover, life->ota);
    introduce(life);
    make_password(life);
    revoke_key(life);
    return network_serve(life, ports) &&
           (life->temper == SAMPLE_NO_NETWORK || source_start(life->ota, life->options->fast));
}

/* What the firmware does wrong, if it is of that kind: true ends the life for *why. */
static bool misbehaves(struct life *life, enum otapult_reset *why)
{
    uint32_t age = life->board.port.now_ms(life->board.port.ctx);

    if (otapult_safe_mode(life->ota))
        return false; /* what crashes is the application, which safe mode leaves out */
    if (life->temper == SAMPLE_CRASH_LATER && age >= life->after_ms) {
        console_say("the firmware crashes");
        *why = OTAPULT_RESET_CRASH;
        return true;
    }
    if (life->temper == SAMPLE_HANG) {
        console_say("the firmware hangs; the watchdog bites");
        source_stop();
        network_stop(life);
        power_sleep_us(life->options->fast ? 200000 : 5000000);
        *why = OTAPULT_RESET_WATCHDOG;
        return true;
    }
    return false;
}

/* Until the next reset; says why it came. */
static enum otapult_reset run(struct life *life)
{
    enum otapult_reset why = OTAPULT_RESET_POWER;

    while (!power_is_off() && !power_is_cut()) {
        if (misbehaves(life, &why))
            return why;
        otapult_poll(life->ota);
        rover_poll(&life->rover);
        if (life->board.restart)
            return OTAPULT_RESET_SOFTWARE;
        power_sleep_us(life->options->fast ? 10000 : 50000);
    }
    return why;
}

/* From the bootloader's end to the next reset; says why it came. false: standard error says why not. */
static bool run_firmware(struct life *life, struct ports *ports, enum otapult_reset *reset)
{
    read_temper(life);
    if (life->temper == SAMPLE_CRASH_AT_BOOT) {
        console_say("the firmware crashes at boot");
        *reset = OTAPULT_RESET_CRASH;
        return true;
    }
    bool alive = start(life, ports);
    if (alive)
        *reset = run(life);
    source_stop();
    network_stop(life);
    return alive;
}

bool life_live(const struct options *options, struct nor_flash *nor, struct ports *ports,
               enum otapult_reset *reset)
{
    static struct life life;
    static struct otapult_retained retained; /* as RTC memory: over every reset but a loss of power */

    memset(&life, 0, sizeof life);
    life.options = options;
    if (power_return()) {
        console_say("power is back");
        *reset = OTAPULT_RESET_POWER;
    }
    if (*reset == OTAPULT_RESET_POWER)
        memset(&retained, 0xA5, sizeof retained);
    if (!host_port_boot(&life.board, nor, *reset)) {
        if (power_is_cut())
            return true;
        console_complain("nothing boots: %s", life.board.boot.why);
        return false;
    }
    life.board.port.retained = &retained;
    bool alive = run_firmware(&life, ports, reset);
    host_port_end(&life.board);
    return alive;
}
