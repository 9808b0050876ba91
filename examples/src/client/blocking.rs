//! The same calls without an executor: `.call()` where there was `.await`, and no `.await` after that.
//!
//! One connection, one call at a time; what the other files say of each kind holds here too.

use rpc_nostd::blocking::{Client as BlockingClient, Transport};
use rpc_nostd::{Code, MetadataEntry, ReceivedMetadata};

use super::{Example, reading, text, words};
use crate::data::{self, Crc};
use crate::greenhouse::{
    DownloadLogRequest, Firmware, GetReadingRequest, GreenhouseClient, Log, LogInRequest,
    WatchReadingsRequest, WaterBedRequest, Window,
};
use crate::token::Token;
use crate::{Celsius, Failed, Say, check};

/// A client without an executor.
pub type Client<'r, T> = GreenhouseClient<BlockingClient<'r, T>>;

/// The examples that are written out here. The others differ from theirs by `.call()` alone.
pub const EXAMPLES: [Example; 6] = [
    Example::Unary,
    Example::ServerStreaming,
    Example::ClientStreaming,
    Example::Bidi,
    Example::Large,
    Example::Auth,
];

/// Runs one of [`EXAMPLES`].
///
/// # Errors
/// As [`Example::run`]; and for an example that is not written out here.
pub fn run<T: Transport>(example: Example, client: &mut Client<'_, T>, say: Say) -> Result<(), Failed> {
    match example {
        Example::Unary => unary(client, say),
        Example::ServerStreaming => server_streaming(client, say),
        Example::ClientStreaming => client_streaming(client, say),
        Example::Bidi => bidi(client, say),
        Example::Large => {
            install_firmware(client, say)?;
            download_log(client, say)
        }
        Example::Auth => auth(client, say),
        _ => Err(Failed::Check(
            "this example is not written out for a blocking client",
        )),
    }
}

fn unary<T: Transport>(client: &mut Client<'_, T>, say: Say) -> Result<(), Failed> {
    let request = GetReadingRequest {
        bed: text("tomatoes"),
    };
    let metadata = [MetadataEntry::ascii("x-gardener", "Ada")];
    let mut memory = [0; 128];
    let mut received = ReceivedMetadata::new(&mut memory);

    let reading = client
        .get_reading(&request)
        .metadata(&metadata)
        .receive_into(&mut received)
        .call()?;

    say(format_args!(
        "unary: {} have {}",
        reading.bed,
        Celsius(reading.centi_celsius)
    ));
    let house = received.initial("x-greenhouse").next();
    check(house == Some(b"north house"), "the metadata did not arrive")
}

fn server_streaming<T: Transport>(client: &mut Client<'_, T>, say: Say) -> Result<(), Failed> {
    let request = WatchReadingsRequest {
        bed: text("basil"),
        count: 3,
        interval_ms: 20,
    };

    let mut readings = client.watch_readings(&request).call()?;

    let mut count = 0;
    while let Some(reading) = readings.next()? {
        count += 1;
        say(format_args!(
            "server-streaming: {} have {}",
            reading.bed,
            Celsius(reading.centi_celsius)
        ));
    }
    check(count == request.count, "not as many readings as were asked for")
}

fn client_streaming<T: Transport>(client: &mut Client<'_, T>, say: Say) -> Result<(), Failed> {
    let mut upload = client.record_readings().call()?;
    for centi_celsius in [2150, -310, 2745] {
        upload.send(&reading(centi_celsius))?;
    }
    let summary = upload.finish()?;

    say(format_args!(
        "client-streaming: {} readings, from {} to {}",
        summary.readings,
        Celsius(summary.lowest_centi_celsius),
        Celsius(summary.highest_centi_celsius)
    ));
    check(summary.readings == 3, "the server missed a reading")
}

fn bidi<T: Transport>(client: &mut Client<'_, T>, say: Say) -> Result<(), Failed> {
    // One value has both halves: sending and receiving take turns.
    let mut exchange = client.advise().call()?;
    for (centi_celsius, expected) in [(2150, Window::Leave), (2980, Window::Open)] {
        exchange.send(&reading(centi_celsius))?;
        let answer = exchange.next()?;
        let answer = answer.ok_or(Failed::Check("the server ended the call early"))?;
        say(format_args!(
            "bidi: at {}: {}",
            Celsius(centi_celsius),
            words(answer.window)
        ));
        check(answer.window == expected, "that is bad advice")?;
    }
    exchange.finish_sending()?;
    check(exchange.next()?.is_none(), "advice for nothing")
}

fn install_firmware<T: Transport>(client: &mut Client<'_, T>, say: Say) -> Result<(), Failed> {
    let firmware = Firmware {
        version: text("2.1.0"),
        ..Default::default()
    };

    let mut image = client
        .install_firmware(&firmware)
        .with_large_field(&[2], data::LEN)
        .call()?;
    let mut piece = [0; 256];
    for offset in (0..data::LEN).step_by(piece.len()) {
        data::read(offset, &mut piece);
        image.write(&piece)?;
    }
    let installed = image.finish()?.next()?.unwrap_or_default();

    say(format_args!(
        "large: firmware {} of {} octets installed, CRC {:08x}",
        installed.version, installed.octets, installed.crc
    ));
    check(installed.crc == data::crc(data::LEN), "another image arrived")
}

fn download_log<T: Transport>(client: &mut Client<'_, T>, say: Say) -> Result<(), Failed> {
    let octets = u32::try_from(data::LEN).unwrap_or(u32::MAX);
    let request = DownloadLogRequest { octets };

    let mut reply = client.download_log(&request).streamed().call()?;
    let mut scratch = [0; 64];
    let reader = reply.next_large(&[2], &mut scratch)?;
    let mut reader = reader.ok_or(Failed::Check("no log came"))?;
    let mut piece = [0; 256];
    let mut crc = Crc::new();
    loop {
        let read = reader.read(&mut piece)?;
        let Some(octets @ [_, ..]) = piece.get(..read) else {
            break;
        };
        crc.add(octets);
    }
    let log: Log = reader.finish()?;

    say(format_args!("large: {} read, CRC {:08x}", log.name, crc.value()));
    check(crc.value() == log.crc, "another log arrived")?;
    check(reply.next()?.is_none(), "two logs came")
}

fn auth<T: Transport>(client: &mut Client<'_, T>, say: Say) -> Result<(), Failed> {
    let request = WaterBedRequest {
        bed: text("tomatoes"),
        seconds: 30,
    };
    let token = Token::default();
    token.store("of yesterday");

    let Err(status) = client.water_bed(&request).credentials(&token).call() else {
        return Err(Failed::Check("an old token was let in"));
    };
    say(format_args!("auth: with an old token: {status}"));
    check(
        status.code() == Code::UNAUTHENTICATED,
        "another code than UNAUTHENTICATED",
    )?;

    // Nobody fetches a token while a call waits for it: that has to come first here.
    let session = client.log_in(&LogInRequest { pin: 4711 }).call()?;
    token.store(&session.token);
    let watered = client.water_bed(&request).credentials(&token).call()?;

    say(format_args!(
        "auth: with a new token: watered, {} s in all",
        watered.total_seconds
    ));
    check(watered.total_seconds >= request.seconds, "the bed is dry")
}
