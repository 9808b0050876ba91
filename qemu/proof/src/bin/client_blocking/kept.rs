//! The API of the blocking client.

use proof::keep::{keep, keep_drop};
use proof::kept;
use proof::proto::{Count, Item, Note};
use proof::script::{Half, Script};

type Transport = &'static Script;
type Polled = rpc_nostd::blocking::Polled<Half<'static>>;
type Timed = rpc_nostd::blocking::Timed<Half<'static>>;
type Client = rpc_nostd::blocking::Client<'static, Transport>;

#[inline(never)]
pub(crate) fn keep_all() {
    kept::keep_values();
    kept::keep_messages();
    kept::keep_config();
    kept::keep_builders::<Client>();
    keep_client();
    keep_calls();
    keep_streams();
    keep_large();
}

fn keep_client() {
    keep(rpc_nostd::blocking::Client::<Transport>::new::<4, 512, 1_024, 256, 128, 256> as *const ());
    keep(rpc_nostd::blocking::Client::<Transport>::reconnect as *const ());
    keep(rpc_nostd::blocking::Client::<Transport>::is_connected as *const ());
    keep(rpc_nostd::blocking::Client::<Transport>::poll as *const ());
    keep(<Transport as rpc_nostd::blocking::Transport>::idle as *const ());
    keep(<Polled as rpc_nostd::blocking::Transport>::try_read as *const ());
    keep(<Polled as rpc_nostd::blocking::Transport>::try_write as *const ());
    keep(<Timed as rpc_nostd::blocking::Transport>::try_read as *const ());
    keep(<Timed as rpc_nostd::blocking::Transport>::try_write as *const ());
    keep_drop::<Client>();
}

fn keep_calls() {
    keep(rpc_nostd::client::Unary::<Client, Item, Item>::call as *const ());
    keep(rpc_nostd::client::ServerStreaming::<Client, Item, Item>::call as *const ());
    keep(rpc_nostd::client::ClientStreaming::<Client, Item, Count>::call as *const ());
    keep(rpc_nostd::client::BidiStreaming::<Client, Item, Count>::call as *const ());
    keep(rpc_nostd::client::LargeRequest::<Client, Item, Item>::call as *const ());
}

fn keep_streams() {
    keep(rpc_nostd::blocking::Receiver::<Item>::next as *const ());
    keep(rpc_nostd::blocking::Receiver::<Item>::next_large as *const ());
    keep(rpc_nostd::blocking::Receiver::<Item>::headers as *const ());
    keep(rpc_nostd::blocking::Receiver::<Item>::metadata as *const ());
    keep_drop::<rpc_nostd::blocking::Receiver<'static, Item>>();
    keep(rpc_nostd::blocking::Upload::<Item, Count>::send as *const ());
    keep(rpc_nostd::blocking::Upload::<Note<'static>, Count>::send_borrowed as *const ());
    keep(rpc_nostd::blocking::Upload::<Item, Count>::send_large as *const ());
    keep(rpc_nostd::blocking::Upload::<Item, Count>::finish as *const ());
    keep(rpc_nostd::blocking::Upload::<Item, Count>::finish_into as *const ());
    keep(rpc_nostd::blocking::Upload::<Item, Count>::metadata as *const ());
    keep_drop::<rpc_nostd::blocking::Upload<'static, Item, Count>>();
    keep(rpc_nostd::blocking::Exchange::<Item, Count>::send as *const ());
    keep(rpc_nostd::blocking::Exchange::<Note<'static>, Count>::send_borrowed as *const ());
    keep(rpc_nostd::blocking::Exchange::<Item, Count>::send_large as *const ());
    keep(rpc_nostd::blocking::Exchange::<Item, Count>::finish_sending as *const ());
    keep(rpc_nostd::blocking::Exchange::<Item, Count>::next as *const ());
    keep(rpc_nostd::blocking::Exchange::<Item, Count>::next_large as *const ());
    keep(rpc_nostd::blocking::Exchange::<Item, Count>::headers as *const ());
    keep(rpc_nostd::blocking::Exchange::<Item, Count>::metadata as *const ());
    keep_drop::<rpc_nostd::blocking::Exchange<'static, Item, Count>>();
}

fn keep_large() {
    keep(rpc_nostd::blocking::LargeReader::read as *const ());
    keep(rpc_nostd::blocking::LargeReader::content_len as *const ());
    keep(rpc_nostd::blocking::LargeReader::finish::<Item> as *const ());
    keep_drop::<rpc_nostd::blocking::LargeReader<'static>>();
    keep(rpc_nostd::blocking::LargeWriter::write as *const ());
    keep(rpc_nostd::blocking::LargeWriter::remaining as *const ());
    keep(rpc_nostd::blocking::LargeWriter::finish as *const ());
    keep_drop::<rpc_nostd::blocking::LargeWriter<'static>>();
    keep(rpc_nostd::blocking::RequestWriter::<Item>::write as *const ());
    keep(rpc_nostd::blocking::RequestWriter::<Item>::remaining as *const ());
    keep(rpc_nostd::blocking::RequestWriter::<Item>::finish as *const ());
    keep_drop::<rpc_nostd::blocking::RequestWriter<'static, Item>>();
}
