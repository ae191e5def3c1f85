#!/usr/bin/env python3
"""Completion and manual pages in the programs that they are for: run.py RELANCE

Bash is asked twice: our function, as readline calls it, and an interactive bash on a terminal, in which TAB is pressed.
fish says what it would offer; zsh reads its script. Manual pages go through man and mandoc. What is not installed is
skipped, and said so; bash there is everywhere.
"""
import os
import pathlib
import pty
import re
import select
import shutil
import subprocess
import sys
import tempfile
import time

SECONDS = 20
FOUND = {"passed": 0, "failed": 0}

# A line, the cursor at its end: what is offered.
OFFERS = [
    ("relance che", {"check"}),
    ("relance re", {"replay", "report", "restore-offsets", "reshard"}),
    ("relance check --st", {"--strict"}),
    ("relance check --rul", set()),
    ("relance replay --ru", {"--rules"}),
    ("relance replay --rules ca", {"cart.jsonc", "carts"}),
    ("relance replay --rules=ca", {"cart.jsonc", "carts"}),
    ("relance check ca", {"cart.jsonc", "carts"}),
    ("relance explain anna --events a", {"a file.jsonl"}),
    ("relance check --log-level ", {"debug", "info", "warning", "error"}),
    ("relance check --log-level=w", {"warning"}),
    ("relance run --input ca", set()),
    ("relance run --kafka.bootstrap.servers=ca", set()),
    ("relance replay --only go", {"goal"}),
    ("relance replay --only sent,go", {"sent,goal"}),
    ("relance help compl", {"completion"}),
    ("relance help rep", {"replay", "report"}),
    ("relance help completion ", {"bash", "zsh", "fish"}),
    ("relance help man rep", {"replay", "report"}),
    ("relance help replay re", set()),
]
# Pressed TAB: what the line becomes.
TABS = [("relance che", "relance check "), ("relance check cart.", "relance check cart.jsonc "),
        ("relance check --log-level=w", "relance check --log-level=warning "), ("relance explain x --events a", r"relance explain x --events a\ file.jsonl "),
        ("relance replay --only=sent,go", "relance replay --only=sent,goal ")]

ASK = """
eval "$(relance help completion bash)"
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
_relance
printf '%s\\n' "${COMPREPLY[@]}"
"""


def claim(name, holds, said=""):
    FOUND["passed" if holds else "failed"] += 1
    if not holds:
        print(f"FAILED {name}: {said}")


def skipped(program):
    if shutil.which(program):
        return False
    print(f"{program} is not installed: skipped")
    return True


def words_of(line):
    """As readline splits it: `=` is a word of its own, and what the cursor stands behind is the last."""
    words = [word for word in re.findall(r"=|[^\s=]+", line)]
    return words + [""] if line.endswith(" ") else words


def ask(*words):
    return subprocess.run(words, capture_output=True, text=True, timeout=SECONDS, stdin=subprocess.DEVNULL)


def check_bash():
    script = ask("relance", "help", "completion", "bash").stdout
    if not skipped("shellcheck"):
        run = subprocess.run(["shellcheck", "-s", "bash", "-"], input=script, capture_output=True, text=True, timeout=SECONDS)
        claim("shellcheck has nothing to say", run.returncode == 0, run.stdout)
    for line, offered in OFFERS:
        run = ask("bash", "--norc", "-c", ASK, "bash", *words_of(line))
        seen = set(filter(None, run.stdout.split("\n")))
        claim(f"bash: {line}", seen == offered and not run.stderr, f"{seen} {run.stderr}")


class Terminal:
    """An interactive bash that knows our completion."""

    def __init__(self):
        self.pid, self.file = pty.fork()
        if self.pid == 0:
            os.environ.update(TERM="dumb", PS1="$ ", INPUTRC="/dev/null", HISTFILE="")
            os.execvp("bash", ["bash", "--norc", "--noprofile", "-i"])
        self.said = ""
        self.type('eval "$(relance help completion bash)"; echo rea""dy\n', "ready")

    def type(self, text, wanted):
        """What is said until what is wanted has been."""
        self.said = ""
        os.write(self.file, text.encode())
        until = time.monotonic() + SECONDS
        while wanted not in self.said and time.monotonic() < until:
            if select.select([self.file], [], [], 0.1)[0]:
                self.said += os.read(self.file, 65536).decode()
        return wanted in self.said

    def close(self):
        os.write(self.file, b"\x15exit\n")
        os.waitpid(self.pid, 0)


def check_tab():
    terminal = Terminal()
    for line, wanted in TABS:
        claim(f"TAB behind {line}", terminal.type(line + "\t", wanted), repr(terminal.said))
        terminal.type("\x15echo nex\"\"t\n", "next")
    terminal.close()


def check_fish():
    script = "relance help completion fish | source; complete -C $argv[1]"
    for line, offered in OFFERS:
        if "," in line or "carts" in offered or "a file.jsonl" in offered or line.endswith(("replay re", "=ca", "=w")):
            continue  # lists and files: fish's own business
        run = ask("fish", "--no-config", "-c", script, line)
        seen = {offer.split("\t")[0] for offer in run.stdout.splitlines()}
        claim(f"fish: {line}", offered <= seen and not run.stderr and (offered or not seen & {"--rules", "carts"}), f"{seen} {run.stderr}")


def check_zsh():
    script = ask("relance", "help", "completion", "zsh").stdout
    pathlib.Path("_relance").write_text(script)
    run = ask("zsh", "-f", "-c", "autoload -Uz compinit && compinit -u -D && source ./_relance && print -r -- $_comps[relance]")
    claim("zsh knows who completes", run.stdout.strip() == "_relance" and not run.stderr, run.stdout + run.stderr)


def commands():
    listed = ask("relance", "help").stdout.split("\n\n")[2]
    return re.findall(r"^  ([\w-]+) ", listed, re.M)


def check_pages():
    names = commands()
    claim("there are commands", len(names) > 10, names)
    readers = [["mandoc", "-Tlint", "-W", "warning"], ["man", "--warnings", "-l"]]
    readers = [words for words in readers if not skipped(words[0])]
    for name in ["", *names]:
        page = ask("relance", "help", "man", *filter(None, [name])).stdout
        pathlib.Path("page.1").write_text(page)
        for words in readers:
            run = ask(*words, "page.1")
            claim(f"{words[0]} reads the page of {name or 'all'}", run.returncode == 0 and not run.stderr, run.stderr + run.stdout[:500])
        options = set(re.findall(r"^  --([\w-]+)", ask("relance", "help", name).stdout, re.M)) if name else set()
        told = {found.replace("\\-", "-") for found in re.findall(r"^\.It Fl \\-([\w\\-]+)", page, re.M)}
        claim(f"the page of {name or 'all'} tells each option", options <= told, options - told)


def main():
    program = pathlib.Path(sys.argv[1]).resolve()
    os.environ["PATH"] = f"{program.parent}:{os.environ['PATH']}"
    os.environ["LC_ALL"] = "C.UTF-8"
    with tempfile.TemporaryDirectory(prefix="relance-shells-") as directory:
        os.chdir(directory)
        pathlib.Path("carts").mkdir()
        for name in ("cart.jsonc", "a file.jsonl"):
            pathlib.Path(name).touch()
        check_bash()
        check_tab()
        if not skipped("fish"):
            check_fish()
        if not skipped("zsh"):
            check_zsh()
        check_pages()
        os.chdir("/")
    print(f"{FOUND['passed']} passed, {FOUND['failed']} failed")
    return 1 if FOUND["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
