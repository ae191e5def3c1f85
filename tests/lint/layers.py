"""Checks the direction of dependencies (CONTRIBUTING.md, "Rooms"): python3 tests/lint/layers.py [ROOT]

Reads every `#include` line of include/, rules/ and consumer/ and compares it with three tables: which folder
may see which, which header of somebody else's library may be seen by which files, and which headers of the
system the core may see at all. The core is pure: what is not in its list (<time.h>, <unistd.h>, <pthread.h>)
has no business there. A test of this lint (layers_test.py) shows that each table can refuse.
"""
import fnmatch
import pathlib
import re
import sys

CORE = ["rules/base", "rules/time", "rules/json", "rules/cel", "rules/event", "rules/state"]
# What a port of delivery is made of: all that those who speak to a server may know of who asks them.
PORTS = [f"consumer/delivery/{name}.h" for name in ("source", "sink", "store", "marks", "links", "models", "parcel", "topics", "published", "live_store", "outbox")]

# Room: the rooms, or single headers, that it may include, besides its own and include/relance.
MAY_SEE = {
    "include/relance": [],
    "rules/base": [],
    "rules/time": ["rules/base"],
    "rules/json": ["rules/base"],
    "rules/cel": ["rules/base", "rules/time"],
    "rules/event": ["rules/base", "rules/json", "rules/cel"],
    "rules/mapping": ["rules/base", "rules/time", "rules/json", "rules/cel", "rules/event"],
    "rules/state": ["rules/base", "rules/cel", "rules/event"],
    "rules/learn": ["rules/base"],
    "rules/rule": CORE,  # set.h: what a compiled set is, which the three rooms share
    "rules/rule/compile": [*CORE, "rules/rule", "rules/mapping/build.h"],
    "rules/rule/run": [*CORE, "rules/rule", "rules/mapping/build.h"],
    "rules/rule/tell": [*CORE, "rules/rule", "rules/rule/compile", "rules/rule/run"],
    "consumer": ["rules/base", "consumer/host", "consumer/cmd"],  # main.c and the tables
    "consumer/host": ["rules/base", "consumer"],
    "consumer/input": ["rules/base", "rules/json", "consumer/host"],
    "consumer/delivery": ["rules/base", "consumer", "consumer/host"],
    "consumer/learn": ["rules/base", "consumer", "consumer/host", "consumer/delivery/models.h", "consumer/delivery/parcel.h"],
    "consumer/intake": ["rules/base", "consumer", "consumer/host", "consumer/wire/wire.h"],
    "consumer/kafka": ["rules/base", "consumer/host", "consumer/intake/relay.h", "consumer/learn/shelf.h", "consumer/learn/stream.h", *PORTS],
    "consumer/redis": ["rules/base", "consumer/host", "consumer/learn/also.h", *PORTS],
    "consumer/http": ["rules/base", "consumer/host"],
    "consumer/wire": ["rules/base", "rules/json", "rules/cel", "consumer/host", "consumer/http/client.h"],
    "consumer/report": ["rules/base", "consumer", "consumer/host", "consumer/redis", "consumer/kafka/scan.h"],
    "consumer/view": ["rules/base", "consumer/host", "consumer/http", "consumer/redis/view.h", "consumer/report", "consumer/kafka/newest.h", "consumer/kafka/scan.h", "consumer/delivery/modelbook.h"],
    "consumer/cmd": ["rules/base", "consumer", "consumer/host", "consumer/input", "consumer/delivery", "consumer/http", "consumer/intake", "consumer/kafka", "consumer/learn",
                     "consumer/redis", "consumer/report", "consumer/view", "consumer/wire"],
}
SEAM = "include/relance"

