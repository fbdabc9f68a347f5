//! Whatever comes over the wire, there is an answer or an error, and nobody hangs or falls over.
#![allow(clippy::unwrap_used, reason = "a set-up that fails is a test that fails")]

mod world;

use futures_util::{AsyncReadExt, AsyncWriteExt};
use glasstack_dns::message::Edns;
use glasstack_dns::server::Authority;
use glasstack_dns::{Message, RecordType, ResolveError};
use glasstack_journal::event::{Event, Span};
use glasstack_stack::{Entropy, World};
use std::net::SocketAddr;
use std::sync::Arc;
use world::{DNS, Net, example, question, scripted, seconds, serve_example};

/// Changes one to four bytes, the id and the name mostly spared, and sometimes the length.
fn mutate(entropy: &Arc<dyn Entropy>, mut bytes: Vec<u8>) -> Vec<u8> {
    for _ in 0..=entropy.below(4) {
        let at = 2 + entropy.below(u32::try_from(bytes.len()).unwrap() - 2) as usize;
        let spared = (4..6).contains(&at) || (12..35).contains(&at);
        if !spared || entropy.below(8) == 0 {
            bytes[at] = entropy.u16().to_le_bytes()[0];
        }
    }
    if entropy.below(6) == 0 {
        bytes.truncate(2 + entropy.below(u32::try_from(bytes.len()).unwrap() - 2) as usize);
    }
    bytes
}

#[test]
fn a_server_that_says_anything_gets_an_address_or_an_error_out_of_the_resolver() {
    let (mut resolved, mut failed) = (0, 0);
    for seed in 0..100 {
        let mut net = Net::with_seed(seed);
        let entropy = net.dns.entropy().clone();
        scripted(&net.dns, move |query, _| {
            let reply = example().reply(query.question.as_ref().unwrap());
            let response = Message {
                authoritative: true,
                answers: reply.answers,
                authorities: reply.authorities,
                ..query.response(reply.code)
            };
            vec![mutate(&entropy, response.to_bytes().unwrap())]
        });
        let resolver = net.resolver(&[DNS]);
        for name in ["blog.example.test", "v6.example.test", "no.example.test"] {
            match net.resolve(&resolver, name) {
                Ok(lookup) => {
                    assert!(!lookup.addresses.is_empty());
                    resolved += 1;
                }
                Err(_) => failed += 1,
            }
        }
        // Three names, of each perhaps A and AAAA, twice over UDP and perhaps TCP, 5 s each.
        assert!(net.client.now().as_micros() < 120_000_000, "seed {seed} took too long");
    }
    assert!(resolved > 20 && failed > 20, "{resolved} resolved, {failed} failed: both should have been seen");
}

#[test]
fn clients_that_say_anything_do_not_bring_the_server_down() {
    let mut net = Net::new();
    let _server = serve_example(&net.dns);
    let (client, server) = (net.client.clone(), SocketAddr::new(net.dns.address(), 53));
    let answered = net.world.run(async move {
        let entropy = client.entropy().clone();
        let good = Message::query(1, question("www.example.test", RecordType::A), Some(Edns::default()));
        let good = good.to_bytes().unwrap();
        let socket = client.udp(SocketAddr::new(client.address(), 0)).unwrap();
        for _ in 0..2_000 {
            socket.send_to(&mutate(&entropy, good.clone()), server).await.unwrap();
            client.sleep(std::time::Duration::from_micros(100)).await;
        }
        for _ in 0..50 {
            let mut stream = client.connect(server).await.unwrap();
            let request = mutate(&entropy, good.clone());
            let length = u16::try_from(request.len() - usize::from(entropy.below(4) == 0)).unwrap();
            stream.write_all(&[&length.to_be_bytes()[..], &request].concat()).await.unwrap();
            stream.close().await.unwrap();
            let _ = stream.read_to_end(&mut Vec::new()).await;
        }
        let socket = client.udp(SocketAddr::new(client.address(), 0)).unwrap();
        socket.send_to(&good, server).await.unwrap();
        let mut buffer = [0; 512];
        let (length, _) = client.timeout(seconds(1), socket.recv_from(&mut buffer)).await.unwrap().unwrap();
        Message::parse(&buffer[..length]).unwrap().answers.len()
    });
    assert_eq!(answered.unwrap(), 1);
}

#[test]
fn a_lookup_that_is_given_up_leaves_no_span_open() {
    let mut net = Net::new();
    scripted(&net.dns, |_, _| Vec::new());
    let resolver = net.resolver(&[DNS]);
    let client = net.client.clone();
    let given_up =
        net.world.run(async move { client.timeout(seconds(1), resolver.resolve("www.test")).await });
    assert!(given_up.unwrap().is_err());
    let node = net.client.scope().node();
    let open =
        net.recorder.records().iter().filter(|record| record.node == node).fold(
            0,
            |open, record| match record.event {
                Event::Span(Span::Opened { .. }) => open + 1,
                Event::Span(Span::Closed) => open - 1,
                _ => open,
            },
        );
    assert_eq!(open, 0);
}

#[test]
fn lookups_at_the_same_time_do_not_take_each_others_answers() {
    let mut net = Net::new();
    let _server = serve_example(&net.dns);
    let resolver = net.resolver(&[DNS]);
    let names = ["www.example.test", "no.example.test", "many.example.test", "v6.example.test"];
    let results =
        net.world.run(futures_util::future::join_all(names.map(|name| resolver.resolve(name)))).unwrap();
    assert_eq!(results[0].as_ref().unwrap().addresses.len(), 1);
    assert!(matches!(results[1], Err(ResolveError::NotFound { .. })));
    assert_eq!(results[2].as_ref().unwrap().addresses.len(), 100);
    assert!(matches!(results[3], Err(ResolveError::AaaaOnly { .. })));
}

/// An authority that finds the answer out in its own good time, as a recursive one does.
struct Slow(glasstack_stack::Host);

impl Authority for Slow {
    fn answer<'a>(
        &'a self,
        asked: &'a glasstack_dns::Asked,
    ) -> futures_util::future::BoxFuture<'a, glasstack_dns::Reply> {
        Box::pin(async move {
            self.0.sleep(seconds(1)).await;
            example().reply(&asked.question)
        })
    }

    fn recursion_available(&self) -> bool {
        true
    }
}

#[test]
fn a_slow_authority_answers_several_at_once() {
    let mut net = Net::new();
    let local = SocketAddr::new(net.dns.address(), 53);
    let _server = glasstack_dns::serve(&net.dns, local, Slow(net.dns.clone())).unwrap();
    let resolver = net.resolver(&[DNS]);
    let names = ["www.example.test", "example.test", "blog.example.test"];
    let results =
        net.world.run(futures_util::future::join_all(names.map(|name| resolver.resolve(name)))).unwrap();
    assert!(results.iter().all(Result::is_ok));
    assert!(net.client.now().as_micros() < 1_100_000, "a second for all of them, not for each");
}
