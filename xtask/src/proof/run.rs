//! Runs an image on the emulator, and reads how deep its stack went.

use std::path::Path;
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use qemu_harness::{Machine, Qemu};

/// The octets of stack that lost their paint.
///
/// # Errors
/// The program did not end, or found that its calls went wrong.
pub(crate) fn painted_stack(elf: &Path) -> Result<u64> {
    let mut command = Qemu::find()?.command(Machine::Lm3s6965evb, &[]);
    command.arg("-kernel").arg(elf);
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    let mut child = command.spawn().context("the emulator does not start")?;
    let begun = Instant::now();
    while child.try_wait()?.is_none() {
        if begun.elapsed() > LIMIT {
            child.kill()?;
            child.wait()?;
            bail!("{} did not end in {} s", elf.display(), LIMIT.as_secs());
        }
        thread::sleep(Duration::from_millis(20));
    }
    let output = child.wait_with_output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    ensure!(
        output.status.success(),
        "{} ended with {}: {}",
        elf.display(),
        output.status,
        text.trim()
    );
    let figure = text.lines().find_map(|line| line.strip_prefix("stack "));
    figure
        .and_then(|digits| digits.trim().parse().ok())
        .with_context(|| format!("{} said no figure: {}", elf.display(), text.trim()))
}

/// A run takes less than a second.
const LIMIT: Duration = Duration::from_secs(60);
