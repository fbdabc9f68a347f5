//! The store: what is kept of what servers say (RFC 6265bis 5.7), what is sent (5.8).

use super::domain::{
    default_path, domain_match, host_of, is_private, is_public_suffix, path_match, without_slash,
};
use super::set_cookie::{self, SetCookie};
use super::{Chosen, Cookie, Judged, Refusal, Stored, Withheld, netscape};
use glasstack_journal::WallTime;
use std::cmp::Reverse;
use url::Url;

/// The cookies of one user.
#[derive(Clone, Debug, Default)]
pub struct CookieJar {
    cookies: Vec<Cookie>,
    created: u64,
}

/// RFC 6265bis 6.1: at least 50.
const MOST_OF_A_DOMAIN: usize = 180;
/// RFC 6265bis 6.1: at least 3000.
const MOST: usize = 3300;
/// As in curl: one response sets no more.
const MOST_OF_A_RESPONSE: usize = 50;
/// As in curl: one request carries no more.
const MOST_SENT: usize = 150;
/// As in curl: the longest `Cookie` field, in bytes.
const LONGEST_FIELD: usize = 8190;

impl CookieJar {
    /// A jar without cookies.
    pub fn new() -> Self {
        Self::default()
    }

    /// What it holds, oldest first.
    pub fn cookies(&self) -> &[Cookie] {
        &self.cookies
    }

