//! What the telemetry firmware, or a client that calls one, says it did, line by line, and whether that is all it had to do.
//!
//! Both log `demo: <step>: <text>`; the text holds `key=value` words where a machine reads them.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::ops::RangeInclusive;

use crate::device::HOST_ADDRESS;
use crate::wire::CallRecord;
use crate::words;

/// Which sequence the firmware was asked to run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// With a server restart in the middle.
    Demo,
    /// Without: for peers that are not restarted.
    Interop,
    /// The other way round: a client on the host calls the device.
    Served,
}

impl Mode {
    /// The word that the firmware knows it by.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Demo => "demo",
            Self::Interop => "interop",
            Self::Served => "served",
        }
    }
}

/// One line of the firmware.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Line {
    /// First word, such as `dhcp`.
    pub(crate) step: String,
    /// The rest.
    pub(crate) text: String,
}

impl Line {
    /// Takes the part from `demo: ` on; `None` if the line is not for us.
    pub(crate) fn parse(line: &str) -> Option<Self> {
        let (_, rest) = line.split_once("demo: ")?;
        let (step, text) = rest.split_once(':').unwrap_or((rest, ""));
        let is_word = !step.is_empty() && step.chars().all(|c| c.is_ascii_lowercase() || c == '-');
        is_word.then(|| Self {
            step: step.to_owned(),
            text: text.trim().to_owned(),
        })
    }

    /// The value of `key=value`, up to the next space.
    pub(crate) fn value(&self, key: &str) -> Option<&str> {
        words::value(&self.text, key)
    }

    /// As [`value`](Self::value), where it is a whole number.
    pub(crate) fn number(&self, key: &str) -> Option<u64> {
        words::number(&self.text, key)
    }

    /// For people: what `who` says.
    pub(crate) fn show(&self, who: &str) -> String {
        let mut shown = format!("{:<7} {:<13}", format!("{who}:"), self.step);
        let _ = write!(shown, " {}", self.text);
        shown.trim_end().to_owned()
    }
}

/// All lines of one run.
#[derive(Debug, Default)]
pub(crate) struct Story {
    lines: Vec<Line>,
}

impl Story {
    /// Adds a line that the firmware logged, if it belongs to the story.
    pub(crate) fn hear(&mut self, text: &str) -> Option<&Line> {
        self.lines.push(Line::parse(text)?);
        self.lines.last()
    }

    /// Most octets of stack that were in use, and the size of the stack.
    pub(crate) fn stack(&self) -> Option<(u64, u64)> {
        let line = self.lines.iter().rfind(|line| line.step == "stack")?;
        Some((line.number("peak")?, line.number("size")?))
    }

    /// Calls that a device which serves has logged.
    pub(crate) fn calls(&self) -> Vec<CallRecord> {
        let lines = self.all("call").into_iter();
        lines
            .filter_map(|line| CallRecord::of_device(&line.text))
            .collect()
    }

    /// What is missing or wrong; empty if everything happened.
    pub(crate) fn complaints(&self, mode: Mode) -> Vec<String> {
        let mut complaints = Vec::new();
        if let Some(failure) = self.first("fail") {
            complaints.push(format!("the firmware says: {}", failure.text));
        }
        let mut want = |what: &str, happened: bool| {
            if !happened {
                complaints.push(format!("did not happen: {what}"));
            }
        };
        let reports = self.all("report");
        if mode != Mode::Served {
            want(
                "an address by DHCP",
                self.first("dhcp")
                    .is_some_and(|line| line.value("addr").is_some()),
            );
            want(
                "the server's name resolved",
                self.first("dns")
                    .is_some_and(|line| line.value("addr") == Some(&HOST_ADDRESS.to_string())),
            );
        }
        want(
            "two reports answered",
            reports
                .iter()
                .filter_map(|line| line.number("sequence"))
                .collect::<BTreeSet<_>>()
                .len()
                >= 2,
        );
        want(
            "metadata echoed in headers and trailers",
            reports.iter().any(|line| line.value("echo") == Some("ok")),
        );
        want(
            "an error status with code, message and details",
            self.is_error_whole(),
        );
        want(
            "a deadline that expired",
            self.first("deadline").is_some_and(|line| {
                line.value("code") == Some("4")
                    && line
                        .number("after_ms")
                        .is_some_and(|ms| DEADLINE_MS.contains(&ms))
            }),
        );
        for (what, step, key) in STREAMS {
            let count = self.first(step).and_then(|line| line.number(key));
            want(what, count.is_some_and(|count| count > 1));
        }
        if mode == Mode::Demo {
            want(
                "a server restart survived between two calls",
                self.is_restart_survived(),
            );
        }
        want(
            "a stack that was never full",
            self.stack().is_some_and(|(peak, size)| peak < size),
        );
        want("a good end", self.first("done").is_some());
        complaints
    }

    fn is_error_whole(&self) -> bool {
        self.first("error-status").is_some_and(|line| {
            line.value("code") == Some("9")
                && line.text.contains(ERROR_MESSAGE)
                && line.value("details") == Some(ERROR_DETAILS)
        })
    }

    /// The new server counts from 1 again: fewer reports than the old one had stored prove who answered.
    fn is_restart_survived(&self) -> bool {
        let before = self.lines.iter().take_while(|line| line.step != "restart-wait");
        let stored = before.filter_map(|line| line.number("total_reports")).last();
        let answered = self
            .first("restart-done")
            .and_then(|line| line.number("total_reports"));
        self.first("restart-wait").is_some() && stored.zip(answered).is_some_and(|(old, new)| new < old)
    }

