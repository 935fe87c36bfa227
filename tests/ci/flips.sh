# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# ./dev flips [BYTES [BURSTS]]: every bit of all valid vectors of at most 48 KiB, sectors, bursts, and bits of a large archive.

verb_flips() {
    local bytes=${1:-1048576} bursts=${2:-1000000}
    [ $# -le 2 ] && [[ "$bytes$bursts" != *[!0-9]* ]] || fail "flips takes the size of an archive and a number of bursts"
    need_packages "${base_packages[@]}" "${test_packages[@]}"
    heading "Flipped bits, bursts and sectors"
    build_preset fast test_flips || fail "the optimised build failed"
    find "$build/fast/vectors/good" -name '*.aimg' -size -49k -print0 | sort -z |
        xargs -0 "$build/fast/tests/flips/test_flips" --jobs "$jobs" --bursts "$bursts" --large "$bytes" \
            --json "$build/flips.json"
    [ "$bytes" -lt 262144 ] || [ "$bursts" -lt 300000 ] || keep_figures flips "./dev flips $bytes $bursts" "$build/flips.json"
}
