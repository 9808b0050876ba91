//! The committed inputs, and seeds from the corpora that others wrote, through every target: on any compiler, in moments.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::{Path, PathBuf};

use rpc_nostd_fuzz_targets::TARGETS;

#[path = "../examples/seeds/corpora.rs"]
mod corpora;

#[test]
fn every_input_that_was_ever_found_passes() {
    for folder in ["regressions", "corpus"] {
        for (name, target) in TARGETS {
            for path in files(&here().join(folder).join(name)) {
                let input = fs::read(&path).unwrap();
                let result = catch_unwind(AssertUnwindSafe(|| target(&input)));
                if let Err(panic) = result {
                    let path = path.display();
                    eprintln!("cargo run -p rpc-nostd-fuzz-targets --example replay -- {name} {path}");
                    resume_unwind(panic);
                }
            }
        }
    }
}

#[test]
fn every_target_has_a_corpus() {
    for (name, _) in TARGETS {
        let corpus = files(&here().join("corpus").join(name));
        assert!(!corpus.is_empty(), "{name} has no corpus");
        let octets: u64 = corpus.iter().map(|path| fs::metadata(path).unwrap().len()).sum();
        assert!(octets < 100_000, "the corpus of {name} has {octets} octets");
    }
}

#[test]
fn every_target_passes_its_seeds() {
    for (name, target) in TARGETS {
        for seed in corpora::seeds(name) {
            target(&seed);
        }
    }
}

#[test]
fn every_target_passes_without_an_input_and_with_a_short_one() {
    for (_, target) in TARGETS {
        target(&[]);
        for octet in 0..=255 {
            target(&[octet; 1]);
            target(&[octet; 4]);
            target(&[octet; 40]);
        }
    }
}

fn here() -> PathBuf {
    // At run time, because one build may serve several checkouts.
    std::env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| env!("CARGO_MANIFEST_DIR").into(), PathBuf::from)
}

/// The files of a folder, which may be missing, in order.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut files: Vec<_> = entries.map(|entry| entry.path()).collect();
    files.sort();
    files
}
