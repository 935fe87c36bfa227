# SPDX-License-Identifier: Apache-2.0
# aimg pack: what is taken, what it is called, what is left out, and what happens when it goes wrong.
. "$(dirname "$0")/lib.sh"
. "$test_source/lib_ingest.sh"

# Names of locales, one of them with an order of its own where it can be made.
locales() {
    mkdir -p locales
    printf '%s\n' C C.UTF-8
    if localedef -i de_DE -f UTF-8 locales/de_DE.UTF-8 2>/dev/null; then
        echo de_DE.UTF-8
    else
        skip 'a locale that sorts otherwise: the package locales is missing' >&2
    fi
}

test_walk() {
    make_picture in/b/2.pgm 3 2
    make_picture in/b/1.pgm 3 2
    make_picture in/a.pgm 4 4
    make_picture in/a/x.pgm 5 5
    make_picture in/a-b/x.pgm 5 5
    make_picture in/Z.pgm 4 4
    make_picture in/ä.pgm 4 4
    make_picture in/deep/er/and/deeper/1.pgm 4 4
    make_picture single.pgm 4 4
    mkdir in/empty
    for locale in $(locales); do
        expect_exit 0 env LC_ALL="$locale" LOCPATH="$scratch/locales" "$AIMG" pack walk.aimg in
        (cd in && find . -type f -printf '%P\n' | LC_ALL=C sort) >order
        "$AIMG" ls walk.aimg >listed
        expect_same order listed
        rm walk.aimg
    done
    expect_exit 0 "$AIMG" pack walk.aimg in/ single.pgm
    expect_exit 0 "$AIMG" verify walk.aimg
    expect_names walk.aimg Z.pgm a-b/x.pgm a.pgm a/x.pgm b/1.pgm b/2.pgm deep/er/and/deeper/1.pgm ä.pgm single.pgm
    expect_bytes walk.aimg a/x.pgm in/a/x.pgm
    expect_bytes walk.aimg single.pgm single.pgm
    expect_exit 0 "$AIMG" pack base.aimg "$scratch/in/b/1.pgm"
    expect_names base.aimg 1.pgm
    expect_exit 0 "$AIMG" pack prefix.aimg --prefix P/ in/b single.pgm
    expect_names prefix.aimg P/1.pgm P/2.pgm P/single.pgm
    expect_exit 0 "$AIMG" pack empty.aimg in/empty
    expect_contains err 'no pictures were found'
    expect_names empty.aimg
    expect_exit 0 "$AIMG" verify empty.aimg
    expect_exit 0 "$AIMG" pack summary.aimg in/b
    expect_contains err 'packed 2 images, 34 B in'
    expect_contains err 'summary.aimg has'
    expect_lines err 1
    expect_lines out 0
    expect_exit 0 "$AIMG" pack quiet.aimg -q in/b
    expect_lines err 0
}

test_lists() {
    make_picture list/one.pgm 2 2
    make_picture list/two/2.pgm 2 2
    make_picture "$(printf 'list/new\tline')" 2 2
    printf './list/two/2.pgm\n\nlist/one.pgm\n' >list.txt
    expect_exit 0 "$AIMG" pack list.aimg --files-from list.txt
    expect_names list.aimg list/two/2.pgm list/one.pgm
    printf '%s\n%s' "$scratch/list/one.pgm" ".//list/two/2.pgm" >list.txt
    "$AIMG" pack stdin.aimg --files-from - <list.txt 2>err
    expect_equal $? 0
    expect_names stdin.aimg "${scratch#/}/list/one.pgm" list/two/2.pgm
    printf 'list/one.pgm\0list/two/2.pgm\0' >list.zero
    expect_exit 0 "$AIMG" pack zero.aimg -0 --files-from list.zero
    expect_names zero.aimg list/one.pgm list/two/2.pgm
    expect_exit 0 "$AIMG" pack -0 -q --files-from=list.zero zero2.aimg --force
    expect_exit 0 "$AIMG" pack fifo.aimg --files-from <(cat list.txt)
    expect_names fifo.aimg "${scratch#/}/list/one.pgm" list/two/2.pgm
    expect_exit 1 "$AIMG" pack bad.aimg --files-from list.zero
    expect_contains err 'with -0 paths are ended by zero bytes'
    expect_absent bad.aimg bad.aimg.part
    printf 'list/one.pgm\nlist/two\nlist/none.pgm\n' >list.txt
    expect_exit 1 "$AIMG" pack part.aimg --files-from list.txt
    expect_contains err 'list/two: is a folder'
    expect_contains err 'list/none.pgm: cannot find this: No such file or directory; left out'
    expect_names part.aimg list/one.pgm
    printf '../list/one.pgm\n' >list.txt
    expect_exit 1 "$AIMG" pack up.aimg --files-from list.txt
    expect_absent up.aimg up.aimg.part
    expect_exit 3 "$AIMG" pack up.aimg --files-from no-list
    expect_exit 1 "$AIMG" pack dup.aimg --files-from <(printf 'list/one.pgm\n./list/one.pgm\n')
    expect_contains err "list/one.pgm and ./list/one.pgm would both be stored as 'list/one.pgm'"
}

