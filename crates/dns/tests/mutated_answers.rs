//! Answers changed on the way at random: whatever is called secure is what the zones' owners signed, and
//! nothing makes the validator give up in another way than by an outcome.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod dnssec;

use dnssec::{Net, Plan, address, name, nsec3, question};
use glasstack_dns::dnssec::Security::{Insecure, Secure};
use glasstack_dns::dnssec::signer::Denial;
use glasstack_dns::{Message, Question, Record, RecordData, RecordType, ResponseCode};
use std::collections::BTreeSet;
use std::sync::Mutex;

const QUESTIONS: [&str; 22] = [
    "www.example.test A",
    "www.example.test MX",
    "no.example.test A",
    "alias.example.test A",
    "dangling.example.test A",
    "x.wild.example.test A",
    "x.wild.example.test MX",
    "host.wild.example.test A",
    "host.wild.example.test MX",
    "wild.example.test A",
    "b.deep.example.test A",
    "host.renamed.example.test A",
    "x.away.example.test A",
    "www.plain A",
    "www.unsigned.test A",
    "nothing A",
    "test DS",
    "plain DS",
    "example.test DNSKEY",
    "example.test SOA",
    "www.signed.opt A",
    "no.signed.opt A",
];

/// xorshift64*: enough to choose by, and the same everywhere.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let rolled = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33;
        usize::try_from(rolled).unwrap() % sides.max(1)
    }

    fn pick<'a, T>(&mut self, items: &'a [T]) -> Option<&'a T> {
        items.get(self.roll(items.len()))
    }
}

/// One change to a message; `others` are messages that somebody may have kept.
fn mutate(message: &mut Message, others: &[Message], dice: &mut Dice) {
    let other = dice.pick(others).unwrap().clone();
    let section = match dice.roll(2) {
        0 => &mut message.answers,
        _ => &mut message.authorities,
    };
    let place = dice.roll(section.len());
    match dice.roll(14) {
        0 if !section.is_empty() => {
            section.remove(place);
        }
        1 if !section.is_empty() => {
            let copy = section[place].clone();
            section.push(copy);
        }
        2 => section.reverse(),
        3 => section.clear(),
        4 => section.extend(other.authorities),
        5 => section.extend(other.answers),
        6 => *section = other.authorities,
        7 => {
            message.code = match message.code {
                ResponseCode::NoError => ResponseCode::NxDomain,
                _ => ResponseCode::NoError,
            };
        }
        8 => {
            let owner = other.question.unwrap().name;
            section.iter_mut().for_each(|record| record.owner = owner.clone());
        }
        9 => section.retain(|record| !matches!(record.data, RecordData::Rrsig(_))),
        10 | 11 if place < section.len() => change(&mut section[place], dice),
        12 => section.iter_mut().for_each(|record| record.ttl = record.ttl.wrapping_mul(3)),
        _ => {
            let data = address(u8::try_from(dice.roll(256)).unwrap()).into();
            let owner = message.question.as_ref().unwrap().name.clone();
            message.answers.push(Record { owner, ttl: 60, data });
        }
    }
}

/// Changes what a record says.
fn change(record: &mut Record, dice: &mut Dice) {
    match &mut record.data {
        RecordData::Rrsig(rrsig) => match dice.roll(7) {
            0 => rrsig.labels = rrsig.labels.wrapping_sub(1),
            1 => rrsig.signer = rrsig.signer.parent().unwrap_or(name("test")),
            2 => rrsig.type_covered = RecordType::Mx,
            3 => rrsig.expiration = rrsig.expiration.wrapping_add(1),
            4 => rrsig.key_tag = rrsig.key_tag.wrapping_add(1),
            5 => rrsig.algorithm = 13,
            _ => rrsig.signature.truncate(dice.roll(64)),
        },
        RecordData::Nsec(nsec) => match dice.roll(2) {
            0 => nsec.types.clear(),
            _ => nsec.next = name("zzz.example.test"),
        },
        RecordData::Nsec3(nsec3) => match dice.roll(3) {
            0 => nsec3.types.clear(),
            1 => nsec3.flags ^= 1,
            _ => nsec3.next_hashed.reverse(),
        },
        RecordData::A(_) => record.data = address(66).into(),
        RecordData::Cname(target) => *target = name("evil.example"),
        RecordData::Ds(ds) => ds.digest.reverse(),
        RecordData::Dnskey(key) => key.flags ^= 0x80,
        _ => record.ttl = 0,
    }
}

