//! What the guide says of schemas that change (`docs/guide/evolving.md`): each test has the number of its row. `old` is
//! what devices in the field have, `new` the same a year later.

use micropb::{DecodeError, MessageDecode, MessageEncode, PbEncoder};
use rpc_nostd::micropb;
use rpc_nostd_codegen_tests::ours::evolution::evolution::{new, old};

fn encoded(message: &impl MessageEncode) -> Vec<u8> {
    let mut octets = rpc_nostd::heapless::Vec::<u8, 256>::new();
    message.encode(&mut PbEncoder::new(&mut octets)).unwrap();
    octets.to_vec()
}

fn decoded<M: MessageDecode + Default>(octets: &[u8]) -> M {
    let mut message = M::default();
    message.decode_from_bytes(octets).unwrap();
    message
}

/// What an old device makes of a new message.
fn as_old(state: &new::State) -> old::Report {
    decoded(&encoded(state))
}

/// What a new device makes of an old message.
fn as_new(report: &old::Report) -> new::State {
    decoded(&encoded(report))
}

#[test]
fn row_1_a_new_field_is_passed_over_and_not_sent_on() {
    let state = new::State {
        millivolts: 3300,
        position: Some(new::Position {
            latitude: 52.5,
            longitude: 13.4,
        }),
        ..Default::default()
    };
    let report = as_old(&state);
    assert_eq!(report.millivolts, 3300);
    assert_eq!(as_new(&report).position, None);
}

#[test]
fn row_2_a_removed_field_is_passed_over_and_is_the_default_for_who_expects_it() {
    let report = old::Report {
        humidity: 40,
        millivolts: 3300,
        ..Default::default()
    };
    let state = as_new(&report);
    assert_eq!(state.millivolts, 3300);
    assert_eq!(as_old(&state).humidity, 0);
}

#[test]
fn row_3_a_new_value_of_an_enum_keeps_its_number() {
    let state = new::State {
        activity: new::Activity::Off,
        ..Default::default()
    };
    let report = as_old(&state);
    assert_eq!(report.mode, old::Mode(2));
    assert_eq!(as_new(&report).activity, new::Activity::Off);
}

#[test]
fn row_4_a_new_member_of_a_oneof_is_none_of_the_known() {
    let state = new::State {
        cause: Some(new::State_::Cause::Manual(true)),
        ..Default::default()
    };
    assert_eq!(as_old(&state).reason, None);
    let state = new::State {
        cause: Some(new::State_::Cause::Alarm(7)),
        ..Default::default()
    };
    assert_eq!(as_old(&state).reason, Some(old::Report_::Reason::Alarm(7)));
}

#[test]
fn row_5_names_are_not_sent() {
    let report = old::Report {
        device_id: "pump-17".try_into().unwrap(),
        mode: old::Mode::On,
        ..Default::default()
    };
    let state = as_new(&report);
    assert_eq!(
        (state.serial.as_str(), state.activity),
        ("pump-17", new::Activity::On)
    );
}

#[test]
fn row_6_optional_tells_absent_from_zero() {
    let zero = new::State {
        count: Some(0),
        ..Default::default()
    };
    let none = new::State::default();
    assert_eq!((as_old(&zero).count, as_old(&none).count), (0, 0));
    assert_eq!(decoded::<new::State>(&encoded(&zero)).count, Some(0));
    assert_eq!(decoded::<new::State>(&encoded(&none)).count, None);
}

#[test]
fn row_7_of_several_the_last_is_taken() {
    let mut state = new::State::default();
    for place in ["north", "south"] {
        state.places.push(place.try_into().unwrap()).unwrap();
    }
    let report = as_old(&state);
    assert_eq!(report.place, "south");
    assert_eq!(as_new(&report).places, ["south"]);
}

#[test]
fn row_8_a_number_is_cut_to_what_the_type_holds() {
    let state = new::State {
        total: (7 << 32) + 5,
        ..Default::default()
    };
    assert_eq!(as_old(&state).total, 5);
}

#[test]
fn row_9_what_is_longer_than_a_capacity_is_an_error_and_not_cut() {
    let state = new::State {
        serial: "pump-0000017".try_into().unwrap(),
        ..Default::default()
    };
    let mut report = old::Report::default();
    let error = report.decode_from_bytes(&encoded(&state)).unwrap_err();
    assert!(matches!(error, DecodeError::Capacity), "{error:?}");
}
