//! Builds the published packages with no feature, each feature alone and all features, for this host and bare metal.

use std::process::Command;

use anyhow::{Result, bail};

use crate::toolchain::BareMetal;
use crate::workspace::{PUBLISHED, Workspace};
use crate::{layers, process};

/// Lints every combination; a warning is an error.
///
/// # Errors
/// Lists the combinations that failed, after all of them ran.
pub(crate) fn check(workspace: &Workspace) -> Result<()> {
    let metadata = layers::metadata(workspace, &workspace.root)?;
    let bare_metal = BareMetal::ensure(workspace)?;
    let mut failures = Vec::new();
    let mut count = 0;
    for published in &PUBLISHED {
        let features = layers::features(&metadata, published.package)?;
        let host = combinations(&features).into_iter().map(|set| (set, None));
        let embedded: Vec<&str> = features
            .iter()
            .map(String::as_str)
            .filter(|name| *name != "std")
            .collect();
        let embedded = if published.no_std {
            combinations(&embedded)
        } else {
            Vec::new()
        };
        for (set, target) in host.chain(embedded.into_iter().map(|set| (set, Some(BARE_TARGET)))) {
            count += 1;
            let arguments = [
                "--quiet",
                "-p",
                published.package,
                "--no-default-features",
                "--features",
                &set,
            ];
            let mut command = match target {
                Some(target) => bare_metal.lint(workspace, &workspace.root, target, &arguments),
                None => {
                    let mut command = workspace.cargo();
                    command
                        .arg("clippy")
                        .args(arguments)
                        .args(["--", "-D", "warnings"]);
                    command
                }
            };
            failures.extend(failure(&mut command));
        }
    }
    if !failures.is_empty() {
        bail!(
            "{} of {count} combinations failed:\n    {}",
            failures.len(),
            failures.join("\n    ")
        );
    }
    println!("    {count} combinations");
    Ok(())
}

fn failure(command: &mut Command) -> Option<String> {
    process::run(command).err().map(|error| error.to_string())
}

/// Lists for cargo's `--features`: none, each alone, all.
fn combinations<T: AsRef<str>>(features: &[T]) -> Vec<String> {
    let mut sets = vec![String::new()];
    sets.extend(features.iter().map(|name| name.as_ref().to_owned()));
    if features.len() > 1 {
        let all: Vec<&str> = features.iter().map(AsRef::as_ref).collect();
        sets.push(all.join(","));
    }
    sets
}

/// The smallest machine we promise.
const BARE_TARGET: &str = "thumbv7m-none-eabi";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn combinations_are_none_each_and_all() {
        assert_eq!(combinations(&["a", "b"]), ["", "a", "b", "a,b"]);
        assert_eq!(combinations(&["a"]), ["", "a"]);
        assert_eq!(combinations::<&str>(&[]), [""]);
    }
}
