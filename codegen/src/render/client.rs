//! Prints the stubs of services, at the place in the output that micropb-gen gives them.

use std::rc::Rc;

use micropb_gen::{MethodView, ServiceGenerator, ServiceView, TypeResolver};
use proc_macro2::TokenStream;
use quote::{format_ident, quote};

use super::names;
use crate::schema::{Method, Service};

/// Called by micropb-gen for each service of each file.
pub(crate) struct ClientGenerator {
    /// The services that were asked for, with what micropb-gen does not tell: comments and marks.
    pub(crate) services: Rc<[Service]>,
}

/// One unary method, ready to print.
struct Unary<'a> {
    declared: &'a Method,
    path: &'a str,
    request: TokenStream,
    response: TokenStream,
}

impl ServiceGenerator for ClientGenerator {
    fn generate(&mut self, view: &ServiceView<'_>, resolver: &dyn TypeResolver) -> TokenStream {
        let services = Rc::clone(&self.services);
        let declared = services
            .iter()
            .find(|service| service.name == view.name && service.in_package(view.package));
        // A service of an imported file: its stubs belong to whoever asks for that file.
        let Some(service) = declared else {
            return TokenStream::new();
        };
        let methods: Vec<Unary<'_>> = view
            .methods
            .iter()
            .filter_map(|method| unary(service, method, resolver))
            .collect();
        let description = description(service, &methods);
        let client = client(service, &methods);
        quote! { #description #client }
    }
}

fn unary<'a>(
    service: &'a Service,
    view: &'a MethodView<'a>,
    resolver: &dyn TypeResolver,
) -> Option<Unary<'a>> {
    let declared = service.methods.iter().find(|method| method.name == view.name)?;
    declared.streaming_kind().is_none().then(|| Unary {
        declared,
        path: &view.full_path,
        request: resolver.rust_path(view.input_type),
        response: resolver.rust_path(view.output_type),
    })
}

/// The module with the service's names and sizes.
fn description(service: &Service, methods: &[Unary<'_>]) -> TokenStream {
    let module = ident(&names::service_module(&service.name));
    let doc = format!(
        " Service `{}`: what its callers and its servers have in common.",
        service.full_name
    );
    let name = ident(names::SERVICE_NAME);
    let full_name = &service.full_name;
    let methods = methods.iter().map(method_description);
    quote! {
        #[doc = #doc]
        pub mod #module {
            /// Full name of the service: the first part of its methods' paths.
            pub const #name: &str = #full_name;
            #(#methods)*
        }
    }
}

fn method_description(method: &Unary<'_>) -> TokenStream {
    let Unary {
        declared,
        path,
        request,
        response,
    } = method;
    let constants = names::MethodConstants::new(&declared.name);
    let constant = ident(&constants.method);
    let (request_size, response_size) = (ident(&constants.request_size), ident(&constants.response_size));
    let doc = format!(
        " `rpc {}({}) returns ({})`",
        declared.name, declared.input, declared.output
    );
    let request_doc = format!(
        " Size in bytes of the largest encoded request of `{}`.",
        declared.name
    );
    let response_doc = format!(
        " Size in bytes of the largest encoded response of `{}`; fields that are unknown here come on top.",
        declared.name
    );
    // The types are named from the package's module; this one lies inside it.
    quote! {
        #[doc = #doc]
        pub static #constant: ::rpc_nostd::Method = ::rpc_nostd::Method::unary(#path);
        #[doc = #request_doc]
        pub const #request_size: usize = ::micropb::size::max_encoded_size::<super::#request>();
        #[doc = #response_doc]
        pub const #response_size: usize = ::micropb::size::max_encoded_size::<super::#response>();
    }
}

fn client(service: &Service, methods: &[Unary<'_>]) -> TokenStream {
    let name = ident(&names::client(&service.name));
    let module = ident(&names::service_module(&service.name));
    let docs = client_docs(service);
    let new_doc = format!(
        " A client of `{}` that calls through `channel`.",
        service.full_name
    );
    let functions = methods.iter().map(|method| function(&module, method));
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

fn client_docs(service: &Service) -> Vec<String> {
    let mut docs = service.comment.clone();
    let mut paragraph = |text: String| {
        if !docs.is_empty() {
            docs.push(String::new());
        }
        docs.push(text);
    };
    paragraph(format!(" Client of service `{}`.", service.full_name));
    for method in &service.methods {
        if let Some(kind) = method.streaming_kind() {
            paragraph(format!(" Left out: `{}`, which is {kind}.", method.name));
        }
    }
    docs
}

fn function(module: &proc_macro2::Ident, method: &Unary<'_>) -> TokenStream {
    let Unary {
        declared,
        path,
        request,
        response,
    } = method;
    let name = ident(&names::function(&declared.name));
    let constant = ident(&names::MethodConstants::new(&declared.name).method);
    let mut docs = declared.comment.clone();
    if docs.is_empty() {
        docs.push(format!(" Calls `{path}`."));
    }
    let deprecated = declared.deprecated.then(|| quote! { #[deprecated] });
    quote! {
        #(#[doc = #docs])*
        #deprecated
        pub fn #name<'a>(&'a mut self, request: &'a #request) -> ::rpc_nostd::client::Unary<'a, C, #request, #response> {
            ::rpc_nostd::client::Unary::new(&mut self.channel, &#module::#constant, request)
        }
    }
}

fn ident(name: &str) -> proc_macro2::Ident {
    format_ident!("{name}")
}
