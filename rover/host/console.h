/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ROVER_HOST_CONSOLE_H
#define ROVER_HOST_CONSOLE_H

/* The serial console: a line on standard output, told from others' by "rover: ", and out at once. */
void console_say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* What went wrong, on standard error. */
void console_complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
