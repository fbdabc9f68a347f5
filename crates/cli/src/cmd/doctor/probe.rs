//! What the machine is asked. Nothing is changed, nothing is sent anywhere.

use super::trials;
use glasstack::dns::ResolvConf;
use glasstack::tls::TrustStore;
use glasstack::uplink::{Mode, Netlink, netns};
use std::fs::{self, OpenOptions};
use std::io::ErrorKind;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What is known of the machine and of who asks.
#[derive(Clone, Debug)]
pub(super) struct Facts {
    pub(super) user: User,
    pub(super) tun_driver: Driver,
    /// The devices that are taken where none is named.
    pub(super) tap: Device,
    pub(super) tun: Device,
    /// Why there is no user namespace to be had, if so.
    pub(super) no_user_namespace: Option<String>,
    /// net.ipv4.ip_forward.
    pub(super) forwards: Option<bool>,
    /// Programs that were found, with their paths.
    pub(super) programs: Vec<(String, PathBuf)>,
    /// net.ipv4.ping_group_range.
    pub(super) ping_groups: Option<(u32, u32)>,
    /// The folder of `tap-up` and `tap-down`, where they were installed together with the program.
    pub(super) scripts: Option<PathBuf>,
    pub(super) names: Names,
    pub(super) trust: Trust,
    pub(super) wireshark: Wireshark,
    /// Whether the loopback interface is up.
    pub(super) loopback_up: bool,
    /// Why the lab does not work, if so.
    pub(super) lab_fails: Option<String>,
    /// Why `--net user` does not work, if so.
    pub(super) user_net_fails: Option<String>,
}

impl Facts {
    pub(super) fn has(&self, program: &str) -> bool {
        self.programs.iter().any(|(name, _)| name == program)
    }
}

/// Who asks (credentials(7), capabilities(7)).
#[derive(Clone, Debug, Default)]
pub(super) struct User {
    /// The effective user id.
    pub(super) id: u32,
    /// The effective group id and the supplementary ones.
    pub(super) groups: Vec<u32>,
    /// Whether CAP_NET_ADMIN is in force over the network that is seen.
    pub(super) net_admin: bool,
    /// Whether it is in force over other networks only: in a user namespace without one of its own.
    pub(super) net_admin_elsewhere: bool,
    /// Whether CAP_NET_ADMIN could be had at all: a container may have taken it away for ever.
    pub(super) net_admin_possible: bool,
}

/// /dev/net/tun.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Driver {
    /// It can be opened.
    Usable,
    /// It is not there.
    Absent,
    /// It is there, and not for this user.
    Forbidden,
    /// Anything else.
    Failing(String),
}

/// A TAP or TUN device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Device {
    /// There is none of this name.
    Absent,
    /// There is something else of this name.
    Foreign,
    /// A persistent device of the right kind.
    There {
        /// Who may open it; none for root alone.
        owner: Option<u32>,
        /// Whose members may open it.
        group: Option<u32>,
        /// Whether it is up.
        up: bool,
        /// The kernel's addresses on it.
        addresses: Vec<String>,
    },
}

/// /etc/resolv.conf.
#[derive(Clone, Debug)]
pub(super) enum Names {
    /// It cannot be read.
    Unreadable(String),
    /// It names these.
    Servers(Vec<IpAddr>),
}

/// The system's certificates.
#[derive(Clone, Debug, Default)]
pub(super) struct Trust {
    /// How many are believed.
    pub(super) roots: usize,
    /// How many cannot be.
    pub(super) unusable: usize,
    /// The file or folder they come from.
    pub(super) from: Option<PathBuf>,
    /// What went wrong in reading.
    pub(super) errors: Vec<String>,
}

/// What is installed of Wireshark.
#[derive(Clone, Debug, Default)]
pub(super) struct Wireshark {
    /// Its version.
    pub(super) version: Option<String>,
    /// Where it looks for capture programs (extcap).
    pub(super) extcap: Vec<PathBuf>,
}

pub(super) fn facts() -> Facts {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    const PROGRAMS: [&str; 4] = ["nft", "iptables", "tshark", "wireshark"];
    let programs: Vec<_> =
        PROGRAMS.iter().filter_map(|name| Some(((*name).to_owned(), find_program(name)?))).collect();
    let loopback = Loopback::look();
    Facts {
        user: user(&status).over(&loopback),
        loopback_up: loopback.up,
        tun_driver: tun_driver(),
        tap: device(Mode::Tap),
        tun: device(Mode::Tun),
        no_user_namespace: netns::user_namespaces().err().map(|obstacle| obstacle.to_string()),
        forwards: setting("net/ipv4/ip_forward").map(|value| value != "0"),
        ping_groups: setting("net/ipv4/ping_group_range").and_then(|value| range(&value)),
        scripts: installed_scripts(),
        names: names(),
        trust: trust(),
        wireshark: wireshark(&programs),
        programs,
        lab_fails: trials::lab().err().map(|error| format!("{error:#}")),
        user_net_fails: trials::user().err().map(|error| format!("{error:#}")),
    }
}

