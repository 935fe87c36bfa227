#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# --columns of pack and add: the values come with the images.
. "$(dirname "$0")/lib.sh"

for i in 1 2 3; do
    make_picture photos/cat/$i.pgm 4 3 cat$i
    make_picture photos/dog/$i.pgm 4 3 dog$i
done

# one commit; what the file says counts, before what the picture or the folder says
cat >v.csv <<'EOF'
name,score,label,width,next:image,text
cat/1.pgm,0.5,tabby,,cat/2.pgm,a
cat/2.pgm,,,,dog/1.pgm,
dog/1.pgm,1,,7,cat/1.pgm,
EOF
expect_exit 0 "$AIMG" pack --columns v.csv a.aimg photos/
expect_exit 0 "$AIMG" verify a.aimg
expect_exit 0 "$AIMG" get --types a.aimg score label width next text
printf '%s\n' 'name,score:f64,label:dictionary,width:u32,next:image,text:utf8' cat/1.pgm,0.5,tabby,,cat/2.pgm,a \
    cat/2.pgm,,,,dog/1.pgm, cat/3.pgm,,cat,4,, dog/1.pgm,1.0,,7,cat/1.pgm, dog/2.pgm,,dog,4,, dog/3.pgm,,dog,4,, >wanted
expect_same out wanted
expect_exit 0 "$AIMG" log a.aimg
expect_lines out 1

# the names are those in the archive
printf '{"name":"x/cat/1.pgm","n":1}\n' >v.jsonl
expect_exit 0 "$AIMG" pack --columns v.jsonl --prefix x/ b.aimg photos/
expect_equal "$(value_of b.aimg x/cat/1.pgm n)" 1
expect_exit 1 "$AIMG" pack --columns v.jsonl c.aimg photos/
expect_contains err "v.jsonl:1: the archive has no image 'x/cat/1.pgm'"
expect_contains err '1 name is not in the archive'
expect_exit 0 "$AIMG" ls c.aimg
expect_lines out 6

# of many such names the first are listed
{ echo name,n; for i in $(seq 25); do echo "gone$i,$i"; done; } >many.csv
expect_exit 1 "$AIMG" pack --columns many.csv many.aimg photos/
expect_contains err '25 names are not in the archive; their values are left out (5 more than are listed here)'
expect_contains err "'gone20'"
expect_lacks err "'gone21'"

# a value that leads to no image is left out, and said
printf 'name,next:image,n\ncat/1.pgm,nowhere,1\n' >lost.csv
expect_exit 1 "$AIMG" pack --columns lost.csv d.aimg photos/
expect_contains err "lost.csv:2: the archive has no image 'nowhere'"
expect_equal "$(value_of d.aimg cat/1.pgm next)/$(value_of d.aimg cat/1.pgm n)" None/1

# add: new images, images that are there, and images that are replaced
make_picture more/cow.pgm 3 3
printf 'name,n\ncow.pgm,1\ncat/1.pgm,2\n' >n.csv
expect_exit 0 "$AIMG" add --columns n.csv a.aimg more/ --message more
expect_equal "$(value_of a.aimg cow.pgm n)/$(value_of a.aimg cat/1.pgm n)/$(value_of a.aimg cat/2.pgm n)" 1/2/None
expect_equal "$(value_of a.aimg cat/1.pgm score)" 0.5
expect_exit 0 "$AIMG" log --json a.aimg
expect_equal "$(json out '[(c["message"], c["added"]) for c in o["commits"]][0]')" "('more', 1)"
printf 'name,n\ncat/2.pgm,5\n' >n.csv
expect_exit 0 "$AIMG" add --update --columns n.csv a.aimg photos/
expect_equal "$(value_of a.aimg cat/2.pgm n)" 5
expect_exit 0 "$AIMG" add --replace --columns n.csv a.aimg photos/
expect_equal "$(value_of a.aimg cat/2.pgm n)/$(value_of a.aimg cat/1.pgm score)" 5/None
expect_exit 0 "$AIMG" verify a.aimg

# nothing that is added or set is no commit, and no column
printf 'name,x:u8\nzzz,1\n' >x.csv
cp a.aimg before.aimg
expect_exit 1 "$AIMG" add --skip-existing --columns x.csv a.aimg photos/
expect_contains err "x.csv:2: the archive has no image 'zzz'"
expect_same a.aimg before.aimg
expect_exit 0 "$AIMG" add --skip-existing --times a.aimg photos/
expect_same a.aimg before.aimg

# images that are replaced one after the other refer to each other as they are then
make_picture pair/a.pgm 3 3 a
make_picture pair/b.pgm 3 3 b
make_picture new/a.pgm 3 3 newa
make_picture new/b.pgm 3 3 newb
printf 'name,ref:image\na.pgm,b.pgm\nb.pgm,a.pgm\n' >pair.csv
for how in --replace --update; do
    rm -f pair.aimg
    expect_exit 0 "$AIMG" pack pair.aimg pair/
    expect_exit 0 "$AIMG" add $how --columns pair.csv pair.aimg new/
    expect_exit 0 "$AIMG" get --types pair.aimg ref
    expect_same out pair.csv
    expect_exit 0 "$AIMG" verify pair.aimg
done

