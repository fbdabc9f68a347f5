//! Reads sentences: a function for each rule of the grammar in [`super`].

use super::bad_fault::BadFault;
use super::quantity;
use super::reader::Reader;
use super::spec::{
    Attack, AuthorityFlaw, CableFault, CertificateFault, Deed, FaultSpec, Frames, Heading, Kill, Kind,
    LeafFlaw, Mishap, Part, Percent, Place, SigningFault, SigningFlaw, Thing, Unplug, Victims, Which, Window,
};
use super::things;
use glasstack_dns::{DnsName, ResponseCode};
use std::net::Ipv4Addr;
use std::time::Duration;

/// Where forged DNS answers lead unless they say it (RFC 5737).
const FORGED: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 66);
/// How many SYNs a second a flood has, and how many in all, unless it says it.
const FLOOD: (u32, u32) = (200, 1_000);

/// What is expected of a probability.
const SHARE: &str = "a share between 0 and 100 %, as 5%";

/// What a sentence can begin with.
pub(super) const VERBS: &[&str] = &[
    "lose",
    "corrupt",
    "delay",
    "duplicate",
    "reorder",
    "black hole",
    "reset",
    "close",
    "answer",
    "lie about",
    "truncate",
    "kill",
    "unplug",
    "expire",
    "postdate",
    "revoke",
    "omit",
    "wrong name",
    "untrusted root",
    "self-signed",
    "wrong purpose",
    "bad signature",
    "stale list",
    "stale OCSP answer",
    "no OCSP answer",
    "wrong DS for",
    "unsign",
    "spoof",
    "forge",
    "SYN flood",
    "redirect",
];

/// What may stand behind it.
pub(super) const CLAUSES: &[&str] = &["at", "towards", "leaving", "on port", "from", "after", "before"];

/// The whole sentence.
pub(super) fn sentence(text: &str) -> Result<FaultSpec, BadFault> {
    let mut reader = Reader::new(text)?;
    let fault = fault(&mut reader)?;
    if reader.word().is_some() {
        let unexpected = || reader.expected("the end of the sentence or one of its clauses", CLAUSES);
        return Err(reader.too_large().unwrap_or_else(unexpected));
    }
    Ok(fault)
}

