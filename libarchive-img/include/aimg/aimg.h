/* SPDX-License-Identifier: Apache-2.0 */
/*
 * aimg: many images in one append-only file.
 *
 * Model. An archive is one file. A writer appends images and makes them visible with a commit, atomically and durably. A reader
 * sees the archive as of one commit. Each image has an ordinal: its number in order of arrival, never reused. Its position is its
 * rank among the listed images (those that are neither removed nor attachments), and is what users count by. Most archives have
 * never removed anything; there position and ordinal are the same number.
 *
 * Ownership. Three words only. The library *borrows* a pointer for the length of the call, unless the text says for how long.
 * It *copies* what it must keep. It never hands out memory that the caller must free. Handles are closed by their own function,
 * which takes NULL.
 *
 * Errors. Every function that can fail returns an enum aimg_status and takes a struct aimg_error pointer (may be NULL) as its
 * last argument, which it fills when it fails: what, where in the file, what was expected, what was found, what to do. On failure
 * the outputs are unchanged unless the text says otherwise. The library prints nothing, never aborts, and has no global state.
 *
 * Threads. A reader is shared by any number of threads and survives fork; only aimg_reader_refresh and aimg_reader_close need it
 * for themselves. A writer belongs to one thread at a time; aimg_writer_prepare alone may run beside it. A child
 * after fork can only close its copy of a writer, which leaves the file alone; what would write says SEQUENCE there.
 *
 * Files that others change. A writer only appends, and a compact puts a new file in the place; neither disturbs a reader. Against
 * programs that truncate, overwrite or punch the file under a reader (shared folders, network file systems, strangers) there is
 * AIMG_READER_NO_MAP: such a handle fetches bytes once, checks what it fetched and hands out just that, so images, names, values,
 * and that there is no such name, are right or an error, whatever becomes of the file. A handle with a map, the default, looks at
 * the file in place: what was cut off raises SIGBUS in the thread that touches it, and what is overwritten after it was checked
 * is what the caller sees. Only aimg_reader_read, verified, still gives the right bytes or an error there as long as nothing is
 * cut off.
 *
 * Units. Sizes in bytes, 64 bits. Times in nanoseconds since 1970 UTC. Names are UTF-8, need no terminator, and are compared
 * bytewise.
 *
 * Options structs begin with struct_bytes = sizeof of the struct as the caller compiled it; all other fields zero mean the
 * defaults.
 *
 * Example: reads the image at position 0.
 *
 *     #include <aimg/aimg.h>
 *     #include <stdio.h>
 *     #include <stdlib.h>
 *
 *     int main(int argc, char **argv)
 *     {
 *         struct aimg_error error;
 *         struct aimg_reader *reader;
 *         uint32_t ordinal;
 *         uint64_t bytes;
 *         if (argc != 2 || aimg_reader_open(argv[1], NULL, &reader, &error) != AIMG_OK) {
 *             fprintf(stderr, "%s: %s\n", argc == 2 ? argv[1] : "usage: first ARCHIVE", argc == 2 ? error.message : "");
 *             return 1;
 *         }
 *         enum aimg_status status = aimg_reader_ordinal_at(reader, 0, &ordinal, &error);
 *         if (status == AIMG_OK)
 *             status = aimg_reader_read(reader, ordinal, 0, NULL, 0, &bytes, &error);
 *         if (status == AIMG_BUFFER_TOO_SMALL) {
 *             void *image = malloc((size_t)bytes);
 *             status = image == NULL ? AIMG_OUT_OF_MEMORY : aimg_reader_read(reader, ordinal, 0, image, bytes, &bytes, &error);
 *             free(image);
 *         }
 *         aimg_reader_close(reader);
 *         if (status != AIMG_OK) {
 *             fprintf(stderr, "%s\n", aimg_status_text(status));
 *             return 1;
 *         }
 *         printf("the first image has %llu bytes\n", (unsigned long long)bytes);
 *         return 0;
 *     }
 */
#ifndef AIMG_AIMG_H
#define AIMG_AIMG_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define AIMG_VERSION_MAJOR  0 /* library: breaks the interface */
#define AIMG_VERSION_MINOR  1 /* library: adds to it */
#define AIMG_VERSION_PATCH  0
#define AIMG_VERSION        "0.1.0"
#define AIMG_FORMAT_VERSION "0.1" /* of the file; see spec/SPEC.md */

#if defined(_WIN32)
#define AIMG_API
#elif defined(__GNUC__)
#define AIMG_API __attribute__((visibility("default")))
#else
#define AIMG_API
#endif
#if defined(__GNUC__)
#define AIMG_MUST_CHECK __attribute__((warn_unused_result))
#else
#define AIMG_MUST_CHECK
#endif

/* ------------------------------------------------------------------ status and errors */

enum aimg_status {
    AIMG_OK = 0,
    AIMG_END = 1,              /* an iterator has no more */
    AIMG_INVALID_ARGUMENT = 2, /* the caller's mistake: a NULL, an unknown flag, a value out of range, a forbidden name */
    AIMG_SEQUENCE = 3,         /* called in the wrong state: after a failed commit, without a map */
    AIMG_OUT_OF_MEMORY = 4,
    AIMG_IO = 5,                /* the system said no; sys_errno says why */
    AIMG_NOT_FOUND = 6,         /* no such file, name, ordinal, position, column or commit */
    AIMG_EXISTS = 7,            /* a name or file that is there already */
    AIMG_BUSY = 8,              /* another writer holds the archive */
    AIMG_NOT_ARCHIVE = 9,       /* the file is not an aimg archive */
    AIMG_VERSION_UNKNOWN = 10,  /* the archive is of a format version that this library does not know */
    AIMG_UNSUPPORTED = 11,      /* the archive uses a feature that this library does not know */
    AIMG_TRUNCATED = 12,        /* committed bytes are missing at the end of the file */
    AIMG_CORRUPT = 13,          /* a structure breaks a rule of the format */
    AIMG_CHECKSUM = 14,         /* bytes are not those that were written */
    AIMG_LIMIT = 15,            /* a limit of the format or of the handle would be passed */
    AIMG_BUFFER_TOO_SMALL = 16, /* the caller's buffer; the needed size was put out */
    AIMG_REPLACED = 17          /* the path no longer names the file that is open */
};

#define AIMG_NO_OFFSET  UINT64_MAX
#define AIMG_NO_ORDINAL UINT32_MAX

/* Lives on the caller's stack; needs no initialisation and no release. */
struct aimg_error {
    enum aimg_status status;
    int sys_errno;     /* errno of the failed system call, else 0 */
    uint32_t rule;     /* rule of spec/SPEC.md that was broken, else 0 */
    uint64_t offset;   /* place in the file, else AIMG_NO_OFFSET */
    char message[256]; /* one sentence, no newline */
};

/* Name of a status, as "not found". Static text, also for unknown values. Any thread. */
AIMG_API const char *aimg_status_text(enum aimg_status status);

/* Version of the library that runs, as "0.1.0". Any thread. */
AIMG_API const char *aimg_version(void);

/* ------------------------------------------------------------------ memory and limits */

/* The library's own memory of one handle. alloc returns memory aligned for any type, or NULL; free takes NULL. Both may be called
 * from any thread that uses the handle. zstd's contexts use malloc. All three zero: malloc and free. */
struct aimg_allocator {
    void *user;
    void *(*alloc)(void *user, size_t bytes);
    void (*free)(void *user, void *memory);
};

/* What a hostile archive may make a reader allocate or decode. Zero: the default. More gives AIMG_LIMIT. */
struct aimg_limits {
    uint64_t image_bytes; /* decoded size of one image; default 1 GiB */
    uint64_t index_bytes; /* ROOT, the sections of all tables, one group of texts, or a writer's dictionary; default 256 MiB */
    uint32_t ratio;       /* decoded size over stored size of one image; default 1,000, images up to 1 MiB are exempt */
};

