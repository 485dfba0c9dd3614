/* SPDX-License-Identifier: Apache-2.0 */
/* Debian has cJSON in a folder of its own, ESP-IDF has not. */
#include <cJSON.h>
