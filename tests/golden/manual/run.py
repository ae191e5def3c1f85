#!/usr/bin/env python3
"""The tables of the manual against the program: run.py RELANCE [--write]

Where a page of the manual says

    <!-- relance help functions -->
    …
    <!-- end -->

the lines between are a table made of what that command prints. The test fails when they have drifted; --write
makes them anew. A line of the command's that begins without blanks is a heading; `  form  sentence` is a row; a
form without a sentence belongs to the row before it; `      example is value` belongs to the form before it.
"""
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[3]
PAGES = ["README.md", "rules/README.md", "consumer/README.md"]
BLOCK = re.compile(r"^<!-- relance (help [\w-]+) -->\n(.*?)^<!-- end -->$", re.M | re.S)


def read_rows(text):
    """[(heading, [forms], sentence, [examples])] in order."""
    rows, heading = [], ""
    for line in text.splitlines():
        if line and not line.startswith(" "):
            heading = line
        elif line.startswith(" " * 6):
            rows[-1][3].append(line.strip().rpartition(" is "))
        elif line.strip():
            form, _, sentence = line.strip().partition("  ")
            if sentence:
                rows.append((heading, [form], sentence.strip(), []))
            else:
                rows[-1][1].append(form)
    return rows


def make_table(text):
    lines, heading = [], None
    def cell(texts):
        return "<br>".join(text.replace("|", "\\|") for text in texts)
    rows = read_rows(text)
    third = any(examples for *_, examples in rows)
    for group, forms, sentence, examples in rows:
        if group != heading:
            lines += ["", f"**{group}**" if group else "", "", "| | |" + " |" * third, "|---|---|" + "---|" * third]
            heading = group
        calls = f" {cell(f'`{call}` is `{value}`' for call, _, value in examples)} |" * third
        lines.append(f"| {cell(f'`{form}`' for form in forms)} | {sentence.replace('|', chr(92) + '|')} |{calls}")
    return "\n".join(lines) + "\n\n"


def main():
    program, write = sys.argv[1], "--write" in sys.argv
    passed = failed = 0
    for page in PAGES:
        path = ROOT / page
        text = path.read_text() if path.exists() else ""

        def renew(block):
            nonlocal passed, failed
            command = block.group(1)
            run = subprocess.run([program, *command.split()], capture_output=True, text=True, timeout=60)
            table = make_table(run.stdout)
            right = run.returncode == 0 and len(read_rows(run.stdout)) > 1 and table == block.group(2)
            passed, failed = passed + right, failed + (not right)
            if not right:
                print(f"FAILED {page}: its table is not what `relance {command}` prints; --write makes it anew")
            return f"<!-- relance {command} -->\n{table}<!-- end -->"

        renewed = BLOCK.sub(renew, text)
        if write and renewed != text:
            path.write_text(renewed)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed and not write else 0


if __name__ == "__main__":
    sys.exit(main())