/// The answer without signatures and TTLs, in an order of its own.
fn essence(message: &Message) -> Vec<String> {
    let plain = message.answers.iter().filter(|record| !matches!(record.data, RecordData::Rrsig(_)));
    let mut lines: Vec<String> = plain.map(|record| format!("{} {}", record.owner, record.data)).collect();
    lines.sort();
    lines.dedup();
    lines
}

/// Everything that the answer is about, from the question along its aliases.
fn is_true(text: &str, believed: &Message, truth: &Message) -> bool {
    let asked = question(text);
    let (believed_lines, true_lines) = (essence(believed), essence(truth));
    let about = |message: &Message| {
        let of = |record: &&Record| record.owner == asked.name && record.record_type() == asked.record_type;
        message.answers.iter().filter(of).map(|record| record.data.to_string()).collect::<BTreeSet<_>>()
    };
    // Records of other names beside the answer do not count.
    let relevant = |line: &String| true_lines.contains(line);
    let foreign = believed_lines.iter().filter(|line| !relevant(line)).any(|line| {
        let owner = line.split(' ').next().unwrap();
        truth.answers.iter().any(|record| record.owner.to_string() == owner) || owner == asked.name.as_str()
    });
    believed.code == truth.code && !foreign && about(believed) == about(truth)
}

fn play(denial: &Denial, seed: u64, cases: usize) -> (usize, usize) {
    let plan = || Plan { denial: denial.clone(), ..Plan::default() };
    let mut net = Net::with(plan());
    let kept: Vec<Message> = QUESTIONS.iter().map(|text| net.tree.respond(&question(text))).collect();
    let mut dice = Dice(seed);
    let (mut secure, mut bogus) = (0, 0);
    for _ in 0..cases {
        let text = dice.pick(&QUESTIONS).unwrap();
        let truth = net.tree.respond(&question(text));
        let mut message = truth.clone();
        for _ in 0..=dice.roll(3) {
            mutate(&mut message, &kept, &mut dice);
        }
        let honest = net.validate_this(text, truth.clone());
        let validated = net.validate_this(text, message);
        match validated.security {
            Secure => {
                assert!(
                    validated.open.is_some() || is_true(text, &validated.message, &truth),
                    "{text} became {:?} {:#?}",
                    validated.message.code,
                    essence(&validated.message)
                );
                secure += 1;
            }
            Insecure => assert_ne!(honest.security, Secure, "{text}: {}", validated.reason),
            _ => bogus += 1,
        }
    }
    (secure, bogus)
}

#[test]
fn nothing_that_is_changed_is_secure() {
    for (denial, seed) in [(Denial::Nsec, 1), (nsec3(0, false), 2), (nsec3(2, true), 3)] {
        let (secure, bogus) = play(&denial, seed, 1_000);
        assert!(secure > 100, "{secure} of 1 000 changes did no harm");
        assert!(bogus > 250, "{bogus} of 1 000 changes were found");
    }
}

#[test]
fn keys_and_delegations_that_are_changed_are_not_believed() {
    for denial in [Denial::Nsec, nsec3(0, false)] {
        for seed in 1..60 {
            let kept: Vec<Message> = {
                let net = Net::with(Plan { denial: denial.clone(), ..Plan::default() });
                QUESTIONS.iter().map(|text| net.tree.respond(&question(text))).collect()
            };
            let dice = Mutex::new(Dice(seed));
            let tamper = move |_: &Question, message: &mut Message| {
                let mut dice = dice.lock().unwrap();
                if dice.roll(4) == 0 {
                    mutate(message, &kept, &mut dice);
                }
            };
            let mut net =
                Net::with(Plan { denial: denial.clone(), tamper: Some(Box::new(tamper)), ..Plan::default() });
            // The answer is forged: it must not become secure, nor insecure, whatever is said of its keys.
            let mut message =
                Message::query(1, question("www.example.test A"), None).response(ResponseCode::NoError);
            message.answers =
                vec![Record { owner: name("www.example.test"), ttl: 60, data: address(66).into() }];
            let validated = net.validate_this("www.example.test A", message);
            assert!(!matches!(validated.security, Secure | Insecure), "{seed}: {}", validated.reason);
        }
    }
}
