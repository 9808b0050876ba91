//! Prints what belongs to a service, at the place in the output that micropb-gen gives it: the module of its
//! names and sizes here, the client and the server in the files beside this one.

use std::collections::BTreeSet;
use std::rc::Rc;

use micropb_gen::{MethodView, ServiceGenerator, ServiceView, TypeResolver};
use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::{format_ident, quote};
use syn::Lifetime;

use super::resources::{Sides, resources};
use super::{client, names, server};
use crate::roles::Roles;
use crate::schema::{self, MethodKind, Service};

/// Called by micropb-gen for each service of each file.
pub(crate) struct Services {
    /// The services that were asked for, with what micropb-gen does not tell: comments and marks.
    pub(crate) services: Rc<[Service]>,
    /// Full names of the methods whose messages are larger than memory.
    pub(crate) chunked: BTreeSet<String>,
    /// Full names of the messages that have a lifetime.
    pub(crate) with_lifetime: BTreeSet<String>,
    /// Full names of the messages without a greatest length.
    pub(crate) unbounded: BTreeSet<String>,
    pub(crate) roles: Roles,
}

/// One method, ready to print.
pub(super) struct Method<'a> {
    pub(super) declared: &'a schema::Method,
    pub(super) path: &'a str,
    /// The module in which `constant` is.
    pub(super) module: Ident,
    pub(super) constant: Ident,
    /// Its function, of the client and of the trait.
    pub(super) function: Ident,
    pub(super) request: Message,
    pub(super) response: Message,
    pub(super) chunked: bool,
}

/// The type of requests, or of responses.
pub(super) struct Message {
    /// As functions beside type parameters name it.
    name: TokenStream,
    in_package: TokenStream,
    has_lifetime: bool,
    is_bounded: bool,
}

