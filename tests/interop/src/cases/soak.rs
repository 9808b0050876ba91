//! rpc_soak, channel_soak.

use embassy_futures::join::join;
use rpc_nostd::transport::asynch::Connector;
use rpc_nostd::{Channel, Runner};

use super::unary::large_unary;
use crate::failure::{Failure, check};

/// Makes channels: whoever runs the cases knows their memory and where the server is.
#[allow(async_fn_in_trait, reason = "the cases run on one executor")]
pub trait NewChannel {
    /// Makes a channel, and calls [`large_unary_beside`] with it.
    ///
    /// # Errors
    /// As [`large_unary_beside`].
    async fn large_unary(&mut self) -> Result<(), Failure>;
}

/// Runs large_unary on a new channel, and ends that.
///
/// # Errors
/// As large_unary.
pub async fn large_unary_beside<C: Connector>(
    channel: Channel<'_>,
    runner: Runner<'_, C>,
) -> Result<(), Failure> {
    let call = async {
        let result = large_unary(channel).await;
        channel.shutdown();
        result
    };
    let (result, ()) = join(call, runner.run()).await;
    result
}

pub(super) async fn rpc_soak(channel: Channel<'_>, iterations: u32) -> Result<(), Failure> {
    check(iterations > 0, NOTHING)?;
    for _ in 0..iterations {
        large_unary(channel).await?;
    }
    Ok(())
}

pub(super) async fn channel_soak(new_channel: &mut impl NewChannel, iterations: u32) -> Result<(), Failure> {
    check(iterations > 0, NOTHING)?;
    for _ in 0..iterations {
        new_channel.large_unary().await?;
    }
    Ok(())
}

pub(crate) const NOTHING: &str = "a soak of no calls proves nothing: soak_iterations must be at least 1";
