//! What can be said of a field or of a part of it, and of which it cannot.

use crate::schema::{Field, Message, Shape, Value};

/// What one line, or one option, says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Setting {
    /// How much it holds.
    Capacity(u32),
    /// It refers to what somebody else holds.
    Borrow,
    /// A type of the user's encodes and decodes it.
    Callback(String),
    /// It is left out.
    Skip,
    /// It holds a message as it is encoded, in at most so many bytes.
    Encoded(u32),
}

/// A field or one of its parts: what a key can name.
pub(super) struct Target<'a> {
    pub(super) path: String,
    pub(super) part: Part,
    pub(super) message: &'a Message,
    pub(super) field: &'a Field,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Whole,
    Elem,
    Key,
    Value,
}

impl Part {
    /// What follows the field's name in a key.
    pub(super) fn suffix(self) -> &'static str {
        match self {
            Part::Whole => "",
            Part::Elem => ".elem",
            Part::Key => ".key",
            Part::Value => ".value",
        }
    }

    /// The parts of a field, the field itself first.
    pub(super) fn of(shape: &Shape) -> &'static [Part] {
        match shape {
            Shape::Single(_) => &[Part::Whole],
            Shape::Repeated(_) => &[Part::Whole, Part::Elem],
            Shape::Map { .. } => &[Part::Whole, Part::Key, Part::Value],
        }
    }
}

impl Setting {
    /// As it is written into a capacity file.
    pub(super) fn written(&self) -> String {
        match self {
            Setting::Capacity(number) => number.to_string(),
            Setting::Borrow => "{ borrow = true }".to_owned(),
            Setting::Callback(of_type) => format!("{{ callback = \"{of_type}\" }}"),
            Setting::Skip => "{ skip = true }".to_owned(),
            Setting::Encoded(bytes) => format!("{{ encoded = {bytes} }}"),
        }
    }
}

impl Target<'_> {
    /// The single value that it is or consists of; `None` for a repeated field and a map as a whole.
    fn value(&self) -> Option<&Value> {
        match (&self.field.shape, self.part) {
            (Shape::Single(value), Part::Whole)
            | (Shape::Repeated(value), Part::Elem)
            | (Shape::Map { value, .. }, Part::Value) => Some(value),
            (Shape::Map { key, .. }, Part::Key) => Some(key),
            _ => None,
        }
    }

    /// What needs a capacity here.
    pub(super) fn kind(&self) -> Option<Kind> {
        Some(match (&self.field.shape, self.part, self.value()) {
            (Shape::Repeated(_), Part::Whole, _) => Kind::Repeated,
            (Shape::Map { .. }, Part::Whole, _) => Kind::Map,
            (_, Part::Whole, Some(Value::Text)) => Kind::Text,
            (_, Part::Whole, Some(Value::Bytes)) => Kind::Bytes,
            (_, Part::Elem, Some(Value::Text)) => Kind::ElementText,
            (_, Part::Elem, Some(Value::Bytes)) => Kind::ElementBytes,
            (_, Part::Key, Some(Value::Text)) => Kind::KeyText,
            (_, Part::Value, Some(Value::Text)) => Kind::ValueText,
            (_, Part::Value, Some(Value::Bytes)) => Kind::ValueBytes,
            _ => return None,
        })
    }

    /// Why `setting` cannot be said of it, and what can; `None` if it can.
    pub(super) fn refusal(&self, setting: &Setting) -> Option<String> {
        let described = || match self.value() {
            Some(value) => value.described(),
            None => self.field.shape.described(),
        };
        match setting {
            Setting::Capacity(_) if self.kind().is_none() => {
                Some(format!("takes no capacity: it is a {}", described()))
            }
            Setting::Borrow if !matches!(self.value(), Some(Value::Text | Value::Bytes)) => Some(format!(
                "cannot borrow: it is a {}, and only `string` and `bytes` can{}",
                described(),
                self.hint(setting, |value| matches!(value, Value::Text | Value::Bytes))
            )),
            Setting::Encoded(_) if !matches!(self.value(), Some(Value::Message(_))) => Some(format!(
                "cannot be kept encoded: it is a {}, and only messages can{}",
                described(),
                self.hint(setting, |value| matches!(value, Value::Message(_)))
            )),
            Setting::Callback(_) | Setting::Skip if self.part != Part::Whole => Some(format!(
                "is a part of a field, and `{}` is said of all of it: write \"{}.{}\" = {}",
                setting.written(),
                self.message.full_name,
                self.field.name,
                setting.written()
            )),
            Setting::Callback(_) if self.field.in_oneof => Some(
                "cannot have a callback: it is a member of a oneof, of which only one is held; give it a capacity, \
                 borrow it, or leave it out by { skip = true }"
                    .to_owned(),
            ),
            _ => None,
        }
    }

    /// Says to which part of the field `setting` belongs, if to one.
    fn hint(&self, setting: &Setting, fits: impl Fn(&Value) -> bool) -> String {
        let part = match &self.field.shape {
            Shape::Repeated(value) if fits(value) => Part::Elem,
            Shape::Map { value, .. } if fits(value) => Part::Value,
            _ => return String::new(),
        };
        let path = format!("{}.{}{}", self.message.full_name, self.field.name, part.suffix());
        format!("; for its parts write \"{path}\" = {}", setting.written())
    }
}

