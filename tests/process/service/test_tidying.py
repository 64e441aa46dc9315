"""Memory that requests leave in an API process is given back."""

from __future__ import annotations

import subprocess
import sys

# In a process of its own: this one may have memory that it freed before.
LARGE = """
import threading
from ep_core.models.runtime.heap import give_back_memory_at_once, resident_bytes
give_back_memory_at_once()
before = resident_bytes()

def request():
    uploads = [b"a" * 20_000_000 for _ in range(5)]
    assert resident_bytes() - before > 90_000_000

for _ in range(3):
    threads = [threading.Thread(target=request) for _ in range(3)]
    for thread in threads: thread.start()
    for thread in threads: thread.join()
print(resident_bytes() - before < 20_000_000)
"""
CYCLES = """
import gc, threading, time
from ep_core.models.runtime.heap import give_back_memory_at_once, resident_bytes
from service.run import tidying
give_back_memory_at_once()
gc.disable()  # else its search may come by chance
tidying.LOOK_S = 0.1
looks = threading.Event()

class Stopping(threading.Event):
    def wait(self, timeout=None):
        looks.set()
        return super().wait(timeout)

stopping, before = Stopping(), resident_bytes()
tidier = threading.Thread(target=tidying.run_tidier, args=(stopping,))
tidier.start()
looks.wait(20)  # it has taken the size to compare with
lost = {k: str(k) for k in range(500_000)}
lost["itself"] = lost
assert resident_bytes() - before > 40_000_000
del lost
deadline = time.monotonic() + 20
while resident_bytes() - before > 20_000_000 and time.monotonic() < deadline: time.sleep(0.05)
print(resident_bytes() - before < 20_000_000)
stopping.set()
tidier.join()
"""


def test_large_pieces_go_back_at_once() -> None:
    assert _said(LARGE) == "True\n"


def test_what_cycles_hold_goes_back_soon() -> None:
    assert _said(CYCLES) == "True\n"


def _said(code: str) -> str:
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    return run.stdout
