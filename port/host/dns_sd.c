/* SPDX-License-Identifier: Apache-2.0 */
#include "dns_sd.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* Messages of DNS (RFC 1035, section 4) as far as multicast DNS and service discovery need them (RFC 6762,
 * 6763). Anybody on the network can send one to a port that listens, so the reader is written against hostile
 * bytes: each length is compared with what is left, names are bounded, and pointers lead strictly backwards.
 * What cannot be read ends the message, not the program. */

#define HEADER      12u
#define POINTER     0xC0u
#define NAME_BYTES  255u
#define LABEL_BYTES 63u
#define CLASS_IN    1u
#define CLASS_TOP   0x8000u /* "unicast, please" in a question, "forget what you had" in a record */
#define ANSWER      0x8400u
#define TTL_S       120u

/* ---- reading ---- */

static uint16_t be16(const uint8_t *p)
{
    return (uint16_t)(p[0] << 8 | p[1]);
}

bool dns_read_begin(struct dns_reader *r, const uint8_t *message, size_t size)
{
    if (size < HEADER)
        return false;
    *r = (struct dns_reader){.message = message,
                             .size = size,
                             .at = HEADER,
                             .id = be16(message),
                             .flags = be16(message + 2),
                             .questions = be16(message + 4),
                             .records = (unsigned)be16(message + 6) + be16(message + 8) + be16(message + 10)};
    return true;
}

/* Appends one label to the name; false: it holds a NUL, or there is no room. A dot inside a label is escaped
 * (RFC 4343, section 2.1), for the dots between labels look the same. */
static bool put_label(char name[DNS_NAME], size_t *len, const uint8_t *label, size_t n)
{
    if (*len > 0)
        name[(*len)++] = '.';
    for (size_t i = 0; i < n; i++) {
        if (label[i] == '\0' || *len + 3 > DNS_NAME)
            return false;
        if (label[i] == '.' || label[i] == '\\')
            name[(*len)++] = '\\';
        name[(*len)++] = (char)label[i];
    }
    return *len + 2 <= DNS_NAME;
}

/* Where the pointer at message[at] leads; false: not strictly backwards, so that a ring cannot be. */
static bool follow(const struct dns_reader *r, size_t *at, size_t *least)
{
    if (r->size - *at < 2)
        return false;
    size_t to = (size_t)(be16(r->message + *at) & 0x3FFFu);
    if (to < HEADER || to >= *least)
        return false;
    *at = *least = to;
    return true;
}

bool dns_read_name(const struct dns_reader *r, size_t at, char name[DNS_NAME], size_t *end)
{
    size_t len = 0, bytes = 0, least = at;
    bool jumped = false;

    for (;;) {
        if (at >= r->size)
            return false;
        uint8_t n = r->message[at];
        if ((n & POINTER) == POINTER) {
            if (!jumped)
                *end = at + 2;
            jumped = true;
            if (!follow(r, &at, &least))
                return false;
            continue;
        }
        bytes += n + 1u;
        if (n > LABEL_BYTES || bytes > NAME_BYTES || r->size - at <= n)
            return false;
        if (n == 0)
            break;
        if (!put_label(name, &len, r->message + at + 1, n))
            return false;
        at += n + 1u;
    }
    name[len] = '\0';
    if (!jumped)
        *end = at + 1;
    return true;
}

/* Nothing more can be read. */
static bool broken(struct dns_reader *r)
{
    r->questions = r->records = 0;
    return false;
}

bool dns_read_question(struct dns_reader *r, char name[DNS_NAME], uint16_t *type)
{
    if (r->questions == 0)
        return false;
    if (!dns_read_name(r, r->at, name, &r->at) || r->size < r->at || r->size - r->at < 4)
        return broken(r);
    *type = be16(r->message + r->at);
    r->at += 4;
    r->questions--;
    return true;
}

bool dns_read_record(struct dns_reader *r, struct dns_record *record)
{
    while (dns_read_question(r, record->name, &record->type))
        ;
    if (r->records == 0)
        return false;
    if (!dns_read_name(r, r->at, record->name, &r->at) || r->size < r->at || r->size - r->at < 10)
        return broken(r);
    record->type = be16(r->message + r->at);
    record->len = be16(r->message + r->at + 8);
    record->at = r->at + 10;
    if (r->size - record->at < record->len)
        return broken(r);
    r->at = record->at + record->len;
    r->records--;
    return true;
}

bool dns_same_name(const char *a, const char *b)
{
    return strcasecmp(a, b) == 0;
}

/* ---- robots ---- */

static bool is_service(const char *instance)
{
    size_t n = strlen(instance), tail = strlen(DNS_SD_SERVICE);

    return n > tail + 1 && instance[n - tail - 1] == '.' &&
           dns_same_name(instance + n - tail, DNS_SD_SERVICE);
}

