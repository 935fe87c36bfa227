#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""lint.py ROOT: the house rules that a machine can check. Prints FILE:LINE: what; exit 1 when there is anything."""

import json
import os
import re
import shutil
import subprocess
import sys

COLUMNS_MAX = 130
FILE_LINES_MAX = 500
FUNCTION_LINES_MAX = 70
SKIPPED_FOLDERS = {".git", "build", "__pycache__"}
SCRIPTS = ("dev", ".ci/run")
CODE = (".c", ".h", ".py", ".sh", ".cmake", ".in")
OTHER_TEXT = (".gitignore", ".editorconfig", ".clang-format", ".clang-tidy")
TEXT = CODE + (".md", ".txt", ".json", ".yml", ".1")
NO_COLUMN_RULE = (".md", ".json", ".1")  # tables, and texts that no one wraps by hand

TEST = re.compile(r"tests/(.*/)?test_[^/]*\.(c|sh|py)")
FOREACH = re.compile(r"foreach\((\w+)\s([^)]*)\)(.*?)endforeach\(\)", re.DOTALL)

UNFINISHED = re.compile(r"\b(TO[D]O|FIX[M]E|XX[X])\b")  # written so that this line is not one itself

findings = []


def report(path, line, what):
    findings.append(f"{path}:{line}: {what}")


def all_files(root):
    """Of a checkout what is tracked and what is new, without what .gitignore names; of a folder without git all that is in it."""
    if os.path.exists(os.path.join(root, ".git")) and shutil.which("git"):
        command = ["git", "-c", "safe.directory=*", "-C", root, "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        return [path for path in listed.split("\0") if os.path.isfile(os.path.join(root, path))]
    found = []
    for place, folders, names in os.walk(root):
        folders[:] = set(folders) - SKIPPED_FOLDERS
        found += [os.path.relpath(os.path.join(place, name), root) for name in names]
    return found


def text_files(root):
    for path in sorted(set(all_files(root))):
        if path.endswith(TEXT) or path in SCRIPTS or os.path.basename(path) in OTHER_TEXT:
            yield path


def check_lines(path, lines):
    for number, line in enumerate(lines, 1):
        if "\t" in line:
            report(path, number, "a tab")
        if line != line.rstrip():
            report(path, number, "white space at the end of the line")
        if len(line) > COLUMNS_MAX and not path.endswith(NO_COLUMN_RULE):
            report(path, number, f"{len(line)} columns, more than {COLUMNS_MAX}")
        if UNFINISHED.search(line) and path.endswith(CODE):
            report(path, number, "an unfinished thought")


def check_head(path, lines):
    if path.endswith(CODE) or path in SCRIPTS or path.endswith("CMakeLists.txt"):
        if not any("SPDX-License-Identifier: Apache-2.0" in line for line in lines[:2]):
            report(path, 1, "no SPDX line in the first two lines")
        if len(lines) > FILE_LINES_MAX and not path.endswith("aimg.h"):
            report(path, len(lines), f"{len(lines)} lines, more than {FILE_LINES_MAX}")


def check_functions(path, lines):
    """In this layout a function's body begins with a brace in the first column and ends with one."""
    begin = None
    for number, line in enumerate(lines, 1):
        if line == "{":
            begin = number
        elif line == "}" and begin is not None:
            length = number - begin + 1
            if length > FUNCTION_LINES_MAX:
                report(path, begin, f"a function of {length} lines, more than {FUNCTION_LINES_MAX}")
            begin = None


def check_syntax(root, path, text):
    full = os.path.join(root, path)
    if path.endswith(".py"):
        try:
            compile(text, path, "exec")
        except SyntaxError as error:
            report(path, error.lineno, error.msg)
    elif path.endswith(".json"):
        try:
            json.loads(text)
        except ValueError as error:
            report(path, 1, str(error))
    elif path.endswith(".sh") or text.startswith(("#!/bin/sh", "#!/usr/bin/env bash")):
        done = subprocess.run(["bash", "-n", full], capture_output=True, text=True, check=False)
        if done.returncode:
            report(path, 1, done.stderr.strip())


def unrolled(text):
    """What a CMakeLists.txt says without its comments, loops over lists written out."""
    text = re.sub(r"#.*", "", text)
    return text + "".join(
        body.replace("${" + variable + "}", item) for variable, items, body in FOREACH.findall(text) for item in items.split()
    )


def check_tests_run(root, paths):
    """A test that the CMakeLists.txt beside it does not name is run by nobody."""
    for path in filter(TEST.fullmatch, paths):
        folder, name = os.path.split(path)
        listing = os.path.join(root, folder, "CMakeLists.txt")
        text = ""
        if os.path.exists(listing):
            with open(listing, encoding="utf-8") as file:
                text = unrolled(file.read())
        if not re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text):
            report(path, 1, f"a test that {folder}/CMakeLists.txt does not name: nobody runs it")


def check_attacks(root):
    """tests/HOSTILE.md names tests in the last column of its table: FILE or FILE:TEXT, of tests/ or of the root."""
    listing = "tests/HOSTILE.md"
    if not os.path.exists(os.path.join(root, listing)):
        return
    with open(os.path.join(root, listing), encoding="utf-8") as file:
        rows = [(number, line) for number, line in enumerate(file, 1) if line.startswith("|")][2:]
    for number, line in rows:
        named = re.findall(r"`([^`]+)`", line.strip().strip("|").split(" | ")[-1])
        if not named:
            report(listing, number, "a row without a test")
        for path, _, text in (name.partition(":") for name in named):
            places = (os.path.join(root, "tests", path), os.path.join(root, path))
            full = next((place for place in places if os.path.isfile(place)), None)
            if full is None:
                report(listing, number, f"there is no {path}")
                continue
            with open(full, encoding="utf-8") as file:
                if text not in file.read():
                    report(listing, number, f"{path} has nothing like '{text}'")


def main(root):
    check_attacks(root)
    check_tests_run(root, sorted(set(all_files(root))))
    for path in text_files(root):
        with open(os.path.join(root, path), encoding="utf-8") as file:
            text = file.read()
        lines = text.splitlines()
        check_lines(path, lines)
        check_head(path, lines)
        if path.endswith(".c"):
            check_functions(path, lines)
        if text and not text.endswith("\n"):
            report(path, len(lines), "no newline at the end")
        check_syntax(root, path, text)
    for finding in findings:
        print(finding)
    print(f"{len(findings)} findings", file=sys.stderr)
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
