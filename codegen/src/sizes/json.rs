//! The figures for programs.

use serde_json::{Value, json};

use super::{Buffers, FieldSizes, MessageSizes, Ram, ServiceSizes, Sizes};

impl Sizes {
    /// All figures as a JSON object, for programs: numbers are bytes, and `null` where there is none.
    pub fn to_json(&self) -> String {
        let all = json!({
            "pointer_width": self.pointer_width,
            "messages": self.messages.iter().map(message).collect::<Vec<_>>(),
            "services": self.services.iter().map(service).collect::<Vec<_>>(),
        });
        format!("{all:#}")
    }
}

fn message(message: &MessageSizes) -> Value {
    json!({
        "name": message.name,
        "rust_path": message.rust_path,
        "encoded_max": message.encoded_max,
        "ram": ram(message.ram),
        "ram_is_exact": is_exact(message.ram),
        "costliest_field": message.costliest().map(|field| &field.name),
        "fields": message.fields.iter().map(field).collect::<Vec<_>>(),
    })
}

fn field(field: &FieldSizes) -> Value {
    json!({
        "name": field.name,
        "oneof": field.oneof,
        "rust_type": field.rust_type,
        "encoded_max": field.encoded_max,
        "ram": ram(field.ram),
        "ram_is_exact": is_exact(field.ram),
    })
}

fn ram(ram: Option<Ram>) -> Option<u64> {
    ram.map(|ram| ram.bytes)
}

fn is_exact(ram: Option<Ram>) -> Option<bool> {
    ram.map(|ram| ram.is_exact)
}

fn service(service: &ServiceSizes) -> Value {
    let methods = service.methods.iter().map(|method| {
        json!({
            "name": method.name,
            "request_max": method.request_max,
            "response_max": method.response_max,
            "chunked": method.chunked,
        })
    });
    json!({
        "name": service.name,
        "methods": methods.collect::<Vec<_>>(),
        "client": buffers(service.client),
        "server": buffers(service.server),
    })
}

fn buffers(buffers: Buffers) -> Value {
    json!({ "recv": buffers.recv, "send": buffers.send })
}
