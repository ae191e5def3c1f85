"""The pages of the live view, in a real browser: `relance serve` beside a shop of two months that has been decided.

What a page says is compared with what the commands say of the same: `metrics`, `report`, `replay --summary`, `explain`. No page
says anything on its console, breaks its policy or asks anybody else. Pictures of all pages, for eyes, stand in the build's
`pictures/`.
"""
import datetime
import json
import re
import subprocess
import unittest

from e2e.hostile import LIST, OURS, names
from e2e.serving import Server
from support import axe, models, place
from support.browser import Browser, origin, wait_quiet
from support.engine import World, running
from support.kafka import Record, event

PAGES = {"overview": "#/", "rules": "#/rules", "rule": "#/rules/cart_abandoned", "examples": "#/rules/cart_abandoned/sent", "customer": "#/customer/anna?days=30",
         "sales": "#/sales", "channels": "#/channels", "learnt": "#/learnt/goes_with/tent"}
CHANNELS = ["newsletter", "google / cpc", "instagram", "<b>unknown</b>"]
SHOP = ["simulate", "--seconds=60", "--speed=86400", "--customers=40", "--seed=7"]
MANY = 20  # names that are looked up at a time
LIVES = [2, 5, 9, 17, 31]  # days that a customer comes
UNTIL = "400d"  # until nothing waits any more, as with a wall clock that is far ahead
RULES = {
    "tz": "Europe/Berlin", "stale": "3650d",
    "types": {"item": {"product": "string", "name": "string", "price": "double", "qty": "int"}},
    "customer": {"first_name": "string", "email_ok": "bool", "channel": "string"},
    "events": {
        "view": {"product": "string", "category": "string", "price": "double"},
        "add_to_cart": {"cart": "string", "items": "list(item)"},
        "purchase": {"order": "string", "cart": "string", "total": "double", "currency": "string"},
        "refund": {"order": "string", "total": "double"},
    },
    "affinities": {"goes_with": {"from": [{"on": "add_to_cart", "by": "event.items.map(i, i.product)"}], "within": "30d", "half_life": "60d"}},
    "counts": {"views": {"on": "view", "by": "event.product", "over": "7d"}, "orders": {"on": "purchase"}},
    "segments": {"loyal": "orders() >= 10"},
    "sales": {
        "order": {"on": "purchase", "key": "event.order", "total": "event.total", "currency": "event.?currency.orValue('EUR')"},
        "refund": {"on": "refund", "key": "event.order", "total": "event.total"},
        "channel": "customer.?channel.orValue('unknown')", "loyal": "segments.loyal",
    },
    "limits": [{"quiet": "21:00-08:00", "send": "email"}, {"max": "4 per 7d", "send": "email"}],
    "rules": {
        "cart_abandoned": {
            "on": "add_to_cart", "key": "event.cart", "again": "rearm", "split": {"mail": 70, "holdout": 30},
            "cancel": [{"on": "purchase", "key": "event.cart"}], "cooldown": "2d",
            "do": [{"after": "1h", "send": "email", "with": {"template": "cart-1", "cart": "${run.key}"}},
                   {"after": "1d", "send": "email", "with": {"template": "cart-2", "cart": "${run.key}"}}],
            "goal": {"on": "purchase", "within": "3d", "value": "event.total"},
        },
        "browse_abandoned": {"on": "view", "key": "event.product", "if": "views(event.product) >= 3", "cooldown": "3d", "cancel": [{"on": "add_to_cart"}],
                             "do": [{"after": "4h", "send": "push", "with": {"product": "${run.key}"}}]},
        "thank_you": {"on": "purchase", "key": "event.order", "do": [{"after": "10m", "send": "email", "with": {"order": "${run.key}"}}]},
        "second_purchase": {"on": "purchase", "if": "orders() == 1", "cancel": [{"on": "purchase"}], "do": [{"after": "8h", "send": "email"}],
                            "goal": {"on": "purchase", "within": "14d", "value": "event.total"}},
        "by_price": {"on": "view", "if": "event.category == 'kitchen'", "cooldown": "5d", "do": [{"send": "report", "with": {"price": "${trigger.price}", "also": "${goes_with(trigger.product, 2)}"}}]},
    },
}
ENDED = datetime.timedelta(days=10)  # ago: so that nothing waits any more, and the days are among those that a report has
READY = "const e = document.querySelector('#main h1'); return e && !/Reading…|Looking…/.test(document.querySelector('#main').innerText) && document.title.includes(arguments[0])"