test_clash() {
    make_picture c1/cat/1.pgm 2 2
    make_picture c2/cat/1.pgm 3 3
    make_picture c2/dog/1.pgm 3 3
    echo text | tee c1/README >c2/README
    expect_exit 1 "$AIMG" pack clash.aimg c1 c2
    expect_contains err "c1/cat/1.pgm and c2/cat/1.pgm would both be stored as 'cat/1.pgm'"
    expect_contains err '--prefix'
    expect_contains err 'two inputs have one name; nothing was written'
    expect_absent clash.aimg clash.aimg.part
    rm c2/cat/1.pgm
    expect_exit 0 "$AIMG" pack clash.aimg c1 c2
    expect_contains err 'left out: 2 that are no pictures'
    expect_exit 1 "$AIMG" pack clash2.aimg c1 c1
    expect_exit 1 "$AIMG" pack --all clash2.aimg c1 c2
    expect_contains err "c1/README and c2/README would both be stored as 'README'"
}

test_links() {
    make_picture links/real/1.pgm 2 2
    make_picture outside/2.pgm 2 2
    ln -s real/1.pgm links/file.pgm
    ln -s "$scratch/outside" links/there
    expect_exit 0 "$AIMG" pack links.aimg links
    expect_names links.aimg file.pgm real/1.pgm
    expect_contains err 'links/there: is a symbolic link to a folder; left out, --follow takes it'
    expect_exit 0 "$AIMG" pack follow.aimg --follow links
    expect_names follow.aimg file.pgm real/1.pgm there/2.pgm
    ln -s .. links/real/up
    ln -s ../links outside/back
    expect_exit 0 "$AIMG" pack loop.aimg --follow links
    expect_names loop.aimg file.pgm real/1.pgm there/2.pgm
    expect_contains err 'links/there/back: is a symbolic link that leads in a circle; left out'
    expect_contains err 'links/real/up: is a symbolic link that leads in a circle'
    rm links/real/up outside/back
    ln -s nowhere links/broken.pgm
    ln -s self.pgm links/self.pgm
    expect_exit 1 "$AIMG" pack broken.aimg links
    expect_contains err 'links/broken.pgm: cannot find this: No such file or directory; left out'
    expect_contains err 'links/self.pgm: cannot find this: Too many levels of symbolic links; left out'
    expect_names broken.aimg file.pgm real/1.pgm
    expect_exit 1 "$AIMG" pack strict.aimg --strict links
    expect_contains err 'stopping, as --strict says'
    expect_absent strict.aimg strict.aimg.part
}

test_special() {
    make_picture special/1.pgm 2 2
    mkfifo special/fifo.pgm
    "$python" -c 'import socket; socket.socket(socket.AF_UNIX).bind("special/socket.pgm")'
    ln -s /dev/zero special/zero.pgm
    expect_exit 1 "$AIMG" pack special.aimg special
    expect_contains err 'special/fifo.pgm: is a FIFO, not a file; left out'
    expect_contains err 'special/socket.pgm: is a socket, not a file; left out'
    expect_contains err 'special/zero.pgm: is a device, not a file; left out'
    expect_names special.aimg 1.pgm
    expect_exit 1 "$AIMG" pack --all special2.aimg special/fifo.pgm /dev/null special/1.pgm
    expect_names special2.aimg 1.pgm
    expect_exit 1 "$AIMG" pack nothing.aimg missing special/fifo.pgm
    expect_contains err 'missing: cannot find this'
    expect_contains err 'nothing could be packed'
    expect_absent nothing.aimg nothing.aimg.part
    if [ "$(id -u)" != 0 ]; then
        make_picture special/secret.pgm 2 2
        mkdir special/closed
        chmod 0 special/secret.pgm special/closed
        expect_exit 1 "$AIMG" pack secret.aimg special
        expect_contains err 'special/secret.pgm: cannot open: Permission denied; left out'
        expect_contains err 'special/closed: cannot read this folder: Permission denied; left out'
        expect_names secret.aimg 1.pgm
    else
        skip 'files that may not be read: root may read all'
    fi
}

