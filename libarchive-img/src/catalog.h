/* SPDX-License-Identifier: Apache-2.0 */
/* What ROOT of one commit says, opened: tables, runs, columns, codings. Its size grows with the number of runs, never with that
 * of images. */
#ifndef AIMG_SRC_CATALOG_H
#define AIMG_SRC_CATALOG_H

#include "column.h"
#include "commit.h"
#include "entry.h"
#include "io.h"
#include "memory.h"
#include "root.h"
#include "table.h"

#include <stdatomic.h>

/* The archive as the catalog reads it: bytes before `end` only. */
struct aimg_source {
    struct aimg_allocator allocator;
    struct aimg_limits limits;
    struct aimg_io *io;
    uint64_t seed; /* of Hs */
    uint64_t end;  /* of the commit */
};

struct aimg_table {
    struct aimg_part part;
    uint64_t payload; /* offset in the file */
    uint64_t data_bytes;
    uint8_t list_hash[AIMG_HASH_BYTES];
    uint32_t section_count;
    struct aimg_section *sections;
    bool ordered; /* as aimg_sections_ordered says of them */
    atomic_bool list_verified;
    uint8_t *list; /* a copy of it, verified, of who holds one; else NULL */
};

/* Bitmaps of a run with dead rows or attachments; checked when they are first used. */
struct aimg_mask {
    const uint8_t *dead;     /* NULL: none */
    const uint8_t *attached; /* NULL: none */
    const uint8_t *rank;
    uint8_t *owned; /* copy, where there is no map */
};

struct aimg_run {
    uint32_t first, count;
    uint32_t listed;
    uint64_t position_first; /* listed images in the runs before */
    uint64_t entries_offset; /* in the file */
    struct aimg_table *table;
    struct aimg_table *mask_table; /* NULL: every row is listed */
    struct aimg_mask *_Atomic mask;
    uint32_t columns_first, columns_count; /* its COLUMN tables, the newest last */
};

struct aimg_catalog_column {
    struct aimg_column_record record;
    const char *name; /* in root, not terminated */
};

struct aimg_catalog {
    struct aimg_root_head head;
    uint8_t *root;
    uint64_t root_bytes;
    uint32_t table_count;
    struct aimg_table *tables; /* in order of ROOT: by type */
    struct aimg_section *sections;
    uint32_t run_count;
    struct aimg_run *runs;
    uint32_t *run_firsts;              /* runs[i].first, close together for the search */
    uint32_t names_first, names_count; /* NAMES tables, the newest last */
    uint32_t content_first, content_count;
    struct aimg_catalog_column *columns;
    struct aimg_coding_record *codings;
};

/* Reads bytes at offset, in place when they are mapped, else into scratch (at least `bytes`). NULL and *error on failure, also
 * past source->end. */
const uint8_t *aimg_source_fetch(const struct aimg_source *source, uint64_t offset, size_t bytes, void *scratch,
                                 struct aimg_error *error);
/* The same, copied: what is checked is what is used, even if the file changes under the map. */
enum aimg_status aimg_source_copy(const struct aimg_source *source, uint64_t offset, size_t bytes, void *out,
                                  struct aimg_error *error);

/* Loads and checks ROOT of a commit (rules 31, 32, 36 to 39, 41, 51, 60, 68 as far as the index tells). */
enum aimg_status aimg_catalog_load(const struct aimg_source *source, const struct aimg_commit_page *commit,
                                   struct aimg_catalog *catalog, struct aimg_error *error);
/* The head of its ROOT alone, all of which is verified. */
enum aimg_status aimg_catalog_read_head(const struct aimg_source *source, const struct aimg_commit_page *commit,
                                        struct aimg_root_head *head, struct aimg_error *error);
/* Rule 60: whether a section of a table is one that its column, which the catalog knows, can have. */
bool aimg_catalog_section_fits(const struct aimg_catalog *catalog, const struct aimg_table *table,
                               const struct aimg_section *section);
void aimg_catalog_release(const struct aimg_source *source, struct aimg_catalog *catalog);

/* The table of that part; used by the writer for tables that no ROOT names yet. sections: room for part->section_count. */
enum aimg_status aimg_table_open(const struct aimg_source *source, const struct aimg_part *part, struct aimg_section *sections,
                                 struct aimg_table *table, struct aimg_error *error);
