//! Whether the server saw what the client says that it did, the device or one that calls it: a log can say anything.

use crate::story::{Line, Story};
use crate::wire::CallRecord;

/// What the client says and the server's `calls` do not confirm; empty if they agree.
///
/// A story that lacks a step is no contradiction: [`Story::complaints`] names it.
pub(crate) fn contradictions(story: &Story, calls: &[CallRecord]) -> Vec<String> {
    let mut contradictions = Vec::new();
    let mut claim = |what: String, is_confirmed: bool| {
        if !is_confirmed {
            contradictions.push(format!("the client says, and the server does not: {what}"));
        }
    };
    for line in story.all("report") {
        claim(
            format!("a report that was answered: {}", line.text),
            report_of(line, calls).is_some(),
        );
    }
    for line in story
        .all("report")
        .into_iter()
        .filter(|line| line.value("echo").is_some())
    {
        claim(
            format!("a report with two fields of metadata: {}", line.text),
            report_of(line, calls).is_some_and(|call| call.number("metadata") == Some(2)),
        );
    }
    if let Some(line) = story.first("error-status") {
        claim(
            format!("an error status: {}", line.text),
            diagnoses(calls).any(|call| call.answered && call.number("status") == line.number("code")),
        );
    }
    if let Some(line) = story.first("deadline") {
        let is_unanswered =
            |call: &CallRecord| !call.answered && call.number("delay_ms") > line.number("after_ms");
        claim(
            format!("a call that ended without an answer: {}", line.text),
            diagnoses(calls).any(is_unanswered),
        );
    }
    claim_streams(story, calls, &mut claim);
    if let Some(line) = story.first("restart-done") {
        let before = story
            .all("report")
            .into_iter()
            .filter_map(|line| report_of(line, calls));
        let old = before.map(|call| call.connection).max();
        claim(
            format!("an answer on another connection: {}", line.text),
            report_of(line, calls).is_some_and(|call| Some(call.connection) > old),
        );
    }
    contradictions
}

/// One claim for each kind of stream in the story.
fn claim_streams(story: &Story, calls: &[CallRecord], claim: &mut dyn FnMut(String, bool)) {
    for (step, method) in [
        ("subscribe", "Subscribe"),
        ("upload", "Upload"),
        ("exchange", "Exchange"),
    ] {
        let Some(line) = story.first(step) else { continue };
        let is_whole = |call: &CallRecord| {
            let asked = call.number("count");
            call.method == method && call.answered && (asked.is_none() || asked == line.number("readings"))
        };
        claim(
            format!("a call that streams: {step} {}", line.text),
            calls.iter().any(is_whole),
        );
    }
}

/// The answered report with the sequence number of `line`; the last one, should there be several.
fn report_of<'a>(line: &Line, calls: &'a [CallRecord]) -> Option<&'a CallRecord> {
    let sequence = line.number("sequence")?;
    calls
        .iter()
        .rfind(|call| call.method == "Report" && call.answered && call.number("sequence") == Some(sequence))
}

fn diagnoses(calls: &[CallRecord]) -> impl Iterator<Item = &CallRecord> {
    calls.iter().filter(|call| call.method == "Diagnose")
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAID: [&str; 8] = [
        "demo: report: sequence=0 total_reports=1 echo=ok",
        "demo: report: sequence=1 total_reports=2",
        "demo: error-status: code=9",
        "demo: deadline: code=4 after_ms=500",
        "demo: subscribe: readings=5",
        "demo: upload: stored=5",
        "demo: exchange: replies=5",
        "demo: restart-done: sequence=2 total_reports=1",
    ];

    const SEEN: [&str; 8] = [
        "call connection=1 method=Report sequence=0 metadata=2 answered=yes received=1 sent=1",
        "call connection=1 method=Report sequence=1 metadata=0 answered=yes received=2 sent=2",
        "call connection=1 method=Diagnose status=9 delay_ms=0 answered=yes received=3 sent=3",
        "call connection=1 method=Diagnose status=0 delay_ms=10000 answered=no received=4 sent=4",
        "call connection=1 method=Subscribe count=5 interval_ms=5 answered=yes received=5 sent=5",
        "call connection=1 method=Upload stream=requests answered=yes received=6 sent=6",
        "call connection=1 method=Exchange stream=both answered=yes received=7 sent=7",
        "call connection=2 method=Report sequence=2 metadata=0 answered=yes received=1 sent=1",
    ];

    fn contradictions_of<'a>(said: &[&str], seen: impl IntoIterator<Item = &'a str>) -> Vec<String> {
        let mut story = Story::default();
        for line in said {
            story.hear(line);
        }
        let calls: Vec<CallRecord> = seen
            .into_iter()
            .map(|line| CallRecord::parse(line).unwrap())
            .collect();
        contradictions(&story, &calls)
    }

    #[test]
    fn contradictions_server_that_saw_it_all_has_none() {
        assert_eq!(contradictions_of(&SAID, SEEN), Vec::<String>::new());
    }

    #[test]
    fn contradictions_every_call_that_the_server_never_saw_is_noticed() {
        for missing in SEEN {
            let seen = SEEN.into_iter().filter(|line| *line != missing);
            assert!(!contradictions_of(&SAID, seen).is_empty(), "unnoticed: {missing}");
        }
    }

    #[test]
    fn contradictions_every_call_that_went_otherwise_is_noticed() {
        for (saw, instead) in [
            ("sequence=0 metadata=2", "sequence=0 metadata=1"),
            (
                "sequence=1 metadata=0 answered=yes",
                "sequence=1 metadata=0 answered=no",
            ),
            ("status=9", "status=5"),
            ("delay_ms=10000 answered=no", "delay_ms=10000 answered=yes"),
            ("delay_ms=10000", "delay_ms=400"),
            ("count=5", "count=4"),
            ("stream=requests answered=yes", "stream=requests answered=no"),
            ("method=Exchange", "method=Echo"),
            ("connection=2", "connection=1"),
        ] {
            let seen = SEEN.map(|line| line.replace(saw, instead));
            let found = contradictions_of(&SAID, seen.iter().map(String::as_str));
            assert_eq!(found.len(), 1, "{saw} > {instead}: {found:?}");
        }
    }
}
