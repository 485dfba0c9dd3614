/* SPDX-License-Identifier: Apache-2.0 */
#include "console.h"

#include <stdarg.h>
#include <stdio.h>

static void print_line(FILE *to, const char *format, va_list args)
{
    fprintf(to, "rover: ");
    vfprintf(to, format, args);
    fputc('\n', to);
    fflush(to);
}

void console_say(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    print_line(stdout, format, args);
    va_end(args);
}

void console_complain(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    print_line(stderr, format, args);
    va_end(args);
}
