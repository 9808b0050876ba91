//! Prints the server of a service: the trait that handlers implement, and the struct that routes calls to it.

use proc_macro2::{Ident, TokenStream};
use quote::quote;

use super::names;
use super::service::{Method, ident, unshadowed, with_paragraph};
use crate::schema::{MethodKind, Service};

pub(super) fn server(service: &Service, methods: &[Method<'_>]) -> TokenStream {
    let names = Names {
        handlers: ident(&names::server_trait(&service.name)),
        server: ident(&names::server(&service.name)),
        module: ident(&names::service_module(&service.name)),
    };
    let handlers = handlers(service, &names, methods);
    let server = server_struct(service, &names);
    let routes = routes(&names);
    let serve = serve(&names, methods);
    quote! { #handlers #server #routes #serve }
}

struct Names {
    /// The trait.
    handlers: Ident,
    server: Ident,
    module: Ident,
}

fn handlers(service: &Service, names: &Names, methods: &[Method<'_>]) -> TokenStream {
    let Names { handlers, server, .. } = names;
    let line = format!(
        " What a server of `{}` does: `{server}` serves whoever implements this. A method that is not written \
         answers UNIMPLEMENTED.",
        service.full_name
    );
    let docs = with_paragraph(service.comment.clone(), line);
    let functions = methods.iter().map(handler);
    // A default body uses none of its arguments, and who implements the trait needs no bounds on its futures.
    quote! {
        #(#[doc = #docs])*
        #[allow(async_fn_in_trait, unused_variables)]
        pub trait #handlers {
            #(#functions)*
        }
    }
}

fn handler(method: &Method<'_>) -> TokenStream {
    let mut docs = method.docs("Serves");
    if let Some(line) = chunked_doc(method) {
        docs = with_paragraph(docs, line.to_owned());
    }
    let deprecated = method.deprecated();
    let function = &method.function;
    let (takes_stream, gives_stream) = streams(method);
    // A reply can borrow from whoever implements the trait.
    let request = method.request.with("'_");
    let response = method.response.with(if gives_stream { "'s" } else { "'_" });
    let of_self = (gives_stream && method.response.has_lifetime()).then(|| quote! { 's });
    let lifetimes = of_self.as_ref().map(|of_self| quote! { <#of_self> });
    let input = if takes_stream {
        quote! { requests: &mut ::rpc_nostd::server::Receiver<'_, #request> }
    } else {
        quote! { request: #request }
    };
    let (replies, output) = if gives_stream {
        let replies = quote! { replies: &mut ::rpc_nostd::server::Sender<'_, #response> };
        (Some(replies), quote! { () })
    } else {
        (None, quote! { #response })
    };
    let text = format!("this server does not implement {}", method.path);
    quote! {
        #(#[doc = #docs])*
        #deprecated
        async fn #function #lifetimes (
            & #of_self self,
            cx: &mut ::rpc_nostd::server::Context<'_>,
            #input,
            #replies
        ) -> ::core::result::Result<#output, ::rpc_nostd::Status> {
            Err(::rpc_nostd::Status::new(::rpc_nostd::Code::UNIMPLEMENTED, #text))
        }
    }
}

/// True for each side, requests and responses, whose messages the handler takes or gives by a stream.
fn streams(method: &Method<'_>) -> (bool, bool) {
    match method.declared.kind {
        _ if method.chunked => (true, true),
        MethodKind::Unary => (false, false),
        MethodKind::ServerStreaming => (false, true),
        MethodKind::ClientStreaming => (true, false),
        MethodKind::BidiStreaming => (true, true),
    }
}

/// What the signature of a method with messages larger than memory does not say by itself any more.
fn chunked_doc(method: &Method<'_>) -> Option<&'static str> {
    method.chunked.then_some(match method.declared.kind {
        MethodKind::Unary => {
            " Its messages can be larger than memory. Take exactly one request and send exactly one reply."
        }
        MethodKind::ServerStreaming => {
            " Its messages can be larger than memory. Take exactly one request; send any number of replies."
        }
        MethodKind::ClientStreaming => {
            " Its messages can be larger than memory. Take requests until they end; send exactly one reply."
        }
        MethodKind::BidiStreaming => " Its messages can be larger than memory.",
    })
}

fn server_struct(service: &Service, names: &Names) -> TokenStream {
    let Names { handlers, server, .. } = names;
    let doc = format!(
        " Serves calls of `{}` with a type that implements the trait `{handlers}`.",
        service.full_name
    );
    let new_doc = format!(" Serves `{}` by `service`.", service.full_name);
    quote! {
        #[doc = #doc]
        #[derive(Debug, Clone, Copy)]
        pub struct #server<T> {
            service: T,
        }

        impl<T> #server<T> {
            #[doc = #new_doc]
            pub const fn new(service: T) -> Self {
                Self { service }
            }
        }
    }
}

fn routes(names: &Names) -> TokenStream {
    let Names { server, module, .. } = names;
    let all = ident(names::METHODS);
    quote! {
        impl<T> ::rpc_nostd::server::Routes for #server<T> {
            fn method(path: &[u8]) -> ::core::option::Option<&'static ::rpc_nostd::Method> {
                ::rpc_nostd::server::find(&#module::#all, path)
            }
        }
    }
}

fn serve(names: &Names, methods: &[Method<'_>]) -> TokenStream {
    let Names { handlers, server, .. } = names;
    let bound = unshadowed(quote! { #handlers });
    let body = if methods.is_empty() {
        quote! { Err(call.unimplemented()) }
    } else {
        let arms = methods.iter().map(|method| arm(&bound, method));
        quote! {
            match call.method().path() {
                #(#arms)*
                _ => Err(call.unimplemented()),
            }
        }
    };
    let deprecated = methods
        .iter()
        .any(|method| method.declared.deprecated)
        .then(|| quote! { #[allow(deprecated)] });
    quote! {
        #deprecated
        impl<T: #bound> ::rpc_nostd::server::Service for #server<T> {
            async fn serve(
                &self,
                call: &mut ::rpc_nostd::server::Call<'_>,
            ) -> ::core::result::Result<(), ::rpc_nostd::Status> {
                #body
            }
        }
    }
}

fn arm(handlers: &TokenStream, method: &Method<'_>) -> TokenStream {
    let Method { path, function, .. } = method;
    let (request, response) = (method.request.with("'_"), method.response.with("'_"));
    let (takes_stream, gives_stream) = streams(method);
    let (only, input) = if takes_stream {
        (None, quote! { &mut requests })
    } else {
        let only = quote! { let request = requests.only().await?; };
        (Some(only), quote! { request })
    };
    // By the trait's name: `self.service.into(..)` would be the function of another trait.
    let answer = if gives_stream {
        quote! { #handlers::#function(&self.service, cx, #input, &mut replies).await }
    } else {
        quote! {
            let reply = #handlers::#function(&self.service, cx, #input).await?;
            replies.send(&reply).await
        }
    };
    // A future of its own, so that the methods share memory, and polled apart, so that none takes the stack of all.
    quote! {
        #path => {
            let answer = ::core::pin::pin!(async {
                let (cx, mut requests, mut replies) = call.split::<#request, #response>();
                #only
                #answer
            });
            ::rpc_nostd::server::apart(answer).await
        }
    }
}
