/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_ASK_H
#define CLI_ASK_H

#include "fleet.h"

/* What the verbs that ask robots something have in common. */

/* What --inventory means to a verb that takes any number of robots: without a ROBOT all of the file. */
#define ALL_OF_INVENTORY "robots and groups by name, all of FILE without a ROBOT; unless said, robots.ini in the configuration folder"

/* The options every one of them takes, for a row of struct verb_option. */
#define ROBOT_OPTIONS                                                                                      \
    {OPTION_INVENTORY, ALL_OF_INVENTORY}, {OPTION_DISCOVER, NULL}, {OPTION_TOKEN, NULL}, {OPTION_FIRST_USE, NULL},         \
        {OPTION_TIMEOUT, NULL}, {OPTION_JSON, NULL}

/* Opens the fleet that the operands name, asks all of them, and calls `each`: the largest status. */
int ask_robots(const struct options *options, int (*each)(struct robot *r, const struct options *options));

/* A talk with robots that takes more than one question. */
struct talk {
    void (*begin)(void *ctx, struct robot *r, struct wire *w); /* the first question */
    int  (*end)(void *ctx, struct robot *r); /* after the last answer of all, or Ctrl-C: what is to be said, and a status */
    void *ctx;
};

/* Opens the fleet that the operands name and talks with all of it at once: the largest status. */
int talk_with_robots(const struct options *options, const struct talk *talk);

/* Prints JSON text of a robot's on one line, under its name, with nothing in it that a terminal obeys. */
void print_robot_json(const struct robot *r, const char *text);

/* The JSON line of a robot that did what it was told, and STATUS_OK. */
int print_done(const struct robot *r, const char *message);

/* "2.0.0 (1f2e3d4c)" */
#define IMAGE_TEXT 100
void image_text(const struct device_image *image, char dst[IMAGE_TEXT]);

#endif
