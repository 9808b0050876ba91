//! The compiler for bare metal: takes what is installed, else rustup's, else Debian's pair with a self-built core.

use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;

use anyhow::{Context, Result};

use crate::workspace::Workspace;
use crate::{apt, process};

/// How to call cargo for a bare-metal target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum BareMetal {
    /// The toolchain that runs this program has the targets.
    Own,
    /// Debian's rustc-web, cargo-web and rust-web-src, which build core from source.
    Debian,
}

impl BareMetal {
    /// Finds or installs a toolchain that has every target in [`TARGETS`], and says which it took. The first answer is
    /// kept for the run.
    ///
    /// # Errors
    /// None of the three ways is open; the message holds the lines to run.
    pub(crate) fn ensure(workspace: &Workspace) -> Result<Self> {
        static CHOICE: OnceLock<BareMetal> = OnceLock::new();
        if let Some(choice) = CHOICE.get() {
            return Ok(choice.clone());
        }
        let choice = Self::choose(workspace)?;
        Ok(CHOICE.get_or_init(|| choice).clone())
    }

    fn choose(workspace: &Workspace) -> Result<Self> {
        let targets = TARGETS.join(" ");
        if TARGETS.iter().all(|target| is_installed(workspace, target)) {
            println!("    bare-metal targets: installed already ({targets})");
            return Ok(Self::Own);
        }
        println!("    bare-metal targets: asking rustup for {targets}");
        let rustup = process::run(Command::new("rustup").args(["target", "add"]).args(TARGETS));
        if rustup.is_ok() && TARGETS.iter().all(|target| is_installed(workspace, target)) {
            println!("    bare-metal targets: installed by rustup");
            return Ok(Self::Own);
        }
        println!("    bare-metal targets: rustup cannot add them, trying Debian's toolchain");
        if !debian_is_there() {
            let packages = ["rustc-web", "cargo-web", "rust-web-src", "lld"];
            apt::install(&packages, "building firmware without rustup").with_context(|| {
                format!("no compiler for bare metal; either run `rustup target add {targets}`, or:")
            })?;
        }
        println!("    bare-metal targets: Debian's toolchain, which builds core from source");
        Ok(Self::Debian)
    }

    /// A command in `folder` that lints for `target`, with `arguments` to choose packages; a warning is an error. Debian's
    /// toolchain has no clippy: there the compiler's own errors must do.
    pub(crate) fn lint(
        &self,
        workspace: &Workspace,
        folder: &Path,
        target: &str,
        arguments: &[&str],
    ) -> Command {
        let setup = self.setup(target);
        let (verb, strictness): (_, &[&str]) = match setup {
            Some(_) => ("check", &[]),
            None => ("clippy", &["--", "-D", "warnings"]),
        };
        let mut command = match &setup {
            Some(setup) => Command::new(setup.cargo),
            None => workspace.cargo(),
        };
        command.current_dir(folder).arg(verb).args(["--target", target]);
        if let Some(setup) = setup {
            command.args(setup.arguments).envs(setup.variables);
            command.env_remove("RUSTUP_TOOLCHAIN");
        }
        command.args(arguments).args(strictness);
        command
    }

    /// What to change in a call of cargo for `target`; `None` if nothing.
    pub(crate) fn setup(&self, target: &str) -> Option<Setup> {
        if *self == Self::Own {
            return None;
        }
        let path = std::env::var("PATH").unwrap_or_default();
        let linker = format!("CARGO_TARGET_{}_LINKER", target.to_uppercase().replace('-', "_"));
        let variables = vec![
            // Where cargo looks for rustc.
            ("PATH".to_owned(), format!("/usr/bin:{path}")),
            ("RUSTC".to_owned(), "/usr/bin/rustc".to_owned()),
            // Building core from source is a feature of unstable releases.
            ("RUSTC_BOOTSTRAP".to_owned(), "1".to_owned()),
            (linker, "ld.lld".to_owned()),
        ];
        Some(Setup {
            cargo: "/usr/bin/cargo",
            arguments: ["-Z", "build-std=core,alloc"],
            variables,
        })
    }
}

/// Another cargo than the one that runs this program.
pub(crate) struct Setup {
    pub(crate) cargo: &'static str,
    pub(crate) arguments: [&'static str; 2],
    pub(crate) variables: Vec<(String, String)>,
}

/// The core library of `target` belongs to the toolchain in use.
fn is_installed(workspace: &Workspace, target: &str) -> bool {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let mut command = Command::new(rustc);
    command
        .current_dir(&workspace.root)
        .args(["--print", "target-libdir", "--target", target]);
    let Ok(folder) = process::output(&mut command) else {
        return false;
    };
    let Ok(entries) = std::fs::read_dir(folder.trim()) else {
        return false;
    };
    entries
        .flatten()
        .any(|entry| entry.file_name().to_string_lossy().starts_with("libcore-"))
}

fn debian_is_there() -> bool {
    let source = Path::new("/usr/lib/rustlib/src/rust/library/core");
    process::works(Command::new("/usr/bin/cargo").arg("--version"))
        && process::works(Command::new("ld.lld").arg("--version"))
        && (source.exists() || process::works(Command::new("dpkg").args(["-s", "rust-web-src"])))
}

/// Every bare-metal target that the commands build for.
pub(crate) const TARGETS: [&str; 2] = ["thumbv7m-none-eabi", "thumbv7em-none-eabihf"];
