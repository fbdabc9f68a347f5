use glasstack::journal::Journal;
use glasstack::sim::SimWorld;
use glasstack::stack::Host;
pub(crate) struct Lab {
    pub client: Host,
    pub world: SimWorld,
    pub name_server: std::net::IpAddr,
}
pub(crate) struct LabBuilder(SimWorld);
impl Lab {
    pub fn builder(seed: u64) -> LabBuilder {
        LabBuilder(SimWorld::new(seed))
    }
    pub fn ca_pem(&self) -> String {
        String::new()
    }
}
impl LabBuilder {
    pub fn journal(&self) -> &Journal {
        self.0.journal()
    }
    pub fn build(self) -> anyhow::Result<Lab> {
        anyhow::bail!("the lab is not built yet")
    }
}