# Every id of a list is looked up; what does not stand there as it is, is given back.
LOOK_UP = """
const [ids, done] = arguments, wrong = [], before = document.querySelectorAll('script, img, iframe, object, embed, link, style').length;
const seen = (id) => document.querySelector('#main h1')?.textContent === id &&
    [...document.querySelectorAll('.pairs dd')].some((one) => one.textContent === id);
(async () => {
    for (const id of ids) {
        location.hash = `#/customer/${encodeURIComponent(id)}`;
        const end = performance.now() + 20000;
        while (!seen(id) && performance.now() < end) await new Promise((go) => setTimeout(go, 4));
        if (!seen(id) || document.querySelectorAll('#main :is(script, img, iframe, object, embed, svg, b, i, marquee, video)').length) wrong.push([id, document.querySelector('#main').innerText.slice(0, 300)]);
    }
    if (document.querySelectorAll('script, img, iframe, object, embed, link, style').length !== before) wrong.push('there are elements that nobody wrote');
    done(wrong);
})();
"""
# Likewise of products, [name, what goes with it].
LOOK_UP_PRODUCT = """
const [wanted, done] = arguments, wrong = [], elements = 'script, img, iframe, object, embed, link, style', before = document.querySelectorAll(elements).length;
const listed = () => [...document.querySelectorAll('.columns > :first-child tbody th')].map((one) => one.textContent);
const seen = ([product, partners]) => document.querySelector('input[name=product]')?.value === product.replace(/[\\r\\n]/g, '') && JSON.stringify(listed()) === JSON.stringify(partners);
(async () => {
    for (const one of wanted) {
        location.hash = `#/learnt/goes_with/${encodeURIComponent(one[0])}`;
        const end = performance.now() + 20000;
        while (!seen(one) && performance.now() < end) await new Promise((go) => setTimeout(go, 4));
        if (!seen(one) || document.querySelectorAll('#main :is(script, img, iframe, object, embed, b, i, marquee, video)').length) wrong.push([one, listed(), document.querySelector('#main').innerText.slice(0, 300)]);
    }
    if (document.querySelectorAll(elements).length !== before) wrong.push('there are elements that nobody wrote');
    done(wrong);
})();
"""
# The lines of a story as `relance explain` prints them, the oldest first.
TOLD = """
return [...document.querySelectorAll('.story > :is(.event, .wait)')].reverse().map((moment) => ({
    time: moment.querySelector('time')?.dateTime, head: moment.querySelector('.head strong').textContent, id: moment.querySelector('.head .beside')?.textContent ?? '',
    lines: [...moment.querySelectorAll('details.decision, details.note')].map((line) =>
        `${line.querySelector('.rule').textContent}: ${line.querySelector('.words').textContent}${line.classList.contains('note') && line.querySelector('p.why') ? `: ${line.querySelector('p.why').textContent}` : ''}`)}));
"""
ROWS = """
const table = document.querySelector(arguments[0]);
return table && [...table.querySelectorAll('tbody tr')].map((row) => [...row.children].map((cell) => cell.textContent));
"""
# What can be reached by Tab, and which of that does not show that it is.
FOCUSED = """
const one = document.activeElement, style = getComputedStyle(one);
return [one === document.body ? null : one.outerHTML.slice(0, 120), style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 1];
"""
FOCUSABLE = """
return [...document.querySelectorAll('a[href], button, input, select, summary, [tabindex="0"]')]
    .filter((one) => one.checkVisibility() && !one.closest('details:not([open]) > :not(summary)')).map((one) => one.outerHTML.slice(0, 120));
"""


def number(value):
    """As the pages write a whole number."""
    return f"{value:,.0f}"


