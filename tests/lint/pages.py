"""Checks that what the pages list is what the code has: python3 tests/lint/pages.py [ROOT]

A page that repeats a table of the code (fields, keywords, outcomes, rooms) has to have the same rows, and a number that it
names has to be the code's. Each check below names the section and the place in the code. A test of this lint
(pages_test.py) shows that each can refuse.

The reference model of the rule language quotes the page in its docstrings; what it quotes has to stand there, with `…`
for what is left out.
"""
import ast
import pathlib
import re
import sys

SHOWN = "rules/scenarios/cart_abandoned.jsonc"
MODEL = ["dates.py", "page.py", "rules.py", "state.py", "visitors.py", "world.py"]
SECTION = r"^#{2,3} %s\.? .*?(?=^#{2,3} |\Z)"
FIRST_CELL = re.compile(r"^\| `([^`]+)`", re.M)
LIMIT = re.compile(r"^LIMIT\((\w+), ([^,]+), (\w+),", re.M)
UNITS = {"BYTES": [(1 << 20, "MiB"), (1 << 10, "KiB")], "MS": [(3600000, "h"), (60000, "min"), (1000, "s")]}


class Tree:
    def __init__(self, root):
        self.root = root

    def text(self, name):
        return (self.root / name).read_text(encoding="utf-8")

    def section(self, page, number):
        """The text of a section, without those within it."""
        found = re.search(SECTION % re.escape(number), self.text(page), re.M | re.S)
        return found[0] if found else ""

    def words(self, name, pattern):
        """What a pattern finds in a file of the code, each once."""
        return set(re.findall(pattern, self.text(name), re.M))

    def cells(self, page, number):
        """The first cells of a section's table, as far as they are code."""
        return {cell for cell in FIRST_CELL.findall(self.section(page, number))}


def keywords(place):
    return lambda tree: tree.words("rules/rule/compile/keyword.def", r'^KEYWORD\(%s, "([^"]+)"' % place)


def table(page, number):
    return lambda tree: tree.cells(page, number)


def headers(tree):
    """Of actions: what stands in the initializer, by name."""
    return tree.words("consumer/delivery/action.c", r'\{"((?:ce_|content-|relance-|trace)[\w-]+)",') - {
        "relance-reason", "relance-topic", "relance-event", "relance-sentence", "relance-size"}


def asyncapi_headers(message):
    """Of a message in asyncapi.yaml: the names of its headers."""
    def found(tree):
        part = re.search(rf"^    {message}:\n.*?^        properties:\n((?:          [^\n]*\n)+)", tree.text("consumer/senders/asyncapi.yaml"), re.M | re.S)[1]
        return set(re.findall(r"^          ([\w-]+):", part, re.M))
    return found


def dead_headers(tree):
    """Of dead letters: what action.c gives them beside what an action has."""
    return tree.words("consumer/delivery/action.c", r'"(relance-(?:reason|topic|event|sentence|size|partition|offset))"')


def decision_headers(tree):
    return tree.words("consumer/delivery/lines.c", r'"(relance-[\w-]+)"')


def listed(page, number, pattern):
    """What a pattern finds in a section, split into words."""
    return lambda tree: {word for text in re.findall(pattern, tree.section(page, number)) for word in re.findall(r"[\w-]+", text)}


def rooms(tree):
    """Rows of the layer lint."""
    rows = re.search(r"^MAY_SEE = \{(.*?)^\}", tree.text("tests/lint/layers.py"), re.M | re.S)[1]
    return set(re.findall(r'^    "([\w/]+)":', rows, re.M)) - {"consumer"}  # main.c and the tables


def rooms_told(tree):
    part = re.search(r"^## Rooms\n.*?(?=^## )", tree.text("CONTRIBUTING.md"), re.M | re.S)[0]
    return {path.rstrip("/") for row in re.findall(r"^\| (`[^|]+) \|", part, re.M) for path in re.findall(r"`([^`]+)`", row)}


