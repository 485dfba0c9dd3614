/* SPDX-License-Identifier: Apache-2.0 */
#include "source.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "console.h"
#include "curl_fetch.h"
#include "token.h"
#include "wall_clock.h"

static struct otapult_pull pull;
static union otapult_pull_memory memory;
static struct otapult_folder folder;
static struct otapult_hawkbit hawkbit;
static char token[TOKEN_SIZE];
static struct curl_fetch fetch;

bool source_read_window(const char *text, struct otapult_window *out)
{
    unsigned from_h, from_m, to_h, to_m;
    char rest;

    if (sscanf(text, "%2u:%2u-%2u:%2u%c", &from_h, &from_m, &to_h, &to_m, &rest) != 4 || from_h > 23 ||
        to_h > 23 || from_m > 59 || to_m > 59)
        return false;
    out->from = (uint16_t)(from_h * 60 + from_m);
    out->to = (uint16_t)(to_h * 60 + to_m);
    return out->from != out->to;
}

/* Which source it is, and what it needs. */
static bool choose(const struct source_options *o)
{
    if (o->hawkbit == NULL) {
        folder = (struct otapult_folder){
            .url = o->folder, .channel = o->channel, .unsigned_is_enough = o->no_signature};
        pull.source = &otapult_folder;
        pull.source_config = &folder;
        return true;
    }
    hawkbit = (struct otapult_hawkbit){
        .url = o->hawkbit, .tenant = o->tenant, .token = token, .gateway = o->gateway};
    pull.source = &otapult_hawkbit;
    pull.source_config = &hawkbit;
    return token_read(o->token, SOURCE_TOKEN, token);
}

bool source_configure(const struct source_options *o, const char *name, struct otapult_config *config)
{
    const struct curl_fetch_options options = {.ca = o->ca, .pin = o->pin};

    if (o->folder == NULL && o->hawkbit == NULL)
        return true;
    if (!curl_fetch_init(&fetch, &options)) {
        console_complain("libcurl does not start");
        return false;
    }
    pull = (struct otapult_pull){.code = &otapult_pulling,
                                 .fetch = &fetch.fetch,
                                 .clock = &wall_clock,
                                 .memory = &memory,
                                 .id = o->id != NULL ? o->id : name,
                                 .policy = o->policy,
                                 .downgrade = o->downgrade,
                                 .plain_http = o->plain,
                                 .window = o->window,
                                 .redirect_hosts = o->hosts,
                                 OTAPULT_PULL_DEFAULT};
    if (o->ask_s != 0) { /* a user who wants it quick wants it quick after a failure, too */
        pull.ask_s = o->ask_s;
        pull.retry_s = o->ask_s < pull.retry_s ? o->ask_s : pull.retry_s;
        pull.first_s = o->ask_s < pull.first_s ? o->ask_s : pull.first_s;
    }
    if (!choose(o))
        return false;
    config->pull = &pull;
    if (config->secure == NULL) {
        config->keys = o->keys;
        config->key_count = o->key_count;
    }
    return true;
}

/* ---- the thread ---- */

static struct {
    pthread_t thread;
    struct otapult *ota;
    bool runs, fast;
} puller;

static void *work(void *unused)
{
    const struct timespec pause = {.tv_nsec = puller.fast ? 20000000 : 200000000};

    (void)unused;
    while (!atomic_load(&fetch.stop)) {
        otapult_pull_poll(puller.ota);
        nanosleep(&pause, NULL);
    }
    return NULL;
}

bool source_start(struct otapult *ota, bool fast)
{
    if (fetch.curl == NULL)
        return true;
    puller.ota = ota;
    puller.fast = fast;
    puller.runs = pthread_create(&puller.thread, NULL, work, NULL) == 0;
    if (!puller.runs)
        console_complain("no thread for the source");
    return puller.runs;
}

void source_stop(void)
{
    if (fetch.curl == NULL)
        return;
    curl_fetch_stop(&fetch);
    if (puller.runs)
        pthread_join(puller.thread, NULL);
    puller.runs = false;
    curl_fetch_free(&fetch);
}
