//! Reads one capacity file: a TOML file with the tables `[capacity]` and `[method]`.

use std::path::Path;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::error::{Place, Problem};

/// One line of a table: what it is about, and what it says.
pub(crate) struct Line<V> {
    pub(crate) key: Key,
    pub(crate) value: V,
}

/// Names one field or method, or several by wildcards.
pub(crate) struct Key {
    pub(crate) place: Place,
    /// As written.
    pub(crate) text: String,
    /// What it may be relative to: the package of the `.proto` beside the file.
    pub(crate) package: String,
}

impl Key {
    /// True if the key, as a full path or relative to the package, names `path`.
    pub(crate) fn names(&self, path: &str) -> bool {
        self.is(&self.text, path)
    }

    /// True if what the key says before its last dot names `path`.
    pub(crate) fn is_within(&self, path: &str) -> bool {
        let parent = self.text.rsplit_once('.').map_or("", |(parent, _)| parent);
        self.is(parent, path)
    }

    fn is(&self, text: &str, path: &str) -> bool {
        let relative = match self.package.as_str() {
            "" => None,
            package => path.strip_prefix(package).and_then(|rest| rest.strip_prefix('.')),
        };
        matches(text, path) || relative.is_some_and(|path| matches(text, path))
    }

    fn wildcards(&self) -> usize {
        self.text.matches('*').count()
    }
}

/// A `*` stands for exactly one name.
fn matches(text: &str, path: &str) -> bool {
    let same_length = text.split('.').count() == path.split('.').count();
    same_length
        && text
            .split('.')
            .zip(path.split('.'))
            .all(|(name, part)| name == "*" || name == part)
}

/// The line with the fewest wildcards of those whose key names `path`, which is a `what`. Two of one strength
/// contradict each other. All that name it are marked in `used`.
pub(crate) fn strongest<'a, V>(
    lines: &'a [Line<V>],
    path: &str,
    what: &str,
    used: &mut [bool],
) -> Result<Option<&'a Line<V>>, Box<Problem>> {
    let mut fitting: Vec<&Line<V>> = Vec::new();
    for (line, used) in lines.iter().zip(used) {
        if line.key.names(path) {
            fitting.push(line);
            *used = true;
        }
    }
    fitting.sort_by_key(|line| line.key.wildcards());
    if let [first, second, ..] = fitting.as_slice()
        && first.key.wildcards() == second.key.wildcards()
    {
        let (first, second) = if first.key.place <= second.key.place {
            (&first.key, &second.key)
        } else {
            (&second.key, &first.key)
        };
        let text = format!(
            "`{}` names the same {what} as `{}` in {}, and neither is more exact: remove one",
            second.text, first.text, first.place
        );
        return Err(Box::new(problem(second.place.clone(), text)));
    }
    Ok(fitting.first().copied())
}

/// Collects the lines of capacity files, and what is wrong with them.
#[derive(Default)]
pub(crate) struct CapacityFiles {
    pub(crate) capacities: Vec<Line<u32>>,
    /// Whether a method is chunked.
    pub(crate) methods: Vec<Line<bool>>,
    pub(crate) problems: Vec<Problem>,
}

impl CapacityFiles {
    /// Reads the file at `path`, whose keys may be relative to `package`.
    pub(crate) fn read(&mut self, path: &Path, package: &str) {
        match std::fs::read(path) {
            Ok(bytes) => match String::from_utf8(bytes) {
                Ok(text) => {
                    let starts = (self.capacities.len(), self.methods.len());
                    Reader {
                        path,
                        package,
                        text: &text,
                        out: self,
                    }
                    .read();
                    // The parser gives them in order of their names.
                    self.capacities[starts.0..].sort_by_key(|line| line.key.place.line);
                    self.methods[starts.1..].sort_by_key(|line| line.key.place.line);
                }
                Err(error) => {
                    let line = line_at(error.as_bytes(), error.utf8_error().valid_up_to());
                    self.problems
                        .push(problem(Place::new(path, line), "is not valid UTF-8".into()));
                }
            },
            Err(source) => self.problems.push(Problem::Io {
                action: "read",
                path: path.to_owned(),
                source,
            }),
        }
    }
}

struct Reader<'a> {
    path: &'a Path,
    package: &'a str,
    text: &'a str,
    out: &'a mut CapacityFiles,
}