impl Message {
    /// The type, with `lifetime` if it has one.
    pub(super) fn with(&self, lifetime: &str) -> TokenStream {
        let name = &self.name;
        let lifetime = self
            .has_lifetime
            .then(|| Lifetime::new(lifetime, Span::call_site()));
        let arguments = lifetime.map(|lifetime| quote! { <#lifetime> });
        quote! { #name #arguments }
    }

    pub(super) fn has_lifetime(&self) -> bool {
        self.has_lifetime
    }

    /// Whether there is a greatest length, and a constant that says it.
    pub(super) fn is_bounded(&self) -> bool {
        self.is_bounded
    }
}

impl ServiceGenerator for Services {
    fn generate(&mut self, view: &ServiceView<'_>, resolver: &dyn TypeResolver) -> TokenStream {
        let services = Rc::clone(&self.services);
        let declared = services
            .iter()
            .find(|service| service.name == view.name && service.in_package(view.package));
        // A service of an imported file: its stubs belong to whoever asks for that file.
        let Some(service) = declared else {
            return TokenStream::new();
        };
        let methods: Vec<Method<'_>> = view
            .methods
            .iter()
            .filter_map(|method| self.method(service, method, resolver))
            .collect();
        let sides = Sides {
            client: self.roles.has_client(service),
            server: self.roles.has_server(service),
        };
        let description = description(service, &methods, &resources(&methods, &sides));
        let client = sides.client.then(|| client::client(service, &methods));
        let server = sides.server.then(|| server::server(service, &methods));
        quote! { #description #client #server }
    }
}

impl Services {
    fn method<'a>(
        &self,
        service: &'a Service,
        view: &'a MethodView<'a>,
        resolver: &dyn TypeResolver,
    ) -> Option<Method<'a>> {
        let declared = service.methods.iter().find(|method| method.name == view.name)?;
        let request = resolver.rust_path(view.input_type);
        let response = resolver.rust_path(view.output_type);
        Some(Method {
            declared,
            path: &view.full_path,
            module: ident(&names::service_module(&service.name)),
            constant: ident(&names::MethodConstants::new(&declared.name).method),
            function: ident(&names::function(&declared.name)),
            request: self.message(&declared.input, request),
            response: self.message(&declared.output, response),
            chunked: self
                .chunked
                .contains(&schema::join(&service.full_name, &declared.name)),
        })
    }
}

impl Services {
    fn message(&self, full_name: &str, in_package: TokenStream) -> Message {
        Message {
            name: unshadowed(in_package.clone()),
            in_package,
            has_lifetime: self.with_lifetime.contains(full_name),
            is_bounded: !self.unbounded.contains(full_name),
        }
    }
}

impl Method<'_> {
    /// Its comment, or else one line that says what the function does.
    pub(super) fn docs(&self, otherwise: &str) -> Vec<String> {
        match self.declared.comment.as_slice() {
            [] => vec![format!(" {otherwise} `{}`.", self.path)],
            comment => comment.to_vec(),
        }
    }

    pub(super) fn deprecated(&self) -> Option<TokenStream> {
        self.declared.deprecated.then(|| quote! { #[deprecated] })
    }
}

/// The module with the service's names and sizes.
fn description(service: &Service, methods: &[Method<'_>], resources: &TokenStream) -> TokenStream {
    let module = ident(&names::service_module(&service.name));
    let doc = format!(
        " Service `{}`: what its callers and its servers have in common.",
        service.full_name
    );
    let (name, all) = (ident(names::SERVICE_NAME), ident(names::METHODS));
    let full_name = &service.full_name;
    let constants = methods.iter().map(|method| &method.constant);
    let count = methods.len();
    let methods = methods.iter().map(method_description);
    quote! {
        #[doc = #doc]
        pub mod #module {
            /// Full name of the service: the first part of its methods' paths.
            pub const #name: &str = #full_name;
            /// All methods of the service, in the order of the `.proto`.
            pub static #all: [&::rpc_nostd::Method; #count] = [#(&#constants),*];
            #(#methods)*
            #resources
        }
    }
}

fn method_description(method: &Method<'_>) -> TokenStream {
    let declared = method.declared;
    let (name, path, constant) = (&declared.name, method.path, &method.constant);
    let (constructor, request_stream, response_stream) = match declared.kind {
        MethodKind::Unary => ("unary", "", ""),
        MethodKind::ServerStreaming => ("server_streaming", "", "stream "),
        MethodKind::ClientStreaming => ("client_streaming", "stream ", ""),
        MethodKind::BidiStreaming => ("bidi_streaming", "stream ", "stream "),
    };
    let constructor = ident(constructor);
    let doc = format!(
        " `rpc {name}({request_stream}{}) returns ({response_stream}{})`",
        declared.input, declared.output
    );
    let constants = names::MethodConstants::new(name);
    let (request_size, response_size) = (ident(&constants.request_size), ident(&constants.response_size));
    let request_doc = format!(" Size in bytes of the largest encoded request of `{name}`.");
    let response_doc = format!(
        " Size in bytes of the largest encoded response of `{name}`; fields that are unknown here come on top."
    );
    let request = size(&method.request, &request_size, &request_doc);
    let response = size(&method.response, &response_size, &response_doc);
    quote! {
        #[doc = #doc]
        pub static #constant: ::rpc_nostd::Method = ::rpc_nostd::Method::#constructor(#path);
        #request
        #response
    }
}

/// A constant, if there is a largest message. The types are named from the package's module; the constant lies in one
/// inside it.
fn size(message: &Message, constant: &Ident, doc: &str) -> Option<TokenStream> {
    let name = &message.in_package;
    message.is_bounded.then(|| {
        quote! {
            #[doc = #doc]
            pub const #constant: usize = ::micropb::size::max_encoded_size::<super::#name>();
        }
    })
}

/// A comment and, in a paragraph of its own, a line of ours.
pub(super) fn with_paragraph(mut docs: Vec<String>, line: String) -> Vec<String> {
    if !docs.is_empty() {
        docs.push(String::new());
    }
    docs.push(line);
    docs
}

/// A message can have the name of a type parameter of ours, which would then be meant.
pub(super) fn unshadowed(path: TokenStream) -> TokenStream {
    match path.clone().into_iter().next() {
        Some(TokenTree::Ident(first)) if ["C", "T"].contains(&first.to_string().as_str()) => {
            quote! { self::#path }
        }
        _ => path,
    }
}

pub(super) fn ident(name: &str) -> Ident {
    format_ident!("{name}")
}
