//! The frame reader: any cuts give the same frames, and what it decoded encodes to the octets it read.

use h2_lite::frame::{
    FrameError, FrameHeader, FrameReader, GoAway, Kind, PADDED, Piece, Ping, Priority, RstStream, Scope,
    Setting, StreamId, WindowUpdate,
};

use crate::pieces::Pieces;

/// The first octet chooses the cuts, the rest is what the peer sent.
pub fn frame_decoder(data: &[u8]) {
    let Some((cuts, octets)) = data.split_first() else {
        return;
    };
    let mut whole = Checker::new(octets);
    whole.feed(octets);
    let mut cut = Checker::new(octets);
    for piece in Pieces::new(octets, *cuts) {
        cut.feed(piece);
    }
    assert_eq!(whole.log, cut.log);
    assert_eq!(whole.error, cut.error);
    assert_eq!(whole.at, cut.at);
}

/// A reader with an eye on what it says: each piece must be what stands at its place in the input.
struct Checker<'i> {
    reader: FrameReader,
    octets: &'i [u8],
    /// Octets that the reader took so far.
    at: usize,
    /// Where the frame under way began, and its payload octets not yet seen.
    frame: usize,
    left: usize,
    open: bool,
    error: Option<FrameError>,
    /// Of everything that happened, whatever the cuts.
    log: u64,
}

impl<'i> Checker<'i> {
    fn new(octets: &'i [u8]) -> Self {
        Self {
            reader: FrameReader::new(),
            octets,
            at: 0,
            frame: 0,
            left: 0,
            open: false,
            error: None,
            log: 0xcbf2_9ce4_8422_2325,
        }
    }

    fn feed(&mut self, mut input: &[u8]) {
        while !self.is_over() {
            let before = input.len();
            let result = self.reader.next(&mut input);
            self.at += before - input.len();
            match result {
                Ok(None) => {
                    assert!(input.is_empty(), "octets are left and nothing came of them");
                    return;
                }
                Ok(Some(piece)) => self.check(piece),
                Err(error) => {
                    if let Scope::Stream(id) = error.scope {
                        assert_eq!(id, self.reader.header().stream_id);
                        // An error at the header hides its piece, not its end.
                        if !self.open {
                            self.begin(self.reader.header());
                        }
                    }
                    self.note(&[0xff, error.code.0 as u8]);
                    self.error = Some(error);
                }
            }
        }
    }

    fn is_over(&self) -> bool {
        matches!(
            self.error,
            Some(FrameError {
                scope: Scope::Connection,
                ..
            })
        )
    }

    fn begin(&mut self, header: FrameHeader) {
        assert!(!self.open, "the frame before has not ended");
        self.frame = self.at - FrameHeader::LEN;
        let octets = self.octets[self.frame..self.at]
            .first_chunk()
            .expect("nine octets");
        assert_eq!(FrameHeader::decode(*octets), header);
        let mut encoded = header.encode();
        encoded[5] |= octets[5] & 0x80;
        assert_eq!(encoded, *octets);
        self.left = header.length as usize;
        self.open = true;
        self.note(octets);
    }

    fn check(&mut self, piece: Piece<'_>) {
        let header = self.reader.header();
        if !matches!(piece, Piece::Header(_)) {
            assert!(self.open, "{piece:?} belongs to no frame");
        }
        match piece {
            Piece::Header(header) => self.begin(header),
            Piece::Priority(priority) => {
                assert!([Kind::HEADERS, Kind::PRIORITY].contains(&header.kind));
                self.takes(&Priority::encode(priority));
            }
            Piece::Data { bytes, last } => self.content(Kind::DATA, bytes, last),
            Piece::Fragment { bytes, last } => self.content(header.kind, bytes, last),
            Piece::Setting(setting) => self.takes(&Setting::encode(setting)),
            Piece::Ping(payload) => {
                let ack = header.has(1);
                self.takes(&Ping { ack, payload }.encode()[FrameHeader::LEN..]);
            }
            Piece::RstStream(code) => {
                let stream_id = header.stream_id;
                self.takes(&RstStream { stream_id, code }.encode()[FrameHeader::LEN..]);
            }
            Piece::WindowUpdate(increment) => {
                assert!(increment > 0);
                let stream_id = header.stream_id;
                let encoded = WindowUpdate { stream_id, increment }.encode();
                self.takes_id(&encoded[FrameHeader::LEN..]);
            }
            Piece::GoAway(goaway) => self.takes_id(&GoAway::encode(goaway)[FrameHeader::LEN..]),
            Piece::Debug(bytes) => self.content(Kind::GOAWAY, bytes, false),
            Piece::Promised(id) => {
                assert!(!id.is_connection() && !id.is_client_initiated());
                self.takes_id(&id.value().to_be_bytes());
            }
            Piece::End => self.end(header),
        }
    }

    /// The octets before this place are `encoded`.
    fn takes(&mut self, encoded: &[u8]) {
        assert_eq!(&self.octets[self.at - encoded.len()..self.at], encoded);
        self.note(encoded);
        self.left -= encoded.len();
    }

    /// As `takes`, of octets that begin with a reserved bit.
    fn takes_id(&mut self, encoded: &[u8]) {
        let start = self.at - encoded.len();
        let word = self.octets[start..].first_chunk().expect("four octets");
        assert_eq!(
            StreamId::new(u32::from_be_bytes(*word)).value().to_be_bytes(),
            encoded[..4]
        );
        assert_eq!(self.octets[start + 4..self.at], encoded[4..]);
        self.note(encoded);
        self.left -= encoded.len();
    }

    fn content(&mut self, kind: Kind, bytes: &[u8], last: bool) {
        assert_eq!(self.reader.header().kind, kind);
        assert!(self.octets[..self.at].ends_with(bytes));
        assert!(last || !bytes.is_empty());
        self.note(bytes);
        if last {
            self.note(b"last");
        }
        self.left -= bytes.len();
    }

    fn end(&mut self, header: FrameHeader) {
        assert_eq!(self.at, self.frame + FrameHeader::LEN + header.length as usize);
        let is_padded = [Kind::DATA, Kind::HEADERS, Kind::PUSH_PROMISE].contains(&header.kind);
        if self.error.is_none() && header.kind.0 <= Kind::CONTINUATION.0 {
            let padding = if is_padded && header.has(PADDED) {
                self.reader.padding_len() as usize
            } else {
                0
            };
            assert_eq!(self.left, padding, "every octet of the payload was seen");
        }
        self.open = false;
        self.note(b"end");
    }

    fn note(&mut self, octets: &[u8]) {
        for octet in octets {
            self.log = (self.log ^ u64::from(*octet)).wrapping_mul(0x0100_0000_01b3);
        }
    }
}
