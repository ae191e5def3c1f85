"""What axe-core finds wrong with the page that a browser shows: WCAG 2.2 A and AA, and its own best practices."""
import functools
import pathlib
import zipfile

from support import kafka

VERSION = "4.11.1"
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
SCRIPT = """
const [tags, done] = arguments;
axe.run(document, {runOnly: {type: 'tag', values: tags}, resultTypes: ['violations']}).then(
    ({violations}) => done(violations.flatMap((one) => one.nodes.map((node) => `${one.id}: ${node.target.join(' ')}: ${node.failureSummary}`))),
    (error) => done([`axe has failed: ${error}`]));
"""


@functools.cache
def script():
    pom = pathlib.Path(__file__).with_name(f"axe-{VERSION}.xml")
    [jar] = kafka.artifacts(f"axe-{VERSION}", pom).glob("selenium-*.jar")
    with zipfile.ZipFile(jar) as file:
        return file.read("axe.min.js").decode()


def findings(browser):
    if not browser.run("return typeof axe !== 'undefined'"):
        browser.run(script() + "; window.axe = axe;")
    return browser.run_long(SCRIPT, TAGS)
