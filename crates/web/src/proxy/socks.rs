//! SOCKS, as a client: version 4 and 4a, and version 5 (RFC 1928) with a password (RFC 1929).

use super::{Proxy, ProxyScheme};
use futures_util::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use std::io;
use std::net::{IpAddr, SocketAddr};

/// A SOCKS proxy made no way.
#[derive(Debug, thiserror::Error)]
pub enum SocksError {
    /// It is not to be had.
    #[error("{proxy} refused: {why}")]
    Refused {
        /// Which proxy.
        proxy: String,
        /// What it said.
        why: &'static str,
    },
    /// It says what SOCKS does not.
    #[error("{proxy} does not speak SOCKS {version} as expected: {why}")]
    NotSocks {
        /// Which proxy.
        proxy: String,
        /// Which version was spoken.
        version: u8,
        /// What was wrong.
        why: &'static str,
    },
    /// What it is to be told does not fit.
    #[error("{what} cannot be told to a SOCKS proxy: {why}")]
    Unspeakable {
        /// What.
        what: &'static str,
        /// Why not.
        why: &'static str,
    },
    /// The name is to be resolved here, and was not.
    #[error("the proxy is to be told an address, and {0}")]
    Resolve(#[source] glasstack_dns::ResolveError),
    /// The connection failed.
    #[error("the connection to {proxy} failed: {source}")]
    Io {
        /// Which proxy.
        proxy: String,
        /// What failed.
        source: io::Error,
    },
}

/// Where a SOCKS proxy is asked to lead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Destination {
    /// To a name that the proxy resolves.
    Name(String, u16),
    /// To an address.
    Address(SocketAddr),
}

/// Asks the proxy at the other end of `stream` to lead to `to`; behind it, the stream is what leads
/// there.
pub(crate) async fn ask<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    proxy: &Proxy,
    credentials: Option<&(String, String)>,
    to: &Destination,
) -> Result<(), SocksError> {
    let talk = Talk { stream, proxy };
    match proxy.scheme {
        ProxyScheme::Socks4 | ProxyScheme::Socks4a => talk.version_4(credentials, to).await,
        _ => talk.version_5(credentials, to).await,
    }
}

