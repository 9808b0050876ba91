//! What a stub says about a method.

/// A method of a service: its path on the wire, and how many messages go each way. Generated code holds one for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Method {
    path: &'static str,
    kind: MethodKind,
}

/// How many messages go each way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MethodKind {
    /// One request, one response.
    Unary,
    /// One request, any number of responses.
    ServerStreaming,
    /// Any number of requests, one response.
    ClientStreaming,
    /// Any number each way, independently.
    BidiStreaming,
}

impl Method {
    /// A method with one request and one response. `path` is `/package.Service/Method`, case-sensitive.
    pub const fn unary(path: &'static str) -> Self {
        Self::new(path, MethodKind::Unary)
    }

    /// A method with one request and a stream of responses.
    pub const fn server_streaming(path: &'static str) -> Self {
        Self::new(path, MethodKind::ServerStreaming)
    }

    /// A method with a stream of requests and one response.
    pub const fn client_streaming(path: &'static str) -> Self {
        Self::new(path, MethodKind::ClientStreaming)
    }

    /// A method with streams both ways.
    pub const fn bidi_streaming(path: &'static str) -> Self {
        Self::new(path, MethodKind::BidiStreaming)
    }

    const fn new(path: &'static str, kind: MethodKind) -> Self {
        Self { path, kind }
    }

    /// The path, as `:path` carries it.
    pub const fn path(&self) -> &'static str {
        self.path
    }

    /// How many messages go each way.
    pub const fn kind(&self) -> MethodKind {
        self.kind
    }

    /// Whether there is exactly one request.
    #[cfg(feature = "server")]
    pub(crate) const fn one_request(&self) -> bool {
        matches!(self.kind, MethodKind::Unary | MethodKind::ServerStreaming)
    }

    /// Whether there is exactly one response.
    pub(crate) const fn one_response(&self) -> bool {
        matches!(self.kind, MethodKind::Unary | MethodKind::ClientStreaming)
    }
}
