/* SPDX-License-Identifier: Apache-2.0 */
#include "named.h"

#include <stdlib.h>
#include <unistd.h>

#include "discover.h"
#include "inventory.h"

/* Each operand is looked up in the inventory first, and only what is not there is taken for an address: so a
 * name that a person has given a robot always wins over a host of the same name. */

/* The usual inventory need not be there; one that was named must. */
static int from_inventory(struct fleet *fleet, const struct options *options, char *const *operand,
                          size_t count, bool *taken)
{
    static char all[] = "@all";
    char *const everybody[] = {all};
    bool any = false;
    char path[CONFIG_PATH];

    config_path("robots.ini", path);
    if (options->inventory == NULL && access(path, F_OK) != 0)
        return 0;
    const char *file = options->inventory != NULL ? options->inventory : path;
    if (count == 0 && options->inventory != NULL)
        return inventory_read(file, fleet, options, everybody, 1, &any);
    return inventory_read(file, fleet, options, operand, count, taken);
}

static int from_words(struct fleet *fleet, const struct options *options, char *const *operand, size_t count,
                      const bool *taken)
{
    for (size_t i = 0; i < count; i++) {
        if (taken[i])
            continue;
        if (operand[i][0] == '@') {
            complain("%s: no robot of the inventory is in this group", say_clean(operand[i]));
            return STATUS_USAGE;
        }
        if (fleet_add(fleet, options, operand[i], operand[i]) == NULL)
            return STATUS_USAGE;
    }
    return 0;
}

int fleet_open(struct fleet *fleet, const struct options *options, char *const *operand, size_t count)
{
    bool *taken = calloc(count + 1, sizeof *taken);

    *fleet = (struct fleet){0};
    if (taken == NULL)
        return STATUS_NO;
    int status = from_inventory(fleet, options, operand, count, taken);
    if (status == 0)
        status = from_words(fleet, options, operand, count, taken);
    free(taken);
    if (status == 0 && options->discover)
        status = discover_robots(fleet, options);
    if (status == 0 && fleet->count == 0) {
        complain("%s: which robot? Name one, or @all of the inventory, or use --inventory FILE or --discover",
                 options->verb->name);
        status = STATUS_USAGE;
    }
    if (status == 0)
        discover_names(fleet);
    else
        fleet_free(fleet);
    return status;
}
