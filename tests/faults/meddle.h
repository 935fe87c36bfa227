/* SPDX-License-Identifier: Apache-2.0 */
/* What another process may do to an archive that is being read. */
#ifndef AIMG_TEST_MEDDLE_H
#define AIMG_TEST_MEDDLE_H

void meddle_cut(const char *archive);       /* to half of it */
void meddle_empty(const char *archive);     /* to nothing */
void meddle_punch(const char *archive);     /* a hole behind the head */
void meddle_overwrite(const char *archive); /* turns bits in every tenth byte behind the head; again, and it is as it was */

#endif
