#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
. "$(dirname "$0")/lib.sh"
: "${MAKE_DENSE:?set it to the path of the make_dense program}"

for i in $(seq 30); do make_picture "photos/cat/$i.pgm" $((i * 7)) 20 "cat$i"; done
for i in $(seq 5); do make_picture "photos/cow/$i.pgm" $((i * 5)) 20 "cow$i"; done
for i in $(seq 30); do make_picture "photos/dog/deep/$i.pgm" $((i * 9)) 10 "dog$i"; done
make_picture photos/top.pgm 300 300 top
make_picture photos/öl.pgm 3 3 oil
expect_exit 0 "$AIMG" pack a.aimg photos/
no_temporaries() { expect_equal "$(find "$1" -name '.aimg-*' | wc -l)" 0; }

# all of it, byte for byte
expect_exit 0 "$AIMG" unpack a.aimg -C copy
expect_same copy photos
expect_contains err '67 images'
expect_lines out 0
no_temporaries copy
expect_exit 0 "$AIMG" unpack --quiet a.aimg -C made/on/the/way
expect_same made/on/the/way photos
expect_lines err 0
mkdir here
(cd here && "$AIMG" unpack ../a.aimg) 2>err
expect_equal $? 0
expect_same here photos
expect_exit 0 "$AIMG" pack --compress zstd z.aimg photos/
expect_exit 0 "$AIMG" unpack z.aimg --directory zcopy --threads 3
expect_same zcopy photos
mkdir empty
expect_exit 0 "$AIMG" pack empty.aimg empty
expect_exit 0 "$AIMG" unpack empty.aimg -C from-empty

# an image of no bytes, and some larger than what all threads hold at a time
mkdir sizes
: >sizes/none
for letter in x y z; do
    { printf 'P5\n8192 4800\n255\n'; head -c $((8192 * 4800)) /dev/zero | tr '\0' $letter; } >sizes/$letter.pgm
done
expect_exit 0 "$AIMG" pack --all sizes.aimg sizes
expect_exit 0 "$AIMG" unpack sizes.aimg -C sizes-copy
expect_same sizes-copy sizes

# modes follow the umask
expect_equal "$(stat -c %a copy/top.pgm copy/dog/deep | tr '\n' ' ')" '644 755 '
(umask 077 && "$AIMG" unpack -q a.aimg -C private)
expect_equal "$(stat -c %a private/top.pgm private/dog | tr '\n' ' ')" '600 700 '

# globs
expect_exit 0 "$AIMG" unpack a.aimg -C some 'cat/1?.pgm' top.pgm
expect_equal "$(find some -type f | wc -l)" 11
expect_same some/cat/13.pgm photos/cat/13.pgm
expect_exit 1 "$AIMG" unpack a.aimg -C part 'hen/*' 'cat/2.pgm'
expect_contains err "'hen/*'"
expect_same part/cat/2.pgm photos/cat/2.pgm
expect_exit 1 "$AIMG" unpack a.aimg -C nothing 'hen/*'
expect_false 'a folder was made for nothing' test -e nothing

# nothing is replaced without --force, and then nothing at all is written
mkdir -p taken/dog/deep
echo mine >taken/dog/deep/7.pgm
expect_exit 1 "$AIMG" unpack a.aimg -C taken
expect_contains err 'taken/dog/deep/7.pgm'
expect_contains err '--force'
expect_contains err 'nothing was written'
expect_equal "$(find taken -type f | wc -l)" 1
expect_equal "$(cat taken/dog/deep/7.pgm)" mine
expect_exit 1 "$AIMG" unpack a.aimg -C copy
expect_contains err 'and 47 more'
expect_exit 0 "$AIMG" unpack --force a.aimg -C taken
expect_same taken photos

# --skip-existing resumes: what is the same stays untouched, what is missing comes, what differs is an error or, with --force,
# replaced
rm -r copy/cat copy/top.pgm
touch -d '2001-01-01' copy/dog/deep/1.pgm
expect_exit 0 "$AIMG" unpack --skip-existing a.aimg -C copy
expect_same copy photos
expect_contains err '36 there already'
expect_equal "$(date -r copy/dog/deep/1.pgm +%Y)" 2001
echo changed >copy/top.pgm
tr o O <photos/dog/deep/9.pgm >copy/dog/deep/9.pgm
rm copy/cat/9.pgm
echo more >>copy/cat/8.pgm
expect_exit 1 "$AIMG" unpack --skip-existing a.aimg -C copy
expect_contains err 'copy/top.pgm'
expect_contains err 'copy/dog/deep/9.pgm'
expect_contains err 'copy/cat/8.pgm'
expect_contains err '3 images not written'
expect_equal "$(cat copy/top.pgm)" changed
expect_same copy/cat/9.pgm photos/cat/9.pgm
expect_exit 0 "$AIMG" unpack --skip-existing --force a.aimg -C copy
expect_same copy photos

