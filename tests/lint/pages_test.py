"""Shows that the lint of pages can refuse: the tree with one thing changed, in a page or in the code, gives a finding."""
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from lint import pages
from support import suite

ROOT = pathlib.Path(__file__).resolve().parents[2]

# (file, what stands there, what stands there instead, part of the finding)
CASES = [
    ("consumer/STATE.md", "| `last_hash` |", "| `least_hash` |", "fields of meta: last_hash is not there"),
    ("consumer/STATE.md", "| `last_hash` |", "| `least_hash` |", "fields of meta: the code knows no least_hash"),
    ("consumer/delivery/meta.h", "META(NUMBER, clock,", "META(NUMBER, watch,", "fields of meta: watch is not there"),
    ("rules/state/part.def", "goals, 'w',", "goals, 'Q',", "parts of a state: Q is not there"),
    ("consumer/delivery/action.c", '{"ce_subject",', '{"ce_object",', "headers of an action: ce_object is not there"),
    ("consumer/senders/asyncapi.yaml", "          ce_subject:", "          ce_object:", "asyncapi.yaml: headers of an action: ce_subject is not there"),
    ("consumer/senders/asyncapi.yaml", "          relance-size:", "          relance-sizes:", "headers of a dead letter: the code knows no relance-sizes"),
    ("rules/event/event.h", '"depth"', '"deepness"', "reasons of dead letters: deepness is not there"),
    ("consumer/delivery/mark.c", 'object, "tick"', 'object, "tock"', "members of a mark: tock is not there"),
    ("rules/rule/compile/keyword.def", 'KEYWORD(SET, "stale"', 'KEYWORD(SET, "fresh"', "keywords of a file: fresh is not there"),
    ("rules/rule/compile/keyword.def", 'KEYWORD(RULE, "while"', 'KEYWORD(RULE, "until"', "keywords of a rule: until is not there"),
    ("rules/rule/compile/keyword.def", 'KEYWORD(STEP, "at"', 'KEYWORD(STEP, "on"', "keywords of a step: on is not there"),
    ("rules/LANGUAGE.md", "| `quiet` |", "| `silent` |", "keywords of a limit: the code knows no silent"),
    ("include/relance/decision.h", '"overtaken"', '"passed"', "outcomes: passed is not there"),
    ("tests/lint/layers.py", '    "rules/cel":', '    "rules/sel":', "rooms: rules/sel is not there"),
    ("CONTRIBUTING.md", "| `rules/time/` |", "| `rules/times/` |", "rooms: rules/time is not there"),
    ("rules/base/limit.def", "LIMIT(EVENT_IDS, 64,", "LIMIT(EVENT_IDS, 65,", 'last 65 of its type" is not there (LIMIT EVENT_IDS)'),
    ("rules/base/limit.def", "LIMIT(EVENT_BYTES, 1 << 20,", "LIMIT(EVENT_BYTES, 1 << 21,", 'at most 2 MiB, nested" is not there'),
    ("rules/base/limit.def", "LIMIT(GOALS,", "LIMIT(GOOLS,", "(LIMIT GOALS)"),
    ("rules/LANGUAGE.md", "At most 256 windows", "At most 255 windows", "(LIMIT GOALS)"),
    ("consumer/delivery/worker.h", "WORKER_CHANGED_MAX = 131072", "WORKER_CHANGED_MAX = 131073", "131,073 changed customers"),
    ("consumer/delivery/wall.c", "WALL_AHEAD_MAX_MS", "WALL_AHEAD_MOST_MS", "there is no WALL_AHEAD_MAX_MS"),
    ("rules/LANGUAGE.md", "fails closed", "fails open", 'does not say "Where it fails, it holds: a limit fails closed"'),
    ("tests/conformance/model/world.py", "fails closed", "fails half-way", 'does not say "Where it fails, it holds: a limit fails h'),
    ("rules/scenarios/cart_abandoned.jsonc", '"cooldown": "7d"', '"cooldown": "8d"', "README.md: what is shown of"),
    ("README.md", '"stale": "6h"', '"stale": "5h"', "README.md: what is shown of"),
    ("consumer/DELIVERY.md", "after 300 ms", "after 301 ms", 'after 300 ms" is not there'),
]


class Changed(pages.Tree):
    def __init__(self, file, old, new):
        super().__init__(ROOT)
        self.file, self.old, self.new = file, old, new

    def text(self, name):
        text = super().text(name)
        return text.replace(self.old, self.new) if name == self.file else text


class Pages(unittest.TestCase):
    def test_refuses_what_differs(self):
        for file, old, new, finding in CASES:
            with self.subTest(file=file, new=new):
                self.assertIn(old, pages.Tree(ROOT).text(file))
                found = pages.check(Changed(file, old, new))
                self.assertTrue(any(finding in line for line in found), found)

    def test_every_list_is_found_in_the_code_and_in_its_page(self):
        tree = pages.Tree(ROOT)
        for what, told, there in pages.LISTS:
            with self.subTest(what):
                self.assertGreater(len(told(tree)), 2)
                self.assertGreater(len(there(tree)), 2)


if __name__ == "__main__":
    sys.exit(suite.run(sys.modules[__name__]))
