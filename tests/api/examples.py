#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""examples.py ROOT TEXT AIMG LIBRARY CC [CFLAG...]: runs the examples of a text, in order, in one scratch folder.

In Markdown every block that begins with ```c is a whole program, and every block that begins with ```sh run is run by the shell.
In a C header an example is a whole program in a comment: the lines indented by four further spaces after a line with "Example".
Programs get the name of an archive, photos.aimg, as their argument. The folder holds photos/ and more/ (pictures in class
folders), and photos.aimg unless a block before made it. A text without an example is an error.
"""

import os
import re
import subprocess
import sys
import tempfile

PICTURES_PER_CLASS = "3"


def blocks_of_markdown(text):
    """(line, kind, code) of the blocks to run."""
    found = []
    for match in re.finditer(r"^```(c|sh run)\n(.*?)^```$", text, re.M | re.S):
        found.append((text.count("\n", 0, match.start()) + 2, match.group(1), match.group(2)))
    return found


def blocks_of_header(text):
    found, begin, code, inside = [], 0, [], False
    for number, line in enumerate(text.splitlines(), 1):
        if re.match(r"^(/\*| \*) .*\bExample\b", line):
            inside, begin, code = True, number + 1, []
        elif inside and (line.startswith(" *     ") or line.rstrip() == " *"):
            code.append(line[7:])
        elif inside:
            if any(code):
                found.append((begin, "c", "\n".join(code) + "\n"))
            inside = False
    return found


class Runner:
    def __init__(self, root, aimg, library, compiler):
        self.root, self.aimg, self.compiler = root, aimg, compiler
        self.shared_object = library
        folder = os.path.dirname(library)
        self.environment = dict(os.environ, PATH=os.path.dirname(aimg) + ":" + os.environ["PATH"], LD_LIBRARY_PATH=folder)

    def run(self, command, scratch):
        done = subprocess.run(command, cwd=scratch, env=self.environment, stdin=subprocess.DEVNULL, text=True, errors="replace",
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=120, check=False)
        return done.returncode, done.stdout

    def prepare(self, scratch):
        maker = os.path.join(self.root, "tests/demo/make_sample.py")
        code, said = self.run([sys.executable, maker, "photos", "more", PICTURES_PER_CLASS, "1"], scratch)
        if code:
            sys.exit(f"the sample could not be made:\n{said}")

    def example(self, kind, code, scratch):
        if kind == "sh run":
            return self.run(["/bin/sh", "-eu", "-c", code], scratch)
        if not os.path.exists(os.path.join(scratch, "photos.aimg")):
            result = self.run([self.aimg, "pack", "photos.aimg", "photos"], scratch)
            if result[0]:
                return result
        with open(os.path.join(scratch, "example.c"), "w", encoding="utf-8") as file:
            file.write(code)
        include = os.path.join(self.root, "libarchive-img/include")
        warnings = ["-std=c11", "-Wall", "-Wextra", "-Werror"]
        command = [*self.compiler, *warnings, "-I", include, "example.c", "-o", "example", self.shared_object]
        result = self.run(command, scratch)
        return result if result[0] else self.run(["./example", "photos.aimg"], scratch)


def main(arguments):
    if len(arguments) < 5:
        sys.exit(__doc__)
    root, name, aimg, library = arguments[:4]
    with open(os.path.join(root, name), encoding="utf-8") as file:
        text = file.read()
    blocks = blocks_of_header(text) if name.endswith(".h") else blocks_of_markdown(text)
    if not blocks:
        print(f"{name}: no example that could be run was found", file=sys.stderr)
        return 1
    runner, bad = Runner(root, aimg, library, arguments[4:]), 0
    with tempfile.TemporaryDirectory() as scratch:
        runner.prepare(scratch)
        for line, kind, code in blocks:
            status, said = runner.example(kind, code, scratch)
            print(f"{name}:{line}: {kind}: {'ok' if status == 0 else f'exit {status}'}")
            if status:
                bad += 1
                print(f"{code}--- said:\n{said}")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
