/* SPDX-License-Identifier: Apache-2.0 */
/* Does with a writer what a script says. */
#ifndef AIMG_FUZZ_SCRIPT_WRITER_H
#define AIMG_FUZZ_SCRIPT_WRITER_H

#include "harness.h"

/* Opens the disk to write. NULL when that cannot be; then the disk is as it was, but for what a torn tail or a hint needs. */
struct aimg_writer *script_open(struct fuzz_disk *disk, struct fuzz_script_reader *script);
/* Adds, removes, renames, sets, commits, seals, as long as the script goes; then commits what is open. Whether every commit that
 * was asked for is there; the writer is closed. */
bool script_run(struct aimg_writer *writer, struct fuzz_script_reader *script, const struct fuzz_disk *disk);

#endif
