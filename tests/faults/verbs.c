/* SPDX-License-Identifier: Apache-2.0 */
#include "verbs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* They run in a folder of their own, beside the inputs. */
const struct verb verbs[] = {
    {.name = "info", .warns_only = true, .args = {"info", "a.aimg"}},
    {.name = "find", .args = {"info", "--json", "a.aimg", "cats/2.pgm"}},
    {.name = "ls", .args = {"ls", "-l", "a.aimg"}},
    {.name = "cat", .args = {"cat", "a.aimg", "cats/1.pgm", "large.pgm"}},
    {.name = "get", .args = {"get", "a.aimg"}},
    {.name = "dups", .args = {"dups", "a.aimg"}},
    {.name = "log", .args = {"log", "a.aimg"}},
    {.name = "diff", .args = {"diff", "a.aimg", "b.aimg"}},
    {.name = "verify", .args = {"verify", "-q", "--threads", "1", "a.aimg"}},
    {.name = "verify-threads", .args = {"verify", "-q", "--threads", "3", "a.aimg"}},
    {.name = "unpack",
     .effect = VERB_UNPACKS,
     .leaves_out = true,
     .args = {"unpack", "-q", "--threads", "1", "a.aimg", "-C", "out"},
     .again = {"unpack", "-q", "--skip-existing", "a.aimg", "-C", "out"}},
    {.name = "unpack-threads",
     .effect = VERB_UNPACKS,
     .leaves_out = true,
     .args = {"unpack", "-q", "--threads", "3", "a.aimg", "-C", "out"},
     .again = {"unpack", "-q", "--skip-existing", "a.aimg", "-C", "out"}},
    {.name = "pack",
     .effect = VERB_MAKES,
     .target = "p.aimg",
     .leaves_out = true,
     .leftover = "p.aimg.part",
     .args = {"pack", "-q", "--threads", "1", "p.aimg", "../in"},
     .again = {"pack", "-q", "--resume", "p.aimg", "../in"},
     .forced = {"pack", "-q", "--force", "p.aimg", "../in"}},
    {.name = "pack-threads",
     .effect = VERB_MAKES,
     .target = "p.aimg",
     .leaves_out = true,
     .leftover = "p.aimg.part",
     .args = {"pack", "-q", "--threads", "3", "--times", "p.aimg", "../in"},
     .again = {"pack", "-q", "--resume", "--times", "p.aimg", "../in"},
     .forced = {"pack", "-q", "--force", "--times", "p.aimg", "../in"}},
    {.name = "add",
     .effect = VERB_CHANGES,
     .target = "a.aimg",
     .leaves_out = true,
     .args = {"add", "-q", "--threads", "1", "a.aimg", "../more"}},
    {.name = "add-replace",
     .effect = VERB_CHANGES,
     .target = "a.aimg",
     .leaves_out = true,
     .args = {"add", "-q", "--replace", "--dedup", "all", "--columns", "../values.csv", "a.aimg", "../in"}},
    {.name = "add-recover",
     .effect = VERB_CHANGES,
     .target = "torn.aimg",
     .torn = true,
     .leaves_out = true,
     .args = {"add", "-q", "--recover", "--dedup", "all", "torn.aimg"}},
    {.name = "rm", .effect = VERB_CHANGES, .target = "a.aimg", .args = {"rm", "-q", "a.aimg", "cats/1.pgm"}},
    {.name = "mv", .effect = VERB_CHANGES, .target = "a.aimg", .args = {"mv", "-q", "a.aimg", "cats/1.pgm", "moved.pgm"}},
    {.name = "set", .effect = VERB_CHANGES, .target = "a.aimg", .args = {"set", "-q", "a.aimg", "../values.csv"}},
    {.name = "meta", .effect = VERB_CHANGES, .target = "a.aimg", .args = {"meta", "-q", "a.aimg", "title=Some pictures"}},
    {.name = "attach",
     .effect = VERB_CHANGES,
     .target = "a.aimg",
     .args = {"attach", "-q", "a.aimg", "cats/2.pgm", "mask", "../mask.pgm"}},
    {.name = "seal", .effect = VERB_CHANGES, .target = "a.aimg", .args = {"seal", "-q", "a.aimg"}},
    {.name = "compact",
     .effect = VERB_MAKES,
     .target = "a.aimg",
     .leftover = "a.aimg.compact",
     .args = {"compact", "-q", "a.aimg"},
     .again = {"compact", "-q", "a.aimg"},
     .forced = {"compact", "-q", "--force", "a.aimg"}},
    {.name = "compact-output",
     .effect = VERB_MAKES,
     .target = "c.aimg",
     .leftover = "c.aimg.compact",
     .args = {"compact", "-q", "--drop-history", "a.aimg", "-o", "c.aimg"},
     .again = {"compact", "-q", "--drop-history", "--force", "a.aimg", "-o", "c.aimg"}},
    {.name = "repair",
     .effect = VERB_MAKES,
     .salvages = true,
     .target = "c.aimg",
     .leftover = "c.aimg.repair",
     .args = {"repair", "-q", "a.aimg", "-o", "c.aimg"},
     .again = {"repair", "-q", "--force", "a.aimg", "-o", "c.aimg"}},
};
const unsigned verb_count = sizeof verbs / sizeof verbs[0];

