//! Name resolution for the guest without root, without a resolver on the host, and without the internet.
//!
//! QEMU's user networking tells the guest the name server 10.0.2.3 and forwards its queries to the host's own
//! resolver, which may not exist and does not know our names. A responder on the host would need port 53. So the
//! harness sits between the guest's interface and user networking (QEMU's `filter-redirector`): every frame that the
//! guest sends comes here; a query for one of our names to 10.0.2.3 port 53 is answered at once, everything else goes
//! on to user networking, other queries included. The guest sees an ordinary name server and is told nothing.
//!
//! ```text
//! guest NIC ──► redirector ──(socket)──► this module ──(socket)──► user networking
//!     ▲                                      │ answer
//!     └────────────────(socket)──────────────┘
//! ```

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc;

use etherparse::{NetSlice, PacketBuilder, SlicedPacket, TransportSlice};
use simple_dns::rdata::{A, RData};
use simple_dns::{CLASS, Packet, PacketFlag, QTYPE, RCODE, ResourceRecord, TYPE};

use crate::Error;

/// The three connections with the emulator, waiting to be made.
#[derive(Debug)]
pub(crate) struct NameService {
    names: Vec<(String, Ipv4Addr)>,
    from_guest: Port,
    to_network: Port,
    to_guest: Port,
}

#[derive(Debug)]
struct Port {
    listener: TcpListener,
    address: SocketAddr,
}

impl NameService {
    pub(crate) fn listen(names: Vec<(String, Ipv4Addr)>) -> Result<Self, Error> {
        let port = || -> io::Result<Port> {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
            let address = listener.local_addr()?;
            Ok(Port { listener, address })
        };
        let ports = || Ok::<_, io::Error>((port()?, port()?, port()?));
        let (from_guest, to_network, to_guest) = ports().map_err(Error::at(
            "cannot listen on 127.0.0.1 for the guest's name queries",
        ))?;
        Ok(Self {
            names,
            from_guest,
            to_network,
            to_guest,
        })
    }

    /// The emulator's options: it connects to us at its start.
    pub(crate) fn options(&self, netdev: &str) -> Vec<String> {
        let mut options = Vec::new();
        let ports = [
            ("fromguest", &self.from_guest),
            ("tonet", &self.to_network),
            ("toguest", &self.to_guest),
        ];
        for (id, port) in ports {
            let (host, port) = (port.address.ip(), port.address.port());
            options.push("-chardev".to_owned());
            options.push(format!("socket,id={id},host={host},port={port},nodelay=on"));
        }
        // "rx" and "tx" are seen from user networking: it receives what the guest sends.
        for filter in [
            "id=names0,queue=rx,outdev=fromguest,indev=tonet",
            "id=names1,queue=tx,indev=toguest",
        ] {
            options.push("-object".to_owned());
            options.push(format!("filter-redirector,netdev={netdev},{filter}"));
        }
        options
    }

    /// Accepts the emulator's connections and serves them until it ends, on threads of its own.
    pub(crate) fn serve(self) {
        std::thread::spawn(move || {
            // An emulator that ends before it connects leaves this thread waiting; it holds nothing but its sockets.
            let accept = |port: Port| port.listener.accept().map(|(stream, _)| stream);
            let streams = || {
                Ok((
                    accept(self.from_guest)?,
                    accept(self.to_network)?,
                    accept(self.to_guest)?,
                ))
            };
            let streams: io::Result<_> = streams();
            if let Ok((from_guest, to_network, to_guest)) = streams {
                relay(&self.names, from_guest, to_network, to_guest);
            }
        });
    }
}

