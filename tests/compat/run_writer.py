#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Lets the tool write and has a reader that was made from spec/SPEC.md alone check what it wrote.

run_writer.py VECTORS WORK

VECTORS is spec/vectors: its reader is used, and to each archive in it that can be appended to, the tool appends. WORK is a folder
for files. AIMG in the environment is the tool."""
import json
import os
import pathlib
import shutil
import subprocess
import sys

TOOL = os.environ.get("AIMG", "aimg")
WARNINGS = (33, 52)
EXIT_ARCHIVE = 4
NOT_WRITABLE = {"unknown-ro-compat-bit": EXIT_ARCHIVE}  # and the exit code that says so


class Failed(Exception):
    pass


def need(condition, text):
    if not condition:
        raise Failed(text)


def run(*arguments):
    done = subprocess.run([TOOL, *map(str, arguments)], capture_output=True, text=True, timeout=60)
    return done.returncode, done.stderr.strip()


def run_well(*arguments):
    code, err = run(*arguments)
    need(code == 0, "aimg %s: exit %d: %s" % (arguments[0], code, err))


def listed(path):
    """Names and images of an archive that breaks no rule, and the Archive."""
    archive = check_file(path.read_bytes())
    faults = [finding for finding in archive.report.findings if finding[0] not in WARNINGS]
    need(not faults, "breaks rules: %s" % faults[:5])
    return [(entry.name, entry.raw) for entry in archive.entries if not entry.dead and not entry.attachment], archive


def fill(folder, names):
    """Writes files, pictures but the last two, and gives their bytes by name."""
    contents = {}
    for number, name in enumerate(names):
        data = pictures.png(5 + number, 4, number) if number % 2 else pictures.pnm(7, 3 + number, number)
        contents[name.encode()] = {len(names) - 1: b"", len(names) - 2: b"text " * 500}.get(number, data)
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(contents[name.encode()])
    return contents


def check_pack(work, *options):
    """Pack, add, replace."""
    path = work / "packed.aimg"
    contents = fill(work / "first", ["%s/%d.png" % ("abc"[number % 3], number) for number in range(90)])
    run_well("pack", "--force", "--all", *options, path, work / "first")
    need(dict(listed(path)[0]) == contents, "the images differ after pack")
    more = fill(work / "more", ["d/1.png", "a/0.png", "new"])
    run_well("add", "--all", "--replace", *options, path, work / "more")
    found, archive = listed(path)
    need(dict(found) == {**contents, **more} and len(found) == len({**contents, **more}), "the images differ after add")
    need(len(archive.commits) == 2, "%d commits" % len(archive.commits))


def check_append(path, work):
    """All that was in the archive is there afterwards, and the new images behind it."""
    expected = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    copy = work / "copy.aimg"
    shutil.copy(path, copy)
    code, err = run("add", "--all", "--prefix", "zz/", copy, work / "appended")
    if path.stem in NOT_WRITABLE:
        need(code == NOT_WRITABLE[path.stem] and copy.read_bytes() == path.read_bytes(), "exit %d: %s" % (code, err))
        return
    need(code == 0, "aimg add: exit %d: %s" % (code, err))
    found, archive = listed(copy)
    old = [(image["name"].encode(), image["bytes"], image["xxh128"]) for image in expected["images"]]
    now = [(name, len(raw), print128(raw)) for name, raw in found]
    need(now[:len(old)] == old and len(now) == len(old) + 2, "the images differ after add")
    need((archive.meta or None) == (expected.get("meta") or None), "the metadata differ: %s" % archive.meta)
    names = {column.id: column.name.decode() for column in archive.root.columns}
    for entry, image in zip([entry for entry in archive.entries if not entry.dead and not entry.attachment], expected["images"]):
        columns = {names[number]: plain(value) for number, value in entry.values.items()}
        need(json.dumps(columns, sort_keys=True) == json.dumps(image.get("columns", {}), sort_keys=True),
             "columns of %s are %s" % (image["name"], columns))


def main():
    work = pathlib.Path(sys.argv[2])
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    fill(work / "appended", ["one.png", "two.png"])
    jobs = [("pack " + " ".join(options), lambda options=options: check_pack(work, *options))
            for options in ((), ("--compress", "zstd"), ("--times", "--no-label"))]
    for path in sorted(pathlib.Path(sys.argv[1]).glob("*/*.aimg")):
        if "images" in json.loads(path.with_suffix(".json").read_text(encoding="utf-8")):
            jobs.append((path.stem, lambda path=path: check_append(path, work)))
    failed = 0
    for name, job in jobs:
        try:
            job()
        except (Failed, subprocess.TimeoutExpired) as trouble:
            print("%s: %s" % (name, trouble))
            failed += 1
    print("%d passed, %d failed" % (len(jobs) - failed, failed))
    return 1 if failed else 0


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    sys.path.insert(0, sys.argv[1])
    import pictures
    from check_index import check_file
    from checksum import print128
    from vector import plain
    sys.exit(main())
