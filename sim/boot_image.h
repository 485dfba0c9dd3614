/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OTAPULT_HOST_BOOT_IMAGE_H
#define OTAPULT_HOST_BOOT_IMAGE_H

#include "nor_flash.h"

/* Does ESP-IDF's second-stage bootloader load this image? Every check it makes, in its order, and none
 * that it leaves out, so that what slips through on a board slips through here: an image without an app
 * description, without a SHA-256, with bytes behind its end, with a length that reaches into the
 * neighbour, with padding that is not zero. The inspector of src/image is stricter on purpose.
 * Source: ESP-IDF v6.0.2, bootloader_support/src/esp_image_format.c (image_load in mode ESP_IMAGE_LOAD).
 * Left out: anti-rollback, signatures. */

/* Of the virtual ESP32-S3: v0.2 and v1.3; major * 100 + minor. */
#define BOOT_CHIP_REVISION       2u
#define BOOT_CHIP_BLOCK_REVISION 103u

/* NULL: the image at `address`, in a partition of `size` bytes, loads. Else what the bootloader holds
 * against it. Reads, and writes nothing. */
const char *boot_image_fault(struct nor_flash *nor, uint32_t address, uint32_t size);

#endif
