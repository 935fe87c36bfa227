#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""check_spec.py ROOT: the numbers of SPEC.md and REGISTRY.md are those of constants.h and aimg.h, and the tables add up."""

import glob
import json
import os
import re
import sys

faults = []


def expect(what, spec, code):
    if spec != code:
        faults.append(f"{what}: the specification says {spec}, the code {code}")


# ------------------------------------------------------------------ the code

SUFFIX = re.compile(r"\b(0x[0-9A-Fa-f]+|\d+)[uUlL]+\b")


def read_constants(text):
    """#define NAME VALUE and enumerators: numbers as int, strings as bytes; names of enumerators apart, by enum."""
    values, enums = {}, {}
    for name, value in re.findall(r"^#define (AIMG_\w+) +(.+?)(?: */\*.*)?$", text, re.M):
        if value.startswith('"'):
            values[name] = value.strip('"').encode().decode("unicode_escape").encode("latin-1")
            continue
        value = SUFFIX.sub(r"\1", re.sub(r"U?INT64_C\((\w+)\)", r"\1", value))
        value = re.sub(r"\bAIMG_\w+\b", lambda found: str(values.get(found.group(), found.group())), value)
        if re.fullmatch(r"[0-9a-fA-Fx()<>|+* -]+", value):
            values[name] = eval(value)  # arithmetic on numbers, nothing else gets through the pattern
    for enum, body in re.findall(r"enum (aimg_\w+) \{(.*?)\}", text, re.S):
        body = re.sub(r"/\*.*?\*/", "", body, flags=re.S)
        enums[enum] = {name: int(value, 0) for name, value in re.findall(r"(AIMG_\w+) *= *(\w+)", body)}
    return values, enums


def stripped(enum, prefix):
    return {name[len(prefix):]: value for name, value in enum.items() if name.startswith(prefix)}


# ------------------------------------------------------------------ the specification

def sections(text):
    """Number of a section -> its text."""
    parts = re.split(r"^#{2,4} ([0-9.]+?)\.? .*$", text, flags=re.M)
    return dict(zip(parts[1::2], parts[2::2]))


def tables(text):
    """Tables of a section, as lists of rows of cells; the head first."""
    found, rows = [], []
    for line in text.splitlines() + [""]:
        if line.startswith("|"):
            cells = [cell.strip().strip("`") for cell in line.strip().strip("|").split("|")]
            if not all(re.fullmatch(r":?-+:?", cell) for cell in cells):
                rows.append(cells)
        elif rows:
            found.append(rows)
            rows = []
    return found


def number(text):
    return int(text.replace(",", "")) if re.fullmatch(r"[\d,]+", text) else None


def check_layout(section, rows, begin, end):
    """Offsets of a table of fields follow from the sizes, without gap or overlap, from begin to end."""
    place = begin
    for row in rows[1:]:
        offset = number(row[0])
        sizes = [int(size) for size in re.findall(r"\d+", row[1])]
        if offset is None or not sizes:
            continue  # the variable part at the end
        expect(f"section {section}, field '{row[2]}': offset", offset, place)
        place = offset + sum(sizes)
    expect(f"section {section}: bytes in all", place, end)


def check_layouts(parts, c):
    """The structures of fixed size, and their place in the code's count of bytes."""
    page = c["AIMG_PAGE_BYTES"]
    for section, index, begin, end in [
        ("2.1", 0, 0, c["AIMG_HEADER_BYTES"]),
        ("2.2", 0, 0, c["AIMG_PARAMS_BYTES"]),
        ("2.3", 0, 0, c["AIMG_HINT_BYTES"]),
        ("3", 0, 0, c["AIMG_FRAME_BYTES"]),
        ("4", 0, c["AIMG_FRAME_BYTES"], page),
        ("5", 0, 0, c["AIMG_ROOT_HEAD_BYTES"]),
        ("5.1", 0, 0, c["AIMG_PART_BYTES"]),
        ("5.2", 0, 0, c["AIMG_COLUMN_RECORD_BYTES"]),
        ("6", 0, 0, c["AIMG_SECTION_BYTES"]),
        ("6", 1, 0, c["AIMG_TABLE_FOOTER_BYTES"]),
        ("6.3", 0, 0, c["AIMG_ENTRY_BYTES"]),
        ("7", 0, 0, c["AIMG_CODING_RECORD_BYTES"]),
    ]:
        check_layout(section, tables(parts[section])[index], begin, end)