/// A container of fixed size, by what it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Bytes,
    Repeated,
    Map,
    ElementText,
    ElementBytes,
    KeyText,
    ValueText,
    ValueBytes,
}

impl Kind {
    /// What it is called, a number for an example, and the number's unit.
    pub(super) fn words(self) -> (&'static str, u32, &'static str) {
        match self {
            Kind::Text => ("string field", 32, "bytes of UTF-8"),
            Kind::Bytes => ("bytes field", 64, "bytes"),
            Kind::Repeated => ("repeated field", 8, "elements"),
            Kind::Map => ("map field", 8, "entries, a power of two"),
            Kind::ElementText => (
                "the strings of repeated field",
                32,
                "bytes of UTF-8 in each element",
            ),
            Kind::ElementBytes => ("the bytes of repeated field", 64, "bytes in each element"),
            Kind::KeyText => ("the keys of map field", 16, "bytes of UTF-8 in each key"),
            Kind::ValueText => ("the values of map field", 32, "bytes of UTF-8 in each value"),
            Kind::ValueBytes => ("the values of map field", 64, "bytes in each value"),
        }
    }
}

/// The number that a map must have instead of `number`, if it cannot have that one.
pub(super) fn next_map_capacity(number: u32) -> Option<u32> {
    let next = number.max(2).checked_next_power_of_two().unwrap_or(1 << 31);
    (next != number).then_some(next)
}

/// Checks that `text` is a type that can be named from anywhere in the output.
///
/// # Errors
/// What to write instead.
pub(super) fn check_callback(text: &str) -> Result<(), String> {
    let Ok(syn::Type::Path(path)) = syn::parse_str::<syn::Type>(text) else {
        return Err(format!(
            "`{text}` is no path of a Rust type; write one, such as \"crate::LogSink\""
        ));
    };
    let first = path.path.segments.first();
    if path.path.leading_colon.is_none() && first.is_none_or(|first| first.ident != "crate") {
        return Err(format!(
            "`{text}` would be looked up in the module of the message; write it from a crate's root: \"crate::{text}\" \
             or \"::other_crate::{text}\""
        ));
    }
    if path
        .path
        .segments
        .last()
        .is_some_and(|last| last.ident == "Option")
    {
        // micropb 0.7 counts no bytes for it, and writes them all the same.
        return Err(format!(
            "`{text}` cannot be sent: micropb does not count the bytes of an `Option`; write a type of yours that holds one"
        ));
    }
    let lifetimes = text.match_indices('\'').map(|(at, _)| &text[at + 1..]);
    for rest in lifetimes {
        let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_');
        let name = &rest[..end.unwrap_or(rest.len())];
        if name != "a" && name != "static" {
            return Err(format!(
                "`{text}` has the lifetime `'{name}`; the message's is called `'a`: write that"
            ));
        }
    }
    Ok(())
}
