//! `cargo xtask trace`: every requirement of `tests/requirements.toml` is enforced somewhere and tested somewhere.
//!
//! Code and tests name requirements in a comment line of their own: the word `Spec`, a colon, and ids with commas between.
//! In the four published packages that says "here it is enforced"; directly above a test, or a named case of a table of
//! tests, "here it is proved". Why not duvet (0.4): it compares quotations with the text of a specification. Our
//! requirements are restated in our own words, and half of them come from gRPC's pages, which mark no requirements.

mod citations;
mod requirements;

use std::collections::BTreeMap;

use anyhow::{Result, bail};

use crate::hygiene;
use crate::workspace::Workspace;
use citations::{Citation, Proof};
use requirements::{Requirement, Requirements};

/// What to print beside the table.
#[derive(clap::Args, Default)]
pub(crate) struct Options {
    /// Show each requirement with every place that enforces or tests it
    #[arg(long)]
    list: bool,
}

/// Prints the table, with `--list` all places, and what is missing.
///
/// # Errors
/// A citation that names no requirement or stands above no test; a requirement that nothing enforces or tests.
pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<()> {
    let requirements = Requirements::read(&workspace.root.join(requirements::FILE))?;
    let (places, mut findings) = Places::of(&requirements, &hygiene::sources(workspace)?);
    if options.list {
        list(&requirements, &places);
    }
    print_table(&requirements, &places);
    findings.extend(missing(&requirements, &places));
    if !findings.is_empty() {
        bail!("{} findings:\n    {}", findings.len(), findings.join("\n    "));
    }
    Ok(())
}

/// Where each requirement is cited.
#[derive(Default)]
struct Places {
    enforced: BTreeMap<String, Vec<String>>,
    tested: BTreeMap<String, Vec<String>>,
}

impl Places {
    /// All citations in `files`, given as path and text, and complaints about those that are wrong.
    fn of(requirements: &Requirements, files: &[(String, String)]) -> (Self, Vec<String>) {
        let (mut places, mut findings) = (Self::default(), Vec::new());
        for (file, text) in files {
            let (citations, complaints) = citations::find(file, text);
            findings.extend(complaints);
            for citation in citations {
                match requirements.get(&citation.id) {
                    Some(_) => places.add(citation),
                    None => findings.push(unknown(requirements, &citation)),
                }
            }
        }
        (places, findings)
    }

    fn add(&mut self, citation: Citation) {
        let (map, place) = match citation.proof {
            Proof::Enforced => (&mut self.enforced, citation.place),
            Proof::Tested(name) => (&mut self.tested, format!("{} {name}", citation.place)),
        };
        map.entry(citation.id).or_default().push(place);
    }

    fn enforced(&self, id: &str) -> &[String] {
        self.enforced.get(id).map(Vec::as_slice).unwrap_or_default()
    }

    fn tested(&self, id: &str) -> &[String] {
        self.tested.get(id).map(Vec::as_slice).unwrap_or_default()
    }
}

fn is_enforced(requirement: &Requirement, places: &Places) -> bool {
    requirement.tests_only || requirement.absence.is_some() || !places.enforced(&requirement.id).is_empty()
}

fn missing(requirements: &Requirements, places: &Places) -> Vec<String> {
    let mut findings = Vec::new();
    for requirement in requirements.all() {
        let Requirement { id, text, .. } = requirement;
        if !is_enforced(requirement, places) {
            findings.push(format!("{id}: no code enforces it: {text}"));
        }
        if requirement.absence.is_some() && !places.enforced(id).is_empty() {
            let place = places.enforced(id).join(", ");
            findings.push(format!("{id}: said to hold by absence, and cited at {place}"));
        }
        if places.tested(id).is_empty() {
            findings.push(format!("{id}: no test proves it: {text}"));
        }
    }
    findings
}

fn unknown(requirements: &Requirements, citation: &Citation) -> String {
    let Citation { id, place, .. } = citation;
    match requirements.later(id) {
        Some(reason) => format!("{place}: {id} is put off: {reason}"),
        None => format!("{place}: {id} is in no section of {}", requirements::FILE),
    }
}

