/* SPDX-License-Identifier: Apache-2.0 */
/* A damaged archive made into a sound one: who it is, what frames are left, what state its tables tell, and all of that into a
 * new archive. DESIGN.md says how it decides. */
#ifndef AIMG_SRC_REPAIR_H
#define AIMG_SRC_REPAIR_H

#include "reader.h"
#include "writer.h"

/* An image of the damaged archive, by its frame, or by its entry where the frame's header is lost. In order of ordinal. */
struct aimg_repair_image {
    uint64_t place;     /* offset of its IMAGE or ALIAS frame, with flags in the bits that are zero in an offset */
    uint64_t name_hash; /* 0: not known yet, or no name */
    uint32_t ordinal;
    uint32_t number; /* in the new archive; AIMG_NO_ORDINAL: not there */
};

#define AIMG_REPAIR_ALIAS   1u /* an ALIAS frame, or an entry that is ALIASED */
#define AIMG_REPAIR_INDEXED 2u /* no frame of it was found: the entry tells where it is; of an alias, where its bytes are */
#define AIMG_REPAIR_DEAD    4u
#define AIMG_REPAIR_BACK    (UINT64_C(1) << 63) /* was replaced; what replaced it is lost */
#define AIMG_REPAIR_UNSURE  (UINT64_C(1) << 62) /* may have been removed */

static inline uint64_t aimg_repair_offset(const struct aimg_repair_image *image)
{
    return image->place & ~(AIMG_REPAIR_BACK | AIMG_REPAIR_UNSURE | (AIMG_UNIT - 1));
}

/* A frame that is no image. */
struct aimg_repair_piece {
    uint64_t offset, bytes, stored_hash;
    uint32_t salt;
    uint8_t type, format, coding;
    bool displaced; /* its salt is not that of the batch where it stands */
};

/* Bytes between two frames that hold no frame which can be trusted. */
struct aimg_repair_gap {
    uint64_t begin, end;
    bool indexed; /* the index knows which images stood there, all of them */
};

struct aimg_repair_values;

/* What is known of a run beside its catalog row. */
struct aimg_repair_run {
    bool mask_unsure; /* its mask is lost, or an older one */
    bool counted;     /* ROOT says how many rows are dead, and how many others attachments: */
    uint32_t dead, attached;
    uint32_t dead_missing, attached_missing; /* of these, who they are is not known */
    uint64_t values_lost;                    /* values in tables before this offset are lost, or may be out of date */
};

/* Entries that were read together. */
struct aimg_repair_entries {
    const struct aimg_run *run; /* NULL: none */
    uint32_t first;
    enum aimg_status status;
    uint8_t bytes[AIMG_BLOCK_BYTES];
};

/* Names that were decoded together. */
struct aimg_repair_names {
    const struct aimg_run *run; /* NULL: none */
    struct aimg_group group;
    enum aimg_status status;
    struct aimg_buffer raw;
};

/* A table that ROOT names and that cannot be read. */
struct aimg_repair_lost {
    struct aimg_part part;
};

struct aimg_repair {
    struct aimg_repair_options options;
    struct aimg_repair_result result;
    struct aimg_io *io;
    uint64_t file_bytes;
    uint64_t hint_seq, hint_end; /* of the newest valid hint; hint_end 0: none */
    bool salts_listed;
    struct aimg_buffer salts; /* of the batches */
    uint64_t scan_begin;      /* where the first frame is, and the ordinal of the first image from there on */
    uint64_t scan_ordinal;

    struct aimg_buffer images; /* struct aimg_repair_image */
    struct aimg_buffer pieces; /* struct aimg_repair_piece */
    struct aimg_buffer gaps;   /* struct aimg_repair_gap */

    /* The state: a reader whose catalog holds what is left of the tables. */
    struct aimg_reader reader;
    struct aimg_reader_caches caches;
    struct aimg_repair_run *runs; /* one a run of the catalog */
    struct aimg_repair_entries entries;
    struct aimg_repair_names names;
    struct aimg_table empty;  /* of a run whose table is lost */
    struct aimg_buffer lost;  /* struct aimg_repair_lost */
    uint64_t base_root;       /* offset of the ROOT that the state begins with; 0: none */
    uint64_t base_end;        /* end of its commit: what is later stands behind that */
    bool base_newest;         /* it is that of the last commit */
    bool page_lost;           /* the page of the last commit is lost */
    uint64_t committed_end;   /* what lies before was committed */
    uint64_t known_end;       /* and up to here a page or a ROOT tells what */
    uint64_t committed_count; /* ordinals of the newest commit */
    uint64_t listed_count;    /* images that it lists */
    uint64_t missing_count;   /* ordinals of that commit of which nothing is left, and that no mask says are dead */
    bool listed_known;
    bool changes_lost; /* a table of the last commit is lost, and nothing tells which: any mask may be an older one */
    bool sealed;
    uint8_t column_types[AIMG_COLUMN_MAX]; /* as ROOT has them: in the catalog a dictionary's codes are numbers */

