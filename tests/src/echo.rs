//! Sends request metadata back: in the initial metadata, and in the trailers of a call that succeeds.
//!
//! tonic has no call for trailers beside a good response, so this sits between it and the connection.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use http::{HeaderMap, HeaderName, Request, Response};
use http_body_util::BodyExt;
use tonic::body::Body;
use tonic::metadata::MetadataMap;
use tower_layer::Layer;
use tower_service::Service;

/// Wraps a service so that it echoes [`INITIAL`] and [`TRAILING`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct EchoLayer;

impl<S> Layer<S> for EchoLayer {
    type Service = Echo<S>;

    fn layer(&self, service: S) -> Self::Service {
        Echo { service }
    }
}

/// The wrapped service.
#[derive(Clone, Debug)]
pub(crate) struct Echo<S> {
    service: S,
}

impl<S> Service<Request<Body>> for Echo<S>
where
    S: Service<Request<Body>, Response = Response<Body>>,
    S::Future: Send + 'static,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.service.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let initial = pick(request.headers(), &INITIAL);
        let trailing = pick(request.headers(), &TRAILING);
        let response = self.service.call(request);
        Box::pin(async move {
            let mut response = response.await?;
            // Trailers-Only: this header section is the trailers, there is no initial metadata.
            let is_trailers_only = response.headers().contains_key("grpc-status");
            let section = if is_trailers_only {
                trailing.clone()
            } else {
                initial
            };
            append(response.headers_mut(), section);
            Ok(response.map(|body| {
                Body::new(body.map_frame(move |mut frame| {
                    if let Some(trailers) = frame.trailers_mut() {
                        append(trailers, trailing.clone());
                    }
                    frame
                }))
            }))
        })
    }
}

/// All values of one field.
fn pick(headers: &HeaderMap, name: &HeaderName) -> HeaderMap {
    headers
        .get_all(name)
        .iter()
        .map(|value| (name.clone(), value.clone()))
        .collect()
}

/// Adds all fields, repeated names included.
fn append(headers: &mut HeaderMap, more: HeaderMap) {
    headers.extend(more);
}

/// How many fields of a request go back to the caller.
pub(crate) fn fields_to_echo(metadata: &MetadataMap) -> usize {
    let headers = metadata.as_ref();
    headers.get_all(INITIAL).iter().count() + headers.get_all(TRAILING).iter().count()
}

const INITIAL: HeaderName = HeaderName::from_static("x-telemetry-echo");
const TRAILING: HeaderName = HeaderName::from_static("x-telemetry-echo-bin");
