#!/usr/bin/env python3
"""Follows the lamon bus: prints the whole picture once, then every message as it comes.

    pip install pyzmq                         or apt install python3-zmq
    python3 subscriber.py [PREFIX ...]        e.g. level/ event/ sample/ccd01

The hub is on this computer, unless LAMON_PUBLISH and LAMON_SNAPSHOT say where it is. It is waited for when it is away.
"""

import json
import os
import sys

import zmq

PUBLISH = os.environ.get("LAMON_PUBLISH", "tcp://127.0.0.1:7618")
SNAPSHOT = os.environ.get("LAMON_SNAPSHOT", "tcp://127.0.0.1:7619")
prefixes = [prefix.encode() for prefix in sys.argv[1:]]
context = zmq.Context()
started = None  # when the hub started whose messages these are
newest = {}  # of each topic: how many messages it had since


def show(topic, text):
    """Prints a message unless it, or a newer one, was printed before. True when the whole picture has to be asked for."""
    message = json.loads(text)
    if message["started"] != started:
        return True  # the hub was started again
    before = newest.get(topic, 0)
    if message["seq"] <= before:
        return False
    newest[topic] = message["seq"]
    print(topic.decode(), message, flush=True)
    return 0 < before < message["seq"] - 1


def show_picture():
    """Asks for the last message of every topic and prints what is new of it."""
    global started
    while True:
        request = context.socket(zmq.REQ)
        request.setsockopt(zmq.RCVTIMEO, 5_000)
        request.setsockopt(zmq.LINGER, 0)
        request.connect(SNAPSHOT)
        request.send_multipart([b"snapshot", *prefixes])
        try:
            kind, header, *frames = request.recv_multipart()
            break
        except zmq.Again:
            print(f"# the hub does not answer at {SNAPSHOT}: it is asked again", flush=True)
        finally:
            request.close()
    if kind != b"snapshot":
        sys.exit(f"the hub says: {header.decode()}")
    if json.loads(header)["started"] != started:
        started = json.loads(header)["started"]
        newest.clear()
    for topic, text in zip(frames[::2], frames[1::2]):
        show(topic, text)


subscriber = context.socket(zmq.SUB)
subscriber.connect(PUBLISH)
for prefix in prefixes or [b""]:
    subscriber.subscribe(prefix)
show_picture()
topic, text = subscriber.recv_multipart()
# The subscription works from here on; what came before it did is in the picture.
show(topic, text)
show_picture()
while True:
    topic, text = subscriber.recv_multipart()
    if show(topic, text):
        print("# messages were lost: this is the whole picture again", flush=True)
        show_picture()
