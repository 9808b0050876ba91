//! The cases that the tools must run, as the files beside their go.mod list them, and what became of each.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};

use super::transcript::{Transcript, Verdict};

/// All cases of one tool: each a line `KEY/SECTION/NUMBER TITLE`.
pub(super) struct Cases(Vec<String>);

impl Cases {
    /// Reads the list in `file`, which must have `count` cases.
    ///
    /// # Errors
    /// The file is missing, or has another number of lines.
    pub(super) fn read(file: &Path, count: usize) -> Result<Self> {
        let text = fs::read_to_string(file).with_context(|| file.display().to_string())?;
        let cases: Vec<_> = text.lines().map(str::to_owned).collect();
        ensure!(
            cases.len() == count,
            "{} lists {} cases, but the tool has {count}",
            file.display(),
            cases.len()
        );
        Ok(Self(cases))
    }

    /// Those of these sections; of all, if none is named.
    pub(super) fn wanted(&self, sections: &[String]) -> Vec<&str> {
        let is_wanted =
            |case: &&str| sections.is_empty() || sections.iter().any(|section| is_in(case, section));
        self.0.iter().map(String::as_str).filter(is_wanted).collect()
    }

    /// Whether there is such a section, or case.
    pub(super) fn has(&self, section: &str) -> bool {
        self.0.iter().any(|case| is_in(case, section))
    }

    /// Holds what a tool did against what it should have done.
    pub(super) fn judge(&self, sections: &[String], transcript: &Transcript) -> Judgement {
        let wanted = self.wanted(sections);
        let mut judgement = Judgement {
            wanted: wanted.len(),
            passed: 0,
            complaints: Vec::new(),
        };
        let mut verdicts = BTreeMap::new();
        for (case, verdict) in &transcript.results {
            match verdict {
                Verdict::Passed => {}
                Verdict::Failed(details) => judgement.complain(format!("FAILED {case}: {details}")),
                Verdict::Skipped => judgement.complain(format!("SKIPPED {case}")),
            }
            if !self.0.contains(case) {
                judgement.complain(format!("not one of the listed cases: {case}"));
            }
            if verdicts.insert(case.as_str(), verdict).is_some() {
                judgement.complain(format!("run twice: {case}"));
            }
        }
        let has_passed = |case: &&&str| verdicts.get(**case) == Some(&&Verdict::Passed);
        judgement.passed = wanted.iter().filter(has_passed).count();
        let missing: Vec<_> = wanted
            .iter()
            .filter(|case| !verdicts.contains_key(**case))
            .collect();
        if let [first, ..] = missing.as_slice() {
            judgement.complain(format!(
                "{} cases were not run, the first is {first}",
                missing.len()
            ));
        }
        judgement.complaints.extend(transcript.contradiction());
        judgement
    }
}

/// How a run of a tool went.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Judgement {
    /// Cases that it should have run.
    pub(super) wanted: usize,
    /// Those of them that passed.
    pub(super) passed: usize,
    /// Everything that is wrong. None: the run is good.
    pub(super) complaints: Vec<String>,
}

impl Judgement {
    pub(super) fn complain(&mut self, complaint: String) {
        self.complaints.push(complaint);
    }
}

/// Whether `case` is `section`, or below it: `http2/6` has `http2/6.5/1`.
fn is_in(case: &str, section: &str) -> bool {
    let rest = case.strip_prefix(section);
    rest.is_some_and(|rest| rest.starts_with(['/', '.', ' ']))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cases() -> Cases {
        Cases(
            ["http2/6.5/1 ACK", "http2/6.5.2/1 push", "http2/6.51/1 none"]
                .map(String::from)
                .to_vec(),
        )
    }

    fn transcript(results: &[(&str, Verdict)]) -> Transcript {
        let results: Vec<_> = results
            .iter()
            .map(|(case, verdict)| ((*case).to_owned(), verdict.clone()))
            .collect();
        let count = |wanted: &Verdict| results.iter().filter(|(_, verdict)| verdict == wanted).count();
        let passed = count(&Verdict::Passed);
        let skipped = count(&Verdict::Skipped);
        Transcript {
            summary: Some([results.len(), passed, skipped, results.len() - passed - skipped]),
            results,
            last_line: String::new(),
        }
    }

    fn judge(sections: &[&str], results: &[(&str, Verdict)]) -> Judgement {
        let sections: Vec<_> = sections.iter().map(|section| (*section).to_owned()).collect();
        cases().judge(&sections, &transcript(results))
    }

    const ALL: [(&str, Verdict); 3] = [
        ("http2/6.5/1 ACK", Verdict::Passed),
        ("http2/6.5.2/1 push", Verdict::Passed),
        ("http2/6.51/1 none", Verdict::Passed),
    ];

    #[test]
    fn judge_all_listed_cases_passed_is_good() {
        let good = Judgement {
            wanted: 3,
            passed: 3,
            complaints: Vec::new(),
        };
        assert_eq!(judge(&[], &ALL), good);
    }

    #[test]
    fn judge_fewer_or_other_or_repeated_cases_are_bad() {
        let fewer = judge(&[], &ALL[..2]);
        assert_eq!((fewer.passed, fewer.complaints.len()), (2, 1), "{fewer:?}");
        let [first, second, _] = ALL;
        let other = judge(
            &[],
            &[
                first.clone(),
                second.clone(),
                ("http2/6.51/1 some", Verdict::Passed),
            ],
        );
        assert_eq!((other.passed, other.complaints.len()), (2, 2), "{other:?}");
        let twice = judge(&["http2/6.5"], &[first.clone(), second, first]);
        assert_eq!((twice.passed, twice.complaints.len()), (2, 1), "{twice:?}");
    }

    #[test]
    fn judge_failed_and_skipped_cases_are_bad_and_named() {
        let [first, second, third] = ALL;
        let failed = (second.0, Verdict::Failed("Actual: Timeout".to_owned()));
        let judgement = judge(&[], &[(first.0, Verdict::Skipped), failed, third]);
        assert_eq!(judgement.passed, 1);
        assert_eq!(
            judgement.complaints,
            [
                "SKIPPED http2/6.5/1 ACK",
                "FAILED http2/6.5.2/1 push: Actual: Timeout"
            ]
        );
    }

    #[test]
    fn wanted_section_has_its_subsections_and_no_namesakes() {
        let wanted = |section: &str| cases().wanted(&[section.to_owned()]).len();
        assert_eq!(wanted("http2"), 3);
        assert_eq!(wanted("http2/6.5"), 2);
        assert_eq!(wanted("http2/6.5/1"), 1);
        assert_eq!(wanted("http2/6.5.2/2"), 0);
    }
}
