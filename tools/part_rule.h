/* SPDX-License-Identifier: Apache-2.0 */
/* When an open batch is committed although more is to come. */
#ifndef AIMG_TOOLS_PART_RULE_H
#define AIMG_TOOLS_PART_RULE_H

#include <stdbool.h>
#include <stdint.h>

enum { PART_IMAGES = 1000000, PART_SECONDS = 60, PART_SHARE = 64 };
#define PART_BYTES (UINT64_C(1) << 30)

/* What a command has stored in some time. */
struct extent {
    uint64_t bytes, images;
    double seconds;
};

/* part: since the last commit; all: since the command began, the part included. by_clock: whether the time counts. */
bool part_rule_due(const struct extent *part, const struct extent *all, bool by_clock);

#endif
