/* SPDX-License-Identifier: Apache-2.0 */
/* Between the library and the system: the n-th call of a program that is linked with this fails, falls short, or all from it on.
 * The calls that tests/oom/CMakeLists.txt wraps are those that the library makes. */
#ifndef AIMG_TEST_FILE_FAULTS_H
#define AIMG_TEST_FILE_FAULTS_H

#include <stdbool.h>
#include <stdint.h>

enum file_fault {
    FILE_FAULT_NONE,
    FILE_FAULT_ERRNO, /* the call does nothing; a close closes */
    FILE_FAULT_SHORT, /* reads and writes take half of the bytes */
    FILE_FAULT_END    /* reads find the end of the file */
};

extern struct file_faults {
    enum file_fault kind;
    int error;
    bool on;                 /* all calls from that one on, of the same name */
    uint64_t fail_at, calls; /* the call, from 1, that fails; how many that can fail so there were */
    uint64_t fired;
    const char *first; /* name of the first that failed */
    bool sync_failed;
    uint64_t after_sync; /* writes and syncs after a sync that failed */
} file_faults;

#endif
