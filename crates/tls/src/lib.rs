//! TLS over the stack's streams: client, server, trust, key log, every check told.
