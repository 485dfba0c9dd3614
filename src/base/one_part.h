/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OTAPULT_BASE_ONE_PART_H
#define OTAPULT_BASE_ONE_PART_H

/* For a source that collects the rows of one part out of a table of errors.def or words.def. It says which by
 * `#define ROW_OF_pull(...) __VA_ARGS__` before it includes this; the rows of the other parts are nothing then. */

#ifndef ROW_OF_core
#define ROW_OF_core(...)
#endif
#ifndef ROW_OF_secure
#define ROW_OF_secure(...)
#endif
#ifndef ROW_OF_pull
#define ROW_OF_pull(...)
#endif
#ifndef ROW_OF_resume
#define ROW_OF_resume(...)
#endif
#ifndef ROW_OF_gzip
#define ROW_OF_gzip(...)
#endif
#ifndef ROW_OF_patch
#define ROW_OF_patch(...)
#endif

#endif
