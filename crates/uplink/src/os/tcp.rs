//! TCP by the kernel.

use crate::reactor::{Reactor, Registered, Side};
use futures_io::{AsyncRead, AsyncWrite};
use nix::errno::Errno;
use nix::libc::linger;
use nix::sys::socket::{SockProtocol, SockType, SockaddrStorage, connect, setsockopt, sockopt};
use std::future::poll_fn;
use std::io::{self, Read, Write};
use std::net::{IpAddr, Shutdown, SocketAddr};
use std::os::fd::AsRawFd;
use std::pin::Pin;
use std::task::{Context, Poll};

/// A connection of the kernel's. Dropping it is close(2).
pub(crate) struct OsTcpStream {
    io: Registered<mio::net::TcpStream>,
}

impl OsTcpStream {
    /// Opens a connection, from the address `from` if that is said. The error is the kernel's own: `ECONNREFUSED` for a reset,
    /// `EHOSTUNREACH` or `ENETUNREACH` for ICMP, `ETIMEDOUT` when nobody answered.
    pub(crate) async fn connect(reactor: &Reactor, to: SocketAddr, from: Option<IpAddr>) -> io::Result<Self> {
        let io = reactor.register(call(to, from)?)?;
        let done = |socket: &mio::net::TcpStream| {
            // connect(2): once the socket is writable, SO_ERROR tells how it went.
            if let Some(error) = socket.take_error()? {
                return Err(error);
            }
            match socket.peer_addr() {
                Err(error) if error.kind() == io::ErrorKind::NotConnected => {
                    Err(io::ErrorKind::WouldBlock.into())
                }
                outcome => outcome.map(drop),
            }
        };
        poll_fn(|cx| io.poll_io(Side::Write, cx, done)).await?;
        let stream = Self::connected(io)?;
        // RFC 9293 3.5: whoever calls from the port that he calls, opens simultaneously with himself.
        // It happens on the loopback interface, by the kernel's choice of a port, where nobody
        // listens.
        if stream.local_addr()? == to {
            stream.reset();
            return Err(Errno::ECONNREFUSED.into());
        }
        Ok(stream)
    }

    /// What a relay sends on has waited for company already: Nagle's algorithm is off.
    fn connected(io: Registered<mio::net::TcpStream>) -> io::Result<Self> {
        io.get().set_nodelay(true)?;
        // A peer that is gone without a word does not keep its place for ever.
        setsockopt(io.get(), sockopt::KeepAlive, &true)?;
        Ok(Self { io })
    }

    /// This machine's end.
    pub(crate) fn local_addr(&self) -> io::Result<SocketAddr> {
        self.io.get().local_addr()
    }

    /// Ends the connection with a RST: close(2) with SO_LINGER of 0 (socket(7)).
    pub(crate) fn reset(self) {
        // Where the kernel will not, the connection ends by FIN or RST as close(2) sees fit.
        let _ = setsockopt(self.io.get(), sockopt::Linger, &linger { l_onoff: 1, l_linger: 0 });
    }

    /// Waits until the kernel reports an error of the connection, whatever is still to be read.
    pub(crate) fn poll_fault(&self, cx: &Context<'_>) -> Poll<()> {
        self.io.poll_fault(cx)
    }

    /// [`AsyncRead::poll_read`] for who has only a reference.
    pub(crate) fn poll_read_ref(&self, cx: &Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        self.io.poll_transfer(Side::Read, cx, buffer.len(), |mut socket| socket.read(buffer))
    }

    /// [`AsyncWrite::poll_write`] for who has only a reference.
    pub(crate) fn poll_write_ref(&self, cx: &Context<'_>, data: &[u8]) -> Poll<io::Result<usize>> {
        self.io.poll_transfer(Side::Write, cx, data.len(), |mut socket| socket.write(data))
    }

    /// Sends a FIN; the other direction stays open.
    pub(crate) fn finish(&self) -> io::Result<()> {
        match self.io.get().shutdown(Shutdown::Write) {
            // The peer's reset was faster; who reads will hear of it.
            Err(error) if error.kind() == io::ErrorKind::NotConnected => Ok(()),
            outcome => outcome,
        }
    }
}

/// A connection that is being opened.
fn call(to: SocketAddr, from: Option<IpAddr>) -> io::Result<mio::net::TcpStream> {
    let socket = super::open(SockType::Stream, SockProtocol::Tcp, to.ip(), from)?;
    match connect(socket.as_raw_fd(), &SockaddrStorage::from(to)) {
        Ok(()) | Err(Errno::EINPROGRESS) => Ok(socket.into()),
        Err(errno) => Err(errno.into()),
    }
}

impl AsyncRead for OsTcpStream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        self.poll_read_ref(cx, buffer)
    }
}

impl AsyncWrite for OsTcpStream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, data: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_write_ref(cx, data)
    }

    /// Written is in the kernel's hands: there is nothing to flush.
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(self.finish())
    }
}

/// A published port.
pub(crate) struct OsTcpListener {
    io: Registered<mio::net::TcpListener>,
}

