//! Finds `Spec:` comments, and tells what each of them claims.

/// One id in one comment.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Citation {
    pub(super) id: String,
    /// File and line.
    pub(super) place: String,
    pub(super) proof: Proof,
}

/// What a citation claims.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Proof {
    /// The code here sees to it.
    Enforced,
    /// The test of this name would fail without it.
    Tested(String),
}

/// All citations of one file, and complaints about comments that claim nothing.
pub(super) fn find(file: &str, text: &str) -> (Vec<Citation>, Vec<String>) {
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let all = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let tests_from = if is_test_file(file) {
        0
    } else {
        start_of_tests(&lines)
    };
    let (mut citations, mut complaints) = (Vec::new(), Vec::new());
    for (at, line) in lines.iter().enumerate() {
        let place = format!("{file}:{}", at + 1);
        let ids = match cited(line) {
            Ok(ids) => ids,
            Err(reason) => {
                complaints.push(format!("{place}: {reason}"));
                continue;
            }
        };
        if ids.is_empty() {
            continue;
        }
        let name = if at >= tests_from {
            test_below(&lines[at..], &all)
        } else {
            None
        };
        for id in ids {
            let proof = match &name {
                Some(name) => Proof::Tested(name.clone()),
                None if at < tests_from && ENFORCERS.iter().any(|folder| file.starts_with(folder)) => {
                    Proof::Enforced
                }
                None => {
                    complaints.push(format!("{place}: {id} is cited above nothing that is tested"));
                    continue;
                }
            };
            let place = place.clone();
            citations.push(Citation { id, place, proof });
        }
    }
    (citations, complaints)
}

/// True for lower-case words, digits and dots, joined by at least one `-`.
pub(super) fn is_id(text: &str) -> bool {
    let word = |word: &str| {
        !word.is_empty()
            && word
                .bytes()
                .all(|octet| octet.is_ascii_lowercase() || octet.is_ascii_digit() || octet == b'.')
    };
    text.contains('-') && text.split('-').all(word)
}

/// The ids on a comment line; none where it names a source instead.
fn cited(line: &str) -> Result<Vec<String>, String> {
    let Some((_, cited)) = line.strip_prefix("//").and_then(|line| line.split_once("Spec: ")) else {
        return Ok(Vec::new());
    };
    if SOURCES.iter().any(|source| cited.starts_with(source)) {
        return Ok(Vec::new());
    }
    let ids = cited.trim_end_matches('.').split(',').map(str::trim);
    ids.map(|id| {
        if is_id(id) {
            Ok(id.to_owned())
        } else {
            Err(format!(
                "`{id}` is no id; a source begins with one of {SOURCES:?}"
            ))
        }
    })
    .collect()
}

/// The test, or the named case of a table, that stands directly below the comment `lines[0]`. `all`: the file's words.
fn test_below(lines: &[&str], all: &str) -> Option<String> {
    let mut attributes = String::new();
    let mut open = 0_usize;
    for (at, line) in lines.iter().enumerate() {
        if open > 0 || line.starts_with("#[") {
            attributes.push_str(line);
            open = (open + line.matches('[').count()).saturating_sub(line.matches(']').count());
        } else if !line.starts_with("//") {
            let is_test = attributes.contains("#[test]") || attributes.contains("::test]");
            if is_test {
                let runs = !attributes.contains("#[ignore");
                return line
                    .split_once("fn ")
                    .filter(|_| runs)
                    .map(|(_, name)| until_bracket(name));
            }
            return case_name(&lines[at..]).or_else(|| case_of_function(line, all));
        }
    }
    None
}

/// The first string of a table's entry, which is its name. No statement and no item is an entry.
fn case_name(lines: &[&str]) -> Option<String> {
    let first = lines.first()?.split([' ', '!']).next()?;
    if NO_CASES.contains(&first) {
        return None;
    }
    let (_, rest) = lines
        .iter()
        .take(CASE_LINES)
        .find_map(|line| line.split_once('"'))?;
    rest.split_once('"').map(|(name, _)| format!("\"{name}\""))
}

/// The name of the case, in a table of the same file, that runs the function whose first line this is.
fn case_of_function(line: &str, all: &str) -> Option<String> {
    let (_, function) = line.split_once("fn ")?;
    let function = until_bracket(function);
    let entry = |field: &str, end: &str| all.find(&format!("\", {field}{function}{end}"));
    let tuple = [")", ", )"].iter().find_map(|end| entry("", end));
    let field = || [" }", ", }"].iter().find_map(|end| entry("run: ", end));
    let at = tuple.or_else(field).or_else(|| entry("run: || ", "("))?;
    let (_, name) = all.get(..at)?.rsplit_once('"')?;
    Some(format!("\"{name}\""))
}

fn until_bracket(text: &str) -> String {
    text.chars()
        .take_while(|next| *next != '(' && *next != '<')
        .collect()
}

fn is_test_file(file: &str) -> bool {
    let mut parts = file.rsplit('/');
    parts.next() == Some("tests.rs") || parts.any(|folder| folder == "tests")
}

/// Where the file's module of tests begins: it is the last thing in a file.
fn start_of_tests(lines: &[&str]) -> usize {
    let module =
        |pair: &[&str]| pair[0] == "#[cfg(test)]" && pair[1].starts_with("mod ") && pair[1].ends_with('{');
    lines.windows(2).position(module).unwrap_or(lines.len())
}