test_archive_file() {
    make_picture own/1.pgm 2 2
    expect_exit 0 "$AIMG" pack own/own.aimg --all own
    expect_names own/own.aimg 1.pgm
    cp own/own.aimg before.aimg
    expect_exit 1 "$AIMG" pack own/own.aimg own
    expect_contains err 'own/own.aimg: is there already'
    expect_same own/own.aimg before.aimg
    ln own/own.aimg own/second-name
    expect_exit 0 "$AIMG" pack --force --all own/own.aimg own
    expect_names own/own.aimg 1.pgm
    rm own/second-name
    expect_exit 1 "$AIMG" pack own own/1.pgm
    expect_contains err 'own: is a folder'
    expect_exit 1 "$AIMG" pack --force own own/1.pgm
    expect_exit 1 "$AIMG" pack --force /dev/null own/1.pgm
    expect_exit 3 "$AIMG" pack no/such/folder.aimg own/1.pgm
    expect_contains err 'no/such/folder.aimg.part'
    # --force keeps the old one when nothing comes of the new one.
    cp before.aimg keep.aimg
    expect_exit 1 "$AIMG" pack --force keep.aimg missing
    expect_same keep.aimg before.aimg
    expect_exit 3 "$AIMG" pack --resume none.aimg own
    expect_contains err 'nothing to resume'
    echo junk >stale.aimg.part
    expect_exit 1 "$AIMG" pack stale.aimg own/1.pgm
    expect_contains err '--resume goes on with it'
    expect_exit 4 "$AIMG" pack --resume stale.aimg own/1.pgm
    expect_contains err '--force without --resume starts again'
    expect_exit 0 "$AIMG" pack --force stale.aimg own/1.pgm
    expect_names stale.aimg 1.pgm
    expect_absent stale.aimg.part
}

test_content() {
    mkdir content
    "$python" - <<'PY'
from PIL import Image
def image(mode, size):
    return Image.frombytes(mode, size, bytes((i * 7) & 255 for i in range(size[0] * size[1] * len(mode))))
image('RGB', (31, 17)).save('content/jpeg.txt', 'JPEG')
image('L', (8, 9)).save('content/grey', 'JPEG')
image('RGBA', (5, 6)).save('content/png.jpg', 'PNG')
image('RGB', (7, 8)).save('content/bmp', 'BMP')
image('L', (7, 9)).save('content/gif', 'GIF')
image('RGB', (9, 7)).save('content/tiff', 'TIFF')
image('RGB', (16, 12)).save('content/webp', 'WEBP')
image('RGB', (3, 4)).save('content/ppm', 'PPM')
data = open('content/png.jpg', 'rb').read()
open('content/cut.png', 'wb').write(data[:20])
PY
    echo 'not a picture' >content/text.png
    : >content/void.png
    expect_exit 0 "$AIMG" pack content.aimg content
    expect_names content.aimg bmp cut.png gif grey jpeg.txt png.jpg ppm tiff webp
    expect_contains err 'left out: 2 that are no pictures'
    expect_contains err 'warning: content/cut.png: is a damaged png picture; stored as it is'
    expect_bytes content.aimg cut.png content/cut.png
    expect_exit 0 "$AIMG" pack all.aimg --all content
    expect_names all.aimg bmp cut.png gif grey jpeg.txt png.jpg ppm text.png tiff void.png webp
    expect_bytes all.aimg void.png content/void.png
    expect_bytes all.aimg text.png content/text.png
    expect_exit 0 "$AIMG" verify all.aimg
    expect_exit 0 "$AIMG" ls --json content.aimg
    expect_equal "$("$python" - <<'PY'
import json
rows = {o['name']: o for o in map(json.loads, open('out'))}
show = lambda n: [rows[n].get(k) for k in ('format', 'width', 'height', 'channels')]
print(show('jpeg.txt'), show('grey'), show('png.jpg'), show('gif')[:3], show('webp')[:3])
PY
)" "['jpeg', 31, 17, 3] ['jpeg', 8, 9, 1] ['png', 5, 6, 4] ['gif', 7, 9] ['webp', 16, 12]"
}

