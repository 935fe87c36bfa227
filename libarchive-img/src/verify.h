/* SPDX-License-Identifier: Apache-2.0 */
/* The check of every rule of SPEC.md section 11 on a file that nobody trusts. Reads with pread only, so that a file that changes
 * meanwhile can do no harm; goes on after a fault as far as it can.
 *
 * In this order: head and hints; the index of the last commit is opened; all frames are walked by all threads, each checking the
 * payloads of the frames it claimed; then the index is compared with what the walk saw. */
#ifndef AIMG_SRC_VERIFY_H
#define AIMG_SRC_VERIFY_H

#include "catalog.h"
#include "checksum.h"
#include "codec.h"
#include "error.h"
#include "frame.h"
#include "locate.h"

#include <inttypes.h>
#include <pthread.h>

/* ------------------------------------------------------------------ what is kept of the frames */

enum aimg_verify_payload {
    AIMG_VERIFY_PAYLOAD_UNKNOWN, /* not read, or not decoded */
    AIMG_VERIFY_PAYLOAD_GOOD,    /* record.hash is that of the original bytes */
    AIMG_VERIFY_PAYLOAD_BAD      /* reported */
};

enum aimg_verify_state {
    AIMG_VERIFY_DEAD = 1,     /* as the run's MASK says */
    AIMG_VERIFY_ATTACHED = 2, /* as the run's MASK says */
    AIMG_VERIFY_CLAIMED = 4,  /* the entry of the ordinal belongs to the frame, or cannot be read */
    AIMG_VERIFY_ENTRY = 8     /* record.hash was replaced by the entry's */
};

/* One an ordinal: the only thing whose size grows with the number of images. */
struct aimg_verify_record {
    uint64_t offset; /* of the IMAGE or ALIAS frame */
    uint64_t stored_bytes;
    uint64_t name_hash;            /* of 64 bits, whose top 40 stand in a slot */
    uint8_t hash[AIMG_HASH_BYTES]; /* IMAGE: of the original bytes; ALIAS: u32 target */
    uint8_t type;                  /* 0: no frame was seen */
    uint8_t header_units;
    uint8_t format;
    uint8_t coding;
    uint8_t named;
    uint8_t payload; /* enum aimg_verify_payload */
    uint8_t state;   /* enum aimg_verify_state */
    uint8_t slots;   /* 1: the name has a slot */
};

_Static_assert(sizeof(struct aimg_verify_record) == 48,
               "as large as the smallest IMAGE frame: a file cannot ask for more memory than it has bytes");

/* A second frame of an ordinal. */
struct aimg_verify_spare {
    uint64_t offset;
    uint32_t ordinal;
    uint8_t type;
    bool claimed;
};

/* A frame that the index may designate: neither IMAGE, ALIAS, PAD nor COMMIT. */
struct aimg_verify_frame {
    uint64_t offset;
    uint64_t stored_bytes;
    uint8_t type, format, coding;
};

/* ------------------------------------------------------------------ what ROOT says */

struct aimg_verify_root {
    struct aimg_root_head head;
    uint8_t *bytes;
    uint32_t part_count; /* those that are well-formed */
    struct aimg_part *parts;
    uint32_t column_count;
    struct aimg_catalog_column *columns;
    uint32_t coding_count;
    struct aimg_coding_record *codings;
    bool zstd; /* a section is coded */
};

/* ROOT of the last commit and what it names. */
struct aimg_verify_index {
    bool open;
    struct aimg_verify_root root;
    struct aimg_table *tables; /* one a part; sections NULL when the table cannot be used */
    void **dictionaries;       /* one a coding, or NULL */
};

/* ------------------------------------------------------------------ the walk */

#define AIMG_VERIFY_SALTS 8

