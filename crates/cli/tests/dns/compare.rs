//! Whether ours answers as NSD or as named does: part by part, after what may differ is taken away.

use super::dig::{Ask, Response};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

/// A response without what a server may add or leave out as it likes.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Bare {
    head: String,
    answer: Vec<String>,
    authority: Vec<String>,
    glue: Vec<String>,
}

impl Bare {
    fn of(ask: &Ask, response: &Response) -> Self {
        // A name that is asked for in capitals appears in them wherever it is pointed to (RFC 1035 4.1.4).
        let lower = ask.words.split(' ').next().is_some_and(|name| name.contains(char::is_uppercase));
        let in_case = |record: &String| if lower { record.to_lowercase() } else { record.clone() };
        let timed = |records: &[String]| -> Vec<String> {
            records.iter().map(|record| format!("{} ; {}", in_case(record), response.ttls[record])).collect()
        };
        let flags: Vec<&str> = ["aa", "tc", "ad"].into_iter().filter(|flag| response.has(flag)).collect();
        let head = format!("{} [{}]", response.status, flags.join(" "));
        let tc = response.has("tc");
        // The zone's servers behind an answer, and addresses beside it, are a courtesy (RFC 1034 6.2);
        // of a truncated response nothing but the fact counts (RFC 2181 9).
        let is_referral = response.status == "NOERROR" && response.answer.is_empty() && !tc;
        let is_courtesy = |record: &String| {
            !response.answer.is_empty() && (record.contains(" IN NS ") || record.contains(" IN RRSIG NS "))
        };
        let mut authority = response.authority.clone();
        authority.retain(|record| !tc && !is_courtesy(record));
        let glue = if is_referral { timed(&response.additional) } else { Vec::new() };
        let answer = if tc { Vec::new() } else { timed(&response.answer) };
        Self { head, answer, authority: timed(&authority), glue }
    }

    fn parts(&self) -> [(&'static str, String); 4] {
        [
            ("head", self.head.clone()),
            ("answer", self.answer.join("\n    ")),
            ("authority", self.authority.join("\n    ")),
            ("glue", self.glue.join("\n    ")),
        ]
    }
}

/// A difference that is meant, with its reason. `ask` and `part` may end with `*`.
pub(crate) struct Known {
    pub(crate) ask: &'static str,
    pub(crate) part: &'static str,
    pub(crate) because: &'static str,
}

/// Compares ours with both others, question by question. Each part of ours must be as one of theirs, or
/// be known to differ; and what is known must show.
#[track_caller]
pub(crate) fn all(asks: &[Ask], ours: &[Response], nsd: &[Response], named: &[Response], known: &[Known]) {
    let mut seen = BTreeMap::new();
    let mut report = String::new();
    let (mut differences, mut between_them) = (0, 0);
    for (((ask, ours), nsd), named) in asks.iter().zip(ours).zip(nsd).zip(named) {
        between_them += usize::from(Bare::of(ask, nsd) != Bare::of(ask, named));
        if std::env::var_os("BETWEEN").is_some() {
            for (part, text) in differing(ask, named, nsd, nsd) {
                println!("{}: {part}\n{text}", ask.words);
            }
        }
        let more = unheard_of(ours, &[nsd, named]).map(|text| ("additional", text));
        for (part, text) in differing(ask, ours, nsd, named).into_iter().chain(more) {
            if let Some(at) = known.iter().position(|known| known.is_about(&ask.words, part)) {
                *seen.entry(at).or_insert(0) += 1;
                continue;
            }
            differences += 1;
            if differences <= 25 {
                writeln!(report, "{}: {part}\n{text}", ask.words).unwrap();
            }
        }
    }
    println!("{} questions; NSD and named differ in {between_them}", asks.len());
    let gone: Vec<&str> =
        (0..known.len()).filter(|at| !seen.contains_key(at)).map(|at| known[at].ask).collect();
    assert!(differences == 0, "{differences} differences in {} questions:\n{report}", asks.len());
    assert!(gone.is_empty(), "known differences that show no more: {gone:?}");
}

impl Known {
    fn is_about(&self, ask: &str, part: &str) -> bool {
        let fits = |pattern: &str, text: &str| {
            let mut pieces = pattern.split('*');
            let first = pieces.next().unwrap_or_default();
            let Some(mut rest) = text.strip_prefix(first) else { return false };
            for piece in pieces {
                let Some(at) = rest.rfind(piece) else { return false };
                rest = &rest[at + piece.len()..];
            }
            rest.is_empty() || pattern.ends_with('*')
        };
        fits(self.ask, ask) && fits(self.part, part)
    }
}

/// The parts in which ours is as neither.
fn differing(ask: &Ask, ours: &Response, nsd: &Response, named: &Response) -> Vec<(&'static str, String)> {
    let (ours, nsd, named) =
        (Bare::of(ask, ours).parts(), Bare::of(ask, nsd).parts(), Bare::of(ask, named).parts());
    let parts = ours.into_iter().zip(nsd).zip(named);
    let differing = parts.filter(|((ours, nsd), named)| ours != nsd && ours != named);
    differing
        .map(|(((part, ours), (_, nsd)), (_, named))| {
            (part, format!("  ours:\n    {ours}\n  NSD:\n    {nsd}\n  named:\n    {named}"))
        })
        .collect()
}

/// What ours adds as a courtesy and others do not know.
fn unheard_of(ours: &Response, others: &[&Response]) -> Option<String> {
    let known: BTreeSet<String> = others
        .iter()
        .flat_map(|other| other.answer.iter().chain(&other.authority).chain(&other.additional))
        .map(|record| record.to_lowercase())
        .collect();
    let is_proof = |record: &str| record.contains(" IN RRSIG ") || record.contains(" IN NSEC");
    let added = ours.authority.iter().chain(&ours.additional);
    let more: String = added
        .filter(|record| !known.contains(&record.to_lowercase()) && !is_proof(record))
        .map(|record| format!("  only ours adds {record}\n"))
        .collect();
    (!more.is_empty()).then_some(more)
}
