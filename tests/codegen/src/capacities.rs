//! Capacities of the corpus, read from its `.toml` files by code of its own: codegen's is under test.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use prost_reflect::FieldDescriptor;

/// How many elements or octets `field` holds, or its `part`: "elem", "key" or "value".
///
/// # Panics
/// If no line says so.
pub fn of(suite: &str, field: &FieldDescriptor, part: Option<&str>) -> usize {
    let mut path = field.full_name().to_owned();
    if let Some(part) = part {
        path = format!("{path}.{part}");
    }
    let lines = LINES.get(suite).unwrap_or_else(|| panic!("no suite {suite}"));
    let mut fitting: Vec<&Line> = lines.iter().filter(|line| line.names(&path)).collect();
    fitting.sort_by_key(|line| line.key.matches('*').count());
    let first = fitting.first();
    first
        .unwrap_or_else(|| panic!("no capacity for {path} in suite {suite}"))
        .capacity
}

struct Line {
    package: String,
    key: String,
    capacity: usize,
}

impl Line {
    fn names(&self, path: &str) -> bool {
        let relative = path
            .strip_prefix(&self.package)
            .and_then(|rest| rest.strip_prefix('.'));
        fits(&self.key, path) || relative.is_some_and(|path| fits(&self.key, path))
    }
}

fn fits(key: &str, path: &str) -> bool {
    let (mut keys, mut names) = (key.split('.'), path.split('.'));
    loop {
        match (keys.next(), names.next()) {
            (None, None) => return true,
            (Some(key), Some(name)) if key == "*" || key == name => {}
            _ => return false,
        }
    }
}

static LINES: LazyLock<BTreeMap<String, Vec<Line>>> = LazyLock::new(|| {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("proto");
    let mut suites = BTreeMap::new();
    for suite in std::fs::read_dir(root.join("suites")).expect("the corpus") {
        let suite = suite.expect("a folder").path();
        let mut lines = Vec::new();
        for folder in [suite.clone(), root.join("third_party")] {
            read_folder(&folder, &folder, &mut lines);
        }
        suites.insert(
            suite.file_name().expect("a name").to_string_lossy().into_owned(),
            lines,
        );
    }
    suites
});

/// The package of a file of the corpus is the folder in which it lies.
fn read_folder(root: &Path, folder: &Path, lines: &mut Vec<Line>) {
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder)
        .expect("a folder")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    paths.sort();
    for path in paths {
        if path.is_dir() {
            read_folder(root, &path, lines);
        } else if path.extension().is_some_and(|extension| extension == "toml") {
            let package = folder
                .strip_prefix(root)
                .expect("it lies below")
                .to_string_lossy()
                .replace('/', ".");
            let table: toml::Table = std::fs::read_to_string(&path)
                .expect("a file")
                .parse()
                .expect("TOML");
            let capacities = table["capacity"].as_table().expect("a table");
            lines.extend(capacities.iter().map(|(key, value)| Line {
                package: package.clone(),
                key: key.clone(),
                capacity: usize::try_from(value.as_integer().expect("a number")).expect("a size"),
            }));
        }
    }
}
