/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_CERTIFICATE_H
#define CLI_CERTIFICATE_H

#include <stdbool.h>

#include "known_devices.h"

/* What a certificate in PEM is known by: the pin of its public key, and the fingerprint on the device's
 * console. What it says of itself proves nothing. */
bool certificate_read(const char *pem, struct known_device *out); /* NULL: false */

#endif
