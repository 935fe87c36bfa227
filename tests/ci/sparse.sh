# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# ./dev sparse [GIB]: the vectors of up to 2^51 bytes, with those of which a validator reads up to so many GiB.

verb_sparse() {
    local most=${1:-32} folder=$build/sparse script=$root/spec/vectors/sparse.py
    [[ $# -le 1 && $most =~ ^[0-9]+$ ]] || fail "sparse takes a number of GiB"
    need_packages "${base_packages[@]}" "${test_packages[@]}"
    heading "Vectors that are nearly all holes"
    build_preset dev vector_check || fail "the debug build failed"
    sparse_step "sparse vectors made" python3 "$script" --make "$folder" --most "$most"
    sparse_step "sparse vectors, spec/reader.py" python3 "$script" --read "$folder"
    sparse_step "sparse vectors, the library" "$build/dev/tests/vectors/vector_check" "$folder"
    python3 "$script" --remove "$folder"
    sum_up
}

# Its last line, and what no file system here can hold, are shown.
sparse_step() {
    local log
    log=$build/log/$(printf '%s' "$1" | tr -c 'A-Za-z0-9' '-').log
    if quiet "$@"; then
        count_pass
        grep skipped "$log" | sed 's/^/     /' || true
        say "  $(tail -n 1 "$log")"
    else
        count_failure "$1"
    fi
}
