/* SPDX-License-Identifier: Apache-2.0 */
/* A file to which tables are written, and from which they are opened again, without an archive around them. */
#ifndef AIMG_TEST_TABLE_ROOM_H
#define AIMG_TEST_TABLE_ROOM_H

#include "catalog.h"
#include "codec.h"
#include "counting.h"
#include "out.h"
#include "sample.h"
#include "test.h"

struct table_room {
    struct counting counting;
    struct aimg_io io;
    struct aimg_out out;
    struct aimg_source source;
    struct aimg_codec_pool codecs;
    struct aimg_section sections[8];
};

static inline void table_room_open(struct table_room *room)
{
    static unsigned number;
    char name[32];
    *room = (struct table_room){.io.fd = -1};
    snprintf(name, sizeof name, "room%u", number++);
    struct aimg_allocator allocator = counting_allocator(&room->counting);
    REQUIRE(aimg_io_file_create(&room->io, sample_path(name), NULL) == AIMG_OK);
    room->out = (struct aimg_out){
        .io = &room->io, .allocator = allocator, .flushed = AIMG_HEAD_BYTES, .announced = AIMG_HEAD_BYTES, .salt = 7};
    room->source = (struct aimg_source){.allocator = allocator, .limits = {.index_bytes = 1 << 28}, .io = &room->io};
    REQUIRE(aimg_out_create(&room->out, NULL) == AIMG_OK);
    aimg_codec_pool_init(&room->codecs);
}

/* Opens the table of a part that was written. */
static inline enum aimg_status table_room_table(struct table_room *room, const struct aimg_part *part, struct aimg_table *table,
                                                struct aimg_error *error)
{
    REQUIRE(aimg_out_flush(&room->out, error) == AIMG_OK);
    room->source.end = room->out.flushed;
    REQUIRE(part->section_count <= 8);
    return aimg_table_open(&room->source, part, room->sections, table, error);
}

static inline void table_room_close(struct table_room *room)
{
    aimg_out_destroy(&room->out);
    aimg_codec_pool_release(&room->codecs);
    REQUIRE(room->io.ops->close(&room->io, NULL) == AIMG_OK);
    EXPECT_EQ_INT(room->counting.live, 0);
}

#endif