    /// The first line of `step`.
    pub(crate) fn first(&self, step: &str) -> Option<&Line> {
        self.lines.iter().find(|line| line.step == step)
    }

    /// All lines of `step`.
    pub(crate) fn all(&self, step: &str) -> Vec<&Line> {
        self.lines.iter().filter(|line| line.step == step).collect()
    }
}

/// What the firmware asks the server to fail with.
const ERROR_MESSAGE: &str = "message=\"sensor not calibrated: 23 °C\"";
const ERROR_DETAILS: &str = "0102ff";

/// What streams: the step, and where its line says how much.
const STREAMS: [(&str, &str, &str); 3] = [
    ("readings streamed by the server", "subscribe", "readings"),
    ("reports streamed to the server", "upload", "stored"),
    ("a stream both ways", "exchange", "replies"),
];

/// When a call with a deadline of 500 ms may end, if its answer takes 10 s. The channel counts whole milliseconds, from
/// one that had begun already; a busy host may take its time.
const DEADLINE_MS: RangeInclusive<u64> = 499..=9_999;

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: [&str; 14] = [
        "0.120 INFO  demo: dhcp: addr=10.0.2.15 gateway=10.0.2.2 dns=10.0.2.3",
        "0.130 INFO  demo: dns: name=telemetry.test addr=10.0.2.2",
        "demo: report: sequence=0 millivolts=3300 total_reports=1 echo=ok",
        "demo: report: sequence=1 millivolts=3301 total_reports=2",
        "demo: error-status: code=9 message=\"sensor not calibrated: 23 °C\" details=0102ff",
        "demo: deadline: code=4 after_ms=500",
        "demo: subscribe: readings=5",
        "demo: upload: stored=5 total_reports=7",
        "demo: exchange: replies=5 total_reports=12",
        "demo: restart-wait:",
        "demo: restart-done: sequence=2 total_reports=1",
        "demo: stack: peak=4096 size=16384",
        "something else",
        "demo: done",
    ];

    fn story<'a>(lines: impl IntoIterator<Item = &'a str>) -> Story {
        let mut story = Story::default();
        for line in lines {
            story.hear(line);
        }
        story
    }

    #[test]
    fn complaints_whole_story_has_none() {
        let story = story(GOOD);
        assert_eq!(story.complaints(Mode::Demo), Vec::<String>::new());
        assert_eq!(story.stack(), Some((4096, 16384)));
    }

    #[test]
    fn complaints_every_missing_line_is_noticed() {
        for missing in GOOD.iter().filter(|line| line.contains("demo: ")) {
            let story = story(GOOD.iter().filter(|line| *line != missing).copied());
            assert!(!story.complaints(Mode::Demo).is_empty(), "unnoticed: {missing}");
        }
    }

    #[test]
    fn complaints_every_step_that_went_otherwise_is_noticed() {
        for (step, instead) in [
            ("demo: dns:", "demo: dns: name=telemetry.test addr=10.0.2.3"),
            (
                "demo: report: sequence=1",
                "demo: report: sequence=0 total_reports=2",
            ),
            ("echo=ok", "demo: report: sequence=0 total_reports=1 echo=bad"),
            ("code=9", "demo: error-status: code=9 message=\"\" details=0102ff"),
            ("demo: deadline:", "demo: deadline: code=1 after_ms=500"),
            ("demo: deadline:", "demo: deadline: code=4 after_ms=498"),
            ("demo: deadline:", "demo: deadline: code=4 after_ms=10000"),
            ("demo: subscribe:", "demo: subscribe: readings=1"),
            ("demo: upload:", "demo: upload: stored=0 total_reports=7"),
            ("demo: exchange:", "demo: exchange: total_reports=12"),
            // The old server, which counts on.
            ("restart-done", "demo: restart-done: sequence=2 total_reports=13"),
            ("demo: stack:", "demo: stack: peak=16384 size=16384"),
        ] {
            let lines = GOOD.map(|line| if line.contains(step) { instead } else { line });
            assert_ne!(lines, GOOD, "{step}");
            let complaints = story(lines).complaints(Mode::Demo);
            assert_eq!(complaints.len(), 1, "{instead}: {complaints:?}");
        }
    }

    #[test]
    fn complaints_interop_needs_no_restart() {
        let story = story(GOOD.iter().filter(|line| !line.contains("restart")).copied());
        assert!(story.complaints(Mode::Interop).is_empty());
    }

    #[test]
    fn complaints_served_needs_no_network_and_no_restart_of_its_client() {
        let client = GOOD
            .iter()
            .filter(|line| !["restart", "dhcp", "dns"].iter().any(|step| line.contains(step)));
        let calls = ["demo: call: method=Upload stream=requests answered=yes"];
        let story = story(client.copied().chain(calls));
        assert!(story.complaints(Mode::Served).is_empty());
        assert!(
            story
                .calls()
                .iter()
                .all(|call| call.answered && call.method == "Upload")
        );
        assert_eq!(story.calls().len(), 1);
    }

    #[test]
    fn complaints_failure_is_quoted() {
        let story = story(GOOD.into_iter().chain(["demo: fail: deadline: code=0"]));
        assert!(story.complaints(Mode::Demo)[0].contains("deadline: code=0"));
    }

    #[test]
    fn parse_foreign_lines_are_none() {
        assert_eq!(Line::parse("INFO link up"), None);
        assert_eq!(Line::parse("demo: Not A Step: x"), None);
    }
}
