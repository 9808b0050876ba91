//! The server's side: one `async fn` for each method of the trait that is generated from the `.proto`, and an interceptor.

use core::cell::Cell;
use core::fmt::Write;

use rpc_nostd::heapless::{String, Vec};
use rpc_nostd::micropb::{MessageEncode, PbEncoder};
use rpc_nostd::server::{Context, Intercepted, Interceptor, Receiver, Sender, Service};
use rpc_nostd::time::Timer;
use rpc_nostd::{Code, MetadataEntry, Method, Status};

use crate::data::{self, Crc};
use crate::google::{protobuf::Any, rpc};
use crate::greenhouse::{
    Advice, DownloadLogRequest, Firmware, GetReadingRequest, Greenhouse, GreenhouseServer, Installed,
    KnownBeds, Log, LogInRequest, Reading, Session, Summary, WatchReadingsRequest, WaterBedRequest, Watered,
    Window, greenhouse_service,
};
use crate::time::sleep_ms;
use crate::{Celsius, Say};

/// The whole service: the generated server around the handlers, behind the interceptor.
pub type GreenhouseService<'t> = Intercepted<TokenCheck, GreenhouseServer<Controller<'t>>>;

/// A service to be lent to a server, which says what it does. Another would follow by `.and(...)`.
pub fn greenhouse(timer: &dyn Timer, say: Say) -> GreenhouseService<'_> {
    let controller = Controller {
        timer,
        say,
        watchers: Cell::new(0),
        watered_seconds: Cell::new(0),
    };
    GreenhouseServer::new(controller).intercept(TokenCheck { say })
}

/// The handlers, and what they share. Several run at once, but on one core: `Cell` is all that they need.
pub struct Controller<'t> {
    timer: &'t dyn Timer,
    say: Say,
    watchers: Cell<u32>,
    watered_seconds: Cell<u32>,
}

