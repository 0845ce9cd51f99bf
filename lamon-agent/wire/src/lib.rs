//! What agent and hub say to each other: names, text lines, binary frames; no I/O.
