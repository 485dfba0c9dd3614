/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_ADDRESS_H
#define CLI_ADDRESS_H

#include <stdbool.h>

/* How a robot is called: a name, name.local, an address, either with a port, or a URL. */

enum scheme { SCHEME_EITHER, SCHEME_HTTP, SCHEME_HTTPS };

struct address {
    char host[128]; /* an IPv6 address in brackets */
    unsigned port;  /* 0: the scheme's own */
    enum scheme scheme;
};

/* NULL: it was read. Else what is wrong with the text; a password in it is one, since a command line is
 * everybody's to read. */
const char *address_read(const char *text, struct address *out);

bool address_is_number(const struct address *a); /* an IP address, or localhost: nobody need be asked for it */

#endif
