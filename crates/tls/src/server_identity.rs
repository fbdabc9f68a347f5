//! What a server has to show: identities that stand, and such as are made when they are first asked
//! for; and which of them answers to a name.

use crate::identity::{Identity, canonical};
use crate::identity_files::IdentityError;
use std::fmt;
use std::sync::{Arc, OnceLock};

/// One of a server's identities.
#[derive(Clone, Debug)]
pub enum ServerIdentity {
    /// It stands.
    Ready(Identity),
    /// It is made when the first client asks for it.
    Lazy(LazyIdentity),
}

impl ServerIdentity {
    /// The names it is shown for.
    pub fn names(&self) -> &[String] {
        match self {
            Self::Ready(identity) => identity.names(),
            Self::Lazy(lazy) => &lazy.names,
        }
    }

    /// The identity itself, made if need be.
    pub fn get(&self) -> Result<Identity, IdentityError> {
        match self {
            Self::Ready(identity) => Ok(identity.clone()),
            Self::Lazy(lazy) => lazy.get(),
        }
    }
}

impl From<Identity> for ServerIdentity {
    fn from(identity: Identity) -> Self {
        Self::Ready(identity)
    }
}

impl From<LazyIdentity> for ServerIdentity {
    fn from(lazy: LazyIdentity) -> Self {
        Self::Lazy(lazy)
    }
}

/// Makes an identity.
pub type MakeIdentity = Arc<dyn Fn() -> Result<Identity, IdentityError> + Send + Sync>;

/// An identity that is made when the first client asks for it, and then kept: a server of many names
/// makes no key in vain. Clones share what was made.
#[derive(Clone)]
pub struct LazyIdentity {
    names: Vec<String>,
    make: MakeIdentity,
    made: Arc<OnceLock<Identity>>,
}

impl LazyIdentity {
    /// Shown for `names` (`*.example.test` stands for one label), and made by `make`, which is asked
    /// again at the next handshake when it failed.
    pub fn new<N: AsRef<str>>(names: impl IntoIterator<Item = N>, make: MakeIdentity) -> Self {
        let names = names.into_iter().map(|name| canonical(name.as_ref())).collect();
        Self { names, make, made: Arc::default() }
    }

    /// The identity, made if need be.
    fn get(&self) -> Result<Identity, IdentityError> {
        if let Some(identity) = self.made.get() {
            return Ok(identity.clone());
        }
        let identity = (self.make)()?.with_names(&self.names);
        Ok(self.made.get_or_init(|| identity).clone())
    }
}

impl fmt::Debug for LazyIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LazyIdentity").field("names", &self.names).finish_non_exhaustive()
    }
}

/// Which identity answers to a name.
pub(crate) struct Choice<'a> {
    pub(crate) identity: &'a ServerIdentity,
    /// In words.
    pub(crate) why: String,
    /// Whether it is for the name asked for, or no name was asked for.
    pub(crate) fits: bool,
}

/// Which identity answers to `asked`, and why: the exact name, then a wildcard, then the first (as
/// nginx does). `identities` is not empty where this is called; `None` says that it was.
pub(crate) fn choose<'a>(identities: &'a [ServerIdentity], asked: Option<&str>) -> Option<Choice<'a>> {
    let first = identities.first()?;
    let Some(asked) = asked.map(canonical) else {
        let why = "no name asked for (no SNI): the first certificate is the default".to_owned();
        return Some(Choice { identity: first, why, fits: true });
    };
    let of_name = |wanted: &str| identities.iter().find(|one| one.names().iter().any(|name| name == wanted));
    if let Some(identity) = of_name(&asked) {
        return Some(Choice { identity, why: format!("it is for {asked}"), fits: true });
    }
    // RFC 9525 6.3: a wildcard stands for exactly one label, the leftmost.
    if let Some((_, parent)) = asked.split_once('.') {
        let wildcard = format!("*.{parent}");
        if let Some(identity) = of_name(&wildcard) {
            return Some(Choice { identity, why: format!("it is for {wildcard}"), fits: true });
        }
    }
    let why = format!("no certificate is for {asked}: the first one is the default");
    Some(Choice { identity: first, why, fits: false })
}
