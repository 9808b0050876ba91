//! The header fields that the applications of the targets send.

use h2_lite::Field;

pub(crate) const REQUEST: [Field<'static, 'static>; 4] = [
    Field::Literal {
        name: b":method",
        value: b"POST",
    },
    Field::Literal {
        name: b":scheme",
        value: b"http",
    },
    Field::Indexable {
        name: b":path",
        value: b"/a",
    },
    Field::Indexable {
        name: b":authority",
        value: b"b",
    },
];

pub(crate) const STATUS: Field<'static, 'static> = Field::Literal {
    name: b":status",
    value: b"200",
};

pub(crate) const TRAILER: Field<'static, 'static> = Field::Indexable {
    name: b"grpc-status",
    value: b"0",
};
