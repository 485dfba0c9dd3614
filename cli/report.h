/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_REPORT_H
#define CLI_REPORT_H

#include "input.h"
#include "survey.h"

/* What `info` knows of a file: `err` and `why` are the judge's, for the chip and slots of `options`. */
struct report {
    const struct input           *in;
    const struct options         *options;
    const struct survey          *survey;
    int                           err;
    const struct otapult_finding *why;
};
int report_text(const struct report *r);
int report_json(const struct report *r);

#endif
