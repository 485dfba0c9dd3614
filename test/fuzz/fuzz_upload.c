/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "images.h"
#include "oracle.h"
#include "otapult/http.h"
#include "world.h"

/* The whole way from an HTTP body to flash, on a whole device: routes, multipart, session, slot writer, OTA
 * data. After each request the oracle, which shares no code with the device, must say that a whole image
 * boots: what was uploaded when the answer was 200, byte for byte, else the old one. Then a good upload
 * works.
 *
 * Input: what kind of request (bits, below), split, how far the announced length is off; then the body. */
#define SETTINGS 3u
enum { RAW = 1, CHUNKED = 2, LOST = 4, WRONG_LENGTH = 8, POLLED = 16 };

#define TARGET    0x20000u
#define SLOT_SIZE 0x10000u

static struct world w;
static uint8_t flash[WORLD_FLASH]; /* 1.0.0 runs in slot 0, slot 1 is blank */
static uint8_t *next;
static size_t next_len;

static void end(void)
{
    world_end(&w);
    free(next);
}

static void begin(void)
{
    size_t len;
    uint8_t *old = images_one("1.0.0", 1, 1024, &len);

    next = images_one("3.0.0", 3, 1024, &next_len);
    world_init(&w, WORLD_TWO_OTA, old, len);
    free(old);
    FUZZ_EXPECT(world_boot(&w) && world_settle(&w));
    world_save(&w, flash);
    (void)atexit(end);
}

/* ---- the request ---- */

struct talk {
    struct otapult_exchange x;
    struct otapult_request request;
    char length[16];
    const char *type;
    uint8_t kind;
    unsigned heads;
    int status;
    char answer[512];
    size_t answered;
};

static const char *header(void *ctx, const char *name, unsigned *count)
{
    const struct talk *t = ctx;
    const char *value = NULL;

    if (strcmp(name, "Content-Type") == 0)
        value = t->type;
    if (strcmp(name, "Content-Length") == 0 && (t->kind & CHUNKED) == 0)
        value = t->length;
    if (strcmp(name, "Transfer-Encoding") == 0 && (t->kind & CHUNKED) != 0)
        value = "chunked";
    if (count != NULL)
        *count = value != NULL;
    return value;
}

static void take_head(void *ctx, int status, const char *type, const char *headers, const char *more)
{
    struct talk *t = ctx;

    FUZZ_EXPECT(strcmp(type, "application/json") == 0 || strstr(type, "json") != NULL);
    FUZZ_EXPECT(headers != NULL && more != NULL);
    t->heads++;
    t->status = status;
}

static void take_answer(void *ctx, const void *data, size_t len)
{
    struct talk *t = ctx;
    size_t room = sizeof t->answer - 1 - t->answered, n = len < room ? len : room;

    memcpy(t->answer + t->answered, data, n);
    t->answered += n;
    t->answer[t->answered] = '\0';
}

static int feed(void *ctx, const uint8_t *p, size_t n)
{
    struct talk *t = ctx;

    if (t->kind & POLLED)
        otapult_poll(w.ota);
    return otapult_http_body(&t->x, p, n) == OTAPULT_HTTP_BODY ? 0 : 1;
}

static void talk(struct talk *t, const uint8_t *body, size_t len, uint8_t split)
{
    struct otapult_site site;
    const struct otapult_reply reply = {.ctx = t, .head = take_head, .body = take_answer};

    otapult_site(&site, w.ota);
    t->request = (struct otapult_request){
        .method = "POST", .path = "/api/ota/upload", .query = "", .ctx = t, .header = header};
    if (otapult_http_begin(&t->x, &site, 1, &t->request, reply) == OTAPULT_HTTP_ANSWERED)
        return;
    if (fuzz_feed_pieces(feed, t, body, len, split) != 0)
        return;
    if (t->kind & LOST)
        otapult_http_lost(&t->x);
    else
        otapult_http_end(&t->x);
}

