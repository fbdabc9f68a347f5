//! The secrets that rustls tells, and the keys that follow from them.

use super::Conversation;
use crate::hex::hex;
use crate::observe::primitives::Hash;
use crate::observe::protection::Protection;
use crate::observe::schedule::{self, Keys, Suite};
use crate::observe::transcript::Transcript;
use glasstack_journal::event::{Party, Tls, TrafficKeys};

/// The secrets that keys are made of, by their labels in the key log (RFC 9850 2), in the order in
/// which they come to be.
pub(in crate::observe) const LABELS: [&str; 6] = [
    "CLIENT_RANDOM",
    "CLIENT_EARLY_TRAFFIC_SECRET",
    "CLIENT_HANDSHAKE_TRAFFIC_SECRET",
    "SERVER_HANDSHAKE_TRAFFIC_SECRET",
    "CLIENT_TRAFFIC_SECRET_0",
    "SERVER_TRAFFIC_SECRET_0",
];
/// RFC 5246 8.1: a master secret has 48 bytes, and no hash here is longer.
const LONGEST: usize = 64;

/// Which keys an end uses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Epoch {
    #[default]
    Plain,
    Early,
    Handshake,
    Application,
    Tls12,
}

impl Epoch {
    /// The label of the secret that the keys of `party` are made of.
    pub(super) fn label(self, party: Party) -> Option<&'static str> {
        Some(match (self, party) {
            (Self::Plain, _) | (Self::Early, Party::Server) => return None,
            (Self::Early, Party::Client) => "CLIENT_EARLY_TRAFFIC_SECRET",
            (Self::Handshake, Party::Client) => "CLIENT_HANDSHAKE_TRAFFIC_SECRET",
            (Self::Handshake, Party::Server) => "SERVER_HANDSHAKE_TRAFFIC_SECRET",
            (Self::Application, Party::Client) => "CLIENT_TRAFFIC_SECRET_0",
            (Self::Application, Party::Server) => "SERVER_TRAFFIC_SECRET_0",
            (Self::Tls12, _) => "CLIENT_RANDOM",
        })
    }
}

