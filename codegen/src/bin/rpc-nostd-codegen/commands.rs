//! What the commands do, and what they print.

use rpc_nostd_codegen::Error;

use crate::arguments::{Check, Generate};

pub(crate) fn generate(arguments: Generate) -> Result<(), Error> {
    let mut builder = arguments.content.builder().out_dir(arguments.out_dir);
    if let Some(name) = arguments.out_file {
        builder = builder.out_file(name);
    }
    let path = builder.compile(&arguments.input.protos, &arguments.input.includes)?;
    println!("{}", path.display());
    Ok(())
}

pub(crate) fn check(arguments: Check) -> Result<(), Error> {
    let builder = arguments.content.builder();
    let generated = builder.generate(&arguments.input.protos, &arguments.input.includes)?;
    for warning in generated.warnings {
        eprintln!("warning: {warning}");
    }
    Ok(())
}
