/* SPDX-License-Identifier: Apache-2.0 */
#include "base/chip.h"

#include "otapult/image.h"

static const char unknown_chip[] = "an unknown chip";

static const struct {
    uint16_t id;
    const char *name;
} chips[] = {
    {0x0000, "ESP32"},           {0x0002, "ESP32-S2"},
    {0x0005, "ESP32-C3"},        {OTAPULT_CHIP_ESP32S3, "ESP32-S3"},
    {0x000A, "ESP32-H2 (beta)"}, /* of ESP-IDF 4.4; the chip that is sold has an id of its own */
    {0x000C, "ESP32-C2"},        {0x000D, "ESP32-C6"},
    {0x0010, "ESP32-H2"},        {0x0012, "ESP32-P4"},
    {0x0014, "ESP32-C61"},       {0x0017, "ESP32-C5"},
    {0x0019, "ESP32-H21"},       {0x001C, "ESP32-H4"},
    {0x001F, "ESP32-E22"},       {0x0020, "ESP32-S31"},
};

const char *otapult_chip_name(uint32_t chip_id)
{
    for (size_t i = 0; i < sizeof chips / sizeof *chips; i++)
        if (chips[i].id == chip_id)
            return chips[i].name;
    return unknown_chip;
}

bool otapult_chip_known(uint32_t chip_id)
{
    return otapult_chip_name(chip_id) != unknown_chip;
}
