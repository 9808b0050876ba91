//! Reads one capacity file: a TOML file with the table `[capacity]`.

use std::path::Path;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::error::{Place, Problem};

/// One line of the table.
pub(crate) struct Line {
    pub(crate) place: Place,
    /// As written.
    pub(crate) key: String,
    /// What the key may be relative to: the package of the `.proto` beside the file.
    pub(crate) package: String,
    pub(crate) capacity: u32,
}

/// Collects the lines of capacity files, and what is wrong with them.
#[derive(Default)]
pub(crate) struct CapacityFiles {
    pub(crate) lines: Vec<Line>,
    pub(crate) problems: Vec<Problem>,
}

impl CapacityFiles {
    /// Reads the file at `path`, whose keys may be relative to `package`.
    pub(crate) fn read(&mut self, path: &Path, package: &str) {
        match std::fs::read(path) {
            Ok(bytes) => match String::from_utf8(bytes) {
                Ok(text) => {
                    let start = self.lines.len();
                    Reader {
                        path,
                        package,
                        text: &text,
                        out: self,
                    }
                    .read();
                    // The parser gives them in order of their names.
                    self.lines[start..].sort_by_key(|line| line.place.line);
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
            match (key.get_ref().as_ref(), value.get_ref()) {
                ("capacity", DeValue::Table(lines)) => self.read_table("", lines),
                ("capacity", other) => {
                    let found = other.type_str();
                    self.reject(
                        key.span().start,
                        format!("`capacity` is of type {found}; write a table: [capacity]"),
                    );
                }
                (name, _) => self.reject(
                    key.span().start,
                    format!("`{name}` is unknown here; a capacity file has one table, [capacity]"),
                ),
            }
        }
    }

    /// A key without quotes is a path of tables in TOML; it means the same here.
    fn read_table(&mut self, prefix: &str, table: &DeTable<'_>) {
        for (key, value) in table {
            let path = crate::schema::join(prefix, key.get_ref());
            match value.get_ref() {
                DeValue::Table(inner) => self.read_table(&path, inner),
                _ => self.read_line(key.span().start, path, value),
            }
        }
    }

    fn read_line(&mut self, start: usize, key: String, value: &Spanned<DeValue<'_>>) {
        let bad_star = key
            .split('.')
            .any(|name| name.is_empty() || (name.contains('*') && name != "*"));
        if bad_star {
            let text = format!(
                "`{key}` is no path: names are separated by single dots, and a `*` stands for one whole name"
            );
            return self.reject(start, text);
        }
        let number = value.get_ref().as_integer().map(|number| {
            let digits = number.as_str().replace('_', "");
            u32::from_str_radix(&digits, number.radix())
                .ok()
                .filter(|&capacity| capacity > 0)
        });
        match number {
            Some(Some(capacity)) => {
                let place = Place::new(self.path, line_at(self.text.as_bytes(), start));
                self.out.lines.push(Line {
                    place,
                    key,
                    package: self.package.to_owned(),
                    capacity,
                });
            }
            Some(None) => self.reject(
                start,
                format!("the capacity of `{key}` is a number from 1 to {}", u32::MAX),
            ),
            None => {
                let found = value.get_ref().type_str();
                self.reject(
                    start,
                    format!("the capacity of `{key}` is of type {found}; write a number"),
                );
            }
        }
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
