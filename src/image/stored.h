/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OTAPULT_IMAGE_STORED_H
#define OTAPULT_IMAGE_STORED_H

#include "otapult/image.h"
#include "otapult/otapult.h"

/* Names the build of an app image that lies in flash and carries no ELF digest: by the SHA-256 at its end, to which
 * the headers of its segments lead. `head` is what stands in the flash from 0 on, or will stand there once the image is
 * whole; `desc` its description, in which `build` is set. Where no SHA-256 can be found the build stays zeros: nothing
 * here judges, and an image that was written half may say anything. 0 or the error of the flash. */
OTAPULT_MUST_CHECK int otapult_name_stored(const struct otapult_flash *flash,
                                           const uint8_t head[OTAPULT_HEAD_SIZE],
                                           struct otapult_app_desc *desc);

#endif
