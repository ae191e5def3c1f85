"""C sources stand as .clang-format has them: python3 tests/lint/form.py FILE...

Versions of clang-format differ in their results, so the form is that of one of them. Where another is installed,
nothing is judged: the reason is printed and the exit status is 77, skipped.
"""
import re
import shutil
import subprocess
import sys

VERSION = "14"
SKIPPED = 77


def version_of(tool):
    said = subprocess.run([tool, "--version"], capture_output=True, text=True).stdout if shutil.which(tool) else ""
    return (re.findall(r"version (\d+)", said) or [None])[0]


def main(files):
    tools = {tool: version_of(tool) for tool in (f"clang-format-{VERSION}", "clang-format")}
    fitting = [tool for tool, version in tools.items() if version == VERSION]
    if not fitting:
        print(f"skipped: the form is that of clang-format {VERSION}; here is {tools['clang-format'] or 'none'}")
        return SKIPPED
    status = subprocess.run([fitting[0], "--dry-run", "-Werror", *files]).returncode
    print("0 passed, 1 failed" if status else "1 passed, 0 failed")
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
