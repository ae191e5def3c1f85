"""Checks that the program prints through one writer: python3 tests/lint/prints.py [ROOT]

Text of strangers may hold orders to a terminal. consumer/host/print.c makes it plain; so printf and its like, fwrite,
and fputs or puts of anything but a constant are for that file alone, and for the few in ALLOWED.
"""
import pathlib
import re
import sys

WRITER = "consumer/host/print.c"
ALLOWED = {
    "consumer/host/process.c": {"dprintf"},  # a child that cannot become a program, into a log of its own
    "consumer/learn/saved.c": {"fwrite"},  # bytes of versions, into the file that --save names
}
FORMS = re.compile(r"\b(v?f?printf|v?dprintf|fwrite|perror|psignal|putw)\s*\(")
TEXTS = re.compile(r"\b(fputs|puts)\s*\(\s*(?!\")")


def check_file(name, text):
    if name == WRITER:
        return
    for number, line in enumerate(text.splitlines(), 1):
        for match in [*FORMS.finditer(line), *TEXTS.finditer(line)]:
            if match[1] not in ALLOWED.get(name, ()) and not line.lstrip().startswith(("*", "/*", " *")):
                yield f"{name}:{number}: {match[1]} prints past {WRITER}"


def main():
    root = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else pathlib.Path(__file__).resolve().parents[2]
    files = sorted(path for path in (root / "consumer").rglob("*") if path.suffix in (".c", ".h", ".def"))
    findings = [finding for path in files for finding in check_file(path.relative_to(root).as_posix(), path.read_text())]
    for row in ('printf("%s", name);', "fputs(name, out);", 'fprintf(stderr, "x");', "puts(text);"):
        if not list(check_file("consumer/a.c", row)):
            findings.append(f"this lint cannot fail: it passes {row}")
    print("\n".join(findings))
    print(f"{len(files) - len({finding.split(':')[0] for finding in findings})} passed, {len(findings)} failed")
    return 1 if findings or not files else 0


if __name__ == "__main__":
    sys.exit(main())
