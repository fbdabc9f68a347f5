//! A DHCP server on a host: what [`Server`] decides, said on the wire.

use super::SERVER_PORT;
use super::message::BadMessage;
use super::server::{Answer, Server, ServerConfig};
use crate::error::BindError;
use crate::host::Host;
use crate::udp::UdpSocket;
use glasstack_journal::SpanKind;
use glasstack_journal::event::Note;
use std::net::{Ipv4Addr, SocketAddr};

/// The largest datagram that is looked at, in bytes.
const LARGEST: usize = 2048;

/// Serves DHCP on port 67 of `host`, in the background, for as long as there is the host.
pub fn serve(host: &Host, config: ServerConfig) -> Result<(), BindError> {
    let local = SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), SERVER_PORT);
    let host = host.span(SpanKind::Service { name: "dhcp".to_owned(), local });
    let socket = host.udp(local).inspect_err(|_| host.scope().close())?;
    let background = host.clone();
    background.spawn(answer_all(host, socket, Server::new(config)));
    Ok(())
}

/// Nothing in here waits but for the next question: no client can keep another waiting.
async fn answer_all(host: Host, socket: UdpSocket, mut server: Server) {
    let mut buffer = vec![0; LARGEST];
    loop {
        // An ICMP error about an earlier answer: whoever asked is gone.
        let Ok((length, from)) = socket.recv_from(&mut buffer).await else { continue };
        let question = buffer.get(..length).unwrap_or_default();
        match server.answer(question, host.now()) {
            Ok(answer) => {
                host.scope().record(|| answer.fact());
                send(&host, &answer);
            }
            Err(error) => host.scope().record(|| refusal(from, &error)),
        }
    }
}

/// Straight to the client's station: it may not answer ARP yet.
fn send(host: &Host, answer: &Answer) {
    if let Some(reply) = &answer.reply {
        let (bytes, station, to) = (reply.emit(), answer.station, answer.to);
        host.shared().touch(|core| core.send_udp_to(host.scope(), SERVER_PORT, station, to, &bytes));
    }
}

fn refusal(from: SocketAddr, error: &BadMessage) -> Note {
    Note::detail(format!("DHCP: a datagram of {from} is no question: {error}"))
}
