#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Proof that the vectors bite: takes one check at a time out of the reader and the validator, and some vector must fail.

mutants.py --patch LIST ROOT OUT            writes the sources that LIST names to OUT, each check with a switch
mutants.py --run LIST PROGRAM VECTORS       runs PROGRAM (vector_check with these sources) once for each check that is taken out
           [--figures] [--part N]           keeps the figures of mutants and vectors; only every N-th check

LIST has lines "== FILE", and below each, lines "FUNCTION VALUE TERM": in that function the condition TERM, which must stand
there exactly once, counts as VALUE (0 or 1) when it is taken out. A line "unseen: REASON" after one says why no file can show
that it is gone: then no vector may fail.

A check that is gone lets bad files pass and good ones as well: it counts as seen when a bad vector fails and no good one does. A
vector by which the program crashes or does not end in time shows the gap too, and is counted by itself. Exit 1: a check was taken
out and no bad vector failed, a good one did, or a term is not there any more."""
import argparse
import collections
import concurrent.futures
import json
import os
import pathlib
import re
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "ci"))
from figures import keep  # noqa: E402

SECONDS = 120  # on a busy machine as well: a run that ends late is no proof
MEMORY_BYTES = 8 << 30
SWITCH = "AIMG_MUTANT"
SEEN = ("fails", "crashes", "hangs")
NOT_WITHIN = r"(?<![\w.>])"
NOT_FOLLOWED = r"(?!\w|\s*(?:->|[.(\[*/%<>=+-]|&(?!&)|\|(?!\|)))"  # a term ends where the condition ends
FUNCTION_NAME = re.compile(r"(\w+)\(")
NOT_OF_THE_HEAD = re.compile(r"/\*.*?\*/|__attribute__\(\(\w+\)\)", re.DOTALL)

Check = collections.namedtuple("Check", "number path function value term unseen")


class Stale(Exception):
    pass


def read_list(path):
    checks, source = [], None
    for line in pathlib.Path(path).read_text(encoding="utf-8").splitlines():
        words = line.split(None, 2)
        if not words or line.startswith("#"):
            continue
        if words[0] == "==":
            source = words[1]
        elif words[0] == "unseen:":
            checks[-1] = checks[-1]._replace(unseen=line.split(None, 1)[1])
        else:
            checks.append(Check(len(checks) + 1, source, words[0], int(words[1]), words[2], ""))
    return checks


# ------------------------------------------------------------------ switches in the sources


def functions(text):
    """Name, begin and end of each body: it begins with a brace in the first column and ends with one."""
    for brace in re.finditer(r"^\{$", text, re.MULTILINE):
        head = FUNCTION_NAME.search(NOT_OF_THE_HEAD.sub("", text[text.rindex("\n\n", 0, brace.start()):brace.start()]))
        if head:
            yield head.group(1), brace.start(), text.index("\n}", brace.start())


def place(check, text):
    """Where the term stands, whatever the white space in it."""
    bodies = [(begin, end) for name, begin, end in functions(text) if name == check.function]
    term = r"\s*".join(re.escape(piece) for piece in re.findall(r"\w+|[^\w\s]", check.term))
    found = [match.span() for begin, end in bodies for match in re.finditer(NOT_WITHIN + term + NOT_FOLLOWED, text[:end])
             if match.start() > begin]
    if len(found) != 1:
        raise Stale("%s: in %s the term '%s' stands %d times, not once; bring the list up to date" % (
            check.path, check.function, check.term, len(found)))
    return found[0]


def patched(text, checks):
    places = sorted((*place(check, text), check) for check in checks)
    for (_, end, one), (begin, _, other) in zip(places, places[1:]):
        if begin < end:
            raise Stale("%s: the terms '%s' and '%s' overlap" % (one.path, one.term, other.term))
    for begin, end, check in reversed(places):
        text = "%s(aimg_mutant == %d ? %d : (%s))%s" % (text[:begin], check.number, check.value, text[begin:end], text[end:])
    return "extern int aimg_mutant;\n" + text


def patch(checks, root, out):
    by_path = collections.defaultdict(list)
    for check in checks:
        by_path[check.path].append(check)
    for path, own in by_path.items():
        text = patched((root / path).read_text(encoding="utf-8"), own)
        target = out / path
        target.parent.mkdir(parents=True, exist_ok=True)
        if not target.exists() or target.read_text(encoding="utf-8") != text:
            target.write_text(text, encoding="utf-8")


# ------------------------------------------------------------------ running


def limit():
    import resource
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def run(program, vectors, number):
    """What came of it, and the vector that failed."""
    try:
        done = subprocess.run([program, "-q", vectors], capture_output=True, text=True, timeout=SECONDS, preexec_fn=limit,
                              env={**os.environ, SWITCH: str(number)}, check=False)
    except subprocess.TimeoutExpired:
        return "hangs", ""
    failed = "".join(line.split()[1] for line in done.stdout.splitlines() if line.startswith("FAILED "))
    if failed:
        return ("breaks" if failed.startswith("good/") else "fails"), failed
    return ("survives" if done.returncode == 0 else "crashes"), ""


def report(check, outcome, failed):
    """Whether all is as it should be; says so when not."""
    if outcome == "survives" if check.unseen else outcome in SEEN:
        return True
    shown = "%s: %s: %s" % (check.path, check.function, check.term)
    if check.unseen:
        print("SEEN      %s\n          listed as unseen, but %s %s" % (shown, failed, outcome))
    elif outcome == "breaks":
        print("BREAKS    %s\n          %s fails: that takes out more than a check" % (shown, failed))
    else:
        print("SURVIVES  %s" % shown)
    return False


def run_all(checks, program, vectors, part):
    if run(program, vectors, 0)[0] != "survives":
        sys.exit("with all checks in place vectors fail already: run vector_check %s" % vectors)
    chosen = checks[::part]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        outcomes = list(pool.map(lambda check: run(program, vectors, check.number), chosen))
    right = [report(check, *outcome) for check, outcome in zip(chosen, outcomes)]
    counts = collections.Counter(outcome for outcome, _ in outcomes)
    print("%d checks taken out one at a time: by %d a bad vector fails, by %d one crashes, by %d one does not end; %d no file "
          "can show; %d wrong" % (len(chosen), counts["fails"], counts["crashes"], counts["hangs"],
                              sum(bool(check.unseen) for check in chosen), right.count(False)))
    return all(right), counts


def write_figures(checks, counts, vectors):
    told = [json.loads(path.read_text(encoding="utf-8")) for path in pathlib.Path(vectors).glob("*/*.json")]
    bad = [expected for expected in told if not expected["valid"]]
    of_mutants = {"checks": len(checks), "by_a_vector": counts["fails"], "by_a_crash": counts["crashes"],
                  "by_a_hang": counts["hangs"], "unseen": counts["survives"], "files": len({check.path for check in checks})}
    of_vectors = {"good": len(told) - len(bad), "bad": len(bad), "rules": len({expected["rule"] for expected in bad}),
                  "bytes_of_the_archives": sum(expected["file_bytes"] for expected in told)}
    for name, figures in (("mutants", of_mutants), ("vectors", of_vectors)):
        keep(name, "./dev mutants", figures)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--patch", action="store_true")
    parser.add_argument("--run", action="store_true")
    parser.add_argument("--figures", action="store_true")
    parser.add_argument("--part", type=int, default=1)
    parser.add_argument("list")
    parser.add_argument("paths", nargs=2)
    arguments = parser.parse_args()
    checks = read_list(arguments.list)
    if arguments.patch:
        patch(checks, *map(pathlib.Path, arguments.paths))
        return 0
    good, counts = run_all(checks, *arguments.paths, arguments.part)
    if arguments.figures and good:
        write_figures(checks, counts, arguments.paths[1])
    return 0 if good else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Stale as trouble:
        sys.exit("mutants: %s" % trouble)
