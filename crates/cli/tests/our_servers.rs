//! Real clients, curl and openssl, against servers on our stack, and Wireshark over what passed.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use glasstack::http::server::{self, ServerOptions};
use glasstack::http::{Answer, Received, StatusCode};
use glasstack::journal::event::{DropReason, TcpState};
use glasstack::stack::{Host, World};
use glasstack::tls::{Identity, TlsServer, TlsServerConfig};
use glasstack::uplink::{Addressing, InterfaceAddress, TapConfig, TapDevice, TapWorld, WorldThread};
use glasstack::views::{PcapngCapture, Points};
use std::fs::File;
use std::net::SocketAddr;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;
use support::pki::Authority;
use support::tshark::Capture;
use support::{Network, OURS, Ran, with_real_peers};

/// Far beyond what anything here takes.
const LIMIT: Duration = Duration::from_secs(20);
const LARGE: usize = 3_000_000;

/// Servers at 192.0.2.2, HTTP on port 80 and HTTPS on port 443, while they are not ended.
struct Serving {
    world: WorldThread,
    host: Host,
    cacert: String,
    capture: String,
}

impl Serving {
    fn start(network: &Network) -> Self {
        let authority = Authority::new("a throw-away CA");
        let (certificate, key) = authority.certificate("www.demo.test", 2999);
        let identity = Identity::from_pem(certificate.as_bytes(), key.as_bytes()).unwrap();

        let mut world = TapWorld::new().unwrap();
        let capture = network.path("server.pcapng");
        let file = Box::new(File::create(&capture).unwrap());
        let points = Points::Nodes(vec!["server".to_owned()]);
        world.journal().attach(Box::new(PcapngCapture::new(file, points)));
        let config = TapConfig { name: Some("glass0".to_owned()), ..TapConfig::default() };
        let address: InterfaceAddress = format!("{OURS}/24").parse().unwrap();
        let addressing = Addressing::choose(None, Some(address), Some(support::GATEWAY)).unwrap();
        let device = TapDevice::open(&config).unwrap();
        let host = world.add_host(addressing.host_config("server").unwrap(), device).unwrap();

        let http = host.listen(SocketAddr::new(OURS, 80)).unwrap();
        host.spawn(server::listen(host.clone(), http, Arc::new(answer), ServerOptions::default()));
        let mut config = TlsServerConfig::new(vec![identity]);
        config.alpn = vec!["http/1.1".to_owned()];
        let tls = TlsServer::new(host.entropy(), host.scope().clock(), config).unwrap();
        host.spawn(serve_https(host.clone(), tls));
        Self { world: WorldThread::start(world).unwrap(), host, cacert: authority.file(network), capture }
    }

    fn curl(&self, words: &[&str]) -> Ran {
        let mut command = Command::new("curl");
        command.args(["-sS", "-m", "20", "--cacert", &self.cacert]);
        command.args(["--resolve", "www.demo.test:80:192.0.2.2", "--resolve", "www.demo.test:443:192.0.2.2"]);
        Ran::of(command.args(words))
    }

    fn openssl(&self, words: &[&str]) -> Ran {
        let mut command = Command::new("timeout");
        command.args(["20", "openssl", "s_client", "-connect", "192.0.2.2:443", "-servername"]);
        command.args(["www.demo.test", "-CAfile", &self.cacert, "-verify_return_error"]);
        Ran::of(command.args(words))
    }

    /// Every connection is closed in order; the capture is complete.
    fn end(self) -> (Host, Capture) {
        let mut world = self.world.stop().unwrap();
        assert!(world.drain(LIMIT).unwrap(), "connections are open: {:?}", self.host.flows());
        world.journal().finish().unwrap();
        (self.host, Capture::open(&self.capture))
    }
}

async fn serve_https(host: Host, tls: TlsServer) {
    let listener = host.listen(SocketAddr::new(OURS, 443)).unwrap();
    loop {
        let stream = listener.accept().await;
        let (host, tls) = (host.clone(), tls.clone());
        host.clone().spawn(async move {
            let (scope, client) = (stream.scope().clone(), stream.peer_addr());
            if let Ok(stream) = tls.accept(&scope, stream).await {
                server::serve(&host, &scope, stream, client, Arc::new(answer), ServerOptions::default())
                    .await;
            }
        });
    }
}

