//! `cargo run -p rpc-nostd-fuzz-targets --example replay -- <target> <file>...` runs inputs through a target.

use std::process::ExitCode;

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let name = arguments.next().unwrap_or_default();
    let Some((_, target)) = rpc_nostd_fuzz_targets::TARGETS
        .into_iter()
        .find(|(known, _)| *known == name)
    else {
        let names = rpc_nostd_fuzz_targets::TARGETS.map(|(name, _)| name);
        eprintln!("no target {name:?}: name one of {}", names.join(", "));
        return ExitCode::FAILURE;
    };
    for path in arguments {
        match std::fs::read(&path) {
            Ok(input) => target(&input),
            Err(error) => {
                eprintln!("{path}: {error}");
                return ExitCode::FAILURE;
            }
        }
        println!("{path}: passes");
    }
    ExitCode::SUCCESS
}
