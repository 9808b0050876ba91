//! A header field, as it comes out of the decoder and as it goes into the encoder.

/// One decoded field. The slices borrow the decoder (static table, dynamic table or scratch).
///
/// Names and values are octets as the peer sent them; HTTP's rules for them are the caller's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeaderField<'a> {
    /// Field name.
    pub name: &'a [u8],
    /// Field value.
    pub value: &'a [u8],
    /// The peer marked the field as never to be indexed: whoever forwards it must do the same
    /// ([`Field::NeverIndexed`]). Spec: RFC 7541 sections 6.2.3 and 7.1.3.
    pub never_indexed: bool,
    /// The value is longer than the memory for it: these are its first octets.
    pub truncated: bool,
}

/// A field to encode, with the caller's word on how it may be compressed.
///
/// `'f` is memory that outlives the encoder's dynamic table (flash, or a connection's resources):
/// the table keeps references to it, not copies. `'a` is any memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field<'a, 'f> {
    /// May enter the dynamic table: worth it for what is sent again and again.
    /// Spec: RFC 7541 section 6.2.1.
    Indexable {
        /// Field name, lower case for HTTP/2.
        name: &'f [u8],
        /// Field value.
        value: &'f [u8],
    },
    /// Uses the tables where they help, never enters them. Spec: RFC 7541 section 6.2.2.
    Literal {
        /// Field name, lower case for HTTP/2.
        name: &'a [u8],
        /// Field value.
        value: &'a [u8],
    },
    /// A secret: the value goes out as a literal that no intermediary may index either.
    /// Spec: RFC 7541 sections 6.2.3 and 7.1.3.
    NeverIndexed {
        /// Field name, lower case for HTTP/2.
        name: &'a [u8],
        /// Field value.
        value: &'a [u8],
    },
}

impl<'a, 'f: 'a> Field<'a, 'f> {
    /// Field name.
    pub const fn name(self) -> &'a [u8] {
        match self {
            Self::Indexable { name, .. } => name,
            Self::Literal { name, .. } | Self::NeverIndexed { name, .. } => name,
        }
    }

    /// Field value.
    pub const fn value(self) -> &'a [u8] {
        match self {
            Self::Indexable { value, .. } => value,
            Self::Literal { value, .. } | Self::NeverIndexed { value, .. } => value,
        }
    }
}
