"""A small evaluator of CEL, for the reference model: slow, readable, a walk over a tree.

Values are Python's, with the types that Python lacks: Uint, Ts (milliseconds since 1970), Dur (milliseconds),
Record (a dict with a field absent here and there). Whatever CEL calls an error is CelError. Only what generated
rule sets use is here; types are not checked beforehand."""
import base64
import datetime
import fractions
import math
import re
import zoneinfo


class CelError(Exception):
    """An error of evaluation, in CEL's sense."""


class Uint(int):
    """uint: its own type, so that it prints and adds as one."""


class Ts(int):
    """timestamp, in milliseconds since 1970."""


class Dur(int):
    """duration, in milliseconds."""


class Record(dict):
    """An event, an item, the customer: fields by name, absent ones missing."""


class Optional(list):
    """optional: a list of at most one value."""

    def then(self, next_):
        """What `next_` makes of the value; nothing of nothing."""
        return next_(self[0]) if self else self


TOKEN = re.compile(r"""(?:\s|//[^\n]*)*(?:(?P<float>\d+\.\d+(?:[eE][+-]?\d+)?|\d+[eE][+-]?\d+)|(?P<uint>\d+u)|(?P<int>\d+)
    |(?P<bytes>b'(?:[^'\\]|\\.)*')|(?P<text>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")|(?P<name>[A-Za-z_]\w*)
    |(?P<op>&&|\|\||[=!<>]=|[-+*/%<>!?:.,()\[\]{}])|(?P<end>\Z))""", re.X)
ESCAPE = {"n": "\n", "t": "\t", "\\": "\\", "'": "'", '"': '"'}
LEVELS = [["||"], ["&&"], ["==", "!=", "<", "<=", ">", ">=", "in"], ["+", "-"], ["*", "/", "%"]]
MACROS = {"map", "filter", "all", "exists", "exists_one"}
OF_OPTIONALS = {"optMap", "optFlatMap"}


class Parser:
    """Text → tree: tuples, the kind first. `lets` are names that stand for a tree."""

    def __init__(self, text, lets=None):
        self.text, self.lets, self.at, self.tokens = text, lets or {}, 0, []
        at = 0
        while not self.tokens or self.tokens[-1][0] != "end":
            found = TOKEN.match(text, at)
            if not found:
                raise ValueError(f"not CEL at {at}: {text}")
            self.tokens.append((found.lastgroup, found.group(found.lastgroup)))
            at = found.end()

    def peek(self):
        kind, text = self.tokens[self.at]
        return text if kind in ("op", "end") or (kind == "name" and text == "in") else None

    def take(self, text):
        if self.peek() != text:
            return False
        self.at += 1
        return True

    def need(self, text):
        if not self.take(text):
            raise ValueError(f"expected {text} in {self.text}")

    def whole(self):
        tree = self.ternary()
        if self.tokens[self.at][0] != "end":
            raise ValueError(f"more than one expression: {self.text}")
        return tree

    def ternary(self):
        test = self.level(0)
        if not self.take("?"):
            return test
        yes = self.level(0)
        self.need(":")
        return ("?", test, yes, self.ternary())

    def level(self, n):
        if n == len(LEVELS):
            return self.unary()
        left = self.level(n + 1)
        while self.peek() in LEVELS[n]:
            op = self.peek()
            self.at += 1
            left = ("op", op, left, self.level(n + 1))
        return left

    def unary(self):
        if self.take("!"):
            return ("not", self.unary())
        if self.take("-"):
            return ("neg", self.unary())
        return self.member()

    def member(self):
        tree = self.primary()
        while True:
            if self.take("."):
                perhaps = self.take("?")
                name = self.tokens[self.at][1]
                self.at += 1
                tree = ("perhaps", tree, ("value", name)) if perhaps else \
                    ("method", name, tree, self.arguments(")")) if self.take("(") else ("field", tree, name)
            elif self.take("["):
                tree = ("perhaps" if self.take("?") else "index", tree, self.ternary())
                self.need("]")
            else:
                return tree

    def arguments(self, close):
        out = []
        while not self.take(close):
            out.append(("optional", self.ternary()) if self.take("?") else self.ternary())
            self.take(",")
        return out

    def primary(self):
        kind, text = self.tokens[self.at]
        self.at += 1
        if kind == "float":
            return ("value", float(text))
        if kind == "uint":
            return ("value", Uint(text[:-1]))
        if kind == "int":
            return ("value", int(text))
        if kind in ("text", "bytes"):
            value = re.sub(r"\\(.)", lambda m: ESCAPE[m.group(1)], text[1 + (kind == "bytes"):-1])
            return ("value", value if kind == "text" else value.encode())
        if text == "(":
            tree = self.ternary()
            self.need(")")
            return tree
        if text == "[":
            return ("list", self.arguments("]"))
        if text == "{":
            return ("map", self.pairs())
        if kind == "name":
            if text in ("true", "false", "null"):
                return ("value", {"true": True, "false": False, "null": None}[text])
            return ("call", text, self.arguments(")")) if self.take("(") else self.lets.get(text, ("name", text))
        raise ValueError(f"not CEL: {self.text}")

    def pairs(self):
        out = []
        while not self.take("}"):
            optional = self.take("?")
            key = self.ternary()
            self.need(":")
            out.append((key, ("optional", self.ternary()) if optional else self.ternary()))
            self.take(",")
        return out


