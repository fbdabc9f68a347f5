//! Every table of a topology's file and the keys that it knows, taken from the data model itself.

use super::cable::{BurstsSpec, CableTable};
use super::problem::{Place, Step};
use super::router::{ErrorRate, FilterSpec, NatSpec, PortSpec, RouterSpec, TimeoutsSpec};
use super::service::{DhcpSpec, RipSpec, RipTimersSpec};
use super::{HostSpec, LaneSpec, SwitchSpec, Topology};
use serde::de::value::Error;
use serde::de::{Deserialize, Deserializer, Error as _, Visitor};
use serde::forward_to_deserialize_any;

/// A kind of table in the file.
pub(super) struct Table {
    /// The way to it; `*` is any name or index.
    place: &'static [&'static str],
    /// The keys it knows.
    pub(super) keys: fn() -> &'static [&'static str],
    /// The keys it must have, each with an example.
    pub(super) needs: &'static [(&'static str, &'static str)],
    /// What it describes, as `a host`.
    pub(super) noun: &'static str,
}

const BURSTS: &[(&str, &str)] =
    &[("p", "p = \"1%\", to go from good times to bad ones"), ("r", "r = \"25%\", to go back")];

/// Every kind of table there is.
pub(super) const TABLES: &[Table] = &[
    Table { place: &[], keys: keys_of::<Topology>, needs: &[], noun: "a topology" },
    Table {
        place: &["host", "*"],
        keys: keys_of::<HostSpec>,
        needs: &[("address", "address = \"192.168.1.10/24\", or address = \"dhcp\"")],
        noun: "a host",
    },
    Table { place: &["switch", "*"], keys: keys_of::<SwitchSpec>, needs: &[], noun: "a switch" },
    Table {
        place: &["router", "*"],
        keys: keys_of::<RouterSpec>,
        needs: &[("ports", "ports = [{ address = \"192.168.1.1/24\" }, { address = \"203.0.113.1/24\" }]")],
        noun: "a router",
    },
    Table {
        place: &["router", "*", "ports", "*"],
        keys: keys_of::<PortSpec>,
        needs: &[("address", "address = \"192.168.1.1/24\"")],
        noun: "a router's port",
    },
    Table {
        place: &["router", "*", "errors_per_second"],
        keys: keys_of::<ErrorRate>,
        needs: &[],
        noun: "a rate of ICMP errors",
    },
    Table {
        place: &["router", "*", "nat"],
        keys: keys_of::<NatSpec>,
        needs: &[("outside", "outside = 1, the port towards the Internet")],
        noun: "address translation",
    },
    Table {
        place: &["router", "*", "nat", "timeouts"],
        keys: keys_of::<TimeoutsSpec>,
        needs: &[],
        noun: "timeouts of address translation",
    },
    Table {
        place: &["router", "*", "filter"],
        keys: keys_of::<FilterSpec>,
        needs: &[("policy", "policy = \"drop\", what becomes of what no rule fits")],
        noun: "a filter",
    },
    Table { place: &["router", "*", "rip"], keys: keys_of::<RipSpec>, needs: &[], noun: "RIP" },
    Table {
        place: &["router", "*", "rip", "timers"],
        keys: keys_of::<RipTimersSpec>,
        needs: &[],
        noun: "timers of RIP",
    },
    Table {
        place: &["router", "*", "dhcp", "*"],
        keys: keys_of::<DhcpSpec>,
        needs: &[
            ("port", "port = 0, where the hosts are"),
            ("pool", "pool = \"192.168.1.100-192.168.1.199\""),
        ],
        noun: "a DHCP server",
    },
    Table {
        place: &["cable", "*"],
        keys: keys_of::<CableTable>,
        needs: &[("between", "between = [\"client\", \"home:0\"]")],
        noun: "a cable",
    },
    Table { place: &["cable", "*", "there"], keys: keys_of::<LaneSpec>, needs: &[], noun: "a direction" },
    Table { place: &["cable", "*", "back"], keys: keys_of::<LaneSpec>, needs: &[], noun: "a direction" },
    Table {
        place: &["cable", "*", "bursts"],
        keys: keys_of::<BurstsSpec>,
        needs: BURSTS,
        noun: "bursts of loss",
    },
    Table {
        place: &["cable", "*", "there", "bursts"],
        keys: keys_of::<BurstsSpec>,
        needs: BURSTS,
        noun: "bursts of loss",
    },
    Table {
        place: &["cable", "*", "back", "bursts"],
        keys: keys_of::<BurstsSpec>,
        needs: BURSTS,
        noun: "bursts of loss",
    },
];

