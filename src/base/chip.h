/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OTAPULT_BASE_CHIP_H
#define OTAPULT_BASE_CHIP_H

#include <stdbool.h>
#include <stdint.h>

/* Is it the id of a chip that Espressif has named? otapult_chip_name() of otapult/image.h says which. */
bool otapult_chip_known(uint32_t chip_id);

#endif
