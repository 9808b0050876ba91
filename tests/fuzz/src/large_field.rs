//! The walker that takes one large field out of a message while that arrives.

use prost::Message;

use crate::large::{LargeFieldFilter, Path};
use crate::pieces::{Pieces, one_in};

/// Three octets choose the path, the scratch and the cuts; the rest is a message.
pub fn large_field(data: &[u8]) {
    let Some(([path, room, cuts], message)) = data.split_first_chunk() else {
        return;
    };
    let path = PATHS[usize::from(*path) % PATHS.len()];
    let room = usize::from(*room);
    let (mut scratch, mut cut_scratch) = ([0; 256], [0; 256]);
    let (mut content, mut cut_content) = ([0; 512], [0; 512]);
    let whole = run(path, message, 0, &mut scratch[..room], &mut content);
    let cut = run(path, message, *cuts, &mut cut_scratch[..room], &mut cut_content);
    assert_eq!(whole, cut);
    if let Some((content, rest)) = whole
        && one_in(4, data)
    {
        nothing_is_lost(path, message, content, rest);
    }
}

/// The content and all else, if the message is one.
fn run<'m>(
    path: &[u32],
    message: &[u8],
    cuts: u8,
    scratch: &'m mut [u8],
    content: &'m mut [u8; 512],
) -> Option<(&'m [u8], &'m [u8])> {
    let total = u32::try_from(message.len()).ok()?;
    let path = Path::new(path).expect("a legal path");
    let mut filter = LargeFieldFilter::new(path, total, scratch);
    let mut len = 0;
    let mut failed = false;
    for mut piece in Pieces::new(message, cuts) {
        loop {
            match filter.next(&mut piece) {
                Ok(Some(octets)) => {
                    assert!(!octets.is_empty());
                    content[len..len + octets.len()].copy_from_slice(octets);
                    len += octets.len();
                    let announced = filter.content_len().expect("content has a length");
                    assert!(len <= announced as usize);
                }
                Ok(None) => break assert!(piece.is_empty()),
                Err(error) => {
                    // It is kept.
                    assert_eq!(filter.next(&mut &b"more"[..]), Err(error));
                    failed = true;
                    break;
                }
            }
        }
    }
    let announced = filter.content_len();
    let rest = filter.finish();
    assert!(!failed || rest.is_err());
    let rest = rest.ok()?;
    assert_eq!(announced.unwrap_or(0) as usize, len);
    Some((&content[..len], rest))
}

/// Another library finds in "content and rest" what it finds in the message.
fn nothing_is_lost(path: &[u32], message: &[u8], content: &[u8], rest: &[u8]) {
    if path.is_empty() {
        assert_eq!(message, content);
        return assert!(rest.is_empty());
    }
    let Ok(mut expected) = Tree::decode(message) else {
        return;
    };
    let rest = Tree::decode(rest).expect("fields that were valid before");
    if let Some(place) = expected.at(path) {
        assert_eq!(place.content, content);
        place.content.clear();
    } else {
        assert!(content.is_empty());
    }
    assert_eq!(expected, rest);
}

/// A message with every wire type, and itself as a field.
#[derive(Clone, PartialEq, prost::Message)]
struct Tree {
    #[prost(bytes = "vec", tag = "1")]
    content: Vec<u8>,
    #[prost(message, optional, boxed, tag = "2")]
    inner: Option<Box<Tree>>,
    #[prost(uint64, tag = "3")]
    number: u64,
    #[prost(fixed32, tag = "4")]
    four: u32,
    #[prost(fixed64, tag = "5")]
    eight: u64,
    #[prost(uint32, repeated, tag = "6")]
    list: Vec<u32>,
    #[prost(bytes = "vec", tag = "700")]
    other: Vec<u8>,
    #[prost(message, repeated, tag = "7")]
    trees: Vec<Tree>,
}

impl Tree {
    fn at(&mut self, path: &[u32]) -> Option<&mut Self> {
        match path {
            [_, deeper @ ..] if !deeper.is_empty() => self.inner.as_mut()?.at(deeper),
            _ => Some(self),
        }
    }
}

const PATHS: [&[u32]; 5] = [&[], &[1], &[2, 1], &[2, 2, 1], &[2, 2, 2, 2, 2, 2, 2, 1]];
