#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What pack does not write: columns of every type, attachments, messages. MAKE_COLUMNS makes such an archive.
. "$(dirname "$0")/lib.sh"

expect_exit 0 "${MAKE_COLUMNS:?set it to the path of the program make_columns}" a.aimg
expect_exit 0 "$AIMG" verify a.aimg

expect_exit 0 "$AIMG" info --json a.aimg
expect_equal "$(json out 'o["images"], o["ordinals"], o["removed"], o["attachments"], o["commits"]')" '(2, 4, 1, 1, 2)'
expect_equal "$(json out '{c["name"]: c["type"] for c in o["columns"] if "list" in c["name"] or "f" in c["name"]}')" \
    "{'a_f16': 'f16[5]', 'a_f32': 'f32[3]', 'a_f64': 'f64', 'a_utf8': 'utf8', 'a_list': 'list<i32>', "\
"'a_list_of_pairs': 'list<i32[2]>', 'an_empty_list': 'list<u8>'}"
expect_exit 0 "$AIMG" info a.aimg
expect_contains out 'a_list_of_pairs list<i32[2]>'
expect_contains out 'a_label dictionary of 1 values'

expect_exit 0 "$AIMG" info --json a.aimg full
cp out full
column() { expect_equal "$1 $(json full "o['columns']['$1']")" "$1 $2"; }
column a_bool True
column a_u8 255
column a_u16 65535
column a_u32 4294967295
column a_u64 18446744073709551615
expect_equal "$(json full 'type(o["columns"]["a_u64"]).__name__')" str
column a_i8 -128
column a_i16 -32768
column a_i32 -2147483648
column a_i64 -9007199254740993
column a_f16 '[1.0, -2.0, 5.960464477539063e-08, None, None]'
column a_f32 '[0.5, -1.25, 3.0]'
column a_f64 0.1
expect_equal "$(json full 'o["columns"]["a_utf8"] == "grüß \"dich\"\n"')" True
column some_bytes 00ff7a
column a_label tench
column an_image 0
column a_list '[3, -1, 4, -1, 5, -9]'
column a_list_of_pairs '[[3, -1], [4, -1], [5, -9]]'
column an_empty_list '[]'
expect_exit 0 "$AIMG" info --json a.aimg bare
expect_equal "$(json out 'set(o["columns"].values()), len(o["columns"])')" '({None}, 20)'
expect_exit 0 "$AIMG" info a.aimg full
expect_contains out 'grüß "dich"\x0A'
expect_contains out '[[3, -1], [4, -1], [5, -9]]'

# what is not listed is not found by position, by ls, or by unpack
expect_exit 0 "$AIMG" ls a.aimg
printf 'full\nbare\n' >wanted
expect_same out wanted
expect_exit 0 "$AIMG" cat a.aimg @1
expect_equal "$(cat out)" bare
expect_exit 1 "$AIMG" cat a.aimg @2
expect_exit 1 "$AIMG" cat a.aimg gone
expect_exit 0 "$AIMG" unpack a.aimg -C copy
expect_equal "$(ls copy | tr '\n' ' ')" 'bare full '
expect_exit 0 "$AIMG" ls -l a.aimg
expect_lines out 2
expect_contains out 'two\x0Alines'

# messages of commits: as they are for programs, harmless on a terminal
expect_exit 0 "$AIMG" log --json a.aimg
expect_equal "$(json out '[c["message"] for c in o["commits"]] == ["\x1b[31mred …", "the first"]')" True
expect_exit 0 "$AIMG" log a.aimg
expect_contains out 'the first'
if command -v script >/dev/null; then
    script -qec "$AIMG log a.aimg" /dev/null </dev/null >terminal
    expect_contains terminal '\x1B[31mred …'
else
    skip 'terminals: there is no program script'
fi

finish
