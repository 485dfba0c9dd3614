/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ROVER_BOARD_H
#define ROVER_BOARD_H

#include <stdbool.h>
#include <stdint.h>

#include "otapult/otapult.h"

/* The rover on an ESP32-S3: what rover.h asks of its hardware, and the order in which it comes up. One
 * board, so the files of this folder keep their state to themselves. */

/* ---- main.c ---- */

/* Brings everything up; in safe mode network and page, and the motors not at all. */
void rover_board_start(void);

/* Stops the motors when a drive command has ended. To be called every 20 to 100 ms, for ever. */
void rover_board_poll(void);

/* ---- motors.c: two motors on an H-bridge, driven by the LEDC peripheral ---- */

/* false: a pin or the peripheral is not to be had. Leaves the motors stopped. */
bool motors_start(void);

/* Power in per cent, -100 to 100; 0 takes the pins low. From any task, not from two at once. */
void motors_set(int left, int right);

/* Did motors_start() succeed, and does the peripheral hold what it was told last? What was told less than
 * one PWM cycle ago it does not hold yet. */
bool motors_are_there(void);
bool motors_answer(void);

/* ---- network.c: a WiFi station that opens its own network when it cannot join one ---- */

enum network_state {
    NETWORK_JOINING, /* neither yet */
    NETWORK_JOINED,  /* the station has an address */
    NETWORK_OWN,     /* its own network is up; the station goes on trying */
    NETWORK_BROKEN,  /* the radio did not start */
};

/* Starts the radio. Returns at once. NVS must have been initialised: otapult_esp_start() does it. */
void network_start(void);

/* Opens the own network when joining has taken too long. To be called now and then. */
void network_poll(void);

enum network_state network_state(void);

/* true: there is a network which the settings name, so NETWORK_OWN means that it was not found. */
bool network_has_station(void);

/* Announces http://NAME.local:`port`/ by mDNS, https:// in the secure profile. */
void network_announce(uint16_t port);

/* ---- releases.c: those that the rover fetches by itself, CONFIG_ROVER_FOLDER or CONFIG_ROVER_HAWKBIT; without
 * either both do nothing ---- */

/* Sets config->pull, which stays NULL where the source cannot be asked: the log says why. */
void releases_configure(struct otapult_config *config);

/* Starts to ask. The device must be started. */
void releases_start(void);

/* ---- folder.c or hawkbit.c: the source of releases.c ---- */

struct otapult_pull;

/* Sets pull->source and pull->source_config, and in *config what it needs of the device. false: it cannot be asked. */
bool source_configure(struct otapult_pull *pull, struct otapult_config *config);

/* ---- owner.c: who stands before the rover, in the secure profile ---- */

/* As otapult_config.show_password: text and QR code on the console. */
bool owner_show_password(void *app, const char *password);

/* Makes and shows a new password where the button (BOOT) is held now and for 3 seconds more; returns at once
 * when it is not. Not at the reset itself: held then, the chip waits for a download instead of starting. */
void owner_look_for_button(void);

#endif
