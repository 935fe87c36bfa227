/* SPDX-License-Identifier: Apache-2.0 */
/* Writers, followers, compacts and verifies at work on one archive, as processes or as threads, and what they must find. */
#ifndef AIMG_TEST_MIX_H
#define AIMG_TEST_MIX_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum { MIX_WRITERS = 2, MIX_REASON = 400 };

/* In memory that all of them share. */
struct mix {
    char path[300], tool[300]; /* tool: empty: compacts go through the library */
    atomic_bool stop;
    atomic_uint acknowledged[MIX_WRITERS]; /* number of the last image whose commit said OK; they begin with 1 */
    atomic_ulong commits, images, busy, dropped, reads, refreshes, replaced, compacts, verifies, kills;
    atomic_uint failures;
    char reason[MIX_REASON]; /* of the first */
};

/* Each goes on until mix->stop; number: which of its kind, also the seed of chance. */
void mix_writer(struct mix *mix, unsigned number);
void mix_follower(struct mix *mix, unsigned number);
void mix_compact(struct mix *mix, unsigned number);
void mix_verify(struct mix *mix, unsigned number);

/* What must hold once they are all gone. */
void mix_check_end(struct mix *mix);

void mix_fail(struct mix *mix, const char *format, ...) __attribute__((format(printf, 2, 3)));
void mix_pause(unsigned milliseconds);

#endif
