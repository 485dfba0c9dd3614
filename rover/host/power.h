/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ROVER_HOST_POWER_H
#define ROVER_HOST_POWER_H

#include <stdbool.h>
#include <stdint.h>

/* The board's power, which signals switch: Ctrl-C or SIGTERM takes it for good, SIGUSR1 pulls the plug and
 * puts it back. */

/* Once, before anything else of this header. */
void power_catch_signals(void);

/* Has it gone for good? */
bool power_is_off(void);

/* Is the plug out? Stays so until power_return(): nothing reaches the flash meanwhile. */
bool power_is_cut(void);

/* The plug is back in. true: it had been out. */
bool power_return(void);

/* Shorter where the power goes for good meanwhile. */
void power_sleep_us(uint64_t us);

#endif
