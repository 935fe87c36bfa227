# SPDX-License-Identifier: Apache-2.0
"""Whether the vectors' own reader finds in a file what its JSON says: shows mistakes of the encoder."""
import json

from check_frames import Report
from check_index import check_file
from checksum import print128
from vector import plain, print_chain

WARNINGS = (33, 52)


def compare(data, expected):
    """Yields what differs."""
    archive = check_file(data)
    report: Report = archive.report
    faults = [finding for finding in report.findings if finding[0] not in WARNINGS]
    if expected["valid"] and faults:
        yield "breaks rules: %s" % faults
    if not expected["valid"] and expected["rule"] not in report.rules:
        yield "rule %d is not among %s" % (expected["rule"], report.findings)
    if expected["opens"] is not None and expected["opens"] != report.opens:
        yield "opens is %s, status %s" % (report.opens, report.status)
    if expected.get("status", report.status) != report.status:
        yield "status is %s, not %s" % (report.status, expected["status"])
    if "images" in expected:
        yield from compare_content(archive, expected)


def compare_content(archive, expected):
    entries = archive.entries
    listed = [entry for entry in entries if not entry.dead and not entry.attachment]
    attached = [entry for entry in entries if not entry.dead and entry.attachment]
    found = {"commits": len(archive.commits), "ordinals": len(entries), "listed": len(listed),
             "dead": sum(entry.dead for entry in entries), "attached": len(attached),
             "images": [{"position": position, **describe(archive, entry)} for position, entry in enumerate(listed)]}
    if attached:
        found["attachments"] = [describe(archive, entry) for entry in attached]
    if archive.commits:
        found["chain"] = print_chain(archive.commits[-1].chain)
    if archive.root and archive.root.meta[0]:
        found["meta"] = archive.meta
    for key in found:
        if json.dumps(found[key], sort_keys=True) != json.dumps(expected.get(key), sort_keys=True):
            yield "%s is %s, not %s" % (key, found[key], expected.get(key))


def describe(archive, entry):
    names = {column.id: column.name.decode() for column in archive.root.columns}
    columns = {names[number]: plain(entry.values[number]) for number in names if number in entry.values}
    return {"ordinal": entry.ordinal, "name": entry.name.decode(), "bytes": len(entry.raw), "xxh128": print128(entry.raw),
            **({"columns": columns} if columns else {})}
