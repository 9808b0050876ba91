//! Which sides of which services are generated.

use crate::error::Problem;
use crate::schema::{Schema, Service};

/// Clients and servers, each of some services.
#[derive(Debug, Clone, Default)]
pub(crate) struct Roles {
    pub(crate) clients: Chosen,
    pub(crate) servers: Chosen,
}

/// The services for which one side is generated.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) enum Chosen {
    #[default]
    All,
    None,
    /// Those of these names, with or without packages.
    Only(Vec<String>),
}

impl Roles {
    pub(crate) fn has_client(&self, service: &Service) -> bool {
        self.clients.has(service)
    }

    pub(crate) fn has_server(&self, service: &Service) -> bool {
        self.servers.has(service)
    }

    /// Names that were chosen and that no service has.
    pub(crate) fn check(&self, schema: &Schema, problems: &mut Vec<Problem>) {
        let sides = [("clients", &self.clients), ("servers", &self.servers)];
        let asked_for: Vec<&Service> = schema
            .files
            .iter()
            .filter(|file| !file.is_import)
            .flat_map(|file| &file.services)
            .collect();
        for (side, chosen) in sides {
            let Chosen::Only(names) = chosen else { continue };
            for name in names {
                if !asked_for.iter().any(|service| is_named(service, name)) {
                    let known: Vec<String> = asked_for
                        .iter()
                        .map(|service| format!("`{}`", service.full_name))
                        .collect();
                    let known = match known.as_slice() {
                        [] => "these files have no services".to_owned(),
                        known => format!("these files have {}", known.join(", ")),
                    };
                    problems.push(Problem::Usage(format!(
                        "no service `{name}`, for which alone {side} were asked; {known}"
                    )));
                }
            }
        }
    }
}

impl Chosen {
    fn has(&self, service: &Service) -> bool {
        match self {
            Self::All => true,
            Self::None => false,
            Self::Only(names) => names.iter().any(|name| is_named(service, name)),
        }
    }

    /// Adds names; `All` and `None` become these names alone.
    pub(crate) fn add(&mut self, names: impl IntoIterator<Item = String>) {
        if !matches!(self, Self::Only(_)) {
            *self = Self::Only(Vec::new());
        }
        if let Self::Only(all) = self {
            all.extend(names);
        }
    }

    pub(crate) fn all_or_none(all: bool) -> Self {
        if all { Self::All } else { Self::None }
    }
}

/// A name with all of its packages, or with the last of them, or with none.
fn is_named(service: &Service, name: &str) -> bool {
    let rest = service.full_name.strip_suffix(name);
    rest.is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}
