/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AIMG_SRC_WRITER_H
#define AIMG_SRC_WRITER_H

#include "coders.h"
#include "column_edits.h"
#include "dictionary.h"
#include "keys.h"
#include "lookup.h"
#include "ordinal_set.h"
#include "seen.h"
#include "stage.h"

/* Rows after which a run is written although the batch goes on: bounds memory. */
#define AIMG_RUN_ROWS (UINT32_C(1) << 20)
/* Bytes of staged rows after which the same happens, for wide columns; far above what a million rows with few columns take. */
#define AIMG_STAGE_MAX (UINT64_C(1) << 28)
/* Left free before the largest size that a file can have: room for the tables of a commit. */
#define AIMG_TABLES_ROOM (UINT64_C(1) << 40)

/* A table is merged with older ones of its level and below; each level is eight times the one before. So there is at most one
 * table a level, and a row or name is rewritten a few times a level. */
#define AIMG_MERGE_LEVEL_BITS 3

static inline unsigned aimg_merge_level(uint64_t count)
{
    return (unsigned)(63 - __builtin_clzll(count | 1)) / AIMG_MERGE_LEVEL_BITS;
}

struct aimg_writer_column {
    struct aimg_column_record record;
    char name[AIMG_COLUMN_NAME_MAX + 1];
    struct aimg_dictionary dictionary;
};

/* The tables of one kind of slots that the batch makes. */
struct aimg_index {
    struct aimg_keys keys;      /* that wait */
    struct aimg_table *spilled; /* tables of the batch, not merged yet; no ROOT names them */
    uint32_t spilled_count;
};

/* An image that has another name, and so another ordinal. */
struct aimg_renamed {
    uint32_t from, to;
};

struct aimg_writer {
    struct aimg_allocator allocator;
    struct aimg_limits limits;
    struct aimg_io io_storage;
    struct aimg_io *io;
    uint32_t flags, dedup;
    uint64_t time_ns;
    bool seeded;
    bool failed;       /* no further calls but close */
    bool uncut;        /* and what is after the last commit could not be cut off */
    uint64_t kept;     /* what is after the last commit must not be cut off up to here: nobody has it but this file */
    uint32_t run_rows; /* AIMG_RUN_ROWS, AIMG_KEYS_MAX and AIMG_STAGE_MAX; tests set them lower */
    uint64_t keys_max, stage_max;
    uint64_t dropped_bytes, dropped_images, recovered_images;
    struct aimg_codec_pool codecs;
    struct aimg_coders coders;
    uint64_t twin_images, twin_bytes; /* deduplicated */
    struct aimg_seen seen;            /* content of this session, or, with a content index, what waits for it at least */
    bool content_elsewhere;           /* tables of content have what is not among that: they must be looked into */

    struct aimg_located located; /* the last commit */
    struct aimg_reader *base;    /* opened at it */

    /* The open batch. */
    struct aimg_out out;
    struct aimg_stage stage;
    struct aimg_index names, content;
    bool content_indexed;     /* the batch writes CONTENT tables */
    bool content_begun;       /* and they have, or will have, what was in the archive before */
    struct aimg_buffer parts; /* struct aimg_part: of the base, changed as the batch goes on; NAMES and CONTENT that wait for the
                                 commit are not among them */
    struct aimg_writer_column *columns;
    uint32_t column_count;
    uint32_t columns_committed;
    struct aimg_column_edits edits; /* of rows whose run is written, or not to be changed any more */
    bool columns_written;           /* COLUMN tables are among the parts that are not of the base */
    struct aimg_buffer renamed;     /* struct aimg_renamed */
    struct aimg_ordinal_set removed;
    struct aimg_buffer removed_list; /* u32 */
    struct aimg_buffer attached;     /* u32: attachments of the batch, ascending */
    struct aimg_buffer meta;         /* META payload as it will be; no bytes: as it is */
    struct aimg_root_head head;      /* totals with the batch */
    uint64_t pending_images, pending_bytes;
    uint64_t compat, ro_compat, incompat;
};

/* aimg_writer_create and aimg_writer_open on an io that is open; the writer copies it, and closes it in the end. Here tests stand
 * in for a disk. */
enum aimg_status aimg_writer_create_io(const struct aimg_io *io, const struct aimg_writer_options *options,
                                       struct aimg_writer **writer_out, struct aimg_error *error);
enum aimg_status aimg_writer_open_io(const struct aimg_io *io, const struct aimg_writer_options *options,
                                     struct aimg_writer **writer_out, struct aimg_error *error);

