"""Checks that the core is pure: python3 tests/lint/purity.py BUILD_FOLDER

The core takes time as a number and gives decisions as data. A stray time(), getenv() or fopen(), or a malloc
past the arena, would show in no test and break replay one day; it does show in the symbols that an object
asks for. So: every symbol that a C object of librules_*.a leaves undefined, and that no object of the core
defines, must stand in purity.allow, with the place that may use it and the reason. Objects made from C++
(the shims over simdjson and RE2) are left out. Run it on a build without sanitizers.
"""
import fnmatch
import pathlib
import re
import subprocess
import sys

MEMBER = re.compile(r"^.*\[(.+\.o)\]:$")  # librules_base.a[arena.c.o]:


def symbols(archive, option):
    """What `nm OPTION` lists for each object of an archive: {object: names}."""
    listing = subprocess.run(["nm", option, "--format=posix", str(archive)], capture_output=True, text=True, check=True)
    names, member = {}, None
    for line in listing.stdout.splitlines():
        header = MEMBER.match(line)
        if header:
            member = names.setdefault(header[1], set())
        elif line.strip() and member is not None:
            member.add(line.split()[0])
    return names


def read_allowed(path):
    """The rows of the allow-list: (symbol pattern, places)."""
    rows = []
    for line in pathlib.Path(path).read_text().splitlines():
        if line.strip() and not line.startswith("#"):
            symbol, places, reason = line.split(None, 2)
            assert reason, line
            rows.append((symbol, places.split(",")))
    return rows


def is_allowed(symbol, module, file, rows):
    here = {"*", module, f"{module}/{file}"}
    return any(fnmatch.fnmatchcase(symbol, pattern) and here & set(places) for pattern, places in rows)


def check(archives, rows):
    """The findings, and how many objects were looked at."""
    own = {name for archive in archives for names in symbols(archive, "--defined-only").values() for name in names}
    findings, count = [], 0
    for archive in archives:
        module = archive.stem.removeprefix("librules_")
        for member, wanted in sorted(symbols(archive, "--undefined-only").items()):
            if not member.endswith(".c.o"):
                continue
            count += 1
            file = member.removesuffix(".o")
            findings += [f"rules/{module}/{file} uses {symbol}, which purity.allow does not allow there"
                         for symbol in sorted(wanted - own) if not is_allowed(symbol, module, file, rows)]
    return findings, count


def main():
    archives = sorted((pathlib.Path(sys.argv[1]) / "lib").glob("librules_*.a"))
    findings, count = check(archives, read_allowed(pathlib.Path(__file__).with_name("purity.allow")))
    print("\n".join(findings))
    wrong = len({line.split()[0] for line in findings})
    print(f"{count - wrong} passed, {wrong} failed")
    return 1 if findings or not count else 0


if __name__ == "__main__":
    sys.exit(main())
