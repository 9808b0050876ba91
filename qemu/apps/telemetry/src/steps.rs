//! What the device does, in order. Each step logs what happened; `Err` means that a failure is logged already.

use core::time::Duration;

use embassy_executor::Spawner;
use embassy_net::dns::DnsQueryType;
use embassy_net::{IpAddress, Ipv4Address, Stack};
use embassy_time::{Instant, Timer, with_timeout};
use heapless::{String, Vec};
use qemu_runtime::{Args, network};
use rpc_nostd::{Channel, Code, MetadataEntry, ReceivedMetadata, Status};

use crate::channel;
use crate::proto::{DiagnoseRequest, ReportReply, ReportRequest, SubscribeRequest, TelemetryClient};

type Client = TelemetryClient<Channel<'static>>;

/// A step went wrong, and said so.
pub(crate) struct Failed;

pub(crate) async fn run(spawner: Spawner, stack: Stack<'static>, args: Args) -> Result<(), Failed> {
    address(stack).await?;
    let host = resolve(stack, args).await?;
    let channel = channel::open(spawner, stack, host, args.number("port", 50_051)).ok_or(Failed)?;
    let mut client = TelemetryClient::new(channel);
    report_with_metadata(&mut client).await?;
    let stored = report(&mut client, 1).await?.total_reports;
    error_status(&mut client).await?;
    deadline(&mut client).await?;
    subscribe(&mut client).await?;
    let stored = upload(&mut client, stored).await?;
    let stored = exchange(&mut client, stored).await?;
    if args.get("mode") == Some("demo") {
        restart(&mut client, stored).await?;
    }
    channel.shutdown();
    Ok(())
}

async fn address(stack: Stack<'static>) -> Result<(), Failed> {
    let waited = with_timeout(STEP_LIMIT, network::wait_for_address(stack)).await;
    let Ok(config) = waited else {
        defmt::error!("demo: fail: dhcp: no address");
        return Err(Failed);
    };
    defmt::info!(
        "demo: dhcp: addr={} gateway={} dns={}",
        config.address.address(),
        config.gateway.unwrap_or(Ipv4Address::UNSPECIFIED),
        config
            .dns_servers
            .first()
            .copied()
            .unwrap_or(Ipv4Address::UNSPECIFIED)
    );
    Ok(())
}

