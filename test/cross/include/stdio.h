/* SPDX-License-Identifier: Apache-2.0 */
/* snprintf and its kind; of streams the console alone, which symbols.txt allows to few. */
#ifndef CROSS_STDIO_H
#define CROSS_STDIO_H

#include <stdarg.h>
#include <stddef.h>

typedef struct cross_file FILE; /* mbedTLS's headers name it */

int printf(const char *format, ...) __attribute__((format(printf, 1, 2)));
int snprintf(char *to, size_t cap, const char *format, ...) __attribute__((format(printf, 3, 4)));
int vsnprintf(char *to, size_t cap, const char *format, va_list args) __attribute__((format(printf, 3, 0)));

#endif
