//! The server's UDP port.

use super::request::{Begun, Outcome, Over, Waiting};
use super::respond::Responder;
use futures_util::FutureExt;
use futures_util::select_biased;
use futures_util::stream::{FuturesUnordered, StreamExt};
use glasstack_stack::UdpSocket;
use std::net::SocketAddr;
use std::sync::Arc;

/// One answer a datagram. What is known at once is answered at once; what has to be found out holds
/// nobody up.
pub(super) async fn serve_datagrams(socket: UdpSocket, responder: Arc<Responder>) {
    let mut waiting = FuturesUnordered::new();
    loop {
        if waiting.len() >= responder.options.limits.queries_at_once {
            waiting.next().await;
        }
        let received = select_biased! {
            () = waiting.select_next_some() => continue,
            received = socket.receive().fuse() => received,
        };
        // An ICMP error about an answer sent before: whoever asked is gone.
        let Ok((request, client)) = received else { continue };
        let later = match responder.begin(&request, client, Over::Udp) {
            Begun::Done(Outcome::Send(response)) => {
                // Without ARP in the way there is nothing to wait for.
                match socket.send_to(&response, client).now_or_never() {
                    // If the client cannot be reached, nobody can be told.
                    Some(_) => continue,
                    None => Later::Send(response),
                }
            }
            // Zones are transferred over TCP.
            Begun::Done(Outcome::Silence | Outcome::End) | Begun::Transfer(_) => continue,
            Begun::Waiting(query) => Later::Answer(Box::new(query)),
        };
        waiting.push(finish(&socket, &responder, client, later));
    }
}

/// What is left to do.
enum Later {
    Answer(Box<Waiting>),
    Send(Vec<u8>),
}

async fn finish(socket: &UdpSocket, responder: &Responder, client: SocketAddr, later: Later) {
    let response = match later {
        Later::Send(response) => response,
        Later::Answer(query) => match responder.answer(*query).await {
            Outcome::Send(response) => response,
            Outcome::Silence | Outcome::End => return,
        },
    };
    let _ = socket.send_to(&response, client).await;
}
