/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_ROLLOUT_H
#define CLI_ROLLOUT_H

#include "anatomy.h"
#include "builds.h"
#include "fleet.h"
#include "input.h"
#include "maker.h"
#include "patch_file.h"

/* A roll-out: one file, many robots, and the truth about each. */

enum outcome {
#define OUTCOME(id, word, words, status, proved) OUTCOME_##id,
#include "outcomes.def"
    OUTCOMES
};

struct outcome_row {
    const char *word, *words;
    int status;
    bool proved;
};
extern const struct outcome_row outcome_table[OUTCOMES];

/* ---- what is sent ---- */

/* A patch from one build, made once for all robots that run it. */
struct payload_patch {
    char from[OTAPULT_BUILD_ID_CHARS + 1];
    bool made;
    struct patch_file file; /* data NULL: there is none, or nothing is won by it */
};
#define PAYLOAD_PATCHES 16u /* builds a fleet runs; robots beyond get the whole file */

struct payload {
    struct input in;
    char version[DEVICE_WORD];
    bool is_patch;           /* the file itself is one: info and anatomy are not there */
    struct patch_info patch;
    char base[OTAPULT_BUILD_ID_CHARS + 1]; /* of the patch */
    struct builds_folder builds; /* of --builds */
    struct payload_patch patch_from[PAYLOAD_PATCHES];
    unsigned patches;
    struct maker maker;
    struct payload_patch *making; /* what it makes; NULL: nothing */
    struct otapult_image_info info;
    struct anatomy anatomy; /* its signatures */
    char build[OTAPULT_BUILD_ID_CHARS + 1];
    char sha256[65]; /* of the file */
    char md5[33];
    struct patch_file gzip; /* the same, compressed; data NULL: not yet, or not smaller */
    bool gzip_tried;
    /* the judge's last word, for the robots that are alike */
    bool judged;
    struct otapult_inspect_limits limits;
    int err;
    struct otapult_finding why;
};

/* Reads and judges the file, for whatever chip it is for. `builds`: a folder of builds to make patches from; NULL.
 * 0, or a status: it was said why. */
int payload_read(struct payload *p, const char *path, const char *builds);
void payload_free(struct payload *p);

/* Would this robot take it? true: f says why not. */
bool payload_unfit(struct payload *p, const struct device *d, struct fault *f);

/* Is a patch for this robot still being made? That takes seconds, once a build; other robots are served meanwhile, and
 * the caller asks again. */
bool payload_waits(struct payload *p, const struct device *d, bool no_patch);

/* The smallest form the robot takes: the bytes and how many. */
const uint8_t *payload_form(struct payload *p, const struct device *d, bool no_patch, size_t *len,
                            const char **word);

/* ---- devices of other kinds ---- */

enum kind {
#define KIND(id, word, probe, evidence, before, upload, field, success) KIND_##id,
#include "kinds.def"
    KINDS
};

struct kind_row {
    const char *word, *probe, *evidence, *before, *upload, *field, *success;
};
extern const struct kind_row kind_table[KINDS];
bool kind_by_word(const char *word, enum kind *out); /* false: standard error says which there are */

/* ---- one robot in it ---- */

enum job_state { /* what is waited for */
    JOB_QUEUED,
    JOB_ASKING,     /* what it is */
    JOB_PROBING,    /* what else it may be */
    JOB_PACKING,    /* a patch for it */
    JOB_SENDING,
    JOB_RESTARTING, /* that it comes back */
    JOB_TRIAL,      /* that it stays */
    JOB_DONE,
};

struct rollout;

struct job {
    struct rollout *rollout;
    struct robot *robot;
    enum job_state state;
    enum outcome outcome;
    char words[512];    /* what else is to be said of the outcome */
    struct fault fault; /* of one that went wrong */
    struct device_image before; /* what it ran */
    char name[DEVICE_WORD], chip[DEVICE_WORD]; /* who it was */
    char build[20], version[DEVICE_WORD]; /* what it is to run */
    uint32_t boot;      /* in which it took the file */
    uint64_t began, deadline, send_began;
    const uint8_t *form;
    size_t form_len;
    const char *form_word;
    bool no_patch; /* it did not take one: the whole file */
    uint64_t sent, safe; /* of the form; safe: what a resumed upload has on the robot */
    unsigned attempts;
    bool canary;
    bool unsure;         /* all was sent, and no answer came */
    bool bare;           /* of another kind */
    enum kind kind;
    bool kind_given;
    char referer[ROBOT_URL + 16]; /* the header, of requests to one */
    char upload_url[ROBOT_URL]; /* of a resumable upload; "": none */
    struct wire_timer timer;
};

struct view;

struct rollout {
    const struct options *options;
    struct payload *payload; /* NULL: what is staged is activated */
    struct fleet fleet;
    struct job *job;
    size_t count, next; /* next: the first that is still queued, in order */
    unsigned active, failures, canaries, canaries_proved;
    bool stopped;
    char why_stopped[160];
    struct wire *wire;
    struct view *view;
};

/* What its outcome makes of the command's status. */
int job_status(const struct job *j);

/* Runs it to its end, or until Ctrl-C. The largest status of its robots. */
int rollout_run(struct rollout *r);

/* ---- rollout_view.c: what people and programs see ---- */

struct view *view_open(struct rollout *r);
void view_began(struct rollout *r, const struct job *j); /* a job has come to its state */
void view_done(struct rollout *r, const struct job *j);
void view_close(struct rollout *r);                      /* the table, or the summary */
void outcome_text(const struct job *j, char dst[600]);
bool view_write_junit(const struct rollout *r, const char *path);

/* ---- rollout_state.c: --resume ---- */

/* Takes the outcomes of an earlier call from the file, which need not be there. 0, or a status. */
int state_load(struct rollout *r, const char *path);
bool state_save(const struct rollout *r, const char *path);

#endif
