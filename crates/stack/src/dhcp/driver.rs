//! The client on a host: what the machine in [`client`](super::client) decides is done here.

use super::client::{Action, Client, ClientConfig};
use super::lease::{DhcpError, DhcpOptions, Lease};
use crate::config::Addressing;
use crate::host::Host;
use crate::inner::dhcp::Happening;
use glasstack_journal::SpanKind;
use glasstack_journal::event::{Dhcp, Note};
use std::net::Ipv4Addr;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

/// The longest value of an option (RFC 2132 2).
const LONGEST_OPTION: usize = 255;

impl Host {
    /// Asks for an address by DHCP (RFC 2131), takes it, and renews it in the background until
    /// [`release`](Self::release). If the lease is lost, what lives by the address ends with an
    /// error that says so, and the host goes on asking. Dropping the future gives the attempt up.
    pub async fn dhcp(&self, options: &DhcpOptions) -> Result<Lease, DhcpError> {
        let config = self.client_config(options)?;
        let kind = SpanKind::Dhcp { interface: self.interface_name() };
        let host = self.span(kind);
        let opened = host.shared().with(|core| core.open_dhcp(host.scope()));
        opened.inspect_err(|_| host.scope().close())?;
        let client = Client::new(config, Arc::clone(self.entropy()), self.now());
        let mut running = Running { host, client };
        match options.timeout {
            None => running.first_lease().await?,
            Some(limit) => match self.timeout(limit, running.first_lease()).await {
                Ok(leased) => leased?,
                Err(_) => {
                    let error = running.in_vain(limit);
                    running.host.scope().record(|| Dhcp::Failed { why: error.to_string() });
                    return Err(error);
                }
            },
        }
        let lease = running.client.lease().cloned().ok_or(DhcpError::Released)?;
        self.spawn(async move { running.renew_for_good().await });
        Ok(lease)
    }

    /// Gives the lease back (RFC 2131 4.4.6) and goes without an address from then on; what was
    /// given back, if there was a lease. Resolves once the DHCPRELEASE is on its way.
    pub async fn release(&self) -> Option<Lease> {
        let lease = self.lease();
        self.shared().touch(|core| core.release_dhcp());
        std::future::poll_fn(|cx| self.shared().with(|core| core.poll_dhcp_gone(cx))).await;
        lease
    }

    /// The lease that this host has now.
    pub fn lease(&self) -> Option<Lease> {
        self.shared().with(|core| core.lease().cloned())
    }

    fn interface_name(&self) -> String {
        self.shared().with(|core| core.wire().name.clone())
    }

    fn client_config(&self, options: &DhcpOptions) -> Result<ClientConfig, DhcpError> {
        let (mac, name) = self.shared().with(|core| (core.wire().mac, core.wire().host.clone()));
        let fits = |what, length| match length {
            1..=LONGEST_OPTION => Ok(()),
            _ => Err(DhcpError::TooLong { what, length }),
        };
        if let Some(name) = &options.host_name {
            fits("host name", name.len())?;
        }
        if let Some(id) = &options.client_id {
            fits("client identifier", id.len())?;
        }
        // RFC 2132 9.14: the type of the hardware, and the MAC address.
        let own_id = || [&[1], mac.0.as_slice()].concat();
        Ok(ClientConfig {
            mac,
            host_name: options.host_name.clone().or(Some(name)),
            client_id: options.client_id.clone().unwrap_or_else(own_id),
            requested: options.requested,
            remembered: options.remembered,
            collect: options.collect,
            probe: options.probe,
            broadcast: options.broadcast,
        })
    }
}

/// A client at work. With it go the lease and the address.
struct Running {
    host: Host,
    client: Client,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.host.shared().touch(|core| core.close_dhcp(self.host.scope(), self.host.now()));
        self.host.scope().close();
    }
}

impl Running {
    /// Works until there is a lease.
    async fn first_lease(&mut self) -> Result<(), DhcpError> {
        loop {
            self.act().await;
            if self.client.lease().is_some() {
                return Ok(());
            }
            if self.happen().await {
                return Err(DhcpError::Released);
            }
        }
    }

    /// Works until the lease is given back.
    async fn renew_for_good(mut self) {
        loop {
            self.act().await;
            if self.happen().await {
                self.client.release(self.host.now());
                return self.act_without_beginning().await;
            }
        }
    }

