/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OTAPULT_WEB_JSON_READ_H
#define OTAPULT_WEB_JSON_READ_H

#include <stdbool.h>
#include <stddef.h>

/* The few short bodies of the core's own API: one JSON object (RFC 8259) whose members are all strings.
 * The core has no heap for a real parser. Everything else, also where it is valid JSON, is refused. */

/* Copies the string of `key` into dst[cap], terminated. false, with dst "": the text is anything else than
 * such an object, the key is not there or there twice, or its value holds a NUL or does not fit. */
bool otapult_json_member(const char *text, size_t len, const char *key, char *dst, size_t cap);

#endif