/// The secrets so far, and the transcript hashes that went into them.
#[derive(Default)]
pub(super) struct Secrets {
    known: Vec<(&'static str, Vec<u8>)>,
    marks: Vec<(&'static str, Vec<u8>)>,
    told: Vec<(&'static str, Party)>,
}

impl Secrets {
    /// The first of each label is kept; what has another label makes no keys.
    pub(super) fn add(&mut self, label: &str, secret: &[u8]) {
        let known = LABELS.into_iter().find(|known| *known == label);
        if let Some(label) = known.filter(|_| secret.len() <= LONGEST && self.get(label).is_none()) {
            self.known.push((label, secret.to_vec()));
        }
    }

    pub(super) fn get(&self, label: &str) -> Option<&[u8]> {
        self.known.iter().find(|(known, _)| *known == label).map(|(_, secret)| &secret[..])
    }

    /// Keeps the hash of the handshake up to the message `behind`.
    pub(super) fn mark(&mut self, behind: &'static str, transcript: &Transcript) {
        if let Some(hash) = transcript.so_far()
            && self.marked(behind).is_none()
        {
            self.marks.push((behind, hash));
        }
    }

    /// Keeps the hash of the first ClientHello, now that it is known which hash it is.
    pub(super) fn mark_first(&mut self, suite: Suite, transcript: &Transcript) {
        if let Transcript::Messages(messages) = transcript {
            let mut hashing = suite.hash.start();
            hashing.update(messages);
            self.marks.push(("ClientHello", hashing.so_far()));
        }
    }

    fn marked(&self, behind: &str) -> Option<String> {
        self.marks.iter().find(|(mark, _)| *mark == behind).map(|(_, hash)| hex(hash))
    }
}

impl Conversation {
    /// Whether the secret of this label protects anything. A server can make that of early data whenever
    /// it takes a session up (RFC 8446 7.1); there is early data only if the hello says so (4.2.10).
    pub(in crate::observe) fn is_of_use(&self, label: &str) -> bool {
        let hello = self.agreed.hello.as_ref();
        label != LABELS[1]
            || self.us == Party::Client
            || hello.is_some_and(|hello| !hello.all("early_data").is_empty())
    }

    /// Whether there are keys to open the records of `from` with; makes them if they can be made.
    pub(super) fn has_keys(&mut self, from: Party) -> bool {
        let (suite, tls13) = (self.agreed.suite, self.agreed.tls13);
        let epoch = self.end(from).epoch;
        if self.end(from).protection.is_none()
            && let (Some(suite), Some(label)) = (suite, epoch.label(from))
            && let Some(secret) = self.secrets.get(label)
        {
            let keys = match tls13 {
                true => schedule::traffic_keys(suite, secret),
                false => schedule::key_block(suite, secret, &self.agreed.randoms, from),
            };
            self.end(from).protection = Protection::new(suite, &keys, tls13);
        }
        self.end(from).protection.is_some()
    }

    /// RFC 8446 4.6.3 and 7.2: the end that says KeyUpdate has new keys behind it.
    pub(super) fn on_key_update(&mut self, from: Party) {
        let (Some(suite), Some(label)) = (self.agreed.suite, Epoch::Application.label(from)) else { return };
        let known = self.secrets.known.iter_mut().find(|(known, _)| *known == label);
        let Some((_, secret)) = known else { return };
        *secret = schedule::next_secret(suite.hash, secret);
        let (secret, keys) = (secret.clone(), schedule::traffic_keys(suite, secret));
        let end = self.end(from);
        end.protection = Protection::new(suite, &keys, true);
        end.generation += 1;
        let generation = end.generation;
        let derivation = format!(
            "application_traffic_secret_{generation} = HKDF-Expand-Label(application_traffic_secret_{}, \"traffic upd\", \"\")",
            generation - 1
        );
        self.tell_one(suite, (label, from), derivation, &secret, &keys, None);
    }

    /// Tells of the keys that have come to be, each once.
    pub(super) fn tell_keys(&mut self) {
        let Some(suite) = self.agreed.suite else { return };
        if self.agreed.tls13 {
            for (label, party, behind, derivation) in SCHEDULE {
                let Some(hash) = self.secrets.marked(behind) else { continue };
                self.tell_due(suite, (label, party), (*derivation).to_owned(), Some(hash));
            }
        } else if [&self.client, &self.server].iter().any(|end| end.epoch == Epoch::Tls12) {
            let session = self.secrets.marked("ClientKeyExchange");
            let source = match &session {
                Some(_) => {
                    "master_secret from the key exchange (RFC 7627: with the hash of the handshake up to \
                            ClientKeyExchange, if extended_master_secret was agreed on)"
                }
                None => "master_secret of the session that is resumed",
            };
            for party in [Party::Client, Party::Server] {
                let derivation = format!(
                    "{source}; key_block = PRF(master_secret, \"key expansion\", server_random + client_random)"
                );
                self.tell_due(suite, (&LABELS[0], &party), derivation, session.clone());
            }
        }
    }

    fn tell_due(
        &mut self,
        suite: Suite,
        (label, party): (&&'static str, &Party),
        derivation: String,
        transcript: Option<String>,
    ) {
        let key = (*label, *party);
        let Some(secret) = self.secrets.get(label).map(<[u8]>::to_vec) else { return };
        if self.secrets.told.contains(&key) {
            return;
        }
        self.secrets.told.push(key);
        let keys = match self.agreed.tls13 {
            true => schedule::traffic_keys(suite, &secret),
            false => schedule::key_block(suite, &secret, &self.agreed.randoms, *party),
        };
        self.tell_one(suite, key, derivation, &secret, &keys, transcript);
    }

    fn tell_one(
        &mut self,
        suite: Suite,
        (label, writer): (&'static str, Party),
        derivation: String,
        secret: &[u8],
        keys: &Keys,
        transcript_hash: Option<String>,
    ) {
        // RFC 8446 4.4: the Base Key of a Finished is the handshake traffic secret.
        let finishes = label.contains("HANDSHAKE");
        let key = |hash: Hash| hex(&schedule::finished_key(hash, secret));
        self.telling.tell(Tls::KeysDerived(Box::new(TrafficKeys {
            writer,
            label,
            derivation,
            secret: hex(secret),
            transcript_hash,
            hash: suite.hash.name(),
            cipher: suite.cipher.name(),
            key: hex(&keys.key),
            iv: hex(&keys.iv),
            finished_key: finishes.then(|| key(suite.hash)),
        })));
    }
}

/// RFC 8446 7.1: secret, whose records it protects, the last message of the transcript that went into
/// it, and how it is made.
const SCHEDULE: &[(&str, Party, &str, &str)] = &[
    (LABELS[1], Party::Client, "ClientHello", "Derive-Secret(Early Secret, \"c e traffic\", ClientHello)"),
    (
        LABELS[2],
        Party::Client,
        "ServerHello",
        "Derive-Secret(Handshake Secret, \"c hs traffic\", ClientHello..ServerHello)",
    ),
    (
        LABELS[3],
        Party::Server,
        "ServerHello",
        "Derive-Secret(Handshake Secret, \"s hs traffic\", ClientHello..ServerHello)",
    ),
    (
        LABELS[4],
        Party::Client,
        "server Finished",
        "Derive-Secret(Master Secret, \"c ap traffic\", ClientHello..server Finished)",
    ),
    (
        LABELS[5],
        Party::Server,
        "server Finished",
        "Derive-Secret(Master Secret, \"s ap traffic\", ClientHello..server Finished)",
    ),
];
