#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Lets the tool write and has a reader that was made from spec/SPEC.md alone check what it wrote.

run_writer.py VECTORS UNPACKED WORK

VECTORS is spec/vectors: it knows how to ask spec/reader.py. UNPACKED has its archives as plain files: to each that can be
appended to, the tool appends. WORK is a folder for files. AIMG in the environment is the tool."""
import itertools
import json
import os
import pathlib
import shutil
import subprocess
import sys

TOOL = os.environ.get("AIMG", "aimg")
EXIT_ARCHIVE = 4
EVERY = 4  # of the vectors, for each is read by Python
NOT_WRITABLE = {"unknown-ro-compat-bit": "use a newer version"}  # with exit code 4 and this
# A batch that cannot be stepped over, with a commit page behind it that goes on from the last commit: not to be written over.
BEFORE_A_COMMIT = ["tail-commit-of-another-salt", *("tail-frame-" + what for what in (
    "check", "header-units", "magic", "raw-bytes-2-47", "salt", "zero-30"))]
NOT_WRITABLE.update(dict.fromkeys(BEFORE_A_COMMIT, "aimg repair"))


class Failed(Exception):
    pass


def need(condition, text):
    if not condition:
        raise Failed(text)


def run(*arguments):
    done = subprocess.run([TOOL, *map(str, arguments)], capture_output=True, text=True, timeout=300)
    return done.returncode, done.stderr.strip()


def run_well(*arguments):
    code, err = run(*arguments)
    need(code == 0, "aimg %s: exit %d: %s" % (arguments[0], code, err))


def listed(path):
    """Names and images of an archive that breaks no rule, and the Archive."""
    archive = read_valid(path)
    return [(entry.name, entry.raw) for entry in archive.all if not entry.dead and not entry.attachment], archive


def fill(folder, names):
    """Writes files, pictures but the last two, and gives their bytes by name."""
    contents = {}
    for number, name in enumerate(names):
        data = pictures.png(5 + number, 4, number) if number % 2 else pictures.pnm(7, 3 + number, number)
        contents[name.encode()] = {len(names) - 1: b"", len(names) - 2: b"text " * 500}.get(number, data)
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(contents[name.encode()])
        os.utime(target, ns=(0, 1_600_000_000_123_456_789 + number))  # with SOURCE_DATE_EPOCH nothing depends on when this runs
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
    need(archive.commit.seq + 1 == 2, "%d commits" % (archive.commit.seq + 1))


def check_before_a_commit(path, copy, repaired, expected):
    """What is neither to be written over nor to be taken for a torn tail is saved by repair, and the images before it."""
    code, err = run("add", "--recover", copy)
    need(code == EXIT_ARCHIVE and "aimg repair" in err and copy.read_bytes() == path.read_bytes(),
         "add --recover: exit %d: %s" % (code, err))
    run_well("repair", "--force", copy, "-o", repaired)
    found = {name: (len(raw), print128(raw)) for name, raw in listed(repaired)[0]}
    need(expected["images"] and all(found.get(image["name"].encode()) == (image["bytes"], image["xxh128"])
                                    for image in expected["images"]), "repair lost images")


def check_append(path, work):
    """All that was in the archive is there afterwards, and the new images behind it."""
    expected = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    copy = work / "copy.aimg"
    shutil.copy(path, copy)
    code, err = run("add", "--all", "--prefix", "zz/", copy, work / "appended")
    if path.stem in NOT_WRITABLE:
        need(code == EXIT_ARCHIVE and NOT_WRITABLE[path.stem] in err and copy.read_bytes() == path.read_bytes(),
             "exit %d: %s" % (code, err))
        if path.stem in BEFORE_A_COMMIT:
            check_before_a_commit(path, copy, work / "repaired.aimg", expected)
        return
    need(code == 0, "aimg add: exit %d: %s" % (code, err))
    found, archive = listed(copy)
    old = [(image["name"].encode(), image["bytes"], image["xxh128"]) for image in expected["images"]]
    now = [(name, len(raw), print128(raw)) for name, raw in found]
    need(now[:len(old)] == old and len(now) == len(old) + 2, "the images differ after add")
    need((archive.meta or None) == (expected.get("meta") or None), "the metadata differ: %s" % archive.meta)
    for entry, image in zip([entry for entry in archive.all if not entry.dead and not entry.attachment], expected["images"]):
        columns = {name: plain(value) for name, value in entry.values.items()}
        need(json.dumps(columns, sort_keys=True) == json.dumps(image.get("columns", {}), sort_keys=True),
             "columns of %s are %s" % (image["name"], columns))


def described(path):
    """For each image in order its name, bytes and columns, an attachment as its bytes; and the Archive."""
    _, archive = listed(path)
    types = {column.name: column.type for column in archive.columns}
    shown = lambda name, value: archive.all[value].raw if types[name] == constants.Type.IMAGE else plain(value)
    values = lambda entry: {name: shown(name, value) for name, value in entry.values.items()}
    images = [entry for entry in archive.all if not entry.dead and not entry.attachment]
    return [(entry.name, entry.raw, values(entry)) for entry in images], archive


def parts(archive, kind):
    return sum(part.type == kind for part in archive.root.parts)


def expect(path, wanted, what):
    found, archive = described(path)
    need([image[:2] for image in found] == wanted, "the images differ after " + what)
    return found, archive


def pick(wanted, *names):
    return [image for image in wanted if image[0].decode() in names]


def without(wanted, *names):
    return [image for image in wanted if image[0].decode() not in names]


def check_twins(path, work):
    """Equal images, in one command and in another: ALIAS frames and a CONTENT table. What is there afterwards."""
    contents = fill(work / "twins", ["%02d.png" % number for number in range(30)])
    for name in ("twin a", "twin b"):
        contents[name.encode()] = contents[b"07.png"]
        (work / "twins" / name).write_bytes(contents[b"07.png"])
    run_well("pack", "--force", "--all", "--dedup=all", path, work / "twins")
    wanted = sorted(contents.items())
    _, archive = expect(path, wanted, "pack")
    need(sum(entry.aliased for entry in archive.all) == 2, "twins are not aliases")
    need(parts(archive, constants.FrameType.CONTENT) == 1, "there is no index of the content")
    later = work / "later"
    later.mkdir(exist_ok=True)
    (later / "twin c").write_bytes(contents[b"07.png"])
    (later / "other").write_bytes(b"other")
    run_well("add", "--all", "--dedup=all", path, later)
    wanted += [(b"other", b"other"), (b"twin c", contents[b"07.png"])]
    _, archive = expect(path, wanted, "add")
    need(sum(entry.aliased for entry in archive.all) == 3, "a twin of a commit before is not an alias")
    return wanted


def check_changes(path, work, wanted):
    """mv, meta, set, attach, rm, seal. What is there afterwards."""
    run_well("mv", path, "03.png", "moved/3.png")
    wanted = without(wanted, "03.png") + [(b"moved/3.png", pick(wanted, "03.png")[0][1])]
    run_well("mv", path, "twin a", "twin z")
    wanted = without(wanted, "twin a") + [(b"twin z", pick(wanted, "twin a")[0][1])]
    _, archive = expect(path, wanted, "mv")
    need(sum(entry.dead for entry in archive.all) == 2, "the old names are not among the dead")
    run_well("meta", path, "title=all verbs", "own=\u00e4\n")
    need(expect(path, wanted, "meta")[1].meta == {"title": "all verbs", "own": "\u00e4\n"}, "the metadata differ")
    (work / "score.csv").write_text("name,score:f32,tags:list<u16>\n05.png,0.5,\"[1,2]\"\nmoved/3.png,,[]\n", encoding="utf-8")
    run_well("set", path, work / "score.csv")
    for name, mask in (("05.png", b"mask of 5"), ("06.png", b"mask of 6"), ("moved/3.png", b"mask of 3")):
        (work / "mask").write_bytes(mask)
        run_well("attach", path, name, "mask", work / "mask")
    found, archive = expect(path, wanted, "attach")
    values = {name.decode(): columns for name, _, columns in found}
    for name, own in (("05.png", (0.5, [1, 2], b"mask of 5")), ("moved/3.png", (None, [], b"mask of 3"))):
        found = tuple(values[name].get(column) for column in ("score", "tags", "mask"))
        need(found == own, "columns of %s are %s" % (name, found))
    run_well("rm", path, "06.png", "07.png", "11.png", "twin b")
    wanted = without(wanted, "06.png", "07.png", "11.png", "twin b")
    _, archive = expect(path, wanted, "rm")
    need(sum(entry.dead and entry.attachment for entry in archive.all) == 1, "the attachment is alive")
    run_well("seal", path)
    _, archive = expect(path, wanted, "seal")
    need([parts(archive, kind) for kind in (constants.FrameType.RUN, constants.FrameType.NAMES)] == [1, 1], "it is not sealed")
    return wanted


def check_compacts(path, wanted):
    before, archive = expect(path, wanted, "seal")
    commits, meta = archive.commit.seq + 1, archive.meta
    copy = path.with_suffix(".copy.aimg")
    for options, count in (((), commits), (("--drop-history",), 1)):
        run_well("compact", "--force", *options, path, "-o", copy)
        after, archive = expect(copy, wanted, "compact")
        need(after == before and archive.meta == meta, "columns or metadata differ after compact")
        need(not any(entry.dead for entry in archive.all) and archive.commit.seq + 1 == count,
             "%d commits after compact, or dead images" % (archive.commit.seq + 1))
    return archive


def check_life(work):
    """All that the verbs write, one after the other on one archive."""
    path = work / "life.aimg"
    wanted = check_changes(path, work, check_twins(path, work))
    archive = check_compacts(path, wanted)
    need(sum(entry.aliased for entry in archive.all) == 1, "twins share no bytes after compact")
    need(parts(archive, constants.FrameType.CONTENT) == 1, "the index of the content is gone after compact")


def jpeg(seed):
    """As a small JPEG is: most of its bytes are tables that all have."""
    segment = lambda marker, body: b"\xff" + bytes([marker]) + (len(body) + 2).to_bytes(2, "big") + body
    tables = segment(0xDB, pictures.noise(65, 1)) + segment(0xC4, pictures.noise(400, 2))
    frame = segment(0xC0, b"\x08\x00\x20\x00\x20\x01\x01\x11\x00")
    return b"\xff\xd8" + tables + frame + segment(0xDA, b"\x01\x01\x00\x00\x3f\x00") + pictures.noise(300, seed) + b"\xff\xd9"


def check_trained(work):
    """A dictionary that pack learned, images that use it, more of them, and both in a copy."""
    path, numbers = work / "trained.aimg", itertools.count(1000)
    for folder, count in (("small", 600), ("small2", 50)):
        (work / folder).mkdir()
        for number in itertools.islice(numbers, count):
            (work / folder / ("%d.jpg" % number)).write_bytes(jpeg(number))
    run_well("pack", "--force", "--compress", "auto", path, work / "small")
    run_well("add", "--compress", "auto", path, work / "small2")
    files = [file for folder in ("small", "small2") for file in sorted((work / folder).iterdir())]
    wanted = [(file.name.encode(), file.read_bytes()) for file in files]
    for what in ("pack and add", "rm", "compact"):
        if what == "rm":
            run_well("rm", path, "1000.jpg", "1300.jpg")
            wanted = without(wanted, "1000.jpg", "1300.jpg")
        elif what == "compact":
            run_well("compact", path)
        _, archive = expect(path, wanted, what)
        codings = {coding.coding for coding in archive.root.codings}
        coded = sum(entry.coding in codings for entry in archive.all if not entry.dead)
        need(len(codings) == 1 and coded == len(wanted), "%d dictionaries, %d of %d images use them after %s" % (
            len(codings), coded, len(wanted), what))


def main():
    work = pathlib.Path(sys.argv[3])
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    fill(work / "appended", ["one.png", "two.png"])
    jobs = [("pack " + " ".join(options), lambda options=options: check_pack(work, *options))
            for options in ((), ("--compress", "zstd"), ("--times", "--no-label"))]
    jobs += [("all verbs", lambda: check_life(work)), ("a trained dictionary", lambda: check_trained(work))]
    for number, path in enumerate(sorted(pathlib.Path(sys.argv[2]).glob("*/*.aimg"))):
        tried = number % EVERY == 0 or path.stem in BEFORE_A_COMMIT
        if tried and "images" in json.loads(path.with_suffix(".json").read_text(encoding="utf-8")):
            jobs.append((path.stem, lambda path=path: check_append(path, work)))
    failed = 0
    for name, job in jobs:
        try:
            job()
        except (Failed, ValueError, subprocess.TimeoutExpired) as trouble:
            print("%s: %s" % (name, trouble))
            failed += 1
    print("%d passed, %d failed" % (len(jobs) - failed, failed))
    return 1 if failed else 0


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    sys.path.insert(0, sys.argv[1])
    import constants
    import pictures
    from self_check import read_valid
    from checksum import print128
    from vector import plain
    sys.exit(main())
