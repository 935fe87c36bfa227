#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Columns set from CSV and JSON lines: types, nulls, all or nothing.
. "$(dirname "$0")/lib.sh"
. "$test_source/lib_ingest.sh"
: "${WRITE_SHIM:?set it to the path of write_shim.so}"

for i in 1 2 3; do
    make_picture photos/cat/$i.pgm 4 3 cat$i
    make_picture photos/dog/$i.pgm 4 3 dog$i
done
expect_exit 0 "$AIMG" pack a.aimg photos/
cp a.aimg fresh.aimg

# type_of ARCHIVE COLUMN: as info says it
type_of() {
    "$AIMG" info --json "$1" >info.json
    json info.json "{c['name']: c['type'] for c in o['columns']}.get('$2')"
}
# set_text ARCHIVE FORMAT TEXT: exit status in $status
set_text() {
    printf '%b' "$3" >"table.$2"
    run "$AIMG" set "$1" "table.$2"
}
# expect_set STATUS FORMAT TEXT: on a fresh archive, b.aimg
expect_set() {
    cp fresh.aimg b.aimg
    set_text b.aimg "$2" "$3"
    if [ "$status" = "$1" ]; then pass; else fail "exit $status, expected $1: $3" out err; fi
}
# expect_refused FORMAT TEXT MESSAGE: nothing is changed, and the message says where and what
expect_refused() {
    expect_set 1 "$1" "$2"
    expect_contains err "$3"
    expect_contains err 'nothing was set'
    expect_same fresh.aimg b.aimg
}

# ------------------------------------------------------------------ the common case
cat >l.csv <<'EOF'
name,score,n,caption,box,ok,tags,zip,kind
cat/1.pgm,0.5,1,"hello, ""you""","[1,2,3,4]",true,"[1]",007,a
cat/2.pgm,1,-2,=1+1,"[1,2,3,4.5]",false,"[1,2]",12,a
cat/3.pgm,,3,"","[0, 0, 0, 0]",True,[],13,b
dog/1.pgm,nan,,,,,,,b
EOF
expect_exit 0 "$AIMG" set a.aimg l.csv --message 'labels by hand'
expect_contains err 'set 32 values of 4 images in a.aimg; commit 1'
expect_contains err "new column 'box', f64[4]"
expect_lines out 0
for pair in score=f64 n=i64 caption=utf8 box='f64[4]' ok=bool tags='list<i64>' zip=utf8 kind=dictionary; do
    expect_equal "${pair%%=*} $(type_of a.aimg "${pair%%=*}")" "${pair%%=*} ${pair#*=}"
done
expect_equal "$(value_of a.aimg cat/1.pgm caption)" 'hello, "you"'
expect_equal "$(value_of a.aimg cat/1.pgm zip)" 007
expect_equal "$(value_of a.aimg cat/2.pgm caption)" '=1+1'
expect_equal "$(value_of a.aimg cat/2.pgm box)" '[1.0, 2.0, 3.0, 4.5]'
expect_equal "$(value_of a.aimg cat/2.pgm n)" -2
expect_equal "$(value_of a.aimg cat/3.pgm score)" None
expect_equal "[$(value_of a.aimg cat/3.pgm caption)]" '[]'
expect_equal "$(value_of a.aimg cat/3.pgm tags)" '[]'
expect_equal "$(value_of a.aimg cat/3.pgm ok)" True
expect_equal "$(value_of a.aimg dog/1.pgm caption)" None
expect_equal "$(value_of a.aimg dog/2.pgm kind)" None
expect_exit 0 "$AIMG" verify a.aimg
expect_exit 0 "$AIMG" log a.aimg
expect_contains out 'labels by hand'
expect_exit 0 "$AIMG" unpack a.aimg -C copy
expect_same photos copy

# an archive that is added to afterwards keeps its values, and new images have none
make_picture more/cow.pgm 3 3
expect_exit 0 "$AIMG" add a.aimg more/
expect_equal "$(value_of a.aimg cow.pgm score)" None
expect_equal "$(value_of a.aimg cat/1.pgm score)" 0.5

