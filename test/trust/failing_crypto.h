/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TEST_TRUST_FAILING_CRYPTO_H
#define TEST_TRUST_FAILING_CRYPTO_H

/* A crypto library of which one call fails. Whoever links failing_crypto.c calls its functions in the place of the
 * library's, which they go on to. */

/* From now on call number n (from 1) fails and does nothing; 0: none. */
void crypto_fails_at(unsigned n);

/* How many calls there were since then. */
unsigned crypto_calls(void);

#endif
