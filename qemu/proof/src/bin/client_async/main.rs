//! The async client: a call of each kind, one with metadata and credentials, one larger than memory.
#![no_std]
#![no_main]

mod kept;

use core::hint::black_box;
use core::pin::pin;
use core::time::Duration;

use cortex_m_rt::entry;
use proof::futures::run;
use proof::messages::{ITEM, item};
use proof::proto::{Blob, ProofClient};
use proof::script::{Script, Way};
use proof::ticks::Ticks;
use proof::token::Token;
use rpc_nostd::{Channel, Code, Config, MetadataEntry, ReceivedMetadata, Resources, Status};
use static_cell::ConstStaticCell;

#[entry]
fn main() -> ! {
    kept::keep_all();
    proof::end(proof::told(calls()))
}

fn calls() -> Result<(), Status> {
    static RESOURCES: ConstStaticCell<Resources<'static, 4, 512, 1_024, 256>> =
        ConstStaticCell::new(Resources::new());
    static SCRIPT: ConstStaticCell<Script> = ConstStaticCell::new(Script::new());
    static CLOCK: Ticks = Ticks::new();
    static TOKEN: Token = Token("Bearer secret");
    let config = Config {
        credentials: Some(&TOKEN),
        ..Config::new("telemetry.local:50051")
    };
    let script: &'static Script = proof::take(&SCRIPT);
    let made = Channel::new(proof::take(&RESOURCES), Way(script), &CLOCK, config);
    let (channel, runner) = proof::unless_failed(made);
    script.say_settings();
    let runner = pin!(runner.run());
    let calls = pin!(make_calls(channel, script));
    run(calls, runner).unwrap_or(Err(ENDED))
}

async fn make_calls(channel: Channel<'static>, script: &Script) -> Result<(), Status> {
    let mut client = ProofClient::new(channel);
    unary(&mut client, script).await?;
    watch(&mut client, script).await?;
    push(&mut client, script).await?;
    chat(&mut client, script).await?;
    swap(&mut client, script).await?;
    channel.shutdown();
    Ok(())
}

type Proof = ProofClient<Channel<'static>>;

const ENDED: Status = Status::new(Code::INTERNAL, "the runner ended");

async fn unary(client: &mut Proof, script: &Script) -> Result<(), Status> {
    script.respond(1, &[ITEM]);
    let mut memory = [0; 64];
    let mut received = ReceivedMetadata::new(&mut memory);
    let metadata = [
        MetadataEntry::ascii("x-a", "b"),
        MetadataEntry::binary("x-bin", &[1, 2]),
    ];
    let item = client
        .get(&item())
        .deadline(Duration::from_secs(5))
        .metadata(&metadata)
        .receive_into(&mut received)
        .await?;
    black_box((item, received.initial("x-a").count()));
    Ok(())
}

async fn watch(client: &mut Proof, script: &Script) -> Result<(), Status> {
    script.respond(3, &[ITEM, ITEM]);
    let item = item();
    let mut items = client.watch(&item).await?;
    while let Some(item) = items.next().await? {
        black_box(item);
    }
    Ok(())
}

async fn push(client: &mut Proof, script: &Script) -> Result<(), Status> {
    let mut upload = client.push().await?;
    upload.send(&item()).await?;
    script.respond(5, &[b"\x08\x02"]);
    black_box(upload.finish().await?);
    Ok(())
}

async fn chat(client: &mut Proof, script: &Script) -> Result<(), Status> {
    let (mut sender, mut receiver) = client.chat().await?;
    sender.send(&item()).await?;
    sender.finish().await?;
    script.respond(7, &[b"\x08\x02", b"\x08\x03"]);
    while let Some(count) = receiver.next().await? {
        black_box(count);
    }
    Ok(())
}

async fn swap(client: &mut Proof, script: &Script) -> Result<(), Status> {
    let blob = Blob::default();
    let (mut writer, mut receiver) = client.swap(&blob).with_large_field(&[1], 64).await?;
    writer.write(black_box(&[b'.'; 64])).await?;
    writer.finish().await?;
    script.respond(9, &[b"\x12\x01n\x0a\x05hello"]);
    let (mut scratch, mut chunk) = ([0; 64], [0; 4]);
    if let Some(mut reader) = receiver.next_large(&[1], &mut scratch).await? {
        while reader.read(&mut chunk).await? > 0 {
            black_box(&chunk);
        }
        black_box(reader.finish::<Blob>()?);
    }
    black_box(receiver.next().await?);
    Ok(())
}
