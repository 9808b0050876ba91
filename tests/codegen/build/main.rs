//! Generates the messages of each suite twice, as firmware has them and as prost has them, and a table of them all.
//!
//! A suite is a folder of `proto/suites`. All `.proto` files in it are asked for; what they import lies there too, or in
//! `proto/third_party`.

use std::env;
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

use prost::Message;

mod table;

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=proto");
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or("cargo sets OUT_DIR")?);
    let mut suites: Vec<PathBuf> = folders(Path::new("proto/suites"))?;
    suites.sort();
    let mut ours = String::new();
    let mut theirs = String::new();
    let mut table = table::Table::default();
    for suite in &suites {
        let name = suite.file_name().and_then(|name| name.to_str()).ok_or("a name")?;
        let includes = [suite.clone(), PathBuf::from("proto/third_party")];
        let mut protos = Vec::new();
        find_protos(suite, &mut protos)?;
        protos.sort();

        rpc_nostd_codegen::Builder::new()
            .out_file(format!("ours_{name}.rs"))
            .compile(&protos, &includes)?;
        ours.push_str(&format!(
            "/// Suite `{name}`.\npub mod {name} {{ include!(concat!(env!(\"OUT_DIR\"), \"/ours_{name}.rs\")); }}\n"
        ));

        let files = protox::compile(&protos, &includes)?;
        fs::write(out.join(format!("{name}.binpb")), files.encode_to_vec())?;
        table.add_suite(name, suite, &files)?;
        let folder = out.join(format!("theirs_{name}"));
        fs::create_dir_all(&folder)?;
        prost_build::Config::new()
            .btree_map(["."])
            .disable_comments(["."])
            .out_dir(&folder)
            .include_file("all.rs")
            .compile_fds(files)?;
        theirs.push_str(&format!(
            "pub mod {name} {{ include!(concat!(env!(\"OUT_DIR\"), \"/theirs_{name}/all.rs\")); }}\n"
        ));
    }
    fs::write(out.join("ours.rs"), ours)?;
    fs::write(out.join("theirs.rs"), theirs)?;
    fs::write(out.join("table.rs"), table.code())?;
    Ok(())
}

fn folders(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let entries: Result<Vec<_>, _> = fs::read_dir(folder)?.collect();
    let paths = entries?.into_iter().map(|entry| entry.path());
    Ok(paths.filter(|path| path.is_dir()).collect())
}

fn find_protos(folder: &Path, protos: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            find_protos(&path, protos)?;
        } else if path.extension().is_some_and(|extension| extension == "proto") {
            protos.push(path);
        }
    }
    Ok(())
}
