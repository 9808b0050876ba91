//! Inputs to begin with: octets that other projects recorded, each in the form that its target takes.

use rpc_nostd_wire_tests::archive;
use serde_json::Value;

/// The seeds of a target; none if the corpora are not there, or say nothing about it.
pub(crate) fn seeds(target: &str) -> Vec<Vec<u8>> {
    match target {
        "frame_decoder" => frames()
            .into_iter()
            .map(|frame| [&[7], &*frame].concat())
            .collect(),
        "hpack_decoder" => blocks(),
        "server_bytes" => raw_streams(&[3, 0x40]),
        "grpc_server_bytes" => raw_streams(&[3, 0x21]),
        "client_bytes" => frames()
            .iter()
            .map(|frame| [&[3, 0], &*raw(frame)].concat())
            .collect(),
        "grpc_client_bytes" => {
            let late = |frame: &Vec<u8>| [&[3, 0x20, 0, WAIT], &*raw(frame)].concat();
            frames().iter().map(late).collect()
        }
        _ => Vec::new(),
    }
}

/// Single frames.
fn frames() -> Vec<Vec<u8>> {
    let files = archive("http2-frame-test-case.tar.xz").unwrap_or_default();
    let cases = files.iter().filter(|(name, _)| name.ends_with(".json"));
    cases.filter_map(|(_, content)| wire(&json(content))).collect()
}

/// The first two header blocks of each session.
fn blocks() -> Vec<Vec<u8>> {
    let files = archive("hpack-test-case.tar.xz").unwrap_or_default();
    let stories = files
        .iter()
        .filter(|(name, _)| name.ends_with(".json"))
        .step_by(16);
    let seed = |(_, content): &(String, Vec<u8>)| {
        let story = json(content);
        let mut cases = story["cases"].as_array()?.iter().filter_map(wire);
        let (first, second) = (cases.next()?, cases.next()?);
        let end = u8::try_from(first.len()).ok()?;
        Some([&[9, 40, end], &*first, &*second].concat())
    };
    stories.filter_map(seed).collect()
}

/// Whole connections of a client, behind the octets of choice.
fn raw_streams(choices: &[u8]) -> Vec<Vec<u8>> {
    let files = archive("nghttp2-h2spec-corpus.tar.xz").unwrap_or_default();
    files
        .iter()
        .filter(|(_, content)| content.len() < 400)
        .map(|(_, content)| [choices, &*raw(content)].concat())
        .collect()
}

/// Instructions to send these octets as they are.
fn raw(octets: &[u8]) -> Vec<u8> {
    let instruction = |octets: &[u8]| [&[0, octets.len() as u8], octets].concat();
    octets.chunks(63).flat_map(instruction).collect()
}

fn json(content: &[u8]) -> Value {
    serde_json::from_slice(content).expect("a corpus of JSON")
}

fn wire(case: &Value) -> Option<Vec<u8>> {
    let text = case["wire"].as_str()?;
    (0..text.len() / 2)
        .map(|at| u8::from_str_radix(text.get(2 * at..2 * at + 2)?, 16).ok())
        .collect()
}

/// The instruction to wait for a request.
const WAIT: u8 = 0x77;
