/* SPDX-License-Identifier: Apache-2.0 */
#include "verbs.h"

/* The order is that of the overview, and within each group that of docs/cli.md. */

const struct verb *const verbs[] = {
    &verb_push,    &verb_activate, &verb_discover,   &verb_status, &verb_watch,      &verb_log,
    &verb_confirm, &verb_rollback, &verb_reboot,     &verb_cancel, &verb_offer,      &verb_login,
    &verb_info,    &verb_check,    &verb_extract,    &verb_patch,  &verb_release,    &verb_sign,
    &verb_verify,  &verb_keygen,   &verb_key_digest, &verb_help,   &verb_completion, NULL,
};
