#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Compression by format: what auto decides, what it saves, what info says of it, and that every byte comes back.
. "$(dirname "$0")/lib.sh"
. "$test_source/lib_ingest.sh"

# size_of FOLDER: bytes of all files below it.
size_of() { find "$1" -type f -printf '%s\n' | awk '{ sum += $1 } END { print sum }'; }

# expect_all ARCHIVE FOLDER: whole, and every file comes back.
expect_all() {
    expect_exit 0 "$AIMG" verify "$1"
    rm -rf back
    expect_exit 0 "$AIMG" unpack "$1" -C back
    expect_same back "$2"
}

# formats ARCHIVE: for each format its name, images, and by coding the method and images.
formats() {
    "$AIMG" info --json "$1" >formats.json
    json formats.json '[(f["format"], f["images"], [(c["method"], c["images"]) for c in f["codings"]]) for f in o["formats"]]'
}

# small_jpegs FOLDER COUNT SEED: as an image set for learning has them.
small_jpegs() {
    "$python" - "$@" <<'PY'
import pathlib, random, sys
from PIL import Image
folder, count, noise = pathlib.Path(sys.argv[1]), int(sys.argv[2]), random.Random(int(sys.argv[3]))
folder.mkdir(parents=True)
for i in range(count):
    picture = Image.frombytes("RGB", (4, 4), noise.randbytes(48)).resize((32, 32), Image.BICUBIC)
    picture.save(folder / f"{i:04}.jpg", quality=90)
PY
}

# noise FOLDER COUNT: PNG files, whose bytes are compressed already.
noise_pngs() {
    "$python" - "$@" <<'PY'
import pathlib, random, sys
from PIL import Image
folder, noise = pathlib.Path(sys.argv[1]), random.Random(5)
folder.mkdir(parents=True)
for i in range(int(sys.argv[2])):
    Image.frombytes("L", (60, 60), noise.randbytes(3600)).save(folder / f"{i:03}.png")
PY
}

test_small_jpegs() {
    small_jpegs jpegs/a 800 1
    small_jpegs more/b 100 2
    expect_exit 0 "$AIMG" pack auto.aimg jpegs
    expect_exit 0 "$AIMG" pack zstd.aimg --compress zstd jpegs
    expect_exit 0 "$AIMG" pack store.aimg --compress store jpegs
    expect_all auto.aimg jpegs
    expect_all zstd.aimg jpegs
    local all=$(size_of jpegs) auto=$(stat -c %s auto.aimg) zstd=$(stat -c %s zstd.aimg) store=$(stat -c %s store.aimg)
    expect_true "auto takes at most 0.62 of the files: $auto of $all" [ $((auto * 100)) -le $((all * 62)) ]
    expect_true "zstd without a dictionary does not: $zstd" [ $((zstd * 100)) -gt $((all * 75)) ]
    expect_true "stored as it is takes more than the files: $store" [ "$store" -gt "$all" ]
    expect_equal "$(formats store.aimg)" "[('jpeg', 800, [('stored as it is', 800)])]"
    expect_equal "$(formats auto.aimg)" "[('jpeg', 800, [('zstd with a dictionary of 4,096 bytes', 800)])]"
    expect_equal "$(json formats.json 'o["dictionaries"], o["estimated"], o["original_bytes"]')" "(1, False, $all)"
    expect_equal "$(json formats.json 'o["saved_bytes"] == o["original_bytes"] - o["stored_bytes"]')" True
    local sum='sum(c["stored_bytes"] for f in o["formats"] for c in f["codings"])'
    expect_equal "$(json formats.json "$sum == o[\"stored_bytes\"]")" True
    expect_exit 0 "$AIMG" info auto.aimg
    expect_contains out 'formats       jpeg: 800 images, '
    expect_contains out '; zstd with a dictionary of 4,096 bytes'
    expect_true 'what was saved is told' grep -Eq '^saved         [0-9.]+ kB of [0-9.]+ kB \([4-7][0-9]%\)$' out
    expect_exit 0 "$AIMG" info auto.aimg a/0007.jpg
    expect_contains out 'coding        zstd with a dictionary of 4,096 bytes'
    expect_exit 0 "$AIMG" info --json auto.aimg a/0007.jpg
    expect_equal "$(json out 'o["coding"], o["method"], o["bytes"]')" \
        "(2, 'zstd with a dictionary of 4,096 bytes', $(stat -c %s jpegs/a/0007.jpg))"
    expect_exit 0 "$AIMG" info store.aimg a/0007.jpg
    expect_contains out 'coding        stored as it is'
    expect_bytes auto.aimg a/0799.jpg jpegs/a/0799.jpg
}

