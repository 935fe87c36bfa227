#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
. "$(dirname "$0")/lib.sh"

verbs=$("$AIMG" --help | sed -nE 's/^  ([a-z]+) .*/\1/p')
expect_true "the verbs of the help: $verbs" [ "$(wc -w <<<"$verbs")" -ge 18 ]

# alone: three commands that get one started
expect_exit 0 "$AIMG"
expect_equal "$(grep -c '^  aimg [a-z]' out)" 3
expect_lines err 0

# help of the tool and of each verb, on standard output, with usage line and examples
for option in --help -h; do
    expect_exit 0 "$AIMG" $option
    for verb in $verbs; do expect_contains out "$verb"; done
    expect_lines err 0
done
for verb in $verbs; do
    for option in --help -h; do
        expect_exit 0 "$AIMG" "$verb" $option
        expect_contains out "usage: aimg $verb"
        expect_contains out --quiet
        expect_lines err 0
    done
    expect_true "$verb --help has no examples" grep -q "^  aimg $verb " out
    expect_exit 0 "$AIMG" "$verb" nothing.aimg --help
done
# 'help' prints the same
"$AIMG" --help >wanted
expect_exit 0 "$AIMG" help
expect_same out wanted
expect_exit 0 "$AIMG" help --help
expect_same out wanted
for verb in $verbs; do
    "$AIMG" "$verb" --help >wanted
    expect_exit 0 "$AIMG" help "$verb"
    expect_same out wanted
    expect_lines err 0
done
expect_exit 2 "$AIMG" help frobnicate
expect_contains err "there is no verb 'frobnicate'"
expect_exit 2 "$AIMG" help pack ls
expect_contains err 'one verb at a time'

# every option that a help text names is known to its verb, and stands in the man page
man_page=$test_source/../../tools/man/aimg.1
expect_true 'there is a man page' test -f "$man_page"
for verb in $verbs; do
    "$AIMG" "$verb" --help | grep -E '^  +(-|--)' | grep -oE -e '--[a-z-]+' | sort -u >options
    while read -r option; do
        grep -qF -e "Fl Fl ${option#--}" "$man_page" && pass || fail "$verb $option is not in the man page"
        case $option in --help | --quiet) continue ;; esac
        run "$AIMG" "$verb" "$option"
        grep -q 'unknown option' err && fail "$verb does not know $option" || pass
    done <options
done
if command -v mandoc >/dev/null; then
    mandoc -Tlint -Wwarning "$man_page" >lint 2>&1 || true
    grep -vE 'mandoc.db|referenced manual not found' lint >warnings
    expect_lines warnings 0
fi

expect_exit 0 "$AIMG" --version
expect_lines out 1
expect_true 'a version' grep -qE '^aimg [0-9]+\.[0-9]+\.[0-9]+' out

# misuse: exit 2, a line that says what, a line that says where to look, nothing on standard output
expect_exit 2 "$AIMG" frobnicate
expect_contains err frobnicate
expect_contains err 'aimg --help'
expect_exit 2 "$AIMG" --nonsense
for verb in $verbs; do
    expect_exit 2 "$AIMG" "$verb"
    expect_contains err ARCHIVE
    expect_contains err "aimg $verb --help"
    expect_lines err 2
    expect_lines out 0
    expect_exit 2 "$AIMG" "$verb" --nonsense a.aimg x
    expect_contains err "--nonsense"
    expect_lines err 2
    expect_lines out 0
done

# '--' ends options
make_picture photos/-l.pgm 3 3 dash
make_picture photos/--help 3 3 help
expect_exit 0 "$AIMG" pack -- -a.aimg photos
expect_exit 0 "$AIMG" ls -- -a.aimg -l.pgm
expect_lines out 1
expect_exit 0 "$AIMG" cat -- -a.aimg --help
expect_same out photos/--help

# the word behind an option that takes a value is its value
for verb in $("$AIMG" --help | sed -n 's/^  \([a-z]*\)  .*/\1/p'); do
    "$AIMG" "$verb" --help | grep -E '^  +(-|--)' | grep -oE -e '(^| )--?[A-Za-z-]+' | sort -u >options
    while read -r option; do
        run "$AIMG" "$verb" "$option"
        grep -q 'needs a value' err || continue
        run "$AIMG" "$verb" "$option" --help
        expect_lines out 0
    done <options
done
expect_exit 0 "$AIMG" meta --message -q -- -a.aimg title=x
expect_exit 0 "$AIMG" log -- -a.aimg
expect_true '-q is the message' grep -qE ' -q$' out
expect_exit 0 "$AIMG" meta --message -- -q ./-a.aimg title=y
expect_exit 0 "$AIMG" log ./-a.aimg
expect_true '-- is the message' grep -qE ' --$' out

# a round trip with nothing but the three first commands
for i in 1 2 3; do make_picture src/c$i/x.pgm 10 10 "$i"; done
expect_exit 0 "$AIMG" pack photos.aimg src/
expect_lines out 0
expect_exit 0 "$AIMG" ls -l photos.aimg
expect_exit 0 "$AIMG" unpack photos.aimg -C copy
expect_same copy src

# closed standard output and standard error do not end up in an archive or a crash
"$AIMG" ls photos.aimg >&- 2>err
expect_equal $? 3
"$AIMG" ls missing.aimg >out 2>&-
expect_equal $? 3
"$AIMG" verify photos.aimg >&- 2>&- <&-
status=$?
expect_true "verify with everything closed: $status" test $status -le 3
expect_exit 0 "$AIMG" verify photos.aimg

# a limit to the size of files is an error for whoever writes
cp photos.aimg limited.aimg
expect_exit 0 "$AIMG" mv limited.aimg c3/x.pgm c4/x.pgm
cp limited.aimg before.aimg
limit=$(($(stat -c %s limited.aimg) / 1024))
for arguments in 'meta limited.aimg title=x' 'mv limited.aimg c1/x.pgm y.pgm' 'rm limited.aimg c1/x.pgm' 'seal limited.aimg' \
    'attach limited.aimg c1/x.pgm mask src/c1/x.pgm'; do
    # shellcheck disable=SC2086
    expect_exit 3 bash -c 'ulimit -f "$1"; shift; exec "$@"' bash "$limit" "$AIMG" $arguments
    expect_contains err 'File too large'
    expect_same limited.aimg before.aimg
done
for i in 1 2 3 4 5 6 7 8; do make_picture "long/$(printf '%0200d' $i).pgm" 2 2; done
expect_exit 0 "$AIMG" pack long.aimg long
expect_exit 3 bash -c 'ulimit -f 1; exec "$@"' bash "$AIMG" get long.aimg -o limited.csv
expect_contains err 'File too large'
expect_contains err 'limited.csv was not made'
expect_false 'a file was left' ls limited.csv .aimg-*

# names are shown harmlessly on a terminal, and as they are elsewhere
if command -v script >/dev/null; then
    script -qec "$AIMG ls photos.aimg" /dev/null </dev/null >terminal
    expect_contains terminal c2/x.pgm
    script -qec "$AIMG ls photos.aimg $(printf '"\033[31mred"')" /dev/null </dev/null >terminal
    expect_contains terminal '\x1B'
else
    skip 'terminals: there is no program script'
fi

finish