/// Moves frames until a connection ends.
///
/// Reading and writing are on different threads: the emulator writes to us while it may not read, so we must always
/// read.
fn relay(
    names: &[(String, Ipv4Addr)],
    mut from_guest: TcpStream,
    mut to_network: TcpStream,
    mut to_guest: TcpStream,
) {
    for stream in [&to_network, &to_guest] {
        // Only costs latency where it fails.
        let _ = stream.set_nodelay(true);
    }
    let (sender, frames) = mpsc::channel::<Frame>();
    let writer = std::thread::spawn(move || {
        for frame in frames {
            let written = match frame {
                Frame::ToNetwork(bytes) => write_frame(&mut to_network, &bytes),
                Frame::ToGuest(bytes) => write_frame(&mut to_guest, &bytes),
            };
            if written.is_err() {
                return;
            }
        }
    });
    while let Ok(frame) = read_frame(&mut from_guest) {
        let next = answer(names, &frame).map_or(Frame::ToNetwork(frame), Frame::ToGuest);
        if sender.send(next).is_err() {
            break;
        }
    }
    drop(sender);
    // The writer ends when it has written all, or when the emulator is gone.
    let _ = writer.join();
}

enum Frame {
    ToNetwork(Vec<u8>),
    ToGuest(Vec<u8>),
}

/// A frame on a redirector's connection: 4 bytes of length, most significant first, then the frame.
fn read_frame(stream: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut len = [0; 4];
    stream.read_exact(&mut len)?;
    let len = usize::try_from(u32::from_be_bytes(len)).map_err(io::Error::other)?;
    if len > MAX_FRAME_LEN {
        return Err(io::Error::other("frame too long"));
    }
    let mut frame = vec![0; len];
    stream.read_exact(&mut frame)?;
    Ok(frame)
}

fn write_frame(stream: &mut impl Write, frame: &[u8]) -> io::Result<()> {
    let len = u32::try_from(frame.len()).map_err(io::Error::other)?;
    stream.write_all(&[&len.to_be_bytes()[..], frame].concat())
}

/// The frame that answers `frame`, if that is a query to the guest's name server for one of our names.
fn answer(names: &[(String, Ipv4Addr)], frame: &[u8]) -> Option<Vec<u8>> {
    let packet = SlicedPacket::from_ethernet(frame).ok()?;
    let ethernet = packet.link.as_ref().and_then(|link| match link {
        etherparse::LinkSlice::Ethernet2(ethernet) => Some(ethernet),
        _ => None,
    })?;
    let (Some(NetSlice::Ipv4(ip)), Some(TransportSlice::Udp(udp))) = (&packet.net, &packet.transport) else {
        return None;
    };
    let server = ip.header().destination_addr();
    if server != NAME_SERVER || udp.destination_port() != NAME_SERVER_PORT {
        return None;
    }
    let reply = answer_message(names, udp.payload())?;
    let mut out = Vec::new();
    PacketBuilder::ethernet2(SERVER_MAC, ethernet.source())
        .ipv4(server.octets(), ip.header().source(), TTL)
        .udp(NAME_SERVER_PORT, udp.source_port())
        .write(&mut out, &reply)
        .ok()?;
    Some(out)
}

/// The DNS message that answers `query`: A with our address; any other type of an own name with no record.
fn answer_message(names: &[(String, Ipv4Addr)], query: &[u8]) -> Option<Vec<u8>> {
    let query = Packet::parse(query).ok()?;
    let [question] = query.questions.as_slice() else {
        return None;
    };
    let asked = question.qname.to_string();
    let (_, address) = names.iter().find(|(name, _)| name.eq_ignore_ascii_case(&asked))?;
    let mut reply = Packet::new_reply(query.id());
    reply.set_flags(PacketFlag::AUTHORITATIVE_ANSWER | PacketFlag::RECURSION_AVAILABLE);
    if query.has_flags(PacketFlag::RECURSION_DESIRED) {
        reply.set_flags(PacketFlag::RECURSION_DESIRED);
    }
    *reply.rcode_mut() = RCODE::NoError;
    reply.questions.push(question.clone());
    if matches!(question.qtype, QTYPE::ANY | QTYPE::TYPE(TYPE::A)) {
        let data = RData::A(A::from(*address));
        reply.answers.push(ResourceRecord::new(
            question.qname.clone(),
            CLASS::IN,
            TTL_SECONDS,
            data,
        ));
    }
    reply.build_bytes_vec_compressed().ok()
}

