/* SPDX-License-Identifier: Apache-2.0 */
/* The Russian texts of the patch decoder, linked only where that part and Russian
 * are both in the firmware (language.h). */
#define ROW_OF_patch(...) __VA_ARGS__
#include "base/russian_part.h"

const struct otapult_language_part otapult_russian_of_patch = {rows, words};
