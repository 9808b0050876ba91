//! Capacities of fields of which nothing is said, by what they hold.

use super::setting::{Kind, next_map_capacity};

/// What a default capacity is for.
///
/// ```
/// use rpc_nostd_codegen::{Builder, CapacityOf};
///
/// let builder = Builder::new().default_capacity(CapacityOf::String, 32);
/// assert_eq!("string".parse(), Ok(CapacityOf::String));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum CapacityOf {
    /// A `string` field: bytes of UTF-8.
    String,
    /// A `bytes` field: bytes.
    Bytes,
    /// A repeated field: elements.
    Repeated,
    /// A `map` field: entries, a power of two from 2.
    Map,
    /// Each `string` or `bytes` of a repeated field: bytes.
    Elem,
    /// Each `string` that is a key of a `map` field: bytes of UTF-8.
    Key,
    /// Each `string` or `bytes` that is a value of a `map` field: bytes.
    Value,
}

impl CapacityOf {
    /// Its name in the table `[default]` and in options.
    pub fn name(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Bytes => "bytes",
            Self::Repeated => "repeated",
            Self::Map => "map",
            Self::Elem => "elem",
            Self::Key => "key",
            Self::Value => "value",
        }
    }

    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::String,
        Self::Bytes,
        Self::Repeated,
        Self::Map,
        Self::Elem,
        Self::Key,
        Self::Value,
    ];
}

impl std::str::FromStr for CapacityOf {
    type Err = String;

    /// # Errors
    /// What the names are.
    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|of| of.name() == text);
        found.ok_or_else(|| format!("`{text}` is unknown; defaults are for {}", names()))
    }
}

impl From<Kind> for CapacityOf {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Text => Self::String,
            Kind::Bytes => Self::Bytes,
            Kind::Repeated => Self::Repeated,
            Kind::Map => Self::Map,
            Kind::ElementText | Kind::ElementBytes => Self::Elem,
            Kind::KeyText => Self::Key,
            Kind::ValueText | Kind::ValueBytes => Self::Value,
        }
    }
}

/// Defaults of one scope: of a message, a file or the run.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Defaults {
    by_kind: [Option<u32>; CapacityOf::ALL.len()],
}

impl Defaults {
    pub(crate) fn set(&mut self, of: CapacityOf, capacity: u32) {
        self.by_kind[of as usize] = Some(capacity);
    }

    pub(super) fn get(&self, kind: Kind) -> Option<u32> {
        self.by_kind[CapacityOf::from(kind) as usize]
    }

    /// What `weaker` says where this says nothing.
    pub(super) fn or(mut self, weaker: &Self) -> Self {
        for (mine, theirs) in self.by_kind.iter_mut().zip(weaker.by_kind) {
            *mine = mine.or(theirs);
        }
        self
    }

    /// Where both say something, the larger number.
    pub(super) fn widened(mut self, other: &Self) -> Self {
        for (mine, theirs) in self.by_kind.iter_mut().zip(other.by_kind) {
            *mine = (*mine).max(theirs);
        }
        self
    }

    /// What is wrong with the numbers.
    pub(super) fn faults(&self) -> impl Iterator<Item = String> {
        CapacityOf::ALL
            .into_iter()
            .zip(self.by_kind)
            .filter_map(|(of, number)| fault(of, number?))
    }
}

/// What is wrong with `number` as a default.
pub(super) fn fault(of: CapacityOf, number: u32) -> Option<String> {
    let name = of.name();
    if number == 0 {
        return Some(format!("the default of `{name}` is 0; write a number from 1"));
    }
    let next = next_map_capacity(number).filter(|_| of == CapacityOf::Map)?;
    Some(format!(
        "the default of `{name}` is {number}; a map holds a power of two of entries, at least 2: write {next}"
    ))
}

/// All names, for messages.
pub(super) fn names() -> String {
    CapacityOf::ALL.map(|of| format!("`{}`", of.name())).join(", ")
}
