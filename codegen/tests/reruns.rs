//! When cargo runs a build.rs again: cargo itself is asked, with a package whose build.rs is played by this test.

mod support;

use std::process::Command;

use rpc_nostd_codegen::Builder;

/// The build.rs proper, in a process of its own, with the environment that cargo gives to a build.rs.
#[test]
fn build_script() {
    let Some(proto) = std::env::var_os("PLAYED_PROTO").map(std::path::PathBuf::from) else {
        return;
    };
    let folder = proto.parent().unwrap();
    Builder::new().compile(&[&proto], &[folder]).unwrap();
}

#[test]
fn build_script_runs_again_only_if_an_input_changed() {
    let package = Package::new("proto");
    assert!(package.build(), "the first time");
    assert!(!package.build(), "nothing changed");
    package.write("src/lib.rs", "//! Changed.\n");
    assert!(!package.build(), "the code that includes the output is no input");
    for name in ["proto/a.proto", "proto/imported.proto", "proto/imported.toml"] {
        package.write(name, &format!("{}\n", package.read(name)));
        assert!(package.build(), "{name} changed");
        assert!(!package.build(), "nothing changed after {name}");
    }
}

#[test]
fn build_script_runs_again_if_a_capacity_file_appears_or_goes() {
    let package = Package::new("proto");
    package.build();
    package.write("proto/a.toml", "[method]\n\"S.Up\".chunked = true\n");
    assert!(package.build(), "it appeared");
    assert!(!package.build(), "nothing changed");
    package.write("proto/a.toml", "");
    assert!(package.build(), "it changed");
    std::fs::remove_file(package.folder.path().join("proto/a.toml")).unwrap();
    assert!(package.build(), "it is gone");
    assert!(!package.build(), "nothing changed");
}

/// The folder cannot be watched, because the build itself writes below it.
#[test]
fn capacity_file_that_appears_beside_the_manifest_is_seen() {
    let package = Package::new(".");
    package.build();
    package.write("a.toml", "");
    assert!(package.build(), "it appeared");
    assert!(!package.build(), "nothing changed");
}

struct Package {
    folder: tempfile::TempDir,
}

impl Package {
    /// Its `.proto` files lie in the folder `protos`; one of the two has a capacity file.
    fn new(protos: &str) -> Self {
        let [a, imported, capacities] =
            ["a.proto", "imported.proto", "imported.toml"].map(|name| format!("{protos}/{name}"));
        let script = BUILD_SCRIPT
            .replace("<this test>", &format!("{:?}", std::env::current_exe().unwrap()))
            .replace("<proto>", &format!("{a:?}"));
        let folder = support::folder(&[
            ("Cargo.toml", MANIFEST),
            ("build.rs", &script),
            ("src/lib.rs", "//! A user's.\n"),
            (&a, A),
            (&imported, IMPORTED),
            (&capacities, "capacity.\"M.text\" = 4\n"),
        ]);
        Self { folder }
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.folder.path().join(name)).unwrap()
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.folder.path().join(name), text).unwrap();
    }

    /// True if the build.rs ran.
    fn build(&self) -> bool {
        let runs = || std::fs::read(self.folder.path().join("target/runs")).map_or(0, |runs| runs.len());
        let before = runs();
        let output = Command::new(std::env::var_os("CARGO").unwrap_or("cargo".into()))
            .args(["check", "--offline"])
            .current_dir(self.folder.path())
            .env("CARGO_TARGET_DIR", self.folder.path().join("target"))
            .env_remove("RUSTFLAGS")
            .env_remove("OUT_DIR")
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        runs() > before
    }
}

const MANIFEST: &str = "[package]\nname = \"user\"\nversion = \"0.0.0\"\nedition = \"2021\"\n[workspace]\n";

/// Counts its runs, and leaves the rest to `build_script` above.
const BUILD_SCRIPT: &str = r#"
use std::io::Write;

fn main() {
    let mut runs = std::fs::File::options().create(true).append(true).open("target/runs").unwrap();
    runs.write_all(b"1").unwrap();
    let played = std::process::Command::new(<this test>)
        .args(["--exact", "build_script", "--nocapture"])
        .env("PLAYED_PROTO", std::path::Path::new(&std::env::var_os("CARGO_MANIFEST_DIR").unwrap()).join(<proto>))
        .output()
        .unwrap();
    assert!(played.status.success(), "{played:?}");
    for line in String::from_utf8(played.stdout).unwrap().lines() {
        // The first comes behind what the test harness prints.
        if let Some(start) = line.find("cargo::") {
            println!("{}", &line[start..]);
        }
    }
}
"#;

const A: &str =
    "syntax = \"proto3\";\nimport \"imported.proto\";\nservice S {\n  rpc Up(M) returns (M);\n}\n";
const IMPORTED: &str = "syntax = \"proto3\";\nmessage M {\n  string text = 1;\n}\n";
