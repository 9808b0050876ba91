//! The deepest stack that an image can use: the frames along the worst path through its calls.
//!
//! Direct calls are known from the linker. A call through a pointer may reach what has its address taken; not all of it,
//! or there would be no bound: [`INTERFACES`] says in which order the interfaces of our crates use each other, and a
//! function that was reached through one calls only those further down the list through a pointer. So the figure is an
//! upper bound, and a coarse one where functions have several pointers to call.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Result, bail, ensure};

use super::image::{Function, Image};
use super::names;
use super::vtables::Vtable;

/// What is known of an image's stack, in octets.
#[derive(Debug)]
pub(crate) struct Depth {
    /// From reset on.
    pub(crate) worst: u64,
    /// Of each function that the image keeps, by name; the worst of those that differ only in their types.
    pub(crate) kept: BTreeMap<String, u64>,
    /// The functions with the largest frames.
    pub(crate) frames: Vec<(String, u64)>,
}

/// Finds the deepest stack of an image, and of each function that it keeps.
///
/// # Errors
/// A function calls itself, directly or by others; or one has its address taken, and no interface is known for it.
pub(crate) fn analyse(image: &Image, vtables: &[Vtable]) -> Result<Depth> {
    let mut walk = Walk {
        image,
        targets: targets(image, vtables)?,
        known: BTreeMap::new(),
        path: Vec::new(),
    };
    let mut kept = BTreeMap::new();
    for address in kept_functions(image) {
        let depth = walk.depth(address, 0)?;
        if let Some(function) = image.functions.get(&address) {
            let known = kept.entry(names::plain(function.name())).or_insert(depth);
            *known = depth.max(*known);
        }
    }
    let mut worst = 0;
    for function in image
        .functions
        .values()
        .filter(|function| function.has_name("Reset"))
    {
        worst = walk.depth(function.address, 0)?;
    }
    ensure!(worst > 0, "no function Reset");
    let mut frames: Vec<(String, u64)> = image
        .functions
        .values()
        .map(|function| (names::plain(function.name()), function.frame))
        .collect();
    frames.sort_by(|(name, frame), (other, larger)| larger.cmp(frame).then(name.cmp(other)));
    frames.truncate(SHOWN_FRAMES);
    Ok(Depth { worst, kept, frames })
}

/// A walk along all calls, which remembers what it has found.
struct Walk<'i> {
    image: &'i Image,
    /// What a pointer of each interface may point to.
    targets: Vec<BTreeSet<u64>>,
    /// By function, and by the first interface that it may still call.
    known: BTreeMap<(u64, usize), u64>,
    path: Vec<(u64, usize)>,
}

impl Walk<'_> {
    /// Octets from the entry of a function to the deepest point below it. `from`: it calls pointers of this interface and
    /// those behind it only.
    fn depth(&mut self, address: u64, from: usize) -> Result<u64> {
        if let Some(depth) = self.known.get(&(address, from)) {
            return Ok(*depth);
        }
        let image = self.image;
        let Some(function) = image.functions.get(&address) else {
            return Ok(0);
        };
        // With another `from` it is no circle: each call through a pointer goes further down the list.
        if self.path.contains(&(address, from)) {
            let path = self.path.iter();
            let functions = path.filter_map(|(address, _)| image.functions.get(address));
            let names: Vec<&str> = functions.map(Function::name).collect();
            bail!("{} calls itself: {}", function.name(), names.join(" > "));
        }
        self.path.push((address, from));
        let mut below = 0;
        for callee in &function.calls {
            below = below.max(self.depth(*callee, from)?);
        }
        if function.calls_pointers {
            for interface in from..self.targets.len() {
                for callee in self.targets.get(interface).cloned().unwrap_or_default() {
                    below = below.max(self.depth(callee, interface + 1)?);
                }
            }
        }
        self.path.pop();
        let depth = function.frame + below;
        self.known.insert((address, from), depth);
        Ok(depth)
    }
}

