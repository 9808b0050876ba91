//! SMSC LAN9118, a 10/100 Ethernet controller on the external bus of the MPS2 boards, as QEMU models it.
//!
//! Frames wait in the receive FIFO (10,560 bytes) until the stack takes them. What does not fit is dropped by the
//! device and counted in RX_DROP; QEMU drops without counting. TCP receive windows that sum to less than the FIFO keep
//! that from happening.

use embassy_sync::waitqueue::AtomicWaker;

use crate::Registers;
use crate::ethernet::{Controller, FRAME_LEN, HEADER_LEN};

/// The started controller.
pub struct Lan9118 {
    registers: Registers,
}

/// There is no LAN9118 at the address: BYTE_TEST reads something else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotFound {
    /// What BYTE_TEST read.
    pub byte_test: u32,
}

impl Lan9118 {
    /// Takes, resets and starts the controller.
    ///
    /// `registers` is the controller's block (0x100 bytes). The caller unmasks the interrupt and calls
    /// [`on_interrupt`] from it.
    ///
    /// # Errors
    /// [`NotFound`]: the block is not a LAN9118.
    pub fn new(registers: Registers, mac: [u8; 6]) -> Result<Self, NotFound> {
        let byte_test = registers.read(BYTE_TEST);
        if byte_test != BYTE_TEST_VALUE {
            return Err(NotFound { byte_test });
        }
        registers.write(HW_CFG, HW_CFG_SRST);
        while registers.read(HW_CFG) & HW_CFG_SRST != 0 {}
        // 5 KiB for the transmit FIFO, the rest receives; "must be one" bit set.
        registers.write(HW_CFG, HW_CFG_MBO | 5 << 16);
        registers.write(INT_EN, 0);
        registers.write(INT_STS, u32::MAX);
        let device = Self { registers };
        device.mac_write(MAC_ADDRL, u32::from_le_bytes([mac[0], mac[1], mac[2], mac[3]]));
        device.mac_write(MAC_ADDRH, u32::from_le_bytes([mac[4], mac[5], 0, 0]));
        // Receive level 0: interrupt as soon as one status word is there. Transmit data level: a whole frame free.
        device.registers.write(FIFO_INT, FIFO_INT_FRAME_FREE << 24);
        device.registers.write(RX_CFG, 0);
        device.registers.write(TX_CFG, TX_CFG_ON);
        device.mac_write(MAC_CR, MAC_CR_FDPX | MAC_CR_TXEN | MAC_CR_RXEN);
        device.registers.write(INT_EN, INT_RSFL);
        device
            .registers
            .write(IRQ_CFG, IRQ_CFG_EN | IRQ_CFG_ACTIVE_HIGH | IRQ_CFG_PUSH_PULL);
        Ok(device)
    }

    fn mac_write(&self, index: u32, value: u32) {
        while self.registers.read(MAC_CSR_CMD) & MAC_CSR_BUSY != 0 {}
        self.registers.write(MAC_CSR_DATA, value);
        self.registers.write(MAC_CSR_CMD, MAC_CSR_BUSY | index);
        while self.registers.read(MAC_CSR_CMD) & MAC_CSR_BUSY != 0 {}
    }
}

