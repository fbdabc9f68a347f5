//! DNS cookies (RFC 7873) as all servers make them (RFC 9018): a client that repeats what it was given
//! has the address that it asks from.

use glasstack_journal::WallTime;
use glasstack_stack::Host;
use siphasher::sip::SipHasher24;
use std::hash::Hasher;
use std::net::IpAddr;
use std::sync::OnceLock;

/// The length of a client's part, in bytes.
const CLIENT: usize = 8;
/// What a server's part begins with: version 1 and three reserved bytes (RFC 9018 4.1, 4.2).
const VERSION: [u8; 4] = [1, 0, 0, 0];
/// RFC 9018 4.3: a server's part is good for an hour, and five minutes may lie in the future; after half
/// an hour the client is given a new one.
const GOOD: i32 = 3600;
const FUTURE: i32 = 300;
const RENEWED: i32 = 1800;

/// The server's secret, chosen when the first cookie comes.
#[derive(Debug, Default)]
pub(super) struct Cookies {
    secret: OnceLock<[u8; 16]>,
}

/// What a client's cookie is worth.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Judged {
    /// Whether its server's part is one of ours, for this client.
    pub(super) is_good: bool,
    /// The whole cookie that it is given.
    pub(super) given: Vec<u8>,
}

impl Cookies {
    /// Judges a cookie; none if it cannot be one (RFC 7873 5.2.2: FORMERR).
    pub(super) fn judge(&self, cookie: &[u8], client: IpAddr, host: &Host) -> Option<Judged> {
        let secret = self.secret.get_or_init(|| {
            let mut secret = [0; 16];
            host.entropy().fill(&mut secret);
            secret
        });
        judge(secret, cookie, client, host.wall())
    }
}

fn judge(secret: &[u8; 16], cookie: &[u8], client: IpAddr, now: WallTime) -> Option<Judged> {
    let (own, server) = cookie.split_at_checked(CLIENT)?;
    // RFC 7873 4: 8 bytes of the client's, and nothing or 8 to 32 bytes of the server's.
    if !server.is_empty() && !(8..=32).contains(&server.len()) {
        return None;
    }
    // RFC 9018 4.3: in seconds since 1970, compared as serial numbers are.
    let now = now.unix_seconds() as u32;
    let age = match *server {
        [version @ 1, r0, r1, r2, t0, t1, t2, t3, ref hash @ ..] => {
            let head = [version, r0, r1, r2, t0, t1, t2, t3];
            let age = now.wrapping_sub(u32::from_be_bytes([t0, t1, t2, t3])).cast_signed();
            let is_ours = *hash == hash_of(secret, own, head, client);
            (is_ours && (-FUTURE..=GOOD).contains(&age)).then_some(age)
        }
        _ => None,
    };
    let server = match age {
        Some(age) if age < RENEWED => server.to_vec(),
        _ => {
            let [v, r0, r1, r2] = VERSION;
            let [t0, t1, t2, t3] = now.to_be_bytes();
            let head = [v, r0, r1, r2, t0, t1, t2, t3];
            [&head[..], &hash_of(secret, own, head, client)].concat()
        }
    };
    Some(Judged { is_good: age.is_some(), given: [own, &server].concat() })
}

/// RFC 9018 4.4: SipHash-2-4 of "Client Cookie | Version | Reserved | Timestamp | Client-IP".
fn hash_of(secret: &[u8; 16], own: &[u8], head: [u8; 8], client: IpAddr) -> [u8; 8] {
    let mut hasher = SipHasher24::new_with_key(secret);
    hasher.write(own);
    hasher.write(&head);
    match client.to_canonical() {
        IpAddr::V4(address) => hasher.write(&address.octets()),
        IpAddr::V6(address) => hasher.write(&address.octets()),
    }
    hasher.finish().to_le_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use data_encoding::HEXLOWER;

    const SECRET: &str = "e5e973e5a6b2a43f48e7dc849e37bfcf";

    fn judged(secret: &str, cookie: &str, client: &str, at: u64) -> Option<(bool, String)> {
        let hex = |text: &str| HEXLOWER.decode(text.as_bytes()).unwrap();
        let secret: [u8; 16] = hex(secret).try_into().unwrap();
        let judged = judge(&secret, &hex(cookie), client.parse().unwrap(), WallTime::from_unix_seconds(at))?;
        Some((judged.is_good, HEXLOWER.encode(&judged.given)))
    }

    #[test]
    fn cookies_are_as_in_the_examples_of_rfc_9018() {
        // A.1: a client that learns a cookie.
        let first = "2464c4abcf10c957010000005cf79f111f8130c3eee29480";
        let learnt = judged(SECRET, "2464c4abcf10c957", "198.51.100.100", 1_559_731_985);
        assert_eq!(learnt, Some((false, first.to_owned())));
        // A.2: the same client 40 minutes later.
        let renewed = judged(SECRET, first, "198.51.100.100", 1_559_734_385);
        assert_eq!(renewed, Some((true, "2464c4abcf10c957010000005cf7a871d4a564a1442aca77".to_owned())));
        // A.3: another client, whose cookie has reserved bits.
        let reserved = "fc93fc62807ddb8601abcdef5cf78f71a314227b6679ebf5";
        let another = judged(SECRET, reserved, "203.0.113.203", 1_559_734_700);
        assert_eq!(another, Some((false, "fc93fc62807ddb86010000005cf7a9acf73a7810aca2381e".to_owned())));
        // A.4: over IPv6.
        let secret = "dd3bdf9344b678b185a6f5cb60fca715";
        let over_ipv6 =
            judged(secret, "22681ab97d52c298", "2001:db8:220:1:59de:d0f4:8769:82b8", 1_559_741_817);
        assert_eq!(over_ipv6, Some((false, "22681ab97d52c298010000005cf7c57926556bd0934c72f8".to_owned())));
    }

    #[test]
    fn a_cookie_is_good_for_its_client_for_an_hour() {
        let cookie = "2464c4abcf10c957010000005cf79f111f8130c3eee29480";
        let is_good = |client, at| judged(SECRET, cookie, client, at).unwrap().0;
        let made = 1_559_731_985;
        assert!(is_good("198.51.100.100", made + 3600) && is_good("198.51.100.100", made - 300));
        assert!(!is_good("198.51.100.100", made + 3601) && !is_good("198.51.100.100", made - 301));
        assert!(!is_good("198.51.100.101", made));
        let (_, same) = judged(SECRET, cookie, "198.51.100.100", made + 1799).unwrap();
        assert_eq!(same, cookie, "a young one is kept");
    }

    #[test]
    fn what_cannot_be_a_cookie_is_none() {
        for cookie in ["", "2464c4abcf10c9", "2464c4abcf10c95701"] {
            assert_eq!(judged(SECRET, cookie, "198.51.100.100", 0), None, "{cookie}");
        }
        let long = "24".repeat(8 + 33);
        assert_eq!(judged(SECRET, &long, "198.51.100.100", 0), None);
    }
}
