//! What can be asked of the command.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use rpc_nostd_codegen::{Builder, CapacityOf};

/// Generates fixed-size messages and gRPC stubs for rpc-nostd from .proto files.
#[derive(Parser)]
#[command(version)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Writes one Rust file from .proto files and the capacity files (.toml) beside them.
    Generate(Generate),
    /// Finds everything that `generate` would refuse, and writes nothing.
    Check(Check),
    /// Prints what messages and services cost: bytes on the wire, RAM, and the buffers they need.
    Sizes(Sizes),
    /// Says of a message, field, enum, service, method or capacity key what it becomes, what it costs, and why.
    Explain(Explain),
    /// Prints `rpc_nostd/options.proto`, of which protoc needs a copy. The other commands have it inside.
    Options,
}

#[derive(Args)]
pub(crate) struct Generate {
    #[command(flatten)]
    pub(crate) input: Input,
    #[command(flatten)]
    pub(crate) content: Content,
    /// Folder of the output.
    #[arg(short, long, value_name = "FOLDER", default_value = ".")]
    pub(crate) out_dir: PathBuf,
    /// Name of the output [default: that of the first .proto, ending in .rs].
    #[arg(long, value_name = "NAME")]
    pub(crate) out_file: Option<PathBuf>,
}

#[derive(Args)]
pub(crate) struct Check {
    #[command(flatten)]
    pub(crate) input: Input,
    #[command(flatten)]
    pub(crate) content: Content,
}

#[derive(Args)]
pub(crate) struct Sizes {
    #[command(flatten)]
    pub(crate) input: Input,
    /// Print JSON instead of tables.
    #[arg(long)]
    pub(crate) json: bool,
    /// Bits of a pointer on the machine that the memory is meant for: 32 or 64.
    #[arg(long, value_name = "BITS", default_value_t = 32)]
    pub(crate) pointer_width: u32,
}

#[derive(Args)]
pub(crate) struct Explain {
    /// Its full name, or the end of it: telemetry.v1.ReportRequest.device_id, ReportRequest.device_id.
    pub(crate) name: String,
    #[command(flatten)]
    pub(crate) input: Input,
}

/// The files that are read.
#[derive(Args)]
pub(crate) struct Input {
    /// The .proto files.
    #[arg(required = true)]
    pub(crate) protos: Vec<PathBuf>,
    /// Folders in which the files and their imports are looked up [default: the folders of the files].
    #[arg(short = 'I', long = "include", value_name = "FOLDER")]
    pub(crate) includes: Vec<PathBuf>,
    /// Capacity of what nothing is said of, by kind: string=16, bytes, repeated, map, elem, key, value.
    #[arg(long = "default", value_name = "KIND=NUMBER", value_parser = parse_default)]
    defaults: Vec<(CapacityOf, u32)>,
}

impl Input {
    /// A builder that reads it.
    pub(crate) fn builder(&self) -> Builder {
        let builder = Builder::new().cargo_lines(false);
        self.defaults.iter().fold(builder, |builder, &(of, capacity)| {
            builder.default_capacity(of, capacity)
        })
    }
}

fn parse_default(text: &str) -> Result<(CapacityOf, u32), String> {
    let (kind, number) = text.split_once('=').ok_or("write KIND=NUMBER")?;
    let number = number
        .parse()
        .map_err(|_| format!("`{number}` is not a number from 1 to {}", u32::MAX))?;
    Ok((kind.parse()?, number))
}

/// What the output holds.
#[derive(Args)]
pub(crate) struct Content {
    /// Generate no clients.
    #[arg(long, conflicts_with = "client_for")]
    no_client: bool,
    /// Generate no servers.
    #[arg(long, conflicts_with = "server_for")]
    no_server: bool,
    /// Generate a client of this service, and of no others that are not named so too.
    #[arg(long, value_name = "SERVICE")]
    client_for: Vec<String>,
    /// Generate a server of this service, and of no others that are not named so too.
    #[arg(long, value_name = "SERVICE")]
    server_for: Vec<String>,
    /// Derive `defmt::Format` where this feature of your crate is on.
    #[arg(long, value_name = "FEATURE")]
    defmt_feature: Option<String>,
    /// Add the .proto files as bytes, for server reflection: `FILE_DESCRIPTORS`.
    #[arg(long)]
    descriptors: bool,
}

impl Content {
    /// `builder`, so that it makes it.
    pub(crate) fn applied_to(&self, builder: Builder) -> Builder {
        let mut builder = builder
            .client(!self.no_client)
            .server(!self.no_server)
            .descriptors(self.descriptors);
        if let Some(feature) = &self.defmt_feature {
            builder = builder.defmt_feature(feature);
        }
        if !self.client_for.is_empty() {
            builder = builder.client_for(&self.client_for);
        }
        if !self.server_for.is_empty() {
            builder = builder.server_for(&self.server_for);
        }
        builder
    }
}
