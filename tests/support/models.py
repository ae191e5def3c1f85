"""Versions of models, written to OUTPUT.models as `relance learn` writes them."""
import json
import subprocess

from support import place
from support.kafka import Record

AT = 1772445600000


def publish(world, name, number, lists, base="0", transaction="commit", at=AT):
    """A version of that affinity with the lists {product: [partner]}, `*` for the most popular; gives its chain."""
    done = subprocess.run([place.program("model_tool"), str(world.rules), name, str(number), base, str(at)],
                          input=json.dumps(lists), capture_output=True, text=True, check=True)
    head, body, chain = done.stdout.split()
    key = name.encode()
    world.kafka.produce(f"{world.output}.models",
                        [Record(bytes.fromhex(head), key, partition=0),
                         Record(bytes.fromhex(body), key, partition=0, headers={"relance-piece": b"0"})], transaction)
    return chain
