#!/usr/bin/env python3
"""Every metric that there can be, through promtool: run.py RELANCE

A private Redis holds each counter of `relance help counters` and each live figure of `relance help figures`. What
`relance metrics --prometheus` makes of them is given to `promtool check metrics`, which has nothing to say to it. It
can say something: names as they were once are refused. Without promtool (Debian's prometheus) this is skipped.
"""
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "commands"))
from run import Redis  # noqa: E402

SKIPPED = 77
ELSEWHERE = ("MONTH:", "refunded_on.")  # sums of a cohort or a day, which Prometheus is not told
WORDS = {"OUTCOME": "sent", "N": "1", "FEEDBACK": "opened"}  # of the placeholders that only certain words may stand for


def names(program, topic):
    text = subprocess.run([program, "help", topic], capture_output=True, text=True, check=True).stdout
    found = re.findall(r"^ *(\S+)  +\S", text, re.M)
    assert found, f"relance help {topic} names nothing"
    return found


def fill(redis, counters, figures):
    """Each counter or sum as `name`, a family's placeholders as words; each figure as a number."""
    fields = [re.sub(r"[A-Z]+", lambda word: WORDS.get(word[0], "a"), name) for name in counters]
    redis.ask("HSET relance:{g:t:0}:meta partitions 1 stamp a")
    redis.ask("HSET relance:{g:t:0}:metrics " + " ".join(f"{name} 7" for name in fields))
    redis.ask("HSET relance:g:t:instances one seen=0")
    redis.ask("HSET relance:live:g:one partitions_expected 1 partition.0 'live lag=1 behind=2 clock_behind_s=3 checkpoint_age_s=4' version 1.2.3 " + " ".join(f"{name} 7" for name in figures))


def lint(text):
    done = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


def check(program, socket, counters, figures):
    text = subprocess.run([program, "metrics", "--prometheus", "--group=g", "--input=t", f"--redis=unix://{socket}"],
                          capture_output=True, text=True, check=True).stdout
    status, said = lint(text)
    assert (status, said) == (0, ""), said
    assert lint("# HELP relance_live_uptime_s x\n# TYPE relance_live_uptime_s gauge\nrelance_live_uptime_s 1\n")[0] != 0
    helps = dict(re.findall(r"^# HELP (\w+) (.+)$", text, re.M))
    for metric, kind in re.findall(r"^# TYPE (\w+) (\w+)$", text, re.M):
        assert (kind == "counter") == metric.endswith("_total"), metric
        assert metric in helps, f"{metric} has no HELP"
    twice = {prose for prose in helps.values() if list(helps.values()).count(prose) > 1}
    assert not twice, f"the HELP of two metrics: {twice}"
    samples = re.findall(r"^(\w+)\{", text, re.M)
    assert set(samples) == set(helps), set(samples) ^ set(helps)
    rows = [name for name in set(samples) if not re.match("relance_(build_info|live_info|instances|partitions?_)", name)]
    assert len(rows) == len(counters) + len(figures), f"{len(rows)} metrics for {len(counters)} + {len(figures)} rows"


def main():
    if not shutil.which("promtool"):
        print("golden_prometheus: skipped: there is no promtool (Debian's package prometheus)")
        return SKIPPED
    program = str(pathlib.Path(sys.argv[1]).resolve())
    with tempfile.TemporaryDirectory() as folder:
        redis = Redis(folder)
        try:
            redis.start()
            kept = [name for name in names(program, "sums") if not name.startswith(ELSEWHERE)]
            counters, figures = names(program, "counters") + kept, names(program, "figures")
            fill(redis, counters, figures)
            check(program, redis.socket, counters, figures)
        except AssertionError as wrong:
            print(f"FAILED: {wrong}\n0 passed, 1 failed")
            return 1
        finally:
            redis.stop()
    print("1 passed, 0 failed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
