/* SPDX-License-Identifier: Apache-2.0 */
#include <sdkconfig.h>

#include "otapult/esp_idf.h"

/* What Kconfig's switches say of packed files. A firmware whose configuration does not name these two links
 * neither them nor a decoder. */

#ifdef OTAPULT_ESP_DECODER_RAM
const struct otapult_decoder *const otapult_esp_decoders[] = {
#ifdef CONFIG_OTAPULT_GZIP
    &otapult_gzip,
#endif
#ifdef CONFIG_OTAPULT_PATCH
    &otapult_patch,
#endif
    NULL};
uint64_t otapult_esp_decoder_memory[OTAPULT_ESP_DECODER_RAM / sizeof(uint64_t)];
#endif