fn fault(reader: &mut Reader<'_>) -> Result<FaultSpec, BadFault> {
    let Some(verb) = VERBS.iter().find(|verb| reader.takes(verb)) else {
        return Err(reader.expected("what is to happen", VERBS));
    };
    match *verb {
        "lose" => lose(reader),
        "corrupt" => corrupt(reader),
        "delay" => on_cable(reader, |reader, frames| {
            let by = reader.value("how much later, as 3s or 20ms", quantity::duration)?;
            Ok(Mishap::Delay { frames, by })
        }),
        "duplicate" => duplicate(reader),
        "reorder" => on_cable(reader, |_, frames| Ok(Mishap::Reorder(frames))),
        "black hole" => past(reader, "above", |reader| {
            let above = reader.value("an MTU in bytes, as 1400", u32_number)?;
            Ok(Mishap::BlackHole { above })
        }),
        "reset" => past(reader, "after", |reader| Ok(Mishap::Reset { after: size(reader)? })),
        "close" => past(reader, "after", |reader| Ok(Mishap::Close { after: size(reader)? })),
        "answer" => answer(reader),
        "lie about" => {
            let name = domain(reader)?;
            let address = reader.value("an IPv4 address", |word| word.parse().ok())?;
            cable_fault(reader, None, Mishap::Lie { name, address })
        }
        "truncate" => {
            reader.needs("DNS answers")?;
            cable_fault(reader, None, Mishap::Truncate)
        }
        "kill" => kill(reader),
        "unplug" => unplug(reader),
        "expire" => {
            paper(reader, Some(AuthorityFlaw::Expired), Some(LeafFlaw::Expired), Some(SigningFlaw::Expired))
        }
        "postdate" => paper(
            reader,
            Some(AuthorityFlaw::NotYetValid),
            Some(LeafFlaw::NotYetValid),
            Some(SigningFlaw::NotYetValid),
        ),
        "revoke" => paper(reader, Some(AuthorityFlaw::Revoked), Some(LeafFlaw::Revoked), None),
        "omit" => paper(reader, Some(AuthorityFlaw::Omitted), None, Some(SigningFlaw::Omitted)),
        "wrong DS for" => signing(reader, SigningFlaw::WrongDs),
        "unsign" => signing(reader, SigningFlaw::Unsigned),
        "wrong name" => leaf_on(reader, LeafFlaw::WrongName),
        "untrusted root" => leaf_on(reader, LeafFlaw::UntrustedRoot),
        "wrong purpose" => leaf_on(reader, LeafFlaw::WrongPurpose),
        "bad signature" => leaf_on(reader, LeafFlaw::BadSignature),
        "stale list" => leaf_on(reader, LeafFlaw::ListStale),
        "stale OCSP answer" => leaf_on(reader, LeafFlaw::AnswerStale),
        "no OCSP answer" => leaf_on(reader, LeafFlaw::NoAnswer),
        "self-signed" => {
            reader.takes("certificate");
            leaf_on(reader, LeafFlaw::SelfSigned)
        }
        "spoof" => {
            reader.needs("ARP for")?;
            let of = node(reader, "whose address it is")?;
            attack(reader, Deed::SpoofArp { of, forwarding: false })
        }
        "forge" => forge(reader),
        "SYN flood" => {
            let of = node(reader, "the host that gets the SYNs")?;
            attack(reader, Deed::SynFlood { of, rate: FLOOD.0, count: FLOOD.1 })
        }
        _ => {
            let of = node(reader, "the host that is told to send elsewhere")?;
            attack(reader, Deed::Redirect { of })
        }
    }
}

// ---- what befalls frames

fn lose(reader: &mut Reader<'_>) -> Result<FaultSpec, BadFault> {
    let begins = |rest: &Reader<'_>| rest.sees("in bursts") || things::begins(rest);
    let place = host_before(reader, begins, &things::words_and(&["in bursts"]));
    if !reader.sees("in bursts") && reader.nearest(&["in bursts"]).is_some() {
        return Err(reader.expected("a kind of frame or `in bursts`", &["in bursts"]));
    }
    if reader.takes("in bursts") {
        let begins = percent(reader)?;
        let ends = percent(reader)?;
        return cable_fault(reader, place, Mishap::LoseInBursts { begins, ends });
    }
    let frames = frames(reader)?;
    cable_fault(reader, place, Mishap::Lose(frames))
}

fn corrupt(reader: &mut Reader<'_>) -> Result<FaultSpec, BadFault> {
    let begins = |rest: &Reader<'_>| part(&mut rest.clone()).is_some() || things::begins(rest);
    let place = host_before(reader, begins, &things::words_and(&[]));
    let part = part(reader).unwrap_or(Part::Itself);
    let frames = frames(reader)?;
    let keeping_checksum = reader.takes("keeping the checksum");
    cable_fault(reader, place, Mishap::Corrupt { frames, part, keeping_checksum })
}

/// `TCP payload of`, if that comes next.
fn part(reader: &mut Reader<'_>) -> Option<Part> {
    const PARTS: [(&str, Part); 8] = [
        ("payload of", Part::Payload),
        ("TCP payload of", Part::Payload),
        ("UDP payload of", Part::Payload),
        ("ICMP payload of", Part::Payload),
        ("IP header of", Part::IpHeader),
        ("TCP header of", Part::TransportHeader),
        ("UDP header of", Part::TransportHeader),
        ("ICMP header of", Part::TransportHeader),
    ];
    let (_, part) = PARTS.iter().find(|(phrase, _)| reader.takes(phrase))?;
    reader.takes("the");
    Some(*part)
}

