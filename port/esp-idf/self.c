/* SPDX-License-Identifier: Apache-2.0 */
#include <lwip/sockets.h>
#include <string.h>
#include <unistd.h>

#include "self.h"

/* The device as a client of its own servers, over the loopback interface: what an answer proves is the
 * server, its tasks, lwIP and the heap, but not the radio. Each step has a time limit, because the task that
 * polls waits here and the confirmation's deadline runs in the same task. */

static int connect_to_self(uint16_t port, long patience_ms)
{
    const struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_port = htons(port),
        .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)},
    };
    const struct timeval patience = {.tv_sec = patience_ms / 1000, .tv_usec = patience_ms % 1000 * 1000};
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    if (connect(fd, (const struct sockaddr *)&address, sizeof address) == 0)
        return fd;
    close(fd);
    return -1;
}

static bool receive(int fd, void *dst, size_t len)
{
    uint8_t *p = dst;

    while (len > 0) {
        const int n = (int)recv(fd, p, len, 0);
        if (n <= 0)
            return false;
        p += n;
        len -= (size_t)n;
    }
    return true;
}

/* ---- a page ---- */

bool otapult_esp_self_answers(uint16_t port, int status)
{
    static const char request[] = "GET /api/ota HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    char answer[] = "HTTP/1.1 000";
    const int fd = connect_to_self(port, 300);

    if (fd < 0)
        return false;
    bool good = send(fd, request, sizeof request - 1, 0) == (int)sizeof request - 1 &&
                receive(fd, answer, sizeof answer - 1) && memcmp(answer, "HTTP/1.1 ", 9) == 0 &&
                answer[9] - '0' == status / 100 && answer[10] - '0' == status / 10 % 10 &&
                answer[11] - '0' == status % 10;
    close(fd);
    return good;
}

/* ---- TLS ---- */

/* A ClientHello of TLS 1.2 (RFC 5246, section 7.4.1.2; RFC 8422, section 5.1): all that our certificate
 * needs, ECDHE and ECDSA on P-256. Where the random bytes go stands a sentence: this handshake is never
 * finished and protects nothing. Its answer, up to ServerHelloDone, holds a signature that the server has
 * just made with its key. */
static const char hello[] = "\x16\x03\x01\x00\x4F"             /* record: handshake */
                            "\x01\x00\x00\x4B\x03\x03"         /* ClientHello, version 1.2 */
                            "Otapult: is the page still here?" /* 32 bytes of it */
                            "\x00"                             /* no session */
                            "\x00\x08\xC0\x2B\xC0\x2C"         /* ECDHE-ECDSA with AES-GCM, */
                            "\xCC\xA9\xC0\x09"                 /* ChaCha20, AES-CBC */
                            "\x01\x00"                         /* not compressed */
                            "\x00\x1A"
                            "\x00\x0A\x00\x06\x00\x04\x00\x17\x00\x18"  /* curves: P-256, P-384 */
                            "\x00\x0B\x00\x02\x01\x00"                  /* points: uncompressed */
                            "\x00\x0D\x00\x06\x00\x04\x04\x03\x05\x03"; /* ECDSA with SHA-256, SHA-384 */
#define HELLO_LEN (sizeof hello - 1)

_Static_assert(HELLO_LEN == 5 + 0x4F, "the lengths in it are right");

#define RECORD_HANDSHAKE  0x16u
#define SERVER_HELLO_DONE 14u
#define RECORDS_MAX       16

/* Handshake messages of the server: 4 bytes of type and length, then that much. */
struct flight {
    uint8_t head[4], head_len;
    uint32_t left; /* of the message */
    bool done;     /* its first flight is complete */
};

static void take(struct flight *f, const uint8_t *p, size_t len)
{
    for (; len > 0; len--, p++) {
        if (f->left > 0) {
            f->left--;
            continue;
        }
        f->head[f->head_len++] = *p;
        if (f->head_len < sizeof f->head)
            continue;
        f->head_len = 0;
        f->left = (uint32_t)f->head[1] << 16 | (uint32_t)f->head[2] << 8 | f->head[3];
        f->done |= f->head[0] == SERVER_HELLO_DONE;
    }
}

/* false: the connection ended, or the server objects. */
static bool take_record(int fd, struct flight *f)
{
    uint8_t head[5], piece[64];

    if (!receive(fd, head, sizeof head) || head[0] != RECORD_HANDSHAKE)
        return false;
    for (size_t left = (size_t)head[3] << 8 | head[4]; left > 0;) {
        const size_t n = left < sizeof piece ? left : sizeof piece;
        if (!receive(fd, piece, n))
            return false;
        take(f, piece, n);
        left -= n;
    }
    return true;
}

bool otapult_esp_self_speaks_tls(uint16_t port)
{
    struct flight f = {0};
    const int fd = connect_to_self(port, 1500);

    if (fd < 0)
        return false;
    bool good = send(fd, hello, HELLO_LEN, 0) == (int)HELLO_LEN;
    for (int n = 0; good && !f.done && n < RECORDS_MAX; n++)
        good = take_record(fd, &f);
    close(fd);
    return good && f.done;
}
