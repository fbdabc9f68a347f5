//! Names to addresses: stub resolver, cache, hosts file, a plain server.
