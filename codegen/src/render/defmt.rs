//! Lets messages and enums be logged by defmt, if the including crate has a feature for that.

use syn::punctuated::Punctuated;
use syn::visit_mut::{self, VisitMut};
use syn::{Attribute, Field, GenericParam, Generics, ItemEnum, ItemStruct, Token, Type, parse_quote};

/// Derives `defmt::Format` where the feature `feature` is on.
pub(super) fn derive(file: &mut syn::File, feature: &str) {
    Derive { feature }.visit_file_mut(file);
}

struct Derive<'a> {
    feature: &'a str,
}

impl VisitMut for Derive<'_> {
    fn visit_item_struct_mut(&mut self, item: &mut ItemStruct) {
        if !is_stub(&item.generics) {
            item.attrs.push(self.format());
            for field in &mut item.fields {
                self.mark(field);
            }
        }
        visit_mut::visit_item_struct_mut(self, item);
    }

    fn visit_item_enum_mut(&mut self, item: &mut ItemEnum) {
        item.attrs.push(self.format());
        visit_mut::visit_item_enum_mut(self, item);
    }
}

impl Derive<'_> {
    fn format(&self) -> Attribute {
        let feature = self.feature;
        parse_quote!(#[cfg_attr(feature = #feature, derive(defmt::Format))])
    }

    /// heapless' maps know `Debug` alone.
    fn mark(&self, field: &mut Field) {
        let feature = self.feature;
        if let Type::Path(of_type) = &field.ty
            && let Some(last) = of_type.path.segments.last()
            && last.ident == "FnvIndexMap"
        {
            field
                .attrs
                .push(parse_quote!(#[cfg_attr(feature = #feature, defmt(Debug2Format))]));
        }
    }
}

/// Clients and servers have a type parameter, messages have none.
fn is_stub(generics: &Generics) -> bool {
    let parameters: &Punctuated<GenericParam, Token![,]> = &generics.params;
    parameters
        .iter()
        .any(|parameter| matches!(parameter, GenericParam::Type(_)))
}
