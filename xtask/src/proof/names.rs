//! Names of functions, short enough to be read.

/// A function's name without the generic arguments that it was compiled for. The polling of a `poll_fn` goes by the name of
/// the function that made it, what is polled apart by its own.
pub(crate) fn plain(name: &str) -> String {
    let apart = name.strip_prefix(APART).and_then(|name| name.strip_suffix('>'));
    match polled(name).or(apart) {
        Some(maker) => format!("{}, polled", without_arguments(maker)),
        None => without_arguments(name),
    }
}

/// Who made the `poll_fn` that a function of this name polls.
fn polled(name: &str) -> Option<&str> {
    let closure = name
        .strip_prefix("<core::future::poll_fn::PollFn<")?
        .strip_suffix("> as core::future::future::Future>::poll")?;
    let maker = closure.strip_suffix("::{closure#0}")?;
    // A call's steps: the last generic argument is the closure of whoever asked for them.
    let step = maker
        .strip_prefix(STEPS)
        .and_then(|arguments| arguments.strip_suffix('>'))
        .and_then(last_argument);
    match step {
        Some(step) => step.strip_suffix("::{closure#0}"),
        None => Some(maker),
    }
}

/// The last of some generic arguments.
fn last_argument(arguments: &str) -> Option<&str> {
    let mut depth = 0_i32;
    let mut start = 0;
    for (place, letter) in arguments.char_indices() {
        match letter {
            '<' | '(' => depth += 1,
            '>' | ')' => depth -= 1,
            ',' if depth == 0 => start = place + 1,
            _ => {}
        }
    }
    arguments.get(start..).map(str::trim)
}

const APART: &str = "rpc_nostd::server::place::poll_apart::<";
const STEPS: &str = "<rpc_nostd::client::handle::Handle>::run<";

fn without_arguments(name: &str) -> String {
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

    #[test]
    fn plain_names_who_made_what_is_polled() {
        let poll = |closure: &str| {
            plain(&format!(
                "<core::future::poll_fn::PollFn<{closure}> as core::future::future::Future>::poll"
            ))
        };
        assert_eq!(
            poll("<a::Receiver<b::Item>>::next::{closure#0}"),
            "<a::Receiver>::next, polled"
        );
        let step = "<a::Upload<b::Item, b::Count>>::finish::{closure#0}";
        assert_eq!(
            poll(&format!("{STEPS}(b::C, u8), {step}>::{{closure#0}}")),
            "<a::Upload>::finish, polled"
        );
    }
}
