/* SPDX-License-Identifier: Apache-2.0 */
#include "tree_record.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Half a million names of usual length. */
enum { MOST_BYTES = 16 << 20, FIRST_BYTES = 1 << 16 };

/* One entry in the record, followed by its path and a zero byte. */
struct entry_head {
    const char *trouble;
    size_t number;
    int32_t sys_errno;
    uint16_t path_bytes, leaf;
    uint8_t type, loop;
};

struct tree_record {
    char *bytes;
    size_t used, capacity;
    size_t at;     /* of the next entry */
    size_t number; /* that of the last entry, and where it lies: */
    struct tree_directory *directory;
    char folder[4400];
    bool lost; /* it could not be opened */
};

struct tree_record *tree_record_create(void)
{
    return calloc(1, sizeof(struct tree_record));
}

static bool reserve(struct tree_record *record, size_t bytes)
{
    if (record->capacity - record->used >= bytes)
        return true;
    size_t capacity = record->capacity == 0 ? FIRST_BYTES : record->capacity * 2;
    if (capacity > MOST_BYTES)
        return false;
    char *grown = realloc(record->bytes, capacity);
    if (grown == NULL)
        return false;
    record->bytes = grown;
    record->capacity = capacity;
    return true;
}

bool tree_record_add(struct tree_record *record, size_t number, const struct tree_entry *entry)
{
    struct entry_head head = {.trouble = entry->trouble,
                              .number = number,
                              .sys_errno = entry->sys_errno,
                              .path_bytes = (uint16_t)entry->path_bytes,
                              .leaf = (uint16_t)entry->leaf,
                              .type = entry->type,
                              .loop = entry->loop};
    if (!reserve(record, sizeof head + entry->path_bytes + 1))
        return false;
    memcpy(record->bytes + record->used, &head, sizeof head);
    memcpy(record->bytes + record->used + sizeof head, entry->path, entry->path_bytes + 1);
    record->used += sizeof head + entry->path_bytes + 1;
    return true;
}

static void leave_folder(struct tree_record *record)
{
    tree_directory_release(record->directory);
    record->directory = NULL;
    record->lost = false;
}

void tree_record_rewind(struct tree_record *record)
{
    leave_folder(record);
    record->at = 0;
}

static bool is_in_folder(const struct tree_record *record, size_t number, const char *path, size_t leaf)
{
    return record->number == number && (record->directory != NULL || record->lost) && strlen(record->folder) == leaf &&
           memcmp(record->folder, path, leaf) == 0;
}

static void enter_folder(struct tree_record *record, size_t number, const char *root, const char *path, size_t leaf)
{
    leave_folder(record);
    record->number = number;
    memcpy(record->folder, path, leaf);
    record->folder[leaf] = '\0';
    char full[8600];
    int bytes = snprintf(full, sizeof full, "%s/%s", root, record->folder);
    int fd = -1;
    errno = ENAMETOOLONG;
    if (bytes > 0 && (size_t)bytes < sizeof full)
        fd = open(full, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0)
        record->directory = tree_directory_create(fd);
    record->lost = record->directory == NULL;
}

bool tree_record_has(const struct tree_record *record, size_t number)
{
    struct entry_head head;
    if (record->at == record->used)
        return false;
    memcpy(&head, record->bytes + record->at, sizeof head);
    return head.number == number;
}

bool tree_record_next(struct tree_record *record, size_t number, const char *root, struct tree_entry *entry_out)
{
    while (tree_record_has(record, number)) {
        struct entry_head head;
        memcpy(&head, record->bytes + record->at, sizeof head);
        const char *path = record->bytes + record->at + sizeof head;
        record->at += sizeof head + head.path_bytes + 1;
        *entry_out = (struct tree_entry){.path = path,
                                         .path_bytes = head.path_bytes,
                                         .leaf = head.leaf,
                                         .type = head.type,
                                         .trouble = head.trouble,
                                         .sys_errno = head.sys_errno,
                                         .loop = head.loop != 0};
        if (is_in_folder(record, number, path, head.leaf)) {
            if (record->lost)
                continue;
        } else {
            enter_folder(record, number, root, path, head.leaf);
            if (record->lost) {
                entry_out->trouble = "its folder cannot be opened again";
                entry_out->sys_errno = errno;
                return true;
            }
        }
        entry_out->directory = record->directory;
        return true;
    }
    return false;
}

void tree_record_free(struct tree_record *record)
{
    if (record == NULL)
        return;
    leave_folder(record);
    free(record->bytes);
    free(record);
}
