/* SPDX-License-Identifier: Apache-2.0 */
#include <Arduino.h>

extern "C" {
#include "board.h"
}

/* Otapult confirms the firmware when its checks have passed; the Arduino core would do so at once. */
extern "C" bool verifyRollbackLater()
{
    return true;
}

void setup()
{
    rover_board_start();
}

void loop()
{
    rover_board_poll();
    delay(50);
}
