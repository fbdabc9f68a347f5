//! Of two that say different things, who is believed (RFC 2181 5.4.1, RFC 4035 4.7).

use super::known::{Put, Rank, RrSet, same_records};
use super::store::{Entry, What};
use crate::dnssec::Security;
use crate::record::Record;

/// Whether data may be given to somebody who asks for it (RFC 2181 5.4.1).
pub(super) fn is_an_answer(rank: Rank, security: Security) -> bool {
    rank >= Rank::AnswerNotAuthoritative || security == Security::Secure
}

/// RFC 2181 5.4.1, RFC 4035 4.7: what is proved stands above all, what is bogus below all.
fn standing(security: Security, rank: Rank) -> (u8, Rank) {
    let proved = match security {
        Security::Secure => 2,
        Security::Bogus => 0,
        Security::Insecure | Security::Indeterminate | Security::Unchecked => 1,
    };
    (proved, rank)
}

/// Whether a set that is known is believed more than a new one.
pub(super) fn is_outranked(new: &RrSet, rank: Rank, own: &RrSet, by: Rank) -> bool {
    if own.security == Security::Bogus && new.security != Security::Secure && own.says_the_same_as(new) {
        // The same again does not become better by being sent again.
        return true;
    }
    standing(new.security, rank) < standing(own.security, by)
}

/// Whether what is known is believed more than somebody who denies it, or asserts what it denies.
pub(super) fn outranks_denial(known: &Entry, security: Security) -> Option<Put> {
    let by = match &known.what {
        What::Records(set, rank) if !is_an_answer(*rank, set.security) => return None,
        What::Records(_, rank) => *rank,
        What::Nothing(_) => Rank::AnswerAuthoritative,
    };
    let own = security_of(known);
    let level = |security| standing(security, by);
    (level(own) > level(security)).then_some(Put::Outranked { by, security: own })
}

/// Whether a denial that nobody has proved rests on the same records, whatever their TTLs.
pub(super) fn says_the_same(known: &Entry, proof: &[Record]) -> bool {
    let What::Nothing(denial) = &known.what else { return false };
    denial.security != Security::Secure && same_records(&denial.proof, proof)
}

/// What validation has found of an entry.
pub(super) fn security_of(entry: &Entry) -> Security {
    match &entry.what {
        What::Records(set, _) => set.security,
        What::Nothing(denial) => denial.security,
    }
}
