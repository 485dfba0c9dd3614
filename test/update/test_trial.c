/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "update/trial.h"

/* The fate of a trial in plain words, as a person would explain it; shares nothing with the table. */
static enum otapult_fate told_by_a_person(const struct otapult_evidence *e)
{
    bool alive = e->state == OTAPULT_STATE_NEW || e->state == OTAPULT_STATE_PENDING_VERIFY;

    if (e->runs_it) {
        if (alive)
            return OTAPULT_FATE_RUNS;
        if (e->state == OTAPULT_STATE_VALID || e->state == OTAPULT_STATE_UNDEFINED)
            return OTAPULT_FATE_CONFIRMED;
        return OTAPULT_FATE_STALE;
    }
    if (e->boot_is_it)
        return OTAPULT_FATE_NOT_LOADED; /* chosen, and yet something else runs */
    if (e->state == OTAPULT_STATE_INVALID && e->verdict == OTAPULT_TRIAL_WRITTEN &&
        e->reset == OTAPULT_RESET_POWER)
        return OTAPULT_FATE_NOT_ARMED; /* the record is of an image that lay there before */
    if (e->state == OTAPULT_STATE_INVALID)
        return OTAPULT_FATE_REJECTED;
    if (e->state == OTAPULT_STATE_VALID || e->state == OTAPULT_STATE_UNDEFINED)
        return OTAPULT_FATE_STALE; /* a confirmed image that somebody left again */
    if (e->verdict == OTAPULT_TRIAL_REJECTED)
        return OTAPULT_FATE_REJECTED;
    if (e->state == OTAPULT_STATE_NONE && e->verdict == OTAPULT_TRIAL_WRITTEN)
        return OTAPULT_FATE_NOT_ARMED;
    if (e->reset != OTAPULT_RESET_POWER)
        return OTAPULT_FATE_CRASHED;
    return e->tries_left ? OTAPULT_FATE_POWER_LOST : OTAPULT_FATE_GAVE_UP;
}

static void every_combination_has_the_fate_a_person_would_tell(void **state)
{
    unsigned combinations = 0;

    (void)state;
    for (int runs = 0; runs < 2; runs++)
        for (int boot = 0; boot < 2; boot++)
            for (int st = OTAPULT_STATE_NONE; st <= OTAPULT_STATE_UNDEFINED; st++)
                for (int verdict = 0; verdict <= OTAPULT_TRIAL_REJECTED; verdict++)
                    for (int reset = 0; reset <= OTAPULT_RESET_OTHER; reset++)
                        for (int left = 0; left < 2; left++, combinations++) {
                            struct otapult_evidence e = {.runs_it = runs,
                                                         .boot_is_it = boot,
                                                         .state = (enum otapult_slot_state)st,
                                                         .verdict = (enum otapult_verdict)verdict,
                                                         .reset = (enum otapult_reset)reset,
                                                         .tries_left = left};
                            assert_int_equal(otapult_trial_fate(&e), told_by_a_person(&e));
                        }
    assert_int_equal(combinations, 2 * 2 * 7 * 4 * 5 * 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_combination_has_the_fate_a_person_would_tell),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