/* ------------------------------------------------------------------ pictures */

/* Picture formats, recognised by content. The numbers are those of the file format (spec/REGISTRY.md). */
enum aimg_format {
    AIMG_FORMAT_UNKNOWN = 0,
    AIMG_FORMAT_JPEG = 1,
    AIMG_FORMAT_PNG = 2,
    AIMG_FORMAT_GIF = 3,
    AIMG_FORMAT_WEBP = 4,
    AIMG_FORMAT_BMP = 5,
    AIMG_FORMAT_TIFF = 6,
    AIMG_FORMAT_PNM = 7,
    AIMG_FORMAT_AVIF = 8,
    AIMG_FORMAT_HEIF = 9,
    AIMG_FORMAT_JXL = 10,
    AIMG_FORMAT_JP2 = 11,
    AIMG_FORMAT_ICO = 12,
    AIMG_FORMAT_QOI = 13,
    AIMG_FORMAT_PSD = 14,
    AIMG_FORMAT_EXR = 15,
    AIMG_FORMAT_HDR = 16
};

/* "jpeg", "png", ...; "unknown" for 0 and for numbers from the future. Static text. Any thread. */
AIMG_API const char *aimg_format_name(unsigned format);

struct aimg_picture {
    enum aimg_format format;
    uint32_t width, height; /* of the stored pixel grid, before EXIF orientation; 0 when the header does not say */
    uint32_t channels; /* 1 grey, 2 with alpha, 3 colour, 4 with alpha or CMYK; palette images count their colours; 0 unknown */
    uint32_t bits;     /* per sample; 0 unknown */
    int damaged;       /* 1: recognised, but the header is cut short or contradicts itself; the fields hold what could be read */
};

/* Recognises a picture by its first bytes and reads its size from the header; decodes nothing.
 *
 * data: borrowed; the first `bytes` bytes of the file, all of it for a sure answer (headers of JPEG, TIFF and HEIF can lie deep
 * inside). Returns AIMG_OK and fills *picture_out; AIMG_NOT_FOUND when it is none of the known formats (format is then UNKNOWN,
 * the rest 0); AIMG_INVALID_ARGUMENT when picture_out is NULL, or data is NULL with bytes above 0. Any thread. Reads the headers
 * only. Never reads outside the buffer, whatever is in it. */
AIMG_API enum aimg_status aimg_picture_probe(const void *data, size_t bytes, struct aimg_picture *picture_out);

/* ------------------------------------------------------------------ names */

/* Whether a name may stand in an archive (SPEC.md section 10). On failure AIMG_INVALID_ARGUMENT and *error says what is wrong
 * with it. Any thread. */
AIMG_API enum aimg_status aimg_name_check(const char *name, size_t name_bytes, struct aimg_error *error);

/* ------------------------------------------------------------------ reader */

struct aimg_reader;

enum aimg_reader_flag {
    AIMG_READER_NO_MAP = 1, /* read with pread only: for files that others may truncate or overwrite, network file systems; what
                               it reads is right or an error; no borrowing, no chunks, no source of a copy */
    AIMG_READER_AT = 2,     /* open as of commit `seq` */
    AIMG_READER_ALLOW_TRUNCATED = 4 /* open the newest commit that is whole although a later one is lost */
};

struct aimg_reader_options {
    size_t struct_bytes;
    uint32_t flags;
    uint32_t reserved;               /* 0 */
    uint64_t seq;                    /* with AIMG_READER_AT: number of the commit, from 0 */
    struct aimg_allocator allocator; /* copied */
    struct aimg_limits limits;       /* copied */
};

/* Opens an archive for reading.
 *
 * path: borrowed. options: borrowed, may be NULL. *reader_out: closed with aimg_reader_close.
 * Returns OK; NOT_FOUND (no such file), IO, NOT_ARCHIVE, VERSION_UNKNOWN, UNSUPPORTED, TRUNCATED (committed bytes are gone:
 * repair, or open with AIMG_READER_ALLOW_TRUNCATED), CORRUPT, CHECKSUM, LIMIT, OUT_OF_MEMORY, INVALID_ARGUMENT; NOT_FOUND also
 * for a commit that is not there. Cost: a fixed number of system calls and a few KiB, whatever the number of images; bytes after
 * the last commit are walked, one small read a frame. */
AIMG_API AIMG_MUST_CHECK enum aimg_status aimg_reader_open(const char *path, const struct aimg_reader_options *options,
                                                           struct aimg_reader **reader_out, struct aimg_error *error);

/* Like aimg_reader_open, but on bytes in memory, which must stay and not change until the reader is closed. */
AIMG_API AIMG_MUST_CHECK enum aimg_status aimg_reader_open_memory(const void *data, uint64_t bytes,
                                                                  const struct aimg_reader_options *options,
                                                                  struct aimg_reader **reader_out, struct aimg_error *error);

/* Closes; all that was borrowed from it becomes invalid. NULL is allowed. No other call may be running on the handle. */
AIMG_API void aimg_reader_close(struct aimg_reader *reader);

struct aimg_info {
    size_t struct_bytes;        /* set by the caller */
    uint64_t file_bytes;        /* up to the end of the commit */
    uint64_t tail_bytes;        /* after it: what a writer has not committed, or left when it was stopped; 0 when opened AT */
    uint64_t listed_count;      /* images by position */
    uint64_t ordinal_count;     /* images ever added */
    uint64_t dead_count;        /* removed or replaced */
    uint64_t live_stored_bytes; /* stored bytes of all images that are not dead */
    uint64_t commit_count;      /* seq of the commit + 1; 0 for an empty archive */
    uint64_t created_ns;
    uint64_t compat, ro_compat, incompat;
    uint32_t alignment; /* of stored bytes, 8 to 4096 */
    uint32_t run_count, name_run_count, column_count, coding_count;
    uint32_t sealed;        /* 1 when the commit says so */
    uint32_t being_written; /* 1 when tail_bytes is above 0 because a writer is at work now; else 0 */
    uint8_t uuid[16];
    uint8_t chain[16];                     /* root hash; zero for an empty archive */
    char writer[256];                      /* program that created the file */
    uint16_t version_major, version_minor; /* of the format */
};

/* Facts about the archive as opened. Any thread. O(1), reads nothing; with a tail one system call, for being_written. */
AIMG_API enum aimg_status aimg_reader_info(const struct aimg_reader *reader, struct aimg_info *info_out,
                                           struct aimg_error *error);

/* What the bytes of an archive are for. */
struct aimg_space {
    size_t struct_bytes;   /* set by the caller */
    uint64_t images_bytes; /* images and attachments that are not dead, with their headers; what aliases share counts once */
    uint64_t index_bytes;  /* tables, dictionaries and metadata that the commit uses */
    uint64_t past_bytes; /* the rest: what is dead, tables of earlier commits, commits, alignment; aimg_writer_copy leaves most of
                            it out */
    uint64_t aliases;    /* images that are not dead and share the bytes of another */
};

/* Adds it up as of the commit that is open. The headers of aliases are estimated. Any thread. Cost: reads all entries; eight
 * bytes of memory an alias. Errors as aimg_reader_entry. */
AIMG_API enum aimg_status aimg_reader_space(const struct aimg_reader *reader, struct aimg_space *space_out,
                                            struct aimg_error *error);

/* Number of listed images: positions are 0 to this - 1. Any thread. */
AIMG_API uint64_t aimg_reader_count(const struct aimg_reader *reader);

/* Number of ordinals, dead ones and attachments included. Any thread. */
AIMG_API uint64_t aimg_reader_ordinal_count(const struct aimg_reader *reader);

