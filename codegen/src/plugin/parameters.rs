//! The parameters that come with a request: `--rpc-nostd_opt=name=value,name=value`.

use std::path::PathBuf;

use crate::builder::Builder;
use crate::capacity::CapacityOf;
use crate::error::{Error, Problem};

pub(super) struct Parameters {
    pub(super) builder: Builder,
    /// Folders below which the `.proto` files lie, and the capacity files beside them.
    pub(super) proto_paths: Vec<PathBuf>,
}

impl Parameters {
    pub(super) fn parse(text: &str) -> Result<Self, Error> {
        let mut parameters = Self {
            builder: Builder::new(),
            proto_paths: Vec::new(),
        };
        let mut problems = Vec::new();
        for parameter in text.split(',').filter(|parameter| !parameter.is_empty()) {
            let (name, value) = match parameter.split_once('=') {
                Some((name, value)) => (name, Some(value)),
                None => (parameter, None),
            };
            if let Err(text) = parameters.set(name, value) {
                problems.push(Problem::Usage(format!("parameter `{parameter}`: {text}")));
            }
        }
        Error::check(problems)?;
        if parameters.proto_paths.is_empty() {
            parameters.proto_paths.push(".".into());
        }
        Ok(parameters)
    }

    fn set(&mut self, name: &str, value: Option<&str>) -> Result<(), String> {
        let builder = std::mem::take(&mut self.builder);
        self.builder = match name {
            "proto_path" => {
                self.proto_paths.push(text(value, "a folder")?.into());
                builder
            }
            "out_file" => builder.out_file(text(value, "a file name")?),
            "client" => builder.client(flag(value)?),
            "server" => builder.server(flag(value)?),
            "client_for" => builder.client_for([text(value, "a service")?]),
            "server_for" => builder.server_for([text(value, "a service")?]),
            "defmt_feature" => builder.defmt_feature(text(value, "a feature of your crate")?),
            "descriptors" => builder.descriptors(flag(value)?),
            _ if name.starts_with(DEFAULT) => {
                let of: CapacityOf = name.trim_start_matches(DEFAULT).parse()?;
                let number = text(value, "a number")?;
                let number = number
                    .parse()
                    .map_err(|_| format!("its value is a number from 1 to {}", u32::MAX))?;
                builder.default_capacity(of, number)
            }
            _ => return Err(format!("there is no `{name}`; there are {KNOWN}")),
        };
        Ok(())
    }
}

fn text<'a>(value: Option<&'a str>, what: &str) -> Result<&'a str, String> {
    value
        .filter(|value| !value.is_empty())
        .ok_or_else(|| format!("its value is missing: {what}"))
}

fn flag(value: Option<&str>) -> Result<bool, String> {
    match value {
        None | Some("true") => Ok(true),
        Some("false") => Ok(false),
        Some(_) => Err("its value is true or false".to_owned()),
    }
}

const KNOWN: &str = "proto_path, out_file, client, server, client_for, server_for, defmt_feature, descriptors, \
                     default_string, default_bytes, default_repeated, default_map, default_elem, default_key, default_value";
const DEFAULT: &str = "default_";
