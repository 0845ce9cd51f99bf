#!/usr/bin/env python3
"""Lets an RTS2 script go on when the computers of a group are well, or ends it.

    exe /etc/rts2/scripts/wait_for_nodes.py E 10

in the script of a camera. RTS2's own `NODES_CCD.waitfor level 0.5 0.6 E 10` waits, too, but goes on when the device is gone, and for
ever when the computers do not get well; this one ends the script then, and says why.

It talks to RTS2 by its standard input and output (RTS2 lib/rts2script/connexe.cpp): `G DEVICE value` asks, a number or ERR is answered.
"""

import sys
import time

DEVICE = "NODES_CCD"  # a group's device of lamon, or NODES
WORST = 1  # the worst level to go on with: 0 good, 1 warning, 2 error, 3 silent
PATIENCE = 1800  # seconds to wait until the level is no worse
GONE = 60  # seconds to wait for a device that is not there: a hub that is restarted is back within a few


def tell(line):
    print(line, flush=True)


def ask(value):
    """The value, or None while the device is not there."""
    tell(f"G {DEVICE} {value}")
    answer = sys.stdin.readline()
    if not answer:
        sys.exit(1)  # RTS2 does not listen any more: the script was ended.
    if answer.startswith("&"):
        sys.exit(0)  # The script is not active any more.
    return None if answer.strip() == "ERR" or answer.startswith("!") else answer.strip()


def main():
    start = time.monotonic()
    there = start
    told = None
    while True:
        now = time.monotonic()
        level = ask("level")
        if level is not None:
            there = now
            if int(level.split()[0]) <= WORST:
                return
            why = ask("worst")
            if why != told:
                tell(f"log W waiting for the computers of {DEVICE}: {why}")
                told = why
        if now - there > GONE:
            tell(f"log E {DEVICE} is gone: nobody knows how the computers are")
            break
        if now - start > PATIENCE:
            tell(f"log E the computers of {DEVICE} did not get well: {told}")
            break
        time.sleep(1)
    tell("end_script")


if __name__ == "__main__":
    main()
