//! TCP and DNS by `embassy-net`.

use embassy_net::dns::DnsQueryType;
use embassy_net::tcp::{TcpReader, TcpSocket, TcpWriter};
use embassy_net::{IpAddress, IpEndpoint, Stack};

use crate::transport::asynch::{Connector, Duplex};

/// Resolves a name and connects by TCP, over an `embassy-net` stack.
///
/// The buffers are TCP's, not counted in [`Resources`](crate::Resources): `rx` of 1 to 4 times RECV and `tx` of the size of
/// SEND are right.
pub struct TcpConnector<'d> {
    stack: Stack<'d>,
    host: &'d str,
    port: u16,
    rx: &'d mut [u8],
    tx: &'d mut [u8],
}

impl<'d> TcpConnector<'d> {
    /// Connects to `host`, a name or an IPv4 address, on `port`.
    pub fn new(stack: Stack<'d>, host: &'d str, port: u16, rx: &'d mut [u8], tx: &'d mut [u8]) -> Self {
        Self {
            stack,
            host,
            port,
            rx,
            tx,
        }
    }

    async fn resolve(&self) -> Result<IpAddress, &'static str> {
        if let Ok(address) = self.host.parse() {
            return Ok(IpAddress::Ipv4(address));
        }
        let addresses = self.stack.dns_query(self.host, DnsQueryType::A).await;
        let addresses = addresses.map_err(|_| "the server's name could not be resolved")?;
        addresses
            .first()
            .copied()
            .ok_or("the server's name has no IPv4 address")
    }
}

impl Connector for TcpConnector<'_> {
    type Connection<'c>
        = TcpSocket<'c>
    where
        Self: 'c;

    async fn connect(&mut self) -> Result<Self::Connection<'_>, &'static str> {
        self.stack.wait_config_up().await;
        let address = self.resolve().await?;
        let mut socket = TcpSocket::new(self.stack, self.rx, self.tx);
        // Every write is a whole message's worth; Nagle would hold WINDOW_UPDATE back for a delayed ACK.
        socket.set_nagle_enabled(false);
        let endpoint = IpEndpoint::new(address, self.port);
        socket
            .connect(endpoint)
            .await
            .map_err(|_| "the server refused the TCP connection")?;
        Ok(socket)
    }
}

impl Duplex for TcpSocket<'_> {
    type Reader<'h>
        = TcpReader<'h>
    where
        Self: 'h;
    type Writer<'h>
        = TcpWriter<'h>
    where
        Self: 'h;

    /// `embassy-net`'s flush waits for the peer's ACK.
    const FLUSH: bool = false;

    fn split(&mut self) -> (TcpReader<'_>, TcpWriter<'_>) {
        TcpSocket::split(self)
    }

    async fn close(&mut self) {
        TcpSocket::close(self);
        // An error means that the peer is gone: nobody is left to tell.
        self.flush().await.unwrap_or_default();
    }
}
