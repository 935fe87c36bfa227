#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the tool over vectors and compares what it says with their JSON (spec/vectors/README.md).

run_vectors.py [--only TEXT] [--every N] [--content-of-every N] FOLDER

FOLDER holds good/ and bad/, unpacked. AIMG in the environment is the tool. With --every only each N-th vector is looked at, with
--content-of-every the content of each N-th; tests/vectors/vector_check.c has the library read all there is of every one."""
import argparse
import json
import os
import pathlib
import subprocess
import sys

import xxhash

TOOL = os.environ.get("AIMG", "aimg")
EXIT_DONE, EXIT_NO, EXIT_ARCHIVE = 0, 1, 4
SECONDS = 60


class Failed(Exception):
    pass


def need(condition, text):
    if not condition:
        raise Failed(text)


def run(*arguments):
    """Exit code, stdout, stderr of the tool."""
    done = subprocess.run([TOOL, *arguments], capture_output=True, timeout=SECONDS, env={**os.environ, "LC_ALL": "C.UTF-8"})
    need(done.returncode >= 0, "aimg %s died of signal %d" % (arguments[0], -done.returncode))
    return done.returncode, done.stdout, done.stderr.decode(errors="replace").strip()


def run_well(*arguments):
    code, out, err = run(*arguments)
    need(code == EXIT_DONE, "aimg %s: exit %d: %s" % (" ".join(arguments), code, err))
    return out


def printed_hash(data):
    return xxhash.xxh3_128_hexdigest(data)


def as_tool_prints(value):
    """An expected column value in the form of the tool's JSON."""
    if isinstance(value, dict):
        return value["hex"] if "hex" in value else None if "float" in value else value
    if isinstance(value, list):
        return [as_tool_prints(item) for item in value]
    return value


def as_expected(value, wanted):
    """A long text of the tool's JSON in the form of the vector's."""
    if isinstance(wanted, dict) and "xxh128" in wanted and isinstance(value, str):
        return {"bytes": len(value.encode()), "xxh128": printed_hash(value.encode())}
    return value


def image_columns(path):
    columns = json.loads(run_well("info", "--json", str(path)))["columns"]
    return {column["name"] for column in columns if column["type"] == "image"}


def check_columns(path, word, wanted, references):
    """references: what an ordinal is called, for the columns that hold ordinals."""
    found = json.loads(run_well("info", "--json", str(path), *word))["columns"]
    wanted = {name: as_tool_prints(references[name].get(value, value) if name in references else value)
              for name, value in wanted.items()}
    found = {name: as_expected(value, wanted.get(name)) for name, value in found.items()}
    for name in wanted.keys() | found.keys():
        need(wanted.get(name) == found.get(name), "%s: column %s is %s, not %s" % (word, name, found.get(name), wanted.get(name)))


def check_image(path, image):
    for word in (["@%d" % image["position"]], ["--name", image["name"]])[:2 if image["name"] else 1]:
        need_bytes(path, word, image)


def need_bytes(path, word, image):
    data = run_well("cat", *word[:-1], "--", str(path), word[-1])
    need((len(data), printed_hash(data)) == (image["bytes"], image["xxh128"]),
         "cat %s: %d bytes, %s" % (word[-1], len(data), printed_hash(data)))


def check_counts(path, expected):
    info = json.loads(run_well("info", "--json", str(path)))
    found = {"commits": info["commits"], "ordinals": info["ordinals"], "listed": info["images"], "dead": info["removed"],
             "attached": info["attachments"]}
    if "chain" in expected:
        found["chain"] = info["root"]
        commits = json.loads(run_well("log", "--json", str(path)))["commits"]
        need(len(commits) == expected["commits"] and commits[0]["root"] == expected["chain"], "log: %s" % commits[:1])
    for key, value in found.items():
        need(value == expected[key], "%s is %s, not %s" % (key, value, expected[key]))


