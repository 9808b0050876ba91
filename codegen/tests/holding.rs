//! Fields that borrow, that a type of the user's sees, that are left out or kept encoded: what they do in a user's
//! program, and where they cannot be.

mod support;

use rpc_nostd_codegen::Builder;
use support::user::{SINKS, UserCrate};

#[test]
fn fields_are_held_as_it_is_said() {
    let case = support::golden("holding");
    let code = Builder::new()
        .generate(&[case.join("in.proto")], &[case])
        .unwrap()
        .code;
    let dynamic = support::folder(&[("a.proto", DYNAMIC), ("a.toml", DYNAMIC_LINES)]);
    let folder = dynamic.path();
    let dynamic = Builder::new()
        .generate(&[folder.join("a.proto")], &[folder])
        .unwrap()
        .code;
    let modules = "mod holding { include!(\"holding.rs\"); }\nmod dynamic { include!(\"dynamic.rs\"); }";
    let program = format!("{modules}\n{SINKS}{PROGRAM}");
    let user = UserCrate::new(
        "holding",
        &[
            ("src/holding.rs", &code),
            ("src/dynamic.rs", &dynamic),
            ("src/main.rs", &program),
        ],
    );
    user.cargo(&["run"]);
}

/// A recursive type of Google's, of which nobody owns the file.
const DYNAMIC: &str = "syntax = \"proto3\";\npackage a;\nimport \"google/protobuf/struct.proto\";\nmessage M {\n  \
                       google.protobuf.Struct s = 1;\n}\n";
const DYNAMIC_LINES: &str = "[capacity]\n\"google.protobuf.Value.struct_value\" = { encoded = 64 }\n\
                             \"google.protobuf.ListValue.values.elem\" = { encoded = 64 }\n\
                             [default]\nstring = 8\nrepeated = 2\nmap = 2\nkey = 4\n";

const PROGRAM: &str = r#"
use dynamic::google::protobuf::{ListValue, NullValue, Struct, Value, Value_::Kind};
use holding::holding::v1::{Report, Report_, Tree, Upload};
use rpc_nostd::heapless::{String, Vec};
use rpc_nostd::micropb::{MessageDecode, MessageEncode};

fn encode(message: &impl MessageEncode) -> Vec<u8, 512> {
    let mut encoder = PbEncoder::new(Vec::new());
    message.encode(&mut encoder).expect("512 bytes are enough");
    let encoded = encoder.into_writer();
    assert_eq!(encoded.len(), message.compute_size());
    encoded
}

fn main() {
    let device = std::string::String::from("north");
    let firmware = [1, 2, 3];
    let lines = ["first", "second"];
    let mut report = Report {
        device: &device,
        firmware: &firmware,
        text: LogSink { len: 2, sum: 0 },
        body: Some(Report_::Body::Note(&device[1..])),
        maybe: Some(&firmware[..1]),
        inner: Some(Report_::Inner { name: "in", ..Default::default() }),
        lines: Lines { lines: &lines, count: 0 },
        ..Default::default()
    };
    report.tags.push(&device[..2]).expect("3 elements");
    report.labels.insert("key", b"value").expect("4 entries");
    let expected: &[u8] = b"\x0a\x05north\x12\x03\x01\x02\x03\x1a\x02no\x22\x02xx\x3a\x01\x01\x42\x0c\x0a\x03key\x12\x05value\
        \x52\x04\x0a\x02in\x62\x05first\x62\x06second\x2a\x04orth";
    assert_eq!(encode(&report), expected);

    // The same bytes as another message: the text goes to the callback, the note nowhere.
    let mut upload = Upload::default();
    upload.decode_from_bytes(b"\x22\x02ab\x2a\x04orth\x30\x01\x3a\x01n").expect("good");
    assert_eq!(upload.text, LogSink { len: 2, sum: u32::from(b'a') + u32::from(b'b') });
    assert_eq!(upload.names.len(), 1);

    // A message within a message of its type.
    let leaf = Tree { name: String::try_from("leaf").expect("8 bytes"), ..Default::default() };
    let encoded = encode(&leaf);
    let mut tree = Tree {
        left: Some(Vec::from_slice(&encoded).expect("32 bytes")),
        one: Some(holding::holding::v1::Tree_::One::Right(Vec::new())),
        ..Default::default()
    };
    tree.children.push(Vec::from_slice(&encoded).expect("64 bytes")).expect("3 elements");
    tree.by_name.insert(String::try_from("a").expect("5 bytes"), Vec::new()).expect("4 entries");
    let bytes = encode(&tree);
    assert_eq!(bytes, b"\x12\x06\x0a\x04leaf\x1a\x06\x0a\x04leaf\x22\x05\x0a\x01a\x12\x00\x2a\x00");
    let mut back = Tree::default();
    back.decode_from_bytes(&bytes).expect("what was encoded can be decoded");
    assert_eq!(back, tree);
    let mut inner = Tree::default();
    inner.decode_from_bytes(back.left.as_deref().expect("it was there")).expect("a tree");
    assert_eq!(inner, leaf);
    // One that is there and empty is not one that is not there.
    back.decode_from_bytes(b"\x1a\x00").expect("good");
    assert_eq!(back.left, Some(Vec::new()));
    assert_eq!(Tree::default().left, None);

    // {"list": [null, true]}
    let mut list = ListValue::default();
    for kind in [Kind::NullValue(NullValue::NullValue), Kind::BoolValue(true)] {
        let value = encode(&Value { kind: Some(kind) });
        list.values.push(Vec::from_slice(&value).expect("64 bytes")).expect("2 values");
    }
    let mut message = dynamic::a::M { s: Some(Struct::default()) };
    let value = Value { kind: Some(Kind::ListValue(list)) };
    message.s.as_mut().expect("some").fields.insert(String::try_from("list").expect("4 bytes"), value).expect("2 entries");
    let expected = b"\x0a\x14\x0a\x12\x0a\x04list\x12\x0a\x32\x08\x0a\x02\x08\x00\x0a\x02\x20\x01";
    assert_eq!(encode(&message), expected);
    let mut back = dynamic::a::M::default();
    back.decode_from_bytes(expected).expect("good");
    assert_eq!(back, message);
}
"#;

