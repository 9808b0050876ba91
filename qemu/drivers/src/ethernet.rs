//! The embassy-net side of an Ethernet controller: what is the same for all of them.

use core::task::Context;

use embassy_net_driver::{Capabilities, Driver, HardwareAddress, LinkState, RxToken, TxToken};
use embassy_sync::waitqueue::AtomicWaker;

/// A controller that has been started, and whose interrupt handler wakes [`waker`](Self::waker).
pub trait Controller {
    /// Whom the interrupt handler of this kind of controller wakes.
    fn waker() -> &'static AtomicWaker;

    /// Is there room for a whole frame to be sent? If not, the interrupt that tells is asked for.
    fn tx_ready(&self) -> bool;

    /// Moves the oldest good frame from the controller to the front of `frame`, and gives its length without the FCS.
    /// `None`: no frame waits.
    fn read_frame(&self, frame: &mut [u8; FRAME_LEN]) -> Option<usize>;

    /// Sends `frame`, which has no FCS. [`tx_ready`](Self::tx_ready) has said that there is room.
    fn write_frame(&self, frame: &[u8]);
}

/// A controller as an embassy-net device.
pub struct Ethernet<'d, C> {
    controller: C,
    mac: [u8; 6],
    buffers: &'d mut FrameBuffers,
}

impl<'d, C: Controller> Ethernet<'d, C> {
    /// The device with the address `mac`, which the controller knows already.
    pub fn new(controller: C, mac: [u8; 6], buffers: &'d mut FrameBuffers) -> Self {
        Self {
            controller,
            mac,
            buffers,
        }
    }
}

impl<C: Controller> Driver for Ethernet<'_, C> {
    type RxToken<'a>
        = Received<'a>
    where
        Self: 'a;
    type TxToken<'a>
        = Transmit<'a, C>
    where
        Self: 'a;

    fn receive(&mut self, cx: &mut Context) -> Option<(Received<'_>, Transmit<'_, C>)> {
        C::waker().register(cx.waker());
        if !self.controller.tx_ready() {
            return None;
        }
        let len = self.controller.read_frame(&mut self.buffers.rx)?;
        let received = Received {
            frame: self.buffers.rx.get_mut(..len)?,
        };
        let transmit = Transmit {
            controller: &self.controller,
            frame: &mut self.buffers.tx,
        };
        Some((received, transmit))
    }

    fn transmit(&mut self, cx: &mut Context) -> Option<Transmit<'_, C>> {
        C::waker().register(cx.waker());
        self.controller.tx_ready().then_some(Transmit {
            controller: &self.controller,
            frame: &mut self.buffers.tx,
        })
    }

    // User networking is always connected, and QEMU models no MII for the Stellaris; a board would ask its PHY.
    fn link_state(&mut self, _cx: &mut Context) -> LinkState {
        LinkState::Up
    }

    fn capabilities(&self) -> Capabilities {
        let mut capabilities = Capabilities::default();
        capabilities.max_transmission_unit = FRAME_LEN;
        capabilities
    }

    fn hardware_address(&self) -> HardwareAddress {
        HardwareAddress::Ethernet(self.mac)
    }
}

/// Room for the frame being received and the frame being sent. Lent to a driver for good.
pub struct FrameBuffers {
    rx: [u8; FRAME_LEN],
    tx: [u8; FRAME_LEN],
}

impl FrameBuffers {
    /// Empty buffers.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            rx: [0; FRAME_LEN],
            tx: [0; FRAME_LEN],
        }
    }
}

impl Default for FrameBuffers {
    fn default() -> Self {
        Self::new()
    }
}

/// One received frame.
pub struct Received<'a> {
    frame: &'a mut [u8],
}

impl RxToken for Received<'_> {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, f: F) -> R {
        f(self.frame)
    }
}

/// Room for one frame to be sent.
pub struct Transmit<'a, C> {
    controller: &'a C,
    frame: &'a mut [u8; FRAME_LEN],
}

impl<C: Controller> TxToken for Transmit<'_, C> {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, len: usize, f: F) -> R {
        let frame = &mut self.frame[..len];
        let result = f(frame);
        self.controller.write_frame(frame);
        result
    }
}

/// Largest Ethernet frame without its FCS.
pub const FRAME_LEN: usize = 1514;
/// Addresses and type.
pub(crate) const HEADER_LEN: usize = 14;