fn duplicate(reader: &mut Reader<'_>) -> Result<FaultSpec, BadFault> {
    let place = host_before(reader, things::begins, &things::words_and(&[]));
    let frames = frames(reader)?;
    // `from mallory` makes it an attack, `from 2s` a time.
    let is_by_somebody = reader.sees("from") && reader.word_after(1).and_then(quantity::duration).is_none();
    let are_arp_replies = frames.thing == Thing::Plain(Kind::ArpReply) && place.is_none();
    if (is_by_somebody || reader.sees("by")) && are_arp_replies {
        return attack(reader, Deed::DuplicateArp);
    }
    let copies = if reader.word_after(1).is_some_and(|word| word.eq_ignore_ascii_case("times")) {
        let copies = reader.value("how many copies, from 1 to 255", |word| {
            quantity::number(word).and_then(|n| u8::try_from(n).ok()).filter(|n| *n > 0)
        })?;
        reader.needs("times")?;
        copies
    } else {
        1
    };
    cable_fault(reader, place, Mishap::Duplicate { frames, copies })
}

fn answer(reader: &mut Reader<'_>) -> Result<FaultSpec, BadFault> {
    const CODES: &[&str] = &["NXDOMAIN", "SERVFAIL", "REFUSED", "FORMERR", "NOTIMP", "NOERROR"];
    let Some(code) = reader.may(response_code) else {
        return Err(reader.expected("a DNS response code", CODES));
    };
    reader.needs("for")?;
    let name = domain(reader)?;
    cable_fault(reader, None, Mishap::Answer { code, name })
}

/// What `dig` prints: `NXDOMAIN`, or `RCODE11` for what has no name.
fn response_code(word: &str) -> Option<ResponseCode> {
    let is_it = |code: &ResponseCode| code.to_string().eq_ignore_ascii_case(word);
    (0..=4095).map(ResponseCode::from_number).find(is_it)
}