def value(text):
    """The number that a cell begins with; a dash is none."""
    return 0.0 if text.startswith("–") else float(re.match(r"-?[\d,.]+", text.lstrip("€-"))[0].replace(",", ""))


def first_instant():
    """A midnight two months before all ended."""
    today = datetime.datetime.now(datetime.timezone.utc).replace(hour=0, minute=0, second=0, microsecond=0)
    return today - ENDED - datetime.timedelta(days=60)


def as_text(instant):
    return instant.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def shop_records():
    """What the simulated shop sends, moved to the last months. Its forty customers come every day; here each of them is one
    after the other, for some days, so that there are customers of all ages, and channels that they come from."""
    lines = subprocess.run([place.program("relance"), *SHOP], capture_output=True, check=True).stdout.splitlines()
    bodies = [body for body in map(json.loads, lines) if body["type"] != "identify"]
    people = sorted({body["customer"] for body in bodies})
    begin, known, events = datetime.datetime.fromisoformat(bodies[0]["time"]), set(), []
    for body in bodies:
        number, since = people.index(body["customer"]), datetime.datetime.fromisoformat(body["time"]) - begin
        life = since.days // LIVES[number % len(LIVES)]
        customer, time = f"{body['customer']}{f'.{life}' if life else ''}", as_text(first_instant() + since)
        if customer not in known:
            known.add(customer)
            events.append({"id": f"i-{len(known)}", "type": "identify", "customer": customer, "time": time, "first_name": customer.title(),
                           "channel": CHANNELS[(number + 3 * life) % len(CHANNELS)]})
        events.append({**body, "customer": customer, "time": time})
    return [Record(json.dumps(body).encode(), key=body["customer"].encode()) for body in events]


def hostile_records(hostile, instant):
    """Each name as a customer and a name, and as a product that another of them looks at."""
    time = as_text(instant)
    return ([event(name, "identify", time, id=f"h-{n}", first_name=name) for n, name in enumerate(hostile)]
            + [event(hostile[n - 1], "view", time, id=f"v-{n}", product=name, category="kitchen", price=1.5) for n, name in enumerate(hostile)])


def learnt_lists(hostile):
    """What goes with what: twenty products with a tent, and names that mean harm with each other."""
    names = [name for name in hostile if "\0" not in name and name != "*"]
    return {"tent": [f"product {n}" for n in range(20)], "*": ["tent", *[name for name in names if name.strip()][:19]], **{name: [names[n - 1], names[n - 2]] for n, name in enumerate(names)}}


class Shop:
    """A shop whose two months have been decided, its engine, and `relance serve` beside it."""

    def __init__(self):
        self.world = World(json.dumps(RULES, indent=2))
        self.hostile = names()
        self.world.kafka.create(f"{self.world.output}.models", 1)
        self.learnt = learnt_lists(self.hostile)
        models.publish(self.world, "goes_with", 1, self.learnt, at=int(first_instant().timestamp() * 1000))
        self.records = hostile_records(self.hostile, first_instant()) + shop_records()
        self.world.produce(self.records)
        self.world.produce([Record(b"no JSON", key=b"anna")])
        self.server = self.serve()  # before anything is published, so that it has examples
        self.engine = self.world.engine()
        place.wait_until(lambda: "A version of a model is available." in self.engine.output(), 20, "what has been learnt")
        self.world.wait_decided(self.engine, 60)
        self.end(json.loads(self.records[-1].value)["time"])
        self.world.wait_decided(self.engine, 60)
        self.settle()

    def end(self, time):
        """The last events, of all partitions: these are decided by what has been learnt."""
        last = [event(f"last-{n}", "view", time, id=f"l-{n}", product="tent", category="kitchen", price=9.5) for n in range(16)]
        self.records += last
        self.world.produce(last)

    def settle(self):
        """Until all that waited has been decided and saved: nothing is counted any more."""
        def still(last=[]):  # noqa: B006, kept on purpose
            now = self.world.counters()
            last.append(now)
            return len(last) > 3 and last[-4] == now and now.get("events") == len(self.records)
        place.wait_until(still, 60, "nothing is counted any more", pause_s=0.7)

    def serve(self, port=None, is_telling=True):
        """`is_telling`: with stories and examples, for which it takes Kafka."""
        world = self.world
        more = {"listen": port} if port else {}
        return Server(world.folder.path, world.redis.reader_url, world.group, world.input,
                      **({"kafka.bootstrap.servers": world.kafka.address, "output": world.output} if is_telling else {}), **more)

    def command(self, *words):
        world = self.world
        done = subprocess.run([place.program("relance"), *words, f"--group={world.group}", f"--input={world.input}", f"--redis={world.redis.reader_url}"],
                              capture_output=True, text=True, timeout=place.PATIENCE * 30, stdin=subprocess.DEVNULL)
        if done.returncode:
            raise RuntimeError(done.stderr)
        return done.stdout

    def close(self):
        self.server.stop()
        self.engine.stop()
        self.world.__exit__()


