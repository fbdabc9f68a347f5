//! A certificate against its issuer's lists (RFC 5280 6.3).

use super::crl::{Crl, LookupError, Scope};
use super::judge::{Subject, Weighed};
use super::known::{Clears, Found, Origin};
use super::problem::Cause;
use crate::certificate::rfc3339;
use crate::der;
use crate::der::Algorithms;

/// The reasons that a list can be about (5.2.5): the named bits 1 to 8.
const ALL_REASONS: u64 = 0x1fe;

/// What the lists say together of one certificate.
///
/// Steps of 6.3.3 in the order of their letters; (c), delta lists, refuses them; a list that is kept
/// by somebody else than the issuer (an indirect one of another's) is never taken.
pub(crate) fn weigh(subject: &Subject<'_>, lists: &[Found], algorithms: Algorithms<'_>, now: i64) -> Weighed {
    let mut covered = 0;
    let mut clears = Vec::new();
    let mut obstacle = None;
    for found in lists.iter().filter(|found| found.about.is_none_or(|about| about == subject.index)) {
        match weigh_one(subject, found, algorithms, now) {
            Ok(None) => {}
            Ok(Some(one)) => {
                covered |= one.reasons;
                clears.push(one);
            }
            Err(cause @ Cause::RevokedByCrl { .. }) => return Weighed::Bad(cause),
            Err(cause) => {
                obstacle.get_or_insert(cause);
            }
        }
    }
    // 6.3.3, at its end: each reason must be covered by some list.
    if covered == ALL_REASONS {
        let evidence: Vec<_> = clears.iter().map(|one| format!("{} {}", one.list, one.words)).collect();
        return Weighed::Good(evidence.join("; "));
    }
    match (obstacle, clears.is_empty()) {
        (Some(cause), _) => Weighed::Bad(cause),
        (None, true) => Weighed::Nothing,
        (None, false) => Weighed::Bad(Cause::CrlScope {
            list: clears.into_iter().map(|one| one.list).collect::<Vec<_>>().join(" and "),
            why: "what is there is about some reasons only, and nothing about the others".to_owned(),
        }),
    }
}

/// How a list tells that the certificate has not been revoked; nothing where it is a list of another
/// issuer. One that was fetched for this certificate is weighed once.
pub(crate) fn weigh_one(
    subject: &Subject<'_>,
    found: &Found,
    algorithms: Algorithms<'_>,
    now: i64,
) -> Result<Option<Clears>, Cause> {
    let weigh = || weigh_anew(subject, found, algorithms, now);
    if found.about == Some(subject.index) { found.said.get_or_init(weigh).clone() } else { weigh() }
}

fn weigh_anew(
    subject: &Subject<'_>,
    found: &Found,
    algorithms: Algorithms<'_>,
    now: i64,
) -> Result<Option<Clears>, Cause> {
    let list = match Crl::read(&found.der) {
        Ok(list) => list,
        Err(error) => {
            let list = format!("the revocation list ({})", found.origin);
            return Err(Cause::CrlMalformed { list, why: error.to_string() });
        }
    };
    let label = label(&list, &found.origin);
    // (b) (1): the issuer's own.
    if list.issuer != subject.link.issuer {
        return if found.about.is_some() {
            Err(Cause::CrlWrongIssuer { list: label, issuer: subject.issuer_name() })
        } else {
            Ok(None)
        };
    }
    // (c)
    if list.is_delta {
        return Err(Cause::CrlDelta { list: label });
    }
    // 5.2
    if let Some(oid) = list.not_understood {
        return Err(Cause::CrlCritical { list: label, extension: der::dotted(oid), of_entry: false });
    }
    // (b) (2), (e)
    let reasons = match &list.scope {
        None => ALL_REASONS,
        Some(scope) => {
            in_scope(subject, scope).map_err(|why| Cause::CrlScope { list: label.clone(), why })?
        }
    };
    // (f); of a root that is compiled in, the key usage is not known.
    if subject.issuer_signs_lists == Some(false) {
        return Err(Cause::CrlKeyUsage { list: label, issuer: subject.issuer_name() });
    }
    // (g)
    list.signed
        .verify(&subject.link.issuer_key, algorithms)
        .map_err(|why| Cause::CrlBadSignature { list: label.clone(), why })?;
    in_time(&list, &label, now)?;
    // (j)
    match list.find(&subject.link.issuer, subject.facts.serial) {
        Ok(None) => {
            let serial = der::hex(subject.facts.serial);
            Ok(Some(Clears { reasons, list: label, words: format!("does not have serial 0x{serial}") }))
        }
        // (k); 5.3.1: only delta lists should have such entries.
        Ok(Some(revoked)) if revoked.reason.takes_back() => {
            let serial = der::hex(subject.facts.serial);
            let words = format!("has serial 0x{serial} as taken off the list again (removeFromCRL)");
            Ok(Some(Clears { reasons, list: label, words }))
        }
        Ok(Some(revoked)) => {
            Err(Cause::RevokedByCrl { list: label, since: revoked.since, reason: revoked.reason })
        }
        Err(LookupError::Der(error)) => Err(Cause::CrlMalformed { list: label, why: error.to_string() }),
        Err(LookupError::Critical(oid)) => {
            Err(Cause::CrlCritical { list: label, extension: der::dotted(oid), of_entry: true })
        }
    }
}

