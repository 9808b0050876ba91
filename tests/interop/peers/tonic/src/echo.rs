//! Sends request metadata back: in the initial metadata, and in the trailers of every call.
//!
//! tonic has no call for trailers beside a good response, so this sits between it and the connection.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use http::{HeaderMap, HeaderName, Request, Response};
use http_body_util::BodyExt;
use tonic::body::Body;
use tower_layer::Layer;
use tower_service::Service;

/// Wraps a service so that it echoes the two fields of the interop test.
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
        let initial = values(request.headers(), crate::ECHO_INITIAL);
        let trailing = values(request.headers(), crate::ECHO_TRAILING);
        let response = self.service.call(request);
        Box::pin(async move {
            let mut response = response.await?;
            if response.headers().contains_key("grpc-status") {
                // Trailers-Only: this header section is the trailers, there is no initial metadata.
                response.headers_mut().extend(trailing);
                return Ok(response);
            }
            response.headers_mut().extend(initial);
            Ok(response.map(|body| {
                Body::new(body.map_frame(move |mut frame| {
                    if let Some(trailers) = frame.trailers_mut() {
                        trailers.extend(trailing.clone());
                    }
                    frame
                }))
            }))
        })
    }
}

/// All values of one field.
fn values(headers: &HeaderMap, name: &'static str) -> HeaderMap {
    let name = HeaderName::from_static(name);
    let values = headers.get_all(&name).iter();
    values.map(|value| (name.clone(), value.clone())).collect()
}