# What is added later, or after a pack that was stopped, is coded with the dictionary that is there.
test_reuse() {
    cp auto.aimg added.aimg
    cp auto.aimg resumed.aimg.part
    mkdir both
    cp -r jpegs/a more/b both
    expect_exit 0 "$AIMG" add added.aimg more
    expect_all added.aimg both
    expect_equal "$(formats added.aimg)" "[('jpeg', 900, [('zstd with a dictionary of 4,096 bytes', 900)])]"
    expect_equal "$(json formats.json 'o["dictionaries"]')" 1
    expect_exit 0 "$AIMG" pack --resume resumed.aimg both
    expect_all resumed.aimg both
    expect_equal "$(formats resumed.aimg)" "[('jpeg', 900, [('zstd with a dictionary of 4,096 bytes', 900)])]"
    expect_equal "$(json formats.json 'o["dictionaries"]')" 1
    # Stored as it is when that is asked for, and the rest stays what it was.
    expect_exit 0 "$AIMG" add --compress store --prefix c/ added.aimg more
    expect_equal "$(formats added.aimg)" \
        "[('jpeg', 1000, [('stored as it is', 100), ('zstd with a dictionary of 4,096 bytes', 900)])]"
    expect_exit 0 "$AIMG" info added.aimg
    expect_contains out '; 100 stored as it is, 900 zstd with a dictionary of 4,096 bytes'
    # A handful of images does not pay for one of their own, and uses one that is there.
    mkdir few
    cp more/b/000[1-3].jpg few
    expect_exit 0 "$AIMG" pack few.aimg few
    expect_equal "$(formats few.aimg)" "[('jpeg', 3, [('zstd', 3)])]"
    expect_exit 0 "$AIMG" add --prefix d/ auto.aimg few
    expect_equal "$(formats auto.aimg)" "[('jpeg', 803, [('zstd with a dictionary of 4,096 bytes', 803)])]"
    rm -r both few added.aimg resumed.aimg few.aimg
}

# Each format by itself, in one archive.
test_mixed() {
    mkdir mixed
    cp -r jpegs/a mixed/jpeg
    noise_pngs mixed/png 40
    for i in $(seq 40); do make_picture mixed/pnm/$i.pgm 400 300 "$i pattern $((i * i)) "; done
    for level in 1 3 19; do
        expect_exit 0 "$AIMG" pack --force --level $level mixed.aimg mixed
        expect_all mixed.aimg mixed
        expect_equal "$(formats mixed.aimg)" "[('jpeg', 800, [('zstd with a dictionary of 4,096 bytes', 800)]), \
('png', 40, [('stored as it is', 40)]), ('pnm', 40, [('zstd', 40)])]"
    done
    export SOURCE_DATE_EPOCH=1700000000
    expect_exit 0 "$AIMG" pack --threads 1 one.aimg mixed
    expect_exit 0 "$AIMG" pack --threads 3 --compress auto three.aimg mixed
    expect_same one.aimg three.aimg
    unset SOURCE_DATE_EPOCH
    # Large files by a map, with what is read of them for the sample: their beginning.
    "$python" - <<'PY'
import random
noise = random.Random(1)
with open("mixed/pnm/large.pgm", "wb") as file:
    file.write(b"P5\n5000 4000\n255\n")
    for _ in range(5000):
        file.write(noise.randbytes(400) + bytes(3600))
PY
    expect_exit 0 "$AIMG" pack --force mixed.aimg mixed
    expect_all mixed.aimg mixed
    expect_true 'a large picture is compressed' [ "$(stat -c %s mixed.aimg)" -lt 5000000 ]
    # Other files, with --all: what is no picture is a format too.
    seq 200000 >mixed/numbers.txt
    : >mixed/empty
    expect_exit 0 "$AIMG" pack --force --all mixed.aimg mixed
    expect_all mixed.aimg mixed
    formats mixed.aimg >methods
    expect_contains methods "('unknown', 2, [('stored as it is', 1), ('zstd', 1)])"
    rm -r mixed mixed.aimg one.aimg three.aimg
}

