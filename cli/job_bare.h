/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_JOB_BARE_H
#define CLI_JOB_BARE_H

#include "job.h"

/* A device of another kind: it takes a file, and cannot say what it runs. */

/* Which kind is it? From j->kind on; where it is of none, j->fault says so. */
void job_probe(struct job *j);

/* It is of the kind j->kind. */
void job_bare_begin(struct job *j);

#endif
