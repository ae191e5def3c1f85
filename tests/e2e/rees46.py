"""Real clicks of a real shop: the live engine must do what the replay says, and both what awk says.

2019-Oct.csv of REES46: 17,434 events of 4,504 users in two hours and fifty minutes, the last row cut off.
"""
import subprocess
import unittest

from support import kafka, place, rees46
from support.engine import World, running, sequence_faults, timeless

FILE = place.SHARED / "data" / "rees46" / "2019-Oct.csv"

RULES = {
    "stale": "3650d",
    "events": {
        "view": {"product": "string", "category": "string", "price": "double"},
        "add_to_cart": {"product": "string", "price": "double", "session": "string"},
        "purchase": {"product": "string", "price": "double"},
    },
    "counts": {"views": {"on": "view", "by": "event.product", "over": "1d"}, "bought": {"on": "purchase"}},
    "segments": {"loyal": "bought() >= 2"},
    "sales": {
        "order": {"on": "purchase", "key": "event.id", "total": "event.price", "currency": "event.price < 100.0 ? 'USD' : 'EUR'"},
        "refund": {"on": "add_to_cart", "key": "event.id", "total": "event.price"},
        "channel": "'of ' + event.product.substring(0, 2)",
        "loyal": "segments.loyal",
    },
    "rules": {
        "carted": {
            "on": "add_to_cart", "again": "rearm", "cancel": ["purchase"],
            "do": [{"after": "45m", "send": "email",
                    "with": {"template": "cart", "product": "${trigger.product}", "price": "${trigger.price}"}}],
        },
        "looked": {
            "on": "view", "key": "event.product", "if": "views(event.product) >= 3",
            "cancel": ["add_to_cart", "purchase"], "cooldown": "1h",
            "do": [{"after": "10m", "send": "push", "with": {"product": "${trigger.product}"}}],
        },
        "thanks": {"on": "purchase", "do": [{"send": "email", "with": {"paid": "${trigger.price}"}}]},
    },
}

# Customers who put something in the cart and bought nothing in the 45 minutes after it, however often they
# added: on the rows as they stand, in file order, which is the order of time.
AWK = r"""
BEGIN { FS = "," }
NR == 1 || NF != 9 || $9 == "" { next }
{ split($1, p, /[- :]/); now = p[3] * 86400 + p[4] * 3600 + p[5] * 60 + p[6]; user = $8 }
$2 != "cart" && $2 != "purchase" { next }
(user in due) && now > due[user] { mailed[user] = 1; delete due[user] }
$2 == "cart" { due[user] = now + 45 * 60 }
$2 == "purchase" { delete due[user] }
END { for (user in due) mailed[user] = 1; for (user in mailed) n++; print n + 0 }
"""

DAYS = ["--from=2019-09-01", "--to=2019-11-30"]


def awk():
    return int(subprocess.run(["awk", AWK, str(FILE)], capture_output=True, text=True, check=True).stdout)


@unittest.skipUnless(FILE.exists(), f"{FILE} is not here")
class Rees46(unittest.TestCase):
    maxDiff = 4000

    def live(self, version, workers):
        lines = [line.encode() for line in rees46.convert(FILE)]
        with World(RULES, version) as world:
            replayed = world.replay(lines, "--until=1d")
            reported = world.report_of(lines, "--until=1d", *DAYS)
            world.produce([self.record(line) for line in lines])
            with running(world, workers=workers) as engine:
                world.wait_decided(engine)
                world.wait_actions(len(replayed))
            records, dead = world.output_records(), world.dead()
            live = world.actions()
            report = world.report(*DAYS)
        self.assertEqual(timeless(report), timeless(reported))
        self.assertEqual(report["sales"]["all"]["orders"], sum(b'"type": "purchase"' in line for line in lines))
        self.assertEqual(sum(day["all"]["orders"] for day in report["sales"]["days"]), report["sales"]["all"]["orders"])
        self.assertGreater(report["sales"]["loyal"]["orders"], 0)
        self.assertGreater(report["sales"]["refunds_unmatched"], 0)
        self.assertGreater(len(report["channels"]), 1)
        self.assertEqual(sorted(map(repr, live)), sorted(map(repr, replayed)))
        self.assertEqual(sequence_faults(records), [])
        mailed = {action.customer for action in live if action.rule == "carted"}
        self.assertEqual(len(mailed), awk())
        self.assertEqual([(letter.value, letter.header("relance-reason")) for letter in dead], [(lines[-1], "json")])

    @staticmethod
    def record(line):
        customer = line.split(b'"customer": "')
        return kafka.Record(line, key=customer[1].split(b'"')[0] if len(customer) > 1 else b"cut off")

    def test_live_on_kafka_3_does_what_replay_says_and_awk_counts(self):
        self.live("3.9.1", workers=1)

    def test_live_on_kafka_4_with_two_workers_does_what_replay_says_and_awk_counts(self):
        self.live("4.1.1", workers=2)
