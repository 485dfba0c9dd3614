/* SPDX-License-Identifier: Apache-2.0 */
/* CMake wants one source of a program whose objects all come out of libraries. */
typedef int empty;
