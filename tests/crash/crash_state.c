/* SPDX-License-Identifier: Apache-2.0 */
#include "crash_state.h"

#include "random.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* Combinations that are all tried: 12 sectors, old or new. */
#define SUBSETS_MAX  4096u
#define SECTORS      (FAKE_DISK_BYTES / FAKE_SECTOR)
#define HALF         (FAKE_SECTOR / 2)
#define SUBSET_SIZES 3u

enum fate { OLD, NEW, EARLIER, ZERO, RUBBISH, FIRST_HALF, SECOND_HALF, ELSEWHERE };
static const enum fate specials[] = {ZERO, RUBBISH, FIRST_HALF, SECOND_HALF, ELSEWHERE};
enum { SPECIALS = sizeof specials / sizeof specials[0], RESTS = 3 };

static void *new_pages(size_t bytes)
{
    void *pages = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (pages == MAP_FAILED)
        abort();
    return pages;
}

static void *more(void *array, unsigned count, unsigned *room, size_t each)
{
    if (count < *room)
        return array;
    *room = *room * 2 + 64;
    array = realloc(array, *room * each);
    if (array == NULL)
        abort();
    return array;
}

/* ------------------------------------------------------------------ a stop */

/* What the medium holds there. */
static void read_medium(const struct crash_view *view, uint64_t there, uint64_t at, uint8_t *out)
{
    uint64_t count = there < at ? 0 : there - at < FAKE_SECTOR ? there - at : FAKE_SECTOR;
    if (count > 0)
        memcpy(out, view->epoch->medium + at, count);
    memset(out + count, 0, FAKE_SECTOR - count);
}

/* A sector that was written and is as it was is no choice. */
static bool is_known(const struct crash_view *view, const uint8_t *bytes, uint64_t at)
{
    uint16_t index = view->index[at / FAKE_SECTOR];
    uint8_t before[FAKE_SECTOR];
    if (index != 0)
        return memcmp(view->versions[view->sectors[index - 1].last].bytes, bytes, FAKE_SECTOR) == 0 && view->cut_count == 0;
    read_medium(view, view->epoch->medium_bytes, at, before);
    return memcmp(before, bytes, FAKE_SECTOR) == 0 && view->cut_count == 0;
}

static void add_version(struct crash_view *view, unsigned change, const uint8_t *bytes, uint64_t at, uint64_t end)
{
    uint16_t *index = &view->index[at / FAKE_SECTOR];
    if (is_known(view, bytes, at))
        return;
    view->versions = more(view->versions, view->version_count + 1, &view->version_room, sizeof *view->versions);
    view->sectors = more(view->sectors, view->sector_count, &view->sector_room, sizeof *view->sectors);
    unsigned made = ++view->version_count;
    view->versions[made] =
        (struct crash_version){.bytes = bytes, .change = change, .end = end < at + FAKE_SECTOR ? end : at + FAKE_SECTOR};
    if (*index == 0) {
        view->sectors[view->sector_count++] = (struct crash_sector){.at = at, .first = made, .last = made, .count = 1};
        *index = (uint16_t)view->sector_count;
        return;
    }
    struct crash_sector *sector = &view->sectors[*index - 1];
    view->versions[sector->last].next = made;
    sector->last = made;
    sector->count++;
}

static void take_change(struct crash_view *view, unsigned number)
{
    const struct crash_change *change = &view->epoch->changes[number];
    if (change->cut) {
        if (view->cut_count == sizeof view->cuts / sizeof view->cuts[0])
            abort();
        view->cuts[view->cut_count++] = number;
        view->cache_bytes = change->offset;
        return;
    }
    for (uint64_t i = 0; i < change->sectors; i++)
        add_version(view, number, change->data + i * FAKE_SECTOR, change->offset + i * FAKE_SECTOR, change->end);
    view->cache_bytes = change->end > view->cache_bytes ? change->end : view->cache_bytes;
    uint64_t reach = change->offset + change->sectors * FAKE_SECTOR;
    view->reach = reach > view->reach ? reach : view->reach;
}

/* The canvas becomes the medium from `from` on. */
static void restore(struct crash_view *view, uint64_t from)
{
    uint64_t there = view->epoch->medium_bytes;
    if (from < there)
        memcpy(view->canvas + from, view->epoch->medium + from, there - from);
    from = from > there ? from : there;
    if (from < view->reach)
        memset(view->canvas + from, 0, view->reach - from);
    view->zeroed_from = UINT64_MAX;
}

void crash_view_open(struct crash_view *view, const struct crash_tape *tape, unsigned stop)
{
    if (view->index == NULL) {
        view->index = new_pages(SECTORS * sizeof *view->index);
        view->canvas = new_pages(FAKE_DISK_BYTES);
    }
    for (unsigned i = 0; i < view->sector_count; i++)
        view->index[view->sectors[i].at / FAKE_SECTOR] = 0;
    view->sector_count = view->version_count = view->cut_count = 0;
    view->stop = &tape->stops[stop];
    view->epoch = &tape->epochs[view->stop->epoch];
    view->cache_bytes = view->epoch->cache_bytes;
    view->reach = view->epoch->medium_bytes > view->cache_bytes ? view->epoch->medium_bytes : view->cache_bytes;
    for (unsigned i = 0; i < view->stop->changes; i++)
        take_change(view, i);
    restore(view, 0);
}