/// proc(5): /proc/PID/status.
fn user(status: &str) -> User {
    let field = |name: &str| {
        status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).unwrap_or_default()
    };
    // Real, effective, saved, file system.
    let effective = |name: &str| field(name).split_whitespace().nth(1).and_then(|id| id.parse().ok());
    let groups = field("Groups").split_whitespace().filter_map(|id| id.parse().ok());
    // linux/capability.h
    const CAP_NET_ADMIN: u32 = 12;
    let has_net_admin = |name: &str| {
        let set = u64::from_str_radix(field(name).trim(), 16).unwrap_or_default();
        set >> CAP_NET_ADMIN & 1 == 1
    };
    User {
        id: effective("Uid").unwrap_or(u32::MAX),
        groups: effective("Gid").into_iter().chain(groups).collect(),
        net_admin: has_net_admin("CapEff"),
        net_admin_elsewhere: false,
        net_admin_possible: has_net_admin("CapBnd"),
    }
}

impl User {
    /// capabilities(7): a capability is in force in a user namespace, and over the networks that
    /// belong to it.
    fn over(mut self, loopback: &Loopback) -> Self {
        if self.net_admin && loopback.may_be_changed == Some(false) {
            (self.net_admin, self.net_admin_elsewhere) = (false, true);
        }
        self
    }
}

/// What the loopback interface tells of the network that is seen.
struct Loopback {
    up: bool,
    /// None where it cannot be found out without a change.
    may_be_changed: Option<bool>,
}

impl Loopback {
    /// To bring an interface up that is up changes nothing, and is refused to whoever may not.
    fn look() -> Self {
        let unknown = Self { up: true, may_be_changed: None };
        let Ok(mut netlink) = Netlink::open() else { return unknown };
        match netlink.link("lo") {
            Ok(Some(lo)) if lo.up => {
                let refused = netlink.set_up(&lo).err().is_some_and(|error| error.is_permission_denied());
                Self { up: true, may_be_changed: Some(!refused) }
            }
            Ok(Some(_)) => Self { up: false, may_be_changed: None },
            _ => unknown,
        }
    }
}

/// Opening it alone makes no device.
fn tun_driver() -> Driver {
    match OpenOptions::new().read(true).write(true).open("/dev/net/tun") {
        Ok(_) => Driver::Usable,
        Err(error) => match error.kind() {
            // ENODEV and ENXIO: the file is there, the module is not.
            ErrorKind::NotFound => Driver::Absent,
            ErrorKind::PermissionDenied => Driver::Forbidden,
            _ => Driver::Failing(error.to_string()),
        },
    }
}

fn device(mode: Mode) -> Device {
    let name = mode.default_name();
    let link = Netlink::open().and_then(|mut netlink| netlink.link(name));
    let Ok(Some(link)) = link else {
        return Device::Absent;
    };
    if link.mode != Some(mode) {
        return Device::Foreign;
    }
    // -1 is nobody.
    let id = |file: &str| {
        let text = fs::read_to_string(format!("/sys/class/net/{name}/{file}")).ok()?;
        text.trim().parse::<u32>().ok()
    };
    let addresses = link.addresses.iter().map(ToString::to_string).collect();
    Device::There { owner: id("owner"), group: id("group"), up: link.up, addresses }
}

/// A kernel setting (sysctl); none where the kernel has none of this name.
fn setting(name: &str) -> Option<String> {
    fs::read_to_string(format!("/proc/sys/{name}")).ok().map(|value| value.trim().to_owned())
}

fn range(text: &str) -> Option<(u32, u32)> {
    let mut numbers = text.split_whitespace().map(str::parse);
    Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
}

/// `scripts/dist` puts them beside the program: PREFIX/bin and PREFIX/share.
fn installed_scripts() -> Option<PathBuf> {
    let program = std::env::current_exe().ok()?;
    let folder = program.parent()?.parent()?.join("share/glasstack");
    folder.join("tap-up").is_file().then_some(folder)
}