    /// What the `Set-Cookie` fields of a response from `url` say, one after the other.
    pub fn store_all<'a>(
        &mut self,
        fields: impl IntoIterator<Item = &'a [u8]>,
        url: &Url,
        now: WallTime,
    ) -> Vec<Judged> {
        let mut kept = 0;
        let mut judged = Vec::new();
        for field in fields {
            let next = if kept < MOST_OF_A_RESPONSE {
                self.store(field, url, now)
            } else {
                let refusal = Refusal::TooMany { limit: MOST_OF_A_RESPONSE };
                Judged { name: name_of(field), verdict: Stored::Refused(refusal) }
            };
            kept += usize::from(next.verdict.is_kept());
            judged.push(next);
        }
        judged
    }

    /// What one `Set-Cookie` field of a response from `url` says.
    pub fn store(&mut self, field: &[u8], url: &Url, now: WallTime) -> Judged {
        let verdict = match self.judge(field, url, now) {
            Ok(cookie) => self.put(cookie, now),
            Err(refusal) => Stored::Refused(refusal),
        };
        Judged { name: name_of(field), verdict }
    }

    /// The cookies for a request for `url`.
    pub fn choose(&mut self, url: &Url, now: WallTime) -> Chosen {
        let host = host_of(url);
        let mut chosen = Chosen::default();
        for cookie in &self.cookies {
            match suits(cookie, &host, url, now) {
                Suits::Yes => chosen.sent.push(cookie.clone()),
                Suits::No(why) => chosen.withheld.push((cookie.name.clone(), why)),
                Suits::OtherSite => {}
            }
        }
        self.cookies.retain(|cookie| !cookie.is_expired(now));
        // RFC 6265bis 5.8.3: longer paths first, and then what was there earlier.
        chosen.sent.sort_by_key(|cookie| (Reverse(without_slash(&cookie.path).len()), cookie.creation));
        make_room(&mut chosen);
        for sent in &chosen.sent {
            for cookie in self.cookies.iter_mut().filter(|cookie| cookie.creation == sent.creation) {
                cookie.last_access = now;
            }
        }
        chosen
    }

    /// Puts in what a file holds: Netscape's format as curl writes it, or lines `Set-Cookie: ...`
    /// (curl's `-b FILE`). Lines that are neither are passed over. Without `session` those that would
    /// end with their session are left out (curl's `-j`). Gives how many there were.
    pub fn load(&mut self, file: &[u8], session: bool, now: WallTime) -> usize {
        let mut count = 0;
        for cookie in netscape::read(file, now) {
            if session || cookie.expires.is_some() {
                self.put(cookie, now);
                count += 1;
            }
        }
        count
    }

    /// The file that curl's `-c` would write: latest first.
    pub fn to_netscape(&self, now: WallTime) -> String {
        let mut cookies: Vec<&Cookie> =
            self.cookies.iter().filter(|cookie| !cookie.is_expired(now)).collect();
        cookies.sort_by_key(|cookie| Reverse(cookie.creation));
        netscape::write(&cookies)
    }

    /// RFC 6265bis 5.7: the cookie that a field makes, if its server may set it.
    fn judge(&self, field: &[u8], url: &Url, now: WallTime) -> Result<Cookie, Refusal> {
        let said = set_cookie::parse(field, now)?;
        let host = host_of(url);
        let (domain, host_only) = domain_for(&said, &host)?;
        let private = is_private(url);
        if said.secure && !private {
            return Err(Refusal::SecureOverHttp);
        }
        check_prefix(&said, host_only)?;
        let cookie = said.cookie(domain, host_only, default_path(url), now);
        if !private && !cookie.secure && self.cookies.iter().any(|other| hides(&cookie, other)) {
            return Err(Refusal::WouldHideSecure);
        }
        Ok(cookie)
    }

    /// Stores a cookie, or takes one back if the time of this one is over.
    fn put(&mut self, mut cookie: Cookie, now: WallTime) -> Stored {
        self.cookies.retain(|other| !other.is_expired(now));
        let twin = self.cookies.iter().position(|other| {
            (&other.name, &other.domain, other.host_only, without_slash(&other.path))
                == (&cookie.name, &cookie.domain, cookie.host_only, without_slash(&cookie.path))
        });
        let old = twin.map(|at| self.cookies.remove(at));
        if cookie.is_expired(now) {
            return Stored::Ended { existed: old.is_some() };
        }
        // RFC 6265bis 5.7: the new one takes the old one's place in time.
        cookie.creation = old.as_ref().map_or_else(|| self.next_creation(), |old| old.creation);
        let (host_only, path, expires) = (cookie.host_only, cookie.path.clone(), cookie.expires);
        let domain = cookie.domain.clone();
        let at = self.cookies.partition_point(|other| other.creation < cookie.creation);
        let creation = cookie.creation;
        self.cookies.insert(at, cookie);
        let evicted = self.evict(&domain, creation);
        let domain = if host_only { domain } else { format!(".{domain}") };
        Stored::Kept { domain, path, expires, replaced: old.is_some(), evicted }
    }

    fn next_creation(&mut self) -> u64 {
        self.created += 1;
        self.created
    }

    /// RFC 6265bis 5.7, at its end: where there are too many of a domain, or at all, those go that
    /// were used longest ago, first those that are not Secure. Never the newcomer.
    fn evict(&mut self, domain: &str, newcomer: u64) -> usize {
        let before = self.cookies.len();
        while self.cookies.iter().filter(|cookie| cookie.domain == domain).count() > MOST_OF_A_DOMAIN {
            self.remove_oldest(|cookie| cookie.domain == domain && cookie.creation != newcomer);
        }
        while self.cookies.len() > MOST {
            self.remove_oldest(|cookie| cookie.creation != newcomer);
        }
        before - self.cookies.len()
    }

    fn remove_oldest(&mut self, may_go: impl Fn(&Cookie) -> bool) {
        let candidates = self.cookies.iter().enumerate().filter(|(_, cookie)| may_go(cookie));
        let oldest =
            candidates.min_by_key(|(_, cookie)| (cookie.secure, cookie.last_access, cookie.creation));
        match oldest.map(|(at, _)| at) {
            Some(at) => drop(self.cookies.remove(at)),
            // Whoever is alone stays; the limits are larger than one.
            None => self.cookies.clear(),
        }
    }
}

/// The name, for a field that may not even be readable.
fn name_of(field: &[u8]) -> String {
    let pair = field.split(|byte| *byte == b';').next().unwrap_or_default();
    let name = match pair.iter().position(|byte| *byte == b'=') {
        Some(at) => pair.get(..at).unwrap_or_default(),
        None => &[],
    };
    let shown: String = String::from_utf8_lossy(name).trim().chars().take(64).collect();
    shown.escape_default().to_string()
}

