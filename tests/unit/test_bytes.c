/* SPDX-License-Identifier: Apache-2.0 */
/* Byte order and rounding: the same numbers on every machine, at any address, and not one byte too far. */
#include "bytes.h"
#include "test.h"

static const uint8_t counting_up[9] = {0x01, 0x23, 0x45, 0x67, 0x89, 0xAB, 0xCD, 0xEF, 0xFF};

static void check_loads(void)
{
    EXPECT_EQ_UINT(aimg_load16(counting_up), 0x2301);
    EXPECT_EQ_UINT(aimg_load32(counting_up), 0x67452301);
    EXPECT_EQ_UINT(aimg_load48(counting_up), UINT64_C(0xAB8967452301));
    EXPECT_EQ_UINT(aimg_load64(counting_up), UINT64_C(0xEFCDAB8967452301));
    EXPECT_EQ_UINT(aimg_load64(counting_up + 1), UINT64_C(0xFFEFCDAB89674523));
    /* No load reads past its own bytes. */
    memcpy(test_guarded(2), counting_up, 2);
    uint8_t *six = test_guarded(6), *two = test_guarded(2);
    memset(six, 0xFF, 6);
    memset(two, 0xFF, 2);
    EXPECT_EQ_UINT(aimg_load48(six), UINT64_C(0xFFFFFFFFFFFF));
    EXPECT_EQ_UINT(aimg_load16(two), 0xFFFF);
}

static void check_stores(void)
{
    static const uint64_t values[] = {0,         1, 0x80, 0xFF, 0x8000, 0xFFFF, 0x80000000, 0xFFFFFFFF, UINT64_C(0x800000000000),
                                      UINT64_MAX};
    uint8_t out[10];
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        uint64_t value = values[i];
        memset(out, 0x77, sizeof out);
        aimg_store16(out + 1, (uint16_t)value);
        EXPECT(aimg_load16(out + 1) == (uint16_t)value && out[0] == 0x77 && out[3] == 0x77);
        aimg_store32(out + 1, (uint32_t)value);
        EXPECT(aimg_load32(out + 1) == (uint32_t)value && out[0] == 0x77 && out[5] == 0x77);
        aimg_store48(out + 1, value);
        EXPECT(aimg_load48(out + 1) == (value & UINT64_C(0xFFFFFFFFFFFF)) && out[0] == 0x77 && out[7] == 0x77);
        aimg_store64(out + 1, value);
        EXPECT(aimg_load64(out + 1) == value && out[0] == 0x77 && out[9] == 0x77);
    }
    aimg_store64(out, UINT64_C(0xEFCDAB8967452301));
    EXPECT_EQ_BYTES(out, counting_up, 8);
}

static void check_sums(void)
{
    uint8_t bytes[100] = {0};
    EXPECT(aimg_all_zero(bytes, 0));
    EXPECT(aimg_all_zero(bytes, sizeof bytes));
    for (size_t i = 0; i < sizeof bytes; i++) {
        bytes[i] = 1;
        EXPECT(!aimg_all_zero(bytes, sizeof bytes));
        EXPECT(aimg_all_zero(bytes, i));
        EXPECT(aimg_all_zero(bytes + i + 1, sizeof bytes - i - 1));
        bytes[i] = 0;
    }
    for (uint64_t align = 1; align <= 4096; align *= 2)
        for (uint64_t value = 0; value < 3 * align; value += align / 4 + 1) {
            uint64_t rounded = aimg_round_up(value, align);
            EXPECT(rounded >= value && rounded % align == 0 && rounded - value < align);
        }
    EXPECT_EQ_UINT(aimg_round_up(UINT64_MAX - 7, 8), UINT64_MAX - 7);
    EXPECT_EQ_UINT(aimg_blocks(0, 4096), 0);
    EXPECT_EQ_UINT(aimg_blocks(1, 4096), 1);
    EXPECT_EQ_UINT(aimg_blocks(4096, 4096), 1);
    EXPECT_EQ_UINT(aimg_blocks(4097, 4096), 2);
    EXPECT_EQ_UINT(aimg_blocks(UINT64_MAX, 2), UINT64_C(1) << 63);
}

int main(void)
{
    check_loads();
    check_stores();
    check_sums();
    return test_end("test_bytes");
}
