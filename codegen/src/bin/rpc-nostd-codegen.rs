//! The command line of the generator. Everything it does is in the library.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use rpc_nostd_codegen::Builder;

/// Generates fixed-size messages and gRPC stubs for rpc-nostd from .proto files.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Writes one Rust file from .proto files and the capacity files (.toml) beside them.
    Generate {
        /// The .proto files.
        #[arg(required = true)]
        protos: Vec<PathBuf>,
        /// Folders in which the files and their imports are looked up [default: the folders of the files].
        #[arg(short = 'I', long = "include", value_name = "FOLDER")]
        includes: Vec<PathBuf>,
        /// Folder of the output.
        #[arg(short, long, value_name = "FOLDER", default_value = ".")]
        out_dir: PathBuf,
        /// Name of the output [default: that of the first .proto, ending in .rs].
        #[arg(long, value_name = "NAME")]
        out_file: Option<PathBuf>,
        /// Generate no clients.
        #[arg(long)]
        no_client: bool,
        /// Generate no servers.
        #[arg(long)]
        no_server: bool,
    },
}

fn main() -> ExitCode {
    let Command::Generate {
        protos,
        includes,
        out_dir,
        out_file,
        no_client,
        no_server,
    } = Arguments::parse().command;
    let mut builder = Builder::new().out_dir(out_dir).cargo_lines(false);
    if no_client {
        builder = builder.client(false);
    }
    if no_server {
        builder = builder.server(false);
    }
    if let Some(name) = out_file {
        builder = builder.out_file(name);
    }
    match builder.compile(&protos, &includes) {
        Ok(path) => {
            println!("{}", path.display());
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