def check_magics(parts, c):
    shown = bytes.fromhex(re.search(r"\| magic \| `((?:[0-9A-F]{2} ){7}[0-9A-F]{2})`", parts["2.1"]).group(1))
    expect("magic of the file", shown, c["AIMG_MAGIC"])
    frame = bytes.fromhex(re.search(r"\| magic \| `([0-9A-F]{2} [0-9A-F]{2})`", parts["3"]).group(1))
    expect("magic of a frame", int.from_bytes(frame, "little"), c["AIMG_FRAME_MAGIC"])
    text, tail = re.search(r"\| magic \| `(\w+)` and ([0-9A-F]{2})", parts["4"]).groups()
    expect("magic of a commit", text.encode() + bytes.fromhex(tail), c["AIMG_COMMIT_MAGIC"])
    for section, name in [("2.3", "AIMG_HINT_MAGIC"), ("5", "AIMG_ROOT_MAGIC"), ("6", "AIMG_TABLE_MAGIC")]:
        expect(name, re.search(r"\| magic \| `(\w+)`", parts[section]).group(1).encode(), c[name])


def check_lists(parts, c, enums, public_enums):
    types = {row[1]: int(row[0]) for row in tables(parts["3.1"])[0][1:]}
    expect("frame types", types, stripped(enums["aimg_frame_type"], "AIMG_FRAME_"))
    kinds = {row[1]: int(row[0]) for row in tables(parts["6.1"])[0][1:]}
    expect("section kinds", kinds, stripped(enums["aimg_section_kind"], "AIMG_SECTION_"))
    bits = {}
    for mask, bit, name, _ in tables(parts["4.1"])[0][1:]:
        bits[f"AIMG_{mask.upper()}_{name}"] = 1 << int(bit)
    known = {name: value for name, value in c.items() if re.match(r"AIMG_(INCOMPAT|RO_COMPAT|COMPAT)_(?!KNOWN)", name)}
    expect("feature bits", bits, known)
    for mask in ("INCOMPAT", "RO_COMPAT", "COMPAT"):
        together = sum(value for name, value in bits.items() if name.startswith(f"AIMG_{mask}_"))
        expect(f"AIMG_{mask}_KNOWN", together, c[f"AIMG_{mask}_KNOWN"])
    column_types = {}
    for codes, names, _ in tables(parts["8"])[0][1:]:
        column_types.update(zip([name.upper() for name in names.split(", ")], [int(code) for code in codes.split(", ")]))
    expect("column types", column_types, stripped(public_enums["aimg_type"], "AIMG_TYPE_"))


