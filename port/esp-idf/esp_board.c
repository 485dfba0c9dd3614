/* SPDX-License-Identifier: Apache-2.0 */
#include "esp_board.h"

#include <esp_timer.h>

/* There is one board, so there is one struct, and it is static: nothing of the port is on the heap. */
struct esp_board otapult_esp_board;

uint32_t otapult_esp_now_ms(void)
{
    return (uint32_t)(esp_timer_get_time() / 1000);
}
