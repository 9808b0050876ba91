//! Budgets and timeouts are configuration: each that is changed is obeyed.

use crate::attacks::Attack;

pub(super) const ATTACKS: &[Attack] = &[];
