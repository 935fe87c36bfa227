#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# ./dev bench [quick|full] [OPTIONS]: builds the benchmark and runs it. A full run takes about twelve minutes and 20 GB of disk
# and is kept in RESULTS.md; a quick one (the default) three minutes. OPTIONS are those of aimg-bench and keep a run out of
# RESULTS.md.
set -euo pipefail

root=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../.." && pwd -P)
. "$root/tests/ci/lib.sh"
. "$root/tests/bench/results.sh"

mode=${1:-quick}
[ $# = 0 ] || shift
case $mode in
    quick | full) ;;
    *) fail "bench takes quick or full, not '$mode'" ;;
esac

heading "Build"
build_preset bench || fail "the build failed"

heading "Measure ($mode)"
"$build/bench/tests/bench/aimg-bench" "$mode" --data "${AIMG_TEST_DATA:-$root/../shared/data}" --work "$build/bench" \
    --tool "$build/bench/tools/aimg" --commit "$(bench_commit)" --json "$build/bench/results.json" \
    --markdown "$build/bench/results.md" "$@"

if [ "$mode" = full ] && [ $# = 0 ]; then
    write_results run "$build/bench/results.md"
    cp "$build/bench/results.json" "$root/tests/bench/results.json"
    say "kept in $(shown "$results")"
fi
say "JSON: $(shown "$build/bench/results.json")"
