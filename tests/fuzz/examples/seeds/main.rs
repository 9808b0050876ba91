//! `cargo run -p rpc-nostd-fuzz-targets --example seeds -- <target> <folder>` writes the seeds of a target to a folder.

mod corpora;

use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [target, folder] = arguments.as_slice() else {
        return Err("name a target and a folder".into());
    };
    std::fs::create_dir_all(folder)?;
    let seeds = corpora::seeds(target);
    for (number, seed) in seeds.iter().enumerate() {
        std::fs::write(format!("{folder}/seed-{number:04}"), seed)?;
    }
    println!("{} seeds for {target}", seeds.len());
    Ok(())
}
