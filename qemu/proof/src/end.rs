//! How a program ends: it tells the host how deep its stack went.

use core::hint::black_box;
use core::panic::PanicInfo;

use rpc_nostd::Status;
use semihosting::process;
use semihosting::sys::arm_compat::sys_writec;
use static_cell::ConstStaticCell;

use crate::stack;

/// Ends the emulator. The host reads `stack <bytes>` and the exit code: 0 where all calls went as they should.
pub fn end(succeeded: bool) -> ! {
    let peak = stack::peak();
    b"stack ".iter().for_each(|octet| sys_writec(*octet));
    let mut divisor = 10_000;
    while divisor > 0 {
        let digit = u8::try_from(peak / divisor % 10).unwrap_or_default();
        sys_writec(b'0'.wrapping_add(digit));
        divisor /= 10;
    }
    sys_writec(b'\n');
    process::exit(i32::from(!succeeded))
}

/// Ends the program as a failure where `result` is one.
pub fn unless_failed<T, E>(result: Result<T, E>) -> T {
    match result {
        Ok(value) => value,
        Err(_) => end(false),
    }
}

/// Whether the calls went as they should; if not, the host is told the status.
pub fn told<T>(result: Result<T, Status>) -> bool {
    result
        .inspect_err(|status| {
            status.message().bytes().for_each(sys_writec);
            sys_writec(b'\n');
        })
        .is_ok()
}

/// What a `static` holds, at its first use; a second use ends the program as a failure.
pub fn take<T>(cell: &'static ConstStaticCell<T>) -> &'static mut T {
    unless_failed(cell.try_take().ok_or(()))
}

/// Looks at the message, so that panics with different messages stay different functions.
#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    black_box(info);
    process::exit(101)
}
