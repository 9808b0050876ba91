//! What the servers' images keep and serve.

use core::future::Pending;

use crate::keep::{keep, keep_async, keep_async2, keep_async3, keep_async4, keep_drop};
use crate::messages::ITEM;
use crate::proto::{Count, Item, Note};
use crate::script::Script;
use crate::service::{All, Door};

/// The API that both servers have.
pub fn keep_server() {
    keep(rpc_nostd::server::ServerConfig::new as *const ());
    keep(rpc_nostd::server::find as *const ());
    keep_async(rpc_nostd::server::apart::<Pending<()>>);
    keep(<All as rpc_nostd::server::Routes>::method as *const ());
    keep_async2(<All as rpc_nostd::server::Service>::serve);
    keep_async2(<Door as rpc_nostd::server::Interceptor>::before);
    keep(<Door as rpc_nostd::server::Interceptor>::after as *const ());
    keep(<All as rpc_nostd::server::Service>::and::<All> as *const ());
    keep(<All as rpc_nostd::server::Service>::intercept::<Door> as *const ());
    keep_call();
    keep_streams();
    keep_large();
}

/// The peer's calls: every method, and one that there is not.
#[derive(Debug, Default)]
pub struct Calls {
    made: u8,
}

impl Calls {
    /// Makes the next call if the last one is answered.
    pub fn turn(&mut self, script: &Script) {
        if self.made > script.answers() {
            return;
        }
        let stream = self.made.wrapping_mul(2).wrapping_add(1);
        match self.made {
            0 => {
                script.connect();
                script.ask(stream, b"/proof.v1.Proof/Get", &[ITEM]);
            }
            1 => script.ask(stream, b"/proof.v1.Proof/Watch", &[ITEM]),
            2 => script.ask(stream, b"/proof.v1.Proof/Push", &[ITEM, ITEM]),
            3 => script.ask(stream, b"/proof.v1.Proof/Chat", &[ITEM]),
            4 => script.ask(stream, b"/proof.v1.Proof/Swap", &[b"\x12\x01n\x0a\x05hello"]),
            5 => script.ask(stream, b"/proof.v1.Other/Ask", &[b"\x08\x01"]),
            6 => script.ask(stream, b"/proof.v1.Other/None", &[b""]),
            _ => return,
        }
        self.made = self.made.wrapping_add(1);
    }

    /// Whether all calls were answered.
    #[must_use]
    pub fn are_over(&self, script: &Script) -> bool {
        self.made == COUNT && script.answers() == COUNT
    }
}

const COUNT: u8 = 7;

fn keep_call() {
    keep(rpc_nostd::server::Call::method as *const ());
    keep(rpc_nostd::server::Call::context as *const ());
    keep(rpc_nostd::server::Call::split::<Item, Count> as *const ());
    keep(rpc_nostd::server::Call::unimplemented as *const ());
    keep(rpc_nostd::server::Context::method as *const ());
    keep(rpc_nostd::server::Context::metadata as *const ());
    keep(rpc_nostd::server::Context::remaining as *const ());
    keep(rpc_nostd::server::Context::add_initial as *const ());
    keep(rpc_nostd::server::Context::add_trailing as *const ());
    keep(rpc_nostd::server::Context::set_details as *const ());
}

fn keep_streams() {
    keep_async(rpc_nostd::server::Receiver::<'static, Item>::next);
    keep_async(rpc_nostd::server::Receiver::<'static, Item>::only);
    keep_async3(rpc_nostd::server::Receiver::<'static, Item>::next_large);
    keep_async2(rpc_nostd::server::Sender::<'static, Item>::send);
    keep_async2(rpc_nostd::server::Sender::<'static, Note<'static>>::send_borrowed);
    keep_async(rpc_nostd::server::Sender::<'static, Item>::send_headers);
    keep_async4(rpc_nostd::server::Sender::<'static, Item>::send_large);
}

fn keep_large() {
    keep_async2(rpc_nostd::server::LargeReader::<'static, 'static>::read);
    keep(rpc_nostd::server::LargeReader::content_len as *const ());
    keep(rpc_nostd::server::LargeReader::finish::<Item> as *const ());
    keep_async2(rpc_nostd::server::LargeWriter::<'static, 'static>::write);
    keep(rpc_nostd::server::LargeWriter::remaining as *const ());
    keep_async(rpc_nostd::server::LargeWriter::<'static, 'static>::finish);
    keep_drop::<rpc_nostd::server::LargeWriter<'static, 'static>>();
}