impl Greenhouse for Controller<'_> {
    async fn get_reading(&self, cx: &mut Context<'_>, request: GetReadingRequest) -> Result<Reading, Status> {
        let reading = measure(cx, &request.bed)?;
        let gardener = cx.metadata().initial("x-gardener").next().unwrap_or(b"somebody");
        (self.say)(format_args!(
            "GetReading: {} for {}",
            request.bed,
            gardener.escape_ascii()
        ));
        cx.add_initial(MetadataEntry::ascii("x-greenhouse", "north house"))?;
        cx.add_trailing(MetadataEntry::ascii("x-watchers", &decimal(self.watchers.get())))?;
        Ok(reading)
    }

    async fn watch_readings(
        &self,
        cx: &mut Context<'_>,
        request: WatchReadingsRequest,
        replies: &mut Sender<'_, Reading>,
    ) -> Result<(), Status> {
        let mut reading = measure(cx, &request.bed)?;
        match cx.remaining() {
            Some(time) => (self.say)(format_args!("WatchReadings: {} for up to {time:?}", request.bed)),
            None => (self.say)(format_args!("WatchReadings: {}, no deadline", request.bed)),
        }
        // Wherever this function is dropped, because the client cancels or time is over, the guard is dropped with it.
        let _watching = Watching::begin(&self.watchers);
        for _ in 0..request.count {
            replies.send(&reading).await?;
            sleep_ms(self.timer, request.interval_ms).await;
            reading.centi_celsius = reading.centi_celsius.saturating_add(25);
        }
        Ok(())
    }

    async fn record_readings(
        &self,
        _: &mut Context<'_>,
        requests: &mut Receiver<'_, Reading>,
    ) -> Result<Summary, Status> {
        let mut summary = Summary::default();
        while let Some(reading) = requests.next().await? {
            let first = summary.readings == 0;
            let now = reading.centi_celsius;
            summary.readings = summary.readings.saturating_add(1);
            summary.lowest_centi_celsius = if first {
                now
            } else {
                now.min(summary.lowest_centi_celsius)
            };
            summary.highest_centi_celsius = if first {
                now
            } else {
                now.max(summary.highest_centi_celsius)
            };
        }
        (self.say)(format_args!("RecordReadings: {} recorded", summary.readings));
        Ok(summary)
    }

    async fn advise(
        &self,
        _: &mut Context<'_>,
        requests: &mut Receiver<'_, Reading>,
        replies: &mut Sender<'_, Advice>,
    ) -> Result<(), Status> {
        while let Some(reading) = requests.next().await? {
            let window = match reading.centi_celsius {
                ..1800 => Window::Close,
                1800..2500 => Window::Leave,
                2500.. => Window::Open,
            };
            (self.say)(format_args!("Advise: {}", Celsius(reading.centi_celsius)));
            replies.send(&Advice { window }).await?;
        }
        Ok(())
    }

    async fn install_firmware(
        &self,
        _: &mut Context<'_>,
        requests: &mut Receiver<'_, Firmware>,
        replies: &mut Sender<'_, Installed>,
    ) -> Result<(), Status> {
        let mut scratch = [0; 64];
        let reader = requests.next_large(&[2], &mut scratch).await?;
        let mut reader = reader.ok_or(Status::new(Code::INVALID_ARGUMENT, "no firmware came"))?;
        let mut piece = [0; 256];
        let (mut crc, mut octets) = (Crc::new(), 0_u32);
        loop {
            let read = reader.read(&mut piece).await?;
            // A device writes each piece to flash.
            let Some(image @ [_, ..]) = piece.get(..read) else {
                break;
            };
            crc.add(image);
            octets = octets.saturating_add(u32::try_from(read).unwrap_or_default());
        }
        let firmware: Firmware = reader.finish()?;
        // Only the whole request is a request: an error here means that it was cut off.
        requests.next().await?;
        (self.say)(format_args!(
            "InstallFirmware: {} of {octets} octets",
            firmware.version
        ));
        let installed = Installed {
            version: firmware.version,
            octets,
            crc: crc.value(),
        };
        replies.send(&installed).await
    }

    async fn download_log(
        &self,
        _: &mut Context<'_>,
        requests: &mut Receiver<'_, DownloadLogRequest>,
        replies: &mut Sender<'_, Log>,
    ) -> Result<(), Status> {
        let request = requests.only().await?;
        let len = usize::try_from(request.octets)
            .unwrap_or(data::LEN)
            .min(data::LEN);
        (self.say)(format_args!("DownloadLog: {len} octets"));
        let log = Log {
            name: String::try_from("controller.log").unwrap_or_default(),
            crc: data::crc(len),
            ..Default::default()
        };
        let mut text = replies.send_large(&log, &[2], len).await?;
        let mut piece = [0; 256];
        while text.remaining() > 0 {
            let offset = len.saturating_sub(text.remaining());
            let wanted = piece.len().min(text.remaining());
            let piece = piece.get_mut(..wanted).unwrap_or_default();
            data::read(offset, piece);
            text.write(piece).await?;
        }
        text.finish().await
    }

    async fn water_bed(&self, _: &mut Context<'_>, request: WaterBedRequest) -> Result<Watered, Status> {
        let total_seconds = self.watered_seconds.get().saturating_add(request.seconds);
        self.watered_seconds.set(total_seconds);
        (self.say)(format_args!(
            "WaterBed: {} for {} s",
            request.bed, request.seconds
        ));
        Ok(Watered { total_seconds })
    }

    async fn log_in(&self, _: &mut Context<'_>, request: LogInRequest) -> Result<Session, Status> {
        if request.pin != PIN {
            return Err(Status::new(Code::PERMISSION_DENIED, "that is not the PIN"));
        }
        let token = String::try_from(TOKEN).unwrap_or_default();
        Ok(Session { token })
    }
}