def check_content(path, expected):
    check_counts(path, expected)
    lines = [json.loads(line) for line in run_well("ls", "--json", str(path)).decode().splitlines()]
    need(len(lines) == len(expected["images"]), "%d images are listed, not %d" % (len(lines), len(expected["images"])))
    names = {image["ordinal"]: image["name"] for image in expected["images"] + expected.get("attachments", []) if image["name"]}
    references = {column: names for column in image_columns(path)}
    for line, image in zip(lines, expected["images"]):
        for key in ("position", "ordinal", "name", "bytes", "xxh128"):
            need(line[key] == image[key], "ls: %s of image %d is %r, not %r" % (key, image["position"], line[key], image[key]))
        check_image(path, image)
        check_columns(path, ["@%d" % image["position"]], image.get("columns", {}), references)
    for image in expected.get("attachments", []):
        if image["name"]:
            need_bytes(path, ["--name", image["name"]], image)


def check_good(path, expected, code, verdict):
    need(code == EXIT_DONE and verdict["ok"], "verify: exit %d: %s" % (code, verdict["findings"]))
    rules = sorted({finding["rule"] for finding in verdict["findings"]})
    need(rules == expected.get("warnings", []), "verify: warnings %s, not %s" % (rules, expected.get("warnings", [])))
    need((verdict["images"], verdict["commits"]) == (expected["listed"], expected["commits"]), "verify counts: %s" % verdict)


def check_bad(path, expected, code, verdict):
    need(code in (EXIT_NO, EXIT_ARCHIVE), "verify: exit %d" % code)
    rules = sorted({finding["rule"] for finding in verdict["findings"] if not finding["warning"]})
    for finding in verdict["findings"]:
        need(finding["warning"] or finding["offset"] is not None, "no place is told with rule %d" % finding["rule"])
    need(expected["rule"] in rules, "rule %d is not among %s (%s)" % (expected["rule"], rules, verdict.get("error", "")))


def check_opening(path, expected):
    code, _, err = run("info", str(path))
    if expected["opens"] is None or expected.get("refuses_meta"):  # info shows metadata, too
        need(code in (EXIT_DONE, EXIT_ARCHIVE), "info: exit %d: %s" % (code, err))
    elif expected["opens"]:
        need(code == EXIT_DONE, "does not open: exit %d: %s" % (code, err))
    else:
        need(code == EXIT_ARCHIVE, "must not open: exit %d" % code)


def check(path, content):
    expected = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    code, out, err = run("verify", "--json", str(path))
    need(out, "verify: exit %d without JSON: %s" % (code, err))
    verdict = json.loads(out)
    (check_good if expected["valid"] else check_bad)(path, expected, code, verdict)
    check_opening(path, expected)
    need(verdict.get("status", "") == expected.get("status", verdict.get("status", "")), "status is %s" % verdict.get("status"))
    if content and "images" in expected:
        check_content(path, expected)
    for position in expected.get("refuses", []):
        code, out, _ = run("cat", str(path), "@%d" % position)
        need(code == EXIT_ARCHIVE and not out, "cat @%d: exit %d, %d bytes" % (position, code, len(out)))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", metavar="TEXT", default="")
    parser.add_argument("--every", metavar="N", type=int, default=1)
    parser.add_argument("--content-of-every", metavar="N", type=int, default=1)
    parser.add_argument("folder", type=pathlib.Path)
    arguments = parser.parse_args()
    paths = [path for path in sorted(arguments.folder.glob("*/*.aimg")) if arguments.only in str(path)][::arguments.every]
    failed = 0
    for number, path in enumerate(paths):
        try:
            check(path, number % arguments.content_of_every == 0)
        except (Failed, subprocess.TimeoutExpired, ValueError, KeyError) as trouble:
            print("%s: %s" % (path.relative_to(arguments.folder), trouble))
            failed += 1
    print("%d passed, %d failed" % (len(paths) - failed, failed))
    return 1 if failed or not paths else 0


if __name__ == "__main__":
    sys.exit(main())
