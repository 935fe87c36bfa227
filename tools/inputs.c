/* SPDX-License-Identifier: Apache-2.0 */
#include "inputs.h"

#include "cmd.h"
#include "name_escape.h"
#include "output.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash == NULL ? path : slash + 1;
}

/* A folder is open at each level of a walk, and some in the batches of each thread: the usual limit is too low for deep trees and
 * for machines with very many cores. */
static void raise_file_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
    }
}

int inputs_open(struct inputs *inputs, const struct input_options *options)
{
    *inputs = (struct inputs){.options = *options, .record = tree_record_create()};
    inputs->name = malloc(INPUT_NAME_BYTES);
    raise_file_limit();
    if (inputs->name == NULL) {
        output_error("out of memory");
        return EXIT_SYSTEM;
    }
    if (options->files_from == NULL)
        return EXIT_DONE;
    int code = path_list_open(&inputs->list, options->files_from, options->zero_separated);
    inputs->has_list = code == EXIT_DONE;
    if (code != EXIT_DONE)
        inputs_close(inputs);
    return code;
}

static void drop_record(struct inputs *inputs)
{
    tree_record_free(inputs->record);
    inputs->record = NULL;
}

void inputs_rewind(struct inputs *inputs)
{
    tree_close(inputs->tree);
    inputs->tree = NULL;
    inputs->in_folder = false;
    inputs->next_path = 0;
    if (inputs->recorded)
        tree_record_rewind(inputs->record);
    else
        drop_record(inputs);
    if (inputs->has_list)
        path_list_rewind(&inputs->list);
}

void inputs_close(struct inputs *inputs)
{
    tree_close(inputs->tree);
    drop_record(inputs);
    if (inputs->has_list)
        path_list_close(&inputs->list);
    free(inputs->name);
    inputs->tree = NULL;
    inputs->name = NULL;
}

/* The archive may lie in the folder that is packed. Asked by name first, so that it costs nothing for all other files. */
static bool is_own(const struct inputs *inputs, const struct input *input)
{
    const char *leaf = input->path + input->leaf;
    for (size_t i = 0; i < 2; i++) {
        const char *own = inputs->options.own[i];
        if (own == NULL || strcmp(base_name(own), base_name(leaf)) != 0)
            continue;
        struct stat a, b;
        int directory = input->directory == NULL ? AT_FDCWD : input->directory->fd;
        if (fstatat(directory, leaf, &a, 0) == 0 && stat(own, &b) == 0 && a.st_dev == b.st_dev && a.st_ino == b.st_ino)
            return true;
    }
    return false;
}

/* Sets the name that is stored from the part of the path that makes it. */
static void set_name(struct inputs *inputs, struct input *input, const char *from, size_t from_bytes)
{
    input->name = from;
    input->name_bytes = from_bytes;
    const char *prefix = inputs->options.prefix;
    if (prefix == NULL && !inputs->options.escape_names)
        return;
    size_t used = 0;
    if (prefix != NULL) {
        used = strlen(prefix);
        memcpy(inputs->name, prefix, used);
    }
    if (inputs->options.escape_names) {
        used += name_escape(from, from_bytes, inputs->name + used);
    } else {
        memcpy(inputs->name + used, from, from_bytes);
        used += from_bytes;
    }
    input->name = inputs->name;
    input->name_bytes = used;
}

/* Next entry of the folder that is being walked: from the record, or from the folder and into the record. */
static bool next_entry(struct inputs *inputs, size_t number, struct tree_entry *entry)
{
    if (inputs->tree == NULL)
        return tree_record_next(inputs->record, number, inputs->options.paths[number], entry);
    if (!tree_next(inputs->tree, entry))
        return false;
    if (inputs->record != NULL && !inputs->recorded && !tree_record_add(inputs->record, number, entry))
        drop_record(inputs);
    return true;
}

