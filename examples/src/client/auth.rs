//! Credentials: a token in the metadata of a call, and another when the server refuses it.

use embassy_futures::join::join;
use rpc_nostd::{Code, Status};

use super::{Client, text};
use crate::greenhouse::{LogInRequest, WaterBedRequest};
use crate::token::Token;
use crate::{Failed, Say, check};

pub(super) async fn auth(client: &mut Client<'_>, say: Say) -> Result<(), Failed> {
    let request = WaterBedRequest {
        bed: text("tomatoes"),
        seconds: 30,
    };
    let token = Token::default();
    token.store("of yesterday");

    let refused = client.water_bed(&request).credentials(&token).await;
    let Err(status) = refused else {
        return Err(Failed::Check("an old token was let in"));
    };
    say(format_args!("auth: with an old token: {status}"));
    check(
        status.code() == Code::UNAUTHENTICATED,
        "another code than UNAUTHENTICATED",
    )?;

    // The next call waits for a token, which another task fetches, on the same channel.
    let mut other = *client;
    let call = async { client.water_bed(&request).credentials(&token).await };
    let (watered, fetched) = join(call, fetch(&mut other, &token)).await;
    fetched?;
    let total = watered?.total_seconds;

    say(format_args!("auth: with a new token: watered, {total} s in all"));
    check(total >= request.seconds, "the bed is dry")
}

/// Fetches a token when a call wants one. A task on a device would do so for ever.
async fn fetch(client: &mut Client<'_>, token: &Token) -> Result<(), Status> {
    token.wanted().await;
    let session = client.log_in(&LogInRequest { pin: 4711 }).await?;
    token.store(&session.token);
    Ok(())
}
