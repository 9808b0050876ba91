//! The blocking client: a call of each kind, one with metadata and credentials, one larger than memory.
#![no_std]
#![no_main]

mod kept;

use core::hint::black_box;
use core::time::Duration;

use cortex_m_rt::entry;
use proof::messages::{ITEM, item};
use proof::proto::{Blob, ProofClient};
use proof::script::Script;
use proof::ticks::Ticks;
use proof::token::Token;
use rpc_nostd::blocking::Client;
use rpc_nostd::{Config, MetadataEntry, ReceivedMetadata, Resources, Status};
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
    let client = proof::unless_failed(Client::new(proof::take(&RESOURCES), script, &CLOCK, config));
    script.say_settings();
    let mut client = ProofClient::new(client);
    unary(&mut client, script)?;
    watch(&mut client, script)?;
    push(&mut client, script)?;
    chat(&mut client, script)?;
    swap(&mut client, script)
}

type Proof = ProofClient<Client<'static, &'static Script>>;

fn unary(client: &mut Proof, script: &Script) -> Result<(), Status> {
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
        .call()?;
    black_box((item, received.initial("x-a").count()));
    Ok(())
}

fn watch(client: &mut Proof, script: &Script) -> Result<(), Status> {
    script.respond(3, &[ITEM, ITEM]);
    let item = item();
    let mut items = client.watch(&item).call()?;
    while let Some(item) = items.next()? {
        black_box(item);
    }
    Ok(())
}

fn push(client: &mut Proof, script: &Script) -> Result<(), Status> {
    let mut upload = client.push().call()?;
    upload.send(&item())?;
    script.respond(5, &[b"\x08\x02"]);
    black_box(upload.finish()?);
    Ok(())
}

fn chat(client: &mut Proof, script: &Script) -> Result<(), Status> {
    let mut exchange = client.chat().call()?;
    exchange.send(&item())?;
    exchange.finish_sending()?;
    script.respond(7, &[b"\x08\x02", b"\x08\x03"]);
    while let Some(count) = exchange.next()? {
        black_box(count);
    }
    Ok(())
}

fn swap(client: &mut Proof, script: &Script) -> Result<(), Status> {
    let blob = Blob::default();
    let mut writer = client.swap(&blob).with_large_field(&[1], 64).call()?;
    writer.write(black_box(&[b'.'; 64]))?;
    let mut receiver = writer.finish()?;
    script.respond(9, &[b"\x12\x01n\x0a\x05hello"]);
    let (mut scratch, mut chunk) = ([0; 64], [0; 4]);
    if let Some(mut reader) = receiver.next_large(&[1], &mut scratch)? {
        while reader.read(&mut chunk)? > 0 {
            black_box(&chunk);
        }
        black_box(reader.finish::<Blob>()?);
    }
    black_box(receiver.next()?);
    Ok(())
}
