//! Cases for a server under test; a case has a scripted client.

use crate::peer::Client;
use crate::suite::Case;

mod settings;

/// All of them.
pub(super) fn all() -> Vec<Case<Client>> {
    [settings::CASES]
        .into_iter()
        .flatten()
        .map(|case| Case { ..*case })
        .collect()
}
