//! Checks who imports whom: hpack < h2-lite < rpc-nostd, and codegen apart from all of them.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use crate::process;
use crate::workspace::Workspace;

/// Compares the dependency lists of the published packages, and the imports inside h2-lite, with the layer rules.
///
/// # Errors
/// Names the package or file that breaks a rule, and the rule.
pub(crate) fn check(workspace: &Workspace) -> Result<()> {
    let metadata = metadata(workspace, &workspace.root)?;
    for (package, allowed) in REQUIRED_DEPENDENCIES {
        for name in dependencies(&metadata, package)? {
            ensure!(
                allowed.contains(&name.as_str()),
                "{package} requires {name}; a build without features may only need: {allowed:?}"
            );
        }
    }
    for name in ["hpack-lite", "h2-lite"] {
        let tree = tree(workspace, name)?;
        let wanted = if name == "hpack-lite" {
            vec!["hpack-lite"]
        } else {
            vec!["h2-lite", "hpack-lite"]
        };
        ensure!(
            tree == wanted,
            "`cargo tree -p {name}` shows {tree:?}, wanted {wanted:?}"
        );
        println!("    cargo tree -p {name}: {}", tree.join(", "));
    }
    for name in dependencies(&metadata, "rpc-nostd-codegen")? {
        ensure!(
            !RUNTIME.contains(&name.as_str()),
            "rpc-nostd-codegen requires {name}: it may print paths into the runtime, not import it"
        );
    }
    for (folder, forbidden) in FORBIDDEN_IMPORTS {
        check_imports(&workspace.root.join(folder), forbidden)?;
    }
    Ok(())
}

/// What `cargo metadata` says of the workspace in `folder`, with all features, for this host.
pub(crate) fn metadata(workspace: &Workspace, folder: &Path) -> Result<Value> {
    let mut command = workspace.cargo();
    command
        .current_dir(folder)
        .args(["metadata", "--format-version", "1", "--all-features"]);
    serde_json::from_str(&process::output(&mut command)?).context("cargo metadata is not JSON")
}

/// The entry of one workspace package in cargo's metadata.
pub(crate) fn package<'a>(metadata: &'a Value, name: &str) -> Result<&'a Value> {
    let packages = metadata["packages"]
        .as_array()
        .context("no packages in cargo metadata")?;
    let ours = packages
        .iter()
        .find(|package| package["name"] == name && package["source"].is_null());
    ours.with_context(|| format!("no package {name} in the workspace"))
}

/// Names of a package's features, `default` left out.
pub(crate) fn features(metadata: &Value, name: &str) -> Result<Vec<String>> {
    let features = package(metadata, name)?["features"]
        .as_object()
        .context("no features in cargo metadata")?;
    Ok(features
        .keys()
        .filter(|name| *name != "default")
        .cloned()
        .collect())
}

/// Names of the dependencies that a build of `name` without features has (not for tests, not optional).
fn dependencies(metadata: &Value, name: &str) -> Result<Vec<String>> {
    let list = package(metadata, name)?["dependencies"]
        .as_array()
        .context("no dependency list")?;
    let required = list
        .iter()
        .filter(|entry| entry["kind"] != "dev" && entry["optional"] == false);
    Ok(required
        .filter_map(|entry| entry["name"].as_str())
        .map(str::to_owned)
        .collect())
}

/// Names in `cargo tree`, without tests' dependencies, all features on.
fn tree(workspace: &Workspace, name: &str) -> Result<Vec<String>> {
    let mut command = workspace.cargo();
    command.args([
        "tree",
        "-p",
        name,
        "-e",
        "normal,build",
        "--all-features",
        "--target",
        "all",
    ]);
    let text = process::output(command.args(["--prefix", "none", "--format", "{p}"]))?;
    Ok(text
        .lines()
        .filter_map(|line| line.split(' ').next())
        .map(str::to_owned)
        .collect())
}

fn check_imports(folder: &Path, forbidden: &[&str]) -> Result<()> {
    // A folder that was renamed must not make its rule fall silent.
    let entries = fs::read_dir(folder).with_context(|| format!("a layer rule names {}", folder.display()))?;
    for entry in entries {
        let path = entry?.path();
        if path.is_dir() {
            check_imports(&path, forbidden)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
            if let Some(import) = forbidden.iter().find(|import| text.contains(*import)) {
                bail!("{} names {import}, a layer above it", path.display());
            }
        }
    }
    Ok(())
}

const REQUIRED_DEPENDENCIES: [(&str, &[&str]); 3] = [
    ("hpack-lite", &[]),
    ("h2-lite", &["hpack-lite"]),
    (
        "rpc-nostd",
        &[
            "h2-lite",
            "hpack-lite",
            "micropb",
            "embedded-io",
            "embedded-io-async",
        ],
    ),
];

const RUNTIME: [&str; 4] = ["hpack-lite", "h2-lite", "rpc-nostd", "micropb"];

/// Folders, and what their files may not name.
const FORBIDDEN_IMPORTS: [(&str, &[&str]); 5] = [
    ("hpack/src", &["h2_lite", "rpc_nostd"]),
    ("h2-lite/src", &["rpc_nostd"]),
    ("h2-lite/src/frame", &["crate::stream", "crate::connection"]),
    ("h2-lite/src/stream", &["crate::connection"]),
    ("rpc-nostd/src", &["h2_lite::frame"]),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn check_imports_of_a_layer_above_is_found_in_every_folder() {
        let folder = std::env::temp_dir().join(format!("xtask-layers-{}", std::process::id()));
        fs::create_dir_all(folder.join("deeper")).unwrap();
        let file = folder.join("deeper/a.rs");
        fs::write(&file, "use crate::connection::Connection;\n").unwrap();
        let error = check_imports(&folder, &["crate::stream", "crate::connection"]).unwrap_err();
        assert!(
            error
                .to_string()
                .ends_with("a.rs names crate::connection, a layer above it"),
            "{error}"
        );
        fs::write(&file, "use crate::error::Error;\n").unwrap();
        assert!(check_imports(&folder, &["crate::connection"]).is_ok());
        fs::remove_dir_all(&folder).unwrap();
        assert!(
            check_imports(&folder, &["crate::connection"]).is_err(),
            "a folder that is gone"
        );
    }
}
