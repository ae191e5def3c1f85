"""Checks that what comments and pages refer to is there: python3 tests/lint/references.py [ROOT]

Four kinds of reference, in every source, script, build file and page:

    LANGUAGE.md §4.3            a page of this tree, which has a heading with that number
    README.md, "Security"       a page of this tree, which has that heading
    [text](PAGE.md#anchor)      in pages: the file is there, and the anchor is that of one of its headings
    `consumer/cmd/run.c`        in pages: a path of this tree; NAME in it stands for anything (`consumer/cmd/NAME.c`)

In comments of C, and in pages, a source that is named (`claim.c`) is there as well. A page is looked for beside the file that names it, in the
folders above, and last everywhere, if its name is unique. `§` alone is that of the page in which it stands; in a source it has to say
whose it is. A test of this lint (references_test.py) shows that each check can refuse.
"""
import bisect
import fnmatch
import pathlib
import re
import sys

SOURCES = {".c", ".cc", ".h", ".def", ".py", ".sh", ".cmake", ".yml", ".md", ".test", ".jsonc", ".txt"}
NAMED = {"Dockerfile"}
PASSED_OVER = {".git", "build", "__pycache__"}
DATA = "../shared"  # beside the project, where there is some
# Pages of others, with what they are.
FOREIGN = {"langdef.md": "the definition of CEL: google/cel-spec"}
# What speaks of pages that are not meant to be there: this lint and its test.
OWN = {"tests/lint/references.py", "tests/lint/references_test.py"}

PAGE = re.compile(r"(?<!\]\()(?<![\w/.*$-])((?:[\w-]+/|\.\./)*[\w-]+\.md)(?![\w/])")
URL = re.compile(r"(?:https?://|\w+\.\w+/)\S+")
SECTION = re.compile(r"§ ?(\d+(?:\.\d+)*)")
BEHIND_PAGE = re.compile(r'(?:,? *(?:(?:and|or|to) +)?§ ?\d+(?:\.\d+)*)+|, +"([A-Z][^"\[\]]+)"')
OTHERS = re.compile(r"(?:RFC ?\d+|ISO ?\d+|Unicode)[^§]{0,40}(?:§\s?\d+(?:\.\d+)*[, and]*)*$")
HEADING = re.compile(r"^(#{1,6}) +(.+?) *$", re.M)
NUMBER = re.compile(r"^(\d+(?:\.\d+)*)\.? +")
LINK = re.compile(r"(?<!!)\[([^\]]*)\]\(([^)\s]+)\)")
ANCHOR = re.compile(r'<a name="([^"]+)">')
LINK_SECTION = re.compile(r"^(?:[\w./-]+\.md )?§? ?(\d+(?:\.\d+)*)(?: .*)?$")
CODE = re.compile(r"```.*?```", re.S)
QUOTED_PATH = re.compile(r"`((?:[\w.*-]+/)+[\w.*-]*)`")
QUOTED_SOURCE = re.compile(r"`([\w-]+\.(?:c|cc|h|def|py|sh))`")
C_COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.S)
C_FILE = re.compile(r"(?<![\w/.<-])((?:[\w-]+/)*[a-z]\w*\.(?:c|cc|h|def|py))(?![\w>/])")


def blank(match):
    """As many blanks, and the same line feeds: places stay what they are."""
    return re.sub(r"[^\n]", " ", match[0])


def slug(heading):
    """The anchor that a heading gets."""
    text = re.sub(r"[`*]|\[([^\]]*)\]\([^)]*\)", lambda m: m[1] or "", heading).lower()
    return re.sub(r"[^\w\- ]", "", text).replace(" ", "-")


class Page:
    """What a page can be asked for: its headings by number, by text and by anchor."""

    def __init__(self, path):
        text = CODE.sub(blank, path.read_text(encoding="utf-8"))
        self.numbers, self.titles, self.anchors = {}, set(), set(ANCHOR.findall(text))
        for _, heading in HEADING.findall(text):
            number = NUMBER.match(heading)
            anchor = slug(heading)
            while anchor in self.anchors:
                anchor += "-1"
            self.anchors.add(anchor)
            self.titles.add(NUMBER.sub("", heading).replace("`", "").lower())
            if number:
                self.numbers[number[1]] = anchor


class Lines:
    """Places in a text as numbers of lines."""

    def __init__(self, text):
        self.ends = [match.start() for match in re.finditer("\n", text)]

    def of(self, place):
        return bisect.bisect_left(self.ends, place) + 1


def unwrap(text, is_page):
    """Comments as running text of the same length: a reference may go on in the next line."""
    if is_page:
        return re.sub(r"\n[ \t]*(?=\S)", lambda m: " " * len(m[0]), text)
    return re.sub(r"\n[ \t]*(?:\*(?!/)|#|//)?[ \t]?", lambda m: " " * len(m[0]), text)


