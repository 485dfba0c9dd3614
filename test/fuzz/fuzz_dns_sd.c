/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "dns_sd.h"
#include "fuzz.h"

/* Messages from a network: whatever they hold, reading ends, stays inside the message, and what comes out is
 * terminated and within its bounds. The same message is read as an answer and answered as a question. */

static struct dns_robots robots;

static bool is_text(const char *text, size_t cap)
{
    return memchr(text, '\0', cap) != NULL;
}

static void check_robots(void)
{
    FUZZ_EXPECT(robots.count <= DNS_ROBOTS_MAX);
    for (unsigned i = 0; i < robots.count; i++) {
        const struct dns_robot *r = &robots.robot[i];
        FUZZ_EXPECT(is_text(r->instance, sizeof r->instance) && r->instance[0] != '\0');
        FUZZ_EXPECT(is_text(r->host, sizeof r->host) && is_text(r->address, sizeof r->address));
        FUZZ_EXPECT(is_text(r->name, sizeof r->name) && is_text(r->version, sizeof r->version));
        FUZZ_EXPECT(is_text(r->build, sizeof r->build) && is_text(r->chip, sizeof r->chip));
        for (unsigned k = 0; k < i; k++)
            FUZZ_EXPECT(!dns_same_name(r->instance, robots.robot[k].instance));
    }
}

/* Every step takes bytes of the message, so there are no more steps than bytes. */
static void check_reader(const uint8_t *message, size_t size)
{
    struct dns_reader r;
    struct dns_record record;
    size_t steps = 0;

    if (!dns_read_begin(&r, message, size)) {
        FUZZ_EXPECT(size < 12);
        return;
    }
    while (dns_read_record(&r, &record)) {
        FUZZ_EXPECT(is_text(record.name, sizeof record.name));
        FUZZ_EXPECT(record.at <= size && record.len <= size - record.at);
        FUZZ_EXPECT(++steps <= size);
    }
    FUZZ_EXPECT(!dns_read_record(&r, &record));
}

static void check_answer(const uint8_t *message, size_t size)
{
    static const char *const texts[] = {"otapult=1", "name=x", NULL};
    const struct dns_own own = {"Rover 1", "rover-1.local", 8080, {127, 0, 0, 1}, texts};
    uint8_t answer[DNS_SD_MESSAGE];
    size_t len = dns_write_answer(answer, &own, message, size, true);

    FUZZ_EXPECT(len <= sizeof answer);
    if (len == 0)
        return;
    FUZZ_EXPECT(answer[0] == message[0] && answer[1] == message[1]);
    robots.count = 0;
    dns_robots_take(&robots, answer, len, "");
    FUZZ_EXPECT(robots.count == 1 && robots.robot[0].otapult && robots.robot[0].port == 8080);
    FUZZ_EXPECT(strcmp(robots.robot[0].address, "127.0.0.1") == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *message = malloc(size > 0 ? size : 1); /* its end is the end of what may be read */
    char address[48];

    if (message == NULL)
        return 0;
    if (size > 0)
        memcpy(message, data, size);
    check_reader(message, size);
    robots.count = 0;
    dns_robots_take(&robots, message, size, "192.0.2.1");
    dns_robots_take(&robots, message, size, "192.0.2.2");
    check_robots();
    if (dns_address_of(message, size, "rover-1.local", address))
        FUZZ_EXPECT(is_text(address, sizeof address));
    check_answer(message, size);
    free(message);
    return 0;
}