/// A verb, its host, its frames and what follows them.
fn on_cable(
    reader: &mut Reader<'_>,
    rest: impl FnOnce(&mut Reader<'_>, Frames) -> Result<Mishap, BadFault>,
) -> Result<FaultSpec, BadFault> {
    let place = host_before(reader, things::begins, &things::words_and(&[]));
    let frames = frames(reader)?;
    let mishap = rest(reader, frames)?;
    cable_fault(reader, place, mishap)
}

/// A verb, its host, and a limit.
fn past(
    reader: &mut Reader<'_>,
    preposition: &str,
    rest: impl FnOnce(&mut Reader<'_>) -> Result<Mishap, BadFault>,
) -> Result<FaultSpec, BadFault> {
    let place = host_before(reader, |rest| rest.sees(preposition), &[preposition]);
    reader.needs(preposition)?;
    let mishap = rest(reader)?;
    cable_fault(reader, place, mishap)
}

/// A host's name right behind the verb: a word that is no other, followed by what must come. What must
/// come begins with one of `words`: where it does not come, they tell whether the first word is one of
/// them misspelt, or a host, so that the second is wrong.
fn host_before(
    reader: &mut Reader<'_>,
    follows: impl Fn(&Reader<'_>) -> bool,
    words: &[&str],
) -> Option<Place> {
    if follows(reader) {
        return None;
    }
    let mut rest = reader.clone();
    let name = rest.may(node_name)?;
    let could_follow = |word: &str| quantity::number(word).is_none() && !is_clause(word);
    let second_is_wrong = || rest.word().is_some_and(could_follow) && reader.nearest(words).is_none();
    (follows(&rest) || second_is_wrong()).then(|| {
        reader.advance(1);
        Place::Of(name)
    })
}

fn frames(reader: &mut Reader<'_>) -> Result<Frames, BadFault> {
    if let Some(chance) = reader.may(quantity::percent) {
        let thing = if reader.takes("of") { things::thing(reader)? } else { Thing::Plain(Kind::Frame) };
        return Ok(Frames { thing, which: Which::Chance(chance) });
    }
    if reader.word().is_some_and(|word| word.ends_with('%')) {
        return Err(reader.expected(SHARE, &[]));
    }
    for every in ["every", "all", "each", "any"] {
        if reader.takes(every) {
            return Ok(Frames { thing: things::thing(reader)?, which: Which::All });
        }
    }
    let is_definite = reader.takes("the");
    // The only last one that can be told while it passes.
    if reader.sees("last") && !reader.sees("last ACK") && !reader.sees("last ACKs") {
        reader.advance(1);
        return Err(reader.expected(
            "ACK: only the last ACK of a connection is known for the last when it passes",
            &["ACK"],
        ));
    }
    let is_last = reader.sees("last ACK");
    if let Some(n) = reader.may(quantity::ordinal) {
        if let Some(too_large) = reader.too_large() {
            return Err(too_large);
        }
        let count = reader.may(|word| quantity::number(word).filter(|count| n == 1 && *count > 0));
        let which = count.map_or(Which::Nth(n), Which::First);
        return Ok(Frames { thing: things::thing(reader)?, which });
    }
    let thing = things::thing(reader)?;
    // `4 times` counts copies, not frames.
    let counts_copies = reader.word_after(1).is_some_and(|word| word.eq_ignore_ascii_case("times"));
    if !counts_copies && reader.word() == Some("0") {
        return Err(reader.wrong("frames are counted from 1"));
    }
    if !counts_copies && let Some(n) = reader.may(|word| quantity::number(word).filter(|n| *n > 0)) {
        return Ok(Frames { thing, which: Which::Nth(n) });
    }
    let which = if is_definite || is_last { Which::Nth(1) } else { Which::All };
    Ok(Frames { thing, which })
}

/// The clauses behind what befalls the frames, in any order.
fn cable_fault(reader: &mut Reader<'_>, place: Option<Place>, mishap: Mishap) -> Result<FaultSpec, BadFault> {
    let mut fault = CableFault { mishap, place, heading: None, port: None, window: Window::default() };
    loop {
        if reader.sees("at") && fault.place.is_some() {
            return Err(reader.wrong("the cable has been named already"));
        }
        if reader.takes("at") {
            fault.place = Some(cable(reader)?);
        } else if reader.takes("towards") {
            fault.heading = Some(Heading::Towards(node(reader, "the end of the cable it goes to")?));
        } else if reader.takes("leaving") {
            fault.heading = Some(Heading::Leaving(node(reader, "the end of the cable it comes from")?));
        } else if reader.takes("on port") {
            fault.port = Some(reader.value("a port, from 1 to 65535", |word| {
                quantity::number(word).and_then(|n| u16::try_from(n).ok()).filter(|port| *port > 0)
            })?);
        } else if !window(reader, &mut fault.window)? {
            return Ok(FaultSpec::Cable(fault));
        }
    }
}

/// `from 2s to 5s`, `after 2s`, `before 5s`, if that comes next.
fn window(reader: &mut Reader<'_>, window: &mut Window) -> Result<bool, BadFault> {
    let is_from = reader.takes("from");
    if is_from || reader.takes("after") {
        let until = window.until;
        let earlier =
            |word: &str| quantity::duration(word).filter(|from| until.is_none_or(|until| *from < until));
        window.from = reader.value("a time before the end, as 2s or 150ms", earlier)?;
        if !is_from || !(reader.takes("to") || reader.takes("until")) {
            return Ok(true);
        }
    } else if !reader.takes("before") {
        return Ok(false);
    }
    let from = window.from;
    let later = |word: &str| quantity::duration(word).filter(|until| *until > from);
    window.until = Some(reader.value("a time behind the beginning, as 5s", later)?);
    Ok(true)
}

// ---- hosts, plugs, certificates

fn kill(reader: &mut Reader<'_>) -> Result<FaultSpec, BadFault> {
    let who = if reader.takes("root all") || reader.takes("all roots") {
        Victims::RootsBut(if reader.takes("but") { letters(reader)? } else { Vec::new() })
    } else if reader.takes("root") || reader.takes("roots") {
        Victims::Roots(letters(reader)?)
    } else {
        let mut hosts = vec![listed(reader, "a host", node_name)?];
        while reader
            .word()
            .is_some_and(|word| node_name(word.trim_end_matches(',')).is_some() && !is_clause(word))
        {
            hosts.push(listed(reader, "a host", node_name)?);
        }
        Victims::Hosts(hosts)
    };
    let mut when = Window::default();
    if reader.takes("at") {
        when.from = time(reader)?;
    }
    while window(reader, &mut when)? {}
    Ok(FaultSpec::Kill(Kill { who, window: when }))
}

/// Letters of root name servers: `b, c and d`.
fn letters(reader: &mut Reader<'_>) -> Result<Vec<char>, BadFault> {
    const WHAT: &str = "the letter of a root name server, from a to m";
    let mut letters = vec![listed(reader, WHAT, root_letter)?];
    loop {
        let is_next = reader.sees("and")
            || reader.word().is_some_and(|word| root_letter(word.trim_end_matches(',')).is_some());
        if !is_next {
            return Ok(letters);
        }
        reader.takes("and");
        letters.push(listed(reader, WHAT, root_letter)?);
    }
}

fn root_letter(word: &str) -> Option<char> {
    let letter = word.to_ascii_lowercase();
    let mut chars = letter.chars();
    chars.next().filter(|letter| ('a'..='m').contains(letter) && chars.next().is_none())
}

/// A word of a list, whose comma is passed over.
fn listed<T>(reader: &mut Reader<'_>, what: &str, read: impl Fn(&str) -> Option<T>) -> Result<T, BadFault> {
    reader.value(what, |word| read(word.trim_end_matches(',')))
}

fn unplug(reader: &mut Reader<'_>) -> Result<FaultSpec, BadFault> {
    let place = cable(reader)?;
    let at = if reader.takes("at") { time(reader)? } else { Duration::ZERO };
    let lasting = if reader.takes("for") { Some(time(reader)?) } else { None };
    Ok(FaultSpec::Unplug(Unplug { place, at, lasting }))
}

/// The intermediate's certificate, a server's, or a zone's signatures: as far as such a flaw is one of theirs.
fn paper(
    reader: &mut Reader<'_>,
    authority: Option<AuthorityFlaw>,
    leaf: Option<LeafFlaw>,
    signatures: Option<SigningFlaw>,
) -> Result<FaultSpec, BadFault> {
    reader.takes("the");
    if let Some(flaw) = authority.filter(|_| reader.takes("intermediate")) {
        return Ok(FaultSpec::Certificate(CertificateFault::Intermediate(flaw)));
    }
    if let Some(flaw) = signatures.filter(|_| reader.takes("signatures")) {
        reader.needs("of")?;
        return signing(reader, flaw);
    }
    if let Some(flaw) = leaf.filter(|_| reader.takes("leaf") || reader.takes("certificate")) {
        reader.needs("of")?;
        return Ok(FaultSpec::Certificate(CertificateFault::Leaf { name: domain(reader)?, flaw }));
    }
    let choices = [
        authority.map(|_| "intermediate"),
        leaf.map(|_| "leaf of NAME"),
        signatures.map(|_| "signatures of ZONE"),
    ];
    let choices: Vec<&str> = choices.into_iter().flatten().collect();
    Err(reader.expected("a certificate or a zone's signatures", &choices))
}

fn signing(reader: &mut Reader<'_>, flaw: SigningFlaw) -> Result<FaultSpec, BadFault> {
    let zone = reader.value("a zone, as example.test", |word| DnsName::parse(word).ok())?;
    Ok(FaultSpec::Signing(SigningFault { zone, flaw }))
}

fn leaf_on(reader: &mut Reader<'_>, flaw: LeafFlaw) -> Result<FaultSpec, BadFault> {
    reader.needs("on")?;
    Ok(FaultSpec::Certificate(CertificateFault::Leaf { name: domain(reader)?, flaw }))
}

// ---- attackers

fn forge(reader: &mut Reader<'_>) -> Result<FaultSpec, BadFault> {
    if reader.takes("DNS answers for") || reader.takes("DNS answers about") {
        let name = domain(reader)?;
        let address = reader.may(|word| word.parse().ok()).unwrap_or(FORGED);
        return attack(reader, Deed::ForgeDns { name, address });
    }
    if reader.takes("RSTs of") || reader.takes("resets of") {
        let of = node(reader, "the host they seem to come from")?;
        return attack(reader, Deed::ForgeResets { of });
    }
    if reader.takes("the signatures of") || reader.takes("signatures of") {
        return signing(reader, SigningFlaw::Forged);
    }
    Err(reader.expected("what is forged", &["DNS answers for", "RSTs of", "the signatures of"]))
}

fn attack(reader: &mut Reader<'_>, deed: Deed) -> Result<FaultSpec, BadFault> {
    if !reader.takes("from") && !reader.takes("by") {
        return Err(reader.expected("who does it", &["by NAME", "from NAME"]));
    }
    let by = node(reader, "the attacker's name, as mallory")?;
    let mut attack = Attack { by, at: None, deed, window: Window::default() };
    loop {
        match &mut attack.deed {
            Deed::SpoofArp { forwarding, .. } if reader.takes("forwarding") => {
                *forwarding = true;
                continue;
            }
            Deed::SynFlood { rate, count, .. } if reader.word().and_then(u32_number).is_some() => {
                let amount = reader.value("how many SYNs", u32_number)?;
                if reader.takes("a second") {
                    *rate = amount;
                } else {
                    reader.needs("in all")?;
                    *count = amount;
                }
                continue;
            }
            _ => {}
        }
        if reader.takes("at") {
            attack.at = Some(node(reader, "the switch the attacker is plugged into")?);
        } else if !window(reader, &mut attack.window)? {
            return Ok(FaultSpec::Attack(attack));
        }
    }
}

// ---- words

/// A cable: the host at its end, or both its ends.
fn cable(reader: &mut Reader<'_>) -> Result<Place, BadFault> {
    let one = node(reader, "a cable, as client or home <-> access")?;
    if !reader.takes("<->") {
        return Ok(Place::Of(one));
    }
    Ok(Place::Between(one, node(reader, "the cable's other end")?))
}

fn node(reader: &mut Reader<'_>, what: &str) -> Result<String, BadFault> {
    reader.value(what, node_name)
}

/// The name of a host, switch or router: letters, digits, `-`, `_` and `.`.
pub(super) fn node_name(word: &str) -> Option<String> {
    let is_fit = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
    let begins = word.chars().next().is_some_and(char::is_alphanumeric);
    (begins && word.chars().all(is_fit)).then(|| word.to_owned())
}

pub(super) fn is_clause(word: &str) -> bool {
    ["at", "towards", "leaving", "on", "from", "after", "before"]
        .iter()
        .any(|clause| word.eq_ignore_ascii_case(clause))
}

fn domain(reader: &mut Reader<'_>) -> Result<DnsName, BadFault> {
    reader.value("a domain name", |word| DnsName::parse(word).ok())
}

fn percent(reader: &mut Reader<'_>) -> Result<Percent, BadFault> {
    reader.value(SHARE, quantity::percent)
}

fn size(reader: &mut Reader<'_>) -> Result<u64, BadFault> {
    reader.value("a size, as 10kB or 500B", quantity::size)
}

fn time(reader: &mut Reader<'_>) -> Result<Duration, BadFault> {
    reader.value("a time, as 2s or 150ms", quantity::duration)
}

fn u32_number(word: &str) -> Option<u32> {
    quantity::number(word).and_then(|n| u32::try_from(n).ok())
}
