#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Whatever stands where ARCHIVE should: the right exit status, one line that says what is wrong, no crash, no hang.
. "$(dirname "$0")/lib.sh"

python=${AIMG_PYTHON:-/usr/bin/python3}
for i in $(seq 12); do make_picture "photos/cat/$i.pgm" $((i * 3)) 5 "cat$i"; done
make_picture more/dog/1.pgm 9 9 dog
expect_exit 0 "$AIMG" pack a.aimg photos
expect_exit 0 "$AIMG" add a.aimg more
bytes=$(stat -c %s a.aimg)

# verbs FILE STATUS TEXT [MOST_LINES]: every verb that reads FILE, and add.
verbs() {
    local file=$1 wanted=$2 text=$3 most=${4:-1} verb
    for verb in ls 'ls -l' 'ls --json' 'cat @0' 'cat cat/1.pgm' info 'info @0' log verify 'verify --quick' unpack add; do
        set -- $verb
        case $verb in
        'cat '* | 'info '*) run "$AIMG" "$1" "$file" "$2" ;;
        unpack) run "$AIMG" unpack "$file" -C "$scratch/never" ;;
        add) run "$AIMG" add "$file" more ;;
        *) run "$AIMG" "$@" "$file" ;;
        esac
        [ "$status" = "$wanted" ] && pass || fail "$verb $file: exit $status, expected $wanted" err
        [ "$(wc -l <err)" -le "$most" ] && [ -s err ] && pass || fail "$verb $file: not one line" err
        grep -qF -e "aimg: $file: " err && pass || fail "$verb $file: the message does not name the file" err
        grep -qiE -e "$text" err && pass || fail "$verb $file: the message does not say '$text'" err
        case $verb in verify*) ;; *) [ ! -s out ] && pass || fail "$verb $file: has output" out ;; esac
    done
    [ ! -e "$scratch/never" ] && pass || fail "unpack of $file made a folder"
}

# not there, not readable, not a file
verbs missing.aimg 3 'no such file|not there'
verbs photos/missing/deep.aimg 3 'no such file|not there'
verbs a.aimg/below 3 'not a directory'
mkdir folder
verbs folder 4 'directory'
mkfifo fifo
verbs fifo 4 'regular file'
verbs /dev/null 4 'regular file'
"$python" -c 'import socket; socket.socket(socket.AF_UNIX).bind("socket")'
verbs socket 3 'no such device'
ln -s loop loop
verbs loop 3 'symbolic links'
if [ "$(id -u)" != 0 ]; then
    cp a.aimg secret.aimg
    chmod 0 secret.aimg
    verbs secret.aimg 3 'permission'
fi

# somebody else's file
: >empty
verbs empty 4 'empty'
echo 'hello, this is a text' >text
verbs text 4 'not an aimg archive'
head -c 100000 /dev/zero >zeros
verbs zeros 4 'not an aimg archive'
verbs photos/cat/1.pgm 4 'not an aimg archive'
printf '\x89PNG\r\n\x1a\n%010000d' 0 >image.png
verbs image.png 4 'not an aimg archive'
tar cf photos.tar photos
verbs photos.tar 4 'not an aimg archive'
truncate -s 5T huge && verbs huge 4 'not an aimg archive'
rm -f huge

# a newer version: the header is whole, only not ours
cat >version.py <<'END'
import sys, xxhash
data = bytearray(open("a.aimg", "rb").read())
data[8:12] = bytes((int(sys.argv[1]), 0, int(sys.argv[2]), 0))
data[4080:4096] = xxhash.xxh3_128(bytes(data[:4080])).digest()[::-1]
open(sys.argv[3], "wb").write(data)
END
if "$python" version.py 7 3 newer.aimg; then
    verbs newer.aimg 4 '7\.3.*0\.1'
    "$python" version.py 0 2 minor.aimg
    verbs minor.aimg 4 '0\.2.*0\.1'
    "$python" version.py 0 1 same.aimg
    expect_exit 0 "$AIMG" verify same.aimg
    expect_same same.aimg a.aimg
else
    skip 'newer versions: no python3-xxhash'
fi

# cut short: never an older snapshot as if it were whole
for size in 1 7 8 100 4095 4096 12000 12287; do
    head -c $size a.aimg >cut.aimg
    if [ $size -lt 8 ]; then text='aimg'; else text='cut short|truncated|damaged'; fi
    verbs cut.aimg 4 "$text"
