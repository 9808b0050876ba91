//! hpack-test-case: what six encoders made of real browsing sessions, and the sessions themselves.
use std::ffi::OsStr;
use std::path::Path;

use crate::support::{Owned, UNLIMITED, decode_block, decode_fragments, hex, owned};
use hpack_lite::{DecodeError, Decoder, Encoder, EncoderEntry, Field, Writer};
use rpc_nostd_wire_tests::archive;
use serde_json::Value;

/// One block: the setting that precedes it, its octets (none in the sessions themselves), its fields.
struct Case {
    header_table_size: Option<u32>,
    wire: Vec<u8>,
    headers: Vec<Owned>,
}

/// A connection's worth of blocks.
struct Story {
    folder: String,
    name: String,
    cases: Vec<Case>,
}

const ARCHIVE: &str = "hpack-test-case.tar.xz";

fn stories() -> Option<Vec<Story>> {
    let mut stories = Vec::new();
    for (name, content) in archive(ARCHIVE)? {
        let path = Path::new(&name);
        if path.extension().is_some_and(|extension| extension == "json") {
            let part = |part: Option<&OsStr>| part.unwrap().to_str().unwrap().to_owned();
            stories.push(Story {
                folder: part(path.parent().unwrap().file_name()),
                name: part(path.file_name()),
                cases: cases(std::str::from_utf8(&content).unwrap()),
            });
        }
    }
    stories.sort_by(|a, b| (&a.folder, &a.name).cmp(&(&b.folder, &b.name)));
    Some(stories)
}

fn cases(text: &str) -> Vec<Case> {
    let story: Value = serde_json::from_str(text).unwrap();
    let case = |case: &Value| Case {
        header_table_size: case["header_table_size"]
            .as_u64()
            .map(|octets| u32::try_from(octets).unwrap()),
        wire: case["wire"].as_str().map(hex).unwrap_or_default(),
        headers: case["headers"].as_array().unwrap().iter().map(header).collect(),
    };
    story["cases"].as_array().unwrap().iter().map(case).collect()
}

fn header(header: &Value) -> Owned {
    let (name, value) = header.as_object().unwrap().iter().next().unwrap();
    owned(name.as_bytes(), value.as_str().unwrap().as_bytes(), false)
}

/// A decoder of table size 4,096, in memory for 16,384.
fn decoder<'m>(table: &'m mut [u8], scratch: &'m mut [u8]) -> Decoder<'m> {
    Decoder::new(table, scratch, UNLIMITED)
}

fn without_mark(fields: Vec<Owned>) -> Vec<Owned> {
    fields
        .into_iter()
        .map(|(name, value, _)| (name, value, false))
        .collect()
}

#[test]
fn every_block_of_every_encoder_decodes_to_its_headers() {
    let Some(stories) = stories() else { return };
    let (mut table, mut scratch) = (vec![0; 16_384], vec![0; 8_192]);
    let mut blocks = 0;
    let mut folders = Vec::new();
    for story in stories.iter().filter(|story| story.folder != "raw-data") {
        let mut decoder = decoder(&mut table, &mut scratch);
        for (number, case) in story.cases.iter().enumerate() {
            if let Some(octets) = case.header_table_size {
                decoder.set_max_table_size(octets);
            }
            let fields = without_mark(decode_block(&mut decoder, &case.wire));
            assert_eq!(fields, case.headers, "{}/{} {number}", story.folder, story.name);
            blocks += 1;
        }
        if folders.last() != Some(&&story.folder) {
            folders.push(&story.folder);
        }
    }
    assert_eq!((folders.len(), blocks), (6, 4 * 3_384 + 2 * 3_267));
}

/// The smallest memory that can do it: a table of exactly the size in force, hardly any scratch. What is
/// not yielded is counted, and the table stays right: fields that are yielded are the right ones.
#[test]
fn every_block_keeps_the_table_right_when_hardly_anything_fits_the_scratch() {
    let Some(stories) = stories() else { return };
    let mut table = vec![0; 4_096];
    let (mut yielded, mut skipped) = (0, 0);
    for story in stories
        .iter()
        .filter(|story| story.folder == "nghttp2" || story.folder.starts_with("haskell"))
    {
        for scratch_len in [0, 1, 20] {
            let mut scratch = vec![0; scratch_len];
            let mut decoder = decoder(&mut table, &mut scratch);
            for case in &story.cases {
                let (fields, end) = decode_fragments(&mut decoder, &[&case.wire]);
                let summary = end.unwrap();
                assert_eq!(summary.fields as usize, case.headers.len());
                assert_eq!(summary.skipped as usize, case.headers.len() - fields.len());
                let size = |(name, value, _): &Owned| name.len() + value.len() + 32;
                assert_eq!(
                    summary.list_size as usize,
                    case.headers.iter().map(size).sum::<usize>()
                );
                yielded += fields.len();
                skipped += case.headers.len() - fields.len();
                let mut left = case.headers.iter();
                for field in without_mark(fields) {
                    assert!(left.any(|header| *header == field), "{field:?}");
                }
            }
        }
    }
    assert!(yielded > 10_000 && skipped > 10_000, "{yielded} {skipped}");
}

