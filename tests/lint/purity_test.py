"""Shows that the purity check can refuse: objects that do what the core must not are compiled and caught."""
import pathlib
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from lint import purity
from support import suite

ALLOWED = purity.read_allowed(pathlib.Path(__file__).with_name("purity.allow"))

# (module, file, C, symbols that must be found)
CASES = [
    ("rule", "run.c", "#include <time.h>\nlong f(void) { return (long)time(0); }", ["time"]),
    ("rule", "run.c", "#include <stdlib.h>\nchar *f(void) { return getenv(\"TZ\"); }", ["getenv"]),
    ("json", "json.c", "#include <stdio.h>\nvoid *f(void) { return fopen(\"/etc/x\", \"r\"); }", ["fopen"]),
    ("cel", "vm.c", "#include <stdlib.h>\nvoid *f(size_t n) { return malloc(n); }", ["malloc"]),
    ("base", "str.c", "#include <stdlib.h>\nvoid f(void *p) { free(p); }", ["free"]),
    ("base", "arena.c", "#include <stdlib.h>\nvoid *f(size_t n) { return malloc(n); }", []),
    ("cel", "vm.c", "void *cJSON_Parse(const char *); void *f(void) { return cJSON_Parse(\"\"); }", ["cJSON_Parse"]),
    ("cel", "vm.c", "#include <string.h>\nvoid f(void *p, void *q, size_t n) { memcpy(p, q, n); }", []),
    ("cel", "vm.c", "#include <stdlib.h>\nlong f(void) { return rand() + random(); }", ["rand", "random"]),
    ("cel", "vm.c", "int elsewhere(void); int f(void) { return elsewhere(); }\nint elsewhere(void) { return 1; }", []),
]


class Purity(unittest.TestCase):
    def findings(self, module, file, code):
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            (root / file).write_text(code)
            subprocess.run(["gcc", "-O2", "-c", file, "-o", f"{file}.o"], cwd=root, check=True)
            subprocess.run(["ar", "qc", f"librules_{module}.a", f"{file}.o"], cwd=root, check=True)
            return purity.check([root / f"librules_{module}.a"], ALLOWED)

    def test_catches_what_the_core_must_not_do(self):
        for module, file, code, symbols in CASES:
            with self.subTest(code=code):
                findings, count = self.findings(module, file, code)
                self.assertEqual(count, 1)
                self.assertEqual([line.split()[2].rstrip(",") for line in findings], symbols)

    def test_a_symbol_of_another_module_of_the_core_is_no_finding(self):
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            codes = {"rule": "int g(void); int f(void) { return g(); }", "base": "int g(void) { return 1; }"}
            for module, code in codes.items():
                (root / f"{module}.c").write_text(code)
                subprocess.run(["gcc", "-c", f"{module}.c", "-o", f"{module}.c.o"], cwd=root, check=True)
                subprocess.run(["ar", "qc", f"librules_{module}.a", f"{module}.c.o"], cwd=root, check=True)
            self.assertEqual(purity.check(sorted(root.glob("*.a")), ALLOWED), ([], 2))


if __name__ == "__main__":
    sys.exit(suite.run(sys.modules[__name__]))
