//! A question to one server, and its whole answer.

use glasstack::dns::Message;
use glasstack::dns::upstream::{NoAnswer, Query, Sockets, Upstream};
use glasstack::journal::event::{QueryReason, Transport};
use glasstack::stack::Host;

/// The answer; what does not fit into a datagram is asked for once more over TCP (RFC 7766 5).
pub(crate) async fn whole(host: &Host, query: &Query) -> Result<Message, NoAnswer> {
    let message = Sockets.exchange(host, query).await?;
    if !message.truncated || query.transport == Transport::Tcp {
        return Ok(message);
    }
    let again = Query { transport: Transport::Tcp, why: QueryReason::Truncated, ..query.clone() };
    Sockets.exchange(host, &again).await
}
