//! Where a redirect leads: policy without I/O (Fetch standard, "HTTP-redirect fetch"; RFC 9110 15.4).

use http::{HeaderMap, Method, StatusCode, header};
use url::{Origin, Url};

/// How far redirects are followed, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RedirectPolicy {
    /// How many in a row. 50, as curl.
    pub limit: u32,
    /// Whether the method stays although the rules change it: the user has asked for it by name
    /// (curl's `-X`). The body goes all the same.
    pub keep_method: bool,
}

impl Default for RedirectPolicy {
    fn default() -> Self {
        Self { limit: 50, keep_method: false }
    }
}

/// The next request, as far as it differs from the last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redirect {
    /// Where to.
    pub url: Url,
    /// The method.
    pub method: Method,
    /// Why the method is what it is, in words.
    pub method_because: String,
    /// Whether the body is left behind, with the header fields that describe it.
    pub drop_body: bool,
    /// Whether another origin is asked, so that credentials stay behind.
    pub cross_origin: bool,
    /// Whether it leads from https to http: worth a warning.
    pub downgrade: bool,
}

/// A redirect that is not followed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RedirectError {
    /// Enough.
    #[error("{limit} redirects followed, and {to} would be one more (allow more with --max-redirs)")]
    TooMany {
        /// How many are allowed.
        limit: u32,
        /// Where the next would have led.
        to: String,
    },
    /// The same question would get the same answer.
    #[error("redirect loop: {method} {url} had been asked for already")]
    Loop {
        /// The method.
        method: Method,
        /// The URL.
        url: String,
    },
    /// `Location` makes no URL.
    #[error("redirect to \"{location}\", which makes no URL: {source}")]
    BadLocation {
        /// The field's value.
        location: String,
        /// Why not.
        source: url::ParseError,
    },
    /// A scheme that is not spoken here.
    #[error("redirect to {url}, and \"{scheme}\" is not supported (http and https are)")]
    UnsupportedScheme {
        /// Where to.
        url: String,
        /// Its scheme.
        scheme: String,
    },
}

/// The requests of one chain of redirects, oldest first: limit and loops are judged by it.
#[derive(Clone, Debug, Default)]
pub struct Chain {
    asked: Vec<(Method, String)>,
}

impl Chain {
    /// Redirects followed so far.
    pub fn followed(&self) -> u32 {
        u32::try_from(self.asked.len().saturating_sub(1)).unwrap_or(u32::MAX)
    }

    /// A request is made.
    pub fn on_request(&mut self, method: &Method, url: &Url) {
        self.asked.push((method.clone(), without_fragment(url)));
    }

    /// Judges a response to the last request: the next request, or none if it is no redirect.
    pub fn next(
        &self,
        method: &Method,
        url: &Url,
        status: StatusCode,
        headers: &HeaderMap,
        policy: &RedirectPolicy,
    ) -> Result<Option<Redirect>, RedirectError> {
        let Some(redirect) = next(method, url, status, headers, policy)? else { return Ok(None) };
        if self.followed() >= policy.limit {
            return Err(RedirectError::TooMany { limit: policy.limit, to: redirect.url.into() });
        }
        let target = (redirect.method.clone(), without_fragment(&redirect.url));
        if self.asked.contains(&target) {
            return Err(RedirectError::Loop { method: target.0, url: target.1 });
        }
        Ok(Some(redirect))
    }
}

/// Where a response leads, if it leads anywhere.
pub fn next(
    method: &Method,
    url: &Url,
    status: StatusCode,
    headers: &HeaderMap,
    policy: &RedirectPolicy,
) -> Result<Option<Redirect>, RedirectError> {
    // Fetch, "redirect status". 300 and 304 are none.
    if !matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308) {
        return Ok(None);
    }
    // curl: an empty `Location` leads nowhere; where the URL leads (RFC 3986 4.4) one is already.
    let location = headers.get(header::LOCATION).filter(|location| !location.is_empty());
    let Some(location) = location else { return Ok(None) };
    let to = target(url, location.as_bytes())?;
    let (next_method, drop_body, method_because) = next_method(method, status, policy.keep_method);
    Ok(Some(Redirect {
        method: next_method,
        method_because,
        drop_body,
        cross_origin: !same_origin(url, &to),
        downgrade: url.scheme() == "https" && to.scheme() == "http",
        url: to,
    }))
}

