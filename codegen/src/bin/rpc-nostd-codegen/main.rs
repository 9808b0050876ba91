//! The command line of the generator. Everything it does is in the library.

mod arguments;
mod commands;

use std::process::ExitCode;

use arguments::{Arguments, Command};
use clap::Parser;

fn main() -> ExitCode {
    let done = match Arguments::parse().command {
        Command::Generate(arguments) => commands::generate(arguments),
        Command::Check(arguments) => commands::check(arguments),
        Command::Sizes(arguments) => commands::sizes(&arguments),
        Command::Explain(arguments) => commands::explain(&arguments),
        Command::Options => {
            commands::options();
            Ok(())
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
