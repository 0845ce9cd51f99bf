"""Runs a program in another root, as on a kernel of early 2013: it refuses every call that is newer.

usage: old_kernel.py ROOT PROGRAM [ARGUMENT ...]
"""

import ctypes
import errno
import os
import struct
import sys

# Of x86_64. Linux 3.8 had none from here on; sched_setattr came with 3.14, getrandom with 3.17, statx with 4.11.
FIRST_UNKNOWN = 314

# linux/prctl.h, linux/seccomp.h, linux/bpf_common.h
PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 38, 22, 2
LOAD_WORD, JUMP_IF_AT_LEAST, RETURN = 0x20, 0x35, 0x06
ALLOW, FAIL = 0x7FFF0000, 0x00050000

root, program = sys.argv[1:3]
os.chdir(root)
instructions = [
    (LOAD_WORD, 0, 0, 0),
    (JUMP_IF_AT_LEAST, 0, 1, FIRST_UNKNOWN),
    (RETURN, 0, 0, FAIL | errno.ENOSYS),
    (RETURN, 0, 0, ALLOW),
]
code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *one) for one in instructions))
filter = ctypes.create_string_buffer(struct.pack("HxxxxxxQ", len(instructions), ctypes.addressof(code)))
libc = ctypes.CDLL(None, use_errno=True)
for call in [(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), (PR_SET_SECCOMP, SECCOMP_MODE_FILTER, filter, 0, 0)]:
    if libc.prctl(*call) != 0:
        raise OSError(ctypes.get_errno(), "prctl")
try:
    os.getrandom(1)
except OSError as error:
    assert error.errno == errno.ENOSYS, error
else:
    raise AssertionError("calls are not refused")
os.chroot(".")
os.execv(program, sys.argv[2:])
