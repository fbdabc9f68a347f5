//! The requests. Options and URLs stand as on a command line; `{http}`, `{https}` are the strange server,
//! `{nginx}`, `{nginxs}` nginx, `{closed}` is where nobody listens, `{http-port}` and so on their ports.

mod bodies;
mod codings;
mod connections;
mod credentials;
mod heads;
mod nginx;
mod output;
mod redirects;
mod requests;

pub(crate) use super::run::Case;
pub(crate) use bodies::BODIES;
pub(crate) use codings::CODINGS;
pub(crate) use connections::CONNECTIONS;
pub(crate) use credentials::CREDENTIALS;
pub(crate) use heads::HEADS;
pub(crate) use nginx::NGINX;
pub(crate) use output::OUTPUT;
pub(crate) use redirects::REDIRECTS;
pub(crate) use requests::REQUESTS;

/// All groups.
pub(crate) const ALL: [&[Case]; 9] =
    [BODIES, HEADS, CODINGS, REDIRECTS, REQUESTS, CREDENTIALS, OUTPUT, CONNECTIONS, NGINX];

const fn case(name: &'static str, words: &'static str) -> Case {
    Case { name, words }
}
