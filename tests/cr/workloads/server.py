# SPDX-License-Identifier: Apache-2.0
"""server.py DIRECTORY PORT: a web server with a thread to a connection and records in a database (SQLite, WAL) in
DIRECTORY and in memory.

PUT and GET /records/KEY; GET /count says how many there are in the database and in memory; GET /stream is an answer
without an end, a number a line. A thread prints "tick N" twenty times a second.
"""
import http.server
import sqlite3
import sys
import threading
import time

DATABASE = f"{sys.argv[1]}/records.db"
memory = {}
local = threading.local()
lock = threading.Lock()


def database():
    """A connection to a thread, as SQLite wants it; open for as long as the thread lives."""
    if not hasattr(local, "database"):
        local.database = sqlite3.connect(DATABASE, timeout=60, isolation_level=None)
        local.database.execute("PRAGMA synchronous = OFF")
    return local.database


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def answer(self, status, text=""):
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_PUT(self):
        key = self.path.removeprefix("/records/")
        value = self.rfile.read(int(self.headers["Content-Length"])).decode()
        with lock:
            database().execute("INSERT INTO records VALUES (?, ?)", (key, value))
            memory[key] = value
        self.answer(201)

    def do_GET(self):
        if self.path == "/count":
            (count,) = database().execute("SELECT count(*) FROM records").fetchone()
            self.answer(200, f"{count} {len(memory)}")
        elif self.path == "/stream":
            self.stream()
        else:
            key = self.path.removeprefix("/records/")
            row = database().execute("SELECT value FROM records WHERE key = ?", (key,)).fetchone()
            if row is None or row[0] != memory.get(key):
                self.answer(404)
            else:
                self.answer(200, row[0])

    def stream(self):
        self.close_connection = True
        self.send_response(200)
        self.send_header("Connection", "close")
        self.end_headers()
        count = 0
        while True:
            count += 1
            try:
                self.wfile.write(b"%d\n" % count)
                self.wfile.flush()
            except OSError:
                return
            time.sleep(0.01)

    def log_message(self, *arguments):
        pass


def tick():
    count = 0
    while True:
        count += 1
        print(f"tick {count}", flush=True)
        time.sleep(0.05)


database().execute("PRAGMA journal_mode = WAL")
database().execute("CREATE TABLE records (key TEXT PRIMARY KEY, value TEXT)")
threading.Thread(target=tick, daemon=True).start()
http.server.ThreadingHTTPServer.request_queue_size = 64
http.server.ThreadingHTTPServer(("0.0.0.0", int(sys.argv[2])), Handler).serve_forever()