/* Ordinal of a position. NOT_FOUND past the end. Any thread. O(1) without removals; else a binary search in the run's ranks. */
AIMG_API enum aimg_status aimg_reader_ordinal_at(const struct aimg_reader *reader, uint64_t position, uint32_t *ordinal_out,
                                                 struct aimg_error *error);

/* Position of an ordinal. NOT_FOUND when it is dead, an attachment, or was never given. Any thread. Cost as above. */
AIMG_API enum aimg_status aimg_reader_position_of(const struct aimg_reader *reader, uint32_t ordinal, uint64_t *position_out,
                                                  struct aimg_error *error);

/* Finds an image by name.
 *
 * name: borrowed. Returns OK; NOT_FOUND, which was checked: the slots that were looked at are verified before it is said;
 * CORRUPT, CHECKSUM, IO. Any thread. Cost: two dependent memory accesses a name run; nothing is built or cached. */
AIMG_API enum aimg_status aimg_reader_find(const struct aimg_reader *reader, const char *name, size_t name_bytes,
                                           uint32_t *ordinal_out, struct aimg_error *error);

/* What the index says of one image. */
struct aimg_entry {
    uint32_t ordinal;
    uint8_t format;     /* enum aimg_format */
    uint8_t coding;     /* 0 stored as it is, 1 zstd, others: see the codings of the archive */
    uint8_t dead;       /* 1: removed or replaced */
    uint8_t attachment; /* 1: reached through its owner, not listed */
    uint8_t alias;      /* 1: shares the bytes of an earlier image */
    uint8_t reserved[7];
    uint64_t frame_offset; /* of the frame that holds the bytes */
    uint64_t data_offset;  /* of the stored bytes */
    uint64_t stored_bytes;
    uint64_t raw_bytes; /* size of the image as it was added */
    uint8_t hash[16];   /* XXH3-128 of the original bytes, low half first; print high half, then low, to match xxh128sum */
};

/* The entry of an ordinal, also of a dead one. NOT_FOUND past the last; CORRUPT when index and frame disagree. Any thread.
 * One access to the index; for a coded image one more to its frame. */
AIMG_API enum aimg_status aimg_reader_entry(const struct aimg_reader *reader, uint32_t ordinal, struct aimg_entry *entry_out,
                                            struct aimg_error *error);

/* A coding that the archive defines beside 0 (stored as it is) and 1 (zstd). */
struct aimg_coding {
    uint8_t coding; /* its number, in struct aimg_entry and struct aimg_bytes */
    uint8_t codec;  /* 1: zstd with a dictionary; others are from the future */
    uint8_t reserved[6];
    uint64_t dictionary_bytes;
};

/* Codings by index, 0 to coding_count - 1 of struct aimg_info, in order of their numbers. NOT_FOUND past the last. Any thread.
 * O(1). */
AIMG_API enum aimg_status aimg_reader_coding(const struct aimg_reader *reader, uint32_t index, struct aimg_coding *coding_out,
                                             struct aimg_error *error);

/* Name of an ordinal. buffer: at least 1,025 bytes always suffice; the name is copied and ended with a zero byte.
 * *name_bytes_out: without that zero (may be NULL); an attachment may have no name, then 0.
 * BUFFER_TOO_SMALL when it does not fit. Any thread. */
AIMG_API enum aimg_status aimg_reader_name(const struct aimg_reader *reader, uint32_t ordinal, char *buffer, size_t buffer_bytes,
                                           size_t *name_bytes_out, struct aimg_error *error);

enum aimg_read_flag {
    AIMG_READ_VERIFY = 1,    /* borrow: check bytes and frame before handing them out; what that says stands there */
    AIMG_READ_UNVERIFIED = 2 /* read: skip the check */
};

/* Stored bytes, in place. */
struct aimg_bytes {
    const void *data;
    uint64_t bytes;
    uint32_t ordinal;
    uint8_t format;
    uint8_t coding; /* 0: these are the original bytes; else use aimg_reader_read for those */
    uint8_t status; /* of a batch: the enum aimg_status of this item */
    uint8_t reserved;
};

/* Borrows the stored bytes of an image: a pointer into the map, no copy, valid until the reader is closed.
 *
 * flags: 0 or AIMG_READ_VERIFY. A borrowed pointer promises the bytes only as long as nobody truncates or overwrites the file:
 * VERIFY speaks of the moment of the call, what another program writes there later is seen through the pointer, and where it cut
 * the file off a touch raises SIGBUS. Who cannot rule that out opens with AIMG_READER_NO_MAP and copies with aimg_reader_read.
 * Returns OK; SEQUENCE on a handle without a map; NOT_FOUND for a dead or unknown ordinal; CORRUPT; CHECKSUM. Any thread.
 * Cost: one memory access to the index; with VERIFY the bytes are hashed and the frame header is compared with the entry.
 *
 * VERIFY promises that these bytes are those of this ordinal, in this format and coding, without extensions that are not known.
 * For an image that is stored as it is: the bytes have the 128-bit hash of the entry, and type, header size, ordinal, format,
 * coding, sizes, length of extensions and hash in the frame header are those of the entry, two copies of the same facts. Where
 * they differ, and for all other images, the header's own checksum decides. The name in the header is not looked at:
 * aimg_reader_name checks it. */
AIMG_API enum aimg_status aimg_reader_borrow(const struct aimg_reader *reader, uint32_t ordinal, uint32_t flags,
                                             struct aimg_bytes *bytes_out, struct aimg_error *error);

/* Like aimg_reader_borrow, but by name: the index entry is not touched, the frame is found from the name's slot. */
AIMG_API enum aimg_status aimg_reader_borrow_name(const struct aimg_reader *reader, const char *name, size_t name_bytes,
                                                  uint32_t flags, struct aimg_bytes *bytes_out, struct aimg_error *error);

/* Like aimg_reader_borrow for many ordinals at once: memory accesses overlap, so it is several times faster a piece.
 * bytes_out[i].status says how item i went; returns OK when all did, else the status of the first that failed (the others are
 * filled). ordinals and bytes_out: count elements each. */
AIMG_API enum aimg_status aimg_reader_borrow_batch(const struct aimg_reader *reader, const uint32_t *ordinals, size_t count,
                                                   uint32_t flags, struct aimg_bytes *bytes_out, struct aimg_error *error);

/* One name of a batch. */
struct aimg_name {
    const char *name;
    size_t name_bytes;
};

/* Like aimg_reader_borrow_name for many names at once. */
AIMG_API enum aimg_status aimg_reader_borrow_names(const struct aimg_reader *reader, const struct aimg_name *names, size_t count,
                                                   uint32_t flags, struct aimg_bytes *bytes_out, struct aimg_error *error);

/* Reads an image into the caller's buffer: the original bytes, decoded where they are coded, verified unless
 * AIMG_READ_UNVERIFIED.
 *
 * buffer: buffer_bytes bytes; NULL with 0 to ask for the size. *bytes_out: the size of the image, also with BUFFER_TOO_SMALL.
 * Returns OK; BUFFER_TOO_SMALL; NOT_FOUND; CHECKSUM; CORRUPT; UNSUPPORTED; LIMIT; TRUNCATED; OUT_OF_MEMORY; IO. The buffer's
 * contents are undefined on failure. Any thread. Verified means after the copy: what was checked is what is in the buffer, even
 * when another program overwrites the file meanwhile. The bytes of stored images are read with pread; the index and coded images
 * through the map where there is one, so who must bear a truncation by others opens with AIMG_READER_NO_MAP. */
AIMG_API enum aimg_status aimg_reader_read(const struct aimg_reader *reader, uint32_t ordinal, uint32_t flags, void *buffer,
                                           uint64_t buffer_bytes, uint64_t *bytes_out, struct aimg_error *error);

