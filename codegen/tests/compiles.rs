//! The output compiles in a crate of its own, with every lint that is on by default denied.

mod support;

use std::path::{Path, PathBuf};
use std::process::Command;

use rpc_nostd_codegen::Builder;
use support::user::{SINKS, UserCrate};

/// Compiled in a library, where `missing_docs` looks, and in a program, where `dead_code` looks.
#[test]
fn output_compiles_without_warnings_on_the_host() {
    let user = user_crate("host");
    user.cargo(&["clippy", "--lib", "--bins"]);
}

#[test]
fn messages_come_back_as_they_were_and_keep_to_their_capacities() {
    let user = user_crate("run");
    user.cargo(&["run"]);
}

#[test]
fn output_is_documented_without_warnings() {
    let user = user_crate("doc");
    user.cargo(&["doc", "--no-deps", "--lib"]);
}

#[test]
fn output_compiles_without_warnings_on_a_cortex_m3() {
    let target = "thumbv7m-none-eabi";
    let libdir = Command::new("rustc")
        .args(["--print", "target-libdir", "--target", target])
        .output()
        .unwrap();
    if !Path::new(String::from_utf8(libdir.stdout).unwrap().trim()).is_dir() {
        eprintln!("not tested: `rustup target add {target}` installs what is missing");
        return;
    }
    let user = user_crate("thumb");
    user.cargo(&["check", "--lib", "--target", target]);
    user.cargo(&["check", "--lib", "--target", target, "--features", "defmt"]);
}

/// Everything there is to compile, in a crate as a user would have it.
fn user_crate(name: &str) -> UserCrate {
    let mut modules = String::new();
    let mut files: Vec<(String, String)> = Vec::new();
    let mut cases: Vec<(String, PathBuf, PathBuf)> = Vec::new();
    for case in support::golden_cases() {
        let module = case.file_name().unwrap().to_str().unwrap().to_owned();
        cases.push((module, case.join("in.proto"), case));
    }
    // The service that firmware and peers of this project share.
    let protos = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/proto");
    cases.push((
        "shared".to_owned(),
        protos.join("telemetry/v1/telemetry.proto"),
        protos,
    ));
    let mut add = |module: &str, protos: &[PathBuf], includes: &[PathBuf]| {
        let builder = Builder::new().defmt_feature("defmt").descriptors(true);
        let code = builder.generate(protos, includes).unwrap().code;
        files.push((format!("src/{module}.rs"), code));
        format!("/// Case.\npub mod {module} {{ include!(\"{module}.rs\"); }}\n")
    };
    for (module, proto, include) in cases {
        modules.push_str(&add(&module, &[proto], &[include]));
    }
    let program = modules.replace("/// Case.\n", "").replace("pub mod", "mod");
    for (module, protos, includes) in support::suites() {
        modules.push_str(&add(&module, &protos, &includes));
    }
    let library = format!("{LIBRARY_HEAD}{modules}{SINKS}{USES}{HANDLERS}");
    files.push(("src/lib.rs".to_owned(), library));
    files.push((
        "src/main.rs".to_owned(),
        format!("#![forbid(unsafe_code)]\n{program}{SINKS}{PROGRAM}"),
    ));
    let files: Vec<(&str, &str)> = files
        .iter()
        .map(|(name, text)| (name.as_str(), text.as_str()))
        .collect();
    UserCrate::new(name, &files)
}

const LIBRARY_HEAD: &str =
    "//! A user's crate.\n#![no_std]\n#![forbid(unsafe_code)]\n#![deny(missing_docs)]\n";

/// Written as a user writes it.
const USES: &str = r#"
use basic::meter::v1::{MeterClient, ReadReply, ReadRequest, meter_service};
use rpc_nostd::{Channel, Status};

/// Sizes are constants, and buffers can be sized from them.
pub static BUFFER: [u8; meter_service::READ_REQUEST_MAX_SIZE] = [0; meter_service::READ_REQUEST_MAX_SIZE];

const _: () = assert!(meter_service::READ_REQUEST_MAX_SIZE == 18);

/// A method is known by its path.
pub fn path() -> &'static str {
    meter_service::READ.path()
}

/// A call is a future on a channel.
///
/// # Errors
/// The call's status.
pub async fn call(channel: Channel<'_>) -> Result<u64, Status> {
    let mut client = MeterClient::new(channel);
    let mut request = ReadRequest::default();
    let _fits = request.meter.push_str("north");
    let reply: ReadReply = client.read(&request).await?;
    Ok(reply.value)
}
"#;

/// Handlers of every kind, one whose messages are larger than memory, and a client of each kind.
const HANDLERS: &str = r#"
use rpc_nostd::server::{Context, Receiver, Sender, Service};
use streaming::streaming::v1::{Blob, Blobs, BlobsServer, Count, Feed, FeedClient, FeedServer, Item};

/// Handlers.
#[derive(Default)]
pub struct Device {
    sum: core::cell::Cell<u32>,
}

impl Feed for Device {
    async fn get(&self, _: &mut Context<'_>, request: Item) -> Result<Item, Status> {
        self.sum.set(self.sum.get().wrapping_add(request.number));
        Ok(Item { number: self.sum.get() })
    }

