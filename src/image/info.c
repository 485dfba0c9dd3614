/* SPDX-License-Identifier: Apache-2.0 */
#include "otapult/image.h"

#include <string.h>

#include "base/bytes.h"
#include "base/text.h"
#include "image/format.h"

void otapult_build_id(const struct otapult_app_desc *desc, char dst[OTAPULT_BUILD_ID_CHARS + 1])
{
    struct otapult_text t;
    otapult_text_init(&t, dst, OTAPULT_BUILD_ID_CHARS + 1);
    otapult_text_digest(&t, desc->build, sizeof desc->build);
}

void otapult_header_decode(const uint8_t header[OTAPULT_IMAGE_HEADER], struct otapult_image_info *info)
{
    info->segment_count = header[OTAPULT_HEADER_SEGMENTS];
    info->entry = otapult_le32(header + 4);
    info->chip_id = otapult_le16(header + OTAPULT_HEADER_CHIP);
    info->min_rev = otapult_le16(header + 15);
    info->max_rev = otapult_le16(header + 17);
}

/* The texts of a description: their place in it, their size there and here, and their field here. */
static const struct {
    uint8_t at, size, field;
} texts[] = {
    {16, 32, offsetof(struct otapult_app_desc, version)},
    {48, 32, offsetof(struct otapult_app_desc, project)},
    {80, 16, offsetof(struct otapult_app_desc, time)},
    {96, 16, offsetof(struct otapult_app_desc, date)},
    {112, 32, offsetof(struct otapult_app_desc, idf)},
};

bool otapult_desc_decode(const uint8_t raw[OTAPULT_DESC_SIZE], struct otapult_app_desc *desc)
{
    if (otapult_le32(raw) != OTAPULT_DESC_MAGIC)
        return false;
    desc->secure_version = otapult_le32(raw + 4);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        otapult_text_clean((char *)desc + texts[i].field, texts[i].size, raw + texts[i].at, texts[i].size);
    memcpy(desc->elf_sha256, raw + 144, sizeof desc->elf_sha256);
    memcpy(desc->build, desc->elf_sha256, sizeof desc->build);
    return true;
}

bool otapult_is_unnamed(const char *project)
{
    return strcmp(project, "arduino-lib-builder") == 0;
}

bool otapult_desc_has_no_build(const struct otapult_app_desc *desc)
{
    return otapult_has_only(desc->elf_sha256, sizeof desc->elf_sha256, 0);
}

void otapult_name_build(struct otapult_app_desc *desc, const uint8_t *digest)
{
    if (otapult_desc_has_no_build(desc))
        memcpy(desc->build, digest, sizeof desc->build);
}

int otapult_read_head(const uint8_t head[OTAPULT_HEAD_SIZE], struct otapult_image_info *info)
{
    if (head[0] != OTAPULT_IMAGE_MAGIC)
        return OTAPULT_E_FILE_UNKNOWN;
    if (!otapult_desc_decode(head + OTAPULT_DESC_OFFSET, &info->desc))
        return OTAPULT_E_IMAGE_NO_DESCRIPTION;
    otapult_header_decode(head, info);
    return OTAPULT_OK;
}
