"""Shows that the lint of the live view can refuse: each change to a file of this tree has its finding."""
import pathlib
import shutil
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from lint import view
from support import suite

ROOT = pathlib.Path(__file__).resolve().parents[2]
LINES = [  # (file, a line that is put behind what stands there, part of the only finding)
    ("dom.js", "main.innerHTML = name;", "reads HTML: innerHTML"),
    ("dom.js", "main.insertAdjacentHTML('beforeend', name);", "reads HTML"),
    ("dom.js", "document.write(name);", "reads HTML"),
    ("dom.js", "main.setHTMLUnsafe(name);", "reads HTML"),
    ("app.js", "eval(name);", "runs text"),
    ("app.js", "setTimeout('show()', 1);", "runs text"),
    ("app.js", "main.setAttribute('onclick', name);", "writes a handler"),
    ("app.js", "fetch('https://example.org/');", "names another host"),
    ("app.js", "const from = '//cdn.example.org/a.js';", "names another host"),
    ("index.html", "<p onclick='show()'>", "runs or styles in the page itself"),
    ("index.html", "<p style='color: red'>", "runs or styles in the page itself"),
    ("index.html", "<script>show()</script>", "runs or styles in the page itself"),
    ("app.css", "p { background: url(a.png); }", "loads something"),
]


class View(unittest.TestCase):
    def setUp(self):
        self.root = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        for name in (view.PAGES, "consumer/http/door.h", "include/relance/decision.h"):
            (self.root / name).parent.mkdir(parents=True, exist_ok=True)
            (shutil.copytree if (ROOT / name).is_dir() else shutil.copy)(ROOT / name, self.root / name)
        self.pages = self.root / view.PAGES

    def finding(self):
        found = view.check(self.root)[1]
        self.assertEqual(len(found), 1, found)
        return found[0]

    def test_this_tree_has_none(self):
        self.assertEqual(view.check(self.root)[1], [])

    def test_each_line_that_is_refused_has_its_finding(self):
        for name, line, part in LINES:
            with self.subTest(line):
                kept = (self.pages / name).read_text()
                (self.pages / name).write_text(f"{kept}{line}\n")
                self.assertIn(part, self.finding())
                (self.pages / name).write_text(kept)

    def test_a_comment_may_name_what_is_refused(self):
        path = self.pages / "dom.js"
        path.write_text(path.read_text() + "/* not by\n * innerHTML */\n")
        self.assertEqual(view.check(self.root)[1], [])

    def test_a_file_without_a_row_and_a_row_without_a_file(self):
        (self.pages / "words.js").rename(self.pages / "word.js")
        self.assertEqual(len(view.check(self.root)[1]), 2)

    def test_an_outcome_that_is_missing_or_said_otherwise(self):
        path = self.pages / "outcomes.js"
        kept = path.read_text()
        for old, new in (("  sent:", "  send:"), ("published its action", "sent its action")):
            path.write_text(kept.replace(old, new))
            self.assertIn("outcomes.js: se", view.check(self.root)[1][-1])


if __name__ == "__main__":
    sys.exit(suite.run(sys.modules["__main__"]))