/// For each interface, the functions behind it.
fn targets(image: &Image, vtables: &[Vtable]) -> Result<Vec<BTreeSet<u64>>> {
    let mut targets = vec![BTreeSet::new(); INTERFACES.len()];
    let mut unknown = Vec::new();
    let in_code = image.functions.values().filter(|function| !keeps(function));
    let in_code = in_code.flat_map(|function| function.takes.iter().map(|target| (0, *target)));
    for (place, target) in image.in_data.iter().copied().chain(in_code) {
        let Some(function) = image.functions.get(&target) else {
            continue;
        };
        let vtable = vtables
            .iter()
            .find(|vtable| (vtable.start..vtable.end).contains(&place));
        // The first word of a vtable drops an owned value: there is no `Box` to own one.
        if vtable.is_some_and(|vtable| vtable.start == place) {
            continue;
        }
        let is_behind = |interface: &&[&str]| {
            interface.iter().any(|part| match vtable {
                Some(vtable) => vtable.of.contains(part),
                None => function.names.iter().any(|name| name.contains(part)),
            })
        };
        match INTERFACES.iter().position(is_behind) {
            Some(index) => drop(targets.get_mut(index).map(|targets| targets.insert(target))),
            None => unknown.push(match vtable {
                Some(vtable) => format!("{} of a vtable for {}", function.name(), vtable.of),
                None => function.name().to_owned(),
            }),
        }
    }
    ensure!(
        unknown.is_empty(),
        "functions behind pointers of no known interface; add them to INTERFACES in xtask/src/proof/stack.rs: {}",
        unknown.join("; ")
    );
    Ok(targets)
}

/// The functions that the image keeps for the proof.
fn kept_functions(image: &Image) -> BTreeSet<u64> {
    let keepers = image.functions.values().filter(|function| keeps(function));
    keepers
        .flat_map(|function| function.takes.iter().copied())
        .collect()
}

/// Whether the function is one of those in `qemu/proof` that name others to keep them.
fn keeps(function: &Function) -> bool {
    let ours = ["rpc_nostd::", "h2_lite::", "hpack_lite::", "<"];
    let is_keeper = |name: &String| {
        (name.contains("::keep") || name.contains("::kept"))
            && !ours.iter().any(|start| name.starts_with(start))
    };
    function.names.iter().any(is_keeper)
}

const SHOWN_FRAMES: usize = 10;

/// What is called through pointers, from the outside to the inside: parts of names of traits, as vtables have them, or
/// else of functions. Whoever is called through one calls only those below it.
const INTERFACES: &[&[&str]] = &[
    // What drives a blocking server or opens a call, before anything of the protocol.
    &[
        "FnMut<()",
        "FnMut<(core::option::Option<&rpc_nostd::codec::Framed",
        "server_blocking::serve::",
    ],
    &["rpc_nostd::client::blocking::Drive"],
    &["rpc_nostd::client::handle::Shared"],
    // Steps of a call.
    &["FnMut<(&mut rpc_nostd::client::session::Session"],
    &["FnMut<(&mut rpc_nostd::client::opening::Context"],
    // A turn of a connection.
    &["rpc_nostd::endpoint::Endpoint"],
    // Messages that are whole, or pieces of one.
    &[
        "FnMut<(&[u8]",
        "::next::",
        "::poll_next::",
        "UnaryCall>::gather::",
        "LargeRead>::poll_read::",
    ],
    // Header fields: who has them, and where they go.
    &[
        "dyn core::ops::function::FnMut<(hpack_lite::header_field::Field",
        "ServerSession>::poll_",
        "h2_server::respond::",
    ],
    &["rpc_nostd::client::credentials::CallCredentials"],
    &["FnMut<(rpc_nostd::metadata::MetadataEntry"],
    &["FnMut<(hpack_lite::header_field::Field"],
    // Content: who has it.
    &[
        "FnMut<(&mut [u8]",
        "::poll_send_message::",
        "LargeWrite>::write::",
        "StreamCall>::poll_finish::",
    ],
    &["rpc_nostd::codec::Outgoing"],
    &["rpc_nostd::metadata::KeepMetadata"],
    // The user's transport, clock and tasks, and the table of methods.
    &["rpc_nostd::transport::blocking::Transport"],
    &["rpc_nostd::time::Timer", "rpc_nostd::time::Clock"],
    &["core::task::wake::RawWaker"],
    // What is printed: our types, then what they are made of, then where it goes.
    &["::Status as core::fmt::Display", "::Code as core::fmt::Display"],
    &["::ErrorCode as core::fmt::Display"],
    &[
        "<&str as core::fmt::",
        "size as core::fmt::",
        "<u32 as core::fmt::",
    ],
    &["core::fmt::Write"],
    // Functions as arguments.
    &["rpc_nostd::server::service::Routes", "rpc_nostd::percent::decode"],
];
