"""The program of the tests' own target (docker_target)."""

import ctypes
import json
import os
import select
import socket
import sys
import time
from pathlib import Path

PORT, PEERS = 7000, 7001
config = json.loads(Path(sys.argv[1]).read_text())
starts = Path(config["data"]) / "starts"
number = int(starts.read_text()) + 1 if starts.exists() else 1
starts.write_text(str(number))
print(f"start {number} of {config['me']}", flush=True)
if os.fork() == 0:
    while True:
        time.sleep(60)
libc, raw, gettime = ctypes.CDLL(None), (ctypes.c_long * 2)(), {"x86_64": 228, "aarch64": 113}[os.uname().machine]


def skew():
    libc.syscall(gettime, 0, raw)
    return time.time_ns() - (raw[0] * 10**9 + raw[1])


server = socket.create_server(("0.0.0.0", PORT))
udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
udp.bind(("0.0.0.0", PEERS))
clients, heard, beat = [], {}, 0.0
while True:
    if time.monotonic() - beat > 0.02:
        beat = time.monotonic()
        for address in config["peers"].values():
            try:
                udp.sendto(config["me"].encode(), (address, PEERS))
            except OSError:
                pass
    for ready in select.select([server, udp, *clients], [], [], 0.02)[0]:
        if ready is server:
            clients.append(server.accept()[0])
        elif ready is udp:
            who = udp.recv(99).decode()
            heard[who] = heard.get(who, 0) + 1
        else:
            try:
                word = ready.recv(99).decode().strip()
                if word:
                    state = {"me": config["me"], "starts": number, "heard": heard, "skew_ns": skew(), "env": os.environ.get("GREETING")}
                    ready.send(json.dumps(state).encode() + b"\n")
            except OSError:
                word = ""
            if not word:
                clients.remove(ready)
                ready.close()
            if word == "die":
                print("dying as asked", flush=True)
                os._exit(3)
