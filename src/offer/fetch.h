/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OTAPULT_OFFER_FETCH_H
#define OTAPULT_OFFER_FETCH_H

#include "offer/puller.h"

/* The download of the offer: the way of an upload, with the device itself as the client.
 *
 * The device is held from begin on, so nothing is begun while the source does not answer, and a first request that
 * brings nothing gives the device back at once. What breaks off later is resumed with Range and If-Range, sooner and
 * then later, until nothing has come for OTAPULT_FETCH_PATIENCE. With config.resumable a file goes on behind a restart, and
 * behind such an end, too (otapult_begin_download() of door.h says which). A server may begin anew instead: then the
 * bytes that the device has are compared, where their SHA-256 is known, and not written again. */

#define OTAPULT_FETCH_PATIENCE 300000u /* ms without OTAPULT_FETCH_STEP more bytes */
#define OTAPULT_FETCH_STEP     16384u
#define OTAPULT_FETCH_PARTS    4u /* where a source wants reports, the download is told in so many */
#define OTAPULT_FETCH_TRIES    3u /* of a file that is not the announced one, or that flash does not keep, where a source waits */

/* Begins it. The device may say no: then it waits, and `wait` says for what. */
void otapult_fetch_begin(struct otapult_puller *p);

/* Does what is offered lie in its slot already, written and verified? Then it is not fetched but started, or its source is
 * told where it wanted no more. */
bool otapult_fetch_is_staged(const struct otapult_puller *p);
void otapult_fetch_start_staged(struct otapult_puller *p);

/* The next attempt, where it is due. Blocks until the connection ends. */
void otapult_fetch_poll(struct otapult_puller *p);

bool otapult_fetch_runs(const struct otapult_puller *p);

#endif
