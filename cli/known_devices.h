/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_KNOWN_DEVICES_H
#define CLI_KNOWN_DEVICES_H

#include <stdbool.h>

/* Devices seen before, in ~/.config/otapult/known_devices ($XDG_CONFIG_HOME where it is set): a line each,
 * `host:port pin fingerprint`, the pin as curl takes it. A device's own certificate is signed by nobody
 * else; that it is the same as last time is what can be known of it. */

struct known_device {
    char pin[64];         /* "sha256//…": SHA-256 of the public key */
    char fingerprint[96]; /* "AB:CD:…": SHA-256 of the certificate */
};

enum known { KNOWN_NOT, KNOWN_YES, KNOWN_UNREADABLE };

/* Looks `host:port` up. UNREADABLE: the file is there, but cannot be read or holds something else; that
 * is not the same as a device that was never seen. */
enum known known_find(const char *where, struct known_device *out);

/* Adds a device which is not there yet. false: standard error says why. */
bool known_add(const char *where, const struct known_device *device);

/* Where the file is, for messages. */
const char *known_path(void);

/* Prints the known `host:port`, one a line; nothing where there is no such file. */
void known_list(void);

#endif
