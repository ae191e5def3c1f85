"""The rights that the manual tells an operator to give, read from the manual itself (consumer/README.md, "Security"):
what stands there is what every end-to-end test runs with."""
import re

from support import place

MANUAL = place.ROOT / "consumer" / "README.md"


def redis_rules(user):
    """What `ACL SETUSER user` says behind the password: key patterns and commands."""
    [rules] = re.findall(rf"^ACL SETUSER {user} on >PASSWORD (.*)$", MANUAL.read_text(), re.M)
    return rules.split()
