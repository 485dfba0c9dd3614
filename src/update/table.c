/* SPDX-License-Identifier: Apache-2.0 */
#include "update/door.h"

/* The first thing that is wrong with the table, if any. ONLY_SLOT_RUNS is no lasting fault: with a recovery
 * app and one OTA slot the slot can be written as soon as the recovery app runs. */
int otapult_table_refusal(const struct otapult_slots *slots, struct otapult_finding *why)
{
    if (slots->table_error != 0) {
        *why = slots->table_why;
        return slots->table_error;
    }
    if (slots->next == OTAPULT_SLOT_NONE && slots->factory && slots->running >= 0 && slots->ota_data)
        return OTAPULT_E_ONLY_SLOT_RUNS;
    if (slots->next == OTAPULT_SLOT_NONE) {
        *why = (struct otapult_finding){.got = 0, .want = 1};
        return OTAPULT_E_NO_OTA_PARTITION;
    }
    return slots->ota_data ? 0 : OTAPULT_E_NO_OTA_DATA;
}
