#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The commands of spec/reader.py: what they print, their exit codes, and files that are hostile.

run_reader.py SPEC VECTORS WORK

SPEC is the folder spec, VECTORS has the vectors as plain files, WORK is a folder for files."""
import json
import os
import pathlib
import random
import resource
import shutil
import subprocess
import sys

MEMORY = 1 << 29  # of address space; zstd may take 2^27 of it for a window
SECONDS = 60
DAMAGED = 30
failures = []


def expect(condition, what):
    if not condition:
        failures.append(what)


def limit_memory():
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))


def run(*words):
    """Exit code, stdout, stderr."""
    done = subprocess.run([sys.executable, READER, *words], capture_output=True, timeout=SECONDS, preexec_fn=limit_memory)
    text = done.stderr.decode(errors="replace")
    expect("Traceback" not in text, "%s: %s" % (words, text))
    return done.returncode, done.stdout, text


def expect_exit(wanted, *words):
    code, out, text = run(*words)
    expect(code == wanted, "%s: exit %d, not %d: %s" % (words, code, wanted, text))
    expect(code < 2 or text or out, "%s: exit %d without a word" % (words, code))
    return out


def check_usage():
    for words in ((), ("help",), ("list",), ("list", "a", "b"), ("get", "a"), ("get", "a", "b", "c"), ("verify",), ("pack", "a")):
        expect_exit(2, *words)


def check_good(path):
    told = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    lines = expect_exit(0, "list", path).decode().splitlines()
    expect(len(lines) == len(told["images"]), "%s: %d lines of %d images" % (path.name, len(lines), len(told["images"])))
    for line, image in zip(lines, told["images"]):
        position, ordinal, _, size, name = line.split(" ", 4)
        expect((int(position), int(ordinal), int(size)) == (image["position"], image["ordinal"], image["bytes"]), line)
        expect(name == image["name"] or not image["name"].isprintable(), "%s: %s is %r" % (path.name, line, image["name"]))
    for image in told["images"][:2]:
        for word in ("@%d" % image["position"], image["name"]):
            data = expect_exit(0, "get", path, word)
            found = len(data), xxhash.xxh3_128_hexdigest(data)
            expect(found == (image["bytes"], image["xxh128"]), "%s: get %s gives %s" % (path.name, word, found))
    for word in ("@%d" % len(lines), "@", "@x", "@-1", "no such name", "@" + "9" * 30, os.fsdecode(b"\xff\xfe")):
        expect(expect_exit(1, "get", path, word) == b"", "%s: get %s gives bytes" % (path.name, word))
    expect(expect_exit(0, "verify", path) == b"", "%s: verify prints something" % path.name)


def check_bad(path):
    told = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    wanted = 4 if told["rule"] <= 3 else 1
    code, out, text = run("verify", path)
    out = (out.decode() + text).splitlines()
    expect(code == wanted, "%s: verify: exit %d" % (path.name, code))
    expect(any(line.startswith("rule %d at " % told["rule"]) for line in out), "%s: %s" % (path.name, out[:5]))
    for position in told.get("refuses", []):
        expect(expect_exit(4, "get", path, "@%d" % position) == b"", "%s: get gives bytes" % path.name)
    if told["opens"] is False:
        expect_exit(4, "list", path)


def check_warning(path):
    out = expect_exit(0, "verify", path).decode().splitlines()
    expect(out and all(line.startswith("warning: rule 52 at ") for line in out), "%s: %s" % (path.name, out))


def check_no_archives(work):
    folder, missing, empty, short, sparse = (work / name for name in ("folder", "missing", "empty", "short", "sparse"))
    folder.mkdir()
    empty.write_bytes(b"")
    short.write_bytes(b"hello")
    os.mkfifo(work / "pipe")
    with open(sparse, "wb") as file:
        file.truncate(1 << 42)
    for path in (folder, missing, empty, short, sparse, work / "pipe", pathlib.Path("/dev/zero")):
        for words in (("list", path), ("get", path, "@0"), ("verify", path)):
            expect_exit(4, *words)


def check_sparse(path, work):
    """Terabytes of zeros behind an archive take neither time nor memory."""
    copy = work / "long"
    shutil.copy(path, copy)
    with open(copy, "r+b") as file:
        file.truncate(1 << 42)
    out = expect_exit(1, "verify", copy).decode()
    expect(out.startswith("rule 34 at "), out)
    expect_exit(0, "list", copy)


def check_names(work):
    """Names that a terminal would obey are shown, not done; those that no archive may have are not listed (rule 53)."""
    path = work / "names"

    def write(*names):
        archive = ArchiveBuilder()
        for name in names:
            archive.add(name, b"bytes")
        archive.commit()
        path.write_bytes(archive.bytes())
    write("bidi\u202egnp".encode(), b"caf\xc3\xa9")
    lines = expect_exit(0, "list", path).decode().splitlines()
    expect([line.split(" ", 4)[-1] for line in lines] == [r"bidi\u202egnp", "café"], "names are shown as %r" % lines)
    _, _, text = run("get", path, "\x1b[31mno")
    expect("\x1b" not in text and r"\x1b[31mno" in text, "a message with escapes: %r" % text)
    for name in (b"\x1b[31mred\x07", b"\xff\xfe", "bell\u0085".encode(), b"line\nfeed", b"../up", b"/top", b"a//b", b"a\\b"):
        write(b"before", name)
        code, out, text = run("list", path)
        expect(code == 4 and len(out.splitlines()) == 1, "%r is listed: exit %d, %r" % (name, code, out))
        expect("rule 53" in text and "\x1b" not in text, "%r: %r" % (name, text))
        expect(expect_exit(0, "get", path, os.fsdecode(name)) == b"bytes", "%r is not found" % name)
        expect(expect_exit(0, "get", path, "@1") == b"bytes", "%r cannot be read by its position" % name)
        expect_exit(1, "verify", path)


def check_closed_output(path):
    """Nobody reads: that is said, and never taken for an answer."""
    for words in (("list", path), ("get", path, "@0"), ("verify", path)):
        done = subprocess.run([sys.executable, READER, *words], stderr=subprocess.PIPE, check=False,
                              preexec_fn=lambda: os.close(1))
        expect(done.returncode == 4 and b"output is closed" in done.stderr, "%s: %s" % (words[0], done))


def check_damaged(path, work):
    """Whatever is changed: an exit code and a sentence. The many are in run_differential.py, without a process for each."""
    random.seed(1)
    whole = path.read_bytes()
    for number in range(DAMAGED):
        data = bytearray(whole[:random.choice([len(whole), random.randrange(len(whole))])])
        for _ in range(random.randrange(1, 9) if data else 0):
            data[random.randrange(len(data))] = random.randrange(256)
        copy = work / "damaged"
        copy.write_bytes(data)
        for words in (("list", copy), ("get", copy, "@0"), ("verify", copy))[number % 3:][:1]:
            code, out, text = run(*words)
            said = code in (0, 1) or code == 4 and (text or out)
            expect(said, "%s of damage %d: exit %d: %s" % (words[0], number, code, text))


def main():
    vectors, work = pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3])
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    check_usage()
    for name in ("everything", "empty", "name-unicode", "zstd", "coding-trained-dictionary", "name-ties-over-parts"):
        check_good(vectors / "good" / (name + ".aimg"))
    for name in ("file-of-no-bytes", "header-magic", "version-major", "header-flip", "image-flip", "zstd-bomb", "root-hash",
                 "extension-critical", "group-length-wraps", "tail-forged-commit", "truncated-by-a-byte", "incompat-unknown",
                 "root-part-count-huge", "value-bool"):
        check_bad(vectors / "bad" / (name + ".aimg"))
    check_warning(vectors / "good" / "format-disagrees.aimg")
    check_no_archives(work)
    check_sparse(vectors / "good" / "everything.aimg", work)
    check_names(work)
    check_closed_output(vectors / "good" / "everything.aimg")
    check_damaged(vectors / "good" / "everything.aimg", work)
    for failure in failures:
        print(failure)
    print("%d failures" % len(failures))
    return 1 if failures else 0


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    READER = os.path.join(sys.argv[1], "reader.py")
    sys.path[:0] = [os.path.join(sys.argv[1], "vectors")]
    import xxhash
    from archive_builder import ArchiveBuilder
    sys.exit(main())