/* Announces ordinals that will be read soon, in order: the system begins to fetch their bytes. Returns at once; wrong ordinals
 * are ignored. Use it for data that may not be in memory, a few dozen to a few hundred images ahead; for data in memory it is a
 * wasted system call each. Any thread. */
AIMG_API enum aimg_status aimg_reader_prefetch(const struct aimg_reader *reader, const uint32_t *ordinals, size_t count,
                                               struct aimg_error *error);

/* Walks the listed images in order of position. */
struct aimg_names;

struct aimg_listed {
    uint64_t position;
    uint32_t ordinal;
    uint32_t reserved;
    const char *name; /* borrowed until the next call on this iterator; ends with a zero byte */
    size_t name_bytes;
};

/* Begins at `position`. The iterator is used by one thread; the reader must stay open. Destroy with aimg_names_destroy. */
AIMG_API AIMG_MUST_CHECK enum aimg_status aimg_names_create(const struct aimg_reader *reader, uint64_t position,
                                                            struct aimg_names **names_out, struct aimg_error *error);
/* Next image: OK and *listed_out, or END; CHECKSUM or CORRUPT when its name is damaged or one that no archive may hold: then the
 * iterator stays where it is, and a new one can begin behind it. Reads the names by groups, verified and checked; a name costs
 * some tens of nanoseconds. Not across aimg_reader_refresh: what was removed shifts the positions. */
AIMG_API enum aimg_status aimg_names_next(struct aimg_names *names, struct aimg_listed *listed_out, struct aimg_error *error);
AIMG_API void aimg_names_destroy(struct aimg_names *names);

/* Sees commits that were added since. Returns OK, *changed_out 1 or 0; REPLACED when the path names another file now; TRUNCATED
 * when the commit that the reader is at is no longer part of the file's history; else as open. On failure the reader stays as it
 * was. Ordinals and borrowed pointers stay valid; positions only when no image was removed. No other call may be running on the
 * handle. Cost: that of opening. */
AIMG_API enum aimg_status aimg_reader_refresh(struct aimg_reader *reader, int *changed_out, struct aimg_error *error);

/* ------------------------------------------------------------------ columns */

enum aimg_type {
    AIMG_TYPE_BOOL = 1,
    AIMG_TYPE_U8 = 2,
    AIMG_TYPE_U16 = 3,
    AIMG_TYPE_U32 = 4,
    AIMG_TYPE_U64 = 5,
    AIMG_TYPE_I8 = 6,
    AIMG_TYPE_I16 = 7,
    AIMG_TYPE_I32 = 8,
    AIMG_TYPE_I64 = 9,
    AIMG_TYPE_F16 = 10,
    AIMG_TYPE_F32 = 11,
    AIMG_TYPE_F64 = 12,
    AIMG_TYPE_UTF8 = 13,
    AIMG_TYPE_BYTES = 14,
    AIMG_TYPE_DICTIONARY = 15, /* text out of a small set; stored as u32 codes */
    AIMG_TYPE_IMAGE = 16       /* ordinal of another image */
};

struct aimg_column {
    uint32_t index; /* 0 to column_count - 1 */
    uint32_t id;    /* in the file; stays the same for the life of the archive */
    uint8_t type;   /* enum aimg_type */
    uint8_t list;   /* 1: each value is a list of elements */
    uint16_t name_bytes;
    uint32_t width; /* elements of a fixed vector; 1 for a scalar */
    uint32_t dictionary_count;
    char name[256]; /* ends with a zero byte */
};

/* Columns by index, in order of id. NOT_FOUND past the last. Any thread. O(1). */
AIMG_API enum aimg_status aimg_reader_column(const struct aimg_reader *reader, uint32_t index, struct aimg_column *column_out,
                                             struct aimg_error *error);
/* Column by name. NOT_FOUND when there is none. Any thread. */
AIMG_API enum aimg_status aimg_reader_column_find(const struct aimg_reader *reader, const char *name,
                                                  struct aimg_column *column_out, struct aimg_error *error);

/* A piece of a fixed-width column as it lies in the file. */
struct aimg_chunk {
    uint32_t first, count;  /* ordinals first to first + count - 1, dead ones included */
    uint32_t element_bytes; /* of one row; unsigned integers and dictionary codes may be stored narrower than their type */
    uint32_t reserved;
    const void *values;      /* count * element_bytes, little-endian, 64-byte aligned in the file; NULL when all rows are null */
    const uint8_t *validity; /* bit i: row first + i has a value; NULL when all have, or when values is NULL */
};

/* The chunk that holds an ordinal, verified, without a copy; valid until close. chunks tile the ordinals: the next begins at
 * first + count. SEQUENCE without a map; INVALID_ARGUMENT for text, bytes and lists (use aimg_values_create); NOT_FOUND past the
 * end. Any thread. Cost: the chunk is hashed, at memory speed, each time it is asked for. */
AIMG_API enum aimg_status aimg_reader_chunk(const struct aimg_reader *reader, uint32_t column_index, uint32_t ordinal,
                                            struct aimg_chunk *chunk_out, struct aimg_error *error);

/* Value of one row, any type, copied: fixed-width as full-width little-endian elements, text and bytes as they are, dictionary
 * columns as their text. *bytes_out: its size; *null_out: 1 when the row has none (then 0 bytes). BUFFER_TOO_SMALL: *bytes_out is
 * what it needs. Any thread. Cost: fixed-width one access; text decodes its group of 64 KiB. Verified. For whole columns use
 * chunks or aimg_values. */
AIMG_API enum aimg_status aimg_reader_value(const struct aimg_reader *reader, uint32_t column_index, uint32_t ordinal,
                                            void *buffer, size_t buffer_bytes, size_t *bytes_out, int *null_out,
                                            struct aimg_error *error);

/* Walks the values of one column in order of ordinal, dead images included. */
struct aimg_values;

/* One of them. */
struct aimg_column_value {
    uint32_t ordinal;
    uint32_t null; /* 1: the image has no value; then data is NULL and bytes 0 */
    uint32_t code; /* of a dictionary column; data is its text */
    uint32_t reserved;
    const void *data; /* as aimg_reader_value gives it; borrowed until the next call on this iterator; not aligned, and texts do
                         not end with a zero byte */
    size_t bytes;
};

/* Begins at ordinal `first`; past the last there is nothing. The iterator is used by one thread; the reader must stay open.
 * Destroy with aimg_values_destroy. NOT_FOUND when there is no such column. Of a dictionary column all texts are read now: LIMIT
 * when they take more than limits.index_bytes, CHECKSUM or CORRUPT when they are damaged. */
AIMG_API AIMG_MUST_CHECK enum aimg_status aimg_values_create(const struct aimg_reader *reader, uint32_t column_index,
                                                             uint32_t first, struct aimg_values **values_out,
                                                             struct aimg_error *error);
/* Next value: OK and *value_out, or END; CHECKSUM or CORRUPT when it is damaged: then the iterator stays where it is, and a new
 * one can begin behind it. Columns of every type, with a map or without. Verified: each block is hashed and each group of texts
 * decoded once; a value costs some tens of nanoseconds. Not across aimg_reader_refresh. */
AIMG_API enum aimg_status aimg_values_next(struct aimg_values *values, struct aimg_column_value *value_out,
                                           struct aimg_error *error);
/* NULL is allowed. */
AIMG_API void aimg_values_destroy(struct aimg_values *values);

/* Text of a dictionary code. NOT_FOUND for a code that is not there. As aimg_reader_value. */
AIMG_API enum aimg_status aimg_reader_dictionary(const struct aimg_reader *reader, uint32_t column_index, uint32_t code,
                                                 char *buffer, size_t buffer_bytes, size_t *bytes_out, struct aimg_error *error);