/// Fetch, "location URL": relative to the URL asked for, whose fragment stays if the new one has
/// none.
fn target(from: &Url, location: &[u8]) -> Result<Url, RedirectError> {
    let location = text_of(location);
    let mut to = from
        .join(&location)
        .map_err(|source| RedirectError::BadLocation { location: location.clone(), source })?;
    if !matches!(to.scheme(), "http" | "https") {
        let scheme = to.scheme().to_owned();
        return Err(RedirectError::UnsupportedScheme { url: to.into(), scheme });
    }
    if to.fragment().is_none() {
        to.set_fragment(from.fragment());
    }
    Ok(to)
}

/// The field's value as text. Bytes that are no UTF-8 stay the bytes they are, as percent-escapes.
fn text_of(location: &[u8]) -> String {
    match std::str::from_utf8(location) {
        Ok(text) => text.to_owned(),
        Err(_) => location.iter().fold(String::new(), |text, byte| match byte {
            0x80.. => text + &format!("%{byte:02X}"),
            byte => text + char::from(*byte).encode_utf8(&mut [0; 4]),
        }),
    }
}

/// Fetch, "HTTP-redirect fetch", step 12: the next method, whether the body goes, and why.
fn next_method(method: &Method, status: StatusCode, keep: bool) -> (Method, bool, String) {
    let code = status.as_u16();
    let becomes_get = match code {
        301 | 302 => *method == Method::POST,
        303 => *method != Method::GET && *method != Method::HEAD,
        _ => false,
    };
    if !becomes_get {
        (method.clone(), false, format!("{method}, which a {code} keeps"))
    } else if keep {
        (method.clone(), true, format!("{method}, because it was asked for by name; the body goes"))
    } else {
        (Method::GET, true, format!("GET, which a {code} makes of {method}"))
    }
}

/// Whether two URLs have scheme, host and port in common (RFC 6454 4).
pub fn same_origin(a: &Url, b: &Url) -> bool {
    match (a.origin(), b.origin()) {
        (a @ Origin::Tuple(..), b @ Origin::Tuple(..)) => a == b,
        _ => false,
    }
}