static void request(struct talk *t, const uint8_t *data, const uint8_t *body, size_t len)
{
    const size_t off = data[0] & WRONG_LENGTH ? (size_t)data[2] * data[2] * 8 : 0;

    memset(t, 0, sizeof *t);
    t->kind = data[0];
    t->type = t->kind & RAW ? "application/octet-stream" : "multipart/form-data; boundary=X";
    snprintf(t->length, sizeof t->length, "%zu", data[2] & 1 ? len + off : len > off ? len - off : 0);
    talk(t, body, len, data[1]);
}

/* ---- after it ---- */

static bool holds(const uint8_t *body, size_t len, const uint8_t *image, size_t image_len)
{
    for (size_t at = 0; image_len <= len - at; at++)
        if (memcmp(body + at, image, image_len) == 0)
            return true;
    return false;
}

static void check_answer(const struct talk *t)
{
    bool lost = t->heads == 0;

    FUZZ_EXPECT(lost ? (t->kind & LOST) != 0 : t->heads == 1);
    FUZZ_EXPECT(lost || t->status == 200 || (t->status >= 400 && t->status <= 501));
    FUZZ_EXPECT(lost || t->answer[0] == '{');
    FUZZ_EXPECT(lost || (strstr(t->answer, "\"success\":true") != NULL) == (t->status == 200));
    FUZZ_EXPECT(t->status != 500); /* nothing on this device fails */
}

static void check_flash(const struct talk *t, const uint8_t *body, size_t len)
{
    struct oracle_result r = oracle_boot(w.nor.data, WORLD_FLASH);
    struct otapult_status s;

    otapult_status(w.ota, &s);
    FUZZ_EXPECT(r.boots && r.image_ok);
    FUZZ_EXPECT(memcmp(w.nor.data, flash, 0x9000) == 0);
    FUZZ_EXPECT(memcmp(w.nor.data + 0x10000, flash + 0x10000, SLOT_SIZE) == 0);
    FUZZ_EXPECT(s.phase == (t->status == 200 ? OTAPULT_REBOOTING : OTAPULT_IDLE));
    FUZZ_EXPECT(w.holds == (t->status == 200));
    FUZZ_EXPECT(r.slot == (t->status == 200 ? 1 : 0));
    if (t->status == 200)
        FUZZ_EXPECT(holds(body, len, w.nor.data + TARGET, r.image.size));
}

static void check_next_update(void)
{
    FUZZ_EXPECT(world_settle(&w));
    FUZZ_EXPECT(world_upload(&w, next, next_len, 700) == 0);
    FUZZ_EXPECT(world_settle(&w));
    FUZZ_EXPECT(strcmp(world_version(&w), "3.0.0") == 0);
    world_pull_plug(&w);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct talk t;

    if (size < SETTINGS)
        return 0;
    if (next == NULL)
        begin();
    world_restore(&w, flash);
    FUZZ_EXPECT(world_boot(&w));
    request(&t, data, data + SETTINGS, size - SETTINGS);
    check_answer(&t);
    check_flash(&t, data + SETTINGS, size - SETTINGS);
    check_next_update();
    return 0;
}

/* Mends the image inside: from its first byte to the closing boundary, or to the end. */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed)
{
    uint32_t state = seed, how = fuzz_random(&state);
    size_t from = SETTINGS, to;

    size = LLVMFuzzerMutate(data, size, max_size);
    if (size <= SETTINGS || how % 4 == 0)
        return size;
    if ((data[0] & RAW) == 0)
        while (from + 4 < size && memcmp(data + from, "\r\n\r\n\xE9", 5) != 0)
            from++;
    from += (data[0] & RAW) == 0 ? 4 : 0;
    for (to = size; to > from && (data[0] & RAW) == 0; to--)
        if (to + 5 <= size && memcmp(data + to, "\r\n--X", 5) == 0)
            break;
    if (to > from)
        fuzz_mend_image(data + from, to - from, how >> 8 & how >> 16 & how >> 24);
    return size;
}
