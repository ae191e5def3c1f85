"""Shows that the lint of what operators are shown can refuse: each change to a file of this tree has its finding."""
import pathlib
import shutil
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from lint import deploy
from support import suite

ROOT = pathlib.Path(__file__).resolve().parents[2]
FILES = ["docker-compose.yml", "consumer/option.def", "consumer/package/relance.conf", "consumer/kubernetes/relance.yaml", "consumer/kubernetes/learn.yaml"]
KUBERNETES, LEARNER = "consumer/kubernetes/relance.yaml", "consumer/kubernetes/learn.yaml"

# (file, what stands there, what stands there instead, part of the only finding)
CASES = [
    ("docker-compose.yml", "RELANCE_LATENESS:", "RELANCE_LATNESS:", "no option RELANCE_LATNESS"),
    ("docker-compose.yml", "RELANCE_OUTPUT: shop.events", "RELANCE_INTERVAL: 1s", "RELANCE_INTERVAL is for none of HEALTH, INTAKE"),
    ("consumer/package/relance.conf", "\nlateness =", "\nlatness =", "no option RELANCE_LATNESS"),
    ("consumer/package/relance.conf", "\nlateness =", "\ncoverage =", "RELANCE_COVERAGE is for none of RUN"),
    (KUBERNETES, "RELANCE_FROM", "RELANCE_FORM_X", "no option RELANCE_FORM_X"),
    (KUBERNETES, '"--watch"', '"--wach"', "no option RELANCE_WACH"),
    (KUBERNETES, "fieldPath: metadata.name", "fieldPath: spec.nodeName", "name of the instance is not the pod's"),
    (KUBERNETES, '"0.0.0.0:8077"', '"0.0.0.0:8078"', "asks port 8077, where nobody listens"),
    (KUBERNETES, "readinessProbe:\n            httpGet: {path: /readyz, port: http}", "readinessProbe:\n            httpGet: {path: /readyz, port: web}", "the readinessProbe asks port None"),
    (KUBERNETES, "{name: rules, mountPath: /etc/relance/rules", "{name: rule, mountPath: /etc/relance/rules", "volumes and mounts differ"),
    (KUBERNETES, "mountPath: /etc/relance/rules", "mountPath: /rules", "no volume has the rules"),
    (KUBERNETES, "serviceName: relance", "serviceName: engine", "there is no service engine"),
    (KUBERNETES, "  maxUnavailable: 1\n  selector:\n    matchLabels: {app: relance}", "  maxUnavailable: 1\n  selector:\n    matchLabels: {app: other}", "the PodDisruptionBudget is for other pods"),
    (KUBERNETES, "kubectl create configmap relance-rules", "kubectl create configmap rules", "nothing makes configmap relance-rules"),
    (LEARNER, "RELANCE_EVERY", "RELANCE_LATENESS", "RELANCE_LATENESS is for none of LEARN"),
    (LEARNER, '"--create-topics"', '"--watch"', "RELANCE_WATCH is for none of LEARN"),
    (LEARNER, '["learn"', '["run"', "it runs run"),
    (LEARNER, "type: Recreate", "type: RollingUpdate", "two of them could run"),
    (LEARNER, "replicas: 1", "replicas: 2", "two of them could run"),
    (LEARNER, "matchLabels: {app: relance-learn}", "matchLabels: {app: relance}", "the Deployment is for other pods"),
    (LEARNER, "value: shop.actions", "value: actions", "RELANCE_OUTPUT is not that of the engines"),
    (LEARNER, "--from-literal=redis=", "--from-literal=url=", "nothing makes secret relance-learn-secrets, key redis"),
    (KUBERNETES, "--from-literal=redis=", "--from-literal=url=", "nothing makes secret relance-secrets, key redis"),
]


class Deploy(unittest.TestCase):
    def setUp(self):
        self.root = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        for file in FILES:
            (self.root / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / file, self.root / file)

    def test_what_is_there_has_no_findings(self):
        self.assertEqual(deploy.check(self.root), [])

    def test_each_change_has_its_finding(self):
        for file, there, instead, wanted in CASES:
            with self.subTest(instead=instead):
                before = (self.root / file).read_text()
                self.assertIn(there, before)
                (self.root / file).write_text(before.replace(there, instead))
                findings = deploy.check(self.root)
                (self.root / file).write_text(before)
                self.assertIn(wanted, "\n".join(findings))


if __name__ == "__main__":
    sys.exit(suite.run(sys.modules[__name__]))
