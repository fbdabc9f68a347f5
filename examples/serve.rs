//! Answers one connection on our own stack: in the lab our own host is the guest too, on a TAP any
//! program of this machine can be (`curl http://10.71.83.2:8080/`), and on a published port whoever
//! reaches this machine (`curl http://127.0.0.1:8080/`).
//!
//! `cargo run -p glasstack-examples --example serve -- --net lab`
//! `cargo run -p glasstack-examples --example serve -- --net host 127.0.0.1:8080`
//! `cargo run -p glasstack-examples --example serve -- --net tap`

use futures_util::{AsyncReadExt, AsyncWriteExt};
use glasstack::stack::TcpStream;
use glasstack_examples::Net;
use std::net::SocketAddr;

const PAGE: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\nConnection: close\r\n\r\nhello\n";

fn main() -> anyhow::Result<()> {
    let mut net = Net::from_args()?;
    let local = SocketAddr::new(net.host.address(), 8080);
    let listener = net.host.listen(local)?;
    println!("serving http://{}/", net.published.unwrap_or(local));
    let guest = net.is_lab().then(|| net.host.clone());
    net.run(async move {
        let serve = async { answer(listener.accept().await).await };
        let visit = async {
            if let Some(guest) = guest {
                let mut stream = guest.connect(local).await?;
                stream.write_all(b"GET / HTTP/1.1\r\nHost: me\r\n\r\n").await?;
                let mut page = String::new();
                stream.read_to_string(&mut page).await?;
                println!("{page}");
            }
            anyhow::Ok(())
        };
        let (served, visited) = futures_util::join!(serve, visit);
        served.and(visited)
    })
}

/// Reads the head of a request, whatever it asks for, and gives the page.
async fn answer(mut stream: TcpStream) -> anyhow::Result<()> {
    println!("a guest from {}", stream.peer_addr());
    let (mut head, mut buffer) = (Vec::new(), [0; 1024]);
    while !head.windows(4).any(|end| end == b"\r\n\r\n") && head.len() < 16_384 {
        match stream.read(&mut buffer).await? {
            0 => break,
            count => head.extend(buffer.iter().take(count)),
        }
    }
    stream.write_all(PAGE).await?;
    stream.close().await?;
    stream.read_to_end(&mut head).await?;
    Ok(())
}
