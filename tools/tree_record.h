/* SPDX-License-Identifier: Apache-2.0 */
/* What walks of folders found, so that small ones need not be walked a second time. */
#ifndef AIMG_TOOLS_TREE_RECORD_H
#define AIMG_TOOLS_TREE_RECORD_H

#include "tree.h"

struct tree_record;

/* NULL when out of memory. */
struct tree_record *tree_record_create(void);
/* number: of the folder that was walked. False when the record would become too large: then it is of no use. */
bool tree_record_add(struct tree_record *record, size_t number, const struct tree_entry *entry);
void tree_record_rewind(struct tree_record *record);
/* Whether the next entry is of that folder. */
bool tree_record_has(const struct tree_record *record, size_t number);
/* Next entry of that folder as tree_next gave it; false when the folder has no more. Folders come in the order in which they were
 * added. One below it that cannot be opened again is put out as trouble, once, in place of its files. */
bool tree_record_next(struct tree_record *record, size_t number, const char *root, struct tree_entry *entry_out);
/* NULL is allowed. */
void tree_record_free(struct tree_record *record);

#endif
