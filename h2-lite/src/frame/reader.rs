//! Cuts incoming octets into frame pieces, whatever the size of the chunks in which they arrive.

use super::{
    Continuation, Data, ErrorCode, FrameError, FrameHeader, GoAway, Headers, Kind, MAX_FRAME_SIZE, PADDED,
    PRIORITY, Ping, Priority, PushPromise, RstStream, Scope, Setting, Settings, StreamId, WindowUpdate,
};

/// The next thing found in the input. Every frame is one `Header`, the pieces of its payload, one `End`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Piece<'i> {
    /// A frame begins; its length, stream and type fit each other.
    Header(FrameHeader),
    /// A PRIORITY frame's payload, or the priority part of HEADERS.
    Priority(Priority),
    /// Octets of DATA without padding, as they arrived; exactly one piece a frame, maybe empty, is the last.
    Data {
        /// The octets.
        bytes: &'i [u8],
        /// No more data in this frame.
        last: bool,
    },
    /// Octets of a header block without padding; exactly one piece a frame, maybe empty, is the last.
    Fragment {
        /// The octets.
        bytes: &'i [u8],
        /// No more of the block in this frame.
        last: bool,
    },
    /// One setting.
    Setting(Setting),
    /// The payload of PING.
    Ping([u8; 8]),
    /// The payload of RST_STREAM.
    RstStream(ErrorCode),
    /// The payload of WINDOW_UPDATE: octets, not 0.
    WindowUpdate(u32),
    /// The fixed part of GOAWAY.
    GoAway(GoAway),
    /// Debug data of GOAWAY, as it arrived.
    Debug(&'i [u8]),
    /// The promised stream of PUSH_PROMISE.
    Promised(StreamId),
    /// The frame is complete, padding included.
    End,
}

/// The frame parser: at most nine octets are held between calls.
#[derive(Debug)]
pub struct FrameReader {
    header: FrameHeader,
    gathered: [u8; FrameHeader::LEN],
    have: u8,
    step: Step,
    /// Payload octets not yet read, without the padding.
    remaining: u32,
    /// Octets of padding not yet read over.
    padding: u8,
    pad_length: u8,
}

