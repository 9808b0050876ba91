//! What was found in an image, as a file that is kept: so that nothing of it changes unseen.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};

use super::stack::Depth;

/// What was found in one image.
#[derive(Debug)]
pub(crate) struct Golden {
    /// The compiler that built it, as the image says.
    pub(crate) compiler: String,
    /// The `async fn`s of ours that have a panic for whoever polls them once more.
    pub(crate) resumed: BTreeSet<String>,
    /// The stack that it can use.
    pub(crate) depth: Depth,
    /// The stack that it did use.
    pub(crate) painted: u64,
}

impl Golden {
    /// Compares with the file, or rewrites that. Figures are those of one compiler: with another one they may differ by a
    /// tenth, and the file stays as it is.
    ///
    /// # Errors
    /// Something is different; the message says what.
    pub(crate) fn check(&self, path: &Path, update: bool) -> Result<()> {
        let now = self.render();
        if update {
            return fs::write(path, now).with_context(|| path.display().to_string());
        }
        let before = fs::read_to_string(path)
            .with_context(|| format!("no {}; make it with: cargo xtask proof --update", path.display()))?;
        if !before.contains(&format!("compiler = {:?}\n", self.compiler)) {
            println!(
                "    built by {}, which is not the golden file's compiler",
                self.compiler
            );
            return self.check_about(&before);
        }
        let changes = changes(&before, &now);
        ensure!(
            changes.is_empty(),
            "{} says otherwise; if it must be: cargo xtask proof --update\n{changes}",
            path.display()
        );
        Ok(())
    }

    /// Another compiler, and nearly the same figure.
    fn check_about(&self, before: &str) -> Result<()> {
        let lines = before.lines();
        let figure = lines
            .filter_map(|line| line.strip_prefix("worst = "))
            .find_map(|figure| figure.parse::<u64>().ok())
            .context("the golden file has no figure `worst`")?;
        ensure!(
            self.depth.worst <= figure + figure / 10,
            "the worst stack grew from {figure} to {} B",
            self.depth.worst
        );
        Ok(())
    }

    fn render(&self) -> String {
        let mut text = String::from(HEAD);
        let _ = writeln!(text, "compiler = {:?}", self.compiler);
        let _ = writeln!(text, "painted = {}", self.painted);
        let _ = writeln!(text, "worst = {}", self.depth.worst);
        let _ = writeln!(text, "resumed = [");
        for name in &self.resumed {
            let _ = writeln!(text, "    {name:?},");
        }
        let _ = writeln!(text, "]\n\n[frames]");
        for (name, frame) in &self.depth.frames {
            let _ = writeln!(text, "{name:?} = {frame}");
        }
        let _ = writeln!(text, "\n[depth]");
        for (name, depth) in &self.depth.kept {
            let _ = writeln!(text, "{name:?} = {depth}");
        }
        text
    }
}

/// The lines that only one of the two has.
fn changes(before: &str, now: &str) -> String {
    let (old, new): (Vec<&str>, Vec<&str>) = (before.lines().collect(), now.lines().collect());
    let gone = old.iter().filter(|line| !new.contains(line));
    let come = new.iter().filter(|line| !old.contains(line));
    let lines = gone
        .map(|line| format!("    - {line}"))
        .chain(come.map(|line| format!("    + {line}")));
    lines.collect::<Vec<_>>().join("\n")
}

const HEAD: &str = "\
# Octets of stack; rewritten by: cargo xtask proof --update
# painted: used in a run on the emulator. worst: the worst path through all calls from reset on.
# resumed: async fns of ours in which the compiler put a panic for whoever polls what has returned; nobody does.
# frames: the functions that take most themselves. depth: the worst path below each public function.
";

#[cfg(test)]
mod tests {
    use super::*;

    fn golden(worst: u64) -> Golden {
        Golden {
            compiler: "rustc version 1.95.0".to_owned(),
            resumed: BTreeSet::from(["a::b".to_owned()]),
            depth: Depth {
                worst,
                kept: [("k".to_owned(), 8)].into(),
                frames: vec![("f".to_owned(), 16)],
            },
            painted: 100,
        }
    }

    #[test]
    fn check_says_what_changed_and_update_makes_it_so() {
        let path = std::env::temp_dir().join(format!("xtask-proof-{}.toml", std::process::id()));
        golden(200).check(&path, true).unwrap();
        golden(200).check(&path, false).unwrap();
        let error = golden(208).check(&path, false).unwrap_err().to_string();
        assert!(error.contains("- worst = 200"), "{error}");
        assert!(error.contains("+ worst = 208"), "{error}");
        fs::remove_file(&path).unwrap();
    }

    #[test]
    fn check_allows_another_compiler_a_tenth() {
        let path = std::env::temp_dir().join(format!("xtask-proof-other-{}.toml", std::process::id()));
        golden(200).check(&path, true).unwrap();
        let other = |worst| Golden {
            compiler: "rustc version 1.96.0".to_owned(),
            ..golden(worst)
        };
        assert!(other(220).check(&path, false).is_ok());
        assert!(other(221).check(&path, false).is_err());
        fs::remove_file(&path).unwrap();
    }
}
