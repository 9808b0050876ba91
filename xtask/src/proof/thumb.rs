//! As much of the Thumb-2 instruction set as the proofs need: branches, calls through registers, and what moves the
//! stack pointer down.
//!
//! See the ARMv7-M Architecture Reference Manual, A5 and A7.7.

/// What a function's instructions say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Seen {
    /// There is a `blx` with a register, or a jump to one that is no return.
    pub(crate) calls_pointers: bool,
    /// Octets by which all instructions together move the stack pointer down: more than any path through them.
    pub(crate) pushed: u64,
    /// Offsets of `bl`: the linker says nothing of one whose way the compiler knew, such as to the function itself.
    pub(crate) calls: Vec<u64>,
}

/// Looks at each instruction of `code`; `is_data` tells offsets of octets that are none.
pub(crate) fn look_at(code: &[u8], is_data: impl Fn(u64) -> bool) -> Seen {
    let mut seen = Seen::default();
    let halves: Vec<u16> = code
        .chunks_exact(2)
        .map(|pair| u16::from_le_bytes([pair[0], pair[1]]))
        .collect();
    let mut index = 0;
    while let Some(first) = halves.get(index).copied() {
        let is_wide = first >= 0xe800;
        if !is_data(index as u64 * 2) {
            let second = halves.get(index + 1).copied().unwrap_or_default();
            if is_call(first, second) {
                seen.calls.push(index as u64 * 2);
            }
            seen.calls_pointers |= if is_wide {
                loads_pc(first, second)
            } else {
                jumps_to_register(first)
            };
            seen.pushed += if is_wide {
                wide_push(first, second)
            } else {
                narrow_push(first)
            };
        }
        index += if is_wide { 2 } else { 1 };
    }
    seen
}

/// `bl`.
fn is_call(first: u16, second: u16) -> bool {
    first & 0xf800 == 0xf000 && second & 0xd000 == 0xd000
}

/// `blx rm`; `bx rm` and `mov pc, rm` unless `rm` is `lr`, which is a return.
fn jumps_to_register(half: u16) -> bool {
    let register = half >> 3 & 0xf;
    match half & 0xff87 {
        0x4780 => true,
        0x4700 | 0x4687 => register != LR,
        _ => false,
    }
}

/// `ldr pc, [rn, ...]`, unless `rn` is the stack pointer, which is a return.
fn loads_pc(first: u16, second: u16) -> bool {
    let is_load = matches!(first & 0xfff0, 0xf850 | 0xf8d0);
    is_load && second >> 12 == PC && first & 0xf != SP
}

/// `push {...}` and `sub sp, #...`.
fn narrow_push(half: u16) -> u64 {
    match half {
        0xb400..=0xb5ff => 4 * u64::from((half & 0x1ff).count_ones()),
        0xb080..=0xb0ff => 4 * u64::from(half & 0x7f),
        _ => 0,
    }
}

/// `push.w {...}`, `str rt, [sp, #-n]!`, `strd rt, rt2, [sp, #-n]!`, `sub.w sp, sp, #...`.
fn wide_push(first: u16, second: u16) -> u64 {
    match first {
        0xe92d => 4 * u64::from(second.count_ones()),
        0xf84d if second & 0x0f00 == 0x0d00 => u64::from(second & 0xff),
        0xe96d => 4 * u64::from(second & 0xff),
        0xf1ad | 0xf5ad if second >> 8 & 0xf == SP => expanded(first, second),
        0xf2ad | 0xf6ad if second >> 8 & 0xf == SP => plain(first, second),
        _ => 0,
    }
}

/// The 12 bits of an immediate operand.
fn plain(first: u16, second: u16) -> u64 {
    u64::from(first >> 10 & 1) << 11 | u64::from(second >> 12 & 7) << 8 | u64::from(second & 0xff)
}

/// The same as a modified constant (A5.3.2).
fn expanded(first: u16, second: u16) -> u64 {
    let bits = plain(first, second);
    let octet = bits & 0xff;
    match bits >> 8 {
        0 => octet,
        1 => octet << 16 | octet,
        2 => octet << 24 | octet << 8,
        3 => octet * 0x0101_0101,
        _ => u64::from(((octet | 0x80) as u32).rotate_right((bits >> 7) as u32)),
    }
}

