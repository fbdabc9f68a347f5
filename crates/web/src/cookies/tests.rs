//! The store, as RFC 6265bis and curl have it.

use super::*;

const NOW: WallTime = WallTime::from_unix_seconds(1_000_000_000);

fn url(text: &str) -> Url {
    Url::parse(text).unwrap()
}

/// What becomes of a cookie in a jar that holds nothing else.
fn alone(from: &str, field: &str) -> Stored {
    CookieJar::new().store(field.as_bytes(), &url(from), NOW).verdict
}

fn refusal(from: &str, field: &str) -> Refusal {
    match alone(from, field) {
        Stored::Refused(refusal) => refusal,
        other => panic!("{field} from {from}: {other:?}"),
    }
}

fn jar(cookies: &[(&str, &str)]) -> CookieJar {
    let mut jar = CookieJar::new();
    for (from, field) in cookies {
        let judged = jar.store(field.as_bytes(), &url(from), NOW);
        assert!(judged.verdict.is_kept(), "{field} from {from}: {judged:?}");
    }
    jar
}

fn sent(jar: &mut CookieJar, to: &str) -> String {
    jar.choose(&url(to), NOW).field().unwrap_or_default()
}

#[test]
fn a_cookie_is_for_its_host_alone_unless_it_names_a_domain() {
    let mut jar = jar(&[("http://www.h.test/", "a=1"), ("http://www.h.test/", "b=2; Domain=H.test")]);
    assert_eq!(sent(&mut jar, "http://www.h.test/"), "a=1; b=2");
    assert_eq!(sent(&mut jar, "http://h.test/"), "b=2");
    assert_eq!(sent(&mut jar, "http://x.www.h.test/"), "b=2");
    assert_eq!(sent(&mut jar, "http://xh.test/"), "");
    let chosen = jar.choose(&url("http://x.www.h.test/"), NOW);
    assert_eq!(chosen.withheld, [("a".to_owned(), Withheld::OtherHost { domain: "www.h.test".to_owned() })]);
}

#[test]
fn a_domain_must_be_the_servers_and_nobody_elses() {
    assert!(matches!(refusal("http://h.test/", "a=1; Domain=x.test"), Refusal::ForeignDomain { .. }));
    assert!(matches!(refusal("http://h.test/", "a=1; Domain=www.h.test"), Refusal::ForeignDomain { .. }));
    assert!(matches!(refusal("http://h.test/", "a=1; Domain=test"), Refusal::PublicSuffix { .. }));
    assert!(matches!(refusal("http://a.co.uk/", "a=1; Domain=co.uk"), Refusal::PublicSuffix { .. }));
    assert!(matches!(refusal("http://h.test/", "a=1; Domain=b\u{fc}cher.test"), Refusal::DomainNotAscii));
    assert!(matches!(refusal("http://10.0.0.1/", "a=1; Domain=0.0.1"), Refusal::ForeignDomain { .. }));
    let own = alone("http://localhost/", "a=1; Domain=localhost");
    assert!(matches!(own, Stored::Kept { ref domain, .. } if domain == "localhost"), "{own:?}");
    let address = alone("http://10.0.0.1/", "a=1; Domain=10.0.0.1");
    assert!(matches!(address, Stored::Kept { ref domain, .. } if domain == "10.0.0.1"), "{address:?}");
}

#[test]
fn longer_paths_come_first_and_then_what_was_there_earlier() {
    let mut jar = jar(&[
        ("http://h.test/", "a=1"),
        ("http://h.test/x/y", "b=2"),
        ("http://h.test/x/y/z", "c=3; Path=/"),
        ("http://h.test/", "d=4; Path=/x/y"),
        ("http://h.test/", "a=5"),
    ]);
    assert_eq!(sent(&mut jar, "http://h.test/x/y/z"), "d=4; b=2; a=5; c=3");
    assert_eq!(sent(&mut jar, "http://h.test/xy"), "a=5; c=3");
}

#[test]
fn a_cookie_without_a_name_is_sent_without_an_equals_sign() {
    let mut jar = jar(&[("http://h.test/", "value"), ("http://h.test/", "a=")]);
    assert_eq!(sent(&mut jar, "http://h.test/"), "value; a=");
}

#[test]
fn a_secure_cookie_comes_and_goes_over_tls_only_and_on_this_machine_over_anything() {
    assert_eq!(refusal("http://h.test/", "a=1; Secure"), Refusal::SecureOverHttp);
    let mut jar = jar(&[("https://h.test/", "a=1; Secure"), ("http://localhost/", "b=2; Secure")]);
    assert_eq!(sent(&mut jar, "https://h.test/"), "a=1");
    assert_eq!(sent(&mut jar, "http://localhost:81/"), "b=2");
    let chosen = jar.choose(&url("http://h.test/"), NOW);
    assert_eq!(chosen.withheld, [("a".to_owned(), Withheld::NotSecure)]);
}

