/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers of columns as text: what is printed is read as the same value, for every type; names of types too. */
#include "half.h"
#include "host.h"
#include "random.h"
#include "scalar.h"
#include "test.h"
#include "value_type.h"

#include <math.h>

enum { ROUNDS = 20000 };

/* Prints the element, reads the text, and compares. NaN is any NaN. */
static void check_round_trip(enum aimg_type type, const uint8_t *element)
{
    char text[SCALAR_TEXT_BYTES], why[SCALAR_WHY_BYTES] = "";
    uint8_t again[8] = {0};
    bool finite;
    size_t bytes = scalar_print(type, element, text, &finite);
    struct scalar scalar = scalar_from_text(text, bytes);
    EXPECT(bytes < sizeof text);
    EXPECT(scalar_store(&scalar, type, again, why));
    host_order(again, sizeof again, host_element_bytes(type));
    if (isnan(scalar.real))
        EXPECT(!finite);
    else
        EXPECT(memcmp(again, element, value_type_element_bytes(type)) == 0);
}

static void test_random_bits(void)
{
    uint64_t state = 7;
    for (int i = 0; i < ROUNDS; i++) {
        uint64_t bits = random_next(&state) >> random_below(&state, 64);
        for (enum aimg_type type = AIMG_TYPE_U8; type <= AIMG_TYPE_F64; type++)
            check_round_trip(type, (const uint8_t *)&bits);
    }
    for (uint8_t truth = 0; truth < 2; truth++)
        check_round_trip(AIMG_TYPE_BOOL, &truth);
}

static void test_halves(void)
{
    for (uint32_t half = 0; half < 65536; half++) {
        uint16_t bits = (uint16_t)half;
        check_round_trip(AIMG_TYPE_F16, (const uint8_t *)&bits);
        double value = half_to_double(bits);
        if (!isnan(value))
            EXPECT_EQ_UINT(half_from_double(value), bits);
    }
    /* between two: the nearer one, in the middle the even one */
    EXPECT_EQ_UINT(half_from_double(1 + 1.0 / 2048), 0x3C00);
    EXPECT_EQ_UINT(half_from_double(1 + 3.0 / 2048), 0x3C02);
    EXPECT_EQ_UINT(half_from_double(1 + 1.1 / 2048), 0x3C01);
    EXPECT_EQ_UINT(half_from_double(65519.9), 0x7BFF);
    EXPECT_EQ_UINT(half_from_double(65520), 0x7C00);
    EXPECT_EQ_UINT(half_from_double(-1e300), 0xFC00);
    EXPECT_EQ_UINT(half_from_double(ldexp(1, -25)), 0);
    EXPECT_EQ_UINT(half_from_double(ldexp(1.001, -25)), 1);
    EXPECT_EQ_UINT(half_from_double(ldexp(3, -25)), 2);
    EXPECT_EQ_UINT(half_from_double(ldexp(1, -15) - ldexp(1, -27)), 0x0200);
    EXPECT_EQ_UINT(half_from_double(ldexp(1, -14) - ldexp(1, -26)), 0x0400);
}

struct text_row {
    const char *text;
    enum scalar_kind kind;
    bool padded;
};

