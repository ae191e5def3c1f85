#!/usr/bin/env python3
"""The examples of rules/README.md, "Mappings": mappings.py RELANCE

Each ```jsonc NAME block of the section is a file; each ```console block is commands, `$` before them, and what they print.
"""
import pathlib
import re
import subprocess
import sys
import tempfile

PAGE = pathlib.Path(__file__).resolve().parents[3] / "rules" / "README.md"
FILE = re.compile(r"^```jsonc (\S+)\n(.*?)^```", re.M | re.S)
CONSOLE = re.compile(r"^```console\n(.*?)^```", re.M | re.S)


def section():
    return re.search(r"^## Mappings\n(.*?)^## ", PAGE.read_text(), re.M | re.S)[1]


def stories(block):
    """[(command, what it prints)]"""
    return [(found[1], found[2]) for found in re.finditer(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", block, re.M)]


def main():
    program, text = pathlib.Path(sys.argv[1]).resolve(), section()
    passed = failed = 0
    with tempfile.TemporaryDirectory() as folder:
        for name, content in FILE.findall(text):
            (pathlib.Path(folder) / name).write_text(content)
        for block in CONSOLE.findall(text):
            for command, wanted in stories(block):
                words = [str(program), *command.split()[1:]]
                done = subprocess.run(words, cwd=folder, capture_output=True, text=True, timeout=60)
                same = done.stdout == wanted and not done.stderr
                passed, failed = passed + same, failed + (not same)
                if not same:
                    print(f"$ {command}\nwanted:\n{wanted}\nfound:\n{done.stdout}{done.stderr}")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