/* ------------------------------------------------------------------ history and metadata */

struct aimg_commit {
    uint64_t seq;
    uint64_t time_ns;
    uint64_t offset;        /* of its page */
    uint64_t listed_count;  /* after it */
    uint64_t ordinal_count; /* after it */
    uint64_t added;         /* images, also those that it removed at once */
    uint64_t removed;       /* images that it removed or replaced; a new name is an image added and one removed */
    uint64_t attached;      /* how many attachments more there are, or */
    uint64_t detached;      /* how many fewer: one that takes another's place counts as an image added and one removed */
    uint8_t chain[16];
    uint32_t sealed;
    char message[256]; /* ends with a zero byte */
};

/* Commit of a number up to the one that is open. NOT_FOUND past it. Any thread. Cost: one page read for each commit between that
 * one and the last; its ROOT and the one before. */
AIMG_API enum aimg_status aimg_reader_commit(const struct aimg_reader *reader, uint64_t seq, struct aimg_commit *commit_out,
                                             struct aimg_error *error);

/* Called for each commit from the newest to the oldest; stops when it returns non-zero. Any thread. One page and one ROOT read a
 * commit; CHECKSUM or CORRUPT when one of them is damaged, after the calls for those that are newer. */
AIMG_API enum aimg_status aimg_reader_log(const struct aimg_reader *reader,
                                          int (*visit)(void *user, const struct aimg_commit *commit), void *user,
                                          struct aimg_error *error);

enum aimg_change_kind {
    AIMG_CHANGE_ADDED = 1,  /* came since, and is not dead */
    AIMG_CHANGE_REMOVED = 2 /* was there then, and is dead */
};

struct aimg_change {
    uint32_t ordinal;
    uint32_t kind; /* enum aimg_change_kind */
};

/* What became of the images between an earlier commit and the one that is open: called for each that was removed or replaced,
 * then for each that was added, both in order of ordinal, attachments included; stops when it returns non-zero. What came and
 * went in between is left out; a new name for an image is one removed and one added; values of columns do not count. NOT_FOUND
 * when since_seq is past the commit that is open; else as aimg_reader_open. Any thread. Cost: that of opening a reader on the
 * earlier commit, the bitmaps of removed images that differ, and what is reported. */
AIMG_API enum aimg_status aimg_reader_changes(const struct aimg_reader *reader, uint64_t since_seq,
                                              int (*visit)(void *user, const struct aimg_change *change), void *user,
                                              struct aimg_error *error);

/* Value of a metadata key; as aimg_reader_value. NOT_FOUND when the key is not there. */
AIMG_API enum aimg_status aimg_reader_meta(const struct aimg_reader *reader, const char *key, char *buffer, size_t buffer_bytes,
                                           size_t *bytes_out, struct aimg_error *error);

/* Called for each pair of the metadata, in ascending order of the keys, bytewise; stops when it returns non-zero. key ends with a
 * zero byte and has no control characters; value has value_bytes bytes of UTF-8, zero bytes among them if it has some, and no
 * end; both are borrowed for the call. Any thread. Reads all metadata, at
 * most 16 MiB, verified. CHECKSUM or CORRUPT when it is damaged, before the first call. */
AIMG_API enum aimg_status aimg_reader_each_meta(const struct aimg_reader *reader,
                                                int (*visit)(void *user, const char *key, const char *value, size_t value_bytes),
                                                void *user, struct aimg_error *error);

/* ------------------------------------------------------------------ writer */

struct aimg_writer;

enum aimg_writer_flag {
    /* Commits are not made durable: for scratch files and tests of other things. So no hint names them: opening walks all frames
     * since the last durable commit, and the next writer reads them all once, makes them durable and writes the hint. */
    AIMG_WRITER_NO_SYNC = 1,
    AIMG_WRITER_WAIT = 2, /* open: waits while another writer has the archive; any signal that is handled ends the wait: BUSY */
    /* open: keeps what an interrupted writer has left after the last commit, as far as images are whole: they become a commit of
     * their own before the call returns. One that has the name of an image takes its place, as a newer version does. Their values
     * of columns are not kept, nor who was an attachment, but for those without a name. And an archive that was cut short is
     * opened at its newest commit that is whole; what later commits did is gone, but for the images that are left of them.
     * Images stay where they are; those behind damaged bytes are copied behind the end of the file, and what they took is free
     * again after compacting. No failure, and no power cut, loses one that was whole: the call can be made again. LIMIT, and
     * nothing is lost, for a compressed image above the limits; UNSUPPORTED likewise for one that needs a newer version. CORRUPT
     * when it is not the end that is missing: repair. Cost: all bytes behind the last commit are read. Memory: 24 bytes an image
     * there, and one image that is compressed, or that is copied. */
    AIMG_WRITER_RECOVER = 4
};

struct aimg_writer_options {
    size_t struct_bytes;
    uint32_t flags;
    uint32_t alignment;  /* create: of stored bytes, a power of two from 8 to 4096; 0: 8 */
    uint32_t compress;   /* enum aimg_compress */
    int32_t level;       /* zstd level; 0: 3 */
    uint64_t time_ns;    /* of commits and creation; 0: the clock */
    const uint8_t *seed; /* 16 bytes, borrowed; NULL: random. With the same seed and time the same input gives the same file */
    const char *program; /* create: name of the writing program, borrowed; NULL: "libarchive_img" and its version */
    struct aimg_allocator allocator;
    struct aimg_limits limits;
    uint32_t dedup;    /* enum aimg_dedup */
    uint32_t reserved; /* 0 */
};

enum aimg_compress {
    AIMG_COMPRESS_STORE = 0, /* as it is */
    AIMG_COMPRESS_ZSTD = 1,  /* zstd where that makes it smaller */
    AIMG_COMPRESS_AUTO = 2   /* by format, as aimg_writer_train decides; where that saves less than a tenth, as it is */
};

/* Among which images one with the same bytes and the same format is looked for; the new one is then an alias of it: a name and
 * columns of its own, the bytes shared. A hash finds candidates, and all bytes are compared. Images of 8 bytes or less are never
 * aliases, for an alias takes as much. The bytes stay in the file as long as an alias needs them, whichever image is removed. */
enum aimg_dedup {
    /* None. A content index that the archive has is left as it is, and does not learn of the new images. */
    AIMG_DEDUP_NONE = 0,
    /* Those added with this handle, in any of its commits; 11 to 21 bytes of memory for each. In an archive that has a content
     * index: as ALL. */
    AIMG_DEDUP_SESSION = 1,
    /* All in the archive: its content index grows with each commit by 10 bytes an image, and is looked into with one small read
     * for each of its few tables. The first use in an archive with images makes the index for them, in one pass over their
     * entries. Memory is bounded. Dead images count: their bytes are there. */
    AIMG_DEDUP_ALL = 2
};

/* Creates an archive at a path where nothing is. Returns OK; EXISTS; IO; INVALID_ARGUMENT; OUT_OF_MEMORY; BUSY.
 * The file is a valid empty archive at once; nothing is durable before the first commit. A create that fails leaves no file. */
AIMG_API AIMG_MUST_CHECK enum aimg_status aimg_writer_create(const char *path, const struct aimg_writer_options *options,
                                                             struct aimg_writer **writer_out, struct aimg_error *error);

/* Opens an archive to append. Takes the writer's lock; BUSY when another writer has it, unless AIMG_WRITER_WAIT. What is opened
 * is the file that the path names once the lock is held: who waited while another program put a new file in its place has the new
 * one; REPLACED when that goes on and on. Bytes of an interrupted writer after the last commit are cut off, unless
 * AIMG_WRITER_RECOVER; see aimg_writer_dropped. Where a whole commit stands among them it is no tail, but damage: CORRUPT; repair
 * saves both. A file that cannot be written to, for what it uses or for damage of its index, is not changed. Errors as
 * aimg_reader_open. */
