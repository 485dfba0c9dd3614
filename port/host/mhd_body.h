/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OTAPULT_HOST_MHD_BODY_H
#define OTAPULT_HOST_MHD_BODY_H

#include "otapult/http.h"

/* The body of an upload, between libmicrohttpd and the core. Flash is slower than a network: fed from the
 * thread that reads the connection, the core would learn of a client that has gone only after everything that
 * the kernels on both ends still held for it, megabytes, had been written. So that thread reads ahead, and a
 * thread of the body's own feeds the core by sectors. While nothing comes that thread asks the core whether
 * waiting is of any use. */

struct mhd_body;

/* Says an answer that the core has given while the client was silent. Called by the body's thread. */
typedef void mhd_body_speak(void *ctx);

/* NULL: no memory, or no thread. Nobody else may use *core until mhd_body_finish() or mhd_body_abandon() has returned. */
struct mhd_body *mhd_body_start(struct otapult_exchange *core, mhd_body_speak *speak, void *ctx);

/* The next bytes. Waits where too many are kept already. false: no memory; give the connection up. */
bool mhd_body_put(struct mhd_body *b, const char *data, size_t len);

/* The core has its answer, so the rest of the body is of no use. */
bool mhd_body_is_answered(struct mhd_body *b);

/* The body is complete: returns when the core has all of it. */
void mhd_body_finish(struct mhd_body *b);

/* The connection has ended: returns when the core has no more than the sector that it had begun. */
void mhd_body_abandon(struct mhd_body *b);

#endif
