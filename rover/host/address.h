/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ROVER_HOST_ADDRESS_H
#define ROVER_HOST_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

/* Addresses that the rover listens on, IPv4 and IPv6. */

#define ADDRESS_URL 80 /* bytes of the longest URL, with its NUL */

/* Does it stand for every address of the machine? */
bool address_is_any(const struct sockaddr_storage *a);

/* Where this machine itself reaches a server that listens on `a`. */
struct sockaddr_storage address_of_self(const struct sockaddr_storage *a);
socklen_t address_size(const struct sockaddr_storage *a);

/* "http://127.0.0.1:8080/", or with an IPv6 address in brackets. */
void address_url(char url[ADDRESS_URL], const char *scheme, const struct sockaddr_storage *a);

/* Calls found() with each address of this machine that others reach and that belongs to `any`, with its port. */
void address_list(const struct sockaddr_storage *any, void (*found)(void *ctx, const struct sockaddr_storage *a),
                  void *ctx);

#endif
