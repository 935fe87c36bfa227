#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Files that set refuses: a message with file and line, and the archive is as it was.
. "$(dirname "$0")/lib.sh"

for i in 1 2 3; do make_picture photos/cat/$i.pgm 4 3 cat$i; done
expect_exit 0 "$AIMG" pack fresh.aimg photos/
printf 'name,old:f32,pair:u8[2]\ncat/1.pgm,0.5,1 2\n' >old.csv
expect_exit 0 "$AIMG" set fresh.aimg old.csv
cp fresh.aimg b.aimg

# refused FORMAT TEXT MESSAGE...
refused() {
    local format=$1
    printf '%b' "$2" >"table.$format"
    shift 2
    expect_exit 1 "$AIMG" set b.aimg "table.$format"
    for message in "$@"; do expect_contains err "$message"; done
    expect_contains err 'nothing was set'
    expect_same fresh.aimg b.aimg
}

# nothing to set
refused csv '' 'table.csv: is empty'
refused csv '\xEF\xBB\xBF' 'table.csv: is empty'
refused csv '\n\n' 'table.csv: is empty'
refused csv 'name,n\n' 'has a header and no rows'
refused csv 'name,n' 'has a header and no rows'
refused csv 'name\ncat/1.pgm\n' 'names only'
refused jsonl '' 'is empty'
refused jsonl '\n \n' 'is empty'
refused jsonl '{"name":"cat/1.pgm"}' 'names only'

# headers
refused csv 'file,n\ncat/1.pgm,1\n' "table.csv:1: the first column must be 'name', found 'file'"
refused csv 'name;n\ncat/1.pgm;1\n' "found 'name;n'" commas
refused csv 'n,name\n1,cat/1.pgm\n' "must be 'name'"
refused csv 'name,n,n\ncat/1.pgm,1,2\n' "table.csv:1: the column 'n' stands here twice"
refused csv 'name,n,n:f32\ncat/1.pgm,1,2\n' "'n' stands here twice"
refused csv 'name,,n\ncat/1.pgm,1,2\n' 'table.csv:1: column 2 of the header has no name'
refused csv 'name,n:f23\ncat/1.pgm,1\n' "table.csv:1: 'f23' is no type" 'list<'
refused csv 'name,"a\tb"\ncat/1.pgm,1\n' 'control character'
refused csv "name,$(printf 'x%.0s' $(seq 256))\ncat/1.pgm,1\n" 'has 256'
refused csv 'name,\xFF\ncat/1.pgm,1\n' 'table.csv:1: the name of column 2 is not UTF-8'
refused csv 'name, :f32\ncat/1.pgm,1\n' "a column's name has 1 to 255 bytes"
for name in ' s ' 's ' ' s:f32' 's :f32'; do
    refused jsonl "{\"name\":\"cat/1.pgm\",\"$name\":1}\n" \
        "table.jsonl:1: the column's name '${name%:f32}' begins or ends with a space"
done
for name in id name ordinal position format bytes xxh128 data data:u8; do
    refused csv "name,$name\ncat/1.pgm,1\n" 'table.csv:1:' "'${name%:*}'"
done
refused csv "name$(printf ',c%d' $(seq 1100))\ncat/1.pgm\n" 'more than 1024'
refused jsonl "{\"name\":\"cat/1.pgm\"$(printf ',"c%d":1' $(seq 1100))}" 'table.jsonl:1: more than 1024'
for type in 'u8[0]' 'u8[-1]' 'u8[]' 'u8[1' 'f64[8192]' 'u8[99999999999]' 'list<utf8>' 'image[2]' 'list<list<u8>>' 'utf8[2]' \
    'list<>' 'text[2]' 'list<string>' U128; do
    refused csv "name,n:$type\ncat/1.pgm,1\n" 'is no type'
done

# a column's type cannot be changed
refused csv 'name,old:f64\ncat/1.pgm,1\n' "column 'old' is f64 in this file and f32 in the archive"
refused csv 'name,pair:u8[3]\ncat/1.pgm,1\n' 'u8[3] in this file and u8[2] in the archive'
refused csv 'name,label:utf8\ncat/1.pgm,1\n' 'is utf8 in this file and dictionary in the archive'
refused csv 'name,bits:f32\ncat/1.pgm,1\n' 'is f32 in this file and u8 in every archive'
refused csv 'name,old\ncat/1.pgm,abc\n' "table.csv:2: column 'old' (f32): it is no number: 'abc'"

