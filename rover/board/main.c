/* SPDX-License-Identifier: Apache-2.0 */
#include <esp_log.h>
#include <stdio.h>

#include "board.h"
#include "otapult/esp_idf.h"
#include "rover.h"
#include "settings.h"

static const char tag[] = "rover";

static struct rover rover;

/* ---- the hardware ---- */

static void set_motors(void *ctx, int left, int right)
{
    (void)ctx;
    motors_set(left, right);
}

static enum otapult_health check_network(void *ctx, char *why, size_t cap)
{
    enum network_state state = network_state();

    (void)ctx;
    if (state == NETWORK_JOINED || (state == NETWORK_OWN && !network_has_station()))
        return OTAPULT_HEALTH_PASS;
    if (state == NETWORK_JOINING)
        return OTAPULT_HEALTH_WAIT;
    snprintf(why, cap, "%s", state == NETWORK_OWN ? "no answer from the access point" : "no radio");
    return OTAPULT_HEALTH_FAIL;
}

static enum otapult_health check_page(void *ctx, char *why, size_t cap)
{
    return otapult_esp_page_answers(ctx, why, cap);
}

static enum otapult_health check_drive(void *ctx, char *why, size_t cap)
{
    (void)ctx;
    if (motors_are_there())
        return motors_answer() ? OTAPULT_HEALTH_PASS : OTAPULT_HEALTH_WAIT;
    snprintf(why, cap, "the motors' pins are not to be had");
    return OTAPULT_HEALTH_FAIL;
}

static const struct rover_hardware hardware = {NULL, set_motors, check_network, check_page, check_drive};

/* ---- the secure profile ---- */

#ifdef CONFIG_OTAPULT_SECURE
static void secure(struct otapult_esp_config *config)
{
    config->redirect_port = ROVER_REDIRECT_PORT;
    config->device.show_password = owner_show_password;
}
#else
static void secure(struct otapult_esp_config *config)
{
    (void)config;
}
#endif

/* ---- the order in which it comes up ---- */

static void start_otapult(struct otapult_esp_config *config, struct otapult_site *site)
{
    static struct otapult_health_check checks[ROVER_CHECKS];
    static const char *const hosts[] = {CONFIG_ROVER_HOST_NAME ".local", NULL};

    config->device.name = CONFIG_ROVER_HOST_NAME;
    config->device.hosts = hosts;
    config->device.port = otapult_esp_port(); /* the rover takes clock and lock from it */
    rover_configure(&rover, &config->device, checks, &hardware);
    config->device.port = NULL;
    rover_site(site, &rover);
    config->sites = site;
    config->site_count = 1;
    secure(config);
    releases_configure(&config->device);
    ESP_ERROR_CHECK(otapult_esp_start(config));
    rover_start(&rover, otapult_esp_device());
}

void rover_board_start(void)
{
    static struct otapult_site site;
    struct otapult_esp_config config = OTAPULT_ESP_CONFIG_DEFAULT;

    start_otapult(&config,
                  &site); /* before what a bad firmware may hang or crash in: its deadline runs from here */
    if (otapult_safe_mode(otapult_esp_device()))
        ESP_LOGE(tag, "safe mode: the firmware kept crashing; network and page, and nothing that moves");
    else if (!motors_start())
        ESP_LOGE(tag, "the motors' pins or the LEDC peripheral are not to be had");
    network_start();
    config.port = ROVER_PORT;
    ESP_ERROR_CHECK(otapult_serve(&config, NULL, NULL));
    network_announce(ROVER_PORT);
    releases_start();
    if (config.secure != NULL)
        owner_look_for_button(); /* while nothing drives yet */
}

void rover_board_poll(void)
{
    network_poll();
    rover_poll(&rover);
}
