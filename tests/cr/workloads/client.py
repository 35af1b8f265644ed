# SPDX-License-Identifier: Apache-2.0
"""Load for a server that is frozen and thawed under it, and the judgement of what became of it.

client.py [--reconnect] PROTOCOL HOST PORT DIRECTORY

Several threads, each with a connection of its own, write records and read them back. What the server has acknowledged
is a line of DIRECTORY/journal, so that who started this can wait for more of it. On TERM (or a first failure) no more is
written, every record of the journal is read back, over the connections that were open all the time and over a new one,
and the end of it is said in one line on stdout; the exit status is 0 when nothing is lost, altered or twice.

Without --reconnect a connection that breaks is a failure. With it, the connection is made anew, and what was not
acknowledged is written again; so it is when no answer comes for a few seconds, because a connection that the other end
closed by forgetting it is noticed by who sends only.

Each protocol may hold more things open, which only a process that was really frozen can go on with: see the
classes in protocols.py.
"""
import os
import signal
import socket
import sys
import threading
import time
import traceback

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import protocols

WORKERS = 3
PAUSE_SECONDS = 0.004
RETRY_SECONDS = 0.1
CONNECT_SECONDS = 60
IMPATIENCE_SECONDS = 2


class Load:
    def __init__(self, protocol, address, directory, reconnects):
        self.protocol = protocol
        self.address = address
        self.reconnects = reconnects
        if reconnects:
            protocols.TIMEOUT_SECONDS = IMPATIENCE_SECONDS
        self.journal = open(os.path.join(directory, "journal"), "w", buffering=1)
        self.keys = []
        self.n_reconnects = 0
        self.lock = threading.Lock()
        self.end = threading.Event()
        self.failures = []

    def connect(self):
        """A new connection; a server that is just frozen may refuse, or not answer for a while."""
        deadline = time.monotonic() + CONNECT_SECONDS
        while True:
            try:
                return self.protocol.Connection(protocols.Stream(self.address))
            except (OSError, EOFError):
                if not self.reconnects or time.monotonic() > deadline:
                    raise
                time.sleep(RETRY_SECONDS)

    def acknowledged(self, key):
        with self.lock:
            self.keys.append(key)
            self.journal.write(f"{key}\n")

    def again(self, connection, operation, *arguments):
        """Do it, if need be over a new connection; returns the connection that is good now and the result."""
        while True:
            try:
                return connection, getattr(connection, operation)(*arguments)
            except (OSError, EOFError):
                if not self.reconnects:
                    raise
                with self.lock:
                    self.n_reconnects += 1
                connection.close()
                time.sleep(RETRY_SECONDS)
                connection = self.connect()

    def write(self, number):
        connection = self.connect()
        count = 0
        mine = []
        while not self.end.is_set():
            key = f"w{number}-{count}"
            connection, _ = self.again(connection, "put", key, protocols.value_of(key))
            self.acknowledged(key)
            mine.append(key)
            # Something that was written a while ago.
            key = mine[count * 7919 % len(mine)]
            connection, value = self.again(connection, "get", key)
            protocols.expect(value, protocols.value_of(key), f"the value of {key}")
            count += 1
            time.sleep(PAUSE_SECONDS)
        # The connection that was open all the time.
        for key in mine[:50]:
            connection, value = self.again(connection, "get", key)
            protocols.expect(value, protocols.value_of(key), f"the value of {key}")
        connection.close()

    def guarded(self, name, run, *arguments):
        try:
            run(*arguments)
        except Exception as error:  # whatever it is, it is the result
            with self.lock:
                self.failures.append(f"{name}: {type(error).__name__}: {error}")
            traceback.print_exc()
            self.end.set()

    def judge(self):
        connection = self.connect()
        for key in self.keys:
            protocols.expect(connection.get(key), protocols.value_of(key), f"the value of {key}")
        connection.judge(len(self.keys))
        connection.close()

    def run(self):
        if hasattr(self.protocol, "prepare"):
            self.protocol.prepare(self.address)
        held = [] if self.reconnects else [held(self.address) for held in self.protocol.HELD]
        threads = [threading.Thread(target=self.guarded, args=(f"writer {i}", self.write, i)) for i in range(WORKERS)]
        threads += [threading.Thread(target=self.guarded, args=(type(h).__name__, h.go_on, self.end)) for h in held]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.guarded("at the end", self.judge)
        for h in held:
            self.guarded(type(h).__name__, h.finish)


def main():
    arguments = sys.argv[1:]
    reconnects = arguments[0] == "--reconnect"
    protocol, host, port, directory = arguments[reconnects:]
    load = Load(getattr(protocols, protocol), (host, int(port)), directory, reconnects)
    signal.signal(signal.SIGTERM, lambda *_: load.end.set())
    load.run()
    print(f"{len(load.keys)} records, {load.n_reconnects} reconnections, {len(load.failures)} failures")
    for failure in load.failures:
        print(failure)
    return 1 if load.failures or not load.keys else 0


sys.exit(main())
