//! TCP and DNS by `embassy-net`.

use embassy_net::dns::DnsQueryType;
use embassy_net::tcp::{TcpReader, TcpSocket, TcpWriter};
use embassy_net::{IpAddress, IpEndpoint, Stack};
#[cfg(feature = "server")]
use embassy_time::Duration;

#[cfg(feature = "server")]
use crate::transport::asynch::Acceptor;
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

/// Accepts TCP connections, over an `embassy-net` stack: one at a time, so a [`Server`](crate::server::Server) takes as
/// many of these as it has connections, all for the same port.
///
/// Each has buffers of its own, TCP's, not counted in [`ServerResources`](crate::server::ServerResources): `rx` of 1 to 4
/// times RECV and `tx` of the size of SEND are right. Each takes one socket of the stack's `StackResources`, which must
/// have so many: `embassy-net` panics where they run out.
///
/// - A client that finds no acceptor free is refused at once, by RST.
/// - A client that begins a connection and vanishes before it is made has its place for 10 seconds.
/// - One that vanishes later is noticed by the server's keepalive
///   ([`keepalive_time`](crate::server::ServerConfig::keepalive_time)), not by TCP's, which no proxy passes on.
/// - It listens whatever addresses the stack has, also while there is none. Connections to an address that is gone end
///   as those of clients that vanish.
#[cfg(feature = "server")]
pub struct TcpAcceptor<'d> {
    stack: Stack<'d>,
    port: u16,
    rx: &'d mut [u8],
    tx: &'d mut [u8],
}

#[cfg(feature = "server")]
impl<'d> TcpAcceptor<'d> {
    /// Accepts on `port`, which must not be 0.
    pub fn new(stack: Stack<'d>, port: u16, rx: &'d mut [u8], tx: &'d mut [u8]) -> Self {
        Self { stack, port, rx, tx }
    }
}

#[cfg(feature = "server")]
impl Acceptor for TcpAcceptor<'_> {
    type Connection<'c>
        = TcpSocket<'c>
    where
        Self: 'c;

    // A new socket for each connection: the port listens again as soon as the one before is dropped, without TIME-WAIT.
    async fn accept(&mut self) -> Result<Self::Connection<'_>, &'static str> {
        let mut socket = TcpSocket::new(self.stack, self.rx, self.tx);
        socket.set_nagle_enabled(false);
        loop {
            // Without it a client that vanishes in the handshake would have this place for ever.
            socket.set_timeout(Some(HANDSHAKE_TIME));
            let accepted = socket.accept(self.port).await;
            accepted.map_err(|_| "the port to listen on must not be 0")?;
            if socket.may_send() {
                socket.set_timeout(None);
                return Ok(socket);
            }
        }
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

/// A handshake takes one round trip, and three retransmissions on a bad line.
#[cfg(feature = "server")]
const HANDSHAKE_TIME: Duration = Duration::from_secs(10);