/// RFC 6265bis 5.7: the domain that a cookie is for, and whether for that host alone.
fn domain_for(said: &SetCookie, host: &str) -> Result<(String, bool), Refusal> {
    let domain = said.domain.as_str();
    if domain.is_empty() {
        return Ok((host.to_owned(), true));
    }
    if !domain.is_ascii() {
        return Err(Refusal::DomainNotAscii);
    }
    if is_public_suffix(domain) {
        return match domain == host {
            true => Ok((host.to_owned(), true)),
            false => Err(Refusal::PublicSuffix { domain: domain.to_owned() }),
        };
    }
    if !domain_match(host, domain) {
        return Err(Refusal::ForeignDomain { domain: domain.to_owned(), host: host.to_owned() });
    }
    // An address is alone, whatever it says.
    let is_address = host.parse::<std::net::IpAddr>().is_ok();
    Ok((domain.to_owned(), is_address))
}

/// RFC 6265bis 4.1.3, 5.4: what the name promises. Without a name, the value is looked at: it stands
/// in the same place when it is sent.
fn check_prefix(said: &SetCookie, host_only: bool) -> Result<(), Refusal> {
    let name = if said.name.is_empty() { &said.value } else { &said.name };
    let begins = |prefix: &str| {
        name.get(..prefix.len()).is_some_and(|beginning| beginning.eq_ignore_ascii_case(prefix))
    };
    let broken = |prefix, lacks| Err(Refusal::Prefix { prefix, lacks });
    let prefix = match (begins("__Secure-"), begins("__Host-")) {
        (true, _) => "__Secure-",
        (_, true) => "__Host-",
        _ => return Ok(()),
    };
    if said.name.is_empty() {
        broken(prefix, "it is really its value: it has no name")
    } else if !said.secure {
        broken(prefix, "it is not Secure")
    } else if prefix == "__Host-" && !host_only {
        broken(prefix, "it has a Domain")
    } else if prefix == "__Host-" && said.path.as_deref() != Some("/") {
        broken(prefix, "its Path is not /")
    } else {
        Ok(())
    }
}

/// RFC 6265bis 5.7: whether a cookie that came over http would stand before a secure one.
fn hides(cookie: &Cookie, secure: &Cookie) -> bool {
    secure.secure
        && secure.name == cookie.name
        && (domain_match(&secure.domain, &cookie.domain) || domain_match(&cookie.domain, &secure.domain))
        && path_match(&cookie.path, &secure.path)
}

enum Suits {
    Yes,
    No(Withheld),
    OtherSite,
}

/// RFC 6265bis 5.8.3: whether a cookie goes with a request.
fn suits(cookie: &Cookie, host: &str, url: &Url, now: WallTime) -> Suits {
    if !cookie.domain.is_empty() && !domain_match(host, &cookie.domain) {
        return Suits::OtherSite;
    }
    if cookie.is_expired(now) {
        Suits::No(Withheld::Expired)
    } else if cookie.host_only && !cookie.domain.is_empty() && cookie.domain != host {
        Suits::No(Withheld::OtherHost { domain: cookie.domain.clone() })
    } else if !path_match(url.path(), &cookie.path) {
        Suits::No(Withheld::OtherPath { path: cookie.path.clone() })
    } else if cookie.secure && !is_private(url) {
        Suits::No(Withheld::NotSecure)
    } else {
        Suits::Yes
    }
}

/// Leaves out what does not fit into the field any more.
fn make_room(chosen: &mut Chosen) {
    let mut bytes = 0;
    let fit = chosen
        .sent
        .iter()
        .take(MOST_SENT)
        .take_while(|cookie| {
            bytes += cookie.name.len() + cookie.value.len() + "=; ".len();
            bytes <= LONGEST_FIELD
        })
        .count();
    for cookie in chosen.sent.split_off(fit) {
        chosen.withheld.push((cookie.name, Withheld::NoRoom { cookies: MOST_SENT, bytes: LONGEST_FIELD }));
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
