# SPDX-License-Identifier: Apache-2.0
"""What client.py needs to know of each server: a connection with put and get, a judgement of the whole at the end, and
things that are held open (HELD): objects that are made before the first freeze, go on while there is load (go_on), and are
looked at when it is over (finish).
"""
import hashlib
import socket
import struct
import time

# A frozen server takes its time, and TCP waits the longer the more often it was not heard.
TIMEOUT_SECONDS = 120


def value_of(key):
    """Text that only this key has, 64 bytes long or, one time in sixteen, 8 KiB."""
    digest = hashlib.sha256(key.encode()).hexdigest()
    return digest * 128 if digest[0] == "0" else digest


def expect(found, wanted, what):
    if found != wanted:
        raise AssertionError(f"{what} is {found!r:.100} instead of {wanted!r:.100}")


class Stream:
    """A TCP connection, read by line or by length."""

    def __init__(self, address):
        self.socket = socket.create_connection(address, TIMEOUT_SECONDS)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.file = self.socket.makefile("rb")

    def send(self, data):
        self.socket.sendall(data if isinstance(data, bytes) else data.encode())

    def line(self):
        line = self.file.readline()
        if not line.endswith(b"\n"):
            raise EOFError("the connection was closed")
        return line.rstrip(b"\r\n").decode()

    def exactly(self, n):
        data = self.file.read(n)
        if len(data) < n:
            raise EOFError("the connection was closed")
        return data

    def close(self):
        self.file.close()
        self.socket.close()


class Held:
    """Something that stays as it is while the server is frozen and thawed."""

    def __init__(self, address):
        self.address = address

    def go_on(self, end):
        pass

    def finish(self):
        pass


# --- memcached ----------------------------------------------------------------------------------------------------------


class memcached:
    class Connection:
        def __init__(self, stream):
            self.stream = stream

        def put(self, key, value):
            self.stream.send(f"set {key} 7 0 {len(value)}\r\n{value}\r\n")
            expect(self.stream.line(), "STORED", "the answer")

        def get(self, key):
            self.stream.send(f"get {key}\r\n")
            head = self.stream.line()
            if head == "END":
                return None
            value = self.stream.exactly(int(head.split()[3])).decode()
            expect([self.stream.line(), self.stream.line()], ["", "END"], "the end of the answer")
            return value

        def number(self, name):
            self.stream.send("stats\r\n")
            numbers = dict(line.split()[1:3] for line in iter(self.stream.line, "END"))
            return int(numbers[name])

        def judge(self, n):
            expect(self.number("evictions"), 0, "the number of evictions")

        def close(self):
            self.stream.close()

    class Ballast(Held):
        """All of many keys."""

        COUNT = 20000

        def __init__(self, address):
            super().__init__(address)
            stream = Stream(address)
            stream.send("".join(f"set b{i} 0 0 {len(str(i * i))} noreply\r\n{i * i}\r\n" for i in range(self.COUNT)))
            stream.send("version\r\n")
            stream.line()
            stream.close()

        def finish(self):
            connection = memcached.Connection(Stream(self.address))
            for i in range(0, self.COUNT, 100):
                connection.stream.send("get " + " ".join(f"b{n}" for n in range(i, i + 100)) + "\r\n")
                for n in range(i, i + 100):
                    expect(connection.stream.line().split()[1], f"b{n}", "the key")
                    expect(connection.stream.line(), str(n * n), f"the value of b{n}")
                expect(connection.stream.line(), "END", "the end of the answer")
            connection.close()

    class HalfACommand(Held):
        """The first half of a value is sent before the first freeze, the second after the last."""

        def __init__(self, address):
            super().__init__(address)
            self.stream = Stream(address)
            self.stream.send("set half 0 0 10\r\n01234")

        def finish(self):
            self.stream.send("56789\r\n")
            expect(self.stream.line(), "STORED", "the answer to half a command")
            expect(memcached.Connection(self.stream).get("half"), "0123456789", "the value of half a command")
            self.stream.close()

    class Counter(Held):
        """Each increment answers with a number one higher."""

        def __init__(self, address):
            super().__init__(address)
            self.stream = Stream(address)
            self.stream.send("set counter 0 0 1\r\n0\r\n")
            expect(self.stream.line(), "STORED", "the answer")

        def go_on(self, end):
            count = 0
            while not end.wait(0.01):
                count += 1
                self.stream.send("incr counter 1\r\n")
                expect(self.stream.line(), str(count), "the counter")
            self.stream.close()

    HELD = [Ballast, HalfACommand, Counter]


