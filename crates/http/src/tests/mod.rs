//! Conversations with scripted peers, in memory and under a virtual clock.

mod decoding;
mod leniency;
mod responses;
mod reuse;
mod serving;
mod tunnels;
mod uploads;
mod wire;