test_columns() {
    make_picture columns/cat/1.pgm 3 2
    make_picture columns/cat/deep/2.pgm 3 2
    make_picture columns/top.pgm 3 2
    touch -d @1234567.5 columns/top.pgm
    expect_exit 0 "$AIMG" pack columns.aimg columns
    "$AIMG" ls --json columns.aimg >out
    expect_equal "$("$python" -c 'import json; print([json.loads(l).get("label") for l in open("out")])')" "['cat', 'cat', None]"
    expect_exit 0 "$AIMG" info --json columns.aimg top.pgm
    expect_lacks out mtime_ns
    expect_exit 0 "$AIMG" pack nolabel.aimg --no-label --times columns
    expect_exit 0 "$AIMG" info --json nolabel.aimg top.pgm
    expect_contains out 1234567500000000
    expect_lacks out label
    expect_exit 0 "$AIMG" pack prefixed.aimg --prefix train/ columns
    "$AIMG" ls --json prefixed.aimg >out
    expect_equal "$("$python" -c 'import json; print({json.loads(l).get("label") for l in open("out")})')" "{'train'}"
}

test_names() {
    make_picture names/good.pgm 2 2
    make_picture "$(printf 'names/bad\377.pgm')" 2 2
    make_picture "$(printf 'names/bell\a.pgm')" 2 2
    make_picture 'names/back\slash.pgm' 2 2
    make_picture 'names/50%25.pgm' 2 2
    make_picture 'names/100%.pgm' 2 2
    expect_exit 1 "$AIMG" pack names.aimg names
    expect_contains err 'names/bad\xFF.pgm: '
    expect_contains err 'names/bell\x07.pgm: '
    expect_contains err 'names/back\slash.pgm: '
    expect_contains err '3 names cannot be stored; nothing was written'
    expect_contains err 'Rename the files, or use --escape-names'
    expect_absent names.aimg names.aimg.part
    expect_exit 0 "$AIMG" pack names.aimg --escape-names names
    expect_names names.aimg 100%.pgm '50%2525.pgm' back%5Cslash.pgm bad%FF.pgm bell%07.pgm good.pgm
    rm names/b*
    long=names/$(printf 'd%.0s' {1..200})
    (cd names && for i in 1 2 3 4 5 6; do mkdir "${long#names/}" && cd "${long#names/}"; done && make_picture long.pgm 2 2)
    expect_exit 1 "$AIMG" pack long.aimg names
    expect_contains err '1 names cannot be stored'
    expect_contains err 1,024
    expect_lacks err '--escape-names'
    expect_absent long.aimg
    make_picture "$(printf 'names/bad\377.pgm')" 2 2
    expect_exit 1 "$AIMG" pack long.aimg names
    expect_contains err '2 names cannot be stored; nothing was written. Rename the files; --escape-names helps with 1 of them'
    expect_exit 1 "$AIMG" pack prefix-up.aimg --prefix ../ names/good.pgm
    expect_lacks err '--escape-names'
    # The name of what would be left out is no obstacle.
    make_picture text/good.pgm 2 2
    echo text >"$(printf 'text/gr\374n.txt')"
    expect_exit 0 "$AIMG" pack text.aimg text
    expect_names text.aimg good.pgm
    expect_contains err 'left out: 1 that is no picture'
    expect_exit 1 "$AIMG" pack text-all.aimg --all text
    expect_contains err 'text/gr\xFCn.txt: '
    expect_absent text-all.aimg
    expect_exit 1 "$AIMG" pack prefix-root.aimg --prefix / names/good.pgm
    expect_absent prefix-up.aimg prefix-root.aimg
    rm -rf names
}

