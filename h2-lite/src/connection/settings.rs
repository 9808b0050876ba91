//! SETTINGS both ways. Spec: RFC 9113 section 6.5.

use crate::config::{Config, Memory, Role};
use crate::connection::Connection;
use crate::event::Event;
use crate::frame::{
    ACK, ErrorCode, FrameError, FrameHeader, Kind, MAX_FRAME_SIZE, Setting, SettingId, Settings,
};
use crate::stream::DEFAULT_WINDOW;
use crate::time::Instant;

use super::role;

/// What the peer's SETTINGS allow us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PeerSettings {
    /// Largest dynamic table of our encoder, in octets. Initially 4,096.
    pub header_table_size: u32,
    /// Streams that we may have open at once. Initially unlimited (`u32::MAX`).
    pub max_concurrent_streams: u32,
    /// Send window of a new stream, in octets. Initially 65,535.
    pub initial_window_size: u32,
    /// Largest payload that we may send, in octets. Initially 16,384.
    pub max_frame_size: u32,
    /// Largest field section that the peer takes, in octets. Initially unlimited (`u32::MAX`).
    pub max_header_list_size: u32,
    /// A SETTINGS frame of the peer has been applied.
    pub(super) received: bool,
}

impl PeerSettings {
    pub(super) const DEFAULT: Self = Self {
        // Spec: h2-6.5.2-defaults
        header_table_size: 4_096,
        max_concurrent_streams: u32::MAX,
        initial_window_size: DEFAULT_WINDOW,
        max_frame_size: MAX_FRAME_SIZE,
        max_header_list_size: u32::MAX,
        received: false,
    };
}

/// What our SETTINGS ask of the peer, and whether it has said yes.
#[derive(Clone, Copy, Debug)]
pub(super) struct LocalSettings {
    table_size: u32,
    slots: u32,
    pub(super) acked: bool,
}

impl LocalSettings {
    pub(super) fn new(memory: &Memory<'_>) -> Self {
        Self {
            table_size: u32::try_from(memory.decoder_table.len()).unwrap_or(u32::MAX),
            slots: u32::try_from(memory.streams.len()).unwrap_or(u32::MAX),
            acked: false,
        }
    }

    /// Our SETTINGS: four entries.
    fn entries(&self, role: Role, config: &Config) -> [Setting; 4] {
        let entry = |id, value| Setting { id, value };
        let by_role = match role {
            // A client that allows no push from its first frame on may treat any PUSH_PROMISE as an error (6.5.2).
            // Spec: h2-6.5.2-client-disables-push
            Role::Client => entry(SettingId::ENABLE_PUSH, 0),
            // Spec: h2-6.5.2-server-push-setting
            Role::Server => entry(SettingId::MAX_CONCURRENT_STREAMS, self.slots),
        };
        [
            entry(SettingId::HEADER_TABLE_SIZE, self.table_size),
            by_role,
            entry(SettingId::INITIAL_WINDOW_SIZE, config.initial_window_size),
            // Spec: grpc-header-limit-told
            entry(SettingId::MAX_HEADER_LIST_SIZE, config.max_header_list_size),
        ]
    }
}