    /// Does what the machine wants done now.
    async fn act(&mut self) {
        while let Some(action) = self.client.poll(self.host.now()) {
            self.perform(action).await;
        }
    }

    /// Does what is left to do when nothing is to begin anew.
    async fn act_without_beginning(&mut self) {
        while let Some(action) = self.client.next_action() {
            self.perform(action).await;
        }
    }

    /// Waits for what happens next. Whether it was the end.
    async fn happen(&mut self) -> bool {
        let deadline = self.client.deadline();
        let wait = deadline.map(|at| self.host.sleep(at - self.host.now()));
        let mut wait = pin!(wait);
        let happening = std::future::poll_fn(|cx| {
            if let Poll::Ready(happening) = self.host.shared().with(|core| core.poll_dhcp(cx)) {
                return Poll::Ready(Some(happening));
            }
            match wait.as_mut().as_pin_mut() {
                Some(wait) => wait.poll(cx).map(|()| None),
                None => Poll::Pending,
            }
        })
        .await;
        let now = self.host.now();
        match happening {
            None => false,
            Some(Happening::Release) => true,
            Some(Happening::InUse(by)) => {
                self.client.on_in_use(by, now);
                false
            }
            Some(Happening::Letter(letter)) => {
                if let Err(rejection) = self.client.on_datagram(letter.frame, &letter.bytes, now) {
                    let (scope, reason) = (self.host.scope(), rejection.reason());
                    self.host.shared().with(|core| {
                        core.wire_mut().discard(scope, Some(letter.frame), reason, rejection.to_string());
                    });
                }
                false
            }
        }
    }

    async fn perform(&mut self, action: Action) {
        let (scope, shared) = (self.host.scope(), self.host.shared());
        match action {
            Action::Tell(event) => scope.record(|| *event),
            Action::Probe(address) => shared.touch(|core| core.probe_dhcp(scope, address)),
            Action::GoWithout => shared.touch(|core| {
                core.unconfigure(scope, self.host.now());
                core.set_lease(None);
            }),
            Action::Take(lease) => self.take(&lease),
            Action::Send { message, to, attempt } => {
                let bytes = message.emit();
                let mut wait = None;
                let sent = match to {
                    None => Some(shared.touch(|core| core.broadcast_dhcp(scope, &bytes))),
                    Some(server) => {
                        std::future::poll_fn(|cx| {
                            let now = self.host.now();
                            shared
                                .touch(|core| core.poll_send_dhcp(scope, server, &bytes, &mut wait, cx, now))
                        })
                        .await
                    }
                };
                let address = Some(message.client_address).filter(|address| !address.is_unspecified());
                match (sent, to) {
                    (Some(frame), to) => scope.record(|| Dhcp::Sent {
                        frame,
                        kind: message.kind,
                        transaction: message.transaction,
                        to: to.unwrap_or(Ipv4Addr::BROADCAST),
                        about: address.or(message.requested),
                        attempt,
                    }),
                    (None, to) => scope.record(|| {
                        let to = to.map(|server| format!(" {server}")).unwrap_or_default();
                        Note::warning(format!("{} cannot be sent: no way to{to}", message.kind))
                    }),
                }
            }
        }
    }

    fn take(&self, lease: &Lease) {
        let to = Addressing {
            address: lease.address,
            prefix_len: lease.prefix_len,
            gateway: lease.router,
            mtu: lease.mtu.map(usize::from),
        };
        let (scope, now) = (self.host.scope(), self.host.now());
        let taken = self.host.shared().touch(|core| {
            core.set_lease(Some(lease.clone()));
            core.configure(scope, &to, now)
        });
        if let Err(error) = taken {
            // The machine looks at what it takes: this is for what it might overlook.
            scope.record(|| Note::warning(format!("DHCP: {} cannot be used: {error}", lease.address)));
        }
    }

    fn in_vain(&self, after: std::time::Duration) -> DhcpError {
        match self.client.trouble() {
            Some(last) => DhcpError::NoLease { after, last: last.to_owned() },
            None if self.client.has_offers() => {
                DhcpError::NoLease { after, last: "an offer came, and no DHCPACK yet".to_owned() }
            }
            None => DhcpError::NoOffer { after, asked: self.client.discovers() },
        }
    }
}