fn list(requirements: &Requirements, places: &Places) {
    for section in &requirements.sections {
        println!("\n{}", section.name);
        for requirement in &section.requirements {
            let Requirement {
                id,
                text,
                role,
                source,
                ..
            } = requirement;
            println!("  {id} ({role}, {source}): {text}");
            if let Some(reason) = &requirement.absence {
                println!("      holds {reason}");
            }
            for place in places.enforced(id) {
                println!("      enforced {place}");
            }
            for place in places.tested(id) {
                println!("      tested   {place}");
            }
        }
    }
    println!("\nLater");
    for (id, reason) in &requirements.later {
        println!("  {id}: {reason}");
    }
    println!();
}

fn print_table(requirements: &Requirements, places: &Places) {
    let row = |name: &str, list: &[&Requirement]| {
        let enforced = list
            .iter()
            .filter(|requirement| is_enforced(requirement, places))
            .count();
        let tested = list
            .iter()
            .filter(|requirement| !places.tested(&requirement.id).is_empty())
            .count();
        println!("    {name:<28}{:>12}{enforced:>10}{tested:>8}", list.len());
    };
    println!(
        "    {:<28}{:>12}{:>10}{:>8}",
        "", "requirements", "enforced", "tested"
    );
    for section in &requirements.sections {
        row(&section.name, &section.requirements.iter().collect::<Vec<_>>());
    }
    row("in all", &requirements.all().collect::<Vec<_>>());
    println!("    {:<28}{:>12}", "put off", requirements.later.len());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(requirements: &str, files: &[(&str, &str)]) -> Vec<String> {
        let requirements = Requirements::parse(requirements).unwrap();
        let files: Vec<_> = files
            .iter()
            .map(|(file, text)| ((*file).to_owned(), (*text).to_owned()))
            .collect();
        let (places, mut findings) = Places::of(&requirements, &files);
        findings.extend(missing(&requirements, &places));
        findings
    }

    const ONE: &str = "[A]\na-1 = { role = 'both', source = 'S', level = 'must', text = 'T' }\n\
                       [later]\na-9 = { source = 'S', reason = 'not yet' }";
    const CODE: (&str, &str) = ("hpack/src/a.rs", "// Spec: a-1\nlet a = 1;");
    const TEST: (&str, &str) = ("hpack/tests/a.rs", "// Spec: a-1\n#[test]\nfn proves() {}");

    #[test]
    fn missing_enforced_and_tested_is_none() {
        assert_eq!(findings(ONE, &[CODE, TEST]), Vec::<String>::new());
    }

    #[test]
    fn missing_either_citation_is_a_finding_of_its_own() {
        assert_eq!(findings(ONE, &[TEST]), ["a-1: no code enforces it: T"]);
        assert_eq!(findings(ONE, &[CODE]), ["a-1: no test proves it: T"]);
    }

    #[test]
    fn missing_absence_needs_a_test_and_no_code() {
        let absent = ONE.replace("'T' }", "'T', enforced = 'by absence: nothing does it' }");
        assert_eq!(findings(&absent, &[TEST]), Vec::<String>::new());
        assert_eq!(findings(&absent, &[]), ["a-1: no test proves it: T"]);
        assert_eq!(
            findings(&absent, &[CODE, TEST]),
            ["a-1: said to hold by absence, and cited at hpack/src/a.rs:1"]
        );
    }

    #[test]
    fn unknown_ids_are_findings_and_say_if_they_are_put_off() {
        let other = ("hpack/src/b.rs", "// Spec: a-2, a-9\nlet a = 1;");
        assert_eq!(
            findings(ONE, &[CODE, TEST, other]),
            [
                "hpack/src/b.rs:1: a-2 is in no section of tests/requirements.toml",
                "hpack/src/b.rs:1: a-9 is put off: not yet"
            ]
        );
    }
}
