/* SPDX-License-Identifier: Apache-2.0 */
#include "rollout_view.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "ask.h"
#include "new_file.h"

/* Progress on standard error: where that is a terminal, a line a robot that is rewritten in place; else a
 * line an event. Outcomes on standard output: a table, or JSON. */

#define DRAW_MS 200u
#define LINE    300

struct view {
    struct rollout *rollout;
    struct wire_timer timer;
    bool moves, colour; /* standard error is a terminal */
    unsigned drawn;     /* lines that are rewritten */
    unsigned columns, lines;
    int name_width;
};

/* ---- words ---- */

static void new_image(const struct job *j, char dst[IMAGE_TEXT])
{
    struct device_image image = {.there = true};

    snprintf(image.version, sizeof image.version, "%s", j->version);
    snprintf(image.build, sizeof image.build, "%s", j->build);
    image_text(&image, dst);
}

void outcome_text(const struct job *j, char dst[600])
{
    const char *words = outcome_table[j->outcome].words;
    char image[IMAGE_TEXT];

    new_image(j, image);
    switch (j->outcome) {
    case OUTCOME_CONFIRMED:
    case OUTCOME_STAGED: snprintf(dst, 600, "%s %s", words, image); break;
    case OUTCOME_SAME: snprintf(dst, 600, "%s %s", words, j->words); break;
    case OUTCOME_ALREADY: snprintf(dst, 600, "%s it, %s", words, image); break;
    case OUTCOME_NOT_BACK: snprintf(dst, 600, "%s %s", words, j->words); break;
    default: snprintf(dst, 600, "%s%s%s", words, j->words[0] != '\0' ? ": " : "", j->words); break;
    }
}

static void size_short(uint64_t bytes, char dst[24])
{
    if (bytes < 1024u * 1024u)
        snprintf(dst, 24, "%.0f KB", (double)bytes / 1024);
    else
        snprintf(dst, 24, "%.2f MB", (double)bytes / (1024 * 1024));
}

static void sending_text(const struct job *j, char dst[LINE])
{
    char sent[24], total[24], rate[24];
    uint64_t ms = wire_now() - j->send_began + 1;
    double per_s = (double)j->sent * 1000.0 / (double)ms;
    unsigned percent = j->form_len > 0 ? (unsigned)(j->sent * 100u / j->form_len) : 0;

    size_short(j->sent, sent);
    size_short(j->form_len, total);
    size_short((uint64_t)per_s, rate);
    if (j->sent >= j->form_len && j->form_len > 0)
        snprintf(dst, LINE, "sent %s, the robot verifies it", total);
    else if (per_s > 0)
        snprintf(dst, LINE, "%3u %%  %s of %s, %s/s, %.0f s left", percent, sent, total, rate,
                 (double)(j->form_len - j->sent) / per_s);
    else
        snprintf(dst, LINE, "sending %s", total);
}

static void state_text(const struct job *j, char dst[LINE])
{
    const struct device *d = &j->robot->device;
    uint64_t now = wire_now();

    switch (j->state) {
    case JOB_PACKING: snprintf(dst, LINE, "making a patch from %s", j->robot->device.image.build); break;
    case JOB_SENDING: sending_text(j, dst); break;
    case JOB_RESTARTING:
        snprintf(dst, LINE, "restarting, %u s left",
                 (unsigned)(j->deadline > now ? (j->deadline - now) / 1000 : 0));
        break;
    case JOB_TRIAL:
        snprintf(
            dst, LINE, "on trial: %.100s, %u s left", d->waiting_for[0] != '\0' ? d->waiting_for : "waits",
            (unsigned)((d->confirm_left_ms > d->soak_left_ms ? d->confirm_left_ms : d->soak_left_ms) / 1000));
        break;
    default: snprintf(dst, LINE, "asking what it is"); break;
    }
}

/* ---- lines that move ---- */

static void erase(struct view *v)
{
    if (v->drawn > 0)
        fprintf(stderr, "\033[%uA\033[J", v->drawn);
    v->drawn = 0;
}

/* Cut where the terminal ends: a line that wraps could not be rewritten. */
static void put_line(struct view *v, const char *name, const char *text)
{
    unsigned column = 0, width = v->columns - 1;
    char line[LINE + 200];

    snprintf(line, sizeof line, "%-*s  %s", v->name_width, name, text);
    for (const char *c = line; *c != '\0' && (column < width || ((unsigned char)*c & 0xC0u) == 0x80u); c++) {
        fputc(*c, stderr);
        column += ((unsigned char)*c & 0xC0u) != 0x80u;
    }
    fputc('\n', stderr);
    v->drawn++;
}