test_same_bytes() {
    mkdir same
    for i in $(seq 300); do make_picture "same/$((i % 7))/$i.pgm" $((i % 50 + 1)) $((i % 30 + 1)); done
    export SOURCE_DATE_EPOCH=1700000000
    expect_exit 0 "$AIMG" pack one.aimg --threads 1 same
    expect_exit 0 "$AIMG" pack four.aimg --threads 4 same
    expect_same one.aimg four.aimg
    expect_exit 0 "$AIMG" pack zstd1.aimg --compress zstd --level 5 --threads 1 same
    expect_exit 0 "$AIMG" pack zstd4.aimg --compress zstd --level 5 --threads 4 same
    expect_same zstd1.aimg zstd4.aimg
    expect_exit 0 "$AIMG" pack store1.aimg --compress store --threads 1 same
    expect_exit 0 "$AIMG" pack store4.aimg --compress store --threads 4 same
    expect_same store1.aimg store4.aimg
    expect_true 'zstd makes it smaller' [ "$(stat -c %s zstd1.aimg)" -lt "$(stat -c %s store1.aimg)" ]
    expect_true 'so does what is the default' [ "$(stat -c %s one.aimg)" -lt "$(stat -c %s store1.aimg)" ]
    expect_exit 0 "$AIMG" verify zstd4.aimg
    expect_exit 0 "$AIMG" pack other.aimg same/1
    expect_equal "$(cmp -s -n 32 one.aimg other.aimg && echo 'same identity')" ''
    expect_exit 0 "$AIMG" pack same/in.aimg same
    expect_exit 0 "$AIMG" pack --force same/in.aimg same
    expect_same one.aimg same/in.aimg
    SOURCE_DATE_EPOCH=0 expect_exit 0 "$AIMG" pack epoch1.aimg same/1
    SOURCE_DATE_EPOCH=0 expect_exit 0 "$AIMG" pack epoch2.aimg same/1
    expect_same epoch1.aimg epoch2.aimg
    SOURCE_DATE_EPOCH=soon expect_exit 2 "$AIMG" pack bad.aimg same/1
    unset SOURCE_DATE_EPOCH
    expect_exit 0 "$AIMG" pack align.aimg --align 4096 same/1
    expect_exit 0 "$AIMG" verify align.aimg
    expect_exit 0 "$AIMG" info --json align.aimg
    expect_equal "$(json out 'o["alignment"]')" 4096
    rm -r same
}

test_usage() {
    expect_exit 2 "$AIMG" pack
    expect_contains err "Try 'aimg pack --help'"
    expect_exit 2 "$AIMG" pack only.aimg
    expect_exit 2 "$AIMG" pack --no-such-option x.aimg .
    expect_exit 2 "$AIMG" pack --compress store --level 5 x.aimg .
    expect_contains err '--level is for --compress auto or zstd'
    expect_exit 2 "$AIMG" pack --level 0 x.aimg .
    expect_exit 2 "$AIMG" pack --compress lzma x.aimg .
    expect_exit 2 "$AIMG" pack --compress zstd --level 99 x.aimg .
    expect_exit 2 "$AIMG" pack --threads 0 x.aimg .
    expect_exit 2 "$AIMG" pack --message "$(printf 'gr\374n')" x.aimg .
    expect_contains err "--message is UTF-8, not 'gr\\xFCn'"
    expect_exit 2 "$AIMG" pack --message "$(printf '%0255d' 0)" x.aimg .
    expect_exit 2 "$AIMG" pack --align 24 x.aimg .
    expect_exit 2 "$AIMG" pack --update x.aimg .
    expect_exit 2 "$AIMG" pack -0 x.aimg .
    expect_exit 0 "$AIMG" pack --help
    expect_contains out 'usage: aimg pack [options] ARCHIVE PATH...'
    make_picture ./-q 2 2
    expect_exit 0 "$AIMG" pack dash.aimg -- -q
    expect_names dash.aimg -q
    expect_contains err 'packed 1 image,'
    expect_absent x.aimg x.aimg.part
}

# Real pictures, where they are.
test_real_pictures() {
    data=${AIMG_TEST_DATA:-$test_source/../../../shared/data}
    if [ ! -f "$data/pngsuite.tar" ] || [ ! -f "$data/hostile-pictures.tar.zst" ]; then
        skip "real pictures: none in $data (AIMG_TEST_DATA)"
        return
    fi
    mkdir -p real/suite real/hostile
    tar -C real/suite -xf "$data/pngsuite.tar"
    zstd -dcq "$data/hostile-pictures.tar.zst" | tar -C real/hostile -xf -
    expect_exit 0 "$AIMG" pack real.aimg --all real
    expect_exit 0 "$AIMG" verify real.aimg
    expect_exit 0 "$AIMG" unpack real.aimg -C real-copy
    expect_same real real-copy
}

test_walk
test_lists
test_clash
test_links
test_special
test_archive_file
test_content
test_columns
test_names
test_same_bytes
test_usage
test_real_pictures
finish
