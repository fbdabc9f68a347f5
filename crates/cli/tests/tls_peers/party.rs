//! An authority, those whom it vouches for, and our client.

use crate::support::pki::{Authority, IdentityFiles, params};
use crate::support::{Network, Ran, Server, WEB};
use rcgen::{CertificateParams, KeyPair};
use std::net::TcpStream;
use std::process::Command;

pub(crate) const NAME: &str = "www.demo.test";
pub(crate) const PORT: u16 = 4433;
/// The serial number of the server's certificate.
pub(crate) const SERIAL: u64 = 42;

/// A network with an authority in it, whom all believe.
pub(crate) struct Party<'a> {
    pub(crate) network: &'a Network,
    pub(crate) authority: Authority,
    /// The authority's certificate.
    pub(crate) ca: String,
}

impl<'a> Party<'a> {
    pub(crate) fn new(network: &'a Network) -> Self {
        let authority = Authority::new("a throw-away CA");
        let ca = authority.file(network);
        Self { network, authority, ca }
    }

    /// A certificate with an ECDSA key, in files.
    pub(crate) fn identity(&self, stem: &str, params: CertificateParams) -> IdentityFiles {
        self.authority.in_files(self.network, stem, params, &KeyPair::generate().unwrap())
    }

    /// A certificate for the server, with an ECDSA key.
    pub(crate) fn server_identity(&self) -> IdentityFiles {
        self.identity("server", params(NAME, SERIAL))
    }

    /// A certificate for the server, with an RSA key.
    pub(crate) fn rsa_identity(&self) -> IdentityFiles {
        let key = openssl(&["genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"]);
        let key = KeyPair::from_pem(&key).unwrap();
        self.authority.in_files(self.network, "rsa", params(NAME, SERIAL + 1), &key)
    }

    /// A certificate for a client.
    pub(crate) fn client_identity(&self, name: &str, serial: u64) -> IdentityFiles {
        self.identity(name, params(name, serial))
    }

    /// A certificate that the authority knows nothing of.
    pub(crate) fn stranger(&self) -> IdentityFiles {
        self.stranger_at("mallory")
    }

    /// The same, for this name.
    pub(crate) fn stranger_at(&self, name: &str) -> IdentityFiles {
        let other = Authority::new("another CA");
        other.in_files(self.network, "mallory", params(name, 13), &KeyPair::generate().unwrap())
    }

    /// An OCSP response of the authority about a certificate, in a file: it is good (`V`) or was revoked
    /// (`R`).
    pub(crate) fn staple(&self, certificate: &str, status: &str) -> String {
        let path = self.network.path("staple.der");
        let key = self.ca_key();
        let index = self.index(certificate, status);
        let signer = ["ocsp", "-index", &index, "-CA", &self.ca, "-rsigner", &self.ca, "-rkey", &key];
        let asked = ["-issuer", &self.ca, "-cert", certificate, "-ndays", "30", "-respout", &path];
        openssl(&[&signer[..], &asked].concat());
        path
    }

    /// The authority's key, in a file.
    pub(crate) fn ca_key(&self) -> String {
        self.network.write("ca.key", self.authority.key_pem())
    }

    /// The index of the authority, as `openssl ca` and `openssl ocsp` keep it, in a file: this certificate
    /// is good (`V`), or was revoked (`R`).
    pub(crate) fn index(&self, certificate: &str, status: &str) -> String {
        self.network.write("index.txt.attr", "unique_subject = no\n");
        self.network.write("index.txt", index_line(certificate, status))
    }

    /// `glasstack get` of the server's page, with these options.
    pub(crate) fn get(&self, options: &[&str]) -> Ran {
        self.get_all(&[&format!("https://{NAME}:{PORT}/")], options)
    }

    /// The same for several URLs.
    pub(crate) fn get_all(&self, urls: &[&str], options: &[&str]) -> Ran {
        let resolve = format!("{NAME}:{PORT}:{WEB}");
        let fixed = ["get", "--cacert", &self.ca, "--resolve", &resolve];
        self.network.glasstack(&[&fixed, urls, options].concat())
    }

    /// A server that says on stdout and stderr what happens, once it accepts connections.
    pub(crate) fn server(&self, program: &str, words: &[&str]) -> Server {
        let is_ready = || TcpStream::connect((WEB, PORT)).is_ok();
        Server::heard_until(self.network, program, program, words, is_ready)
    }

    /// `openssl s_server` with this certificate and these options; it answers with what it knows of the
    /// session, and tells every step.
    pub(crate) fn openssl_server(&self, identity: &IdentityFiles, options: &[&str]) -> Server {
        let accept = format!("{WEB}:{PORT}");
        let fixed = ["s_server", "-accept", &accept, "-cert", &identity.certificate, "-key", &identity.key];
        let told = ["-CAfile", &self.ca, "-www", "-state"];
        self.server("openssl", &[&fixed[..], &told, options].concat())
    }
}

/// A certificate in the index that `openssl ca` and `openssl ocsp` keep: status, end, time and reason of
/// its revocation, serial number, file, subject.
fn index_line(certificate: &str, status: &str) -> String {
    let serial = openssl(&["x509", "-in", certificate, "-noout", "-serial"]);
    let serial = serial.trim().trim_start_matches("serial=").to_owned();
    let revoked = if status == "R" { "020101000000Z,keyCompromise" } else { "" };
    format!("{status}\t29991231000000Z\t{revoked}\t{serial}\tunknown\t/CN={NAME}\n")
}

pub(crate) fn openssl(words: &[&str]) -> String {
    Ran::of(Command::new("openssl").args(words)).ok()
}

/// A run ended with this code, and its error contains all of this.
#[track_caller]
pub(crate) fn refuses(ran: Ran, code: i32, parts: &[&str]) {
    let ran = ran.exits(code);
    let error = ran.err.lines().skip_while(|line| !line.starts_with("glasstack: "));
    let error: Vec<&str> = error.take_while(|line| !line.starts_with("the journey")).collect();
    has(&error.join("\n"), parts);
}

/// What a run has told on stderr contains all of this.
#[track_caller]
pub(crate) fn tells(ran: &Ran, parts: &[&str]) {
    for part in parts {
        assert!(ran.err.contains(part), "`{part}` is not told:\n{}", ran.err);
    }
}

/// A text contains all of this.
#[track_caller]
pub(crate) fn has(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "no `{part}` in:\n{text}");
    }
}

/// The server has said this, or says it soon.
#[track_caller]
pub(crate) fn hears(server: &Server, words: &str) {
    server.until(|| server.said().contains(words));
}
