//! Access to a block of 32-bit memory-mapped registers: the one place of the network drivers with raw pointers.

/// A block of 32-bit registers, addressed by byte offset.
#[derive(Debug)]
pub struct Registers {
    base: *mut u32,
    len_bytes: usize,
}

impl Registers {
    /// Registers from `base` on, `len_bytes` long.
    ///
    /// # Safety
    /// - `base` is the 4-aligned address of a device's register block of at least `len_bytes` bytes, mapped for the
    ///   life of the program.
    /// - Nobody else uses the block, or only as the device allows (an interrupt handler acknowledging its own bits).
    #[must_use]
    pub const unsafe fn new(base: usize, len_bytes: usize) -> Self {
        Self {
            base: core::ptr::with_exposed_provenance_mut(base),
            len_bytes,
        }
    }

    /// Reads the register at byte `offset`.
    #[must_use]
    pub fn read(&self, offset: usize) -> u32 {
        // SAFETY: `at` stays inside the block; reading is allowed by the contract of `new`.
        unsafe { self.at(offset).read_volatile() }
    }

    /// Writes the register at byte `offset`.
    pub fn write(&self, offset: usize, value: u32) {
        // SAFETY: `at` stays inside the block; writing is allowed by the contract of `new`.
        unsafe { self.at(offset).write_volatile(value) }
    }

    fn at(&self, offset: usize) -> *mut u32 {
        debug_assert!(offset.is_multiple_of(4) && offset + 4 <= self.len_bytes);
        self.base.wrapping_byte_add(offset)
    }
}

// SAFETY: a register block belongs to the device, not to a thread; single-core machines only.
unsafe impl Send for Registers {}
// SAFETY: as above; accesses are single volatile loads and stores.
unsafe impl Sync for Registers {}
