/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FAKE_BOOTLOADER_RANDOM_H
#define FAKE_BOOTLOADER_RANDOM_H

/* bootloader_support/include/bootloader_random.h and src/bootloader_random_esp32s3.c, _esp32c6.c, and
 * docs/en/api-reference/system/random.rst, v5.1 to v6.0; a source file a chip, for every chip the component
 * names. Without a radio they are where the hardware generator's noise comes from: the SAR ADC, set up by its
 * registers. Usable from an application, not safe while anything else uses the radio or the ADC (on an ESP32
 * nor I2S): off again before any of these is. No counter: the first _disable() is the last. */
void bootloader_random_enable(void);
void bootloader_random_disable(void);

#endif