#[test]
fn every_split_and_prefix_of_a_sample_yields_the_same() {
    let Some(stories) = stories() else { return };
    let (mut table, mut scratch) = (vec![0; 16_384], vec![0; 8_192]);
    let mut splits = 0;
    for story in stories
        .iter()
        .filter(|story| story.folder != "raw-data" && story.name < "story_05".into())
    {
        // Every split costs a replay of the story up to the block, so only the first blocks are taken.
        for (last, case) in story.cases.iter().take(6).enumerate() {
            for split in 0..=case.wire.len() {
                for whole in [true, false] {
                    let mut decoder = decoder(&mut table, &mut scratch);
                    for before in &story.cases[..last] {
                        before
                            .header_table_size
                            .inspect(|octets| decoder.set_max_table_size(*octets));
                        decode_block(&mut decoder, &before.wire);
                    }
                    case.header_table_size
                        .inspect(|octets| decoder.set_max_table_size(*octets));
                    let rest = if whole { &case.wire[split..] } else { &[] };
                    let (fields, end) = decode_fragments(&mut decoder, &[&case.wire[..split], rest]);
                    let fields = without_mark(fields);
                    if whole {
                        assert_eq!(fields, case.headers);
                        assert!(end.is_ok());
                    } else {
                        assert_eq!(fields, case.headers[..fields.len()]);
                        assert!(end.is_ok() || end == Err(DecodeError::Truncated));
                    }
                    splits += 1;
                }
            }
        }
    }
    assert!(splits > 10_000, "{splits}");
}

/// What a reasonable caller indexes: everything but what differs from request to request or from page to
/// page, and so would push out of the table what does not. `cookie` repeats within a session; `set-cookie`
/// and `authorization` do not, or must not be guessed.
fn is_worth_an_entry(name: &[u8]) -> bool {
    let unique: [&[u8]; 11] = [
        b":path",
        b"age",
        b"authorization",
        b"content-length",
        b"content-range",
        b"etag",
        b"if-modified-since",
        b"if-none-match",
        b"location",
        b"range",
        b"set-cookie",
    ];
    !unique.contains(&name)
}

/// Encodes all sessions; an independent decoder must read them. Total size. `slots`: of the encoder's table.
/// `setting`: the peer's SETTINGS_HEADER_TABLE_SIZE, if it sent one.
fn encoded_size(stories: &[Story], slots: usize, setting: Option<u32>) -> usize {
    let mut total = 0;
    let mut octets = vec![0; 16_384];
    for story in stories {
        let mut entries = vec![EncoderEntry::new(); slots];
        let mut encoder = Encoder::new(&mut entries);
        setting.inspect(|octets| encoder.set_max_table_size(*octets));
        let mut independent = httlib_hpack::Decoder::with_dynamic_size(4_096);
        let (mut table, mut scratch) = (vec![0; 4_096], vec![0; 8_192]);
        let mut own = Decoder::new(&mut table, &mut scratch, UNLIMITED);
        for case in &story.cases {
            let mut writer = Writer::new(&mut octets);
            encoder.begin_block(&mut writer).unwrap();
            for (name, value, _) in &case.headers {
                let indexable = is_worth_an_entry(name);
                let field = if indexable {
                    Field::Indexable { name, value }
                } else {
                    Field::Literal { name, value }
                };
                encoder.encode(field, &mut writer).unwrap();
            }
            let block = writer.as_bytes();
            total += block.len();
            let mut decoded = Vec::new();
            independent.decode(&mut block.to_vec(), &mut decoded).unwrap();
            let decoded: Vec<Owned> = decoded
                .into_iter()
                .map(|(name, value, _)| (name, value, false))
                .collect();
            assert_eq!(decoded, case.headers, "{}", story.name);
            assert_eq!(decode_block(&mut own, block), case.headers);
        }
    }
    total
}

#[test]
fn sessions_encoded_by_us_are_read_by_others_and_no_larger_than_nghttp2_makes_them() {
    let Some(stories) = stories() else { return };
    let sessions: Vec<Story> = stories
        .into_iter()
        .filter(|story| story.folder == "raw-data")
        .collect();
    assert_eq!(
        sessions.iter().map(|story| story.cases.len()).sum::<usize>(),
        3_384
    );
    let with_table = encoded_size(&sessions, 128, None);
    let without = encoded_size(&sessions, 0, None);
    let forbidden = encoded_size(&sessions, 128, Some(0));
    eprintln!(
        "raw-data: {with_table} octets with a table of 4,096, {without} with none, {forbidden} with setting 0"
    );
    assert!(with_table <= 360_319, "{with_table}");
    assert!(without <= 751_678, "{without}");
    // The setting costs each connection the size update that RFC 9113 section 4.3.1 demands, and nothing else.
    assert_eq!(forbidden, without + sessions.len());
}
