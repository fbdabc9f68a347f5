//! The servers that both clients talk to: the strange one, and nginx. On loopback, at ports of their
//! own, as the user who runs the tests.

#![allow(dead_code, reason = "each test binary uses its part")]
#![allow(clippy::disallowed_methods, reason = "real servers live in real time")]
#![allow(clippy::disallowed_types, reason = "they are looked for with the kernel's own sockets")]

use super::folder::Folder;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use serde_json::Value;
use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// Far beyond what a server takes to start.
const START: Duration = Duration::from_secs(30);
/// Where nobody listens.
const CLOSED: u16 = 1;
/// How often nginx is given other ports, if somebody else was quicker.
const TRIES: usize = 5;

/// A throw-away authority, and the servers' certificate for 127.0.0.1, localhost and *.example.
pub(crate) struct Certificates {
    pub(crate) authority: String,
    certificate: String,
    key: String,
}

impl Certificates {
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::default();
        // OpenSSL takes a certificate that names its own issuer for a self-signed one.
        params.distinguished_name.push(DnType::CommonName, "a throw-away authority");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let authority = params.self_signed(&key).unwrap().pem();
        let issuer = Issuer::new(params, key);
        let names = ["127.0.0.1", "localhost", "strange.example", "other.example"];
        let params = CertificateParams::new(names.map(str::to_owned)).unwrap();
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &issuer).unwrap().pem();
        Self { authority, certificate, key: key.serialize_pem() }
    }
}

/// One of each.
pub(crate) struct Peers {
    pub(crate) strange: Strange,
    pub(crate) nginx: Nginx,
}

impl Peers {
    pub(crate) fn start(folder: &Folder, certificates: &Certificates) -> Self {
        let strange = Strange::start(folder, certificates);
        let nginx = Nginx::start(folder);
        Self { strange, nginx }
    }

    /// A text with the places in braces filled in: servers, ports, and `{5000 a}`.
    pub(crate) fn fill(&self, text: &str) -> String {
        let ports = [
            ("http", self.strange.http),
            ("https", self.strange.https),
            ("nginx", self.nginx.http),
            ("nginxs", self.nginx.https),
            ("closed", CLOSED),
        ];
        let mut filled = text.to_owned();
        for length in [5000, 7000, 9000] {
            filled = filled.replace(&format!("{{{length} a}}"), &"a".repeat(length));
        }
        for (name, port) in ports {
            let scheme = if name.ends_with('s') { "https" } else { "http" };
            filled = filled
                .replace(&format!("{{{name}}}"), &format!("{scheme}://127.0.0.1:{port}"))
                .replace(&format!("{{{name}-port}}"), &port.to_string());
        }
        filled
    }
}

/// strange_server.py. It ends when this lets go of its stdin.
pub(crate) struct Strange {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: BufReader<ChildStdout>,
    pub(crate) http: u16,
    pub(crate) https: u16,
}

impl Strange {
    pub(crate) fn start(folder: &Folder, certificates: &Certificates) -> Self {
        folder.write("server.pem", &certificates.certificate);
        folder.write("server.key", &certificates.key);
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/strange_server.py");
        let mut command = Command::new("python3");
        command.args(["-B", script, &folder.path("server.pem"), &folder.path("server.key")]);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let stdin = child.stdin.take();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        let mut ports = [0; 2];
        while line.trim() != "ready" {
            match line.trim().split_once(' ') {
                Some(("http", port)) => ports[0] = port.parse().unwrap(),
                Some(("https", port)) => ports[1] = port.parse().unwrap(),
                _ => {}
            }
            line.clear();
            assert!(stdout.read_line(&mut line).unwrap() > 0, "the strange server does not start");
        }
        Self { child, stdin, stdout, http: ports[0], https: ports[1] }
    }

    /// What each connection since the last call received, once all have ended.
    pub(crate) fn received(&mut self) -> Vec<Vec<u8>> {
        self.stdin.as_mut().unwrap().write_all(b"?\n").unwrap();
        let mut line = String::new();
        self.stdout.read_line(&mut line).unwrap();
        let connections: Value = serde_json::from_str(&line).unwrap();
        let bytes = connections.as_array().unwrap().iter().map(|connection| {
            let latin1 = connection["bytes"].as_str().unwrap();
            latin1.chars().map(|byte| u8::try_from(u32::from(byte)).unwrap()).collect()
        });
        bytes.collect()
    }
}

