#!/usr/bin/env python3
"""A whole application on the lamon bus: prints what happens at a site, from now on.

    pip install pyzmq            or apt install python3-zmq
    python3 events.py [tcp://hub:7618]
"""

import json
import sys

import zmq

subscriber = zmq.Context().socket(zmq.SUB)
subscriber.connect(sys.argv[1] if len(sys.argv) > 1 else "tcp://127.0.0.1:7618")
subscriber.subscribe(b"event/")
while True:
    topic, text = subscriber.recv_multipart()
    event = json.loads(text)
    print(event["level"], event["text"], flush=True)
