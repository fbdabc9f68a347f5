//! Why a parameter was chosen, as far as it can be known: from both hellos, and, at the server, from
//! what it speaks itself.

use crate::observe::names;
use glasstack_journal::event::{HandshakeMessage, Remark};

/// What a server of ours speaks, so that it can tell what it passed over for lack of it.
#[derive(Clone, Debug, Default)]
pub(super) struct Spoken {
    pub(super) suites: Vec<u16>,
}

/// What a ServerHello decides.
pub(super) fn server_hello(
    offered: &HandshakeMessage,
    chosen: &HandshakeMessage,
    spoken: Option<&Spoken>,
) -> Vec<Remark> {
    let tls13 = chosen.number("supported_versions/selected_version").is_some();
    let mut remarks = vec![version(offered, chosen)];
    remarks.push(suite(offered, chosen, tls13, spoken));
    if let Some(group) = chosen.number("key_share/server_share/group") {
        remarks.push(group_13(offered, group));
    }
    if let Some(identity) = chosen.number("pre_shared_key/selected_identity") {
        let of = offered.all("pre_shared_key/identities/PskIdentity").len();
        let text =
            format!("resumes: the server takes pre-shared key {identity} of the {of} that are offered");
        remarks.push(Remark { about: "pre_shared_key", text });
    } else if !offered.all("pre_shared_key/identities/PskIdentity").is_empty() && tls13 {
        let text = "the server takes none of the pre-shared keys: the handshake is a full one".to_owned();
        remarks.push(Remark { about: "pre_shared_key", text });
    }
    if !tls13 && resumes_12(offered, chosen) {
        let text = "resumes: the server repeats the session id that the client asked for".to_owned();
        remarks.push(Remark { about: "legacy_session_id_echo", text });
    }
    remarks.extend(downgrade(chosen));
    remarks
}

/// What a HelloRetryRequest asks for.
pub(super) fn retry(
    offered: &HandshakeMessage,
    request: &HandshakeMessage,
    spoken: Option<&Spoken>,
) -> Vec<Remark> {
    let mut remarks = Vec::new();
    if let Some(group) = request.number("key_share/selected_group") {
        let name = names::group(group);
        let shares = offered.words("key_share/client_shares/group").join(", ");
        let shares =
            if shares.is_empty() { "no key share at all".to_owned() } else { format!("one for {shares}") };
        let text = format!("asks for a key share for {name}: the client sent {shares}");
        remarks.push(Remark { about: "selected_group", text });
    }
    if let Some(cookie) = request.all("cookie/bytes").first() {
        let text = format!("asks that its cookie of {} bytes be sent back", cookie.length);
        remarks.push(Remark { about: "cookie", text });
    }
    remarks.push(suite(offered, request, true, spoken));
    remarks
}

/// TLS 1.2 names its group in the ServerKeyExchange.
pub(super) fn group_12(offered: &HandshakeMessage, chosen: &HandshakeMessage) -> Option<Remark> {
    let group = chosen.number("namedcurve")?;
    let list = real(offered.numbers("supported_groups/group"));
    let text = format!("{} ({})", names::group(group), place(group, &list, names::group, "groups"));
    Some(Remark { about: "namedcurve", text })
}

/// RFC 5246 7.3: the abbreviated handshake. A session id may be there for a ticket's sake (RFC 5077 3.4)
/// or for middleboxes' (RFC 8446 D.4), so only an echo of it says something.
pub(super) fn resumes_12(offered: &HandshakeMessage, chosen: &HandshakeMessage) -> bool {
    let asked = offered.slice("legacy_session_id/bytes").unwrap_or_default();
    let echoed = chosen.slice("legacy_session_id_echo/bytes").unwrap_or_default();
    !asked.is_empty() && asked == echoed
}

