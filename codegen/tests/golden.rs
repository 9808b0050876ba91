//! The output for each folder of `tests/golden`, compared byte for byte.
//!
//! A folder holds `in.proto`, its capacities and imports, and the expected `out.rs`. After a wanted change:
//! `UPDATE_GOLDEN=1 cargo test -p rpc-nostd-codegen`, then read the difference.

mod support;

use std::path::PathBuf;

use rpc_nostd_codegen::Builder;

#[test]
fn output_is_the_golden_file() {
    let update = std::env::var_os("UPDATE_GOLDEN").is_some();
    let mut differing = Vec::new();
    for case in support::golden_cases() {
        let generated = generate(&case);
        let path = case.join("out.rs");
        if update {
            std::fs::write(&path, &generated).unwrap();
        } else if std::fs::read_to_string(&path).unwrap_or_default() != generated {
            differing.push(path);
        }
    }
    assert!(
        differing.is_empty(),
        "not as expected (UPDATE_GOLDEN=1 rewrites them): {differing:#?}"
    );
}

#[test]
fn output_is_the_same_every_time() {
    let case = support::golden("kinds");
    assert_eq!(generate(&case), generate(&case));
}

#[test]
fn output_does_not_depend_on_where_the_files_lie() {
    let case = support::golden("basic");
    let elsewhere = tempfile::tempdir().unwrap();
    for name in ["in.proto", "in.toml"] {
        std::fs::copy(case.join(name), elsewhere.path().join(name)).unwrap();
    }
    assert_eq!(generate(elsewhere.path()), generate(&case));
}

#[test]
fn output_of_real_world_files_is_the_same_every_time_and_everywhere() {
    for (name, mut protos, includes) in support::suites() {
        let generate =
            |protos: &[PathBuf], includes: &[PathBuf]| Builder::new().generate(protos, includes).unwrap();
        let first = generate(&protos, &includes).code;
        assert_eq!(generate(&protos, &includes).code, first, "{name}");

        let elsewhere = tempfile::tempdir().unwrap();
        let mut moved = Vec::new();
        for (index, include) in includes.iter().enumerate() {
            let folder = elsewhere.path().join(index.to_string());
            support::copy(include, &folder);
            for proto in &mut protos {
                if let Ok(inner) = proto.strip_prefix(include) {
                    *proto = folder.join(inner);
                }
            }
            moved.push(folder);
        }
        assert_eq!(generate(&protos, &moved).code, first, "{name}");
    }
}

#[test]
fn output_has_neither_inner_attributes_nor_unsafe() {
    for case in support::golden_cases() {
        let code = generate(&case);
        assert!(!code.contains("#!["), "{case:?} cannot be included in a module");
        assert!(!code.contains("unsafe"), "{case:?}");
    }
}

fn generate(case: &std::path::Path) -> String {
    Builder::new()
        .generate(&[case.join("in.proto")], &[case])
        .unwrap()
        .code
}
