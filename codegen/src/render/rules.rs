//! Where the decoders that micropb-gen prints bend a rule of protobuf, they are set right.

use syn::visit_mut::{self, VisitMut};
use syn::{Expr, ItemImpl, parse_quote};

/// Changes an `impl MessageDecode`:
///
/// - of a field that comes more than once, the last value holds, also if that is zero or empty;
/// - an entry of a map whose key or value is left out, because it is the default, is an entry.
///
/// Spec: Protocol Buffers encoding, "Last One Wins", "Maps".
pub(super) fn obey(item: &mut ItemImpl) {
    Rules.visit_item_impl_mut(item);
}

struct Rules;

impl VisitMut for Rules {
    fn visit_expr_mut(&mut self, expr: &mut Expr) {
        visit_mut::visit_expr_mut(self, expr);
        match expr {
            Expr::MethodCall(call) if call.method == "decode_map_elem" => {
                let (decoder, updates) = (&call.receiver, &call.args);
                *expr = parse_quote!(::rpc_nostd::decode_map_entry(#decoder, #updates));
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