const SERVICE: &str = "syntax = \"proto3\";\npackage a.v1;\nmessage Log {\n  string text = 1;\n  bytes data = 2;\n  Sub \
                       sub = 3;\n}\nmessage Sub {\n  string name = 1;\n}\nmessage Done {\n  uint32 n = 1;\n}\n\
                       service Logs {\n  rpc Put(Log) returns (Done);\n  rpc Follow(Log) returns (stream Done);\n  \
                       rpc Push(stream Log) returns (Done);\n  rpc Chat(stream Log) returns (stream Done);\n}\n";
const BORROWED: &str = "[capacity]\n\"*.*\" = { borrow = true }\n";

#[test]
fn clients_send_what_they_borrow() {
    let folder = support::folder(&[("a.proto", SERVICE), ("a.toml", BORROWED)]);
    let code = Builder::new().server(false);
    let code = code
        .generate(&[folder.path().join("a.proto")], &[folder.path()])
        .unwrap()
        .code;
    assert!(
        !code.contains("PUT_REQUEST_MAX_SIZE"),
        "nobody knows how long it can be"
    );
    assert!(code.contains("PUT_RESPONSE_MAX_SIZE"), "{code}");
    let library = format!("{HEAD}{CLIENTS}");
    let user = UserCrate::new("clients", &[("src/a.rs", &code), ("src/lib.rs", &library)]);
    user.cargo(&["clippy", "--lib"]);
}

#[test]
fn servers_answer_with_what_they_borrow() {
    let proto = SERVICE
        .replace("(Log)", "(X)")
        .replace("(stream Log)", "(stream X)");
    let proto = proto
        .replace("Done", "Log")
        .replace("message Log {\n  uint32 n", "message X {\n  uint32 n");
    let folder = support::folder(&[("a.proto", &proto), ("a.toml", BORROWED)]);
    let code = Builder::new().client(false);
    let code = code
        .generate(&[folder.path().join("a.proto")], &[folder.path()])
        .unwrap()
        .code;
    let library = format!("{HEAD}{SERVERS}");
    let user = UserCrate::new("servers", &[("src/a.rs", &code), ("src/lib.rs", &library)]);
    user.cargo(&["clippy", "--lib"]);
}

