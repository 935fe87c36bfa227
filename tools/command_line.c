/* SPDX-License-Identifier: Apache-2.0 */
#include "command_line.h"

#include "progress.h"
#include "utf8.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=:,./@%^";

/* Control characters and bytes that are not UTF-8 need the quotes of bash that know escapes. */
static bool needs_escapes(const char *word)
{
    const unsigned char *text = (const unsigned char *)word;
    for (size_t left = strlen(word); left > 0;) {
        size_t sequence = utf8_sequence(text, left);
        if (sequence == 0 || utf8_is_control(text, sequence))
            return true;
        text += sequence;
        left -= sequence;
    }
    return false;
}

static void print_escaped(const char *word)
{
    fputs("$'", stderr);
    for (; *word != '\0'; word++) {
        unsigned char byte = (unsigned char)*word;
        if (byte < 0x20 || byte >= 0x7F || byte == '\'' || byte == '\\')
            fprintf(stderr, "\\%03o", byte);
        else
            fputc(byte, stderr);
    }
    fputc('\'', stderr);
}

static void print_word(const char *word)
{
    fputc(' ', stderr);
    if (word[0] != '\0' && strspn(word, plain) == strlen(word)) {
        fputs(word, stderr);
    } else if (needs_escapes(word)) {
        print_escaped(word);
    } else {
        fputc('\'', stderr);
        for (; *word != '\0'; word++)
            fputs(*word == '\'' ? "'\\''" : (char[]){*word, '\0'}, stderr);
        fputc('\'', stderr);
    }
}

void command_line_print(const char *lead, int argc, char *const *argv, const char *option)
{
    bool there = option == NULL;
    for (int i = 1; i < argc; i++)
        there = there || strcmp(argv[i], option) == 0;
    progress_hide();
    fprintf(stderr, "%saimg %s", lead, argv[0]);
    if (!there)
        fprintf(stderr, " %s", option);
    for (int i = 1; i < argc; i++)
        print_word(argv[i]);
    fputc('\n', stderr);
}