# ------------------------------------------------------------------ missing, null, and what stays
set_text a.aimg jsonl '{"name":"cat/1.pgm","score":null,"n":7}\n{"name":"cat/2.pgm"}\n\n  \n{"n":9,"name":"dog/3.pgm"}'
expect_equal "$status" 0
expect_contains err 'set 3 values of 3 images'
expect_equal "$(value_of a.aimg cat/1.pgm score)/$(value_of a.aimg cat/1.pgm n)" None/7
expect_equal "$(value_of a.aimg cat/1.pgm caption)" 'hello, "you"'
expect_equal "$(value_of a.aimg cat/2.pgm score)/$(value_of a.aimg cat/2.pgm n)" 1.0/-2
expect_equal "$(value_of a.aimg dog/3.pgm n)" 9
set_text a.aimg csv 'name,n,caption\r\ncat/2.pgm,,\r\n'
expect_equal "$status" 0
expect_equal "$(value_of a.aimg cat/2.pgm n)/$(value_of a.aimg cat/2.pgm caption)" None/None
expect_exit 0 "$AIMG" verify a.aimg

# ------------------------------------------------------------------ types that are declared, of each kind
types='b:bool,a:u8,c:u16,d:u32,e:u64,f:i8,g:i16,h:i32,i:i64,j:f16,k:f32,l:f64,m:utf8,o:bytes,p:dictionary,q:image,'
types+='r:f32[2],s:list<u16>,t:list<i8[2]>,u:bool[3]'
values='1,255,65535,4294967295,18446744073709551615,-128,-32768,-2147483648,-9223372036854775808,65504,0.1,0.1,ü,00fF,x,'
values+='dog/1.pgm,1 2,"1, 2 3","[[1,2],[3,4]]","[true,0,false]"'
expect_set 0 csv "name,$types\ncat/1.pgm,$values\ncat/2.pgm,,,,,,,,,,,,,,,,,,,,\n"
expect_exit 0 "$AIMG" verify b.aimg
expect_exit 0 "$AIMG" get --types b.aimg b a c d e f g h i j k l m o p q r s t u cat/1.pgm
tail -1 out >line
printf '%s\n' 'cat/1.pgm,true,255,65535,4294967295,18446744073709551615,-128,-32768,-2147483648,-9223372036854775808,65504.0,'\
'0.1,0.1,ü,00ff,x,dog/1.pgm,"[1.0,2.0]","[1,2,3]","[[1,2],[3,4]]","[true,false,false]"' >wanted
expect_same line wanted
expect_equal "$(head -1 out)" "name,$types"
expect_set 0 jsonl '{"name":"cat/1.pgm","e:u64":"18446744073709551615","k:f32":"-inf","o:bytes":"00","t:list<i8[2]>":[[1,2]],'\
'"n":3.0,"r:f32[2]":["nan",1],"b:bool":0,"label":"x"}\n'
expect_equal "$(value_of b.aimg cat/1.pgm e)/$(value_of b.aimg cat/1.pgm t)" '18446744073709551615/[[1, 2]]'
expect_exit 0 "$AIMG" get --jsonl b.aimg k r cat/1.pgm
expect_contains out '"k":"-inf","r":["nan",1.0]'
# types by the names that they have elsewhere
expect_set 0 csv 'name,a:text,b: F32,c:Dict,d : int,e:float[2],f:list<uint8>,g:BOOLEAN,h:binary\n'\
'cat/1.pgm,x,0.5,y,7,"[1,2]","[3]",true,00\n'
for pair in a=utf8 b=f32 c=dictionary d=i64 e='f64[2]' f='list<u8>' g=bool h=bytes; do
    expect_equal "${pair%%=*} $(type_of b.aimg "${pair%%=*}")" "${pair%%=*} ${pair#*=}"
done
# 3.0 is whole, and a column of halves rounds to the nearest
expect_set 0 csv 'name,n:u8,h:f16\ncat/1.pgm,3.0,0.1\ncat/2.pgm, 4 ,-0.0\n'
expect_exit 0 "$AIMG" get b.aimg n h 'cat/[12]*'
expect_contains out 'cat/1.pgm,3,0.1'
expect_contains out 'cat/2.pgm,4,-0.0'
expect_equal "$(value_of b.aimg cat/1.pgm h)" 0.0999755859375

