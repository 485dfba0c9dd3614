/* SPDX-License-Identifier: Apache-2.0 */
#include "life.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define HANDLERS (OTAPULT_ESP_HANDLERS + 4)

static bool is_ready(void *app, char *why, size_t cap)
{
    const struct life *l = app;

    if (!l->ready)
        strncpy(why, "driving", cap - 1);
    return l->ready;
}

static void hold(void *app, bool on)
{
    struct life *l = app;
    l->holds += on ? 1 : -1;
}

static enum otapult_health self_test(void *app, char *why, size_t cap)
{
    const struct life *l = app;

    if (l->health == OTAPULT_HEALTH_FAIL)
        strncpy(why, "told to fail", cap - 1);
    return l->health;
}

void life_init(struct life *l, enum world_layout layout, const uint8_t *image, size_t len)
{
    static const struct otapult_health_check checks[] = {{"self-test", self_test}};
    const struct otapult_esp_config config = OTAPULT_ESP_CONFIG_DEFAULT;

    *l = (struct life){.config = config, .ready = true, .health = OTAPULT_HEALTH_PASS};
    l->config.device.ready = is_ready;
    l->config.device.hold = hold;
    l->config.device.app = l;
    l->config.device.checks = checks;
    l->config.device.check_count = 1;
    world_init(&l->flash, layout, image, len);
}

void life_end(struct life *l)
{
    if (l->server != NULL)
        (void)httpd_stop(l->server);
    world_end(&l->flash);
}

bool life_boot(struct life *l, esp_reset_reason_t reset)
{
    if (l->server != NULL)
        (void)httpd_stop(l->server);
    l->server = NULL;
    l->holds = 0;
    boot_model_run(&l->flash.nor, &l->boot);
    if (l->boot.ok)
        fake_idf_power_on(&l->flash.nor, l->boot.slot, reset);
    return l->boot.ok;
}

bool life_start(struct life *l, esp_reset_reason_t reset)
{
    httpd_config_t server = HTTPD_DEFAULT_CONFIG();

    server.max_uri_handlers = HANDLERS;
    if (!life_boot(l, reset))
        return false;
    assert_int_equal(httpd_start(&l->server, &server), ESP_OK);
    assert_int_equal(otapult_mount(l->server, &l->config), ESP_OK);
    return true;
}

bool life_settle(struct life *l)
{
    for (int polls = 0; polls < 30; polls++) {
        fake_tasks_run();
        fake_httpd_work();
        fake_idf_pass(100000);
        if (fake_idf.restarted && !life_start(l, ESP_RST_SW))
            return false;
    }
    return true;
}

const char *life_version(void)
{
    static struct otapult_image_info info;
    struct otapult_slot slot;
    struct otapult_status s;

    otapult_status(otapult_esp_device(), &s);
    if (otapult_slot(otapult_esp_device(), s.slots.running, &slot, &info) != 0)
        return "";
    return info.desc.version;
}
