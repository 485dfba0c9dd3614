/* SPDX-License-Identifier: Apache-2.0 */
#include <esp_log.h>
#include <lwip/sockets.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "board.h"
#include "otapult/esp_idf.h"
#include "rover.h"
#include "settings.h"

#define PORT 8080

static const char tag[] = "rover";

static struct rover rover;
static atomic_bool serving;

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

static int connect_to_self(void)
{
    const struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_port = htons(PORT),
        .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)},
    };
    const struct timeval patience = {.tv_usec = 300000};
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    if (connect(fd, (const struct sockaddr *)&address, sizeof address) == 0)
        return fd;
    close(fd);
    return -1;
}

/* Blocks for 0.3 s at most, and only until it has passed once. */
static enum otapult_health check_page(void *ctx, char *why, size_t cap)
{
    static const char request[] = "GET /api/ota HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    static const char good[] = "HTTP/1.1 200";
    char answer[sizeof good] = "";

    (void)ctx;
    (void)why;
    (void)cap;
    int fd = serving ? connect_to_self() : -1;
    if (fd < 0)
        return OTAPULT_HEALTH_WAIT;
    if (send(fd, request, sizeof request - 1, 0) == (int)sizeof request - 1)
        recv(fd, answer, sizeof answer - 1, 0);
    close(fd);
    return strcmp(answer, good) == 0 ? OTAPULT_HEALTH_PASS : OTAPULT_HEALTH_WAIT;
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

/* ---- the order in which it comes up ---- */

static void start_otapult(struct otapult_esp_config *config, struct otapult_site *site)
{
    static struct otapult_health_check checks[ROVER_CHECKS];
    static const char *const hosts[] = {CONFIG_ROVER_HOST_NAME ".local", NULL};

    config->device.hosts = hosts;
    config->device.port = otapult_esp_port(); /* the rover takes clock and lock from it */
    rover_configure(&rover, &config->device, checks, &hardware);
    config->device.port = NULL;
    rover_site(site, &rover);
    config->sites = site;
    config->site_count = 1;
    ESP_ERROR_CHECK(otapult_esp_start(config));
    rover_start(&rover, otapult_esp_device());
}

void rover_board_start(void)
{
    static struct otapult_site site;
    struct otapult_esp_config config = OTAPULT_ESP_CONFIG_DEFAULT;

    if (!motors_start())
        ESP_LOGE(tag, "the motors' pins or the LEDC peripheral are not to be had");
    start_otapult(&config, &site); /* before the network: the confirmation's deadline runs from here */
    network_start();
    config.port = PORT;
    ESP_ERROR_CHECK(otapult_serve(&config, NULL, NULL));
    serving = true;
    network_announce(PORT);
}

void rover_board_poll(void)
{
    network_poll();
    rover_poll(&rover);
}