AIMG_API AIMG_MUST_CHECK enum aimg_status aimg_writer_open(const char *path, const struct aimg_writer_options *options,
                                                           struct aimg_writer **writer_out, struct aimg_error *error);

/* Torn tail that opening cut off: its bytes, and how many images were in it, as far as their headers are whole (with
 * AIMG_WRITER_RECOVER: that could not be kept, as far as numbers are missing; after a call that was interrupted nothing may tell
 * of them any more). Both 0 when there was none. */
AIMG_API void aimg_writer_dropped(const struct aimg_writer *writer, uint64_t *bytes_out, uint64_t *images_out);

/* Images of the tail that opening with AIMG_WRITER_RECOVER kept and committed. */
AIMG_API void aimg_writer_recovered(const struct aimg_writer *writer, uint64_t *images_out);

/* The committed state that the writer builds on; valid until the next commit or close; for the writer's thread. Never NULL. */
AIMG_API const struct aimg_reader *aimg_writer_base(const struct aimg_writer *writer);

/* Column of that name, defined if need be; *column_out is its id for struct aimg_value. EXISTS when it is there with another
 * type; INVALID_ARGUMENT for a reserved or malformed name; LIMIT. */
AIMG_API enum aimg_status aimg_writer_column(struct aimg_writer *writer, const char *name, enum aimg_type type, uint32_t width,
                                             int list, uint32_t *column_out, struct aimg_error *error);

enum aimg_value_flag {
    AIMG_VALUE_NULL = 1 /* the image has no value; data and bytes are not looked at */
};

/* Value of a column for one image: fixed-width as full-width elements in the machine's byte order, text and dictionary as UTF-8,
 * image as u32 ordinal. */
struct aimg_value {
    uint32_t column;  /* id */
    uint32_t flags;   /* enum aimg_value_flag */
    const void *data; /* borrowed */
    size_t bytes;
};

/* One image of those that will be added, or its beginning: some ten KiB tell nearly as much as all of it. */
struct aimg_sample {
    const void *data; /* borrowed for the call */
    uint64_t bytes;
    uint32_t format;      /* enum aimg_format */
    uint32_t reserved;    /* 0 */
    uint64_t image_bytes; /* of the whole image when data is its beginning; 0: bytes */
};

/* With AIMG_COMPRESS_AUTO: decides from samples how images of each of their formats are stored from now on: as they are, with
 * zstd, with a dictionary that the archive has, or with one that is made here. Half of the samples are learned from, the other
 * half is coded in every way and weighed; a coding must save a tenth of the bytes. Formats without a sample stay as they were
 * decided before; one that never was is tried with zstd, image by image. In the other modes, and without samples: does nothing.
 *
 * samples: `count` of them, best spread evenly over what will come, a few hundred; of each the first MiB counts. expected_images:
 * how many images will follow (0: as many as there are samples): a dictionary must save more than it takes. It becomes part of
 * the archive with the first image that is coded with it, is found by itself on reading, and serves later writers too. The same
 * samples and the same archive give the same decision, with the same release of zstd.
 *
 * Returns OK; INVALID_ARGUMENT; SEQUENCE; OUT_OF_MEMORY; IO. On failure what was decided for some formats may stand; nothing was
 * written. The writer's thread, while no aimg_writer_prepare runs. Cost: some ten milliseconds, for large samples five a MiB;
 * memory: what the largest sample takes, and 10 MiB while a dictionary is made. */
AIMG_API enum aimg_status aimg_writer_train(struct aimg_writer *writer, const struct aimg_sample *samples, size_t count,
                                            uint64_t expected_images, struct aimg_error *error);

/* An image made ready for adding: hashed, and coded as the writer's options say. */
struct aimg_prepared {
    const void *data;   /* the image as it was given; borrowed until it is added; NULL: it is not deduplicated */
    const void *stored; /* borrowed until the image is added: the caller's data or the caller's scratch */
    uint64_t stored_bytes;
    uint64_t raw_bytes;
    uint64_t stored_hash;
    uint8_t hash[16];
    uint8_t coding;
    uint8_t reserved[7];
};

/* Bytes of scratch that aimg_writer_prepare needs for an image of that size and enum aimg_format; 0 when such images are stored
 * as they are. Any thread, but not during aimg_writer_train. */
AIMG_API uint64_t aimg_writer_scratch_bytes(const struct aimg_writer *writer, uint64_t data_bytes, uint32_t format);

/* The work of adding that needs no order: any thread, beside the writer's own, but not during aimg_writer_train. scratch may be
 * NULL when aimg_writer_scratch_bytes says 0; with less than it says the image is stored as it is. format: enum aimg_format, the
 * one it will be added with. Returns OK, INVALID_ARGUMENT, LIMIT for 2^47 bytes or more. */
AIMG_API enum aimg_status aimg_writer_prepare(const struct aimg_writer *writer, const void *data, uint64_t data_bytes,
                                              uint32_t format, void *scratch, uint64_t scratch_bytes,
                                              struct aimg_prepared *prepared_out, struct aimg_error *error);

enum aimg_add_flag {
    AIMG_ADD_REPLACE = 1,   /* an image of that name is removed in the same commit */
    AIMG_ADD_ATTACHMENT = 2 /* not listed; may have no name */
};

struct aimg_image {
    size_t struct_bytes;
    const char *name; /* borrowed */
    size_t name_bytes;
    const void *data; /* borrowed; not used when prepared is given */
    uint64_t data_bytes;
    const struct aimg_prepared *prepared; /* or NULL */
    const struct aimg_value *values;      /* borrowed; columns that are not named are null */
    size_t value_count;
    uint32_t format; /* enum aimg_format */
    uint32_t flags;
};

/* Adds an image to the open batch; visible after the next commit. *ordinal_out may be NULL.
 * Returns OK; EXISTS when the name is taken, in the archive or in the batch; INVALID_ARGUMENT; LIMIT when the archive or the
 * texts of a dictionary column would grow too large: what was added before can still be committed; IO; OUT_OF_MEMORY; CHECKSUM or
 * CORRUPT when the index is damaged where the name would stand. After IO or OUT_OF_MEMORY, and after LIMIT while tables are
 * written, the handle may be dead: then the batch is dropped, and every later call but close returns SEQUENCE. Memory does not
 * grow with the batch, as tables of the index are written as it goes on, but for dictionaries, a few bytes an attachment and an
 * image that is replaced, and what deduplication takes (aimg_writer_options.dedup). */
AIMG_API enum aimg_status aimg_writer_add(struct aimg_writer *writer, const struct aimg_image *image, uint32_t *ordinal_out,
                                          struct aimg_error *error);

/* Whether a name is taken, in the archive or in the open batch: OK and *ordinal_out, or NOT_FOUND. */
AIMG_API enum aimg_status aimg_writer_find(const struct aimg_writer *writer, const char *name, size_t name_bytes,
                                           uint32_t *ordinal_out, struct aimg_error *error);

/* Removes an image; visible after the next commit. Its bytes stay in the file until it is compacted. NOT_FOUND when it is not
 * there or dead; CHECKSUM when the index is damaged where the image stands. */
AIMG_API enum aimg_status aimg_writer_remove(struct aimg_writer *writer, uint32_t ordinal, struct aimg_error *error);

