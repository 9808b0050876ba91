//! The IP stack over whichever interface the machine has: address by DHCP, names by the DNS server that DHCP names.

use embassy_net::driver::Driver;
use embassy_net::{Config, Runner, Stack, StackResources, StaticConfigV4};
use static_cell::StaticCell;

use crate::Args;

/// Sockets of the stack: DHCP, DNS, and what the application opens.
pub const SOCKETS: usize = 6;

/// Makes the stack. The runner goes into a task of the machine, which knows the driver's type. To be called once.
///
/// The argument `seed` (a number) chooses the local ports; without it they are the same in each run.
pub fn start<D: Driver>(driver: D, args: Args) -> (Stack<'static>, Runner<'static, D>) {
    static RESOURCES: StaticCell<StackResources<SOCKETS>> = StaticCell::new();
    let config = Config::dhcpv4(embassy_net::DhcpConfig::default());
    embassy_net::new(
        driver,
        config,
        RESOURCES.init(StackResources::new()),
        args.number("seed", 0),
    )
}

/// Waits until the interface has an address and says which.
///
/// Cancel safe: nothing is lost when the future is dropped.
pub async fn wait_for_address(stack: Stack<'static>) -> StaticConfigV4 {
    loop {
        stack.wait_config_up().await;
        if let Some(config) = stack.config_v4() {
            defmt::info!(
                "address by DHCP: {}, router {}, name server {}",
                config.address,
                config.gateway,
                config.dns_servers.first()
            );
            return config;
        }
    }
}
