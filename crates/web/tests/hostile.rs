//! Whatever comes from a server, a file or an argument makes a value or an error, and never a panic.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test says what it expects")]

use glasstack_journal::WallTime;
use glasstack_web::{ConnectTo, CookieJar, HeaderEdit, Netrc, NoProxy, Proxy, Schemes, address_bar, date};
use proptest::prelude::*;
use url::Url;

const NOW: WallTime = WallTime::from_unix_seconds(1_000_000_000);

/// Bytes that look like a `Set-Cookie` field, and others.
fn field() -> impl Strategy<Value = Vec<u8>> {
    let words = prop::sample::select(vec![
        "a",
        "=",
        ";",
        " ",
        "__Host-",
        "Path",
        "/x",
        "Domain",
        ".h.test",
        "co.uk",
        "Max-Age",
        "-1",
        "Expires",
        "Wed, 21 Oct 2015 07:28:00 GMT",
        "99999999999999999999",
        "Secure",
        "\u{e9}",
        "\t",
        "\"",
        "",
    ]);
    let likely = prop::collection::vec(words, 0..12).prop_map(|words| words.concat().into_bytes());
    prop_oneof![likely, prop::collection::vec(any::<u8>(), 0..64)]
}

proptest! {
    #[test]
    fn a_jar_takes_any_field_and_writes_what_it_reads_again(fields in prop::collection::vec(field(), 0..8)) {
        let url = Url::parse("https://www.h.test/x/y").unwrap();
        let mut jar = CookieJar::new();
        jar.store_all(fields.iter().map(Vec::as_slice), &url, NOW);
        let file = jar.to_netscape(NOW);
        let mut again = CookieJar::new();
        let count = again.load(file.as_bytes(), true, NOW);
        prop_assert_eq!(count, jar.cookies().len(), "{}", file);
        let said = |jar: &mut CookieJar| {
            let mut pairs: Vec<String> = jar.choose(&url, NOW).sent.iter().map(|c| format!("{}={}", c.name, c.value)).collect();
            pairs.sort();
            pairs
        };
        prop_assert_eq!(said(&mut again), said(&mut jar));
    }

    #[test]
    fn a_file_of_anything_is_read(file in prop::collection::vec(any::<u8>(), 0..512)) {
        let mut jar = CookieJar::new();
        jar.load(&file, true, NOW);
        let url = Url::parse("http://h.test/").unwrap();
        jar.choose(&url, NOW);
        let _ = Netrc::parse(&String::from_utf8_lossy(&file));
    }

    #[test]
    fn text_of_any_kind_is_read_or_refused(text in "\\PC{0,40}|[a-z0-9:/@%\\[\\]., +\"\\\\-]{0,40}") {
        let _ = date::parse(&text);
        let _ = text.parse::<Proxy>();
        let _ = text.parse::<ConnectTo>();
        let _ = text.parse::<HeaderEdit>();
        let _ = Schemes::default().changed(&text);
        let _ = NoProxy::parse(&text).covers(&text);
        let _ = address_bar::parse(&text);
        let _ = address_bar::hide_password(&text);
        let _ = Netrc::parse(&text);
    }

    #[test]
    fn a_date_that_is_written_is_read_again(seconds in 0_u64..10_000_000_000) {
        let at = WallTime::from_unix_seconds(seconds);
        prop_assert_eq!(date::parse(&date::http(at)), Some(at));
    }
}
