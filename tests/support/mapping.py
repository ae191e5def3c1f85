"""Records through mappings, by way of map_tool; and files of JSON with comments."""
import json
import pathlib
import re
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
PRESETS = ROOT / "rules" / "presets"
SHARED = ROOT.parent / "shared" / "data"
COMMENT = re.compile(r'("(?:[^"\\]|\\.)*")|//[^\n]*|/\*.*?\*/', re.S)
TRAILING = re.compile(r'("(?:[^"\\]|\\.)*")|,(?=\s*[\]}])', re.S)


def read_jsonc(path):
    text = COMMENT.sub(lambda found: found[1] or "", pathlib.Path(path).read_text())
    return json.loads(TRAILING.sub(lambda found: found[1] or "", text))


def record(value, headers=None, key=None):
    """A record for `outcomes`; a value that is a text stands for its bytes."""
    return {"key": key, "headers": headers or {}, "value": value}


def outcomes(tool, mapping, records):
    """What becomes of each record: {"events": [...], "invalid": [...]}, {"unmapped": row} or {"dead": reason, ...}.
    `mapping` is a file, or the name of a preset."""
    path = PRESETS / f"{mapping}.jsonc" if isinstance(mapping, str) else mapping
    lines = "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in records)
    done = subprocess.run([tool, str(path), str(PRESETS)], input=lines.encode(), capture_output=True, timeout=120)
    if done.returncode != 0 or done.stderr:
        raise RuntimeError(f"{path.name}: status {done.returncode}: {done.stderr.decode(errors='replace')}")
    results = [json.loads(line) for line in done.stdout.splitlines()]
    if len(results) != len(records):
        raise RuntimeError(f"{path.name}: {len(records)} records, {len(results)} outcomes")
    return results