# ------------------------------------------------------------------ types that are inferred lose nothing
expect_set 0 csv 'name,a,b,c,d,e,f,g,h,i,j\n'\
'cat/1.pgm,1,18446744073709551615,1.5,true,+5,1e3,"[1]","[[1,2]]",nan,99999999999999999999\n'\
'cat/2.pgm,-1,0,2,1,6,.5,"[1,2]","[[3,4],[5,6]]",x,1\n'\
'cat/3.pgm,,,,,,,[],[],,\n'
for pair in a=i64 b=u64 c=f64 d=utf8 e=utf8 f=f64 g='list<i64>' h='list<i64[2]>' i=utf8 j=utf8; do
    expect_equal "${pair%%=*} $(type_of b.aimg "${pair%%=*}")" "${pair%%=*} ${pair#*=}"
done
expect_equal "$(value_of b.aimg cat/1.pgm e)/$(value_of b.aimg cat/1.pgm j)" '+5/99999999999999999999'
# digits that f64 has no room for, a zero in front, a plus: text, in arrays too
expect_set 0 csv 'name,a,b,c,d,e,f,g,h,i\n'\
'cat/1.pgm,9007199254740993,9007199254740993,007.5,+1.5,"[007,+1]","[9007199254740993,0.5]",9007199254740993,1e400,nan\n'\
'cat/2.pgm,0.5,1,1.5,2.5,"[1,2]","[1,2]",nan,2.5,-9007199254740993\n'
for pair in a=utf8 b=i64 c=utf8 d=utf8 e=utf8 f=utf8 g=utf8 h=utf8 i=utf8; do
    expect_equal "${pair%%=*} $(type_of b.aimg "${pair%%=*}")" "${pair%%=*} ${pair#*=}"
done
expect_equal "$(value_of b.aimg cat/1.pgm a)/$(value_of b.aimg cat/1.pgm c)" '9007199254740993/007.5'
expect_equal "$(value_of b.aimg cat/1.pgm e)/$(value_of b.aimg cat/1.pgm h)" '[007,+1]/1e400'
# what f64 holds may be as large as it likes
expect_set 0 csv 'name,a,b,c\ncat/1.pgm,9007199254740992,18014398509481984,-0.5\ncat/2.pgm,0.5,0.5,10000000000000000\n'
for column in a b c; do expect_equal "$column $(type_of b.aimg $column)" "$column f64"; done
expect_set 0 jsonl '{"name":"cat/1.pgm","v":[1,2.5],"b":true,"w":[true,false],"t":"5","l":[[1,2],[3,4]]}\n'\
'{"name":"cat/2.pgm","v":[3,4]}'
for pair in v='f64[2]' b=bool w='bool[2]' t=utf8 l='list<i64[2]>'; do
    expect_equal "${pair%%=*} $(type_of b.aimg "${pair%%=*}")" "${pair%%=*} ${pair#*=}"
done
# strings of 2^63 and more, as get writes them, are numbers among numbers and texts among texts
printf 'name,x:u64\ncat/1.pgm,18446744073709551615\ncat/2.pgm,1\n' >u64.csv
cp fresh.aimg b.aimg
expect_exit 0 "$AIMG" set b.aimg u64.csv
expect_exit 0 "$AIMG" get --jsonl b.aimg x 'cat/[12]*' -o u64.jsonl
cp fresh.aimg b.aimg
expect_exit 0 "$AIMG" set b.aimg u64.jsonl
expect_equal "$(type_of b.aimg x) $(value_of b.aimg cat/1.pgm x)" 'u64 18446744073709551615'
expect_set 0 jsonl '{"name":"cat/1.pgm","t":"18446744073709551615","u":"18446744073709551615"}\n'\
'{"name":"cat/2.pgm","t":"x","u":"nan"}\n{"name":"cat/3.pgm","t":"y","u":"9223372036854775808"}'
expect_equal "$(type_of b.aimg t) $(type_of b.aimg u)" 'utf8 utf8'
# the columns that SPEC.md names have their types
expect_set 0 csv 'name,label,bits\ncat/1.pgm,one,8\n'
expect_equal "$(type_of b.aimg label) $(type_of b.aimg bits)" 'dictionary u8'
expect_equal "$(value_of b.aimg cat/1.pgm label)/$(value_of b.aimg cat/2.pgm label)" one/cat
# a column without a value and without a type is left out
expect_set 0 csv 'name,empty,n\ncat/1.pgm,,1\n'
expect_contains err "'empty' has no value"
expect_equal "$(type_of b.aimg empty)" None

