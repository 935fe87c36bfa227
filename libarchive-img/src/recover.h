/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AIMG_SRC_RECOVER_H
#define AIMG_SRC_RECOVER_H

#include "locate.h"

/* Before a writer builds on commits that no hint names: makes them durable, reads them again from the medium, and checks every
 * payload in them. After a power cut or a failed sync the page cache may hold what the medium does not. Cost: the bytes of those
 * commits. */
enum aimg_status aimg_confirm_commits(struct aimg_io *io, const struct aimg_located *located, struct aimg_error *error);

/* Writes the hint of the commit. Not synced. */
enum aimg_status aimg_hint_write(struct aimg_io *io, const struct aimg_commit_page *commit, struct aimg_error *error);

#endif
