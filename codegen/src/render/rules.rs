//! Where the decoders that micropb-gen prints bend a rule of protobuf, they are set right.

use syn::visit::{self, Visit};
use syn::visit_mut::{self, VisitMut};
use syn::{Expr, ItemImpl, parse_quote};

/// Changes an `impl MessageDecode`:
///
/// - of a field that comes more than once, the last value holds, also if that is zero or empty;
/// - an entry of a map whose key or value is left out, because it is the default, is an entry; one whose key or value is
///   of another wire type is none;
/// - a field number is not cut to 29 bits, and a bool not to 32;
/// - an unknown group is skipped like any unknown field.
///
/// Spec: Protocol Buffers encoding, "Last One Wins", "Maps", "Bools and Enums", "Groups".
pub(super) fn obey(item: &mut ItemImpl) {
    Rules.visit_item_impl_mut(item);
}

struct Rules;

impl VisitMut for Rules {
    fn visit_expr_mut(&mut self, expr: &mut Expr) {
        visit_mut::visit_expr_mut(self, expr);
        match expr {
            Expr::MethodCall(call) => {
                let (decoder, arguments) = (&call.receiver, &call.args);
                let replaced = match call.method.to_string().as_str() {
                    "decode_tag" => parse_quote!(::rpc_nostd::decode_tag(#decoder)),
                    "decode_bool" => parse_quote!(::rpc_nostd::decode_bool(#decoder)),
                    "skip_wire_value" => parse_quote!(::rpc_nostd::skip_field(#decoder, tag)),
                    "decode_map_elem" => {
                        let wire_types = arguments.iter().map(wire_type);
                        parse_quote!(::rpc_nostd::decode_map_entry(#decoder, [#(#wire_types),*], #arguments))
                    }
                    _ => return,
                };
                *expr = replaced;
            }
            // `if *val_ref != 0 { *mut_ref = val }`
            Expr::If(only) if is_about(&only.cond, "val_ref") => {
                let then = &only.then_branch;
                *expr = parse_quote!(#then);
            }
            _ => {}
        }
    }

    fn visit_expr_path_mut(&mut self, path: &mut syn::ExprPath) {
        // `Presence::Implicit`: an empty string or `bytes` is no value.
        if let Some(last) = path.path.segments.last_mut()
            && last.ident == "Implicit"
        {
            last.ident = syn::Ident::new("Explicit", last.ident.span());
        }
    }
}

/// The wire type of what a closure decodes.
fn wire_type(closure: &Expr) -> u8 {
    struct Calls(u8);

    impl<'ast> Visit<'ast> for Calls {
        fn visit_expr_method_call(&mut self, call: &'ast syn::ExprMethodCall) {
            match call.method.to_string().as_str() {
                "decode_fixed64" | "decode_sfixed64" | "decode_double" => self.0 = 1,
                "decode_string" | "decode_bytes" | "decode_submessage_delimited" => self.0 = 2,
                "decode_fixed32" | "decode_sfixed32" | "decode_float" => self.0 = 5,
                _ => {}
            }
            visit::visit_expr_method_call(self, call);
        }
    }

    let mut calls = Calls(0);
    calls.visit_expr(closure);
    calls.0
}

/// Whether a condition is about the value of a local variable.
fn is_about(condition: &Expr, name: &str) -> bool {
    match condition {
        Expr::Path(path) => path.path.is_ident(name),
        Expr::Unary(unary) => is_about(&unary.expr, name),
        Expr::Binary(binary) => is_about(&binary.left, name),
        Expr::Field(field) => is_about(&field.base, name),
        _ => false,
    }
}
