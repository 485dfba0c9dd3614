/* SPDX-License-Identifier: Apache-2.0 */
#include <esp_netif.h>

#include "esp_board.h"
#include "self.h"

/* Health checks for firmware that brings none of its own. They do not ask whether the robot works, but
 * whether it can still be reached: a robot that can be reached can be updated again. Both run in the task
 * that polls. */

/* Checks are asked at every poll, and a request of the device to itself takes time: so an answer counts for
 * this long. */
#define ANSWER_HOLDS_MS 1000u

const struct otapult_health_check otapult_esp_checks[OTAPULT_ESP_CHECKS] = {
    {"network", otapult_esp_network_is_up},
    {"page", otapult_esp_page_answers},
};

/* ---- the network ---- */

static bool is_up(esp_netif_t *netif)
{
    return netif != NULL && esp_netif_is_netif_up(netif);
}

/* The chip's own access point is asked for by its name, because not every version of ESP-IDF makes it the
 * default interface. */
enum otapult_health otapult_esp_network_is_up(void *app, char *why, size_t cap)
{
    (void)app;
    (void)why;
    (void)cap;
    return is_up(esp_netif_get_default_netif()) || is_up(esp_netif_get_handle_from_ifkey("WIFI_AP_DEF"))
               ? OTAPULT_HEALTH_PASS
               : OTAPULT_HEALTH_WAIT;
}

/* ---- the page ---- */

void otapult_esp_note_answer(struct esp_board *b)
{
    atomic_store(&b->answered_ms, otapult_esp_now_ms());
    atomic_store(&b->answered, true);
}

static bool answered_within(struct esp_board *b, uint32_t ms)
{
    return atomic_load(&b->answered) && otapult_esp_now_ms() - atomic_load(&b->answered_ms) < ms;
}

static void on_work(void *arg)
{
    struct esp_board *b = arg;

    atomic_store(&b->asking, false);
    otapult_esp_note_answer(b);
}

/* Has the server's task set the note, as soon as it gets to it. The task is asked again before the last note
 * is too old, so a server that works never seems silent. Under the lock, so that otapult_unmount() cannot
 * take the server away between the question whether it is there and the call. */
static void ask_task(struct esp_board *b)
{
    if (atomic_load(&b->asking) || answered_within(b, ANSWER_HOLDS_MS / 2))
        return;
    b->port.lock(b);
    if (b->server != NULL) {
        atomic_store(&b->asking, true);
        if (httpd_queue_work(b->server, on_work, b) != ESP_OK)
            atomic_store(&b->asking, false);
    }
    b->port.unlock(b);
}

/* What is proved through TLS: the server takes connections, has read key and certificate, and signs with the
 * key; the pages' routes answer on the server beside it, where there is one. What is not: a page through TLS.
 * A client of that would take as much heap again as the server; it would fail firmware that is well when
 * memory is short. */
static bool answers_itself(const struct esp_board *b, enum esp_proof proof)
{
    if (proof == ESP_PROOF_PLAIN)
        return otapult_esp_self_answers(b->own_port, 200);
    return b->secure->speaks_tls(b->own_port) &&
           (b->redirect == NULL || otapult_esp_self_answers(b->redirect_port, 307));
}

enum otapult_health otapult_esp_page_answers(void *app, char *why, size_t cap)
{
    struct esp_board *b = &otapult_esp_board;
    const enum esp_proof proof = atomic_load(&b->proof);
    bool answered = answered_within(b, ANSWER_HOLDS_MS);

    (void)app;
    (void)why;
    (void)cap;
    if (proof == ESP_PROOF_TASK) {
        ask_task(b);
    } else if (proof != ESP_PROOF_NONE && !answered && answers_itself(b, proof)) {
        otapult_esp_note_answer(b);
        answered = true;
    }
    return answered ? OTAPULT_HEALTH_PASS : OTAPULT_HEALTH_WAIT;
}
