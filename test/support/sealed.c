/* SPDX-License-Identifier: Apache-2.0 */
#include "sealed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "trust/seal.h"

void sealed(const struct otapult_port *port)
{
    struct otapult_seal seal;

    otapult_seal_open(&seal, port);
    assert_int_equal(otapult_seal_renew(&seal), 0);
}
