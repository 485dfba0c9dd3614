/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OTAPULT_OFFER_SETTLE_H
#define OTAPULT_OFFER_SETTLE_H

#include "offer/puller.h"

#define OTAPULT_SETTLE_TRIES 3u /* of what is written and does not run, where nobody knows why */

/* What became of firmware that the puller had written, as the boots after it show it; and the reports of that. */

/* Understands what was kept. true: nothing else may happen now: a trial runs, or the restart is due. */
bool otapult_settle_poll(struct otapult_puller *p);

/* The offer of `kept.tried` runs, and the source is told. `text`: English, "" for none. */
void otapult_settle_succeeded(struct otapult_puller *p, const char *text);

/* The offer of `kept.tried` ended badly: it is not taken again by itself, and the source is told. `text`: English. */
void otapult_settle_failed(struct otapult_puller *p, const char *text);

/* Tells the source. 0: told, or nobody wants to know. */
OTAPULT_MUST_CHECK int otapult_tell(struct otapult_puller *p, enum otapult_report_kind kind, uint32_t done, uint32_t total,
                 const char *text);

/* The same where nobody waits for whether it was told. */
void otapult_mention(struct otapult_puller *p, enum otapult_report_kind kind, const char *text);

#endif