/// Looks the server's name up, to show it; the connector does so again at each connection.
async fn resolve(stack: Stack<'static>, args: Args) -> Result<&'static str, Failed> {
    let host = args.get("host").unwrap_or("10.0.2.2");
    let query = with_timeout(STEP_LIMIT, stack.dns_query(host, DnsQueryType::A)).await;
    if let Ok(Ok(addresses)) = query
        && let Some(IpAddress::Ipv4(address)) = addresses.first()
    {
        defmt::info!("demo: dns: name={=str} addr={}", host, address);
        return Ok(host);
    }
    match args.get("fallback") {
        Some(literal) => {
            defmt::warn!(
                "NO NAME RESOLUTION for {=str}: going on with the address {=str}",
                host,
                literal
            );
            Ok(literal)
        }
        None => {
            defmt::error!("demo: fail: dns: no address for {=str}", host);
            Err(Failed)
        }
    }
}

/// The first report: with metadata, which the server returns before and after its reply.
async fn report_with_metadata(client: &mut Client) -> Result<(), Failed> {
    let request = measurement(0);
    let metadata = [
        MetadataEntry::ascii("x-telemetry-echo", ECHO),
        MetadataEntry::binary("x-telemetry-echo-bin", &ECHO_BINARY),
    ];
    let mut memory = [0; 192];
    let mut received = ReceivedMetadata::new(&mut memory);
    let result = client
        .report(&request)
        .metadata(&metadata)
        .receive_into(&mut received)
        .await;
    let reply = answered("report", result)?;
    let ascii = received.initial("x-telemetry-echo").eq([ECHO.as_bytes()]);
    let binary = received.trailing("x-telemetry-echo-bin").eq([&ECHO_BINARY[..]]);
    let echo = if ascii && binary { "ok" } else { "bad" };
    log_report(&request, &reply, Some(echo));
    check("report", ascii && binary, "metadata did not come back")?;
    check(
        "report",
        echoes(&request, &reply),
        "the reply is another request's",
    )
}

async fn report(client: &mut Client, sequence: u32) -> Result<ReportReply, Failed> {
    let request = measurement(sequence);
    let reply = answered("report", client.report(&request).await)?;
    log_report(&request, &reply, None);
    check(
        "report",
        echoes(&request, &reply),
        "the reply is another request's",
    )?;
    Ok(reply)
}

/// A call that the server answers with an error status: code, message, details.
async fn error_status(client: &mut Client) -> Result<(), Failed> {
    let request = DiagnoseRequest {
        status_code: Code::FAILED_PRECONDITION.as_u8().into(),
        status_message: String::try_from(ERROR_MESSAGE).unwrap_or_default(),
        status_details: Vec::from_slice(&ERROR_DETAILS).unwrap_or_default(),
        ..Default::default()
    };
    let mut memory = [0; 64];
    let mut received = ReceivedMetadata::new(&mut memory);
    let result = client.diagnose(&request).receive_into(&mut received).await;
    let Err(status) = result else {
        return check("error-status", false, "the call succeeded");
    };
    let details = received.status_details().unwrap_or_default();
    defmt::info!(
        "demo: error-status: code={=u8} message=\"{=str}\" details={=str}",
        status.code().as_u8(),
        status.message(),
        hex(details).as_str()
    );
    let same = status.code() == Code::FAILED_PRECONDITION
        && status.message() == ERROR_MESSAGE
        && details == ERROR_DETAILS
        && !status.is_local();
    check("error-status", same, "not the status that was asked for")
}

/// A call whose deadline is over before the server answers.
async fn deadline(client: &mut Client) -> Result<(), Failed> {
    let request = DiagnoseRequest {
        delay_ms: 10_000,
        ..Default::default()
    };
    let begin = Instant::now();
    let result = client.diagnose(&request).deadline(DEADLINE).await;
    let after_ms = begin.elapsed().as_millis();
    let Err(status) = result else {
        return check("deadline", false, "the call succeeded");
    };
    defmt::info!(
        "demo: deadline: code={=u8} after_ms={=u64}",
        status.code().as_u8(),
        after_ms
    );
    check(
        "deadline",
        status.code() == Code::DEADLINE_EXCEEDED,
        "another status than DEADLINE_EXCEEDED",
    )?;
    // The channel counts whole milliseconds, from one that had begun already.
    let early = u128::from(after_ms) + 1 < DEADLINE.as_millis();
    check("deadline", !early, "the call ended before its deadline")
}

/// A stream of replies.
async fn subscribe(client: &mut Client) -> Result<(), Failed> {
    let request = SubscribeRequest {
        count: STREAMED,
        interval_ms: 5,
    };
    let mut readings = answered("subscribe", client.subscribe(&request).await)?;
    let mut received = 0;
    while let Some(reading) = answered("subscribe", readings.next().await)? {
        check(
            "subscribe",
            reading.sequence == received,
            "a reading is out of order",
        )?;
        received += 1;
    }
    defmt::info!("demo: subscribe: readings={=u32}", received);
    check("subscribe", received == STREAMED, "not all readings came")
}

/// A stream of requests.
async fn upload(client: &mut Client, stored: u32) -> Result<u32, Failed> {
    let mut upload = answered("upload", client.upload().await)?;
    for sequence in 0..STREAMED {
        answered("upload", upload.send(&measurement(sequence)).await)?;
    }
    let reply = answered("upload", upload.finish().await)?;
    let (sent, total) = (reply.stored, reply.total_reports);
    defmt::info!("demo: upload: stored={=u32} total_reports={=u32}", sent, total);
    check("upload", sent == STREAMED, "not all reports were stored")?;
    check(
        "upload",
        total == stored.wrapping_add(STREAMED),
        "the server counts otherwise",
    )?;
    Ok(total)
}

/// Both at once: each reply is there before the next request is sent.
async fn exchange(client: &mut Client, mut stored: u32) -> Result<u32, Failed> {
    let (mut requests, mut replies) = answered("exchange", client.exchange().await)?;
    for sequence in 0..STREAMED {
        let request = measurement(sequence);
        answered("exchange", requests.send(&request).await)?;
        let reply = answered("exchange", replies.next().await)?;
        let echoed = reply.as_ref().is_some_and(|reply| echoes(&request, reply));
        check("exchange", echoed, "the reply is another request's, or none")?;
        stored = reply.map_or(stored, |reply| reply.total_reports);
    }
    answered("exchange", requests.finish().await)?;
    let more = answered("exchange", replies.next().await)?;
    defmt::info!(
        "demo: exchange: replies={=u32} total_reports={=u32}",
        STREAMED,
        stored
    );
    check("exchange", more.is_none(), "one reply too many")?;
    Ok(stored)
}

/// Asks the host for a new server, and keeps reporting until that answers: it counts from 1 again.
async fn restart(client: &mut Client, mut stored: u32) -> Result<(), Failed> {
    defmt::info!("demo: restart-wait:");
    let begin = Instant::now();
    let request = measurement(2);
    while begin.elapsed() < RESTART_LIMIT {
        match client.report(&request).wait_for_ready().await {
            Ok(reply) if reply.total_reports <= stored => {
                defmt::info!(
                    "demo: restart-done: sequence={=u32} total_reports={=u32}",
                    reply.sequence,
                    reply.total_reports
                );
                return check(
                    "restart",
                    echoes(&request, &reply),
                    "the reply is another request's",
                );
            }
            Ok(reply) => stored = reply.total_reports,
            // What a call meets whose connection breaks under it. The next one waits for the new connection.
            Err(status) => defmt::info!("call lost with the connection: {}", status),
        }
        Timer::after_millis(50).await;
    }
    check("restart", false, "no new server within 30 s")
}

fn measurement(sequence: u32) -> ReportRequest {
    ReportRequest {
        device_id: String::try_from("pump-17").unwrap_or_default(),
        sequence,
        millivolts: 3300_u32.saturating_add(sequence),
        temperature_centi: -512,
        samples: Vec::from_slice(&[1, 200, 30_000, 4_000_000]).unwrap_or_default(),
        nonce: Vec::from_slice(&sequence.to_be_bytes()).unwrap_or_default(),
    }
}

fn echoes(request: &ReportRequest, reply: &ReportReply) -> bool {
    reply.sequence == request.sequence && reply.nonce == request.nonce
}

fn log_report(request: &ReportRequest, reply: &ReportReply, echo: Option<&str>) {
    let (sequence, millivolts, total) = (reply.sequence, request.millivolts, reply.total_reports);
    match echo {
        Some(echo) => defmt::info!(
            "demo: report: sequence={=u32} millivolts={=u32} total_reports={=u32} echo={=str}",
            sequence,
            millivolts,
            total,
            echo
        ),
        None => defmt::info!(
            "demo: report: sequence={=u32} millivolts={=u32} total_reports={=u32}",
            sequence,
            millivolts,
            total
        ),
    }
}

fn answered<T>(step: &str, result: Result<T, Status>) -> Result<T, Failed> {
    result.map_err(|status| {
        defmt::error!("demo: fail: {=str}: {}", step, status);
        Failed
    })
}

fn check(step: &str, holds: bool, otherwise: &str) -> Result<(), Failed> {
    if holds {
        return Ok(());
    }
    defmt::error!("demo: fail: {=str}: {=str}", step, otherwise);
    Err(Failed)
}

/// Lower-case hexadecimal, cut at 32 octets.
fn hex(octets: &[u8]) -> String<64> {
    let digit = |nibble: u8| char::from_digit(nibble.into(), 16).unwrap_or('?');
    octets
        .iter()
        .take(32)
        .flat_map(|octet| [digit(octet >> 4), digit(octet & 0xf)])
        .collect()
}

const ECHO: &str = "pump 17, hall B";
const ECHO_BINARY: [u8; 5] = [0, 1, 0x80, 0xfe, 0xff];
const ERROR_MESSAGE: &str = "sensor not calibrated: 23 °C";
const ERROR_DETAILS: [u8; 3] = [1, 2, 0xff];
const DEADLINE: Duration = Duration::from_millis(500);
/// Messages of a stream.
const STREAMED: u32 = 5;
const STEP_LIMIT: embassy_time::Duration = embassy_time::Duration::from_secs(10);
const RESTART_LIMIT: embassy_time::Duration = embassy_time::Duration::from_secs(30);
