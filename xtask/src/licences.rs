//! Checks that every dependency comes from crates.io and has a licence that deny.toml allows.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::layers;
use crate::workspace::Workspace;

/// Whether what is checked runs on this host only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reach {
    /// Tools: the exceptions of deny.toml hold.
    Host,
    /// Linked into products: no exceptions.
    Product,
}

/// Looks at all dependencies of the workspace in `folder`, for every feature and platform.
///
/// # Errors
/// Lists the packages that break the rules.
pub(crate) fn check(workspace: &Workspace, folder: &Path, reach: Reach) -> Result<()> {
    let rules = fs::read_to_string(workspace.root.join("deny.toml")).context("deny.toml")?;
    let allowed = allowed_licences(&rules)?;
    let metadata = layers::metadata(workspace, folder)?;
    let packages = metadata["packages"]
        .as_array()
        .context("no packages in cargo metadata")?;
    let mut complaints = Vec::new();
    let mut count = 0;
    for package in packages.iter().filter(|package| !package["source"].is_null()) {
        count += 1;
        let mut allowed = allowed.clone();
        if reach == Reach::Host {
            allowed.extend(exceptions(&rules, package["name"].as_str().unwrap_or_default()));
        }
        complaints.extend(complaints_about(package, &allowed));
    }
    if !complaints.is_empty() {
        bail!("not allowed by deny.toml:\n    {}", complaints.join("\n    "));
    }
    println!("    {count} dependencies, all from crates.io, all under licences that deny.toml allows");
    Ok(())
}

/// What is wrong with one package of cargo's metadata.
fn complaints_about(package: &Value, allowed: &[String]) -> Vec<String> {
    let mut complaints = Vec::new();
    let name = format!("{} {}", package["name"], package["version"]).replace('"', "");
    if package["source"] != CRATES_IO {
        complaints.push(format!("{name} comes from {}", package["source"]));
    }
    match package["license"].as_str() {
        Some(expression) if is_allowed(expression, allowed) => {}
        Some(expression) => complaints.push(format!("{name} is licensed {expression}")),
        None => complaints.push(format!("{name} states no licence")),
    }
    complaints
}

/// What is allowed for one package only: lines such as `{ crate = "name", allow = ["MPL-2.0"] }`.
fn exceptions(rules: &str, package: &str) -> Vec<String> {
    let start = format!("{{ crate = \"{package}\", allow = [");
    let lists = rules
        .lines()
        .filter_map(|line| line.trim().strip_prefix(&start)?.split(']').next());
    lists.flat_map(quoted).collect()
}

/// The strings in a list.
fn quoted(list: &str) -> Vec<String> {
    list.split('"').skip(1).step_by(2).map(str::to_owned).collect()
}

/// The strings of `allow = [...]` in the `[licenses]` table.
fn allowed_licences(rules: &str) -> Result<Vec<String>> {
    let (_, table) = rules
        .split_once("[licenses]")
        .context("no [licenses] in deny.toml")?;
    let (_, list) = table
        .split_once("allow = [")
        .context("no allow list in [licenses]")?;
    let (list, _) = list.split_once(']').context("allow list without an end")?;
    Ok(quoted(list))
}

/// Whether one of the alternatives of an SPDX expression consists of allowed licences only.
fn is_allowed(expression: &str, allowed: &[String]) -> bool {
    // Old manifests separate alternatives by a slash.
    let spaced = expression
        .replace('/', " OR ")
        .replace('(', " ( ")
        .replace(')', " ) ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut rest = words.as_slice();
    any_of(&mut rest, allowed) && rest.is_empty()
}

fn any_of(rest: &mut &[&str], allowed: &[String]) -> bool {
    let mut result = all_of(rest, allowed);
    while take(rest, "OR") {
        result |= all_of(rest, allowed);
    }
    result
}

fn all_of(rest: &mut &[&str], allowed: &[String]) -> bool {
    let mut result = one(rest, allowed);
    while take(rest, "AND") {
        result &= one(rest, allowed);
    }
    result
}

fn one(rest: &mut &[&str], allowed: &[String]) -> bool {
    if take(rest, "(") {
        let result = any_of(rest, allowed);
        return take(rest, ")") && result;
    }
    let Some((name, tail)) = rest.split_first() else {
        return false;
    };
    *rest = tail;
    let mut licence = (*name).to_owned();
    if take(rest, "WITH")
        && let Some((exception, tail)) = rest.split_first()
    {
        *rest = tail;
        // Who allows the bare licence allows it with an exception too: exceptions only give more rights.
        if allowed.contains(&licence) {
            return true;
        }
        licence = format!("{licence} WITH {exception}");
    }
    allowed.contains(&licence)
}

fn take(rest: &mut &[&str], word: &str) -> bool {
    match rest.split_first() {
        Some((first, tail)) if *first == word => {
            *rest = tail;
            true
        }
        _ => false,
    }
}

const CRATES_IO: &str = "registry+https://github.com/rust-lang/crates.io-index";

#[cfg(test)]
mod tests {
    use super::*;

    fn allows(expression: &str) -> bool {
        let allowed = ["MIT", "Apache-2.0", "Unicode-3.0"].map(str::to_owned);
        is_allowed(expression, &allowed)
    }

    #[test]
    fn is_allowed_alternative_needs_one() {
        assert!(allows("GPL-3.0 OR MIT"));
        assert!(allows("MIT/GPL-2.0"));
        assert!(!allows("GPL-3.0"));
    }

    #[test]
    fn is_allowed_conjunction_needs_all() {
        assert!(allows("(MIT OR GPL-3.0) AND Unicode-3.0"));
        assert!(!allows("MIT AND GPL-3.0"));
        assert!(!allows("(MIT OR Apache-2.0) AND GPL-3.0"));
    }

    #[test]
    fn is_allowed_exception_follows_its_licence() {
        assert!(allows("Apache-2.0 WITH LLVM-exception"));
        assert!(!allows("GPL-2.0 WITH Classpath-exception-2.0"));
    }

    #[test]
    fn is_allowed_broken_expression_is_refused() {
        assert!(!allows("(MIT"));
        assert!(!allows("MIT Apache-2.0"));
        assert!(!allows(""));
    }

    #[test]
    fn complaints_about_source_and_licence() {
        let complaints = |source: &str, license: Option<&str>| {
            let package = serde_json::json!({
                "name": "a", "version": "1.0.0", "source": source, "license": license,
            });
            complaints_about(&package, &["MIT".to_owned()])
        };
        assert!(complaints(CRATES_IO, Some("MIT")).is_empty());
        let elsewhere = complaints("git+https://example.com/a", Some("MIT"));
        assert_eq!(elsewhere, ["a 1.0.0 comes from \"git+https://example.com/a\""]);
        assert_eq!(
            complaints(CRATES_IO, Some("GPL-3.0")),
            ["a 1.0.0 is licensed GPL-3.0"]
        );
        assert_eq!(complaints(CRATES_IO, None), ["a 1.0.0 states no licence"]);
    }

    #[test]
    fn allowed_licences_reads_the_list() {
        let rules = "[licenses]\nallow = [\n  \"MIT\",\n  \"0BSD\",\n]\n";
        assert_eq!(allowed_licences(rules).unwrap(), ["MIT", "0BSD"]);
    }

    #[test]
    fn exceptions_hold_for_their_package_only() {
        let rules = "exceptions = [\n    { crate = \"colored\", allow = [\"MPL-2.0\"] },\n]";
        assert_eq!(exceptions(rules, "colored"), ["MPL-2.0"]);
        assert!(exceptions(rules, "color").is_empty());
    }
}
