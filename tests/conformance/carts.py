"""carts.py RELANCE MAP_TOOL: the story that a shop asks about first, told by each preset to the rules that ship.

Somebody who has not logged in puts a tent into the cart, logs in ten minutes later and leaves: one mail, an hour after. Who buys
before that, by a record that knows nothing of the device, gets none."""
import json
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from support.mapping import ROOT, outcomes, record  # noqa: E402

CHANGES = ROOT / "rules" / "scenarios" / "cart_abandoned.jsonc"  # of shops that tell what was put in
CARTS = ROOT / "rules" / "recipes" / "cart_left.jsonc"           # of shops that tell whole carts
ACTION = "unstruct_event_com_snowplowanalytics_snowplow_ecommerce_snowplow_ecommerce_action_1"
ENTITY = "contexts_com_snowplowanalytics_snowplow_ecommerce_"


def at(minute):
    return f"2026-03-02T10:{minute:02}:00Z"


def micros(minute):
    return 1772445600000000 + minute * 60000000


def segment():
    def call(minute, event, who, **properties):
        return record({"type": "track", "event": event, "messageId": f"m{minute}", "timestamp": at(minute), "properties": properties} | who)
    tent = {"product_id": "tent", "price": 40, "quantity": 1}
    return (call(0, "Product Added", {"anonymousId": "v"}, cart_id="k9", **tent), call(10, "Signed In", {"anonymousId": "v", "userId": "anna"}),
            call(30, "Order Completed", {"userId": "anna"}, order_id="o1", total=40, products=[tent]))


def ga4():
    def body(minute, who, name, **params):
        return record({"timestamp_micros": micros(minute), "events": [{"name": name, "params": params}]} | who)
    items = [{"item_id": "tent", "price": 40, "quantity": 1}]
    return (body(0, {"client_id": "v"}, "add_to_cart", items=items), body(10, {"client_id": "v", "user_id": "anna"}, "login"),
            body(30, {"user_id": "anna"}, "purchase", transaction_id="o1", value=40, items=items))


def snowplow():
    def event(minute, who, action, **entities):
        return record({"event_id": f"e{minute}", "derived_tstamp": at(minute), "event_name": "snowplow_ecommerce_action", ACTION: {"type": action}}
                      | who | {f"{ENTITY}{name}_1": [entity] for name, entity in entities.items()})
    tent = {"id": "tent", "category": "c", "price": 40, "currency": "EUR"}
    login = record({"event_id": "e10", "event_name": "page_view", "derived_tstamp": at(10), "domain_userid": "v", "user_id": "anna"})
    return (event(0, {"domain_userid": "v"}, "add_to_cart", product=tent, cart={"cart_id": "k9", "total_value": 40, "currency": "EUR"}), login,
            event(30, {"user_id": "anna"}, "transaction", transaction={"transaction_id": "o1", "revenue": 40, "currency": "EUR"}, product=tent))


def posthog():
    def event(minute, name, **properties):
        return record({"event": name, "uuid": f"u{minute}", "timestamp": at(minute), "properties": properties})
    tent = {"product_id": "tent", "price": 40, "quantity": 1}
    return (event(0, "Product Added", distinct_id="v", **{"$device_id": "v", "$is_identified": False}, **tent),
            event(10, "$identify", distinct_id="anna", **{"$anon_distinct_id": "v"}),
            event(30, "Order Completed", distinct_id="anna", order_id="o1", total=40, products=[tent]))


def shopify():
    def webhook(minute, topic, body):
        return record({"created_at": at(minute), "updated_at": at(minute)} | body,
                      {"X-Shopify-Topic": topic, "X-Shopify-Webhook-Id": f"w{minute}"})
    lines = [{"product_id": "tent", "title": "Tent", "price": "40.00", "quantity": 1}]
    return (webhook(0, "carts/create", {"id": "v", "token": "v", "line_items": lines}),
            webhook(10, "checkouts/create", {"id": 1, "cart_token": "v", "customer": {"id": "anna"}, "total_price": "40.00", "line_items": lines}),
            webhook(30, "orders/create", {"id": 1, "cart_token": "v", "customer": {"id": "anna"}, "total_price": "40.00", "line_items": lines}))


def matomo():
    def request(minute, rest):
        return record(f"idsite=1&rec=1&cdt={micros(minute) // 1000000}&{rest}")
    items = "idgoal=0&revenue=40&ec_items=%5B%5B%22tent%22%2C%22Tent%22%2C%22%22%2C40%2C1%5D%5D"
    return (request(0, "_id=v&" + items), request(10, "_id=v&uid=anna&url=https%3A%2F%2Fshop.example"), request(30, "uid=anna&ec_id=o1&" + items))


STORIES = {segment: CHANGES, ga4: CHANGES, snowplow: CHANGES, posthog: CHANGES, shopify: CARTS, matomo: CARTS}


def mails(relance, rules, events):
    """Who gets one, and when."""
    consent = {"type": "identify", "customer": "anna", "time": at(0), "email_ok": True}
    lines = "".join(json.dumps(event) + "\n" for event in [consent, *events])
    done = subprocess.run([relance, "replay", "--rules", rules, "--only", "sent", "--until", "2h", "-"], input=lines,
                          capture_output=True, text=True, timeout=60)
    if done.returncode != 0:
        raise RuntimeError(done.stderr)
    return [(sent["customer"], sent["time"]) for sent in map(json.loads, done.stdout.splitlines())]


def main():
    relance, tool = sys.argv[1:]
    failed = 0
    for story, rules in STORIES.items():
        told = [outcome["events"] for outcome in outcomes(tool, story.__name__, story())]
        left = mails(relance, rules, sum(told[:2], []))
        bought = mails(relance, rules, sum(told, []))
        if left != [("anna", "2026-03-02T11:10:00.000Z")] or bought:
            print(f"{story.__name__}: left {left}, bought {bought}: {told}")
            failed += 1
    print(f"{len(STORIES) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