impl Connection<'_> {
    /// Encodes the preface (client) and our SETTINGS. Fits an empty send buffer of the smallest allowed size.
    pub(super) fn push_preface(&mut self) -> bool {
        let mut frame = [0; role::PREFACE.len() + FrameHeader::LEN + 4 * Setting::LEN];
        // Spec: h2-3.3-prior-knowledge, h2-3.4-client-preface
        let preface = match self.role {
            Role::Client => role::PREFACE.as_slice(),
            Role::Server => &[],
        };
        let header = Settings {
            length: 24,
            ack: false,
        }
        .encode();
        let entries = self.local.entries(self.role, &self.config).map(Setting::encode);
        let octets = preface.iter().chain(&header).chain(entries.as_flattened());
        let mut len = 0_usize;
        for (slot, octet) in frame.iter_mut().zip(octets) {
            *slot = *octet;
            len = len.saturating_add(1);
        }
        self.send.push(frame.get(..len).unwrap_or_default())
    }

    /// True while part of the peer's SETTINGS is applied and not all of it. What binds us is not known then, and an
    /// acknowledgement cannot be sent, so that HEADERS and DATA would break the old values or come too early for the
    /// new ones: "the values ... MUST be processed in the order they appear, with no other frame processing between
    /// values ... the recipient MUST immediately emit a SETTINGS frame with the ACK flag set" (6.5.3).
    pub(super) const fn is_amid_settings(&self) -> bool {
        let header = self.reader.header();
        // Spec: h2-6.5.3-order, h2-6.5.3-ack
        let begun = !self.held && !self.reader.is_at_header();
        begun && matches!(header.kind, Kind::SETTINGS) && !header.has(ACK)
    }

    /// One entry of the peer's SETTINGS. "The values ... MUST be processed in the order they appear" (6.5.3);
    /// unknown ones are ignored (6.5.2).
    pub(super) fn apply_setting(&mut self, setting: Setting) -> Result<(), FrameError> {
        // Spec: h2-6.5.3-order
        let Setting { id, value } = setting;
        match id {
            // Spec: h2-4.3.1-encoder-update, h2-4.3.1-first-response
            SettingId::HEADER_TABLE_SIZE => {
                self.peer.header_table_size = value;
                self.encoder.set_max_table_size(value);
            }
            // "Any value other than 0 or 1 MUST be treated as a connection error ... PROTOCOL_ERROR"; a client
            // refuses 1 as well: no server may send it.
            // Spec: h2-6.5.2-enable-push-value, h2-6.5.2-push-from-server
            SettingId::ENABLE_PUSH if value > 1 || (value == 1 && self.role == Role::Client) => {
                let reason = "SETTINGS_ENABLE_PUSH has a value that is not allowed";
                return Err(FrameError::connection(ErrorCode::PROTOCOL_ERROR, reason));
            }
            SettingId::MAX_CONCURRENT_STREAMS => self.peer.max_concurrent_streams = value,
            SettingId::INITIAL_WINDOW_SIZE => self.set_send_windows(value)?,
            SettingId::MAX_FRAME_SIZE => {
                // Spec: h2-6.5.2-max-frame-size
                if !(MAX_FRAME_SIZE..=0xff_ffff).contains(&value) {
                    let reason = "SETTINGS_MAX_FRAME_SIZE is out of range";
                    return Err(FrameError::connection(ErrorCode::PROTOCOL_ERROR, reason));
                }
                self.peer.max_frame_size = value;
            }
            SettingId::MAX_HEADER_LIST_SIZE => self.peer.max_header_list_size = value,
            // Spec: h2-6.5.2-unknown-id
            _ => {}
        }
        Ok(())
    }

    /// The peer's SETTINGS frame is complete: an acknowledgement is owed, or ours has come.
    pub(super) fn settings_end<'i>(
        &mut self,
        ack: bool,
        now: Instant,
    ) -> Result<Option<Event<'i>>, FrameError> {
        if !ack {
            self.peer.received = true;
            self.timers.settings_received();
            // Spec: h2-6.5.3-ack
            self.owed.settings_ack = true;
            return Ok(Some(Event::Settings));
        }
        if self.local.acked || self.owed.preface {
            self.charge_control(now)?;
            return Ok(None);
        }
        // Spec: h2-6.5.3-bind-from-ack
        self.local.acked = true;
        self.timers.settings_acknowledged();
        self.decoder.set_max_table_size(self.local.table_size);
        self.shift_receive_windows();
        Ok(None)
    }

    /// "When the value of SETTINGS_INITIAL_WINDOW_SIZE changes, a receiver MUST adjust the size of all stream
    /// flow-control windows that it maintains by the difference" (6.9.2). The connection's window stays.
    fn set_send_windows(&mut self, value: u32) -> Result<(), FrameError> {
        let reason = "SETTINGS_INITIAL_WINDOW_SIZE overflows a window";
        let error = FrameError::connection(ErrorCode::FLOW_CONTROL_ERROR, reason);
        // Spec: h2-6.5.2-initial-window-size
        if value > 0x7fff_ffff {
            return Err(error);
        }
        // Spec: h2-6.9.2-shift, h2-6.9.2-overflow, h2-6.9.2-not-connection
        for (_, stream) in self.store.iter_mut() {
            stream
                .send_window
                .shift(self.peer.initial_window_size, value)
                .map_err(|_| error)?;
        }
        self.peer.initial_window_size = value;
        Ok(())
    }

    /// Our SETTINGS bind the peer from its acknowledgement on; where streams began with another window, it moves.
    fn shift_receive_windows(&mut self) {
        // Spec: h2-6.9.2-own-windows
        let configured = self.config.initial_window_size;
        let before = role::first_receive_window(self.role, false, configured);
        let after = role::first_receive_window(self.role, true, configured);
        for (_, stream) in self.store.iter_mut() {
            // Only downwards from the default, or not at all.
            stream.receive_window.lower(before.saturating_sub(after));
        }
    }
}
