/* SPDX-License-Identifier: Apache-2.0 */
/* mbedTLS 3.6 asks for it, for one format of a header that nobody here uses. */
#ifndef CROSS_INTTYPES_H
#define CROSS_INTTYPES_H

#include <stdint.h>

#endif
