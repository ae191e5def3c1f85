"""Shows that the layer lint can refuse: a tree with one bad include gives one finding, a good one none."""
import pathlib
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from lint import layers
from support import suite

HEADERS = ["include/relance/engine.h", "rules/base/arena.h", "rules/json/json.h", "rules/cel/cel.h",
           "rules/time/zone.h", "rules/event/event.h", "rules/state/customer.h", "rules/rule/set.h",
           "rules/rule/compile/compile.h", "rules/rule/run/engine.h", "rules/rule/tell/telling.h", "consumer/option.def",
           "consumer/host/text.h", "consumer/delivery/worker.h", "consumer/delivery/store.h", "consumer/kafka/client.h",
           "consumer/redis/view.h", "consumer/report/figures.h"]

# (file, its include line, part of the finding; None: it is fine)
CASES = [
    ("rules/base/a.c", '#include "base/arena.h"', None),
    ("rules/base/a.c", '#include "arena.h"', None),
    ("rules/base/a.c", "#include <relance/engine.h>", None),
    ("rules/base/a.c", '#include "cel/cel.h"', "rules/base may not see rules/cel"),
    ("rules/cel/a.c", '#  include "event/event.h"', "rules/cel may not see rules/event"),
    ("rules/cel/a.c", '#include "../rule/set.h"', "rules/cel may not see rules/rule"),
    ("rules/json/a.c", '#include "cel/cel.h"', "rules/json may not see rules/cel"),
    ("rules/event/a.c", '#include "json/json.h"', None),
    ("rules/event/a.c", '#include "state/customer.h"', "rules/event may not see rules/state"),
    ("rules/state/a.c", '#include "json/json.h"', "rules/state may not see rules/json"),
    ("rules/time/a.c", '#include "cel/cel.h"', "rules/time may not see rules/cel"),
    ("rules/cel/a.c", '#include "time/zone.h"', None),
    ("rules/rule/a.h", '#include "state/customer.h"', None),
    ("rules/rule/a.h", '#include "rule/run/engine.h"', "rules/rule may not see rules/rule/run"),
    ("rules/rule/compile/a.c", '#include "rule/set.h"', None),
    ("rules/rule/compile/a.c", '#include "rule/run/engine.h"', "rules/rule/compile may not see rules/rule/run"),
    ("rules/rule/run/a.c", '#include "rule/compile/compile.h"', "rules/rule/run may not see rules/rule/compile"),
    ("rules/rule/run/a.c", '#include "rule/tell/telling.h"', "rules/rule/run may not see rules/rule/tell"),
    ("rules/rule/tell/a.c", '#include "rule/run/engine.h"', None),
    ("rules/rule/run/a.c", '#include "host/text.h"', "rules/rule/run may not see consumer/host"),
    ("rules/rule/run/a.c", "#include <unistd.h>", "<unistd.h> is not among the headers"),
    ("rules/rule/run/a.c", "#include <pthread.h>", "<pthread.h> is not among the headers"),
    ("rules/cel/regex.cc", "#include <re2/re2.h>", None),
    ("rules/cel/regex.cc", "#include <string>", None),
    ("rules/cel/regex.c", "#include <re2/re2.h>", "may be seen by rules/cel/*.cc only"),
    ("rules/rule/run/a.c", "#include <librdkafka/rdkafka.h>", "may be seen by consumer/kafka/* only"),
    ("consumer/kafka/input.c", "#include <librdkafka/rdkafka.h>", None),
    ("consumer/delivery/worker.c", "#include <librdkafka/rdkafka.h>", "may be seen by consumer/kafka/* only"),
    ("consumer/redis/line.c", "#include <hiredis/hiredis.h>", None),
    ("consumer/redis/store.c", "#include <hiredis/hiredis.h>", "may be seen by consumer/redis/line.c, consumer/redis/answer.c, consumer/redis/make.c only"),
    ("consumer/cmd/run.c", "#include <hiredis/hiredis.h>", "may be seen by consumer/redis/line.c, consumer/redis/answer.c, consumer/redis/make.c only"),
    ("consumer/cmd/run.c", '#include "delivery/worker.h"', None),
    ("consumer/cmd/run.c", '#include "base/arena.h"', None),
    ("consumer/cmd/run.c", '#include "cel/cel.h"', "consumer/cmd may not see rules/cel"),
    ("consumer/host/a.c", '#include "option.def"', None),
    ("consumer/host/a.c", '#include "delivery/worker.h"', "consumer/host may not see consumer/delivery"),
    ("consumer/delivery/a.c", '#include "redis/view.h"', "consumer/delivery may not see consumer/redis"),
    ("consumer/delivery/a.c", '#include "kafka/client.h"', "consumer/delivery may not see consumer/kafka"),
    ("consumer/redis/a.c", '#include "delivery/store.h"', None),
    ("consumer/redis/a.c", '#include "delivery/worker.h"', "consumer/redis may not see consumer/delivery"),
    ("consumer/report/a.c", '#include "redis/view.h"', None),
    ("consumer/report/a.c", '#include "kafka/client.h"', "consumer/report may not see consumer/kafka"),
    ("consumer/delivery/worker.c", '#include "../../rules/rule/run/engine.h"', "consumer/delivery may not see rules/rule/run"),
    ("consumer/delivery/worker.c", "#include <unistd.h>", None),
    ("consumer/delivery/worker.c", '#include "nowhere.h"', "there is no file nowhere.h of ours"),
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
