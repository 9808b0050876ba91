//! What the commands do, and what they print.

use std::io::Write;

use rpc_nostd_codegen::{Error, OPTIONS_PROTO};

use crate::arguments::{Check, Explain, Generate, Sizes};

pub(crate) fn generate(arguments: Generate) -> Result<(), Error> {
    let builder = arguments.content.applied_to(arguments.input.builder());
    let mut builder = builder.out_dir(arguments.out_dir);
    if let Some(name) = arguments.out_file {
        builder = builder.out_file(name);
    }
    let path = builder.compile(&arguments.input.protos, &arguments.input.includes)?;
    println!("{}", path.display());
    Ok(())
}

pub(crate) fn check(arguments: Check) -> Result<(), Error> {
    let builder = arguments.content.applied_to(arguments.input.builder());
    let generated = builder.generate(&arguments.input.protos, &arguments.input.includes)?;
    for warning in generated.warnings {
        eprintln!("warning: {warning}");
    }
    Ok(())
}

pub(crate) fn sizes(arguments: &Sizes) -> Result<(), Error> {
    let input = &arguments.input;
    let sizes = input
        .builder()
        .sizes(&input.protos, &input.includes, arguments.pointer_width)?;
    print(&if arguments.json {
        format!("{}\n", sizes.to_json())
    } else {
        sizes.to_string()
    });
    Ok(())
}

pub(crate) fn explain(arguments: &Explain) -> Result<(), Error> {
    let input = &arguments.input;
    let text = input
        .builder()
        .explain(&input.protos, &input.includes, &arguments.name)?;
    print(&text);
    Ok(())
}

pub(crate) fn options() {
    print(OPTIONS_PROTO);
}

fn print(text: &str) {
    // Who reads only the beginning has what they wanted.
    let _ = std::io::stdout().lock().write_all(text.as_bytes());
}
