// SPDX-License-Identifier: Apache-2.0
//
// Server PORT: a store of records on the heap, spoken to in lines: put KEY VALUE, get KEY, count, next (a counter of the
// connection's), check. Besides, a thread makes garbage and reads everything on the heap again and again, with methods
// that are compiled while the process is frozen and thawed, and a timer prints "tick N" twenty times a second.

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintWriter;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

public class Server {
	static final int BALLAST = 50_000;
	static final Map<String, String> records = new ConcurrentHashMap<>();
	static final Map<Integer, String> ballast = new ConcurrentHashMap<>();
	static final AtomicLong rounds = new AtomicLong();
	static volatile String fault;

	static String ballastOf(int i) {
		return "ballast-" + i * 31L;
	}

	/** Reads the heap, and moves a part of it to other regions. */
	static void churn() {
		Deque<byte[]> garbage = new ArrayDeque<>();
		int next = 0;
		while (true) {
			for (int i = 0; i < 500; i++) {
				next = (next + 7919) % BALLAST;
				if (!ballastOf(next).equals(ballast.get(next)))
					fault = "entry " + next + " is " + ballast.get(next);
				ballast.put(next, ballastOf(next));
				garbage.add(new byte[8192]);
				if (garbage.size() > 1000)
					garbage.poll();
			}
			rounds.incrementAndGet();
			try {
				Thread.sleep(2);
			} catch (InterruptedException e) {
				return;
			}
		}
	}

	static String answer(String[] words, long[] counter) {
		switch (words[0]) {
		case "put":
			return records.put(words[1], words[2]) == null ? "stored" : "stored again";
		case "get":
			return records.getOrDefault(words[1], "nothing");
		case "count":
			return "" + records.size();
		case "next":
			return "" + ++counter[0];
		case "check":
			long before = rounds.get();
			for (int i = 0; i < BALLAST; i++)
				if (!ballastOf(i).equals(ballast.get(i)))
					fault = "entry " + i + " is " + ballast.get(i);
			for (int i = 0; i < 100 && rounds.get() == before; i++)
				try {
					Thread.sleep(50);
				} catch (InterruptedException e) {
					break;
				}
			if (rounds.get() == before)
				fault = "the thread does not go on";
			return fault == null ? "intact" : fault;
		default:
			return "what?";
		}
	}

	static void serve(Socket socket) {
		long[] counter = new long[1];
		try (socket) {
			socket.setTcpNoDelay(true);
			var in = new BufferedReader(new InputStreamReader(socket.getInputStream(), StandardCharsets.US_ASCII));
			var out = new PrintWriter(socket.getOutputStream(), false, StandardCharsets.US_ASCII);
			String line;
			while ((line = in.readLine()) != null) {
				out.print(answer(line.split(" "), counter) + "\n");
				out.flush();
			}
		} catch (IOException e) {
			System.out.println("connection: " + e);
		}
	}

	public static void main(String[] arguments) throws IOException {
		for (int i = 0; i < BALLAST; i++)
			ballast.put(i, ballastOf(i));
		Thread churner = new Thread(Server::churn);
		churner.setDaemon(true);
		churner.start();
		AtomicLong tick = new AtomicLong();
		Executors.newSingleThreadScheduledExecutor().scheduleAtFixedRate(
			() -> System.out.println("tick " + tick.incrementAndGet()), 50, 50, TimeUnit.MILLISECONDS);
		ExecutorService pool = Executors.newCachedThreadPool();
		try (ServerSocket listener = new ServerSocket(Integer.parseInt(arguments[0]))) {
			System.out.println("ready");
			while (true) {
				Socket socket = listener.accept();
				pool.submit(() -> serve(socket));
			}
		}
	}
}