/* Where the walk over the frames is. Who holds the turn has it to himself. */
struct aimg_verify_walk {
    pthread_mutex_t lock;
    pthread_cond_t turn;
    uint64_t tickets, serving; /* threads in the order in which they go on with the walk */
    uint64_t ahead;            /* up to where threads have read ahead */
    uint64_t passed;           /* offset, for those who do not have the turn */
    bool large;                /* frames are large: read headers only, then what is needed */
    bool over;

    uint64_t offset;
    bool has_commit;
    struct aimg_commit_page commit; /* the last one seen */
    uint64_t commits;
    uint64_t lost;         /* commits that lie before this are damaged: a chain may go on from there */
    uint64_t used;         /* incompat features seen */
    bool counts;           /* no damage since the last commit: ordinals can be counted */
    uint64_t next_ordinal; /* of the frames */
    struct {
        uint32_t salt;
        uint64_t first, count;
    } salts[AIMG_VERIFY_SALTS]; /* of the batch */
    uint32_t salt_count;
    uint64_t salts_left_out;
    bool hinted[2]; /* the commit that the hint names was seen */
    uint64_t checked_bytes;
};

struct aimg_verify_known {
    uint64_t offset;
    uint32_t ordinal; /* or AIMG_NO_ORDINAL */
};

/* ------------------------------------------------------------------ all of it */

#define AIMG_VERIFY_RULES 128

struct aimg_verify_report {
    pthread_mutex_t lock;
    uint64_t faults, warnings;
    uint64_t counts[AIMG_VERIFY_RULES];
    uint64_t done_bytes, total_bytes;
    uint64_t told_ns;
};

struct aimg_verify {
    struct aimg_verify_options options;
    struct aimg_source source; /* end: of the file */
    struct aimg_io io;
    bool quick;
    uint32_t threads;
    struct aimg_verify_report report;
    pthread_mutex_t stop_lock;
    atomic_bool stopped; /* by what no rule is about: no memory */
    struct aimg_error stop;

    struct aimg_located located; /* the last commit that can be used */
    uint64_t end;                /* of the frames that are checked */
    bool hint_there[2];          /* its page is not zero */
    bool has_hint[2];            /* it is valid, too */
    struct aimg_hint hints[2];
    bool being_written; /* when the last commit was looked for */
    bool skips_unknown; /* the archive declares an optional feature that is not known here */

    struct aimg_codec_pool codecs;
    struct aimg_verify_walk walk;
    struct aimg_verify_index index;
    struct aimg_verify_record *records;
    uint64_t record_count;
    struct aimg_buffer spares;  /* struct aimg_verify_spare, by offset */
    struct aimg_buffer frames;  /* struct aimg_verify_frame, by offset */
    struct aimg_buffer damaged; /* u64: offsets of frames that the walk could not read */
    struct aimg_buffer known;   /* struct aimg_verify_known, by offset; made at the first damage */
    bool knows;
    uint64_t images;
    struct aimg_verify_groups *named; /* under report.lock: where the index was last asked for a name; NULL before that */
};

/* ------------------------------------------------------------------ verify_report.c */

struct aimg_verify_place {
    uint64_t offset;
    uint32_t ordinal;
    const uint8_t *name; /* NULL: looked up when there is an ordinal */
    size_t name_bytes;
};

static inline struct aimg_verify_place aimg_verify_at(uint64_t offset)
{
    return (struct aimg_verify_place){.offset = offset, .ordinal = AIMG_NO_ORDINAL};
}

static inline struct aimg_verify_place aimg_verify_image(uint64_t offset, uint32_t ordinal)
{
    return (struct aimg_verify_place){.offset = offset, .ordinal = ordinal};
}

bool aimg_verify_report_begin(struct aimg_verify *verify);
/* Says of each rule that was reported too often how often, and releases. */
void aimg_verify_report_end(struct aimg_verify *verify);
/* One sentence, without the offset unless it helps: the finding has it. */
void aimg_verify_fault(struct aimg_verify *verify, unsigned rule, struct aimg_verify_place place, const char *format, ...)
    AIMG_PRINTF(4, 5);
