#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""figures.py TOPIC COMMAND FILE: keeps the figures of a run that COMMAND has made, as tests/reliability/TOPIC.json.

FILE: one JSON object, or a log of which the lines that are JSON objects count; they are put together."""

import datetime
import json
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]


def place_of(topic):
    return ROOT / "tests" / "reliability" / (topic + ".json")


def today():
    return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d")


def commit():
    """The short hash of what is checked out; "unknown" outside of a clone."""
    told = subprocess.run(["git", "-c", "safe.directory=*", "-C", ROOT, "rev-parse", "--short", "HEAD"], capture_output=True,
                          text=True, check=False)
    return told.stdout.strip() or "unknown"


def keep(topic, command, figures):
    """Writes the whole file anew; who is stopped leaves the old one."""
    path = place_of(topic)
    path.parent.mkdir(exist_ok=True)
    told = {"date": today(), "commit": commit(), "command": command, **figures}
    new = path.with_suffix(".new")
    new.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    new.replace(path)


def read(path):
    text = pathlib.Path(path).read_text(encoding="utf-8")
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        figures = {}
        for line in text.splitlines():
            if line.startswith("{"):
                figures.update(json.loads(line))
        return figures


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    keep(sys.argv[1], sys.argv[2], read(sys.argv[3]))
