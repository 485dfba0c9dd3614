/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PORT_HOST_DNS_SD_H
#define PORT_HOST_DNS_SD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* DNS-based service discovery (RFC 6763) over multicast DNS (RFC 6762), as far as robots are concerned: a
 * reader of messages, a writer of the few that are sent, and what services of robots a message names. No
 * sockets, no heap; every input is bounded, and a message that is none is left aside.
 *
 * Names are texts with dots between labels; a dot or a backslash inside a label has a backslash before it.
 * They hold the bytes that the network sent, any but NUL: clean them before a terminal sees them. */

#define DNS_SD_PORT    5353
#define DNS_SD_GROUP   "224.0.0.251"
#define DNS_SD_SERVICE "_http._tcp.local"
#define DNS_SD_MESSAGE 1500 /* bytes of the largest that is written here */
#define DNS_NAME       512  /* a name as text: up to 255 bytes, each with a backslash */

enum dns_type { DNS_A = 1, DNS_PTR = 12, DNS_TXT = 16, DNS_AAAA = 28, DNS_SRV = 33, DNS_ANY = 255 };

/* ---- reading ---- */

struct dns_reader {
    const uint8_t *message;
    size_t   size, at;
    uint16_t id, flags;
    unsigned questions, records; /* left to be read; records: of all three sections */
};

struct dns_record {
    char     name[DNS_NAME];
    uint16_t type;
    size_t   at, len; /* of its data, within the message */
};

/* false: too short to be a message. Keeps the pointer. */
bool dns_read_begin(struct dns_reader *r, const uint8_t *message, size_t size);

/* The next question, then the next record. false: there is none, or the message is broken here; nothing more
 * can be read from it. */
bool dns_read_question(struct dns_reader *r, char name[DNS_NAME], uint16_t *type);
bool dns_read_record(struct dns_reader *r, struct dns_record *record);

/* The name at message[at …]; *end: what follows it. Follows only pointers backwards, so it ends. */
bool dns_read_name(const struct dns_reader *r, size_t at, char name[DNS_NAME], size_t *end);

bool dns_same_name(const char *a, const char *b); /* case does not count */

/* ---- robots ---- */

#define DNS_SD_WORD 68

/* A service and what was said of it, maybe in several messages. */
struct dns_robot {
    char     instance[DNS_NAME]; /* "Rover 1._http._tcp.local" */
    char     host[DNS_NAME];     /* "rover-1.local"; "" so far */
    uint16_t port;               /* 0 so far */
    char     address[48];        /* as text; "" so far */
    bool     otapult, tls;       /* its TXT says otapult=1, tls=1 */
    char     name[DNS_SD_WORD], version[DNS_SD_WORD], build[DNS_SD_WORD], chip[DNS_SD_WORD], project[DNS_SD_WORD];
};

#define DNS_ROBOTS_MAX 256

struct dns_robots {
    struct dns_robot robot[DNS_ROBOTS_MAX];
    unsigned count;
};

/* Takes what a message says of HTTP services; `from`: the sender's address as text, for a robot that names
 * none. What is no answer is left aside. */
void dns_robots_take(struct dns_robots *all, const uint8_t *message, size_t size, const char *from);

/* The address that a message gives for a host name, as text. */
bool dns_address_of(const uint8_t *message, size_t size, const char *host, char address[48]);

/* ---- writing ---- */

/* One question, `unicast`: the answer may come straight back. Bytes written; 0: the name is too long. */
size_t dns_write_question(uint8_t message[DNS_SD_MESSAGE], uint16_t id, const char *name, enum dns_type type,
                          bool unicast);

struct dns_own {
    const char *label;     /* "Rover 1" */
    const char *host;      /* "rover-1.local" */
    uint16_t    port;
    uint8_t     address[4];
    const char *const *txt; /* "otapult=1", …; NULL ends it */
};

/* The answer of a robot to a question about it: all records it has. `repeat`: the question is repeated in it, which a
 * client expects that asks from another port than 5353 (RFC 6762, section 6.7). 0: the question is not about the
 * robot, or is none. */
size_t dns_write_answer(uint8_t message[DNS_SD_MESSAGE], const struct dns_own *own, const uint8_t *question,
                        size_t size, bool repeat);

#endif
