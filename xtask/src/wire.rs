//! What calls cost on the wire: HTTP/2 octets as the server counts them, Ethernet octets from a capture.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};

/// The counters of one connection when a request had arrived whole and nothing of its response was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CallRecord {
    pub(crate) connection: u64,
    pub(crate) method: String,
    pub(crate) received: u64,
    pub(crate) sent: u64,
}

impl CallRecord {
    /// Reads `call connection=1 method=Report received=2 sent=3`.
    pub(crate) fn parse(line: &str) -> Option<Self> {
        let rest = line.strip_prefix("call ")?;
        let value = |key: &str| {
            let mut words = rest.split_whitespace();
            words.find_map(|word| word.strip_prefix(key)?.strip_prefix('='))
        };
        Some(Self {
            connection: value("connection")?.parse().ok()?,
            method: value("method")?.to_owned(),
            received: value("received")?.parse().ok()?,
            sent: value("sent")?.parse().ok()?,
        })
    }
}

/// Octets of one call, seen from the device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cost {
    /// Device to server: the request, and control frames since the call before.
    pub(crate) up: u64,
    /// Server to device: the response.
    pub(crate) down: u64,
}

/// Lines of the table: what kind of call, and the median over its calls.
///
/// Only calls that another one follows on their connection are counted: the octets of a response are known when the
/// next request has arrived.
pub(crate) fn costs(records: &[CallRecord]) -> Vec<(String, Cost)> {
    let mut kinds: BTreeMap<(bool, &str), Vec<Cost>> = BTreeMap::new();
    for (index, call) in records.iter().enumerate() {
        let same = |other: &&CallRecord| other.connection == call.connection;
        let before = records[..index].iter().rfind(same);
        let Some(next) = records[index + 1..].iter().find(same) else {
            continue;
        };
        let up = call.received - before.map_or(0, |before| before.received);
        let down = next.sent - call.sent;
        kinds
            .entry((before.is_some(), &call.method))
            .or_default()
            .push(Cost { up, down });
    }
    let name = |(is_later, method): (bool, &str)| {
        if is_later {
            format!("later {method}")
        } else {
            format!("first {method} of a connection, with its set-up")
        }
    };
    kinds
        .into_iter()
        .map(|(kind, costs)| (name(kind), median(&costs)))
        .collect()
}

fn median(costs: &[Cost]) -> Cost {
    let middle = |pick: fn(&Cost) -> u64| {
        let mut values: Vec<u64> = costs.iter().map(pick).collect();
        values.sort_unstable();
        values.get(values.len() / 2).copied().unwrap_or_default()
    };
    Cost {
        up: middle(|cost| cost.up),
        down: middle(|cost| cost.down),
    }
}

/// Ethernet traffic of a TCP port in a capture file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Link {
    pub(crate) frames: u64,
    /// Octets of frames to the port.
    pub(crate) up: u64,
    /// Octets of frames from the port.
    pub(crate) down: u64,
}

/// Adds up the IPv4 TCP frames to and from `port`.
///
/// # Errors
/// The file is missing or is not a pcap file of this computer's byte order.
pub(crate) fn link_traffic(capture: &Path, port: u16) -> Result<Link> {
    let data = fs::read(capture).with_context(|| capture.display().to_string())?;
    add_up(&data, port).with_context(|| capture.display().to_string())
}

fn add_up(data: &[u8], port: u16) -> Result<Link> {
    let magic = u32_at(data, 0).context("empty capture")?;
    ensure!(
        magic == PCAP_MAGIC,
        "not a pcap file of this computer's byte order"
    );
    let mut link = Link::default();
    let mut rest = data.get(PCAP_HEADER..).unwrap_or_default();
    // A run that was cut short may leave half a record.
    while let (Some(kept), Some(octets)) = (u32_at(rest, 8), u32_at(rest, 12)) {
        let end = RECORD_HEADER + kept as usize;
        let Some(frame) = rest.get(RECORD_HEADER..end) else {
            break;
        };
        rest = &rest[end..];
        let Some((source, destination)) = tcp_ports(frame) else {
            continue;
        };
        if destination == port || source == port {
            link.frames += 1;
            *(if destination == port {
                &mut link.up
            } else {
                &mut link.down
            }) += u64::from(octets);
        }
    }
    Ok(link)
}

/// Source and destination port, if the Ethernet frame holds IPv4 and TCP.
fn tcp_ports(frame: &[u8]) -> Option<(u16, u16)> {
    let is_tcp = frame.get(12..14)? == [0x08, 0x00] && *frame.get(23)? == 6;
    let header = 14 + usize::from(frame.get(14)? & 0x0f) * 4;
    let ports = frame.get(header..header + 4)?;
    is_tcp.then(|| {
        (
            u16::from_be_bytes([ports[0], ports[1]]),
            u16::from_be_bytes([ports[2], ports[3]]),
        )
    })
}

fn u32_at(data: &[u8], offset: usize) -> Option<u32> {
    data.get(offset..)?
        .first_chunk()
        .map(|octets| u32::from_ne_bytes(*octets))
}

const PCAP_MAGIC: u32 = 0xa1b2_c3d4;
const PCAP_HEADER: usize = 24;
const RECORD_HEADER: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    fn record(connection: u64, method: &str, received: u64, sent: u64) -> CallRecord {
        CallRecord {
            connection,
            method: method.to_owned(),
            received,
            sent,
        }
    }

    #[test]
    fn costs_are_differences_on_one_connection() {
        let records = [
            record(1, "Report", 200, 50),
            record(2, "Report", 900, 900),
            record(1, "Report", 260, 150),
            record(1, "Report", 320, 190),
        ];
        let costs = costs(&records);
        assert_eq!(costs[0].1, Cost { up: 200, down: 100 });
        assert_eq!(costs[1], ("later Report".to_owned(), Cost { up: 60, down: 40 }));
        assert_eq!(costs.len(), 2);
    }

    #[test]
    fn parse_reads_the_servers_line() {
        let line = "call connection=1 method=Report received=2 sent=3";
        assert_eq!(CallRecord::parse(line), Some(record(1, "Report", 2, 3)));
        assert_eq!(CallRecord::parse("call connection=1"), None);
    }

    fn capture(frames: &[(u16, u16, usize)]) -> Vec<u8> {
        let mut data = PCAP_MAGIC.to_ne_bytes().to_vec();
        data.resize(PCAP_HEADER, 0);
        for (source, destination, len) in frames {
            let mut frame = vec![0; *len];
            frame[12..15].copy_from_slice(&[0x08, 0x00, 0x45]);
            frame[23] = 6;
            frame[34..36].copy_from_slice(&source.to_be_bytes());
            frame[36..38].copy_from_slice(&destination.to_be_bytes());
            let octets = u32::try_from(*len).unwrap().to_ne_bytes();
            data.extend([[0; 4], [0; 4], octets, octets].concat());
            data.extend(frame);
        }
        data
    }

    #[test]
    fn add_up_counts_both_directions_of_the_port_only() {
        let data = capture(&[
            (4000, 50051, 60),
            (50051, 4000, 100),
            (4000, 80, 90),
            (4000, 50051, 70),
        ]);
        assert_eq!(
            add_up(&data, 50051).unwrap(),
            Link {
                frames: 3,
                up: 130,
                down: 100
            }
        );
        // Cut anywhere, it does not fail: what is whole counts.
        for len in 4..data.len() {
            assert!(add_up(&data[..len], 50051).unwrap().frames <= 3);
        }
        assert!(add_up(&[0; 40], 50051).is_err());
    }
}
