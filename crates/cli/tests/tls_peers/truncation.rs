//! A server that ends the connection without close_notify (RFC 8446 6.1), as an attacker would.

use crate::party::{NAME, PORT, Party, tells};
use crate::support::{WEB, with_real_peers};

/// Answers with 4 bytes, of which the path says whether their number is told, and hangs up.
const SERVER: &str = "
import socket, ssl, sys
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(sys.argv[1], sys.argv[2])
context.maximum_version = ssl.TLSVersion[sys.argv[5]]
listener = socket.create_server((sys.argv[3], int(sys.argv[4])))
while True:
    try:
        stream = context.wrap_socket(listener.accept()[0], server_side=True)
        length = b'Content-Length: 4\\r\\n' if b'/length' in stream.recv(4096) else b''
        stream.sendall(b'HTTP/1.1 200 OK\\r\\n' + length + b'Connection: close\\r\\n\\r\\npart')
        stream.close()
    except OSError as error:
        print(error)
";

#[test]
fn a_body_without_a_length_that_is_cut_is_an_error_and_one_with_its_length_is_whole() {
    with_real_peers(&["python3"], |network| {
        let party = Party::new(network);
        let files = party.server_identity();
        let (script, address, port) = (network.write("cut.py", SERVER), WEB.to_string(), PORT.to_string());
        for version in ["TLSv1_3", "TLSv1_2"] {
            let words = [&script, &files.certificate, &files.key, &address, &port, version];
            let _server = party.server("python3", &words);
            let ran = party.get_all(&[&format!("https://{NAME}:{PORT}/endless")], &[]).exits(56);
            assert_eq!(ran.out, "part");
            tells(&ran, &["TLS ended without close_notify"]);
            ran.saying("cut short");
            let ran = party.get_all(&[&format!("https://{NAME}:{PORT}/length")], &[]).exits(0);
            assert_eq!(ran.out, "part");
            tells(&ran, &["TLS ended without close_notify"]);
        }
    });
}
