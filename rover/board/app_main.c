/* SPDX-License-Identifier: Apache-2.0 */
#include <freertos/FreeRTOS.h>
#include <freertos/task.h>

#include "board.h"

void app_main(void);

void app_main(void)
{
    rover_board_start();
    for (;;) {
        rover_board_poll();
        vTaskDelay(pdMS_TO_TICKS(50));
    }
}
