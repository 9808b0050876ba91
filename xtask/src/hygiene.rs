//! Checks that no other tool makes: length of files, forgotten marks, `unsafe` forbidden where we promise it.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::process;
use crate::workspace::{PUBLISHED, Workspace};

/// Looks at every Rust source file that git knows.
///
/// # Errors
/// Lists all findings.
pub(crate) fn check(workspace: &Workspace) -> Result<()> {
    let mut findings = Vec::new();
    let files = sources(workspace)?;
    for (file, text) in &files {
        findings.extend(findings_in(file, text));
    }
    for published in PUBLISHED.iter().filter(|published| published.no_std) {
        findings.extend(missing_lints(
            &workspace.root.join(published.folder).join("src/lib.rs"),
        )?);
    }
    if !findings.is_empty() {
        bail!("{} findings:\n    {}", findings.len(), findings.join("\n    "));
    }
    println!("    {} source files", files.len());
    Ok(())
}

/// Every Rust source file that git knows or would take up: its path below the root, and its text.
pub(crate) fn sources(workspace: &Workspace) -> Result<Vec<(String, String)>> {
    let mut listing = Command::new("git");
    listing
        .current_dir(&workspace.root)
        .args(["ls-files", "--cached", "--others", "--exclude-standard"]);
    let files = process::output(listing.arg("*.rs"))?;
    let read = |file: &str| {
        // A file that was deleted may still be in git's index.
        let text = fs::read_to_string(workspace.root.join(file)).ok()?;
        Some((file.to_owned(), text))
    };
    Ok(files.lines().filter_map(read).collect())
}

fn findings_in(file: &str, text: &str) -> Vec<String> {
    let mut findings = Vec::new();
    let is_test = file.contains("/tests/");
    let is_generated = text
        .lines()
        .take(GENERATED_LINES)
        .any(|line| line.to_lowercase().contains("do not edit"));
    let lines = text
        .lines()
        .take_while(|line| line.trim() != "#[cfg(test)]")
        .count();
    if lines > MAX_LINES && !is_test && !is_generated {
        findings.push(format!(
            "{file}: {lines} lines before its tests, at most {MAX_LINES}: split it by concern"
        ));
    }
    for (number, line) in text.lines().enumerate() {
        if MARKS
            .iter()
            .any(|[first, second]| line.contains(&format!("{first}{second}")))
        {
            findings.push(format!(
                "{file}:{}: an open task belongs in an issue: {}",
                number + 1,
                line.trim()
            ));
        }
    }
    findings
}

fn missing_lints(root: &Path) -> Result<Option<String>> {
    let text = fs::read_to_string(root).with_context(|| root.display().to_string())?;
    let is_forbidden = text.lines().any(|line| line.trim() == "#![forbid(unsafe_code)]");
    Ok((!is_forbidden).then(|| format!("{}: lacks #![forbid(unsafe_code)]", root.display())))
}

const MAX_LINES: usize = 500;

/// A "do not edit" line counts only near the top.
const GENERATED_LINES: usize = 10;

/// In two halves, so that this file does not find itself.
const MARKS: [[&str; 2]; 3] = [["TO", "DO"], ["FIX", "ME"], ["XX", "X:"]];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn findings_in_long_file_is_found_unless_tests_make_it_long() {
        let long = "fn f() {}\n".repeat(MAX_LINES + 1);
        assert_eq!(findings_in("hpack/src/a.rs", &long).len(), 1);
        let tested = format!("fn f() {{}}\n#[cfg(test)]\n{long}");
        assert!(findings_in("hpack/src/a.rs", &tested).is_empty());
        assert!(findings_in("tests/tests/a.rs", &long).is_empty());
        assert_eq!(findings_in("tests/src/a.rs", &long).len(), 1);
        assert!(
            findings_in(
                "hpack/src/a.rs",
                &format!("// Made by a tool, do not edit.\n{long}")
            )
            .is_empty()
        );
    }

    #[test]
    fn findings_in_open_task_is_found_with_its_line() {
        let text = format!("fn f() {{}}\n// {}{} later\n", "TO", "DO");
        let findings = findings_in("hpack/src/a.rs", &text);
        assert!(findings[0].starts_with("hpack/src/a.rs:2:"), "{findings:?}");
    }
}
