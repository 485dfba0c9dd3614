/* SPDX-License-Identifier: Apache-2.0 */
#include <gnutls/gnutls.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "address.h"
#include "secure.h"

#define PATIENCE_US 500000

static const char request[] = "GET /api/ota HTTP/1.0\r\nHost: localhost\r\n\r\n";

/* "HTTP/1.1 200": the version does not matter. */
#define ANSWER_LEN 12u
static bool is_good(const char answer[ANSWER_LEN])
{
    return memcmp(answer, "HTTP/1.", 7) == 0 && memcmp(answer + 8, " 200", 4) == 0;
}

static int connect_to_self(const struct sockaddr_storage *at)
{
    const struct sockaddr_storage self = address_of_self(at);
    struct timeval patience = {.tv_usec = PATIENCE_US};
    int fd = socket(self.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    if (connect(fd, (const struct sockaddr *)&self, address_size(&self)) != 0) {
        close(fd);
        fd = -1;
    }
    return fd;
}

static bool ask_plain(int fd)
{
    char answer[ANSWER_LEN] = "";

    return send(fd, request, sizeof request - 1, MSG_NOSIGNAL) == (ssize_t)sizeof request - 1 &&
           recv(fd, answer, sizeof answer, MSG_WAITALL) == (ssize_t)sizeof answer && is_good(answer);
}

/* Whether it is our own certificate does not matter here: that the server speaks TLS does. */
static bool talk_tls(gnutls_session_t session, int fd)
{
    char answer[ANSWER_LEN] = "";
    size_t got = 0;

    gnutls_transport_set_int(session, fd);
    if (gnutls_handshake(session) != GNUTLS_E_SUCCESS ||
        gnutls_record_send(session, request, sizeof request - 1) != (ssize_t)sizeof request - 1)
        return false;
    while (got < sizeof answer) {
        ssize_t n = gnutls_record_recv(session, answer + got, sizeof answer - got);
        if (n <= 0)
            return false;
        got += (size_t)n;
    }
    return is_good(answer);
}

static bool ask_tls(int fd)
{
    gnutls_session_t session = NULL;
    gnutls_certificate_credentials_t nobody = NULL;

    bool good = gnutls_init(&session, GNUTLS_CLIENT) == 0 &&
                gnutls_certificate_allocate_credentials(&nobody) == 0 &&
                gnutls_set_default_priority(session) == 0 &&
                gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, nobody) == 0;
    good = good && talk_tls(session, fd);
    if (session != NULL)
        gnutls_deinit(session);
    if (nobody != NULL)
        gnutls_certificate_free_credentials(nobody);
    return good;
}

bool secure_page_answers(const struct sockaddr_storage *at, bool tls)
{
    int fd = connect_to_self(at);
    bool good = fd >= 0 && (tls ? ask_tls(fd) : ask_plain(fd));

    if (fd >= 0)
        close(fd);
    return good;
}
