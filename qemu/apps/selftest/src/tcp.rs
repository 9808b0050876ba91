//! TCP through the machine's driver: what the demo application will do under its gRPC channel.

use embassy_net::dns::DnsQueryType;
use embassy_net::tcp::TcpSocket;
use embassy_net::{IpAddress, Stack};
use embassy_time::{Duration, Instant, Timer, with_timeout};
use embedded_io_async::Write;
use qemu_runtime::Args;
use static_cell::StaticCell;

use crate::network::wait_for_address;

type Outcome = Result<(), &'static str>;

/// DHCP, DNS, one line there and back, a pause, close.
pub(crate) async fn connect(stack: Stack<'static>, args: Args) -> Outcome {
    let mut socket = open(stack, args).await?;
    let line = b"hello over TCP\n";
    socket.write_all(line).await.map_err(|_| "write failed")?;
    let mut answer = [0; 64];
    let mut len = 0;
    while !answer[..len].ends_with(b"\n") {
        match socket.read(&mut answer[len..]).await {
            Ok(0) | Err(_) => return Err("the peer ended before its line did"),
            Ok(read) => len += read,
        }
    }
    defmt::info!("answer: {=[u8]:a}", &answer[..len]);
    Timer::after_millis(50).await;
    close(&mut socket).await
}

/// Connects and returns what comes.
pub(crate) async fn echo(stack: Stack<'static>, args: Args) -> Outcome {
    let mut socket = open(stack, args).await?;
    return_bytes(&mut socket).await
}

/// Waits for one connection and returns what comes.
pub(crate) async fn listen(stack: Stack<'static>, args: Args) -> Outcome {
    wait_for_address(stack).await;
    let mut socket = socket(stack);
    let port: u16 = args.number("port", 7);
    defmt::info!("listening on port {=u16}", port);
    socket.accept(port).await.map_err(|_| "accept failed")?;
    socket.set_nagle_enabled(false);
    return_bytes(&mut socket).await
}

async fn open(stack: Stack<'static>, args: Args) -> Result<TcpSocket<'static>, &'static str> {
    with_timeout(Duration::from_secs(10), wait_for_address(stack))
        .await
        .map_err(|_| "no address by DHCP")?;
    let name = args.get("host").unwrap_or("10.0.2.2");
    let address = resolve(stack, name, args).await?;
    let mut socket = socket(stack);
    let port: u16 = args.number("port", 0);
    socket
        .connect((address, port))
        .await
        .map_err(|_| "connect failed")?;
    socket.set_nagle_enabled(false);
    defmt::info!("connected to {}:{=u16}", address, port);
    Ok(socket)
}

/// The address of `name`, or the literal that the argument `fallback` gives where no resolver answers.
async fn resolve(stack: Stack<'static>, name: &str, args: Args) -> Result<IpAddress, &'static str> {
    let query = stack.dns_query(name, DnsQueryType::A);
    if let Ok(Ok(addresses)) = with_timeout(Duration::from_secs(10), query).await
        && let Some(address) = addresses.first()
    {
        defmt::info!("name resolution: {=str} is {}", name, address);
        return Ok(*address);
    }
    let literal = args
        .get("fallback")
        .and_then(|text| text.parse().ok())
        .map(IpAddress::Ipv4);
    match literal {
        Some(address) => {
            defmt::warn!(
                "NO NAME RESOLUTION for {=str}: going on with the address {}",
                name,
                address
            );
            Ok(address)
        }
        None => Err("name resolution failed"),
    }
}

async fn return_bytes(socket: &mut TcpSocket<'static>) -> Outcome {
    let mut buffer = [0; 512];
    let mut octets = 0_u32;
    let begin = Instant::now();
    loop {
        let len = socket.read(&mut buffer).await.map_err(|_| "read failed")?;
        if len == 0 {
            break;
        }
        socket
            .write_all(&buffer[..len])
            .await
            .map_err(|_| "write failed")?;
        octets += len as u32;
    }
    defmt::info!(
        "echoed {=u32} octets in {=u64} ms",
        octets,
        begin.elapsed().as_millis()
    );
    close(socket).await
}

/// Closes both ways and waits for the peer's acknowledgement, 5 seconds at most.
async fn close(socket: &mut TcpSocket<'static>) -> Outcome {
    socket.close();
    with_timeout(Duration::from_secs(5), socket.flush())
        .await
        .map_err(|_| "the peer did not acknowledge the close in 5 s")?
        .map_err(|_| "connection lost at close")?;
    defmt::info!("connection closed");
    Ok(())
}

fn socket(stack: Stack<'static>) -> TcpSocket<'static> {
    static RX: StaticCell<[u8; 2048]> = StaticCell::new();
    static TX: StaticCell<[u8; 2048]> = StaticCell::new();
    let mut socket = TcpSocket::new(stack, RX.init([0; 2048]), TX.init([0; 2048]));
    socket.set_timeout(Some(Duration::from_secs(20)));
    socket
}