impl Controller for Lan9118 {
    fn waker() -> &'static AtomicWaker {
        &WAKER
    }

    fn read_frame(&self, frame: &mut [u8; FRAME_LEN]) -> Option<usize> {
        while self.registers.read(RX_FIFO_INF) & RX_FIFO_INF_STATUS_USED != 0 {
            let status = self.registers.read(RX_STATUS);
            let total = usize::try_from(status >> 16 & 0x3fff).unwrap_or(0);
            let mut chunks = frame.chunks_mut(4);
            for _ in 0..total.div_ceil(4) {
                let word = self.registers.read(RX_DATA).to_le_bytes();
                if let Some(chunk) = chunks.next() {
                    chunk.copy_from_slice(&word[..chunk.len()]);
                }
            }
            let len = total.saturating_sub(FCS_LEN);
            if status & RX_STATUS_ERROR == 0 && (HEADER_LEN..=FRAME_LEN).contains(&len) {
                return Some(len);
            }
        }
        let dropped = self.registers.read(RX_DROP);
        if dropped != 0 {
            defmt::warn!(
                "network: {=u32} frames were lost, the receive FIFO was full",
                dropped
            );
        }
        None
    }

    fn tx_ready(&self) -> bool {
        // Results of earlier transmissions: the FIFO of results must not fill up.
        while self.registers.read(TX_FIFO_INF) & TX_FIFO_INF_STATUS_USED != 0 {
            let _ = self.registers.read(TX_STATUS);
        }
        let ready = || self.registers.read(TX_FIFO_INF) & TX_FIFO_INF_FREE >= FIFO_INT_FRAME_FREE * 64;
        if ready() {
            return true;
        }
        self.registers.write(INT_EN, INT_RSFL | INT_TDFA);
        ready()
    }

    fn write_frame(&self, frame: &[u8]) {
        let len = u32::try_from(frame.len()).unwrap_or(0);
        self.registers.write(TX_DATA, TX_CMD_FIRST | TX_CMD_LAST | len);
        self.registers.write(TX_DATA, len);
        for chunk in frame.chunks(4) {
            let mut word = [0; 4];
            word[..chunk.len()].copy_from_slice(chunk);
            self.registers.write(TX_DATA, u32::from_le_bytes(word));
        }
    }
}

/// Acknowledges the controller's interrupt and wakes the stack. `registers` is the controller's block.
pub fn on_interrupt(registers: &Registers) {
    let pending = registers.read(INT_STS);
    registers.write(INT_STS, pending & (INT_RSFL | INT_TDFA));
    registers.write(INT_EN, INT_RSFL);
    WAKER.wake();
}

static WAKER: AtomicWaker = AtomicWaker::new();

const FCS_LEN: usize = 4;
/// A whole frame with its command words, in units of 64 bytes.
const FIFO_INT_FRAME_FREE: u32 = 24;

// Register offsets and bits, named as in the data sheet.
const RX_DATA: usize = 0x00;
const TX_DATA: usize = 0x20;
const RX_STATUS: usize = 0x40;
const TX_STATUS: usize = 0x48;
const IRQ_CFG: usize = 0x54;
const INT_STS: usize = 0x58;
const INT_EN: usize = 0x5c;
const BYTE_TEST: usize = 0x64;
const FIFO_INT: usize = 0x68;
const RX_CFG: usize = 0x6c;
const TX_CFG: usize = 0x70;
const HW_CFG: usize = 0x74;
const RX_FIFO_INF: usize = 0x7c;
const TX_FIFO_INF: usize = 0x80;
const RX_DROP: usize = 0xa0;
const MAC_CSR_CMD: usize = 0xa4;
const MAC_CSR_DATA: usize = 0xa8;

const BYTE_TEST_VALUE: u32 = 0x8765_4321;
const HW_CFG_SRST: u32 = 1;
const HW_CFG_MBO: u32 = 1 << 20;
const INT_RSFL: u32 = 1 << 3;
const INT_TDFA: u32 = 1 << 9;
const IRQ_CFG_EN: u32 = 1 << 8;
const IRQ_CFG_ACTIVE_HIGH: u32 = 1 << 4;
const IRQ_CFG_PUSH_PULL: u32 = 1;
const TX_CFG_ON: u32 = 1 << 1;
const RX_FIFO_INF_STATUS_USED: u32 = 0xff << 16;
const TX_FIFO_INF_STATUS_USED: u32 = 0xff << 16;
const TX_FIFO_INF_FREE: u32 = 0xffff;
const RX_STATUS_ERROR: u32 = 1 << 15;
const TX_CMD_FIRST: u32 = 1 << 13;
const TX_CMD_LAST: u32 = 1 << 12;
const MAC_CSR_BUSY: u32 = 1 << 31;

// Registers behind MAC_CSR_CMD.
const MAC_CR: u32 = 1;
const MAC_ADDRH: u32 = 2;
const MAC_ADDRL: u32 = 3;
const MAC_CR_FDPX: u32 = 1 << 20;
const MAC_CR_TXEN: u32 = 1 << 3;
const MAC_CR_RXEN: u32 = 1 << 2;
