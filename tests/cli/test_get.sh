#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Columns written as CSV and JSON lines, and ls --columns. What get writes set reads, with the same result.
. "$(dirname "$0")/lib.sh"
: "${WRITE_SHIM:?set it to the path of write_shim.so}"

for i in 1 2 3; do make_picture photos/cat/$i.pgm 4 3 cat$i; done
make_picture 'photos/say "hi", =1+1.pgm' 2 2 quote
expect_exit 0 "$AIMG" pack a.aimg photos/
cp a.aimg fresh.aimg
cat >l.jsonl <<'EOF'
{"name":"cat/1.pgm","score":0.1,"caption":"comma, \"quote\"\nline\r\n","box:f32[2]":[0.1,-1e-30],"tags:list<u16>":[]}
{"name":"cat/2.pgm","score":-0.0,"caption":"=cmd()","box:f32[2]":["nan","-inf"],"tags:list<u16>":[1,65535],"raw:bytes":""}
{"name":"cat/3.pgm","score":1e300,"caption":"","label":" x ","when:u64":"18446744073709551615","pair:image":"cat/1.pgm"}
{"name":"say \"hi\", =1+1.pgm","score":null,"caption":"-1+@x","h:f16":0.1,"p:list<i8[2]>":[[1,-2],[3,4]],"ok":true}
EOF
expect_exit 0 "$AIMG" set a.aimg l.jsonl

# CSV: every field as RFC 4180 has it, nothing altered
expect_exit 0 "$AIMG" get a.aimg caption score
printf '%s\n' 'name,caption,score' >wanted
printf 'cat/1.pgm,"comma, ""quote""\nline\r\n",0.1\ncat/2.pgm,=cmd(),-0.0\ncat/3.pgm,"",1e+300\n' >>wanted
printf '"say ""hi"", =1+1.pgm",-1+@x,\n' >>wanted
expect_same out wanted
expect_lines err 0
expect_exit 0 "$AIMG" get a.aimg label pair
printf 'name,label,pair\ncat/1.pgm,cat,\ncat/2.pgm,cat,\ncat/3.pgm," x ",cat/1.pgm\n"say ""hi"", =1+1.pgm",,\n' >wanted
expect_same out wanted
expect_exit 0 "$AIMG" get --types a.aimg
expect_contains out 'width:u32,height:u32,channels:u8,label:dictionary,'
expect_exit 0 "$AIMG" get a.aimg
expect_contains out 'name,width,height,channels,label,'
expect_contains out ',"[0.1,-1e-30]",'
# another reader of CSV sees the same
expect_equal "$("${AIMG_PYTHON:-/usr/bin/python3}" -c 'import csv
rows = list(csv.DictReader(open("out", newline=""), strict=True))
print(len(rows), [r["caption"] for r in rows], rows[3]["name"], {len(r) for r in rows})')" \
    "4 ['comma, \"quote\"\\nline\\r\\n', '=cmd()', '', '-1+@x'] say \"hi\", =1+1.pgm {15}"

# some images only, and quotes for a quote alone
expect_exit 0 "$AIMG" get --types a.aimg label score caption 'cat/[13]*'
printf 'name,label:dictionary,score:f64,caption:utf8\ncat/1.pgm,cat,0.1,"comma, ""quote""\nline\r\n"\n' >wanted
printf 'cat/3.pgm," x ",1e+300,""\n' >>wanted
expect_same out wanted
printf '{"name":"cat/1.pgm","q":"5\\" disk"}\n' >q.jsonl
cp fresh.aimg b.aimg
expect_exit 0 "$AIMG" set b.aimg q.jsonl
expect_exit 0 "$AIMG" get b.aimg q cat/1.pgm
expect_contains out 'cat/1.pgm,"5"" disk"'

# JSON lines
expect_exit 0 "$AIMG" get --jsonl a.aimg score box tags raw when pair ok 'cat/[12]*'
printf '%s\n' '{"name":"cat/1.pgm","score":0.1,"box":[0.1,-1e-30],"tags":[],"raw":null,"when":null,"pair":null,"ok":null}' \
    '{"name":"cat/2.pgm","score":-0.0,"box":["nan","-inf"],"tags":[1,65535],"raw":"","when":null,"pair":null,"ok":null}' >wanted
