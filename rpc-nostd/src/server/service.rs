//! What a server serves: services, put together, and what stands before them.

use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};

use pin_project_lite::pin_project;

use crate::method::Method;
use crate::server::call::{self, Call};
use crate::status::{Code, Status};

/// The methods that a service has: generated code implements this. They belong to its type, so that the memory of a
/// server holds no reference to the service and can be a `static`, whatever the service is.
pub trait Routes {
    /// The method with this path, compared octet by octet. `None`: not one of ours.
    fn method(path: &[u8]) -> Option<&'static Method>;
}

/// [`Routes::method`] of some service.
pub(crate) type Lookup = fn(path: &[u8]) -> Option<&'static Method>;

/// A service, or several: generated `...Server` types implement this around a type that implements the generated trait.
///
/// ```ignore
/// let service = TelemetryServer::new(Telemetry { .. }).and(HealthServer::new(health)).intercept(TokenCheck { .. });
/// ```
pub trait Service: Routes {
    /// Serves one call: reads its requests, sends its responses. An error becomes the call's status.
    ///
    /// The future is dropped when the call is cancelled, its deadline passes or its connection is lost.
    fn serve(&self, call: &mut Call<'_>) -> impl Future<Output = Result<(), Status>>;

    /// This service and another on one server. Where both have a path, this one gets the call.
    fn and<B: Service>(self, other: B) -> And<Self, B>
    where
        Self: Sized,
    {
        And {
            first: self,
            second: other,
        }
    }

    /// This service behind an interceptor, which sees every call before its handler.
    fn intercept<I: Interceptor>(self, interceptor: I) -> Intercepted<I, Self>
    where
        Self: Sized,
    {
        Intercepted {
            interceptor,
            service: self,
        }
    }
}

/// Looks a path up in the methods of one service.
pub fn find(methods: &[&'static Method], path: &[u8]) -> Option<&'static Method> {
    methods
        .iter()
        .copied()
        .find(|method| method.path().as_bytes() == path)
}

/// Two services on one server: see [`Service::and`].
#[derive(Clone, Copy, Debug)]
pub struct And<A, B> {
    first: A,
    second: B,
}

impl<A: Routes, B: Routes> Routes for And<A, B> {
    fn method(path: &[u8]) -> Option<&'static Method> {
        A::method(path).or_else(|| B::method(path))
    }
}

impl<A: Service, B: Service> Service for And<A, B> {
    fn serve(&self, call: &mut Call<'_>) -> impl Future<Output = Result<(), Status>> {
        if A::method(call.method().path().as_bytes()).is_some() {
            OneOf::First {
                work: self.first.serve(call),
            }
        } else {
            OneOf::Second {
                work: self.second.serve(call),
            }
        }
    }
}

pin_project! {
    /// The future of one of two services.
    #[project = Projected]
    enum OneOf<A, B> {
        First { #[pin] work: A },
        Second { #[pin] work: B },
    }
}

impl<A: Future, B: Future<Output = A::Output>> Future for OneOf<A, B> {
    type Output = A::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<A::Output> {
        match self.project() {
            Projected::First { work } => work.poll(cx),
            Projected::Second { work } => work.poll(cx),
        }
    }
}

/// Stands before a service: checks credentials, counts calls.
pub trait Interceptor {
    /// Sees a call before its handler does: its method, its metadata, its deadline. May add response metadata.
    ///
    /// # Errors
    /// The call's status; the handler is then not called.
    fn before(&self, context: &mut call::Context<'_>) -> impl Future<Output = Result<(), Status>>;

    /// Sees how the handler ended. Not called for a call that was cancelled or ran out of time.
    fn after(&self, method: &'static Method, code: Code) {
        let _ = (method, code);
    }
}

/// A service behind an interceptor: see [`Service::intercept`].
#[derive(Clone, Copy, Debug)]
pub struct Intercepted<I, S> {
    interceptor: I,
    service: S,
}

impl<I, S: Routes> Routes for Intercepted<I, S> {
    fn method(path: &[u8]) -> Option<&'static Method> {
        S::method(path)
    }
}

impl<I: Interceptor, S: Service> Service for Intercepted<I, S> {
    async fn serve(&self, call: &mut Call<'_>) -> Result<(), Status> {
        let result = match self.interceptor.before(call.context()).await {
            Ok(()) => self.service.serve(call).await,
            Err(status) => Err(status),
        };
        let code = result.map_or_else(|status| status.code(), |()| Code::OK);
        self.interceptor.after(call.method(), code);
        result
    }
}