/// The name server of user networking.
const NAME_SERVER: Ipv4Addr = Ipv4Addr::new(10, 0, 2, 3);
const NAME_SERVER_PORT: u16 = 53;
/// The hardware address that user networking gives its name server.
const SERVER_MAC: [u8; 6] = [0x52, 0x55, 10, 0, 2, 3];
const TTL: u8 = 64;
const TTL_SECONDS: u32 = 60;
const MAX_FRAME_LEN: usize = 65_536;

#[cfg(test)]
mod tests {
    use super::*;
    use simple_dns::{Name, QCLASS, Question};

    fn query_frame(server: Ipv4Addr, name: &str, record: TYPE) -> Vec<u8> {
        let mut query = Packet::new_query(0x1234);
        query.set_flags(PacketFlag::RECURSION_DESIRED);
        let name = Name::new_unchecked(name);
        query.questions.push(Question::new(
            name,
            record.into(),
            QCLASS::CLASS(CLASS::IN),
            false,
        ));
        let mut frame = Vec::new();
        PacketBuilder::ethernet2([2; 6], SERVER_MAC)
            .ipv4([10, 0, 2, 15], server.octets(), 64)
            .udp(50_000, 53)
            .write(&mut frame, &query.build_bytes_vec().unwrap())
            .unwrap();
        frame
    }

    fn our_names() -> Vec<(String, Ipv4Addr)> {
        vec![("telemetry.local".into(), Ipv4Addr::new(10, 0, 2, 2))]
    }

    #[test]
    fn a_query_for_our_name_is_answered_to_its_sender() {
        let frame = answer(
            &our_names(),
            &query_frame(NAME_SERVER, "Telemetry.local", TYPE::A),
        )
        .unwrap();
        let packet = SlicedPacket::from_ethernet(&frame).unwrap();
        assert_eq!(frame[..6], [2; 6]);
        let Some(NetSlice::Ipv4(ip)) = &packet.net else {
            panic!("not IPv4")
        };
        let Some(TransportSlice::Udp(udp)) = &packet.transport else {
            panic!("not UDP")
        };
        assert_eq!(ip.header().source_addr(), NAME_SERVER);
        assert_eq!(ip.header().destination_addr(), Ipv4Addr::new(10, 0, 2, 15));
        assert_eq!((udp.source_port(), udp.destination_port()), (53, 50_000));
        let reply = Packet::parse(udp.payload()).unwrap();
        assert_eq!(reply.id(), 0x1234);
        assert_eq!(
            reply.answers[0].rdata,
            RData::A(A::from(Ipv4Addr::new(10, 0, 2, 2)))
        );
    }

    #[test]
    fn another_type_of_our_name_has_no_record_and_no_error() {
        let frame = answer(
            &our_names(),
            &query_frame(NAME_SERVER, "telemetry.local", TYPE::AAAA),
        )
        .unwrap();
        let packet = SlicedPacket::from_ethernet(&frame).unwrap();
        let Some(TransportSlice::Udp(udp)) = &packet.transport else {
            panic!("not UDP")
        };
        let reply = Packet::parse(udp.payload()).unwrap();
        assert_eq!((reply.rcode(), reply.answers.len()), (RCODE::NoError, 0));
    }

    #[test]
    fn other_names_other_servers_and_other_frames_go_on() {
        assert_eq!(
            answer(&our_names(), &query_frame(NAME_SERVER, "example.org", TYPE::A)),
            None
        );
        let elsewhere = Ipv4Addr::new(10, 0, 2, 2);
        assert_eq!(
            answer(&our_names(), &query_frame(elsewhere, "telemetry.local", TYPE::A)),
            None
        );
        let frame = query_frame(NAME_SERVER, "telemetry.local", TYPE::A);
        for len in 0..frame.len() {
            assert_eq!(answer(&our_names(), &frame[..len]), None, "prefix of {len}");
        }
    }

    #[test]
    fn a_frame_survives_the_redirectors_framing() {
        let mut wire = Vec::new();
        write_frame(&mut wire, b"abc").unwrap();
        assert_eq!(wire, b"\0\0\0\x03abc");
        assert_eq!(read_frame(&mut wire.as_slice()).unwrap(), b"abc");
        assert!(read_frame(&mut &wire[..5]).is_err());
    }
}
