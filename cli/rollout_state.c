/* SPDX-License-Identifier: Apache-2.0 */
#include "rollout_state.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "new_file.h"
#include "regular_file.h"

/* The file of --resume: {"sha256": of the firmware, "robots": {name: outcome, …}}. Written anew after every
 * robot, so that a tool that is killed leaves a whole one. */

#define STATE_MAX (4u * 1024u * 1024u)

static const char *what_is_sent(const struct rollout *r)
{
    return r->payload != NULL ? r->payload->sha256 : "staged";
}

static char *read_all(const char *path)
{
    char *text = calloc(1, STATE_MAX + 1);
    FILE *f = regular_file_open(path);
    size_t len = text != NULL && f != NULL ? fread(text, 1, STATE_MAX, f) : 0;
    bool good = text != NULL && f != NULL && len < STATE_MAX && ferror(f) == 0;
    int why = len == STATE_MAX ? EFBIG : errno;

    if (f != NULL)
        fclose(f);
    if (good)
        return text;
    free(text);
    errno = why;
    return NULL;
}

static void take_outcomes(struct rollout *r, const cJSON *robots)
{
    for (size_t i = 0; i < r->count; i++) {
        struct job *j = &r->job[i];
        const char *word = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(robots, j->robot->name));
        for (unsigned o = 0; word != NULL && o < OUTCOMES; o++) {
            if (strcmp(word, outcome_table[o].word) != 0 || !outcome_table[o].proved)
                continue;
            j->outcome = (enum outcome)o;
            j->state = JOB_DONE;
            r->canaries_proved++;
            r->canaries++;
        }
    }
}

int state_load(struct rollout *r, const char *path)
{
    char *text = read_all(path), sent[70];

    if (text == NULL && errno == ENOENT)
        return 0;
    if (text == NULL)
        return trouble_say(TROUBLE_FILE_UNREADABLE, "file", path, regular_file_words(errno));
    cJSON *json = cJSON_Parse(text);
    const cJSON *robots = cJSON_GetObjectItemCaseSensitive(json, "robots");
    member_text(json, "sha256", sent, sizeof sent);
    bool good = cJSON_IsObject(robots) && strcmp(sent, what_is_sent(r)) == 0;
    if (good)
        take_outcomes(r, robots);
    else
        complain("%s: %s", say_clean(path),
                 cJSON_IsObject(robots) ? "is of another firmware file" : "is no file of --resume");
    cJSON_Delete(json);
    free(text);
    return good ? 0 : STATUS_USAGE;
}

bool state_save(const struct rollout *r, const char *path)
{
    cJSON *json = cJSON_CreateObject(), *robots = cJSON_AddObjectToObject(json, "robots");

    cJSON_AddStringToObject(json, "sha256", what_is_sent(r));
    for (size_t i = 0; i < r->count; i++)
        cJSON_AddStringToObject(robots, r->job[i].robot->name, outcome_table[r->job[i].outcome].word);
    char *text = cJSON_Print(json);
    int err = text != NULL ? new_file_save(path, new_file_usual_mode(), text, strlen(text)) : ENOMEM;
    if (err != 0)
        trouble_say(TROUBLE_FILE_UNWRITABLE, "file", path, regular_file_words(err));
    free(text);
    cJSON_Delete(json);
    return err == 0;
}
