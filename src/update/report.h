/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OTAPULT_UPDATE_REPORT_H
#define OTAPULT_UPDATE_REPORT_H

#include "otapult/otapult.h"

/* The device's lines on the console: one for whatever decides about the firmware, so that the log of a robot
 * tells the same story as its journal, and what the journal does not keep. Each goes to port->log at once and
 * is at most OTAPULT_REPORT_LINE bytes long; what does not fit is cut. */

#define OTAPULT_REPORT_LINE 192u

/* An update begins. `size` of the file, or OTAPULT_SIZE_UNKNOWN; `by`: for whom, NULL or "": the device itself. */
void otapult_report_begin(const struct otapult_port *port, uint32_t size, const char *by);

/* `what`, "update" …, is refused, or ends with `err`. An error where the device is at fault, else a warning.
 * size 0: there is none to speak of. */
void otapult_report_refusal(const struct otapult_port *port, const char *what, int err,
                            const struct otapult_finding *why, uint32_t size, const char *by);

/* An entry of the journal, whether or not the journal could be written. Refusals have had their line. */
void otapult_report_event(const struct otapult_port *port, const struct otapult_log_entry *e);

/* The device restarts now, and why. */
void otapult_report_restart(const struct otapult_port *port, const char *why);

#endif