    async fn watch(
        &self,
        _: &mut Context<'_>,
        request: Item,
        replies: &mut Sender<'_, Item>,
    ) -> Result<(), Status> {
        for number in 0..request.number {
            replies.send(&Item { number }).await?;
        }
        Ok(())
    }

    async fn push(&self, cx: &mut Context<'_>, requests: &mut Receiver<'_, Item>) -> Result<Count, Status> {
        let mut items = 0;
        while let Some(item) = requests.next().await? {
            self.get(cx, item).await?;
            items += 1;
        }
        Ok(Count { items })
    }

    async fn chat(
        &self,
        _: &mut Context<'_>,
        requests: &mut Receiver<'_, Item>,
        replies: &mut Sender<'_, Count>,
    ) -> Result<(), Status> {
        let mut items = 0;
        while requests.next().await?.is_some() {
            items += 1;
            replies.send(&Count { items }).await?;
        }
        Ok(())
    }
}

/// Its unary method is marked as chunked; what is not written answers UNIMPLEMENTED.
impl Blobs for Device {
    async fn swap(
        &self,
        _: &mut Context<'_>,
        requests: &mut Receiver<'_, Blob>,
        replies: &mut Sender<'_, Blob>,
    ) -> Result<(), Status> {
        let blob = requests.only().await?;
        replies.send(&blob).await
    }
}

/// Both services on one server.
pub fn service() -> impl Service {
    FeedServer::new(Device::default()).and(BlobsServer::new(Device::default()))
}

/// Calls of each kind, on a channel.
///
/// # Errors
/// The status of the first call that failed.
pub async fn calls(channel: Channel<'_>) -> Result<u64, Status> {
    let mut feed = FeedClient::new(channel);
    let request = Item::default();
    let mut items = feed.watch(&request).await?;
    let mut upload = feed.push().await?;
    while let Some(item) = items.next().await? {
        upload.send(&item).await?;
    }
    let pushed = upload.finish().await?;
    #[allow(deprecated)]
    let (mut sender, mut counts) = feed.chat().await?;
    sender.send(&request).await?;
    sender.finish().await?;
    let count = counts.next().await?.unwrap_or_default();
    Ok(pushed.items + count.items)
}
"#;

/// What the messages and the routes do when the program runs.
const PROGRAM: &str = r#"
use kinds::kinds::v1::{Everything, Everything_, Mode};
use rpc_nostd::server::Routes;
use rpc_nostd::{MethodKind, heapless};
use streaming::streaming::v1::{Feed, FeedServer, feed_service};
use rpc_nostd::micropb::{MessageDecode, MessageEncode};

const MAX: usize = rpc_nostd::micropb::size::max_encoded_size::<Everything>();

fn encode(message: &Everything) -> heapless::Vec<u8, MAX> {
    let mut encoder = PbEncoder::new(heapless::Vec::new());
    message.encode(&mut encoder).expect("MAX_SIZE is enough");
    encoder.into_writer()
}

fn main() {
    let mut message = Everything {
        maybe: Some(0),
        mode: Mode::Fast,
        choice: Some(Everything_::Choice::Text("four".try_into().expect("4 bytes"))),
        inner: Some(Everything_::Inner { x: 7, ..Default::default() }),
        i: -1,
        ..Default::default()
    };
    message.names.push("eight888".try_into().expect("8 bytes")).expect("3 elements");
    message.labels.insert("key".try_into().expect("16 bytes"), Default::default()).expect("4 entries");
    let encoded = encode(&message);
    assert_eq!(encoded.len(), message.compute_size());
    let mut decoded = Everything::default();
    decoded.decode_from_bytes(&encoded).expect("what was encoded can be decoded");
    assert_eq!(decoded, message);

    // Field 14, `bytes raw`, has a capacity of 4.
    assert!(Everything::default().decode_from_bytes(&[0x72, 4, 1, 2, 3, 4]).is_ok());
    assert_eq!(Everything::default().decode_from_bytes(&[0x72, 5, 1, 2, 3, 4, 5]), Err(DecodeError::Capacity));
    // Enums are open.
    decoded.decode_from_bytes(&[0x50, 99]).expect("any number");
    assert_eq!(decoded.mode, Mode(99));

    // A path is compared whole and as it is.
    for method in feed_service::METHODS {
        assert_eq!(FeedServer::<Nobody>::method(method.path().as_bytes()), Some(method));
    }
    let kinds = feed_service::METHODS.map(|method| method.kind());
    let expected =
        [MethodKind::Unary, MethodKind::ServerStreaming, MethodKind::ClientStreaming, MethodKind::BidiStreaming];
    assert_eq!(kinds, expected);
    for path in ["/streaming.v1.Feed/get", "/streaming.v1.Feed/Get/", "/streaming.v1.Feed/", "streaming.v1.Feed/Get", ""] {
        assert_eq!(FeedServer::<Nobody>::method(path.as_bytes()), None, "{path}");
    }
}

/// Implements nothing, and needs not.
struct Nobody;

impl Feed for Nobody {}
"#;
