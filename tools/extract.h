/* SPDX-License-Identifier: Apache-2.0 */
/* Files below one directory, and never outside it: their names come from archives that anyone may have written.
 * All functions return 0 or an errno; extract_reason has the words for it. */
#ifndef AIMG_TOOLS_EXTRACT_H
#define AIMG_TOOLS_EXTRACT_H

#include "number_set.h"

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* The files of this run, so that one of its images never takes the place of another one that only this file system calls the
 * same: 'A.jpg' and 'a.jpg'. The names cannot tell, each file system has its own rules. */
struct extract_written {
    pthread_mutex_t lock; /* also held from looking at a place to replacing what is there */
    struct number_set inodes;
};

struct extract_root {
    int fd; /* -1: the directory is not there */
    dev_t device;
    bool stepwise;        /* the kernel has no openat2 */
    dev_t archive_device; /* the archive itself is never replaced */
    ino_t archive_inode;
    struct extract_written *written; /* NULL unless files are replaced */
};

/* path: where to unpack; a symbolic link to a directory is followed, for the caller chose it. make: create it, parents too;
 * without it, a directory that is not there gives 0 and fd -1. */
int extract_root_open(struct extract_root *root, const char *path, const char *archive, bool make);
void extract_root_close(struct extract_root *root);

/* The folder of the last file; files that follow each other mostly share it. One for each thread. */
struct extract_folder {
    const struct extract_root *root;
    int fd;             /* -1: none */
    int error;          /* what entering `path` gave */
    bool known;         /* path, fd and error mean something */
    uint64_t temporary; /* number of the next temporary name */
    size_t path_bytes;
    char path[1025];
};

void extract_folder_init(struct extract_folder *folder, const struct extract_root *root);
void extract_folder_fini(struct extract_folder *folder);

/* Opens the folder that a name lies in, below the root, across no symbolic link and no mount point. make: create what is missing.
 * EINVAL for a name that no archive may hold, EILSEQ for one that the file system refuses. *base_out: the last part of the name.
 */
int extract_folder_enter(struct extract_folder *folder, const char *name, size_t name_bytes, bool make, const char **base_out);

/* Whether anything stands at that place of the folder: EISDIR, EEXIST, or 0. */
int extract_check_free(const struct extract_folder *folder, const char *base);

/* Whether a regular file with exactly these bytes stands there: 0, and it counts as written; ENOENT: nothing does; EEXIST:
 * something else does. */
int extract_compare(const struct extract_folder *folder, const char *base, const void *data, uint64_t bytes);

struct extract_file {
    const void *data;
    uint64_t bytes;
    bool replace; /* whatever stands there, but for a folder and the archive */
    bool has_mtime;
    int64_t mtime_ns;
    int mtime_error; /* set by extract_write: 0, or why the file that was written has the time of now */
};

/* Writes the file under a temporary name and renames it, so that a file is whole or not there. EEXIST without replace when the
 * place is taken; ENOTUNIQ with replace when a file of this run is there. EILSEQ: the file system refuses the name. EINTR when
 * interrupt_pending. No failure leaves the temporary. */
int extract_write(struct extract_folder *folder, const char *base, struct extract_file *file);

const char *extract_reason(int error);

/* Whether the next file would most likely meet the same: the disk is full, read-only or broken. */
bool extract_is_fatal(int error);

#endif
