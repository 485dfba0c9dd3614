/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OTAPULT_IMAGE_FORMAT_H
#define OTAPULT_IMAGE_FORMAT_H

#include <stdbool.h>

#include "otapult/image.h"

/* Numbers of the app image format.
 * Source: ESP-IDF v6.0.2, components/bootloader_support/include/esp_app_format.h and
 * components/esp_app_format/include/esp_app_desc.h. */

#define OTAPULT_IMAGE_MAGIC     0xE9u
#define OTAPULT_IMAGE_HEADER    24u
#define OTAPULT_SEGMENT_HEADER  8u
#define OTAPULT_DESC_OFFSET     0x20u
#define OTAPULT_DESC_SIZE       256u
#define OTAPULT_DESC_MAGIC      0xABCD5432u
#define OTAPULT_CHECKSUM_START  0xEFu
#define OTAPULT_IMAGE_DIGEST    32u
#define OTAPULT_NOT_LOADED      0x10000000u /* load addresses below are padding or notes */
#define OTAPULT_FLASH_PAGE      0x10000u    /* of the ESP32-S3's flash mapping */
#define OTAPULT_DESC_BLOCK_REVS 176u /* in the description: least and greatest eFuse block revision */
#define OTAPULT_REVISION_NO_MAX 0xFFFFu     /* 0 means the same */

/* Fields of the image header. */
#define OTAPULT_HEADER_SEGMENTS 1u
#define OTAPULT_HEADER_CHIP     12u
#define OTAPULT_HEADER_HASH     23u

/* Takes header and description apart. Neither judges, but for the description's magic: false. */
void otapult_header_decode(const uint8_t header[OTAPULT_IMAGE_HEADER], struct otapult_image_info *info);
bool otapult_desc_decode(const uint8_t raw[OTAPULT_DESC_SIZE], struct otapult_app_desc *desc);

/* Rust's build tools leave the ELF digest out. Then the SHA-256 at the image's end names the build: at least
 * sizeof desc->build bytes of it. */
bool otapult_desc_has_no_build(const struct otapult_app_desc *desc);
void otapult_name_build(struct otapult_app_desc *desc, const uint8_t *digest);

#endif
