//! The memory that generated code suggests for a service: its largest messages pass in both directions, and with an octet
//! less they do not.

use rpc_nostd::server::{Context, Receiver, Sender, Server, ServerConfig, ServerResources};
use rpc_nostd::{Channel, Code, Config, Resources, Status};
use rpc_nostd_tests_host::{HostClock, TokioAcceptor, TokioConnector};
use tokio::net::TcpListener;

mod proto {
    #![allow(missing_docs, unreachable_pub)]
    include!(concat!(env!("OUT_DIR"), "/records.rs"));
}
use proto::records::v1::{Receipt, Record, Records, RecordsClient, RecordsServer, records_service};
use records_service::{CLIENT_RECV, CLIENT_SEND, ClientResources, SERVER_RECV, SERVER_SEND};

/// Two calls at once, from one client.
type Serving<'r> = records_service::ServerResources<'r, 1, 2>;

const TABLE: usize = 256;

fn largest_record() -> Record {
    let mut record = Record {
        number: u64::MAX,
        ..Record::default()
    };
    let label = "x".repeat(70);
    while !record.labels.is_full() {
        record.labels.push(label.as_str().try_into().unwrap()).unwrap();
    }
    record
}

fn largest_receipt() -> Receipt {
    Receipt {
        content: std::iter::repeat_n(0xa5, 3000).collect(),
        offset: Some(i32::MIN),
    }
}

/// Takes the largest requests alone, and gives the largest responses.
struct Device;

impl Records for Device {
    async fn put(&self, _: &mut Context<'_>, request: Record) -> Result<Receipt, Status> {
        assert_eq!(request, largest_record());
        Ok(largest_receipt())
    }

    async fn exchange(
        &self,
        _: &mut Context<'_>,
        requests: &mut Receiver<'_, Record>,
        replies: &mut Sender<'_, Receipt>,
    ) -> Result<(), Status> {
        while let Some(request) = requests.next().await? {
            assert_eq!(request, largest_record());
            replies.send(&largest_receipt()).await?;
        }
        Ok(())
    }
}

/// Runs `calls` on a channel with `memory`, against our server with `serving`.
fn with<const CR: usize, const CS: usize, const SR: usize, const SS: usize, F: Future<Output = ()>>(
    memory: Resources<'static, 2, CR, CS, TABLE>,
    serving: ServerResources<'static, 1, 2, SR, SS>,
    calls: impl FnOnce(RecordsClient<Channel<'static>>) -> F,
) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let listener: &'static TcpListener =
            Box::leak(Box::new(TcpListener::bind("127.0.0.1:0").await.unwrap()));
        let clock: &'static HostClock = Box::leak(Box::new(HostClock::start()));
        let service: &'static _ = Box::leak(Box::new(RecordsServer::new(Device)));
        let acceptors = [TokioAcceptor { listener }];
        let serving = Box::leak(Box::new(serving));
        let (server, serving) =
            Server::new(serving, acceptors, service, clock, &ServerConfig::new()).unwrap();
        let connector = TokioConnector {
            address: listener.local_addr().unwrap(),
        };
        let memory = Box::leak(Box::new(memory));
        let (channel, runner) = Channel::new(memory, connector, clock, Config::new("localhost")).unwrap();
        tokio::join!(serving.run(), runner.run(), async {
            calls(RecordsClient::new(channel)).await;
            channel.shutdown();
            server.shut_down();
        });
    });
}

#[test]
fn largest_messages_pass_both_ways_in_the_suggested_memory() {
    let memory = ClientResources::<2>::new();
    with(memory, Serving::new(), async |mut records| {
        assert_eq!(records.put(&largest_record()).await.unwrap(), largest_receipt());
        let (mut sender, mut receipts) = records.exchange().await.unwrap();
        for _ in 0..3 {
            sender.send(&largest_record()).await.unwrap();
            assert_eq!(receipts.next().await.unwrap(), Some(largest_receipt()));
        }
        sender.finish().await.unwrap();
        assert_eq!(receipts.next().await.unwrap(), None);
    });
}

#[test]
fn largest_response_does_not_pass_with_an_octet_less() {
    let memory = Resources::<2, { CLIENT_RECV - 1 }, CLIENT_SEND, TABLE>::new();
    with(memory, Serving::new(), async |mut records| {
        let status = records.put(&largest_record()).await.unwrap_err();
        assert_eq!(status.code(), Code::RESOURCE_EXHAUSTED);
    });
}

#[test]
fn largest_request_does_not_pass_with_an_octet_less() {
    let serving = ServerResources::<1, 2, { SERVER_RECV - 1 }, SERVER_SEND>::new();
    with(ClientResources::<2>::new(), serving, async |mut records| {
        let status = records.put(&largest_record()).await.unwrap_err();
        assert_eq!(status.code(), Code::RESOURCE_EXHAUSTED);
    });
}