    struct aimg_writer *writer;
    struct aimg_repair_values *values;
    uint64_t loaded_bytes; /* of images, and of those that were written: no two have the same bytes, whatever the index says */
    uint64_t written_bytes;
    uint64_t told_bytes; /* by progress */
    uint64_t steps;
    bool told;
    uint64_t scanned_images; /* that the scan found, though it has kept none of them */
    bool counts;             /* so it is asked */
    uint32_t scanned_salt;   /* of the last frame that it found; in a torn tail of all */
    bool adds; /* to an archive that is there, from its torn tail: what is left out is lost, so nothing is that is not damaged */
};

static inline struct aimg_repair_image *aimg_repair_images(const struct aimg_repair *repair, size_t *count_out)
{
    *count_out = repair->images.bytes / sizeof(struct aimg_repair_image);
    return (struct aimg_repair_image *)(void *)repair->images.data;
}

static inline struct aimg_repair_piece *aimg_repair_pieces(const struct aimg_repair *repair, size_t *count_out)
{
    *count_out = repair->pieces.bytes / sizeof(struct aimg_repair_piece);
    return (struct aimg_repair_piece *)(void *)repair->pieces.data;
}

/* Whether a failure is that of one thing that is damaged, and the rest can be saved. */
static inline bool aimg_repair_bears(enum aimg_status status)
{
    return status == AIMG_CORRUPT || status == AIMG_CHECKSUM || status == AIMG_TRUNCATED || status == AIMG_UNSUPPORTED ||
           status == AIMG_LIMIT || status == AIMG_NOT_FOUND || status == AIMG_INVALID_ARGUMENT;
}

/* Whether it says that a thing is damaged, not that it cannot be had here and now. */
static inline bool aimg_repair_is_damage(enum aimg_status status)
{
    return aimg_repair_bears(status) && status != AIMG_LIMIT && status != AIMG_TRUNCATED && status != AIMG_UNSUPPORTED;
}

/* Where the new archive is written: a path, or, for tests, an io that is open on nothing. */
struct aimg_repair_target {
    const char *path;
    const struct aimg_io *io;
};

/* aimg_repair on an io that is open for reading; stays open. Works on memory too (aimg_io_memory_open). */
enum aimg_status aimg_repair_io(struct aimg_io *io, const struct aimg_repair_target *target,
                                const struct aimg_repair_options *options, struct aimg_repair_result *result_out,
                                struct aimg_error *error);

/* Counts a loss and tells the caller of it. */
void aimg_repair_lose(struct aimg_repair *repair, const struct aimg_loss *loss);
void aimg_repair_lose_bytes(struct aimg_repair *repair, uint64_t offset, uint64_t bytes, const char *message);
#define AIMG_REPAIR_CHANGES_LOST "here stood what the last commit changed: values, removals or metadata may be those of before"
/* END when the caller wants to stop. */
enum aimg_status aimg_repair_tell(struct aimg_repair *repair, uint64_t done, struct aimg_error *error);
/* The same at once, where much is read and nothing is done yet. */
enum aimg_status aimg_repair_pulse(const struct aimg_repair *repair, struct aimg_error *error);

/* repair_identify.c: uuid and params, from the header or from what the rest of the file says. */
enum aimg_status aimg_repair_identify(struct aimg_repair *repair, struct aimg_error *error);
/* repair_salts.c: finds out the salts of the batches, once; costs a page a commit, and the bytes behind the last one. */
enum aimg_status aimg_repair_list_salts(struct aimg_repair *repair, struct aimg_error *error);
/* Of the batch that holds some bytes, and where the page is that closes it. sure: no other salt can be there. */
struct aimg_repair_salt {
    uint64_t page;
    uint64_t ordinal_end; /* its images come before */
    uint32_t salt;
    bool sure;
};
/* false: nothing tells. */
bool aimg_repair_salt_at(const struct aimg_repair *repair, uint64_t offset, struct aimg_repair_salt *salt);
/* repair_scan.c: images, pieces and gaps. */
enum aimg_status aimg_repair_scan(struct aimg_repair *repair, struct aimg_error *error);
/* A hole of the file is not read through: where the next byte that is not zero can stand, at or behind offset, and before the
 * end. */
uint64_t aimg_repair_skip_hole(const struct aimg_repair *repair, uint64_t offset);

/* repair_gaps.c: what was in the gaps, once all images are there. Where it may have been tables, no mask is sure any more. */
enum aimg_status aimg_repair_judge_gaps(struct aimg_repair *repair, struct aimg_error *error);
/* Tells of those bytes of which nothing is known. */
void aimg_repair_tell_gaps(struct aimg_repair *repair);

