//! Names of functions, short enough to be read.

/// A function's name without the generic arguments that it was compiled for.
pub(crate) fn plain(name: &str) -> String {
    let mut short = String::new();
    let mut depth = 0_u32;
    let mut before = ' ';
    for letter in name.chars() {
        // `<` behind a name or a path opens generic arguments; elsewhere it opens a type.
        let opens = letter == '<' && (depth > 0 || before.is_alphanumeric() || matches!(before, '_' | ':'));
        if opens {
            depth += 1;
        } else if letter == '>' && depth > 0 && before != '-' {
            depth -= 1;
        } else if depth == 0 {
            short.push(letter);
        }
        before = letter;
    }
    short.replace("::::", "::").trim_end_matches(':').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_leaves_out_generic_arguments_and_nothing_else() {
        let long = "<a::Half>::run::<(), <b::Receiver<c::Item>>::headers::{closure#0}>::{closure#0}";
        assert_eq!(plain(long), "<a::Half>::run::{closure#0}");
        assert_eq!(
            plain("<a::Link<b::Response> as c::D>::send"),
            "<a::Link as c::D>::send"
        );
        assert_eq!(
            plain("core::ptr::drop_in_place::<a::B<c::D>>"),
            "core::ptr::drop_in_place"
        );
        assert_eq!(plain("a::call::<fn(u8) -> u8>"), "a::call");
    }
}
