#!/usr/bin/env python3
"""Follows the lamon bus: prints the whole picture once, then every message as it comes.

    pip install pyzmq
    python3 subscriber.py [PREFIX ...]        e.g. level/ event/ sample/ccd01
"""

import json
import sys

import zmq

PUBLISH, SNAPSHOT = "tcp://127.0.0.1:7618", "tcp://127.0.0.1:7619"
prefixes = [prefix.encode() for prefix in sys.argv[1:]]
context = zmq.Context()
newest = {}  # of each topic: when the hub started, and how many messages it had since


def show(topic, text):
    """Prints a message unless it, or a newer one, was printed before. True when some before it were lost."""
    message = json.loads(text)
    started, seq = newest.get(topic, (message["started"], 0))
    if message["started"] == started and message["seq"] <= seq:
        return False
    lost = message["started"] == started and 0 < seq < message["seq"] - 1
    newest[topic] = (message["started"], message["seq"])
    print(topic.decode(), message, flush=True)
    return lost


def show_picture():
    """Asks for the last message of every topic and prints what is new of it."""
    request = context.socket(zmq.REQ)
    request.setsockopt(zmq.RCVTIMEO, 5_000)
    request.setsockopt(zmq.LINGER, 0)
    request.connect(SNAPSHOT)
    request.send_multipart([b"snapshot", *prefixes])
    kind, header, *frames = request.recv_multipart()
    request.close()
    if kind != b"snapshot":
        sys.exit(f"the hub says: {header.decode()}")
    for topic, text in zip(frames[::2], frames[1::2]):
        show(topic, text)


subscriber = context.socket(zmq.SUB)
subscriber.connect(PUBLISH)
for prefix in prefixes or [b""]:
    subscriber.subscribe(prefix)
show_picture()
topic, text = subscriber.recv_multipart()
# The subscription works from here on; what came before it did is in the picture.
show_picture()
while True:
    if show(topic, text):
        print("# messages were lost: this is the whole picture again", flush=True)
        show_picture()
    topic, text = subscriber.recv_multipart()
