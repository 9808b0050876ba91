//! Makes the printed tokens a file that any crate can include: paths lead into `rpc_nostd`, names are not
//! needlessly raw, everything public is documented, and no lint fires, however strict the including crate is.

use std::collections::BTreeSet;

use proc_macro2::{Group, Ident, Spacing, Span, TokenStream, TokenTree};
use quote::quote;
use syn::visit_mut::{self, VisitMut};
use syn::{Attribute, Fields, File, ImplItem, Item, ItemImpl, ItemMod, parse_quote};

use super::{defmt, deprecated, docs, lifetimes, names, rules};

/// What the output is to have beside what the message generator prints.
#[derive(Default)]
pub(crate) struct Wishes {
    /// Paths of the structs that borrow, which have no decoder.
    pub(crate) borrowing: BTreeSet<String>,
    /// Paths of what is deprecated.
    pub(crate) deprecated: BTreeSet<String>,
    /// The feature of the including crate that derives `defmt::Format`.
    pub(crate) defmt_feature: Option<String>,
}

/// Parses `raw`, tidies and formats it.
pub(crate) fn tidy(raw: &str, wishes: &Wishes) -> syn::Result<String> {
    let Wishes {
        borrowing,
        deprecated,
        defmt_feature,
    } = wishes;
    let tokens: TokenStream = raw.parse()?;
    let mut file: File = syn::parse2(redirect(tokens))?;
    if !borrowing.is_empty() {
        lifetimes::take_decoders(&mut file.items, "", borrowing);
        lifetimes::give_to_oneofs(&mut file.items);
    }
    lifetimes::give_to_streams(&mut file.items);
    lifetimes::allow(&mut file.items);
    clean_items(&mut file.items);
    Tidy.visit_file_mut(&mut file);
    if let Some(feature) = defmt_feature {
        defmt::derive(&mut file, feature);
    }
    deprecated::mark(&mut file.items, "", deprecated);
    allow_lints(&mut file.items, !deprecated.is_empty());
    Ok(prettyplease::unparse(&file))
}

