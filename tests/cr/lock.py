# SPDX-License-Identifier: Apache-2.0
"""Holds a flock and a POSIX lock and counts."""
import fcntl
import time

first = open("/tmp/flock", "w")
fcntl.flock(first, fcntl.LOCK_EX)
second = open("/tmp/posix", "w")
fcntl.lockf(second, fcntl.LOCK_EX)
tick = 0
while True:
    tick += 1
    print(f"tick {tick}", flush=True)
    time.sleep(0.05)
