/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TEST_ONLY_H
#define TEST_ONLY_H

/* TEST=name build/asan/test/test_device: only the tests whose name contains that. Every test program has this
 * linked in (test/CMakeLists.txt) and calls nothing: it happens before main(). */
void test_only(void);

#endif