impl OsTcpListener {
    /// Listens on `local`; port 0 lets the kernel choose.
    pub(crate) fn bind(reactor: &Reactor, local: SocketAddr) -> io::Result<Self> {
        Ok(Self { io: reactor.register(mio::net::TcpListener::bind(local)?)? })
    }

    /// Where it listens.
    pub(crate) fn local_addr(&self) -> io::Result<SocketAddr> {
        self.io.get().local_addr()
    }

    /// The next connection and who makes it.
    pub(crate) async fn accept(&self, reactor: &Reactor) -> io::Result<(OsTcpStream, SocketAddr)> {
        let (socket, from) =
            poll_fn(|cx| self.io.poll_io(Side::Read, cx, |listener| listener.accept())).await?;
        Ok((OsTcpStream::connected(reactor.register(socket)?)?, from))
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_types, reason = "the peers are the kernel's")]
mod tests {
    use super::*;
    use crate::TapWorld;
    use glasstack_stack::World;
    use std::net;

    /// A connection and the kernel's end of it.
    fn pair(world: &mut TapWorld) -> (OsTcpStream, net::TcpStream) {
        let listener = net::TcpListener::bind("127.0.0.1:0").unwrap();
        let to = listener.local_addr().unwrap();
        let reactor = world.reactor().clone();
        let stream = world.run(OsTcpStream::connect(&reactor, to, None)).unwrap().unwrap();
        (stream, listener.accept().unwrap().0)
    }

    async fn read(stream: &OsTcpStream, buffer: &mut [u8]) -> io::Result<usize> {
        poll_fn(|cx| stream.poll_read_ref(cx, buffer)).await
    }

    #[test]
    fn the_error_of_a_connection_that_is_refused_is_the_kernels_own() {
        let mut world = TapWorld::new().unwrap();
        let deserted = net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let reactor = world.reactor().clone();
        let Err(error) = world.run(OsTcpStream::connect(&reactor, deserted, None)).unwrap() else {
            unreachable!("nobody listens there")
        };
        assert_eq!(error.raw_os_error(), Some(Errno::ECONNREFUSED as i32));
        assert_eq!(reactor.sockets(), 0);
    }

    #[test]
    fn an_end_that_comes_with_the_last_bytes_is_not_missed() {
        let mut world = TapWorld::new().unwrap();
        for _ in 0..100 {
            let (stream, mut peer) = pair(&mut world);
            peer.write_all(b"end").unwrap();
            drop(peer);
            let mut buffer = [0; 100];
            let lengths = world
                .run(async {
                    (read(&stream, &mut buffer).await.unwrap(), read(&stream, &mut [0; 9]).await.unwrap())
                })
                .unwrap();
            assert_eq!(lengths, (3, 0), "a short read, and then the end");
        }
    }

    #[test]
    fn each_half_of_a_connection_ends_by_itself() {
        let mut world = TapWorld::new().unwrap();
        let (stream, mut peer) = pair(&mut world);
        stream.finish().unwrap();
        assert_eq!(peer.read(&mut [0; 1]).unwrap(), 0);
        peer.write_all(b"still here").unwrap();
        let mut buffer = [0; 100];
        assert_eq!(world.run(read(&stream, &mut buffer)).unwrap().unwrap(), 10);
    }

    #[test]
    fn a_reset_is_heard_by_who_does_not_read() {
        let mut world = TapWorld::new().unwrap();
        let (stream, peer) = pair(&mut world);
        setsockopt(&peer, sockopt::Linger, &linger { l_onoff: 1, l_linger: 0 }).unwrap();
        drop(peer);
        world.run(poll_fn(|cx| stream.poll_fault(cx))).unwrap();
        let error = world.run(read(&stream, &mut [0; 1])).unwrap().unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
    }

    #[test]
    fn a_reset_is_sent_on_demand() {
        let mut world = TapWorld::new().unwrap();
        let (stream, mut peer) = pair(&mut world);
        stream.reset();
        assert_eq!(peer.read(&mut [0; 1]).unwrap_err().kind(), io::ErrorKind::ConnectionReset);
    }

    #[test]
    fn the_next_socket_takes_the_place_of_one_that_is_gone() {
        let mut world = TapWorld::new().unwrap();
        let reactor = world.reactor().clone();
        for _ in 0..10 {
            let (stream, mut peer) = pair(&mut world);
            assert_eq!(reactor.sockets(), 1);
            peer.write_all(b"x").unwrap();
            assert_eq!(world.run(read(&stream, &mut [0; 9])).unwrap().unwrap(), 1);
        }
        assert_eq!(reactor.sockets(), 0);
    }

    #[test]
    fn a_socket_wakes_a_task_on_another_thread() {
        let mut world = TapWorld::new().unwrap();
        let (stream, mut peer) = pair(&mut world);
        let thread = crate::WorldThread::start(world).unwrap();
        let reading = async { read(&stream, &mut [0; 9]).await.unwrap() };
        let writer = std::thread::Builder::new().spawn(move || peer.write_all(b"four")).unwrap();
        assert_eq!(thread.block_on(reading).unwrap(), 4);
        writer.join().unwrap().unwrap();
        thread.stop().unwrap();
    }
}