def parse(text, lets=None):
    return Parser(text, lets).whole()


def fields_read(tree, of):
    """The fields that an expression reads of a variable."""
    if not isinstance(tree, (tuple, list)):
        return set()
    if len(tree) == 3 and tree[0] in ("field", "perhaps") and tree[1] == ("name", of):
        return {tree[2] if tree[0] == "field" else tree[2][1]}
    return set().union(*(fields_read(part, of) for part in tree))


def calls(tree):
    """The functions that an expression calls by their name alone."""
    if not isinstance(tree, (tuple, list)):
        return set()
    own = {tree[1]} if len(tree) == 3 and tree[0] == "call" else set()
    return own.union(*(calls(part) for part in tree))


def kind(value):
    """The CEL type of a value, as a word."""
    for name, type_ in (("bool", bool), ("uint", Uint), ("timestamp", Ts), ("duration", Dur), ("int", int),
                        ("double", float), ("string", str), ("bytes", bytes), ("optional", Optional), ("list", list),
                        ("map", dict)):
        if isinstance(value, type_):
            return name
    return "null"


def in_range(value):
    """Integers and instants leave their range with an error."""
    if isinstance(value, Uint):
        good = 0 <= value < 2**64
    elif isinstance(value, Ts):
        good = -62135596800000 <= value < 253402300800000
    else:
        good = -2**63 <= value < 2**63
    if not good:
        raise CelError("overflow")
    return value


def arithmetic(op, a, b):
    kinds = (kind(a), kind(b))
    if op == "+" and kinds[0] == kinds[1] and kinds[0] in ("string", "list", "bytes"):
        return a + b
    if kinds in (("timestamp", "duration"), ("duration", "timestamp")) and (op == "+" or kinds[0] == "timestamp"):
        return in_range(Ts(int(a) + int(b) if op == "+" else int(a) - int(b)))
    if kinds == ("timestamp", "timestamp") and op == "-":
        return Dur(int(a) - int(b))
    if kinds == ("duration", "duration") and op in "+-":
        return Dur(int(a) + int(b) if op == "+" else int(a) - int(b))
    if kinds == ("double", "double") and op != "%":
        return real(op, a, b)
    if kinds[0] != kinds[1] or kinds[0] not in ("int", "uint"):
        raise CelError(f"no overload: {kinds[0]} {op} {kinds[1]}")
    return whole(op, a, b, Uint if kinds[0] == "uint" else int)


def real(op, a, b):
    if op != "/":
        return {"+": a + b, "-": a - b, "*": a * b}[op]
    if b:
        return a / b
    return math.nan if a == 0 or math.isnan(a) else math.copysign(math.inf, a) * math.copysign(1, b)


