//! Figures from a capture: what went over the wire.

use std::path::Path;
use std::time::Duration;

use etherparse::{SlicedPacket, TransportSlice};

use crate::Error;

/// One TCP segment of a capture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Segment {
    /// When, since the first frame of the capture.
    pub time: Duration,
    /// The segment's source port.
    pub source_port: u16,
    /// The segment's destination port.
    pub destination_port: u16,
    /// Octets of TCP payload.
    pub payload: u64,
    /// Octets of the Ethernet frame, its FCS and preamble not counted.
    pub frame: u64,
}

/// What went to a server and what came back.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Traffic {
    /// TCP payload to the server, in octets.
    pub payload_sent: u64,
    /// TCP payload from the server, in octets.
    pub payload_received: u64,
    /// Octets of the frames to the server.
    pub wire_sent: u64,
    /// Octets of the frames from the server.
    pub wire_received: u64,
}

/// All TCP segments of a pcap file that `filter-dump` wrote.
///
/// # Errors
/// The file cannot be read or is no pcap file.
pub fn segments(path: &Path) -> Result<Vec<Segment>, Error> {
    let bytes = std::fs::read(path).map_err(Error::at(path.display()))?;
    let not_pcap = || {
        Error::new(format!(
            "{} is no pcap file of this host's byte order",
            path.display()
        ))
    };
    let (header, mut rest) = bytes.split_at_checked(24).ok_or_else(not_pcap)?;
    if word(header, 0) != Some(PCAP_MAGIC) {
        return Err(not_pcap());
    }
    let mut start = None;
    let mut segments = Vec::new();
    // A capture may end inside a record when the emulator was killed.
    while let Some((record, after)) = rest.split_at_checked(16) {
        let (Some(seconds), Some(micros), Some(len)) = (word(record, 0), word(record, 4), word(record, 8))
        else {
            break;
        };
        let Some((frame, after)) = after.split_at_checked(usize::try_from(len).unwrap_or(usize::MAX)) else {
            break;
        };
        rest = after;
        let time = Duration::from_secs(seconds.into()) + Duration::from_micros(micros.into());
        let since = time.saturating_sub(*start.get_or_insert(time));
        if let Ok(SlicedPacket {
            transport: Some(TransportSlice::Tcp(tcp)),
            ..
        }) = SlicedPacket::from_ethernet(frame)
        {
            segments.push(Segment {
                time: since,
                source_port: tcp.source_port(),
                destination_port: tcp.destination_port(),
                payload: tcp.payload().len() as u64,
                frame: frame.len() as u64,
            });
        }
    }
    Ok(segments)
}

/// Sums up what went to and came from `server_port`.
#[must_use]
pub fn traffic(segments: &[Segment], server_port: u16) -> Traffic {
    let mut traffic = Traffic::default();
    for segment in segments {
        if segment.destination_port == server_port {
            traffic.payload_sent += segment.payload;
            traffic.wire_sent += segment.frame;
        } else if segment.source_port == server_port {
            traffic.payload_received += segment.payload;
            traffic.wire_received += segment.frame;
        }
    }
    traffic
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_ne_bytes(bytes.get(at..)?.first_chunk().copied()?))
}

const PCAP_MAGIC: u32 = 0xa1b2_c3d4;
