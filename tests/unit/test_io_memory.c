/* SPDX-License-Identifier: Apache-2.0 */
/* An archive in memory: whole reads or an error, never a byte past the end. */
#include "io.h"
#include "test.h"

int main(void)
{
    uint8_t *data = test_guarded(100), out[200];
    struct aimg_io io;
    struct aimg_error error;
    uint64_t bytes = 0;
    for (unsigned i = 0; i < 100; i++)
        data[i] = (uint8_t)i;
    aimg_io_memory_open(&io, data, 100);
    EXPECT(io.ops->size(&io, &bytes, &error) == AIMG_OK && bytes == 100);
    for (uint64_t offset = 0; offset <= 101; offset++) {
        for (size_t count = 0; count <= 101; count++) {
            memset(out, 0xEE, sizeof out);
            enum aimg_status status = io.ops->read_at(&io, offset, out, count, &error);
            EXPECT_EQ_INT(status, offset + count <= 100 ? AIMG_OK : AIMG_TRUNCATED);
            EXPECT(out[count] == 0xEE && (status != AIMG_OK || count == 0 || out[count - 1] == offset + count - 1));
        }
    }
    EXPECT_EQ_INT(io.ops->read_at(&io, UINT64_MAX, out, 1, &error), AIMG_TRUNCATED);
    EXPECT_EQ_INT(io.ops->read_at(&io, 1, out, SIZE_MAX, &error), AIMG_TRUNCATED);
    EXPECT_EQ_UINT(error.offset, 1);
    io.ops->announce(&io, 0, UINT64_MAX);
    io.ops->forget(&io, 0, 100);
    io.ops->flush_soon(&io, 0, 100);
    EXPECT_EQ_INT(io.ops->close(&io, &error), AIMG_OK);
    EXPECT_EQ_UINT(data[99], 99); /* it belongs to the caller */
    aimg_io_memory_open(&io, NULL, 0);
    EXPECT_EQ_INT(io.ops->read_at(&io, 0, out, 1, &error), AIMG_TRUNCATED);
    return test_end("test_io_memory");
}
