//! The operating system's network: TAP, TUN, netlink and the mio world.
