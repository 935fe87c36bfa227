/* SPDX-License-Identifier: Apache-2.0 */
/* Files, the page cache and the processors: what must be the same for every contender before the clock starts. */
#ifndef BENCH_FILES_H
#define BENCH_FILES_H

#include <stdint.h>

#include "bench.h"

/* 0 when there is no such file. */
uint64_t files_bytes(const char *path);

/* Bytes that a folder takes on the disk, its directories included. */
uint64_t files_tree_bytes(const char *path);

/* Removes a file or a whole folder; nothing there is fine. */
void files_remove(const char *path);

/* Makes a folder and those above it. */
void files_make_directory(const char *path);

/* Opens for reading, or ends the process. */
int files_open(const char *path);

/* Writes all of it, or ends the process. */
void files_write(int fd, const char *path, const uint8_t *data, size_t bytes);

/* Maps all of a file for reading; *bytes_out is its size. Closes nothing but what it opened. */
const uint8_t *files_map(const char *path, size_t *bytes_out);

/* Takes the file out of the page cache. It must not be mapped. */
void files_drop(const char *path);

/* Reads the file from begin to end. What was written a minute ago need not be in memory any more: some kernels reclaim early. */
void files_warm(const char *path);

/* Reads the file anew, so that the cached pages of all containers are laid out by one and the same read-ahead and not by the
 * sizes of the writes that made them: large pages in the cache would favour who happened to write in large pieces. */
void files_settle(const char *path);

/* Empties the page cache and the caches of names: the whole machine's as root, else only of the file. Returns 1 as root. */
int files_drop_all(const char *path);

/* Fills the page tables of every mapping of this file in this process, whoever made it. */
void files_populate(const char *path);

/* Binds the calling thread to the n-th processor that the process may use. */
void files_pin(unsigned processor);

/* Undoes files_pin for the calling thread. */
void files_unpin(void);

/* Writes back all that is dirty on the file system of the path. */
void files_sync(const char *path);

/* Runs a command in a folder (NULL: this one) with output thrown away. Returns its exit status; 127 when it is not there. */
int files_run(const char *directory, char *const arguments[]);

#endif
