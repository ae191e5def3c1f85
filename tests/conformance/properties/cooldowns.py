"""No second series so soon: counted from the sends, held ones too, of a rule to a customer, or of the same key. Within a
cooldown no run starts and none sends first, and without one none is refused for it."""
import collections

from limits import duration
from scene import Broken, instant

REMEMBERED = 256  # keys of a customer, over all rules
EVER = float("inf")


def cool_down(rules):
    """Random rules seldom have one."""
    for number, rule in enumerate(rules["rules"].values()):
        if number % 3 == 0 and "cooldown" not in rule:
            rule["cooldown"] = {"for": "2h", "per": "key"} if "key" in rule else "2h"


class Cooldown:
    def __init__(self, raw):
        raw = raw if isinstance(raw, dict) else {"for": raw}
        self.length = EVER if raw["for"] == "ever" else duration(raw["for"])
        self.per_key = raw.get("per") == "key"


class Customer:
    def __init__(self):
        self.sends = {}    # (rule, key; None where it is not per key) → instant of the newest send
        self.sent = set()  # runs that have sent: (rule, key)

    def holds(self, cooldown, rule, key, now):
        """Of the newest send: True or False. None: as many keys have sent since then as are remembered, so it is not known."""
        at = self.sends.get((rule, key if cooldown.per_key else None), -EVER)
        since = sum(1 for (_, other), then in self.sends.items() if other is not None and then >= at)
        return None if cooldown.per_key and since > REMEMBERED else now < at + cooldown.length


def cooldowns(scene):
    rules = {name: Cooldown(rule["cooldown"]) for name, rule in scene.rules["rules"].items() if "cooldown" in rule}
    customers, checked = collections.defaultdict(Customer), 0
    for moment in scene.tape:
        if moment.fate == "event" and moment.event["type"] == "forget":
            customers.pop(moment.event["customer"], None)
        for line in (line for line in moment.decisions if line.get("rule") in rules):
            checked += follow(customers[line["customer"]], rules[line["rule"]], line)
    return checked


def follow(customer, cooldown, line):
    """How much was checked of this decision."""
    rule, key, outcome, now = line["rule"], line.get("key", ""), line["outcome"], instant(line["time"])
    send = outcome in ("sent", "held")
    first = send and (rule, key) not in customer.sent
    holds = customer.holds(cooldown, rule, key, now)
    if holds is True and (outcome == "started" or first):
        raise Broken(f"within the cooldown of {rule}: {line}")
    if holds is False and outcome == "cooling":
        raise Broken(f"no cooldown of {rule} holds: {line}")
    if outcome in ("started", "restarted"):
        customer.sent.discard((rule, key))
    if send:
        customer.sent.add((rule, key))
        customer.sends[rule, key if cooldown.per_key else None] = now
    return outcome == "cooling" or (first and len(customer.sends) > 1)
