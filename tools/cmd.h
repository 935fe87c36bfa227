/* SPDX-License-Identifier: Apache-2.0 */
/* Verbs of the tool: one row a verb in main.c, one file cmd_<verb>.c a verb. */
#ifndef AIMG_TOOLS_CMD_H
#define AIMG_TOOLS_CMD_H

#include <stdbool.h>

/* What the tool says to the shell. */
enum exit_code {
    EXIT_DONE = 0,
    EXIT_NO = 1, /* the answer is no: damage found, name not there, some inputs left out */
    EXIT_USAGE = 2,
    EXIT_SYSTEM = 3, /* I/O or system, a missing archive too */
    EXIT_ARCHIVE = 4 /* not an archive, unsupported, truncated or corrupt */
};

/* Options that every verb has; the dispatcher in main.c takes them out of argv before run sees it. */
struct common_options {
    bool quiet; /* no progress, no warnings */
};

struct verb {
    const char *name;
    const char *synopsis; /* "[options] ARCHIVE PATH..." */
    const char *summary;  /* one line, lower case, no full stop */
    const char *help;     /* options and examples, printed after synopsis and summary */
    int (*run)(int argc, char **argv, const struct common_options *common); /* argv[0] is the verb; returns an exit_code */
};

/* Table in main.c, ended by a row without name. */
extern const struct verb verbs[];

int cmd_pack(int argc, char **argv, const struct common_options *common);
int cmd_add(int argc, char **argv, const struct common_options *common);
int cmd_unpack(int argc, char **argv, const struct common_options *common);
int cmd_ls(int argc, char **argv, const struct common_options *common);
int cmd_cat(int argc, char **argv, const struct common_options *common);
int cmd_info(int argc, char **argv, const struct common_options *common);
int cmd_rm(int argc, char **argv, const struct common_options *common);
int cmd_mv(int argc, char **argv, const struct common_options *common);
int cmd_set(int argc, char **argv, const struct common_options *common);
int cmd_get(int argc, char **argv, const struct common_options *common);
int cmd_attach(int argc, char **argv, const struct common_options *common);
int cmd_meta(int argc, char **argv, const struct common_options *common);
int cmd_dups(int argc, char **argv, const struct common_options *common);
int cmd_log(int argc, char **argv, const struct common_options *common);
int cmd_diff(int argc, char **argv, const struct common_options *common);
int cmd_seal(int argc, char **argv, const struct common_options *common);
int cmd_compact(int argc, char **argv, const struct common_options *common);
int cmd_verify(int argc, char **argv, const struct common_options *common);
int cmd_repair(int argc, char **argv, const struct common_options *common);

extern const char help_pack[], help_add[], help_unpack[], help_ls[], help_cat[], help_info[], help_rm[], help_mv[], help_set[],
    help_get[], help_attach[], help_meta[], help_dups[], help_log[], help_diff[], help_seal[], help_compact[], help_verify[],
    help_repair[];

#endif