static void draw(struct view *v)
{
    const struct rollout *r = v->rollout;
    char text[LINE];
    unsigned left = 0;

    erase(v);
    for (size_t i = 0; i < r->count; i++) {
        const struct job *j = &r->job[i];
        if (j->state == JOB_QUEUED || j->state == JOB_DONE)
            continue;
        if (v->drawn + 2 > v->lines) {
            left++;
            continue;
        }
        state_text(j, text);
        put_line(v, j->robot->name, text);
    }
    if (left > 0) {
        snprintf(text, sizeof text, "and %u more", left);
        put_line(v, "", text);
    }
    fflush(stderr);
}

static void tick(void *ctx)
{
    struct view *v = ctx;

    draw(v);
    if (v->rollout->active == 0)
        return;
    v->timer = (struct wire_timer){.ctx = v, .fire = tick};
    wire_after(v->rollout->wire, &v->timer, DRAW_MS);
}

/* ---- beginning ---- */

static void measure(struct view *v)
{
    struct winsize size;
    bool known = ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 && size.ws_row > 0;

    v->columns = known ? size.ws_col : 80;
    v->lines = known ? size.ws_row : 24;
    for (size_t i = 0; i < v->rollout->count; i++) {
        int n = (int)strlen(v->rollout->job[i].robot->name);
        if (n > v->name_width)
            v->name_width = n < 32 ? n : 32;
    }
}

struct view *view_open(struct rollout *r)
{
    struct view *v = calloc(1, sizeof *v);
    const char *term = getenv("TERM");

    if (v == NULL)
        return NULL;
    v->rollout = r;
    v->moves = isatty(STDERR_FILENO) == 1 && term != NULL && strcmp(term, "dumb") != 0 && !say_is_quiet() &&
               !say_as_json() && !say_is_verbose();
    v->colour = say_in_colour(STDOUT_FILENO);
    measure(v);
    if (v->moves) {
        v->timer = (struct wire_timer){.ctx = v, .fire = tick};
        wire_after(r->wire, &v->timer, 0);
    }
    return v;
}

/* A line an event, where nothing moves: what is sent, and what is waited for. */
void view_began(struct rollout *r, const struct job *j)
{
    char text[LINE], total[24];

    if (r->view == NULL || r->view->moves || say_is_quiet() || say_as_json())
        return;
    size_short(j->form_len, total);
    switch (j->state) {
    case JOB_SENDING: snprintf(text, sizeof text, "sending %s, %s", total, j->form_word); break;
    case JOB_RESTARTING: snprintf(text, sizeof text, "restarting"); break;
    case JOB_PACKING:
    case JOB_TRIAL: state_text(j, text); break;
    default: return;
    }
    fprintf(stderr, "%s: %s\n", j->robot->name, text);
}

/* ---- outcomes ---- */

static void json_done(const struct job *j)
{
    char text[4096];
    struct otapult_json o;
    const struct outcome_row *row = &outcome_table[j->outcome];

    otapult_json_init(&o, text, sizeof text);
    otapult_json_open(&o, NULL, '{');
    otapult_json_str(&o, "robot", j->robot->name);
    otapult_json_str(&o, "name", j->robot->device.name[0] != '\0' ? j->robot->device.name : NULL);
    otapult_json_str(&o, "outcome", row->word);
    otapult_json_bool(&o, "proved", row->proved);
    otapult_json_str(&o, "version", j->version);
    otapult_json_str(&o, "build", j->build);
    otapult_json_str(&o, "before", j->before.version);
    otapult_json_str(&o, "form", j->form_word);
    otapult_json_num(&o, "sent", (uint32_t)j->form_len);
    otapult_json_num(&o, "ms", j->began != 0 ? (uint32_t)(wire_now() - j->began) : 0);
    if (j->fault.status != 0)
        json_fault(&o, &j->fault);
    else
        otapult_json_str(&o, "detail", j->words);
    otapult_json_close(&o, '}');
    json_print(&o);
    fflush(stdout);
}

void view_done(struct rollout *r, const struct job *j)
{
    char text[600], called[ROBOT_CALLED];

    if (say_as_json())
        json_done(j);
    if (r->view == NULL || say_is_quiet() || say_as_json() || r->count == 1)
        return;
    if (r->view->moves)
        erase(r->view);
    outcome_text(j, text);
    robot_called(j->robot, called);
    fprintf(stderr, "%s: %s\n", called, text);
    if (r->view->moves)
        draw(r->view);
}

/* ---- the end ---- */

static const char *colour_of(const struct view *v, const struct job *j)
{
    if (v == NULL || !v->colour)
        return "";
    return job_status(j) == STATUS_OK ? "\033[32m" : "\033[31m";
}

/* How wide the column of names is; 0 where the table has one row. */
static int table_width(const struct rollout *r)
{
    char called[ROBOT_CALLED];
    int width = 0;

    for (size_t i = 0; i < r->count && r->count > 1 && r->view != NULL; i++) {
        robot_called(r->job[i].robot, called);
        int n = (int)strlen(called);
        if (n > width)
            width = n < 48 ? n : 48;
    }
    return width;
}