/* The robot of this instance, a new one where there is room; NULL: no service of ours, or too many. */
static struct dns_robot *robot_of(struct dns_robots *all, const char *instance)
{
    for (unsigned i = 0; i < all->count; i++) {
        if (dns_same_name(all->robot[i].instance, instance))
            return &all->robot[i];
    }
    if (!is_service(instance) || all->count == DNS_ROBOTS_MAX)
        return NULL;
    struct dns_robot *robot = &all->robot[all->count++];
    *robot = (struct dns_robot){.port = 0};
    snprintf(robot->instance, sizeof robot->instance, "%s", instance);
    return robot;
}

static void keep_word(char dst[DNS_SD_WORD], const char *text, size_t len)
{
    snprintf(dst, DNS_SD_WORD, "%.*s", (int)(len < DNS_SD_WORD ? len : DNS_SD_WORD - 1), text);
}

/* "key=value", of len bytes and not terminated. */
static void take_text(struct dns_robot *robot, const char *text, size_t len)
{
    const struct {
        const char *key;
        char *to;
    } words[] = {{"name=", robot->name},
                 {"version=", robot->version},
                 {"build=", robot->build},
                 {"chip=", robot->chip},
                 {"project=", robot->project}};

    if (len == 9 && strncasecmp(text, "otapult=1", 9) == 0)
        robot->otapult = true;
    if (len == 5 && strncasecmp(text, "tls=1", 5) == 0)
        robot->tls = true;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        size_t key = strlen(words[i].key);
        if (len > key && strncasecmp(text, words[i].key, key) == 0)
            keep_word(words[i].to, text + key, len - key);
    }
}

static void take_texts(struct dns_robot *robot, const uint8_t *data, size_t len)
{
    while (len > 0) {
        size_t n = data[0];
        if (n > len - 1)
            return;
        take_text(robot, (const char *)data + 1, n);
        data += n + 1;
        len -= n + 1;
    }
}

static void take_server(const struct dns_reader *r, const struct dns_record *record, struct dns_robot *robot)
{
    char host[DNS_NAME];
    size_t end;

    if (record->len < 7 || !dns_read_name(r, record->at + 6, host, &end))
        return;
    robot->port = be16(r->message + record->at + 4);
    memcpy(robot->host, host, sizeof robot->host);
}

static bool address_text(const struct dns_reader *r, const struct dns_record *record, char address[48])
{
    const void *data = r->message + record->at;

    return record->type == DNS_A && record->len == 4 && inet_ntop(AF_INET, data, address, 48) != NULL;
}

static void take_address(struct dns_robots *all, const struct dns_reader *r, const struct dns_record *record)
{
    char address[48];

    if (!address_text(r, record, address))
        return;
    for (unsigned i = 0; i < all->count; i++) {
        if (dns_same_name(all->robot[i].host, record->name))
            memcpy(all->robot[i].address, address, sizeof address);
    }
}

static void take_record(struct dns_robots *all, const struct dns_reader *r, const struct dns_record *record)
{
    char instance[DNS_NAME];
    size_t end;
    struct dns_robot *robot;

    switch (record->type) {
    case DNS_PTR:
        if (dns_same_name(record->name, DNS_SD_SERVICE) && dns_read_name(r, record->at, instance, &end))
            robot_of(all, instance);
        break;
    case DNS_SRV:
        if ((robot = robot_of(all, record->name)) != NULL)
            take_server(r, record, robot);
        break;
    case DNS_TXT:
        if ((robot = robot_of(all, record->name)) != NULL)
            take_texts(robot, r->message + record->at, record->len);
        break;
    default: break;
    }
}

void dns_robots_take(struct dns_robots *all, const uint8_t *message, size_t size, const char *from)
{
    struct dns_reader r;
    struct dns_record record;
    unsigned before = all->count;

    if (!dns_read_begin(&r, message, size) || (r.flags & 0x8000u) == 0)
        return;
    while (dns_read_record(&r, &record))
        take_record(all, &r, &record);
    dns_read_begin(&r, message, size); /* once more: an address may stand before the server that it is of */
    while (dns_read_record(&r, &record))
        take_address(all, &r, &record);
    for (unsigned i = before; i < all->count; i++) {
        if (all->robot[i].address[0] == '\0')
            snprintf(all->robot[i].address, sizeof all->robot[i].address, "%s", from);
    }
}

bool dns_address_of(const uint8_t *message, size_t size, const char *host, char address[48])
{
    struct dns_reader r;
    struct dns_record record;

    if (!dns_read_begin(&r, message, size) || (r.flags & 0x8000u) == 0)
        return false;
    while (dns_read_record(&r, &record)) {
        if (dns_same_name(record.name, host) && address_text(&r, &record, address))
            return true;
    }
    return false;
}

/* ---- writing ---- */

struct writer {
    uint8_t *message;
    size_t at;
    bool full; /* sticky: the message is not to be sent */
};

static void put(struct writer *w, const void *data, size_t len)
{
    if (len > DNS_SD_MESSAGE - w->at) {
        w->full = true;
        return;
    }
    memcpy(w->message + w->at, data, len);
    w->at += len;
}