/// Received too, since nothing in it is borrowed from what comes in.
#[test]
fn callbacks_with_a_lifetime_go_both_ways() {
    let capacities = "[capacity]\n\"Log.text\" = { callback = \"crate::Lines<'a>\" }\n\"*.*\" = 4\n";
    let proto = SERVICE
        .replace("Done", "Log")
        .replace("message Log {\n  uint32 n", "message X {\n  uint32 n");
    let folder = support::folder(&[("a.proto", &proto), ("a.toml", capacities)]);
    let code = Builder::new().generate(&[folder.path().join("a.proto")], &[folder.path()]);
    let library = format!("{HEAD}{SINKS}{BOTH_WAYS}");
    let user = UserCrate::new(
        "both-ways",
        &[("src/a.rs", &code.unwrap().code), ("src/lib.rs", &library)],
    );
    user.cargo(&["clippy", "--lib"]);
}

const BOTH_WAYS: &str = r#"
use a::a::v1::{Log, Logs, LogsClient, LogsServer};
use rpc_nostd::server::{Context, Receiver, Sender, Service};
use rpc_nostd::{Channel, Status};

/// Sends lines of the caller's, and counts those of the reply.
///
/// # Errors
/// The call's status.
pub async fn put(channel: Channel<'_>, lines: &[&str]) -> Result<usize, Status> {
    let mut logs = LogsClient::new(channel);
    let log = Log { text: Lines { lines, count: 0 }, ..Default::default() };
    let mut count = logs.put(&log).await?.text.count;
    let (mut sender, mut replies) = logs.chat().await?;
    sender.send(&log).await?;
    sender.finish().await?;
    while let Some(reply) = replies.next().await? {
        count += reply.text.count;
    }
    Ok(count)
}

/// Sends back as many lines as it gets.
pub struct Device;

impl Logs for Device {
    async fn put(&self, _: &mut Context<'_>, request: Log<'_>) -> Result<Log<'_>, Status> {
        let lines: &[&str] = if request.text.count == 0 { &[] } else { &["line"] };
        Ok(Log { text: Lines { lines, count: 0 }, ..Default::default() })
    }

    async fn chat<'s>(
        &'s self,
        _: &mut Context<'_>,
        requests: &mut Receiver<'_, Log<'_>>,
        replies: &mut Sender<'_, Log<'s>>,
    ) -> Result<(), Status> {
        while let Some(request) = requests.next().await? {
            let local = ["x"];
            let lines = &local[..request.text.count.min(1)];
            replies.send_borrowed(&Log { text: Lines { lines, count: 0 }, ..Default::default() }).await?;
        }
        Ok(())
    }
}

/// Serves it.
pub fn service() -> impl Service {
    LogsServer::new(Device)
}
"#;

const HEAD: &str = "//! A user's crate.\n#![no_std]\n#![forbid(unsafe_code)]\n#![deny(missing_docs)]\n\
                    /// Output.\npub mod a { include!(\"a.rs\"); }\n";

const CLIENTS: &str = r#"
use a::a::v1::{Log, LogsClient, Sub};
use rpc_nostd::client::blocking::Client;
use rpc_nostd::transport::blocking::Transport;
use rpc_nostd::{Channel, Status};

/// Text and data lie in a buffer of the caller's, and nowhere else.
///
/// # Errors
/// The calls' status.
pub async fn send(channel: Channel<'_>, buffer: &[u8]) -> Result<u32, Status> {
    let mut logs = LogsClient::new(channel);
    let text = core::str::from_utf8(buffer).unwrap_or_default();
    let log = Log { text, data: buffer, sub: Some(Sub { name: "static" }) };
    let mut sum = logs.put(&log).await?.n;
    {
        let local = [1, 2, 3];
        sum += logs.put(&Log { data: &local, ..log.clone() }).await?.n;
    }
    let mut replies = logs.follow(&log).await?;
    while let Some(reply) = replies.next().await? {
        sum += reply.n;
    }
    let mut upload = logs.push().await?;
    upload.send(&log).await?;
    sum += upload.finish().await?.n;
    let (mut sender, mut replies) = logs.chat().await?;
    sender.send(&log).await?;
    sender.finish().await?;
    sum += replies.next().await?.map_or(0, |reply| reply.n);
    Ok(sum)
}

/// Each message borrows from the same buffer.
///
/// # Errors
/// The calls' status.
pub async fn send_again(channel: Channel<'_>) -> Result<(), Status> {
    let mut logs = LogsClient::new(channel);
    let mut buffer = [0; 8];
    let mut upload = logs.push().await?;
    for round in 0..5 {
        buffer.fill(round);
        upload.send_borrowed(&Log { data: &buffer, ..Default::default() }).await?;
    }
    upload.finish().await?;
    let (mut sender, _replies) = logs.chat().await?;
    for round in 0..5 {
        buffer.fill(round);
        sender.send_borrowed(&Log { data: &buffer, ..Default::default() }).await?;
    }
    sender.finish().await
}