def whole(op, a, b, type_):
    a, b = int(a), int(b)
    if op in "/%" and b == 0:
        raise CelError("division by zero")
    quotient = abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1) if op in "/%" else 0
    value = {"+": lambda: a + b, "-": lambda: a - b, "*": lambda: a * b, "/": lambda: quotient,
             "%": lambda: a - b * quotient}[op]()
    return in_range(type_(value))


NUMBERS = {"int", "uint", "double"}


def equal(a, b):
    if kind(a) in NUMBERS and kind(b) in NUMBERS:
        return a == b
    if kind(a) != kind(b):
        return False
    if isinstance(a, list):
        return len(a) == len(b) and all(map(equal, a, b))
    return a == b


def compare(op, a, b):
    if kind(a) != kind(b) and not {kind(a), kind(b)} <= NUMBERS:
        raise CelError(f"no overload: {kind(a)} {op} {kind(b)}")
    if isinstance(a, str):
        a, b = a.encode(), b.encode()
    return {"<": a < b, "<=": a <= b, ">": a > b, ">=": a >= b}[op]


def number_text(value):
    """LANGUAGE.md §3.4: `string(double)` prints as JavaScript does: shortest digits, no exponent from 1e-6 to below 1e21."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    if value == 0:
        return "0"
    mantissa, _, exponent = f"{abs(value)!r}e".partition("e") if "e" not in repr(value) else \
        repr(abs(value)).partition("e")
    exponent = int(exponent.rstrip("e") or 0)
    head, _, tail = mantissa.partition(".")
    digits, point = head + tail, len(head) + exponent
    stripped = digits.lstrip("0")
    point -= len(digits) - len(stripped)
    digits = stripped.rstrip("0")
    sign = "-" if value < 0 else ""
    if 0 < point <= 21:
        text = digits.ljust(point, "0") if len(digits) <= point else f"{digits[:point]}.{digits[point:]}"
    elif -6 < point <= 0:
        text = "0." + "0" * -point + digits
    else:
        rest = f".{digits[1:]}" if len(digits) > 1 else ""
        text = f"{digits[0]}{rest}e{'+' if point > 0 else '-'}{abs(point - 1)}"
    return sign + text


EPOCH = datetime.datetime(1970, 1, 1)


def instant_text(ms):
    """A timestamp by RFC 3339, with milliseconds where there are some."""
    then = EPOCH + datetime.timedelta(milliseconds=int(ms))
    return then.strftime("%Y-%m-%dT%H:%M:%S").rjust(19, "0") + (f".{int(ms) % 1000:03}Z" if ms % 1000 else "Z")


def duration_text(ms):
    seconds, rest = divmod(abs(int(ms)), 1000)
    return ("-" if ms < 0 else "") + str(seconds) + (f".{rest:03}" if rest else "") + "s"


def text_of(value):
    """CEL's string()."""
    name = kind(value)
    if name == "double":
        return number_text(value)
    if name == "bool":
        return "true" if value else "false"
    if name == "timestamp":
        return instant_text(value)
    if name == "duration":
        return duration_text(value)
    if name == "bytes":
        try:
            return value.decode()
        except UnicodeDecodeError:
            raise CelError("invalid UTF-8") from None
    if name in ("list", "map", "null", "optional"):
        raise CelError(f"no overload: string({name})")
    return str(value) if name == "string" else str(int(value))


CEL_DURATION = re.compile(r"([-+]?)((?:\d+(?:\.\d+)?(?:h|ms|m|s))+)")


def cel_duration(text):
    found = CEL_DURATION.fullmatch(text)
    if not found:
        raise CelError("bad duration")
    units = {"h": 3600000, "m": 60000, "s": 1000, "ms": 1}
    ms = sum(fractions.Fraction(n) * units[u] for n, u in re.findall(r"(\d+(?:\.\d+)?)(h|ms|m|s)", found.group(2)))
    return Dur(int(ms) * (-1 if found.group(1) == "-" else 1))  # cut, not rounded (LANGUAGE.md §3.3)


