//! The key of a line: the field or method that it is about, or several by wildcards.

use std::collections::HashMap;

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

/// Lines, to be looked up by what they are about.
pub(crate) struct Lines<'a, V> {
    all: &'a [Line<V>],
    /// Positions of the lines without wildcards, by each path that the key can mean.
    exact: HashMap<String, Vec<usize>>,
    /// Positions of the others.
    wild: Vec<usize>,
    used: Vec<bool>,
}

impl<'a, V> Lines<'a, V> {
    pub(crate) fn new(all: &'a [Line<V>]) -> Self {
        let mut exact: HashMap<String, Vec<usize>> = HashMap::new();
        let mut wild = Vec::new();
        for (index, line) in all.iter().enumerate() {
            let (text, package) = (&line.key.text, &line.key.package);
            if line.key.wildcards() > 0 {
                wild.push(index);
                continue;
            }
            exact.entry(text.clone()).or_default().push(index);
            if !package.is_empty() {
                exact.entry(format!("{package}.{text}")).or_default().push(index);
            }
        }
        let used = vec![false; all.len()];
        Self {
            all,
            exact,
            wild,
            used,
        }
    }

    /// The line with the fewest wildcards of those whose key names `path`, which is a `what`, and whose value `fits` it.
    /// Two of one strength contradict each other. All that do so are used from then on.
    pub(crate) fn strongest(
        &mut self,
        path: &str,
        what: &str,
        fits: impl Fn(&V) -> bool,
    ) -> Result<Option<&'a Line<V>>, Box<Problem>> {
        let mut fitting: Vec<&Line<V>> = Vec::new();
        let exact = self.exact.get(path).into_iter().flatten();
        for &index in exact.chain(&self.wild) {
            if let Some(line) = self.all.get(index)
                && line.key.names(path)
                && fits(&line.value)
            {
                fitting.push(line);
                self.used[index] = true;
            }
        }
        fitting.sort_by_key(|line| line.key.wildcards());
        if let [first, second, ..] = fitting.as_slice()
            && first.key.wildcards() == second.key.wildcards()
        {
            return Err(Box::new(contradiction(&first.key, &second.key, what)));
        }
        Ok(fitting.first().copied())
    }

    /// Those that named nothing that they fit.
    pub(crate) fn unused(&self) -> impl Iterator<Item = &'a Line<V>> {
        let lines = self.all.iter().zip(&self.used);
        lines.filter(|(_, used)| !**used).map(|(line, _)| line)
    }
}

fn contradiction(one: &Key, other: &Key, what: &str) -> Problem {
    let (first, second) = if one.place <= other.place {
        (one, other)
    } else {
        (other, one)
    };
    let text = format!(
        "`{}` names the same {what} as `{}` in {}, and neither is more exact: remove one",
        second.text, first.text, first.place
    );
    problem(second.place.clone(), text)
}

pub(crate) fn problem(place: Place, text: String) -> Problem {
    Problem::CapacityFile { place, text }
}
