//! Answers HTTPS on our own stack, and tells each guest what was agreed on with it: version, suite, whether
//! an earlier session was taken up again, and whose certificate it showed (`client-ca` asks for one).
//!
//! `cargo run -p glasstack-examples --example tls_server -- --net host 127.0.0.1:8443 cert=a.pem key=a.key`
//! `cargo run -p glasstack-examples --example tls_server -- --net tap cert=a.pem key=a.key client-ca=ca.pem`
//!
//! More words: `optional` (a client may show nothing), `staple=FILE` (an OCSP answer in DER), `crl=FILE`,
//! `sessions=tickets|none`, `tls=1.2|1.3`.

use anyhow::Context;
use futures_util::{AsyncReadExt, AsyncWriteExt};
use glasstack::stack::{Host, TcpStream};
use glasstack::tls::TlsServer;
use glasstack_examples::{Net, tls_options};
use std::net::SocketAddr;

fn main() -> anyhow::Result<()> {
    let mut net = Net::from_args()?;
    let config = tls_options::server(&net.args).context("what to serve with")?;
    let host = net.host.clone();
    let tls = TlsServer::new(host.entropy(), host.scope().clock(), config)?;
    let local = SocketAddr::new(host.address(), 8080);
    let listener = host.listen(local)?;
    println!("serving https://{}/", net.published.unwrap_or(local));
    net.run(async move {
        loop {
            let stream = listener.accept().await;
            host.spawn(answer(host.clone(), tls.clone(), stream));
        }
    })
}

/// One handshake, one request, whatever it asks for, one answer.
async fn answer(host: Host, tls: TlsServer, stream: TcpStream) {
    let told = async {
        let mut stream = tls.accept(host.scope(), stream).await?;
        let session = stream.session();
        let kind = if session.resumed { "resumed" } else { "new" };
        let client =
            session.peer_certificates.first().map_or("nobody known".to_owned(), |shown| shown.label());
        let page = format!("{}, {}, {kind}, with {client}\n", session.version, session.suite);
        let (mut head, mut buffer) = (Vec::<u8>::new(), [0; 1024]);
        while !head.windows(4).any(|end| end == b"\r\n\r\n") && head.len() < 16_384 {
            match stream.read(&mut buffer).await? {
                0 => break,
                count => head.extend(buffer.iter().take(count)),
            }
        }
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", page.len());
        stream.write_all((head + &page).as_bytes()).await?;
        stream.close().await?;
        anyhow::Ok(page)
    };
    match host.timeout(std::time::Duration::from_secs(20), told).await {
        Ok(Ok(page)) => print!("{page}"),
        Ok(Err(error)) => println!("refused: {error:#}"),
        Err(_) => println!("given up: nothing came for 20 seconds"),
    }
}
