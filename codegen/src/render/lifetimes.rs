//! What the lifetimes of messages that borrow ask for: no decoder, and peace from lints about names of lifetimes.

use std::collections::BTreeSet;

use proc_macro2::{Ident, TokenStream, TokenTree};
use quote::ToTokens;
use syn::visit_mut::{self, VisitMut};
use syn::{Item, ItemImpl, ItemMod, Type, parse_quote};

/// Removes `MessageDecode` of the structs at the paths `borrowing`: a decoder cannot lend what it reads.
pub(super) fn take_decoders(items: &mut Vec<Item>, module: &str, borrowing: &BTreeSet<String>) {
    items.retain_mut(|item| match item {
        Item::Mod(ItemMod {
            ident,
            content: Some((_, inner)),
            ..
        }) => {
            take_decoders(inner, &join(module, &ident.to_string()), borrowing);
            true
        }
        Item::Impl(item) => {
            !is_decoder(item) || own_name(item).is_none_or(|name| !borrowing.contains(&join(module, &name)))
        }
        _ => true,
    });
}

/// Gives the enum of a oneof its lifetime where micropb-gen forgets it: beside a field that has one, or another oneof.
pub(super) fn give_to_oneofs(items: &mut [Item]) {
    let mut given: Vec<(Ident, Ident)> = Vec::new();
    for item in items.iter_mut() {
        let Item::Mod(ItemMod {
            ident,
            content: Some((_, inner)),
            ..
        }) = item
        else {
            continue;
        };
        give_to_oneofs(inner);
        for one in inner {
            if let Item::Enum(one) = one
                && one.generics.params.is_empty()
                && has_lifetime(one.variants.to_token_stream())
            {
                one.generics = parse_quote!(<'a>);
                given.push((ident.clone(), one.ident.clone()));
            }
        }
    }
    for item in items {
        if let Item::Struct(item) = item {
            Give { given: &given }.visit_item_struct_mut(item);
        }
    }
}

struct Give<'g> {
    /// Modules with the enums in them.
    given: &'g [(Ident, Ident)],
}

impl VisitMut for Give<'_> {
    fn visit_type_path_mut(&mut self, path: &mut syn::TypePath) {
        visit_mut::visit_type_path_mut(self, path);
        let mut last = path.path.segments.iter_mut().rev();
        if let (Some(name), Some(module)) = (last.next(), last.next())
            && name.arguments.is_empty()
            && self.given.contains(&(module.ident.clone(), name.ident.clone()))
        {
            name.arguments = syn::PathArguments::AngleBracketed(parse_quote!(<'a>));
        }
    }
}

fn has_lifetime(tokens: TokenStream) -> bool {
    let mut trees = tokens.into_iter();
    trees.any(|tree| match tree {
        TokenTree::Group(group) => has_lifetime(group.stream()),
        TokenTree::Punct(punct) => punct.as_char() == '\'',
        _ => false,
    })
}

/// Says of each struct with a lifetime that it is the same message at every other.
pub(super) fn give_to_streams(items: &mut Vec<Item>) {
    let mut said: Vec<Item> = Vec::new();
    for item in items.iter_mut() {
        match item {
            Item::Mod(ItemMod {
                content: Some((_, inner)),
                ..
            }) => give_to_streams(inner),
            Item::Struct(item) if item.generics.lifetimes().next().is_some() => {
                let name = &item.ident;
                said.push(parse_quote! {
                    impl<'a> ::rpc_nostd::Borrowing for #name<'a> {
                        type At<'b> = #name<'b>;
                    }
                });
            }
            _ => {}
        }
    }
    items.append(&mut said);
}

/// Names every lifetime of an `impl`, as micropb-gen does, though it could be left out.
pub(super) fn allow(items: &mut [Item]) {
    for item in items {
        match item {
            Item::Mod(ItemMod {
                content: Some((_, inner)),
                ..
            }) => allow(inner),
            Item::Impl(item) if item.generics.lifetimes().next().is_some() => {
                item.attrs
                    .push(parse_quote!(#[allow(clippy::needless_lifetimes)]));
            }
            _ => {}
        }
    }
}

fn is_decoder(item: &ItemImpl) -> bool {
    let last = item.trait_.as_ref().and_then(|(path, _)| path.segments.last());
    last.is_some_and(|last| last.ident == "MessageDecode")
}

fn own_name(item: &ItemImpl) -> Option<String> {
    let Type::Path(path) = item.self_ty.as_ref() else {
        return None;
    };
    path.path
        .segments
        .last()
        .map(|last| plain(&last.ident.to_string()))
}

fn join(module: &str, name: &str) -> String {
    let name = plain(name);
    if module.is_empty() {
        name
    } else {
        format!("{module}::{name}")
    }
}

fn plain(name: &str) -> String {
    name.strip_prefix("r#").unwrap_or(name).to_owned()
}
