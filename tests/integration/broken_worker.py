"""A worker that misbehaves on its pipes; its argument says how. Speaks the protocol until then."""

from __future__ import annotations

import os
import random
import sys
import time

from doppel_ipc.messages import PROTOCOL_VERSION, Ready, Status
from doppel_ipc.protocol import Protocol

behaviour = sys.argv[1]
protocol = Protocol(worker=True)


def say(message: object) -> None:
    os.write(1, protocol.send(message))


STATUS = Status("ready", "cpu", "P", "mark", 200.0, "")
protocol.feed(os.read(0, 1 << 16))
protocol.next_message()
say(Ready(PROTOCOL_VERSION, os.getpid()))
if behaviour == "garbage":
    chance = random.Random(5)
    while True:
        os.write(1, chance.randbytes(4096))
elif behaviour == "endless":
    os.write(1, b"\xff\xff\xff\x7f" + b"{" * 64)
    time.sleep(3600)
elif behaviour == "flood":
    while True:
        say(STATUS)
elif behaviour == "closes":
    os.close(1)
    time.sleep(3600)
elif behaviour == "deaf":
    while True:
        say(STATUS)
        time.sleep(0.3)
elif behaviour == "silent":
    time.sleep(3600)
else:
    sys.exit(f"{behaviour} is no behaviour")