# ------------------------------------------------------------------ where the file comes from
printf 'name,n\ncat/1.pgm,5\n' >table
expect_exit 2 "$AIMG" set b.aimg table
expect_contains err '--format'
expect_exit 0 "$AIMG" set b.aimg table --format csv
expect_exit 0 bash -c '"$0" set b.aimg - --format csv <table' "$AIMG"
expect_exit 0 bash -c 'cat table | "$0" set --format csv b.aimg -' "$AIMG"
expect_exit 0 bash -c '"$0" set --format csv b.aimg <(cat table)' "$AIMG"
expect_exit 3 env TMPDIR=/nowhere bash -c 'cat table | "$0" set --format csv b.aimg -' "$AIMG"
expect_contains err TMPDIR
expect_exit 2 bash -c '"$0" set b.aimg - <table' "$AIMG"
expect_exit 3 "$AIMG" set b.aimg missing.csv
expect_contains err 'missing.csv: cannot open'
mkdir folder.csv
expect_exit 3 "$AIMG" set b.aimg folder.csv
expect_contains err 'is a folder'
cp table table.CSV
expect_exit 0 "$AIMG" set b.aimg table.CSV
expect_exit 3 "$AIMG" set missing.aimg table.CSV
expect_exit 4 "$AIMG" set table table.CSV

expect_shim 0 NO_TMPFILE=1 TMPDIR="$PWD" bash -c 'cat table | "$0" set --format csv b.aimg -' "$AIMG"
expect_false 'a temporary file was left' ls aimg-*

# while nothing comes a signal ends it at once; without room nothing is changed
cp b.aimg before.aimg
mkfifo slow
sleep 60 >slow &
sleeper=$!
"$AIMG" set b.aimg slow --format csv 2>err &
pid=$!
wait_for has_open slow || fail 'set ended before it opened the pipe' err
kill -TERM $pid
wait $pid
expect_equal $? 143
kill $sleeper
{
    echo name,t
    for i in 1 2 3; do
        printf 'cat/%d.pgm,' $i
        head -c 100000 /dev/urandom | od -An -tx1 | tr -d ' \n'
        echo
    done
} >large.csv
run bash -c 'ulimit -f 40; exec "$0" set b.aimg large.csv' "$AIMG"
expect_equal "$status" 3
expect_contains err 'nothing was set'
expect_same b.aimg before.aimg
expect_exit 0 "$AIMG" set b.aimg large.csv
expect_exit 0 "$AIMG" verify b.aimg

# spaces in the header stand before a type, too
expect_set 0 csv 'name, score :f32 ,old :u8\ncat/1.pgm,0.5,1\n'
expect_equal "$(type_of b.aimg score) $(type_of b.aimg 'score ') $(type_of b.aimg old)" 'f32 None u8'
set_text b.aimg csv 'name,score :f32\ncat/1.pgm,1\n'
expect_equal "$status $(value_of b.aimg cat/1.pgm score)" '0 1.0'

# a mark, CR LF, no end of the last line, empty lines, spaces in the header
expect_set 0 csv '\xEF\xBB\xBFname, n ,t\r\n\r\ncat/1.pgm,1,a b \r\n\ncat/2.pgm,2,"x\r\ny"'
expect_equal "$(value_of b.aimg cat/2.pgm n)" 2
expect_equal "[$(value_of b.aimg cat/1.pgm t)]" '[a b ]'
expect_equal "$(json info.json "o['columns']['t'] == 'a b '")" True
"$AIMG" info --json b.aimg cat/2.pgm >info.json
expect_equal "$(json info.json "o['columns']['t'] == 'x\r\ny'")" True
expect_set 0 jsonl '\xEF\xBB\xBF{"name":"cat/1.pgm","n":1}\r\n'

