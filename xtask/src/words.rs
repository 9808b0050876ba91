//! Lines that programs write for programs: words `key=value`, separated by spaces.

/// The value of `key`, up to the next space.
pub(crate) fn value<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    let mut words = text.split_whitespace();
    words.find_map(|word| word.strip_prefix(key)?.strip_prefix('='))
}

/// As [`value`], where it is a whole number.
pub(crate) fn number(text: &str, key: &str) -> Option<u64> {
    value(text, key)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn value_is_of_the_whole_key() {
        let text = "after_ms=500 ms=7 name=a=b";
        assert_eq!(number(text, "ms"), Some(7));
        assert_eq!(value(text, "name"), Some("a=b"));
        assert_eq!(value(text, "after"), None);
        assert_eq!(number(text, "name"), None);
    }
}
