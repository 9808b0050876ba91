//! All memory of one server, sized by its type.

use core::cell::RefCell;
use core::mem::MaybeUninit;

use h2_lite::{ConfigError, Connection, Memory, Role, Stream};
use hpack_lite::EncoderEntry;

use crate::limits::h2_config;
use crate::server::config::ServerConfig;
use crate::server::request::Request;
use crate::server::service::Lookup;
use crate::server::session::ServerSession;
use crate::slot::Slot;
use crate::suggest::{MIN_RECV, MIN_SEND};

/// The memory of a server: place it in a `static` and lend it to [`Server::new`](crate::server::Server::new) or
/// [`BlockingServer::new`](crate::server::BlockingServer::new).
///
/// | parameter | octets of | too small means |
/// |---|---|---|
/// | `CONNECTIONS` | (a count) clients at once | a further client waits, or is [turned away](crate::server::ServerRunner::run_with_spare) |
/// | `STREAMS` | (a count) calls at once on a connection, 1 to 255 | a further call is refused with REFUSED_STREAM, which clients try again |
/// | `RECV` | receive buffer and flow-control window of a call | a request over `RECV - 5` fails with `RESOURCE_EXHAUSTED` |
/// | `SEND` | the send buffer of a connection; at least 384 | response metadata that does not fit fails with `RESOURCE_EXHAUSTED`; less throughput |
/// | `META` | metadata of a request, and again as many for that of its response | fields are dropped and [`overflowed`](crate::ReceivedMetadata::overflowed); those of a response are refused |
/// | `SCRATCH` | the longest request header field, name and value; at least 64 | a longer field is dropped and [`overflowed`](crate::ReceivedMetadata::overflowed); a longer `:path` is answered 431 |
///
/// Generated code has a type with `RECV` and `SEND` as a service needs them, `<service>_service::ServerResources`; for several
/// services on one server, [`recv_for`](crate::recv_for) and [`send_for`](crate::send_for) say what all of them need.
///
/// Each connection has 4,096 octets more for HPACK's table: clients use it before they can be told to use less.
/// `STREAMS * RECV` is at most 65,535. As a `static` it takes RAM and no flash.
pub struct ServerResources<
    'r,
    const CONNECTIONS: usize,
    const STREAMS: usize,
    const RECV: usize,
    const SEND: usize,
    const META: usize = 128,
    const SCRATCH: usize = 256,
