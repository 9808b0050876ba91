//! Reads `.proto` files and what they import, with protox: no `protoc` is needed.

use std::path::{Path, PathBuf};

use prost_types::{DescriptorProto, FieldDescriptorProto, FileDescriptorProto};
use protox::Compiler;
use protox::file::{ChainFileResolver, File, FileResolver, GoogleFileResolver, IncludeFileResolver};

use crate::capacity::{OPTIONS_NAME, OPTIONS_PROTO};
use crate::error::{Error, Place, Problem};
use crate::limits::LimitedResolver;

/// Parsed and resolved files.
pub(crate) struct Sources {
    /// The descriptor set as bytes: what protoc would have written, comments included.
    pub(crate) encoded: Vec<u8>,
    /// The same, decoded.
    pub(crate) set: prost_types::FileDescriptorSet,
    /// One for each file of the set, in its order: imports come before the files that import them.
    pub(crate) files: Vec<SourceFile>,
}

/// Where a file of the set came from.
pub(crate) struct SourceFile {
    /// Import name, for example `telemetry/v1/telemetry.proto`.
    pub(crate) name: String,
    /// Where it lies; `None` for the files of Google that protox carries inside.
    pub(crate) path: Option<PathBuf>,
    /// True if it was not asked for, only imported.
    pub(crate) is_import: bool,
}

impl SourceFile {
    /// What messages call it.
    pub(crate) fn shown_path(&self) -> PathBuf {
        self.path.clone().unwrap_or_else(|| PathBuf::from(&self.name))
    }
}

impl Sources {
    /// Reads `protos`, each of which lies under one of `includes`.
    pub(crate) fn load(protos: &[PathBuf], includes: &[PathBuf]) -> Result<Self, Error> {
        if protos.is_empty() {
            return Err(Problem::Usage("no .proto file was named: name at least one".into()).into());
        }
        for include in includes {
            check_folder(include)?;
        }
        for proto in protos {
            if !proto.is_file() && !includes.iter().any(|folder| folder.join(proto).is_file()) {
                return Err(Problem::Usage(format!("{}: no such file", crate::error::shown(proto))).into());
            }
        }
        let mut resolver = ChainFileResolver::new();
        for include in includes {
            resolver.add(IncludeFileResolver::new(include.clone()));
        }
        resolver.add(OptionsResolver);
        resolver.add(GoogleFileResolver::new());
        let (resolver, refusal) = LimitedResolver::new(resolver, includes);
        let mut compiler = Compiler::with_file_resolver(resolver);
        compiler.include_imports(true).include_source_info(true);
        for proto in protos {
            compiler
                .open_file(proto)
                .map_err(|error| refusal.take().unwrap_or_else(|| problem_of(&error, includes)))?;
        }
        let files = compiler
            .files()
            .map(|file| SourceFile {
                name: file.name().to_owned(),
                path: file.path().map(Path::to_owned),
                is_import: file.is_import(),
            })
            .collect();
        Ok(Self {
            encoded: compiler.encode_file_descriptor_set(),
            set: compiler.file_descriptor_set(),
            files,
        })
    }

    /// Checks that the options file, if it was imported, is ours: a copy may lie in an include folder, for protoc.
    pub(crate) fn check_options_file(&self) -> Result<(), Error> {
        let mut files = self.set.file.iter().zip(&self.files);
        let Some((found, source)) = files.find(|(_, source)| source.name == OPTIONS_NAME) else {
            return Ok(());
        };
        let ours = protox_options()?;
        if declared(found) == declared(&ours) {
            return Ok(());
        }
        Err(Problem::Proto {
            place: Place::new(source.shown_path(), Some(1)),
            text: format!(
                "is not the options file of this version of rpc-nostd-codegen, but would be taken for it by `import \
                 \"{OPTIONS_NAME}\"`; remove it, since none is needed here, or copy the one of this version over it, \
                 which `rpc-nostd-codegen options` prints"
            ),
        }
        .into())
    }
}

