/* SPDX-License-Identifier: Apache-2.0 */
/* mbedTLS's headers name time_t; only the port uses more. */
#ifndef CROSS_TIME_H
#define CROSS_TIME_H

typedef long long time_t;

struct tm {
    int tm_min, tm_hour, tm_wday;
};
time_t     time(time_t *out);
struct tm *localtime_r(const time_t *t, struct tm *out);

#endif
