//! Reads one capacity file: a TOML file with the tables `[capacity]`, `[default]` and `[method]`.

use std::path::Path;

use toml::Spanned;
use toml::de::{DeInteger, DeTable, DeValue};

use super::defaults::{self, CapacityOf, Defaults};
use super::key::{Key, Line, problem};
use super::setting::{Setting, check_callback};
use crate::error::{Place, Problem};

/// Collects the lines of capacity files, and what is wrong with them.
#[derive(Default)]
pub(crate) struct CapacityFiles {
    pub(crate) capacities: Vec<Line<Setting>>,
    /// Whether a method is chunked.
    pub(crate) methods: Vec<Line<bool>>,
    pub(crate) problems: Vec<Problem>,
}

impl CapacityFiles {
    /// Reads the file at `path`, whose keys may be relative to `package`. Returns its defaults.
    pub(crate) fn read(&mut self, path: &Path, package: &str) -> Defaults {
        if let Err(huge) = crate::limits::check_size(path) {
            self.problems.push(*huge);
            return Defaults::default();
        }
        match std::fs::read(path) {
            Ok(bytes) => match String::from_utf8(bytes) {
                Ok(text) => return self.read_text(path, package, &text),
                Err(error) => {
                    let valid = error.as_bytes().get(..error.utf8_error().valid_up_to());
                    let valid = valid.unwrap_or_default().iter();
                    let before = valid.filter(|&&byte| byte == b'\n').count();
                    let place = Place::new(path, u32::try_from(before + 1).ok());
                    self.problems.push(problem(place, "is not valid UTF-8".into()));
                }
            },
            Err(source) => self.problems.push(Problem::Io {
                action: "read",
                path: path.to_owned(),
                source,
            }),
        }
        Defaults::default()
    }

    fn read_text(&mut self, path: &Path, package: &str, text: &str) -> Defaults {
        let starts = (self.capacities.len(), self.methods.len(), self.problems.len());
        let mut reader = Reader {
            path,
            package,
            text,
            newlines: newlines(text),
            defaults: Defaults::default(),
            out: self,
        };
        reader.read();
        let defaults = reader.defaults;
        // The parser gives them in order of their names.
        self.capacities[starts.0..].sort_by_key(|line| line.key.place.line);
        self.methods[starts.1..].sort_by_key(|line| line.key.place.line);
        self.problems[starts.2..].sort_by_key(|problem| match problem {
            Problem::CapacityFile { place, .. } => place.line,
            _ => None,
        });
        defaults
    }
}

struct Reader<'a> {
    path: &'a Path,
    package: &'a str,
    text: &'a str,
    /// Offsets of all newlines.
    newlines: Vec<usize>,
    defaults: Defaults,
    out: &'a mut CapacityFiles,
}