void crash_view_release(struct crash_view *view)
{
    free(view->sectors);
    free(view->versions);
    if (view->index != NULL) {
        (void)munmap(view->index, SECTORS * sizeof *view->index);
        (void)munmap(view->canvas, FAKE_DISK_BYTES);
    }
    *view = (struct crash_view){.stop = NULL};
}

static uint64_t subset_count(const struct crash_view *view)
{
    uint64_t count = view->cut_count + 1;
    for (unsigned i = 0; i < view->sector_count && count <= SUBSETS_MAX; i++)
        count *= view->sectors[i].count + 1;
    return count <= SUBSETS_MAX ? count : 0;
}

uint64_t crash_view_choices(const struct crash_view *view, enum crash_kind kind)
{
    switch (kind) {
    case CRASH_SUBSET:
        return subset_count(view) * SUBSET_SIZES;
    case CRASH_PREFIX:
        return ((uint64_t)view->sector_count + 1) * 2 * SUBSET_SIZES;
    case CRASH_SPECIAL:
        return (uint64_t)view->sector_count * SPECIALS * RESTS;
    default:
        return 0;
    }
}

/* ------------------------------------------------------------------ a choice */

/* A file in the making. */
struct making {
    struct crash_view *view;
    uint64_t random;
    unsigned cuts;    /* of those of the epoch, the first so many have reached the medium */
    uint64_t cut_to;  /* what is behind has gone with them */
    uint64_t follows; /* size that the sectors which were written ask for */
};

static void begin(struct making *making, unsigned cuts)
{
    struct crash_view *view = making->view;
    making->cuts = cuts;
    making->cut_to = UINT64_MAX;
    making->follows = view->epoch->medium_bytes;
    for (unsigned i = 0; i < cuts; i++) {
        uint64_t to = view->epoch->changes[view->cuts[i]].offset;
        making->cut_to = to < making->cut_to ? to : making->cut_to;
        making->follows = to < making->follows ? to : making->follows;
    }
    if (view->zeroed_from != UINT64_MAX)
        restore(view, view->zeroed_from);
    if (making->cut_to < view->reach) {
        memset(view->canvas + making->cut_to, 0, view->reach - making->cut_to);
        view->zeroed_from = making->cut_to;
    }
}

/* Whether a version is from after the cuts that took its sector away. */
static bool eligible(const struct making *making, const struct crash_sector *sector, const struct crash_version *version)
{
    const struct crash_view *view = making->view;
    if (making->cuts == 0)
        return true;
    for (unsigned i = 0; i < making->cuts; i++)
        if (sector->at + FAKE_SECTOR > view->epoch->changes[view->cuts[i]].offset && version->change < view->cuts[i])
            return false;
    return true;
}

static void put_base(const struct making *making, const struct crash_sector *sector, uint8_t *out)
{
    uint64_t there = making->view->epoch->medium_bytes;
    read_medium(making->view, there < making->cut_to ? there : making->cut_to, sector->at, out);
}

static const struct crash_version *version_at(const struct crash_view *view, const struct crash_sector *sector, unsigned number)
{
    unsigned index = sector->first;
    while (number-- > 0)
        index = view->versions[index].next;
    return &view->versions[index];
}

static void put_elsewhere(struct making *making, uint8_t *out)
{
    const struct crash_view *view = making->view;
    uint64_t sectors = view->reach / FAKE_SECTOR;
    uint64_t at = sectors == 0 ? 0 : random_below(&making->random, sectors) * FAKE_SECTOR;
    memmove(out, view->canvas + at, FAKE_SECTOR);
}

/* number: of the version, from 1; 0 the base. */
static void put_version(struct making *making, const struct crash_sector *sector, unsigned number, enum fate fate)
{
    uint8_t *out = making->view->canvas + sector->at;
    const struct crash_version *version = number == 0 ? NULL : version_at(making->view, sector, number - 1);
    put_base(making, sector, out);
    if (version == NULL || !eligible(making, sector, version))
        return;
    making->follows = version->end > making->follows ? version->end : making->follows;
    if (fate == FIRST_HALF)
        memcpy(out, version->bytes, HALF);
    else if (fate == SECOND_HALF)
        memcpy(out + HALF, version->bytes + HALF, HALF);
    else if (fate == ZERO)
        memset(out, 0, FAKE_SECTOR);
    else if (fate == RUBBISH)
        random_fill(&making->random, out, FAKE_SECTOR);
    else if (fate == ELSEWHERE)
        put_elsewhere(making, out);
    else
        memcpy(out, version->bytes, FAKE_SECTOR);
}

static void put(struct making *making, const struct crash_sector *sector, enum fate fate)
{
    unsigned number = fate == OLD       ? 0
                      : fate == EARLIER ? 1 + (unsigned)random_below(&making->random, sector->count)
                                        : sector->count;
    put_version(making, sector, number, fate);
}