/* Dictionaries that were found, and that the catalog's codings, which have room for all there can be, lack. */
enum aimg_status aimg_repair_take_dictionaries(struct aimg_repair *repair, struct aimg_error *error);
/* repair_base.c: the newest ROOT that holds; fills the catalog's columns and codings, and the parts that it names (struct
 * aimg_part). */
enum aimg_status aimg_repair_find_base(struct aimg_repair *repair, struct aimg_buffer *parts, struct aimg_error *error);
enum aimg_status aimg_repair_create_caches(struct aimg_repair *repair, struct aimg_error *error);
/* repair_state.c: the catalog, from ROOT and from tables that no ROOT names any more. */
enum aimg_status aimg_repair_load(struct aimg_repair *repair, struct aimg_error *error);
void aimg_repair_unload(struct aimg_repair *repair);
/* The part that a table frame would have in ROOT; *whole_out: whether it is as it was written. */
enum aimg_status aimg_repair_part(const struct aimg_repair *repair, const struct aimg_repair_piece *piece, struct aimg_part *part,
                                  bool *whole_out, struct aimg_error *error);
/* repair_columns.c: defines in the catalog, without a name, those columns of its tables that it does not know, and drops sections
 * that fit none. From then on a dictionary's codes are numbers there. */
void aimg_repair_adopt_columns(struct aimg_repair *repair);
/* repair_masks.c: which rows are dead, once the runs are there. */
enum aimg_status aimg_repair_load_masks(struct aimg_repair *repair, struct aimg_error *error);
/* Where a mask is lost: marks the images that were dead in any earlier commit. */
enum aimg_status aimg_repair_use_old_masks(struct aimg_repair *repair, struct aimg_error *error);

/* repair_index.c: entry of an ordinal, verified; NOT_FOUND when there is none, or another failure that can be borne. */
enum aimg_status aimg_repair_entry(struct aimg_repair *repair, uint32_t ordinal, struct aimg_entry_record *entry,
                                   struct aimg_error *error);
/* Name of an ordinal, as the index has it; room for AIMG_NAME_MAX + 1 bytes; 0 bytes: an attachment without a name. */
enum aimg_status aimg_repair_index_name(struct aimg_repair *repair, uint32_t ordinal, char *name, size_t *bytes_out,
                                        struct aimg_error *error);
/* Index of the image of an ordinal; SIZE_MAX when there is none. */
size_t aimg_repair_find(const struct aimg_repair *repair, uint32_t ordinal);
/* Adds the images that only the index knows, tells which are lost, and marks those that are dead. */
enum aimg_status aimg_repair_complete(struct aimg_repair *repair, struct aimg_error *error);

/* Whether an image is an attachment, as far as anything tells. */
enum aimg_status aimg_repair_attached(struct aimg_repair *repair, const struct aimg_repair_image *image, bool *attached_out,
                                      struct aimg_error *error);

/* repair_names.c: name of an image, from its frame or from the index. */
enum aimg_status aimg_repair_name(struct aimg_repair *repair, const struct aimg_repair_image *image, char *name,
                                  size_t *bytes_out, struct aimg_error *error);
/* Marks all but one of the images with one name as dead, and those that may have been removed or replaced. */
enum aimg_status aimg_repair_settle_names(struct aimg_repair *repair, struct aimg_error *error);
/* Tells of an image that was saved when it is one of the latter. */
enum aimg_status aimg_repair_tell_back(struct aimg_repair *repair, const struct aimg_repair_image *image,
                                       struct aimg_error *error);

/* repair_values.c: columns of the new archive, and the values of one image into *values_out (good until the next call). */
enum aimg_status aimg_repair_values_create(struct aimg_repair *repair, struct aimg_error *error);
void aimg_repair_values_destroy(struct aimg_repair *repair);
enum aimg_status aimg_repair_values_take(struct aimg_repair *repair, uint32_t ordinal, const struct aimg_value **values_out,
                                         size_t *count_out, struct aimg_error *error);
/* Sets the references between images, once all are there; and tells what is lost. */
enum aimg_status aimg_repair_values_finish(struct aimg_repair *repair, struct aimg_error *error);

/* repair_bytes.c: hash of bytes of the file, read in pieces. */
enum aimg_status aimg_repair_hash_bytes(const struct aimg_repair *repair, uint64_t offset, uint64_t bytes,
                                        struct aimg_hash *hash_out, struct aimg_error *error);
/* Whether an image can be written: its bytes are found, and are those that were added. */
enum aimg_status aimg_repair_whole(struct aimg_repair *repair, const struct aimg_repair_image *image, bool *whole_out,
                                   struct aimg_error *error);
/* repair_write.c: all images into the new archive. */
enum aimg_status aimg_repair_write(struct aimg_repair *repair, struct aimg_error *error);
/* repair_meta.c: the metadata. */
enum aimg_status aimg_repair_meta(struct aimg_repair *repair, struct aimg_error *error);

#endif
