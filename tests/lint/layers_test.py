"""Shows that the layer lint can refuse: a tree with one bad include gives one finding, a good one none."""
import pathlib
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from lint import layers
from support import suite

HEADERS = ["include/relance/engine.h", "rules/base/arena.h", "rules/json/json.h", "rules/cel/cel.h",
           "rules/event/event.h", "rules/state/customer.h", "rules/rule/run.h", "consumer/worker.h"]

# (file, its include line, part of the finding; None: it is fine)
CASES = [
    ("rules/base/a.c", '#include "base/arena.h"', None),
    ("rules/base/a.c", '#include "arena.h"', None),
    ("rules/base/a.c", "#include <relance/engine.h>", None),
    ("rules/base/a.c", '#include "cel/cel.h"', "rules/base may not see rules/cel"),
    ("rules/cel/a.c", '#  include "event/event.h"', "rules/cel may not see rules/event"),
    ("rules/cel/a.c", '#include "../rule/run.h"', "rules/cel may not see rules/rule"),
    ("rules/json/a.c", '#include "cel/cel.h"', "rules/json may not see rules/cel"),
    ("rules/event/a.c", '#include "json/json.h"', None),
    ("rules/event/a.c", '#include "state/customer.h"', "rules/event may not see rules/state"),
    ("rules/state/a.c", '#include "json/json.h"', "rules/state may not see rules/json"),
    ("rules/rule/a.c", '#include "state/customer.h"', None),
    ("rules/rule/a.c", '#include "worker.h"', "rules/rule may not see consumer"),
    ("rules/rule/a.c", "#include <time.h>", "<time.h> is not among the headers"),
    ("rules/rule/a.c", "#include <pthread.h>", "<pthread.h> is not among the headers"),
    ("rules/cel/regex.cc", "#include <re2/re2.h>", None),
    ("rules/cel/regex.cc", "#include <string>", None),
    ("rules/cel/regex.c", "#include <re2/re2.h>", "may be seen by rules/cel/*.cc only"),
    ("rules/rule/a.c", "#include <librdkafka/rdkafka.h>", "may be seen by consumer/kafka_* only"),
    ("consumer/kafka_input.c", "#include <librdkafka/rdkafka.h>", None),
    ("consumer/worker.c", "#include <librdkafka/rdkafka.h>", "may be seen by consumer/kafka_* only"),
    ("consumer/redis_store.c", "#include <hiredis/hiredis.h>", None),
    ("consumer/cmd/run.c", "#include <hiredis/hiredis.h>", "may be seen by consumer/redis_* only"),
    ("consumer/cmd/run.c", '#include "worker.h"', None),
    ("consumer/cmd/run.c", '#include "base/arena.h"', "consumer may not see rules/base"),
    ("consumer/worker.c", '#include "../rules/rule/run.h"', "consumer may not see rules/rule"),
    ("consumer/worker.c", "#include <time.h>", None),
    ("consumer/worker.c", '#include "nowhere.h"', "there is no file nowhere.h of ours"),
    ("include/relance/text.h", "#include <relance/engine.h>", None),
    ("include/relance/text.h", '#include "../../rules/base/arena.h"', "include/relance may not see rules/base"),
    ("rules/elsewhere/a.c", "#include <stddef.h>", "no row of the table knows this folder"),
]


class Layers(unittest.TestCase):
    def findings(self, file, line):
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder).resolve()
            for header in HEADERS:
                (root / header).parent.mkdir(parents=True, exist_ok=True)
                (root / header).write_text("")
            (root / file).parent.mkdir(parents=True, exist_ok=True)
            (root / file).write_text(f"/* story */\n{line}\n")
            return layers.check(root)

    def test_says_yes_and_no_where_the_table_does(self):
        for file, line, finding in CASES:
            with self.subTest(file=file, line=line):
                found = self.findings(file, line)
                self.assertEqual(len(found), 0 if finding is None else 1, found)
                self.assertIn(finding or "", "".join(found))

    def test_names_the_line(self):
        self.assertTrue(self.findings("rules/base/a.c", '#include "cel/cel.h"')[0].startswith("rules/base/a.c:2: "))


if __name__ == "__main__":
    sys.exit(suite.run(sys.modules[__name__]))
