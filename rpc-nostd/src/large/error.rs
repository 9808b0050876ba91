//! What can be wrong with a large field, and the status that each becomes.

use crate::status::{Code, Status};

/// The path is longer than [`Path::MAX_DEPTH`](super::Path::MAX_DEPTH), or has a number that no field can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PathError;

/// The message would be longer than the 32 bits of a gRPC prefix can say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TooLong;

/// Why a message cannot be taken apart. All but [`ScratchTooSmall`](Self::ScratchTooSmall) are about the peer's
/// octets, or the path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FilterError {
    /// A varint is longer than 10 octets or 64 bits.
    Varint,
    /// A tag has field number 0, more than 32 bits, or a wire type that does not exist.
    Tag,
    /// A field is a group (wire types 3 and 4). Groups within other fields' records are left to the decoder.
    Group,
    /// The field with this number is on the path, and is no length-delimited record.
    WireType {
        /// The field's number.
        number: u32,
    },
    /// A field is longer than the message around it.
    Overrun,
    /// The large field comes again, after octets of it were given out.
    Duplicate,
    /// The scratch buffer does not hold the other fields.
    ScratchTooSmall {
        /// Octets that it needs to come past this field. Fields after it may need more.
        needed: usize,
    },
    /// The message is not all there, or it ends inside a field.
    Truncated,
    /// There are octets after the message's end.
    Trailing,
}

impl From<PathError> for Status {
    fn from(_: PathError) -> Self {
        Self::new(
            Code::INTERNAL,
            "the path to a large field is at most 8 field numbers, each 1 to 536,870,911",
        )
    }
}

impl From<TooLong> for Status {
    fn from(_: TooLong) -> Self {
        Self::new(
            Code::RESOURCE_EXHAUSTED,
            "a gRPC message is at most 4,294,967,295 octets: send the large field in several messages",
        )
    }
}

impl From<FilterError> for Status {
    fn from(error: FilterError) -> Self {
        let text = match error {
            FilterError::ScratchTooSmall { .. } => {
                return Self::new(
                    Code::RESOURCE_EXHAUSTED,
                    "the fields beside the large one do not fit the scratch buffer: lend a longer one",
                );
            }
            FilterError::Varint => "not valid protobuf: a number of more than 10 octets or 64 bits",
            FilterError::Tag => "not valid protobuf: a tag that no field can have",
            FilterError::Group => "the message holds a protobuf group: groups are not supported",
            FilterError::WireType { .. } => {
                "a field on the path to the large field is no message, bytes or string: check the path"
            }
            FilterError::Overrun => "not valid protobuf: a field is longer than the message around it",
            FilterError::Duplicate => {
                "the large field comes twice in one message: check that it is not repeated"
            }
            FilterError::Truncated => "not valid protobuf: the message ends inside a field",
            FilterError::Trailing => "there are octets after the end of the message",
        };
        Self::new(Code::INTERNAL, text)
    }
}
