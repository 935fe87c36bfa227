#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""fuzz_tally.py TALLY TARGET ENGINE SECONDS OPEN CORPUS COMMIT COMPILER LOG...: adds a run of a fuzzer to the tally.

LOG: of libFuzzer with -print_final_stats=1, or the fuzzer_stats of AFL++. OPEN: finds whose replay does not pass yet."""

import datetime
import json
import os
import re
import sys

# Those that go through files, of which fewer runs are asked for.
ON_FILES = {"fuzz_unpack", "fuzz_refresh", "fuzz_csv", "fuzz_jsonl"}


def last_number(pattern, text):
    found = re.findall(pattern, text)
    return int(found[-1]) if found else 0


def read_log(engine, path, seconds):
    """Executions, seconds and edges of one log; a log that is cut short counts for what it says last."""
    with open(path, errors="replace") as file:
        text = file.read()
    if engine == "afl":
        return (last_number(r"execs_done\s*: (\d+)", text), last_number(r"run_time\s*: (\d+)", text),
                last_number(r"edges_found\s*: (\d+)", text))
    executions = last_number(r"stat::number_of_executed_units: (\d+)", text) or last_number(r"(?m)^#(\d+)\s", text)
    return executions, last_number(r"Done \d+ runs in (\d+) second", text) or seconds, last_number(r"cov: (\d+)", text)


def main():
    tally_path, target, engine, seconds, finds, corpus, commit, compiler = sys.argv[1:9]
    runs = [read_log(engine, path, int(seconds)) for path in sys.argv[9:] if os.path.exists(path)]
    tally = {"targets": {}}
    if os.path.exists(tally_path):
        with open(tally_path) as file:
            tally = json.load(file)
    today = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d")
    entry = tally["targets"].setdefault(target, {"executions": 0, "files": target in ON_FILES})
    engine_entry = entry.setdefault(engine, {"executions": 0, "runs": 0, "seconds": 0})
    executions, spent = sum(run[0] for run in runs), sum(run[1] for run in runs)
    engine_entry["executions"] += executions
    engine_entry["runs"] += 1
    engine_entry["seconds"] += spent
    engine_entry["per_second"] = engine_entry["executions"] // max(engine_entry["seconds"], 1)
    engine_entry["edges"] = max([engine_entry.get("edges", 0)] + [run[2] for run in runs])
    entry["executions"] += executions
    entry["corpus"] = max(int(corpus), entry.get("corpus", 0))
    entry.update(findings_open=int(finds), date=today, commit=commit, compiler=compiler)
    tally.update(date=today, commit=commit, command="./dev fuzz all SECONDS",
                 executions=sum(each["executions"] for each in tally["targets"].values()),
                 findings_open=sum(each["findings_open"] for each in tally["targets"].values()))
    with open(tally_path + ".new", "w") as file:
        json.dump(tally, file, indent=1, sort_keys=True)
        file.write("\n")
    os.replace(tally_path + ".new", tally_path)
    print(f"   {target:<16} {engine:<10} {executions:>12,} executions, {executions // max(spent, 1):,} a second and process; "
          f"{engine_entry['edges']} edges; {finds} open; {entry['executions']:,} in all")


main()
