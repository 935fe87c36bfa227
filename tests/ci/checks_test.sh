#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# checks_test.sh ROOT: lint.py finds what it is for, in the checkout's own files only; results.py counts what was skipped;
# reliability.py makes its page of what ran; fuzz_tally.py reads a log that was cut short.
set -euo pipefail
here=$1/tests/ci
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch"

# expect LINE...: exactly these are in ./said.
expect() {
    printf '%s\n' "$@" | diff - said || {
        printf 'checks_test: line %s: missing (<) and unexpected (>) lines stand above\n' "${BASH_LINENO[0]}" >&2
        exit 1
    }
}

lint() { python3 "$here/lint.py" tree >said 2>count || true; }

mkdir -p tree/.ci tree/.venv
printf '#!/bin/sh\nexit\n' | tee tree/dev tree/.ci/run >tree/run
printf 'prefix=\t@here@\n' >tree/some.pc.in
printf '.venv/\n' >tree/.gitignore
printf 'x = 1 \n' >tree/.venv/theirs.py
no_licence='1: no SPDX line in the first two lines'
ours=(".ci/run:$no_licence" "dev:$no_licence" "some.pc.in:1: a tab" "some.pc.in:$no_licence")
theirs=('.venv/theirs.py:1: white space at the end of the line' ".venv/theirs.py:$no_licence")
lint # without git: all that is there
expect "${ours[0]}" "${theirs[@]}" "${ours[@]:1}"
if command -v git >/dev/null; then
    git -C tree init -q
    git -C tree add dev # tracked or new, but not ignored
    lint
    expect "${ours[@]}"
fi

# A test that no CMakeLists.txt runs.
spdx='SPDX-License-Identifier: Apache-2.0'
rm -r tree && mkdir -p tree/tests/api tree/tests/cli
printf '# %s\n' "$spdx" | tee tree/tests/cli/test_{ls,set}.sh >tree/tests/api/CMakeLists.txt
cat >>tree/tests/api/CMakeLists.txt <<'TEXT'
set(more test_alone.c) # not test_comment.c
foreach(part
    copy
    write)
    add_executable(test_api_${part} test_${part}.c)
endforeach()
TEXT
printf '/* %s */\n' "$spdx" | tee tree/tests/api/test_{alone,comment,copy,set,write}.c >tree/tests/api/samples.c
printf '# %s\nadd_test(NAME ls COMMAND bash ${CMAKE_CURRENT_SOURCE_DIR}/test_ls.sh)\n' "$spdx" >tree/tests/cli/CMakeLists.txt
lint
expect "tests/api/test_comment.c:1: a test that tests/api/CMakeLists.txt does not name: nobody runs it" \
    "tests/api/test_set.c:1: a test that tests/api/CMakeLists.txt does not name: nobody runs it" \
    "tests/cli/test_set.sh:1: a test that tests/cli/CMakeLists.txt does not name: nobody runs it"

# Attacks whose tests are not there.
printf '# %s\n' "$spdx" >tree/tests/cli/CMakeLists.txt
rm -r tree/tests/api tree/tests/cli/test_*.sh
{ printf '| Attack | Tests |\n|---|---|\n| one | `cli/CMakeLists.txt:SPDX` |\n'
    printf '| two | none |\n| three | `cli/gone.sh` |\n| four | `cli/CMakeLists.txt:word` |\n'; } >tree/tests/HOSTILE.md
lint
expect "tests/HOSTILE.md:4: a row without a test" "tests/HOSTILE.md:5: there is no cli/gone.sh" \
    "tests/HOSTILE.md:6: cli/CMakeLists.txt has nothing like 'word'"

mkdir tests
cat >tests/CTestTestfile.cmake <<'TEXT'
add_test(good true)
add_test(parts sh -c "echo 'parts.sh: skipped: disks: not allowed'; echo 'parts.sh: skipped: traces: no strace'; echo end")
add_test(whole sh -c "echo 'no data'; exit 77")
set_tests_properties(whole PROPERTIES SKIP_RETURN_CODE 77)
add_test(bad sh -c "echo 'bad.sh: skipped: a part'; exit 1")
add_test(absent "/nowhere/program")
TEXT
ctest --test-dir tests --output-junit "$scratch/report.xml" >log 2>&1 || true
python3 "$here/results.py" report.xml >said
expect '2 2 3' 'FAILED bad' 'FAILED absent' 'skipped parts: disks: not allowed' 'skipped parts: traces: no strace' \
    'skipped whole: no data'

# The page of figures: tables of what is there, sums, what did not run, and a page that is no longer what the figures say.
mkdir -p tree/tests/reliability
cat >tree/tests/reliability/flips.json <<'TEXT'
{"date": "2026-01-02", "commit": "abc1234", "command": "./dev flips", "seconds": 2.5, "figures": {"bits_flipped": 1234567,
 "archive": {"empty": {"bits": 10, "found": 10}, "full": {"bits": 20, "found": 20}}}}
TEXT
printf 'All {flips.archive.+bits} bits, {crash.states} states.\n' >tree/tests/reliability/intro.md
python3 "$here/reliability.py" tree
grep . tree/tests/RELIABILITY.md >said
expect '# Reliability' 'All 30 bits, not run states.' '## Flipped bits and sectors' '| What | How many |' '|---|---|' \
    '| bits flipped | 1,234,567 |' '| archive | bits | found |' '|---|---|---|' '| empty | 10 | 10 |' '| full | 20 | 20 |' \
    '`./dev flips`, 2026-01-02, commit abc1234, 2.5 s.'
python3 "$here/reliability.py" tree --check
sed -i s/1234567/1234568/ tree/tests/reliability/flips.json
python3 "$here/reliability.py" tree --check 2>said && printf 'an old page passes\n' >said
expect "tree/tests/RELIABILITY.md: is not what tests/reliability says; ./dev reliability writes it"
sed -i 's/"commit": "abc1234", //' tree/tests/reliability/flips.json
python3 "$here/reliability.py" tree 2>said && printf 'a figure without a commit passes\n' >said
expect 'reliability.py: tree/tests/reliability/flips.json: lacks commit'

# A fuzzer that was stopped before its figures counts for the last line that it wrote.
printf '#%s\tNEW    cov: 7 ft: 9\n' 512 2048 >log
python3 "$here/fuzz_tally.py" tally.json fuzz_some libfuzzer 4 0 0 none none log >/dev/null
python3 -c 'import json; print(json.load(open("tally.json"))["executions"])' >said
expect 2048