/* Section of a kind and column, or NULL. */
const struct aimg_section *aimg_table_section(const struct aimg_table *table, unsigned kind, uint32_t column);
/* Checks the blocks that hold `bytes` bytes at `offset` of the payload against the hash list (rule 40). */
enum aimg_status aimg_table_verify(const struct aimg_source *source, struct aimg_table *table, uint64_t offset, uint64_t bytes,
                                   struct aimg_error *error);
/* The bytes, checked: in place when they are mapped, else read, once, into scratch (at least `bytes`) and checked there, so that
 * it does not matter what becomes of the file. NULL and *error on failure. */
const uint8_t *aimg_table_fetch(const struct aimg_source *source, struct aimg_table *table, uint64_t offset, size_t bytes,
                                void *scratch, struct aimg_error *error);
/* The same, copied. */
enum aimg_status aimg_table_copy(const struct aimg_source *source, struct aimg_table *table, uint64_t offset, size_t bytes,
                                 void *out, struct aimg_error *error);

/* Copies the hash list into memory, where there is no map and it is not large: for who verifies many single blocks. Not beside
 * other threads. Freed with the catalog. */
enum aimg_status aimg_table_hold_list(const struct aimg_source *source, struct aimg_table *table, struct aimg_error *error);
/* The bytes from `offset` of the payload to the end of their block (before data_bytes), read with that whole block where there is
 * no map, so that it can be checked without reading it again. */
const uint8_t *aimg_table_block(const struct aimg_source *source, const struct aimg_table *table, uint64_t offset,
                                uint8_t scratch[AIMG_BLOCK_BYTES], size_t *bytes_out, struct aimg_error *error);
/* aimg_table_verify of the block around `offset`, which is in memory. */
enum aimg_status aimg_table_verify_held(const struct aimg_source *source, struct aimg_table *table, uint64_t offset,
                                        const uint8_t *block, struct aimg_error *error);

/* Index of the run that holds an ordinal below ordinal_count. */
static inline uint32_t aimg_catalog_run(const struct aimg_catalog *catalog, uint32_t ordinal)
{
    uint32_t low = 0, length = catalog->run_count;
    while (length > 1) {
        uint32_t half = length / 2;
        if (catalog->run_firsts[low + half] <= ordinal)
            low += half;
        length -= half;
    }
    return low;
}

/* The bytes of a MASK are those that were written; what they say is not checked. The caller frees mask->owned. */
enum aimg_status aimg_mask_read(const struct aimg_source *source, struct aimg_table *table, struct aimg_mask *mask,
                                struct aimg_error *error);
/* Loads and checks the mask of a run that has a mask_table. */
enum aimg_status aimg_run_mask_load(const struct aimg_source *source, struct aimg_run *run, const struct aimg_mask **mask_out,
                                    struct aimg_error *error);

/* The run's mask; NULL: every row is listed. */
static inline enum aimg_status aimg_run_mask(const struct aimg_source *source, struct aimg_run *run,
                                             const struct aimg_mask **mask_out, struct aimg_error *error)
{
    *mask_out = atomic_load_explicit(&run->mask, memory_order_acquire);
    return *mask_out != NULL || run->mask_table == NULL ? AIMG_OK : aimg_run_mask_load(source, run, mask_out, error);
}

/* AIMG_OK when the ordinal is not dead, NOT_FOUND when it is, or why that cannot be said. */
enum aimg_status aimg_run_check_alive(const struct aimg_source *source, struct aimg_run *run, uint32_t ordinal,
                                      struct aimg_error *error);

/* Listed row of a run by rank among its listed rows, and back. */
uint32_t aimg_mask_select(const struct aimg_mask *mask, uint32_t count, uint32_t rank);
uint32_t aimg_mask_rank(const struct aimg_mask *mask, uint32_t row);
bool aimg_mask_listed(const struct aimg_mask *mask, uint32_t row);

/* Coding of a number, or NULL. */
const struct aimg_coding_record *aimg_catalog_coding(const struct aimg_catalog *catalog, unsigned coding);

#endif
