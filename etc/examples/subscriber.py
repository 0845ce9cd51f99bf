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

# Subscribe first, then ask for the picture: nothing falls between the two.
subscriber = context.socket(zmq.SUB)
subscriber.connect(PUBLISH)
for prefix in prefixes or [b""]:
    subscriber.subscribe(prefix)

request = context.socket(zmq.REQ)
request.setsockopt(zmq.RCVTIMEO, 5_000)
request.connect(SNAPSHOT)
request.send_multipart([b"snapshot", *prefixes])
kind, header, *frames = request.recv_multipart()
if kind != b"snapshot":
    sys.exit(f"the hub says: {header.decode()}")

# The last count of each topic, and the hub's start that it belongs to.
seen = {}
for topic, text in zip(frames[::2], frames[1::2]):
    message = json.loads(text)
    seen[topic] = (message["started"], message["seq"])
    print(topic.decode(), message, flush=True)

while True:
    topic, text = subscriber.recv_multipart()
    message = json.loads(text)
    started, seq = seen.get(topic, (message["started"], 0))
    if message["started"] != started:
        print(f"# the hub was restarted: {topic.decode()} counts from 1 again")
    elif message["seq"] <= seq:
        continue  # older than the picture
    elif message["seq"] > seq + 1 and seq:
        print(f"# lost {message['seq'] - seq - 1} messages of {topic.decode()}")
    seen[topic] = (message["started"], message["seq"])
    print(topic.decode(), message, flush=True)
