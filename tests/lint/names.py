"""Checks that the top level holds what CONTRIBUTING.md names and nothing else: python3 tests/lint/names.py"""
import pathlib
import sys

NAMES = {"include", "rules", "consumer", "tests", "CMakeLists.txt", "CMakePresets.json", "README.md", "CHANGELOG.md", "CONTRIBUTING.md",
         "LICENSE", "docker-compose.yml"}
MADE = {"build"}  # by building; not kept


def main():
    root = pathlib.Path(__file__).resolve().parents[2]
    there = {path.name for path in root.iterdir() if not path.name.startswith(".")} - MADE
    for name in sorted(there - NAMES):
        print(f"{name}: CONTRIBUTING.md does not name it")
    for name in sorted(NAMES - there):
        print(f"{name}: missing")
    wrong = len(there ^ NAMES)
    print(f"{len(there & NAMES)} passed, {wrong} failed")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
