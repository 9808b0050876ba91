//! The firmware's log: defmt frames on QEMU's standard output, decoded with the ELF file's string table.

use std::fmt;
use std::io::Read;
use std::path::Path;

use defmt_decoder::{DecodeError, Table};

use crate::Error;

/// One line of the firmware's log. A message may itself have line breaks (panics have).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine {
    /// Seconds since the machine started, as text ("0.012"); empty where the firmware gave none.
    pub timestamp: String,
    /// `None` for `println!`.
    pub level: Option<Level>,
    /// The formatted message.
    pub message: String,
}

/// How grave a log line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// `defmt::trace!`
    Trace,
    /// `defmt::debug!`
    Debug,
    /// `defmt::info!`
    Info,
    /// `defmt::warn!`
    Warn,
    /// `defmt::error!`
    Error,
}

impl Level {
    fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "trace" => Self::Trace,
            "debug" => Self::Debug,
            "info" => Self::Info,
            "warn" => Self::Warn,
            "error" => Self::Error,
            _ => return None,
        })
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Trace => "TRACE",
            Self::Debug => "DEBUG",
            Self::Info => "INFO",
            Self::Warn => "WARN",
            Self::Error => "ERROR",
        })
    }
}

impl fmt::Display for LogLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let level = self.level.map_or_else(String::new, |level| level.to_string());
        write!(f, "{:>8} {level:<5} {}", self.timestamp, self.message)
    }
}

/// Reads the string table of an image.
pub(crate) fn table(elf: &Path) -> Result<Table, Error> {
    let bytes = std::fs::read(elf).map_err(Error::at(elf.display()))?;
    let table = Table::parse(&bytes).map_err(Error::at(elf.display()))?;
    table.ok_or_else(|| {
        Error::new(format!(
            "{} has no defmt data: was it linked with -Tdefmt.x?",
            elf.display()
        ))
    })
}

/// Decodes until `input` ends; each line goes to `on_line` as soon as it is whole.
pub(crate) fn decode(table: &Table, mut input: impl Read, mut on_line: impl FnMut(LogLine)) {
    let mut decoder = table.new_stream_decoder();
    let mut buffer = [0; 4096];
    loop {
        match input.read(&mut buffer) {
            Ok(0) | Err(_) => return,
            Ok(len) => decoder.received(buffer.get(..len).unwrap_or_default()),
        }
        loop {
            match decoder.decode() {
                Ok(frame) => on_line(LogLine {
                    timestamp: frame
                        .display_timestamp()
                        .map_or_else(String::new, |time| time.to_string()),
                    level: frame.level().and_then(|level| Level::parse(level.as_str())),
                    message: frame.display_message().to_string(),
                }),
                Err(DecodeError::UnexpectedEof) => break,
                Err(DecodeError::Malformed) => on_line(LogLine {
                    timestamp: String::new(),
                    level: Some(Level::Warn),
                    message: "(bytes that are no defmt frame: is the ELF file the one that runs?)".into(),
                }),
            }
        }
    }
}