done
step=$(((bytes - 12288) / 25))
for size in $(seq 12289 $step $((bytes - 1))) $((bytes - 4096)) $((bytes - 4095)) $((bytes - 1)); do
    head -c "$size" a.aimg >cut.aimg
    verbs cut.aimg 4 'cut short|truncated|missing|lost|gone' 3
done

# longer: a torn tail, which the readers ignore with a warning, and the writer drops
tail_is_ignored() {
    local verb
    for verb in ls 'ls -l' info log 'cat @0' 'cat dog/1.pgm' unpack; do
        set -- $verb
        case $verb in
        'cat '*) run "$AIMG" cat longer.aimg "$2" ;;
        unpack) run "$AIMG" unpack longer.aimg -C all --force ;;
        *) run "$AIMG" "$@" longer.aimg ;;
        esac
        [ "$status" = 0 ] && pass || fail "$verb with a torn tail: exit $status" err
        grep -q 'longer.aimg.*interrupted' err && pass || fail "$verb does not tell of the torn tail" err
    done
    expect_exit 0 "$AIMG" ls longer.aimg
    expect_lines out 13
    expect_exit 1 "$AIMG" verify longer.aimg
    expect_exit 0 "$AIMG" add longer.aimg --skip-existing more
    expect_exit 0 "$AIMG" ls longer.aimg
    expect_lines out 13
}
{ cat a.aimg; echo garbage; } >longer.aimg
tail_is_ignored
{ cat a.aimg; head -c 50000 /dev/zero; } >longer.aimg
tail_is_ignored
{ cat a.aimg; tail -c +12289 a.aimg; } >longer.aimg
tail_is_ignored
{ cat a.aimg; tail -c 4096 a.aimg; } >longer.aimg
tail_is_ignored

