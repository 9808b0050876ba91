//! The key of a line: the field or method that it is about, or several by wildcards.

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

    pub(crate) fn wildcards(&self) -> usize {
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

/// The line with the fewest wildcards of those whose key names `path`, which is a `what`, and whose value `fits` it. Two
/// of one strength contradict each other. All that do so are marked in `used`.
pub(crate) fn strongest<'a, V>(
    lines: &'a [Line<V>],
    path: &str,
    what: &str,
    fits: impl Fn(&V) -> bool,
    used: &mut [bool],
) -> Result<Option<&'a Line<V>>, Box<Problem>> {
    let mut fitting: Vec<&Line<V>> = Vec::new();
    for (line, used) in lines.iter().zip(used) {
        if line.key.names(path) && fits(&line.value) {
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

pub(crate) fn problem(place: Place, text: String) -> Problem {
    Problem::CapacityFile { place, text }
}
