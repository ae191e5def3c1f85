"""Checks that what is shown to operators would run: python3 tests/lint/deploy.py [ROOT]

The compose file, the file of options of the package, and the objects for Kubernetes name options, secrets, ports and each other.
Every option has to be one of option.def that a command of that file takes, and in consumer/kubernetes whatever is referred to
has to be there. A test of this lint (deploy_test.py) shows that each check can refuse.
"""
import pathlib
import re
import sys

import yaml

OPTION = re.compile(r"^OPTION\((\w+), \w+, .*", re.M)
TAKERS = re.compile(r"(?:FOR|TYPED)\((\w+)\)|\b(EVERY)\b")


def options(root):
    """{name as in the environment: the commands that take it}"""
    rows = OPTION.finditer((root / "consumer/option.def").read_text())
    return {"RELANCE_" + row[1].upper(): {command or every for command, every in TAKERS.findall(row[0])} for row in rows}


def wrong_options(names, commands, known):
    for name in names:
        if name.startswith("RELANCE_KAFKA_"):
            continue
        if name not in known:
            yield f"there is no option {name}"
        elif not known[name] & {"EVERY", *commands}:
            yield f"{name} is for none of {', '.join(sorted(commands))}"


def compose(root, known):
    for name, service in yaml.safe_load((root / "docker-compose.yml").read_text())["services"].items():
        if service.get("image") == "relance":
            command = service.get("command", ["run"])[0].upper()
            if command == "SIMULATE":  # has the engine's environment, and reads of it what it knows
                command = "RUN"
            for wrong in wrong_options(service["environment"], {command, "HEALTH"}, known):
                yield f"docker-compose.yml, {name}: {wrong}"


def config(root, known):
    lines = (root / "consumer/package/relance.conf").read_text().splitlines()
    names = [line.partition("=")[0].strip() for line in lines if line and not line.startswith("#")]
    as_variables = ["RELANCE_" + name.replace(".", "_").replace("-", "_").upper() for name in names]
    for wrong in wrong_options(as_variables, {"RUN"}, known):
        yield f"relance.conf: {wrong}"


# ---- Kubernetes

def references(pod):
    """(kind, name, key) of each ConfigMap and Secret that a pod needs."""
    for volume in pod.get("volumes", []):
        if "configMap" in volume:
            yield "configmap", volume["configMap"]["name"], None
    for variable in pod["containers"][0]["env"]:
        secret = variable.get("valueFrom", {}).get("secretKeyRef")
        if secret:
            yield "secret", secret["name"], secret["key"]


def made(text):
    """The same of what the commands at the file's head make; a ConfigMap of a folder has no keys of ours."""
    for kind, name, rest in re.findall(r"^#\s+kubectl create (configmap|secret generic) (\S+)((?:.*\\\n)*.*)", text, re.M):
        yield kind.split()[0], name, None
        for key in re.findall(r"--from-literal=([\w-]+)=", rest):
            yield kind.split()[0], name, key


def container_of(pod, command, known):
    """What any pod has: options of its command, and its rules."""
    container = pod["containers"][0]
    variables = {variable["name"]: variable for variable in container["env"]}
    if container["args"][0] != command.lower():
        yield f"it runs {container['args'][0]}"
    yield from wrong_options(variables, {command}, known)
    yield from wrong_options(["RELANCE_" + word.removeprefix("--").replace("-", "_").upper() for word in container["args"][1:]], {command}, known)
    mounts = {mount["name"]: mount["mountPath"] for mount in container["volumeMounts"]}
    if set(mounts) != {volume["name"] for volume in pod["volumes"]}:
        yield "volumes and mounts differ"
    if variables["RELANCE_RULES"]["value"] not in mounts.values():
        yield "no volume has the rules"


def stateful_set(pod, name, objects):
    container = pod["containers"][0]
    variables = {variable["name"]: variable for variable in container["env"]}
    field = variables.get("RELANCE_INSTANCE", {}).get("valueFrom", {}).get("fieldRef", {})
    if field.get("fieldPath") != "metadata.name":
        yield "the name of the instance is not the pod's"
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    for kind in ("livenessProbe", "readinessProbe", "startupProbe"):
        port = ports.get(container[kind]["httpGet"]["port"])
        if not variables["RELANCE_LISTEN"]["value"].endswith(f":{port}"):
            yield f"the {kind} asks port {port}, where nobody listens"
    if (objects.get("Service") or {}).get("metadata", {}).get("name") != name:
        yield f"there is no service {name}"


def unmade(text, pod):
    there = set(made(text))
    return [f"nothing makes {kind} {name}{f', key {key}' if key else ''}" for kind, name, key in references(pod) if (kind, name, key) not in there]


def kubernetes(root, known):
    text = (root / "consumer/kubernetes/relance.yaml").read_text()
    objects = {item["kind"]: item for item in yaml.safe_load_all(text)}
    whole = objects["StatefulSet"]["spec"]
    pod, labels = whole["template"]["spec"], whole["template"]["metadata"]["labels"]
    findings = [*container_of(pod, "RUN", known), *stateful_set(pod, whole["serviceName"], objects)]
    findings += [f"the {kind} is for other pods" for kind, selector in (
        ("StatefulSet", whole["selector"]["matchLabels"]), ("Service", objects["Service"]["spec"]["selector"]),
        ("PodDisruptionBudget", objects["PodDisruptionBudget"]["spec"]["selector"]["matchLabels"])) if selector != labels]
    return [f"relance.yaml: {finding}" for finding in findings + unmade(text, pod)]


def learner(root, known):
    """One at a time, of the engines' group, topics and rules."""
    engine, text = (root / "consumer/kubernetes/relance.yaml").read_text(), (root / "consumer/kubernetes/learn.yaml").read_text()
    whole = yaml.safe_load(text)["spec"]
    pod = whole["template"]["spec"]
    findings = list(container_of(pod, "LEARN", known))
    if (whole["replicas"], whole["strategy"]) != (1, {"type": "Recreate"}):
        findings.append("two of them could run")
    if whole["selector"]["matchLabels"] != whole["template"]["metadata"]["labels"]:
        findings.append("the Deployment is for other pods")
    findings += [f"{variable['name']} is not that of the engines" for variable in pod["containers"][0]["env"]
                 if variable["name"] in SHARED and f"name: {variable['name']}, value: {variable['value']}}}" not in engine]
    return [f"learn.yaml: {finding}" for finding in findings + unmade(text, pod)]


# What a learner has to have as its engines do.
SHARED = ("RELANCE_RULES", "RELANCE_INPUT", "RELANCE_OUTPUT", "RELANCE_GROUP")
CHECKS = (compose, config, kubernetes, learner)


def check(root):
    """Every sentence that this lint has to say."""
    known = options(root)
    return [finding for part in CHECKS for finding in part(root, known)]


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else __file__).resolve()
    findings = check(root if root.is_dir() else root.parents[2])
    print("\n".join(findings))
    print(f"{max(len(CHECKS) - len(findings), 0)} passed, {len(findings)} failed")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
