//! A testee of Google's protobuf conformance tests: it reads requests from standard input and answers on standard
//! output, each with its length before it, as four octets, least significant first.
//!
//! It knows the binary format only, and answers "skipped" to the rest.
#![forbid(unsafe_code)]

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::io::{self, Read, Write};

use prost::Message;
use rpc_nostd::micropb::{DecodeError, MessageDecode, MessageEncode, PbEncoder, PbWrite};

/// The generated messages, if the build had their `.proto` files.
#[allow(unreachable_pub, reason = "generated code is for any crate")]
mod messages {
    include!(concat!(env!("OUT_DIR"), "/messages.rs"));
}

fn main() -> io::Result<()> {
    // The messages have room for all that the tests send, and lie on the stack.
    let answering = std::thread::Builder::new().stack_size(STACK).spawn(answer_all)?;
    answering
        .join()
        .map_err(|_| io::Error::other("the testee panicked"))?
}

fn answer_all() -> io::Result<()> {
    let (mut input, mut output) = (io::stdin().lock(), io::stdout().lock());
    let mut skipped = BTreeMap::<String, u32>::new();
    let mut len = [0; 4];
    loop {
        match input.read_exact(&mut len) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => break,
            other => other?,
        }
        let mut octets = vec![0; u32::from_le_bytes(len) as usize];
        input.read_exact(&mut octets)?;
        let answer = answer(&Request::decode(octets.as_slice()).map_err(io::Error::other)?);
        if let Some(why) = &answer.skipped {
            *skipped.entry(why.clone()).or_default() += 1;
        }
        let answer = answer.encode_to_vec();
        let len = u32::try_from(answer.len()).map_err(io::Error::other)?;
        output.write_all(&len.to_le_bytes())?;
        output.write_all(&answer)?;
        output.flush()?;
    }
    for (why, count) in skipped {
        eprintln!("skipped: {count}, since {why}");
    }
    Ok(())
}

fn answer(request: &Request) -> Response {
    let skipped = |why: &str| Response {
        skipped: Some(why.to_owned()),
        ..Response::default()
    };
    // The first request asks for the tests that are known to fail: the runner reads them from a file instead.
    if request.message_type == "conformance.FailureSet" {
        return Response {
            protobuf_payload: Some(Vec::new()),
            ..Response::default()
        };
    }
    let Some(payload) = request
        .protobuf_payload
        .as_ref()
        .filter(|_| request.requested_output_format == PROTOBUF)
    else {
        return skipped("JSON and text are not known");
    };
    let Some((_, recode)) = RECODERS.iter().find(|(name, _)| *name == request.message_type) else {
        return skipped(&format!("{} is not generated", request.message_type));
    };
    match recode(payload) {
        Ok(octets) => Response {
            protobuf_payload: Some(octets),
            ..Response::default()
        },
        Err(DecodeError::Capacity) => skipped("a field is longer than its capacity"),
        Err(error) => Response {
            parse_error: Some(format!("{error:?}")),
            ..Response::default()
        },
    }
}

/// Decodes and encodes.
#[allow(dead_code, reason = "without the .proto files there is no message")]
fn recode<M: MessageDecode + MessageEncode + Default>(
    octets: &[u8],
) -> Result<Vec<u8>, DecodeError<Infallible>> {
    let mut message = Box::<M>::default();
    message.decode_from_bytes(octets)?;
    let mut encoder = PbEncoder::new(Sink(Vec::new()));
    let Ok(()) = message.encode(&mut encoder);
    Ok(encoder.into_writer().0)
}

struct Sink(Vec<u8>);

impl PbWrite for Sink {
    type Error = Infallible;

    fn pb_write(&mut self, data: &[u8]) -> Result<(), Infallible> {
        self.0.extend_from_slice(data);
        Ok(())
    }
}

/// The fields of `conformance.ConformanceRequest` that matter here.
#[derive(Clone, PartialEq, Message)]
struct Request {
    #[prost(bytes = "vec", optional, tag = "1")]
    protobuf_payload: Option<Vec<u8>>,
    #[prost(int32, tag = "3")]
    requested_output_format: i32,
    #[prost(string, tag = "4")]
    message_type: String,
}

/// Those of `conformance.ConformanceResponse`: one is set.
#[derive(Clone, PartialEq, Message)]
struct Response {
    #[prost(string, optional, tag = "1")]
    parse_error: Option<String>,
    #[prost(bytes = "vec", optional, tag = "3")]
    protobuf_payload: Option<Vec<u8>>,
    #[prost(string, optional, tag = "5")]
    skipped: Option<String>,
}

type Recode = fn(&[u8]) -> Result<Vec<u8>, DecodeError<Infallible>>;

static RECODERS: &[(&str, Recode)] = include!(concat!(env!("OUT_DIR"), "/table.rs"));

/// `conformance.WireFormat.PROTOBUF`.
const PROTOBUF: i32 = 1;
const STACK: usize = 64 << 20;