impl Reader<'_> {
    fn read(&mut self) {
        let table = match DeTable::parse(self.text) {
            Ok(table) => table,
            Err(error) => {
                let start = error.span().map_or(0, |span| span.start);
                return self.reject(start, format!("is not valid TOML: {}", error.message()));
            }
        };
        for (key, value) in table.get_ref() {
            let start = key.span().start;
            match (key.get_ref().as_ref(), value.get_ref()) {
                ("capacity", DeValue::Table(lines)) => self.read_capacities("", lines),
                ("method", DeValue::Table(lines)) => self.read_methods("", lines),
                (name @ ("capacity" | "method"), other) => {
                    let found = other.type_str();
                    self.reject(
                        start,
                        format!("`{name}` is of type {found}; write a table: [{name}]"),
                    );
                }
                (name, _) => self.reject(
                    start,
                    format!(
                        "`{name}` is unknown here; a capacity file has the tables [capacity] and [method]"
                    ),
                ),
            }
        }
    }

    /// A key without quotes is a path of tables in TOML; it means the same here.
    fn read_capacities(&mut self, prefix: &str, table: &DeTable<'_>) {
        for (key, value) in table {
            let path = crate::schema::join(prefix, key.get_ref());
            match value.get_ref() {
                DeValue::Table(inner) => self.read_capacities(&path, inner),
                _ => self.read_capacity(key.span().start, path, value),
            }
        }
    }

    fn read_capacity(&mut self, start: usize, path: String, value: &Spanned<DeValue<'_>>) {
        let Some(key) = self.key(start, path) else {
            return;
        };
        let number = value.get_ref().as_integer().map(|number| {
            let digits = number.as_str().replace('_', "");
            u32::from_str_radix(&digits, number.radix())
                .ok()
                .filter(|&capacity| capacity > 0)
        });
        match number {
            Some(Some(value)) => self.out.capacities.push(Line { key, value }),
            Some(None) => self.reject(
                start,
                format!(
                    "the capacity of `{}` is a number from 1 to {}",
                    key.text,
                    u32::MAX
                ),
            ),
            None => {
                let found = value.get_ref().type_str();
                self.reject(
                    start,
                    format!(
                        "the capacity of `{}` is of type {found}; write a number",
                        key.text
                    ),
                );
            }
        }
    }

    /// As for capacities, a path of tables names a method; what is in the innermost is said of it.
    fn read_methods(&mut self, prefix: &str, table: &DeTable<'_>) {
        for (key, value) in table {
            let (start, name) = (key.span().start, key.get_ref());
            match value.get_ref() {
                DeValue::Table(inner) if inner.is_empty() => {
                    let path = crate::schema::join(prefix, name);
                    self.reject(
                        start,
                        format!("nothing is said of method `{path}`; {WRITE_METHOD}"),
                    );
                }
                DeValue::Table(inner) => self.read_methods(&crate::schema::join(prefix, name), inner),
                DeValue::Boolean(chunked) if name == CHUNKED && !prefix.is_empty() => {
                    if let Some(key) = self.key(start, prefix.to_owned()) {
                        self.out.methods.push(Line { key, value: *chunked });
                    }
                }
                other if name == CHUNKED && !prefix.is_empty() => {
                    let found = other.type_str();
                    let text =
                        format!("`{CHUNKED}` of method `{prefix}` is of type {found}; write true or false");
                    self.reject(start, text);
                }
                _ => self.reject(start, format!("`{name}` is unknown here; {WRITE_METHOD}")),
            }
        }
    }

    /// The key at `start`, unless it is none.
    fn key(&mut self, start: usize, text: String) -> Option<Key> {
        let is_path = text
            .split('.')
            .all(|name| !name.is_empty() && (name == "*" || !name.contains('*')));
        if !is_path {
            let text = format!(
                "`{text}` is no path: names are separated by single dots, and a `*` stands for one whole name"
            );
            self.reject(start, text);
            return None;
        }
        Some(Key {
            place: Place::new(self.path, line_at(self.text.as_bytes(), start)),
            text,
            package: self.package.to_owned(),
        })
    }

    fn reject(&mut self, start: usize, text: String) {
        let place = Place::new(self.path, line_at(self.text.as_bytes(), start));
        self.out.problems.push(problem(place, text));
    }
}

pub(crate) fn problem(place: Place, text: String) -> Problem {
    Problem::CapacityFile { place, text }
}

/// Line of the byte at `offset`, from 1.
fn line_at(text: &[u8], offset: usize) -> Option<u32> {
    let newlines = text.iter().take(offset).filter(|&&byte| byte == b'\n').count();
    u32::try_from(newlines + 1).ok()
}

/// What can be said of a method: that its messages are larger than memory.
const CHUNKED: &str = "chunked";
const WRITE_METHOD: &str = "write \"package.Service.Method\" = { chunked = true }";

#[cfg(test)]
mod tests {
    use super::CapacityFiles;

    #[test]
    fn file_that_cannot_be_read_is_told() {
        let mut files = CapacityFiles::default();
        files.read("no/such.toml".as_ref(), "a");
        let [problem] = files.problems.as_slice() else {
            panic!("{:?}", files.problems)
        };
        assert!(
            problem.to_string().starts_with("no/such.toml: cannot read: "),
            "{problem}"
        );
    }
}
