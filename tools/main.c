/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd.h"
#include "guard.h"
#include "output.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

const struct verb verbs[] = {
    {"pack", "[options] ARCHIVE PATH...", "make an archive of pictures: folders and files", help_pack, cmd_pack},
    {"add", "[options] ARCHIVE PATH...", "append pictures to an archive", help_add, cmd_add},
    {"unpack", "[options] ARCHIVE [-C DIR] [GLOB...]", "write the pictures back as files", help_unpack, cmd_unpack},
    {"ls", "[options] ARCHIVE [GLOB...]", "list the pictures", help_ls, cmd_ls},
    {"cat", "[options] ARCHIVE NAME|@N...", "write the bytes of pictures to standard output", help_cat, cmd_cat},
    {"info", "[options] ARCHIVE [NAME|@N]", "tell about an archive or one picture", help_info, cmd_info},
    {"rm", "[options] ARCHIVE NAME|@N|GLOB...", "remove pictures", help_rm, cmd_rm},
    {"mv", "[options] ARCHIVE OLD NEW", "give a picture another name", help_mv, cmd_mv},
    {"set", "[options] ARCHIVE FILE", "set columns from CSV or JSON lines", help_set, cmd_set},
    {"get", "[options] ARCHIVE [COLUMN...] [GLOB...]", "write columns as CSV or JSON lines", help_get, cmd_get},
    {"attach", "[options] ARCHIVE NAME|@N COLUMN PATH...", "attach a mask or thumbnail to a picture", help_attach, cmd_attach},
    {"meta", "[options] ARCHIVE [KEY[=VALUE]...]", "title, licence, source of an archive, and your own keys", help_meta,
     cmd_meta},
    {"dups", "[options] ARCHIVE [GLOB...]", "list equal pictures", help_dups, cmd_dups},
    {"log", "[options] ARCHIVE", "list the commits", help_log, cmd_log},
    {"diff", "[options] ARCHIVE [ARCHIVE]", "compare two archives, or two commits of one", help_diff, cmd_diff},
    {"seal", "[options] ARCHIVE", "merge the index of many commits, for publishing", help_seal, cmd_seal},
    {"compact", "[options] ARCHIVE [-o OUT]", "write the archive anew without what was removed", help_compact, cmd_compact},
    {"verify", "[options] ARCHIVE...", "check every byte and every rule", help_verify, cmd_verify},
    {"repair", "[options] ARCHIVE -o OUT", "save what is whole in a damaged archive", help_repair, cmd_repair},
    {NULL, NULL, NULL, NULL, NULL},
};

static const char common_help[] = "  -q, --quiet            no progress, no warnings, no summary\n"
                                  "  -h, --help             this text\n";

static int print_start(void)
{
    fputs("aimg keeps many images in one file and reads any of them at once. To get started:\n\n"
          "  aimg pack photos.aimg photos/          put a folder of pictures into one file\n"
          "  aimg ls -l photos.aimg                 see what is in it\n"
          "  aimg unpack photos.aimg -C copy        get the files back, byte for byte\n\n"
          "aimg --help lists all commands.\n",
          stdout);
    return output_finish(EXIT_DONE);
}

static int print_help(void)
{
    fputs("usage: aimg VERB [options] ARCHIVE [arguments]\n\n", stdout);
    for (const struct verb *verb = verbs; verb->name != NULL; verb++)
        printf("  %-8s %s\n", verb->name, verb->summary);
    fputs("\naimg help VERB, or aimg VERB --help, tells about one verb; man aimg about all.\n"
          "  -h, --help     this text\n"
          "  --version      versions of the tool, the library and the format\n\n"
          "exit status: 0 done; 1 the answer is no (damage found, name not there, some inputs left out); 2 usage;\n"
          "3 input, output or system; 4 not an archive, unsupported, truncated or corrupt\n",
          stdout);
    return output_finish(EXIT_DONE);
}

static int print_verb_help(const struct verb *verb)
{
    printf("usage: aimg %s %s\n%s\n\n%s", verb->name, verb->synopsis, verb->summary, verb->help);
    printf("\ncommon to all verbs:\n%s", common_help);
    return output_finish(EXIT_DONE);
}

static int print_version(void)
{
    printf("aimg %s (library %s, format %s)\n", AIMG_VERSION, aimg_version(), AIMG_FORMAT_VERSION);
    return output_finish(EXIT_DONE);
}

static bool is_one_of(const char *word, const char *first, const char *second)
{
    return strcmp(word, first) == 0 || strcmp(word, second) == 0;
}

/* Options of any verb whose value may be the next word: that word is the value, whatever it looks like. */
static bool takes_next_word(const char *word)
{
    static const char *const options[] = {"-C",          "--directory",  "-d",        "--delete", "-o",        "--output",
                                          "--align",     "--as",         "--at",      "--column", "--columns", "--compress",
                                          "--dedup",     "--files-from", "--format",  "--from",   "--level",   "--max-files",
                                          "--max-image", "--max-output", "--message", "--prefix", "--threads", "--to"};
    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++)
        if (strcmp(word, options[i]) == 0)
            return true;
    return false;
}

/* Takes the common options out of argv, up to "--". Returns the new argc; *help_out: the verb's help is asked for. */
static int take_common(int argc, char **argv, struct common_options *common, bool *help_out)
{
    int kept = 1;
    bool ended = false, is_value = false;
    for (int i = 1; i < argc; i++) {
        bool is_option = !ended && !is_value;
        if (is_option && is_one_of(argv[i], "-q", "--quiet")) {
            common->quiet = true;
            continue;
        }
        if (is_option && is_one_of(argv[i], "-h", "--help")) {
            *help_out = true;
            continue;
        }
        is_value = is_option && takes_next_word(argv[i]);
        ended = ended || (is_option && strcmp(argv[i], "--") == 0);
        argv[kept++] = argv[i];
    }
    argv[kept] = NULL;
    return kept;
}

static const struct verb *find_verb(const char *name)
{
    const struct verb *verb = verbs;
    while (verb->name != NULL && strcmp(name, verb->name) != 0)
        verb++;
    return verb->name != NULL ? verb : NULL;
}

/* words: what stands behind 'help'. */
static int print_help_about(int count, char *const *words)
{
    if (count == 0 || is_one_of(words[0], "-h", "--help"))
        return print_help();
    if (count > 1)
        return output_usage(NULL, "help is about one verb at a time");
    const struct verb *verb = find_verb(words[0]);
    return verb != NULL ? print_verb_help(verb) : output_usage(NULL, "there is no verb '%s'", words[0]);
}

static int run_verb(const struct verb *verb, int argc, char **argv)
{
    struct common_options common = {.quiet = false};
    bool help = false;
    argc = take_common(argc, argv, &common, &help);
    if (help)
        return print_verb_help(verb);
    output_set_quiet(common.quiet);
    guard_install();
    /* a file size limit shall be an error of a write, not the end */
    signal(SIGXFSZ, SIG_IGN);
    return verb->run(argc, argv, &common);
}

int main(int argc, char **argv)
{
    if (argc < 2)
        return print_start();
    if (is_one_of(argv[1], "-h", "--help"))
        return print_help();
    if (strcmp(argv[1], "--version") == 0)
        return print_version();
    if (strcmp(argv[1], "help") == 0)
        return print_help_about(argc - 2, argv + 2);
    const struct verb *verb = find_verb(argv[1]);
    return verb != NULL ? run_verb(verb, argc - 1, argv + 1) : output_usage(NULL, "there is no verb '%s'", argv[1]);
}
