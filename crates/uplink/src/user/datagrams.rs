//! UDP: a connected socket of the kernel's for each pair of ends, kept while it is used.
//!
//! UDP has no beginning and no end; RFC 4787 tells what a box between may make of that. A flow is
//! what goes between two ends (REQ-1 is for boxes that change addresses; here only the one who was
//! asked can answer, which is REQ-8's strictest choice), it is over when nothing has passed for a
//! while (REQ-5), and what is sent keeps it alive as well as what comes (REQ-6). When there are too
//! many, the one that has been idle for longest gives way.

use super::flows::{Flow, lock};
use super::gateway::{Gateway, says};
use crate::os::datagram::{ConnectedUdp, Trouble};
use glasstack_journal::event::{Answer, Gateway as Fact, Passage};
use glasstack_stack::{PassingDatagram, give_way};
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

impl Gateway {
    /// A datagram for somebody beyond the gateway.
    pub(super) fn on_datagram(self: &Arc<Self>, mut datagram: PassingDatagram) {
        let ends = (datagram.from, datagram.to);
        let passage = Passage::Udp { from: datagram.from, to: datagram.to };
        if self.published.answer(ends, &datagram.payload, self.host.now()) {
            return;
        }
        let flow = match self.datagrams.get(ends) {
            Some(flow) => flow,
            None => match self.open(&datagram, passage) {
                Some(flow) => flow,
                None => return,
            },
        };
        let payload = std::mem::take(&mut datagram.payload);
        // RFC 1812 5.3.1: one hop less. (What had only one left went no further than to the host.)
        flow.socket.set_ttl(datagram.ttl.saturating_sub(1).max(1));
        {
            let mut state = lock(&flow.state);
            state.last_used = self.host.now();
            state.up += payload.len() as u64;
            state.latest = datagram;
        }
        if let Err(trouble) = flow.socket.send(&payload) {
            self.on_trouble(&flow, passage, trouble);
        }
    }

    /// The first datagram between two ends.
    fn open(self: &Arc<Self>, datagram: &PassingDatagram, passage: Passage) -> Option<Arc<Flow>> {
        let onward = match self.onward(datagram.to) {
            Ok(onward) => onward,
            Err((answer, why)) => {
                self.turn_away(datagram, passage, answer, why);
                return None;
            }
        };
        let socket = match ConnectedUdp::open(&self.reactor, onward, self.outgoing(onward)) {
            Ok(socket) => socket,
            Err(error) => {
                let why = format!("this machine cannot send it on: {error}");
                match crate::os::complaint::meaning(&error) {
                    Some(answer) => self.turn_away(datagram, passage, answer, why),
                    None => self.tell(|| Fact::TurnedAway { passage, why, answer: Answer::Silence }),
                }
                return None;
            }
        };
        let via = socket.local_addr().ok();
        self.tell(|| Fact::Carried { passage, onward: (onward != datagram.to).then_some(onward), via });
        let flow = Arc::new(Flow::new(socket, datagram.clone(), self.host.now()));
        self.datagrams.insert(&flow, self.limits.datagram_flows);
        self.host.spawn(Arc::clone(self).carry_back(Arc::clone(&flow), passage));
        Some(flow)
    }

    /// Carries back what comes, until nothing passes any more.
    async fn carry_back(self: Arc<Self>, flow: Arc<Flow>, passage: Passage) {
        let mut buffer = vec![0; 65_536];
        let how = loop {
            give_way().await;
            match self.next_of(&flow, &mut buffer).await {
                Next::Datagram(length) => {
                    {
                        let mut state = lock(&flow.state);
                        state.last_used = self.host.now();
                        state.down += length as u64;
                    }
                    let (client, peer) = flow.ends;
                    let data = buffer.get(..length).unwrap_or_default();
                    // A client that is gone needs no answer.
                    let _ = self.transit.send_datagram(peer, client, data).await;
                }
                Next::Trouble(trouble) => self.on_trouble(&flow, passage, trouble),
                Next::Over(how) => break how,
            }
        };
        self.datagrams.remove(&flow);
        let (up, down) = {
            let state = lock(&flow.state);
            (state.up, state.down)
        };
        self.tell(|| Fact::Ended { passage, up, down, how: how.to_owned() });
    }

    async fn next_of(&self, flow: &Flow, buffer: &mut [u8]) -> Next {
        let idle = self.limits.datagram_idle;
        loop {
            let until = lock(&flow.state).last_used + idle;
            let mut sleep = pin!(self.host.sleep(until.since(self.host.now())));
            let next = poll_fn(|cx| {
                {
                    let mut state = lock(&flow.state);
                    if state.gives_way {
                        return Poll::Ready(Some(Next::Over("gave way to another")));
                    }
                    state.waker = Some(cx.waker().clone());
                }
                match flow.socket.poll_recv(cx, buffer) {
                    Poll::Ready(Ok(length)) => return Poll::Ready(Some(Next::Datagram(length))),
                    Poll::Ready(Err(trouble)) => return Poll::Ready(Some(Next::Trouble(trouble))),
                    Poll::Pending => {}
                }
                sleep.as_mut().poll(cx).map(|()| None)
            });
            match next.await {
                Some(next) => return next,
                None if lock(&flow.state).last_used + idle <= self.host.now() => return Next::Over("idle"),
                None => {}
            }
        }
    }

    /// What the network says of a datagram goes back to who sent it (RFC 1122 4.1.3.3).
    fn on_trouble(&self, flow: &Flow, passage: Passage, trouble: Trouble) {
        let complaints = match trouble {
            Trouble::Complaints(complaints) => complaints,
            Trouble::Os(error) => {
                let why = format!("this machine cannot send it on: {error}");
                return self.tell(|| Fact::TurnedAway { passage, why, answer: Answer::Silence });
            }
        };
        let latest = lock(&flow.state).latest.clone();
        for complaint in complaints {
            let why = format!("{}{}", complaint.why, says(complaint.said_by));
            self.turn_away(&latest, passage, complaint.why, why);
        }
    }
}

/// What happens next in a flow.
enum Next {
    Datagram(usize),
    Trouble(Trouble),
    Over(&'static str),
}
