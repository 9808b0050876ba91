//! What the device answers. `telemetry.proto` says what it should.

use core::cell::Cell;

use embassy_time::{Duration, Instant, Timer};
use heapless::{String, Vec};
use rpc_nostd::server::{Context, Receiver, Sender};
use rpc_nostd::{Code, MetadataEntry, Status};

use crate::journal::Journal;
use crate::proto::{
    DiagnoseReply, DiagnoseRequest, Reading, ReportReply, ReportRequest, SubscribeRequest, Telemetry,
    UploadReply,
};

/// The service's state.
pub(crate) struct Device<'j> {
    journal: &'j Journal,
    reports: Cell<u32>,
}

impl<'j> Device<'j> {
    pub(crate) const fn new(journal: &'j Journal) -> Self {
        Self {
            journal,
            reports: Cell::new(0),
        }
    }

    fn store(&self, request: &ReportRequest) -> ReportReply {
        let total_reports = self.reports.get().wrapping_add(1);
        self.reports.set(total_reports);
        ReportReply {
            sequence: request.sequence,
            // A device without a calendar: since its start.
            received_unix_ms: Instant::now().as_millis(),
            note: String::try_from("stored on the device").unwrap_or_default(),
            nonce: request.nonce.clone(),
            total_reports,
        }
    }
}

impl Telemetry for Device<'_> {
    async fn report(&self, cx: &mut Context<'_>, request: ReportRequest) -> Result<ReportReply, Status> {
        let echoed = echo(cx)?;
        let call = self.journal.begin(
            "Report",
            format_args!("sequence={} metadata={echoed}", request.sequence),
        );
        let reply = self.store(&request);
        call.answered();
        Ok(reply)
    }

    async fn diagnose(
        &self,
        cx: &mut Context<'_>,
        request: DiagnoseRequest,
    ) -> Result<DiagnoseReply, Status> {
        let call = self.journal.begin(
            "Diagnose",
            format_args!("status={} delay_ms={}", request.status_code, request.delay_ms),
        );
        // A call that is cancelled, or out of time, is dropped here.
        Timer::after(Duration::from_millis(request.delay_ms.into())).await;
        let reply = answer(cx, &request);
        call.answered();
        reply
    }

    async fn subscribe(
        &self,
        _cx: &mut Context<'_>,
        request: SubscribeRequest,
        replies: &mut Sender<'_, Reading>,
    ) -> Result<(), Status> {
        let SubscribeRequest { count, interval_ms } = request;
        let asked = format_args!("count={count} interval_ms={interval_ms}");
        let call = self.journal.begin("Subscribe", asked);
        for sequence in 0..count {
            Timer::after(Duration::from_millis(interval_ms.into())).await;
            let millivolts = 3_300_u32.wrapping_add(sequence);
            replies.send(&Reading { sequence, millivolts }).await?;
        }
        call.answered();
        Ok(())
    }

    async fn upload(
        &self,
        _cx: &mut Context<'_>,
        requests: &mut Receiver<'_, ReportRequest>,
    ) -> Result<UploadReply, Status> {
        let call = self.journal.begin("Upload", format_args!("stream=requests"));
        let mut stored = 0;
        while let Some(request) = requests.next().await? {
            self.store(&request);
            stored += 1;
        }
        call.answered();
        Ok(UploadReply {
            stored,
            total_reports: self.reports.get(),
        })
    }

    async fn exchange(
        &self,
        _cx: &mut Context<'_>,
        requests: &mut Receiver<'_, ReportRequest>,
        replies: &mut Sender<'_, ReportReply>,
    ) -> Result<(), Status> {
        let call = self.journal.begin("Exchange", format_args!("stream=both"));
        while let Some(request) = requests.next().await? {
            replies.send(&self.store(&request)).await?;
        }
        call.answered();
        Ok(())
    }
}

fn answer(cx: &Context<'_>, request: &DiagnoseRequest) -> Result<DiagnoseReply, Status> {
    if request.status_code != 0 {
        if !request.status_details.is_empty() {
            cx.set_details(&request.status_details)?;
        }
        let code = Code::from_u32(request.status_code);
        return Err(Status::with_text(code, &request.status_message));
    }
    let size = usize::try_from(request.reply_size).unwrap_or(usize::MAX);
    let mut payload = Vec::new();
    payload.resize(size, PAYLOAD_OCTET).map_err(|_| {
        Status::new(
            Code::RESOURCE_EXHAUSTED,
            "the device answers with 512 octets at most",
        )
    })?;
    Ok(DiagnoseReply { payload })
}

/// Sends the metadata back that asks for it, and says how many fields that were.
fn echo(cx: &Context<'_>) -> Result<usize, Status> {
    let mut fields = 0;
    for value in cx.metadata().initial(INITIAL) {
        let value = core::str::from_utf8(value).unwrap_or_default();
        cx.add_initial(MetadataEntry::ascii(INITIAL, value))?;
        fields += 1;
    }
    for value in cx.metadata().initial(TRAILING) {
        cx.add_trailing(MetadataEntry::binary(TRAILING, value))?;
        fields += 1;
    }
    Ok(fields)
}

const INITIAL: &str = "x-telemetry-echo";
const TRAILING: &str = "x-telemetry-echo-bin";
/// What replies are made of; not zero, so that an unfilled buffer shows.
const PAYLOAD_OCTET: u8 = 0xa5;
