# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# ./dev tidy [FILE...]: clang-tidy with the checks of .clang-tidy, where a reason stands for each that is off; every finding is an
# error. A file that was found clean is not looked at again until it, a header or the list of checks changes.

tidy_packages=(clang-14 clang-tidy-14)

verb_tidy() {
    need_packages "${base_packages[@]}" "${test_packages[@]}" "${tidy_packages[@]}"
    heading "clang-tidy"
    configure fuzz || fail "the clang build cannot be configured"
    local stamps=$build/tidy file stamp newest code=0 todo=()
    mkdir -p "$stamps"
    newest=$(cd "$root" && tidy_files '*.h' '*.clang-tidy' | xargs -d '\n' ls -t | head -n 1)
    if [ $# = 0 ]; then
        mapfile -t todo < <(cd "$root" && tidy_files '*.c')
        set -- "${todo[@]}"
        todo=()
    fi
    for file in "$@"; do
        stamp=$stamps/${file//\//-}
        [ "$stamp" -nt "$root/$file" ] && [ "$stamp" -nt "$root/$newest" ] || todo+=("$file")
    done
    say "$# files, ${#todo[@]} of them to be looked at"
    [ ${#todo[@]} = 0 ] && return 0
    cd "$root"
    export build stamps
    export -f tidy_one
    printf '%s\0' "${todo[@]}" | xargs -0 -n 1 -P "$jobs" bash -c 'tidy_one "$1"' tidy || code=1
    [ "$code" = 0 ] || fail "clang-tidy found something, see above"
    say "nothing was found"
}

# Those of the benchmark are built by another preset, with packages that nothing else needs.
tidy_files() {
    find format libarchive-img tools tests fuzz -name "$1" -not -path 'tests/bench/*' -not -path 'tests/ci/*'
    [ $# = 1 ] || { shift && tidy_files "$@"; }
}

tidy_one() {
    clang-tidy-14 -p "$build/fuzz" --quiet "$1" 2>/dev/null && touch "$stamps/${1//\//-}"
}
