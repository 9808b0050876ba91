//! The on-chip Ethernet controller of the Stellaris LM3S6965 (chapter 15 of its data sheet), as QEMU models it.
//!
//! Frames wait in the controller (31 in QEMU, 2 KiB on the chip) until the stack takes them. QEMU sets the receive
//! status on an edge and hands over what it queued itself only when the packet count reaches 0, so the interrupt is
//! acknowledged first and the FIFO then drained to the end; embassy-net does so by calling `receive` until `None`.

use core::sync::atomic::{AtomicBool, Ordering};
use embassy_sync::waitqueue::AtomicWaker;

use crate::Registers;
use crate::ethernet::{Controller, FRAME_LEN, HEADER_LEN};

/// The started controller.
pub struct StellarisEth {
    registers: Registers,
}

impl StellarisEth {
    /// Takes and starts the controller.
    ///
    /// `registers` is the controller's block (0x40 bytes). The caller unmasks the interrupt and calls
    /// [`on_interrupt`] from it.
    #[must_use]
    pub fn new(registers: Registers, mac: [u8; 6]) -> Self {
        registers.write(IM, 0);
        registers.write(RCTL, RCTL_RSTFIFO);
        registers.write(RIS, u32::MAX);
        registers.write(IA0, u32::from_le_bytes([mac[0], mac[1], mac[2], mac[3]]));
        registers.write(IA1, u32::from_le_bytes([mac[4], mac[5], 0, 0]));
        registers.write(TCTL, TCTL_DUPLEX | TCTL_CRC | TCTL_PADEN | TCTL_TXEN);
        registers.write(RCTL, RCTL_BADCRC | RCTL_RXEN);
        registers.write(IM, INT_RX | INT_FOV);
        Self { registers }
    }
}

impl Controller for StellarisEth {
    fn waker() -> &'static AtomicWaker {
        &WAKER
    }

    // A frame longer than an Ethernet frame can be is taken out of the FIFO and left.
    fn read_frame(&self, frame: &mut [u8; FRAME_LEN]) -> Option<usize> {
        if OVERRUN.swap(false, Ordering::Relaxed) {
            defmt::warn!("network: a frame was lost, the receive FIFO was full");
        }
        while self.registers.read(NP) & NP_MASK > 0 {
            // First word: total length (with itself and the FCS) in the low half, then the frame's first 2 bytes.
            let first = self.registers.read(DATA);
            let total = usize::try_from(first & 0xffff).unwrap_or(0);
            let len = total.saturating_sub(LENGTH_AND_FCS);
            let words = total.div_ceil(4).saturating_sub(1);
            let (head, rest) = frame.split_at_mut(2);
            head.copy_from_slice(&first.to_le_bytes()[2..]);
            let mut chunks = rest.chunks_mut(4);
            for _ in 0..words {
                let word = self.registers.read(DATA).to_le_bytes();
                if let Some(chunk) = chunks.next() {
                    chunk.copy_from_slice(&word[..chunk.len()]);
                }
            }
            if (HEADER_LEN..=FRAME_LEN).contains(&len) {
                return Some(len);
            }
        }
        None
    }

    fn tx_ready(&self) -> bool {
        if self.registers.read(TR) & TR_NEWTX == 0 {
            return true;
        }
        self.registers.write(IM, INT_RX | INT_FOV | INT_TXEMP);
        // The transmission may have ended between the two accesses.
        self.registers.read(TR) & TR_NEWTX == 0
    }

    fn write_frame(&self, frame: &[u8]) {
        // First word: length without the 14 bytes of header, then the frame's first 2 bytes.
        let payload_len = u16::try_from(frame.len().saturating_sub(HEADER_LEN))
            .unwrap_or(0)
            .to_le_bytes();
        let (head, rest) = frame.split_at(2);
        self.registers.write(
            DATA,
            u32::from_le_bytes([payload_len[0], payload_len[1], head[0], head[1]]),
        );
        for chunk in rest.chunks(4) {
            let mut word = [0; 4];
            word[..chunk.len()].copy_from_slice(chunk);
            self.registers.write(DATA, u32::from_le_bytes(word));
        }
        // The threshold register resets to "never by itself".
        self.registers.write(TR, TR_NEWTX);
    }
}

/// Acknowledges the controller's interrupt and wakes the stack. `registers` is the controller's block.
pub fn on_interrupt(registers: &Registers) {
    let pending = registers.read(RIS);
    registers.write(RIS, pending & (INT_RX | INT_FOV | INT_TXEMP));
    if pending & INT_FOV != 0 {
        OVERRUN.store(true, Ordering::Relaxed);
    }
    WAKER.wake();
}

static WAKER: AtomicWaker = AtomicWaker::new();
/// The controller had no room for a frame.
static OVERRUN: AtomicBool = AtomicBool::new(false);

/// What the FIFO's length counts besides the frame: the length itself (2) and the FCS (4).
const LENGTH_AND_FCS: usize = 6;

// Register offsets and bits, named as in the data sheet.
const RIS: usize = 0x00;
const IM: usize = 0x04;
const RCTL: usize = 0x08;
const TCTL: usize = 0x0c;
const DATA: usize = 0x10;
const IA0: usize = 0x14;
const IA1: usize = 0x18;
const NP: usize = 0x34;
const TR: usize = 0x38;

const INT_RX: u32 = 1;
const INT_TXEMP: u32 = 1 << 2;
const INT_FOV: u32 = 1 << 3;
const RCTL_RXEN: u32 = 1;
const RCTL_BADCRC: u32 = 1 << 3;
const RCTL_RSTFIFO: u32 = 1 << 4;
const TCTL_TXEN: u32 = 1;
const TCTL_PADEN: u32 = 1 << 1;
const TCTL_CRC: u32 = 1 << 2;
const TCTL_DUPLEX: u32 = 1 << 4;
const NP_MASK: u32 = 0x3f;
const TR_NEWTX: u32 = 1;
