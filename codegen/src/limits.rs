//! What a `.proto` may be at most: parsers and generators follow its nesting with their stacks.

use std::cell::RefCell;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use protox::file::{File, FileResolver};

use crate::error::{Place, Problem};

/// Finds files as `inner` does, unless they are beyond the limits.
pub(crate) struct LimitedResolver<R> {
    inner: R,
    includes: Vec<PathBuf>,
    /// By how many imports a file was reached.
    depths: RefCell<HashMap<String, usize>>,
    refusal: Refusal,
}

/// Why a file was refused: the parser's errors have no room for it.
pub(crate) type Refusal = Rc<RefCell<Option<Problem>>>;

impl<R: FileResolver> LimitedResolver<R> {
    /// The second is filled when a file is refused.
    pub(crate) fn new(inner: R, includes: &[PathBuf]) -> (Self, Refusal) {
        let refusal = Refusal::default();
        let resolver = Self {
            inner,
            includes: includes.to_vec(),
            depths: RefCell::default(),
            refusal: Rc::clone(&refusal),
        };
        (resolver, refusal)
    }

    fn refuse(&self, problem: Problem) -> protox::Error {
        let text = problem.to_string();
        *self.refusal.borrow_mut() = Some(problem);
        protox::Error::new(text)
    }
}

impl<R: FileResolver> FileResolver for LimitedResolver<R> {
    fn resolve_path(&self, path: &Path) -> Option<String> {
        self.inner.resolve_path(path)
    }

    fn open_file(&self, name: &str) -> Result<File, protox::Error> {
        let paths = self.includes.iter().map(|folder| folder.join(name));
        let path = paths.into_iter().find(|path| path.is_file());
        if let Some(path) = &path {
            check_size(path)
                .and_then(|()| check_nesting(path))
                .map_err(|problem| self.refuse(*problem))?;
        }
        let file = self.inner.open_file(name)?;
        // The file that was opened last and imports another is the one that leads to it.
        let depth = self.depths.borrow().get(name).copied().unwrap_or(0) + 1;
        if depth > MAX_IMPORTS {
            return Err(self.refuse(Problem::Proto {
                place: Place::new(path.unwrap_or_else(|| PathBuf::from(name)), Some(1)),
                text: format!("more than {MAX_IMPORTS} imports, one in the other, lead to this file"),
            }));
        }
        let imports = file.file_descriptor_proto().dependency.iter();
        self.depths
            .borrow_mut()
            .extend(imports.map(|import| (import.clone(), depth)));
        Ok(file)
    }
}

/// Checks that the file at `path` is not huge. One that cannot be looked at is for others to complain about.
pub(crate) fn check_size(path: &Path) -> Result<(), Box<Problem>> {
    let len = std::fs::metadata(path).map_or(0, |metadata| metadata.len());
    if len <= MAX_FILE_LEN {
        return Ok(());
    }
    Err(Box::new(Problem::Proto {
        place: Place::new(path, None),
        text: format!(
            "has {len} bytes, and a file may have {MAX_FILE_LEN} (16 MiB): split it, or check that it is the right one"
        ),
    }))
}

fn check_nesting(path: &Path) -> Result<(), Box<Problem>> {
    let Ok(text) = std::fs::read(path) else {
        return Ok(());
    };
    match line_too_deep(&text) {
        None => Ok(()),
        line => Err(Box::new(Problem::Proto {
            place: Place::new(path, line),
            text: format!("more than {MAX_NESTING} brackets are open here: declare what is inside beside it"),
        })),
    }
}

/// The first line on which more brackets are open than may be.
fn line_too_deep(text: &[u8]) -> Option<u32> {
    let mut rest = text;
    let (mut line, mut depth) = (1_u32, 0_usize);
    while let [first, after @ ..] = rest {
        rest = match (*first, after) {
            (b'/', [b'/', ..]) => from(after, |octet| octet == b'\n'),
            (b'/', [b'*', comment @ ..]) => {
                let len = comment.windows(2).position(|pair| pair == b"*/");
                let (comment, after) = comment.split_at(len.unwrap_or(comment.len()));
                line += newlines(comment);
                after
            }
            (quote @ (b'"' | b'\''), _) => after_string(after, quote),
            _ => after,
        };
        match first {
            b'\n' => line += 1,
            b'{' | b'[' | b'(' | b'<' => depth += 1,
            b'}' | b']' | b')' | b'>' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > MAX_NESTING {
            return Some(line);
        }
    }
    None
}

/// What follows a string that has begun; it ends with its line at the latest.
fn after_string(mut text: &[u8], quote: u8) -> &[u8] {
    loop {
        text = match text {
            [b'\\', _, after @ ..] => after,
            [octet, after @ ..] if *octet == quote => return after,
            [] | [b'\n', ..] => return text,
            [_, after @ ..] => after,
        };
    }
}

fn from(text: &[u8], is_wanted: impl Fn(u8) -> bool) -> &[u8] {
    let start = text.iter().position(|&octet| is_wanted(octet));
    text.get(start.unwrap_or(text.len())..).unwrap_or_default()
}

fn newlines(text: &[u8]) -> u32 {
    let count = text.iter().filter(|&&octet| octet == b'\n').count();
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// How many messages may be in each other by their fields: what decoders of other implementations follow.
pub(crate) const MAX_MESSAGE_DEPTH: usize = 100;
/// 16 MiB, as a `.proto` of 300,000 lines has.
const MAX_FILE_LEN: u64 = 16 << 20;
const MAX_NESTING: usize = 100;
const MAX_IMPORTS: usize = 100;

#[cfg(test)]
mod tests {
    use super::{MAX_NESTING, line_too_deep};

    #[test]
    fn brackets_count_while_they_are_open() {
        let open = "{\n".repeat(MAX_NESTING);
        assert_eq!(line_too_deep(open.as_bytes()), None);
        assert_eq!(line_too_deep(format!("{open}[").as_bytes()), Some(101));
        assert_eq!(line_too_deep(format!("{open}}}{{").as_bytes()), None);
        assert_eq!(line_too_deep("()[]{}<>".repeat(1000).as_bytes()), None);
    }

    #[test]
    fn brackets_in_comments_and_strings_do_not_count() {
        let many = "{".repeat(200);
        for text in [
            format!("// {many}\n"),
            format!("/* {many}\n{many} */"),
            format!("\"{many}\\\"{many}\""),
            format!("'{many}'"),
        ] {
            assert_eq!(line_too_deep(text.as_bytes()), None, "{text}");
            assert_eq!(
                line_too_deep(format!("{text}{many}").as_bytes()),
                Some(1 + text.matches('\n').count() as u32)
            );
        }
    }

    #[test]
    fn what_is_cut_short_is_looked_through() {
        for text in ["/", "/*", "\"", "\"\\", "'", "//"] {
            assert_eq!(line_too_deep(text.as_bytes()), None, "{text}");
        }
    }
}
