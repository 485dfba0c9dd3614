/* SPDX-License-Identifier: Apache-2.0 */
#include "offer/policy.h"

#include <string.h>

#include "base/bytes.h"
#include "trust/sha256.h"

/* ---- is it taken? ---- */

/* `chosen` stands where it does on purpose: the rows above it hold although a person has said INSTALL, those
 * below it do not. */
static const struct row {
    size_t holds; /* offset of the bool in struct otapult_circumstances */
    struct otapult_judgement then;
} rows[] = {
#define ROW(member, verdict, final, wait, err)          \
    {                                                   \
        offsetof(struct otapult_circumstances, member), \
        {                                               \
            (verdict), (final), (wait), (err)           \
        }                                               \
    }
    ROW(same, OTAPULT_DROP, false, "it runs already", 0),
    ROW(other_project, OTAPULT_NEVER, true, "it is another project's", OTAPULT_E_OTHER_PROJECT),
    ROW(older, OTAPULT_NEVER, true, "it is older than what runs", OTAPULT_E_OFFER_OLDER),
    ROW(unconfirmed, OTAPULT_WAIT, false, "what runs is not confirmed yet", 0),
    ROW(chosen, OTAPULT_TAKE_IT, false, NULL, 0),
    ROW(skipped, OTAPULT_WAIT, false, "somebody has skipped it", 0),
    ROW(failed, OTAPULT_WAIT, true, "it has failed on this robot", 0),
    ROW(refused, OTAPULT_WAIT, false, "it was refused on this robot", 0),
    ROW(left, OTAPULT_WAIT, false, "it ran here, and somebody went back from it", 0),
    ROW(not_now, OTAPULT_WAIT, false, "the source says: not now", 0),
    ROW(later, OTAPULT_WAIT, false, "somebody has said: later", 0),
    ROW(asks, OTAPULT_WAIT, false, "somebody has to say yes", 0),
    ROW(clockless, OTAPULT_WAIT, false, "the robot does not know the time, so not its maintenance window", 0),
    ROW(closed, OTAPULT_WAIT, false, "its maintenance window is closed", 0),
#undef ROW
};

struct otapult_judgement otapult_judge_offer(const struct otapult_circumstances *c)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (*(const bool *)((const unsigned char *)c + rows[i].holds))
            return rows[i].then;
    return (struct otapult_judgement){.verdict = OTAPULT_TAKE_IT};
}

bool otapult_offer_is_older(const char *offered, const char *running)
{
    struct otapult_version a = {0}, b = {0};

    if (strlen(offered) >= sizeof a.version || strlen(running) >= sizeof b.version)
        return false;
    memcpy(a.version, offered, strlen(offered));
    memcpy(b.version, running, strlen(running));
    return otapult_compare_versions(&a, &b) == OTAPULT_OLDER;
}

/* ---- the maintenance window ---- */

#define DAY 1440u

static uint32_t length_of(const struct otapult_window *w)
{
    return (w->to + DAY - w->from) % DAY;
}

uint32_t otapult_window_spread(const struct otapult_window *w)
{
    uint32_t half = length_of(w) / 2;

    return half < 30 ? half : 30;
}

static bool is_its_day(const struct otapult_window *w, unsigned weekday)
{
    return w->days == 0 || (w->days >> weekday & 1) != 0;
}

/* A window over midnight belongs to the day on which it began: of Friday 23:00 to 02:00 the last two hours
 * are on Saturday, and `days` asks for Friday. */
bool otapult_window_open(const struct otapult_window *w, const struct otapult_wall_time *t, uint32_t shift)
{
    uint32_t since = (t->minute + DAY - w->from % DAY) % DAY;
    unsigned begun = t->minute >= w->from ? t->weekday : (t->weekday + 6u) % 7;

    if (w->from == w->to)
        return true;
    return since >= shift && since < length_of(w) && is_its_day(w, begun);
}

#define YEAR_2025 1735689600u

bool otapult_time_is_good(const struct otapult_wall_time *t)
{
    return t->unix_s >= YEAR_2025 && t->minute < DAY && t->weekday < 7;
}

/* ---- the robots apart ---- */

/* FNV-1a, and the finish of MurmurHash3: short names that differ in one digit end far apart. */
uint32_t otapult_spread(const char *id, uint32_t salt, uint32_t range)
{
    uint32_t h = 2166136261u ^ salt;

    for (; *id != '\0'; id++)
        h = (h ^ (uint8_t)*id) * 16777619u;
    h = (h ^ h >> 16) * 0x85EBCA6Bu;
    h = (h ^ h >> 13) * 0xC2B2AE35u;
    h ^= h >> 16;
    return range == 0 ? 0 : (uint32_t)((uint64_t)h * range >> 32);
}

bool otapult_is_its_turn(const char *id, const char *what, uint32_t percentage)
{
    struct otapult_sha256 h;
    uint8_t digest[32];

    otapult_sha256_init(&h);
    otapult_sha256_feed(&h, id, strlen(id));
    otapult_sha256_feed(&h, ":", 1);
    otapult_sha256_feed(&h, what, strlen(what));
    return otapult_sha256_peek(&h, digest) == 0 && otapult_le32(digest) % 100 < percentage;
}

static uint32_t doubled(uint32_t s, uint32_t times, uint32_t most)
{
    while (times-- > 0 && s < most)
        s *= 2;
    return s < most ? s : most;
}

/* A failure: between half and all of the doubled time, so that robots which lost their server in one moment
 * do not come back in one. An answer: a tenth less to a tenth more. */
uint32_t otapult_ask_again(const struct otapult_pull *pull, uint32_t failures, uint32_t said, uint32_t asked)
{
    uint32_t usual = pull->ask_s < OTAPULT_ASK_MAX ? pull->ask_s : OTAPULT_ASK_MAX;
    uint32_t s = said != 0 ? said : usual;

    if (failures > 0) {
        uint32_t most = usual > pull->retry_s ? usual : pull->retry_s;
        s = doubled(pull->retry_s, failures - 1, most);
        s = s / 2 + otapult_spread(pull->id, asked, s - s / 2 + 1);
        s = said > s ? said : s;
    } else {
        s = s < OTAPULT_ASK_MAX ? s : OTAPULT_ASK_MAX;
        s = s - s / 10 + otapult_spread(pull->id, asked, s / 5 + 1);
    }
    s = s < OTAPULT_ASK_MAX ? s : OTAPULT_ASK_MAX;
    return s > 0 ? s : 1;
}
