//! ICMP echo: each request goes on by a ping socket of the kernel's, and its reply comes back in the
//! name of whom it was for.

use super::gateway::{Gateway, NOWHERE, icmp, says};
use crate::os::ping::{Echo, PingSocket, PingSocketError};
use glasstack_journal::event::{Answer, Gateway as Fact, Passage};
use glasstack_stack::{PassingEcho, Unreachable};
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

/// How long a reply is waited for.
const PATIENCE: Duration = Duration::from_secs(10);

/// An echo request for somebody beyond the gateway. (The gateway's own address answers by itself.)
pub(super) fn on_echo(gateway: &Arc<Gateway>, echo: PassingEcho) {
    let passage = Passage::Echo { from: echo.from, to: echo.to };
    let onward = match gateway.plan.onward(echo.to) {
        Ok(onward) => onward,
        Err(answer) => return gateway.turn_away(&echo, passage, answer, NOWHERE),
    };
    let Some(seat) = gateway.echoes.take() else {
        let why = format!("{} echo requests are under way already", gateway.echoes.limit());
        return gateway.tell(|| Fact::TurnedAway { passage, why, answer: Answer::Silence });
    };
    let gateway = Arc::clone(gateway);
    gateway.host.clone().spawn(async move {
        let _seat = seat;
        carry(&gateway, &echo, passage, onward).await;
    });
}

async fn carry(gateway: &Gateway, echo: &PassingEcho, passage: Passage, onward: Ipv4Addr) {
    // RFC 1812 5.3.1: one hop less. (What had only one left went no further than to the host.)
    let ttl = echo.ttl.saturating_sub(1).max(1);
    let socket = match PingSocket::open(&gateway.reactor, onward, ttl) {
        Ok(socket) => socket,
        Err(error @ PingSocketError::Forbidden) => {
            return gateway.turn_away(echo, passage, Unreachable::Prohibited, error.to_string());
        }
        Err(error) => return fail(gateway, echo, passage, error),
    };
    if let Err(error) = socket.send(echo.seq, &echo.payload) {
        return fail(gateway, echo, passage, error.into());
    }
    let onward = (echo.to != onward).then(|| (onward, 0).into());
    gateway.tell(|| Fact::Carried { passage, onward, via: None });
    // After the limit: silence, as if there were no gateway. The client has its own patience.
    let _ = gateway.host.timeout(PATIENCE, answer(gateway, echo, passage, &socket)).await;
}

async fn answer(gateway: &Gateway, echo: &PassingEcho, passage: Passage, socket: &PingSocket) {
    loop {
        match socket.recv().await {
            Ok(Echo::Reply { seq, payload }) if seq == echo.seq && payload == echo.payload => {
                return gateway.transit.reply_echo(echo);
            }
            Ok(Echo::Reply { .. }) => {}
            Ok(Echo::Complaints(complaints)) => {
                for complaint in complaints {
                    let why = format!("{}{}", complaint.why, says(complaint.said_by));
                    gateway.turn_away(echo, passage, complaint.why, why);
                }
                return;
            }
            Err(error) => return fail(gateway, echo, passage, error.into()),
        }
    }
}

fn fail(gateway: &Gateway, echo: &PassingEcho, passage: Passage, error: PingSocketError) {
    let why = format!("this machine cannot send it on: {error}");
    let meaning = match &error {
        PingSocketError::Os(error) => crate::os::complaint::meaning(error),
        PingSocketError::Forbidden => Some(Unreachable::Prohibited),
    };
    let answer = meaning.map_or(Answer::Silence, icmp);
    gateway.tell(|| Fact::TurnedAway { passage, why, answer });
    if let Some(meaning) = meaning {
        gateway.transit.unreachable(echo, meaning);
    }
}
