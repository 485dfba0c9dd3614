/* SPDX-License-Identifier: Apache-2.0 */
#include "console.h"
#include "flash.h"
#include "life.h"
#include "power.h"

/* The virtual rover: the robot application on an emulated board. Power comes when the program starts and
 * goes when it ends; between, each restart is a life of its own that begins with the bootloader. */

static unsigned off_ms(const struct options *options)
{
    if (options->restart_ms >= 0)
        return (unsigned)options->restart_ms;
    return options->fast ? 200 : 1500;
}

/* false: it died before the power went. */
static bool live_on(const struct options *options, struct nor_flash *nor)
{
    struct ports ports = {(uint16_t)options->port,
                          (uint16_t)(options->http_port < 0 ? 0 : options->http_port)};
    enum otapult_reset reset = OTAPULT_RESET_POWER;

    while (!power_is_off()) {
        if (!life_live(options, nor, &ports, &reset))
            return false;
        if (power_is_off())
            break;
        console_say("restarting");
        power_sleep_us(off_ms(options) * 1000u);
    }
    return true;
}

int main(int argc, char **argv)
{
    struct options options;
    struct nor_flash nor;

    options_parse(&options, argc, argv);
    power_catch_signals();
    flash_open(&nor, &options);
    bool good = live_on(&options, &nor);
    if (options.wear != NULL)
        good &= flash_write_wear(&nor, options.wear);
    nor_close(&nor);
    return good ? 0 : 1;
}
