/* SPDX-License-Identifier: Apache-2.0 */
/* -o FILE: what goes to standard output goes into a file instead, which has its name only once it is whole. */
#ifndef AIMG_TOOLS_OUTPUT_FILE_H
#define AIMG_TOOLS_OUTPUT_FILE_H

struct output_file {
    const char *path; /* as it was given; NULL: standard output as it is */
    char *target;     /* where path leads; NULL with part */
    char *part;       /* written under this name, beside target; NULL: path itself, which is no regular file */
};

/* Print what is wrong; return an exit_code. path: borrowed until the end; NULL or "-" is standard output. archive: what is read,
 * which path must not name. While a file is being made a signal only makes interrupt_pending true, so that the caller ends. */
int output_file_begin(struct output_file *file, const char *path, const char *archive);
/* Ends standard output as output_finish does. The file gets its name with EXIT_DONE, else it goes. */
int output_file_end(struct output_file *file, int code);

#endif
