"""The rights that the manual tells an operator to give, read from the manual itself (consumer/README.md, "Security"):
what stands there is what every end-to-end test runs with."""
import re

from support import place

MANUAL = place.ROOT / "consumer" / "README.md"


def redis_rules(user):
    """What `ACL SETUSER user` says behind the password: key patterns and commands."""
    [rules] = re.findall(rf"^ACL SETUSER {user} on >PASSWORD (.*)$", MANUAL.read_text(), re.M)
    return rules.split()


def kafka_rights(user, group, input, output, decisions=None, models=False):
    """What the manual's table gives a user of that kind, as kafka_acls.py has it: [(resource, pattern, name, operation)].
    Without `decisions` what it takes for --decisions is left out, without `models` what rules with affinities take."""
    found = []
    for line in MANUAL.read_text().splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if not line.startswith("|") or cells[0] != user:
            continue
        resource, name, operations = cells[1:4]
        [name, pattern] = re.fullmatch(r"`(\S+)`( and what begins so)?", name).groups()
        if name == "DECISIONS" and not decisions or name.endswith(".models") and not models:
            continue
        name = name.replace("DECISIONS", decisions or "").replace("INPUT", input).replace("OUTPUT", output).replace("GROUP", group)
        found += [(resource, "prefixed" if pattern else "literal", name, operation) for operation in operations.split(", ")]
    return found
