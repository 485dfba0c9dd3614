/* SPDX-License-Identifier: Apache-2.0 */
/* mbedTLS's headers name time_t; nothing here uses it. */
#ifndef CROSS_TIME_H
#define CROSS_TIME_H

typedef long long time_t;

#endif
