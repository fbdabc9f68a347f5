//! The name server and what its clients say by EDNS: cookies (RFC 7873), which server this is (RFC 5001), how
//! long a connection lasts (RFC 7828).
#![allow(clippy::unwrap_used, clippy::panic, reason = "a set-up that fails is a test that fails")]

mod world;

use futures_util::{AsyncReadExt, AsyncWriteExt};
use glasstack_dns::message::{Edns, EdnsOption};
use glasstack_dns::server::{Access, AccessList, NameServer, ResponseRateLimit, ServeOptions, serve_with};
use glasstack_dns::{Message, RecordType, ResponseCode, Zone, Zones};
use glasstack_journal::Event;
use glasstack_journal::event::{Dns, Instead};
use glasstack_stack::{Host, World};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use world::{Net, example, question, seconds};

/// Not one of ours, or not any more.
const BADCOOKIE: ResponseCode = ResponseCode::Other(23);
/// A client's part.
const OWN: &[u8; 8] = b"my own 8";

fn serve(net: &Net, options: ServeOptions) -> NameServer {
    let local = SocketAddr::new(net.dns.address(), 53);
    serve_with(&net.dns, local, Arc::new(example()), options).unwrap()
}

fn limited() -> ServeOptions {
    ServeOptions { rate_limit: Some(ResponseRateLimit::of(5)), ..ServeOptions::default() }
}

/// A question with these options.
fn asking(options: &[(u16, &[u8])]) -> Message {
    let option = |(code, data): &(u16, &[u8])| EdnsOption { code: *code, data: data.to_vec() };
    let edns = Edns { options: options.iter().map(option).collect(), ..Edns::default() };
    Message::query(7, question("www.example.test", RecordType::A), Some(edns))
}

fn with_cookie(cookie: &[u8]) -> Message {
    asking(&[(EdnsOption::COOKIE, cookie)])
}

/// What an answer says in an option.
fn option(answer: &Message, code: u16) -> Option<Vec<u8>> {
    let mut options = answer.edns.iter().flat_map(|edns| &edns.options);
    options.find(|option| option.code == code).map(|option| option.data.clone())
}

fn cookie(answer: &Message) -> Vec<u8> {
    option(answer, EdnsOption::COOKIE).unwrap()
}

/// A client of the server's.
#[derive(Clone)]
struct Client {
    host: Host,
    server: SocketAddr,
}

impl Client {
    fn of(net: &Net, host: &Host) -> Self {
        Self { host: host.clone(), server: SocketAddr::new(net.dns.address(), 53) }
    }

    async fn ask(&self, query: &Message) -> Message {
        self.ask_bytes(&query.to_bytes().unwrap()).await.unwrap()
    }

    /// What comes back for a datagram within two seconds.
    async fn ask_bytes(&self, query: &[u8]) -> Option<Message> {
        let socket = self.host.udp(SocketAddr::new(self.host.address(), 0)).unwrap();
        socket.send_to(query, self.server).await.unwrap();
        let (bytes, _) = self.host.timeout(seconds(2), socket.receive()).await.ok()?.ok()?;
        Some(Message::parse(&bytes).unwrap())
    }

    async fn ask_over_tcp(&self, query: &Message) -> Message {
        let mut stream = self.host.connect(self.server).await.unwrap();
        let bytes = query.to_bytes().unwrap();
        let length = u16::try_from(bytes.len()).unwrap().to_be_bytes();
        stream.write_all(&[&length[..], &bytes].concat()).await.unwrap();
        let mut length = [0; 2];
        stream.read_exact(&mut length).await.unwrap();
        let mut bytes = vec![0; usize::from(u16::from_be_bytes(length))];
        stream.read_exact(&mut bytes).await.unwrap();
        Message::parse(&bytes).unwrap()
    }
}

/// Lets a client ask the server.
fn run<T: Send + 'static, F>(options: ServeOptions, body: impl FnOnce(Client) -> F) -> T
where
    F: Future<Output = T> + Send + 'static,
{
    let mut net = Net::new();
    let _server = serve(&net, options);
    let client = Client::of(&net, &net.client);
    net.world.run(body(client)).unwrap()
}

