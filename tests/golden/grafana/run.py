#!/usr/bin/env python3
"""The dashboard and the alerts of consumer/grafana, against the metrics that there are: run.py RELANCE

A metric that `relance metrics --prometheus` does not have is a mistake in either, and so is an expression that promtool
does not take. Each alert is tested by `promtool test rules`; and so that those tests are known to be able to fail, each
alert is once made to fire always and once never, and they have to notice. Without promtool (Debian's prometheus) or
PyYAML this is skipped.
"""
import importlib.util
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[3]
GRAFANA = ROOT / "consumer" / "grafana"
SKIPPED = 77


def module(path):
    spec = importlib.util.spec_from_file_location(f"golden_{path.parent.name}", path)
    found = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    return found


def promtool(*words, cwd=GRAFANA):
    done = subprocess.run(["promtool", *words], cwd=cwd, capture_output=True, text=True)
    return done.returncode == 0, done.stdout + done.stderr


def metrics_of(program):
    """The names of all metrics, each counter and each figure having a value."""
    prometheus = module(ROOT / "tests" / "golden" / "prometheus" / "run.py")
    with tempfile.TemporaryDirectory() as folder:
        redis = prometheus.Redis(folder)
        redis.start()
        try:
            prometheus.fill(redis, prometheus.names(program, "counters"), prometheus.names(program, "figures"))
            text = subprocess.run([program, "metrics", "--prometheus", "--group=g", "--input=t", f"--redis=unix://{redis.socket}"],
                                  capture_output=True, text=True, check=True).stdout
        finally:
            redis.stop()
    return set(re.findall(r"^(relance_\w+)\{", text, re.M))


def unknown(expression, metrics):
    return set(re.findall(r"\brelance_\w+", expression)) - metrics


def queries(dashboard):
    """Each question of the dashboard, by the panel that asks it; variables as Grafana would fill them in."""
    for panel in dashboard["panels"]:
        for target in panel.get("targets", []):
            yield panel["title"], re.sub(r"\$__rate_interval", "1m", target["expr"]).replace("$group", ".*").replace("$topic", ".*")
    for variable in dashboard["templating"]["list"]:
        if variable["type"] == "query":
            yield f"variable {variable['name']}", re.fullmatch(r"label_values\((.*), \w+\)", variable["definition"])[1]


def check_dashboard(metrics):
    import yaml
    dashboard = json.loads((GRAFANA / "relance.json").read_text())
    panels = [panel for panel in dashboard["panels"] if panel["type"] != "row"]
    places = {(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in panels}
    assert len(places) == len(panels) == len({panel["id"] for panel in panels}), "two panels in one place, or with one number"
    for panel in panels:
        assert panel["title"].endswith("?") and panel["description"] and panel["targets"], panel["title"]
    asked = list(queries(dashboard))
    for title, query in asked:
        assert not unknown(query, metrics), f"{title}: there is no {unknown(query, metrics)}"
    with tempfile.TemporaryDirectory() as folder:
        rules = [{"record": f"q:{i}", "expr": query.replace("$group", ".*")} for i, (_, query) in enumerate(asked)]
        (pathlib.Path(folder) / "q.yml").write_text(yaml.safe_dump({"groups": [{"name": "q", "rules": rules}]}))
        good, said = promtool("check", "rules", "q.yml", cwd=folder)
        assert good, said
    return len(asked)


def tested(folder, alerts):
    import yaml
    (folder / "alerts.yml").write_text(yaml.safe_dump(alerts, allow_unicode=True))
    shutil.copy(GRAFANA / "alerts.test.yml", folder)
    return promtool("test", "rules", "alerts.test.yml", cwd=folder)


def check_alerts(metrics):
    import yaml
    alerts = yaml.safe_load((GRAFANA / "alerts.yml").read_text())
    good, said = promtool("check", "rules", "alerts.yml")
    assert good, said
    rules = alerts["groups"][0]["rules"]
    for rule in rules:
        assert not unknown(rule["expr"], metrics), f"{rule['alert']}: there is no {unknown(rule['expr'], metrics)}"
        assert rule["annotations"].keys() == {"summary", "description"}, rule["alert"]
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        good, said = tested(folder, alerts)
        assert good, said
        for rule in rules:
            expr = rule["expr"]
            for other in ("vector(1)", "vector(0) > 1"):
                rule["expr"] = other
                assert not tested(folder, alerts)[0], f"{rule['alert']}: its tests do not notice that it is {other}"
            rule["expr"] = expr
    return len(rules)


def main():
    if not shutil.which("promtool") or not importlib.util.find_spec("yaml"):
        print("golden_grafana: skipped: there is no promtool (Debian's package prometheus), or no PyYAML")
        return SKIPPED
    program = str(pathlib.Path(sys.argv[1]).resolve())
    try:
        metrics = metrics_of(program)
        assert unknown("rate(relance_no_such_total[5m])", metrics)
        count = check_dashboard(metrics) + check_alerts(metrics)
    except AssertionError as wrong:
        print(f"FAILED: {wrong}\n0 passed, 1 failed")
        return 1
    print(f"{count} passed, 0 failed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