fn names() -> Names {
    match fs::read_to_string("/etc/resolv.conf") {
        Ok(text) => {
            let servers = text.lines().any(|line| line.trim_start().starts_with("nameserver"));
            let conf = ResolvConf::parse(&text);
            // resolv.conf(5): without any, this machine is asked. That is not what the file says.
            Names::Servers(if servers { conf.servers } else { Vec::new() })
        }
        Err(error) => Names::Unreadable(error.to_string()),
    }
}

fn trust() -> Trust {
    let system = rustls_native_certs::load_native_certs();
    let (store, unusable) = TrustStore::from_system(system.certs);
    let probed = openssl_probe::probe();
    Trust {
        roots: store.len(),
        unusable: unusable.len(),
        from: probed.cert_file.or_else(|| probed.cert_dir.into_iter().next()),
        errors: system.errors.iter().map(ToString::to_string).collect(),
    }
}

fn wireshark(programs: &[(String, PathBuf)]) -> Wireshark {
    let path = |name: &str| programs.iter().find(|(found, _)| found == name).map(|(_, path)| path);
    // Both print it; tshark needs no display.
    let Some(program) = path("tshark").or_else(|| path("wireshark")) else {
        return Wireshark::default();
    };
    let version = said(program, &["--version"]).and_then(|text| version(&text));
    let folders = said(program, &["-G", "folders"]).unwrap_or_default();
    Wireshark { version, extcap: extcap(&folders) }
}

/// `TShark (Wireshark) 4.0.17 (Git v4.0.17 ...)`.
fn version(text: &str) -> Option<String> {
    let first = text.lines().next()?;
    let starts_with_digit = |word: &&str| word.starts_with(|letter: char| letter.is_ascii_digit());
    let word = first.split_whitespace().find(starts_with_digit)?;
    Some(word.trim_end_matches('.').to_owned())
}

/// `Extcap path: /usr/lib/...`, and in newer ones `Personal Extcap path:` and `Global Extcap path:`.
fn extcap(folders: &str) -> Vec<PathBuf> {
    let rows = folders.lines().filter_map(|line| line.split_once(':'));
    let of_extcap = rows.filter(|(name, _)| name.to_ascii_lowercase().contains("extcap path"));
    of_extcap.map(|(_, path)| PathBuf::from(path.trim())).collect()
}

/// What a program prints on stdout.
fn said(program: &Path, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).output().ok()?;
    Some(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// In PATH, and where programs for root are, which ordinary users' PATH often lacks.
fn find_program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path);
    let of_root = ["/usr/local/sbin", "/usr/sbin", "/sbin"].map(PathBuf::from);
    folders.chain(of_root).map(|folder| folder.join(name)).find(|file| file.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    const STATUS: &str = "Name:\tglasstack\nUid:\t1000\t1001\t1000\t1000\nGid:\t100\t101\t100\t100\n\
        Groups:\t4 27 \nCapInh:\t0000000000000000\nCapEff:\t0000000000001000\nCapBnd:\t0000000000000000\n";

    #[test]
    fn who_asks_is_read_from_the_status_of_the_process() {
        let user = user(STATUS);
        assert_eq!((user.id, user.groups), (1001, vec![101, 4, 27]));
        assert!(user.net_admin && !user.net_admin_possible);
        let nobody_knows = super::user("");
        assert!(!nobody_knows.net_admin && nobody_knows.id != 0);
    }

    #[test]
    fn a_capability_counts_only_over_the_network_that_is_seen() {
        let over = |may_be_changed| user(STATUS).over(&Loopback { up: true, may_be_changed });
        assert!(over(None).net_admin && over(Some(true)).net_admin);
        assert!(!over(Some(false)).net_admin && over(Some(false)).net_admin_elsewhere);
    }

    #[test]
    fn wiresharks_version_and_folders_are_read() {
        let text = "TShark (Wireshark) 4.0.17 (Git v4.0.17 packaged as 4.0.17-0+deb12u3).\n";
        assert_eq!(version(text).as_deref(), Some("4.0.17"));
        assert_eq!(version("Wireshark 4.6.0.\n").as_deref(), Some("4.6.0"));
        assert_eq!(version(""), None);
        let folders = "Temp:\t/tmp\nPersonal Extcap path:\t/home/a/.local/lib/wireshark/extcap\n\
            Global Extcap path:   \t/usr/lib/wireshark/extcap\n";
        assert_eq!(extcap(folders).len(), 2);
        assert_eq!(extcap(folders)[1], Path::new("/usr/lib/wireshark/extcap"));
    }

    #[test]
    fn a_range_has_two_numbers() {
        assert_eq!(range("0\t2147483647"), Some((0, 2_147_483_647)));
        assert_eq!((range("1"), range("a b"), range("")), (None, None, None));
    }
}