struct Talk<'a, S> {
    stream: &'a mut S,
    proxy: &'a Proxy,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Talk<'_, S> {
    /// <https://www.openssh.com/txt/socks4.protocol>, and socks4a.protocol beside it.
    async fn version_4(
        mut self,
        credentials: Option<&(String, String)>,
        to: &Destination,
    ) -> Result<(), SocksError> {
        let user = credentials.map(|(user, _)| user.as_str()).unwrap_or_default();
        if user.len() > 255 || user.contains('\0') {
            return Err(SocksError::Unspeakable {
                what: "the user",
                why: "it is too long or has a zero in it",
            });
        }
        let (address, port, name) = match to {
            Destination::Address(address) => match address.ip() {
                IpAddr::V4(ip) => (ip.octets(), address.port(), None),
                IpAddr::V6(_) => {
                    return Err(SocksError::Unspeakable {
                        what: "an IPv6 address",
                        why: "SOCKS 4 has no room for it (SOCKS 5 has)",
                    });
                }
            },
            // An address that no host has says that a name follows.
            Destination::Name(name, port) => ([0, 0, 0, 1], *port, Some(bounded(name)?)),
        };
        let mut request = vec![4, 1];
        request.extend(port.to_be_bytes());
        request.extend(address);
        request.extend(user.as_bytes());
        request.push(0);
        if let Some(name) = name {
            request.extend(name.as_bytes());
            request.push(0);
        }
        self.send(&request).await?;
        let [version, code, ..] = self.receive::<8>().await?;
        match (version, code) {
            (0, 90) => Ok(()),
            (0, 91) => Err(self.refused("rejected or failed")),
            (0, 92) => Err(self.refused("it cannot reach the user's identd")),
            (0, 93) => Err(self.refused("the user's identd says another user")),
            (0, _) => Err(self.refused("for a reason that has no name")),
            _ => Err(self.not_socks(4, "the first byte of its answer is not 0")),
        }
    }

    async fn version_5(
        mut self,
        credentials: Option<&(String, String)>,
        to: &Destination,
    ) -> Result<(), SocksError> {
        // RFC 1928 3: which methods of authentication there are.
        const NONE: u8 = 0;
        const PASSWORD: u8 = 2;
        let greeting: &[u8] = if credentials.is_some() { &[5, 2, NONE, PASSWORD] } else { &[5, 1, NONE] };
        self.send(greeting).await?;
        match (self.receive::<2>().await?, credentials) {
            ([5, NONE], _) => {}
            ([5, PASSWORD], Some((user, password))) => self.authenticate(user, password).await?,
            ([5, _], _) => return Err(self.refused("it wants another way of authentication")),
            _ => return Err(self.not_socks(5, "the first byte of its answer is not 5")),
        }
        // RFC 1928 4: the request.
        let mut request = vec![5, 1, 0];
        let port = match to {
            Destination::Name(name, port) => {
                let name = bounded(name)?;
                request.extend([3, u8::try_from(name.len()).unwrap_or(u8::MAX)]);
                request.extend(name.as_bytes());
                *port
            }
            Destination::Address(address) => {
                match address.ip() {
                    IpAddr::V4(ip) => {
                        request.push(1);
                        request.extend(ip.octets());
                    }
                    IpAddr::V6(ip) => {
                        request.push(4);
                        request.extend(ip.octets());
                    }
                }
                address.port()
            }
        };
        request.extend(port.to_be_bytes());
        self.send(&request).await?;
        self.reply().await
    }

    /// RFC 1929 2.
    async fn authenticate(&mut self, user: &str, password: &str) -> Result<(), SocksError> {
        let mut request = vec![1];
        for text in [user, password] {
            let length = u8::try_from(text.len()).map_err(|_| SocksError::Unspeakable {
                what: "user or password",
                why: "it is longer than 255 bytes",
            })?;
            request.push(length);
            request.extend(text.as_bytes());
        }
        self.send(&request).await?;
        match self.receive::<2>().await? {
            [_, 0] => Ok(()),
            _ => Err(self.refused("user or password are wrong")),
        }
    }

    /// RFC 1928 6: the answer, and the address that nobody needs.
    async fn reply(&mut self) -> Result<(), SocksError> {
        let [version, code, _, kind] = self.receive::<4>().await?;
        if version != 5 {
            return Err(self.not_socks(5, "the first byte of its reply is not 5"));
        }
        let why = match code {
            0 => "",
            1 => "general failure",
            2 => "its rules forbid it",
            3 => "network unreachable",
            4 => "host unreachable",
            5 => "connection refused",
            6 => "the packets' time to live ran out",
            7 => "it does not know the command",
            8 => "it does not know this kind of address",
            _ => "for a reason that has no name",
        };
        if code != 0 {
            return Err(self.refused(why));
        }
        match kind {
            1 => drop(self.receive::<6>().await?),
            4 => drop(self.receive::<18>().await?),
            3 => {
                let [length] = self.receive::<1>().await?;
                let mut rest = vec![0; usize::from(length) + 2];
                self.stream.read_exact(&mut rest).await.map_err(|source| self.io(source))?;
            }
            _ => return Err(self.not_socks(5, "its reply has an address of no known kind")),
        }
        Ok(())
    }

    async fn send(&mut self, bytes: &[u8]) -> Result<(), SocksError> {
        let sent = self.stream.write_all(bytes).await;
        sent.map_err(|source| self.io(source))?;
        let flushed = self.stream.flush().await;
        flushed.map_err(|source| self.io(source))
    }

    async fn receive<const N: usize>(&mut self) -> Result<[u8; N], SocksError> {
        let mut bytes = [0; N];
        let read = self.stream.read_exact(&mut bytes).await;
        read.map_err(|source| self.io(source))?;
        Ok(bytes)
    }

    fn io(&self, source: io::Error) -> SocksError {
        SocksError::Io { proxy: self.proxy.to_string(), source }
    }

    fn refused(&self, why: &'static str) -> SocksError {
        SocksError::Refused { proxy: self.proxy.to_string(), why }
    }

    fn not_socks(&self, version: u8, why: &'static str) -> SocksError {
        SocksError::NotSocks { proxy: self.proxy.to_string(), version, why }
    }
}