/* ------------------------------------------------------------------ sizes */

static uint64_t size_between(struct making *making)
{
    const struct crash_view *view = making->view;
    uint64_t low = view->epoch->medium_bytes < view->cache_bytes ? view->epoch->medium_bytes : view->cache_bytes;
    uint64_t high = view->reach > view->epoch->medium_bytes ? view->reach : view->epoch->medium_bytes;
    for (unsigned i = 0; i < view->cut_count; i++) {
        uint64_t to = view->epoch->changes[view->cuts[i]].offset;
        low = to < low ? to : low;
    }
    return low + random_below(&making->random, high - low + 1);
}

/* A size that the file had at some time since the sync. */
static uint64_t size_then(struct making *making)
{
    const struct crash_view *view = making->view;
    uint64_t bytes = view->epoch->cache_bytes, until = random_below(&making->random, (uint64_t)view->stop->changes + 1);
    for (unsigned i = 0; i < until; i++) {
        const struct crash_change *change = &view->epoch->changes[i];
        bytes = change->cut || change->end > bytes ? (change->cut ? change->offset : change->end) : bytes;
    }
    return bytes;
}

static uint64_t random_size(struct making *making)
{
    switch (random_below(&making->random, 8)) {
    case 0:
        return making->view->epoch->medium_bytes;
    case 1:
        return making->view->cache_bytes;
    case 2:
        return size_between(making);
    case 3:
        return size_between(making) / FAKE_SECTOR * FAKE_SECTOR;
    case 4:
        return size_between(making) / 4096 * 4096;
    case 5:
        return size_then(making);
    default:
        return making->follows;
    }
}

/* One of three that are most likely. */
static uint64_t usual_size(const struct making *making, uint64_t which)
{
    const struct crash_view *view = making->view;
    return which == 0 ? making->follows : which == 1 ? view->cache_bytes : view->epoch->medium_bytes;
}

/* ------------------------------------------------------------------ kinds */

static uint64_t make_subset(struct making *making, uint64_t index)
{
    struct crash_view *view = making->view;
    uint64_t size = index % SUBSET_SIZES, digits = index / SUBSET_SIZES;
    begin(making, (unsigned)(digits % (view->cut_count + 1)));
    digits /= view->cut_count + 1;
    for (unsigned i = 0; i < view->sector_count; i++) {
        const struct crash_sector *sector = &view->sectors[i];
        put_version(making, sector, (unsigned)(digits % (sector->count + 1)), NEW);
        digits /= sector->count + 1;
    }
    return usual_size(making, size);
}

static uint64_t make_prefix(struct making *making, uint64_t index)
{
    struct crash_view *view = making->view;
    uint64_t size = index % SUBSET_SIZES, turned = index / SUBSET_SIZES % 2, until = index / SUBSET_SIZES / 2;
    begin(making, turned == 0 || until == 0 ? view->cut_count : 0);
    for (unsigned i = 0; i < view->sector_count; i++)
        put(making, &view->sectors[i], (i < until) == (turned == 0) ? NEW : OLD);
    return usual_size(making, size);
}

static uint64_t make_special(struct making *making, uint64_t index)
{
    struct crash_view *view = making->view;
    uint64_t rest = index % RESTS, chosen = index / RESTS / SPECIALS;
    enum fate fate = specials[index / RESTS % SPECIALS];
    begin(making, rest == 1 ? 0 : view->cut_count);
    for (unsigned i = 0; i < view->sector_count; i++)
        if (i != chosen)
            put(making, &view->sectors[i], rest == 0 || (rest == 2 && i < chosen) ? NEW : OLD);
    put(making, &view->sectors[chosen], fate);
    return rest == 0 ? view->cache_bytes : random_size(making);
}

/* How much of what was written is there differs from cut to cut: mostly all, mostly nothing, or half of it. */
static uint64_t make_random(struct making *making)
{
    struct crash_view *view = making->view;
    begin(making, (unsigned)random_below(&making->random, view->cut_count + 1));
    uint64_t share = random_below(&making->random, 17), spoiled = random_below(&making->random, 3) == 0 ? 24 : 2;
    for (unsigned i = 0; i < view->sector_count; i++) {
        enum fate fate = random_below(&making->random, 16) < share ? NEW : OLD;
        uint64_t dice = random_below(&making->random, 256);
        if (dice < spoiled)
            fate = specials[random_below(&making->random, SPECIALS)];
        else if (dice < spoiled * 2)
            fate = EARLIER;
        put(making, &view->sectors[i], fate);
    }
    return random_size(making);
}

uint64_t crash_view_build(struct crash_view *view, const struct crash_choice *choice)
{
    struct making making = {.view = view, .random = choice->seed};
    uint64_t bytes;
    if (choice->kind == CRASH_SUBSET)
        bytes = make_subset(&making, choice->index);
    else if (choice->kind == CRASH_PREFIX)
        bytes = make_prefix(&making, choice->index);
    else if (choice->kind == CRASH_SPECIAL)
        bytes = make_special(&making, choice->index);
    else
        bytes = make_random(&making);
    return bytes;
}
