"""The interop test's server on grpcio, plaintext, on 127.0.0.1. It serves until it is killed."""

import argparse
import time
from concurrent import futures

import grpc
from google.protobuf import message_factory

from test_service import (
    ECHO_INITIAL,
    ECHO_TRAILING,
    LARGEST_MESSAGE,
    POOL,
    SERVICE,
    Empty,
    SimpleResponse,
    StreamingInputCallResponse,
    StreamingOutputCallResponse,
    kind,
    payload,
)

CODES = {code.value[0]: code for code in grpc.StatusCode}
CALLS_AT_ONCE = 64
OPTIONS = [
    ("grpc.max_receive_message_length", LARGEST_MESSAGE),
    # Two servers on one port would each get some of the connections.
    ("grpc.so_reuseport", 0),
    # Only identity: a compressed message is refused, so that every request here has arrived uncompressed.
    ("grpc.compression_enabled_algorithms_bitset", 1),
]


class TestService:
    """The methods that are implemented, by their names on the wire."""

    def EmptyCall(self, _request, context):
        echo(context)
        return Empty()

    def UnaryCall(self, request, context):
        echo(context)
        refuse_expected_compression(request, context)
        end_with(request.response_status, context)
        return SimpleResponse(payload=sized_payload(request.response_size, context))

    def StreamingInputCall(self, requests, context):
        echo(context)
        size = 0
        for request in requests:
            refuse_expected_compression(request, context)
            size += len(request.payload.body)
        return StreamingInputCallResponse(aggregated_payload_size=size)

    def StreamingOutputCall(self, request, context):
        echo(context)
        yield from self.replies(request, context)

    def FullDuplexCall(self, requests, context):
        echo(context)
        for request in requests:
            yield from self.replies(request, context)

    def HalfDuplexCall(self, requests, context):
        echo(context)
        for request in list(requests):
            yield from self.replies(request, context)

    @staticmethod
    def replies(request, context):
        end_with(request.response_status, context)
        for wanted in request.response_parameters:
            time.sleep(max(wanted.interval_us, 0) / 1_000_000)
            yield StreamingOutputCallResponse(payload=sized_payload(wanted.size, context))


def echo(context):
    """Sends back what the client asks for, in the initial metadata and in the trailers."""
    metadata = context.invocation_metadata()
    initial = [(key, value) for key, value in metadata if key == ECHO_INITIAL]
    if initial:
        context.send_initial_metadata(initial)
    context.set_trailing_metadata([(key, value) for key, value in metadata if key == ECHO_TRAILING])


def refuse_expected_compression(request, context):
    if request.expect_compressed.value:
        context.abort(grpc.StatusCode.INVALID_ARGUMENT, "expect_compressed is set, but the message is not compressed")


def end_with(status, context):
    if status.code:
        context.abort(CODES.get(status.code, grpc.StatusCode.UNKNOWN), status.message)


def sized_payload(size, context):
    if not 0 <= size <= LARGEST_MESSAGE:
        details = f"a payload of {size} octets is asked; 0 to {LARGEST_MESSAGE} will do"
        context.abort(grpc.StatusCode.INVALID_ARGUMENT, details)
    return payload(size)


def handlers(service):
    """grpcio's handlers of all methods that `service` has; the others are UNIMPLEMENTED."""
    table = {}
    for method in POOL.FindServiceByName(SERVICE).methods:
        behaviour = getattr(service, method.name, None)
        if behaviour is None:
            continue
        make = getattr(grpc, f"{kind(method)}_rpc_method_handler")
        table[method.name] = make(
            behaviour,
            request_deserializer=message_factory.GetMessageClass(method.input_type).FromString,
            response_serializer=lambda reply: reply.SerializeToString(),
        )
    return grpc.method_handlers_generic_handler(SERVICE, table)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0, the default, takes any free one")
    parser.add_argument("--use_tls", choices=["false"], default="false", help="plaintext only")
    arguments = parser.parse_args()
    server = grpc.server(futures.ThreadPoolExecutor(CALLS_AT_ONCE), options=OPTIONS)
    server.add_generic_rpc_handlers([handlers(TestService())])
    port = server.add_insecure_port(f"127.0.0.1:{arguments.port}")
    server.start()
    print(f"listening on port {port}", flush=True)
    server.wait_for_termination()


if __name__ == "__main__":
    main()