# A number in a sentence or a table, as a pattern with one group, and its constant.
LIMITS = [
    ("1", r"Units are (\d+) bytes", "AIMG_UNIT"),
    ("1", r"stored in (\d+) bytes: the low 64 bits", "AIMG_HASH_BYTES"),
    ("2.1", r"^\| 0 \| (\d+) \| magic", "AIMG_MAGIC_BYTES"),
    ("2.1", r"^\| 16 \| (\d+) \| uuid", "AIMG_UUID_BYTES"),
    ("2", r"^0 +header, (\d+) bytes", "AIMG_HEADER_BYTES"),
    ("2", r"^4096 +hint A, (\d+) bytes", "AIMG_HINT_BYTES"),
    ("2", r"^(\d+) +frame, frame", "AIMG_HEAD_BYTES"),
    ("2.1", r"\| writer_bytes \| 0 to (\d+)", "AIMG_WRITER_TEXT_MAX"),
    ("2.2", r"2\^this; (\d+) to \d+", "AIMG_ALIGNMENT_LOG2_MIN"),
    ("2.2", r"2\^this; \d+ to (\d+)", "AIMG_ALIGNMENT_LOG2_MAX"),
    ("3", r"round8\((\d+) \+ name_bytes", "AIMG_FRAME_BYTES"),
    ("3", r"/ 8, at most (\d+) \(rule 15\)", "units AIMG_FRAME_HEADER_MAX"),
    ("3.1", r"\| ALIAS \| (\d+) bytes", "AIMG_ALIAS_BYTES"),
    ("3", r"rule 17: below 2\^(\d+)", "log2 AIMG_PAYLOAD_LIMIT"),
    ("3", r"Kinds from (0x\d+) on are", "AIMG_EXT_CRITICAL"),
    ("4", r"multiple of (\d+) \(rule 24\)", "AIMG_PAGE_BYTES"),
    ("4", r"\| message_bytes \| 0 to (\d+)", "AIMG_MESSAGE_MAX"),
    ("4", r"bit (\d+) SEALED", "log2 AIMG_COMMIT_SEALED"),
    ("5", r"\| part_count \| at most ([\d,]+)", "AIMG_PART_MAX"),
    ("5", r"\| column_count \| at most ([\d,]+)", "AIMG_COLUMN_MAX"),
    ("5", r"\| coding_count \| at most ([\d,]+)", "AIMG_CODING_MAX"),
    ("5", r"at most 2\^32 - (\d+)", "2^32 - AIMG_ORDINAL_LIMIT"),
    ("5", r"part_count records of (\d+) bytes", "AIMG_PART_BYTES"),
    ("5", r"coding_count records of (\d+) bytes", "AIMG_CODING_RECORD_BYTES"),
    ("5.1", r"gap or overlap; at most ([\d,]+) of them", "AIMG_RUN_MAX"),
    ("5.1", r"NAMES parts, at most (\d+)", "AIMG_NAME_RUN_MAX"),
    ("5.1", r"CONTENT parts, at most (\d+)", "AIMG_NAME_RUN_MAX"),
    ("5.2", r"\| name_bytes \| 1 to (\d+)", "AIMG_COLUMN_NAME_MAX"),
    ("5.2", r"bit (\d+) LIST", "log2 AIMG_COLUMN_LIST"),
    ("6", r"begins at a multiple of (\d+) and is", "AIMG_TABLE_ALIGN"),
    ("6", r"H of each block of (\d+) bytes", "AIMG_BLOCK_BYTES"),
    ("6", r"section_count records of (\d+) bytes", "AIMG_SECTION_BYTES"),
    ("6", r"footer: (\d+) bytes", "AIMG_TABLE_FOOTER_BYTES"),
    ("6", r"\| section_count \| at most ([\d,]+)", "AIMG_SECTION_MAX"),
    ("6", r"\| codec \| (\d+) none", "AIMG_CODEC_NONE"),
    ("6", r"\| codec \| 0 none, (\d+) zstd", "AIMG_CODEC_ZSTD"),
    ("6.1", r"ENTRIES \| RUN, exactly one \| (\d+) bytes", "AIMG_ENTRY_BYTES"),
    ("6.1", r"listed rows before row (\d+)\*i", "AIMG_RANK_ROWS"),
    ("6.1", r"NAME_SLOTS \| NAMES, exactly one \| (\d+) bytes", "AIMG_NAME_SLOT_BYTES"),
    ("6.1", r"CONTENT_SLOTS \| CONTENT, exactly one \| (\d+) bytes", "AIMG_CONTENT_SLOT_BYTES"),
    ("6.1", r"in the section's last (\d+)\*groups bytes", "AIMG_GROUP_RECORD_BYTES"),
    ("6.1", r"once its raw form has ([\d,]+) bytes", "AIMG_GROUP_TARGET_BYTES"),
    ("6.1", r"a value has at most 2\^(\d+) bytes", "log2 AIMG_VALUE_MAX_BYTES"),
    ("6.1", r"raw_bytes is at most 2\^(\d+)", "log2 AIMG_GROUP_MAX_BYTES"),
    ("6.2", r"\(index - home\), at most ([\d,]+)", "AIMG_PROBE_MAX"),
    ("6.3", r"bits 0 to (\d+): offset / 8", "log2 of 16 AIMG_FILE_LIMIT"),
    ("6.3", r"bit (\d+) ALIASED", "entry flag AIMG_ENTRY_ALIASED"),
    ("6.3", r"bit (\d+) ATTACHMENT", "entry flag AIMG_ENTRY_ATTACHMENT"),
    ("7", r"^Coding (\d+): stored as it is", "AIMG_CODING_STORE"),
    ("7", r"Coding (\d+): one zstd frame", "AIMG_CODING_ZSTD"),
    ("7", r"REGISTRY; (\d+) zstd with dictionary", "AIMG_CODEC_ZSTD_DICT"),
    ("7", r"window at most 2\^(\d+)", "AIMG_ZSTD_WINDOW_LOG_MAX"),
    ("7", r"Codings from (\d+) on", "AIMG_CODING_FIRST_LISTED"),
    ("7", r"its stored_bytes, 1 to ([\d,]+)", "AIMG_DICT_MAX_BYTES"),
    ("9", r"key_bytes \(1 to (\d+)\)", "AIMG_META_KEY_MAX"),
    ("9", r"at most (\d+) MiB", "MiB AIMG_META_MAX_BYTES"),
    ("10", r"1 to ([\d,]+) bytes; components", "AIMG_NAME_MAX"),
    ("10", r"between slashes of 1 to (\d+) bytes", "AIMG_NAME_COMPONENT_MAX"),
]


