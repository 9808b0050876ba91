//! What protoc sends.

use std::path::PathBuf;

use prost::Message;
use prost::bytes::Bytes;
use prost_types::{FileDescriptorProto, FileDescriptorSet};
use protox::file::{FileResolver, GoogleFileResolver};
use protox::prost_reflect::DescriptorPool;

use crate::error::{Error, Place, Problem};
use crate::source::{SourceFile, Sources};

/// A `CodeGeneratorRequest`. The files stay encoded: decoded, they would lose the options that other files define.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Request {
    #[prost(string, repeated, tag = "1")]
    pub(super) file_to_generate: Vec<String>,
    #[prost(string, optional, tag = "2")]
    pub(super) parameter: Option<String>,
    /// Imports come before the files that import them.
    #[prost(bytes = "bytes", repeated, tag = "15")]
    proto_file: Vec<Bytes>,
}

/// A `FileDescriptorSet`.
#[derive(Clone, PartialEq, Message)]
struct EncodedSet {
    #[prost(bytes = "bytes", repeated, tag = "1")]
    file: Vec<Bytes>,
}

impl Request {
    /// The files as if they had been parsed here, `proto_paths` being the include folders.
    pub(super) fn sources(&self, proto_paths: &[PathBuf]) -> Result<Sources, Error> {
        for folder in proto_paths {
            crate::source::check_folder(folder)?;
        }
        let mut set = EncodedSet::default();
        let mut files = Vec::new();
        for encoded in &self.proto_file {
            let proto = FileDescriptorProto::decode(encoded.clone()).map_err(unusable)?;
            let name = proto.name().to_owned();
            let path = proto_paths
                .iter()
                .map(|folder| folder.join(&name))
                .find(|path| path.is_file());
            // Without a file of their own, the well-known types are the ones that come with the parser, as everywhere.
            let own = path.is_none().then(|| GoogleFileResolver::new().open_file(&name));
            set.file.push(match own {
                Some(Ok(own)) => own.file_descriptor_proto().encode_to_vec().into(),
                _ => encoded.clone(),
            });
            let is_import = !self.asked_for(&name);
            if !is_import && path.is_none() {
                return Err(not_below(&name, proto_paths));
            }
            files.push(SourceFile {
                name,
                path,
                is_import,
            });
        }
        if let Some(missing) = self.missing(&files) {
            return Err(Problem::Proto {
                place: Place::new(missing, None),
                text: "protoc asks for it, but does not send it".to_owned(),
            }
            .into());
        }
        let encoded = set.encode_to_vec();
        // Whatever follows may trust in names that are found and numbers that fit.
        DescriptorPool::decode(encoded.as_slice()).map_err(unusable)?;
        Ok(Sources {
            set: FileDescriptorSet::decode(encoded.as_slice()).map_err(unusable)?,
            encoded,
            files,
        })
    }

    fn asked_for(&self, name: &str) -> bool {
        self.file_to_generate.iter().any(|asked_for| asked_for == name)
    }

    fn missing(&self, files: &[SourceFile]) -> Option<&str> {
        let mut asked_for = self.file_to_generate.iter();
        let missing = asked_for.find(|name| files.iter().all(|file| file.name != **name));
        missing.map(String::as_str)
    }
}

fn not_below(name: &str, proto_paths: &[PathBuf]) -> Error {
    let folders: Vec<String> = proto_paths
        .iter()
        .map(|folder| crate::error::shown(folder))
        .collect();
    let text = format!(
        "no such file below {}, so that no capacity file beside it can be found; name the folders that protoc gets by -I \
         here too, by --rpc-nostd_opt=proto_path=FOLDER",
        folders.join(", ")
    );
    let place = Place::new(name, None);
    Problem::Proto { place, text }.into()
}

fn unusable(error: impl std::fmt::Display) -> Error {
    Problem::Usage(format!("protoc sends files that cannot be used: {error}")).into()
}