impl Drop for Strange {
    fn drop(&mut self) {
        drop(self.stdin.take());
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A real server.
pub(crate) struct Nginx {
    child: Child,
    http: u16,
    https: u16,
}

impl Nginx {
    fn start(folder: &Folder) -> Self {
        for (name, content) in pages() {
            folder.write(&format!("www/{name}"), &content);
        }
        for name in ["dav", "limited", "work"] {
            std::fs::create_dir_all(folder.path(&format!("www/{name}"))).unwrap();
        }
        folder.write("htpasswd", "user:{PLAIN}pass\n");
        for _ in 0..TRIES {
            if let Some(nginx) = Self::try_start(folder, free_port(), free_port()) {
                return nginx;
            }
        }
        panic!("nginx does not start: {}", folder.read("nginx.said"));
    }

    /// None where a port was taken in the meantime.
    fn try_start(folder: &Folder, http: u16, https: u16) -> Option<Self> {
        folder.write("nginx.conf", config(folder, http, https));
        let said = std::fs::File::create(folder.path("nginx.said")).unwrap();
        let mut command = Command::new("nginx");
        command.args(["-e", "stderr", "-p", &folder.path("www/work"), "-c", &folder.path("nginx.conf")]);
        let child = command.stdin(Stdio::null()).stderr(said).spawn().unwrap();
        let mut nginx = Self { child, http, https };
        let begun = Instant::now();
        while TcpStream::connect((Ipv4Addr::LOCALHOST, https)).is_err() {
            if nginx.child.try_wait().unwrap().is_some() || begun.elapsed() > START {
                return None;
            }
            thread::sleep(Duration::from_millis(10));
        }
        Some(nginx)
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Chosen by the operating system, free a moment ago.
fn free_port() -> u16 {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port()
}

/// The files that nginx serves.
fn pages() -> Vec<(&'static str, Vec<u8>)> {
    let long: String = (0..20_000).map(|line| format!("line {line} of a long text\n")).collect();
    vec![
        ("index.html", b"<p>the first page</p>\n".to_vec()),
        ("long.txt", long.into_bytes()),
        ("large.bin", (0..3_000_000_u32).map(|i| (i % 251).to_le_bytes()[0]).collect()),
        ("empty.txt", Vec::new()),
        ("folder/a b.txt", b"a name with a blank\n".to_vec()),
        ("folder/1.txt", b"one\n".to_vec()),
        ("folder/2.txt", b"two\n".to_vec()),
        ("folder/3.txt", b"three\n".to_vec()),
        ("private/secret.txt", b"the secret\n".to_vec()),
        ("limited/slow.txt", vec![b'.'; 30_000]),
    ]
}

fn config(folder: &Folder, http: u16, https: u16) -> String {
    let (www, work) = (folder.path("www"), folder.path("www/work"));
    let (pem, key, htpasswd) =
        (folder.path("server.pem"), folder.path("server.key"), folder.path("htpasswd"));
    format!(
        "daemon off; master_process off; pid {work}/pid; error_log stderr crit;
        events {{}}
        http {{
            access_log off;
            client_body_temp_path {work}/body; proxy_temp_path {work}/proxy;
            fastcgi_temp_path {work}/fastcgi; uwsgi_temp_path {work}/uwsgi; scgi_temp_path {work}/scgi;
            types {{ text/html html; text/plain txt; }}
            default_type application/octet-stream;
            ssl_protocols TLSv1.2 TLSv1.3;
            server {{
                listen 127.0.0.1:{http};
                listen 127.0.0.1:{https} ssl;
                ssl_certificate {pem}; ssl_certificate_key {key};
                root {www};
                gzip on; gzip_min_length 1; gzip_types text/plain;
                location / {{ }}
                location /folder/ {{ autoindex on; }}
                location /private/ {{ auth_basic \"the private part\"; auth_basic_user_file {htpasswd}; }}
                location /dav/ {{ dav_methods PUT DELETE MKCOL; create_full_put_path on; client_max_body_size 10m; }}
                location /limited/ {{ dav_methods PUT; client_max_body_size 1k; limit_rate 100k; }}
                location /moved {{ return 301 /index.html; }}
                location /secure {{ return 302 https://$host:{https}/index.html; }}
                location /see-other {{ return 303 /said; }}
                location /again {{ return 307 /said; }}
                location /for-good {{ return 308 /said; }}
                location /said {{ return 200 \"$request_method $content_type $content_length $http_referer $is_args$args\\n\"; }}
                location /nothing {{ return 204; }}
                location /gone {{ return 410 \"gone\\n\"; }}
                location /teapot {{ return 418; }}
                location /abrupt {{ return 444; }}
                location /last {{ keepalive_timeout 0; return 200 \"the last one\\n\"; }}
                location /which {{ return 200 \"request $connection_requests of this connection\\n\"; }}
                location /old {{ add_header Set-Cookie \"nginx=1; Path=/; HttpOnly\"; return 200 \"$http_cookie\\n\"; }}
                location /tls {{ return 200 \"$ssl_protocol\\n\"; }}
                location /read-only {{ limit_except GET {{ deny all; }} return 200 \"read\\n\"; }}
            }}
        }}"
    )
}