# --- Redis --------------------------------------------------------------------------------------------------------------


class redis:
    class Connection:
        def __init__(self, stream):
            self.stream = stream

        def send(self, *words):
            request = b"*%d\r\n" % len(words)
            for word in words:
                word = str(word).encode()
                request += b"$%d\r\n%s\r\n" % (len(word), word)
            self.stream.send(request)

        def answer(self):
            line = self.stream.line()
            kind, rest = line[0], line[1:]
            if kind == "-":
                raise AssertionError(f"the server says: {rest}")
            if kind == ":":
                return int(rest)
            if kind == "$":
                return None if rest == "-1" else self.stream.exactly(int(rest) + 2)[:-2].decode()
            if kind == "*":
                return None if rest == "-1" else [self.answer() for _ in range(int(rest))]
            return rest

        def ask(self, *words):
            self.send(*words)
            return self.answer()

        def put(self, key, value):
            expect(self.ask("SET", key, value), "OK", "the answer")

        def get(self, key):
            return self.ask("GET", key)

        def judge(self, n):
            expect(len(self.ask("KEYS", "w*")), n, "the number of records")

        def close(self):
            self.stream.close()

    class Ballast(Held):
        """A digest of many keys, which the server calculates."""

        SCRIPT = "local d = '' for i = 1, 20000 do d = redis.sha1hex(d .. redis.call('GET', 'b' .. i)) end return d"

        def __init__(self, address):
            super().__init__(address)
            self.connection = redis.Connection(Stream(address))
            self.connection.ask("EVAL", "for i = 1, 20000 do redis.call('SET', 'b' .. i, redis.sha1hex(i)) end return 1", 0)
            self.connection.ask("ZADD", "sorted", 1, "one", 2, "two")
            self.digest = self.connection.ask("EVAL", self.SCRIPT, 0)

        def finish(self):
            expect(self.connection.ask("EVAL", self.SCRIPT, 0), self.digest, "the digest of all keys")
            expect(self.connection.ask("ZRANGE", "sorted", 0, -1), ["one", "two"], "the sorted set")

    class Subscription(Held):
        """Every message that is published arrives, once, in order."""

        def __init__(self, address):
            super().__init__(address)
            self.subscriber = redis.Connection(Stream(address))
            self.subscriber.ask("SUBSCRIBE", "channel")
            self.publisher = redis.Connection(Stream(address))
            self.count = 0

        def go_on(self, end):
            while not end.wait(0.01):
                for _ in range(3):
                    self.count += 1
                    expect(self.publisher.ask("PUBLISH", "channel", self.count), 1, "the number of subscribers")
                for number in range(self.count - 2, self.count + 1):
                    expect(self.subscriber.answer(), ["message", "channel", str(number)], "the message")

    class Transaction(Held):
        """Commands that are queued before the first freeze are executed after the last, and not before."""

        def __init__(self, address):
            super().__init__(address)
            self.connection = redis.Connection(Stream(address))
            expect(self.connection.ask("WATCH", "nobody-writes-it"), "OK", "the answer")
            expect(self.connection.ask("MULTI"), "OK", "the answer")
            for _ in range(2):
                expect(self.connection.ask("INCRBY", "queued", 21), "QUEUED", "the answer")

        def finish(self):
            other = redis.Connection(Stream(self.address))
            expect(other.get("queued"), None, "what a transaction wrote before its end")
            expect(self.connection.ask("EXEC"), [21, 42], "the answer to EXEC")

    class BlockedPop(Held):
        """A client that waits for an element all the time gets it."""

        def __init__(self, address):
            super().__init__(address)
            self.connection = redis.Connection(Stream(address))
            self.connection.send("BLPOP", "list", 0)

        def finish(self):
            other = redis.Connection(Stream(self.address))
            expect(other.ask("RPUSH", "list", "element"), 1, "the answer to RPUSH")
            expect(self.connection.answer(), ["list", "element"], "the answer to BLPOP")

    HELD = [Ballast, Subscription, Transaction, BlockedPop]


# --- PostgreSQL ---------------------------------------------------------------------------------------------------------


