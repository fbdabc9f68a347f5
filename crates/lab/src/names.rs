//! What the name server knows: one zone, `test.`, made of the sites.

use crate::plan;
use crate::sites::{Leads, SITES};
use glasstack_dns::server::{Zone, ZoneError, Zones};
use glasstack_dns::{DnsName, RecordData};
use std::net::{IpAddr, Ipv4Addr};

/// Addresses of `many.test`: at 16 bytes a record more than 1232 bytes, so that UDP cannot carry
/// them (RFC 6891 6.2.5). The first is the web server's.
const MANY: u8 = 100;

/// The zone.
pub(crate) fn zones() -> Result<Zones, ZoneError> {
    let mut zone = Zone::new("test")?
        .with("@", RecordData::Ns(name("ns.test")?))?
        .with("ns", IpAddr::V4(plan::NAME_SERVER))?
        .with("example", RecordData::text("glasstack's lab"))?;
    for site in SITES {
        // Relative to the zone: www.example.test is www.example.
        let owner = site.host.strip_suffix(".test").unwrap_or(site.host);
        match &site.leads {
            Leads::Web { .. } => zone = zone.with(owner, IpAddr::V4(plan::WEB))?,
            Leads::Odd(_) => zone = zone.with(owner, IpAddr::V4(plan::ODD))?,
            Leads::Address(address) => zone = zone.with(owner, IpAddr::V4(*address))?,
            Leads::Ipv6(address) => zone = zone.with(owner, IpAddr::V6(*address))?,
            Leads::Alias(target) => zone = zone.with(owner, RecordData::Cname(name(target)?))?,
            Leads::Many => {
                for n in 0..MANY {
                    zone = zone.with(owner, IpAddr::V4(one_of_many(n)))?;
                }
            }
        }
    }
    Ok(Zones::from(zone))
}

fn one_of_many(n: u8) -> Ipv4Addr {
    let [a, b, c, d] = plan::WEB.octets();
    Ipv4Addr::new(a, b, c, d.saturating_add(n))
}

fn name(text: &str) -> Result<DnsName, ZoneError> {
    DnsName::parse(text).map_err(|error| ZoneError::Name(text.to_owned(), error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_site_has_its_records() {
        assert!(zones().is_ok());
    }
}
