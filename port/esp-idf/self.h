/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OTAPULT_ESP_SELF_H
#define OTAPULT_ESP_SELF_H

#include <stdbool.h>
#include <stdint.h>

/* The device as a client of its own servers. */

/* Does a plain server on this device answer a request for Otapult's page with that status? Blocks for 0.3 s
 * at most for each step of it. */
bool otapult_esp_self_answers(uint16_t port, int status);

/* Does a server on this device go through its part of a TLS handshake: certificate, signed key exchange? The
 * handshake is then given up, which that server notes in its log. Blocks for 1.5 s at most for each step. */
bool otapult_esp_self_speaks_tls(uint16_t port);

#endif
