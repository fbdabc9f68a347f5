//! What a server says in `Set-Cookie` (RFC 6265bis 5.6), before anybody has asked whether it may.

use super::date;
use super::{Cookie, Refusal, SameSite};
use glasstack_journal::WallTime;
use std::time::Duration;

/// A `Set-Cookie` field, read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SetCookie {
    pub(super) name: String,
    pub(super) value: String,
    /// In lower case, without the dot in front; empty: nothing was said.
    pub(super) domain: String,
    /// None: nothing was said, or nothing that is a path.
    pub(super) path: Option<String>,
    pub(super) end: End,
    pub(super) secure: bool,
    pub(super) http_only: bool,
    pub(super) same_site: SameSite,
}

/// When it ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// With the session.
    Session,
    /// Then.
    At(WallTime),
}

/// RFC 6265bis 5.6: name and value together, in bytes.
const LONGEST_PAIR: usize = 4096;
/// RFC 6265bis 5.6: an attribute's value, in bytes.
const LONGEST_ATTRIBUTE: usize = 1024;
/// RFC 6265bis 5.5: no cookie lasts longer.
const LONGEST_LIFE: Duration = Duration::from_secs(400 * 24 * 60 * 60);

/// Reads the value of a `Set-Cookie` field.
pub(super) fn parse(field: &[u8], now: WallTime) -> Result<SetCookie, Refusal> {
    // 1. Control characters but for the tab; the tab, too, would break the file's format.
    if let Some(byte) = field.iter().find(|byte| byte.is_ascii_control() && **byte != b'\t') {
        return Err(Refusal::ControlCharacter { byte: *byte });
    }
    let text = String::from_utf8_lossy(field);
    let mut parts = text.split(';');
    // 2. to 4. Without a = there is no name.
    let pair = parts.next().unwrap_or_default();
    let (name, value) = pair.split_once('=').unwrap_or(("", pair));
    let (name, value) = (trim(name), trim(value));
    if name.is_empty() && value.is_empty() {
        return Err(Refusal::Empty);
    }
    if name.contains('\t') || value.contains('\t') {
        return Err(Refusal::ControlCharacter { byte: b'\t' });
    }
    // 5. Too long.
    let bytes = name.len() + value.len();
    if bytes > LONGEST_PAIR {
        return Err(Refusal::TooLong { bytes, limit: LONGEST_PAIR });
    }
    let mut cookie = SetCookie {
        name: name.to_owned(),
        value: value.to_owned(),
        domain: String::new(),
        path: None,
        end: End::Session,
        secure: false,
        http_only: false,
        same_site: SameSite::Unspecified,
    };
    let mut max_age = None;
    for part in parts {
        let (name, value) = part.split_once('=').unwrap_or((part, ""));
        let (name, value) = (trim(name), trim(value));
        if value.len() <= LONGEST_ATTRIBUTE {
            cookie.on_attribute(name, value, now, &mut max_age);
        }
    }
    // 5.7, 3.: Max-Age wins over Expires.
    if let Some(end) = max_age {
        cookie.end = End::At(end);
    }
    Ok(cookie)
}

impl SetCookie {
    /// The cookie that it makes, once it is known for whom: what is said only of the jar is still to
    /// come.
    pub(super) fn cookie(self, domain: String, host_only: bool, default_path: &str, now: WallTime) -> Cookie {
        Cookie {
            name: self.name,
            value: self.value,
            domain,
            host_only,
            path: self.path.unwrap_or_else(|| default_path.to_owned()),
            expires: match self.end {
                End::Session => None,
                End::At(end) => Some(end),
            },
            secure: self.secure,
            http_only: self.http_only,
            same_site: self.same_site,
            creation: 0,
            last_access: now,
        }
    }

    /// RFC 6265bis 5.6.1 to 5.6.7. The last of several counts.
    fn on_attribute(&mut self, name: &str, value: &str, now: WallTime, max_age: &mut Option<WallTime>) {
        match name.to_ascii_lowercase().as_str() {
            "expires" => {
                if let Some(at) = date::parse(value) {
                    self.end = End::At(at.min(now + LONGEST_LIFE));
                }
            }
            "max-age" => *max_age = max_age_end(value, now).or(*max_age),
            "domain" => {
                self.domain = value.strip_prefix('.').unwrap_or(value).to_ascii_lowercase();
            }
            // A tab would break the file's format.
            "path" => {
                self.path = Some(value)
                    .filter(|path| path.starts_with('/') && !path.contains('\t'))
                    .map(str::to_owned);
            }
            "secure" => self.secure = true,
            "httponly" => self.http_only = true,
            "samesite" => {
                self.same_site = match value.to_ascii_lowercase().as_str() {
                    "none" => SameSite::None,
                    "lax" => SameSite::Lax,
                    "strict" => SameSite::Strict,
                    _ => SameSite::Unspecified,
                };
            }
            _ => {}
        }
    }
}