# The sample is of all inputs: what comes first is not forgotten over the many that follow.
test_spread() {
    mkdir -p spread/z
    cp -r jpegs/a spread
    rm spread/a/0[2-7]*.jpg
    "$python" - <<'PY'
import random
noise = random.Random(2)
for i in range(1500):
    with open(f"spread/z/{i}.pgm", "wb") as file:
        file.write(b"P5\n30 30\n255\n" + noise.randbytes(900))
PY
    expect_exit 0 "$AIMG" pack spread.aimg spread
    expect_equal "$(formats spread.aimg)" \
        "[('jpeg', 200, [('zstd with a dictionary of 4,096 bytes', 200)]), ('pnm', 1500, [('stored as it is', 1500)])]"
    rm -r spread spread.aimg
}

# One bit of the dictionary: no image that needs it is given out, and verify finds it.
test_damage() {
    "$AIMG" info --json auto.aimg a/0000.jpg >out
    local place=$(LC_ALL=C grep -abo $'\x37\xa4\x30\xec' auto.aimg | head -1 | cut -d: -f1)
    expect_true "the dictionary was found ($place)" [ "${place:-0}" -gt 12288 ]
    cp auto.aimg damaged.aimg
    printf '\0\0\0\0\0\0\0\0' | dd of=damaged.aimg bs=1 seek=$((place + 1000)) conv=notrunc 2>/dev/null
    expect_exit 4 "$AIMG" cat damaged.aimg a/0000.jpg
    expect_contains err 'dictionary of coding 2'
    expect_equal "$(stat -c %s out)" 0
    expect_exit 1 "$AIMG" verify damaged.aimg
    expect_exit 0 "$AIMG" info damaged.aimg
    # An image whose frame is damaged is left out of what info says, with a warning.
    cp auto.aimg frame.aimg
    "$AIMG" info --json auto.aimg a/0000.jpg >out
    printf '\377' | dd of=frame.aimg bs=1 seek=$(($(json out 'o["frame_offset"]') + 40)) conv=notrunc 2>/dev/null
    expect_exit 0 "$AIMG" info frame.aimg
    expect_contains err 'warning: frame.aimg: 1 damaged image left out of what is said of formats: '
    expect_contains out 'jpeg: 802 images'
    # What is added does without it.
    expect_exit 0 "$AIMG" add --prefix e/ damaged.aimg more
    expect_bytes damaged.aimg e/b/0003.jpg more/b/0003.jpg
}

# Of very many images a part is looked at, and that is said.
test_estimate() {
    mkdir many
    for i in $(seq 700); do printf 'P5\n%d 1\n255\n%0*d' $((i % 90 + 10)) $((i % 90 + 10)) "$i" >many/$i.pgm; done
    for i in $(seq 200); do mkdir many/$i; (cd many && ln -- *.pgm "$i/"); done
    rm many/*.pgm
    expect_exit 0 "$AIMG" pack --no-label many.aimg many
    expect_exit 0 "$AIMG" info --json many.aimg
    expect_equal "$(json out 'o["images"], o["estimated"]')" '(140000, True)'
    expect_equal "$(json out 'abs(sum(f["images"] for f in o["formats"]) - 140000) <= 3')" True
    expect_equal "$(json out 'abs(o["saved_bytes"] / (o["original_bytes"] - o["stored_bytes"]) - 1) < 0.05')" True
    expect_exit 0 "$AIMG" info many.aimg
    expect_contains out 'pnm: about 1'
    expect_contains out 'saved         about '
    rm -r many many.aimg
}

test_usage() {
    expect_exit 2 "$AIMG" pack --compress best x.aimg jpegs
    expect_contains err '--compress is auto, store or zstd'
    expect_exit 2 "$AIMG" pack --compress '' x.aimg jpegs
    expect_exit 2 "$AIMG" add --compress store --level 3 auto.aimg jpegs
    expect_absent x.aimg
}

if "$python" -c 'import PIL' 2>/dev/null; then
    test_small_jpegs
    test_reuse
    test_mixed
    test_spread
    test_damage
    test_usage
else
    skip 'compression of real formats: there is no Pillow'
fi
test_estimate
finish
