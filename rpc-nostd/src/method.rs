//! What a stub says about a method.

/// A method of a service: its path on the wire. Generated code holds one for each method.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Method {
    path: &'static str,
}

impl Method {
    /// A method with one request and one response. `path` is `/package.Service/Method`, case-sensitive.
    pub const fn unary(path: &'static str) -> Self {
        Self { path }
    }

    /// The path, as `:path` carries it.
    pub const fn path(&self) -> &'static str {
        self.path
    }
}
