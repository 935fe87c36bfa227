# SPDX-License-Identifier: Apache-2.0
"""What a vector is, how one is declared, and what is expected of a reader."""
import math
from dataclasses import dataclass
from typing import Callable, Optional

from archive_builder import ArchiveBuilder
from checksum import print128

VECTORS = []


@dataclass
class Vector:
    folder: str
    name: str
    what: str
    build: Callable  # gives (bytes, expectation of the content or None)
    rule: Optional[int] = None
    opens: Optional[bool] = True
    status: Optional[str] = None
    warnings: tuple = ()
    refuses: tuple = ()  # positions
    also: Optional[dict] = None  # more keys of the JSON

    @property
    def path(self):
        return "%s/%s" % (self.folder, self.name)

    def write(self):
        """Gives the bytes of the file and the object for the JSON."""
        data, content = self.build()
        expected = {"valid": self.rule is None, "what": self.what, "opens": self.opens}
        if self.rule is not None:
            expected["rule"] = self.rule
        if self.status:
            expected["status"] = self.status
        if self.warnings:
            expected["warnings"] = list(self.warnings)
        if self.refuses:
            expected["refuses"] = list(self.refuses)
        expected.update(self.also or {})
        expected.update(content or {})
        return data, expected


def good(what, warnings=(), patch=None, **options):
    """Declares a valid vector: the function fills an archive."""
    def declare(function):
        def build():
            archive = ArchiveBuilder(**options)
            function(archive)
            data = archive.bytes()
            return patch(data) if patch else data, content_of(archive)
        VECTORS.append(Vector("good", name_of(function), what, build, warnings=warnings))
        return function
    return declare


def bad(rule, what, scene, opens=True, status=None, patch=None, refuses=(), also=None, **options):
    """Declares a vector that breaks a rule: the function registers edits, then the scene fills the archive; patch changes the
    finished bytes.

    opens is None where SPEC.md leaves it to the reader whether opening fails. refuses: positions of images that a reader must not
    hand out; also: more keys of the JSON."""
    def declare(function):
        def build():
            archive = ArchiveBuilder(**options)
            function(archive)
            scene(archive)
            data = archive.bytes()
            return patch(data) if patch else data, None
        VECTORS.append(Vector("bad", name_of(function), what, build, rule, opens, status, refuses=refuses, also=also))
        return function
    return declare


def edited(name, rule, what, scene, stage, edit, at=0, opens=True, status=None, **options):
    """As bad, for one edit at one stage."""
    def register(archive):
        archive.edit(stage, edit, at)
    register.__name__ = name
    bad(rule, what, scene, opens, status, **options)(register)


def put(**fields):
    """An edit that sets fields of the structure."""
    def edit(subject):
        for field, value in fields.items():
            setattr(subject, field, value)
    return edit


def torn(what, scene, opens=True, status=None, rule=34):
    """Declares a file of which more or less is left than a writer wrote: the function gives the bytes of an archive that the
    scene filled."""
    def declare(function):
        def build():
            archive = ArchiveBuilder()
            scene(archive)
            content = content_of(archive)
            data = function(archive)
            return data, getattr(archive, "kept", content) if opens else None
        VECTORS.append(Vector("bad", name_of(function), what, build, rule, opens, status))
        return function
    return declare


def name_of(function):
    return function.__name__.strip("_").replace("_", "-")


def content_of(archive):
    """What a reader must find, from the builder's state."""
    images = archive.images[:archive.committed]
    listed = [image for image in images if not image.dead and not image.attachment]
    attached = [image for image in images if not image.dead and image.attachment]
    content = {"commits": len(archive.commits), "ordinals": len(images), "listed": len(listed),
               "dead": sum(image.dead for image in images), "attached": len(attached),
               "images": [{"position": position, **describe(archive, image)} for position, image in enumerate(listed)]}
    if attached:
        content["attachments"] = [describe(archive, image) for image in attached]
    names = {image.name for image in images if not image.dead}
    gone = sorted({image.name.decode() for image in images if image.dead and image.name and image.name not in names})
    if gone:
        content["gone"] = gone
    if archive.meta_frame:
        content["meta"] = archive.meta_pairs
    if archive.commits:
        content["chain"] = print_chain(archive.commits[-1].chain_or_computed())
    return content


def print_chain(chain):
    return (chain[8:][::-1] + chain[:8][::-1]).hex()


def describe(archive, image):
    names = {column.id: (column.name.decode(), column) for column in archive.columns}
    columns = {names[number][0]: plain(value) for number, value in sorted(image.values.items()) if value is not None}
    return {"ordinal": image.ordinal, "name": image.name.decode(), "bytes": len(image.data), "xxh128": print128(image.data),
            **({"columns": columns} if columns else {})}


LONG_VALUE = 1000
INTEGER_MAX = (1 << 63) - 1


def plain(value):
    """A column value for JSON: bytes as {"hex"}, floats that are not finite as {"float"}, long texts and bytes as {"bytes",
    "xxh128"}, integers that readers of JSON seldom take as text."""
    raw = value.encode() if isinstance(value, str) else value
    if isinstance(raw, bytes) and len(raw) > LONG_VALUE:
        return {"bytes": len(raw), "xxh128": print128(raw)}
    if isinstance(value, bytes):
        return {"hex": value.hex()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, int) and value > INTEGER_MAX:
        return str(value)
    if isinstance(value, float) and not math.isfinite(value):
        return {"float": repr(value)}
    return value
