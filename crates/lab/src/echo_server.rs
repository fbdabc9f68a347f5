//! Port 7 (RFC 862): "any data received is sent back".

use crate::web_server::service;
use futures_util::io::{AsyncWriteExt, copy};
use glasstack_stack::{BindError, Host, ListenError};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

const PORT: u16 = 7;

/// Opens it, for TCP and UDP.
pub(crate) fn start(host: &Host) -> Result<(), EchoError> {
    let service = service(host, "echo", PORT)?;
    let listener = service.listener;
    let within = service.host.clone();
    service.host.spawn(async move {
        loop {
            let stream = listener.accept().await;
            within.spawn(async move {
                let (reader, mut writer) = futures_util::io::AsyncReadExt::split(stream);
                // Whoever goes away amid it has heard enough.
                let _ = copy(reader, &mut writer).await;
                let _ = writer.close().await;
            });
        }
    });
    let socket = service.host.udp(SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), PORT))?;
    service.host.spawn(async move {
        let mut buffer = vec![0; usize::from(u16::MAX)];
        loop {
            // An ICMP error about what was sent back before concerns nobody.
            let Ok((length, from)) = socket.recv_from(&mut buffer).await else { continue };
            // Two that echo each other's echoes would never stop.
            if from.port() != PORT {
                let _ = socket.send_to(buffer.get(..length).unwrap_or_default(), from).await;
            }
        }
    });
    Ok(())
}

/// The server cannot start.
#[derive(Debug, thiserror::Error)]
pub(crate) enum EchoError {
    #[error(transparent)]
    Listen(#[from] ListenError),
    #[error(transparent)]
    Bind(#[from] BindError),
}