# never outside DIR: links on the way and in the place, with and without --force, with and without openat2
outside() { # NAME OPTIONS...
    local name=$1
    shift
    rm -rf jail target
    mkdir -p jail target
    ln -s ../target jail/cat
    ln -s ../target/file jail/top.pgm
    mkdir target/deep
    ln -s ../target jail/dog
    run "$@" unpack a.aimg -C jail
    expect_equal "$name $status" "$name 1"
    expect_contains err 'symbolic link'
    expect_equal "$(ls -AR target)" "$(printf 'target:\ndeep\n\ntarget/deep:')"
    run "$@" unpack --force a.aimg -C jail
    expect_equal "$name $status" "$name 1"
    expect_contains err 'jail/cat/1.pgm: a symbolic link'
    expect_contains err 'jail/dog/deep/30.pgm: a symbolic link'
    expect_equal "$(ls -AR target)" "$(printf 'target:\ndeep\n\ntarget/deep:')"
    expect_same jail/öl.pgm photos/öl.pgm
    expect_same jail/top.pgm photos/top.pgm
    expect_false 'the link was kept or followed' test -L jail/top.pgm
    run "$@" unpack --skip-existing a.aimg -C jail
    expect_equal "$name $status" "$name 1"
    expect_equal "$(ls -AR target)" "$(printf 'target:\ndeep\n\ntarget/deep:')"
    no_temporaries jail
}
outside openat2 "$AIMG"
ln -s copy linked
expect_exit 0 "$AIMG" unpack --force a.aimg -C linked
export ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0 # looking for leaks is not possible under strace
if command -v strace >/dev/null && strace -f -o trace -e inject=openat2:error=ENOSYS true 2>/dev/null; then
    outside stepwise strace -f -o trace -e trace=openat2 -e inject=openat2:error=ENOSYS "$AIMG"
    expect_contains trace INJECTED
    expect_exit 0 strace -f -o trace -e trace=openat2 -e inject=openat2:error=ENOSYS "$AIMG" unpack a.aimg -C old-kernel
    expect_same old-kernel photos
    expect_exit 0 strace -f -o trace -e trace=renameat2 -e inject=renameat2:error=EINVAL "$AIMG" unpack a.aimg -C no-rename
    expect_contains trace INJECTED
    expect_same no-rename photos
    no_temporaries no-rename
    # a failed write leaves no temporary and ends it with 3; strace counts the calls of each thread apart, so there is one
    expect_exit 3 strace -f -o trace -e trace=write -e inject=write:error=ENOSPC:when=3 "$AIMG" unpack --threads 1 a.aimg -C full
    expect_contains err 'No space left'
    missing=$((67 - $(find full -type f | wc -l))) # a sanitizer writes too, and is counted
    expect_contains err "a.aimg: stopped: $missing of 67 images are not written"
    expect_contains err 'aimg unpack --skip-existing --threads 1 -C full a.aimg'
    expect_lines err 3
    no_temporaries full
    expect_exit 3 strace -f -o trace -e trace=close,renameat2 -e inject=renameat2:error=EIO:when=5+ \
        "$AIMG" unpack --threads 1 a.aimg -C broken
    no_temporaries broken
    # a file that appears between looking and writing is not replaced
    expect_exit 1 strace -f -o trace -e trace=renameat2 -e inject=renameat2:error=EEXIST:when=4 \
        "$AIMG" unpack --threads 1 a.aimg -C race
    expect_equal "$(find race -type f | wc -l)" 66
    no_temporaries race
else
    skip 'failures of system calls: strace cannot trace here'
fi
if [ "$(id -u)" = 0 ] && mkdir mount && mount -t tmpfs -o size=64k none mount 2>/dev/null; then
    trap 'umount "$scratch/mount" "$scratch/cross/cat" 2>/dev/null; rm -rf "$scratch"' EXIT
    # too little space is seen before, and where it cannot be, the disk says so
    expect_exit 3 "$AIMG" unpack a.aimg -C mount
    expect_contains err 'nothing was written'
    expect_equal "$(ls -A mount)" ''
    expect_exit 3 "$AIMG" unpack --force a.aimg -C mount
    expect_contains err 'No space left'
    expect_lines err 3
    no_temporaries mount
    umount mount
    # other file systems below DIR are not entered
    mkdir -p cross/cat
    mount -t tmpfs none cross/cat
    expect_exit 1 "$AIMG" unpack a.aimg -C cross
    expect_contains err 'mount point'
    expect_equal "$(find cross -type f | wc -l)" 0
    umount cross/cat
else
    skip 'full disk and mount points: mounting is not permitted here'
fi

