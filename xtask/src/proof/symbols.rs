//! What may not be in an image: panics and allocators; and what may: the one panic that the compiler adds to `async fn`.

use std::collections::BTreeSet;

use anyhow::{Result, ensure};

use super::image::Image;

/// Fails if the image can come to a panic.
///
/// The compiler gives every `async fn` a state for "has returned", in which polling again panics with "`async fn` resumed
/// after completion", whether anybody can poll again or not. That one function is allowed, and the places that refer to it are
/// returned, for a list that does not grow unseen. Everything else of `core::panicking` is not: neither what it has,
/// nor who refers to it.
///
/// # Errors
/// Names the symbols, and the functions that refer to them.
pub(crate) fn resumed(image: &Image) -> Result<Vec<u64>> {
    let panics: Vec<&String> = image.symbols.iter().filter(|name| is_panic(name)).collect();
    let allowed = |name: &str| MACHINERY.contains(&name) || name == RESUMED;
    let found: Vec<String> = panics
        .iter()
        .filter(|name| !allowed(name))
        .map(|name| format!("{name} {}", referrers_text(image, name)))
        .collect();
    ensure!(found.is_empty(), "it can panic: {}", found.join("; "));
    for name in MACHINERY {
        let strangers: Vec<&str> = referrers(image, name)
            .into_iter()
            .filter(|name| !allowed(name))
            .collect();
        ensure!(
            strangers.is_empty(),
            "it can panic: {strangers:?} refer to {name}"
        );
    }
    let targets = addresses(image, RESUMED);
    let sites = image.sites.iter().filter(|(target, _)| targets.contains(target));
    Ok(sites.map(|(_, place)| *place).collect())
}

/// Fails if there is an allocator.
///
/// # Errors
/// Names its symbols.
pub(crate) fn check_no_allocator(image: &Image) -> Result<()> {
    let found: Vec<String> = image
        .symbols
        .iter()
        .filter(|name| is_allocator(name))
        .map(|name| format!("{name} {}", referrers_text(image, name)))
        .collect();
    ensure!(found.is_empty(), "it allocates: {}", found.join("; "));
    Ok(())
}

/// Functions that come to an end in a panic: core's own, and the panic handler.
fn is_panic(name: &str) -> bool {
    PANICS.iter().any(|part| name.contains(part))
}

fn is_allocator(name: &str) -> bool {
    ALLOCATORS.iter().any(|part| name.contains(part)) || C_ALLOCATORS.contains(&name)
}

fn referrers_text(image: &Image, name: &str) -> String {
    match referrers(image, name).as_slice() {
        [] => "(nobody refers to it)".to_owned(),
        names => format!("(from {})", names.join(", ")),
    }
}

/// Names of the functions that call or name `name`.
fn referrers<'i>(image: &'i Image, name: &str) -> Vec<&'i str> {
    let targets = addresses(image, name);
    image
        .functions
        .values()
        .filter(|function| !function.calls.is_disjoint(&targets) || !function.takes.is_disjoint(&targets))
        .map(super::image::Function::name)
        .collect()
}

fn addresses(image: &Image, name: &str) -> BTreeSet<u64> {
    let functions = image.functions.values();
    functions
        .filter(|function| function.names.iter().any(|found| found == name))
        .map(|function| function.address)
        .collect()
}

/// What the compiler adds to an `async fn`.
const RESUMED: &str = "core::panicking::panic_const::panic_const_async_fn_resumed";
/// What that calls, and the panic handler.
const MACHINERY: [&str; 2] = ["core::panicking::panic_fmt", "__rustc::rust_begin_unwind"];
const PANICS: [&str; 8] = [
    "core::panicking",
    "rust_begin_unwind",
    "unwrap_failed",
    "expect_failed",
    "core::slice::index::slice_",
    "slice_error_fail",
    "len_mismatch_fail",
    "panic_already",
];
/// What the compiler makes for a global allocator, and everything of the crate `alloc`.
const ALLOCATORS: [&str; 8] = [
    "alloc::alloc",
    "__rust_alloc",
    "__rust_realloc",
    "__rust_dealloc",
    "__rg_",
    "__rdl_",
    "GlobalAlloc",
    "alloc::raw_vec",
];
const C_ALLOCATORS: [&str; 4] = ["malloc", "calloc", "realloc", "free"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_panic_is_known_by_name() {
        assert!(is_panic("core::panicking::panic_bounds_check"));
        assert!(is_panic("core::option::expect_failed"));
        assert!(!is_panic("rpc_nostd::client::runner::Runner::run"));
    }

    #[test]
    fn allocators_are_known_by_name_and_nothing_else() {
        assert!(is_allocator("__rustc::__rust_alloc"));
        assert!(is_allocator("alloc::raw_vec::RawVecInner::grow_amortized"));
        assert!(is_allocator("malloc"));
        assert!(!is_allocator("rpc_nostd::slot::free"));
    }
}