# rows
refused csv 'name,n\ncat/1.pgm,1\ncat/2.pgm\n' 'table.csv:3: the row has 1 field, the header 2'
refused csv 'name,n\ncat/1.pgm,1,2\n' 'table.csv:2: the row has 3 fields, the header 2'
refused csv 'name,n\ncat/1.pgm,1\n\n\ncat/2.pgm,1\ncat/1.pgm,2\n' "table.csv:6: the name 'cat/1.pgm' stands on line 2 already"
refused jsonl '{"name":"cat/1.pgm","n":1}\n{"name":"cat/1.pgm","n":2}' \
    "table.jsonl:2: the name 'cat/1.pgm' stands on line 1 already"
refused csv 'name,n\n,1\n' 'table.csv:2: the name is empty'
refused csv 'name,n\n"",1\n' 'the name is empty'
refused csv 'name,n\ncat/\xFF,1\n' 'table.csv:2: the name is not UTF-8'

# quoting
refused csv 'name,t\ncat/1.pgm,a"b\n' 'table.csv:2: broken quoting'
refused csv 'name,t\ncat/1.pgm,"a"b\n' 'table.csv:2: broken quoting'
refused csv 'name,t\ncat/1.pgm,"a" \n' 'table.csv:2: broken quoting'
refused csv 'name,t\ncat/1.pgm,x\ncat/2.pgm,"abc\nd\n' 'table.csv:3: a quote is opened in the row that begins here'
refused csv 'name,t\ncat/1.pgm,"abc""' 'never closed'
refused csv 'name,n\rcat/1.pgm,1\rcat/2.pgm,2\r' 'carriage return'

# bytes
refused csv 'name,t\ncat/1.pgm,a\0b\n' 'table.csv:2: a zero byte'
refused csv 'name,t\n"cat/1.pgm","a\nb\0"\n' 'table.csv:3: a zero byte'
refused jsonl '{"name":"cat/1.pgm","t":"\0"}' 'table.jsonl:1: a zero byte'
refused csv '\xFF\xFEn\0a\0m\0e\0' 'this is UTF-16'
refused csv '\xFE\xFF\0n\0a\0m\0e' 'this is UTF-16'
refused csv 'name,t:utf8\ncat/1.pgm,a\xC3\n' "table.csv:2: column 't' (utf8): it is not UTF-8" '\xC3'
refused csv 'name,t\ncat/1.pgm,\xED\xA0\x80\n' 'not UTF-8'
refused jsonl '{"name":"cat/1.pgm","t":"a\xFF"}' 'table.jsonl:1: not JSON'

# numbers
refused csv 'name,n:u8\ncat/1.pgm,256\n' "table.csv:2: column 'n' (u8): 256 is out of range, 0 to 255"
refused csv 'name,n:u8\ncat/1.pgm,-1\n' '-1 is out of range'
refused csv 'name,n:i8\ncat/1.pgm,-129\n' '-129 is out of range, -128 to 127'
refused csv 'name,n:u64\ncat/1.pgm,18446744073709551616\n' 'no whole number'
refused csv 'name,n:i64\ncat/1.pgm,9223372036854775808\n' 'out of range'
refused csv 'name,n:u8\ncat/1.pgm,1.5\n' '1.5 is no whole number'
refused csv 'name,n:i32\ncat/1.pgm,nan\n' 'no whole number'
refused csv 'name,n:f32\ncat/1.pgm,1e39\n' 'out of range'
refused csv 'name,n:f16\ncat/1.pgm,65520\n' '65520 is out of range'
refused csv 'name,n:f64\ncat/1.pgm,-1e999\n' \
    "table.csv:2: column 'n' (f64): it is out of range, at most 1.7976931348623157e308: '-1e999'"
for type in f16 f32 u8 i64 'list<f64>'; do
    refused csv "name,n:$type\ncat/1.pgm,1e999\n" "column 'n' ($type)" 'it is out of range'
done
refused csv "name,n:f64\ncat/1.pgm,$(printf '1%.0s' $(seq 450))\n" 'it is out of range'
refused csv "name,n:f64\ncat/1.pgm,$(printf '1%.0s' $(seq 1450))\n" 'it is no number'
refused csv 'name,n:f64\ncat/1.pgm,0x10\n' 'it is no number'
refused csv 'name,n:f64\ncat/1.pgm,1.2.3\n' 'it is no number'
refused csv 'name,n:f64\ncat/1.pgm,1 2\n' 'it is no number'
refused csv 'name,n:bool\ncat/1.pgm,yes\n' 'it is not true, false, 1 or 0'
refused csv 'name,n:bool\ncat/1.pgm,2\n' 'it is not true, false, 1 or 0'
refused csv 'name,n:bytes\ncat/1.pgm,abc\n' 'one is missing'
refused csv 'name,n:bytes\ncat/1.pgm,xy\n' 'hexadecimal'
refused csv 'name,n:image\ncat/1.pgm,cat/9.pgm\n' "table.csv:2: column 'n' (image): the archive has no image 'cat/9.pgm'"