void aimg_verify_warning(struct aimg_verify *verify, unsigned rule, struct aimg_verify_place place, const char *format, ...)
    AIMG_PRINTF(4, 5);
void aimg_verify_progress(struct aimg_verify *verify, uint64_t bytes);
/* Ends the check because of what no rule is about; the first call counts. */
void aimg_verify_stop(struct aimg_verify *verify, const struct aimg_error *error);
void aimg_verify_no_memory(struct aimg_verify *verify, uint64_t bytes);
static inline bool aimg_verify_stopped(struct aimg_verify *verify)
{
    return atomic_load_explicit(&verify->stopped, memory_order_relaxed);
}
/* Name of a frame type, as "IMAGE". */
const char *aimg_verify_type_name(unsigned type);

/* ------------------------------------------------------------------ verify_walk.c, verify_frames.c, verify_header.c,
 * verify_resume.c */

/* A frame whose payload is to be checked. */
struct aimg_verify_span {
    uint64_t offset;
    uint64_t bytes;
};

#define AIMG_VERIFY_SPANS        4096
#define AIMG_VERIFY_WINDOW_BYTES 8192 /* holds a frame header, and a commit page */

/* What one thread works with. */
struct aimg_verify_worker {
    struct aimg_verify *verify;
    uint8_t *buffer; /* AIMG_VERIFY_BUFFER_BYTES: bytes begin to end of the file */
    uint64_t begin, end;
    uint8_t *window; /* for headers that are not in buffer */
    uint64_t window_begin, window_end;
    struct aimg_verify_span *spans;
    uint32_t span_count;
    struct aimg_buffer raw; /* a decoded image */
    struct aimg_verify_decoder *decoder;
};

/* Buffer of a thread: what it reads ahead, and as much again for the frames that reach beyond. */
#define AIMG_VERIFY_CHUNK_BYTES  (UINT64_C(1) << 19)
#define AIMG_VERIFY_BUFFER_BYTES (UINT64_C(1) << 20)

/* Walks and checks all frames with all threads. */
void aimg_verify_walk_all(struct aimg_verify *verify);
/* Bytes of the file, valid until the next call; NULL when they are not there. bytes: at most AIMG_VERIFY_WINDOW_BYTES. */
const uint8_t *aimg_verify_peek(struct aimg_verify_worker *worker, uint64_t offset, size_t bytes);
/* One frame on; false when the walk cannot go on. */
bool aimg_verify_step(struct aimg_verify_worker *worker);
/* The image whose frame begins at offset, as the index says, or AIMG_NO_ORDINAL; and where the next frame that can be found
 * begins, or verify->end. frame: the damaged header as far as it could be read, or NULL. */
uint32_t aimg_verify_resume(struct aimg_verify_worker *worker, uint64_t offset, const struct aimg_frame *frame,
                            uint64_t *next_out);
/* Whether the walk met damage there. */
bool aimg_verify_is_damaged(const struct aimg_verify *verify, uint64_t offset);

/* A header as the walk reads it; bytes are valid until the next peek. */
struct aimg_verify_header {
    uint64_t offset;
    struct aimg_frame frame;
    const uint8_t *bytes;
    size_t header_bytes;
    uint64_t total; /* header, payload and padding */
    unsigned rule;  /* broken, but the walk can go on */
};

struct aimg_verify_place aimg_verify_header_place(const struct aimg_verify_header *header);
/* What one header tells. */
void aimg_verify_header_rules(struct aimg_verify *verify, const struct aimg_verify_header *header);

/* ------------------------------------------------------------------ verify_payloads.c */

/* Checks the payloads of the worker's spans. */
void aimg_verify_payloads(struct aimg_verify_worker *worker);

/* ------------------------------------------------------------------ verify_commits.c, verify_root.c */

