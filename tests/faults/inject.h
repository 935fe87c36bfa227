/* SPDX-License-Identifier: Apache-2.0 */
/* Runs a program and makes one of its system calls fail, fall short, or be its last; or all from that one on. Every call is seen,
 * those from within the C library too: the program is traced. Calls of the loader, before the program's entry, are not counted.
 */
#ifndef AIMG_TEST_INJECT_H
#define AIMG_TEST_INJECT_H

#include <stdbool.h>

enum call_class {
    CALL_NONE,
    CALL_OPEN,
    CALL_READ,
    CALL_WRITE, /* also what changes the size of a file */
    CALL_SYNC,
    CALL_CLOSE,
    CALL_NAME, /* rename, link, unlink, mkdir, ... */
    CALL_MAP,  /* also brk */
    CALL_THREAD,
    CALL_OTHER /* stat, seek, lock, advise, folders, attributes, random bytes */
};

enum fault_kind {
    FAULT_ERRNO,     /* the call does nothing and returns the error; a close closes */
    FAULT_SHORT,     /* a read or a write of half of the bytes */
    FAULT_END,       /* a read finds the end of the file */
    FAULT_KILL,      /* SIGKILL instead of the call */
    FAULT_KILL_HALF, /* SIGKILL after half of the write */
    FAULT_MEMORY,    /* an allocation gets nothing: memory_shim.c, no system call */
    FAULT_MEDDLE     /* before the call another process does something to a.aimg; the call itself is left alone */
};

struct fault {
    const char *name;
    enum fault_kind kind;
    int error;
    unsigned classes;                    /* bits 1 << enum call_class: of which calls the n-th is counted */
    unsigned times;                      /* so many calls of the class of the first, one after the other; 0: all from then on */
    void (*meddle)(const char *archive); /* FAULT_MEDDLE: what it does */
};

struct outcome {
    bool started, timed_out;
    int exit_code;  /* or -signal */
    long fired;     /* calls that were made to fail */
    bool must_fail; /* a sync failed, or the close of a file with bytes that were not synced: the program may not end with 0 */
    bool reused;    /* after a sync failed, more was written to that file, or it was synced again */
    char call[40];  /* the first of them: name or number, and the file */
    char path[200];
};

/* argv: without a limit of their number, ends with NULL. Standard output and error go to files of the folder it runs in. at: the
 * call, from 1, that fails; 0: none. */
void inject(char *const *argv, const char *folder, const struct fault *fault, long at, struct outcome *outcome);

/* What a child does before it becomes the program: its folder, its standard streams; no descriptors but these and `kept`. */
void inject_enter(const char *folder, int kept);

/* Whether this system lets itself be traced. */
bool inject_possible(void);

#endif