/* Before the file is changed: refuses where a commit lies in the tail, confirms the last one, counts the images of the tail, and
 * with AIMG_WRITER_RECOVER adds those that are whole to the open batch. */
enum aimg_status aimg_writer_take_tail(struct aimg_writer *writer, struct aimg_error *error);
/* What was saved of the tail becomes a commit of its own: nothing else that this writer does can lose it again. */
enum aimg_status aimg_writer_commit_salvaged(struct aimg_writer *writer, struct aimg_error *error);
/* So that no hint names a commit that is gone. Before the file grows past the end of that: then the hint would not be one of an
 * archive that was cut short any more, but of one that is damaged. */
enum aimg_status aimg_writer_renew_hints(struct aimg_writer *writer, struct aimg_error *error);

/* Refuses a call on a handle that failed, or a NULL. */
enum aimg_status aimg_writer_check(const struct aimg_writer *writer, struct aimg_error *error);
/* After a failure that leaves the file in doubt: cuts it back to the last commit and closes the handle for all but close. Returns
 * status. */
enum aimg_status aimg_writer_poison(struct aimg_writer *writer, enum aimg_status status);
/* Starts a batch on the state of base. */
enum aimg_status aimg_writer_begin_batch(struct aimg_writer *writer, struct aimg_error *error);
void aimg_writer_release_batch(struct aimg_writer *writer);
/* Writes the staged rows as a RUN, and the waiting keys as a table. */
enum aimg_status aimg_writer_spill_run(struct aimg_writer *writer, struct aimg_error *error);
enum aimg_status aimg_writer_spill_keys(struct aimg_writer *writer, struct aimg_index *index, struct aimg_error *error);
/* The waiting keys, all that was spilled, and the older tables that they have caught up with, or everything, in one table. */
enum aimg_status aimg_writer_publish_names(struct aimg_writer *writer, bool everything, struct aimg_error *error);
enum aimg_status aimg_writer_publish_content(struct aimg_writer *writer, bool everything, struct aimg_error *error);
void aimg_index_release(struct aimg_writer *writer, struct aimg_index *index);
/* The staged rows and the runs before them that they have caught up with, or everything, in one RUN. */
enum aimg_status aimg_writer_publish_runs(struct aimg_writer *writer, bool everything, struct aimg_error *error);
/* The base, seeing also what the batch has written; all of that is flushed. For reading tables of the batch; borrows from base.
 */
enum aimg_status aimg_writer_view(struct aimg_writer *writer, struct aimg_reader *view, struct aimg_error *error);
/* Before the tables are written: columns of type image refer to the new ordinals of images that were renamed. */
enum aimg_status aimg_writer_move_references(struct aimg_writer *writer, struct aimg_error *error);
/* Whether the batch changes the metadata; writes it if so. */
bool aimg_writer_meta_changed(const struct aimg_writer *writer);
enum aimg_status aimg_writer_publish_meta(struct aimg_writer *writer, struct aimg_error *error);
/* Commits also what is empty. flags: of the commit page; everything: all tables of a kind become one, however large. */
enum aimg_status aimg_writer_commit_batch(struct aimg_writer *writer, const char *message, uint32_t flags, bool everything,
                                          struct aimg_error *error);
/* Bytes of the file, of what is not flushed yet, or of both. */
enum aimg_status aimg_writer_peek(const struct aimg_writer *writer, uint64_t offset, void *buffer, size_t bytes,
                                  struct aimg_error *error);
/* Entry of an image that is neither dead nor removed in the batch, and whether it is an attachment; NOT_FOUND when there is none.
 */
enum aimg_status aimg_writer_entry(const struct aimg_writer *writer, uint32_t ordinal, struct aimg_entry_record *entry,
                                   bool *attachment_out, struct aimg_error *error);
/* Entry of an image of the open batch; *attachment_out: as its mask will say. */
enum aimg_status aimg_writer_batch_entry(const struct aimg_writer *writer, uint32_t ordinal, struct aimg_entry_record *entry,
                                         bool *attachment_out, struct aimg_error *error);
/* Entry of an image, be it dead or removed: its bytes are there. NOT_FOUND when there is none. */
enum aimg_status aimg_writer_any_entry(const struct aimg_writer *writer, uint32_t ordinal, struct aimg_entry_record *entry,
                                       struct aimg_error *error);
/* Hash of a name, and who has that name, in the archive or in the batch: NOT_FOUND when nobody has. */
uint64_t aimg_writer_hash_name(const struct aimg_writer *writer, const char *name, size_t name_bytes);
enum aimg_status aimg_writer_find_name(const struct aimg_writer *writer, const char *name, size_t name_bytes, uint64_t hash,
                                       uint32_t *ordinal_out, struct aimg_error *error);