/// Finds our options file, which lies in no folder.
struct OptionsResolver;

impl FileResolver for OptionsResolver {
    fn open_file(&self, name: &str) -> Result<File, protox::Error> {
        if name == OPTIONS_NAME {
            File::from_source(name, OPTIONS_PROTO)
        } else {
            Err(protox::Error::file_not_found(name))
        }
    }
}

fn protox_options() -> Result<FileDescriptorProto, Error> {
    let file = File::from_source(OPTIONS_NAME, OPTIONS_PROTO);
    let file = file.map_err(|error| Problem::Usage(format!("{error}; please report this")))?;
    Ok(file.file_descriptor_proto().clone())
}

/// What matters of an options file: the extensions, and the fields of the messages.
fn declared(file: &FileDescriptorProto) -> Vec<String> {
    let of_field = |scope: &str, field: &FieldDescriptorProto| {
        // Before names are resolved, one of the same file can be written without its package.
        let type_name = field.type_name().rsplit('.').next().unwrap_or_default();
        let kind = (field.label(), field.r#type.filter(|_| type_name.is_empty()));
        format!(
            "{scope}.{} = {} {type_name} {kind:?}",
            field.name(),
            field.number()
        )
    };
    let messages = file.message_type.iter();
    let fields = messages.flat_map(|message: &DescriptorProto| {
        let fields = message.field.iter();
        fields.map(move |field| of_field(message.name(), field))
    });
    let extensions = file.extension.iter().map(|field| {
        let extendee = field.extendee().trim_start_matches('.');
        of_field(extendee, field)
    });
    let mut all: Vec<String> = fields.chain(extensions).collect();
    all.push(file.package().to_owned());
    all.sort();
    all
}

/// Checks that an include path is there.
pub(crate) fn check_folder(folder: &Path) -> Result<(), Error> {
    if folder.is_dir() {
        return Ok(());
    }
    Err(Problem::Usage(format!(
        "{}: no such folder: the include paths are the folders in which imports are looked up",
        crate::error::shown(folder)
    ))
    .into())
}

/// protox keeps the line inside its `Debug` text: `name:line:column: what`.
fn problem_of(error: &protox::Error, includes: &[PathBuf]) -> Problem {
    let Some(name) = error.file() else {
        return Problem::Usage(format!("{error}; name its folder as an include path"));
    };
    let path = includes
        .iter()
        .map(|folder| folder.join(name))
        .find(|path| path.is_file());
    let path = path.unwrap_or_else(|| PathBuf::from(name));
    if let Some(line) = line_of_bad_utf8(&path) {
        return Problem::Proto {
            place: Place::new(path, Some(line)),
            text: "is not valid UTF-8".into(),
        };
    }
    let debug = format!("{error:?}");
    let line = debug
        .strip_prefix(name)
        .and_then(|rest| rest.strip_prefix(':'))
        .and_then(|rest| rest.split(':').next())
        .and_then(|line| line.parse().ok());
    let text = error.to_string();
    Problem::Proto {
        place: Place::new(path, line),
        text: if text.ends_with(FOUND_EDITION) {
            NO_EDITIONS.to_owned()
        } else {
            text
        },
    }
}

fn line_of_bad_utf8(path: &Path) -> Option<u32> {
    let bytes = std::fs::read(path).ok()?;
    let error = std::str::from_utf8(&bytes).err()?;
    let newlines = bytes[..error.valid_up_to()]
        .iter()
        .filter(|&&byte| byte == b'\n')
        .count();
    u32::try_from(newlines + 1).ok()
}

/// How the parser's message ends where a file begins with `edition = "2023";`.
const FOUND_EDITION: &str = "but found 'edition'";
const NO_EDITIONS: &str = "editions are not supported; write `syntax = \"proto3\";` instead, with `optional` where a field \
                           that is absent must differ from one that is 0, or `syntax = \"proto2\";`, and leave out \
                           `option features`";
