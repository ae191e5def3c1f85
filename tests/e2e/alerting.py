"""A real Prometheus scrapes a running engine, with the alerts of consumer/grafana: none fires while all is well, and one does when Redis goes."""
import json
import pathlib
import re
import shutil
import unittest
import urllib.parse
import urllib.request

from support import place
from support.engine import World, running
from support.kafka import event

RULES = {"stale": "3650d", "events": {"ping": {}}, "rules": {"answer": {"on": "ping", "key": "event.id", "do": [{"send": "push"}]}}}
GRAFANA = pathlib.Path(__file__).resolve().parents[2] / "consumer" / "grafana"
HURRY = 6  # every `for` of an alert is so many times shorter here; alerts.test.yml has each as it is
CONFIG = """
global: {{scrape_interval: 1s, evaluation_interval: 1s}}
rule_files: [{rules}]
scrape_configs:
  - job_name: relance
    static_configs: [{{targets: ['127.0.0.1:{port}']}}]
"""


def hurried(rules):
    """The rules with shorter times of patience, which keep their proportions."""
    seconds = {"s": 1, "m": 60}
    return re.sub(r"\bfor: (\d+)([sm])$", lambda found: f"for: {int(found[1]) * seconds[found[2]] // HURRY}s", rules, flags=re.M)


class Prometheus:
    """One of our own, which scrapes whoever listens at `target`."""

    def __init__(self, folder, target):
        self.port = place.free_port()
        config = folder / "prometheus.yml"
        rules = folder / "alerts.yml"
        rules.write_text(hurried((GRAFANA / "alerts.yml").read_text()))
        config.write_text(CONFIG.format(rules=rules, port=target))
        self.log = open(folder / "prometheus.log", "wb")
        self.process = place.start(["prometheus", f"--config.file={config}", f"--storage.tsdb.path={folder / 'tsdb'}",
                                    f"--web.listen-address=127.0.0.1:{self.port}"], stdout=self.log, stderr=self.log)

    def close(self):
        self.process.terminate()
        self.process.wait(30)
        self.log.close()

    def ask(self, path, **parameters):
        """What its interface answers; None while it does not."""
        url = f"http://127.0.0.1:{self.port}/api/v1/{path}?{urllib.parse.urlencode(parameters)}"
        try:
            with urllib.request.urlopen(url, timeout=10) as answer:
                return json.load(answer)["data"]
        except OSError:
            return None

    def query(self, expression):
        """The values, by labels, of an instant query."""
        found = self.ask("query", query=expression)
        return {tuple(sorted(row["metric"].items())): float(row["value"][1]) for row in found["result"]} if found else {}

    def sum(self, expression):
        return sum(self.query(f"sum({expression})").values())

    def firing(self):
        found = self.ask("alerts")
        return {alert["labels"]["alertname"] for alert in found["alerts"] if alert["state"] == "firing"} if found else set()


@unittest.skipUnless(shutil.which("prometheus"), "there is no prometheus (Debian's package)")
class Alerting(unittest.TestCase):
    def setUp(self):
        self.world = World(RULES, partitions=2)
        self.addCleanup(self.world.__exit__)
        self.listen = place.free_port()

    def scraped(self):
        prometheus = Prometheus(self.world.folder.path, self.listen)
        self.addCleanup(prometheus.close)
        return prometheus

    def test_it_has_the_engines_figures_and_wakes_somebody_when_redis_goes(self):
        with running(self.world, listen=self.listen) as engine:
            prometheus = self.scraped()
            place.wait_until(lambda: prometheus.sum("relance_live_partitions_live") == 2, 60, "it has scraped a live engine")
            self.world.produce([event(f"c-{n}", "ping", id=f"p{n}") for n in range(30)])
            self.world.wait_decided(engine)
            place.wait_until(lambda: prometheus.sum('relance_rule_by_outcome_total{rule="answer",outcome="sent"}') == 30, 30, "30 actions are seen")
            self.assertEqual(prometheus.sum("relance_events_total"), 30)
            self.assertEqual(prometheus.sum("relance_live_partitions_expected"), 2)
            self.assertEqual([target["health"] for target in prometheus.ask("targets")["activeTargets"]], ["up"])
            self.assertEqual(prometheus.firing(), set())
            self.world.redis.kill()
            place.wait_until(lambda: "RelanceRedisRefuses" in prometheus.firing(), 90, "the alert fires")
            self.world.redis.start()
            place.wait_until(lambda: not prometheus.firing(), 60, "it is over")

    def test_what_alerts_ask_of_an_engine_it_tells(self):
        """All metrics of the alerts but what only `relance serve` can know; counters of what has not happened yet are not there."""
        later = {"relance_dead_by_reason_total", "relance_events_miskeyed_total", "relance_events_misplaced_total"}
        with running(self.world, listen=self.listen) as engine:
            self.world.produce([event("c-1", "ping")])
            self.world.wait_decided(engine)

            def told():
                with urllib.request.urlopen(f"http://127.0.0.1:{self.listen}/metrics", timeout=10) as answer:
                    return set(re.findall(r"^(relance_\w+)\{", answer.read().decode(), re.M))
            place.wait_until(lambda: "relance_rule_by_outcome_total" in told(), 20, "it has counted")
            wanted = set(re.findall(r"\brelance_\w+", (GRAFANA / "alerts.yml").read_text()))
            self.assertEqual(wanted - told() - later, {"relance_instances"})

    def test_an_engine_that_is_gone_wakes_somebody(self):
        with running(self.world, listen=self.listen):
            prometheus = self.scraped()
            place.wait_until(lambda: prometheus.sum("relance_live_partitions_live") == 2, 60, "it has scraped a live engine")
        place.wait_until(lambda: prometheus.firing() == {"RelanceNoEngine"}, 120, "the alert fires")


if __name__ == "__main__":
    unittest.main()
