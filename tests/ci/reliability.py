#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""reliability.py ROOT [--check]: tests/RELIABILITY.md from tests/reliability. With --check nothing is written: the page is what
it would be, or the exit code is 1.
reliability.py ROOT --record TOPIC COMMAND: takes coverage or tests from what ./dev left in build/log, as TOPIC.json.

A topic is tests/reliability/TOPIC.json, written by the run that it tells of:

    {"date": "YYYY-MM-DD", "commit": "short hash", "command": "./dev fuzz", "seconds": 60, "figures": {...}}

figures: a number or text a name; a list of objects, or an object of objects, becomes a table of its own. Instead of figures the
names may stand beside date and commit. A file "intro.md" stands in front, TOPIC.md above the figures of its topic, "findings.md"
and "comparison.md" behind them; in these {TOPIC.NAME} is a figure, {TOPIC.NAME.NAME} one of an object, {TOPIC.NAME.+NAME} the sum
over an object or list of objects."""

import json
import pathlib
import re
import sys

from figures import keep

TITLES = {
    "fuzz": "Fuzzing", "crash": "Power cuts", "faults": "Faults of the system", "flips": "Flipped bits and sectors",
    "neighbours": "Hostile neighbours", "hostile": "Hostile archives", "repair": "Repair", "vectors": "Golden vectors",
    "mutants": "Checks taken away", "differential": "Two readers", "model": "Random sequences against a model",
    "platforms": "Other machines", "uninitialised": "Bytes that nobody wrote", "sanitizers": "Sanitizers",
    "coverage": "Coverage", "tests": "Tests",
}
FRAME = ("topic", "date", "commit", "command", "seconds", "figures")
PLACE = re.compile(r"\{([a-z_]+(?:\.\+?[A-Za-z0-9_ -]+)+)\}")


class Wrong(Exception):
    pass


def words(name):
    return name.replace("_", " ")


def shown(value):
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.2f}".rstrip("0").rstrip(".")
    if isinstance(value, list):
        return ", ".join(map(shown, value))
    if isinstance(value, dict):
        return ", ".join(f"{words(name)} {shown(one)}" for name, one in value.items())
    return "" if value is None else str(value).replace("|", "\\|")


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return lines + ["| " + " | ".join(row) + " |" for row in rows]


def flat(one):
    """Objects within an object become names of two words, so that each number has a column."""
    pairs = {}
    for name, value in one.items():
        if isinstance(value, dict):
            pairs.update({f"{name} {inner}": number for inner, number in value.items()})
        else:
            pairs[name] = value
    return pairs


def table_of_objects(objects, first):
    """One row an object, its name in front when the objects have names."""
    objects = [(name, flat(one)) for name, one in objects]
    columns = list(dict.fromkeys(name for one in objects for name in one[1]))
    head = ([first] if first is not None else []) + [words(name) for name in columns]
    names = [[words(name)] if first is not None else [] for name, _ in objects]
    rows = [name + [shown(one.get(column)) for column in columns] for name, (_, one) in zip(names, objects)]
    return table(head, rows)


def figures_of(topic):
    return topic["figures"] if "figures" in topic else {name: value for name, value in topic.items() if name not in FRAME}


def figure_lines(figures):
    """Single figures in one table; then a table for each figure that is one."""
    single, lines = [], []
    for name, value in figures.items():
        if isinstance(value, list) and value and all(isinstance(one, dict) for one in value):
            lines += [""] + table_of_objects([("", one) for one in value], None)
        elif isinstance(value, dict) and value and all(isinstance(one, dict) for one in value.values()):
            lines += [""] + table_of_objects(list(value.items()), words(name))
        else:
            single.append([words(name), shown(value)])
    return (table(["What", "How many"], single) if single else []) + lines


def read_topics(folder):
    topics = {}
    for path in sorted(folder.glob("*.json")):
        topic = json.loads(path.read_text(encoding="utf-8"))
        missing = [name for name in ("date", "commit", "command") if not isinstance(topic.get(name), str)]
        if missing or not figures_of(topic):
            raise Wrong(f"{path}: lacks {', '.join(missing) or 'figures'}")
        topics[path.stem] = topic
    return topics


def look_up(topics, place):
    """The value of {TOPIC.NAME...}; None when that did not run."""
    name, *steps = place.split(".")
    if name not in topics:
        return None
    value = figures_of(topics[name])
    for step in steps:
        if step.startswith("+"):
            parts = value.values() if isinstance(value, dict) else value
            return sum(part.get(step[1:], 0) for part in parts)
        if step not in value:
            raise Wrong(f"{{{place}}}: {name}.json has no {step}")
        value = value[step]
    return value


def filled(text, topics):
    def put(match):
        value = look_up(topics, match.group(1))
        return "not run" if value is None else shown(value)
    return PLACE.sub(put, text).strip()


def section(folder, name, topic, topics):
    lines = ["", "## " + TITLES.get(name, words(name).capitalize()), ""]
    text = folder / (name + ".md")
    if text.exists():
        lines += [filled(text.read_text(encoding="utf-8"), topics), ""]
    lines += figure_lines(figures_of(topic))
    took = f", {shown(topic['seconds'])} s" if "seconds" in topic else ""
    return lines + ["", f"`{topic['command']}`, {topic['date']}, commit {topic['commit']}{took}."]


def page(folder):
    topics = read_topics(folder)
    names = [name for name in TITLES if name in topics] + [name for name in topics if name not in TITLES]
    texts = {path.stem: filled(path.read_text(encoding="utf-8"), topics) for path in folder.glob("*.md")}
    lines = ["# Reliability", "", texts.get("intro", "")]
    for name in names:
        lines += section(folder, name, topics[name], topics)
    for name in ("findings", "comparison"):
        if name in texts:
            lines += ["", texts[name]]
    return "\n".join(lines) + "\n"


# ------------------------------------------------------------------ what ./dev left behind


def recorded_coverage(log):
    """The summary of gcovr, for each folder."""
    folders = {}
    for file in json.loads((log / "coverage.json").read_text(encoding="utf-8"))["files"]:
        counts = folders.setdefault(str(pathlib.PurePosixPath(file["filename"]).parent),
                                    {"files": 0, "lines": 0, "lines_reached": 0, "branches": 0, "branches_reached": 0})
        for name, key in (("lines", "line_total"), ("lines_reached", "line_covered"),
                          ("branches", "branch_total"), ("branches_reached", "branch_covered")):
            counts[name] += file[key]
        counts["files"] += 1
    total = {name: sum(counts[name] for counts in folders.values()) for name in next(iter(folders.values()))}
    folders["all"] = total
    for counts in folders.values():
        for name in ("lines", "branches"):
            counts[name + "_percent"] = round(100 * counts[name + "_reached"] / counts[name], 1) if counts[name] else 100.0
    return {"lines_percent": total["lines_percent"], "branches_percent": total["branches_percent"], "folder": folders}


def recorded_tests(log):
    """What each build's tests came to, as results.py summed them up."""
    builds = {}
    for path in sorted(log.glob("tests-*.txt")):
        passed, failed, skipped = map(int, path.read_text(encoding="utf-8").split("\n")[0].split())
        builds[path.stem[len("tests-"):]] = {"passed": passed, "failed": failed, "skipped": skipped}
    return {"build": builds}


def record(root, topic, command):
    figures = {"coverage": recorded_coverage, "tests": recorded_tests}[topic](root / "build" / "log")
    keep(topic, command, {"figures": figures})


def main(root, *words_given):
    root = pathlib.Path(root)
    if words_given[:1] == ("--record",):
        record(root, *words_given[1:])
        return 0
    target = root / "tests" / "RELIABILITY.md"
    text = page(root / "tests" / "reliability")
    if not words_given:
        target.write_text(text, encoding="utf-8")
        return 0
    if words_given != ("--check",):
        sys.exit(__doc__)
    if not target.exists() or target.read_text(encoding="utf-8") != text:
        print(f"{target}: is not what tests/reliability says; ./dev reliability writes it", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    try:
        sys.exit(main(*sys.argv[1:]))
    except Wrong as trouble:
        sys.exit(f"reliability.py: {trouble}")
