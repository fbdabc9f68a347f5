//! Signed answers that somebody has changed on the way: whatever is called secure is what the zones' owners
//! signed, and nothing makes the validator give up in another way than by an outcome.

use super::chance::Chance;
use super::dnssec::{Net, Plan, address, name, nsec3, question};
use super::fuzz;
use glasstack_dns::dnssec::Security::{self, Insecure, Secure};
use glasstack_dns::dnssec::Validator;
use glasstack_dns::dnssec::signer::Denial;
use glasstack_dns::{Message, Question, Record, RecordData, RecordType, ResponseCode};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

#[derive(Debug, Default)]
struct Tally {
    secure: u64,
    insecure: u64,
    bogus: u64,
    /// Of how many the keys and delegations were changed as well.
    with_other_keys: u64,
    /// Responses that validation asked for, for one answer.
    most_asked: usize,
}

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

/// How many answers the validator may ask for before it judges one.
const MOST_ASKED: usize = 60;

/// A tree, and what is true of it.
struct Scene {
    net: Net,
    /// The answer to each question, and what is to be made of it.
    truths: Vec<(Message, Security)>,
    /// Who changes the keys and delegations at the moment.
    liar: Arc<Mutex<Option<Chance>>>,
}

impl Scene {
    fn new(denial: &Denial) -> Self {
        let plan = || Plan { denial: denial.clone(), ..Plan::default() };
        let mut net = Net::with(plan());
        let truth = |text: &&str| {
            let message = net.tree.respond(&question(text));
            let security = net.validate_this(text, message.clone()).security;
            (message, security)
        };
        let truths: Vec<(Message, Security)> = QUESTIONS.iter().map(truth).collect();
        let liar: Arc<Mutex<Option<Chance>>> = Arc::default();
        let (kept, lying) = (messages(&truths), Arc::clone(&liar));
        let tamper = move |_: &Question, message: &mut Message| {
            if let Some(chance) = &mut *lying.lock().unwrap()
                && chance.once_in(4)
            {
                mutate(message, &kept, chance);
            }
        };
        Self { net: Net::with(Plan { tamper: Some(Box::new(tamper)), ..plan() }), truths, liar }
    }

    /// From now on nothing is known of the keys.
    fn forget_keys(&mut self) {
        let known = &self.net.validator;
        self.net.validator = Arc::new(Validator::new(known.anchors().clone(), known.limits().clone()));
    }

    fn play(&mut self, chance: &mut Chance, tally: &mut Tally) {
        let asked = chance.below(QUESTIONS.len());
        let (text, (truth, honest)) = (QUESTIONS[asked], self.truths[asked].clone());
        let mut message = truth.clone();
        for _ in 0..=chance.below(3) {
            let (other, _) = chance.one_of(&self.truths);
            mutate(&mut message, std::slice::from_ref(other), chance);
        }
        let other_keys = chance.once_in(4);
        if other_keys {
            *self.liar.lock().unwrap() = Some(Chance::of(chance.u64(), 0));
            // One that has not seen the true keys yet.
            self.forget_keys();
        }
        let validated = self.net.validate_this(text, message);
        if self.liar.lock().unwrap().take().is_some() {
            self.forget_keys();
        }
        let asked = self.net.asked().len();
        assert!(asked <= MOST_ASKED, "{text}: {asked} questions");
        tally.most_asked = tally.most_asked.max(asked);
        tally.with_other_keys += u64::from(other_keys);
        match validated.security {
            Secure => {
                assert!(
                    validated.open.is_some() || is_true(text, &validated.message, &truth),
                    "{text} became {:?} {:#?}",
                    validated.message.code,
                    essence(&validated.message)
                );
                tally.secure += 1;
            }
            Insecure => {
                assert_ne!(honest, Secure, "{text}: {}", validated.reason);
                tally.insecure += 1;
            }
            _ => tally.bogus += 1,
        }
    }
}

fn messages(truths: &[(Message, Security)]) -> Vec<Message> {
    truths.iter().map(|(message, _)| message.clone()).collect()
}

#[test]
fn signed_answers() {
    let mut scenes = [Denial::Nsec, nsec3(0, false), nsec3(2, true)].map(|denial| Scene::new(&denial));
    let tally = fuzz("signed_answers", 2_000, |chance, tally: &mut Tally| {
        let scene = chance.below(scenes.len());
        scenes[scene].play(chance, tally);
    });
    let all = tally.secure + tally.insecure + tally.bogus;
    if all >= 1_000 {
        assert!(tally.secure * 10 > all, "too few changes did no harm: {tally:?}");
        assert!(tally.bogus * 4 > all, "too few changes were found: {tally:?}");
    }
}

#[test]
fn a_forged_answer_is_neither_secure_nor_insecure_whatever_is_said_of_its_keys() {
    for denial in [Denial::Nsec, nsec3(0, false)] {
        let mut scene = Scene::new(&denial);
        for seed in 1..60 {
            *scene.liar.lock().unwrap() = Some(Chance::of(seed, 0));
            scene.forget_keys();
            let mut message =
                Message::query(1, question("www.example.test A"), None).response(ResponseCode::NoError);
            message.answers =
                vec![Record { owner: name("www.example.test"), ttl: 60, data: address(66).into() }];
            let validated = scene.net.validate_this("www.example.test A", message);
            assert!(!matches!(validated.security, Secure | Insecure), "{seed}: {}", validated.reason);
        }
    }
}

/// One change to a message; `others` are messages that somebody may have kept.
fn mutate(message: &mut Message, others: &[Message], chance: &mut Chance) {
    let other = chance.one_of(others).clone();
    let section = match chance.below(2) {
        0 => &mut message.answers,
        _ => &mut message.authorities,
    };
    let place = chance.below(section.len());
    match chance.below(14) {
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
        10 | 11 if place < section.len() => change(&mut section[place], chance),
        12 => section.iter_mut().for_each(|record| record.ttl = record.ttl.wrapping_mul(3)),
        _ => {
            let data = address(u8::try_from(chance.below(256)).unwrap()).into();
            let owner = message.question.as_ref().unwrap().name.clone();
            message.answers.push(Record { owner, ttl: 60, data });
        }
    }
}

/// Changes what a record says.
fn change(record: &mut Record, chance: &mut Chance) {
    match &mut record.data {
        RecordData::Rrsig(rrsig) => match chance.below(7) {
            0 => rrsig.labels = rrsig.labels.wrapping_sub(1),
            1 => rrsig.signer = rrsig.signer.parent().unwrap_or(name("test")),
            2 => rrsig.type_covered = RecordType::Mx,
            3 => rrsig.expiration = rrsig.expiration.wrapping_add(1),
            4 => rrsig.key_tag = rrsig.key_tag.wrapping_add(1),
            5 => rrsig.algorithm = 13,
            _ => rrsig.signature.truncate(chance.below(64)),
        },
        RecordData::Nsec(nsec) => match chance.below(2) {
            0 => nsec.types.clear(),
            _ => nsec.next = name("zzz.example.test").into(),
        },
        RecordData::Nsec3(nsec3) => match chance.below(3) {
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
