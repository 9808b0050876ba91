//! The MPS2 board with image AN386 as QEMU emulates it: clock, alarm timer, network interface, interrupts.
#![no_std]

use cortex_m::peripheral::NVIC;
use cortex_m_rt::exception;
use embassy_executor::Spawner;
use embassy_net::{Runner, Stack};
use qemu_drivers::lan9118::{self, Lan9118};
use qemu_drivers::{Ethernet, FrameBuffers, Registers, systick};
use qemu_runtime::{Args, executor, network};
use static_cell::ConstStaticCell;

/// The machine's network interface.
pub type Nic = Ethernet<'static, Lan9118>;

/// Starts clock, timer and network, and runs `app` with the network stack. To be called once, from `main`.
pub fn run(app: fn(Spawner, Stack<'static>, Args)) -> ! {
    static BUFFERS: ConstStaticCell<FrameBuffers> = ConstStaticCell::new(FrameBuffers::new());
    let Some(peripherals) = cortex_m::Peripherals::take() else {
        panic!("run is called once")
    };
    let args = Args::fetch();
    systick::start(peripherals.SYST, CLOCK_HZ);
    start_alarm_timer();
    // SAFETY: the Ethernet controller's block; beside this owner only the handler below acknowledges interrupts.
    let registers = unsafe { Registers::new(ETHERNET, 0x100) };
    let nic = match Lan9118::new(registers, MAC) {
        Ok(controller) => Ethernet::new(controller, MAC, BUFFERS.take()),
        Err(error) => panic!("no LAN9118: BYTE_TEST reads {:#x}", error.byte_test),
    };
    // SAFETY: the two handlers' data (clock, wakers) are statics, ready from the start.
    unsafe {
        NVIC::unmask(Irq::Timer0);
        NVIC::unmask(Irq::Ethernet);
        cortex_m::interrupt::enable();
    }
    executor::run(|spawner| {
        let (stack, runner) = network::start(nic, args);
        match net(runner) {
            Ok(task) => spawner.spawn(task),
            Err(_) => panic!("the network task is spawned once"),
        }
        app(spawner, stack, args);
    })
}

#[embassy_executor::task]
async fn net(mut runner: Runner<'static, Nic>) -> ! {
    runner.run().await
}

/// Timer 0 (CMSDK APB timer) as a periodic 1 kHz interrupt: when `systick::on_tick` looks at the alarms.
fn start_alarm_timer() {
    // SAFETY: timer 0, used by nobody else but the handler, which acknowledges.
    let timer = unsafe { Registers::new(TIMER0, 0x10) };
    timer.write(TIMER_RELOAD, CLOCK_HZ / TICKS_PER_SECOND - 1);
    timer.write(TIMER_VALUE, CLOCK_HZ / TICKS_PER_SECOND - 1);
    timer.write(TIMER_CTRL, TIMER_CTRL_ENABLE | TIMER_CTRL_INTERRUPT);
}

#[exception]
fn SysTick() {
    systick::on_systick();
}

#[exception]
unsafe fn DefaultHandler(irq: i16) {
    if irq == Irq::Timer0 as i16 {
        // SAFETY: acknowledging the interrupt is the handler's part of the timer.
        unsafe { Registers::new(TIMER0, 0x10) }.write(TIMER_INTCLEAR, 1);
        systick::on_tick();
    } else if irq == Irq::Ethernet as i16 {
        // SAFETY: the handler only acknowledges, as the driver provides for.
        lan9118::on_interrupt(&unsafe { Registers::new(ETHERNET, 0x100) });
    } else {
        panic!("unexpected interrupt {irq}");
    }
}

#[derive(Clone, Copy)]
#[repr(u16)]
enum Irq {
    Timer0 = 8,
    Ethernet = 13,
}

// SAFETY: the numbers are the positions in this board's vector table and do not change.
unsafe impl cortex_m::interrupt::InterruptNumber for Irq {
    fn number(self) -> u16 {
        self as u16
    }
}

/// QEMU's default address for the first interface.
const MAC: [u8; 6] = [0x52, 0x54, 0x00, 0x12, 0x34, 0x56];
const CLOCK_HZ: u32 = 25_000_000;
const TICKS_PER_SECOND: u32 = 1000;

const TIMER0: usize = 0x4000_0000;
const ETHERNET: usize = 0x4020_0000;

const TIMER_CTRL: usize = 0x00;
const TIMER_VALUE: usize = 0x04;
const TIMER_RELOAD: usize = 0x08;
const TIMER_INTCLEAR: usize = 0x0c;
const TIMER_CTRL_ENABLE: u32 = 1;
const TIMER_CTRL_INTERRUPT: u32 = 1 << 3;
