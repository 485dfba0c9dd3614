/* SPDX-License-Identifier: Apache-2.0 */
/* What the sketch uses. Against: arduino-esp32 3.3, cores/esp32/Arduino.h, esp32-hal-misc.c, HardwareSerial.h. */
#ifndef FAKE_ARDUINO_H
#define FAKE_ARDUINO_H

#include <cstdint>

extern "C" bool verifyRollbackLater(); /* the core defines it in a C file and declares it nowhere */
void setup();
void loop();
void delay(uint32_t ms);

struct String {
    const char *c_str() const;
};

struct HardwareSerial {
    void begin(unsigned long baud);
    int println(const char *text);
    int printf(const char *format, ...) __attribute__((format(printf, 2, 3)));
};
extern HardwareSerial Serial;

#endif