# arrays
refused csv 'name,n:f32[4]\ncat/1.pgm,1 2 3\n' 'it has 3 elements, not 4'
refused csv 'name,n:f32[2]\ncat/1.pgm,"[1,2,3]"\n' 'it has 3 elements, not 2'
refused csv 'name,n:u8[2]\ncat/1.pgm,"[1,300]"\n' 'element 1: 300 is out of range'
for text in '[1,2' '1,2]' '[1,,2]' '[,1]' '[1,2,]' '[[1,2]]' '[1,a]' '[1] 2' '[1]]' '[]' '1,' '[[1,2' '"' ; do
    refused csv "name,n:u8[2]\ncat/1.pgm,\"${text//\"/\"\"}\"\n" "column 'n' (u8[2])"
done
for text in '[[1,2],[3]]' '[1,[2,3]]' '[[1,2],3,4]' '[1,2,3]' '[[[1,2]]]'; do
    refused csv "name,n:list<u8[2]>\ncat/1.pgm,\"$text\"\n" "column 'n' (list<u8[2]>)"
    refused jsonl "{\"name\":\"cat/1.pgm\",\"n:list<u8[2]>\":$text}" "column 'n' (list<u8[2]>)"
done

# JSON
refused jsonl '[{"name":"cat/1.pgm","n":1}]' 'table.jsonl:1: not a JSON object'
refused jsonl '{\n"name":"cat/1.pgm","n":1}' 'table.jsonl:1: not JSON' 'one object a line'
refused jsonl '{"name":"cat/1.pgm","n":1}}\n' 'not JSON'
refused jsonl '{"name":"cat/1.pgm","n":1,"n":2}\n' 'not JSON' duplicate
refused jsonl '{"name":"cat/1.pgm","n":NaN}\n' 'not JSON'
refused jsonl '{"n":1}\n' 'table.jsonl:1: the object has no key "name"'
refused jsonl '{"name":7,"n":1}\n' 'is not a string'
refused jsonl '{"name":null,"n":1}\n' 'is not a string'
refused jsonl '{"name":"cat/1.pgm","n":1}\n{"name":"cat/2.pgm","n":"x"}\n' \
    "column 'n': no type holds all its values: a whole number on line 1, text on line 2"
refused jsonl '{"name":"cat/1.pgm","n":9007199254740993}\n{"name":"cat/2.pgm","n":0.5}\n' \
    "column 'n': no type holds all its values: whole numbers beyond 2^53, which f64 would round" 'a whole number on line 1'
refused jsonl '{"name":"cat/1.pgm","n":[9007199254740993,0.5]}\n' 'whole numbers beyond 2^53, which f64 would round'
refused jsonl '{"name":"cat/1.pgm","n":"18446744073709551615"}\n{"name":"cat/2.pgm","n":-1}\n' 'no type holds all its values'
refused jsonl '{"name":"cat/1.pgm","n":"5"}\n{"name":"cat/2.pgm","n":1}\n' 'a whole number on line 2, text on line 1'
refused jsonl '{"name":"cat/1.pgm","n":{"a":1}}\n' 'an object'
refused jsonl '{"name":"cat/1.pgm","n":[1,"a"]}\n' 'an object, or an array of other things'
for text in '[[1],[2]]' '[[1,2],[3]]' '[1,[2,3]]' '[[],[1]]'; do
    refused jsonl "{\"name\":\"cat/1.pgm\",\"n\":$text}" "column 'n': no type holds all its values: arrays in arrays"
done
# mixed FIRST SECOND ADVICE: what the error proposes fits these values
mixed() {
    refused jsonl "{\"name\":\"cat/1.pgm\",\"n\":$1}\n{\"name\":\"cat/2.pgm\",\"n\":$2}\n" 'no type holds all its values' "; $3"
    expect_lacks err f32
}
mixed '"x"' 1 "'n:utf8' takes texts, each of them a string"
mixed '"x"' true "'n:utf8' takes texts, each of them a string"
mixed '"nan"' true "'n:utf8' takes texts, each of them a string"
for text in '{"x":1}' '["a","b"]' '[1,"a"]' '[[[1]]]' '[{}]'; do
    mixed "$text" null 'objects and lists of texts are not supported'
