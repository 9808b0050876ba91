//! What prints our errors. `Debug` is for development: core's own, of strings, floats and times, can panic.
#![no_std]
#![no_main]

use core::fmt::{Display, Write};
use core::hint::black_box;

use cortex_m_rt::entry;
use proof::keep::keep;
use rpc_nostd::{Code, Status};

#[entry]
fn main() -> ! {
    keep_all();
    let mut count = Count(0);
    let status = black_box(Status::new(Code::NOT_FOUND, "no such item"));
    let written = write!(count, "{status}");
    proof::end(written.is_ok() && count.0 > 0)
}

/// Counts octets.
struct Count(usize);

impl Write for Count {
    fn write_str(&mut self, text: &str) -> core::fmt::Result {
        self.0 = self.0.wrapping_add(text.len());
        Ok(())
    }
}

#[inline(never)]
fn keep_all() {
    keep_display::<hpack_lite::DecodeError>();
    keep_display::<hpack_lite::BufferFull>();
    keep_display::<h2_lite::ConfigError>();
    keep_display::<h2_lite::ConnectionError>();
    keep_display::<h2_lite::UseError>();
    keep_display::<h2_lite::ErrorCode>();
    keep_display::<rpc_nostd::Code>();
    keep_display::<rpc_nostd::Status>();
}

fn keep_display<T: Display>() {
    keep(<T as Display>::fmt as *const ());
}
