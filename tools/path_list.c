/* SPDX-License-Identifier: Apache-2.0 */
#include "path_list.h"

#include "cmd.h"
#include "output.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

/* Copies a pipe into an unnamed file: the names are looked at once before anything is written, and then again. */
static int spool(FILE *from, FILE **copy_out)
{
    FILE *copy = tmpfile();
    if (copy == NULL)
        return errno;
    char buffer[16384];
    size_t bytes;
    errno = 0;
    while ((bytes = fread(buffer, 1, sizeof buffer, from)) > 0)
        if (fwrite(buffer, 1, bytes, copy) != bytes)
            break;
    bool failed = ferror(from) != 0 || ferror(copy) != 0 || fflush(copy) != 0;
    if (failed) {
        int code = errno != 0 ? errno : EIO;
        fclose(copy);
        return code;
    }
    rewind(copy);
    *copy_out = copy;
    return 0;
}

int path_list_open(struct path_list *list, const char *file, bool zero_separated)
{
    *list = (struct path_list){.separator = zero_separated ? '\0' : '\n'};
    bool standard = strcmp(file, "-") == 0;
    FILE *stream = standard ? stdin : fopen(file, "re");
    if (stream == NULL) {
        output_error("%s: cannot open the list of files: %s", file, strerror(errno));
        return EXIT_SYSTEM;
    }
    struct stat status;
    if (!standard && fstat(fileno(stream), &status) == 0 && S_ISREG(status.st_mode)) {
        list->stream = stream;
        return EXIT_DONE;
    }
    int failed = spool(stream, &list->stream);
    if (!standard)
        fclose(stream);
    if (failed != 0) {
        output_error("%s: cannot copy the list of files into a temporary file: %s", standard ? "standard input" : file,
                     strerror(failed));
        return EXIT_SYSTEM;
    }
    return EXIT_DONE;
}

void path_list_rewind(struct path_list *list)
{
    rewind(list->stream);
    list->line = 0;
    list->ended = false;
}

/* One path into text, cut off when too long. False at the end. */
static bool read_path(struct path_list *list, bool *too_long_out, bool *zero_out)
{
    *too_long_out = false;
    *zero_out = false;
    list->text_bytes = 0;
    int c = getc_unlocked(list->stream);
    if (c == EOF)
        return false;
    list->line++;
    for (; c != EOF && c != list->separator; c = getc_unlocked(list->stream)) {
        *zero_out = *zero_out || c == '\0';
        if (list->text_bytes + 1 < sizeof list->text)
            list->text[list->text_bytes++] = (char)c;
        else
            *too_long_out = true;
    }
    list->text[list->text_bytes] = '\0';
    return true;
}

int path_list_next(struct path_list *list, const char **trouble_out)
{
    bool too_long, zero;
    do {
        if (list->ended || !read_path(list, &too_long, &zero)) {
            bool failed = !list->ended && ferror(list->stream) != 0;
            list->ended = true;
            *trouble_out = "the list of files cannot be read further";
            return failed ? -1 : 0;
        }
    } while (list->text_bytes == 0);
    if (zero) {
        *trouble_out = "this line of the list has a zero byte; with -0 paths are ended by zero bytes";
        return -1;
    }
    if (too_long) {
        *trouble_out = "this line of the list is longer than any path can be";
        return -1;
    }
    return 1;
}

void path_list_close(struct path_list *list)
{
    if (list->stream != NULL && list->stream != stdin)
        fclose(list->stream);
    list->stream = NULL;
}
