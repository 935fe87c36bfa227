/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd.h"
#include "compact.h"
#include "interrupt.h"
#include "output.h"
#include "reading.h"

#include <getopt.h>

const char help_compact[] =
    "  -o, --output OUT       write a new archive OUT and leave ARCHIVE as it is; ARCHIVE may be written meanwhile\n"
    "      --force            replace OUT, and what a compact that was stopped at its very end has left\n"
    "      --drop-history     one commit instead of all: 'aimg log' begins anew\n"
    "      --dry-run          only say what would come free\n"
    "      --wait             wait while another writer has ARCHIVE\n"
    "      --json             one object: bytes before and after, images, what was dropped\n"
    "\n"
    "What was removed or replaced still takes its place in the file, so that the history can be read. This writes the\n"
    "pictures that are there, with columns, attachments and metadata, in the same order, into a new file beside ARCHIVE\n"
    "(ARCHIVE.compact) and puts it in the place of ARCHIVE once it is whole and on the disk. The stored bytes of every\n"
    "picture are checked on the way, and a damaged one stops it; they are copied as they are, so 'aimg verify' an archive\n"
    "of strangers first. Until the end nothing of ARCHIVE is changed, so the disk must have room for both.\n"
    "Readers that are at work keep what they have; who waits to add adds to the new file. Numbers (@N) stay as they are,\n"
    "ordinals are given anew. --at shows what is alive now as it came: what was dropped is gone from the history too.\n"
    "\n"
    "  aimg compact photos.aimg\n"
    "  aimg compact --dry-run photos.aimg\n"
    "  aimg compact --drop-history photos.aimg -o published.aimg\n";

int cmd_compact(int argc, char **argv, const struct common_options *common)
{
    enum { OPTION_FORCE = LONG_OPTION, OPTION_DROP, OPTION_DRY, OPTION_WAIT, OPTION_JSON };
    static const struct option table[] = {{"output", required_argument, NULL, 'o'},
                                          {"force", no_argument, NULL, OPTION_FORCE},
                                          {"drop-history", no_argument, NULL, OPTION_DROP},
                                          {"dry-run", no_argument, NULL, OPTION_DRY},
                                          {"wait", no_argument, NULL, OPTION_WAIT},
                                          {"json", no_argument, NULL, OPTION_JSON},
                                          {NULL, 0, NULL, 0}};
    struct compact_options options = {.quiet = common->quiet};
    int found;
    optind = 0;
    opterr = 0;
    while ((found = getopt_long(argc, argv, ":o:", table, NULL)) != -1) {
        if (found == '?' || found == ':')
            return reading_bad_option("compact", found, argv);
        if (found == 'o')
            options.output = optarg;
        options.force = options.force || found == OPTION_FORCE;
        options.drop_history = options.drop_history || found == OPTION_DROP;
        options.dry_run = options.dry_run || found == OPTION_DRY;
        options.wait = options.wait || found == OPTION_WAIT;
        options.json = options.json || found == OPTION_JSON;
    }
    if (argc - optind != 1)
        return output_usage("compact", optind >= argc ? "ARCHIVE is missing" : "one ARCHIVE at a time");
    options.archive = argv[optind];
    if (options.archive[0] == '\0' || (options.output != NULL && options.output[0] == '\0'))
        return output_usage("compact", "%s is empty", options.archive[0] == '\0' ? "ARCHIVE" : "OUT");
    if (options.wait && options.output != NULL)
        return output_usage("compact", "with --output nobody is waited for: --wait makes no sense");
    interrupt_install();
    return output_finish(compact_run(&options));
}
