//! Command line of the harness: runs one image, or the checks of the machines.

use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use qemu_harness::{Error, Firmware, Machine, Run, Sizes, checks};

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let result = match args.as_slice() {
        ["selftest", machines @ ..] => selftest(machines),
        ["build", machine, bin] => build(machine, bin),
        [machine, elf, options @ ..] => run(machine, elf, options),
        _ => Err(USAGE.into()),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(text) => {
            eprintln!("{text}");
            ExitCode::FAILURE
        }
    }
}

fn run(machine: &str, elf: &str, options: &[&str]) -> Result<(), String> {
    let mut run = Run::new(machine.parse().map_err(text)?, PathBuf::from(elf));
    for option in options.chunks(2) {
        run = match *option {
            ["--pcap", file] => run.pcap(file),
            ["--limit", seconds] => run.limit(Duration::from_secs(
                seconds
                    .parse()
                    .map_err(|_| format!("--limit {seconds}: no number"))?,
            )),
            ["--arg", pair] => {
                let (key, value) = pair.split_once('=').ok_or("--arg wants key=value")?;
                run.arg(key, value)
            }
            ["--name", pair] => {
                let (name, address) = pair.split_once('=').ok_or("--name wants name=address")?;
                let address: Ipv4Addr = address
                    .parse()
                    .map_err(|_| format!("{address}: no IPv4 address"))?;
                run.name(name, address)
            }
            ["--forward", pair] => {
                let ports = pair
                    .split_once(':')
                    .and_then(|(a, b)| Some((a.parse().ok()?, b.parse().ok()?)));
                let (host, guest) = ports.ok_or("--forward wants hostport:guestport")?;
                run.forward(host, guest)
            }
            _ => return Err(USAGE.into()),
        };
    }
    let outcome = run.start(|line| println!("{line}")).map_err(text)?.wait();
    outcome.check().map_err(text)
}

fn build(machine: &str, bin: &str) -> Result<(), String> {
    let elf = Firmware::new(machine.parse().map_err(text)?, bin)
        .build()
        .map_err(text)?;
    let sizes = Sizes::of(&elf).map_err(text)?;
    println!("{}", elf.display());
    println!(
        "flash {}, static RAM {}, stack set aside {}",
        sizes.flash, sizes.static_ram, sizes.stack
    );
    Ok(())
}

fn selftest(machines: &[&str]) -> Result<(), String> {
    let machines: Vec<Machine> = if machines.is_empty() {
        Machine::ALL.to_vec()
    } else {
        machines
            .iter()
            .map(|name| name.parse().map_err(text))
            .collect::<Result<_, _>>()?
    };
    let mut failed = 0;
    for machine in machines {
        let suites: [(&str, &[checks::Check]); 2] =
            [("selftest", &checks::ALL), ("telemetry-server", &checks::SERVER)];
        for (program, suite) in suites {
            let elf = Firmware::new(machine, program).build().map_err(text)?;
            for check in suite {
                match check.run(machine, &elf) {
                    Ok(()) => println!("{machine}: ok: {}", check.name),
                    Err(error) => {
                        failed += 1;
                        println!("{machine}: FAILED: {}\n{error}", check.name);
                    }
                }
            }
        }
    }
    if failed == 0 {
        Ok(())
    } else {
        Err(format!("{failed} checks failed"))
    }
}

fn text(error: Error) -> String {
    error.to_string()
}

const USAGE: &str = "usage: qemu-harness <machine> <elf> [--arg key=value]... [--name name=address]... \
[--forward hostport:guestport]... [--pcap file] [--limit seconds]
       qemu-harness build <machine> <program>
       qemu-harness selftest [machine]...";