done
mixed '["a"]' '"b"' 'objects and lists of texts are not supported'
mixed '[1,2]' 5 'a column holds arrays, or single values, not both'
mixed '[1,2]' '"x"' 'a column holds arrays, or single values, not both'
mixed '[[1,2],[3]]' null 'a list holds numbers, or vectors of one length'
mixed '[true]' '[2]' 'an array holds numbers, or true and false, not both'
mixed true 1 "'n:bool' takes true and false, and 1 and 0 for them"
mixed 9007199254740993 0.5 "'n:f64' takes them, rounded"
mixed '"18446744073709551615"' -1 "'n:f64' takes them, rounded"
mixed '["18446744073709551615"]' '[-1]' "'n:list<f64>' takes them, rounded"
# and it helps
for values in 'f64 9007199254740993 0.5' 'f64 "18446744073709551615" -1' 'list<f64> ["18446744073709551615"] [-1]' 'bool true 1' \
    'utf8 "x" "1"'; do
    # shellcheck disable=SC2086
    set -- $values
    printf '{"name":"cat/1.pgm","n:%s":%s}\n{"name":"cat/2.pgm","n:%s":%s}\n' "$1" "$2" "$1" "$3" >table.jsonl
    cp b.aimg c.aimg
    expect_exit 0 "$AIMG" set c.aimg table.jsonl
done
refused jsonl '{"name":"cat/1.pgm","n:u8":"5"}\n' "it is no number: '5'"
refused jsonl '{"name":"cat/1.pgm","n:u8":[5]}\n' 'it is no number: [5]'
refused jsonl '{"name":"cat/1.pgm","n:u8[1]":"x"}\n' 'it is no number'
refused jsonl '{"name":"cat/1.pgm","n:utf8":5}\n' 'it is no string: 5'
refused jsonl '{"name":"cat/1.pgm","n:image":5}\n' 'it is no string, the name of an image: 5'
refused jsonl '{"name":"cat/1.pgm","n:bytes":5}\n' 'hexadecimal'
refused jsonl '{"name":"cat/1.pgm","n":123456789012345678901234567890}\n' 'table.jsonl:1: not JSON'
refused jsonl "{\"name\":\"cat/1.pgm\",\"n\":$(printf '[%.0s' $(seq 3000))}" 'not JSON'

# a long line is refused before it fills the memory
{ printf 'name,t\ncat/1.pgm,'; head -c 100000000 /dev/zero | tr '\0' x; echo; } >long.csv
expect_exit 1 "$AIMG" set b.aimg long.csv
expect_contains err 'long.csv:2: the line has more than 64 MiB'
{ printf 'name,t\ncat/1.pgm,"'; yes 'some line of text' | head -c 100000000; } >long.csv
expect_exit 1 "$AIMG" set b.aimg long.csv
expect_contains err 'long.csv:2: the row that begins here has more than 64 MiB; is a quote not closed?'
{ printf '{"name":"cat/1.pgm","t":"'; head -c 100000000 /dev/zero | tr '\0' x; echo '"}'; } >long.jsonl
expect_exit 1 "$AIMG" set b.aimg long.jsonl
expect_contains err 'long.jsonl:1: the line has more than 64 MiB'
# as many values as a line of JSON may have, and one more; in CSV they are no trouble
numbers() { yes 1, | tr -d '\n' | head -c $((2 * $1)); }
{ printf '{"name":"cat/1.pgm","n:list<u8>":['; numbers 1048573; echo '1]}'; } >long.jsonl
expect_exit 1 "$AIMG" set b.aimg long.jsonl
expect_contains err 'long.jsonl:1: the line has more than 1048576 values, those in arrays counted; CSV takes longer arrays'
expect_same fresh.aimg b.aimg
{ printf '{"name":"cat/1.pgm","n:list<u8>":['; numbers 1048572; echo '1]}'; } >long.jsonl
cp b.aimg c.aimg
expect_exit 0 "$AIMG" set c.aimg long.jsonl
{ printf '{"name":"cat/1.pgm","t":"\\"'; numbers 1048577; echo '"}'; } >long.jsonl
expect_exit 0 "$AIMG" set c.aimg long.jsonl
{ printf 'name,n:list<u8>\ncat/1.pgm,"['; numbers 1048577; echo '1]"'; } >long.csv
expect_exit 0 "$AIMG" set c.aimg long.csv
{ printf 'name,t:utf8\ncat/1.pgm,'; head -c 17000000 /dev/zero | tr '\0' x; echo; } >long.csv
expect_exit 1 "$AIMG" set b.aimg long.csv
expect_contains err "column 't' (utf8): it has more than 16 MiB"
expect_same fresh.aimg b.aimg
rm -f long.csv long.jsonl

# the first fault ends it, whatever was before: one commit, all or nothing
printf 'name,n:u8\ncat/1.pgm,1\nnix,1\ncat/2.pgm,999\n' >table.csv
expect_exit 1 "$AIMG" set b.aimg table.csv
expect_contains err 'nothing was set'
expect_same fresh.aimg b.aimg

finish
