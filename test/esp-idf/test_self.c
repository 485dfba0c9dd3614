/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "mhd_server.h"
#include "ram_port.h"
#include "self.h"
#include "tls_identity.h"

/* The check that the rover's page answers, port/esp-idf/self.c, against a server that shares no TLS with it.
 */

static struct ram_port board;
static struct tls_identity id;

static enum otapult_http_next page(struct otapult_exchange *x)
{
    otapult_http_json(x, 200, "{}", 2);
    return OTAPULT_HTTP_ANSWERED;
}

static const struct otapult_route routes[] = {{.method = "GET", .path = "/api/ota", .begin = page}};
static const struct otapult_site site = {.routes = routes, .count = 1};

static int a_certificate(void **state)
{
    static const char *const names[] = {"rover.local", NULL};

    (void)state;
    ram_port_begin(&board);
    return tls_identity_own(&id, &board.port, names) ? 0 : -1;
}

static int forget(void **state)
{
    (void)state;
    tls_identity_free(&id);
    return 0;
}

static void a_server_with_tls_goes_through_its_part(void **state)
{
    const struct mhd_tls tls = {id.certificate, id.key, 0};
    struct mhd_server *s = mhd_server_start("127.0.0.1", 0, &site, 1, 5, &tls);

    (void)state;
    assert_non_null(s);
    assert_true(otapult_esp_self_speaks_tls(mhd_server_port(s)));
    assert_false(otapult_esp_self_answers(mhd_server_port(s), 200));
    mhd_server_stop(s);
}

static void a_plain_server_does_not(void **state)
{
    struct mhd_server *s = mhd_server_start("127.0.0.1", 0, &site, 1, 5, NULL);

    (void)state;
    assert_non_null(s);
    assert_false(otapult_esp_self_speaks_tls(mhd_server_port(s)));
    assert_true(otapult_esp_self_answers(mhd_server_port(s), 200));
    assert_false(otapult_esp_self_answers(mhd_server_port(s), 307));
    mhd_server_stop(s);
}

/* ---- servers that say something else ---- */

struct liar {
    int fd;
    const uint8_t *says;
    size_t len;
};

static void *lie(void *arg)
{
    const struct liar *l = arg;
    const int client = accept(l->fd, NULL, NULL);
    uint8_t heard[512];

    (void)!recv(client, heard, sizeof heard, 0);
    (void)!send(client, l->says, l->len, MSG_NOSIGNAL);
    shutdown(client, SHUT_WR);
    while (recv(client, heard, sizeof heard, 0) > 0)
        continue;
    close(client);
    return NULL;
}

static bool believes(const void *says, size_t len)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
    struct liar l = {.fd = socket(AF_INET, SOCK_STREAM, 0), .says = says, .len = len};
    socklen_t size = sizeof address;
    pthread_t thread;

    assert_int_equal(bind(l.fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(l.fd, 1), 0);
    assert_int_equal(getsockname(l.fd, (struct sockaddr *)&address, &size), 0);
    assert_int_equal(pthread_create(&thread, NULL, lie, &l), 0);
    bool answer = otapult_esp_self_speaks_tls(ntohs(address.sin_port));
    pthread_join(thread, NULL);
    close(l.fd);
    return answer;
}

/* Messages as they may lie in records: each alone, several in one, one across two. */
static void only_the_whole_flight_counts(void **state)
{
    static const uint8_t alone[] = {0x16, 3, 3, 0, 6, 2, 0, 0, 2, 14, 14, 0x16, 3, 3, 0, 4, 14, 0, 0, 0};
    static const uint8_t together[] = {0x16, 3, 3, 0, 10, 2, 0, 0, 2, 14, 14, 14, 0, 0, 0};
    static const uint8_t across[] = {0x16, 3, 3, 0, 7, 2, 0, 0, 2, 1, 1, 14, 0x16, 3, 3, 0, 3, 0, 0, 0};
    static const uint8_t alert[] = {0x15, 3, 3, 0, 2, 2, 40};
    static const uint8_t text[] = "HTTP/1.1 400 Bad Request\r\n\r\n";

    (void)state;
    assert_true(believes(alone, sizeof alone));
    assert_true(believes(together, sizeof together));
    assert_true(believes(across, sizeof across));
    for (size_t len = 0; len < sizeof across; len++)
        assert_false(believes(across, len));
    assert_false(believes(alone, 11)); /* without its end */
    assert_false(believes(alert, sizeof alert));
    assert_false(believes(text, sizeof text));
}

static void nobody_there_is_no_answer(void **state)
{
    (void)state;
    assert_false(otapult_esp_self_speaks_tls(1));
    assert_false(otapult_esp_self_answers(1, 200));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_server_with_tls_goes_through_its_part),
        cmocka_unit_test(a_plain_server_does_not),
        cmocka_unit_test(only_the_whole_flight_counts),
        cmocka_unit_test(nobody_there_is_no_answer),
    };
    return cmocka_run_group_tests(tests, a_certificate, forget);
}
