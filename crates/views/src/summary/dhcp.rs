//! The stage in which a host gets its address.

use super::gather::Gather;
use crate::text::lasting;
use glasstack_journal::Record;
use glasstack_journal::event::Dhcp;

impl Gather {
    pub(super) fn on_dhcp(&mut self, record: &Record, dhcp: &Dhcp) {
        match dhcp {
            Dhcp::Sent { frame, .. } => {
                let at = self.passed(*frame, record);
                self.asking.get_or_insert(at);
            }
            Dhcp::Leased { address, prefix_len, seconds, server, again, .. } => {
                let begun = self.asking.take().unwrap_or(record.at);
                let verb = if *again { "still from" } else { "from" };
                let lease = lasting(*seconds);
                let outcome = format!("{address}/{prefix_len} {verb} {server}, for {lease}");
                self.push(record.span, begun, "DHCP", Some(record.at.since(begun)), outcome, false);
            }
            Dhcp::Lost { address, why } => {
                self.asking = None;
                self.push(record.span, record.at, "DHCP", None, format!("{address} is lost: {why}"), true);
            }
            Dhcp::Released { address, server } => {
                self.push(record.span, record.at, "DHCP", None, format!("{address} back to {server}"), false);
            }
            Dhcp::Failed { why } => {
                let begun = self.asking.take().unwrap_or(record.at);
                self.push(record.span, begun, "DHCP", Some(record.at.since(begun)), why.clone(), true);
            }
            _ => {}
        }
    }
}