impl FrameReader {
    /// A reader that expects a frame header next.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            header: FrameHeader::NONE,
            gathered: [0; FrameHeader::LEN],
            have: 0,
            step: Step::Header,
            remaining: 0,
            padding: 0,
            pad_length: 0,
        }
    }

    /// The header of the frame under way, or of the last one.
    #[must_use]
    pub const fn header(&self) -> FrameHeader {
        self.header
    }

    /// True while a frame header is expected or partly read.
    #[must_use]
    pub const fn is_at_header(&self) -> bool {
        matches!(self.step, Step::Header)
    }

    /// Payload octets of the frame under way that are still to be read, padding aside.
    #[must_use]
    pub const fn remaining(&self) -> u32 {
        self.remaining
    }

    /// Padding of the frame under way, or of the last one, with the pad length octet.
    #[must_use]
    pub fn padding_len(&self) -> u32 {
        if self.header.has(PADDED) {
            u32::from(self.pad_length).saturating_add(1)
        } else {
            0
        }
    }

    /// Puts the unread rest of a fragment back: `rest` is the tail of `bytes`, the last piece that came out of
    /// `input`.
    pub(crate) fn unread<'i>(&mut self, rest: &'i [u8], input_before: &'i [u8], input: &mut &'i [u8]) {
        let count = rest.len().saturating_add(input.len());
        let start = input_before.len().saturating_sub(count);
        *input = input_before.get(start..).unwrap_or_default();
        self.remaining = self
            .remaining
            .saturating_add(u32::try_from(rest.len()).unwrap_or(u32::MAX));
        self.step = Step::Fragment;
    }

    /// Takes octets from `input` up to the end of one piece. `None`: the input is used up.
    ///
    /// # Errors
    /// What the frame got wrong. After a stream error the payload is read over, its `End` still comes; after
    /// a connection error the reader is of no more use.
    pub fn next<'i>(&mut self, input: &mut &'i [u8]) -> Result<Option<Piece<'i>>, FrameError> {
        let result = self.advance(input);
        if let Err(FrameError {
            scope: Scope::Stream(_),
            ..
        }) = result
        {
            self.step = Step::Skip;
        }
        result
    }

    fn advance<'i>(&mut self, input: &mut &'i [u8]) -> Result<Option<Piece<'i>>, FrameError> {
        loop {
            match self.step {
                Step::Header => {
                    let Some(octets) = self.gather::<{ FrameHeader::LEN }>(input) else {
                        return Ok(None);
                    };
                    return self.begin(octets).map(Some);
                }
                Step::PadLength => {
                    let Some([pad_length]) = self.gather::<1>(input) else {
                        return Ok(None);
                    };
                    self.set_padding(pad_length)?;
                }
                Step::Priority | Step::Promised | Step::Fixed => return self.fixed_part(input),
                Step::Data => {
                    return Ok(self
                        .take_bytes(input, Step::Skip)
                        .map(|(bytes, last)| Piece::Data { bytes, last }));
                }
                Step::Fragment => {
                    return Ok(self
                        .take_bytes(input, Step::Skip)
                        .map(|(bytes, last)| Piece::Fragment { bytes, last }));
                }
                Step::Debug => {
                    if self.remaining == 0 {
                        self.step = Step::Skip;
                        continue;
                    }
                    return Ok(self
                        .take_bytes(input, Step::Skip)
                        .map(|(bytes, _)| Piece::Debug(bytes)));
                }
                Step::Settings => {
                    if self.remaining == 0 {
                        self.step = Step::Skip;
                        continue;
                    }
                    let Some(octets) = self.gather_payload::<{ Setting::LEN }>(input) else {
                        return Ok(None);
                    };
                    return Ok(Some(Piece::Setting(Setting::decode(octets))));
                }
                Step::Skip => return Ok(self.skip(input)),
            }
        }
    }

    /// Checks a fresh header and chooses how to read the payload.
    fn begin<'i>(&mut self, octets: [u8; FrameHeader::LEN]) -> Result<Piece<'i>, FrameError> {
        let header = FrameHeader::decode(octets);
        self.header = header;
        self.remaining = header.length;
        self.padding = 0;
        self.pad_length = 0;
        self.step = match header.kind {
            Kind::DATA | Kind::HEADERS | Kind::PUSH_PROMISE if header.has(PADDED) => Step::PadLength,
            Kind::PRIORITY => Step::Priority,
            Kind::RST_STREAM | Kind::PING | Kind::GOAWAY | Kind::WINDOW_UPDATE => Step::Fixed,
            Kind::SETTINGS => Step::Settings,
            _ => self.after_padding(),
        };
        match header.kind {
            Kind::DATA => Data::check(header)?,
            Kind::HEADERS => Headers::check(header)?,
            Kind::PRIORITY => Priority::check(header)?,
            Kind::RST_STREAM => RstStream::check(header)?,
            Kind::SETTINGS => Settings::check(header)?,
            Kind::PUSH_PROMISE => PushPromise::check(header)?,
            Kind::PING => Ping::check(header)?,
            Kind::GOAWAY => GoAway::check(header)?,
            Kind::WINDOW_UPDATE => WindowUpdate::check(header)?,
            Kind::CONTINUATION => Continuation::check(header)?,
            _ => check_unknown(header)?,
        }
        Ok(Piece::Header(header))
    }

    /// The step after the pad length, or after the header where there is none.
    const fn after_padding(&self) -> Step {
        match self.header.kind {
            Kind::DATA => Step::Data,
            // Spec: h2-6.2-padded-received
            Kind::HEADERS if self.header.has(PRIORITY) => Step::Priority,
            Kind::HEADERS | Kind::CONTINUATION => Step::Fragment,
            Kind::PUSH_PROMISE => Step::Promised,
            _ => Step::Skip,
        }
    }

    /// "If the length of the padding is the length of the frame payload or greater, the recipient MUST treat
    /// this as a connection error of type PROTOCOL_ERROR" (6.1; 6.2 and 6.6 alike, fixed parts counted).
    fn set_padding(&mut self, pad_length: u8) -> Result<(), FrameError> {
        self.step = self.after_padding();
        let fixed = match self.step {
            Step::Priority => 5_u32,
            Step::Promised => 4,
            _ => 0,
        };
        let after_pad_length = self.remaining.saturating_sub(1);
        // Spec: h2-6.1-padding, h2-6.2-padding
        let Some(remaining) = after_pad_length
            .checked_sub(u32::from(pad_length))
            .filter(|r| *r >= fixed)
        else {
            let reason = "padding longer than the frame";
            return Err(FrameError::connection(ErrorCode::PROTOCOL_ERROR, reason));
        };
        self.remaining = remaining;
        self.padding = pad_length;
        self.pad_length = pad_length;
        Ok(())
    }

    /// The parts of fixed size that are gathered before they mean anything.
    fn fixed_part<'i>(&mut self, input: &mut &'i [u8]) -> Result<Option<Piece<'i>>, FrameError> {
        let piece = match (self.step, self.header.kind) {
            (Step::Priority, kind) => {
                let Some(octets) = self.gather_payload(input) else {
                    return Ok(None);
                };
                self.step = if kind == Kind::HEADERS {
                    Step::Fragment
                } else {
                    Step::Skip
                };
                Piece::Priority(Priority::decode(octets))
            }
            (Step::Promised, _) => {
                let Some(octets) = self.gather_payload(input) else {
                    return Ok(None);
                };
                self.step = Step::Fragment;
                Piece::Promised(PushPromise::decode(octets)?)
            }
            (_, Kind::RST_STREAM) => {
                let Some(octets) = self.gather_payload(input) else {
                    return Ok(None);
                };
                self.step = Step::Skip;
                Piece::RstStream(RstStream::decode(octets))
            }
            (_, Kind::WINDOW_UPDATE) => {
                let Some(octets) = self.gather_payload(input) else {
                    return Ok(None);
                };
                self.step = Step::Skip;
                Piece::WindowUpdate(WindowUpdate::decode(self.header.stream_id, octets)?)
            }
            (_, Kind::GOAWAY) => {
                let Some(octets) = self.gather_payload(input) else {
                    return Ok(None);
                };
                self.step = Step::Debug;
                Piece::GoAway(GoAway::decode(octets))
            }
            _ => {
                let Some(octets) = self.gather_payload(input) else {
                    return Ok(None);
                };
                self.step = Step::Skip;
                Piece::Ping(octets)
            }
        };
        Ok(Some(piece))
    }

    /// Reads over what is left of the frame, padding included.
    fn skip<'i>(&mut self, input: &mut &'i [u8]) -> Option<Piece<'i>> {
        // Spec: h2-6.1-padded-received, h2-6.2-padded-received
        let left = self.remaining.saturating_add(u32::from(self.padding));
        let left = left.saturating_sub(take_up_to(input, left).1);
        self.remaining = left;
        self.padding = 0;
        if left > 0 {
            return None;
        }
        self.step = Step::Header;
        Some(Piece::End)
    }

    /// The next run of payload octets; the flag says that it was the last and `after` is the next step.
    fn take_bytes<'i>(&mut self, input: &mut &'i [u8], after: Step) -> Option<(&'i [u8], bool)> {
        let (bytes, count) = take_up_to(input, self.remaining);
        if bytes.is_empty() && self.remaining > 0 {
            return None;
        }
        self.remaining = self.remaining.saturating_sub(count);
        let last = self.remaining == 0;
        if last {
            self.step = after;
        }
        Some((bytes, last))
    }

    /// As `gather`, and counts the octets off the payload.
    fn gather_payload<const N: usize>(&mut self, input: &mut &[u8]) -> Option<[u8; N]> {
        let octets = self.gather::<N>(input)?;
        self.remaining = self
            .remaining
            .saturating_sub(u32::try_from(N).unwrap_or(u32::MAX));
        Some(octets)
    }

    /// `N` octets (at most nine) once they have all arrived.
    fn gather<const N: usize>(&mut self, input: &mut &[u8]) -> Option<[u8; N]> {
        let missing = N.saturating_sub(usize::from(self.have));
        let mut taken = 0_u8;
        for (slot, octet) in self
            .gathered
            .iter_mut()
            .skip(usize::from(self.have))
            .zip(input.iter().take(missing))
        {
            *slot = *octet;
            taken = taken.saturating_add(1);
        }
        *input = input.get(usize::from(taken)..).unwrap_or_default();
        self.have = self.have.saturating_add(taken);
        if usize::from(self.have) < N {
            return None;
        }
        self.have = 0;
        self.gathered.first_chunk::<N>().copied()
    }
}