> {
    connections: [ConnectionMemory<'r, STREAMS, RECV, SEND, META, SCRATCH>; CONNECTIONS],
    // Written by `split`, and zero in the image until then: a `static` of this type takes no flash.
    places: MaybeUninit<[Place<'r>; CONNECTIONS]>,
}

/// What one client at a time has of a server. All of them are `Some`.
pub(crate) type Place<'r> = Option<RefCell<ServerSession<'r>>>;

/// The memory of one connection.
struct ConnectionMemory<
    'r,
    const STREAMS: usize,
    const RECV: usize,
    const SEND: usize,
    const META: usize,
    const SCRATCH: usize,
> {
    recv: [[u8; RECV]; STREAMS],
    meta: [[u8; META]; STREAMS],
    outgoing: [[u8; META]; STREAMS],
    send: [u8; SEND],
    table: [u8; TABLE],
    scratch: [u8; SCRATCH],
    entries: MaybeUninit<[EncoderEntry<'r>; ENCODER_ENTRIES]>,
    streams: MaybeUninit<[Stream; STREAMS]>,
    slots: MaybeUninit<[Slot<'r, Request<'r>>; STREAMS]>,
}

impl<
    'r,
    const CONNECTIONS: usize,
    const STREAMS: usize,
    const RECV: usize,
    const SEND: usize,
    const META: usize,
    const SCRATCH: usize,
> ServerResources<'r, CONNECTIONS, STREAMS, RECV, SEND, META, SCRATCH>
{
    const LIMITS: () = {
        assert!(
            CONNECTIONS >= 1,
            "CONNECTIONS of ServerResources must be at least 1"
        );
        assert!(
            STREAMS >= 1 && STREAMS <= 255,
            "STREAMS of ServerResources must be 1 to 255"
        );
        assert!(RECV >= MIN_RECV, "RECV of ServerResources must be at least 261");
        assert!(
            STREAMS * RECV <= 65_535,
            "STREAMS * RECV of ServerResources must be at most 65,535"
        );
        assert!(SEND >= MIN_SEND, "SEND of ServerResources must be at least 384");
        assert!(
            SCRATCH >= MIN_SCRATCH,
            "SCRATCH of ServerResources must be at least 64"
        );
    };

    /// Empty memory. `const`, so that it can initialise a `static`.
    pub const fn new() -> Self {
        let () = Self::LIMITS;
        Self {
            connections: [const { ConnectionMemory::new() }; CONNECTIONS],
            places: MaybeUninit::uninit(),
        }
    }

    /// The connections, none of them in use.
    pub(crate) fn split(
        &'r mut self,
        lookup: Lookup,
        config: &ServerConfig,
    ) -> Result<&'r [Place<'r>; CONNECTIONS], ConfigError> {
        // One by one: an array of sessions would pass over the stack.
        let places = self.places.write([const { None }; CONNECTIONS]);
        for (place, memory) in places.iter_mut().zip(&mut self.connections) {
            *place = Some(memory.split(lookup, config)?);
        }
        Ok(places)
    }
}

impl<'r, const STREAMS: usize, const RECV: usize, const SEND: usize, const META: usize, const SCRATCH: usize>
    ConnectionMemory<'r, STREAMS, RECV, SEND, META, SCRATCH>
{
    const fn new() -> Self {
        Self {
            recv: [[0; RECV]; STREAMS],
            meta: [[0; META]; STREAMS],
            outgoing: [[0; META]; STREAMS],
            send: [0; SEND],
            table: [0; TABLE],
            scratch: [0; SCRATCH],
            entries: MaybeUninit::uninit(),
            streams: MaybeUninit::uninit(),
            slots: MaybeUninit::uninit(),
        }
    }

    /// Inlined, each step of making a session would have the whole of it on the caller's stack.
    #[inline(never)]
    fn split(
        &'r mut self,
        lookup: Lookup,
        config: &ServerConfig,
    ) -> Result<RefCell<ServerSession<'r>>, ConfigError> {
        let (mut recv, mut meta) = (self.recv.iter_mut(), self.meta.iter_mut());
        let mut outgoing = self.outgoing.iter_mut();
        let slots = self.slots.write(core::array::from_fn(|_| {
            // There are as many of each as there are slots.
            let recv = recv.next().map(<[u8; RECV]>::as_mut_slice);
            let meta = meta.next().map(<[u8; META]>::as_mut_slice);
            let outgoing = outgoing.next().map(<[u8; META]>::as_mut_slice);
            let request = Request::new(outgoing.unwrap_or_default());
            Slot::new(request, recv.unwrap_or_default(), meta.unwrap_or_default())
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
        let conn = Connection::new(Role::Server, h2, memory)?;
        Ok(RefCell::new(ServerSession::new(conn, slots, lookup, config)))
    }
}

impl<
    const CONNECTIONS: usize,
    const STREAMS: usize,
    const RECV: usize,
    const SEND: usize,
    const META: usize,
    const SCRATCH: usize,
> Default for ServerResources<'_, CONNECTIONS, STREAMS, RECV, SEND, META, SCRATCH>
{
    fn default() -> Self {
        Self::new()
    }
}

impl<
    const CONNECTIONS: usize,
    const STREAMS: usize,
    const RECV: usize,
    const SEND: usize,
    const META: usize,
    const SCRATCH: usize,
> core::fmt::Debug for ServerResources<'_, CONNECTIONS, STREAMS, RECV, SEND, META, SCRATCH>
{
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("ServerResources").finish_non_exhaustive()
    }
}

/// Response fields that HPACK's table can hold: content-type and grpc-status 0.
const ENCODER_ENTRIES: usize = 4;
/// SETTINGS_HEADER_TABLE_SIZE until a client learns otherwise (RFC 9113 section 6.5.2).
const TABLE: usize = 4_096;
/// A `:path` of some length: without it no call is known.
const MIN_SCRATCH: usize = 64;
