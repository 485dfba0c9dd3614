/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TEST_DOCUMENT_H
#define TEST_DOCUMENT_H

/* Tables of docs/ that are made from sources. Between `<!-- begin: SOURCE -->` and `<!-- end -->` of the
 * document stands exactly `table`, or the test fails and names the command that writes it anew. */
void document_has(const char *path, const char *source, const char *table);

/* What a program prints, to be freed; the test fails where it cannot be run. */
char *document_printed_by(const char *program);

#endif
