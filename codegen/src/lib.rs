#![doc = include_str!("../README.md")]

mod capacity;
mod check;
mod error;
mod output;
mod render;
mod schema;
mod source;

use std::path::{Path, PathBuf};

pub use error::{Error, Place, Problem};

/// Settings of one run: where the output goes, and whether it is for clients, servers or both.
///
/// ```no_run
/// // build.rs
/// fn main() -> Result<(), rpc_nostd_codegen::Error> {
///     rpc_nostd_codegen::Builder::new().compile(&["proto/telemetry.proto"], &["proto"])?;
///     Ok(())
/// }
/// ```
#[derive(Debug, Clone, Default)]
pub struct Builder {
    out_dir: Option<PathBuf>,
    out_file: Option<PathBuf>,
    roles: Roles,
    cargo_lines: Option<bool>,
}

/// Which sides of a service are generated.
#[derive(Debug, Clone, Copy)]
struct Roles {
    client: bool,
    server: bool,
}

impl Default for Roles {
    fn default() -> Self {
        Self {
            client: true,
            server: true,
        }
    }
}

/// What a run made and from what.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Generated {
    /// The Rust source.
    pub code: String,
    /// The `.proto` files and capacity files that were read, imports included. A change in one of
    /// them can change the output.
    pub inputs: Vec<PathBuf>,
    /// What is worth knowing, though nothing is wrong.
    pub warnings: Vec<String>,
}

impl Builder {
    /// Default settings: the output goes to the folder that cargo gives to a build.rs.
    pub fn new() -> Self {
        Self::default()
    }

    /// Folder of the output. Default: `OUT_DIR`, which cargo sets for a build.rs.
    pub fn out_dir(mut self, folder: impl Into<PathBuf>) -> Self {
        self.out_dir = Some(folder.into());
        self
    }

    /// Name of the output, within the output folder unless it is absolute.
    /// Default: that of the first `.proto`, ending in `.rs`.
    pub fn out_file(mut self, name: impl Into<PathBuf>) -> Self {
        self.out_file = Some(name.into());
        self
    }

    /// Whether clients are generated: for service `Telemetry`, the struct `TelemetryClient`. Default: true.
    pub fn client(mut self, generate: bool) -> Self {
        self.roles.client = generate;
        self
    }

    /// Whether servers are generated: for service `Telemetry`, the trait `Telemetry` with a function for each
    /// method, and the struct `TelemetryServer` that serves an implementation. Default: true.
    pub fn server(mut self, generate: bool) -> Self {
        self.roles.server = generate;
        self
    }

    /// Whether [`compile`](Self::compile) prints `cargo::` lines to standard output. Without them,
    /// warnings go to standard error. Default: if `OUT_DIR` is set, that is, in a build.rs.
    pub fn cargo_lines(mut self, print: bool) -> Self {
        self.cargo_lines = Some(print);
        self
    }

    /// Generates one Rust file from `protos`, each of which lies under one of the folders `includes`,
    /// where imports are looked up as well. Without `includes`, the folders of `protos` serve.
    ///
    /// Returns the path of the output. In a build.rs it also tells cargo to run it again only if an input
    /// changed.
    ///
    /// # Errors
    /// [`Error`] lists everything that is wrong with the input; there is no new output then.
    pub fn compile(
        &self,
        protos: &[impl AsRef<Path>],
        includes: &[impl AsRef<Path>],
    ) -> Result<PathBuf, Error> {
        let path = self.out_path(protos)?;
        let generated = self.generate(protos, includes)?;
        output::write(&path, &generated.code)?;
        let in_build_script = self
            .cargo_lines
            .unwrap_or_else(|| std::env::var_os("OUT_DIR").is_some());
        if in_build_script {
            for input in &generated.inputs {
                println!("cargo::rerun-if-changed={}", input.display());
            }
        }
        for warning in &generated.warnings {
            if in_build_script {
                println!("cargo::warning={warning}");
            } else {
                eprintln!("warning: {warning}");
            }
        }
        Ok(path)
    }

    /// As [`compile`](Self::compile), but writes and prints nothing.
    ///
    /// # Errors
    /// [`Error`] lists everything that is wrong with the input.
    pub fn generate(
        &self,
        protos: &[impl AsRef<Path>],
        includes: &[impl AsRef<Path>],
    ) -> Result<Generated, Error> {
        let protos: Vec<PathBuf> = protos.iter().map(|path| path.as_ref().to_owned()).collect();
        let mut includes: Vec<PathBuf> = includes.iter().map(|path| path.as_ref().to_owned()).collect();
        if includes.is_empty() {
            includes.extend(protos.iter().map(|proto| folder_of(proto)));
            includes.dedup();
        }
        let sources = source::Sources::load(&protos, &includes)?;
        let schema = schema::Schema::new(&sources);
        let mut problems = Vec::new();
        check::check(&schema, self.roles, &mut problems);
        let capacities = capacity::Capacities::resolve(&schema, &mut problems);
        Error::check(problems)?;
        let rendered = render::render(&sources, &schema, &capacities, self.roles)?;
        let mut inputs: Vec<PathBuf> = sources
            .files
            .iter()
            .filter_map(|file| file.path.clone())
            .collect();
        inputs.extend(capacities.files);
        Ok(Generated {
            code: rendered.code,
            inputs,
            warnings: rendered.warnings,
        })
    }

    fn out_path(&self, protos: &[impl AsRef<Path>]) -> Result<PathBuf, Error> {
        let folder = self
            .out_dir
            .clone()
            .or_else(|| std::env::var_os("OUT_DIR").map(PathBuf::from));
        let folder = folder.ok_or_else(|| {
            Problem::Usage(
                "no output folder: call `Builder::out_dir`, or run in a build.rs, where OUT_DIR is set"
                    .into(),
            )
        })?;
        let first = protos.first().and_then(|proto| proto.as_ref().file_stem());
        let first = first.map(|stem| Path::new(stem).with_extension("rs"));
        let name = self.out_file.clone().or(first);
        let name =
            name.ok_or_else(|| Problem::Usage("no .proto file was named: name at least one".into()))?;
        Ok(folder.join(name))
    }
}

fn folder_of(file: &Path) -> PathBuf {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
    folder.unwrap_or(Path::new(".")).to_owned()
}