static void test_kinds(void)
{
    static const struct text_row rows[] = {
        {"0", SCALAR_INTEGER, false},
        {"-1", SCALAR_INTEGER, false},
        {" 12\t", SCALAR_INTEGER, false},
        {"18446744073709551615", SCALAR_INTEGER, false},
        {"-9223372036854775808", SCALAR_INTEGER, false},
        {"007", SCALAR_INTEGER, true},
        {"+1", SCALAR_INTEGER, true},
        {"-0", SCALAR_INTEGER, true},
        {"18446744073709551616", SCALAR_REAL, true},
        {"-9223372036854775809", SCALAR_REAL, true},
        {"1.5", SCALAR_REAL, false},
        {"-0.5", SCALAR_REAL, false},
        {"007.5", SCALAR_REAL, true},
        {"-00.5", SCALAR_REAL, true},
        {"+1.5", SCALAR_REAL, true},
        {"1e400", SCALAR_REAL, true},
        {"-1e+5", SCALAR_REAL, false},
        {".5", SCALAR_REAL, false},
        {"1e5", SCALAR_REAL, false},
        {"-NaN", SCALAR_REAL, false},
        {"Infinity", SCALAR_REAL, false},
        {"TRUE", SCALAR_BOOL, false},
        {"false", SCALAR_BOOL, false},
        {"", SCALAR_NONE, false},
        {" ", SCALAR_NONE, false},
        {"-", SCALAR_NONE, false},
        {"+", SCALAR_NONE, false},
        {".", SCALAR_NONE, false},
        {"e5", SCALAR_NONE, false},
        {"0x10", SCALAR_NONE, false},
        {"1 2", SCALAR_NONE, false},
        {"1e", SCALAR_NONE, false},
        {"--1", SCALAR_NONE, false},
        {"infinite", SCALAR_NONE, false},
        {"nan(1)", SCALAR_NONE, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct scalar scalar = scalar_from_text(rows[i].text, strlen(rows[i].text));
        test_state.subject = rows[i].text;
        EXPECT_EQ_UINT(scalar.kind, rows[i].kind);
        EXPECT_EQ_UINT(scalar.padded, rows[i].padded);
    }
    test_state.subject = NULL;
}

/* A number that no double holds is refused, however it is written. */
static void test_beyond(void)
{
    char digits[2000], why[SCALAR_WHY_BYTES];
    double value;
    memset(digits, '1', sizeof digits);
    for (size_t bytes = 1; bytes <= sizeof digits; bytes++) {
        struct scalar scalar = scalar_from_text(digits, bytes);
        EXPECT(bytes < 1100 || scalar.kind == SCALAR_NONE);
        EXPECT_EQ_UINT(scalar_store(&scalar, AIMG_TYPE_F64, &value, why), bytes < 310);
    }
}

static void check_type(const struct value_type *type)
{
    char name[VALUE_TYPE_TEXT_BYTES];
    struct value_type again = {.width = 0};
    test_state.subject = value_type_name(type, name);
    EXPECT(value_type_parse(name, strlen(name), &again));
    EXPECT(value_type_equal(type, &again));
    /* with a byte more or less it is another one, or none */
    EXPECT(!value_type_parse(name, strlen(name) - 1, &again) || !value_type_equal(type, &again));
    test_state.subject = NULL;
}

static void test_type_names(void)
{
    static const char *const wrong[] = {"",           "u",         "u7",        "f32[",   "f32[]",  "f32[0]",  "f32[01]",
                                        "f32[1]x",    "[2]",       "list",      "list<",  "list<>", "list<u8", "list<u8>>",
                                        "<u8>",       "image[2]",  " ",         "u 8",    "text8",  "utf8[2]", "list<utf8>",
                                        "list<text>", "f64[8192]", "u8[65536]", "floats", "int128", "str[2]",  "u8,"};
    struct value_type type;
    for (unsigned list = 0; list < 2; list++) {
        for (enum aimg_type element = AIMG_TYPE_BOOL; element <= AIMG_TYPE_IMAGE; element++) {
            type = (struct value_type){.type = element, .width = 1, .list = list == 1};
            if (list == 0 || element <= AIMG_TYPE_F64)
                check_type(&type);
            type.width = (uint32_t)(65535 / (value_type_element_bytes(element) + (element > AIMG_TYPE_F64)));
            if (element <= AIMG_TYPE_F64)
                check_type(&type);
        }
    }
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        EXPECT(!value_type_parse(wrong[i], strlen(wrong[i]), &type));
}

/* What people call them elsewhere, in letters of either case and with spaces around. */
static void test_other_type_names(void)
{
    static const struct {
        const char *other, *name;
    } rows[] = {
        {"text", "utf8"},
        {"string", "utf8"},
        {"str", "utf8"},
        {"dict", "dictionary"},
        {"int", "i64"},
        {"integer", "i64"},
        {"float", "f64"},
        {"double", "f64"},
        {"float64", "f64"},
        {"float32", "f32"},
        {"float16", "f16"},
        {"int8", "i8"},
        {"int16", "i16"},
        {"int32", "i32"},
        {"int64", "i64"},
        {"uint8", "u8"},
        {"uint16", "u16"},
        {"uint32", "u32"},
        {"uint64", "u64"},
        {"boolean", "bool"},
        {"binary", "bytes"},
        {"F32", "f32"},
        {" u8", "u8"},
        {"u8 ", "u8"},
        {" Dictionary ", "dictionary"},
        {"Float32[4]", "f32[4]"},
        {"int [2]", "i64[2]"},
        {"List<UInt16>", "list<u16>"},
        {" list< float[2] > ", "list<f64[2]>"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct value_type type;
        char name[VALUE_TYPE_TEXT_BYTES] = "";
        test_state.subject = rows[i].other;
        EXPECT(value_type_parse(rows[i].other, strlen(rows[i].other), &type) &&
               strcmp(value_type_name(&type, name), rows[i].name) == 0);
    }
    test_state.subject = NULL;
}

int main(void)
{
    test_random_bits();
    test_halves();
    test_kinds();
    test_beyond();
    test_type_names();
    test_other_type_names();
    return test_end("numbers of columns as text");
}
