//! The list of requirements: one line each, in sections.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use toml::{Table, Value};

/// The list, below the root.
pub(super) const FILE: &str = "tests/requirements.toml";

/// All requirements, in the order of the file.
pub(super) struct Requirements {
    pub(super) sections: Vec<Section>,
    /// What is not built yet, and why.
    pub(super) later: Vec<(String, String)>,
}

/// Requirements that belong together.
pub(super) struct Section {
    pub(super) name: String,
    pub(super) requirements: Vec<Requirement>,
}

/// One rule that can be checked.
pub(super) struct Requirement {
    pub(super) id: String,
    pub(super) role: String,
    pub(super) source: String,
    pub(super) text: String,
    /// Why no code is needed for it.
    pub(super) absence: Option<String>,
    /// A whole behaviour, which no single place brings about.
    pub(super) tests_only: bool,
}

impl Requirements {
    pub(super) fn read(path: &Path) -> Result<Self> {
        let text = fs::read_to_string(path).with_context(|| path.display().to_string())?;
        Self::parse(&text).with_context(|| path.display().to_string())
    }

    pub(super) fn parse(text: &str) -> Result<Self> {
        let (mut sections, mut later) = (Vec::<Section>::new(), Vec::new());
        for (name, entries) in text.parse::<Table>()? {
            let Value::Table(entries) = entries else {
                bail!("{name} stands outside of any section");
            };
            if name == LATER {
                for (id, entry) in entries {
                    let reason = field(&entry, "reason").with_context(|| id.clone())?;
                    field(&entry, "source").with_context(|| id.clone())?;
                    later.push((id, reason));
                }
                continue;
            }
            let requirements = entries
                .into_iter()
                .map(|(id, entry)| requirement(&id, &entry).with_context(|| id.clone()));
            sections.push(Section {
                name,
                requirements: requirements.collect::<Result<_>>()?,
            });
        }
        let all = Self { sections, later };
        for (at, requirement) in all.all().enumerate() {
            let id = &requirement.id;
            let twice = all.all().skip(at + 1).any(|other| other.id == *id) || all.later(id).is_some();
            ensure!(!twice, "{id} stands in two sections");
        }
        Ok(all)
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &Requirement> {
        self.sections.iter().flat_map(|section| &section.requirements)
    }

    pub(super) fn get(&self, id: &str) -> Option<&Requirement> {
        self.all().find(|requirement| requirement.id == id)
    }

    /// Why the requirement is not built yet, if it is put off.
    pub(super) fn later(&self, id: &str) -> Option<&str> {
        let entry = self.later.iter().find(|(later, _)| later == id);
        entry.map(|(_, reason)| reason.as_str())
    }
}

fn requirement(id: &str, entry: &Value) -> Result<Requirement> {
    ensure!(
        super::citations::is_id(id),
        "an id is lower-case words joined by -"
    );
    let table = entry.as_table().context("wants { role, source, level, text }")?;
    for key in table.keys() {
        ensure!(
            KEYS.contains(&key.as_str()),
            "unknown key {key}; there are {KEYS:?}"
        );
    }
    let role = field(entry, "role")?;
    ensure!(ROLES.contains(&role.as_str()), "role is one of {ROLES:?}");
    let level = field(entry, "level")?;
    ensure!(LEVELS.contains(&level.as_str()), "level is one of {LEVELS:?}");
    let absence = table
        .get("enforced")
        .map(|_| field(entry, "enforced"))
        .transpose()?;
    if let Some(reason) = &absence {
        ensure!(
            reason.starts_with(ABSENCE),
            "`enforced` may only say {ABSENCE:?} and the reason; code is cited where it is"
        );
    }
    let tests = table.get("tests").map(|_| field(entry, "tests")).transpose()?;
    ensure!(
        tests.as_deref().is_none_or(|tests| tests == "only"),
        "`tests` may only say \"only\""
    );
    Ok(Requirement {
        id: id.to_owned(),
        role,
        source: field(entry, "source")?,
        text: field(entry, "text")?,
        absence,
        tests_only: tests.is_some(),
    })
}

fn field(entry: &Value, key: &str) -> Result<String> {
    let text = entry.get(key).and_then(Value::as_str).map(str::trim);
    match text {
        Some(text) if !text.is_empty() => Ok(text.to_owned()),
        _ => bail!("lacks {key}"),
    }
}

/// The section of what is not built yet.
const LATER: &str = "later";
const KEYS: [&str; 6] = ["role", "source", "level", "text", "enforced", "tests"];
const ROLES: [&str; 3] = ["client", "server", "both"];
const LEVELS: [&str; 3] = ["must", "should", "may"];
const ABSENCE: &str = "by absence: ";

#[cfg(test)]
mod tests {
    use super::*;

    fn error_of(entry: &str) -> String {
        let Err(error) = Requirements::parse(entry) else {
            return String::new();
        };
        format!("{error:#}")
    }

    #[test]
    fn parse_keeps_the_order_of_the_file() {
        let text = "[Z]\nb-1 = { role = 'both', source = 'S', level = 'must', text = 'T' }\n\
                    a-1 = { role = 'both', source = 'S', level = 'may', text = 'T' }\n[A]";
        let requirements = Requirements::parse(text).unwrap();
        let ids: Vec<&str> = requirements
            .all()
            .map(|requirement| requirement.id.as_str())
            .collect();
        assert_eq!(ids, ["b-1", "a-1"]);
        assert_eq!(requirements.sections[1].name, "A");
    }

    #[test]
    fn parse_names_the_entry_and_what_is_wrong_with_it() {
        let entry =
            |rest: &str| format!("[A]\na-1 = {{ role = 'both', source = 'S', level = 'must'{rest} }}");
        assert_eq!(error_of(&entry(", text = 'T'")), "");
        assert_eq!(error_of(&entry("")), "a-1: lacks text");
        assert!(error_of(&entry(", text = 'T', txet = 'T'")).starts_with("a-1: unknown key txet"));
        assert!(error_of(&entry(", text = 'T', enforced = 'somewhere'")).contains("by absence"));
        assert!(error_of("[A]\nA_1 = {}").contains("lower-case"));
        let twice = format!(
            "{}\n[B]\na-1 = {{ role = 'both', source = 'S', level = 'must', text = 'T' }}",
            entry(", text = 'T'")
        );
        assert_eq!(error_of(&twice), "a-1 stands in two sections");
    }

    #[test]
    fn the_list_in_this_repository_is_well_formed() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(FILE);
        let requirements = Requirements::read(&path).unwrap();
        assert!(requirements.get("h2-6.5-length").is_some());
    }
}
