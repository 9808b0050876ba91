//! The LM3S6965 evaluation board as QEMU emulates it: clock, alarm timer, network interface, interrupts.
#![no_std]

use cortex_m::peripheral::NVIC;
use cortex_m_rt::exception;
use embassy_executor::Spawner;
use embassy_net::{Runner, Stack};
use qemu_drivers::stellaris_eth::{self, StellarisEth};
use qemu_drivers::{Ethernet, FrameBuffers, Registers, systick};
use qemu_runtime::{Args, executor, network};
use static_cell::ConstStaticCell;

/// The machine's network interface.
pub type Nic = Ethernet<'static, StellarisEth>;

/// Starts clock, timer and network, and runs `app` with the network stack. To be called once, from `main`.
pub fn run(app: fn(Spawner, Stack<'static>, Args)) -> ! {
    static BUFFERS: ConstStaticCell<FrameBuffers> = ConstStaticCell::new(FrameBuffers::new());
    let Some(peripherals) = cortex_m::Peripherals::take() else {
        panic!("run is called once")
    };
    let args = Args::fetch();
    systick::start(peripherals.SYST, clock_hz());
    start_alarm_timer();
    // SAFETY: the Ethernet controller's block; beside this owner only the handler below acknowledges interrupts.
    let registers = unsafe { Registers::new(ETHERNET, 0x40) };
    let nic = Ethernet::new(StellarisEth::new(registers, MAC), MAC, BUFFERS.take());
    // SAFETY: the two handlers' data (clock, wakers) are statics, ready from the start.
    unsafe {
        NVIC::unmask(Irq::Timer0A);
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

/// The processor clock. QEMU: 200 MHz / (SYSDIV + 1), whatever the oscillator bits say; 12.5 MHz after reset.
fn clock_hz() -> u32 {
    // SAFETY: the system control block; only read here, before any other use.
    let system_control = unsafe { Registers::new(SYSTEM_CONTROL, 0x120) };
    let divisor = (system_control.read(RCC) >> 23 & 0xf) + 1;
    PLL_HZ / divisor
}

/// Timer 0 as a periodic 1 kHz interrupt: when `systick::on_tick` looks at the alarms.
fn start_alarm_timer() {
    // SAFETY: the system control block and timer 0, used by nobody else but the handler, which acknowledges.
    let (system_control, timer) = unsafe {
        (
            Registers::new(SYSTEM_CONTROL, 0x120),
            Registers::new(TIMER0, 0x50),
        )
    };
    // Clocks for timer 0, and for the Ethernet controller and its PHY.
    system_control.write(RCGC1, system_control.read(RCGC1) | 1 << 16);
    system_control.write(RCGC2, system_control.read(RCGC2) | 1 << 28 | 1 << 30);
    timer.write(GPTMCTL, 0);
    timer.write(GPTMCFG, 0);
    timer.write(GPTMTAMR, GPTMTAMR_PERIODIC);
    timer.write(GPTMTAILR, clock_hz() / TICKS_PER_SECOND);
    timer.write(GPTMIMR, GPTM_TIMEOUT);
    timer.write(GPTMCTL, GPTMCTL_TAEN);
}

#[exception]
fn SysTick() {
    systick::on_systick();
}

#[exception]
unsafe fn DefaultHandler(irq: i16) {
    if irq == Irq::Timer0A as i16 {
        // SAFETY: acknowledging the interrupt is the handler's part of the timer.
        unsafe { Registers::new(TIMER0, 0x50) }.write(GPTMICR, GPTM_TIMEOUT);
        systick::on_tick();
    } else if irq == Irq::Ethernet as i16 {
        // SAFETY: the handler only acknowledges, as the driver provides for.
        stellaris_eth::on_interrupt(&unsafe { Registers::new(ETHERNET, 0x40) });
    } else {
        panic!("unexpected interrupt {irq}");
    }
}

#[derive(Clone, Copy)]
#[repr(u16)]
enum Irq {
    Timer0A = 19,
    Ethernet = 42,
}

// SAFETY: the numbers are the positions in this chip's vector table and do not change.
unsafe impl cortex_m::interrupt::InterruptNumber for Irq {
    fn number(self) -> u16 {
        self as u16
    }
}

/// QEMU's default address for the first interface.
const MAC: [u8; 6] = [0x52, 0x54, 0x00, 0x12, 0x34, 0x56];
const PLL_HZ: u32 = 200_000_000;
const TICKS_PER_SECOND: u32 = 1000;

const TIMER0: usize = 0x4003_0000;
const ETHERNET: usize = 0x4004_8000;
const SYSTEM_CONTROL: usize = 0x400f_e000;

const RCC: usize = 0x60;
const RCGC1: usize = 0x104;
const RCGC2: usize = 0x108;
const GPTMCFG: usize = 0x00;
const GPTMTAMR: usize = 0x04;
const GPTMCTL: usize = 0x0c;
const GPTMIMR: usize = 0x18;
const GPTMICR: usize = 0x24;
const GPTMTAILR: usize = 0x28;
const GPTMTAMR_PERIODIC: u32 = 2;
const GPTMCTL_TAEN: u32 = 1;
const GPTM_TIMEOUT: u32 = 1;
