//! Proofs by NSEC3 records (RFC 5155 8): the hashes of the names that exist, each with the next one.

use crate::dnssec::checks::{Checks, Exceeded};
use crate::dnssec::crypto;
use crate::dnssec::denial::{Cut, NotProved, Proved, cut_at, has_alone, lacks, leads_away, right_side};
use crate::dnssec::reason::{Check, DenialFault};
use crate::name::DnsName;
use crate::record::{Nsec3, RecordType};
use std::collections::BTreeMap;
use std::fmt;

/// SHA-1's number among the hash algorithms, the only one (RFC 5155 11).
pub(crate) const HASH_SHA_1: u8 = 1;
/// The flag that says that unsigned delegations may lie between (RFC 5155 3.1.2.1).
pub(crate) const OPT_OUT: u8 = 1;

/// Verified NSEC3 records of one zone.
pub(crate) struct Nsec3Proof<'a> {
    zone: &'a DnsName,
    spans: Vec<Span<'a>>,
    /// What they hash with; none if there are no records.
    hashing: Option<Hashing<'a>>,
    most_iterations: u16,
    /// The hashes made so far.
    hashes: BTreeMap<DnsName, Vec<u8>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
struct Hashing<'a> {
    salt: &'a [u8],
    iterations: u16,
}

/// From a hash that exists to the next one.
struct Span<'a> {
    hash: Vec<u8>,
    nsec3: &'a Nsec3,
}

/// RFC 5155 8.3: how much of a name exists.
struct Encloser {
    /// The lowest name above that exists.
    closest: DnsName,
    /// Whether the name below it, on the way to the one asked for, lies where opt-out holds.
    opt_out: bool,
}

impl<'a> Nsec3Proof<'a> {
    pub(crate) fn new(
        zone: &'a DnsName,
        records: impl Iterator<Item = (&'a DnsName, &'a Nsec3)>,
        most_iterations: u16,
    ) -> Self {
        let mut spans = Vec::new();
        let mut hashing: Option<Hashing<'a>> = None;
        for (owner, nsec3) in records {
            // RFC 5155 8.1: "A validator MUST ignore NSEC3 RRs with unknown hash types"; 8.2: and "with a
            // Flag fields value other than zero or one".
            if nsec3.hash_algorithm != HASH_SHA_1 || nsec3.flags & !OPT_OUT != 0 {
                continue;
            }
            let Some(hash) = hash_of_owner(owner, zone) else { continue };
            // RFC 5155 8.2: all of a response must hash alike.
            let this = Hashing { salt: &nsec3.salt, iterations: nsec3.iterations };
            if *hashing.get_or_insert(this) == this {
                spans.push(Span { hash, nsec3 });
            }
        }
        Self { zone, spans, hashing, most_iterations, hashes: BTreeMap::new() }
    }

    /// RFC 5155 8.4.
    pub(crate) fn no_name(&mut self, name: &DnsName, checks: &mut Checks) -> Result<Proved, NotProved> {
        if let Some(iterations) = self.too_many()? {
            return Ok(Proved::TooManyIterations(iterations));
        }
        let encloser = self.encloser(name, checks)?;
        let wildcard = encloser.closest.wildcard().ok_or(DenialFault::WildcardNotCovered)?;
        self.covering(&wildcard, checks)?.ok_or(DenialFault::WildcardNotCovered)?;
        Ok(encloser.proved())
    }

    /// RFC 5155 8.5, 8.6, 8.7.
    pub(crate) fn no_data(
        &mut self,
        name: &DnsName,
        record_type: RecordType,
        checks: &mut Checks,
    ) -> Result<Proved, NotProved> {
        if let Some(iterations) = self.too_many()? {
            return Ok(Proved::TooManyIterations(iterations));
        }
        if let Some(nsec3) = self.matching(name, checks)? {
            right_side(&nsec3.types, name, record_type)?;
            lacks(&nsec3.types, record_type)?;
            return Ok(Proved::Yes);
        }
        let encloser = self.encloser(name, checks)?;
        let wildcard = encloser.closest.wildcard().ok_or(DenialFault::WildcardNotCovered)?;
        match self.matching(&wildcard, checks)? {
            Some(nsec3) => {
                lacks(&nsec3.types, record_type)?;
                Ok(encloser.proved())
            }
            // RFC 5155 8.6, and the erratum 3441 to it: names above unsigned delegations that are
            // left out are left out as well, whatever is asked about them.
            None if encloser.opt_out => Ok(Proved::OptOut),
            None => Err(DenialFault::WildcardNotCovered.into()),
        }
    }

