/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FAKE_EFUSE_HAL_H
#define FAKE_EFUSE_HAL_H

#include <stdbool.h>
#include <stdint.h>

/* hal/include/hal/efuse_hal.h and hal/efuse_hal.c, v5.1.7, v5.2.7, v5.3.5, v5.4.4, v5.5.5, v6.0.2. Neither can
 * fail; what they read is burnt in. */

/* major * 100 + minor. */
uint32_t efuse_hal_blk_version(void);

/* true: an image's greatest revision is not asked for. */
bool efuse_hal_get_disable_blk_version_major(void);

#endif
