//! The API of the async client.

use core::future::IntoFuture;

use proof::keep::{keep, keep_async, keep_async2, keep_async3, keep_async4, keep_drop, keep_future};
use proof::kept;
use proof::proto::{Count, Item, Note};
use proof::script::{Line, Way};

type Connector = Way<'static>;
type Channel = rpc_nostd::Channel<'static>;

#[inline(never)]
pub(crate) fn keep_all() {
    kept::keep_values();
    kept::keep_messages();
    kept::keep_config();
    kept::keep_builders::<Channel>();
    keep_channel();
    keep_calls();
    keep_streams();
    keep_large();
}

fn keep_channel() {
    keep(rpc_nostd::Channel::new::<Connector, 4, 512, 1_024, 256, 128, 256> as *const ());
    keep(rpc_nostd::Channel::state as *const ());
    keep(rpc_nostd::Channel::shutdown as *const ());
    keep_async(rpc_nostd::Runner::<'static, Connector>::run);
    keep_drop::<rpc_nostd::Runner<'static, Connector>>();
    keep_async(<Line<'static> as rpc_nostd::transport::asynch::Duplex>::close);
}

fn keep_calls() {
    keep_opened::<rpc_nostd::client::Unary<'static, Channel, Item, Item>>();
    keep_opened::<rpc_nostd::client::ServerStreaming<'static, Channel, Item, Item>>();
    keep_opened::<rpc_nostd::client::ClientStreaming<'static, Channel, Item, Count>>();
    keep_opened::<rpc_nostd::client::BidiStreaming<'static, Channel, Item, Count>>();
    keep_opened::<rpc_nostd::client::LargeRequest<'static, Channel, Item, Item>>();
}

fn keep_opened<C: IntoFuture>() {
    keep(<C as IntoFuture>::into_future as *const ());
    keep_future::<C::IntoFuture>();
}

fn keep_streams() {
    keep_async(rpc_nostd::client::Receiver::<'static, Item>::next);
    keep_async3(rpc_nostd::client::Receiver::<'static, Item>::next_large);
    keep_async(rpc_nostd::client::Receiver::<'static, Item>::headers);
    keep(rpc_nostd::client::Receiver::<Item>::metadata as *const ());
    keep_drop::<rpc_nostd::client::Receiver<'static, Item>>();
    keep_async2(rpc_nostd::client::Sender::<'static, Item>::send);
    keep_async2(rpc_nostd::client::Sender::<'static, Note<'static>>::send_borrowed);
    keep_async4(rpc_nostd::client::Sender::<'static, Item>::send_large);
    keep_async(rpc_nostd::client::Sender::<'static, Item>::finish);
    keep_drop::<rpc_nostd::client::Sender<'static, Item>>();
    keep_async2(rpc_nostd::client::Upload::<'static, Item, Count>::send);
    keep_async2(rpc_nostd::client::Upload::<'static, Note<'static>, Count>::send_borrowed);
    keep_async4(rpc_nostd::client::Upload::<'static, Item, Count>::send_large);
    keep_async(rpc_nostd::client::Upload::<'static, Item, Count>::finish);
    keep_async2(rpc_nostd::client::Upload::<'static, Item, Count>::finish_into);
    keep(rpc_nostd::client::Upload::<Item, Count>::metadata as *const ());
    keep_drop::<rpc_nostd::client::Upload<'static, Item, Count>>();
}

fn keep_large() {
    keep_async2(rpc_nostd::client::LargeReader::<'static>::read);
    keep(rpc_nostd::client::LargeReader::content_len as *const ());
    keep(rpc_nostd::client::LargeReader::finish::<Item> as *const ());
    keep_drop::<rpc_nostd::client::LargeReader<'static>>();
    keep_async2(rpc_nostd::client::LargeWriter::<'static>::write);
    keep(rpc_nostd::client::LargeWriter::remaining as *const ());
    keep_async(rpc_nostd::client::LargeWriter::<'static>::finish);
    keep_drop::<rpc_nostd::client::LargeWriter<'static>>();
}
