//! What is between the bytes and the authority: who may ask, how much, and what the response looks like.

use super::access::Access;
use super::authority::{Asked, Authority, Reply, Transfer};
use super::chaos;
use super::cookies::Cookies;
use super::extensions::{Extensions, Shown};
use super::inspect::{CLASS_CH, Rejected, echo_question, inspect, limit};
use super::limits::clients::{Clients, Kind, Permit};
use super::limits::rate::{RateLimiter, Verdict};
use super::options::ServeOptions;
use super::request::{Begun, Outcome, Over, Sender, Waiting};
use super::statistics::Statistics;
use super::transfer::{Outgoing, is_up_to_date};
use crate::message::{EdnsOption, ExtendedError, Message, Question, ResponseCode};
use crate::name::DnsName;
use crate::record::RecordType;
use futures_util::poll;
use glasstack_journal::event::{Dns, Instead, Transport, Withheld};
use glasstack_journal::{Instant, Scope};
use glasstack_stack::Host;
use std::iter::once;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;

/// The type of questions for what has changed in a zone (RFC 1995).
const IXFR: u16 = 251;
/// The type of questions for a whole zone (RFC 5936).
const AXFR: u16 = 252;
/// A cookie that is not, or not any more, one of this server's (RFC 7873 8).
const BADCOOKIE: ResponseCode = ResponseCode::Other(23);
/// The client may not (RFC 8914 4.19).
const PROHIBITED: u16 = 18;
/// Without recursion desired the server would have to have authority (RFC 8914 4.21).
const NOT_AUTHORITATIVE: u16 = 20;

/// Answers requests, whatever carried them.
pub(super) struct Responder {
    authority: Arc<dyn Authority>,
    pub(super) options: ServeOptions,
    scope: Scope,
    host: Host,
    cookies: Cookies,
    clients: Clients,
    rates: Option<RateLimiter>,
    statistics: Mutex<Statistics>,
}

impl Responder {
    pub(super) fn new(authority: Arc<dyn Authority>, options: ServeOptions, host: Host) -> Self {
        let rates = options.rate_limit.clone().map(RateLimiter::new);
        let (scope, cookies, clients) = (host.scope().clone(), Cookies::default(), Clients::default());
        Self { authority, options, scope, host, cookies, clients, rates, statistics: Mutex::default() }
    }

    /// What has been done so far.
    pub(super) fn statistics(&self) -> MutexGuard<'_, Statistics> {
        self.statistics.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One connection more for this client, if it may have one.
    pub(super) fn admit(&self, client: SocketAddr) -> Option<Permit> {
        let sender = Sender::new(client, Transport::Tcp);
        if self.options.access.of(client.ip()) == Access::Deny {
            let rule = self.options.access.why(client.ip());
            self.withhold(&sender, None, Instead::TheEnd, Withheld::Access { rule });
            return None;
        }
        let limit = self.options.limits.connections;
        let permit = self.clients.take(client.ip(), Kind::Connection, limit);
        match permit {
            Some(_) => self.statistics().connections += 1,
            None => self.withhold(&sender, None, Instead::TheEnd, Withheld::Connections { limit }),
        }
        permit
    }

    /// A connection ends without its client's wish.
    pub(super) fn disconnect(&self, client: SocketAddr, why: Withheld) {
        self.withhold(&Sender::new(client, Transport::Tcp), None, Instead::TheEnd, why);
    }