/// (a): a list that is out of date says nothing. To the second, as webpki has it: who publishes lists
/// publishes the next one early enough.
fn in_time(list: &Crl<'_>, label: &str, now: i64) -> Result<(), Cause> {
    let label = || label.to_owned();
    if list.this_update > now {
        return Err(Cause::CrlNotYetValid { list: label(), this_update: list.this_update, now });
    }
    match list.next_update {
        None => Err(Cause::CrlUndated { list: label() }),
        Some(next_update) if next_update <= now => Err(Cause::CrlStale { list: label(), next_update, now }),
        Some(_) => Ok(()),
    }
}

/// (b) (2): whether the list is about this certificate, and (d) for which reasons.
fn in_scope(subject: &Subject<'_>, scope: &Scope<'_>) -> Result<u64, String> {
    let no = |why: &str| Err(why.to_owned());
    if scope.only_attributes {
        return no("it is about attribute certificates only");
    }
    if scope.only_users && subject.facts.is_ca {
        return no("it is about users' certificates only, and this is a CA's");
    }
    if scope.only_cas && !subject.facts.is_ca {
        return no("it is about CAs' certificates only, and this is not a CA's");
    }
    let only = scope.only_reasons.map_or(ALL_REASONS, |reasons| reasons & ALL_REASONS);
    let Some(point) = &scope.point else {
        // 6.3.3, at its end: a list of the issuer that is of no distribution point is about all.
        return Ok(only);
    };
    let own = subject.facts.points.iter().filter(|own| own.keepers.is_empty());
    let matching = own.filter(|own| {
        own.names.iter().any(|name| point.names.contains(name))
            || (own.relative.is_some() && own.relative == point.relative)
    });
    // (d): no more reasons than the certificate says are to be had at this point.
    let reasons = matching.map(|own| own.reasons.unwrap_or(ALL_REASONS));
    match reasons.reduce(|all, more| all | more) {
        Some(reasons) => Ok(only & reasons),
        None => {
            let place = point.uris.first().copied().unwrap_or("(a name)").escape_default().to_string();
            Err(format!("it is of the distribution point {place}, which the certificate does not name"))
        }
    }
}

/// A list by its issuer, number and dates, and where it came from.
fn label(list: &Crl<'_>, origin: &Origin) -> String {
    let number = list.number.map(|number| format!(" number 0x{},", der::hex(number))).unwrap_or_default();
    let due = list.next_update.map(|due| format!(", next due {}", rfc3339(due))).unwrap_or_default();
    format!(
        "the list of {},{number} of {}{due} ({origin})",
        super::judge::name(list.issuer),
        rfc3339(list.this_update)
    )
}
