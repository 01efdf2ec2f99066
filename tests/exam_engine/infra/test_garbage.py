"""A process that serves keeps what it was born with out of every search for garbage."""

import subprocess
import sys

PROBE = """
import gc
from exam_engine.infra.garbage import collect_rarely

class Node:
    alive = 0
    def __init__(self):
        Node.alive += 1
        self.me = self
    def __del__(self):
        Node.alive -= 1

collect_rarely()
born_with = gc.get_freeze_count()
most = 0
for _ in range(200_000):
    Node()
    most = max(most, Node.alive)
print(born_with, gc.get_freeze_count(), most)
"""


def test_what_was_there_is_left_alone_and_cycles_still_go() -> None:
    printed = subprocess.run([sys.executable, "-c", PROBE], check=True, capture_output=True, text=True).stdout
    born_with, frozen, most_cycles = (int(word) for word in printed.split())
    assert born_with == frozen > 5_000
    assert 1_000 < most_cycles < 50_000
