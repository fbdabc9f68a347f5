//! Puts attackers into a lab: which node of [`glasstack_sim::attack`], where, and against whom.

use super::install::{CannotStrike, One, Stage};
use super::spec::Attack;

pub(super) fn install(_one: &One, _attack: &Attack, _stage: &mut Stage<'_>) -> Result<(), CannotStrike> {
    Ok(())
}