static bool next_in_folder(struct inputs *inputs, struct input *input)
{
    size_t number = inputs->next_path - 1;
    struct tree_entry entry;
    while (next_entry(inputs, number, &entry)) {
        *input = (struct input){.directory = entry.directory,
                                .root = inputs->options.paths[number],
                                .path = entry.path,
                                .path_bytes = entry.path_bytes,
                                .leaf = entry.leaf,
                                .type = entry.type,
                                .trouble = entry.trouble,
                                .sys_errno = entry.sys_errno,
                                .loop = entry.loop};
        if (entry.trouble != NULL)
            return true;
        if (!is_own(inputs, input)) {
            set_name(inputs, input, entry.path, entry.path_bytes);
            return true;
        }
    }
    tree_close(inputs->tree);
    inputs->tree = NULL;
    inputs->in_folder = false;
    return false;
}

/* A PATH of the command line: a file is put out, into a directory the walk begins. False when there is nothing to put out. */
static bool begin_path(struct inputs *inputs, const char *path, struct input *input)
{
    *input = (struct input){.path = path, .path_bytes = strlen(path), .type = DT_UNKNOWN};
    struct stat status;
    if (stat(path, &status) != 0) {
        input->sys_errno = errno;
        input->trouble = "cannot find this";
    } else if (S_ISDIR(status.st_mode)) {
        bool known = inputs->recorded && tree_record_has(inputs->record, inputs->next_path - 1);
        if (!known)
            inputs->tree = tree_open(path, inputs->options.follow);
        inputs->in_folder = known || inputs->tree != NULL;
        if (inputs->in_folder)
            return false;
        input->sys_errno = errno;
        input->trouble = "cannot read this folder";
    } else {
        input->type = (unsigned char)IFTODT(status.st_mode);
    }
    if (input->trouble != NULL)
        return true;
    const char *name = base_name(path);
    set_name(inputs, input, name, strlen(name));
    return !is_own(inputs, input);
}

/* A listed path is the name, less what would make it start at a place of this machine. */
static const char *listed_name(const char *path)
{
    for (;;)
        if (path[0] == '/')
            path++;
        else if (path[0] == '.' && path[1] == '/')
            path += 2;
        else
            return path;
}

static bool next_in_list(struct inputs *inputs, struct input *input)
{
    const struct path_list *list = &inputs->list;
    const char *trouble = NULL;
    int found;
    while ((found = path_list_next(&inputs->list, &trouble)) == 1) {
        *input = (struct input){.path = list->text, .path_bytes = list->text_bytes, .type = DT_UNKNOWN};
        if (!is_own(inputs, input)) {
            const char *name = listed_name(list->text);
            set_name(inputs, input, name, strlen(name));
            return true;
        }
    }
    if (found == 0)
        return false;
    snprintf(inputs->place, sizeof inputs->place, "%s, line %llu", inputs->options.files_from, (unsigned long long)list->line);
    *input = (struct input){.path = inputs->place, .path_bytes = strlen(inputs->place), .type = DT_UNKNOWN, .trouble = trouble};
    return true;
}

bool inputs_next(struct inputs *inputs, struct input *input_out)
{
    for (;;) {
        if (inputs->in_folder) {
            if (next_in_folder(inputs, input_out))
                return true;
        } else if (inputs->next_path < inputs->options.path_count) {
            if (begin_path(inputs, inputs->options.paths[inputs->next_path++], input_out))
                return true;
        } else {
            inputs->recorded = inputs->record != NULL;
            return inputs->has_list && next_in_list(inputs, input_out);
        }
    }
}

const char *input_path(const struct input *input, char *buffer, size_t buffer_bytes)
{
    const char *root = input->root == NULL ? "" : input->root;
    size_t root_bytes = strlen(root);
    const char *between = root_bytes == 0 || root[root_bytes - 1] == '/' ? "" : "/";
    snprintf(buffer, buffer_bytes, "%s%s%s", root, between, input->path);
    return buffer;
}
