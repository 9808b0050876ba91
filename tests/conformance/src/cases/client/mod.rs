//! Cases for a client under test; a case has a scripted server.

use crate::peer::Server;
use crate::suite::Case;

mod settings;

/// All of them.
pub(super) fn all() -> Vec<Case<Server>> {
    [settings::CASES]
        .into_iter()
        .flatten()
        .map(|case| Case { ..*case })
        .collect()
}
