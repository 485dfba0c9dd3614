/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OTAPULT_TRUST_KEY_H
#define OTAPULT_TRUST_KEY_H

#include "otapult/otapult.h"

/* A public key by its digest: OTAPULT_KEY_DIGEST bytes, SHA-256 over the key as it stands in a signature block. */

/* A key whose private half can be downloaded; src/trust/public_keys.def lists them. */
bool otapult_key_is_public(const uint8_t digest[OTAPULT_KEY_DIGEST]);

/* The first four bytes of a digest, which name it in texts. Never 0, which means no key there. */
uint32_t otapult_key_id(const uint8_t digest[OTAPULT_KEY_DIGEST]);

#endif