expect_same out wanted
expect_exit 0 "$AIMG" get --jsonl --types a.aimg when cat/3.pgm
expect_contains out '{"name":"cat/3.pgm","when:u64":"18446744073709551615"}'
expect_exit 0 "$AIMG" get --jsonl a.aimg caption cat/1.pgm
expect_equal "$(json out 'o["caption"] == "comma, \"quote\"\nline\r\n"')" True

# a FILE is what its name says, as for set, unless an option says another thing
expect_exit 0 "$AIMG" get --jsonl a.aimg score
cp out wanted
for file in f.jsonl f.NDJSON; do
    expect_exit 0 "$AIMG" get a.aimg score -o $file
    expect_same $file wanted
done
expect_exit 0 "$AIMG" get --jsonl a.aimg score -o f.csv
expect_same f.csv wanted
for options in '-o f.csv' '-o f.txt' '--csv -o f.jsonl'; do
    # shellcheck disable=SC2086
    expect_exit 0 "$AIMG" get a.aimg score $options
    expect_equal "$(head -1 "${options##* }")" name,score
done

# there and back: into an archive without these columns, and over the values that are there
for options in '--types --csv' '--types --jsonl'; do
    file=back.${options##*--}
    # shellcheck disable=SC2086
    expect_exit 0 "$AIMG" get $options a.aimg -o "$file"
    cp fresh.aimg b.aimg
    expect_exit 0 "$AIMG" set b.aimg "$file"
    expect_exit 0 "$AIMG" verify b.aimg
    # shellcheck disable=SC2086
    expect_exit 0 "$AIMG" get $options b.aimg
    expect_same out "$file"
    cp a.aimg b.aimg
    expect_exit 0 "$AIMG" set b.aimg "$file"
    # shellcheck disable=SC2086
    expect_exit 0 "$AIMG" get $options b.aimg
    expect_same out "$file"
done
# every type that there is
expect_exit 0 "${MAKE_COLUMNS:?set it to the path of the program make_columns}" all.aimg
for types in '' --types; do
    # shellcheck disable=SC2086
    expect_exit 0 "$AIMG" get $types all.aimg -o all.csv
    expect_contains err "column 'an_image': 1 of its images are removed"
    cp all.aimg b.aimg
    expect_exit 0 "$AIMG" set b.aimg all.csv
    # shellcheck disable=SC2086
    expect_exit 0 "$AIMG" get $types b.aimg -o b.csv
    expect_same all.csv b.csv
done
expect_exit 0 "$AIMG" get --jsonl all.aimg -o all.jsonl
cp all.aimg b.aimg
expect_exit 0 "$AIMG" set b.aimg all.jsonl
expect_exit 0 "$AIMG" get --types b.aimg -o b.csv
expect_same all.csv b.csv

# archives of the specification, as others write them; every fourth
count=0
for vector in "${VECTORS:?the folder of the vectors, unpacked}"/good/column*.aimg; do
    [ $((count++ % 4)) = 0 ] || continue
    for options in '--csv -o vector.csv' '--csv --types -o vector.csv' \
        '--jsonl --types -o vector.jsonl' '--jsonl -o vector.jsonl'; do
        cp "$vector" b.aimg
        rm -f vector.csv vector.jsonl
        # shellcheck disable=SC2086
        run "$AIMG" get $options b.aimg
        case "$options $status" in
            --csv*1) # a text with a zero byte
                expect_contains err 'which CSV cannot hold; use --jsonl'
                continue
                ;;
        esac
        expect_equal "$vector $options $status" "$vector $options 0"
        file=$(echo vector.*)
        grep -q '[,:]' "$file" || continue # an archive without columns
        expect_exit 0 "$AIMG" set b.aimg "$file"
        expect_exit 0 "$AIMG" verify b.aimg
        # shellcheck disable=SC2086
        expect_exit 0 "$AIMG" get ${options%% -o*} b.aimg
        expect_same out "$file"
    done
done

# random values of each width, shortest digits that give the same value back
"${AIMG_PYTHON:-/usr/bin/python3}" -c 'import random, struct
random.seed(7)
print("name,a:f64[8],b:f32[8],c:f16[8],d:u64[4],e:i64[4]")
for i in (1, 2, 3):
    rows = []
    for code, size in (("d", 8), ("f", 4), ("e", 2)):
        rows.append("[" + ",".join(repr(struct.unpack(code, random.randbytes(size))[0]) for _ in range(8)) + "]")
    rows.append("[" + ",".join(str(random.getrandbits(64)) for _ in range(4)) + "]")
    rows.append("[" + ",".join(str(random.getrandbits(64) - 2**63) for _ in range(4)) + "]")
    print("cat/%d.pgm," % i + ",".join("\"%s\"" % row for row in rows))' >numbers.csv
cp fresh.aimg b.aimg
expect_exit 0 "$AIMG" set b.aimg numbers.csv
expect_exit 0 "$AIMG" get b.aimg a b c d e 'cat/*' -o again.csv
expect_equal "$("${AIMG_PYTHON:-/usr/bin/python3}" -c 'import csv, json, struct
def cell(text, code):
    numbers = json.loads(text.replace("nan", "NaN").replace("inf", "Infinity"))
    return [str(struct.unpack(code, struct.pack(code, number))) for number in numbers]
def read(path):
    return [[cell(text, code) for text, code in zip(row[1:], "dfeQq")] for row in list(csv.reader(open(path)))[1:]]
print(read("numbers.csv") == read("again.csv"), len(read("again.csv")))')" 'True 3'

# a column whose name ends like a type keeps it
printf 'name,x:u8:f32,y:z:utf8\ncat/1.pgm,0.5,t\n' >odd.csv
cp fresh.aimg b.aimg
expect_exit 0 "$AIMG" set b.aimg odd.csv
expect_exit 0 "$AIMG" get --jsonl b.aimg x:u8 y:z cat/1.pgm
expect_contains out '{"name":"cat/1.pgm","x:u8:f32":0.5,"y:z":"t"}'
cp out odd.jsonl
expect_exit 0 "$AIMG" set b.aimg odd.jsonl
expect_exit 0 "$AIMG" get b.aimg x:u8 y:z cat/1.pgm -o odd.csv
expect_equal "$(cat odd.csv)" $'name,x:u8:f32,y:z\ncat/1.pgm,0.5,t'
expect_exit 0 "$AIMG" set b.aimg odd.csv
expect_exit 0 "$AIMG" get --types b.aimg x:u8 y:z cat/1.pgm
expect_equal "$(head -1 out)" name,x:u8:f32,y:z:utf8

# ------------------------------------------------------------------ what is asked for
expect_exit 1 "$AIMG" get a.aimg scroe
expect_contains err "no column and no image is called 'scroe'"
expect_lines out 0
expect_exit 1 "$AIMG" get a.aimg cat/1.pgm width
expect_contains err "'width' is a column, and those stand before the images: 'aimg get ARCHIVE COLUMN... GLOB...'"
expect_lines out 0
expect_exit 1 "$AIMG" get a.aimg score 'dog/*'
expect_contains err "no image matches 'dog/*'"
expect_exit 2 "$AIMG" get a.aimg score score
expect_exit 2 "$AIMG" get --csv --jsonl a.aimg
expect_exit 2 "$AIMG" get
expect_exit 2 "$AIMG" get --xml a.aimg
expect_exit 2 "$AIMG" get --no-types a.aimg
expect_exit 3 "$AIMG" get missing.aimg score
printf 'x' >none.aimg
expect_exit 4 "$AIMG" get none.aimg score
mkdir empty
expect_exit 0 "$AIMG" pack empty.aimg empty
expect_exit 0 "$AIMG" get empty.aimg
expect_lines out 1

# lists of columns, unless a column is called just that
expect_exit 0 "$AIMG" get a.aimg caption score label 'cat/[12]*'
cp out wanted
for words in 'caption,score label' 'caption,score,label' 'caption score,label'; do
    # shellcheck disable=SC2086
    expect_exit 0 "$AIMG" get a.aimg $words 'cat/[12]*'
    expect_same out wanted
done
expect_exit 1 "$AIMG" get a.aimg score,scroe
expect_contains err "no column is called 'scroe', and no image 'score,scroe'"
expect_lines out 0
for word in score, ,score score,,label 'score, label'; do expect_exit 1 "$AIMG" get a.aimg "$word"; done
expect_exit 1 "$AIMG" get a.aimg cat/1.pgm score,label
expect_contains err "'score,label' is a column, and those stand before the images"
expect_exit 2 "$AIMG" get a.aimg score,label,score
expect_exit 2 "$AIMG" get a.aimg score,label label
printf '{"name":"cat/1.pgm","score,label":7,"score":8}\n' >comma.jsonl
cp fresh.aimg b.aimg
expect_exit 0 "$AIMG" set b.aimg comma.jsonl
expect_exit 0 "$AIMG" get b.aimg score,label cat/1.pgm
expect_equal "$(tail -1 out)" cat/1.pgm,7
make_picture comma/score,label.pgm 2 2
expect_exit 0 "$AIMG" pack comma.aimg comma/
expect_exit 0 "$AIMG" get comma.aimg score,label.pgm
expect_lines out 2

# as it was before
expect_exit 0 "$AIMG" get --at 0 a.aimg label 'cat/*'
printf 'name,label\ncat/1.pgm,cat\ncat/2.pgm,cat\ncat/3.pgm,cat\n' >wanted
expect_same out wanted
expect_exit 1 "$AIMG" get --at 0 a.aimg score
expect_exit 1 "$AIMG" get --at 99 a.aimg label
expect_exit 2 "$AIMG" get --at x a.aimg label

# -o: a whole file or the old one
printf 'old\n' >kept.csv
expect_exit 3 "$AIMG" get a.aimg score -o missing/x.csv
expect_exit 1 "$AIMG" get a.aimg scroe -o kept.csv
expect_equal "$(cat kept.csv)" old
expect_exit 0 "$AIMG" get a.aimg score -o kept.csv
expect_lines out 0
expect_lines kept.csv 5
expect_false 'a temporary file was left' ls .aimg-*
mkfifo pipe
cat pipe >piped &
expect_exit 0 "$AIMG" get a.aimg score -o pipe
wait $!
expect_true 'the pipe was replaced' test -p pipe
expect_same piped kept.csv
expect_exit 3 bash -c '"$0" get a.aimg score >/dev/full' "$AIMG"
expect_lines err 1
"$AIMG" get a.aimg score 2>err | head -1 >out
expect_lines err 0

# what is read is not written over, whatever it is called
cp a.aimg own.aimg
ln -s own.aimg own.link
ln own.aimg own.hard
for name in own.aimg ./own.aimg own.link own.hard; do
    expect_exit 2 "$AIMG" get own.aimg score -o $name
    expect_contains err "$name: is ARCHIVE itself"
done
expect_exit 2 "$AIMG" get own.link score -o own.aimg
expect_same own.aimg a.aimg
# nor what else has a name like that of FILE
cp a.aimg named.part
expect_exit 0 "$AIMG" get named.part score -o named
expect_same named kept.csv
expect_same named.part a.aimg
echo mine >other.csv.part
expect_exit 0 "$AIMG" get a.aimg score -o other.csv
expect_equal "$(cat other.csv.part)" mine

# -o: mode and link stay, a new file has the usual mode
expect_equal "$(stat -c %a other.csv)" 644
(umask 077 && "$AIMG" get a.aimg score -o private.csv)
expect_equal "$(stat -c %a private.csv)" 600
mkdir linked
echo old >linked/real.csv
chmod 640 linked/real.csv
ln -s linked/real.csv link.csv
expect_exit 0 "$AIMG" get a.aimg score -o link.csv
expect_true 'the link was replaced' test -L link.csv
expect_same linked/real.csv kept.csv
expect_equal "$(stat -c %a linked/real.csv) $(ls -A linked)" '640 real.csv'
ln -s linked/none.csv dangling.csv
expect_exit 3 "$AIMG" get a.aimg score -o dangling.csv
expect_contains err 'dangling.csv: is a link, and where it leads no file can be made'

# -o: when something fails the old file stays, and nothing else
echo old >old.csv
expect_exit 1 "$AIMG" get a.aimg score 'no/*' -o old.csv
expect_contains err 'old.csv is as it was'
expect_exit 1 "$AIMG" get a.aimg score 'no/*' -o none.csv
expect_contains err 'none.csv was not made'
printf '{"name":"cat/2.pgm","t":"a\\u0000b"}\n' >zero.jsonl
cp fresh.aimg b.aimg
expect_exit 0 "$AIMG" set b.aimg zero.jsonl
expect_exit 1 "$AIMG" get b.aimg t -o old.csv
expect_shim 3 AT_TEMPORARY='kill -TERM $PPID' "$AIMG" get a.aimg score -o old.csv
expect_contains err interrupted
expect_equal "$(cat old.csv)" old
expect_false 'a file was made' test -e none.csv
expect_false 'a temporary file was left' ls .aimg-*
# standard output that is closed does not matter then
"$AIMG" get a.aimg score -o closed.csv >&- 2>err
expect_equal $? 0
expect_same closed.csv kept.csv

# a text with a zero byte: JSON lines hold it, CSV cannot
printf '{"name":"cat/1.pgm","t":"a\\u0000b"}\n' >zero.jsonl
cp fresh.aimg b.aimg
expect_exit 0 "$AIMG" set b.aimg zero.jsonl
expect_exit 1 "$AIMG" get b.aimg t
expect_contains err 'zero byte'
expect_exit 0 "$AIMG" get --jsonl b.aimg t cat/1.pgm
expect_contains out 'a\u0000b'

# ------------------------------------------------------------------ ls --columns
expect_exit 0 "$AIMG" ls --columns score,caption,pair,tags a.aimg
printf '%s\t%s\t%s\t%s\t%s\n' cat/1.pgm 0.1 'comma, "quote"\x0Aline\x0D\x0A' '' '[]' cat/2.pgm -0.0 '=cmd()' '' '[1,65535]' \
    cat/3.pgm 1e+300 '' cat/1.pgm '' 'say "hi", =1+1.pgm' '' '-1+@x' '' '' >wanted
expect_same out wanted
expect_exit 0 "$AIMG" ls --columns score a.aimg 'cat/2*'
expect_lines out 1
expect_exit 1 "$AIMG" ls --columns score,nope a.aimg
expect_contains err "no column 'nope'"
expect_lines out 0
expect_exit 1 "$AIMG" ls --columns '' a.aimg
for other in -l -0 --json; do expect_exit 2 "$AIMG" ls --columns score $other a.aimg; done

# ------------------------------------------------------------------ damage, and a terminal
offset=$(grep -obUa 'cmd()' a.aimg | head -1 | cut -d: -f1)
if [ -n "$offset" ]; then
    cp a.aimg bad.aimg
    printf X | dd of=bad.aimg bs=1 seek="$offset" conv=notrunc 2>/dev/null
    expect_exit 4 "$AIMG" get bad.aimg caption
    expect_contains err "the column 'caption' cannot be read"
else
    fail 'the text of a column that was to be damaged is not in a.aimg as it is'
fi
printf '{"name":"cat/1.pgm","t":"\\u001b[31mred"}\n' >red.jsonl
expect_exit 0 "$AIMG" set a.aimg red.jsonl
if command -v script >/dev/null; then
    script -qec "$AIMG get a.aimg t cat/1.pgm" /dev/null </dev/null >terminal
    expect_contains terminal '\x1B[31mred'
else
    skip 'terminals: there is no program script'
fi

finish
