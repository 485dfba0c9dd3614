/* SPDX-License-Identifier: Apache-2.0 */
/* The compiler's own limits.h asks for a C library's behind it. */
#ifndef CROSS_LIMITS_H
#define CROSS_LIMITS_H

#define CHAR_BIT 8
#define INT_MAX  __INT_MAX__
#define UINT_MAX (__INT_MAX__ * 2u + 1u)

#endif