# the archive is never replaced by what is in it
mkdir self
cp photos/top.pgm self/b.aimg
expect_exit 0 "$AIMG" pack b.aimg self
cp b.aimg before
expect_exit 1 "$AIMG" unpack --force b.aimg
expect_contains err 'the archive itself'
expect_same b.aimg before

# 'a' and 'a/b': one of them has no place, the rest is written
mkdir first second
make_picture first/a 3 3
make_picture first/z 3 3
make_picture second/b 3 3
expect_exit 0 "$AIMG" pack clash.aimg first
expect_exit 0 "$AIMG" add --prefix a/ clash.aimg second
expect_exit 1 "$AIMG" unpack --threads 1 clash.aimg -C clash
expect_contains err 'clash/a/b: a file stands where its folder must be'
expect_same clash/a first/a
expect_same clash/z first/z
no_temporaries clash
rm -r clash
expect_exit 1 "$AIMG" unpack --threads 4 --force clash.aimg -C clash
expect_same clash/z first/z
no_temporaries clash

# a folder in the place of a file
mkdir -p blocked/top.pgm/full
expect_exit 1 "$AIMG" unpack a.aimg -C blocked
expect_contains err 'blocked/top.pgm: a folder'
expect_contains err 'nothing was written'
expect_exit 1 "$AIMG" unpack --force a.aimg -C blocked
expect_contains err 'blocked/top.pgm: a folder'
expect_same blocked/cat photos/cat
# DIR is a file
: >plain
expect_exit 3 "$AIMG" unpack a.aimg -C plain
expect_exit 3 "$AIMG" unpack a.aimg -C plain/below

# limits, decided before anything is written
expect_exit 1 "$AIMG" unpack --max-output 1K a.aimg -C limit
expect_contains err '--max-output'
expect_false 'something was written' test -e limit
expect_exit 1 "$AIMG" unpack --max-files 66 a.aimg -C limit
expect_false 'something was written' test -e limit
expect_exit 0 "$AIMG" unpack --max-files 67 --max-output 100M a.aimg -C limit
expect_exit 0 "$AIMG" unpack --max-files 1 --max-output 91k a.aimg -C limit1 top.pgm

# times
touch -d '2001-02-03 04:05:06.789 UTC' photos/cat/1.pgm
touch -d '1965-02-03 04:05:06.789 UTC' photos/cat/2.pgm
expect_exit 0 "$AIMG" pack --times t.aimg photos/
expect_exit 0 "$AIMG" unpack t.aimg -C times
expect_equal "$(stat -c %.9Y times/cat/1.pgm times/cat/2.pgm)" "$(stat -c %.9Y photos/cat/1.pgm photos/cat/2.pgm)"

if command -v strace >/dev/null && strace -f -o trace -e inject=renameat:error=EINVAL true 2>/dev/null; then
    inject() { # NAME=INJECTION... -- ARGUMENTS...
        local traced=() names='' one
        for one in "$@"; do
            shift
            [ "$one" != -- ] || break
            names+=,${one%%:*}
            traced+=(-e "inject=$one")
        done
        run strace -f -o trace -e trace="${names#,}" "${traced[@]}" "$AIMG" "$@"
        expect_true "an injection: $names" grep -qE 'INJECTED|SIGINT' trace
    }
    # a name that the file system refuses: of a file, and of a folder; and a file system that cannot but replace
    inject renameat2:error=EINVAL:when=1 linkat:error=EPERM -- unpack --threads 1 a.aimg -C refusing
    expect_equal "$status" 1
    expect_contains err 'is a name that this file system refuses'
    expect_equal "$(find refusing -type f | wc -l)" 66
    no_temporaries refusing
    inject renameat:error=EINVAL:when=1 -- unpack --threads 1 --force a.aimg -C refusing
    expect_equal "$status" 1
    expect_contains err 'is a name that this file system refuses'
    no_temporaries refusing
    inject mkdirat:error=EINVAL:when=1 -- unpack --threads 1 a.aimg -C refusing-folder
    expect_equal "$status" 1
    expect_contains err 'refusing-folder/cat/1.pgm: is a name that this file system refuses'
    expect_equal "$(find refusing-folder -type f | wc -l)" 37
    inject renameat2:error=EINVAL linkat:error=EPERM -- unpack a.aimg -C replacing
    expect_equal "$status" 3
    expect_contains err 'can only rename by replacing: use --force'
    no_temporaries replacing
    # times that cannot be set are no reason to drop the files
    inject utimensat:error=EPERM -- unpack t.aimg -C timeless
    expect_equal "$status" 0
    expect_same timeless photos
    expect_lines err 2
    expect_contains err 'warning: timeless/'
    # a file system that does not tell how much is free
    inject "fstatfs:retval=0:poke_exit=@arg2=$(printf '00%.0s' $(seq 96))" -- unpack a.aimg -C untold
    expect_equal "$status" 0
    expect_same untold photos
    # an interruption while it is looked what is in the way
    mkdir looked-at
    inject openat2:signal=INT:when=2 -- unpack a.aimg -C looked-at
    expect_equal "$status" 3
    expect_contains err 'a.aimg: interrupted; nothing was written'
    expect_equal "$(ls -A looked-at)" ''

    # A file system that takes two names for one, played by a link: the second never replaces what the first has written.
    for i in $(seq 100 299); do make_picture "merged/$i.pgm" 3 3 "$i"; done
    expect_exit 0 "$AIMG" pack merged.aimg merged
    strace -f -o trace -e trace=renameat -e inject=renameat:delay_exit=2000000:when=1 \
        "$AIMG" unpack --threads 1 --force merged.aimg -C merge 2>err &
    pid=$!
    until [ -e merge/100.pgm ] || ! kill -0 $pid 2>/dev/null; do sleep 0.01; done
    ln merge/100.pgm merge/299.pgm
    wait $pid
    expect_equal $? 1
    expect_contains err 'merge/299.pgm: another name of this archive, which was written, is the same to this file system'
    expect_contains err 'merge: 1 image not written'
    expect_same merge/299.pgm merged/100.pgm
    expect_same merge/100.pgm merged/100.pgm
    # What was there before is replaced; what an earlier run has written is kept by --skip-existing.
    expect_exit 0 "$AIMG" unpack --force merged.aimg -C merge
    expect_same merge merged
    ln -f merge/100.pgm merge/299.pgm
    expect_exit 1 "$AIMG" unpack --threads 1 --force --skip-existing merged.aimg -C merge
    expect_same merge/100.pgm merged/100.pgm
    expect_same merge/299.pgm merged/100.pgm