    /// Takes a request as far as it goes without waiting.
    pub(super) fn begin(&self, request: &[u8], client: SocketAddr, over: Over) -> Begun<'_> {
        let transport = over.transport();
        let mut sender = Sender::new(client, transport);
        self.statistics().received(transport);
        if let Some(why) = self.unwanted(client) {
            return self.silence(&sender, None, why);
        }
        let query = match inspect(request) {
            Ok(query) => query,
            Err(Rejected::Ignored(why)) if transport == Transport::Tcp => {
                self.withhold(&sender, None, Instead::TheEnd, why);
                return Begun::Done(Outcome::End);
            }
            Err(Rejected::Ignored(why)) => return self.silence(&sender, None, why),
            Err(Rejected::Answered(mut response, why)) => {
                if let Some(edns) = response.edns.as_mut().filter(|_| !self.options.extended_errors) {
                    edns.extended_errors.clear();
                }
                return Begun::Done(self.finish(&sender, request, *response, &Because::of(why), None));
            }
        };
        sender.takes = limit(&query, transport, self.options.udp_payload);
        match self.extensions(&query, client, over) {
            Ok(extensions) => sender.extensions = extensions,
            Err(why) => {
                let response = query.response(ResponseCode::FormErr);
                return Begun::Done(self.finish(&sender, request, response, &Because::of(why), None));
            }
        }
        if let Some(outcome) = self.forbidden(&sender, request, &query) {
            return Begun::Done(outcome);
        }
        let Some(question) = query.question.clone() else {
            return Begun::Done(self.only_a_cookie(&sender, request, &query));
        };
        match question.record_type.number() {
            _ if question.class == CLASS_CH => Begun::Done(self.chaos(&sender, request, &query, &question)),
            AXFR | IXFR => self.transfer(sender, request, query, question),
            _ => self.look_up(sender, request, query, question),
        }
    }

    /// What the query's options come to, or why they cannot be what they say they are.
    fn extensions(&self, query: &Message, client: SocketAddr, over: Over) -> Result<Extensions, String> {
        let Some(edns) = &query.edns else { return Ok(Extensions::default()) };
        let idle = match over {
            Over::Udp => None,
            Over::Tcp { idle } => Some(idle),
        };
        let own = (&self.cookies, &self.host);
        Extensions::of(edns, client.ip(), idle, &self.options, own).map_err(|bad| bad.to_string())
    }

    /// RFC 7873 5.4: who brings a cookie is told whether it is good, and who wants one gets one.
    fn only_a_cookie(&self, sender: &Sender, request: &[u8], query: &Message) -> Outcome {
        let brought = query.edns.iter().flat_map(|edns| &edns.options);
        let has_ours = brought.filter(|option| option.code == EdnsOption::COOKIE).any(|o| o.data.len() > 8);
        let code = match sender.extensions.shown {
            Shown::Wish if has_ours => BADCOOKIE,
            _ => ResponseCode::NoError,
        };
        let because = Because::of("it wants nothing but a cookie".to_owned());
        self.finish(sender, request, query.response(code), &because, None)
    }

    /// Asks the authority: what it knows at once is answered at once.
    fn look_up(&self, sender: Sender, request: &[u8], query: Message, question: Question) -> Begun<'_> {
        let asked = Asked {
            question,
            client: sender.client,
            transport: sender.transport,
            recursion_desired: query.recursion_desired,
            dnssec_ok: query.edns.as_ref().is_some_and(|edns| edns.dnssec_ok),
            checking_disabled: query.checking_disabled,
            authentic_data: query.authentic_data,
        };
        if let Some(reply) = self.authority.answer_now(&asked) {
            let (response, because) = self.fill(query.response(reply.code), &asked, reply);
            return Begun::Done(self.finish(&sender, request, response, &because, None));
        }
        let limit = self.options.limits.queries_under_way;
        let Some(permit) = self.clients.take(sender.client.ip(), Kind::Query, limit) else {
            return self.silence(&sender, Some(&asked.question), Withheld::QueriesUnderWay { limit });
        };
        self.statistics().under_way += 1;
        let arrived = self.scope.now();
        Begun::Waiting(Waiting::new(asked, query, sender, request, arrived, permit))
    }

    /// The answer that had to be found out.
    pub(super) async fn answer(&self, waiting: Waiting) -> Outcome {
        let counted = UnderWay(self);
        let Waiting { asked, query, sender, request, arrived, .. } = &waiting;
        let mut answer = self.authority.answer(asked);
        let (reply, arrived) = match poll!(&mut answer) {
            // An authority that finds out may know without having to.
            Poll::Ready(reply) => (reply, None),
            Poll::Pending => (answer.await, Some(*arrived)),
        };
        drop(counted);
        let (response, because) = self.fill(query.response(reply.code), asked, reply);
        self.finish(sender, request, response, &because, arrived)
    }

    /// Whoever is not listened to at all.
    fn unwanted(&self, client: SocketAddr) -> Option<Withheld> {
        if client.port() == 0 {
            return Some(Withheld::PortZero);
        }
        if self.options.access.of(client.ip()) == Access::Deny {
            return Some(Withheld::Access { rule: self.options.access.why(client.ip()) });
        }
        let limit = self.options.limits.queries_per_second?;
        let may = self.clients.may_ask(client.ip(), limit, self.scope.now());
        (!may).then_some(Withheld::QueriesPerSecond { limit })
    }

    /// The refusal of what the client may not ask, if it may not.
    fn forbidden(&self, sender: &Sender, request: &[u8], query: &Message) -> Option<Outcome> {
        let is_own = |question: &Question| self.authority.is_own(&question.name);
        let (why, error) = match self.options.access.of(sender.client.ip()) {
            Access::Deny | Access::Refuse => {
                let rule = self.options.access.why(sender.client.ip());
                (Withheld::Access { rule }, PROHIBITED)
            }
            Access::Allow
                if !query.recursion_desired
                    && self.authority.recursion_available()
                    && !query.question.as_ref().is_none_or(is_own) =>
            {
                (Withheld::CacheSnooping, NOT_AUTHORITATIVE)
            }
            Access::Allow | Access::AllowSnoop => return None,
        };
        Some(self.refuse(sender, request, query, why, error))
    }

    fn refuse(&self, sender: &Sender, request: &[u8], query: &Message, why: Withheld, error: u16) -> Outcome {
        let because = Because::of(why.to_string());
        self.withhold(sender, query.question.as_ref(), Instead::Refusal, why);
        let mut response = query.response(ResponseCode::Refused);
        // RFC 8914 3: only who has sent an OPT record gets one.
        if let Some(edns) = response.edns.as_mut().filter(|_| self.options.extended_errors) {
            edns.extended_errors.push(ExtendedError { code: error, text: String::new() });
        }
        self.finish(sender, request, response, &because, None)
    }

    fn chaos(&self, sender: &Sender, request: &[u8], query: &Message, question: &Question) -> Outcome {
        let response = self.with_extensions(query.response(ResponseCode::NoError), sender);
        let Some(mut told) = chaos::respond(response, question, &self.options) else {
            self.withhold(sender, Some(question), Instead::Silence, Withheld::Unwritable);
            return Outcome::Silence;
        };
        echo_question(request, &mut told.bytes);
        self.statistics().answered(told.code, None);
        self.tell(sender, Some(question), told.code, 1, told.why);
        Outcome::Send(told.bytes)
    }

    /// RFC 5936 2, RFC 1995 2: the whole zone, over TCP; who asks for changes over UDP is told the SOA
    /// and comes back, and over TCP gets the whole.
    fn transfer(&self, sender: Sender, request: &[u8], query: Message, question: Question) -> Begun<'_> {
        if self.options.transfers.of(sender.client.ip()) < Access::Allow {
            let error = PROHIBITED;
            return Begun::Done(self.refuse(&sender, request, &query, Withheld::Transfer, error));
        }
        if sender.transport == Transport::Udp {
            if question.record_type.number() == IXFR {
                let soa = Question { record_type: RecordType::Soa, ..question };
                return self.look_up(sender, request, query, soa);
            }
            // RFC 5936 4.2: "AXFR sessions over UDP transport are not defined."
            let because = Because::of("a zone is transferred over TCP only".to_owned());
            let response = query.response(ResponseCode::FormErr);
            return Begun::Done(self.finish(&sender, request, response, &because, None));
        }
        let Some(mut records) = self.authority.transfer(&question.name) else {
            // RFC 5936 2.2.1: NOTAUTH.
            let code = ResponseCode::NotAuth;
            let because = Because::of(format!("there is no zone {} here", question.name));
            return Begun::Done(self.finish(&sender, request, query.response(code), &because, None));
        };
        {
            let mut statistics = self.statistics();
            statistics.transfers += 1;
            statistics.answered(ResponseCode::NoError, None);
        }
        let Some(soa) = records.next() else { return Begun::Done(Outcome::Silence) };
        let (records, why): (Transfer<'_>, _) =
            match question.record_type.number() == IXFR && is_up_to_date(&query, &soa) {
                // RFC 1995 2: "the server replies with a single SOA record".
                true => (Box::new(once(soa)), "the client has this version of the zone"),
                false => (Box::new(once(soa).chain(records)), "the zone as a whole"),
            };
        self.tell(&sender, Some(&question), ResponseCode::NoError, 1, why);
        let head = self.with_extensions(query.response(ResponseCode::NoError), &sender);
        let head = Message { authoritative: true, ..head };
        Begun::Transfer(Outgoing::new(head, records))
    }

    /// What the reply says, as a message.
    fn fill(&self, mut response: Message, asked: &Asked, reply: Reply) -> (Message, Because) {
        response.authoritative = reply.authoritative;
        response.recursion_available = self.authority.recursion_available();
        // RFC 6840 5.8: AD only for who has shown that it understands it.
        response.authentic_data = reply.authentic_data && (asked.dnssec_ok || asked.authentic_data);
        response.answers = reply.answers;
        response.authorities = reply.authorities;
        response.additionals = reply.additionals;
        // RFC 8914 3: only who has sent an OPT record gets one.
        if let Some(edns) = response.edns.as_mut().filter(|_| self.options.extended_errors) {
            edns.extended_errors = reply.extended_errors;
        }
        (response, Because { wildcard: reply.wildcard, why: reply.why })
    }

    /// What every response with EDNS says.
    fn with_extensions(&self, mut response: Message, sender: &Sender) -> Message {
        if let Some(edns) = &mut response.edns {
            edns.udp_payload = self.options.udp_payload;
            edns.options.clone_from(&sender.extensions.options);
        }
        response
    }

    /// The response in bytes, if the client's network may have one more of the kind.
    fn finish(
        &self,
        sender: &Sender,
        request: &[u8],
        response: Message,
        because: &Because,
        arrived: Option<Instant>,
    ) -> Outcome {
        let Sender { client, transport, takes, extensions } = sender;
        let mut response = self.with_extensions(response, sender);
        // Who has a connection, or a cookie of this server's, has the address, too.
        let may_be_forged = *transport == Transport::Udp && extensions.shown != Shown::Address;
        let limited = self.rates.as_ref().filter(|_| may_be_forged);
        let now = || self.scope.now();
        let verdict = limited.map_or(Verdict::Send, |rates| {
            rates.judge(client.ip(), &response, because.wildcard.as_ref(), now())
        });
        match verdict {
            Verdict::Send => {}
            Verdict::Drop(why) => {
                self.withhold(sender, response.question.as_ref(), Instead::Silence, why);
                return Outcome::Silence;
            }
            Verdict::Slip(why) => {
                // As BIND: who can keep a cookie comes back with it, and needs no connection.
                let keeps_cookies = extensions.shown == Shown::Wish;
                let instead = if keeps_cookies { Instead::Cookie } else { Instead::Truncation };
                self.withhold(sender, response.question.as_ref(), instead, why);
                response.truncated = !keeps_cookies;
                if keeps_cookies {
                    (response.code, response.authoritative) = (BADCOOKIE, false);
                }
                response.answers.clear();
                response.authorities.clear();
                response.additionals.clear();
            }
        }
        let Ok(mut bytes) = response.to_bytes_within(*takes) else {
            self.withhold(sender, response.question.as_ref(), Instead::Silence, Withheld::Unwritable);
            return Outcome::Silence;
        };
        echo_question(request, &mut bytes);
        {
            let mut statistics = self.statistics();
            statistics.answered(response.code, arrived.map(|arrived| now() - arrived));
            statistics.truncated += u64::from(is_truncated(&bytes));
        }
        self.tell(sender, response.question.as_ref(), response.code, response.answers.len(), &because.why);
        Outcome::Send(bytes)
    }

    fn silence(&self, sender: &Sender, question: Option<&Question>, why: Withheld) -> Begun<'_> {
        self.withhold(sender, question, Instead::Silence, why);
        Begun::Done(Outcome::Silence)
    }

    /// Counts and tells what a client does not get.
    fn withhold(&self, sender: &Sender, question: Option<&Question>, instead: Instead, why: Withheld) {
        self.statistics().withheld(instead, &why);
        let Sender { client, transport, .. } = *sender;
        self.scope.record(|| {
            let question = question.map(Question::to_string).unwrap_or_default();
            Dns::Withheld { client, question, transport, instead, why }
        });
    }

    fn tell(
        &self,
        sender: &Sender,
        question: Option<&Question>,
        code: ResponseCode,
        answers: usize,
        why: &str,
    ) {
        let Sender { client, transport, .. } = *sender;
        self.scope.record(|| Dns::Served {
            client,
            name: question.map_or_else(|| ".".to_owned(), |question| question.name.to_string()),
            record_type: question.map(|question| question.record_type.to_string()).unwrap_or_default(),
            code: code.to_string(),
            answers,
            transport,
            why: why.to_owned(),
        });
    }
}

/// A question that waits for its answer; no more when this is dropped, even if nobody waits any more.
struct UnderWay<'a>(&'a Responder);

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        let mut statistics = self.0.statistics();
        statistics.under_way = statistics.under_way.saturating_sub(1);
    }
}

/// What is known of a response beside what it says.
struct Because {
    /// The wildcard that it was made from.
    wildcard: Option<DnsName>,
    /// In words.
    why: String,
}

impl Because {
    fn of(why: String) -> Self {
        Self { wildcard: None, why }
    }
}

/// TC, RFC 1035 4.1.1.
fn is_truncated(bytes: &[u8]) -> bool {
    bytes.get(2).is_some_and(|flags| flags & 0x02 != 0)
}
