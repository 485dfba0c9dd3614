/* SPDX-License-Identifier: Apache-2.0 */
/* Against: ESP-IDF v6.0.2, components/lwip/lwip/src/include/lwip/sockets.h, and newlib. */
#ifndef CROSS_SYS_TIME_H
#define CROSS_SYS_TIME_H

#ifndef _TIMEVAL_DEFINED
#define _TIMEVAL_DEFINED
struct timeval {
    long long tv_sec;
    long      tv_usec;
};
#endif

#endif
