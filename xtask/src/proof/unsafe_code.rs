//! Shows that there is no unsafe code in the crates that users get, nor in what is generated for them.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, anyhow, ensure};
use proc_macro2::{TokenStream, TokenTree};

use crate::workspace::{PUBLISHED, Workspace};

/// Every crate forbids it, so that the compiler refuses it, and no file has any: neither of theirs, nor of the golden
/// output of the generator.
///
/// # Errors
/// Names the file.
pub(crate) fn check(workspace: &Workspace) -> Result<()> {
    let mut files = 0;
    for published in PUBLISHED.iter().filter(|published| published.no_std) {
        let sources = workspace.root.join(published.folder).join("src");
        let root = fs::read_to_string(sources.join("lib.rs"))?;
        ensure!(
            forbids_unsafe(&root)?,
            "{}/src/lib.rs lacks #![forbid(unsafe_code)]",
            published.folder
        );
        files += check_folder(&sources)?;
    }
    let generated = check_folder(&workspace.root.join("codegen/tests/golden"))?;
    ensure!(generated > 0, "no generated files in codegen/tests/golden");
    println!("    {files} files of ours, {generated} generated ones");
    Ok(())
}

fn forbids_unsafe(text: &str) -> Result<bool> {
    let file = syn::parse_file(text)?;
    Ok(file.attrs.iter().any(|attribute| {
        let is_forbid = attribute.path().is_ident("forbid");
        is_forbid
            && attribute
                .parse_args::<syn::Path>()
                .is_ok_and(|lint| lint.is_ident("unsafe_code"))
    }))
}

/// Returns how many files there are.
fn check_folder(folder: &Path) -> Result<usize> {
    let mut files = 0;
    for entry in fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let path = entry?.path();
        if path.is_dir() {
            files += check_folder(&path)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files += 1;
            let text = fs::read_to_string(&path)?;
            let found = unsafe_in(&text).with_context(|| path.display().to_string())?;
            ensure!(found == 0, "{}: {found} uses of unsafe", path.display());
        }
    }
    Ok(files)
}

/// How often the keyword stands in a text, comments and strings aside.
fn unsafe_in(text: &str) -> Result<usize> {
    let tokens: TokenStream = text.parse().map_err(|error| anyhow!("not Rust: {error}"))?;
    Ok(count(tokens))
}

fn count(tokens: TokenStream) -> usize {
    tokens
        .into_iter()
        .map(|token| match token {
            TokenTree::Group(group) => count(group.stream()),
            TokenTree::Ident(word) => usize::from(word == "unsafe"),
            TokenTree::Punct(_) | TokenTree::Literal(_) => 0,
        })
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unsafe_in_code_is_found_in_every_place_and_not_in_text() {
        assert_eq!(unsafe_in("fn f() { unsafe { g() } }").unwrap(), 1);
        assert_eq!(unsafe_in("unsafe fn f() {}").unwrap(), 1);
        assert_eq!(unsafe_in("unsafe impl Send for A {}").unwrap(), 1);
        assert_eq!(unsafe_in("/// unsafe\nfn f() { \"unsafe\"; }").unwrap(), 0);
    }

    #[test]
    fn forbids_unsafe_only_by_the_attribute_of_the_crate() {
        assert!(forbids_unsafe("#![forbid(unsafe_code)]\nfn f() {}").unwrap());
        assert!(!forbids_unsafe("#![deny(unsafe_code)]\nfn f() {}").unwrap());
        assert!(!forbids_unsafe("//! #![forbid(unsafe_code)]").unwrap());
    }
}