class Pages(unittest.TestCase):
    maxDiff = 4000

    @classmethod
    def setUpClass(cls):
        cls.shop = Shop()
        cls.addClassCleanup(cls.shop.close)
        cls.browser = Browser()
        cls.addClassCleanup(cls.browser.close)
        cls.origins = set()
        cls.home = f"http://127.0.0.1:{cls.shop.server.port}/"

    def setUp(self):
        self.browser.size(1280, 900)
        self.browser.prefer("light")
        self.open("#/")

    def tearDown(self):
        said = [line for line in self.browser.console() if not getattr(self, "is_away", False) or "Failed to load resource" not in line]
        self.assertEqual(said, [])
        asked = {origin(url) for url in self.browser.requests() if not url.startswith(("chrome", "data:", "about:"))}
        self.assertEqual(asked - self.origins, set())

    def open(self, page, title="", home=None):
        """A page, anew, and all of it."""
        self.origins.add(origin(home or self.home))
        self.browser.go("about:blank")
        self.browser.go((home or self.home) + page)
        self.browser.run("localStorage.clear()")
        self.browser.wait(READY, f"{page} is there", title)
        wait_quiet(self.browser)

    def rows(self, selector):
        return self.browser.run(ROWS, selector)

    # ---- what pages say is what commands say

    def test_the_overview_says_what_metrics_prints(self):
        figures = json.loads(self.shop.command("metrics", "--json"))
        tiles = dict(zip(self.browser.texts(".tile dt"), self.browser.texts(".tile dd")))
        sent = sum(count for name, count in figures["counters"].items() if name.startswith("sent."))
        goals = sum(count for name, count in figures["counters"].items() if re.fullmatch(r"rule\.\w+\.goal(\.\w+)?", name))
        self.assertEqual(value(tiles["Actions"]), sent)
        self.assertEqual(value(tiles["Goals"]), goals)
        self.assertIn(f"{number(figures['counters']['events'])} since ever", tiles["Events a second"])
        self.assertTrue(tiles["Instances"].startswith("1"), tiles)
        self.assertIn("4 of 4 partitions live", tiles["Instances"])
        self.assertEqual(value(tiles["Lag"]), 0)
        self.assertEqual([row[1:3] for row in self.rows(".tall")], [["one", "live"]] * 4)
        looks = self.browser.texts(".look p")
        self.assertIn("1 dead letter: json 1", looks)
        self.assertEqual([self.browser.text("#status strong")], ["Needs a look"])

    def test_a_chart_gives_its_numbers_at_the_press_of_its_button(self):
        minutes = "figure[data-key='Events a second'] "
        self.assertTrue(self.browser.run("return document.querySelector(arguments[0])", minutes + "svg[role=img][aria-label]"))
        self.browser.run("document.querySelector(arguments[0]).focus()", minutes + "button")
        self.browser.press("Enter")
        rows = self.browser.wait(ROWS, "the numbers", minutes + "table")
        self.assertTrue(rows and all(len(row) == 2 for row in rows))
        self.browser.press("Enter")
        self.assertEqual(self.browser.run("return document.querySelectorAll(arguments[0]).length", minutes + "table"), 0)

    def summary(self):
        """Of `relance replay --summary` over the same events: {rule: {outcome: count}}."""
        file = self.shop.world.folder.path / "all.jsonl"
        file.write_bytes(b"".join(record.value + b"\n" for record in self.shop.records))
        done = subprocess.run([place.program("relance"), "replay", f"--rules={self.shop.world.rules}", "--lateness=0s", "--models=none", f"--until={UNTIL}", "--summary", str(file)],
                              capture_output=True, text=True, check=True)
        heads, *lines = done.stdout.split("\n\n")[0].splitlines()
        return {line.split()[0]: cells(heads, line) for line in lines if not line.startswith(" ")}

    def test_rules_say_what_replay_and_report_say(self):
        self.open("#/rules", "Rules")
        replayed, shown = self.summary(), {row[0]: row for row in self.rows(".rules")}
        self.assertEqual(set(shown), set(replayed))
        for rule, counts in replayed.items():
            with self.subTest(rule):
                self.assertEqual([value(cell) for cell in shown[rule][1:5]], [counts.get(name, 0) for name in ("started", "sent", "held", "goal")])
                self.assertAlmostEqual(value(shown[rule][5]), counts.get("money", 0), 2)
        for one in json.loads(self.shop.command("report", "--json"))["rules"]:
            words = [lift["conversion"]["words"] for lift in one["lift"]] or ["no holdout"]
            self.assertIn(shown[one["rule"]][6], words)

    def test_one_rule_has_its_steps_its_variants_its_text_and_examples(self):
        self.open("#/rules/cart_abandoned", "cart_abandoned")
        report = next(one for one in json.loads(self.shop.command("report", "--json"))["rules"] if one["rule"] == "cart_abandoned")
        funnel = {row[0]: row for row in self.rows(".funnel")}
        self.assertEqual([value(funnel[name][1]) for name in ("Started", "Goal")], [report["started"], report["goals"]])
        for step in report["steps"]:
            for outcome, count in step["outcomes"].items():
                if count and outcome != "due":
                    self.assertIn(f"{outcome.replace('_', ' ')} {number(count)}", funnel[f"Step {step['step']}"][4])
        margins = self.browser.texts(".source .noted .margin")
        self.assertTrue(any(f"started {number(report['started'])}" in text for text in margins), margins)
        self.assertTrue(any(f"goal {number(report['goals'])}" in text for text in margins), margins)

    def test_examples_of_an_outcome_lead_to_their_customers(self):
        self.open("#/rules/thank_you", "thank_you")
        self.browser.click(".funnel a")
        self.browser.wait("return document.querySelector('section[data-key^=Examples] tbody a')", "examples")
        customer = self.browser.text("section[data-key^=Examples] tbody a")
        published = {record.json()["customer"] for record in self.shop.world.output_records() if record.json()["rule"] == "thank_you"}
        self.assertIn(customer, published)
        self.browser.click("section[data-key^=Examples] tbody a")
        self.browser.wait(READY, "the customer", customer)
        self.assertEqual(self.browser.text("#main h1"), customer)

    def test_the_story_is_that_of_explain(self):
        self.open("#/customer/anna?days=", "anna")
        self.browser.wait("return document.querySelector('.story') && !document.querySelector('progress')", "the story", seconds=30)
        self.browser.run("for (let more; (more = document.querySelector('.story + button'));) more.click()")
        printed = self.shop.command("explain", "anna", f"--kafka.bootstrap.servers={self.shop.world.kafka.address}")
        for told, wanted in zip(self.browser.run(TOLD), explained(printed), strict=True):
            self.assertEqual({**told, "lines": sorted(told["lines"])}, {**wanted, "lines": sorted(wanted["lines"])})  # those that did not act come last

    def test_sales_and_channels_say_what_report_prints(self):
        report = json.loads(self.shop.command("report", "--json"))
        self.open("#/sales", "Sales")
        tiles = self.browser.texts(".tile dd")
        money = report["sales"]["all"]["money"]["EUR"]
        for one, name in zip(tiles, ("first", "second", "repeat")):
            of = report["sales"][name]
            self.assertIn(f"€{of['money']['EUR']['net']:,.2f} net, {number(of['orders'])} orders", one)
            self.assertIn(f"{100 * of['money']['EUR']['net'] / money['net']:.1f}%", one)
        for span, count in (("Month", 3), ("Week", 9), ("Day", 60)):
            self.browser.run("[...document.querySelectorAll('.choice button')].find((one) => one.textContent === arguments[0]).click()", span)
            rows = self.rows(".tall")
            self.assertLessEqual(abs(len(rows) - count), 1, span)
            if span != "Day":  # of days only the newest are shown
                self.assertAlmostEqual(sum(value(row[6]) for row in rows), money["net"], 1)
                self.assertEqual(sum(value(row[7]) for row in rows), report["sales"]["all"]["orders"])
        self.assertEqual(self.browser.texts(".tile dd"), tiles)  # drawn again meanwhile
        cohort = report["cohorts"][0]
        row = self.rows(".cohorts")[0]
        self.assertEqual(value(row[1]), cohort["customers"])
        self.assertEqual([cell.removesuffix(" so far") for cell in row[2:2 + len(cohort["months"])]], [f"{100 * month['active']:.1f}%" for month in cohort["months"]])
        self.open("#/channels", "Channels")
        for row, one in zip(self.rows(".channels"), report["channels"], strict=True):
            self.assertEqual((row[0], value(row[1]), value(row[2]), value(row[4])), (one["channel"], one["customers"], one["second"], one["loyal"]))
            self.assertAlmostEqual(value(row[6]), one["money"]["EUR"]["net_per_customer"], 2)

    def test_what_has_been_learnt_is_shown_and_a_product_opens_its_list(self):
        self.open("#/learnt", "Learnt")
        tiles = dict(zip(self.browser.texts(".tile dt"), self.browser.texts(".tile dd")))
        named = {name for product, partners in self.shop.learnt.items() for name in (product, *partners)} - {"*"}
        self.assertTrue(tiles["Version"].startswith("1") and tiles["Partitions"].startswith("4 of 4"), tiles)
        self.assertEqual(value(tiles["Products"]), len(named))
        self.assertTrue(re.match(r"\d+ days", tiles["Age"]) and "odd" in self.browser.run("return document.querySelector('.tile[data-key=Age]').className"), tiles)
        self.assertEqual([row[0] for row in self.rows(".columns > :last-child table")], self.shop.learnt["*"])
        self.browser.click("input[name=product]")
        self.browser.type("tent")
        self.browser.press("Enter")
        self.browser.wait("return document.querySelector('.columns > :first-child table')", "its list")
        rows = self.rows(".columns > :first-child table")
        self.assertEqual([row[0] for row in rows], self.shop.learnt["tent"])
        self.assertTrue(all(value(row[1]) > 0 for row in rows), rows)
        self.browser.click(".columns > :first-child tbody a")
        self.browser.wait("return document.querySelector('.columns .empty')?.innerText.includes('lists nothing for product 0')", "that which has none")
        self.assertEqual(self.browser.run("return document.querySelector('input[name=product]').value"), "product 0")

    def test_products_that_mean_harm_stand_there_as_text(self):
        self.open("#/learnt", "Learnt")
        names = [name for name in self.shop.learnt if name not in ("*", "tent")][::3]  # each list has the two before
        self.assertGreater(len(names), 60 if LIST.exists() else len(OURS) // 4)
        wanted = [[name, self.shop.learnt[name]] for name in names]
        for at in range(0, len(wanted), MANY):
            self.assertEqual(self.browser.run_long(LOOK_UP_PRODUCT, wanted[at:at + MANY]), [])

    def test_an_example_says_by_which_version_it_was_decided(self):
        self.open("#/rules/by_price/sent", "by_price")
        self.browser.wait("return document.querySelector('section[data-key^=Examples] tbody details')", "examples")
        self.browser.run("for (const one of document.querySelectorAll('section[data-key^=Examples] tbody details')) one.open = true")
        self.assertIn("Decided by goes_with version 1", self.browser.texts("section[data-key^=Examples] tbody details p"))

    def test_a_story_says_what_the_version_listed_and_what_became_of_it(self):
        self.open("#/customer/last-3?days=", "last-3")
        self.browser.wait("return document.querySelector('.story details.sent table') && !document.querySelector('progress')", "the story", seconds=30)
        self.browser.run("for (const one of document.querySelectorAll('.story details')) one.open = true")
        self.assertTrue([text for text in self.browser.texts(".story details.sent p") if re.fullmatch("goes_with version 1 of .*, asked about tent", text)])
        rows = self.rows(".story details.sent table")
        self.assertEqual([row[0] for row in rows], self.shop.learnt["tent"][:len(rows)])
        self.assertEqual([row[2] for row in rows], ["taken"] * 2 + ["beyond the 2 that were asked for"] * 5)

    # ---- who reads them

    def test_names_that_mean_harm_stand_there_as_text(self):
        server = self.shop.serve(is_telling=False)
        self.addCleanup(server.stop)
        self.open("#/customer", "Customer", f"http://127.0.0.1:{server.port}/")
        ids = [name for name in self.shop.hostile if "\0" not in name]  # the end of a query's value, for an HTTP server in C
        self.assertGreater(len(ids), 60 if LIST.exists() else 3 * len(OURS) // 4)
        for at in range(0, len(ids), MANY):
            self.assertEqual(self.browser.run_long(LOOK_UP, ids[at:at + MANY]), [])

    def test_all_can_be_reached_by_keyboard_and_shows_that_it_is(self):
        for name in ("overview", "rules", "rule", "sales"):
            with self.subTest(name):
                self.open(PAGES[name])
                wanted, reached = self.browser.run(FOCUSABLE), []
                for _ in range(len(wanted) + 5):
                    self.browser.press("Tab")
                    one, is_seen = self.browser.run(FOCUSED)
                    if one is None:
                        break
                    reached.append(one)
                    self.assertTrue(is_seen, f"nobody sees that the focus is at {one}")
                self.assertEqual(set(wanted) - set(reached), set())
        self.open("#/rules")
        self.browser.press("Tab")
        self.assertTrue(self.browser.run("return document.activeElement.id === 'skip' && document.activeElement.getBoundingClientRect().top >= 0"))
        self.browser.press("Enter")
        self.assertEqual(self.browser.run("return document.activeElement.id"), "main")

    def test_the_focus_stays_while_figures_come_in(self):
        self.open("#/rules", "Rules")
        self.browser.run("document.querySelector('.rules tbody a').focus(); document.activeElement.mark = true")
        asked = len([url for url in self.browser.requests() if "/api/now" in url])
        place.wait_until(lambda: len([url for url in self.browser.requests() if "/api/now" in url]) >= asked + 2, 10, "it has asked again")
        self.assertTrue(self.browser.run("return document.activeElement.mark === true"))

    def test_axe_finds_nothing_in_light_in_dark_and_at_320_pixels(self):
        for name, page in PAGES.items():
            self.open(page)
            for width, scheme in ((1280, "light"), (1280, "dark"), (320, "light"), (320, "dark")):
                with self.subTest(f"{name}, {scheme}, {width}"):
                    self.browser.size(width, 900)
                    self.browser.prefer(scheme, "reduce")
                    wait_quiet(self.browser)
                    self.assertEqual(axe.findings(self.browser), [])
                    self.assertEqual(self.browser.run("return document.documentElement.scrollWidth"), width)

    def test_a_theme_is_remembered_and_a_pause_is_one(self):
        self.browser.click("#theme")
        dark = self.browser.run("return getComputedStyle(document.body).backgroundColor")
        self.browser.run("location.reload()")
        self.browser.wait(READY, "the page again", "")
        self.assertEqual(self.browser.run("return [getComputedStyle(document.body).backgroundColor, document.documentElement.dataset.theme]"), [dark, "dark"])
        self.browser.click("#pause")
        self.assertEqual(self.browser.text("#state"), "Paused")
        asked = len(self.browser.requests())
        self.browser.run_long("setTimeout(arguments[0], 3000)")
        self.assertEqual(len(self.browser.requests()), asked)
        self.browser.click("#pause")
        self.browser.wait("return document.querySelector('#state').textContent !== 'Paused'", "it goes on")

    def test_pictures_for_eyes(self):
        folder = place.BUILD / "pictures"
        folder.mkdir(exist_ok=True)
        for name, page in PAGES.items():
            self.open(page)
            for scheme in ("light", "dark"):
                self.browser.prefer(scheme)
                wait_quiet(self.browser)
                self.browser.picture(folder / f"{name}-{scheme}.png")
                self.assertGreater((folder / f"{name}-{scheme}.png").stat().st_size, 10000)
        self.browser.size(960, 640)  # the two of the first page
        for name, scheme, height in (("sales", "light", 790), ("rule", "dark", 640)):
            self.browser.prefer(scheme)
            self.open(PAGES[name])
            self.browser.picture(folder / f"view-{name}.png", height)

    # ---- what goes away comes back

    def state(self, state, seconds=15):
        self.browser.wait("return document.querySelector('#status').dataset.state === arguments[0] && document.querySelector('#state').textContent", f"the status is {state}", state, seconds=seconds)
        return self.browser.text("#status")

    def test_it_says_when_the_engine_the_server_or_redis_is_gone_and_when_it_is_back(self):
        shop, self.is_away = self.shop, True
        self.open("#/rules", "Rules")
        table = self.browser.text(".rules")
        shop.engine.stop(9)
        self.assertIn("No engine is at work", self.state("gone"))
        shop.engine = shop.world.engine()
        self.state("look", 30)
        shop.world.redis.kill()
        self.assertIn("Nothing newer", self.state("gone"))
        self.assertEqual(self.browser.text(".rules"), table)
        shop.world.redis.start()
        self.state("look", 30)
        shop.server.stop()
        self.assertIn("The server does not answer", self.state("gone"))
        self.assertEqual(self.browser.text(".rules"), table)
        shop.server = shop.serve(shop.server.port)
        self.state("look", 30)


class Empty(unittest.TestCase):
    """Before there is anything: each page says what to do."""

    def test_pages_without_data_say_what_to_do(self):
        world = World({"events": {"ping": {}}, "rules": {"answer": {"on": "ping", "do": [{"send": "push"}]}}})
        self.addCleanup(world.__exit__)
        server = Server(world.folder.path, world.redis.reader_url, world.group, world.input)
        self.addCleanup(server.stop)
        browser = Browser()
        self.addCleanup(browser.close)
        browser.go(f"http://127.0.0.1:{server.port}/")
        browser.wait("return document.querySelector('.empty')", "it says that there is nothing")
        self.assertIn("relance run", browser.text(".empty"))
        with running(world) as engine:
            world.wait_decided(engine)
            server.wait_ready(200)
            for page, words in (("rules", "No rule has done anything yet."), ("sales", "These rules say nothing about sales yet."),
                                ("channels", "These rules say nothing about sales yet."), ("learnt", "These rules ask for nothing that is learnt."), ("customer", "Whom is it about?")):
                browser.run("location.hash = arguments[0]", f"#/{page}")
                browser.wait("return document.querySelector('.empty')?.innerText.includes(arguments[0])", f"{page} says: {words}", words)
        self.assertEqual([line for line in browser.console() if "503" not in line], [])  # there is no report before the first figures


def cells(heads, line):
    """A row of a table whose columns end where their heads end: {head: number}."""
    found = {}
    for match in re.finditer(r"\S+", heads):
        text = line[:match.end()].split(" ")[-1] if len(line) >= match.end() else ""
        if re.fullmatch(r"[\d.]+", text):
            found[match[0]] = float(text)
    return found


def explained(text):
    """The events and ends of waits in a printed story, each with what came of it."""
    moments, is_told = [], False
    for line in text.splitlines():
        if head := re.match(r"(\d{4}-\S+Z)(?: \(.*?\))?  (.*?)(?:  (\S+))?$", line):
            moments.append({"time": head[1], "head": head[2], "id": head[3] or "", "lines": []})
        if line and not line.startswith("  "):
            is_told = bool(head)
        elif is_told and line and not line.startswith(("  {", "    ")):
            moments[-1]["lines"].append(line.strip())
    return moments