# What is compared: (what it is, what the page has, what the code has)
LISTS = [
    ("STATE.md §2: fields of meta", table("consumer/STATE.md", "2"),
     lambda tree: tree.words("consumer/delivery/meta.h", r"^    META\(\w+, (\w+),") | {"begun", "whole"}),
    ("STATE.md §3.1: parts of a state", table("consumer/STATE.md", "3.1"),
     lambda tree: tree.words("rules/state/part.def", r"^STATE_PART\(\w+, \w+, '(\w)'") | set("vx")),
    ("STATE.md §5.2: headers of an action", listed("consumer/STATE.md", "5.2", r"(?m)^\| ((?:`[\w-]+`(?:, )?)+) \|"), headers),
    ("asyncapi.yaml: headers of an action", asyncapi_headers("action"), headers),
    ("asyncapi.yaml: headers of a dead letter", asyncapi_headers("deadLetter"), dead_headers),
    ("STATE.md §5.7: headers of a decision", listed("consumer/STATE.md", "5.7", r"(?m)^\| ((?:`[\w-]+`(?:, )?)+) \|"), decision_headers),
    ("asyncapi.yaml: headers of a decision", asyncapi_headers("decision"), decision_headers),
    ("STATE.md §5.3: reasons of dead letters", listed("consumer/STATE.md", "5.3", r"`relance-reason`\s+\(`([\w\s]+)`\)"),
     lambda tree: tree.words("rules/event/event.h", r'^    X\([A-Z0-9]+, "(\w+)",')
     | tree.words("consumer/delivery/partition.c", r'\.reason = \{"(\w+)"')),
    ("STATE.md §5.4: members of a mark", table("consumer/STATE.md", "5.4"),
     lambda tree: tree.words("consumer/delivery/mark.c", r'object, "(\w+)"')),
    ("LANGUAGE.md §1.1: keywords of a file", table("rules/LANGUAGE.md", "1.1"), keywords("SET")),
    ("LANGUAGE.md §3.1: keywords of a rule", table("rules/LANGUAGE.md", "3.1"), keywords("RULE")),
    ("LANGUAGE.md §3.3: keywords of a step", table("rules/LANGUAGE.md", "3.3"), keywords("STEP")),
    ("LANGUAGE.md §3.5: keywords of a limit", table("rules/LANGUAGE.md", "3.5"), keywords("LIMIT")),
    ("LANGUAGE.md §6: outcomes", listed("rules/LANGUAGE.md", "6", r"(?m)^\| (?:a|an) [^|]*\| `([^`]+)` \|"),
     lambda tree: tree.words("include/relance/decision.h", r'^    X\([A-Z]+, "(\w+)",')),
    ("CONTRIBUTING.md, rooms", rooms_told, rooms),
]

# What a page says of a limit of rules/base/limit.def; {} stands for its value.
LIMITS = [
    ("rules/LANGUAGE.md", "At most {} values of `by`", "COUNT_KEYS"),
    ("rules/LANGUAGE.md", "the newest {}, the oldest first", "TRIGGERS"),
    ("rules/LANGUAGE.md", "one of the customer's last {} of its type", "EVENT_IDS"),
    ("rules/LANGUAGE.md", "Over all types {} ids of a customer are remembered", "ALL_EVENT_IDS"),
    ("rules/LANGUAGE.md", "dealt with at most {} of `now` earlier", "EVENT_ID_AGE_MS"),
    ("rules/LANGUAGE.md", "{} live runs of the customer", "RUNS"),
    ("rules/LANGUAGE.md", "Of a customer the newest {} events are remembered", "CANCELS"),
    ("rules/LANGUAGE.md", "the longer of {} and the lateness", "CANCEL_AGE_MS"),
    ("rules/LANGUAGE.md", "or more than {}: `failed`", "ACTION_BYTES"),
    ("rules/LANGUAGE.md", "At most {} windows of a customer", "GOALS"),
    ("rules/LANGUAGE.md", "each wait: {} unless", "STATE_BYTES"),
    ("rules/LANGUAGE.md", "at least {} and at most 900,000 bytes", "STATE_BYTES_MIN"),
    ("rules/LANGUAGE.md", "at most {} bytes. Where there is more", "STATE_BYTES_MAX"),
    ("rules/LANGUAGE.md", "value of `by`, of more than {} is an error", "KEY_BYTES"),
    ("rules/LANGUAGE.md", "a list of more than {} of them", "KEYS"),
    ("rules/LANGUAGE.md", "An attribute of more than {} is not written", "ATTRIBUTE_BYTES"),
    ("consumer/STATE.md", "in UTF-8, at most {}, nested", "EVENT_BYTES"),
    ("consumer/STATE.md", "nested at most {} deep", "EVENT_DEPTH"),
    ("consumer/STATE.md", "not empty, at most {} bytes", "ID_BYTES"),
    ("consumer/DELIVERY.md", "an action above {}", "ACTION_BYTES"),
]

