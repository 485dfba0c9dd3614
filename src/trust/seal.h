/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OTAPULT_TRUST_SEAL_H
#define OTAPULT_TRUST_SEAL_H

#include "otapult/port.h"

/* What security hangs on in the store, and one record that says what must be there: learned and revoked keys, the
 * least security version, the password, the API tokens. A store may lose a value without a word (NVS drops an item
 * whose CRC is wrong), and absent would mean "not revoked" or "make a password". With the seal, absent differs
 * from lost: what does not fit it is broken, nothing of it counts, and only the owner at the device makes a new one.
 *
 *   ota.seal1   SHA-256 over the values as they are, then over them as they are to become
 *
 * A change writes the seal for both states, then the value, then the seal for the new one, so that a cut anywhere
 * leaves a state that fits. The uses noted with a token are not covered: they change with every boot.
 *
 * Where the port has a vault (port.h) all of this is kept there, and the store gets a mark that it is:
 *
 *   ota.sealed  in the store, where the seal is in the vault: a vault that lost it is not a new one
 *
 * The seal stops damage and loss. An attacker who can write the flash chip can write the seal, too. */

struct otapult_seal {
    const struct otapult_port *port;
    const char *broken;     /* static words why nothing counts; NULL: all is well */
    uint8_t     digest[32]; /* of the values as they are */
    bool        busy;       /* under the port's lock: a change is under way */
};

/* Compares the values with their seal. A store in which nothing of either was ever written is a new one. */
void otapult_seal_open(struct otapult_seal *s, const struct otapult_port *port);

/* As kv_get, for the keys above. STORE also where the seal is broken. */
OTAPULT_MUST_CHECK int otapult_seal_get(const struct otapult_seal *s, const char *key, void *dst, size_t cap,
                                        size_t *len);

/* As kv_set. Waits for another task's change, for a second at most. STORE: the store failed, the seal is broken,
 * or the values have changed since they were looked at, which breaks it; the key holds the old value or the new. */
OTAPULT_MUST_CHECK int otapult_seal_set(struct otapult_seal *s, const char *key, const void *src, size_t len);

/* For the owner at the device: whatever is there now is sealed; what cannot be read is removed. STORE. */
OTAPULT_MUST_CHECK int otapult_seal_renew(struct otapult_seal *s);

#endif
