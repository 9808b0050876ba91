//! What h2spec and h2specd print, read strictly. (h2specd makes no other report.)

/// What became of a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Passed,
    /// With what was expected, and what came instead.
    Failed(String),
    Skipped,
}

/// Everything that a tool said about its cases.
#[derive(Debug, Default)]
pub(super) struct Transcript {
    /// `KEY/SECTION/NUMBER TITLE` of each case that was run, and its verdict.
    pub(super) results: Vec<(String, Verdict)>,
    /// The tool's own count of cases, and of those that passed, were skipped, failed.
    pub(super) summary: Option<[usize; 4]>,
    /// For a tool that gave up.
    pub(super) last_line: String,
}

impl Transcript {
    pub(super) fn read(text: &str) -> Self {
        let mut transcript = Self::default();
        let (mut key, mut section) = ("", "");
        let mut in_results = true;
        for raw in text.split('\n') {
            // The name of a case under way is overwritten by its result.
            let (overwritten, line) = match raw.rsplit_once('\r') {
                Some((_, line)) => (true, line.trim()),
                None => (false, raw.trim()),
            };
            if line.is_empty() {
                continue;
            }
            if let Some(summary) = summary_of(line) {
                transcript.summary = Some(summary);
            } else if line == "Failures:" {
                // What follows says the same once more.
                in_results = false;
            } else if !in_results {
            } else if let Some(found) = key_of(line) {
                key = found;
            } else if let Some(found) = section_of(line) {
                section = found;
            } else if let Some((case, verdict)) = result_of(line, overwritten) {
                transcript
                    .results
                    .push((format!("{key}/{section}/{case}"), verdict));
            } else if let Some((_, Verdict::Failed(details))) = transcript.results.last_mut() {
                let separator = if details.is_empty() { "" } else { "; " };
                details.push_str(separator);
                details.push_str(line.trim_start_matches("-> "));
            }
            line.clone_into(&mut transcript.last_line);
        }
        transcript
    }

    /// Where the tool's own count is another than that of its results.
    pub(super) fn contradiction(&self) -> Option<String> {
        let Some(summary) = self.summary else {
            return Some(format!("the tool gave up: {}", self.last_line));
        };
        let count =
            |test: fn(&Verdict) -> bool| self.results.iter().filter(|(_, verdict)| test(verdict)).count();
        let counted = [
            self.results.len(),
            count(|verdict| *verdict == Verdict::Passed),
            count(|verdict| *verdict == Verdict::Skipped),
            count(|verdict| matches!(verdict, Verdict::Failed(_))),
        ];
        (summary != counted).then(|| {
            format!("the tool counts {summary:?} cases run, passed, skipped, failed, but its results are {counted:?}")
        })
    }
}

/// `146 tests, 146 passed, 0 skipped, 0 failed`
fn summary_of(line: &str) -> Option<[usize; 4]> {
    let mut counts = [0; 4];
    let mut parts = line.split(", ");
    for (count, word) in counts.iter_mut().zip(["tests", "passed", "skipped", "failed"]) {
        let (number, found) = parts.next()?.split_once(' ')?;
        *count = number.parse().ok().filter(|_| found == word)?;
    }
    parts.next().is_none().then_some(counts)
}

/// What the names of cases begin with on the tools' command line.
fn key_of(line: &str) -> Option<&'static str> {
    let titles = KEYS.iter().find(|(title, _)| *title == line);
    titles.map(|(_, key)| *key)
}

/// `6.5.2` of `6.5.2. Defined SETTINGS Parameters`
fn section_of(line: &str) -> Option<&str> {
    let section = line.split_once(' ')?.0.strip_suffix('.')?;
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|octet| octet.is_ascii_digit());
    section.split('.').all(is_number).then_some(section)
}

/// `NUMBER TITLE` of a case that was run, and its verdict. A skipped one has no mark, as one under way has none, which is
/// not yet `overwritten`.
fn result_of(line: &str, overwritten: bool) -> Option<(String, Verdict)> {
    let (mark, rest) = match line.strip_prefix(PASSED) {
        Some(rest) => (Verdict::Passed, rest),
        None => match line.strip_prefix(FAILED) {
            Some(rest) => (Verdict::Failed(String::new()), rest),
            None if overwritten => (Verdict::Skipped, line),
            None => return None,
        },
    };
    let (number, title) = rest.trim_start().split_once(": ")?;
    number.parse::<u32>().ok()?;
    Some((format!("{number} {title}"), mark))
}

const PASSED: char = '✔';
const FAILED: char = '×';
const KEYS: [(&str, &str); 4] = [
    ("Generic tests for HTTP/2 server", "generic"),
    ("Hypertext Transfer Protocol Version 2 (HTTP/2)", "http2"),
    ("HPACK: Header Compression for HTTP/2", "hpack"),
    ("Generic tests for HTTP/2 client", "client"),
];

#[cfg(test)]
mod tests {
    use super::*;

    const MIXED: &str = "Hypertext Transfer Protocol Version 2 (HTTP/2)
  6. Frame Definitions
    6.5. SETTINGS
        1: Sends an ACK\r      ✔ 1: Sends an ACK
        2: Sends a length: 5\r      × 2: Sends a length: 5
        -> The endpoint MUST end the connection.
           Expected: GOAWAY Frame (Error Code: FRAME_SIZE_ERROR)
                     Connection closed
             Actual: Timeout
      6.5.2. Defined SETTINGS Parameters
          1: Sends 1\r        1: Sends 1

Failures: \x20

Hypertext Transfer Protocol Version 2 (HTTP/2)
  6. Frame Definitions
    6.5. SETTINGS
      × 2: Sends a length: 5
        -> The endpoint MUST end the connection.

Finished in 2.1 seconds
3 tests, 1 passed, 1 skipped, 1 failed
";

    #[test]
    fn read_names_each_case_once_with_its_verdict() {
        let transcript = Transcript::read(MIXED);
        let details = "The endpoint MUST end the connection.; Expected: GOAWAY Frame (Error Code: FRAME_SIZE_ERROR); \
                       Connection closed; Actual: Timeout";
        let expected = [
            ("http2/6.5/1 Sends an ACK", Verdict::Passed),
            (
                "http2/6.5/2 Sends a length: 5",
                Verdict::Failed(details.to_owned()),
            ),
            ("http2/6.5.2/1 Sends 1", Verdict::Skipped),
        ];
        assert_eq!(
            transcript.results,
            expected.map(|(case, verdict)| (case.to_owned(), verdict))
        );
        assert_eq!(transcript.contradiction(), None);
    }

    #[test]
    fn contradiction_another_count_than_the_results_is_one() {
        let text = MIXED.replace("3 tests, 1 passed, 1 skipped", "3 tests, 2 passed, 0 skipped");
        assert!(
            Transcript::read(&text)
                .contradiction()
                .unwrap()
                .contains("[3, 2, 0, 1]")
        );
    }

    #[test]
    fn contradiction_run_that_was_given_up_is_one_and_says_why() {
        let text = "Generic tests for HTTP/2 client\n  1. Starting HTTP/2\n\nError: Timeout";
        let transcript = Transcript::read(text);
        assert!(transcript.results.is_empty());
        assert_eq!(
            transcript.contradiction().unwrap(),
            "the tool gave up: Error: Timeout"
        );
    }

    #[test]
    fn read_case_under_way_is_no_result() {
        let text = "HPACK: Header Compression for HTTP/2\n  2.3. Tables\n        1: Sends an index";
        assert!(Transcript::read(text).results.is_empty());
    }
}