fn answer(request: Received) -> Answer {
    match request.path() {
        "/large" => Answer::ok("application/octet-stream", vec![b'x'; LARGE]),
        "/moved" => Answer::redirect(StatusCode::FOUND, "/hello"),
        "/hello" => Answer::ok("text/plain", format!("hello {}", request.host.unwrap_or_default())),
        path => Answer::not_found(format!("there is no {path}")),
    }
}

#[test]
fn curl_is_served_over_http_and_over_both_versions_of_tls() {
    with_real_peers(&["curl", "tshark"], |network| {
        let serving = Serving::start(network);
        assert_eq!(serving.curl(&["http://www.demo.test/hello"]).ok(), "hello www.demo.test");
        for version in [["--tlsv1.3", "--tls-max", "1.3"], ["--tlsv1.2", "--tls-max", "1.2"]] {
            let words = [&version[..], &["https://www.demo.test/hello"]].concat();
            assert_eq!(serving.curl(&words).ok(), "hello www.demo.test");
        }
        let (host, capture) = serving.end();
        assert!(host.flows().iter().all(|flow| flow.state == TcpState::TimeWait), "{:?}", host.flows());
        capture.is_sound();
        let requests = capture.fields("http.request", &["http.request.full_uri"]);
        let [plain, tls] = ["http://www.demo.test/hello", "https://www.demo.test/hello"];
        assert_eq!(requests, [plain, tls, tls], "the server's secrets decrypt its own capture");
    });
}

#[test]
fn curl_follows_our_redirect_over_the_same_connection_and_sees_our_404() {
    with_real_peers(&["curl"], |network| {
        let serving = Serving::start(network);
        let count = "%{num_connects}";
        let words = ["-L", "-w", count, "https://www.demo.test/moved"];
        // The second transfer opened no connection.
        assert_eq!(serving.curl(&words).ok(), "hello www.demo.test1");
        serving.curl(&["-f", "https://www.demo.test/nothing"]).exits(22);
        let head = serving.curl(&["-I", "https://www.demo.test/large"]).ok().to_ascii_lowercase();
        assert!(head.contains(&format!("content-length: {LARGE}\r\n")), "{head}");
        serving.end();
    });
}

#[test]
fn curl_takes_a_large_body_whole_several_at_a_time() {
    with_real_peers(&["curl"], |network| {
        let serving = Serving::start(network);
        let size = "%{size_download}\n";
        let url = "https://www.demo.test/large";
        let mut words = vec!["--parallel", "--parallel-immediate", "-w", size];
        for _ in 0..8 {
            words.extend([url, "-o", "/dev/null"]);
        }
        assert_eq!(serving.curl(&words).ok(), format!("{LARGE}\n").repeat(8));
        serving.end();
    });
}

#[test]
fn curl_on_a_port_where_nobody_listens_is_refused() {
    with_real_peers(&["curl"], |network| {
        let serving = Serving::start(network);
        serving.curl(&["http://192.0.2.2:81/"]).exits(7);
        let (host, _) = serving.end();
        assert_eq!(host.counters().dropped.get(&DropReason::NoTcpSocket), Some(&1));
    });
}

#[test]
fn openssl_is_content_with_our_handshake_and_our_certificate() {
    with_real_peers(&["openssl"], |network| {
        let serving = Serving::start(network);
        for (version, told) in [("-tls1_3", "TLSv1.3"), ("-tls1_2", "TLSv1.2")] {
            let ran = serving.openssl(&[version, "-alpn", "http/1.1"]).exits(0);
            for words in [told, "Verify return code: 0 (ok)", "ALPN protocol: http/1.1"] {
                assert!(ran.out.contains(words), "no `{words}` in:\n{}{}", ran.out, ran.err);
            }
        }
        let old = serving.openssl(&["-tls1_1", "-cipher", "ALL:@SECLEVEL=0"]).exits(1);
        assert!(old.err.contains("alert"), "refused with an alert: {}", old.err);
        serving.end();
    });
}

#[test]
fn openssl_resumes_a_session_of_ours() {
    with_real_peers(&["openssl"], |network| {
        let serving = Serving::start(network);
        // -reconnect comes back five times with the session of the first connection.
        let ran = serving.openssl(&["-tls1_2", "-reconnect"]).exits(0);
        let count = |words: &str| ran.out.lines().filter(|line| line.starts_with(words)).count();
        assert_eq!((count("New, TLSv1.2"), count("Reused, TLSv1.2")), (1, 5), "{}{}", ran.out, ran.err);
        serving.end();
    });
}
