//! Async sockets.

use std::future::Future;
use std::net::SocketAddr;

use embedded_io_adapters::tokio_1::FromTokio;
use rpc_nostd::transport::asynch::{Acceptor, Connector, Duplex};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::net::{TcpListener, TcpStream};

/// Connects the async channel by tokio's TCP.
#[derive(Clone, Copy, Debug)]
pub struct TokioConnector {
    /// Where the server listens.
    pub address: SocketAddr,
}

impl Connector for TokioConnector {
    type Connection<'c> = TokioConnection;

    fn connect(&mut self) -> impl Future<Output = Result<Self::Connection<'_>, &'static str>> {
        let address = self.address;
        async move {
            let stream = TcpStream::connect(address).await;
            TokioConnection::new(stream.map_err(|_| "the server refuses the connection")?)
        }
    }
}

/// Accepts clients by tokio's TCP. Its copies share the listener.
#[derive(Clone, Copy, Debug)]
pub struct TokioAcceptor<'l> {
    /// Where clients come to.
    pub listener: &'l TcpListener,
}

impl Acceptor for TokioAcceptor<'_> {
    type Connection<'c>
        = TokioConnection
    where
        Self: 'c;

    async fn accept(&mut self) -> Result<Self::Connection<'_>, &'static str> {
        let (stream, _) = self
            .listener
            .accept()
            .await
            .map_err(|_| "the listener accepts no client")?;
        TokioConnection::new(stream)
    }
}

/// A connection of [`TokioConnector`] or [`TokioAcceptor`].
#[derive(Debug)]
pub struct TokioConnection {
    stream: TcpStream,
}

impl TokioConnection {
    fn new(stream: TcpStream) -> Result<Self, &'static str> {
        stream.set_nodelay(true).map_err(|_| "no TCP_NODELAY")?;
        Ok(Self { stream })
    }
}

impl Duplex for TokioConnection {
    type Reader<'h> = FromTokio<ReadHalf<'h>>;
    type Writer<'h> = FromTokio<WriteHalf<'h>>;

    fn split(&mut self) -> (Self::Reader<'_>, Self::Writer<'_>) {
        let (reader, writer) = self.stream.split();
        (FromTokio::new(reader), FromTokio::new(writer))
    }

    async fn close(&mut self) {
        // With octets unread, the host would reset the connection, and what was sent last could be lost.
        if self.stream.shutdown().await.is_ok() {
            let mut rest = [0; 512];
            while let Ok(1..) = self.stream.read(&mut rest).await {}
        }
    }
}
