"""What the reference model remembers of a customer: everything as it came, nothing kept ready."""
import math

from cel import Record

RUNS = WINDOWS = VALUES = COOLDOWNS = 256
TRIGGERS = 32


class Run:
    def __init__(self, rule, key, trigger, variant):
        self.rule, self.key, self.variant = rule, key, variant
        self.triggers = [trigger]
        self.live, self.performs, self.parked = True, False, False
        self.begin(trigger)

    def begin(self, trigger):
        """A start or restart: "The origin is the id of the event that started or restarted the run; of a run that no
        event started, `started` in ms"."""
        self.started, self.step = trigger.at, 1
        self.origin = trigger["id"] if "id" in trigger else str(int(trigger.at))
        self.sent, self.outcome, self.action, self.answered, self.answer = 0, "", "", False, Record()

    @property
    def trigger(self):
        return self.triggers[-1]

    @property
    def present(self):
        """The step that it waits for."""
        return self.rule.steps[self.step - 1]

    def wait_until(self, time, now=None):
        """`time` is what the step says, `due` when it happens. What is before `now` is passed over."""
        self.time, self.deferred = time, False
        self.past = now is not None and time < now
        self.due = self.waited = now if self.past else time


    def park(self):
        """Of a parked run: "it has no due time"."""
        self.wait_until(math.inf)


class Window:
    def __init__(self, run, now, number):
        self.rule, self.key, self.variant = run.rule, run.key, run.variant
        self.start, self.end, self.number = now, now + run.rule.goal.within, number


class Customer:
    def __init__(self, name, known=True):
        self.name, self.known = name, known  # a visitor is not known
        self.who = name.encode() if known else b"\xff" + name.encode()
        self.now = self.newest = None
        self.attributes = {}   # name → (value or None, time of the write)
        self.counted = {}      # count → {value of `by`: [(bucket, time, amount)]}, the one updated longest ago first
        self.updated = {}      # (count, value of `by`) → now, when it was updated last
        self.lists = {}        # list → {text: time}, the oldest first
        self.last = {}         # event type → event
        self.ids = []          # (type, id, now)
        self.segments = {}     # name → bool
        self.told = {}         # name → the value that rules have been told of
        self.runs = []
        self.windows = []
        self.sends = {}        # limit's place → [instants]
        self.last_send = {}    # rule → now
        self.key_sends = {}    # (rule, key) → now, the oldest first
        self.cancels = []      # events that rules name in `cancel`, the oldest first
        self.forgotten = {}    # type → time of the newest of these that is remembered no more
        self.dates = {}        # rule → DateState
        self.visitors = {}     # visitor → time of the newest event that came by it; the one heard of last stands last


class Link:
    """Of a visitor: whose it is, and whose it has been; shared, it is nobody's for good. While it remembers a link, though
    that may be over, its own age does not count."""

    def __init__(self):
        self.customer, self.ever, self.shared, self.remembered = None, [], False, False