# How a number of the text becomes that of the constant.
UNITS = {
    "": lambda value: value,
    "log2": lambda value: 1 << value,
    "log2 of 16": lambda value: 16 << value,  # the last bit of a field that counts in units of 8
    "2^32 -": lambda value: (1 << 32) - value,
    "MiB": lambda value: value << 20,
    "units": lambda value: 8 * value,
    "entry flag": lambda value: 1 << (value - 56),
}


def check_limits(parts, c):
    for section, pattern, constant in LIMITS:
        found = re.search(pattern, parts[section], re.M)
        if found is None:
            faults.append(f"section {section} no longer says anything like '{pattern}', which {constant} is checked against")
            continue
        value = int(found.group(1).replace(",", ""), 0)
        how, _, name = constant.rpartition(" ")
        expect(f"section {section}: {name}", UNITS[how](value), c.get(name))


def check_rules(text, parts):
    """Every rule that the text cites is in the list, once, in order."""
    listed = [int(row[0]) for row in tables(parts["11"])[0][1:]]
    expect("rules in ascending order", listed, sorted(set(listed)))
    cited = set()
    for inside in re.findall(r"\brules? ((?:\d+(?:, | and | to )?)+)", text):
        cited.update(int(rule) for rule in re.findall(r"\d+", inside))
    expect("rules that are cited but not listed", sorted(cited - set(listed)), [])


def check_vectors(root, parts):
    """Every rule has a vector that breaks it; one that is a warning has a valid archive that is warned of."""
    tripped = set()
    for folder, key in (("bad", "rule"), ("good", "warnings")):
        for path in glob.glob(os.path.join(root, "spec/vectors", folder, "*.json")):
            with open(path, encoding="utf-8") as file:
                found = json.load(file).get(key, [])
            tripped.update(found if isinstance(found, list) else [found])
    listed = [int(row[0]) for row in tables(parts["11"])[0][1:]]
    expect("rules without a vector", [rule for rule in listed if rule not in tripped], [])


def check_registry(path, public_enums):
    if not os.path.exists(path):
        faults.append(f"{path} is missing")
        return
    with open(path, encoding="utf-8") as file:
        text = file.read()
    formats = stripped(public_enums["aimg_format"], "AIMG_FORMAT_")
    for name, code in formats.items():
        if not re.search(rf"^\| *{code} *\| *`?{name}`?\b", text, re.M | re.I):
            faults.append(f"REGISTRY.md has no row '| {code} | {name.lower()} ...' for AIMG_FORMAT_{name}")


def main(root):
    texts = {}
    for name in ("spec/SPEC.md", "format/constants.h", "libarchive-img/include/aimg/aimg.h"):
        with open(os.path.join(root, name), encoding="utf-8") as file:
            texts[name] = file.read()
    spec = texts["spec/SPEC.md"]
    parts = sections(spec)
    c, enums = read_constants(texts["format/constants.h"])
    public, public_enums = read_constants(texts["libarchive-img/include/aimg/aimg.h"])
    version = re.search(r"^# .*version (\S+)$", spec, re.M).group(1)
    expect("version of the format (constants.h)", version, f"{c['AIMG_FORMAT_MAJOR']}.{c['AIMG_FORMAT_MINOR']}")
    expect("version of the format (aimg.h)", version, public["AIMG_FORMAT_VERSION"].decode())
    number_version = ".".join(str(public[f"AIMG_VERSION_{part}"]) for part in ("MAJOR", "MINOR", "PATCH"))
    expect("version of the library", number_version, public["AIMG_VERSION"].decode())
    check_layouts(parts, c)
    check_magics(parts, c)
    check_lists(parts, c, enums, public_enums)
    check_limits(parts, c)
    check_rules(spec, parts)
    check_vectors(root, parts)
    check_registry(os.path.join(root, "spec/REGISTRY.md"), public_enums)
    for fault in faults:
        print(f"check_spec: {fault}", file=sys.stderr)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