# The same of constants elsewhere: (page, phrase, file, the constant's line, the value as the page has it)
CONSTANTS = [
    ("rules/LANGUAGE.md", "more than {} min ahead of the wall clock", "rules/rule/run/engine.c", r"FUTURE_MS (\d+)", 60000),
    ("rules/LANGUAGE.md", "in at most {} rounds", "rules/rule/run/segmenting.c", r"SEGMENT_ROUNDS = (\d+)", 1),
    ("consumer/DELIVERY.md", "older than {} s. It never goes back", "consumer/delivery/partition.c", r"PARTITION_WALL_AGE_MS = (\d+)", 1000),
    ("consumer/DELIVERY.md", "ahead of the monotonic clock by more than {} min", "consumer/delivery/wall.c", r"WALL_AHEAD_MAX_MS = (\d+)", 60000),
    ("consumer/DELIVERY.md", "is tried again after {} ms", "consumer/delivery/claim.c", r"CLAIM_RETRY_US = (\d+)", 1000),
    ("consumer/DELIVERY.md", "up to 250 ms or {} records", "consumer/delivery/source.h", r"SOURCE_BATCH_MAX = (\d+)", 1),
    ("consumer/DELIVERY.md", "slower than {} s: everything", "consumer/kafka/sink.c", r"SINK_COMMIT_MS = (\d+)", 1000),
    ("consumer/DELIVERY.md", "as soon as {} customers have changed", "consumer/delivery/worker.h", r"WORKER_SAVE_CHANGED = (\d+)", 1),
    ("consumer/DELIVERY.md", "With more than {} changed customers", "consumer/delivery/worker.h", r"WORKER_CHANGED_MAX = (\d+)", 1),
    ("consumer/DELIVERY.md", "under load every {} s", "consumer/delivery/flight.c", r"FLIGHT_SAVE_LOAD_US = (\d+)", 1000000),
    ("consumer/STATE.md", "at most {} words a command", "consumer/redis/resp.h", r"RESP_MANY = (\d+)", 1),
    ("consumer/STATE.md", "EXPIRE metrics:MINUTE {plain}", "consumer/redis/store_write.c", r'STORE_MINUTE_S "(\d+)"', 1),
    ("consumer/STATE.md", "EXPIRE sales:DAY {plain}", "consumer/redis/store_write.c", r'STORE_DAY_S +"(\d+)"', 1),
    ("consumer/STATE.md", "gone {} days after it was last written", "consumer/redis/store_write.c", r'STORE_DAY_S +"(\d+)"', 86400),
]


def plain(text):
    return re.sub(r"\s+", " ", text)


def limit_values(tree):
    """{name: its value as people write it}"""
    values = {}
    for name, number, unit in LIMIT.findall(tree.text("rules/base/limit.def")):
        base, _, shift = number.partition("<<")
        value = int(base) << int(shift or 0)
        size, word = next(((size, word) for size, word in UNITS.get(unit, []) if value % size == 0), (1, ""))
        values[name] = f"{value // size:,} {word}".strip()
    return values


def check_lists(tree):
    for what, told, there in LISTS:
        page, code = told(tree), there(tree)
        for word in sorted(code - page):
            yield f"{what}: {word} is not there"
        for word in sorted(page - code):
            yield f"{what}: the code knows no {word}"
        if not code:
            yield f"{what}: nothing is found in the code"


def check_limits(tree):
    values = limit_values(tree)
    for page, phrase, name in LIMITS:
        wanted = phrase.format(values.get(name, "?"))
        if wanted not in plain(tree.text(page)):
            yield f'{page}: "{wanted}" is not there (LIMIT {name})'


def check_constants(tree):
    for page, phrase, file, pattern, unit in CONSTANTS:
        found = re.search(pattern, tree.text(file))
        value = int(found[1]) // unit if found else 0
        wanted = phrase.format(f"{value:,}", plain=value)
        if not found:
            yield f"{file}: there is no {pattern}"
        elif wanted not in plain(tree.text(page)):
            yield f'{page}: "{wanted}" is not there ({file})'


def running_text(page):
    """A page's words, without what marks them up."""
    links = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", page)
    return plain(re.sub(r"[`*]", "", links))


def is_quoted_from(page, quote):
    """Do the pieces of a quotation stand in the page, one behind the other?"""
    at = 0
    for piece in quote.replace("`", "").split("…"):
        at = page.find(piece.strip().rstrip(".;:,"), at)
        if at < 0:
            return False
    return True


def check_quotes(tree):
    page = running_text(tree.text("rules/LANGUAGE.md"))
    found = 0
    for name in MODEL:
        module = f"tests/conformance/model/{name}"
        for node in ast.walk(ast.parse(tree.text(module))):
            docstring = ast.get_docstring(node) if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)) else None
            for quote in re.findall(r'"([^"]{12,})"', plain(docstring or "")):
                found += 1
                if not is_quoted_from(page, quote):
                    yield f'{module}: LANGUAGE.md does not say "{quote}"'
    if found < 20:
        yield f"only {found} quotations are found in the model"


def check_excerpt(tree):
    """The first page shows a scenario line by line, without its tests: what it shows has to stand there."""
    shown = re.search(r"^```jsonc\n(\{\n.*?)[\s}]+^```", tree.text("README.md"), re.M | re.S)[1]
    if shown not in tree.text(SHOWN):
        yield f"README.md: what is shown of {SHOWN} is not what stands there"


def check(tree):
    """Every sentence that this lint has to say."""
    return [*check_lists(tree), *check_limits(tree), *check_constants(tree), *check_quotes(tree), *check_excerpt(tree)]


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else __file__).resolve()
    root = root if root.is_dir() else root.parents[2]
    findings, count = check(Tree(root)), len(LISTS) + len(LIMITS) + len(CONSTANTS) + len(MODEL) + 1
    print("\n".join(findings))
    print(f"{max(count - len(findings), 0)} passed, {len(findings)} failed")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
