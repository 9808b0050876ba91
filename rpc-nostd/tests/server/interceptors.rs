//! What stands before a service.

use rpc_nostd::server::{Context, Interceptor, Service};
use rpc_nostd::{Code, MetadataEntry, Method, Status};

use crate::bench::serving;
use crate::service::{CHAT, Custom, Echo, Log, STREAM, UNARY};
use crate::support::frames;
use crate::wire::{request, request_with};

/// Writes what it sees into the log; lets only those pass that bring the token, if it asks for one.
struct Watch(Log, &'static str, Option<&'static str>);

impl Interceptor for Watch {
    async fn before(&self, context: &mut Context<'_>) -> Result<(), Status> {
        let line = format!("{} before {}", self.1, context.method().path());
        self.0.borrow_mut().push(line);
        context.add_initial(MetadataEntry::ascii("x-seen-by", self.1))?;
        let Some(token) = self.2 else { return Ok(()) };
        if context.metadata().initial("authorization").next() == Some(token.as_bytes()) {
            Ok(())
        } else {
            Err(Status::new(Code::UNAUTHENTICATED, "no token"))
        }
    }

    fn after(&self, method: &'static Method, code: Code) {
        self.0
            .borrow_mut()
            .push(format!("{} after {} {code:?}", self.1, method.path()));
    }
}

#[test]
fn an_interceptor_sees_each_call_before_and_after_and_may_reject_it() {
    let log = Log::default();
    let service = Echo.intercept(Watch(log.clone(), "door", Some("Bearer x")));
    serving(service, async |bench| {
        let mut wire = bench.open().await;
        wire.call(1, UNARY.path(), &[b"x"]);
        bench.settle().await;
        let answer = wire.answer(1);
        assert_eq!(
            (answer.frames.as_str(), answer.code()),
            ("H!", Some(Code::UNAUTHENTICATED))
        );
        assert_eq!(answer.header("grpc-message"), Some("no token"));

        let fields = request_with(UNARY.path(), &[("authorization", "Bearer x")]);
        wire.send(&frames::headers(3, &fields, false));
        wire.send(&frames::data(3, &frames::message(b"x"), true));
        bench.settle().await;
        let answer = wire.answer(3);
        assert_eq!(
            (answer.code(), answer.header("x-seen-by")),
            (Some(Code::OK), Some("door"))
        );
    });
    let expected = [
        "door before /test.Echo/Unary",
        "door after /test.Echo/Unary UNAUTHENTICATED",
        "door before /test.Echo/Unary",
        "door after /test.Echo/Unary OK",
    ];
    assert_eq!(*log.borrow(), expected);
}

#[test]
fn the_outer_interceptor_is_first_in_and_last_out_and_each_sees_only_its_own_service() {
    let log = Log::default();
    let watch = |name| Watch(log.clone(), name, None);
    let other = Custom(async |_: &mut rpc_nostd::server::Call<'_>| Err(Status::new(Code::ABORTED, "")));
    // `Echo` has all paths of `other`, so that `other` is never called.
    let service = Echo
        .intercept(watch("echo"))
        .and(other.intercept(watch("other")))
        .intercept(watch("all"));
    serving(service, async |bench| {
        let mut wire = bench.open().await;
        bench.echo(&mut wire, 1, b"x").await;
    });
    let expected = ["all before", "echo before", "echo after", "all after"];
    let log = log.borrow();
    assert_eq!(log.len(), expected.len());
    assert!(
        log.iter()
            .zip(expected)
            .all(|(line, start)| line.starts_with(start)),
        "{log:?}"
    );
}

#[test]
fn a_call_that_is_cancelled_or_unknown_is_not_reported_as_ended() {
    let log = Log::default();
    let watch = Watch(log.clone(), "door", None);
    let service = Custom(async |_: &mut rpc_nostd::server::Call<'_>| std::future::pending().await);
    serving(service.intercept(watch), async |bench| {
        let wire = bench.open().await;
        wire.send(&frames::headers(1, &request(CHAT.path()), false));
        wire.send(&frames::headers(3, &request("/test.Echo/Nothing"), false));
        bench.settle().await;
        wire.send(&frames::rst(1, 8));
        wire.send(&frames::headers(
            5,
            &request_with(STREAM.path(), &[("grpc-timeout", "5m")]),
            false,
        ));
        bench.pass(10).await;
    });
    assert_eq!(
        *log.borrow(),
        ["door before /test.Echo/Chat", "door before /test.Echo/Stream"]
    );
}
