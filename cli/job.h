/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_JOB_H
#define CLI_JOB_H

#include "fleet.h"
#include "kinds.h"
#include "outcomes.h"
#include "payload.h"

/* One robot in a roll-out: what it waits for, what is known of it, and how it moves on. */

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
    char name[DEVICE_WORD], chip[DEVICE_WORD]; /* of the robot that was asked at first */
    char id[9];         /* of the update that it is sent: no other has it */
    bool looked_again;  /* it was busy, and was asked once more whose update it has */
    char build[20], version[DEVICE_WORD]; /* what it is to run */
    uint32_t boot;      /* in which it took the file */
    uint64_t began, deadline, send_began;
    uint64_t restart_by; /* until when the restart is waited for that it was about to make when it was asked; 0: none */
    const uint8_t *form;
    size_t form_len;
    const char *form_word;
    bool no_patch; /* it did not take one: the whole file */
    uint64_t sent, safe; /* of the form; safe: what a resumed upload has on the robot */
    uint64_t most;       /* that was ever safe of it */
    unsigned attempts;   /* since the robot last had more than ever before */
    unsigned verify_polls; /* seconds in which it had all and was busy with it */
    bool canary;
    bool given_up;       /* it was told that the rest of its upload does not come */
    bool unsure;         /* no answer came: all was sent, or the robot restarted meanwhile */
    bool bare;           /* of another kind */
    enum kind kind;
    bool kind_given;
    char referer[ROBOT_URL + 16]; /* the header, of requests to one */
    char upload_url[ROBOT_URL]; /* of a resumable upload; "": none */
    struct wire_timer timer;
};

/* What a step of a job needs of the steps before it, and of the whole. rollout.c names the functions: so each file of
 * the steps uses only those of later steps, in the order ask, bare and send, upload, return. */
struct job_ways {
    void (*ask)(struct job *j);  /* what is it? After a broken link, too: it may have restarted meanwhile */
    void (*send)(struct job *j); /* the form that suits it, from where it broke off */
    void (*began)(const struct job *j); /* has come to its state */
    void (*ended)(struct job *j);       /* has its outcome */
};

struct view;

struct rollout {
    const struct options *options;
    const struct job_ways *ways;
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

/* It waits for something else now. */
void job_come_to(struct job *j, enum job_state state);

/* It has come to its end; the words of the outcome are in j->words already, or those of the fault get there. */
void job_end(struct job *j, enum outcome outcome);
void job_fail(struct job *j, enum outcome outcome, const struct fault *f);

/* What its outcome makes of the command's status. */
int job_status(const struct job *j);

/* Calls `fire` in ms; a job waits for one thing at a time. */
void job_after(struct job *j, unsigned ms, void (*fire)(void *ctx));

/* An id for what the robot is sent next. false: there are no random numbers. */
bool job_draw_id(struct job *j);

/* The robot has so much of the form. true: more than ever before, and the attempts until then do not count. */
bool job_has(struct job *j, uint64_t safe);

/* Asks what the robot is, in ms. */
void job_ask_after(struct job *j, unsigned ms);
#define LOOK_AGAIN_MS 500u /* where what it does now is over in a moment */

/* Counts an attempt to send; false: that was tried often enough. */
bool job_try_again(struct job *j);

/* The same, and asks what the robot is after a while, longer each time; false also after Ctrl-C. */
bool job_retry(struct job *j);

#endif