/// A name that fits into a byte's worth of length.
fn bounded(name: &str) -> Result<&str, SocksError> {
    if name.len() <= 255 && !name.contains('\0') {
        Ok(name)
    } else {
        Err(SocksError::Unspeakable { what: "the host's name", why: "it is longer than 255 bytes" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;
    use futures_util::io::Cursor;
    use std::pin::Pin;
    use std::task::{Context, Poll};

    /// What a proxy will say, and what it has been told.
    struct Script {
        says: Cursor<Vec<u8>>,
        told: Vec<u8>,
    }

    impl AsyncRead for Script {
        fn poll_read(
            mut self: Pin<&mut Self>,
            cx: &mut Context<'_>,
            buffer: &mut [u8],
        ) -> Poll<io::Result<usize>> {
            Pin::new(&mut self.says).poll_read(cx, buffer)
        }
    }

    impl AsyncWrite for Script {
        fn poll_write(mut self: Pin<&mut Self>, _: &mut Context<'_>, data: &[u8]) -> Poll<io::Result<usize>> {
            self.told.extend_from_slice(data);
            Poll::Ready(Ok(data.len()))
        }
        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
        fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }

    fn talk(proxy: &str, says: &[u8], to: &Destination) -> (Vec<u8>, Result<(), SocksError>) {
        let proxy: Proxy = proxy.parse().unwrap();
        let mut script = Script { says: Cursor::new(says.to_vec()), told: Vec::new() };
        let result = ask(&mut script, &proxy, proxy.credentials.as_ref(), to).now_or_never().unwrap();
        (script.told, result)
    }

    fn address() -> Destination {
        Destination::Address("10.0.0.2:80".parse().unwrap())
    }

    fn name() -> Destination {
        Destination::Name("h.test".to_owned(), 443)
    }

    #[test]
    fn version_4_is_told_an_address_and_4a_a_name() {
        let (told, result) = talk("socks4://me@p.test", &[0, 90, 0, 0, 0, 0, 0, 0], &address());
        assert_eq!(told, [&[4, 1, 0, 80, 10, 0, 0, 2][..], b"me\0"].concat());
        result.unwrap();
        let (told, result) = talk("socks4a://p.test", &[0, 90, 0, 0, 0, 0, 0, 0], &name());
        assert_eq!(told, [&[4, 1, 1, 187, 0, 0, 0, 1, 0][..], b"h.test\0"].concat());
        result.unwrap();
        let (_, result) = talk("socks4://p.test", &[0, 91, 0, 0, 0, 0, 0, 0], &address());
        assert!(matches!(result, Err(SocksError::Refused { .. })), "{result:?}");
    }

    #[test]
    fn version_5_is_told_a_name_and_a_password_if_it_wants_one() {
        let granted = [5, 2, 1, 0, 5, 0, 0, 1, 10, 0, 0, 9, 0, 80];
        let (told, result) = talk("socks5h://me:pw@p.test", &granted, &name());
        let expected = [&[5, 2, 0, 2, 1, 2][..], b"me", &[2], b"pw", &[5, 1, 0, 3, 6], b"h.test", &[1, 187]];
        assert_eq!(told, expected.concat());
        result.unwrap();
        let named = [5, 0, 5, 0, 0, 3, 1, b'x', 0, 80];
        let (told, result) = talk("socks5://p.test", &named, &address());
        assert_eq!(told, [5, 1, 0, 5, 1, 0, 1, 10, 0, 0, 2, 0, 80]);
        result.unwrap();
    }

    #[test]
    fn a_refusal_says_why_and_what_is_no_socks_is_noticed() {
        let says = |says: &[u8]| talk("socks5://me:pw@p.test", says, &name()).1.unwrap_err();
        assert!(says(&[5, 0, 5, 5, 0, 1, 0, 0, 0, 0, 0, 0]).to_string().contains("connection refused"));
        assert!(says(&[5, 255]).to_string().contains("another way of authentication"));
        assert!(says(&[5, 2, 1, 1]).to_string().contains("password are wrong"));
        assert!(matches!(says(b"HTTP/1.1 400"), SocksError::NotSocks { .. }));
        assert!(matches!(says(&[5]), SocksError::Io { .. }));
        assert!(matches!(says(&[5, 0, 5, 0, 0, 9]), SocksError::NotSocks { .. }));
        let long = Destination::Name("x".repeat(256), 80);
        let (_, result) = talk("socks5h://p.test", &[5, 0], &long);
        assert!(matches!(result, Err(SocksError::Unspeakable { .. })));
    }
}
