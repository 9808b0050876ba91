//! Runs other programs: shows the command line, passes the output through, turns a bad exit into an error.

use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

/// Runs to the end with output passed through.
///
/// # Errors
/// The program is missing, or ended with another code than 0.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    println!("    $ {}", line(command));
    let status = command
        .status()
        .with_context(|| format!("cannot start `{}`", line(command)))?;
    if !status.success() {
        bail!("`{}` ended with {status}", line(command));
    }
    Ok(())
}

/// Runs to the end and gives back what it wrote to its standard output.
///
/// # Errors
/// As for [`run`]; the message then holds what it wrote to its standard error.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let output = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("cannot start `{}`", line(command)))?;
    if !output.status.success() {
        let complaint = String::from_utf8_lossy(&output.stderr);
        bail!(
            "`{}` ended with {}: {}",
            line(command),
            output.status,
            complaint.trim()
        );
    }
    String::from_utf8(output.stdout).context("output is not UTF-8")
}

/// Whether the program starts and ends with code 0; its output is not shown.
pub(crate) fn works(command: &mut Command) -> bool {
    let quiet = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    quiet.status().is_ok_and(|status| status.success())
}

/// The command as one would type it; environment variables that were set are in front.
pub(crate) fn line(command: &Command) -> String {
    let mut words = Vec::new();
    for (name, value) in command.get_envs() {
        if let Some(value) = value {
            words.push(format!(
                "{}={}",
                name.to_string_lossy(),
                quoted(&value.to_string_lossy())
            ));
        }
    }
    let program = command.get_program().to_string_lossy().into_owned();
    // The full path of the toolchain's cargo says nothing to a reader.
    words.push(if program.ends_with("/cargo") {
        "cargo".to_owned()
    } else {
        program
    });
    words.extend(command.get_args().map(|word| quoted(&word.to_string_lossy())));
    words.join(" ")
}

fn quoted(word: &str) -> String {
    if word.is_empty() || word.contains([' ', '"', '\'', '$', '\\']) {
        format!("'{}'", word.replace('\'', r"'\''"))
    } else {
        word.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_quotes_words_with_spaces() {
        let mut command = Command::new("/somewhere/bin/cargo");
        command
            .args(["doc", "two words"])
            .env("RUSTDOCFLAGS", "-D warnings");
        assert_eq!(line(&command), "RUSTDOCFLAGS='-D warnings' cargo doc 'two words'");
    }

    #[test]
    fn run_bad_exit_names_the_command() {
        let error = run(Command::new("sh").args(["-c", "exit 3"])).unwrap_err();
        assert!(error.to_string().contains("sh -c 'exit 3'"), "{error}");
    }

    #[test]
    fn works_missing_program_is_false() {
        assert!(!works(&mut Command::new("no-such-program-here")));
    }
}
