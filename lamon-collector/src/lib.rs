//! Everything the hub does that is not RTS2: intake, watch, bus, durable path, configuration.