impl Default for FrameReader {
    fn default() -> Self {
        Self::new()
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// Gathers the nine octets of a frame header.
    Header,
    /// The pad length octet.
    PadLength,
    /// The priority part of HEADERS, or PRIORITY.
    Priority,
    /// The promised stream of PUSH_PROMISE.
    Promised,
    /// RST_STREAM, PING, GOAWAY, WINDOW_UPDATE.
    Fixed,
    /// Payload of DATA.
    Data,
    /// Payload of HEADERS, PUSH_PROMISE, CONTINUATION.
    Fragment,
    /// Entries of SETTINGS.
    Settings,
    /// What follows the fixed part of GOAWAY.
    Debug,
    /// The rest means nothing: padding, unknown types, frames in error. Ends with `Piece::End`.
    Skip,
}

/// "Implementations MUST ignore and discard frames of unknown types" (5.5), but not of any size (4.2).
const fn check_unknown(header: FrameHeader) -> Result<(), FrameError> {
    // Spec: h2-4.1-unknown-type
    if header.length <= MAX_FRAME_SIZE {
        return Ok(());
    }
    let reason = "frame exceeds SETTINGS_MAX_FRAME_SIZE";
    if header.stream_id.is_connection() {
        // Spec: h2-4.2-too-large-connection
        return Err(FrameError::connection(ErrorCode::FRAME_SIZE_ERROR, reason));
    }
    Err(FrameError::stream(
        header.stream_id,
        ErrorCode::FRAME_SIZE_ERROR,
        reason,
    ))
}

/// Splits up to `limit` octets off the front of `input`, with their number.
fn take_up_to<'i>(input: &mut &'i [u8], limit: u32) -> (&'i [u8], u32) {
    let count = u32::try_from(input.len()).unwrap_or(u32::MAX).min(limit);
    let (bytes, rest) = usize::try_from(count)
        .ok()
        .and_then(|count| input.split_at_checked(count))
        .unwrap_or((&[], *input));
    *input = rest;
    (bytes, count)
}
