/* SPDX-License-Identifier: Apache-2.0 */
#include "part_rule.h"

/* Each part costs a place among the few thousand that an archive has for its tables. So a part grows with what is there, and what
 * an interruption loses stays a small share of it. Only the number of images is fixed: it bounds the memory of the index. */
bool part_rule_due(const struct extent *part, const struct extent *all, bool by_clock)
{
    uint64_t share = all->bytes / PART_SHARE;
    double pause = all->seconds / PART_SHARE;
    if (part->images >= PART_IMAGES || part->bytes >= (share > PART_BYTES ? share : PART_BYTES))
        return true;
    return by_clock && part->seconds >= (pause > PART_SECONDS ? pause : PART_SECONDS);
}
