"""Checks the files of the live view: python3 tests/lint/view.py [ROOT]

Text of strangers becomes text: nothing reads HTML, runs text, or writes handlers and styles into markup. Nothing is asked of
anybody else. What a page needs is carried by the program, and the outcomes are those of the engine, in its words.
"""
import pathlib
import re
import sys

PAGES = "consumer/view/page"
# (pattern, in files that end so, what is wrong)
REFUSED = [
    (r"\b(inner|outer)HTML\b|\binsertAdjacentHTML\b|\bsetHTML\w*|\bparseFromString\b|\bDOMParser\b|\bcreateContextualFragment\b|\bsrcdoc\b|\bdocument\.write", ".js", "reads HTML"),
    (r"\beval\s*\(|\bFunction\s*\(|\bimport\s*\(|\bset(Timeout|Interval)\s*\(\s*['\"`]", ".js", "runs text"),
    (r"\bsetAttribute\(\s*['\"`](on|style)|\.cssText\b|\bjavascript:", ".js", "writes a handler or a style as text"),
    (r"\son\w+\s*=|\sstyle\s*=|<style|<script(?![^>]*\ssrc=)", ".html", "runs or styles in the page itself"),
    (r"(?:https?:)?//(?!www\.w3\.org/2000/svg)[\w-]+\.\w", ".js .html .css", "names another host"),
    (r"@import\b|\burl\(", ".css", "loads something"),
]
COMMENT = re.compile(r"/\*[\s\S]*?\*/")
ROW = re.compile(r'PAGE\(\w+, "/([^"]*)", TOKEN, PUT\)')
OUTCOME = re.compile(r'X\(\w+, "(\w+)",\s*\\?\s*"([^"]*)"\)')


def check_file(name, text):
    """The findings in one file; comments are left out, since they say what is refused."""
    text = COMMENT.sub(lambda found: "\n" * found[0].count("\n"), text)
    for number, line in enumerate(text.splitlines(), 1):
        for pattern, endings, what in REFUSED:
            if pathlib.Path(name).suffix in endings.split() and (found := re.search(pattern, line)):
                yield f"{name}:{number}: {what}: {found[0].strip()}"


def check_rows(door, files):
    """Each file has its row in the table of the door, and each row its file."""
    table = door[door.index("#define HTTP_FILES"):door.index("#define HTTP_PAGES")]
    rows = {row or "index.html" for row in ROW.findall(table)}
    yield from (f"consumer/http/door.h: no row of HTTP_FILES gives {file}" for file in sorted(files - rows))
    yield from (f"consumer/http/door.h: HTTP_FILES gives {row}, which is no file of {PAGES}" for row in sorted(rows - files))


def check_outcomes(header, script):
    ours = dict(re.findall(r'^ {2}(\w+): "(.*)",$', script, re.M))
    theirs = dict(OUTCOME.findall(header[header.index("RELANCE_OUTCOME_TABLE(X)"):header.index("enum relance_outcome")]))
    yield from (f"{PAGES}/outcomes.js: {name} is not as include/relance/decision.h has it"
                for name in sorted({*ours, *theirs}) if ours.get(name) != theirs.get(name))


def check(root):
    """How many files there are, and what is wrong with them."""
    files = {path.name: path.read_text() for path in sorted((root / PAGES).iterdir())}
    findings = [finding for name, text in files.items() for finding in check_file(f"{PAGES}/{name}", text)]
    findings += check_rows((root / "consumer/http/door.h").read_text(), set(files))
    findings += check_outcomes((root / "include/relance/decision.h").read_text(), files["outcomes.js"])
    return len(files), findings


def main():
    root = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else pathlib.Path(__file__).resolve().parents[2]
    count, findings = check(root)
    print("\n".join(findings))
    print(f"{max(0, count - len(findings))} passed, {len(findings)} failed")
    return 1 if findings or not count else 0


if __name__ == "__main__":
    sys.exit(main())
