# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# ./dev demo [DIR]: the main job, step by step, on a folder of pictures.

read_count=10000
compare_count=500
aimg=$build/release/tools/aimg
demo=$build/demo

verb_demo() {
    [ $# -le 1 ] || fail "demo takes one folder; quote a name with spaces"
    local source archive scratch packed extra us
    [ $# = 0 ] || choose_folder "$1"
    need_packages "${base_packages[@]}"
    build_release
    mkdir -p "$demo"
    [ $# -gt 0 ] || make_sample
    scratch=$(mktemp -d "$demo/scratch.XXXXXX")
    # shellcheck disable=SC2064 # now is when the names are known
    trap "rm -rf $(printf '%q ' "$scratch" "$archive.part")" EXIT
    demo_pack
    demo_look
    demo_read
    demo_add
    demo_unpack
    demo_next
}

# Sets source and archive from DIR, which is never written to.
choose_folder() {
    [ -d "$1" ] || fail "$1: there is no such folder"
    [ -r "$1" ] && [ -x "$1" ] || fail "$1: the folder cannot be read"
    source=$(cd -- "$1" && pwd -P)
    case $demo/ in
        "${source%/}/"*) fail "$1 holds this checkout, into which the demo writes; give a folder of pictures outside" ;;
    esac
    archive=$demo/$(basename -- "$source").aimg
    local need have
    need=$({ du -s --bytes -- "$source" 2>/dev/null || true; } | cut -f1) # fails over folders that may not be read
    need=$((need * 21 / 10))
    have=$(df --output=avail -B1 -- "$root" | tail -n 1)
    [ "$need" -lt "$have" ] || fail "$1: the demo needs $(megabytes "$need") in $root, where $(megabytes "$have") are free"
}

make_sample() {
    local version
    version=$(cat "$root"/tests/demo/{make_sample,paint,scenes}.py | cksum)
    source=$demo/sample
    archive=$demo/sample.aimg
    heading "Sample"
    if [ "$(cat "$demo/sample.version" 2>/dev/null)" = "$version" ] && [ -d "$source" ] && [ -d "$demo/more" ]; then
        say "is there: $(shown "$source")"
        return 0
    fi
    rm -rf "$source" "$demo/more" "$demo/new" "$demo/sample.version"
    quiet "draw pictures of ten kinds" python3 "$root/tests/demo/make_sample.py" "$demo/new/sample" "$demo/new/more" ||
        fail "the sample could not be made"
    mv "$demo/new/sample" "$demo/new/more" "$demo/"
    rmdir "$demo/new"
    printf '%s\n' "$version" >"$demo/sample.version"
    say "$(count "$(find "$source" -type f | wc -l)") JPEG and PNG pictures in ten folders: $(shown "$source")"
}

# ------------------------------------------------------------------ numbers

# 12,345
count() { printf '%s' "$1" | sed -E ':a; s/^([0-9]+)([0-9]{3})/\1,\2/; ta'; }

megabytes() { awk -v n="$1" 'BEGIN { printf n < 1e9 ? "%.1f MB" : "%.2f GB", n < 1e9 ? n / 1e6 : n / 1e9 }'; }

# rate US IMAGES BYTES
rate() {
    awk -v us="$1" -v images="$2" -v bytes="$3" 'BEGIN {
        s = us / 1e6; printf "%.2f s, %.0f images/s, %.0f MB/s", s, images / s, bytes / 1e6 / s }'
}

bytes_of() { stat -c %s -- "$1"; }

# step COMMAND...: shows the command line, runs it, keeps the time in $us. What it says comes indented.
step() {
    local begin code=0
    printf '   %s$ %s%s\n' "$bold" "$(show_command "$@")" "$plain"
    begin=$(now_us)
    "$@" >"$scratch/stdout" || code=$?
    us=$(($(now_us) - begin))
    return "$code"
}

# The first lines of what the last step said.
said() { head -n "${1:-1000}" "$scratch/stdout" | sed 's/^/     /'; }

# ------------------------------------------------------------------ steps

demo_pack() {
    local code=0 bytes
    rm -f "$archive" # of an earlier run: pack leaves it where it is when nothing comes of the new one
    heading "Pack the folder into one file"
    step "$aimg" pack --force "$archive" "$source" || code=$?
    said
    [ "$code" -le 1 ] || fail "pack failed (exit $code); what to do about it stands above"
    [ -e "$archive" ] || fail "nothing was packed; what to do about it stands above"
    [ "$code" = 0 ] || say "some inputs could not be read; they are named above, the rest is packed"
    "$aimg" ls "$archive" >"$scratch/names"
    packed=$(wc -l <"$scratch/names")
    [ "$packed" -gt 0 ] || fail "$source: no pictures in it"
    bytes=$(bytes_of "$archive")
    say "$(count "$packed") images, archive $(megabytes "$bytes"): $(rate "$us" "$packed" "$bytes")"
    heading "Verify every byte"
    step "$aimg" verify "$archive" || fail "verify found damage in a fresh archive"
    said
    say "$(rate "$us" "$packed" "$bytes")"
}

demo_look() {
    heading "List"
    step "$aimg" ls -l "$archive" || fail "ls failed"
    said 6
    say "... $(count "$packed") lines: $(rate "$us" "$packed" 0 | sed 's/,[^,]*$//; s/images/lines/')"
    heading "Facts"
    step "$aimg" info "$archive" || fail "info failed"
    said
    step "$aimg" info "$archive" "@$((packed / 2))" || fail "info of an image failed"
    said
}

demo_read() {
    heading "Read $(count $read_count) images in random order (warm; tests/demo/random_reads.c)"
    step "$build/release/tests/demo/random_reads" "$archive" "$source" "$read_count" "$compare_count" || {
        said
        fail "random reads failed"
    }
    said
}

# The sample has further pictures to add; of DIR the first hundred come once more, under a prefix.
demo_add() {
    heading "Add more"
    local before
    before=$(bytes_of "$archive")
    if [ "$source" = "$demo/sample" ]; then
        extra=('' "$demo/more")
        step "$aimg" add "$archive" "$demo/more" || fail "add failed"
    else
        extra=(added/ "$source")
        head -n 100 "$scratch/names" >"$scratch/again"
        printf '   %s$ cd %s%s\n' "$bold" "$(show_command "$source")" "$plain"
        cd -- "$source"
        step "$aimg" add --prefix added/ --files-from "$scratch/again" "$archive" || fail "add failed"
        cd -- "$root"
    fi
    said
    "$aimg" ls "$archive" >"$scratch/names"
    local after=$(($(wc -l <"$scratch/names") - packed)) grown=$(($(bytes_of "$archive") - before))
    say "$(count "$after") images more, archive grown by $(megabytes "$grown"): $(rate "$us" "$after" "$grown")"
    packed=$((packed + after))
    step "$aimg" log "$archive" || fail "log failed"
    said
}

demo_unpack() {
    local out=$scratch/out
    heading "Unpack everything and compare"
    mkdir "$out"
    step "$aimg" unpack "$archive" -C "$out" || fail "unpack failed"
    said
    say "$(rate "$us" "$packed" "$(bytes_of "$archive")")"
    step python3 "$root/tests/demo/compare.py" "$out" "$packed" "$source" "${extra[@]}" || {
        said
        fail "what was unpacked differs from its source"
    }
    said
}

demo_next() {
    local tool first glob
    first=$(head -n 1 "$scratch/names")
    glob=${first%/*}/*
    [ "$glob" != "$first/*" ] || glob='*'
    heading "Three commands to try next"
    printf '   %s\n' "$(show_command "$aimg" info "$archive" "@$((packed / 2))")" \
        "$(show_command "$aimg" cat "$archive" "$first") >/tmp/picture.${first##*.}" \
        "$(show_command "$aimg" unpack "$archive" -C /tmp/pictures "$glob")"
}