class postgres:
    class Connection:
        """The simple query protocol, version 3, without a password."""

        def __init__(self, stream):
            self.stream = stream
            body = struct.pack("!I", 196608) + b"user\0postgres\0database\0postgres\0\0"
            self.stream.send(struct.pack("!I", len(body) + 4) + body)
            self.rows()

        def send(self, query):
            body = query.encode() + b"\0"
            self.stream.send(b"Q" + struct.pack("!I", len(body) + 4) + body)

        def message(self):
            kind, length = struct.unpack("!cI", self.stream.exactly(5))
            return kind, self.stream.exactly(length - 4)

        def rows(self):
            """Everything up to the next ReadyForQuery."""
            rows = []
            while True:
                kind, body = self.message()
                if kind == b"D":
                    rows.append(self.row(body))
                elif kind == b"A":
                    rows.append(body[4:].split(b"\0")[1].decode())
                elif kind == b"E":
                    raise AssertionError(f"the server says: {body.replace(bytes(1), b' ').decode()}")
                elif kind == b"Z":
                    self.status = body.decode()
                    return rows

        @staticmethod
        def row(body):
            values = []
            at = 2
            for _ in range(struct.unpack("!H", body[:2])[0]):
                length = struct.unpack("!i", body[at:at + 4])[0]
                at += 4
                values.append(None if length < 0 else body[at:at + length].decode())
                at += max(length, 0)
            return values

        def ask(self, query):
            self.send(query)
            return self.rows()

        def put(self, key, value):
            self.ask(f"INSERT INTO records VALUES ('{key}', '{value}')")

        def get(self, key):
            rows = self.ask(f"SELECT value FROM records WHERE key = '{key}'")
            expect(len(rows), 1, f"the number of rows of {key}")
            return rows[0][0]

        def judge(self, n):
            expect(self.ask("SELECT count(*), count(DISTINCT key) FROM records"), [[str(n), str(n)]], "the number of rows")

        def close(self):
            self.stream.close()

    @staticmethod
    def prepare(address):
        connection = postgres.Connection(Stream(address))
        connection.ask("CREATE TABLE records (key text, value text)")
        connection.ask("CREATE INDEX ON records (key)")
        connection.ask("CREATE TABLE others (n bigint, t text)")
        connection.ask("CREATE TABLE copied (n bigint, t text)")
        connection.close()

    class Transaction(Held):
        """Rows that are not committed stay so, and a lock that is held is waited for by who waits for it."""

        def __init__(self, address):
            super().__init__(address)
            self.holder = postgres.Connection(Stream(address))
            self.holder.ask("BEGIN")
            self.holder.ask("SELECT pg_advisory_lock(4711)")
            self.holder.ask("INSERT INTO others SELECT n, 'not committed' FROM generate_series(1, 1000) n")
            self.waiter = postgres.Connection(Stream(address))
            self.waiter.send("SELECT pg_advisory_lock(4711), count(*) FROM others")

        def finish(self):
            other = postgres.Connection(Stream(self.address))
            expect(other.ask("SELECT count(*) FROM others"), [["0"]], "the number of rows that are not committed")
            expect(other.ask("SELECT pg_try_advisory_lock(4711)"), [["f"]], "whether the lock is free")
            expect(self.holder.status, "T", "the state of the transaction")
            expect(self.holder.ask("SELECT count(*), sum(n) FROM others"), [["1000", "500500"]], "the rows in the transaction")
            self.holder.ask("COMMIT")
            expect(other.ask("SELECT count(*) FROM others"), [["1000"]], "the number of committed rows")
            self.holder.ask("SELECT pg_advisory_unlock(4711)")
            # Its snapshot is from before the commit.
            expect(self.waiter.rows()[0][1], "0", "the rows that the waiter sees")

    class Cursor(Held):
        """A cursor goes on at its row, also when it sorts on disk; a temporary table stays."""

        ROWS = 20000

        def __init__(self, address):
            super().__init__(address)
            self.connection = postgres.Connection(Stream(address))
            self.connection.ask("SET work_mem = '64kB'")
            self.connection.ask("CREATE TEMPORARY TABLE own AS SELECT 'temporary' AS t")
            self.connection.ask("BEGIN")
            self.connection.ask("DECLARE c CURSOR FOR SELECT n, md5(n::text) FROM "
                                f"generate_series({self.ROWS}, 1, -1) n ORDER BY n")
            self.next = 1

        def fetch(self, n):
            for number, digest in self.connection.ask(f"FETCH {n} FROM c"):
                expect(number, str(self.next), "the row of the cursor")
                expect(digest, hashlib.md5(number.encode()).hexdigest(), "the value of the cursor")
                self.next += 1

        def go_on(self, end):
            while not end.wait(0.05):
                self.fetch(3)

        def finish(self):
            self.fetch(self.ROWS)
            expect(self.next, self.ROWS + 1, "the number of rows of the cursor")
            self.connection.ask("COMMIT")
            expect(self.connection.ask("SELECT t FROM own"), [["temporary"]], "the temporary table")

    class Notifications(Held):
        """LISTEN and NOTIFY: each one arrives, in order."""

        def __init__(self, address):
            super().__init__(address)
            self.listener = postgres.Connection(Stream(address))
            self.listener.ask("LISTEN channel")
            self.notifier = postgres.Connection(Stream(address))

        def go_on(self, end):
            count = 0
            while not end.wait(0.02):
                count += 1
                self.notifier.ask(f"NOTIFY channel, '{count}'")
                kind, body = self.listener.message()
                expect(kind, b"A", "the kind of the message")
                expect(body[4:].split(b"\0")[1].decode(), str(count), "the notification")

    class Copy(Held):
        """COPY FROM STDIN goes on where it was."""

        def __init__(self, address):
            super().__init__(address)
            self.connection = postgres.Connection(Stream(address))
            self.connection.send("COPY copied FROM STDIN")
            expect(self.connection.message()[0], b"G", "the answer to COPY")
            self.count = 0

        def go_on(self, end):
            while not end.wait(0.02):
                self.count += 1
                row = f"{self.count}\tcopied {self.count}\n".encode()
                self.connection.stream.send(b"d" + struct.pack("!I", len(row) + 4) + row)

        def finish(self):
            self.connection.stream.send(b"c" + struct.pack("!I", 4))
            self.connection.rows()
            rows = self.connection.ask("SELECT count(*), sum(n), count(DISTINCT t) FROM copied")
            expect(rows, [[str(self.count), str(self.count * (self.count + 1) // 2), str(self.count)]], "the copied rows")

    class Benchmark(Held):
        """pgbench, which runs beside the server: the sums of its tables agree at any moment, and it goes on."""

        SUMS = ("SELECT (SELECT sum(abalance) FROM pgbench_accounts), (SELECT sum(tbalance) FROM pgbench_tellers), "
                "(SELECT sum(bbalance) FROM pgbench_branches), coalesce(sum(delta), 0), count(*) FROM pgbench_history")

        def __init__(self, address):
            super().__init__(address)
            self.connection = postgres.Connection(Stream(address))
            self.count = 0

        def go_on(self, end):
            while not end.wait(0.2):
                self.look()

        def look(self):
            *sums, count = self.connection.ask(self.SUMS)[0]
            expect(len(set(sums)), 1, f"the number of different sums ({sums})")
            if int(count) < self.count:
                raise AssertionError(f"{count} transactions after {self.count}")
            self.count = int(count)

        def finish(self):
            before = self.count
            for _ in range(100):
                self.look()
                if self.count > before + 20:
                    return
                time.sleep(0.1)
            raise AssertionError(f"pgbench does not go on after {before} transactions")

    HELD = [Transaction, Cursor, Notifications, Copy, Benchmark]


# --- HTTP ---------------------------------------------------------------------------------------------------------------


class Http:
    """A keep-alive connection."""

    def __init__(self, stream):
        self.stream = stream

    def request(self, method, path, body=""):
        self.stream.send(f"{method} {path} HTTP/1.1\r\nHost: server\r\nContent-Length: {len(body)}\r\n\r\n{body}")

    def head(self):
        """Status and length of the body that follows."""
        status = int(self.stream.line().split()[1])
        length = 0
        while line := self.stream.line():
            name, value = line.split(": ", 1)
            if name.lower() == "content-length":
                length = int(value)
        return status, length

    def ask(self, method, path, body=""):
        self.request(method, path, body)
        status, length = self.head()
        return status, self.stream.exactly(length).decode()

    def close(self):
        self.stream.close()


class nginx:
    class Connection(Http):
        """Records are uploaded files (the DAV module); an index of them nginx does not keep."""

        def put(self, key, value):
            status, _ = self.ask("PUT", f"/files/{key}", value)
            if status not in (201, 204):
                raise AssertionError(f"the answer to PUT is {status}")

        def get(self, key):
            status, value = self.ask("GET", f"/files/{key}")
            expect(status, 200, f"the answer to GET {key}")
            return value

        def judge(self, n):
            pass

    class Download(Held):
        """A large file comes slowly, again and again, and every byte of it is what it was."""

        def __init__(self, address):
            super().__init__(address)
            self.connection = Http(Stream(address))
            self.start()

        def start(self):
            self.connection.request("GET", "/large")
            status, self.left = self.connection.head()
            expect(status, 200, "the answer to GET /large")
            self.at = 0

        def read(self, n):
            n = min(n, self.left)
            # 16 bytes to a line, each line its own number.
            first = self.at // 16
            lines = b"".join(b"%015d\n" % i for i in range(first, (self.at + n) // 16 + 1))
            data = self.connection.stream.exactly(n)
            if data != lines[self.at - first * 16:][:n]:
                raise AssertionError(f"the download differs between bytes {self.at} and {self.at + n}")
            self.at += n
            self.left -= n

        def go_on(self, end):
            while not end.wait(0.02):
                self.read(20000)
                if self.left == 0:
                    self.start()

        def finish(self):
            while self.left:
                self.read(1 << 20)
            self.connection.close()

    class Upload(Held):
        """A large body goes up slowly, and arrives as it was."""

        PIECE = 5000

        def __init__(self, address):
            super().__init__(address)
            self.connection = Http(Stream(address))
            self.pieces = 4000
            self.sent = 0
            self.connection.stream.send("PUT /files/upload HTTP/1.1\r\nHost: server\r\n"
                                        f"Content-Length: {self.pieces * self.PIECE}\r\n\r\n")

        def piece(self, i):
            return (b"%09d " % i) * (self.PIECE // 10)

        def go_on(self, end):
            while not end.wait(0.02) and self.sent < self.pieces:
                self.connection.stream.send(self.piece(self.sent))
                self.sent += 1

        def finish(self):
            for i in range(self.sent, self.pieces):
                self.connection.stream.send(self.piece(i))
            expect(self.connection.head()[0], 201, "the answer to the upload")
            self.connection.request("GET", "/files/upload")
            expect(self.connection.head(), (200, self.pieces * self.PIECE), "the answer")
            for i in range(self.pieces):
                expect(self.connection.stream.exactly(self.PIECE), self.piece(i), f"piece {i} of the upload")
            self.connection.close()

    HELD = [Download, Upload]


class python:
    class Connection(Http):
        """Records are in a database, and counted in the server's memory."""

        def put(self, key, value):
            expect(self.ask("PUT", f"/records/{key}", value), (201, ""), "the answer to PUT")

        def get(self, key):
            status, value = self.ask("GET", f"/records/{key}")
            expect(status, 200, f"the answer to GET {key}")
            return value

        def judge(self, n):
            expect(self.ask("GET", "/count"), (200, f"{n} {n}"), "the number of records in database and memory")

    class Stream(Held):
        """An answer without an end, a number a line."""

        def __init__(self, address):
            super().__init__(address)
            self.connection = Http(Stream(address))
            self.connection.request("GET", "/stream")
            expect(self.connection.head()[0], 200, "the answer to GET /stream")
            self.count = 0

        def go_on(self, end):
            while not end.is_set():
                self.count += 1
                expect(self.connection.stream.line(), str(self.count), "the number in the stream")
            self.connection.close()

    HELD = [Stream]


# --- the Java server ----------------------------------------------------------------------------------------------------


class java:
    class Connection:
        """A protocol of lines: see Server.java."""

        def __init__(self, stream):
            self.stream = stream

        def ask(self, line):
            self.stream.send(line + "\n")
            return self.stream.line()

        def put(self, key, value):
            expect(self.ask(f"put {key} {value}"), "stored", "the answer")

        def get(self, key):
            return self.ask(f"get {key}")

        def judge(self, n):
            expect(self.ask("count"), f"{n}", "the number of records")
            expect(self.ask("check"), "intact", "the state of the heap")

        def close(self):
            self.stream.close()

    class Counter(Held):
        def __init__(self, address):
            super().__init__(address)
            self.connection = java.Connection(Stream(address))

        def go_on(self, end):
            count = 0
            while not end.wait(0.01):
                count += 1
                expect(self.connection.ask("next"), str(count), "the counter")

    HELD = [Counter]
