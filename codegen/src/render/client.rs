//! Prints the client of a service: a function for each method, which makes the call that the kind asks for.

use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::Lifetime;

use super::names;
use super::service::{Method, ident, with_paragraph};
use crate::schema::{MethodKind, Service};

pub(super) fn client(service: &Service, methods: &[Method<'_>]) -> TokenStream {
    let name = ident(&names::client(&service.name));
    let full_name = &service.full_name;
    let docs = with_paragraph(
        service.comment.clone(),
        format!(" Client of service `{full_name}`."),
    );
    let new_doc = format!(" A client of `{full_name}` that calls through `channel`.");
    let functions = methods.iter().map(function);
    quote! {
        #(#[doc = #docs])*
        #[derive(Debug, Clone, Copy)]
        pub struct #name<C> {
            channel: C,
        }

        impl<C> #name<C> {
            #[doc = #new_doc]
            pub const fn new(channel: C) -> Self {
                Self { channel }
            }
            #(#functions)*
        }
    }
}

fn function(method: &Method<'_>) -> TokenStream {
    let docs = method.docs("Calls");
    let deprecated = method.deprecated();
    let Method {
        module,
        constant,
        function,
        ..
    } = method;
    // A lifetime of its own: what a request borrows can live longer than the call.
    let lifetimes = [(&method.request, "'m"), (&method.response, "'n")];
    let (request, response) = (method.request.with("'m"), method.response.with("'n"));
    let named = lifetimes
        .into_iter()
        .filter(|(message, _)| message.has_lifetime());
    let named: Vec<Lifetime> = named
        .map(|(_, name)| Lifetime::new(name, Span::call_site()))
        .collect();
    let (call, takes_request) = match method.declared.kind {
        MethodKind::Unary => ("Unary", true),
        MethodKind::ServerStreaming => ("ServerStreaming", true),
        MethodKind::ClientStreaming => ("ClientStreaming", false),
        MethodKind::BidiStreaming => ("BidiStreaming", false),
    };
    let call = ident(call);
    let (signature, argument) = if takes_request {
        let signature = quote! {
            <'a #(, #named)*>(&'a mut self, request: &'a #request) -> ::rpc_nostd::client::#call<'a, C, #request, #response>
        };
        (signature, Some(quote! { request }))
    } else {
        let lifetimes = (!named.is_empty()).then(|| quote! { <#(#named),*> });
        let signature = quote! {
            #lifetimes (&mut self) -> ::rpc_nostd::client::#call<'_, C, #request, #response>
        };
        (signature, None)
    };
    quote! {
        #(#[doc = #docs])*
        #deprecated
        pub fn #function #signature {
            ::rpc_nostd::client::#call::new(&mut self.channel, &#module::#constant, #argument)
        }
    }
}