/* Gives an image another name; visible after the next commit. Its bytes are not written again: the image gets a new ordinal, an
 * alias of the bytes, with the values of all columns, and the old ordinal is removed; so it moves to the end of the order.
 * Columns of type image that refer to the old ordinal refer to the new one from the same commit on. *ordinal_out, which may be
 * NULL: the new ordinal. An attachment stays one. name: borrowed. Returns OK; EXISTS when the name is taken, also by the image
 * itself; NOT_FOUND when the image is not there or dead; INVALID_ARGUMENT for a forbidden name; else as aimg_writer_add. Cost:
 * that of adding an image of 8 bytes, and of reading the values. */
AIMG_API enum aimg_status aimg_writer_rename(struct aimg_writer *writer, uint32_t ordinal, const char *name, size_t name_bytes,
                                             uint32_t *ordinal_out, struct aimg_error *error);

/* Sets a pair of the archive's metadata; visible after the next commit. Usual keys: "title", "licence", "source". key: 1 to 255
 * bytes of UTF-8 without control characters; value: UTF-8, may be empty; NULL removes the pair. Both are copied. Setting what is
 * there already is no change. Returns OK; NOT_FOUND when a pair is to be removed that is not there; INVALID_ARGUMENT; LIMIT when
 * all pairs together would take more than 16 MiB; CHECKSUM or CORRUPT when the metadata that is there is damaged; IO;
 * OUT_OF_MEMORY. On failure nothing is changed, and the writer can go on. Cost: that of the size of all metadata; they are in
 * memory from the first change of a batch to its commit. */
AIMG_API enum aimg_status aimg_writer_set_meta(struct aimg_writer *writer, const char *key, const char *value,
                                               struct aimg_error *error);

/* Sets the value of a column for one image, of the archive or of the open batch; no image byte is touched. Visible after the next
 * commit; of several values for the same image and column the last one counts. With AIMG_VALUE_NULL the image has none any more.
 *
 * value: borrowed. Returns OK; NOT_FOUND when the image is not there or dead; INVALID_ARGUMENT, LIMIT as for the values of
 * aimg_writer_add; CHECKSUM when the index is damaged where the image stands; then nothing was changed. After IO or
 * OUT_OF_MEMORY, and after CHECKSUM, CORRUPT or LIMIT while tables are written, the handle may be dead, as with aimg_writer_add.
 * Cost: some tens of nanoseconds a call; at the commit each column that was set is written anew for each run with such an image,
 * about 10^6 images or more: its old values are read, verified and copied. So set many values in one commit. Memory is bounded:
 * past 256 MiB of values they are written as COLUMN tables while the batch goes on, and the next 256 MiB write the columns of
 * their runs again. Narrow columns hardly notice; one that takes k times 256 MiB in a run is written up to k + 1 times, and the
 * file grows by as much until it is compacted: by 2 times the values for 6,000 vectors of 64,000 bytes, by 3 for 12,000. Give
 * such values with the image, or with aimg_writer_set_array, which writes each run once. */
AIMG_API enum aimg_status aimg_writer_set(struct aimg_writer *writer, uint32_t ordinal, const struct aimg_value *value,
                                          struct aimg_error *error);

/* Sets the values of a fixed-width column for the images first to first + count - 1, dead ones included, of the archive or of the
 * open batch. Visible after the next commit, as with aimg_writer_set.
 *
 * column: its id. values: borrowed; count values at full width in the machine's byte order, for a dictionary column u32 codes
 * that it has, for an image column ordinals. validity: borrowed; bit i mod 8 of byte i div 8 says whether image first + i has a
 * value (where not, what stands in values is not looked at), or NULL when all have. Returns OK; INVALID_ARGUMENT for an unknown
 * column, texts, bytes and lists, a bool above 1, a code or an ordinal that is not there; NOT_FOUND when there are not so many
 * images; then nothing was changed. After any other failure the handle is dead. Cost: runs that lie wholly in the interval are
 * written at once, from the array, at about the speed of hashing; rows of others cost as much as with aimg_writer_set. */
AIMG_API enum aimg_status aimg_writer_set_array(struct aimg_writer *writer, uint32_t column, uint32_t first, uint32_t count,
                                                const void *values, const uint8_t *validity, struct aimg_error *error);

/* Images that were stored as aliases because their content was there, since the handle was opened and with the open batch, and
 * the stored bytes that this saved. */
AIMG_API void aimg_writer_deduplicated(const struct aimg_writer *writer, uint64_t *images_out, uint64_t *bytes_out);

/* Images and stored bytes in the open batch; aliases have none. */
AIMG_API void aimg_writer_pending(const struct aimg_writer *writer, uint64_t *images_out, uint64_t *bytes_out);

/* Makes the batch visible and durable, atomically. message: borrowed, at most 254 bytes of UTF-8, or NULL. A batch without
 * images, removals, new columns, values that were set, changed metadata, or a message is no commit: OK. INVALID_ARGUMENT, for the
 * message, changes nothing. After any other failure (IO, OUT_OF_MEMORY, LIMIT; CHECKSUM or CORRUPT when what is there is damaged,
 * so that no reader could open the result) the file ends at the last commit again, the batch is dropped and the handle is dead:
 * close it. OK is said once the commit is durable; when there is no memory to go on after that, the next call says SEQUENCE.
 * Syncs twice. */
AIMG_API AIMG_MUST_CHECK enum aimg_status aimg_writer_commit(struct aimg_writer *writer, const char *message,
                                                             struct aimg_error *error);

/* Commits what is open and merges all runs, name tables and dictionary tables into one each, for publishing: an archive of many
 * commits then opens and reads like one that was made at once. The commit is marked as sealed (aimg_info.sealed); a later commit
 * takes that mark away. message and errors as aimg_writer_commit; nothing is done when the archive is sealed already and the
 * batch is empty. Cost: the whole index is rewritten, images are not touched; memory does not grow with it. */
AIMG_API AIMG_MUST_CHECK enum aimg_status aimg_writer_seal(struct aimg_writer *writer, const char *message,
                                                           struct aimg_error *error);

enum aimg_copy_flag {
    AIMG_COPY_DROP_HISTORY = 1 /* one commit, of now, without a message */
};

struct aimg_copy_options {
    size_t struct_bytes;
    uint32_t flags;
    uint32_t reserved; /* 0 */
    void *user;
    /* May be NULL; called about once a mebibyte with stored bytes of images. Not 0: stop; the copy then ends with AIMG_END. */
    int (*progress)(void *user, uint64_t bytes_done, uint64_t bytes_total);
};

/* Copies what is alive from `source` into a new archive and commits it: images and attachments in order of ordinal, which they
 * get anew from 0, with their names, stored bytes as they are, columns, metadata, and the dictionaries in use. What was removed
 * or replaced is left out, so are values of dictionary columns that no image has, and extensions of frames that this version does
 * not know and that may be ignored; references to images that are gone become null.
 *
 * writer: of aimg_writer_create, without commits, images, columns or metadata, and without a dictionary that aimg_writer_train
 * made: set and train after the copy. Its options on compression do not matter. source: borrowed, with a map; of any commit.
 * options: borrowed, may be NULL. Without AIMG_COPY_DROP_HISTORY each commit of the source becomes one with the same message and
 * time, or that of the one before where its time runs back, of those of its images that are alive now. All is made durable in the
 * end, with one sync; until this returns the new archive is not one to rely on. An archive without commits gives one without
 * commits.
 *
 * Returns OK; CHECKSUM or CORRUPT for an image, a value or an index that is damaged: *error says which image; UNSUPPORTED;
 * SEQUENCE when writer or source is not as above; AIMG_END; LIMIT, IO, OUT_OF_MEMORY, INVALID_ARGUMENT. After a failure, but for
 * SEQUENCE and INVALID_ARGUMENT, the handle is dead and the new archive empty: close it and remove the file. Every image is
 * verified against its stored hash; no image is decoded. Cost: reads the living images once and writes them once; memory as that
 * of adding, one image at a time up to 64 MiB, and for the values of all columns at hand, and again for all dictionaries,
 * limits.index_bytes of the source: LIMIT when they take more. */
