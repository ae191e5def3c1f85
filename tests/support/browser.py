"""A real browser: Debian's chromium, driven by its chromium-driver, whose WebDriver is JSON over HTTP.

It has a private profile, no window, and speaks to nobody of its own accord. Whatever a page says on its console, whatever it
asks of whom, and whatever its Content-Security-Policy refuses is kept, to be looked at.
"""
import base64
import json
import os
import pathlib
import time
import urllib.error
import urllib.parse
import urllib.request

from support import place

ELEMENT = "element-6066-11e4-a52e-4f735466cecf"  # how WebDriver names a reference to one
KEYS = {"Tab": "\ue004", "Enter": "\ue007", "Escape": "\ue00c", "Space": "\ue00d", "Left": "\ue012", "Right": "\ue014", "Shift": "\ue008"}
ARGUMENTS = ["--headless=new", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--disable-background-networking",
             "--disable-component-update", "--disable-sync", "--disable-default-apps", "--force-color-profile=srgb",
             "--hide-scrollbars", "--disable-ipc-flooding-protection"]  # the last: a page may be left as often as one likes


class Refused(Exception):
    """What the driver answers where a command fails."""


class Browser:
    def __init__(self, width=1280, height=900, zone="Europe/Berlin"):
        self.folder = place.Folder("browser")
        self.log = open(self.folder.path / "log", "wb")
        port = place.free_port()
        self.address = f"http://127.0.0.1:{port}"
        self.session = ""
        self.seen = []  # what the driver has logged of the network
        environment = {**os.environ, "HOME": str(self.folder.path), "TZ": zone}
        self.driver = place.start(["chromedriver", f"--port={port}"], stdout=self.log, stderr=self.log, env=environment)
        try:
            place.wait_until(lambda: self.ask("GET", "/status")["ready"], 20, "chromedriver answers")
            self.open(width, height, zone)
        except BaseException:
            self.close()
            raise

    def open(self, width, height, zone):
        arguments = [*ARGUMENTS, f"--user-data-dir={self.folder.path / 'profile'}", f"--window-size={width},{height}"]
        if os.geteuid() == 0:  # chromium's sandbox is none for root, and it says so by ending
            arguments.append("--no-sandbox")
        wanted = {"browserName": "chrome", "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"},
                  "goog:chromeOptions": {"args": arguments, "binary": "/usr/bin/chromium"}}
        made = self.ask("POST", "/session", {"capabilities": {"alwaysMatch": wanted}})
        self.session = f"/session/{made['sessionId']}"
        self.size(width, height)
        self.cdp("Emulation.setTimezoneOverride", timezoneId=zone)
        self.cdp("Emulation.setLocaleOverride", locale="en-GB")

    def close(self):
        try:
            if self.session:
                self.ask("DELETE", self.session)
        except (Refused, OSError):
            pass
        self.driver.terminate()
        self.driver.wait()
        self.log.close()
        self.folder.close()

    # ---- its protocol

    def ask(self, method, path, body=None):
        data = json.dumps(body if body is not None else {}).encode() if method == "POST" else None
        request = urllib.request.Request(self.address + path, data, {"Content-Type": "application/json"}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            said = json.load(error)["value"]
            raise Refused(f"{said['error']}: {said['message'].splitlines()[0]}") from None

    def cdp(self, command, **parameters):
        return self.ask("POST", f"{self.session}/goog/cdp/execute", {"cmd": command, "params": parameters})

    # ---- what a person does

    def go(self, url):
        self.ask("POST", f"{self.session}/url", {"url": url})

    def press(self, *keys):
        """Keys one after the other; `Shift+Tab` holds one down."""
        actions = []
        for key in keys:
            held = [KEYS.get(name, name) for name in key.split("+")] if len(key) > 1 else [key]
            actions += [{"type": "keyDown", "value": one} for one in held] + [{"type": "keyUp", "value": one} for one in reversed(held)]
        self.ask("POST", f"{self.session}/actions", {"actions": [{"type": "key", "id": "keys", "actions": actions}]})

    def type(self, text):
        """Into what has the focus, as pasting does: whatever the characters are."""
        self.cdp("Input.insertText", text=text)

    def click(self, selector):
        found = self.ask("POST", f"{self.session}/element", {"using": "css selector", "value": selector})
        self.ask("POST", f"{self.session}/element/{found[ELEMENT]}/click")

    def size(self, width, height):
        self.cdp("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)

    def prefer(self, scheme, motion="no-preference"):
        self.cdp("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme},
                                                        {"name": "prefers-reduced-motion", "value": motion}])

    # ---- what a person sees

    def run(self, script, *arguments):
        return self.ask("POST", f"{self.session}/execute/sync", {"script": script, "args": list(arguments)})

    def run_long(self, script, *arguments):
        """A script that calls its last argument with its result."""
        return self.ask("POST", f"{self.session}/execute/async", {"script": script, "args": list(arguments)})

    def text(self, selector):
        return self.run("const e = document.querySelector(arguments[0]); return e && e.innerText", selector)

    def texts(self, selector):
        return self.run("return [...document.querySelectorAll(arguments[0])].map(e => e.textContent)", selector)

    def wait(self, script, what, *arguments, seconds=10):
        return place.wait_until(lambda: self.run(script, *arguments), seconds, what)

    def picture(self, path, height=None):
        """The whole page, however long it is, or its upper part, as a PNG."""
        size = self.cdp("Page.getLayoutMetrics")["cssContentSize"]
        clip = {"x": 0, "y": 0, "width": size["width"], "height": height or size["height"], "scale": 1}
        shot = self.cdp("Page.captureScreenshot", format="png", captureBeyondViewport=True, clip=clip)
        pathlib.Path(path).write_bytes(base64.b64decode(shot["data"]))

    # ---- what nobody sees

    def console(self):
        """What pages have said since the last time, exceptions and reports of the policy among it."""
        return [line["message"] for line in self.ask("POST", f"{self.session}/se/log", {"type": "browser"})]

    def requests(self):
        """The addresses that pages have asked since the browser was opened."""
        for line in self.ask("POST", f"{self.session}/se/log", {"type": "performance"}):
            message = json.loads(line["message"])["message"]
            if message["method"] == "Network.requestWillBeSent":
                self.seen.append(message["params"]["request"]["url"])
            if message["method"] == "Network.webSocketCreated":
                self.seen.append(message["params"]["url"])
        return self.seen


def origin(url):
    parts = urllib.parse.urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def wait_quiet(browser, seconds=0.2):
    """Until what a click has set off is drawn."""
    browser.run_long("const done = arguments[0]; requestAnimationFrame(() => requestAnimationFrame(() => done(true)))")
    time.sleep(seconds)