/// RFC 6265bis 5.6.2; zero and less: it has ended already.
fn max_age_end(value: &str, now: WallTime) -> Option<WallTime> {
    let digits = value.strip_prefix('-').unwrap_or(value);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    if value.starts_with('-') {
        return Some(WallTime::default());
    }
    match digits.parse::<u64>().map_or(LONGEST_LIFE, Duration::from_secs).min(LONGEST_LIFE) {
        Duration::ZERO => Some(WallTime::default()),
        age => Some(now + age),
    }
}

/// RFC 6265bis 5.6: white space here is the space and the tab.
fn trim(text: &str) -> &str {
    text.trim_matches([' ', '\t'])
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: WallTime = WallTime::from_unix_seconds(1_000_000_000);

    fn read(field: &str) -> SetCookie {
        parse(field.as_bytes(), NOW).unwrap()
    }

    fn pair(field: &str) -> (String, String) {
        let cookie = read(field);
        (cookie.name, cookie.value)
    }

    fn end(field: &str) -> End {
        read(field).end
    }

    fn at(seconds: u64) -> End {
        End::At(WallTime::from_unix_seconds(seconds))
    }

    #[test]
    fn name_and_value_are_what_stands_before_and_behind_the_first_equals_sign() {
        let owned = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(pair("a=b"), owned("a", "b"));
        assert_eq!(pair(" a \t= b c ; Path=/"), owned("a", "b c"));
        assert_eq!(pair("a=b=c"), owned("a", "b=c"));
        assert_eq!(pair("a="), owned("a", ""));
        assert_eq!(pair("a=\"b\""), owned("a", "\"b\""));
        assert_eq!(pair("nameless"), owned("", "nameless"));
        assert_eq!(pair("=nameless"), owned("", "nameless"));
    }

    #[test]
    fn attributes_are_read_in_any_case_and_the_last_of_each_counts() {
        let cookie =
            read("a=b; DOMAIN=.H.test; path=/x; Path=/y;secure ; HttpOnly=yes; SameSite=LAX; What=ever");
        assert_eq!((cookie.domain.as_str(), cookie.path.as_deref()), ("h.test", Some("/y")));
        assert!(cookie.secure && cookie.http_only);
        assert_eq!(cookie.same_site, SameSite::Lax);
        assert_eq!(read("a=b; Path=x").path, None);
        assert_eq!(read("a=b; Path=/x\ty").path, None);
        let long = format!("a=b; Path=/{}", "x".repeat(1024));
        assert_eq!(read(&long).path, None, "an attribute that is too long is passed over");
    }

    #[test]
    fn max_age_wins_over_expires_and_no_cookie_lasts_longer_than_400_days() {
        assert_eq!(end("a=b; Max-Age=10"), at(1_000_000_010));
        assert_eq!(end("a=b; Max-Age=10; Expires=Wed, 21 Oct 2015 07:28:00 GMT"), at(1_000_000_010));
        assert_eq!(end("a=b; Expires=Mon, 10 Sep 2001 07:28:00 GMT"), at(1_000_106_880));
        assert_eq!(end("a=b; Max-Age=99999999999999999999999"), at(1_000_000_000 + 400 * 86_400));
        assert_eq!(end("a=b; Expires=Wed, 21 Oct 2099 07:28:00 GMT"), at(1_000_000_000 + 400 * 86_400));
        for gone in ["0", "-1", "-999999999999999999999"] {
            assert_eq!(end(&format!("a=b; Max-Age={gone}")), at(0), "{gone}");
        }
        for nothing in ["Max-Age=x", "Max-Age=", "Max-Age=1.5", "Max-Age=-", "Expires=tomorrow"] {
            assert_eq!(end(&format!("a=b; {nothing}")), End::Session, "{nothing}");
        }
    }

    #[test]
    fn what_is_too_long_empty_or_has_control_characters_is_refused() {
        assert_eq!(parse(b"a=b\x07", NOW), Err(Refusal::ControlCharacter { byte: 7 }));
        assert_eq!(parse(b"a=b; Path=/\x7f", NOW), Err(Refusal::ControlCharacter { byte: 0x7f }));
        assert_eq!(parse(b"a=b\tc", NOW), Err(Refusal::ControlCharacter { byte: b'\t' }));
        assert_eq!(parse(b"", NOW), Err(Refusal::Empty));
        assert_eq!(parse(b"=; Path=/", NOW), Err(Refusal::Empty));
        let long = format!("a={}", "x".repeat(4096));
        assert_eq!(parse(long.as_bytes(), NOW), Err(Refusal::TooLong { bytes: 4097, limit: 4096 }));
        assert!(parse(format!("a={}", "x".repeat(4095)).as_bytes(), NOW).is_ok());
    }

    #[test]
    fn bytes_that_are_no_text_make_no_panic() {
        for field in [&b"\xff\xfe=\x80; Path=\xff"[..], b";;;===;=;", b"a;Expires=\xc3\xa9\xc3\xa9 Jan 1"] {
            let _ = parse(field, NOW);
        }
    }
}
