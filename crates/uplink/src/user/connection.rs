//! TCP: a knock, the same connection by the kernel, and only then an answer.
//!
//! ```text
//!   client                     gateway                        whoever is called
//!     | SYN ----------------->  |  connect(2)  -- SYN ---------> |
//!     |                         |              <-- SYN ACK ----- |    or RST, ICMP, silence
//!     | <----------- SYN ACK -- |  accept: in the name of whom it was for
//! ```
//!
//! slirp answers the SYN first and resets the connection when its own attempt fails; passt does as
//! is done here. The client learns what it would have learnt without a gateway between.

use super::gateway::{Gateway, icmp};
use super::relay::relay;
use crate::os::complaint::meaning;
use crate::os::tcp::OsTcpStream;
use glasstack_journal::event::{Answer, Gateway as Fact, Passage};
use glasstack_stack::{Knock, Unreachable};
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

/// Carries one connection from its SYN to its end.
pub(super) async fn carry(gateway: Arc<Gateway>, knock: Knock) {
    let passage = Passage::Tcp { from: knock.from(), to: knock.to() };
    let Some(_seat) = gateway.connections.take() else {
        let why = format!("{} connections are open already", gateway.connections.limit());
        return refuse(&gateway, knock, passage, why);
    };
    let onward = match gateway.onward(knock.to()) {
        Ok(onward) => onward,
        Err((Unreachable::Port, why)) => return refuse(&gateway, knock, passage, why),
        Err((answer, why)) => return unreachable(&gateway, knock, passage, answer, why),
    };
    let attempt = call(&gateway, onward);
    let (outside, onward) = match gateway.host.timeout(gateway.limits.connect, attempt).await {
        Ok(Ok(called)) => called,
        Ok(Err(error)) => return decline(&gateway, knock, passage, &error),
        Err(elapsed) => return keep_silent(&gateway, passage, elapsed.to_string()),
    };
    let via = outside.local_addr().ok();
    gateway.tell(|| Fact::Carried { passage, onward: (onward != knock.to()).then_some(onward), via });
    let from = knock.from();
    match knock.accept().await {
        Ok(inside) => {
            let outcome = relay(&gateway.host, &gateway.buffers, inside, outside).await;
            let (up, down) = (outcome.up, outcome.down);
            gateway.tell(|| Fact::Ended { passage, up, down, how: outcome.ending.to_string() });
        }
        Err(error) => {
            outside.reset();
            let how = format!("{from} has changed its mind: {error}");
            gateway.tell(|| Fact::Ended { passage, up: 0, down: 0, how });
        }
    }
}

/// The kernel's connection, and where it leads. A server of this machine that listens on
/// `localhost` may have taken the IPv6 one of its two addresses alone, as Node.js does; the stack
/// behind the gateway can only call the other.
async fn call(gateway: &Gateway, onward: SocketAddr) -> io::Result<(OsTcpStream, SocketAddr)> {
    let refusal = match OsTcpStream::connect(&gateway.reactor, onward, gateway.outgoing(onward)).await {
        Ok(outside) => return Ok((outside, onward)),
        Err(error) => error,
    };
    if onward.ip() != Ipv4Addr::LOCALHOST || refusal.kind() != io::ErrorKind::ConnectionRefused {
        return Err(refusal);
    }
    let other = SocketAddr::new(Ipv6Addr::LOCALHOST.into(), onward.port());
    match OsTcpStream::connect(&gateway.reactor, other, gateway.outgoing(other)).await {
        Ok(outside) => Ok((outside, other)),
        Err(_) => Err(refusal),
    }
}

/// What the kernel's error means to who knocked.
fn decline(gateway: &Gateway, knock: Knock, passage: Passage, error: &io::Error) {
    let why = format!("this machine cannot connect: {error}");
    match meaning(error) {
        // RFC 9293 3.10.7.1: nobody listens there.
        Some(Unreachable::Port) => refuse(gateway, knock, passage, why),
        Some(answer) => unreachable(gateway, knock, passage, answer, why),
        None if error.kind() == io::ErrorKind::TimedOut => keep_silent(gateway, passage, why),
        // The machine has no more sockets, ports or memory: that is a gateway's own trouble.
        None => refuse(gateway, knock, passage, why),
    }
}

fn refuse(gateway: &Gateway, knock: Knock, passage: Passage, why: impl Into<String>) {
    gateway.tell(|| Fact::TurnedAway { passage, why: why.into(), answer: Answer::Reset });
    knock.refuse();
}

fn unreachable(
    gateway: &Gateway,
    knock: Knock,
    passage: Passage,
    answer: Unreachable,
    why: impl Into<String>,
) {
    gateway.tell(|| Fact::TurnedAway { passage, why: why.into(), answer: icmp(answer) });
    knock.unreachable(answer);
}

/// Nobody has answered there, so nobody answers here. (The knock is dropped by who called.)
fn keep_silent(gateway: &Gateway, passage: Passage, why: String) {
    gateway.tell(|| Fact::TurnedAway { passage, why, answer: Answer::Silence });
}