GETTERS = {
    "getFullYear": lambda t: t.year, "getMonth": lambda t: t.month - 1, "getDate": lambda t: t.day,
    "getHours": lambda t: t.hour, "getMinutes": lambda t: t.minute, "getSeconds": lambda t: t.second,
    "getDayOfWeek": lambda t: t.isoweekday() % 7,
}


def getter(name, ms, zone="UTC"):
    try:
        local = (EPOCH + datetime.timedelta(milliseconds=int(ms))).replace(tzinfo=datetime.timezone.utc)
        return GETTERS[name](local.astimezone(zoneinfo.ZoneInfo(zone)))
    except (zoneinfo.ZoneInfoNotFoundError, ValueError):
        raise CelError("unknown zone") from None


def list_sum(values):
    """LANGUAGE.md §3.6: `list.sum()` (of an empty list: 0 of the element type). The element type is not known here: 0."""
    total = values[0] if values else 0
    for value in values[1:]:
        total = arithmetic("+", total, value)
    return total


def to_int(value):
    try:
        return in_range(int(value))
    except (ValueError, OverflowError):
        raise CelError("not an int") from None


def to_timestamp(text):
    try:
        return in_range(Ts(milliseconds(text)))
    except (ValueError, TypeError):
        raise CelError("no timestamp") from None


def milliseconds(text):
    then = datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))
    return (then - EPOCH.replace(tzinfo=datetime.timezone.utc)) // datetime.timedelta(milliseconds=1)


def substring(text, start, end=None):
    end = len(text) if end is None else end
    if not 0 <= start <= end <= len(text):
        raise CelError("out of range")
    return text[start:end]


def value_of(optional):
    if not optional:
        raise CelError("an empty optional")
    return optional[0]


def list_take(values, count):
    if count < 0:
        raise CelError("take takes no negative number")
    return values[:count]


METHODS = {
    "hasValue": lambda a: bool(a), "value": value_of, "orValue": lambda a, b: a[0] if a else b,
    "or": lambda a, b: a or b,
    "startsWith": lambda a, b: a.startswith(b), "endsWith": lambda a, b: a.endswith(b),
    "contains": lambda a, b: b in a, "substring": substring, "take": list_take, "sum": list_sum, "size": lambda a: len(a),
    "lowerAscii": lambda a: a.lower(), "upperAscii": lambda a: a.upper(),
    **{name: (lambda *a, name=name: getter(name, *a)) for name in GETTERS},
}
FUNCTIONS = {
    "size": lambda a: len(a), "string": text_of, "double": lambda a: float(a), "int": to_int,
    "duration": cel_duration, "timestamp": to_timestamp,
}