AIMG_API AIMG_MUST_CHECK enum aimg_status aimg_writer_copy(struct aimg_writer *writer, const struct aimg_reader *source,
                                                           const struct aimg_copy_options *options, struct aimg_error *error);

/* Closes; images that were not committed are dropped. NULL is allowed. Returns IO when the file could not be closed or cut back,
 * also when a call that failed could not; the handle is gone in any case, and the next writer cuts the file. */
AIMG_API enum aimg_status aimg_writer_close(struct aimg_writer *writer, struct aimg_error *error);

/* ------------------------------------------------------------------ verify */

struct aimg_finding {
    uint32_t rule;       /* of spec/SPEC.md */
    uint32_t warning;    /* 1: worth knowing, not a fault */
    uint32_t ordinal;    /* of the image, or AIMG_NO_ORDINAL */
    uint64_t offset;     /* in the file, or AIMG_NO_OFFSET */
    const char *name;    /* of the image, or NULL; borrowed for the call */
    const char *message; /* borrowed for the call */
};

enum aimg_verify_flag {
    AIMG_VERIFY_QUICK = 1, /* structure and index only; the images' bytes are not read */
    AIMG_VERIFY_AT = 2     /* as if the file ended with commit options.seq: whether that state, and those before, are sound */
};

struct aimg_verify_options {
    size_t struct_bytes;
    uint32_t flags;
    uint32_t threads; /* 0: all cores */
    void *user;
    void (*finding)(void *user, const struct aimg_finding *finding);         /* may be NULL; called from one thread at a time */
    void (*progress)(void *user, uint64_t bytes_done, uint64_t bytes_total); /* may be NULL; as finding */
    struct aimg_allocator allocator;
    struct aimg_limits limits;
    uint64_t seq; /* with AIMG_VERIFY_AT; a file that was cut after that commit is checked like any other */
};

struct aimg_verify_result {
    uint64_t faults, warnings;
    uint64_t images; /* listed images that were checked */
    uint64_t commits;
    uint64_t bytes;      /* of the file that were checked */
    uint64_t tail_bytes; /* after the last commit: a torn tail, or what a writer at work has not committed */
};

/* Checks every rule of the format on every byte of the file, up to the end of the last commit. What follows it is a torn tail, a
 * fault of rule 34; while a writer has the archive open it is the writer's work, and a warning of rule 34.
 *
 * Returns OK when the check ran to its end, whatever it found: *result_out counts. Else what kept it from running: NOT_FOUND,
 * IO, NOT_ARCHIVE, VERSION_UNKNOWN, UNSUPPORTED, OUT_OF_MEMORY; TRUNCATED, CORRUPT and CHECKSUM when too little is left to go
 * on, after all that is left was checked; NOT_FOUND when there is no commit options.seq; LIMIT when the tables have more
 * sections than limits.index_bytes allows; *result_out is filled then too. Reads with pread only. Memory bounded by the index,
 * time by the size of the file, whatever it says. */
AIMG_API enum aimg_status aimg_verify(const char *path, const struct aimg_verify_options *options,
                                      struct aimg_verify_result *result_out, struct aimg_error *error);

/* ------------------------------------------------------------------ repair */

enum aimg_loss_kind {
    AIMG_LOSS_IMAGES =
        1,              /* `count` images, from `ordinal` on, that cannot be saved; `name` when it is one and its name survives */
    AIMG_LOSS_NAME = 2, /* an image is saved, but its name is lost: `name` is what it is called now */
    /* `count` values of the column `name`, or what may have been as many; or all that are left of one whose own name and type are
     * lost, which are there under this name as they were stored */
    AIMG_LOSS_VALUES = 3,
    AIMG_LOSS_META = 4,   /* the metadata; what an older commit had takes its place where there is one */
    AIMG_LOSS_BYTES = 5,  /* `bytes` bytes at `offset` of which nothing is known, or that are missing at the end of the file */
    AIMG_LOSS_REMOVAL = 6, /* nothing is lost but the knowledge that this image was removed or replaced: it may have been, and is
                              there again; or it may have been an attachment, and is listed */
    AIMG_LOSS_UNKNOWN = 7  /* nothing is lost but the knowledge of something else, which `message` says; not counted */
};

struct aimg_loss {
    uint32_t kind;    /* enum aimg_loss_kind */
    uint32_t ordinal; /* in the damaged archive, or AIMG_NO_ORDINAL */
    uint64_t count;
    uint64_t offset; /* in the damaged archive, or AIMG_NO_OFFSET */
    uint64_t bytes;
    const char *name;    /* of the image or the column, or NULL; borrowed for the call. It comes from the file: not escaped */
    const char *message; /* why; borrowed for the call */
};

struct aimg_repair_options {
    size_t struct_bytes;
    uint32_t flags;    /* 0 */
    uint32_t reserved; /* 0 */
    void *user;
    void (*loss)(void *user, const struct aimg_loss *loss); /* may be NULL */
    /* May be NULL; called about once a mebibyte, with bytes_done 0 until images are written. Not 0: stop; the repair then ends
     * with AIMG_END. */
    int (*progress)(void *user, uint64_t bytes_done, uint64_t bytes_total);
    struct aimg_allocator allocator;
    struct aimg_limits limits;
    /* Of the new archive: alignment 0 is that of the old one, compress does not matter, allocator and limits are those above.
     * Borrowed; NULL: the defaults. */
    const struct aimg_writer_options *writer;
};

struct aimg_repair_result {
    uint64_t images;      /* saved and listed */
    uint64_t attachments; /* saved and not listed */
    uint64_t lost_images, lost_names, lost_values, lost_bytes;
    uint64_t lost_meta; /* 1: the metadata of the newest state */
    uint64_t removals;  /* images that may have been removed or replaced, and are there again */
};

/* Makes a new, sound archive of all that is whole in a damaged one, whichever parts of it are lost: the head, the index, commits,
 * frame headers, its end. What each image is, is said twice in an archive, by its frame and by the index: one of them is enough.
 * Each image is checked against the hashes that are left; none is saved that is not exactly as it was added. The new archive has
 * one commit, and ordinals from 0 on, in the old order; columns, metadata, attachments, aliases and dictionaries are kept. So is
 * what an interrupted writer left after the last commit. Of two images with one name the newer is kept.
 *
 * path: borrowed; only read, with pread. out_path: borrowed; a file that is not there yet, nor the damaged archive under another
 * name; it is removed again when the repair fails. options: borrowed, may be NULL. *result_out: also filled with TRUNCATED,
 * CORRUPT.
 *
 * Returns OK when the new archive is there and durable, whatever was lost: *result_out counts, options.loss names. CORRUPT or
 * TRUNCATED when there is nothing to save; NOT_ARCHIVE, VERSION_UNKNOWN, UNSUPPORTED; NOT_FOUND, EXISTS, IO, OUT_OF_MEMORY,
 * LIMIT, INVALID_ARGUMENT; AIMG_END. Where out_path cannot be written the message begins "the new archive: ". Memory: 40 bytes
 * an image, twice that where names or headers are lost, 40 bytes a frame that is no image, the largest image, decoded too, and as
 * for adding. An image above the limits is lost, and named; so are values, of columns whose texts take more than
 * limits.index_bytes together.
 * Cost: the file is read once for its frame headers and once for its images; where its head is damaged once more. */
AIMG_API enum aimg_status aimg_repair(const char *path, const char *out_path, const struct aimg_repair_options *options,
                                      struct aimg_repair_result *result_out, struct aimg_error *error);

#ifdef __cplusplus
}
#endif
#endif