/// What a program leaves unused is no fault of it, and what the including module is called is its own choice. A crate
/// that denies unchecked arithmetic or casts means its own code: the codec's is checked here, by tests. There is no heap
/// for large variants of a oneof, and the names of fields and methods are their own. What is deprecated is used here, so
/// that others can go on using it.
fn allow_lints(items: &mut [Item], uses_deprecated: bool) {
    let deprecated = uses_deprecated.then(|| quote! { deprecated, });
    let allowed = quote! {
        dead_code, #deprecated clippy::large_enum_variant, clippy::should_implement_trait, clippy::pedantic,
        clippy::restriction
    };
    for item in items {
        match item {
            Item::Mod(item) => item
                .attrs
                .push(parse_quote!(#[allow(clippy::module_inception, #allowed)])),
            Item::Impl(item) if item.trait_.is_some() && uses_deprecated => {
                item.attrs.push(parse_quote!(#[allow(deprecated)]));
            }
            other => attrs_of(other)
                .into_iter()
                .for_each(|attrs| attrs.push(parse_quote!(#[allow(#allowed)]))),
        }
    }
}

/// `::micropb` is always the codec's crate: modules of that name are written `r#micropb`, relative, by micropb-gen.
fn redirect(tokens: TokenStream) -> TokenStream {
    let mut out: Vec<TokenTree> = Vec::new();
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    for (index, token) in tokens.iter().cloned().enumerate() {
        let after_colons = matches!(out.as_slice(), [.., TokenTree::Punct(a), TokenTree::Punct(b)]
            if a.as_char() == ':' && a.spacing() == Spacing::Joint && b.as_char() == ':');
        match token {
            TokenTree::Ident(ident) if after_colons && ident == "micropb" => {
                out.extend(quote! { rpc_nostd::micropb });
            }
            // A package `core` inside this one would be meant; its module is written `r#core`.
            TokenTree::Ident(ident) if ident == "core" && !after_colons => out.extend(quote! { ::core }),
            // With type arguments it is the one of core; without, it can be a message of that name.
            TokenTree::Ident(ident)
                if ident == "Result" && !after_colons && has_arguments(&tokens[index + 1..]) =>
            {
                out.extend(quote! { ::core::result::Result });
            }
            TokenTree::Ident(ident) => out.push(plain(ident).into()),
            TokenTree::Group(group) => {
                out.push(Group::new(group.delimiter(), redirect(group.stream())).into())
            }
            other => out.push(other),
        }
    }
    out.into_iter().collect()
}

/// True if a type of which `next` are the following tokens has arguments. micropb-gen prints `Name<>` for none.
fn has_arguments(next: &[TokenTree]) -> bool {
    let is = |token: &TokenTree, mark| matches!(token, TokenTree::Punct(punct) if punct.as_char() == mark);
    matches!(next, [first, second, ..] if is(first, '<') && !is(second, '>'))
}

fn plain(ident: Ident) -> Ident {
    let name = ident.to_string();
    match name.as_str() {
        "IMPL_MICROPB_READ" => Ident::new("ImplMicropbRead", Span::call_site()),
        "IMPL_MICROPB_WRITE" => Ident::new("ImplMicropbWrite", Span::call_site()),
        name => match name.strip_prefix("r#") {
            Some(bare) if !names::is_keyword(bare) => Ident::new(bare, Span::call_site()),
            _ => ident,
        },
    }
}

/// Removes modules and impls with nothing in them: what is left of types that nobody uses.
fn clean_items(items: &mut Vec<Item>) {
    items.retain_mut(|item| match item {
        Item::Mod(ItemMod {
            content: Some((_, inner)),
            ..
        }) => {
            clean_items(inner);
            !inner.is_empty()
        }
        Item::Impl(ItemImpl {
            trait_: None, items, ..
        }) => !items.is_empty(),
        _ => true,
    });
}

struct Tidy;

impl VisitMut for Tidy {
    fn visit_attributes_mut(&mut self, attrs: &mut Vec<Attribute>) {
        let lines: Vec<String> = attrs.iter().filter_map(doc_text).collect();
        if lines.is_empty() {
            return;
        }
        attrs.retain(|attr| doc_text(attr).is_none());
        let lines = docs::to_rustdoc(&lines);
        attrs.splice(0..0, lines.iter().map(|line| doc(line)));
    }

    fn visit_item_mod_mut(&mut self, item: &mut ItemMod) {
        document(&mut item.attrs, || format!(" Package `{}`.", item.ident));
        if is_no_snake_case(&item.ident.to_string()) {
            // micropb-gen names the module of a message's inner types after the message.
            item.attrs.push(parse_quote!(#[allow(non_snake_case)]));
        }
        visit_mut::visit_item_mod_mut(self, item);
    }

    fn visit_item_struct_mut(&mut self, item: &mut syn::ItemStruct) {
        let kind = if matches!(item.fields, Fields::Unnamed(_)) {
            "Enum"
        } else {
            "Message"
        };
        document(&mut item.attrs, || format!(" {kind} `{}`.", item.ident));
        allow_type_name(&item.ident, &mut item.attrs);
        let mut has_odd_name = false;
        for field in &mut item.fields {
            let Some(ident) = field.ident.as_ref().map(Ident::to_string) else {
                continue;
            };
            if matches!(field.vis, syn::Visibility::Public(_)) {
                document(&mut field.attrs, || {
                    format!(" Field `{}`.", ident.trim_start_matches("r#"))
                });
            }
            has_odd_name |= is_no_snake_case(&ident);
        }
        if has_odd_name {
            item.attrs.push(parse_quote!(#[allow(non_snake_case)]));
        }
        visit_mut::visit_item_struct_mut(self, item);
    }

    fn visit_item_enum_mut(&mut self, item: &mut syn::ItemEnum) {
        document(&mut item.attrs, || " Which field of the oneof is set.".to_owned());
        allow_type_name(&item.ident, &mut item.attrs);
        for variant in &mut item.variants {
            document(&mut variant.attrs, || format!(" Variant `{}`.", variant.ident));
        }
        visit_mut::visit_item_enum_mut(self, item);
    }

    fn visit_trait_item_fn_mut(&mut self, function: &mut syn::TraitItemFn) {
        allow_self(&function.sig.ident.to_string(), &mut function.attrs);
        visit_mut::visit_trait_item_fn_mut(self, function);
    }

    fn visit_item_impl_mut(&mut self, item: &mut ItemImpl) {
        match item
            .trait_
            .as_ref()
            .and_then(|(path, _)| path.segments.last())
            .map(|last| last.ident.to_string())
        {
            Some(name) if name == "MessageDecode" || name == "MessageEncode" => {
                // micropb-gen prints these bodies from fixed patterns, with imports, braces and conditions to spare.
                item.attrs
                    .push(parse_quote!(#[allow(unused, irrefutable_let_patterns, clippy::all)]));
                if name == "MessageDecode" {
                    rules::obey(item);
                }
            }
            Some(name) if name == "Debug" => {
                // An enum's values: two can have one number.
                item.attrs.push(parse_quote!(#[allow(unreachable_patterns)]));
            }
            Some(name) if name == "Default" => {
                item.attrs.push(parse_quote!(#[allow(clippy::derivable_impls)]));
            }
            Some(_) => {}
            None => tidy_inherent(item),
        }
        visit_mut::visit_item_impl_mut(self, item);
    }
}

fn tidy_inherent(item: &mut ItemImpl) {
    for one in &mut item.items {
        match one {
            ImplItem::Const(value) => {
                document(&mut value.attrs, || format!(" Value `{}`.", value.ident));
                if value.ident.to_string().contains(char::is_lowercase) {
                    value.attrs.push(parse_quote!(#[allow(non_upper_case_globals)]));
                }
            }
            ImplItem::Fn(function) => {
                let name = function.sig.ident.to_string();
                allow_self(&name, &mut function.attrs);
                if is_no_snake_case(&name) {
                    function.attrs.push(parse_quote!(#[allow(non_snake_case)]));
                }
            }
            _ => {}
        }
    }
}

/// The name is the method's, and so no promise about `self`.
fn allow_self(function: &str, attrs: &mut Vec<Attribute>) {
    let prefixes = ["from_", "into_", "to_"];
    if prefixes.iter().any(|prefix| function.starts_with(prefix)) {
        attrs.push(parse_quote!(#[allow(clippy::wrong_self_convention)]));
    }
}

/// True if the compiler would like another name better.
fn is_no_snake_case(name: &str) -> bool {
    name.contains(char::is_uppercase) || name.trim_matches('_').contains("__")
}

fn allow_type_name(ident: &Ident, attrs: &mut Vec<Attribute>) {
    let name = ident.to_string();
    if name.starts_with(char::is_lowercase) || name.contains('_') {
        attrs.push(parse_quote!(#[allow(non_camel_case_types)]));
    }
}

fn document(attrs: &mut Vec<Attribute>, text: impl FnOnce() -> String) {
    if !attrs.iter().any(|attr| doc_text(attr).is_some()) {
        attrs.insert(0, doc(&text()));
    }
}

fn doc(line: &str) -> Attribute {
    parse_quote!(#[doc = #line])
}

fn doc_text(attr: &Attribute) -> Option<String> {
    let syn::Meta::NameValue(meta) = &attr.meta else {
        return None;
    };
    match &meta.value {
        syn::Expr::Lit(syn::ExprLit {
            lit: syn::Lit::Str(text),
            ..
        }) if meta.path.is_ident("doc") => Some(text.value()),
        _ => None,
    }
}

fn attrs_of(item: &mut Item) -> Option<&mut Vec<Attribute>> {
    match item {
        Item::Struct(item) => Some(&mut item.attrs),
        Item::Enum(item) => Some(&mut item.attrs),
        Item::Impl(item) if item.trait_.is_none() => Some(&mut item.attrs),
        Item::Trait(item) => Some(&mut item.attrs),
        _ => None,
    }
}
