/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CROSS_UNISTD_H
#define CROSS_UNISTD_H

int close(int fd);

#endif