    /// RFC 5155 8.8: how much of the name exists is told by the wildcard.
    pub(crate) fn expanded(
        &mut self,
        name: &DnsName,
        wildcard: &DnsName,
        checks: &mut Checks,
    ) -> Result<Proved, NotProved> {
        if let Some(iterations) = self.too_many()? {
            return Ok(Proved::TooManyIterations(iterations));
        }
        let unjustified = DenialFault::WildcardUnjustified;
        let closest = wildcard.parent().ok_or(unjustified)?;
        let next_closer = next_closer(name, &closest).ok_or(unjustified)?;
        let covering = self.covering(&next_closer, checks)?.ok_or(unjustified)?;
        Ok(if covering.is_opt_out() { Proved::OptOut } else { Proved::Yes })
    }

    /// RFC 5155 8.9.
    pub(crate) fn cut(&mut self, name: &DnsName, checks: &mut Checks) -> Result<Cut, NotProved> {
        if let Some(iterations) = self.too_many()? {
            return Ok(Cut::TooManyIterations(iterations));
        }
        if let Some(nsec3) = self.matching(name, checks)? {
            return Ok(cut_at(&nsec3.types, name)?);
        }
        let encloser = self.encloser(name, checks)?;
        Ok(if encloser.opt_out { Cut::OptOut } else { Cut::NoName })
    }

    /// What each record that says something of `name` shows, in words.
    pub(crate) fn shown(&mut self, name: &DnsName, checks: &mut Checks) -> Vec<String> {
        let mut shown = Vec::new();
        if matches!(self.too_many(), Ok(None)) {
            // Where hashing more than that is too much, no more is said.
            let _ = self.show(name, checks, &mut shown);
        }
        shown
    }

    fn show(&mut self, name: &DnsName, checks: &mut Checks, shown: &mut Vec<String>) -> Result<(), Exceeded> {
        if let Some(line) = self.show_own(name, checks)? {
            shown.push(line);
            return Ok(());
        }
        let mut below = name.clone();
        while let Some(closest) = below.parent().filter(|parent| parent.is_within(self.zone)) {
            if self.matching(&closest, checks)?.is_some() {
                let hash = base32hex(&self.hash(&closest, checks)?);
                shown.push(format!("{hash} NSEC3 is about {closest}: it exists"));
                shown.extend(self.show_covered(&below, "it does not exist", checks)?);
                if let Some(wildcard) = closest.wildcard() {
                    shown.extend(match self.show_own(&wildcard, checks)? {
                        Some(line) => Some(line),
                        None => self.show_covered(&wildcard, "no wildcard stands for it", checks)?,
                    });
                }
                return Ok(());
            }
            below = closest;
        }
        Ok(())
    }

    fn show_own(&mut self, name: &DnsName, checks: &mut Checks) -> Result<Option<String>, Exceeded> {
        let Some(nsec3) = self.matching(name, checks)? else { return Ok(None) };
        let record = format!("{} NSEC3", base32hex(&self.hash(name, checks)?));
        Ok(Some(has_alone(&record, name, &nsec3.types)))
    }

    fn show_covered(
        &mut self,
        name: &DnsName,
        what: &str,
        checks: &mut Checks,
    ) -> Result<Option<String>, Exceeded> {
        let hash = base32hex(&self.hash(name, checks)?);
        Ok(self.covering(name, checks)?.map(|span| {
            let opt_out = if span.is_opt_out() { ", or is an unsigned delegation (opt-out)" } else { "" };
            format!("{span} covers {hash}, which is {name}: {what}{opt_out}")
        }))
    }

    /// Whether hashing costs more than we are willing to spend (RFC 9276 3.2).
    fn too_many(&self) -> Result<Option<u16>, NotProved> {
        let hashing = self.hashing.ok_or(DenialFault::None)?;
        Ok(Some(hashing.iterations).filter(|iterations| *iterations > self.most_iterations))
    }

