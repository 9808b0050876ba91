//! The figures for people.

use std::fmt;

use super::{FieldSizes, MessageSizes, Ram, ServiceSizes, Sizes};

impl fmt::Display for Sizes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let head = ["message", "encoded max", "RAM", "costliest field"].map(str::to_owned);
        let rows = self.messages.iter().map(message_row);
        write_table(f, std::iter::once(head).chain(rows).collect())?;
        let inexact = |message: &MessageSizes| message.ram.is_some_and(|ram| !ram.is_exact);
        let unknown = |message: &MessageSizes| message.ram.is_none();
        write!(f, "\nBytes; RAM on a machine of {} bits", self.pointer_width)?;
        if self.messages.iter().any(inexact) {
            write!(f, ", at most where there is a ≤")?;
        }
        if self.messages.iter().any(unknown) {
            write!(f, "; \"yours\" depends on types of your own")?;
        }
        writeln!(f, ".")?;
        for service in &self.services {
            write_service(f, service)?;
        }
        Ok(())
    }
}

fn message_row(message: &MessageSizes) -> [String; 4] {
    [
        message.name.clone(),
        encoded(message.encoded_max),
        ram(message.ram),
        message.costliest().map_or_else(String::new, costliest),
    ]
}

fn costliest(field: &FieldSizes) -> String {
    format!("{}: {} ({})", field.name, ram(field.ram), field.rust_type)
}

fn write_service(f: &mut fmt::Formatter<'_>, service: &ServiceSizes) -> fmt::Result {
    writeln!(f)?;
    let head = [
        format!("service {}", service.name),
        "request max".into(),
        "response max".into(),
        String::new(),
    ];
    let methods = service.methods.iter().map(|method| {
        let note = if method.chunked { "in parts" } else { "" };
        [
            format!("  {}", method.name),
            encoded(method.request_max),
            encoded(method.response_max),
            note.to_owned(),
        ]
    });
    write_table(f, std::iter::once(head).chain(methods).collect())?;
    let (client, server) = (service.client, service.server);
    writeln!(
        f,
        "  a client's buffers: RECV {}, SEND {}",
        client.recv, client.send
    )?;
    writeln!(
        f,
        "  a server's buffers: RECV {}, SEND {}",
        server.recv, server.send
    )
}

/// The first and the last column begin at the left, figures end at the right.
fn write_table(f: &mut fmt::Formatter<'_>, rows: Vec<[String; 4]>) -> fmt::Result {
    let width = |column: usize| {
        rows.iter()
            .map(|row| row[column].chars().count())
            .max()
            .unwrap_or(0)
    };
    let [first, second, third, _] = [0, 1, 2, 3].map(width);
    for [name, left, right, rest] in &rows {
        let line = format!("{name:first$}  {left:>second$}  {right:>third$}  {rest}");
        writeln!(f, "{}", line.trim_end())?;
    }
    Ok(())
}

pub(crate) fn encoded(max: Option<u64>) -> String {
    max.map_or_else(|| "no limit".to_owned(), |max| max.to_string())
}

pub(crate) fn ram(ram: Option<Ram>) -> String {
    match ram {
        None => "yours".to_owned(),
        Some(ram) if ram.is_exact => ram.bytes.to_string(),
        Some(ram) => format!("≤{}", ram.bytes),
    }
}
