# SPDX-License-Identifier: Apache-2.0
"""What ../reader.py finds in an archive, in the form of the vectors' JSON, and whether that is what the JSON says."""
import json
import pathlib
import sys
from types import SimpleNamespace

import xxhash

from vector import plain, print_chain

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1]))
import reader  # noqa: E402

LARGE = 1 << 30

def rules(findings, warnings=False):
    return sorted({finding.rule for finding in findings if finding.warning == warnings})


def read_valid(path):
    """The Archive, with every image as .all; ValueError when it breaks a rule."""
    faults = [finding for finding in reader.verify(path) if not finding.warning]
    if faults:
        raise ValueError("breaks rules: %s" % [str(fault) for fault in faults[:5]])
    archive = reader.Archive(path)
    archive.all = entries(archive)
    return archive


def entries(archive):
    """All images, with their bytes and the values of their columns by name."""
    columns = {column.name: archive.values(column) for column in archive.columns}
    return [SimpleNamespace(
        ordinal=image.ordinal, name=image.name, raw=archive.read(image), dead=image.dead, attachment=image.masked,
        aliased=image.aliased, coding=image.coding,
        values={name: values[image.ordinal] for name, values in columns.items() if values[image.ordinal] is not None})
        for image in archive.every_image()]


def content(archive):
    """What the JSON says of an archive that is valid."""
    found, values = list(archive.every_image()), {column.name: archive.values(column) for column in archive.columns}
    listed = [image for image in found if image.listed]
    attached = [image for image in found if not image.dead and image.masked]
    commit = archive.commit
    told = {"commits": commit.seq + 1 if commit else 0, "ordinals": len(found), "listed": len(listed),
            "dead": sum(image.dead for image in found), "attached": len(attached),
            "images": [{"position": position, **describe(archive, image, values)} for position, image in enumerate(listed)]}
    for image in found:
        if image.dead:
            digest_of(archive, image)
    if attached:
        told["attachments"] = [describe(archive, image, values) for image in attached]
    if commit:
        told["chain"] = print_chain(commit.chain)
    if archive.root and archive.root.meta_offset:
        told["meta"] = archive.meta
    for entry in listed + attached:
        if entry.name and archive.find(entry.name).ordinal != entry.ordinal:
            raise ValueError("%r is not found by its name" % entry.name)
    return told


def digest_of(archive, image):
    """How many bytes, and their hash as the JSON has it. Bytes that take seconds to read were read by the validator."""
    if not image.coding and image.stored_bytes > LARGE:
        return archive.frame_of(image).stored_bytes, image.hash[::-1].hex()
    state, count = xxhash.xxh3_128(), 0
    for piece in archive.pieces(image):
        state.update(piece)
        count += len(piece)
    return count, state.hexdigest()


def describe(archive, image, values):
    columns = {name: plain(of[image.ordinal]) for name, of in values.items() if of[image.ordinal] is not None}
    count, digest = digest_of(archive, image)
    return {"ordinal": image.ordinal, "name": image.name.decode(), "bytes": count, "xxh128": digest,
            **({"columns": columns} if columns else {})}


def compare_rules(file, expected):
    findings = reader.verify(file)
    broken, warned = rules(findings), rules(findings, warnings=True)
    if expected["valid"] and (broken or warned != expected.get("warnings", [])):
        yield "breaks rules %s, warns of %s: %s" % (broken, warned, findings[:5])
    if not expected["valid"] and expected["rule"] not in broken:
        yield "rule %d is not among %s" % (expected["rule"], findings)
    if expected.get("rules", broken) != broken:
        yield "breaks rules %s, not %s" % (broken, expected["rules"])


def compare(file, expected):
    """Yields what differs."""
    if expected.get("verified", True):
        yield from compare_rules(file, expected)
    try:
        archive, status = reader.Archive(file), "ok"
    except reader.Fault as fault:
        archive, status = None, fault.status
    if expected["opens"] not in (None, archive is not None):
        yield "opens is %s, status %s" % (archive is not None, status)
    if expected.get("status", status) != status:
        yield "status is %s, not %s" % (status, expected["status"])
    if archive and "images" in expected:
        found = content(archive)
        for key in found:
            if json.dumps(found[key], sort_keys=True) != json.dumps(expected.get(key), sort_keys=True):
                yield "%s is %s, not %s" % (key, found[key], expected.get(key))
    if archive:
        yield from some_images(archive, expected.get("some_images", []))
        yield from handed_out(archive, expected)


def some_images(archive, images):
    """Of so many that not all are asked for: bytes, position, ordinal and name."""
    for image in images:
        found = archive.at_position(image["position"]), archive.image(image["ordinal"]), archive.find(image["name"].encode())
        for one in found:
            told = {"position": image["position"], **describe(archive, one, {})} if one else None
            if told != {key: value for key, value in image.items() if key != "columns"}:
                yield "%s, not %s" % (told, image)


def refused(action):
    """Whether the reader gives an error instead of an answer."""
    try:
        action()
        return False
    except reader.Fault:
        return True


def looked_up(archive, name):
    """Whether an image of that name is found; None: there is an error instead."""
    try:
        return archive.find(name.encode()) is not None
    except reader.Fault:
        return None


def handed_out(archive, expected):
    """Yields what a reader says, or says is not there, against what binds it."""
    for name in expected.get("gone", []):
        if archive.find(name.encode()):
            yield "%r is found, although it is gone" % name
    for name in expected.get("not_found", []):
        if looked_up(archive, name):
            yield "%r is found" % name
    for name in expected.get("not_missing", []):
        if looked_up(archive, name) is False:
            yield "%r is said to be missing" % name
    for position in expected.get("refuses", []):
        if not refused(lambda: archive.read(archive.at_position(position))):
            yield "the image at %d is handed out" % position
    if expected.get("refuses_meta") and not refused(lambda: archive.meta):
        yield "the metadata are handed out"
    if expected.get("refuses_list") and not refused(lambda: archive.names):
        yield "the names of all images are handed out"
    for column in archive.columns:
        for ordinal in expected.get("refuses_values", {}).get(column.name, []):
            if not refused(lambda: archive.values(column)[ordinal]):
                yield "the value of column %s of image %d is handed out" % (column.name, ordinal)
