#!/usr/bin/env python3
"""Golden tests of the command line: run.py RELANCE [--write] [FILE.test…]

A FILE.test tells stories like this one; what stands at the beginning of a line says what the line is:

    ## a claim: the name of the test
    @ cart.jsonc            the lines up to the next mark are a file of that name
    > HSET key field value  said to a private Redis before the command (started when first wanted)
    $ relance check x.jsonc the command; $REDIS is that Redis's URL; a shell runs it in a fresh directory
    Everything else is     the standard output,
    ! behind "! "          the standard error,
    = 1                    the exit status, where it is not 0.

Files and Redis's contents last to the end of the FILE.test, so that a story may go on. --write puts what was
seen in the place of what was expected: look at the difference before you commit it.
"""
import difflib
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[2]
SECONDS = 60  # for one command, sanitizers and a busy machine included


class Redis:
    """A server of our own in the test's directory; started when first wanted."""

    def __init__(self, directory):
        self.socket = f"{directory}/redis.sock"
        self.process = None

    def start(self):
        if self.process:
            return
        words = ["redis-server", "--port", "0", "--unixsocket", self.socket, "--save", "", "--dir",
                 os.path.dirname(self.socket)]
        self.process = subprocess.Popen(words, stdout=subprocess.DEVNULL)
        until = time.monotonic() + SECONDS
        while self.ask("PING") != "PONG":
            if time.monotonic() > until or self.process.poll() is not None:
                sys.exit("run.py: redis-server does not start")
            time.sleep(0.02)

    def ask(self, line):
        run = subprocess.run(["redis-cli", "-s", self.socket], input=line + "\n", capture_output=True, text=True)
        return run.stdout.strip()

    def stop(self):
        if self.process:
            self.process.terminate()
            self.process.wait()


def read_cases(path):
    """[{claim, before: [line], out, err, status}]; `before` are the lines as written, marks included."""
    cases, target = [], None
    for line in path.read_text().splitlines():
        if line.startswith("## "):
            cases.append({"claim": line[3:], "before": [], "command": None, "out": "", "err": "", "status": 0})
            target = None
        elif not cases:
            continue  # the file's own story
        elif line.startswith(("@ ", "> ")):
            cases[-1]["before"].append(line)
            target = "file"
        elif line.startswith("$ "):
            cases[-1]["command"] = line[2:]
            target = "out"
        elif target == "file":
            cases[-1]["before"].append(line)
        elif line.startswith("! "):
            cases[-1]["err"] += line[2:] + "\n"
        elif re.fullmatch(r"= \d+", line):
            cases[-1]["status"] = int(line[2:])
        elif target == "out" and (line or cases[-1]["out"]):
            cases[-1]["out"] += line + "\n"
    for case in cases:
        case["out"] = case["out"].rstrip("\n") + "\n" if case["out"].strip() else ""
    return cases


def prepare(case, directory, redis):
    name = None
    contents = {}
    for line in case["before"]:
        if line.startswith("@ "):
            name = line[2:].strip()
            contents[name] = ""
        elif line.startswith("> "):
            name = None
            redis.start()
            answer = redis.ask(line[2:])
            if answer.startswith("ERR") or answer.startswith("(error)"):
                sys.exit(f"run.py: {line}: {answer}")
        elif name is not None:
            contents[name] += line + "\n"
    for name, text in contents.items():
        file = pathlib.Path(directory, name)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text.rstrip("\n") + "\n" if text.strip() else "")


def perform(case, program, directory, redis):
    """The case as it really goes."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("RELANCE_")}
    env |= {"PATH": f"{directory}/.bin:{env['PATH']}", "REDIS": f"unix://{redis.socket}", "ROOT": str(ROOT)}
    run = subprocess.run(["sh", "-c", case["command"]], cwd=directory, env=env, capture_output=True, text=True,
                         timeout=SECONDS, stdin=subprocess.DEVNULL)
    return {**case, "out": run.stdout, "err": run.stderr, "status": run.returncode}


def write_case(case):
    text = f"## {case['claim']}\n" + "".join(line + "\n" for line in case["before"]) + f"$ {case['command']}\n"
    text += case["out"] + "".join(f"! {line}\n" for line in case["err"].splitlines())
    return text + (f"= {case['status']}\n" if case["status"] else "")


def show(path, case, seen):
    print(f"FAILED {path.name}: {case['claim']}\n  $ {case['command']}")
    want, got = write_case(case).splitlines(), write_case(seen).splitlines()
    for line in difflib.unified_diff(want, got, "expected", "seen", lineterm="", n=2):
        print("  " + line)


def run_file(path, program, write):
    directory = tempfile.mkdtemp(prefix="relance-golden-")
    os.mkdir(f"{directory}/.bin")
    os.symlink(program, f"{directory}/.bin/relance")
    redis = Redis(directory)
    story = path.read_text().split("## ", 1)[0]
    failed, text = 0, story
    cases = read_cases(path)
    try:
        for case in cases:
            prepare(case, directory, redis)
            seen = perform(case, program, directory, redis)
            text += write_case(seen) + "\n"
            if any(case[key] != seen[key] for key in ("out", "err", "status")):
                failed += 1
                if not write:
                    show(path, case, seen)
    finally:
        redis.stop()
        shutil.rmtree(directory)
    if write:
        path.write_text(text.rstrip("\n") + "\n")
    return len(cases), failed


def main():
    arguments = [a for a in sys.argv[1:] if a != "--write"]
    program, write = str(pathlib.Path(arguments[0]).resolve()), "--write" in sys.argv
    paths = [pathlib.Path(a) for a in arguments[1:]] or sorted(HERE.glob("*.test"))
    total = failures = 0
    for path in paths:
        count, failed = run_file(path, program, write)
        total, failures = total + count, failures + failed
    print(f"{total - failures} passed, {failures} failed")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