/// Where a `bl`, `b.w` or conditional `b.w` at `place` goes.
pub(crate) fn branch_target(octets: &[u8], place: u64) -> Option<u64> {
    let (octets, _) = octets.split_first_chunk::<4>()?;
    let first = u32::from(u16::from_le_bytes([octets[0], octets[1]]));
    let second = u32::from(u16::from_le_bytes([octets[2], octets[3]]));
    let sign = first >> 10 & 1;
    let (j1, j2) = (second >> 13 & 1, second >> 11 & 1);
    let is_conditional = second & 0xd000 == 0x8000;
    let (offset, bits) = if is_conditional {
        let offset = sign << 20 | j2 << 19 | j1 << 18 | (first & 0x3f) << 12 | (second & 0x7ff) << 1;
        (offset, 21)
    } else {
        let (i1, i2) = (j1 ^ sign ^ 1, j2 ^ sign ^ 1);
        let offset = sign << 24 | i1 << 23 | i2 << 22 | (first & 0x3ff) << 12 | (second & 0x7ff) << 1;
        (offset, 25)
    };
    let signed = i64::from((offset << (32 - bits)).cast_signed() >> (32 - bits));
    place.checked_add(4)?.checked_add_signed(signed)
}

/// A word of four octets.
pub(crate) fn word(octets: &[u8]) -> Option<u64> {
    let (octets, _) = octets.split_first_chunk::<4>()?;
    Some(u32::from_le_bytes(*octets).into())
}

const SP: u16 = 13;
const LR: u16 = 14;
const PC: u16 = 15;

#[cfg(test)]
mod tests {
    use super::*;

    fn code(halves: &[u16]) -> Vec<u8> {
        halves.iter().flat_map(|half| half.to_le_bytes()).collect()
    }

    fn seen(halves: &[u16]) -> Seen {
        look_at(&code(halves), |_| false)
    }

    #[test]
    fn look_at_adds_up_what_is_pushed() {
        // push {r4, r5, r7, lr}; sub sp, #16; bx lr
        assert_eq!(seen(&[0xb5b0, 0xb084, 0x4770]).pushed, 32);
        // push.w {r8, r9, r10, r11}; sub.w sp, sp, #1024; subw sp, sp, #2050; str r11, [sp, #-4]!
        assert_eq!(seen(&[0xe92d, 0x0f00]).pushed, 16);
        assert_eq!(seen(&[0xf5ad, 0x6d80]).pushed, 1_024);
        assert_eq!(seen(&[0xf6ad, 0x0d02]).pushed, 2_050);
        assert_eq!(seen(&[0xf84d, 0xbd04]).pushed, 4);
    }

    #[test]
    fn look_at_finds_calls_through_pointers_and_no_returns() {
        assert!(seen(&[0x4798]).calls_pointers, "blx r3");
        assert!(seen(&[0x4708]).calls_pointers, "bx r1");
        assert!(seen(&[0xf8d1, 0xf00c]).calls_pointers, "ldr.w pc, [r1, #12]");
        assert!(!seen(&[0x4770]).calls_pointers, "bx lr");
        assert!(!seen(&[0xf85d, 0xfb04]).calls_pointers, "ldr pc, [sp], #4");
        assert!(!look_at(&code(&[0x4798]), |_| true).calls_pointers, "a table");
    }

    #[test]
    fn look_at_finds_calls_of_the_function_itself() {
        // push {r7, lr}; bl -6 (to the start); beq.w +0x20; pop {r7, pc}
        let seen = seen(&[0xb580, 0xf7ff, 0xfffd, 0xf000, 0x800e, 0xbd80]);
        assert_eq!(seen.calls, [2]);
    }

    #[test]
    fn branch_target_goes_both_ways() {
        // As assembled: bl +0x1000, bl -4 (to itself), beq.w +0x20.
        assert_eq!(branch_target(&code(&[0xf000, 0xfffe]), 0x100), Some(0x1100));
        assert_eq!(branch_target(&code(&[0xf7ff, 0xfffe]), 0x100), Some(0x100));
        assert_eq!(branch_target(&code(&[0xf000, 0x800e]), 0x100), Some(0x120));
    }
}
