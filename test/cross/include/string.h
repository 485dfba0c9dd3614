/* SPDX-License-Identifier: Apache-2.0 */
/* The functions of string.h that firmware may use, no more: another one does not compile here. */
#ifndef CROSS_STRING_H
#define CROSS_STRING_H

#include <stddef.h>

void  *memchr(const void *s, int c, size_t n);
int    memcmp(const void *a, const void *b, size_t n);
void  *memcpy(void *restrict to, const void *restrict from, size_t n);
void  *memmove(void *to, const void *from, size_t n);
void  *memset(void *s, int c, size_t n);
char  *strchr(const char *s, int c);
int    strcmp(const char *a, const char *b);
size_t strcspn(const char *s, const char *reject);
size_t strlen(const char *s);
int    strncmp(const char *a, const char *b, size_t n);
size_t strnlen(const char *s, size_t n);
char  *strrchr(const char *s, int c);
size_t strspn(const char *s, const char *accept);
char  *strstr(const char *s, const char *part);

#endif
