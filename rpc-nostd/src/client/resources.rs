//! All memory of one client, sized by its type.

use core::cell::RefCell;
use core::mem::MaybeUninit;

use h2_lite::{ConfigError, Connection, Memory, Role, Stream};
use hpack_lite::EncoderEntry;

use crate::client::config::Config;
use crate::client::connectivity::Connectivity;
use crate::client::opening::CallDefaults;
use crate::client::response::Response;
use crate::client::session::Session;
use crate::deadline::{TimeoutText, whole_millis};
use crate::limits::h2_config;
use crate::slot::Slot;
use crate::suggest::{MIN_RECV, MIN_SEND};

/// The memory of one client connection: place it in a `static` and lend it to
/// [`Channel::new`](crate::Channel::new) or [`blocking::Client::new`](crate::client::blocking::Client::new).
///
/// | parameter | octets of | too small means |
/// |---|---|---|
/// | `STREAMS` | (a count) calls at once, 1 to 255 | further calls wait, 8 of them, then `RESOURCE_EXHAUSTED` |
/// | `RECV` | receive buffer and flow-control window of a stream | a response message over `RECV - 5` fails with `RESOURCE_EXHAUSTED` |
/// | `SEND` | the send buffer, shared by all streams | a request whose path, authority and metadata (its names, values and 3 octets a field) exceed about `SEND - 240` fails with `RESOURCE_EXHAUSTED`; less throughput; at least 384 |
/// | `TABLE` | HPACK table for responses | responses cost more octets on the wire |
/// | `META` | metadata, status message and details of a stream's response | messages are cut, fields dropped and [`overflowed`](crate::ReceivedMetadata::overflowed) |
/// | `SCRATCH` | the longest response header field, name and value; at least 48 | a longer field is dropped and [`overflowed`](crate::ReceivedMetadata::overflowed) |
///
/// As a `static` it takes RAM and no flash. One that is not static does not drop the wakers that it holds in the end.
///
/// Generated code has a type with `RECV` and `SEND` as a service needs them, `<service>_service::ClientResources`; for several
/// services on one channel, [`recv_for`](crate::recv_for) and [`send_for`](crate::send_for) say what all of them need.
///
/// `STREAMS * RECV` is at most 65,535: the connection's window covers all of its streams, so that one which is
/// not read never holds up another.
pub struct Resources<
    'r,
    const STREAMS: usize,
    const RECV: usize,
    const SEND: usize,
    const TABLE: usize,
    const META: usize = 128,
    const SCRATCH: usize = 256,
> {
    recv: [[u8; RECV]; STREAMS],
    meta: [[u8; META]; STREAMS],
    send: [u8; SEND],
    table: [u8; TABLE],
    scratch: [u8; SCRATCH],
    chunk: [u8; READ_CHUNK],
    // Written by `split`, and zero in the image until then: a `static` of this type takes no flash.
    entries: MaybeUninit<[EncoderEntry<'r>; ENCODER_ENTRIES]>,
    streams: MaybeUninit<[Stream; STREAMS]>,
    slots: MaybeUninit<[Slot<'r, Response>; STREAMS]>,
    timeout: TimeoutText,
    session: MaybeUninit<RefCell<Session<'r>>>,
}

/// What a client is made of.
pub(crate) struct Parts<'r> {
    pub(crate) session: Session<'r>,
    pub(crate) place: &'r mut MaybeUninit<RefCell<Session<'r>>>,
    pub(crate) chunk: &'r mut [u8],
}

impl<
    'r,
    const STREAMS: usize,
    const RECV: usize,
    const SEND: usize,
    const TABLE: usize,
    const META: usize,
    const SCRATCH: usize,
> Resources<'r, STREAMS, RECV, SEND, TABLE, META, SCRATCH>
{
    const LIMITS: () = {
        assert!(
            STREAMS >= 1 && STREAMS <= 255,
            "STREAMS of Resources must be 1 to 255"
        );
        assert!(RECV >= MIN_RECV, "RECV of Resources must be at least 261");
        assert!(
            STREAMS * RECV <= 65_535,
            "STREAMS * RECV of Resources must be at most 65,535"
        );
        assert!(SEND >= MIN_SEND, "SEND of Resources must be at least 384");
        assert!(SCRATCH >= MIN_SCRATCH, "SCRATCH of Resources must be at least 48");
    };

    /// Empty memory. `const`, so that it can initialise a `static`.
    pub const fn new() -> Self {
        let () = Self::LIMITS;
        Self {
            recv: [[0; RECV]; STREAMS],
            meta: [[0; META]; STREAMS],
            send: [0; SEND],
            table: [0; TABLE],
            scratch: [0; SCRATCH],
            chunk: [0; READ_CHUNK],
            entries: MaybeUninit::uninit(),
            streams: MaybeUninit::uninit(),
            slots: MaybeUninit::uninit(),
            timeout: TimeoutText::EMPTY,
            session: MaybeUninit::uninit(),
        }
    }

    pub(crate) fn split(&'r mut self, config: &Config<'r>) -> Result<Parts<'r>, ConfigError> {
        let (mut recv, mut meta) = (self.recv.iter_mut(), self.meta.iter_mut());
        let slots = self.slots.write(core::array::from_fn(|_| {
            // There are as many of each as there are slots.
            let recv = recv.next().map(<[u8; RECV]>::as_mut_slice);
            let meta = meta.next().map(<[u8; META]>::as_mut_slice);
            Slot::new(
                Response::new(),
                recv.unwrap_or_default(),
                meta.unwrap_or_default(),
            )
        }));
        let h2 = h2_config(RECV, config.max_header_list_size, config.budgets, config.timeouts);
        let memory = Memory {
            streams: self.streams.write([const { Stream::new() }; STREAMS]),
            send: &mut self.send,
            decoder_table: &mut self.table,
            encoder_table: self
                .entries
                .write([const { EncoderEntry::new() }; ENCODER_ENTRIES]),
            scratch: &mut self.scratch,
        };
        let conn = Connection::new(Role::Client, h2, memory)?;
        self.timeout = TimeoutText::from_millis(whole_millis(config.default_timeout));
        let defaults = CallDefaults {
            authority: config.authority,
            user_agent: config.user_agent,
            default_timeout: config.default_timeout,
            default_timeout_text: self.timeout.as_bytes(),
        };
        let session = Session::new(conn, slots, Connectivity::new(config.backoff), defaults);
        Ok(Parts {
            session,
            place: &mut self.session,
            chunk: &mut self.chunk,
        })
    }
}

impl<
    const STREAMS: usize,
    const RECV: usize,
    const SEND: usize,
    const TABLE: usize,
    const META: usize,
    const SCRATCH: usize,
> Default for Resources<'_, STREAMS, RECV, SEND, TABLE, META, SCRATCH>
{
    fn default() -> Self {
        Self::new()
    }
}

impl<
    const STREAMS: usize,
    const RECV: usize,
    const SEND: usize,
    const TABLE: usize,
    const META: usize,
    const SCRATCH: usize,
> core::fmt::Debug for Resources<'_, STREAMS, RECV, SEND, TABLE, META, SCRATCH>
{
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Resources").finish_non_exhaustive()
    }
}

/// Octets that a driver reads at once.
const READ_CHUNK: usize = 256;
/// Request fields that HPACK's table can hold: te, content-type, user-agent, :authority, grpc-timeout, and the
/// `:path` of the methods that were called last.
const ENCODER_ENTRIES: usize = 12;
/// What `content-type: application/grpc+proto` takes, and some: without it no response is gRPC.
const MIN_SCRATCH: usize = 48;