#[test]
fn http_cannot_hide_a_secure_cookie() {
    let mut jar = jar(&[("https://www.h.test/", "a=1; Secure; Path=/in")]);
    for (from, field) in [
        ("http://www.h.test/", "a=2; Path=/in/deeper"),
        ("http://h.test/", "a=2; Domain=h.test; Path=/in"),
        ("http://x.www.h.test/", "a=2; Path=/in"),
    ] {
        let verdict = jar.store(field.as_bytes(), &url(from), NOW).verdict;
        assert_eq!(verdict, Stored::Refused(Refusal::WouldHideSecure), "{field} from {from}");
    }
    assert!(jar.store(b"a=2; Path=/", &url("http://www.h.test/"), NOW).verdict.is_kept());
    assert!(jar.store(b"a=2; Path=/in", &url("https://www.h.test/"), NOW).verdict.is_kept());
}

#[test]
fn a_prefix_is_a_promise() {
    for field in [
        "__Secure-a=1",
        "__secure-a=1",
        "__Host-a=1; Secure",
        "__Host-a=1; Secure; Path=/x",
        "__Host-a=1; Secure; Path=/; Domain=h.test",
        "__HOST-a=1; Path=/",
        "__Host-a",
        "=__Secure-a",
    ] {
        assert!(matches!(refusal("https://h.test/", field), Refusal::Prefix { .. }), "{field}");
    }
    assert!(alone("https://h.test/", "__Secure-a=1; Secure; Domain=h.test").is_kept());
    assert!(alone("https://h.test/", "__Host-a=1; Secure; Path=/").is_kept());
}

#[test]
fn a_cookie_whose_time_is_over_takes_back_an_earlier_one() {
    let mut jar = jar(&[("http://h.test/", "a=1; Max-Age=10"), ("http://h.test/", "b=2")]);
    let later = NOW + std::time::Duration::from_secs(10);
    let chosen = jar.choose(&url("http://h.test/"), later);
    assert_eq!(chosen.field().as_deref(), Some("b=2"));
    assert_eq!(chosen.withheld, [("a".to_owned(), Withheld::Expired)]);
    let back = jar.store(b"b=; Max-Age=0", &url("http://h.test/"), later);
    assert_eq!(back.verdict, Stored::Ended { existed: true });
    assert_eq!(jar.cookies().len(), 0);
    assert_eq!(alone("http://h.test/", "c=3; Max-Age=0"), Stored::Ended { existed: false });
}

#[test]
fn a_full_jar_gives_up_what_was_used_longest_ago_and_secure_cookies_last() {
    let mut jar = CookieJar::new();
    let from = url("https://h.test/");
    assert!(jar.store(b"old=1; Secure", &from, NOW).verdict.is_kept());
    for number in 0..MOST_OF_A_DOMAIN - 1 {
        let later = NOW + std::time::Duration::from_secs(1 + number as u64);
        assert!(jar.store(format!("n{number}=1").as_bytes(), &from, later).verdict.is_kept());
    }
    let latest = NOW + std::time::Duration::from_secs(1000);
    let verdict = jar.store(b"one_more=1", &from, latest).verdict;
    assert!(matches!(verdict, Stored::Kept { evicted: 1, .. }), "{verdict:?}");
    assert_eq!(jar.cookies().len(), MOST_OF_A_DOMAIN);
    let names: Vec<&str> = jar.cookies().iter().map(|cookie| cookie.name.as_str()).collect();
    assert!(names.contains(&"old") && !names.contains(&"n0") && names.contains(&"one_more"));
    for number in 0..MOST + 10 {
        jar.store(b"a=1", &url(&format!("http://h{number}.test/")), latest);
    }
    assert_eq!(jar.cookies().len(), MOST);
}

#[test]
fn one_response_sets_and_one_request_carries_only_so_many() {
    let fields: Vec<String> = (0..60).map(|number| format!("n{number}=1")).collect();
    let mut jar = CookieJar::new();
    let judged = jar.store_all(fields.iter().map(|field| field.as_bytes()), &url("http://h.test/"), NOW);
    assert_eq!((judged.len(), jar.cookies().len()), (60, 50));
    assert_eq!(judged[50].verdict, Stored::Refused(Refusal::TooMany { limit: 50 }));
    for number in 0..10 {
        let long = format!("l{number}={}", "x".repeat(4000));
        jar.store(long.as_bytes(), &url("http://h.test/"), NOW);
    }
    let chosen = jar.choose(&url("http://h.test/"), NOW);
    assert!(chosen.field().unwrap().len() <= LONGEST_FIELD);
    assert!(chosen.withheld.iter().all(|(_, why)| matches!(why, Withheld::NoRoom { .. })));
    assert_eq!(chosen.sent.len() + chosen.withheld.len(), 60);
}

