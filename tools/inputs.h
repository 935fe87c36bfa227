/* SPDX-License-Identifier: Apache-2.0 */
/* What a command line of pack or add names: files one after the other, each with the name that it will be stored under. */
#ifndef AIMG_TOOLS_INPUTS_H
#define AIMG_TOOLS_INPUTS_H

#include "path_list.h"
#include "tree_record.h"

#include <stdbool.h>
#include <stddef.h>

enum {
    INPUT_PREFIX_BYTES = 1024,                                   /* longest --prefix: no name may be longer */
    INPUT_NAME_BYTES = INPUT_PREFIX_BYTES + 3 * PATH_LIST_BYTES, /* longest name, each byte of the path escaped */
    INPUT_PATH_BYTES = 12800                                     /* what input_path may need */
};

struct input_options {
    char *const *paths; /* all borrowed */
    size_t path_count;
    const char *files_from; /* or NULL */
    const char *prefix;     /* or NULL; at most INPUT_PREFIX_BYTES */
    const char *own[2];     /* the archive and its unfinished file, which are never inputs; NULL for none */
    bool zero_separated;
    bool escape_names;
    bool follow;
};

/* One file, or something that is none; borrowed until the next call. */
struct input {
    struct tree_directory *directory; /* where path + leaf is to be opened; NULL: path in the working directory */
    const char *root;                 /* PATH of the command line that path lies below, or NULL */
    const char *path;                 /* ends with a zero byte */
    size_t path_bytes;
    size_t leaf;
    const char *name; /* to be stored; NULL with a trouble */
    size_t name_bytes;
    unsigned char type;  /* d_type; DT_UNKNOWN when nobody asked the system yet */
    const char *trouble; /* NULL, or why this is no file */
    int sys_errno;       /* of the trouble, or 0 */
    bool loop;           /* the trouble is a symbolic link that leads in a circle: nothing is lost by leaving it out */
};

struct inputs {
    struct input_options options;
    size_t next_path;
    bool in_folder; /* the PATH before next_path is a folder that is being walked */
    struct tree *tree;
    struct tree_record *record; /* of the first time through, NULL when there is none */
    bool recorded;              /* it is whole: the folders need not be walked again */
    struct path_list list;
    bool has_list;
    char *name;       /* buffer for names that are not the path itself */
    char place[4200]; /* "LIST, line 7" */
};

/* options: copied. Prints what is wrong; returns an exit_code. */
int inputs_open(struct inputs *inputs, const struct input_options *options);
/* Back to the first. */
void inputs_rewind(struct inputs *inputs);
/* False at the end. Inputs that cannot be read come with a trouble. */
bool inputs_next(struct inputs *inputs, struct input *input_out);
void inputs_close(struct inputs *inputs);

/* The path as the user would write it. Returns buffer. */
const char *input_path(const struct input *input, char *buffer, size_t buffer_bytes);

#endif
