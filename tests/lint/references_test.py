"""Shows that the lint of references can refuse: a small tree, one file with one reference; a bad one gives one finding."""
import pathlib
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from lint import references
from support import suite

TREE = {
    "README.md": "# Shop\n\n## When something goes wrong\n",
    "rules/LANGUAGE.md": "# Language\n\n## 1. Files\n\n### 1.2 Field types\n\n## 4. What happens\n\n### 4.10 Segments\n",
    "rules/README.md": "# Rules\n\n## Trying `rules`\n\n<a name=\"old-name\"></a>\n",
    "consumer/cmd/run.c": "int main(void);\n",
    "consumer/store.h": "struct store;\n",
    "docs/TWICE.md": "# One\n",
    "more/TWICE.md": "# Two\n",
}

# (file, its text, part of the finding; None: it is fine)
CASES = [
    # pages, sections, headings
    ("consumer/a.c", "/* As LANGUAGE.md §4 says. */", None),
    ("consumer/a.c", "/* As LANGUAGE.md §4.10 says. */", None),
    ("consumer/a.c", "/* As rules/LANGUAGE.md says. */", None),
    ("consumer/a.c", "/* As LANGUAGE.md §1.2 and §4.10 have it. */", None),
    ("consumer/a.c", "/* As LANGUAGE.md §1.2 and §4.11 have it. */", "LANGUAGE.md has no §4.11"),
    ("consumer/a.c", "/* As LANGUAGE.md §3 says. */", "LANGUAGE.md has no §3"),
    ("consumer/a.c", "/* As rules.md §4 says. */", "there is no page rules.md"),
    ("consumer/a.c", "/* As LANGUAGE.md\n * §4.10 says. */", None),
    ("consumer/a.c", "/* As LANGUAGE.md\n * §4.9 says. */", "LANGUAGE.md has no §4.9"),
    ("consumer/a.c", "/* As §4 says. */", "§4 of which page?"),
    ("consumer/a.c", "/* As RFC 3629 §4 says. */", None),
    ("consumer/a.c", "/* The manual (README.md, \"When something goes wrong\"). */", None),
    ("consumer/a.c", "/* The manual (README.md, \"When all is well\"). */", "has no heading \"When all is well\""),
    ("rules/a.c", "/* The manual (README.md, \"Trying rules\"). */", None),
    ("consumer/a.c", "/* As TWICE.md says. */", "there is no page TWICE.md"),
    ("consumer/a.c", "/* langdef.md \"Syntax\" */", None),
    ("consumer/a.c", "/* https://example.org/nowhere.md */", None),
    ("tests/a.py", '"""As LANGUAGE.md §5 says."""', "LANGUAGE.md has no §5"),
    ("tests/a.py", 'PAGES = ["README.md", "rules/README.md"]', None),
    ("tests/a.sh", "# As LANGUAGE.md §9\n", "LANGUAGE.md has no §9"),
    ("tests/part.cmake", "# As gone.md has it\n", "there is no page gone.md"),
    ("rules/a.def", "/* LANGUAGE.md §7 */", "LANGUAGE.md has no §7"),
    ("tests/golden/a.test", "gone.md: what stands there.\n", "there is no page gone.md"),
    # in pages
    ("rules/OTHER.md", "# Other\n\n## 1. One\n\nAs §1 says.\n", None),
    ("rules/OTHER.md", "# Other\n\n## 1. One\n\nAs §2 says.\n", "this page has no §2"),
    ("rules/OTHER.md", "As [§4.10](LANGUAGE.md#410-segments) says.\n", "this page has no §4.10"),
    ("rules/OTHER.md", "As [LANGUAGE.md §4.10](LANGUAGE.md#410-segments) says.\n", None),
    ("rules/OTHER.md", "As [LANGUAGE.md\n§4.10](LANGUAGE.md#410-segments) says.\n", None),
    ("rules/OTHER.md", "As [LANGUAGE.md §4.10](LANGUAGE.md#4-what-happens) says.\n", "#4-what-happens is not §4.10"),
    ("rules/OTHER.md", "As [there](LANGUAGE.md#gone) is said.\n", "LANGUAGE.md has no heading for #gone"),
    ("rules/OTHER.md", "As [there](GONE.md) is said.\n", "there is no GONE.md"),
    ("rules/OTHER.md", "As [there](README.md#old-name) is said.\n", None),
    ("rules/OTHER.md", "As [there](https://example.org/GONE.md#x) is said.\n", None),
    ("rules/OTHER.md", "## Here\n\nAs [above](#here) is said.\n", None),
    ("rules/OTHER.md", "As [above](#here) is said.\n", "this page has no heading for #here"),
    ("rules/OTHER.md", "```\n[not](a-link.md) and §9\n```\n", None),
    # files
    ("OTHER.md", "Look at `consumer/cmd/run.c`, `consumer/cmd/` and `run.c`.\n", None),
    ("OTHER.md", "Look at `consumer/cmd/NAME.c`.\n", None),
    ("OTHER.md", "Look at `rules/NAME.c`.\n", "there is no rules/NAME.c"),
    ("OTHER.md", "Look at `consumer/cmd/gone.c`.\n", "there is no consumer/cmd/gone.c"),
    ("OTHER.md", "Look at `gone.c`.\n", "there is no file gone.c"),
    ("OTHER.md", "Look at `topic/partition` and `orders.csv`.\n", None),
    ("consumer/a.c", "/* run.c and store.h do that, cmd/run.c too. */", None),
    ("consumer/a.c", "// as in stored.h", "there is no file stored.h"),
    ("consumer/a.c", "/* Without <time.h>. */\n#include \"gone.h\"", None),
    ("consumer/a.c", "/* gone.c does that. */", "there is no file gone.c"),
]


class References(unittest.TestCase):
    def findings(self, file, text):
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder).resolve()
            for name, content in {**TREE, file: text}.items():
                (root / name).parent.mkdir(parents=True, exist_ok=True)
                (root / name).write_text(content, encoding="utf-8")
            return references.check(root)

    def test_the_small_tree_is_sound(self):
        self.assertEqual(self.findings("README.md", TREE["README.md"]), [])

    def test_says_yes_and_no_where_it_is_to(self):
        for file, text, finding in CASES:
            with self.subTest(file=file, text=text):
                found = self.findings(file, text)
                self.assertEqual(len(found), 0 if finding is None else 1, found)
                self.assertIn(finding or "", "".join(found))

    def test_names_the_line(self):
        found = self.findings("consumer/a.c", "int a;\n\n/* Two lines, and\n * rules.md §4. */\n")
        self.assertTrue(found[0].startswith("consumer/a.c:4: "), found)

    def test_passes_over_what_is_built(self):
        self.assertEqual(self.findings("build/a.c", "/* gone.md */"), [])


if __name__ == "__main__":
    sys.exit(suite.run(sys.modules[__name__]))