/// What curl 7.88.1 wrote with `-c -` after such a response from http://localhost/cookies/.
const FILE: &str = "# Netscape HTTP Cookie File\n\
# https://curl.se/docs/http-cookies.html\n\
# This file was generated by libcurl! Edit at your own risk.\n\n\
localhost\tFALSE\t/\tTRUE\t0\t__Host-x\t1\n\
localhost\tFALSE\t/cookies/\tFALSE\t0\te\t\n\
localhost\tFALSE\t/cookies/\tFALSE\t1000001000\td\t\"q\"\n\
localhost\tFALSE\t/deep/er\tFALSE\t0\tc\t4\n\
localhost\tFALSE\t/cookies/\tTRUE\t0\tsec\t3\n\
#HttpOnly_localhost\tFALSE\t/cookies/\tFALSE\t1003562880\tb\t2\n\
localhost\tFALSE\t/cookies/\tFALSE\t0\ta\t1\n\
.h.test\tTRUE\t/\tFALSE\t0\tbelow\t5\n";

#[test]
fn the_file_is_curls_to_the_byte_latest_first() {
    let jar = jar(&[
        ("http://www.h.test/", "below=5; Domain=h.test"),
        ("http://localhost/cookies/", "a=1"),
        ("http://localhost/cookies/", "b=2; HttpOnly; Expires=Sat, 20 Oct 2001 07:28:00 GMT"),
        ("http://localhost/cookies/", "sec=3; Secure"),
        ("http://localhost/cookies/", "c=4; Path=/deep/er"),
        ("http://localhost/cookies/", "d=\"q\"; Max-Age=1000"),
        ("http://localhost/cookies/", "e="),
        ("http://localhost/cookies/", "__Host-x=1; Secure; Path=/"),
    ]);
    assert_eq!(jar.to_netscape(NOW), FILE);
}

#[test]
fn a_file_is_read_back_and_its_order_turned_around_as_curl_does() {
    let mut jar = CookieJar::new();
    assert_eq!(jar.load(FILE.as_bytes(), true, NOW), 8);
    let lines = |file: &str| -> Vec<String> { file.lines().skip(4).map(str::to_owned).collect() };
    let mut turned = lines(&jar.to_netscape(NOW));
    turned.reverse();
    assert_eq!(turned, lines(FILE));
    let mut without_session = CookieJar::new();
    assert_eq!(without_session.load(FILE.as_bytes(), false, NOW), 2);
}

#[test]
fn lines_that_are_no_cookies_are_passed_over() {
    let mut jar = CookieJar::new();
    let file = b"# comment\n\nnot a cookie\nh.test\tTRUE\t/\tFALSE\tsoon\ta\tb\nh.test\tTRUE\t/\tFALSE\n\
        \xff\xfe\t\t\t\nh.test\tTRUE\tFALSE\t0\tpathless\tx\r\nh.test\tFALSE\t/\tFALSE\t1\tgone\tx\n\
        h.test\tFALSE\t/\tFALSE\t0\tvalueless\n.\tTRUE\t/\tFALSE\t0\teverybodys\tx\n\
        h.test\tFALSE\t/\tFALSE\t0\tcontrol\tx\x01y\n";
    jar.load(file, true, NOW);
    assert_eq!(sent(&mut jar, "http://h.test/"), "pathless=x; valueless=");
}

#[test]
fn a_file_of_header_fields_is_read_too_and_is_for_everybody() {
    let mut jar = CookieJar::new();
    let file = b"HTTP/1.1 200 OK\r\nServer: x\r\nset-cookie: a=1\r\nSet-Cookie: b=2; Domain=h.test\r\n\r\n";
    assert_eq!(jar.load(file, true, NOW), 2);
    assert_eq!(sent(&mut jar, "http://h.test/x"), "a=1; b=2");
    assert_eq!(sent(&mut jar, "http://other.test/"), "a=1");
    assert!(jar.to_netscape(NOW).contains("\nunknown\tFALSE\t/\tFALSE\t0\ta\t1\n"));
}

#[test]
fn every_decision_can_be_said_in_words_and_no_value_is_among_them() {
    let kept = alone("http://h.test/x/", "a=secret; Max-Age=10");
    assert_eq!(kept.to_string(), "kept for h.test/x/ until Sun, 09 Sep 2001 01:46:50 GMT");
    let refused = alone("http://h.test/", "a=secret; Domain=test");
    assert_eq!(
        refused.to_string(),
        "refused: it is for all of test, which is a public suffix: it would go to strangers"
    );
    let jar = jar(&[("http://h.test/", "a=secret")]);
    assert!(!format!("{jar:?}").contains("secret"));
}
