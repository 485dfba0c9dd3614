/* SPDX-License-Identifier: Apache-2.0 */
/* The Russian texts of resumable uploads (src/web/uploads.c), linked only where that part and Russian
 * are both in the firmware (language.h). */
#define ROW_OF_resume(...) __VA_ARGS__
#include "base/russian_part.h"

const struct otapult_language_part otapult_russian_of_resume = {rows, words};
