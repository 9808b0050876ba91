//! Prints how much memory a service asks for: what of `Resources` and `ServerResources` its messages decide.

use proc_macro2::{Ident, TokenStream};
use quote::quote;

use super::names;
use super::service::{Message, Method, ident};

/// Which sides are printed.
pub(super) struct Sides {
    pub(super) client: bool,
    pub(super) server: bool,
}

/// Goes into the service's module, where the sizes of its messages are.
pub(super) fn resources(methods: &[Method<'_>], sides: &Sides) -> TokenStream {
    // What goes by in parts needs no room as a whole, and of what has no greatest length none is enough.
    let requests = sizes(
        methods,
        |method| &method.request,
        |constants| constants.request_size,
    );
    let responses = sizes(
        methods,
        |method| &method.response,
        |constants| constants.response_size,
    );
    let longest_path = methods.iter().map(|method| method.path.len()).max().unwrap_or(0);
    let client = sides.client.then(|| client(longest_path, &requests, &responses));
    let server = sides.server.then(|| server(&requests, &responses));
    quote! { #client #server }
}

fn sizes<'m>(
    methods: &'m [Method<'m>],
    message: fn(&'m Method<'m>) -> &'m Message,
    constant: fn(names::MethodConstants) -> String,
) -> Vec<Ident> {
    let counted = methods
        .iter()
        .filter(|method| !method.chunked && message(method).is_bounded());
    let names = counted.map(|method| constant(names::MethodConstants::new(&method.declared.name)));
    names.map(|name| ident(&name)).collect()
}

fn client(longest_path: usize, requests: &[Ident], responses: &[Ident]) -> TokenStream {
    let [recv, send] = [names::CLIENT_RECV, names::CLIENT_SEND].map(ident);
    quote! {
        /// `RECV` of a client's `Resources`: room for the largest response. Messages that are passed in parts or have no
        /// greatest length do not count.
        pub const #recv: usize = ::rpc_nostd::recv_for(&[#(#responses),*]);
        /// `SEND` of a client's `Resources`: room for the headers of a call, and for its request unless that is long.
        pub const #send: usize = ::rpc_nostd::send_for(#longest_path, &[#(#requests),*]);
        /// Memory of a client that calls this service alone, `STREAMS` calls at once.
        pub type ClientResources<'r, const STREAMS: usize> =
            ::rpc_nostd::Resources<'r, STREAMS, #recv, #send, 256>;
    }
}

fn server(requests: &[Ident], responses: &[Ident]) -> TokenStream {
    let [recv, send] = [names::SERVER_RECV, names::SERVER_SEND].map(ident);
    quote! {
        /// `RECV` of a server's `ServerResources`: room for the largest request. Messages that are passed in parts or have
        /// no greatest length do not count.
        pub const #recv: usize = ::rpc_nostd::recv_for(&[#(#requests),*]);
        /// `SEND` of a server's `ServerResources`: room for a status, and for a response unless that is long.
        pub const #send: usize = ::rpc_nostd::send_for(0, &[#(#responses),*]);
        /// Memory of a server of this service alone: `CONNECTIONS` clients at once, `STREAMS` calls at once of each.
        pub type ServerResources<'r, const CONNECTIONS: usize, const STREAMS: usize> =
            ::rpc_nostd::server::ServerResources<'r, CONNECTIONS, STREAMS, #recv, #send>;
    }
}