static void require(bool done, const char *what)
{
    if (done)
        return;
    fprintf(stderr, "the samples cannot be made: %s\n", what);
    exit(1);
}

/* A grey picture; every byte depends on the number. */
static void write_picture(const char *folder, const char *name, unsigned width, unsigned height, unsigned number)
{
    char path[400];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "wb");
    require(file != NULL && fprintf(file, "P5\n%u %u\n255\n", width, height) > 0, path);
    for (unsigned i = 0; i < width * height; i++) {
        number = number * 1103515245u + 12345u;
        fputc((int)(number >> 16 & (i % 3 == 0 ? 0xFF : 0x0F)), file);
    }
    require(fclose(file) == 0, path);
}

static void write_values(const char *folder)
{
    char path[400];
    snprintf(path, sizeof path, "%s/values.csv", folder);
    FILE *file = fopen(path, "w");
    require(file != NULL, path);
    fputs("name,score:f32,caption:utf8\ncats/2.pgm,0.5,a cat\ncats/3.pgm,,another\n", file);
    require(fclose(file) == 0, path);
}

static void perform(const char *tool, const char *folder, const char *arguments)
{
    char command[1200];
    snprintf(command, sizeof command, "cd '%s' && '%s' %s >/dev/null", folder, tool, arguments);
    require(system(command) == 0, command);
}

/* An archive whose last commit has no page, as an interrupted writer leaves it, with a hole before an image and an alias, which
 * has the name of another. */
static void tear(const char *tool, const char *folder)
{
    char command[1500];
    snprintf(command, sizeof command,
             "cd '%s' && cp b.aimg torn.aimg && '%s' add -q --replace --dedup all torn.aimg tail && "
             "dd if=b.aimg of=torn.aimg bs=4096 skip=1 seek=1 count=2 conv=notrunc status=none && truncate -s -4096 torn.aimg && "
             "dd if=/dev/zero of=torn.aimg bs=1 count=48 seek=$(stat -c %%s b.aimg) conv=notrunc status=none",
             folder, tool);
    require(system(command) == 0, command);
}

void verbs_prepare(const char *tool, const char *folder)
{
    static const char *const folders[] = {"in", "in/cats", "more", "more/birds", "tail", "tail/cats"};
    char path[400];
    for (unsigned i = 0; i < sizeof folders / sizeof folders[0]; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, folders[i]);
        require(mkdir(path, 0777) == 0, path);
    }
    write_picture(folder, "in/cats/1.pgm", 20, 10, 1);
    write_picture(folder, "in/cats/2.pgm", 21, 20, 2);
    write_picture(folder, "in/cats/3.pgm", 22, 30, 3);
    write_picture(folder, "in/cats/again.pgm", 20, 10, 1);
    write_picture(folder, "in/large.pgm", 400, 300, 4); /* goes to the file on its own */
    write_picture(folder, "more/birds/1.pgm", 300, 200, 5);
    write_picture(folder, "more/birds/2.pgm", 9, 9, 6);
    write_picture(folder, "tail/1.pgm", 300, 200, 5);
    write_picture(folder, "tail/2.pgm", 9, 9, 6);
    write_picture(folder, "tail/cats/3.pgm", 20, 10, 1); /* an alias */
    write_picture(folder, "mask.pgm", 21, 20, 7);
    write_values(folder);
    perform(tool, folder, "pack -q b.aimg in");
    perform(tool, folder, "pack -q --times a.aimg in");
    write_picture(folder, "in/cats/old.pgm", 12, 12, 8);
    perform(tool, folder, "add -q --skip-existing a.aimg in");
    snprintf(path, sizeof path, "%s/in/cats/old.pgm", folder);
    require(unlink(path) == 0, path);
    perform(tool, folder, "rm -q a.aimg cats/old.pgm");
    perform(tool, folder, "set -q a.aimg values.csv");
    tear(tool, folder);
}
