/* SPDX-License-Identifier: Apache-2.0 */
#include "otapult/http.h"
#include "otapult/offer.h"
#include "update/common.h"
#include "web/multipart.h"

/* The RAM table of `make size`: an array as long as each struct, read back out of the object file. */
#define SIZE_OF(type, name)                         \
    extern const char size_of_##name[sizeof(type)]; \
    const char size_of_##name[sizeof(type)] = {0}
#define STRUCT(name) SIZE_OF(struct otapult_##name, name)

SIZE_OF(union otapult_memory, memory);
SIZE_OF(struct otapult, device);
STRUCT(config);
STRUCT(session);
STRUCT(judge);
STRUCT(recognise);
STRUCT(inspect);
STRUCT(slot_writer);
STRUCT(multipart);
STRUCT(sha256);
STRUCT(image_info);
STRUCT(status);
STRUCT(exchange);
STRUCT(log_entry);
SIZE_OF(union otapult_pull_memory, pull_memory);