/// Where a citation says that the code there enforces a rule.
const ENFORCERS: [&str; 4] = ["hpack/src/", "h2-lite/src/", "rpc-nostd/src/", "codegen/src/"];

/// How a comment begins that names a document instead of ids.
const SOURCES: [&str; 4] = ["RFC ", "gRPC ", "gRFC ", "Protocol Buffers "];

/// What begins a statement or an item.
const NO_CASES: [&str; 16] = [
    "fn",
    "pub",
    "async",
    "mod",
    "use",
    "const",
    "static",
    "struct",
    "enum",
    "impl",
    "let",
    "for",
    "if",
    "assert",
    "assert_eq",
    "}",
];

/// Lines of a table's entry among which its name is.
const CASE_LINES: usize = 3;

#[cfg(test)]
mod tests {
    use super::*;

    fn proofs(file: &str, text: &str) -> Vec<(String, Proof)> {
        let (citations, complaints) = find(file, text);
        assert_eq!(complaints, Vec::<String>::new());
        citations
            .into_iter()
            .map(|citation| (citation.id, citation.proof))
            .collect()
    }

    fn tested(id: &str, name: &str) -> (String, Proof) {
        (id.to_owned(), Proof::Tested(name.to_owned()))
    }

    #[test]
    fn find_in_code_is_enforced_by_comment_or_doc() {
        let text = "    // Spec: a-1, a-2\n    let a = 1;\n/// Sends. Spec: a-3.\nfn send() {}";
        let ids: Vec<_> = proofs("h2-lite/src/a.rs", text);
        assert_eq!(
            ids,
            ["a-1", "a-2", "a-3"].map(|id| (id.to_owned(), Proof::Enforced))
        );
    }

    #[test]
    fn find_above_test_is_tested_whatever_stands_between() {
        let text =
            "// Spec: a-1\n/// More.\n#[test]\n#[cfg_attr(\n    miri,\n    ignore\n)]\nfn proves_it() {}";
        assert_eq!(proofs("h2-lite/tests/a.rs", text), [tested("a-1", "proves_it")]);
        let text = "fn f() {}\n#[cfg(test)]\nmod tests {\n    // Spec: a-1\n    #[tokio::test]\n    async fn proves_it() {}\n}";
        assert_eq!(proofs("h2-lite/src/a.rs", text), [tested("a-1", "proves_it")]);
    }

    #[test]
    fn find_above_named_case_is_tested() {
        let text = "    // Spec: a-1\n    (\n        \"name of the case\",\n        7,\n    ),";
        assert_eq!(
            proofs("tests/wire/tests/a.rs", text),
            [tested("a-1", "\"name of the case\"")]
        );
    }

    #[test]
    fn find_above_the_function_of_a_named_case_is_tested() {
        let table = "const CASES: &[Case] = &[Case::new(\n    \"group/name\",\n    proves_it,\n)];";
        let text =
            format!("{table}\n// Spec: a-1\nfn proves_it(peer: &mut Peer) -> Verdict {{\n    helper()\n}}");
        assert_eq!(
            proofs("tests/conformance/src/cases/a.rs", &text),
            [tested("a-1", "\"group/name\"")]
        );
        let fields = text.replace("Case::new(\n    \"", "Case {\n    name: \"");
        let fields = fields.replace("    proves_it,\n)", "    run: proves_it,\n}");
        assert_eq!(proofs("tests/conformance/src/a.rs", &fields).len(), 1);
        let closure = fields.replace("proves_it,", "|| proves_it(7),");
        assert_eq!(proofs("tests/conformance/src/a.rs", &closure).len(), 1);
        let text = text.replace("proves_it,", "other,");
        assert_eq!(find("tests/conformance/src/cases/a.rs", &text).1.len(), 1);
    }

    #[test]
    fn find_above_anything_else_in_tests_is_a_complaint() {
        for text in [
            "// Spec: a-1\nfn helper() {}",
            "// Spec: a-1\n#[test]\n#[ignore]\nfn never_runs() {}",
            "// Spec: a-1\nassert_eq!(1, 1, \"text\");",
            "//! Spec: a-1",
        ] {
            let (citations, complaints) = find("tests/wire/tests/a.rs", text);
            assert_eq!(citations, []);
            assert_eq!(
                complaints,
                ["tests/wire/tests/a.rs:1: a-1 is cited above nothing that is tested"]
            );
        }
        assert_eq!(find("xtask/src/a.rs", "// Spec: a-1\nlet a = 1;").1.len(), 1);
    }

    #[test]
    fn find_skips_sources_and_complains_of_what_is_neither() {
        assert_eq!(
            proofs(
                "hpack/src/a.rs",
                "//! Spec: RFC 9113 section 6.5.\n// Spec: gRPC keepalive.md"
            ),
            []
        );
        let (citations, complaints) = find("hpack/src/a.rs", "// Spec: H2-6.5\nlet a = 1;");
        assert_eq!(citations, []);
        assert!(
            complaints[0].starts_with("hpack/src/a.rs:1: `H2-6.5` is no id"),
            "{complaints:?}"
        );
    }
}