# flipped bits: an answer or a clear error, never a crash, never wrong bytes
cat >flip.py <<'END'
import sys
data = bytearray(open(sys.argv[1], "rb").read())
data[int(sys.argv[2])] ^= 1 << int(sys.argv[3])
open(sys.argv[4], "wb").write(data)
END
flip() {
    "$python" flip.py a.aimg "$1" "$2" flipped.aimg
    local verb
    for verb in ls 'ls -l' 'ls --json' 'cat @0' info 'info @3' log verify unpack; do
        set -- $verb
        case $verb in
        'cat '* | 'info '*) run "$AIMG" "$1" flipped.aimg "$2" ;;
        unpack) rm -rf salvage; run "$AIMG" unpack flipped.aimg -C salvage ;;
        *) run "$AIMG" "$@" flipped.aimg ;;
        esac
        case "$verb $status" in
        'verify 1' | 'verify 4' | 'unpack 1') pass ;;
        'verify '*) fail "verify: exit $status with bit $flipped" err ;;
        *' 0' | *' 4') pass ;;
        *) fail "$verb: exit $status with bit $flipped" err ;;
        esac
        case "$verb $status" in 'cat @0 0') expect_same out photos/cat/1.pgm ;; esac
    done
    for file in salvage/cat/*; do
        [ ! -e "$file" ] || cmp -s "$file" "photos/${file#salvage/}" || fail "$file is wrong with bit $flipped"
    done
}
step=$(((bytes - 12288) / 120))
for offset in 0 3 8 12 20 60 64 70 128 200 1000 4085 4096 4100 4110 5000 8190 8192 8200 9000 12287 12288 12290 12300 12330 \
    $(seq 12345 $step $((bytes - 1))) $((bytes - 4096)) $((bytes - 4000)) $((bytes - 3000)) $((bytes - 20)) $((bytes - 1)); do
    flipped="$((offset % 8)) of byte $offset"
    flip "$offset" $((offset % 8))
done

# names lie in groups: a damaged group takes its images with it, the others are listed and unpacked
"$python" -c 'import os
for i in range(6000):
    folder = "names/%02d" % (i // 100)
    os.makedirs(folder, exist_ok=True)
    open("%s/%020d.pgm" % (folder, i * i * 7919), "wb").write(b"P5\n1 1\n255\n" + bytes([i % 251]))'
expect_exit 0 env SOURCE_DATE_EPOCH=1700000000 "$AIMG" pack names.aimg names
length=$(stat -c %s names.aimg)
found=0
for offset in $(seq $((length - 400000)) 2000 $((length - 8192))); do
    "$python" flip.py names.aimg "$offset" 5 group.aimg
    run "$AIMG" ls group.aimg
    listed=$(wc -l <out)
    if grep -q 'names from @' err && [ "$listed" -gt 0 ] && [ "$listed" -lt 6000 ]; then
        found=1
        break
    fi
done
expect_equal "a damaged group of names: $found" 'a damaged group of names: 1'
if [ $found = 1 ]; then
    expect_equal "$status" 4
    left=$(sed -n 's/.*cannot be read; \([0-9,]*\) images left out/\1/p' err | tr -d ,)
    expect_equal $((listed + left)) 6000
    sort out >listed
    expect_exit 1 "$AIMG" unpack group.aimg -C rest
    (cd rest && find . -type f | sed 's|^./||' | sort) >unpacked
    expect_equal "$(comm -13 listed unpacked | wc -l)" 0
    # the flipped bit may lie in the entry of one image besides
    expect_true 'the others are unpacked' test "$(wc -l <unpacked)" -ge $((listed - 1))
    expect_false 'wrong bytes were unpacked' grep -q differ <(diff -rq rest names)
fi

# the spec's vectors: whatever is wrong in an archive, nothing is written outside the folder; every fourth, or where each
# process takes long every 32nd, with another verb in turn. That verify finds it is a test of its own (tests/compat).
vectors=${VECTORS:?the folder of the vectors, unpacked}
verbs=(ls 'ls -l' 'ls --json' info log 'cat @0' 'info @0' verify) turn=0 count=0 each=4
if sanitized; then each=32; fi
for vector in "$vectors"/bad/*.aimg "$vectors"/good/*.aimg; do
    name=${vector#"$vectors"/}
    [ $((count++ % each)) = 0 ] || continue
    verb=${verbs[turn++ % ${#verbs[@]}]}
    set -- $verb
    case $verb in
    'cat '* | 'info '*) run "$AIMG" "$1" "$vector" "$2" ;;
    *) run "$AIMG" "$@" "$vector" ;;
    esac
    case "$name $status" in
    good/*' 0' | bad/*' 0' | bad/*' 1' | bad/*' 4') pass ;;
    good/*' 1') [ "${verb#* }" = @0 ] && pass || fail "$verb $name: exit 1" err ;;
    *) fail "$verb $name: exit $status" err ;;
    esac
    rm -rf jail
    mkdir -p jail/in
    run "$AIMG" unpack "$vector" -C jail/in
    case "$name $status" in
    *' 0' | bad/*' 1' | bad/*' 4') pass ;;
    # 'a' and 'a/b' may both stand in an archive, but not in a file system
    good/*' 1') expect_true "unpack $name: exit 1" grep -qE 'a (file|folder) stands' err ;;
    *) fail "unpack $name: exit $status" err ;;
    esac
    expect_equal "$name $(find jail -mindepth 1 \( -name '.aimg-*' -o -type l -o ! -path jail/in ! -path 'jail/in/*' \))" "$name "
done
for name in absolute dot-dot not-utf8; do
    mkdir -p "jail/$name"
    run "$AIMG" unpack "$vectors/bad/name-$name.aimg" -C "jail/$name"
    expect_equal "$name $status" "$name 1"
    expect_contains err 'is a name that no archive may hold'
    expect_lacks err 'nothing was written'
done

# hints are advice: damaged ones cost nothing but a finding
cp a.aimg hints.aimg
head -c 8192 /dev/zero | dd of=hints.aimg bs=4096 seek=1 conv=notrunc 2>/dev/null
expect_exit 0 "$AIMG" ls hints.aimg
expect_lines out 13

# read-only: reading works, adding says why it cannot
cp a.aimg readonly.aimg
chmod 444 readonly.aimg
expect_exit 0 "$AIMG" ls readonly.aimg
expect_exit 0 "$AIMG" verify readonly.aimg
if [ "$(id -u)" != 0 ]; then
    expect_exit 3 "$AIMG" add readonly.aimg more
    expect_lines err 1
fi

# cut short while it is read: an error, no signal
for i in $(seq 300); do make_picture "large/$i.pgm" 300 300 "$i"; done
expect_exit 0 "$AIMG" pack large.aimg large
for verb in 'unpack --force' verify; do
    for wait in 0 0.005 0.01 0.02 0.04; do
        cp large.aimg shrinking.aimg
        # shellcheck disable=SC2086
        "$AIMG" $verb shrinking.aimg $([ "$verb" = verify ] || echo '-C shrunk') >out 2>err &
        pid=$!
        sleep $wait
        truncate -s 20000 shrinking.aimg
        wait $pid
        status=$?
        expect_true "$verb of an archive that shrinks: exit $status" test $status -le 4
    done
done

finish
