/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AIMG_SRC_READER_H
#define AIMG_SRC_READER_H

#include "catalog.h"
#include "codec.h"
#include "error.h"
#include "frame.h"
#include "locate.h"

#include <inttypes.h>

/* What changes while a reader is read: caches that threads fill for each other. */
struct aimg_reader_caches {
    struct aimg_codec_pool codecs;
    void *_Atomic *dictionaries; /* one a coding record */
};

/* Runs and NAMES tables that the shortest paths look through; merging leaves fewer for up to some ten million images. */
#define AIMG_HOT_RUNS  16
#define AIMG_HOT_NAMES 8

/* Slots of a NAMES table in the map. */
struct aimg_hot_names {
    const uint8_t *slots;
    uint64_t slot_count;  /* the homes */
    uint64_t slots_total; /* and those past the last home */
};

/* What the shortest path of a borrowed read needs, side by side. */
struct aimg_hot {
    const uint8_t *base; /* the map, or NULL */
    uint64_t end;
    const uint8_t *entries; /* of the first run, or NULL when a row of it is dead or an attachment */
    uint32_t run_count;     /* when all runs are below, in a map; else 0 */
    uint32_t names_count;   /* when all NAMES tables are below, in a map, and nothing is dead; else 0 */
    uint64_t name_seed;
    uint64_t ordinal_count;
    struct aimg_hot_names names[AIMG_HOT_NAMES]; /* the oldest first: it is the largest, and has most names */
    uint32_t run_firsts[AIMG_HOT_RUNS];          /* UINT32_MAX past the last */
    const uint8_t *run_entries[AIMG_HOT_RUNS];   /* as entries */
};

struct aimg_reader {
    struct aimg_hot hot;
    struct aimg_source source;
    struct aimg_io io_storage;
    struct aimg_located located;
    struct aimg_catalog catalog;
    struct aimg_reader_caches *caches;
    char *path; /* NULL: memory */
    uint32_t flags;
    bool borrowed_io; /* the writer's: not closed here */
};

/* The run of an ordinal, by counting: which one it is cannot be foreseen, so a search would guess wrong half the time. */
static inline uint32_t aimg_hot_run(const struct aimg_hot *hot, uint32_t ordinal)
{
    uint32_t before = 0;
    for (uint32_t i = 1; i < AIMG_HOT_RUNS; i++)
        before += hot->run_firsts[i] <= ordinal;
    return before;
}

/* Address of an entry, when its run has no dead rows and no attachments; else NULL. */
static inline const uint8_t *aimg_hot_entry(const struct aimg_hot *hot, uint32_t ordinal)
{
    if (ordinal >= hot->ordinal_count)
        return NULL;
    if (hot->run_count == 1)
        return hot->entries == NULL ? NULL : hot->entries + (size_t)ordinal * AIMG_ENTRY_BYTES;
    uint32_t run = aimg_hot_run(hot, ordinal);
    const uint8_t *entries = hot->run_entries[run];
    return entries == NULL ? NULL : entries + (size_t)(ordinal - hot->run_firsts[run]) * AIMG_ENTRY_BYTES;
}

/* A reader on a file that is open already, for the writer; it does not map, lock, or close. */
enum aimg_status aimg_reader_attach(const struct aimg_source *source, const struct aimg_located *located,
                                    struct aimg_reader **reader_out, struct aimg_error *error);

/* Entry and run of an ordinal; NOT_FOUND past the last. */
enum aimg_status aimg_reader_entry_at(const struct aimg_reader *reader, uint32_t ordinal, struct aimg_entry_record *entry,
                                      struct aimg_run **run_out, struct aimg_error *error);

/* Header of a frame, copied, and checked (rules 12 to 19, 22). */
struct aimg_frame_view {
    struct aimg_frame frame;
    uint8_t bytes[AIMG_FRAME_HEADER_MAX]; /* the header; the name begins at AIMG_FRAME_BYTES */
};
enum aimg_status aimg_frame_read(const struct aimg_source *source, uint64_t offset, struct aimg_frame_view *view,
                                 struct aimg_error *error);

/* Whether an entry's bytes lie in the archive: all that a read which trusts the index needs, in one branch. */
static inline bool aimg_entry_in_range(const struct aimg_entry_record *entry, uint64_t end)
{
    bool begins = entry->frame_offset >= AIMG_HEAD_BYTES;
    bool ends = aimg_entry_data_offset(entry) + entry->stored_bytes <= end; /* below 2^51 + 2^11 and 2^48: no overflow */
    return begins & ends;
}

/* And whether it is well-formed: then a whole frame header lies before the bytes and may be read in place. */
static inline bool aimg_entry_valid(const struct aimg_entry_record *entry, uint64_t end)
{
    return aimg_entry_in_range(entry, end) && entry->header_units >= AIMG_FRAME_BYTES / AIMG_UNIT &&
           entry->flags <= (AIMG_ENTRY_ALIASED | AIMG_ENTRY_ATTACHMENT);
}
enum aimg_status aimg_entry_fault(const struct aimg_reader *reader, const struct aimg_run *run, uint32_t ordinal,
                                  struct aimg_error *error);