impl Table {
    /// The table at `place`, if one can be there.
    pub(super) fn at(place: &Place) -> Option<&'static Self> {
        let fits = |pattern: &str, step: &Step| match step {
            Step::Key(key) => pattern == "*" || pattern == key,
            Step::Index(_) => pattern == "*",
        };
        TABLES.iter().find(|table| {
            table.place.len() == place.0.len() && table.place.iter().zip(&place.0).all(|(p, s)| fits(p, s))
        })
    }

    /// The kinds of table that know `key`.
    pub(super) fn knowing(key: &str) -> impl Iterator<Item = &'static Self> {
        TABLES.iter().filter(move |table| (table.keys)().contains(&key))
    }
}

/// The keys that serde knows a struct by.
fn keys_of<'de, T: Deserialize<'de>>() -> &'static [&'static str] {
    let mut keys: &'static [&'static str] = &[];
    // It fails, as it has nothing to give; the keys have been asked for by then.
    let _ = T::deserialize(Keys(&mut keys));
    keys
}

struct Keys<'a>(&'a mut &'static [&'static str]);

impl<'de> Deserializer<'de> for Keys<'_> {
    type Error = Error;

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        fields: &'static [&'static str],
        _visitor: V,
    ) -> Result<V::Value, Error> {
        *self.0 = fields;
        Err(Error::custom("only the keys are asked for"))
    }

    fn deserialize_any<V: Visitor<'de>>(self, _visitor: V) -> Result<V::Value, Error> {
        Err(Error::custom("not a table"))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit
        unit_struct newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    const PAGE: &str = include_str!("../../../../docs/topology.md");

    #[test]
    fn every_table_knows_the_keys_it_needs() {
        for table in TABLES {
            let keys = (table.keys)();
            assert!(!keys.is_empty(), "{} has no keys", table.noun);
            for (needed, example) in table.needs {
                assert!(keys.contains(needed), "{} does not know {needed}", table.noun);
                assert!(example.starts_with(needed));
            }
        }
    }

    /// What the page calls a table: `router.NAME.nat`, `cable.there`.
    fn heading(table: &Table) -> String {
        let mut steps = table.place.to_vec();
        if steps.first() != Some(&"cable")
            && let Some(name) = steps.get_mut(1)
        {
            *name = "NAME";
        }
        steps.retain(|step| *step != "*");
        if steps.is_empty() { "topology".to_owned() } else { steps.join(".") }
    }

    /// The keys in the first columns of the tables below each heading that has a table's name.
    fn documented() -> Vec<(String, BTreeSet<&'static str>)> {
        let sections = PAGE.split("\n#").skip(1);
        let named = sections.filter_map(|section| {
            let (heading, body) = section.trim_start_matches(['#', ' ']).split_once('\n')?;
            let rows = body.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next());
            Some((heading, rows.collect()))
        });
        let each = |(heading, keys): (&'static str, BTreeSet<&'static str>)| {
            heading.split(", ").map(|name| (name.replace('`', ""), keys.clone())).collect::<Vec<_>>()
        };
        named.flat_map(each).collect()
    }

    #[test]
    fn the_page_has_every_key_and_none_that_nobody_knows() {
        let page = documented();
        for table in TABLES {
            let name = heading(table);
            let (_, keys) = page
                .iter()
                .find(|(heading, _)| *heading == name)
                .unwrap_or_else(|| panic!("docs/topology.md has no heading `{name}` for {}", table.noun));
            let known: BTreeSet<_> = (table.keys)().iter().copied().collect();
            assert_eq!(*keys, known, "the keys below `{name}` (left) and those of {} (right)", table.noun);
        }
        let known: BTreeSet<_> = TABLES.iter().map(heading).collect();
        let with_keys = page.iter().filter(|(_, keys)| !keys.is_empty());
        let unknown: Vec<_> = with_keys.filter(|(heading, _)| !known.contains(heading)).collect();
        assert!(unknown.is_empty(), "tables of nothing: {unknown:?}");
    }

    #[test]
    fn every_example_of_the_page_is_a_topology_that_can_be_built() {
        let blocks: Vec<_> =
            PAGE.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
        assert!(blocks.len() >= 4, "the examples were not found");
        for block in blocks {
            let topology = Topology::parse(block).unwrap_or_else(|bad| panic!("{bad}\n\nin\n{block}"));
            topology.build(&mut crate::SimWorld::new(1)).unwrap_or_else(|bad| panic!("{bad}\n\nin\n{block}"));
        }
    }
}