class Evaluation:
    """One evaluation: variables by name, functions of the rule set by name."""

    def __init__(self, variables, functions):
        self.variables, self.functions = variables, functions

    def value(self, tree):
        return getattr(self, "do_" + {"?": "choice"}.get(tree[0], tree[0]))(*tree[1:])

    def boolean(self, tree):
        value = self.value(tree)
        if not isinstance(value, bool):
            raise CelError("not a bool")
        return value

    def do_value(self, value):
        return value

    def do_list(self, items):
        return [found for item in items for found in self.elements(item)]

    def do_map(self, pairs):
        return {self.value(k): found for k, v in pairs for found in self.elements(v)}

    def elements(self, tree):
        """The value of an element or entry; none of `?` and an empty optional."""
        if tree[0] != "optional":
            return [self.value(tree)]
        found = self.value(tree[1])
        if not isinstance(found, Optional):
            raise CelError("no optional")
        return found

    def do_name(self, name):
        if name not in self.variables:
            raise CelError(f"no {name}")
        value = self.variables[name]
        return value() if callable(value) else value

    def do_not(self, tree):
        return not self.boolean(tree)

    def do_neg(self, tree):
        value = self.value(tree)
        return -value if isinstance(value, float) else in_range(type(value)(-int(value)))

    def do_choice(self, test, yes, no):
        return self.value(yes if self.boolean(test) else no)

    def do_perhaps(self, tree, at):
        """a.?b and a[?b]: an optional of what is there."""
        holder, at = self.value(tree), self.value(at)
        return holder.then(lambda held: perhaps(held, at)) if isinstance(holder, Optional) else perhaps(holder, at)

    def do_field(self, tree, name):
        holder = self.value(tree)
        if isinstance(holder, Optional):
            return holder.then(lambda held: perhaps(held, name))
        if not isinstance(holder, dict) or name not in holder:
            raise CelError(f"no field {name}")
        value = holder[name]
        return value() if callable(value) else value

    def do_index(self, tree, at):
        holder, at = self.value(tree), self.value(at)
        if isinstance(holder, Optional):
            return holder.then(lambda held: perhaps(held, at))
        try:
            if isinstance(holder, list) and at < 0:
                raise IndexError
            return holder[at]
        except (IndexError, KeyError):
            raise CelError("out of range") from None

    def do_op(self, op, left, right):
        if op in ("&&", "||"):
            return self.logic(op == "||", (lambda: self.boolean(left), lambda: self.boolean(right)))
        a, b = self.value(left), self.value(right)
        if op == "in":
            return any(equal(a, x) for x in b)
        if op in ("==", "!="):
            return equal(a, b) == (op == "==")
        return compare(op, a, b) if op[0] in "<>" else arithmetic(op, a, b)

    @staticmethod
    def logic(decisive, parts):
        """|| and &&, exists and all: the decisive value wins over errors."""
        failed = None
        for part in parts:
            try:
                if part() == decisive:
                    return decisive
            except CelError as error:
                failed = error
        if failed:
            raise failed
        return not decisive

    def do_method(self, name, tree, arguments):
        if name in MACROS:
            return self.macro(name, self.value(tree), arguments)
        if name in OF_OPTIONALS:
            return self.of_optional(name, self.value(tree), *arguments)
        if tree == ("name", "optional"):
            return Optional(map(self.value, arguments))
        return self.apply(METHODS[name], [self.value(tree), *map(self.value, arguments)])

    def do_call(self, name, arguments):
        if name == "has":
            _, tree, field = arguments[0]
            never_came = tree[:2] == ("field", ("name", "last")) and not self.do_call("has", [tree])
            return not never_came and field in self.value(tree)
        return self.apply({**FUNCTIONS, **self.functions}[name], [self.value(a) for a in arguments])

    @staticmethod
    def apply(function, arguments):
        try:
            return function(*arguments)
        except (TypeError, ValueError, AttributeError):
            raise CelError("no overload") from None

    def of_optional(self, name, optional, variable, body):
        """optMap and optFlatMap."""
        if not optional:
            return optional
        value = Evaluation({**self.variables, variable[1]: optional[0]}, self.functions).value(body)
        return value if name == "optFlatMap" else Optional([value])

    def macro(self, name, items, arguments):
        variable = arguments[0][1]

        def each(tree, item):
            return Evaluation({**self.variables, variable: item}, self.functions).value(tree)
        body = arguments[-1]
        if name in ("all", "exists"):
            return self.logic(name == "exists", [lambda i=i: each(body, i) for i in items])
        if name == "exists_one":
            return sum(each(body, i) for i in items) == 1
        if name == "filter":
            return [i for i in items if each(body, i)]
        chosen = items if len(arguments) == 2 else [i for i in items if each(arguments[1], i)]
        return [each(body, i) for i in chosen]


def perhaps(holder, at):
    if isinstance(holder, dict):
        if at not in holder:
            return Optional()
        return Optional([holder[at]() if callable(holder[at]) else holder[at]])
    if not isinstance(holder, list):
        raise CelError("no overload")
    return Optional([holder[at]]) if 0 <= at < len(holder) else Optional()


def evaluate(tree, variables, functions):
    return Evaluation(variables, functions).value(tree)


def bytes_text(value):
    return base64.b64encode(value).decode()