static void put16(struct writer *w, unsigned value)
{
    const uint8_t bytes[2] = {(uint8_t)(value >> 8), (uint8_t)value};
    put(w, bytes, sizeof bytes);
}

static void put_head(struct writer *w, uint16_t id, unsigned flags, unsigned questions, unsigned answers,
                     unsigned additional)
{
    put16(w, id);
    put16(w, flags);
    put16(w, questions);
    put16(w, answers);
    put16(w, 0);
    put16(w, additional);
}

/* The label that begins the text; *text moves behind it. */
static void put_name_label(struct writer *w, const char **text)
{
    uint8_t label[LABEL_BYTES + 1];
    size_t n = 0;

    for (; **text != '\0' && **text != '.'; (*text)++) {
        if (**text == '\\' && (*text)[1] != '\0')
            (*text)++;
        if (n == LABEL_BYTES) {
            w->full = true;
            return;
        }
        label[1 + n++] = (uint8_t) * *text;
    }
    label[0] = (uint8_t)n;
    put(w, label, n + 1);
    *text += **text == '.';
}

static void put_name(struct writer *w, const char *name)
{
    size_t from = w->at;

    while (*name != '\0' && !w->full)
        put_name_label(w, &name);
    put(w, "", 1);
    w->full |= w->at - from > NAME_BYTES;
}

size_t dns_write_question(uint8_t message[DNS_SD_MESSAGE], uint16_t id, const char *name, enum dns_type type,
                          bool unicast)
{
    struct writer w = {.message = message};

    put_head(&w, id, 0, 1, 0, 0);
    put_name(&w, name);
    put16(&w, type);
    put16(&w, CLASS_IN | (unicast ? CLASS_TOP : 0));
    return w.full ? 0 : w.at;
}

/* A record up to its data, whose length is filled in by end_record(). */
static size_t begin_record(struct writer *w, const char *name, enum dns_type type, unsigned class_of)
{
    put_name(w, name);
    put16(w, type);
    put16(w, class_of);
    put16(w, 0);
    put16(w, TTL_S);
    put16(w, 0);
    return w->at;
}

static void end_record(struct writer *w, size_t from)
{
    size_t len = w->at - from;

    if (w->full)
        return;
    w->message[from - 2] = (uint8_t)(len >> 8);
    w->message[from - 1] = (uint8_t)len;
}

static void put_records(struct writer *w, const struct dns_own *own, const char *instance)
{
    size_t from = begin_record(w, DNS_SD_SERVICE, DNS_PTR, CLASS_IN);
    put_name(w, instance);
    end_record(w, from);
    from = begin_record(w, instance, DNS_SRV, CLASS_IN | CLASS_TOP);
    put16(w, 0);
    put16(w, 0);
    put16(w, own->port);
    put_name(w, own->host);
    end_record(w, from);
    from = begin_record(w, instance, DNS_TXT, CLASS_IN | CLASS_TOP);
    for (const char *const *txt = own->txt; *txt != NULL; txt++) {
        size_t n = strlen(*txt) < 255 ? strlen(*txt) : 255;
        uint8_t len = (uint8_t)n;
        put(w, &len, 1);
        put(w, *txt, n);
    }
    end_record(w, from);
    from = begin_record(w, own->host, DNS_A, CLASS_IN | CLASS_TOP);
    put(w, own->address, sizeof own->address);
    end_record(w, from);
}

static void instance_name(const struct dns_own *own, char name[DNS_NAME])
{
    size_t len = 0, n = strlen(own->label);

    if (!put_label(name, &len, (const uint8_t *)own->label, n < LABEL_BYTES ? n : LABEL_BYTES))
        len = 0;
    snprintf(name + len, DNS_NAME - len, ".%s", DNS_SD_SERVICE);
}

static bool is_about(const struct dns_own *own, const char *instance, const char *name, uint16_t type)
{
    bool any = type == DNS_ANY;

    return (dns_same_name(name, DNS_SD_SERVICE) && (any || type == DNS_PTR)) ||
           (dns_same_name(name, instance) && (any || type == DNS_SRV || type == DNS_TXT)) ||
           (dns_same_name(name, own->host) && (any || type == DNS_A));
}

size_t dns_write_answer(uint8_t message[DNS_SD_MESSAGE], const struct dns_own *own, const uint8_t *question,
                        size_t size, bool repeat)
{
    struct writer w = {.message = message};
    struct dns_reader r;
    char name[DNS_NAME], instance[DNS_NAME];
    uint16_t type = 0;
    bool about = false;

    if (!dns_read_begin(&r, question, size) || (r.flags & 0x8000u) != 0)
        return 0;
    instance_name(own, instance);
    while (!about && dns_read_question(&r, name, &type))
        about = is_about(own, instance, name, type);
    if (!about)
        return 0;
    put_head(&w, repeat ? r.id : 0, ANSWER, repeat, 4, 0);
    if (repeat) {
        put_name(&w, name);
        put16(&w, type);
        put16(&w, CLASS_IN);
    }
    put_records(&w, own, instance);
    return w.full ? 0 : w.at;
}