    /// RFC 5155 8.3: the closest encloser, and the next closer name covered.
    fn encloser(&mut self, name: &DnsName, checks: &mut Checks) -> Result<Encloser, NotProved> {
        let mut below = name.clone();
        while let Some(candidate) = below.parent().filter(|parent| parent.is_within(self.zone)) {
            if let Some(nsec3) = self.matching(&candidate, checks)? {
                // "The validator MUST verify that the DNAME type bit is not set, and that the NS type bit
                // may only be set if the SOA type bit is set."
                if leads_away(&nsec3.types) {
                    return Err(DenialFault::WrongSide.into());
                }
                let covering = self.covering(&below, checks)?.ok_or(DenialFault::NameNotCovered)?;
                let opt_out = covering.is_opt_out();
                return Ok(Encloser { closest: candidate, opt_out });
            }
            below = candidate;
        }
        Err(DenialFault::NoEncloser.into())
    }

    fn matching(&mut self, name: &DnsName, checks: &mut Checks) -> Result<Option<&'a Nsec3>, Exceeded> {
        let hash = self.hash(name, checks)?;
        Ok(self.spans.iter().find(|span| span.hash == hash).map(|span| span.nsec3))
    }

    fn covering(&mut self, name: &DnsName, checks: &mut Checks) -> Result<Option<&Span<'a>>, Exceeded> {
        let hash = self.hash(name, checks)?;
        Ok(self.spans.iter().find(|span| span.covers(&hash)))
    }

    fn hash(&mut self, name: &DnsName, checks: &mut Checks) -> Result<Vec<u8>, Exceeded> {
        if let Some(hash) = self.hashes.get(name) {
            return Ok(hash.clone());
        }
        let Some(Hashing { salt, iterations }) = self.hashing else { return Ok(Vec::new()) };
        checks.spend(Check::HashRounds, u32::from(iterations) + 1)?;
        let hash = crypto::nsec3_hash(&name.to_wire(), salt, iterations);
        self.hashes.insert(name.clone(), hash.clone());
        Ok(hash)
    }
}

impl Encloser {
    /// RFC 5155 9.2: where opt-out holds, what is said to be nothing may be an unsigned delegation.
    fn proved(&self) -> Proved {
        if self.opt_out { Proved::OptOut } else { Proved::Yes }
    }
}

impl fmt::Display for Span<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} NSEC3 {}", base32hex(&self.hash), base32hex(&self.nsec3.next_hashed))
    }
}

impl Span<'_> {
    /// Whether `hash` lies strictly inside.
    fn covers(&self, hash: &[u8]) -> bool {
        let (from, next) = (self.hash.as_slice(), self.nsec3.next_hashed.as_slice());
        match from < next {
            true => from < hash && hash < next,
            // The last one leads back to the first.
            false => from < hash || hash < next,
        }
    }

    fn is_opt_out(&self) -> bool {
        self.nsec3.flags & OPT_OUT != 0
    }
}

/// The name one label below `closest` on the way to `name`.
pub(crate) fn next_closer(name: &DnsName, closest: &DnsName) -> Option<DnsName> {
    let mut at = name.clone();
    loop {
        let parent = at.parent()?;
        if parent == *closest {
            return Some(at);
        }
        at = parent;
    }
}

/// The hash that an owner name holds, if it is one label below its zone (RFC 5155 3).
pub(crate) fn hash_of_owner(owner: &DnsName, zone: &DnsName) -> Option<Vec<u8>> {
    let label = owner.to_labels().into_iter().next()?;
    (owner.parent()? == *zone).then(|| from_base32hex(&label))?
}

const BASE32HEX: &[u8; 32] = b"0123456789abcdefghijklmnopqrstuv";

/// Bytes in base 32 with the alphabet that keeps their order (RFC 4648 7), without padding.
pub(crate) fn base32hex(bytes: &[u8]) -> String {
    let mut text = String::new();
    let (mut held, mut bits) = (0_u32, 0);
    for byte in bytes {
        held = held << 8 | u32::from(*byte);
        bits += 8;
        while bits >= 5 {
            bits -= 5;
            text.push(digit(held >> bits));
        }
        held &= (1 << bits) - 1;
    }
    if bits > 0 {
        text.push(digit(held << (5 - bits)));
    }
    text
}

fn digit(five_bits: u32) -> char {
    let at = usize::try_from(five_bits & 31).unwrap_or(0);
    BASE32HEX.get(at).copied().map_or('0', char::from)
}

