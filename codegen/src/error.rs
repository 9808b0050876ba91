//! What can be wrong with the input, and what to do about it.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

/// Where a problem lies: a file and, where it is known, a line counted from 1.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The file as it was found: include folder and import name joined.
    pub file: PathBuf,
    /// Line in that file, from 1. `None` if the problem has no line of its own.
    pub line: Option<u32>,
}

impl Place {
    pub(crate) fn new(file: impl Into<PathBuf>, line: Option<u32>) -> Self {
        Self {
            file: file.into(),
            line,
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Forward slashes on every system, so that messages can be compared.
        write!(f, "{}", shown(&self.file))?;
        match self.line {
            Some(line) => write!(f, ":{line}"),
            None => Ok(()),
        }
    }
}

/// One thing that is wrong. The text of each says what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// A `.proto` file that cannot be read, parsed or resolved.
    #[error("{place}: {text}")]
    Proto {
        /// Where.
        place: Place,
        /// What the parser says.
        text: String,
    },
    /// A folder or file that cannot be read or written.
    #[error("{}: cannot {action}: {source}", shown(path))]
    Io {
        /// What was tried: "read", "write".
        action: &'static str,
        /// On which path.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The call itself lacks something.
    #[error("{0}")]
    Usage(String),
    /// A field that holds bytes or elements, and nobody said how many.
    #[error(
        "{place}: no capacity for {what} `{field}` of message `{message}` in package `{package}`; \
         add to {}: {line_to_add}",
        shown(config)
    )]
    MissingCapacity {
        /// Where the field is declared.
        place: Place,
        /// Package of the message; empty if the file names none.
        package: String,
        /// Name of the message within its package.
        message: String,
        /// Name of the field, with `.elem`, `.key` or `.value` if its parts are what lacks a capacity.
        field: String,
        /// "string field", "elements of repeated field", ...
        what: &'static str,
        /// The capacity file that belongs to the `.proto`; it need not exist.
        config: PathBuf,
        /// Goes under `[capacity]` in that file. Its number is an example.
        line_to_add: String,
    },
    /// A line of a capacity file that says nothing we can use.
    #[error("{place}: {text}")]
    CapacityFile {
        /// Where.
        place: Place,
        /// What is wrong, and what would be right.
        text: String,
    },
    /// An option of our options file that says nothing we can use.
    #[error("{place}: {text}")]
    Option {
        /// Where.
        place: Place,
        /// What is wrong, and what would be right.
        text: String,
    },
    /// A message that contains itself, so that no fixed size can hold it.
    #[error(
        "{place}: message `{message}` contains itself ({cycle}), so it has no fixed size; \
         break the cycle at one of these fields, for example by a line in {}: {line_to_add} keeps the message in it \
         encoded, in so many bytes; {{ skip = true }} leaves the field out; {{ callback = \"crate::Type\" }} gives it to \
         a type of yours",
        shown(config)
    )]
    Recursion {
        /// Where the first message of the cycle is declared.
        place: Place,
        /// Full name of that message.
        message: String,
        /// The fields that lead back to it, in order.
        cycle: String,
        /// The capacity file that belongs to the `.proto` of the last of these fields; it need not exist.
        config: PathBuf,
        /// Goes under `[capacity]` in that file, and breaks the cycle at the last field. Its number is an example.
        line_to_add: String,
    },
    /// A service or method whose name leaves none for Rust.
    #[error(
        "{place}: {what} has no name in Rust, where names begin with a letter; \
         rename it in the .proto, so that a letter comes first"
    )]
    NoName {
        /// Where it is declared.
        place: Place,
        /// "service `a.v1._`", ...
        what: String,
    },
    /// Two declarations that would get one name in Rust.
    #[error(
        "{place}: {what} and {other} both become `{name}` in Rust; rename one of them in the .proto{instead}"
    )]
    NameClash {
        /// Where the second is declared.
        place: Place,
        /// The second.
        what: String,
        /// The first.
        other: String,
        /// The name that both would get.
        name: String,
        /// Another way out than to rename; may be empty.
        instead: &'static str,
    },
    /// A construct of the `.proto` language that messages of fixed size do not support.
    #[error("{place}: {text}")]
    Unsupported {
        /// Where; the line is missing if the message generator found it.
        place: Place,
        /// What, and what to write instead.
        text: String,
    },
}

/// Everything that is wrong with the input, found in one run.
///
/// Its `Debug` text is its `Display` text, because that is what cargo prints when a build.rs
/// returns it from `main`.
pub struct Error {
    problems: Vec<Problem>,
}

impl Error {
    /// `Ok` if there are none.
    pub(crate) fn check(problems: Vec<Problem>) -> Result<(), Self> {
        if problems.is_empty() {
            Ok(())
        } else {
            Err(Self { problems })
        }
    }

    /// What is wrong, in the order of the files; never empty.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }
}

impl From<Problem> for Error {
    fn from(problem: Problem) -> Self {
        Self {
            problems: vec![problem],
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.problems.iter().enumerate() {
            if index > 0 {
                writeln!(f)?;
            }
            write!(f, "error: {problem}")?;
        }
        for (config, lines) in missing_by_file(&self.problems) {
            write!(
                f,
                "\n\nTo paste into {} (the numbers are examples):\n\n[capacity]",
                shown(config)
            )?;
            for line in lines {
                write!(f, "\n{line}")?;
            }
            writeln!(f)?;
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Starts on a line of its own after the "Error: " that the standard library prints.
        write!(f, "\n{self}")
    }
}

impl std::error::Error for Error {}

fn missing_by_file(problems: &[Problem]) -> BTreeMap<&Path, Vec<&str>> {
    let mut by_file: BTreeMap<&Path, Vec<&str>> = BTreeMap::new();
    for problem in problems {
        if let Problem::MissingCapacity {
            config, line_to_add, ..
        } = problem
        {
            by_file.entry(config).or_default().push(line_to_add);
        }
    }
    by_file
}

/// A path with forward slashes, and without a leading `./`.
pub(crate) fn shown(path: &Path) -> String {
    let text = path.display().to_string().replace('\\', "/");
    text.strip_prefix("./").map(str::to_owned).unwrap_or(text)
}
