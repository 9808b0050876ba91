//! Which functions the public API of a crate has, and whether the images of the proof name each of them.
//!
//! The list comes from rustdoc, so a function that is added without a proof is found. The images name a function by
//! its full path, `keep(hpack_lite::Decoder::new as *const ())`, which the compiler resolves.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use syn::visit::Visit;

use crate::process;
use crate::workspace::Workspace;

/// Fails unless the sources of the proof name every function of `package`'s public API.
///
/// # Errors
/// Lists the functions that they do not name.
pub(crate) fn check(workspace: &Workspace, package: &str, named: &BTreeSet<String>) -> Result<()> {
    let documented = document(workspace, package)?;
    let functions = Api::new(&documented)?.functions();
    ensure!(!functions.is_empty(), "{package} has no public functions");
    let missing: Vec<String> = functions
        .values()
        .filter(|paths| paths.is_disjoint(named))
        .filter_map(|paths| paths.first().cloned())
        .collect();
    ensure!(
        missing.is_empty(),
        "{} of {} public functions of {package} are in no image; add them in qemu/proof:\n    {}",
        missing.len(),
        functions.len(),
        missing.join("\n    ")
    );
    println!(
        "    {package}: {} public functions, each in an image",
        functions.len()
    );
    Ok(())
}

/// Every path that the Rust files in `folder` name, without generic arguments.
///
/// # Errors
/// A file cannot be read, or is not Rust.
pub(crate) fn paths_in(folder: &Path) -> Result<BTreeSet<String>> {
    let mut paths = Paths::default();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).with_context(|| folder.display().to_string())? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path)?;
                let file = syn::parse_file(&text).with_context(|| path.display().to_string())?;
                paths.visit_file(&file);
            }
        }
    }
    Ok(paths.0)
}

#[derive(Default)]
struct Paths(BTreeSet<String>);

impl<'a> Visit<'a> for Paths {
    fn visit_path(&mut self, path: &'a syn::Path) {
        let words: Vec<String> = path
            .segments
            .iter()
            .map(|segment| segment.ident.to_string())
            .collect();
        self.0.insert(words.join("::"));
        syn::visit::visit_path(self, path);
    }
}

/// What rustdoc says of a package with its default features. It says so as JSON only where unstable options are allowed.
fn document(workspace: &Workspace, package: &str) -> Result<Value> {
    let target = workspace.target.join("proof");
    let mut command = workspace.cargo();
    command
        .env("RUSTC_BOOTSTRAP", "1")
        .args(["rustdoc", "--quiet", "--lib", "-p", package, "--target-dir"])
        .arg(&target)
        .args(["--", "-Z", "unstable-options", "--output-format", "json"]);
    process::run(&mut command)?;
    let file = target.join(format!("doc/{}.json", package.replace('-', "_")));
    let text = fs::read_to_string(&file).with_context(|| file.display().to_string())?;
    serde_json::from_str(&text).context("rustdoc's output is not JSON")
}

/// A walk through what can be named from outside.
struct Api<'d> {
    index: &'d Value,
    root: String,
    /// By rustdoc's number of a function: the paths by which it can be named.
    found: BTreeMap<String, BTreeSet<String>>,
}

impl<'d> Api<'d> {
    fn new(documented: &'d Value) -> Result<Self> {
        ensure!(documented["index"].is_object(), "rustdoc's JSON has no index");
        Ok(Self {
            index: &documented["index"],
            root: documented["root"].to_string(),
            found: BTreeMap::new(),
        })
    }

    fn functions(mut self) -> BTreeMap<String, BTreeSet<String>> {
        let root = self.item(&self.root.clone());
        let name = root["name"].as_str().unwrap_or_default().to_owned();
        self.walk_module(&root["inner"]["module"], &name);
        self.found
    }

    fn item(&self, id: &str) -> &'d Value {
        &self.index[id]
    }

    fn walk_module(&mut self, module: &'d Value, path: &str) {
        for id in ids(&module["items"]) {
            let item = self.item(&id);
            if let Some(import) = item["inner"].get("use") {
                let target = import["id"].to_string();
                let name = import["name"].as_str().unwrap_or_default();
                self.walk_item(&target, &format!("{path}::{name}"));
            } else {
                let name = item["name"].as_str().unwrap_or_default();
                self.walk_item(&id, &format!("{path}::{name}"));
            }
        }
    }

    fn walk_item(&mut self, id: &str, path: &str) {
        let inner = &self.item(id)["inner"];
        if let Some(module) = inner.get("module") {
            self.walk_module(module, path);
        } else if inner.get("function").is_some() {
            self.add(id, path.to_owned());
        } else if let Some(alias) = inner.get("type_alias") {
            self.walk_alias(&alias["type"], path);
        } else if let Some(definition) = inner.get("trait") {
            self.walk_trait(definition, path);
        } else if let Some(definition) = inner.get("struct").or_else(|| inner.get("enum")) {
            self.walk_methods(definition, path, None);
        }
    }

    /// Functions that a trait brings itself; the others are written by whoever implements it.
    fn walk_trait(&mut self, definition: &'d Value, path: &str) {
        for id in ids(&definition["items"]) {
            let item = self.item(&id);
            if item["inner"]["function"]["has_body"] == true {
                let name = item["name"].as_str().unwrap_or_default();
                self.add(&id, format!("{path}::{name}"));
            }
        }
    }

    /// An alias names the methods of one instance of a generic type.
    fn walk_alias(&mut self, aliased: &'d Value, path: &str) {
        let resolved = &aliased["resolved_path"];
        let definition = &self.item(&resolved["id"].to_string())["inner"]["struct"];
        if definition.is_object() {
            self.walk_methods(definition, path, Some(last_type(resolved)));
        }
    }

    /// `wanted` is the last type argument of an alias: one for `Unary` does not name the methods of `BidiStreaming`.
    fn walk_methods(&mut self, definition: &'d Value, path: &str, wanted: Option<Option<u64>>) {
        for id in ids(&definition["impls"]) {
            let implementation = &self.item(&id)["inner"]["impl"];
            let of = last_type(&implementation["for"]["resolved_path"]);
            let is_other = wanted.is_some_and(|wanted| of.is_some() && of != wanted);
            if !implementation["trait"].is_null() || is_other {
                continue;
            }
            // Of a type of which each kind has its own `new`, say, only the alias tells which is meant.
            let path = match (wanted, of) {
                (None, Some(_)) => format!("{path}<_>"),
                _ => path.to_owned(),
            };
            for id in ids(&implementation["items"]) {
                let item = self.item(&id);
                if item["visibility"] == "public" && item["inner"].get("function").is_some() {
                    let name = item["name"].as_str().unwrap_or_default();
                    self.add(&id, format!("{path}::{name}"));
                }
            }
        }
    }

    fn add(&mut self, id: &str, path: String) {
        self.found.entry(id.to_owned()).or_default().insert(path);
    }
}

/// The last generic argument of a path, if that is a type of its own and no parameter.
fn last_type(path: &Value) -> Option<u64> {
    let arguments = path["args"]["angle_bracketed"]["args"].as_array()?;
    arguments.last()?["type"]["resolved_path"]["id"].as_u64()
}

fn ids(list: &Value) -> Vec<String> {
    list.as_array()
        .into_iter()
        .flatten()
        .map(Value::to_string)
        .collect()
}
