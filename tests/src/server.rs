//! The telemetry service on tonic, on a port of this computer, in a thread of its own.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::runtime::Builder;
use tokio::sync::oneshot;
use tokio_stream::{Stream, StreamExt};
use tonic::{Code, Request, Response, Status, Streaming, transport};

use crate::counted::Counted;
use crate::echo::{self, EchoLayer};
use crate::journal::{CallRecord, Journal, Traffic};
use crate::telemetry::telemetry_server::{Telemetry, TelemetryServer};
use crate::telemetry::{
    DiagnoseReply, DiagnoseRequest, Reading, ReportReply, ReportRequest, SubscribeRequest, UploadReply,
};

/// A running server. It stops, with all its connections, when this is dropped.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    journal: Arc<Journal>,
    running: Option<Running>,
}

#[derive(Debug)]
struct Running {
    stop: oneshot::Sender<()>,
    thread: JoinHandle<()>,
}

impl Server {
    /// Starts on a free port of 127.0.0.1.
    ///
    /// # Errors
    /// No port can be bound.
    pub fn start() -> io::Result<Self> {
        Self::start_on(0, false)
    }

    /// Starts on `port` of 127.0.0.1, 0 for a free one. With `announce`, every connection and call is a line on standard
    /// output.
    ///
    /// # Errors
    /// The port cannot be bound.
    pub fn start_on(port: u16, announce: bool) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
        let address = listener.local_addr()?;
        let journal = Arc::new(Journal::new(announce));
        let running = Some(Running::spawn(listener, Arc::clone(&journal))?);
        Ok(Self {
            address,
            journal,
            running,
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Cuts all connections without a word and closes the port. Does nothing if it is stopped already.
    pub fn stop(&mut self) {
        let Some(running) = self.running.take() else {
            return;
        };
        // The thread may have ended by itself; then nobody listens.
        let _ = running.stop.send(());
        let _ = running.thread.join();
    }

    /// Stops, and starts on the same port as a server that has not stored any report. The counters go on.
    ///
    /// # Errors
    /// The port cannot be bound again.
    pub fn restart(&mut self) -> io::Result<()> {
        self.stop();
        let listener = TcpListener::bind(self.address)?;
        self.running = Some(Running::spawn(listener, Arc::clone(&self.journal))?);
        Ok(())
    }

    /// Connections accepted so far.
    pub fn connections(&self) -> u64 {
        self.journal.connections()
    }

    /// Calls so far, in order of arrival.
    pub fn calls(&self) -> Vec<CallRecord> {
        self.journal.calls()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Running {
    fn spawn(listener: TcpListener, journal: Arc<Journal>) -> io::Result<Self> {
        listener.set_nonblocking(true)?;
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let (stop, stopped) = oneshot::channel();
        let thread = thread::Builder::new()
            .name("telemetry-server".to_owned())
            .spawn(move || {
                runtime.block_on(async {
                    tokio::select! {
                        result = serve(listener, journal) => {
                            if let Err(error) = result {
                                eprintln!("telemetry server: {error}");
                            }
                        }
                        _ = stopped => {}
                    }
                });
                // Dropping the runtime drops the connections' tasks, and so closes their sockets.
            })?;
        Ok(Self { stop, thread })
    }
}

async fn serve(listener: TcpListener, journal: Arc<Journal>) -> Result<(), Box<dyn std::error::Error>> {
    let listener = tokio::net::TcpListener::from_std(listener)?;
    let for_connections = Arc::clone(&journal);
    let incoming = tokio_stream::wrappers::TcpListenerStream::new(listener).map(move |stream| {
        let stream = stream?;
        stream.set_nodelay(true)?;
        Ok::<_, io::Error>(Counted::new(stream, for_connections.open_connection()))
    });
    let service = TelemetryServer::new(Service {
        journal,
        reports: Arc::default(),
    });
    transport::Server::builder()
        .layer(EchoLayer)
        .add_service(service)
        .serve_with_incoming(incoming)
        .await?;
    Ok(())
}

/// The service itself. What it answers is described in `proto/telemetry/v1/telemetry.proto`.
#[derive(Debug)]
struct Service {
    journal: Arc<Journal>,
    reports: Arc<AtomicU32>,
}

impl Service {
    fn report(&self, request: &Request<ReportRequest>) -> Result<ReportReply, Status> {
        let message = request.get_ref();
        let text = format!(
            "from {:?}: sequence {}, {} mV, {:.2} degrees",
            message.device_id,
            message.sequence,
            message.millivolts,
            f64::from(message.temperature_centi) / 100.0,
        );
        let metadata = echo::fields_to_echo(request.metadata());
        let asked = format!("sequence={} metadata={metadata}", message.sequence);
        let call = self
            .journal
            .note_call(traffic_of(request)?, "Report", &text, asked);
        self.journal.note_answer(call);
        Ok(store(&self.reports, message.clone()))
    }

    /// Notes a call whose messages come or go in a stream.
    fn note_stream<T>(
        &self,
        request: &Request<T>,
        method: &'static str,
        asked: String,
    ) -> Result<usize, Status> {
        let traffic = traffic_of(request)?;
        Ok(self.journal.note_call(traffic, method, &asked.clone(), asked))
    }
}

fn store(reports: &AtomicU32, message: ReportRequest) -> ReportReply {
    let total_reports = reports.fetch_add(1, Ordering::Relaxed) + 1;
    ReportReply {
        sequence: message.sequence,
        received_unix_ms: unix_ms(),
        note: format!("stored as number {total_reports}"),
        nonce: message.nonce,
        total_reports,
    }
}

type Replies<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

/// The connection that a request came on; [`Counted`] says so to tonic.
fn traffic_of<T>(request: &Request<T>) -> Result<&Traffic, Status> {
    let traffic = request.extensions().get::<Arc<Traffic>>();
    traffic
        .map(Arc::as_ref)
        .ok_or_else(|| Status::internal("a request from no connection"))
}

#[tonic::async_trait]
impl Telemetry for Service {
    async fn report(&self, request: Request<ReportRequest>) -> Result<Response<ReportReply>, Status> {
        Self::report(self, &request).map(Response::new)
    }

    async fn diagnose(&self, request: Request<DiagnoseRequest>) -> Result<Response<DiagnoseReply>, Status> {
        let message = request.get_ref();
        let text = format!(
            "asks for status {} after {} ms",
            message.status_code, message.delay_ms
        );
        let asked = format!("status={} delay_ms={}", message.status_code, message.delay_ms);
        let call = self
            .journal
            .note_call(traffic_of(&request)?, "Diagnose", &text, asked);
        // A call that is cancelled is dropped here, and never counts as answered.
        let answer = answer(request.into_inner()).await;
        self.journal.note_answer(call);
        answer.map(Response::new)
    }

    type SubscribeStream = Replies<Reading>;

    async fn subscribe(
        &self,
        request: Request<SubscribeRequest>,
    ) -> Result<Response<Self::SubscribeStream>, Status> {
        let SubscribeRequest { count, interval_ms } = *request.get_ref();
        let asked = format!("count={count} interval_ms={interval_ms}");
        let call = self.note_stream(&request, "Subscribe", asked)?;
        self.journal.note_answer(call);
        let readings = tokio_stream::iter(0..count).then(move |sequence| async move {
            tokio::time::sleep(Duration::from_millis(interval_ms.into())).await;
            Ok(Reading {
                sequence,
                millivolts: 3300 + sequence,
            })
        });
        Ok(Response::new(Box::pin(readings)))
    }

    async fn upload(
        &self,
        request: Request<Streaming<ReportRequest>>,
    ) -> Result<Response<UploadReply>, Status> {
        let call = self.note_stream(&request, "Upload", "stream=requests".to_owned())?;
        let mut requests = request.into_inner();
        let mut stored = 0;
        while let Some(message) = requests.message().await? {
            store(&self.reports, message);
            stored += 1;
        }
        self.journal.note_answer(call);
        Ok(Response::new(UploadReply {
            stored,
            total_reports: self.reports.load(Ordering::Relaxed),
        }))
    }

    type ExchangeStream = Replies<ReportReply>;

    async fn exchange(
        &self,
        request: Request<Streaming<ReportRequest>>,
    ) -> Result<Response<Self::ExchangeStream>, Status> {
        let call = self.note_stream(&request, "Exchange", "stream=both".to_owned())?;
        self.journal.note_answer(call);
        let reports = Arc::clone(&self.reports);
        let replies = request
            .into_inner()
            .map(move |message| Ok(store(&reports, message?)));
        Ok(Response::new(Box::pin(replies)))
    }
}

async fn answer(message: DiagnoseRequest) -> Result<DiagnoseReply, Status> {
    tokio::time::sleep(Duration::from_millis(message.delay_ms.into())).await;
    if message.status_code == 0 {
        let size = usize::try_from(message.reply_size)
            .unwrap_or(usize::MAX)
            .min(LARGEST_REPLY);
        return Ok(DiagnoseReply {
            payload: vec![PAYLOAD_OCTET; size],
        });
    }
    let code = Code::from_i32(i32::try_from(message.status_code).unwrap_or(i32::MAX));
    Err(Status::with_details(
        code,
        message.status_message,
        message.status_details.into(),
    ))
}

fn unix_ms() -> u64 {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since_epoch.as_millis()).unwrap_or(u64::MAX)
}

/// What replies are made of; not zero, so that an unfilled buffer shows.
const PAYLOAD_OCTET: u8 = 0xa5;

/// A device that asks for more gets this much.
const LARGEST_REPLY: usize = 1 << 20;