fn without_fragment(url: &Url) -> String {
    let mut url = url.clone();
    url.set_fragment(None);
    url.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn redirect(method: Method, from: &str, code: u16, to: &str) -> Redirect {
        follow(method, from, code, to, &RedirectPolicy::default()).unwrap().unwrap()
    }

    fn follow(
        method: Method,
        from: &str,
        code: u16,
        to: &str,
        policy: &RedirectPolicy,
    ) -> Result<Option<Redirect>, RedirectError> {
        let headers = HeaderMap::from_iter([(header::LOCATION, to.parse().unwrap())]);
        next(&method, &Url::parse(from).unwrap(), StatusCode::from_u16(code).unwrap(), &headers, policy)
    }

    #[test]
    fn methods_change_as_the_fetch_standard_says() {
        let cases = [
            (301, Method::POST, Method::GET, true),
            (302, Method::POST, Method::GET, true),
            (301, Method::PUT, Method::PUT, false),
            (302, Method::HEAD, Method::HEAD, false),
            (303, Method::POST, Method::GET, true),
            (303, Method::PUT, Method::GET, true),
            (303, Method::HEAD, Method::HEAD, false),
            (307, Method::POST, Method::POST, false),
            (308, Method::POST, Method::POST, false),
        ];
        for (code, method, expected, drop_body) in cases {
            let next = redirect(method.clone(), "http://a.test/", code, "/b");
            assert_eq!((next.method, next.drop_body), (expected, drop_body), "{code} after {method}");
        }
    }

    #[test]
    fn a_method_asked_for_by_name_stays_and_its_body_goes() {
        let policy = RedirectPolicy { keep_method: true, ..RedirectPolicy::default() };
        let next = follow(Method::POST, "http://a.test/", 302, "/b", &policy).unwrap().unwrap();
        assert_eq!((next.method, next.drop_body), (Method::POST, true));
    }

    #[test]
    fn a_relative_location_is_resolved_and_the_fragment_stays_unless_replaced() {
        let from = "http://a.test/x/y?z#part";
        assert_eq!(redirect(Method::GET, from, 302, "../w").url.as_str(), "http://a.test/w#part");
        assert_eq!(redirect(Method::GET, from, 302, "?q").url.as_str(), "http://a.test/x/y?q#part");
        assert_eq!(redirect(Method::GET, from, 302, "//b.test/#new").url.as_str(), "http://b.test/#new");
    }

    #[test]
    fn another_scheme_host_or_port_is_another_origin() {
        let crosses = |to| redirect(Method::GET, "https://a.test/", 302, to).cross_origin;
        assert!(!crosses("/b"));
        assert!(!crosses("https://A.test:443/b"));
        assert!(crosses("https://a.test:444/"));
        assert!(crosses("https://b.test/"));
        assert!(crosses("http://a.test/"));
        assert!(redirect(Method::GET, "https://a.test/", 302, "http://a.test/").downgrade);
        assert!(!redirect(Method::GET, "http://a.test/", 302, "https://a.test/").downgrade);
    }

    #[test]
    fn a_redirect_without_location_and_a_304_are_ordinary_responses() {
        let url = Url::parse("http://a.test/").unwrap();
        let policy = RedirectPolicy::default();
        let none = next(&Method::GET, &url, StatusCode::FOUND, &HeaderMap::new(), &policy);
        assert_eq!(none, Ok(None));
        assert_eq!(follow(Method::GET, "http://a.test/", 304, "/b", &policy), Ok(None));
    }

    #[test]
    fn bad_locations_and_foreign_schemes_are_refused() {
        let policy = RedirectPolicy::default();
        let bad = follow(Method::GET, "http://a.test/", 302, "http://[bad", &policy);
        assert!(matches!(bad, Err(RedirectError::BadLocation { .. })), "{bad:?}");
        let foreign = follow(Method::GET, "http://a.test/", 302, "gopher://a.test/", &policy);
        assert!(matches!(foreign, Err(RedirectError::UnsupportedScheme { .. })), "{foreign:?}");
    }

    #[test]
    fn a_loop_is_noticed_and_a_long_chain_is_cut() {
        let policy = RedirectPolicy { limit: 2, keep_method: false };
        let at = |path: &str| Url::parse(&format!("http://a.test/{path}")).unwrap();
        let to = |path: &str| HeaderMap::from_iter([(header::LOCATION, path.parse().unwrap())]);
        let mut chain = Chain::default();
        chain.on_request(&Method::GET, &at("1"));
        let step = |chain: &Chain, from: &str, path: &str| {
            chain.next(&Method::GET, &at(from), StatusCode::FOUND, &to(path), &policy)
        };
        assert!(step(&chain, "1", "/2").unwrap().is_some());
        chain.on_request(&Method::GET, &at("2"));
        assert!(matches!(step(&chain, "2", "/1#other"), Err(RedirectError::Loop { .. })));
        chain.on_request(&Method::GET, &at("3"));
        assert_eq!(
            step(&chain, "3", "/4"),
            Err(RedirectError::TooMany { limit: 2, to: "http://a.test/4".to_owned() })
        );
    }

    #[test]
    fn an_empty_location_leads_nowhere_and_bytes_in_it_stay_what_they_are() {
        let from = Url::parse("http://a.test/x").unwrap();
        let to = |location: &[u8]| {
            let mut headers = HeaderMap::new();
            headers.insert(header::LOCATION, location.try_into().unwrap());
            let found = next(&Method::GET, &from, StatusCode::FOUND, &headers, &RedirectPolicy::default());
            found.unwrap().map(|redirect| redirect.url.to_string())
        };
        assert_eq!(to(b""), None);
        assert_eq!(to(b"/\xfc").as_deref(), Some("http://a.test/%FC"));
        assert_eq!(to("/\u{fc}".as_bytes()).as_deref(), Some("http://a.test/%C3%BC"));
    }
}