static void print_table(const struct rollout *r)
{
    char text[600], called[ROBOT_CALLED];
    const struct view *v = r->view;
    const int width = table_width(r);

    for (size_t i = 0; i < r->count; i++) {
        const struct job *j = &r->job[i];
        const char *colour = colour_of(v, j);
        outcome_text(j, text);
        robot_called(j->robot, called);
        printf("%-*s  %s%s%s\n", width, called, colour, text, colour[0] != '\0' ? "\033[0m" : "");
        if (j->fault.hint[0] != '\0' && !say_is_quiet() && r->count == 1)
            fprintf(stderr, "  hint   %s\n", j->fault.hint);
    }
}

static unsigned count_proved(const struct rollout *r)
{
    unsigned n = 0;

    for (size_t i = 0; i < r->count; i++)
        n += outcome_table[r->job[i].outcome].proved;
    return n;
}

/* A robot that was named twice counts once. */
static unsigned count_robots(const struct rollout *r)
{
    unsigned n = 0;

    for (size_t i = 0; i < r->count; i++)
        n += r->job[i].outcome != OUTCOME_SAME;
    return n;
}

static void json_summary(const struct rollout *r)
{
    char text[600];
    struct otapult_json o;
    bool good = true;

    for (size_t i = 0; i < r->count; i++) {
        good = good && job_status(&r->job[i]) == STATUS_OK;
        if (r->job[i].outcome == OUTCOME_NOT_STARTED || r->job[i].outcome == OUTCOME_INTERRUPTED)
            json_done(&r->job[i]);
    }
    otapult_json_init(&o, text, sizeof text);
    otapult_json_open(&o, NULL, '{');
    otapult_json_bool(&o, "success", good);
    otapult_json_num(&o, "robots", count_robots(r));
    otapult_json_num(&o, "proved", count_proved(r));
    otapult_json_str(&o, "stopped", r->stopped ? r->why_stopped : NULL);
    otapult_json_close(&o, '}');
    json_print(&o);
}

void view_close(struct rollout *r)
{
    if (r->view != NULL && r->view->moves)
        erase(r->view);
    fflush(stderr);
    if (say_as_json()) {
        json_summary(r);
    } else {
        print_table(r);
        if (r->count > 1)
            printf("%u of %u proved%s%s\n", count_proved(r), count_robots(r), r->stopped ? "; stopped: " : "",
                   r->stopped ? r->why_stopped : "");
    }
    free(r->view);
    r->view = NULL;
}

/* ---- JUnit ---- */

/* Texts are clean UTF-8; what XML takes for itself is spelt out. */
static void xml_text(FILE *f, const char *text)
{
    for (; *text != '\0'; text++) {
        switch (*text) {
        case '<': fputs("&lt;", f); break;
        case '>': fputs("&gt;", f); break;
        case '&': fputs("&amp;", f); break;
        case '"': fputs("&quot;", f); break;
        default: fputc(*text, f); break;
        }
    }
}

static bool is_skipped(const struct job *j)
{
    return j->outcome == OUTCOME_OFFLINE || j->outcome == OUTCOME_NOT_STARTED || j->outcome == OUTCOME_SAME;
}

static void xml_case(FILE *f, const struct job *j)
{
    char text[600];

    outcome_text(j, text);
    fputs("  <testcase classname=\"otapult\" name=\"", f);
    xml_text(f, j->robot->name);
    if (outcome_table[j->outcome].proved) {
        fputs("\"/>\n", f);
        return;
    }
    fprintf(f, "\"><%s message=\"", is_skipped(j) ? "skipped" : "failure");
    xml_text(f, text);
    fputs("\"/></testcase>\n", f);
}

static void xml_suite(FILE *f, const struct rollout *r)
{
    unsigned skipped = 0;

    for (size_t i = 0; i < r->count; i++)
        skipped += is_skipped(&r->job[i]);
    fprintf(
        f,
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuite name=\"otapult\" tests=\"%zu\" failures=\"%zu\" "
        "skipped=\"%u\">\n",
        r->count, r->count - count_proved(r) - skipped, skipped);
    for (size_t i = 0; i < r->count; i++)
        xml_case(f, &r->job[i]);
    fputs("</testsuite>\n", f);
}

int view_write_junit(const struct rollout *r, const char *path)
{
    char *text = NULL;
    size_t len = 0;
    FILE *f = open_memstream(&text, &len);

    if (f == NULL)
        return errno;
    xml_suite(f, r);
    int err = fclose(f) == 0 ? new_file_save(path, new_file_usual_mode(), text, len) : ENOMEM;
    free(text);
    return err;
}