/* Reads the frame that an entry designates; rules 42 to 44: index and frame say the same; 22: no extension that must be known. */
enum aimg_status aimg_frame_check_entry(const struct aimg_reader *reader, uint32_t ordinal, const struct aimg_entry_record *entry,
                                        struct aimg_frame_view *view, struct aimg_error *error);

/* aimg_reader_entry; the frame of a coded image, which is checked for its size, into view. */
enum aimg_status aimg_image_entry(const struct aimg_reader *reader, uint32_t ordinal, struct aimg_entry *entry_out,
                                  struct aimg_frame_view *view, struct aimg_error *error);

/* The records of a section of groups, verified. */
enum aimg_status aimg_group_verify_records(const struct aimg_reader *reader, struct aimg_table *table,
                                           const struct aimg_section *section, struct aimg_error *error);
/* All records of a section: verified, and each as it must be. */
enum aimg_status aimg_group_check_records(const struct aimg_reader *reader, struct aimg_table *table,
                                          const struct aimg_section *section, struct aimg_error *error);
/* The record of a group, not verified, read with the one before it, which says where the group begins. */
enum aimg_status aimg_group_at(const struct aimg_reader *reader, struct aimg_table *table, const struct aimg_section *section,
                               uint64_t index, struct aimg_group *group, struct aimg_error *error);
/* The stored bytes of a group, verified; scratch is grown where there is no map. */
enum aimg_status aimg_group_stored(const struct aimg_reader *reader, struct aimg_table *table, const struct aimg_section *section,
                                   const struct aimg_group *group, struct aimg_buffer *scratch, const uint8_t **stored_out,
                                   struct aimg_error *error);
/* One group of texts: its record and its bytes are verified, checked, and decoded into raw (grown as needed). */
enum aimg_status aimg_group_read(const struct aimg_reader *reader, struct aimg_table *table, const struct aimg_section *section,
                                 uint64_t index, struct aimg_group *group, struct aimg_buffer *raw, struct aimg_error *error);
/* Index of the group that holds value `row`, as its record says, which is verified when the group is read: so a search costs the
 * logarithm of the groups. When no record says so, all are verified to tell why. */
enum aimg_status aimg_group_find(const struct aimg_reader *reader, struct aimg_table *table, const struct aimg_section *section,
                                 uint32_t row, uint64_t *index_out, struct aimg_error *error);
/* The group that holds value `row`, which is then in it for sure. */
enum aimg_status aimg_group_read_row(const struct aimg_reader *reader, struct aimg_table *table,
                                     const struct aimg_section *section, uint32_t row, struct aimg_group *group,
                                     struct aimg_buffer *raw, struct aimg_error *error);
/* Value `row` of a decoded group: where it lies in raw. */
void aimg_group_value(const uint8_t *raw, const struct aimg_group *group, uint32_t row, const uint8_t **value_out,
                      uint32_t *bytes_out);
/* The same for who asks for many values in any order: the sum puts the end of each value in the place of its length, once. */
void aimg_group_sum(uint8_t *raw, const struct aimg_group *group);
void aimg_group_summed_value(const uint8_t *raw, const struct aimg_group *group, uint32_t row, const uint8_t **value_out,
                             uint32_t *bytes_out);
/* Value of one row, copied out. */
enum aimg_status aimg_group_copy(const struct aimg_reader *reader, struct aimg_table *table, const struct aimg_section *section,
                                 uint32_t row, void *buffer, size_t buffer_bytes, size_t *bytes_out, struct aimg_error *error);

/* The table that counts for a column of a run; NULL: every row is null. */
struct aimg_table *aimg_column_table(const struct aimg_reader *reader, const struct aimg_run *run,
                                     const struct aimg_column_record *column);
/* A value in that table, or in one that no ROOT names yet, as it is stored: fixed width as little-endian elements, a dictionary's
 * code. Else as aimg_reader_value. */
enum aimg_status aimg_column_stored(const struct aimg_reader *reader, struct aimg_table *table,
                                    const struct aimg_column_record *column, uint32_t row, void *buffer, size_t buffer_bytes,
                                    size_t *bytes_out, bool *null_out, struct aimg_error *error);

/* Brings an image's frame and bytes on their way into the processor's caches, where they are mapped: their misses overlap. */
void aimg_image_announce(const struct aimg_reader *reader, uint32_t ordinal);

/* The coding of that number, which images have; CORRUPT when the archive does not define it, UNSUPPORTED when this version does
 * not know its codec. */
enum aimg_status aimg_coding_find(const struct aimg_reader *reader, unsigned number, const struct aimg_coding_record **coding_out,
                                  struct aimg_error *error);
/* Bytes of a dictionary, verified (rule 51), in memory of the reader's allocator. */
enum aimg_status aimg_coding_fetch(const struct aimg_reader *reader, const struct aimg_coding_record *coding, uint8_t **copy_out,
                                   struct aimg_error *error);
/* Decodes the stored bytes of an image into raw_bytes bytes. */
enum aimg_status aimg_image_decode(const struct aimg_reader *reader, unsigned coding, const void *stored, uint64_t stored_bytes,
                                   void *raw, uint64_t raw_bytes, uint64_t offset, struct aimg_error *error);

enum aimg_status aimg_not_there(const struct aimg_reader *reader, uint64_t ordinal, struct aimg_error *error);

#endif
