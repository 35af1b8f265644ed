# SPDX-License-Identifier: Apache-2.0
"""Four threads count; the main thread reports. What it holds in memory must survive, and so must every thread."""
import hashlib
import os
import threading
import time

counts = [0] * 4
lock = threading.Lock()
changed = threading.Condition(lock)
token = os.urandom(16).hex()
memory = bytearray(os.urandom(1 << 20) * 4)
digest = hashlib.sha256(memory).hexdigest()


def work(number):
    while True:
        time.sleep(0.005)
        with changed:
            counts[number] += 1
            changed.notify_all()


for number in range(4):
    threading.Thread(target=work, args=(number,), daemon=True).start()

tick = 0
while True:
    with changed:
        before = list(counts)
        changed.wait_for(lambda: all(now > then for now, then in zip(counts, before)))
    tick += 1
    intact = hashlib.sha256(memory).hexdigest() == digest
    print(f"tick {tick}", flush=True)
    print(f"state {token} {os.getpid()} {threading.active_count()} {'intact' if intact else 'DAMAGED'}", flush=True)
    time.sleep(0.03)
