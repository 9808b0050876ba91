//! Every message of the corpus, with random content: what prost wrote we read, and what we wrote prost reads.

use proptest::strategy::Strategy;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner};
use prost_reflect::prost::Message;
use prost_reflect::{DynamicMessage, Value};
use rpc_nostd::micropb::DecodeError;
use rpc_nostd_codegen_tests::{KINDS, Kind, random, wire};

#[test]
fn random_messages_come_back_as_they_were_through_our_code_and_prost() {
    for_random_messages(|kind, message, _| {
        let octets = message.encode_to_vec();
        let ours = recode(kind, &octets)?;
        check_same(kind, message, &ours)?;
        if let Some(theirs) = kind.theirs {
            let written_by_prost = theirs(&octets).expect("prost reads what it wrote");
            let through_ours = recode(kind, &written_by_prost)?;
            let back =
                theirs(&through_ours).map_err(|error| fail(kind, format!("prost refuses: {error}")))?;
            if back != written_by_prost {
                return Err(fail(
                    kind,
                    format!("{written_by_prost:x?} came back as {back:x?}"),
                ));
            }
        }
        Ok(())
    });
}

#[test]
fn unknown_fields_anywhere_change_nothing() {
    for_random_messages(|kind, message, rng| {
        let octets = wire::with_unknown_fields(&message.encode_to_vec(), &kind.descriptor(), rng);
        let ours = recode(kind, &octets)?;
        check_same(kind, message, &ours)
    });
}

/// A message that ends too early is refused, or is the message that its first fields make.
#[test]
fn truncated_messages_are_refused_or_are_whole_fields() {
    for_random_messages(|kind, message, _| {
        let octets = message.encode_to_vec();
        let step = 1 + octets.len() / 64;
        for end in (0..octets.len()).step_by(step) {
            let (ours, reference) = ((kind.recode)(&octets[..end]), decode(kind, &octets[..end]));
            match (ours, reference) {
                (Ok(ours), Ok(reference)) => check_same(kind, &reference, &ours.octets)?,
                (Err(_), Err(_)) => {}
                (ours, reference) => {
                    return Err(fail(
                        kind,
                        format!(
                            "{:x?}: {ours:x?}, prost {:x?}",
                            &octets[..end],
                            reference.map(|message| message.encode_to_vec())
                        ),
                    ));
                }
            }
        }
        Ok(())
    });
}

#[test]
fn damaged_messages_never_panic_and_never_outgrow_their_bound() {
    use proptest::prelude::Rng;
    for_random_messages(|kind, message, rng| {
        let mut octets = message.encode_to_vec();
        for _ in 0..8 {
            let Some(at) = (rng.next_u32() as usize).checked_rem(octets.len()) else {
                break;
            };
            octets[at] = rng.next_u32().to_le_bytes()[0];
            if (kind.recode)(&octets).is_ok() {
                recode(kind, &octets)?;
            }
        }
        Ok(())
    });
}

#[test]
fn one_more_than_the_capacity_is_an_error() {
    for kind in KINDS {
        for field in kind.descriptor().fields() {
            for value in random::too_large(kind.suite, &field) {
                let mut message = DynamicMessage::new(kind.descriptor());
                message.set_field(&field, value.clone());
                let result = (kind.recode)(&message.encode_to_vec());
                assert_eq!(
                    result,
                    Err(DecodeError::Capacity),
                    "{}: {value:?}",
                    field.full_name()
                );
                if let Some(fitting) = shrunk(value) {
                    message.set_field(&field, fitting);
                    let result = (kind.recode)(&message.encode_to_vec());
                    assert!(result.is_ok(), "{}: {message:?}: {result:?}", field.full_name());
                }
            }
        }
    }
}

/// The same without its last element or octet; `None` for an entry of a map that is too large in itself.
fn shrunk(value: Value) -> Option<Value> {
    Some(match value {
        Value::String(mut text) => {
            text.pop()?;
            Value::String(text)
        }
        Value::Bytes(octets) => Value::Bytes(octets.slice(..octets.len() - 1)),
        Value::List(mut values) if values.len() > 1 => {
            values.pop();
            Value::List(values)
        }
        Value::List(mut values) => Value::List(vec![shrunk(values.pop()?)?]),
        Value::Map(mut entries) if entries.len() > 1 => {
            let key = entries.keys().next()?.clone();
            entries.remove(&key);
            Value::Map(entries)
        }
        _ => return None,
    })
}

/// Runs `test` with the same random messages every time, for each type of the corpus.
fn for_random_messages(test: impl Fn(&Kind, &DynamicMessage, &mut TestRng) -> Result<(), TestCaseError>) {
    assert!(KINDS.len() > 100, "{} types", KINDS.len());
    for kind in KINDS {
        let config = Config {
            cases: CASES,
            failure_persistence: None,
            ..Config::default()
        };
        let mut runner = TestRunner::new_with_rng(config, rng());
        // As octets, so that a failure shows those and not all descriptors, and that what is default is left out.
        let strategy =
            random::message(kind.suite, &kind.descriptor()).prop_map(|message| message.encode_to_vec());
        let result = runner.run(&strategy, |octets| {
            let message = decode(kind, &octets).expect("prost reads what it wrote");
            test(kind, &message, &mut rng())
        });
        if let Err(error) = result {
            panic!("{error}");
        }
    }
}

fn rng() -> TestRng {
    TestRng::deterministic_rng(RngAlgorithm::ChaCha)
}

/// Through our code, with what holds of every message.
fn recode(kind: &Kind, octets: &[u8]) -> Result<Vec<u8>, TestCaseError> {
    let recoded =
        (kind.recode)(octets).map_err(|error| fail(kind, format!("refused: {error:?}: {octets:x?}")))?;
    let len = recoded.octets.len();
    if len != recoded.computed_size || len > recoded.max_size {
        let text = format!(
            "{len} octets, computed {}, at most {}",
            recoded.computed_size, recoded.max_size
        );
        return Err(fail(kind, text));
    }
    Ok(recoded.octets)
}

fn check_same(kind: &Kind, message: &DynamicMessage, octets: &[u8]) -> Result<(), TestCaseError> {
    let back = decode(kind, octets).map_err(|error| fail(kind, format!("prost refuses: {error}")))?;
    if back == *message {
        Ok(())
    } else {
        Err(fail(
            kind,
            format!("{:x?} came back as {octets:x?}", message.encode_to_vec()),
        ))
    }
}

fn decode(kind: &Kind, octets: &[u8]) -> Result<DynamicMessage, prost::DecodeError> {
    DynamicMessage::decode(kind.descriptor(), octets)
}

fn fail(kind: &Kind, text: String) -> TestCaseError {
    TestCaseError::fail(format!("{}: {text}", kind.name))
}

/// Messages of each type.
const CASES: u32 = 100;
