/* SPDX-License-Identifier: Apache-2.0 */
/* lwIP's sockets are BSD's, and these are this computer's. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
