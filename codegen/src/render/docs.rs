//! Makes rustdoc show the comments of a `.proto` as they were meant.
//!
//! rustdoc reads comments as Markdown with links, and compiles what is indented or fenced as Rust. Comments of
//! a `.proto` are written for people: brackets, angle brackets and indentation are just that.

/// Lines of a comment as lines of a doc comment.
pub(crate) fn to_rustdoc(lines: &[String]) -> Vec<String> {
    let mut fence: Option<&'static str> = None;
    let mut item_column: Option<usize> = None;
    let mut out = Vec::new();
    for line in lines {
        let line = line.replace('\t', "    ");
        let text = line.trim_start();
        let indent = line.len() - text.len();
        item_column = match list_mark(text) {
            _ if text.is_empty() => None,
            0 => item_column,
            mark => Some(indent.clamp(1, MAX_INDENT) + mark),
        };
        let mark = ["```", "~~~"].into_iter().find(|mark| text.starts_with(mark));
        out.push(match (fence, mark) {
            (None, Some(mark)) => {
                fence = Some(mark);
                format!(" {mark}text")
            }
            (Some(open), Some(mark)) if open == mark => {
                fence = None;
                format!(" {mark}")
            }
            (Some(_), _) => line.trim_end().to_owned(),
            (None, None) if text.is_empty() => String::new(),
            (None, None) => {
                // Four columns after the first blank would be a code block; less than the list item's text
                // would leave the list.
                let column = item_column.filter(|_| list_mark(text) == 0);
                let column = column.unwrap_or(indent.clamp(1, MAX_INDENT));
                format!("{}{}", " ".repeat(column), escape(text.trim_end()))
            }
        });
    }
    out.extend(fence.map(|mark| format!(" {mark}")));
    out
}

/// Length of the mark of a list item with the blank after it; 0 if `text` starts none.
fn list_mark(text: &str) -> usize {
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (mark, rest) = text.split_at(digits);
    let is_item = match mark {
        "" => ["- ", "* ", "+ "].iter().any(|bullet| rest.starts_with(bullet)),
        _ => rest.starts_with(". ") || rest.starts_with(") "),
    };
    if is_item { digits + 2 } else { 0 }
}

/// Escapes what Markdown or rustdoc would take for links and tags, outside of `code`; makes addresses links.
fn escape(text: &str) -> String {
    let mut out = String::new();
    // An odd number of marks leaves the last one without a partner: then it starts no code.
    let marks = text.matches('`').count();
    for (index, part) in text.split('`').enumerate() {
        let is_code = index % 2 == 1 && index < marks;
        if index > 0 {
            out.push_str(if !is_code && index % 2 == 1 { "\\`" } else { "`" });
        }
        if is_code {
            out.push_str(part)
        } else {
            escape_prose(part, &mut out)
        }
    }
    out
}

fn escape_prose(mut text: &str, out: &mut String) {
    while let Some(next) = text.chars().next() {
        if text.starts_with("http://") || text.starts_with("https://") {
            let end = text
                .find(|c: char| c.is_whitespace() || "<>()[]\"'`".contains(c))
                .unwrap_or(text.len());
            let address = text[..end].trim_end_matches(['.', ',', ';', ':', '!', '?']);
            out.push_str(&format!("<{address}>"));
            text = &text[address.len()..];
            continue;
        }
        if "<>[]".contains(next) {
            out.push('\\');
        }
        out.push(next);
        text = &text[next.len_utf8()..];
    }
}

/// Deepest indentation of prose, the blank after the comment mark included.
const MAX_INDENT: usize = 4;

#[cfg(test)]
mod tests {
    use super::to_rustdoc;

    fn one(line: &str) -> String {
        to_rustdoc(&[line.to_owned()]).concat()
    }

    #[test]
    fn brackets_and_tags_are_escaped_outside_of_code() {
        assert_eq!(
            one(" from [0..5] to <b>, `[a]` stays"),
            r" from \[0..5\] to \<b\>, `[a]` stays"
        );
    }

    #[test]
    fn lone_backtick_starts_no_code() {
        assert_eq!(one(" `a` and ` [b]"), r" `a` and \` \[b\]");
    }

    #[test]
    fn address_becomes_a_link_without_its_full_stop() {
        assert_eq!(
            one(" see https://example.com/a_b."),
            " see <https://example.com/a_b>."
        );
    }

    #[test]
    fn indented_line_is_no_code_block() {
        assert_eq!(one("      let x = 1;"), "    let x = 1;");
        assert_eq!(one("\tx"), "    x");
    }

    #[test]
    fn list_item_goes_on_under_its_text() {
        let lines: Vec<String> = [" - a", " b", "", " 12. c", "   d", " - e"]
            .map(str::to_owned)
            .into();
        assert_eq!(
            to_rustdoc(&lines),
            [" - a", "   b", "", " 12. c", "     d", " - e"]
        );
    }

    #[test]
    fn fenced_code_is_not_compiled_and_is_closed() {
        let lines: Vec<String> = [" ```", " a[0]", " ```rust"].map(str::to_owned).into();
        assert_eq!(to_rustdoc(&lines), [" ```text", " a[0]", " ```"]);
        assert_eq!(to_rustdoc(&lines[..2]), [" ```text", " a[0]", " ```"]);
    }
}
