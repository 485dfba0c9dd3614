/* SPDX-License-Identifier: Apache-2.0 */
#include "web/offer_routes.h"

#include <string.h>

#include "base/language.h"
#include "offer/choose.h"
#include "web/answer.h"
#include "web/body.h"
#include "web/error_json.h"

/* These routes print, and pass a person's word on. The word is left for the poll (offer/choose.c), so the
 * answer comes at once, and says what will happen and not that it has. */

/* ---- looking ---- */

static void offer_json(struct otapult_json *j, const struct otapult_offer_view *v,
                       const struct otapult_language *language)
{
    if (v->version[0] == '\0' && v->size == 0) {
        otapult_json_null(j, "offer");
        return;
    }
    otapult_json_open(j, "offer", '{');
    otapult_json_str(j, "project", v->project);
    otapult_json_str(j, "version", v->version);
    otapult_json_str(j, "build", v->build);
    otapult_json_num(j, "size", v->size);
    otapult_json_str(j, "notes", v->notes);
    otapult_json_bool(j, "urgent", v->urgent);
    otapult_json_str(j, "wait", v->wait == NULL ? NULL : otapult_in_language(v->wait, language));
    otapult_json_close(j, '}');
}

static void source_json(struct otapult_json *j, const struct otapult_offer_view *v,
                        const struct otapult_language *language)
{
    otapult_json_str(j, "source", v->source);
    if (v->asked_s == OTAPULT_SIZE_UNKNOWN)
        otapult_json_null(j, "asked_s");
    else
        otapult_json_num(j, "asked_s", v->asked_s);
    otapult_json_num(j, "next_s", v->next_s);
    if (v->error != 0)
        otapult_error_json(j, "error", v->error, &v->why, false, language);
    else
        otapult_json_null(j, "error");
}

static enum otapult_http_next get_offer(struct otapult_exchange *x)
{
    struct otapult_offer_view v;
    struct otapult_answer a;

    (void)otapult_offer_view(x->app, x->language != NULL, &v);
    otapult_answer_begin(&a, x, 200);
    otapult_json_open(&a.json, NULL, '{');
    otapult_json_str(&a.json, "state", otapult_pull_state_name(v.state));
    offer_json(&a.json, &v, x->language);
    source_json(&a.json, &v, x->language);
    otapult_json_close(&a.json, '}');
    otapult_answer_end(&a);
    return OTAPULT_HTTP_ANSWERED;
}

/* ---- choosing ---- */

static const struct choice {
    const char *word, *message;
    enum otapult_offer_choice choice;
} choices[] = {
    {"install", "It will be installed.", OTAPULT_OFFER_INSTALL},
    {"later", "It waits for a day.", OTAPULT_OFFER_LATER},
    {"skip", "It is skipped.", OTAPULT_OFFER_SKIP},
};

/* NULL: it is none of them. */
static const struct choice *choice_of(const char *word)
{
    for (size_t i = 0; i < sizeof choices / sizeof *choices; i++)
        if (strcmp(choices[i].word, word) == 0)
            return &choices[i];
    return NULL;
}

static void choose_end(struct otapult_exchange *x)
{
    static const struct otapult_finding shape = {.text = "choice is install, later or skip"};
    char word[12], by[OTAPULT_WHO_NAME];
    struct otapult_finding why;

    bool good = otapult_json_member(x->small, x->len, "choice", word, sizeof word);
    const struct choice *c = good ? choice_of(word) : NULL;
    if (c == NULL) {
        otapult_http_error(x, OTAPULT_E_BAD_REQUEST, &shape);
        return;
    }
    otapult_http_who(x, by);
    int err = otapult_offer_choose(x->app, c->choice, by, &why);
    if (err != 0)
        otapult_http_error(x, err, &why);
    else
        otapult_http_success(x, c->message, "");
}

const struct otapult_route otapult_offer_routes[OTAPULT_OFFER_ROUTES] = {
    {.method = "GET", .path = "/api/ota/offer", .begin = get_offer},
    {.method = "POST",
     .path = "/api/ota/offer",
     .begin = otapult_http_begin_json,
     .body = otapult_http_small_body,
     .end = choose_end,
     .level = OTAPULT_ADMIN},
};
