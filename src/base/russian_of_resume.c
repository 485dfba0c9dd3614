/* SPDX-License-Identifier: Apache-2.0 */
#define ROW_OF_resume(...) __VA_ARGS__
#include "base/russian_part.h"

const struct otapult_language_part otapult_russian_of_resume = {rows, words};
