//! As much of a DHCP message (RFC 2131 2) as a label needs: what it is, and which address it is about.

use std::net::Ipv4Addr;

/// Where the options begin, behind the magic cookie.
const OPTIONS: usize = 240;
const COOKIE: [u8; 4] = [99, 130, 83, 99];

/// A message's kind and address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Message {
    /// As `DHCPDISCOVER`.
    kind: &'static str,
    /// Whether it comes from a server.
    pub(crate) from_server: bool,
    /// The address given, held or asked for.
    about: Option<Ipv4Addr>,
}

impl Message {
    /// Reads a message; anything else is not taken for DHCP.
    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        let (fixed, mut rest) = bytes.split_at_checked(OPTIONS)?;
        if fixed.get(236..) != Some(&COOKIE) {
            return None;
        }
        let (mut kind, mut requested) = (None, None);
        // RFC 2132 2: a code, a length, a value; 0 is padding, 255 the end.
        while let Some((&code, behind)) = rest.split_first() {
            rest = match code {
                255 => break,
                0 => behind,
                _ => {
                    let (&length, behind) = behind.split_first()?;
                    let (value, behind) = behind.split_at_checked(length.into())?;
                    match (code, value) {
                        (53, [number]) => kind = named(*number),
                        (50, &[a, b, c, d]) => requested = Some(Ipv4Addr::new(a, b, c, d)),
                        _ => {}
                    }
                    behind
                }
            };
        }
        let at = |index: usize| {
            let octets: [u8; 4] = fixed.get(index..index + 4)?.try_into().ok()?;
            Some(Ipv4Addr::from(octets)).filter(|address| !address.is_unspecified())
        };
        let from_server = fixed.first() == Some(&2);
        // yiaddr, what is asked for, ciaddr.
        let about = at(16).or(requested).or_else(|| at(12));
        Some(Self { kind: kind?, from_server, about })
    }

    /// `DHCPOFFER 192.168.1.100`.
    pub(crate) fn label(&self) -> String {
        let about = self.about.map(|address| format!(" {address}")).unwrap_or_default();
        format!("{}{about}", self.kind)
    }
}

/// RFC 2132 9.6.
fn named(number: u8) -> Option<&'static str> {
    Some(match number {
        1 => "DHCPDISCOVER",
        2 => "DHCPOFFER",
        3 => "DHCPREQUEST",
        4 => "DHCPDECLINE",
        5 => "DHCPACK",
        6 => "DHCPNAK",
        7 => "DHCPRELEASE",
        8 => "DHCPINFORM",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(op: u8, options: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0; OPTIONS];
        bytes[0] = op;
        bytes[236..].copy_from_slice(&COOKIE);
        bytes.extend(options);
        bytes
    }

    #[test]
    fn a_message_is_known_by_its_kind_and_its_address() {
        let label = |bytes: &[u8]| Message::parse(bytes).map(|message| message.label());
        assert_eq!(label(&message(1, &[53, 1, 1, 255])).as_deref(), Some("DHCPDISCOVER"));
        let request = message(1, &[0, 50, 4, 10, 0, 0, 9, 53, 1, 3, 255, 53]);
        assert_eq!(label(&request).as_deref(), Some("DHCPREQUEST 10.0.0.9"));
        let mut ack = message(2, &[53, 1, 5]);
        ack[16..20].copy_from_slice(&[10, 0, 0, 8]);
        assert_eq!(label(&ack).as_deref(), Some("DHCPACK 10.0.0.8"));
    }

    #[test]
    fn what_is_no_message_is_not_taken_for_one() {
        for bytes in [
            message(1, &[53, 1, 99]),
            message(1, &[]),
            message(1, &[53, 9]),
            message(1, &[53]),
            vec![0; 300],
            vec![],
        ] {
            assert_eq!(Message::parse(&bytes), None);
        }
    }
}