# many rows, some for the images and some not
{ echo name,n; for i in $(seq 5000); do echo "no$i,$i"; done; echo dog/3.pgm,7; } >many.csv
expect_exit 1 "$AIMG" pack --columns many.csv e.aimg photos/
expect_contains err '5,000 names are not in the archive'
expect_lines err 22
expect_equal "$(value_of e.aimg dog/3.pgm n)" 7

# with --strict rows about no image, and values that name none, end it, and nothing is made or added
printf 'name,n\ncat/1.pgm,1\nzzz,2\n' >unknown.csv
printf 'name,ref:image\ncat/1.pgm,zzz\n' >unnamed.csv
cp a.aimg before.aimg
for file in unknown.csv unnamed.csv; do
    rm -f strict.aimg
    expect_exit 1 "$AIMG" pack --strict --columns $file strict.aimg photos/
    expect_contains err "the archive has no image 'zzz'"
    expect_contains err 'stopping, as --strict says'
    expect_contains err 'strict.aimg was not made'
    expect_lacks err 'left out'
    expect_false 'an archive was made' test -e strict.aimg
    expect_false 'a part was left' test -e strict.aimg.part
    expect_exit 1 "$AIMG" add --strict --prefix strict/ --columns $file a.aimg photos/
    expect_contains err 'a.aimg: nothing was added'
    expect_same a.aimg before.aimg
done
printf 'name,n\ncat/1.pgm,1\n' >known.csv
expect_exit 0 "$AIMG" pack --strict --columns known.csv strict.aimg photos/
expect_equal "$(value_of strict.aimg cat/1.pgm n)" 1

# refused before anything is stored
refused() {
    printf '%b' "$1" >bad.csv
    expect_exit "${3:-1}" "$AIMG" pack --columns bad.csv f.aimg photos/
    expect_contains err "$2"
    expect_false 'an archive was made' test -e f.aimg
    expect_false 'a part was left' test -e f.aimg.part
    cp c.aimg before.aimg
    expect_exit "${3:-1}" "$AIMG" add --columns bad.csv c.aimg more/
    expect_same c.aimg before.aimg
}
refused 'name,n\ncat/1.pgm,1\ncat/1.pgm,2\n' "bad.csv:3: the name 'cat/1.pgm' stands on line 2 already"
refused 'name,n:u8\ncat/1.pgm,300\n' 'bad.csv:2: column'
refused 'name,label:f32\ncat/1.pgm,1\n' 'f32 in this file and dictionary'
refused 'name,n\ncat/1.pgm,"1\n' 'never closed'
refused '' 'is empty'
rm bad.csv
mkdir bad.csv
expect_exit 3 "$AIMG" pack --columns bad.csv f.aimg photos/
expect_exit 2 "$AIMG" pack --columns v.txt f.aimg photos/
expect_false 'an archive was made' test -e f.aimg
expect_exit 2 "$AIMG" pack f.aimg photos/ --columns

# nor is what a pack that was stopped has left thrown away for such a file
echo 'left by a pack' >g.aimg.part
for bad in '3 missing.csv' '1 twice.csv' '1 large.csv' '1 label.csv'; do
    printf 'name,n\ncat/1.pgm,1\ncat/1.pgm,2\n' >twice.csv
    printf 'name,n:u8\ncat/2.pgm,1\ncat/1.pgm,300\n' >large.csv
    printf 'name,label:f32\ncat/1.pgm,1\n' >label.csv
    expect_exit ${bad% *} "$AIMG" pack --force --columns ${bad#* } g.aimg photos/
    expect_contains err "${bad#* }:"
    expect_equal "$(cat g.aimg.part)" 'left by a pack'
done
expect_exit 0 "$AIMG" pack --force --columns v.csv g.aimg photos/
expect_equal "$(value_of g.aimg cat/1.pgm score)" 0.5
expect_false 'a part was left' test -e g.aimg.part

# a pack that goes on has the columns of the unfinished archive
mv g.aimg h.aimg.part
printf 'name,score,n:u8\ncow.pgm,2,3\n' >more.csv
expect_exit 0 "$AIMG" pack --resume --columns more.csv h.aimg photos/ more/
expect_equal "$(value_of h.aimg cow.pgm score)/$(value_of h.aimg cow.pgm n)/$(value_of h.aimg cat/1.pgm score)" 2.0/3/0.5
expect_exit 0 "$AIMG" verify h.aimg

# a table or a list that does not come
expect_ended_at_pipe slow.csv "$AIMG" pack i.aimg photos/ --columns slow.csv
expect_ended_at_pipe slow.csv "$AIMG" add h.aimg photos/ --prefix new/ --columns slow.csv
expect_ended_at_pipe slow "$AIMG" pack i.aimg --files-from slow
expect_false 'something was made' ls i.aimg i.aimg.part

# with SOURCE_DATE_EPOCH the same input gives the same bytes
expect_exit 0 env SOURCE_DATE_EPOCH=1 "$AIMG" pack --columns v.csv one.aimg photos/
expect_exit 0 env SOURCE_DATE_EPOCH=1 "$AIMG" pack --columns v.csv two.aimg photos/
expect_same one.aimg two.aimg
expect_exit 0 env SOURCE_DATE_EPOCH=2 "$AIMG" set one.aimg v.csv
expect_exit 0 env SOURCE_DATE_EPOCH=2 "$AIMG" set two.aimg v.csv
expect_same one.aimg two.aimg

finish
