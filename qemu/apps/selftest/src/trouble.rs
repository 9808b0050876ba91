//! What firmware should never do; proves that the harness reports it.

use core::hint::black_box;

/// Executes an undefined instruction.
///
/// Not a read of unmapped memory: QEMU's Stellaris machines answer that with 0 instead of a bus fault.
pub(crate) fn fault() -> ! {
    cortex_m::asm::udf()
}

/// Recurses until the stack is used up.
pub(crate) fn overflow() -> ! {
    panic!("the recursion returned {}", recurse(0));
}

#[inline(never)]
#[expect(unconditional_recursion, reason = "it ends by a fault, which is the point")]
fn recurse(depth: u32) -> u32 {
    let frame = black_box([depth; 32]);
    recurse(depth.wrapping_add(1)).wrapping_add(frame[0])
}