impl Reader<'_> {
    fn read(&mut self) {
        let (table, errors) = DeTable::parse_recoverable(self.text);
        for error in &errors {
            let start = error.span().map_or(0, |span| span.start);
            let earlier = match error.message() {
                DUPLICATE => self.earlier(start),
                _ => None,
            };
            let advice = earlier
                .map(|line| format!(": it is on line {line} already, and both count alike; remove one"));
            let advice = advice.unwrap_or_default();
            self.reject(start, format!("is not valid TOML: {}{advice}", error.message()));
        }
        if !errors.is_empty() {
            // What the parser made of the rest is a guess.
            return;
        }
        for (key, value) in table.get_ref() {
            let start = key.span().start;
            match (key.get_ref().as_ref(), value.get_ref()) {
                ("capacity", DeValue::Table(lines)) => self.read_capacities("", lines),
                ("default", DeValue::Table(lines)) => self.read_defaults(lines),
                ("method", DeValue::Table(lines)) => self.read_methods("", lines),
                (name @ ("capacity" | "default" | "method"), other) => {
                    let found = other.type_str();
                    self.reject(
                        start,
                        format!("`{name}` is of type {found}; write a table: [{name}]"),
                    );
                }
                (name, _) => self.reject(
                    start,
                    format!(
                        "`{name}` is unknown here; a capacity file has the tables [capacity], [default] and [method]"
                    ),
                ),
            }
        }
    }

    /// Line on which the key at `start` stands before.
    fn earlier(&self, start: usize) -> Option<u32> {
        let start = self
            .text
            .get(..start)?
            .rfind('\n')
            .map_or(0, |newline| newline + 1);
        let (before, rest) = self.text.split_at_checked(start)?;
        let key = rest.lines().next()?.split(['=', ']']).next()?.trim();
        let lines = (1..).zip(before.lines());
        let found = lines.filter(|(_, line)| {
            let after = line.trim_start().strip_prefix(key).map(str::trim_start);
            after.is_some_and(|after| after.starts_with(['=', ']']))
        });
        found.last().map(|(line, _)| line)
    }

    fn read_defaults(&mut self, table: &DeTable<'_>) {
        for (key, value) in table {
            let start = key.span().start;
            let of: CapacityOf = match key.get_ref().parse() {
                Ok(of) => of,
                Err(text) => {
                    self.reject(start, text);
                    continue;
                }
            };
            let Some(number) = self.number(start, &format!("the default of `{}`", of.name()), value) else {
                continue;
            };
            match defaults::fault(of, number) {
                Some(text) => self.reject(start, text),
                None => self.defaults.set(of, number),
            }
        }
    }

    /// A key without quotes is a path of tables in TOML; it means the same here.
    fn read_capacities(&mut self, prefix: &str, table: &DeTable<'_>) {
        for (key, value) in table {
            let (start, path) = (key.span().start, crate::schema::join(prefix, key.get_ref()));
            match value.get_ref() {
                DeValue::Table(inner) if self.is_inline(value) => self.read_setting(start, path, inner),
                DeValue::Table(inner) => self.read_capacities(&path, inner),
                _ => {
                    if let Some(key) = self.key(start, path)
                        && let Some(number) =
                            self.number(start, &format!("the capacity of `{}`", key.text), value)
                    {
                        let value = Setting::Capacity(number);
                        self.out.capacities.push(Line { key, value });
                    }
                }
            }
        }
    }

    fn is_inline(&self, value: &Spanned<DeValue<'_>>) -> bool {
        self.text.as_bytes().get(value.span().start) == Some(&b'{')
    }

    /// A number from 1, of `what`.
    fn number(&mut self, start: usize, what: &str, value: &Spanned<DeValue<'_>>) -> Option<u32> {
        let number = value.get_ref().as_integer().map(whole);
        match number {
            Some(Some(number)) => return Some(number),
            Some(None) => self.reject(start, format!("{what} is a number from 1 to {}", u32::MAX)),
            None => {
                let found = value.get_ref().type_str();
                let or = if what.starts_with("the capacity") {
                    OR_SETTING
                } else {
                    ""
                };
                self.reject(start, format!("{what} is of type {found}; write a number{or}"));
            }
        }
        None
    }

    /// What an inline table says of the field at `path`.
    fn read_setting(&mut self, start: usize, path: String, table: &DeTable<'_>) {
        let Some(key) = self.key(start, path) else {
            return;
        };
        let path = &key.text;
        let mut words = table.iter();
        let (Some((word, value)), None) = (words.next(), words.next()) else {
            let says = if table.is_empty() {
                "nothing is said"
            } else {
                "more than one thing is said"
            };
            return self.reject(start, format!("{says} of `{path}`; {WRITE_SETTING}"));
        };
        let name = word.get_ref().as_ref();
        let setting = match (name, value.get_ref()) {
            ("borrow", DeValue::Boolean(true)) => Setting::Borrow,
            ("skip", DeValue::Boolean(true)) => Setting::Skip,
            ("borrow" | "skip", DeValue::Boolean(false)) => {
                let text =
                    format!("`{name} = false` says nothing of `{path}`; remove the line, or {WRITE_SETTING}");
                return self.reject(start, text);
            }
            ("callback", DeValue::String(of_type)) => match check_callback(of_type) {
                Ok(()) => Setting::Callback(of_type.to_string()),
                Err(text) => return self.reject(start, format!("the callback of `{path}`: {text}")),
            },
            ("encoded", DeValue::Integer(_)) => {
                match self.number(start, &format!("`encoded` of `{path}`"), value) {
                    Some(number) => Setting::Encoded(number),
                    None => return,
                }
            }
            ("borrow" | "skip" | "callback" | "encoded", other) => {
                let found = other.type_str();
                let text = format!("`{name}` of `{path}` is of type {found}; {WRITE_SETTING}");
                return self.reject(start, text);
            }
            _ => {
                let text = format!("`{name}` of `{path}` is unknown here; {WRITE_SETTING}");
                return self.reject(start, text);
            }
        };
        self.out.capacities.push(Line { key, value: setting });
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
            place: self.place(start),
            text,
            package: self.package.to_owned(),
        })
    }

    fn place(&self, offset: usize) -> Place {
        let before = self.newlines.partition_point(|&newline| newline < offset);
        Place::new(self.path, u32::try_from(before + 1).ok())
    }

    fn reject(&mut self, start: usize, text: String) {
        let place = self.place(start);
        self.out.problems.push(problem(place, text));
    }
}

/// The integer, if it is a capacity.
fn whole(number: &DeInteger<'_>) -> Option<u32> {
    let digits = number.as_str().replace('_', "");
    let number = u32::from_str_radix(&digits, number.radix()).ok();
    number.filter(|&number| number > 0)
}

fn newlines(text: &str) -> Vec<usize> {
    text.match_indices('\n').map(|(offset, _)| offset).collect()
}

/// What can be said of a method: that its messages are larger than memory.
const CHUNKED: &str = "chunked";
const WRITE_METHOD: &str = "write \"package.Service.Method\" = { chunked = true }";

/// What can be said of a field.
pub(super) const WRITE_SETTING: &str = "write a number, or one of { borrow = true }, { callback = \"crate::Type\" }, \
     { skip = true } and { encoded = 64 }";
const OR_SETTING: &str = ", or one of { borrow = true }, { callback = \"crate::Type\" }, { skip = true } and \
     { encoded = 64 }";

/// What the parser says of a key that it has seen before.
const DUPLICATE: &str = "duplicate key";

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
