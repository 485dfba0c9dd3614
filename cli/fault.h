/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_FAULT_H
#define CLI_FAULT_H

#include <cjson/cJSON.h>
#include <stdbool.h>

#include "otapult/error.h"
#include "say.h"

/* What went wrong with one robot or file: a row of trouble.def, of errors.def, or the robot's
 * own answer. All texts are fit for a terminal (say_clean()). */
struct fault {
    int  status; /* that the command ends with; 0: there is no fault */
    char code[48], caption[80], detail[400], hint[400];
};

void fault_of_trouble(struct fault *f, enum trouble_id id, const char *detail);

/* From a row of errors.def, as the judge gives it. */
void fault_of_error(struct fault *f, int err, const struct otapult_finding *why);

/* From an error body of the API. false: `json` (NULL: not JSON) is no such body. */
bool fault_of_answer(struct fault *f, long http_status, const cJSON *json);

/* Says it, as text or, with --json, as the outcome of `subject` under `kind`; returns its status. */
int fault_say(const struct fault *f, const char *kind, const char *subject);

/* Its members success, error, code, detail and hint, into the object that is open. */
void json_fault(struct otapult_json *j, const struct fault *f);

/* A trouble, said at once; `kind` is "file" or "robot". `detail`: what was found; cleaned here. */
int trouble_say(enum trouble_id id, const char *kind, const char *subject, const char *detail);

/* An error of a file, said at once: returns STATUS_NO. */
int error_say(int err, const struct otapult_finding *why, const char *file);

#endif
