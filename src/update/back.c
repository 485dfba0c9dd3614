/* SPDX-License-Identifier: Apache-2.0 */
#include "update/back.h"

#include "update/arm.h"
#include "update/claim.h"
#include "update/confirm.h"
#include "update/report.h"
#include "update/slot_image.h"
#include "update/way_back.h"

/* Going back to the other slot's image, and restarting, by request. Both hold the claim from before the
 * application is asked until the restart, so that no update can begin to overwrite the way back meanwhile. */

/* ---- restart ---- */

int otapult_restart_by(struct otapult *o, const char *by, struct otapult_finding *why)
{
    int err = otapult_take_to_restart(o, OTAPULT_FOR_RESTART, by, why);

    if (err == 0)
        otapult_restart_in(o, o->config.restart_ms, "by request");
    else
        otapult_report_refusal(o->port, "restart", err, why, 0, by);
    return err;
}

int otapult_restart(struct otapult *o, struct otapult_finding *why)
{
    return otapult_restart_by(o, NULL, why);
}

/* ---- rollback ---- */

static int no_rollback(struct otapult_finding *why, const char *text)
{
    *why = (struct otapult_finding){.text = text};
    return OTAPULT_E_NO_ROLLBACK;
}

static const struct {
    int err;
    const char *text;
} unfit[] = {
    {OTAPULT_E_SIGNATURE_WRONG, "the other slot's image is not signed by a trusted key"},
    {OTAPULT_E_IMAGE_TRAILING, "the other slot's image is not signed by a trusted key"},
    {OTAPULT_E_IMAGE_SECURITY_VERSION, "the other slot's image has a security version that is too low"},
};

static int check_target(struct otapult *o, int index, struct otapult_finding *why)
{
    const char *text = "the other slot holds no whole image";
    bool wrong;

    int err = otapult_check_image(o, index, why, &wrong);
    if (err == 0 || !wrong)
        return err;
    for (size_t i = 0; i < sizeof unfit / sizeof *unfit; i++)
        if (unfit[i].err == err)
            text = unfit[i].text;
    return no_rollback(why, text);
}

static int arm_image(struct otapult *o, int index, struct otapult_trial *trial, struct otapult_finding *why)
{
    const struct otapult_image_info *info = &otapult_borrow(o)->judge.inspect.info;

    int err = check_target(o, index, why);
    if (err != 0)
        return err;
    otapult_describe(trial, index, &info->desc, info->size);
    return otapult_arm(o, trial, why);
}

int otapult_go_to(struct otapult *o, int index, struct otapult_finding *why)
{
    struct otapult_trial trial;

    return arm_image(o, index, &trial, why);
}

static int go_to_other(struct otapult *o, const char *by, bool force, struct otapult_finding *why)
{
    struct otapult_way_back way;
    struct otapult_trial trial;

    otapult_lock(o);
    otapult_find_way_back(o, &way);
    int err = o->slots_error;
    otapult_unlock(o);
    if (err != 0)
        return err;
    if (o->locked != NULL) { /* a device that is locked can verify no image, wherever it lies */
        *why = (struct otapult_finding){.text = o->locked};
        return OTAPULT_E_LOCKED;
    }
    if (way.slot == OTAPULT_SLOT_NONE)
        return no_rollback(why, way.none);
    if (way.doubt != NULL && !force) {
        *why = (struct otapult_finding){.text = way.doubt};
        return OTAPULT_E_ROLLBACK_DOUBTFUL;
    }
    err = arm_image(o, way.slot, &trial, why);
    if (err == 0)
        otapult_note(o, OTAPULT_EV_ROLLED_BACK, way.slot, &trial, NULL, NULL, by);
    return err;
}

/* A firmware that waits for its confirmation is rejected: the bootloader then takes the other record by
 * itself, and the journal tells a rejection from a rollback. */
static int go_back(struct otapult *o, const char *by, bool force, struct otapult_finding *why)
{
    return otapult_is_pending(o) ? otapult_reject(o, "rolled back by request")
                                 : go_to_other(o, by, force, why);
}

static int roll_back(struct otapult *o, const char *by, bool force, struct otapult_finding *why)
{
    int err = otapult_take_to_restart(o, OTAPULT_FOR_ROLLBACK, by, why);
    if (err != 0)
        return err;

    err = go_back(o, by, force, why);
    otapult_refresh_slots(o);
    otapult_end_in_restart(o, err, "rollback by request");
    return err;
}

int otapult_rollback_by(struct otapult *o, const char *by, bool force, struct otapult_finding *why)
{
    int err = roll_back(o, by, force, why);

    if (err != 0)
        otapult_report_refusal(o->port, "rollback", err, why, 0, by);
    return err;
}

int otapult_rollback(struct otapult *o, struct otapult_finding *why)
{
    return otapult_rollback_by(o, NULL, false, why);
}