/// The same by a blocking client.
///
/// # Errors
/// The calls' status.
pub fn send_again_blocking<T: Transport>(client: Client<'_, T>) -> Result<u32, Status> {
    let mut logs = LogsClient::new(client);
    let mut buffer = [0; 8];
    let mut upload = logs.push().call()?;
    for round in 0..5 {
        buffer.fill(round);
        upload.send_borrowed(&Log { data: &buffer, ..Default::default() })?;
    }
    Ok(upload.finish()?.n)
}

/// One call by a blocking client.
///
/// # Errors
/// The call's status.
pub fn send_blocking<T: Transport>(client: Client<'_, T>, buffer: &[u8]) -> Result<u32, Status> {
    let mut logs = LogsClient::new(client);
    let log = Log { data: buffer, ..Default::default() };
    Ok(logs.put(&log).call()?.n)
}
"#;

const SERVERS: &str = r#"
use a::a::v1::{Log, Logs, LogsServer, X};
use rpc_nostd::Status;
use rpc_nostd::server::{Context, Receiver, Sender, Service};

/// What it answers lies in it.
pub struct Device {
    text: rpc_nostd::heapless::String<512>,
}

impl Logs for Device {
    async fn put(&self, _: &mut Context<'_>, _: X) -> Result<Log<'_>, Status> {
        Ok(Log { text: &self.text, ..Default::default() })
    }

    async fn follow<'s>(
        &'s self,
        _: &mut Context<'_>,
        _: X,
        replies: &mut Sender<'_, Log<'s>>,
    ) -> Result<(), Status> {
        let mut buffer = [0; 8];
        for round in 0..5 {
            buffer.fill(round);
            replies.send_borrowed(&Log { data: &buffer, ..Default::default() }).await?;
        }
        replies.send(&Log { text: &self.text, data: b"static", sub: None }).await
    }

    async fn push(&self, _: &mut Context<'_>, requests: &mut Receiver<'_, X>) -> Result<Log<'_>, Status> {
        while requests.next().await?.is_some() {}
        Ok(Log { text: &self.text, ..Default::default() })
    }
}

/// Serves it.
pub fn service(device: Device) -> impl Service {
    LogsServer::new(device)
}
"#;

/// The error for these capacities of [`SERVICE`].
fn refusal(builder: &Builder, capacities: &str) -> String {
    let folder = support::folder(&[("a.proto", SERVICE), ("a.toml", capacities)]);
    let error = builder
        .generate(&[folder.path().join("a.proto")], &[folder.path()])
        .unwrap_err();
    error
        .to_string()
        .replace(&format!("{}/", folder.path().display()), "")
}

#[test]
fn what_borrows_cannot_be_received() {
    let capacities = "[capacity]\n\"Log.*\" = 4\n\"Sub.name\" = { borrow = true }\n";
    let text = refusal(&Builder::new(), capacities);
    assert!(
        text.starts_with(
            "error: a.proto:15: method `Put` of service `a.v1.Logs`: its server receives message `a.v1.Log`, which borrows \
             (`a.v1.Sub.name`, a.proto:9), and only what is sent can: a received message outlives the bytes it came in; \
             give the field a capacity, or { callback = \"crate::Type\" } to see its bytes as they pass, or leave the \
             servers out by `Builder::server(false)` or `Builder::server_for` (command: `--no-server`)"
        ),
        "{text}"
    );
    assert_eq!(text.matches("error:").count(), 4, "{text}");
    let capacities = "[capacity]\n\"*.*\" = 4\n\"Log.text\" = { borrow = true }\n";
    let swapped = SERVICE
        .replace("(Log)", "(X)")
        .replace("Done", "Log")
        .replace("message Log {\n  uint32 n", "message X {\n  uint32 n");
    let folder = support::folder(&[("a.proto", &swapped), ("a.toml", capacities)]);
    let error = Builder::new()
        .server(false)
        .generate(&[folder.path().join("a.proto")], &[folder.path()])
        .unwrap_err();
    let text = error.to_string();
    assert!(
        text.contains("its client receives message `a.v1.Log`") && text.contains("`--no-client`"),
        "{text}"
    );
}