/* An earlier image with the same bytes. */
struct aimg_twin {
    struct aimg_entry_record entry;
    uint32_t ordinal;
};

/* Looks for one; compares all bytes. NOT_FOUND when there is none, or when nothing is deduplicated. May write to the file: after
 * another failure the caller poisons unless *intact_out. */
enum aimg_status aimg_writer_find_twin(struct aimg_writer *writer, const struct aimg_prepared *prepared, uint32_t format,
                                       struct aimg_twin *twin_out, bool *intact_out, struct aimg_error *error);
/* A new image can be found from now on. False when there is no memory. */
bool aimg_writer_remember(struct aimg_writer *writer, const struct aimg_prepared *prepared, uint32_t ordinal);
/* Writes a table when there is no room for more in memory. */
enum aimg_status aimg_writer_bound_content(struct aimg_writer *writer, struct aimg_error *error);

/* A row of the batch, in the order in which these are called. Room for one, in the file and in memory: what
 * cannot be committed is not taken. value_bytes: what its values add to the stage. */
enum aimg_status aimg_writer_make_room(struct aimg_writer *writer, uint64_t stored_bytes, uint64_t value_bytes,
                                       struct aimg_error *error);
/* The row of a frame that was just written: into the stage, its name among the keys. hash: of the name. Here and in what follows
 * a failure leaves the batch in doubt: the caller poisons. */
enum aimg_status aimg_writer_put_row(struct aimg_writer *writer, const struct aimg_frame *frame, uint64_t frame_offset,
                                     const struct aimg_entry_record *entry, const char *name, uint64_t hash,
                                     struct aimg_error *error);
/* Instead of an image's own frame: an ALIAS, with its row, counted. */
struct aimg_alias {
    const char *name;
    size_t name_bytes; /* 0: an attachment without a name */
    bool attachment;
    uint32_t target;                       /* ordinal of the image that holds the bytes, which is no alias */
    const struct aimg_entry_record *entry; /* of the target, or of another alias of it */
};
enum aimg_status aimg_writer_put_alias(struct aimg_writer *writer, const struct aimg_alias *alias, uint32_t *ordinal_out,
                                       struct aimg_error *error);
/* Its row alone, for a frame that is in the file. */
enum aimg_status aimg_writer_put_alias_row(struct aimg_writer *writer, const struct aimg_alias *alias,
                                           const struct aimg_frame *frame, uint64_t offset, struct aimg_error *error);
/* An image whose frame another session has put into the file, and that was verified: image->prepared, without data, says what its
 * bytes are; or alias, of what. It becomes the next image of the batch, and takes the place of one with its name. */
enum aimg_status aimg_writer_adopt(struct aimg_writer *writer, const struct aimg_image *image, const struct aimg_frame *frame,
                                   uint64_t offset, const struct aimg_alias *alias, struct aimg_error *error);
/* All of that: a further image, with values, that shares the bytes of `target`, or those that `target` shares. Its name is not
 * looked for. */
enum aimg_status aimg_writer_add_alias(struct aimg_writer *writer, const struct aimg_image *image, uint32_t target,
                                       struct aimg_error *error);
/* Removes an image, or none, as one with its name, of that hash, is going to be added: the dead keys of a name that is added
 * again and again do not pile up. */
enum aimg_status aimg_writer_replace(struct aimg_writer *writer, uint32_t ordinal, uint64_t hash, struct aimg_error *error);
/* After the values of the row are set. */
enum aimg_status aimg_writer_spill_if_full(struct aimg_writer *writer, struct aimg_error *error);

/* Ordinal of the image that holds the bytes of an entry: its own, or that of the image that it is an alias of. */
enum aimg_status aimg_writer_alias_target(const struct aimg_writer *writer, uint32_t ordinal,
                                          const struct aimg_entry_record *entry, uint32_t *target_out, struct aimg_error *error);

/* The tables that ROOT will name. */
enum aimg_status aimg_writer_add_part(struct aimg_writer *writer, const struct aimg_part *part, struct aimg_error *error);
void aimg_writer_drop_part(struct aimg_writer *writer, const struct aimg_part *part);

static inline struct aimg_part *aimg_writer_parts(const struct aimg_writer *writer, uint32_t *count_out)
{
    *count_out = (uint32_t)(writer->parts.bytes / sizeof(struct aimg_part));
    return (struct aimg_part *)(void *)writer->parts.data;
}

#endif