#[test]
fn a_client_that_sends_a_cookie_is_given_one_and_keeps_it_as_long_as_it_is_good() {
    run(ServeOptions::default(), |client| async move {
        let first = client.ask(&with_cookie(OWN)).await;
        assert_eq!((first.code, first.answers.len()), (ResponseCode::NoError, 1));
        let given = cookie(&first);
        assert_eq!((given.len(), &given[..8]), (24, &OWN[..]), "its own part, and ours");
        assert_eq!(given[8..12], [1, 0, 0, 0], "RFC 9018 4.1: the version");
        assert_eq!(cookie(&client.ask(&with_cookie(&given)).await), given);
        assert_eq!(cookie(&client.ask_over_tcp(&with_cookie(&given)).await), given);
        client.host.sleep(seconds(1801)).await;
        let renewed = cookie(&client.ask(&with_cookie(&given)).await);
        assert_ne!(renewed, given, "after half an hour there is a new one");
        assert_eq!(cookie(&client.ask(&with_cookie(&renewed)).await), renewed);
    });
}

#[test]
fn whoever_sends_none_gets_none() {
    run(ServeOptions::default(), |client| async move {
        assert!(client.ask(&asking(&[])).await.edns.unwrap().options.is_empty());
        let plain = Message { edns: None, ..asking(&[]) };
        assert_eq!(client.ask(&plain).await.edns, None);
        assert!(client.ask(&asking(&[(65_001, b"unheard of")])).await.edns.unwrap().options.is_empty());
    });
}

#[test]
fn a_cookie_of_a_length_that_none_has_is_a_format_error() {
    run(ServeOptions::default(), |client| async move {
        for length in [0, 1, 7, 9, 15, 41, 100] {
            let answer = client.ask(&with_cookie(&vec![7; length])).await;
            assert_eq!((answer.code, answer.answers.len()), (ResponseCode::FormErr, 0), "{length}");
        }
        for length in [8, 16, 24, 40] {
            assert_eq!(client.ask(&with_cookie(&vec![7; length])).await.code, ResponseCode::NoError);
        }
        // Of two the first counts (RFC 7873 5.2).
        let two = [(EdnsOption::COOKIE, &OWN[..]), (EdnsOption::COOKIE, &[7])];
        assert_eq!(client.ask(&asking(&two)).await.code, ResponseCode::NoError);
    });
}

#[test]
fn a_cookie_alone_is_answered_without_a_question() {
    run(ServeOptions::default(), |client| async move {
        let alone = |cookie: &[u8]| Message { question: None, ..with_cookie(cookie) };
        let first = client.ask(&alone(OWN)).await;
        assert_eq!((first.code, first.question.clone()), (ResponseCode::NoError, None));
        let given = cookie(&first);
        assert_eq!(client.ask(&alone(&given)).await.code, ResponseCode::NoError);
        let forged = [&OWN[..], &[1; 16]].concat();
        let refused = client.ask(&alone(&forged)).await;
        assert_eq!((refused.code, cookie(&refused)), (BADCOOKIE, given));
        let nothing = Message { question: None, ..asking(&[]) };
        assert_eq!(client.ask(&nothing).await.code, ResponseCode::FormErr);
    });
}

#[test]
fn who_may_not_ask_gets_no_more_for_a_cookie() {
    let access = AccessList::new(Access::Refuse);
    run(ServeOptions { access, ..ServeOptions::default() }, |client| async move {
        for query in [with_cookie(OWN), Message { question: None, ..with_cookie(OWN) }] {
            assert_eq!(client.ask(&query).await.code, ResponseCode::Refused);
        }
    });
}

#[test]
fn a_good_cookie_is_not_limited_in_its_answers_and_that_of_another_client_is() {
    let mut net = Net::new();
    let _server = serve(&net, limited());
    let (client, mallory) = (Client::of(&net, &net.client), Client::of(&net, &net.mallory));
    let told = net.world.run(async move {
        let given = cookie(&client.ask(&with_cookie(OWN)).await);
        for _ in 0..50 {
            let answer = client.ask(&with_cookie(&given)).await;
            assert_eq!(
                (answer.code, answer.answers.len(), answer.truncated),
                (ResponseCode::NoError, 1, false)
            );
        }
        let mut stolen = [0; 3];
        for _ in 0..25 {
            let answer = mallory.ask_bytes(&with_cookie(&given).to_bytes().unwrap()).await;
            stolen[answer.map_or(0, |answer| if answer.code == BADCOOKIE { 1 } else { 2 })] += 1;
        }
        stolen
    });
    let [unanswered, sent_back, answered] = told.unwrap();
    assert!(unanswered > 0 && sent_back > 0 && answered < 25, "{unanswered} {sent_back} {answered}");
}