fn from_base32hex(text: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let (mut held, mut bits) = (0_u32, 0);
    for letter in text {
        let value = BASE32HEX.iter().position(|known| *known == letter.to_ascii_lowercase())?;
        held = held << 5 | u32::try_from(value).ok()?;
        bits += 5;
        if bits >= 8 {
            bits -= 8;
            bytes.push(u8::try_from(held >> bits & 0xff).ok()?);
        }
        held &= (1 << bits) - 1;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dnssec::testing::{name, types};
    use crate::dnssec::validator::Limits;

    /// The chain of RFC 5155 appendix A: hash, next hash, types.
    const EXAMPLE: [(&str, &str, &str); 12] = [
        (
            "0p9mhaveqvm6t7vbl5lop2u3t2rp3tom",
            "2t7b4g4vsa5smi47k61mv5bv1a22bojr",
            "MX DNSKEY NS SOA NSEC3PARAM RRSIG",
        ),
        ("2t7b4g4vsa5smi47k61mv5bv1a22bojr", "2vptu5timamqttgl4luu9kg21e0aor3s", "A RRSIG"),
        ("2vptu5timamqttgl4luu9kg21e0aor3s", "35mthgpgcu1qg68fab165klnsnk3dpvl", "MX RRSIG"),
        ("35mthgpgcu1qg68fab165klnsnk3dpvl", "b4um86eghhds6nea196smvmlo4ors995", "NS DS RRSIG"),
        ("b4um86eghhds6nea196smvmlo4ors995", "gjeqe526plbf1g8mklp59enfd789njgi", "MX RRSIG"),
        ("gjeqe526plbf1g8mklp59enfd789njgi", "ji6neoaepv8b5o6k4ev33abha8ht9fgc", "HINFO A AAAA RRSIG"),
        ("ji6neoaepv8b5o6k4ev33abha8ht9fgc", "k8udemvp1j2f7eg6jebps17vp3n8i58h", ""),
        ("k8udemvp1j2f7eg6jebps17vp3n8i58h", "kohar7mbb8dc2ce8a9qvl8hon4k53uhi", ""),
        ("kohar7mbb8dc2ce8a9qvl8hon4k53uhi", "q04jkcevqvmu85r014c7dkba38o0ji5r", "A RRSIG"),
        ("q04jkcevqvmu85r014c7dkba38o0ji5r", "r53bq7cc2uvmubfu5ocmm6pers9tk9en", "A RRSIG"),
        ("r53bq7cc2uvmubfu5ocmm6pers9tk9en", "t644ebqk9bibcna874givr6joj62mlhv", "MX RRSIG"),
        ("t644ebqk9bibcna874givr6joj62mlhv", "0p9mhaveqvm6t7vbl5lop2u3t2rp3tom", "HINFO A AAAA RRSIG"),
    ];

    /// What the records whose hashes begin like this show; `flags` is 1 in the RFC.
    fn with<T>(begin: &[&str], flags: u8, look: impl FnOnce(&mut Nsec3Proof<'_>, &mut Checks) -> T) -> T {
        let records: Vec<(DnsName, Nsec3)> = EXAMPLE
            .iter()
            .filter(|(hash, ..)| begin.iter().any(|begin| hash.starts_with(begin)))
            .map(|(hash, next, bitmap)| {
                let nsec3 = Nsec3 {
                    hash_algorithm: 1,
                    flags,
                    iterations: 12,
                    salt: vec![0xaa, 0xbb, 0xcc, 0xdd],
                    next_hashed: from_base32hex(next.as_bytes()).unwrap(),
                    types: types(bitmap),
                };
                (name(&format!("{hash}.example")), nsec3)
            })
            .collect();
        let (zone, mut checks) = (name("example"), Checks::new(&Limits::default()));
        let records = records.iter().map(|(owner, nsec3)| (owner, nsec3));
        look(&mut Nsec3Proof::new(&zone, records, 100), &mut checks)
    }

    #[test]
    fn names_are_hashed_as_in_rfc_5155_appendix_a() {
        with(&["0p"], 1, |proof, checks| {
            for (text, expected) in [
                ("example", "0p9mhaveqvm6t7vbl5lop2u3t2rp3tom"),
                ("a.example", "35mthgpgcu1qg68fab165klnsnk3dpvl"),
                ("ai.example", "gjeqe526plbf1g8mklp59enfd789njgi"),
                ("ns1.example", "2t7b4g4vsa5smi47k61mv5bv1a22bojr"),
                ("*.w.example", "r53bq7cc2uvmubfu5ocmm6pers9tk9en"),
                ("x.y.w.example", "2vptu5timamqttgl4luu9kg21e0aor3s"),
            ] {
                assert_eq!(base32hex(&proof.hash(&name(text), checks).unwrap()), expected);
            }
        });
    }

    #[test]
    fn a_name_error_needs_the_encloser_the_next_closer_name_and_the_wildcard() {
        // RFC 5155 B.1. Its zone is opt-out, so an unsigned delegation might be there (9.2).
        let missing = name("a.c.x.w.example");
        let no_name =
            |begin: &[&str], flags| with(begin, flags, |proof, checks| proof.no_name(&missing, checks));
        assert_eq!(no_name(&["0p", "b4", "35"], 1), Ok(Proved::OptOut));
        assert_eq!(no_name(&["0p", "b4", "35"], 0), Ok(Proved::Yes));
        assert_eq!(no_name(&["0p", "b4"], 0), Err(DenialFault::WildcardNotCovered.into()));
        assert_eq!(no_name(&["b4", "35"], 0), Err(DenialFault::NameNotCovered.into()));
        assert_eq!(no_name(&["35"], 0), Err(DenialFault::NoEncloser.into()));
        assert_eq!(no_name(&[], 0), Err(DenialFault::None.into()));
        assert_eq!(no_name(&["0p", "b4", "35"], 2), Err(DenialFault::None.into()), "unknown flags");
    }

    #[test]
    fn no_data_needs_the_names_own_hash_even_if_it_is_empty() {
        let no_data = |begin: &[&str], text: &str, record_type| {
            with(begin, 1, |proof, checks| proof.no_data(&name(text), record_type, checks))
        };
        // RFC 5155 B.2
        assert_eq!(no_data(&["2t"], "ns1.example", RecordType::Mx), Ok(Proved::Yes));
        assert_eq!(no_data(&["2t"], "ns1.example", RecordType::A), Err(DenialFault::TypeExists.into()));
        // RFC 5155 B.2.1
        assert_eq!(no_data(&["ji"], "y.w.example", RecordType::A), Ok(Proved::Yes));
        // RFC 5155 B.5
        let all = ["k8", "q0", "r5"];
        assert_eq!(no_data(&all, "a.z.w.example", RecordType::Aaaa), Ok(Proved::OptOut));
        assert_eq!(no_data(&all, "a.z.w.example", RecordType::Mx), Err(DenialFault::TypeExists.into()));
        // RFC 5155 B.6
        assert_eq!(no_data(&["0p"], "example", RecordType::Ds), Err(DenialFault::WrongSide.into()));
    }

    #[test]
    fn an_unsigned_delegation_may_be_left_out() {
        // RFC 5155 B.3
        let cut = |begin: &[&str], text: &str, flags| {
            with(begin, flags, |proof, checks| proof.cut(&name(text), checks))
        };
        assert_eq!(cut(&["35", "0p"], "c.example", 1), Ok(Cut::OptOut));
        assert_eq!(cut(&["35", "0p"], "c.example", 0), Ok(Cut::NoName));
        assert_eq!(cut(&["35", "0p"], "a.example", 1), Err(DenialFault::TypeExists.into()));
        assert_eq!(cut(&["2t"], "ns1.example", 1), Ok(Cut::None));
        assert_eq!(cut(&["0p"], "c.example", 1), Err(DenialFault::NameNotCovered.into()));
    }

    #[test]
    fn what_a_wildcard_stands_for_does_not_exist() {
        // RFC 5155 B.4
        let expanded = |begin: &[&str], flags| {
            let (name, wildcard) = (name("a.z.w.example"), name("*.w.example"));
            with(begin, flags, |proof, checks| proof.expanded(&name, &wildcard, checks))
        };
        assert_eq!(expanded(&["q0"], 0), Ok(Proved::Yes));
        assert_eq!(expanded(&["q0"], 1), Ok(Proved::OptOut));
        assert_eq!(expanded(&["r5"], 0), Err(DenialFault::WildcardUnjustified.into()));
    }

    #[test]
    fn a_zone_cut_denies_nothing_below_it() {
        // RFC 5155 8.3: a.example is delegated.
        let below =
            with(&["35", "0p", "b4", "gj", "ji", "k8", "ko", "q0", "r5", "t6"], 0, |proof, checks| {
                proof.no_name(&name("www.a.example"), checks)
            });
        assert_eq!(below, Err(DenialFault::WrongSide.into()));
    }

    #[test]
    fn names_are_not_hashed_more_often_than_may_be() {
        let proof = with(&["0p"], 0, |proof, checks| {
            proof.most_iterations = 11;
            proof.no_name(&name("no.example"), checks)
        });
        assert_eq!(proof, Ok(Proved::TooManyIterations(12)));
    }
}
