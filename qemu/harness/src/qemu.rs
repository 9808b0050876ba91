//! The emulator itself: where it is and how it is called.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::Command;

use crate::{Error, Machine};

/// An installed `qemu-system-arm`.
#[derive(Debug, Clone)]
pub struct Qemu {
    program: PathBuf,
    version: String,
}

impl Qemu {
    /// Looks for the emulator: the environment variable `QEMU_SYSTEM_ARM`, else `qemu-system-arm` in PATH.
    ///
    /// # Errors
    /// The text says how to install it.
    pub fn find() -> Result<Self, Error> {
        let program = std::env::var_os("QEMU_SYSTEM_ARM").unwrap_or_else(|| "qemu-system-arm".into());
        let output = Command::new(&program)
            .arg("--version")
            .output()
            .map_err(|error| {
                Error::new(format!(
                    "cannot run {} ({error}). Install QEMU's ARM system emulator, 7.2 or later: \
                 `apt-get install qemu-system-arm` (Debian, Ubuntu), `dnf install qemu-system-arm` (Fedora), \
                 `brew install qemu` (macOS); or set QEMU_SYSTEM_ARM to its path",
                    PathBuf::from(&program).display()
                ))
            })?;
        let text = String::from_utf8_lossy(&output.stdout);
        let version = text.lines().next().unwrap_or_default().to_owned();
        Ok(Self {
            program: program.into(),
            version,
        })
    }

    /// First line of `--version`.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }

    /// The emulator with a machine, no display, and the firmware's log on standard output.
    #[must_use]
    pub fn command(&self, machine: Machine, guest_args: &[String]) -> Command {
        let mut command = Command::new(&self.program);
        command.args([
            "-machine",
            machine.name(),
            "-display",
            "none",
            "-serial",
            "null",
            "-monitor",
            "none",
        ]);
        command.args(["-chardev", "stdio,id=log,signal=off", "-semihosting-config"]);
        let mut semihosting = "enable=on,target=native,chardev=log,arg=firmware".to_owned();
        for arg in guest_args {
            semihosting.push_str(",arg=");
            semihosting.push_str(&escaped(arg));
        }
        command.arg(semihosting);
        command
    }
}

/// A value inside a QEMU option: a comma is written twice.
pub(crate) fn escaped(value: &str) -> String {
    value.replace(',', ",,")
}

/// As [`escaped`], for `key=path`.
pub(crate) fn with_path(option: &str, path: &std::path::Path) -> OsString {
    let mut text = OsString::from(option);
    text.push(escaped(&path.to_string_lossy()));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comma_in_a_guest_argument_is_doubled() {
        let qemu = Qemu {
            program: "qemu".into(),
            version: String::new(),
        };
        let command = qemu.command(Machine::Lm3s6965evb, &["a=1,2".into(), "b=3".into()]);
        let last = command
            .get_args()
            .last()
            .map(|arg| arg.to_string_lossy().into_owned());
        assert_eq!(
            last.as_deref(),
            Some("enable=on,target=native,chardev=log,arg=firmware,arg=a=1,,2,arg=b=3")
        );
    }
}
