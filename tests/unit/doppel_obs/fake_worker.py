"""A worker that only speaks: ``FAKE_WORKER`` says how it behaves."""

from __future__ import annotations

import os
import struct
import sys
import time
from pathlib import Path

from doppel_ipc.channel import Channel
from doppel_ipc.errors import ChannelClosed
from doppel_ipc.messages import (
    ALL_LANES,
    PROTOCOL_VERSION,
    WRONG_VERSION_EXIT,
    AddPersona,
    Error,
    Event,
    Hello,
    LaneOpened,
    LaneStatus,
    ListPersonas,
    OpenLane,
    PersonaAdded,
    Personas,
    Prepare,
    Ready,
    Status,
)
from doppel_ipc.said import Said

behaviour = os.environ["FAKE_WORKER"]
print("the worker speaks", os.environ.get("PYTHONHOME"), flush=True, file=sys.stderr)
channel = Channel(0, 1, worker=True)
hello = channel.receive(10)
assert isinstance(hello, Hello)
if behaviour == "mute":
    time.sleep(60)
if behaviour == "ends-by-its-version":
    os._exit(WRONG_VERSION_EXIT)
if behaviour == "says-another-version":
    body = b'{"type":"ready","version":99,"pid":1}'
    os.write(1, struct.pack("<I", len(body)) + body)
    time.sleep(60)
channel.send(Ready(PROTOCOL_VERSION, os.getpid()))
if behaviour == "falls-back":
    channel.send(Event(ALL_LANES, "fallback", "the CPU does the work"))
    channel.send(Error(ALL_LANES, "persona", "the folder cannot be read", ""))
channel.send(Personas(()))
if behaviour == "floods":
    channel.flush(5)
    while True:
        os.write(1, channel._protocol.send(Status("ready", "cpu", "P", "mark", 200.0, "")))
if behaviour == "deaf":
    while True:
        channel.send(Status("ready", "cpu", "P", "mark", 200.0, ""))
        time.sleep(0.1)
refused = behaviour != "refuses-the-first-lane"
try:
    while behaviour != "silent":
        memory_mb = 900.0 if behaviour == "large" else 200.0
        device = "cuda:0" if behaviour == "gpu" else "cpu"
        channel.send(Status("ready", device, "P", "mark", memory_mb, ""))
        said = channel.receive(0.05)
        if isinstance(said, OpenLane):
            if refused:
                channel.send(LaneOpened(said.lane))
                channel.send(
                    LaneStatus(said.lane, "running", 1, "bronze", "mark", "P", 30, 5, 5, (), 1, 9, 0, "")
                )
            else:
                refused = True
                channel.send(Error(said.lane, "segment", "no such segment", "restart OBS"))
        if isinstance(said, ListPersonas):
            print("the list is asked for", flush=True, file=sys.stderr)
        if isinstance(said, AddPersona):
            name = Path(said.photos[0]).name
            values = [("name", name), ("faces", "2")]
            why = Said(f"{name} shows 2 faces", "photo.faces", values)
            channel.send(Event(ALL_LANES, "persona", f"{name} is looked at"))
            channel.send(Error(ALL_LANES, "persona", why, ""))
            channel.send(PersonaAdded(said.request, False, "", (), why))
        if isinstance(said, Prepare):
            print(os.getpid(), "prepares", said.settings.persona, flush=True, file=sys.stderr)
        if behaviour == "crash":
            channel.flush(5)
            os._exit(4)
except ChannelClosed:
    sys.exit(0)
time.sleep(60)