#[test]
fn a_client_beyond_the_limit_is_sent_back_with_a_cookie_and_is_answered_then() {
    let mut net = Net::new();
    let options = limited();
    let rate_limit = options.rate_limit.map(|limit| ResponseRateLimit { slip: 1, ..limit });
    let server = serve(&net, ServeOptions { rate_limit, ..ServeOptions::default() });
    let client = Client::of(&net, &net.client);
    net.world
        .run(async move {
            for _ in 0..5 {
                assert_eq!(client.ask(&with_cookie(OWN)).await.answers.len(), 1);
            }
            let sent_back = client.ask(&with_cookie(OWN)).await;
            assert_eq!((sent_back.code, sent_back.answers.len()), (BADCOOKIE, 0));
            assert!(!sent_back.truncated && !sent_back.authoritative);
            let with_it = client.ask(&with_cookie(&cookie(&sent_back))).await;
            assert_eq!((with_it.code, with_it.answers.len()), (ResponseCode::NoError, 1));
            let without = client.ask(&asking(&[])).await;
            assert!(without.truncated, "who keeps no cookies comes over TCP");
        })
        .unwrap();
    let withheld = server.statistics().withheld;
    let expected = [((Instead::Truncation, "response rate"), 1), ((Instead::Cookie, "response rate"), 1)];
    assert_eq!(withheld, expected.into());
    assert!(
        net.recorder.records().iter().any(|record| matches!(
            &record.event,
            Event::Dns(Dns::Withheld { instead: Instead::Cookie, .. })
        ))
    );
}

#[test]
fn a_server_says_which_one_it_is_to_whoever_asks() {
    let options = ServeOptions { nsid: Some("ns1.fra".to_owned()), ..ServeOptions::default() };
    run(options, |client| async move {
        let answer = client.ask(&asking(&[(EdnsOption::NSID, &[])])).await;
        assert_eq!(option(&answer, EdnsOption::NSID).unwrap(), b"ns1.fra");
        assert_eq!(option(&client.ask(&asking(&[])).await, EdnsOption::NSID), None);
        // Also where the answer is cut off.
        let many =
            Message { question: Some(question("many.example.test", RecordType::A)), ..asking(&[(3, &[])]) };
        assert!(option(&client.ask(&many).await, EdnsOption::NSID).is_some());
    });
    run(ServeOptions::default(), |client| async move {
        let answer = client.ask(&asking(&[(EdnsOption::NSID, &[])])).await;
        assert_eq!(option(&answer, EdnsOption::NSID), None);
    });
}

#[test]
fn over_a_connection_it_is_said_how_long_that_may_be_unused() {
    run(ServeOptions::default(), |client| async move {
        let query = asking(&[(EdnsOption::TCP_KEEPALIVE, &[])]);
        let answer = client.ask_over_tcp(&query).await;
        assert_eq!(option(&answer, EdnsOption::TCP_KEEPALIVE).unwrap(), 100_u16.to_be_bytes(), "10 s");
        assert_eq!(option(&client.ask(&query).await, EdnsOption::TCP_KEEPALIVE), None);
    });
}

#[test]
fn options_have_their_room_in_an_answer_that_is_as_long_as_it_may_be() {
    let mut zone = Zone::new("example.test").unwrap();
    for count in 0..40 {
        (0..=count).for_each(|last| {
            zone.add(&format!("n{count}"), 60, IpAddr::from([192, 0, 2, last])).unwrap();
        });
    }
    let mut net = Net::new();
    let options = ServeOptions { nsid: Some("n".repeat(100)), ..ServeOptions::default() };
    let local = SocketAddr::new(net.dns.address(), 53);
    let _server = serve_with(&net.dns, local, Arc::new(Zones::from(zone)), options).unwrap();
    let client = Client::of(&net, &net.client);
    let cut = net.world.run(async move {
        let mut cut = 0;
        for count in 0..40 {
            let mut query = asking(&[(EdnsOption::NSID, &[]), (EdnsOption::COOKIE, OWN)]);
            query.question = Some(question(&format!("n{count}.example.test"), RecordType::A));
            query.edns.as_mut().unwrap().udp_payload = 512;
            let answer = client.ask(&query).await;
            assert!(answer.to_bytes().unwrap().len() <= 512, "{count}");
            cut += usize::from(answer.truncated);
        }
        cut
    });
    // 12 of the header, 22 of the question, 11 + 104 + 28 of the OPT record: 335 are left for 16 each.
    assert_eq!(cut.unwrap(), 40 - 20);
}