class Tree:
    def __init__(self, root):
        self.root = root
        self.files = sorted(path for path in root.rglob("*") if path.is_file()
                            and not PASSED_OVER & set(path.relative_to(root).parts[:-1]))
        self.names = [path.relative_to(root).as_posix() for path in self.files]
        self.bases = {path.name for path in self.files}
        self.pages = {}

    def sources(self):
        return [path for path, name in zip(self.files, self.names)
                if (path.suffix in SOURCES or path.name in NAMED) and name not in OWN]

    def page(self, path):
        if path not in self.pages:
            self.pages[path] = Page(path)
        return self.pages[path]

    def find_page(self, name, beside):
        """The page of that name: beside the file that names it, above it, or the only one that there is."""
        for folder in [beside.parent, *beside.parent.parents]:
            if (folder / name).is_file():
                return (folder / name).resolve()
            if folder == self.root:
                break
        found = [path for path, own in zip(self.files, self.names) if own == name or own.endswith("/" + name)]
        return found[0] if len(found) == 1 else None

    def has_path(self, name, beside):
        """Is there a file or folder of that name? NAME and * stand for anything."""
        pattern = re.sub(r"\b[A-Z][A-Z_]+\b", "*", name.rstrip("/"))
        for base in (self.root, beside.parent, self.root / "rules", self.root / "consumer"):
            if any(base.glob(pattern)):
                return True
        return False


def looks_like_ours(tree, name, beside):
    first = name.split("/")[0]
    return not name.startswith(DATA) and any((base / first).is_dir() for base in (tree.root, beside.parent)) and first not in PASSED_OVER


# ---- the checks: each gives (place, sentence)

def check_pages(tree, path, text):
    """PAGE.md, PAGE.md §n, PAGE.md, "heading"; and § alone."""
    is_page, used = path.suffix == ".md", set()
    plain = URL.sub(blank, text)
    for match in PAGE.finditer(plain):
        name = match[1]
        behind = BEHIND_PAGE.match(plain, match.end())
        if behind:
            used.update(match.end() + m.start() for m in SECTION.finditer(behind[0]))
        if name in FOREIGN:
            continue
        target = tree.find_page(name, path)
        if not target:
            yield match.start(), f"there is no page {name} in the tree"
            continue
        page = tree.page(target)
        for section in SECTION.findall(behind[0]) if behind else []:
            if section not in page.numbers:
                yield match.start(), f"{name} has no §{section}"
        title = behind[1] if behind else None
        if title and title.lower() not in page.titles and not is_page:
            yield match.start(), f'{name} has no heading "{title}"'
    for match in SECTION.finditer(plain):
        if match.start() in used or OTHERS.search(plain, max(0, match.start() - 80), match.start()):
            continue
        if not is_page:
            yield match.start(), f"§{match[1]} of which page?"
        elif match[1] not in tree.page(path).numbers:
            yield match.start(), f"this page has no §{match[1]}"


def check_links(tree, path, text):
    """[text](PAGE.md#anchor); a text that is a section's number has that section's anchor."""
    for match in LINK.finditer(text):
        label, target = match[1], match[2]
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        file = (path.parent / name).resolve() if name else path
        if not file.exists():
            yield match.start(), f"there is no {name}"
            continue
        if not anchor:
            continue
        page = tree.page(file)
        section = LINK_SECTION.match(label)
        if anchor not in page.anchors:
            yield match.start(), f"{name or 'this page'} has no heading for #{anchor}"
        elif section and page.numbers.get(section[1]) != anchor:
            yield match.start(), f"#{anchor} is not §{section[1]}"


def check_paths(tree, path, text):
    """`consumer/cmd/run.c`, `run.c`"""
    for match in QUOTED_SOURCE.finditer(text):
        if match[1] not in tree.bases:
            yield match.start(), f"there is no file {match[1]}"
    for match in QUOTED_PATH.finditer(text):
        if looks_like_ours(tree, match[1], path) and not tree.has_path(match[1], path):
            yield match.start(), f"there is no {match[1]}"


def check_c_files(tree, path, text):
    """Files that comments of C name."""
    for comment in C_COMMENT.finditer(text):
        for match in C_FILE.finditer(URL.sub(blank, comment[0])):
            name = match[1]
            there = name in tree.bases or any(fnmatch.fnmatch(own, "*/" + name) or own == name for own in tree.names)
            if not there:
                yield comment.start() + match.start(), f"there is no file {name}"


def check_file(tree, path):
    text = path.read_text(encoding="utf-8", errors="replace")
    is_page = path.suffix == ".md"
    bare = CODE.sub(blank, text) if is_page else text
    findings = list(check_pages(tree, path, unwrap(bare, is_page)))
    if is_page:
        findings += [*check_links(tree, path, unwrap(bare, True)), *check_paths(tree, path, bare)]
    if path.suffix in (".c", ".cc", ".h", ".def"):
        findings += check_c_files(tree, path, text)
    lines = Lines(text)
    return [f"{path.relative_to(tree.root)}:{lines.of(place)}: {sentence}" for place, sentence in sorted(findings)]


def check(root):
    """Every sentence that this lint has to say about the tree at `root`."""
    tree = Tree(root)
    return [finding for path in tree.sources() for finding in check_file(tree, path)]


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else __file__).resolve()
    root = root if root.is_dir() else root.parents[2]
    findings, count = check(root), len(Tree(root).sources())
    print("\n".join(findings))
    wrong = len({line.split(":")[0] for line in findings})
    print(f"{count - wrong} passed, {wrong} failed")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
