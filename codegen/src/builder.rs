//! The settings of one run, and the run itself: read, check, render.

use std::path::{Path, PathBuf};

use crate::capacity::{Capacities, CapacityOf, Defaults, Settings};
use crate::error::{Error, Problem};
use crate::render::Options;
use crate::roles::{Chosen, Roles};
use crate::schema::Schema;
use crate::source::Sources;
use crate::{cargo, check, output, render};

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
    options: Options,
    defaults: Defaults,
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
    /// Capacity files that were looked for and are not there. One that appears can change the output.
    pub absent: Vec<PathBuf>,
    /// What is worth knowing, though nothing is wrong.
    pub warnings: Vec<String>,
}

/// Everything that is known of the input once it has been read and found right.
pub(crate) struct Input {
    pub(crate) sources: Sources,
    pub(crate) schema: Schema,
    pub(crate) capacities: Capacities,
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
        self.roles.clients = Chosen::all_or_none(generate);
        self
    }

    /// Whether servers are generated: for service `Telemetry`, the trait `Telemetry` with a function for each
    /// method, and the struct `TelemetryServer` that serves an implementation. Default: true.
    pub fn server(mut self, generate: bool) -> Self {
        self.roles.servers = Chosen::all_or_none(generate);
        self
    }

    /// Generates clients of these services alone: `telemetry.v1.Telemetry`, or `Telemetry` where that is clear.
    /// Called again, it adds to them.
    pub fn client_for<S: Into<String>>(mut self, services: impl IntoIterator<Item = S>) -> Self {
        self.roles.clients.add(services.into_iter().map(Into::into));
        self
    }

    /// Generates servers of these services alone; as [`client_for`](Self::client_for) for clients.
    pub fn server_for<S: Into<String>>(mut self, services: impl IntoIterator<Item = S>) -> Self {
        self.roles.servers.add(services.into_iter().map(Into::into));
        self
    }

    /// The capacity of fields of this kind of which nothing else is said, in bytes or elements from 1. Default: none, so
    /// that each field is asked about.
    ///
    /// Stronger are, in this order: a line for the field in the capacity file beside its `.proto`, an option of the field,
    /// a default of its message, the table `[default]` of that capacity file, a default of its `.proto`, and that table
    /// beside the `.proto` files that were asked for.
    pub fn default_capacity(mut self, of: CapacityOf, capacity: u32) -> Self {
        self.defaults.set(of, capacity);
        self
    }

    /// Derives `defmt::Format` for messages, enums and oneofs where the feature `feature` of the including crate is on:
    ///
    /// ```toml
    /// [features]
    /// defmt = ["dep:defmt", "rpc-nostd/defmt"]
    /// ```
    ///
    /// Default: no such derives.
    pub fn defmt_feature(mut self, feature: impl Into<String>) -> Self {
        self.options.defmt_feature = Some(feature.into());
        self
    }

    /// Whether the output has the `.proto` files as bytes, in the static `FILE_DESCRIPTORS`: name and encoded
    /// `FileDescriptorProto` of each file and of the imports that it uses, without comments. On a device it takes flash
    /// and no RAM. Default: false.
    pub fn descriptors(mut self, generate: bool) -> Self {
        self.options.descriptors = generate;
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
    /// changed, was added or was removed.
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
            for path in cargo::watched(&generated.inputs, &generated.absent) {
                println!("cargo::rerun-if-changed={}", path.display());
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
        let input = self.read(load(protos, includes)?)?;
        self.render(&input)
    }

    /// Checks what was parsed, and gives it its capacities.
    pub(crate) fn read(&self, sources: Sources) -> Result<Input, Error> {
        sources.check_options_file()?;
        let mut schema = Schema::new(&sources);
        let settings = Settings::read(&sources, &mut schema, &self.defaults);
        let mut problems = Vec::new();
        check::check(&schema, &self.roles, &mut problems);
        let capacities = Capacities::resolve(settings, &schema, &self.roles, &mut problems);
        Error::check(problems)?;
        Ok(Input {
            sources,
            schema,
            capacities,
        })
    }

    pub(crate) fn render(&self, input: &Input) -> Result<Generated, Error> {
        let rendered = render::render(input, &self.roles, &self.options)?;
        let protos = input.sources.files.iter().filter_map(|file| file.path.clone());
        let mut inputs: Vec<PathBuf> = protos.collect();
        let absent = inputs
            .iter()
            .map(|proto| proto.with_extension("toml"))
            .filter(|path| !input.capacities.files.contains(path))
            .collect();
        inputs.extend(input.capacities.files.iter().cloned());
        Ok(Generated {
            code: rendered.code,
            inputs,
            absent,
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
        Ok(folder.join(self.out_name(protos.first())?))
    }

    /// Name of the output, where `first` is the first `.proto`.
    pub(crate) fn out_name(&self, first: Option<impl AsRef<Path>>) -> Result<PathBuf, Error> {
        let of_first = || {
            let stem = first.as_ref()?.as_ref().file_stem()?;
            Some(Path::new(stem).with_extension("rs"))
        };
        let name = self.out_file.clone().or_else(of_first);
        name.ok_or_else(|| Problem::Usage("no .proto file was named: name at least one".into()).into())
    }
}

/// Reads and parses `protos` and their imports.
pub(crate) fn load(protos: &[impl AsRef<Path>], includes: &[impl AsRef<Path>]) -> Result<Sources, Error> {
    let protos: Vec<PathBuf> = protos.iter().map(|path| path.as_ref().to_owned()).collect();
    let mut includes: Vec<PathBuf> = includes.iter().map(|path| path.as_ref().to_owned()).collect();
    if includes.is_empty() {
        includes.extend(protos.iter().map(|proto| folder_of(proto)));
        includes.dedup();
    }
    Sources::load(&protos, &includes)
}

pub(crate) fn folder_of(file: &Path) -> PathBuf {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
    folder.unwrap_or(Path::new(".")).to_owned()
}
