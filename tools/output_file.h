/* SPDX-License-Identifier: Apache-2.0 */
/* -o FILE: what goes to standard output goes into a file instead, which has its name only once it is whole. */
#ifndef AIMG_TOOLS_OUTPUT_FILE_H
#define AIMG_TOOLS_OUTPUT_FILE_H

#include <stdbool.h>

struct output_file {
    const char *path; /* NULL or "-": standard output as it is */
    char *part;       /* written under this name; NULL: path itself, which is no regular file */
};

/* Print what is wrong; return an exit_code. path: borrowed until the end. */
int output_file_begin(struct output_file *file, const char *path);
/* Ends standard output as output_finish does. keep: the file gets its name, else it goes. */
int output_file_end(struct output_file *file, int code, bool keep);

#endif