# Header of a library: the files that may include it. Each library stands behind one file, or one prefix.
BEHIND = {
    "librdkafka/*": ["consumer/kafka/*"],
    "rdkafka.h": ["consumer/kafka/*"],
    "hiredis/*": ["consumer/redis/line.c", "consumer/redis/answer.c", "consumer/redis/make.c"],
    "hiredis.h": ["consumer/redis/line.c", "consumer/redis/answer.c", "consumer/redis/make.c"],
    "openssl/ssl.h": ["consumer/host/channel.c"],
    "openssl/err.h": ["consumer/host/channel.c"],
    "openssl/x509v3.h": ["consumer/host/channel.c"],
    "openssl/evp.h": ["consumer/host/file.c", "consumer/kafka/scram.c"],
    "openssl/hmac.h": ["consumer/kafka/scram.c"],
    "openssl/crypto.h": ["consumer/kafka/scram.c"],
    "cjson/*": ["rules/json/*", "rules/rule/*", "consumer/*"],
    "cJSON.h": ["rules/json/*", "rules/rule/*", "consumer/*"],
    "simdjson.h": ["rules/json/*.cc", "rules/event/*.cc"],
    "re2/*": ["rules/cel/*.cc"],
    "msgpack.h": ["rules/state/*"],
    "msgpack/*": ["rules/state/*"],
    "microhttpd.h": ["consumer/http/server.c", "consumer/http/question.c", "consumer/http/inside.h"],
    "curl/*": ["consumer/http/client.c"],
    "lz4frame.h": ["consumer/kafka/codec.c"],
    "isa-l/*": ["consumer/kafka/batch_put.c"],
    "snappy-c.h": ["consumer/kafka/codec.c"],
    "zlib.h": ["consumer/kafka/codec.c"],
    "zstd.h": ["consumer/kafka/codec.c"],
    "google/*": ["consumer/wire/proto_schema.cc"],
    "xxhash.h": ["rules/base/*", "rules/cel/*", "rules/rule/*", "consumer/*"],
    "time.h": ["rules/time/written.c", "consumer/*"],  # strptime, which reads no clock
}

# Headers of the C library that do no I/O, read no clock, start no thread.
PURE = {"assert.h", "ctype.h", "errno.h", "float.h", "inttypes.h", "limits.h", "math.h", "stdalign.h", "stdarg.h",
        "stdatomic.h", "stdbool.h", "stddef.h", "stdint.h", "stdio.h", "stdlib.h", "string.h"}

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.M)


def folder_of(path):
    """The row of MAY_SEE that a file belongs to: the longest name that its path begins with; None: no row."""
    rows = [row for row in MAY_SEE if path.startswith(row + "/")]
    return max(rows, key=len, default=None)


def resolve(root, including, name, quoted):
    """The file of ours that an include means, as a path from the root; None: it is not ours."""
    places = [including.parent, root / "rules", root / "consumer"] if quoted else []
    for place in [*places, root / "include"]:
        found = place / name
        if found.is_file():
            return found.resolve().relative_to(root).as_posix()
    return None


def check_ours(source, target):
    mine, theirs = folder_of(source), folder_of(target)
    if theirs in (mine, SEAM) or theirs in MAY_SEE[mine] or target in MAY_SEE[mine]:
        return None
    return f"{mine} may not see {theirs or target}"


def check_foreign(source, name, quoted):
    if quoted:
        return f"there is no file {name} of ours; a library's header is included in angle brackets"
    for pattern, allowed in BEHIND.items():
        if fnmatch.fnmatch(name, pattern):
            if any(fnmatch.fnmatch(source, place) for place in allowed):
                return None
            return f"<{name}> may be seen by {', '.join(allowed)} only"
    in_core = not source.startswith("consumer/")
    of_cxx = "." not in name and source.endswith(".cc")
    if in_core and not of_cxx and name not in PURE:
        return f"<{name}> is not among the headers that the core may see"
    return None


def check_file(root, path):
    source = path.relative_to(root).as_posix()
    text = path.read_text(errors="replace")
    for match in INCLUDE.finditer(text):
        quoted, name = match[1] == '"', match[2]
        target = resolve(root, path, name, quoted)
        wrong = check_ours(source, target) if target else check_foreign(source, name, quoted)
        if wrong:
            yield f"{source}:{text.count(chr(10), 0, match.start(1)) + 1}: {wrong}"


def sources(root):
    for folder in ("include", "rules", "consumer"):
        for path in sorted((root / folder).rglob("*")):
            if path.suffix in (".c", ".cc", ".h", ".def"):
                yield path


def check(root):
    """Every sentence that this lint has to say about the tree at `root`."""
    findings = []
    for path in sources(root):
        if folder_of(path.relative_to(root).as_posix()) is None:
            findings.append(f"{path.relative_to(root)}: no row of the table knows this folder")
        else:
            findings += check_file(root, path)
    return findings


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else __file__).resolve()
    root = root if root.is_dir() else root.parents[2]
    findings, count = check(root), len(list(sources(root)))
    print("\n".join(findings))
    wrong = len({line.split(":")[0] for line in findings})
    print(f"{count - wrong} passed, {wrong} failed")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