/* Rules 9, 10 and the end of what is checked; status of what cannot be opened. */
enum aimg_status aimg_verify_hints(struct aimg_verify *verify, const uint8_t *head, enum aimg_status located);
/* Rules 20, 24 to 33 of the commit page at offset. */
void aimg_verify_commit(struct aimg_verify_worker *worker, uint64_t offset);
/* Rules 9, 11 and 34, after the walk. */
void aimg_verify_ends(struct aimg_verify *verify);

/* ROOT of a commit: rules 30, 31, 37, 51, 60 as far as ROOT alone tells. False when it cannot be used. Release in any case. */
bool aimg_verify_root_read(struct aimg_verify *verify, const struct aimg_commit_page *commit, struct aimg_verify_root *root);
void aimg_verify_root_release(struct aimg_verify *verify, struct aimg_verify_root *root);
/* Rule 32: what frames up to the commit and its ROOT use is declared. */
void aimg_verify_features(struct aimg_verify *verify, const struct aimg_commit_page *commit, const struct aimg_verify_root *root);

/* ------------------------------------------------------------------ verify_index.c, verify_tables.c */

/* Opens the index of the last commit: rules 36, 38, 39, 41, 60, 68 as far as ROOT and the footers tell. */
void aimg_verify_index_open(struct aimg_verify *verify);
void aimg_verify_index_close(struct aimg_verify *verify);
/* Compares the index with the frames; everything that needs the walk. */
void aimg_verify_index_check(struct aimg_verify *verify);
const struct aimg_coding_record *aimg_verify_coding(const struct aimg_verify *verify, unsigned coding, void **dictionary_out);
const struct aimg_column_record *aimg_verify_column(const struct aimg_verify_root *root, uint32_t id);
/* The RUN table of an ordinal, or NULL when there is none that can be used. */
const struct aimg_table *aimg_verify_run_of(const struct aimg_verify *verify, uint32_t ordinal);
/* The frame that begins at offset, or NULL. */
const struct aimg_verify_frame *aimg_verify_frame_at(const struct aimg_verify *verify, uint64_t offset);

/* The tail of a table: rules 38, 39, 41. Sections are allocated; NULL when it cannot be used. */
void aimg_verify_table_open(struct aimg_verify *verify, const struct aimg_part *part, struct aimg_table *table);
/* Rules 38 (gaps) and 40: all data of a table. */
void aimg_verify_table_data(struct aimg_verify *verify, const struct aimg_table *table);

/* ------------------------------------------------------------------ verify_entries.c, verify_names.c, verify_slots.c,
 * verify_columns.c */

/* Rule 62, and the state of the records. */
void aimg_verify_masks(struct aimg_verify *verify);
/* Rules 42 to 47, 53 (names that are missing), 65, 70. */
void aimg_verify_entries(struct aimg_verify *verify);
/* Rules 53 and 55. */
void aimg_verify_names(struct aimg_verify *verify);
/* Name of an ordinal from its frame, or from the index. Bytes, 0 when there is none or it cannot be read. */
size_t aimg_verify_name_of(struct aimg_verify *verify, uint32_t ordinal, uint8_t name[AIMG_NAME_MAX]);
/* Releases what that has kept. */
void aimg_verify_names_end(struct aimg_verify *verify);
/* Rules 54 and 57 to 59. */
void aimg_verify_slots(struct aimg_verify *verify);
/* Rule 67. */
void aimg_verify_content(struct aimg_verify *verify);
/* Rules 61 and 68. */
void aimg_verify_columns(struct aimg_verify *verify);
/* Rules 51 and 69, for which the frames must be known. */
void aimg_verify_codings(struct aimg_verify *verify);
void aimg_verify_meta(struct aimg_verify *verify);

/* ------------------------------------------------------------------ verify.c */

/* aimg_verify on an io that is open, and closed once the check has begun. Here tests stand in for a disk. */
enum aimg_status aimg_verify_io(const struct aimg_io *io, const struct aimg_verify_options *options,
                                struct aimg_verify_result *result_out, struct aimg_error *error);

#endif