# ------------------------------------------------------------------ unknown names
expect_set 1 csv 'name,n\ncat/1.pgm,1\nnix,2\n../x,3\n'
expect_contains err "table.csv:3: the archive has no image 'nix'"
expect_contains err "table.csv:4: the archive has no image '../x'"
expect_contains err '2 names are not in the archive; the rest was set'
expect_equal "$(value_of b.aimg cat/1.pgm n)" 1
{ echo name,n; for i in $(seq 1 1500); do echo "gone$i,$i"; done; } >many.csv
cp fresh.aimg b.aimg
expect_exit 1 "$AIMG" set b.aimg many.csv
expect_lines err 21
expect_contains err '1,500 names are not in the archive; nothing was set'
expect_contains err '(1,480 more than are listed here; --json lists all of them)'
expect_same fresh.aimg b.aimg
for strict in '' --strict; do
    # shellcheck disable=SC2086
    expect_exit 1 "$AIMG" set --json $strict b.aimg many.csv
    expect_lines err 21
    expect_contains err '(1,480 more than are listed here; the JSON has all of them)'
    expect_equal "$(json out 'o["unknown"], o["unknown_names"] == ["gone%d" % i for i in range(1, 1501)]')" '(1500, True)'
done
head -21 many.csv >twenty.csv
expect_exit 1 "$AIMG" set b.aimg twenty.csv
expect_lines err 21
expect_lacks err more
printf 'name,n\ncat/1.pgm,1\nnix,2\n' >table.csv
expect_exit 1 "$AIMG" set --strict b.aimg table.csv
expect_contains err '--strict'
expect_same fresh.aimg b.aimg
expect_exit 1 "$AIMG" set --json --strict b.aimg table.csv
expect_equal "$(json out 'o["images"], o["commit"], o["unknown"], o["unknown_names"]')" "(0, None, 1, ['nix'])"
expect_equal "$(json out 'o["columns"]')" '[]'
expect_exit 1 "$AIMG" set --json b.aimg table.csv
expect_equal "$(json out 'o["rows"], o["images"], o["commit"], o["unknown"]')" '(2, 1, 1, 1)'
expect_equal "$(json out 'o["schema"], o["path"], "archive" in o')" "('aimg.set/1', 'b.aimg', False)"
expect_equal "$(json out 'o["columns"]')" "[{'name': 'n', 'type': 'i64', 'new': True, 'values': 1, 'nulls': 0}]"

# ------------------------------------------------------------------ the archive is replaced while it is changed
for how in 'mv other.aimg b.aimg' 'rm b.aimg'; do
    cp fresh.aimg b.aimg
    cp fresh.aimg other.aimg
    expect_shim 3 SYNC=2 AT_SYNC="$how" "$AIMG" set b.aimg table.csv
    expect_contains err 'was removed or replaced by another program'
    expect_contains err '1 name is not in the archive; nothing was set'
    expect_lacks err 'set 1 value'
    [ -e b.aimg ] && expect_same fresh.aimg b.aimg
done
cp fresh.aimg b.aimg
cp fresh.aimg other.aimg
expect_shim 3 SYNC=2 AT_SYNC='mv other.aimg b.aimg' "$AIMG" set --json b.aimg table.csv
expect_equal "$(json out 'o["images"], o["commit"], o["columns"]')" '(0, None, [])'

# ------------------------------------------------------------------ misuse
expect_exit 2 "$AIMG" set
expect_exit 2 "$AIMG" set b.aimg
expect_exit 2 "$AIMG" set b.aimg table.csv table.csv
expect_exit 2 "$AIMG" set --format xml b.aimg table.csv
expect_exit 2 "$AIMG" set --message "$(printf 'x%.0s' $(seq 255))" b.aimg table.csv
expect_exit 2 "$AIMG" set --nope b.aimg table.csv

finish
