//! Which hosts and paths a cookie is for (RFC 6265bis 5.1.3, 5.1.4), and which domains are nobody's.

use url::{Host, Url};

/// Whether `host` is the domain or lies below it (RFC 6265bis 5.1.3). An address has nothing below it.
pub(super) fn domain_match(host: &str, domain: &str) -> bool {
    if host == domain {
        return true;
    }
    let is_below = host.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.'));
    is_below && !domain.is_empty() && !is_address(host)
}

/// Whether a request for `path` lies at or below the cookie's (RFC 6265bis 5.1.4). As in curl, a slash
/// at the end of the latter makes no difference.
pub(super) fn path_match(path: &str, cookie_path: &str) -> bool {
    path.strip_prefix(without_slash(cookie_path)).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// A path without the slash at its end; the root is empty.
pub(super) fn without_slash(path: &str) -> &str {
    path.strip_suffix('/').unwrap_or(path)
}

/// The path that a cookie is for if its server does not say (RFC 6265bis 5.1.4): the folder, with its
/// slash as curl writes it.
pub(super) fn default_path(url: &Url) -> &str {
    url.path().rfind('/').and_then(|at| url.path().get(..=at)).unwrap_or("/")
}

/// Whether cookies for all hosts below this domain would be cookies for strangers, as `com` or
/// `co.uk` (publicsuffix.org; a domain of one label is always one).
pub(super) fn is_public_suffix(domain: &str) -> bool {
    !is_address(domain) && psl::suffix(domain.as_bytes()).is_some_and(|suffix| suffix == domain.as_bytes())
}

/// The host of a URL as cookies know it: in lower case, an IPv6 address without brackets.
pub(super) fn host_of(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    host.trim_start_matches('[').trim_end_matches(']').to_owned()
}

/// Whether nobody can listen on the way: TLS, or no way at all. As curl since 7.79.
pub(super) fn is_private(url: &Url) -> bool {
    url.scheme() == "https"
        || match url.host() {
            Some(Host::Domain(name)) => name == "localhost",
            Some(Host::Ipv4(address)) => address == std::net::Ipv4Addr::LOCALHOST,
            Some(Host::Ipv6(address)) => address == std::net::Ipv6Addr::LOCALHOST,
            None => false,
        }
}

fn is_address(host: &str) -> bool {
    host.parse::<std::net::IpAddr>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_domain_is_matched_at_its_dots_and_an_address_only_by_itself() {
        assert!(domain_match("h.test", "h.test"));
        assert!(domain_match("www.h.test", "h.test"));
        assert!(!domain_match("xh.test", "h.test"));
        assert!(!domain_match("h.test", "www.h.test"));
        assert!(!domain_match("10.0.0.1", "0.0.1"));
        assert!(!domain_match("h.test.", "h.test"));
        assert!(!domain_match("h.test", ""));
    }

    #[test]
    fn a_path_is_matched_at_its_slashes() {
        for (path, cookie) in [
            ("/", "/"),
            ("/a", "/"),
            ("/a", "/a"),
            ("/a/b", "/a"),
            ("/a/", "/a/"),
            ("/a", "/a/"),
            ("/a/", "/a"),
        ] {
            assert!(path_match(path, cookie), "{path} {cookie}");
        }
        for (path, cookie) in [("/", "/a"), ("/ab", "/a"), ("/ab", "/a/")] {
            assert!(!path_match(path, cookie), "{path} {cookie}");
        }
    }

    #[test]
    fn without_a_path_a_cookie_is_for_its_folder() {
        for (url, path) in [
            ("http://h.test", "/"),
            ("http://h.test/a", "/"),
            ("http://h.test/a/", "/a/"),
            ("http://h.test/a/b?c/d", "/a/"),
        ] {
            assert_eq!(default_path(&Url::parse(url).unwrap()), path, "{url}");
        }
    }

    #[test]
    fn public_suffixes_are_those_of_the_list_and_every_single_label() {
        for suffix in ["com", "co.uk", "github.io", "x.kobe.jp", "localhost", "test"] {
            assert!(is_public_suffix(suffix), "{suffix}");
        }
        for domain in ["example.com", "www.example.co.uk", "me.github.io", "city.kobe.jp", "10.0.0.1"] {
            assert!(!is_public_suffix(domain), "{domain}");
        }
    }

    #[test]
    fn this_machine_is_private_without_tls() {
        for (url, private) in [
            ("https://h.test/", true),
            ("http://h.test/", false),
            ("http://localhost:8080/", true),
            ("http://127.0.0.1/", true),
            ("http://127.0.0.2/", false),
            ("http://[::1]/", true),
        ] {
            assert_eq!(is_private(&Url::parse(url).unwrap()), private, "{url}");
        }
    }
}