/// Lets calls of WaterBed through only with the token, and says how every call ended.
pub struct TokenCheck {
    say: Say,
}

impl Interceptor for TokenCheck {
    async fn before(&self, cx: &mut Context<'_>) -> Result<(), Status> {
        if cx.method().path() != greenhouse_service::WATER_BED.path() {
            return Ok(());
        }
        let mut values = cx.metadata().initial("authorization");
        let token = values.next().and_then(|value| value.strip_prefix(b"Bearer "));
        match token {
            Some(token) if is_same(token, TOKEN.as_bytes()) => Ok(()),
            Some(_) => Err(Status::new(
                Code::UNAUTHENTICATED,
                "the token is not valid, or not any more",
            )),
            None => Err(Status::new(Code::UNAUTHENTICATED, "this method needs a token")),
        }
    }

    fn after(&self, method: &'static Method, code: Code) {
        if code != Code::OK {
            (self.say)(format_args!("{} ended with {}", method.path(), code.name()));
        }
    }
}

/// Counts a watcher for as long as it lives.
struct Watching<'c> {
    watchers: &'c Cell<u32>,
}

impl<'c> Watching<'c> {
    fn begin(watchers: &'c Cell<u32>) -> Self {
        watchers.set(watchers.get() + 1);
        Self { watchers }
    }
}

impl Drop for Watching<'_> {
    fn drop(&mut self) {
        self.watchers.set(self.watchers.get() - 1);
    }
}

/// Asks the bed's sensors.
///
/// # Errors
/// NOT_FOUND, with the beds that there are as details.
fn measure(cx: &Context<'_>, bed: &str) -> Result<Reading, Status> {
    let Some((_, centi_celsius)) = BEDS.into_iter().find(|(name, _)| *name == bed) else {
        let mut message = String::<64>::new();
        // It holds the longest name of a bed that a request can have.
        let _ = write!(message, "there is no bed {bed}");
        cx.set_details(&known_beds(&message))?;
        return Err(Status::with_text(Code::NOT_FOUND, &message));
    };
    Ok(Reading {
        bed: String::try_from(bed).unwrap_or_default(),
        centi_celsius,
        humidity_percent: 60,
    })
}

/// Details as other implementations of gRPC read them: a google.rpc.Status with a message inside.
fn known_beds(message: &str) -> Vec<u8, 160> {
    let names = BEDS.iter().filter_map(|(name, _)| String::try_from(*name).ok());
    let beds = KnownBeds {
        beds: names.collect(),
    };
    let any = Any {
        type_url: String::try_from("type.googleapis.com/greenhouse.v1.KnownBeds").unwrap_or_default(),
        value: encoded(&beds),
    };
    encoded(&rpc::Status {
        code: Code::NOT_FOUND.as_u8().into(),
        message: String::try_from(message).unwrap_or_default(),
        details: [any].into_iter().collect(),
    })
}

/// Empty where it does not fit.
fn encoded<const N: usize>(message: &impl MessageEncode) -> Vec<u8, N> {
    let mut encoder = PbEncoder::new(Vec::new());
    match message.encode(&mut encoder) {
        Ok(()) => encoder.into_writer(),
        Err(_) => Vec::new(),
    }
}

/// Compares in a time that tells nothing about where the first difference is.
fn is_same(a: &[u8], b: &[u8]) -> bool {
    let difference = a.iter().zip(b).fold(0, |sum, (a, b)| sum | (a ^ b));
    a.len() == b.len() && difference == 0
}

fn decimal(number: u32) -> String<10> {
    let mut text = String::new();
    // Ten digits hold any number.
    let _ = write!(text, "{number}");
    text
}

const BEDS: [(&str, i32); 2] = [("tomatoes", 2150), ("basil", 2310)];
const PIN: u32 = 4711;
/// A real server makes one for each session, and forgets it after a while.
const TOKEN: &str = "of-today-8f14e45f";