else
    skip 'refused names, merged names: strace cannot inject here'
fi

# an image much larger than it is stored: only a limit of one's own lets it out
expect_exit 0 "$MAKE_DENSE" dense.aimg 3000000
expect_exit 1 "$AIMG" unpack dense.aimg -C dense
expect_contains err '--max-output BYTES lifts this limit'
expect_equal "$(ls dense)" plain
expect_exit 1 "$AIMG" unpack --max-output 3000004 dense.aimg -C dense2
expect_contains err 'nothing was written'
expect_exit 0 "$AIMG" unpack --max-output 3000005 dense.aimg -C dense2
expect_equal "$(stat -c %s dense2/dense)" 3000000
expect_exit 4 "$AIMG" cat dense.aimg dense
expect_contains err '--max-image'

# damage: the image is named with its offset, the rest is unpacked
offset=$("$AIMG" info --json a.aimg cat/20.pgm >info && json info 'o["offset"]')
cp a.aimg damaged.aimg
printf '#' | dd of=damaged.aimg bs=1 seek=$((offset + 9)) conv=notrunc 2>/dev/null
expect_exit 1 "$AIMG" unpack damaged.aimg -C salvaged
expect_contains err "'cat/20.pgm'"
expect_contains err 'offset'
expect_contains err 'damaged'
expect_false 'damaged bytes were written' test -e salvaged/cat/20.pgm
expect_equal "$(find salvaged -type f | wc -l)" 66
rm photos/cat/20.pgm
expect_same salvaged photos

# an interruption leaves whole files and no temporaries, and --skip-existing goes on
mkdir big
for i in $(seq 400); do make_picture "big/$i.pgm" 1000 1000 "$i"; done
expect_exit 0 "$AIMG" pack big.aimg big
for attempt in $(seq 10); do # a busy machine may deliver the signal too late
    rm -rf interrupted
    "$AIMG" unpack big.aimg -C interrupted 2>err &
    pid=$!
    while [ ! -e interrupted ] || [ -z "$(ls interrupted)" ]; do kill -0 $pid 2>/dev/null || break; done
    kill -INT $pid
    wait $pid
    status=$?
    [ "$status" = 0 ] || break
done
expect_equal "$status, attempt $attempt" "3, attempt $attempt"
expect_contains err '--skip-existing'
no_temporaries interrupted
expect_false 'the interruption came too late' test -e interrupted/99.pgm
for file in interrupted/*; do cmp -s "$file" "big/${file##*/}" || fail "$file is not whole"; done
expect_exit 0 "$AIMG" unpack --skip-existing big.aimg -C interrupted
expect_same interrupted big

# misuse
expect_exit 2 "$AIMG" unpack
expect_exit 2 "$AIMG" unpack a.aimg -C
expect_contains err 'needs a value'
expect_exit 2 "$AIMG" unpack --max-output lots a.aimg
expect_exit 2 "$AIMG" unpack --max-output 99999999999999999T a.aimg
expect_exit 2 "$AIMG" unpack --threads 0 a.aimg
expect_exit 2 "$AIMG" unpack --nonsense a.aimg

finish
