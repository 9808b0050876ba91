//! Rust source for a table with each message of each suite: its name and functions that read and write it.

use std::collections::BTreeSet;
use std::error::Error;
use std::path::Path;

use heck::{ToSnakeCase, ToUpperCamelCase};
use prost::Message;
use prost_reflect::{DescriptorPool, Kind, MessageDescriptor};

/// The table under way.
#[derive(Default)]
pub(crate) struct Table {
    entries: String,
}

impl Table {
    /// Adds the messages of the files in `folder`, and all that they need.
    pub(crate) fn add_suite(
        &mut self,
        suite: &str,
        folder: &Path,
        files: &impl Message,
    ) -> Result<(), Box<dyn Error>> {
        let pool = DescriptorPool::decode(files.encode_to_vec().as_slice())?;
        let mut seen = BTreeSet::new();
        for message in pool.all_messages() {
            if folder.join(message.parent_file().name()).is_file() {
                self.add(suite, &message, &mut seen);
            }
        }
        for method in pool
            .services()
            .flat_map(|service| service.methods().collect::<Vec<_>>())
        {
            if folder
                .join(method.parent_service().parent_file().name())
                .is_file()
            {
                self.add(suite, &method.input(), &mut seen);
                self.add(suite, &method.output(), &mut seen);
            }
        }
        Ok(())
    }

    fn add(&mut self, suite: &str, message: &MessageDescriptor, seen: &mut BTreeSet<String>) {
        let name = message.full_name();
        if !seen.insert(name.to_owned()) {
            return;
        }
        if !message.is_map_entry() {
            let ours = ours(message);
            let theirs = if message.package_name() == "google.protobuf" {
                "None".to_owned()
            } else {
                format!("Some(recode_theirs::<theirs::{suite}::{}>)", theirs(message))
            };
            self.entries.push_str(&format!(
                "Kind {{ suite: {suite:?}, name: {name:?}, recode: recode::<ours::{suite}::{ours}>, theirs: {theirs} }},\n"
            ));
        }
        for field in message.fields() {
            if let Kind::Message(inner) = field.kind() {
                self.add(suite, &inner, seen);
            }
        }
    }

    /// A slice of `Kind`s.
    pub(crate) fn code(&self) -> String {
        format!("&[\n{}]\n", self.entries)
    }
}

/// Path of a message in our output: a module for each part of the package, and `Outer_` for what is inside `Outer`.
fn ours(message: &MessageDescriptor) -> String {
    let (packages, outer, name) = parts(message);
    let packages = packages.into_iter();
    let outer = outer.into_iter().map(|outer| format!("{outer}_"));
    packages.chain(outer).chain([name]).collect::<Vec<_>>().join("::")
}

/// Path of a message in prost's output.
fn theirs(message: &MessageDescriptor) -> String {
    let (packages, outer, name) = parts(message);
    let packages = packages.into_iter().map(|package| package.to_snake_case());
    let outer = outer.into_iter().map(|outer| outer.to_snake_case());
    let mut name = name.to_upper_camel_case();
    if name == "Self" {
        name.push('_');
    }
    packages.chain(outer).chain([name]).collect::<Vec<_>>().join("::")
}

/// Package, messages around it, its own name.
fn parts(message: &MessageDescriptor) -> (Vec<String>, Vec<String>, String) {
    let package: Vec<String> = message.package_name().split('.').map(str::to_owned).collect();
    let mut outer = Vec::new();
    let mut parent = message.parent_message();
    while let Some(message) = parent {
        outer.insert(0, message.name().to_owned());
        parent = message.parent_message();
    }
    (package, outer, message.name().to_owned())
}