fn version(offered: &HandshakeMessage, chosen: &HandshakeMessage) -> Remark {
    let number = |message: &HandshakeMessage, path| message.number(path);
    let version = number(chosen, "supported_versions/selected_version")
        .or_else(|| number(chosen, "legacy_version"))
        .unwrap_or_default();
    let mut list = real(offered.numbers("supported_versions/versions/version"));
    if list.is_empty() {
        list.extend(number(offered, "legacy_version"));
    }
    let highest = list.iter().max().copied().unwrap_or_default();
    let name = names::version(version);
    let text = if list.as_slice() == [version] {
        format!("{name} (the only version that the client offers)")
    } else if version == highest {
        format!("{name} (the highest that the client offers)")
    } else {
        format!("{name} (the client offers {}, which the server does not accept)", names::version(highest))
    };
    Remark { about: "version", text }
}

fn suite(
    offered: &HandshakeMessage,
    chosen: &HandshakeMessage,
    tls13: bool,
    spoken: Option<&Spoken>,
) -> Remark {
    let suite = chosen.number("cipher_suite").unwrap_or_default();
    let list: Vec<u64> = real(offered.numbers("cipher_suites/cipher_suite"))
        .into_iter()
        // Those of TLS 1.3 begin with 13 (RFC 8446 B.4); 00ff and 5600 are signals, no suites.
        .filter(|code| (code >> 8 == 0x13) == tls13 && !matches!(code, 0x00ff | 0x5600))
        .collect();
    let name = names::suite(suite);
    let before = list.iter().take_while(|code| **code != suite).copied();
    let why = match spoken {
        // rustls takes the first of the client's list that it speaks and that fits the certificate.
        Some(spoken) if list.first() != Some(&suite) && list.contains(&suite) => {
            let (known, unknown): (Vec<u64>, Vec<u64>) =
                before.partition(|code| spoken.suites.iter().any(|one| u64::from(*one) == *code));
            let mut reasons = Vec::new();
            if !unknown.is_empty() {
                reasons.push(format!("{} not spoken here", listed(&unknown, names::suite)));
            }
            if !known.is_empty() {
                reasons.push(format!("{} not for the certificate's key", listed(&known, names::suite)));
            }
            format!("the first of the client's list that can be used: {}", reasons.join(", "))
        }
        _ => place(suite, &list, names::suite, "suites"),
    };
    Remark { about: "cipher_suite", text: format!("{name} ({why})") }
}

fn group_13(offered: &HandshakeMessage, group: u64) -> Remark {
    let shares = real(offered.numbers("key_share/client_shares/group"));
    let list = real(offered.numbers("supported_groups/group"));
    let name = names::group(group);
    let why = match shares.as_slice() {
        [only] if *only == group && list.len() > 1 => "the client sent a share for it alone".to_owned(),
        _ => place(group, &shares, names::group, "key shares"),
    };
    Remark { about: "key_share", text: format!("{name} ({why})") }
}

/// RFC 8446 4.1.3: a server that could do better says so in its random.
fn downgrade(chosen: &HandshakeMessage) -> Option<Remark> {
    let random = chosen.slice("random")?;
    let text = match random.last_chunk::<8>()? {
        b"DOWNGRD\x01" => "its random says that the server speaks TLS 1.3, too",
        b"DOWNGRD\x00" => "its random says that the server speaks TLS 1.2, too",
        _ => return None,
    };
    Some(Remark { about: "random", text: text.to_owned() })
}

/// Where the one that was chosen stood in the client's list.
fn place(chosen: u64, list: &[u64], name: fn(u64) -> &'static str, what: &str) -> String {
    match list.iter().position(|one| *one == chosen) {
        None => format!("it is NOT among the client's {what}"),
        Some(0) if list.len() == 1 => format!("the only one of the client's {what}"),
        Some(0) => format!("the first of the client's {what}"),
        Some(index) => {
            let before = list.get(..index).unwrap_or_default();
            format!("the server passes over {}, which the client puts first", listed(before, name))
        }
    }
}

fn listed(codes: &[u64], name: fn(u64) -> &'static str) -> String {
    const NAMED: usize = 3;
    let mut names: Vec<String> = codes.iter().take(NAMED).map(|code| name(*code).to_owned()).collect();
    if codes.len() > NAMED {
        names.push(format!("{} more", codes.len() - NAMED));
    }
    names.join(", ")
}

/// Without what is there only so that it is passed over (RFC 8701).
fn real(mut codes: Vec<u64>) -> Vec<u64> {
    codes.retain(|code| names::group(*code) != "GREASE");
    codes
}
