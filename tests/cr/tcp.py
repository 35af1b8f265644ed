# SPDX-License-Identifier: Apache-2.0
"""A connection over loopback within the container: numbers go there and back, and none may be lost."""
import socket
import threading
import time

listener = socket.create_server(("127.0.0.1", 7000))


def echo():
    connection, _ = listener.accept()
    with connection:
        while data := connection.recv(4096):
            connection.sendall(data)


threading.Thread(target=echo, daemon=True).start()
client = socket.create_connection(("127.0.0.1", 7000))
answers = client.makefile()
tick = 0
while True:
    tick += 1
    client.sendall(f"{tick}\n".encode())
    print(f"tick {int(answers.readline())}", flush=True)
    time.sleep(0.03)
