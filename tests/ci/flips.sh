# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# ./dev flips [BYTES [BURSTS]]: every bit of all valid vectors of at most 48 KiB, sectors, bursts, and bits of a large archive.

verb_flips() {
    local bytes=${1:-1048576} bursts=${2:-1000000} file=$root/tests/reliability/flips.json commit
    [ $# -le 2 ] && [[ "$bytes$bursts" != *[!0-9]* ]] || fail "flips takes the size of an archive and a number of bursts"
    need_packages "${base_packages[@]}" "${test_packages[@]}"
    heading "Flipped bits, bursts and sectors"
    build_preset fast test_flips || fail "the optimised build failed"
    mkdir -p "$root/tests/reliability"
    commit=$(git -C "$root" rev-parse --short HEAD)
    find "$build/fast/vectors/good" -name '*.aimg' -size -49k -print0 | sort -z |
        xargs -0 "$build/fast/tests/flips/test_flips" --jobs "$jobs" --bursts "$bursts" --large "$bytes" \
            --json "$build/flips.json"
    python3 - "$build/flips.json" "$file" "./dev flips $bytes $bursts" "$commit" <<'TEXT'
import datetime, json, sys
figures = json.load(open(sys.argv[1]))
head = {"date": datetime.date.today().isoformat(), "commit": sys.argv[4], "command": sys.argv[3]}
with open(sys.argv[2], "w", encoding="utf-8") as out:
    out.write(json.dumps(head | figures, indent=1) + "\n")
TEXT
    say "figures: $(shown "$file")"
}
