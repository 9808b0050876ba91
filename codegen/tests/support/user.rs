//! A crate as a user would have it, compiled and run here.

use std::path::Path;
use std::process::Command;

/// Its files lie in a folder of their own.
pub(crate) struct UserCrate {
    folder: tempfile::TempDir,
}

impl UserCrate {
    /// With these files, given as name and content, and a manifest.
    pub(crate) fn new(name: &str, files: &[(&str, &str)]) -> Self {
        let manifest = manifest(name);
        let folder = super::folder(&[files, &[("Cargo.toml", manifest.as_str())]].concat());
        // The versions of this workspace, which are on this machine already.
        let lock = Path::new(env!("CARGO_MANIFEST_DIR")).join("../Cargo.lock");
        std::fs::copy(lock, folder.path().join("Cargo.lock")).unwrap();
        Self { folder }
    }

    /// Runs cargo on it, which must succeed.
    pub(crate) fn cargo(&self, arguments: &[&str]) {
        if let Err(errors) = self.try_cargo(arguments) {
            panic!("cargo {arguments:?}:\n{errors}");
        }
    }

    /// Runs cargo on it.
    pub(crate) fn try_cargo(&self, arguments: &[&str]) -> Result<(), String> {
        let run = |offline: &[&str]| {
            let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or("cargo".into()));
            cargo
                .args(arguments)
                .args(offline)
                .arg("--quiet")
                .current_dir(self.folder.path());
            cargo.env(
                "CARGO_TARGET_DIR",
                Path::new(env!("CARGO_TARGET_TMPDIR")).join("user-crate"),
            );
            cargo
                .env("RUSTDOCFLAGS", "-Dwarnings")
                .env_remove("RUSTFLAGS")
                .env_remove("OUT_DIR");
            cargo.output().unwrap()
        };
        let mut output = run(&["--offline"]);
        if !output.status.success() {
            output = run(&[]);
        }
        let errors = String::from_utf8_lossy(&output.stderr);
        if output.status.success() {
            Ok(())
        } else {
            Err(errors.into_owned())
        }
    }
}

fn manifest(name: &str) -> String {
    let runtime = Path::new(env!("CARGO_MANIFEST_DIR")).join("../rpc-nostd");
    let runtime = runtime.display().to_string();
    format!(
        r#"
[package]
name = "user-{name}"
version = "0.0.0"
edition = "2024"

[workspace]

[dependencies]
defmt = {{ version = "1", optional = true }}
rpc-nostd = {{ path = {runtime:?} }}

[features]
defmt = ["dep:defmt", "rpc-nostd/defmt"]

[lints.rust]
warnings = "deny"

[lints.clippy]
all = {{ level = "deny", priority = -1 }}
"#
    )
}

/// Types by which the user's crate encodes and decodes fields itself.
pub(crate) const SINKS: &str = r#"
use rpc_nostd::micropb::field::{FieldDecode, FieldEncode};
use rpc_nostd::micropb::{DecodeError, PbDecoder, PbEncoder, PbRead, PbWrite, Presence, Tag, WIRE_TYPE_LEN};

/// Field 4: sees a text as it passes, and keeps its length and the sum of its bytes. Sends as many `x`.
#[derive(Debug, Default, Clone, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct LogSink {
    /// Bytes of the text.
    pub len: usize,
    /// Their sum.
    pub sum: u32,
}

impl FieldDecode for LogSink {
    fn decode_field<R: PbRead>(
        &mut self,
        _: Tag,
        decoder: &mut PbDecoder<R>,
    ) -> Result<bool, DecodeError<R::Error>> {
        let mut text: rpc_nostd::heapless::Vec<u8, 64> = Default::default();
        decoder.decode_bytes(&mut text, Presence::Explicit)?;
        self.len = text.len();
        self.sum = text.iter().map(|octet| u32::from(*octet)).sum();
        Ok(true)
    }
}

impl FieldEncode for LogSink {
    const MAX_SIZE: Result<usize, &'static str> = Err("any length");

    fn encode_fields<W: PbWrite>(&self, encoder: &mut PbEncoder<W>) -> Result<(), W::Error> {
        let text: rpc_nostd::heapless::String<64> = core::iter::repeat_n('x', self.len.min(64)).collect();
        encoder.encode_tag(Tag::from_parts(4, WIRE_TYPE_LEN))?;
        encoder.encode_string(&text)
    }

    fn compute_fields_size(&self) -> usize {
        1 + rpc_nostd::micropb::size::sizeof_len_record(self.len)
    }
}

/// Field 12: lines that lie elsewhere, sent one after the other. Counts what comes in.
#[derive(Debug, Default, Clone, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Lines<'a> {
    /// To be sent.
    pub lines: &'a [&'a str],
    /// What came in.
    pub count: usize,
}

impl FieldDecode for Lines<'_> {
    fn decode_field<R: PbRead>(
        &mut self,
        tag: Tag,
        decoder: &mut PbDecoder<R>,
    ) -> Result<bool, DecodeError<R::Error>> {
        decoder.skip_wire_value(tag.wire_type())?;
        self.count += 1;
        Ok(true)
    }
}

impl FieldEncode for Lines<'_> {
    const MAX_SIZE: Result<usize, &'static str> = Err("any number");

    fn encode_fields<W: PbWrite>(&self, encoder: &mut PbEncoder<W>) -> Result<(), W::Error> {
        for line in self.lines {
            encoder.encode_tag(Tag::from_parts(12, WIRE_TYPE_LEN))?;
            encoder.encode_string(line)?;
        }
        Ok(())
    }

    fn compute_fields_size(&self) -> usize {
        let sizes = self.lines.iter().map(|line| 1 + rpc_nostd::micropb::size::sizeof_len_record(line.len()));
        sizes.sum()
    }
}
"#;
