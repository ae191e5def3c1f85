"""The same work on Flink and on Kafka Streams, as programs of their own (tests/bench/peers), tuned for it.

Their libraries are ordinary artifacts, copied by Maven into the user's cache; their sources are compiled here. Each is one
JVM that prints a line a run: what it took from the first record until all was committed.
"""
import pathlib
import re
import shutil
import subprocess
from dataclasses import dataclass

from support import kafka, place

SOURCES = pathlib.Path(__file__).resolve().parent / "peers"
OPENED = ("java.lang", "java.util", "java.nio", "sun.nio.ch", "java.time")
RUN = re.compile(r"^(WARM|RESULT) (.*)$", re.M)


@dataclass(frozen=True)
class System:
    name: str
    folder: str
    flags: tuple


FLINK = System("Flink", "flink", ("-Xms4g", "-Xmx4g", "-XX:+UseParallelGC", "-XX:MaxDirectMemorySize=1500m",
                                  *(word for name in OPENED for word in ("--add-opens", f"java.base/{name}=ALL-UNNAMED"))))
STREAMS = System("Kafka Streams", "kafka-streams", ("-Xms2g", "-Xmx2g", "-XX:+UseParallelGC"))


def build(system):
    """Compiles a peer; gives its class path."""
    if not shutil.which("javac"):
        raise RuntimeError("the peers have to be compiled: a JDK is needed")
    pom = SOURCES / system.folder / "pom.xml"
    version = re.search(r"<version>(.*?)</version>", pom.read_text())[1]
    jars = kafka.artifacts(f"{system.folder}-{version}", pom)
    classes = place.ROOT / "build" / "peers" / system.folder
    shutil.rmtree(classes, ignore_errors=True)
    sources = [str(path) for folder in (system.folder, "shop") for path in sorted((SOURCES / folder).glob("*.java"))]
    subprocess.run(["javac", "-nowarn", "-d", str(classes), "-cp", f"{jars}/*", *sources], check=True, timeout=300, stdin=subprocess.DEVNULL)
    return f"{classes}:{jars}/*"


def command(system, class_path, **words):
    return ["java", *system.flags, "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-cp", class_path, "bench.Main",
            *(f"{name}={value}" for name, value in words.items())]


def read_runs(output):
    """Of what a peer has printed: {its figures} of each run, the measured one last."""
    runs = [{name: float(value) for name, value in (word.split("=") for word in line.split())} for _, line in RUN.findall(output)]
    if not runs or RUN.findall(output)[-1][0] != "RESULT":
        raise RuntimeError(f"no result: {output[-4000:]}")
    return runs
